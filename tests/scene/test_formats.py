"""A case at the door: looked at, and written as a segmentation that comes back as the same structures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.files.formats import Options
from navtwin.scene import Surface
from navtwin.scene.as_voxels import voxels_inside
from navtwin.scene.formats import FORMATS
from navtwin.volumes.labels.seg_nrrd import read_seg_nrrd
from navtwin.volumes.labels.segments import Layers
from navtwin.volumes.labels.write import write_seg_nrrd
from navtwin.volumes.read import layout_of
from tests.scene.cases import BONE, VESSEL, labels_ijk
from tests.scene.test_case import edit


def quiet(text: str) -> None:
    """Nobody watches."""


WRITE = FORMATS[0].writes["case", ".seg.nrrd"]


def test_a_case_as_a_segmentation(tmp_path: Path, case: Path) -> None:
    said = WRITE(case, tmp_path / "out.seg.nrrd", Options(), quiet)
    assert said[0].startswith("2 structures written")
    found = read_seg_nrrd(tmp_path / "out.seg.nrrd")
    np.testing.assert_array_equal(found.volume.T_ct_from_ijk, layout_of(case / "ct.nii.gz").T_ct_from_ijk)
    for name, label, color in (("bone", BONE, "#e6dccb"), ("vessel", VESSEL, "#d8654f")):
        was, now = (labels_ijk() == label).transpose(2, 1, 0), found.mask_of(found.segment(name))
        assert found.segment(name).color == color
        assert 2.0 * (was & now).sum() / (was.sum() + now.sum()) > 0.97


def test_one_structure_of_a_case(tmp_path: Path, case: Path) -> None:
    WRITE(case, tmp_path / "out.seg.nrrd", Options(name="vessel"), quiet)
    assert [one.name for one in read_seg_nrrd(tmp_path / "out.seg.nrrd").segments] == ["vessel"]
    with pytest.raises(InputRefused, match="no structure 'vesel'"):
        WRITE(case, tmp_path / "x.seg.nrrd", Options(name="vesel"), quiet)


def test_a_ball_fills_the_voxels_whose_centres_it_holds() -> None:
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=5, radius=7.3)
    turn = trimesh.transformations.rotation_matrix(0.3, (1, 2, 3))
    T = turn @ np.diag((0.8, 1.1, 1.7, 1.0))
    T[:3, 3] = turn[:3, :3] @ (-9.9, -11.1, -12.3)
    mask = voxels_inside(Surface.from_arrays(ball.vertices, ball.faces), T, (15, 21, 25))
    k, j, i = np.meshgrid(np.arange(15), np.arange(21), np.arange(25), indexing="ij")
    away = np.linalg.norm(np.stack([i, j, k], axis=-1) @ T[:3, :3].T + T[:3, 3], axis=-1)
    np.testing.assert_array_equal(mask[away < 7.27], True)
    np.testing.assert_array_equal(mask[away > 7.31], False)


def test_a_surface_outside_the_grid_fills_nothing() -> None:
    corner = Surface.from_arrays(np.array([(90.0, 0, 0), (91, 0, 0), (90, 1, 0), (90, 0, 1)]), np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]))
    assert not voxels_inside(corner, np.eye(4), (4, 5, 6)).any()


@settings(max_examples=25, deadline=None)
@given(
    names=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n", exclude_categories=("Cc", "Zs", "Zl", "Zp", "Cs")), min_size=1),
                   min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 1000),
    place=st.lists(st.floats(-500.0, 500.0), min_size=3, max_size=3),
)  # fmt: skip
def test_a_segmentation_comes_back_to_the_last_bit(tmp_path_factory: pytest.TempPathFactory, names: list[str], seed: int, place: list[float]) -> None:
    rng = np.random.default_rng(seed)
    layers = Layers((3, 4, 5))
    masks = {}
    for name in names:
        masks[name] = rng.random((3, 4, 5)) < 0.4
        masks[name][0, 0, 0] = True
        layers.add(name, f"#{rng.integers(0, 2**24):06x}", masks[name])
    T = np.diag((1.3, -0.7, 2.1, 1.0))
    T[:3, 3] = place
    made = layers.segmentation(T, Path("made"))
    path = tmp_path_factory.mktemp("seg") / "x.seg.nrrd"
    write_seg_nrrd(made, path)
    found = read_seg_nrrd(path)
    assert found.segments == made.segments
    np.testing.assert_array_equal(found.volume.T_ct_from_ijk, T)
    for name, mask in masks.items():
        np.testing.assert_array_equal(found.mask_of(found.segment(name)), mask)


def test_a_case_is_looked_at(case: Path) -> None:
    found = FORMATS[0].inspect(case, Options())
    assert ("structure", "vessel (critical)") in found.facts
    assert found.doubts == ()
    edit(case, "danger_mm = 1.2", "danger_mm = 2.2")
    assert any("danger 2.2 mm above caution" in doubt for doubt in FORMATS[0].inspect(case, Options()).doubts)
