"""Drilled bone for other programs: volume and voxels are those of what is left, and both files read back where they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.scene.bone_export import LEFT, REMOVED, bone_labels, write_bone_labels, write_bone_mesh
from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface
from navtwin.volumes.read import layout_of, read_label_volume

SIDE_MM = 0.4


def block() -> Carvable:
    import pyvista as pv

    box = pv.Box((-9.0, 9.0, -8.0, 8.0, -7.0, 7.0)).triangulate()
    return Carvable(Surface.from_arrays(box.points, box.regular_faces), SIDE_MM)


def oblique(spacing: tuple[float, float, float]) -> np.ndarray:
    """A scan's affine: tilted, left-handed, its first voxel outside the bone."""
    turn = np.array(((0.96, -0.28, 0.0), (0.28, 0.96, 0.0), (0.0, 0.0, 1.0)))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag((spacing[0], spacing[1], -spacing[2]))
    affine[:3, 3] = (-8.0, -14.0, 11.0)
    return affine


@pytest.fixture(scope="module")
def drilled() -> tuple[Carvable, Carvable]:
    whole, left = block(), block()
    left.carve((0.0, -2.0, 6.0), (0.0, 2.0, 6.0), 3.0)
    left.carve((0.0, 0.0, 20.0), (0.0, 0.0, -20.0), 1.2)
    return whole, left


@pytest.mark.parametrize("name", ["left.stl", "left.ply", "left.vtp"])
def test_the_mesh_encloses_what_is_left(drilled: tuple[Carvable, Carvable], name: str, tmp_path: Path) -> None:
    whole, left = drilled
    count = write_bone_mesh(left, tmp_path / name)
    read = Surface.read(tmp_path / name)
    assert len(read.faces) == count
    assert read.is_watertight
    assert read.volume_mm3 == pytest.approx(left.surface().volume_mm3, rel=1e-6)
    # Edges are rounded alike before and after, so that the difference is what was removed.
    assert whole.surface().volume_mm3 - read.volume_mm3 == pytest.approx(left.removed_mm3, rel=0.01)
    assert np.abs(read.bounds_mm[1] - (9.0, 8.0, 7.0)).max() < 0.01


@pytest.mark.parametrize("name", ["l.nii.gz", "l.nii", "l.nrrd", "l.mha"])
def test_labels_are_on_the_scan_s_voxels(drilled: tuple[Carvable, Carvable], name: str, tmp_path: Path) -> None:
    whole, left = drilled
    affine, shape = oblique((0.5, 0.6, 0.7)), (50, 48, 33)
    counts = write_bone_labels(whole, left, affine, shape, tmp_path / name)
    read = read_label_volume(tmp_path / name)
    assert np.allclose(read.T_ct_from_ijk, affine, atol=1e-5)
    assert read.shape_ijk == shape == layout_of(tmp_path / name).shape_ijk
    assert counts == (int((read.hu == LEFT).sum()), int((read.hu == REMOVED).sum()))
    assert set(np.unique(read.hu)) == {0, LEFT, REMOVED}


def test_each_voxel_is_told_by_its_centre(drilled: tuple[Carvable, Carvable]) -> None:
    whole, left = drilled
    affine, shape = oblique((0.5, 0.6, 0.7)), (50, 48, 33)
    labels = bone_labels(whole, left, affine, shape)
    k, j, i = np.indices(labels.shape)
    x, y, z = np.moveaxis(np.stack((i, j, k), axis=-1) @ affine[:3, :3].T + affine[:3, 3], -1, 0)
    inside = np.maximum(np.maximum(np.abs(x) - 9.0, np.abs(y) - 8.0), np.abs(z) - 7.0)
    bar = np.sqrt(x**2 + np.maximum(np.abs(y) - 2.0, 0.0) ** 2 + (z - 6.0) ** 2) - 3.0
    cut = np.minimum(bar, np.hypot(x, y) - 1.2)
    true = np.where(inside < 0.0, np.where(cut < 0.0, REMOVED, LEFT), 0)
    # A voxel whose centre lies within a tenth of a millimetre of a surface may fall to either side.
    sure = (np.abs(inside) > 0.1) & (np.abs(cut) > 0.1)
    assert np.array_equal(labels[sure], true[sure])
    assert not (labels[true == 0] == REMOVED)[sure[true == 0]].any()


def test_nothing_drilled_is_nothing_removed() -> None:
    whole = block()
    labels = bone_labels(whole, block(), oblique((0.3, 0.3, 0.3)), (80, 80, 60))
    assert np.count_nonzero(labels == LEFT) > 10_000
    assert not (labels == REMOVED).any()


def test_a_scan_that_ends_inside_the_bone_is_filled_to_its_edge() -> None:
    affine = np.diag((0.5, 0.5, 0.5, 1.0))
    labels = bone_labels(block(), block(), affine, (4, 4, 4))
    assert (labels == LEFT).all()


def test_what_cannot_be_written_is_refused(drilled: tuple[Carvable, Carvable], tmp_path: Path) -> None:
    whole, left = drilled
    affine, shape = oblique((0.5, 0.6, 0.7)), (50, 48, 33)
    with pytest.raises(InputRefused, match=r"cannot write labels as 'l\.png'"):
        write_bone_labels(whole, left, affine, shape, tmp_path / "l.png")
    far = affine.copy()
    far[:3, 3] += 500.0
    with pytest.raises(InputRefused, match="no voxel of the scan has its centre in the bone"):
        write_bone_labels(whole, left, far, shape, tmp_path / "l.nrrd")
    with pytest.raises(InputRefused, match="not on the grid"):
        bone_labels(whole, Carvable(left.surface(), 2.0 * SIDE_MM), affine, shape)
    with pytest.raises(InputRefused, match="cannot write a mesh"):
        write_bone_mesh(left, tmp_path / "l.nrrd")
    gone = block()
    gone.carve((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 30.0)
    with pytest.raises(InputRefused, match="nothing is left"):
        write_bone_mesh(gone, tmp_path / "l.stl")
    assert not list(tmp_path.iterdir())
