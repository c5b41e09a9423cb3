"""Surfaces from labels against shapes whose answers are known, and against the label's own voxels, face by face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.scene import Surface, Volume, extract_surface
from navtwin.scene.extract import extract

F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
RIGHT = np.array([[1.0, 0, 0, -20.0], [0, 1.0, 0, 5.0], [0, 0, 1.0, 100.0], [0, 0, 0, 1]])
LEFT_THICK = np.array([[0.7, 0, 0, -20.0], [0, -0.7, 0, 5.0], [0, 0, 2.5, 100.0], [0, 0, 0, 1]])
TURNED = np.array([[0.6, -0.8, 0, 3.0], [0.8, 0.6, 0, -7.0], [0, 0, 1.0, 0.0], [0, 0, 0, 1]]) @ np.diag((0.9, 1.2, 2.0, 1.0))


def volume_of(values_kji: npt.NDArray[np.generic], T: F64) -> Volume:
    i, j, k = np.linalg.norm(T[:3, :3], axis=0)
    return Volume(values_kji, T, (float(i), float(j), float(k)), Path("made-up.nii"))


def grid(nk: int, nj: int, ni: int) -> tuple[F64, F64, F64]:
    k, j, i = np.meshgrid(np.arange(nk) + 0.0, np.arange(nj) + 0.0, np.arange(ni) + 0.0, indexing="ij")
    return k, j, i


def shape(name: str) -> Mask:
    k, j, i = grid(30, 56, 56)
    if name == "sphere":
        return (i - 28) ** 2 + (j - 27.3) ** 2 + (k - 14.2) ** 2 < 12.0**2
    if name == "ellipsoid":
        return ((i - 28) / 24) ** 2 + ((j - 27) / 9) ** 2 + ((k - 14.5) / 6) ** 2 < 1.0
    if name == "torus":
        return (np.hypot(i - 28, j - 27) - 17.0) ** 2 + (k - 14.0) ** 2 < 6.5**2
    tilted = k - 14.0 - 0.21 * (i - 28) - 0.13 * (j - 27)
    return (np.abs(tilted) < 5.0) & (np.hypot(i - 28, j - 27) < 20.0)


def points_on(surface: Surface, count: int) -> F64:
    rng = np.random.default_rng(3)
    weights = rng.dirichlet((1.0, 1.0, 1.0), count)
    faces = surface.faces[rng.integers(len(surface.faces), size=count)]
    return np.asarray(np.einsum("nc,ncd->nd", weights, surface.vertices_mm[faces]))


def to_index(points_mm: F64, T: F64) -> F64:
    return np.asarray((points_mm - T[:3, 3]) @ np.linalg.inv(T[:3, :3]).T)


def distance_to_voxel_faces(points_ijk: F64, mask: Mask) -> F64:
    """Brute force: every square between a label voxel and a background voxel, against every point."""
    inside = np.pad(mask, 1)
    best = np.full(len(points_ijk), np.inf)
    for axis_kji in range(3):
        change = np.argwhere(np.diff(inside.astype(np.int8), axis=axis_kji) != 0)[:, ::-1] - 1.0
        axis = 2 - axis_kji
        half = np.where(np.arange(3) == axis, 0.0, 0.5)
        for squares in np.array_split(change + np.where(np.arange(3) == axis, 0.5, 0.0), max(1, len(change) // 500)):
            gap = np.maximum(np.abs(points_ijk[:, None] - squares[None]) - half, 0.0)
            best = np.minimum(best, np.linalg.norm(gap, axis=2).min(axis=1))
    return best


@pytest.mark.parametrize("T", [RIGHT, LEFT_THICK, TURNED], ids=["right-handed", "left-handed thick slices", "oblique"])
@pytest.mark.parametrize("name", ["sphere", "ellipsoid", "torus", "tilted plate"])
def test_smooth_and_true_to_the_label(name: str, T: F64) -> None:
    mask = shape(name)
    found = extract(volume_of(mask.astype(np.uint8) * 7, T), labels=7)
    surface = found.surface
    assert surface.is_watertight
    assert surface.normals_are_outward
    voxels_mm3 = mask.sum() * abs(np.linalg.det(T[:3, :3]))
    assert surface.volume_mm3 == pytest.approx(voxels_mm3, rel=0.01)
    strays = distance_to_voxel_faces(to_index(points_on(surface, 300), T), mask)
    assert strays.max() <= 0.5
    assert found.boundary_voxels is not None
    assert strays.max() <= found.boundary_voxels + 1e-6
    assert not found.capped


def test_stairs_between_thick_slices_are_gone() -> None:
    """A tilted plane comes out as that plane, not as the 2.5 mm stairs that the voxels are."""
    k, j, i = grid(24, 60, 60)
    surface = extract_surface(volume_of(k < 12.0 + 0.11 * (i - 30) + 0.07 * (j - 30), LEFT_THICK), labels=1)
    index = to_index(surface.vertices_mm, LEFT_THICK)
    middle = index[(np.abs(index[:, 0] - 30) < 18) & (np.abs(index[:, 1] - 30) < 18) & (index[:, 2] > 4)]
    off = middle[:, 2] - (12.0 + 0.11 * (middle[:, 0] - 30) + 0.07 * (middle[:, 1] - 30))
    assert np.std(off) < 0.07  # stairs alone have 0.29
    assert np.abs(off.mean()) < 0.1  # the rounded rim is paid for by the rest: the volume is the label's
    normals = _face_normals(surface, LEFT_THICK, index)
    slope = np.array((-0.11, -0.07, 1.0)) / np.linalg.norm((-0.11, -0.07, 1.0))
    assert np.quantile(normals @ slope, 0.05) > 0.97


def _face_normals(surface: Surface, T: F64, index: F64) -> F64:
    a, b, c = (index[surface.faces[:, n]] for n in range(3))
    normal = np.cross(b - a, c - a) * np.sign(np.linalg.det(T[:3, :3]))
    centre = (a + b + c) / 3.0
    on_plane = (np.abs(centre[:, 0] - 30) < 18) & (np.abs(centre[:, 1] - 30) < 18) & (centre[:, 2] > 4)
    return np.asarray(normal[on_plane] / np.linalg.norm(normal[on_plane], axis=1, keepdims=True))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.95))
def test_any_label_gives_a_sound_surface(seed: int, share: float) -> None:
    """Noise: single voxels, voxels that touch at an edge or corner, holes, cut on all sides."""
    mask = np.random.default_rng(seed).random((6, 7, 8)) < share
    if not mask.any():
        return
    found = extract(volume_of(mask, LEFT_THICK), labels=1)
    assert found.surface.is_watertight
    assert found.surface.normals_are_outward
    assert abs(found.volume_error) < 0.01
    assert found.boundary_voxels is not None
    assert found.boundary_voxels <= 0.5


def test_the_union_of_labels() -> None:
    k, j, i = grid(12, 20, 20)
    labels = np.where(np.hypot(i - 10, j - 10) < 7, np.where(k < 6, 3, 9), 0)
    labels[[0, -1]] = 0
    both = extract(volume_of(labels, RIGHT), labels=[3, 9])
    assert both.voxel_mm3 == (labels > 0).sum()
    assert len(both.surface.faces) < sum(len(extract_surface(volume_of(labels, RIGHT), labels=n).faces) for n in (3, 9))


def test_specks_go_without_breaking_the_promise() -> None:
    mask = shape("sphere").copy()
    mask[2, 3, 3] = mask[2, 50, 50] = True
    found = extract(volume_of(mask, RIGHT), labels=1)
    assert found.dropped_mm3 == 2.0
    assert found.surface.bounds_mm[0, 0] > RIGHT[0, 3] + 10
    assert abs(found.volume_error) < 0.01


def test_a_structure_cut_by_the_scan_is_capped_and_says_so() -> None:
    k, j, i = grid(10, 30, 30)
    cylinder = np.hypot(i - 15, j - 15) < 8
    for mask, capped in ((cylinder, True), (cylinder & (k > 0) & (k < 9), False), (cylinder & (k > 0), True)):
        found = extract(volume_of(mask, LEFT_THICK), labels=1)
        assert found.capped is capped
        assert found.surface.is_watertight
        assert abs(found.volume_error) < 0.01


def ball_hu(radius_mm: float, T: F64) -> tuple[Volume, F64]:
    """A ball whose HU fall by 40 per mm: the level of 100 HU lies exactly at `radius_mm`."""
    k, j, i = grid(26, 60, 60)
    centre = T[:3, :3] @ (30.0, 29.0, 13.0) + T[:3, 3]
    points = np.stack([i, j, k], axis=-1) @ T[:3, :3].T + T[:3, 3]
    hu = 100.0 + 40.0 * (radius_mm - np.linalg.norm(points - centre, axis=-1))
    return volume_of(np.rint(hu).astype(np.int16), T), centre


@pytest.mark.parametrize("T", [RIGHT, LEFT_THICK, TURNED], ids=["right-handed", "left-handed thick slices", "oblique"])
def test_a_threshold_lies_where_the_level_is(T: F64) -> None:
    volume, centre = ball_hu(11.0, T)
    surface = extract_surface(volume, threshold_hu=100)
    radii = np.linalg.norm(surface.vertices_mm - centre, axis=1)
    assert surface.is_watertight
    assert surface.normals_are_outward
    assert np.abs(radii - 11.0).max() < 0.12  # linear interpolation across 2.5 mm
    assert surface.volume_mm3 == pytest.approx(4 / 3 * np.pi * 11.0**3, rel=0.02)


@pytest.mark.parametrize("threshold", [100.0, 100.5, 260.0])
def test_a_threshold_cut_by_the_scan_is_closed(threshold: float) -> None:
    volume, _ = ball_hu(28.0, LEFT_THICK)
    found = extract(volume, threshold_hu=threshold)
    assert found.capped
    assert found.surface.is_watertight
    assert found.surface.normals_are_outward


def test_nothing_there() -> None:
    volume = volume_of(np.zeros((5, 5, 5), np.uint8), RIGHT)
    with pytest.raises(InputRefused, match=r"no voxel of made-up\.nii belongs to label 4"):
        extract_surface(volume, labels=4)
    with pytest.raises(InputRefused, match="threshold of 300 HU"):
        extract_surface(volume, threshold_hu=300)


def test_one_of_threshold_and_labels() -> None:
    volume = volume_of(np.ones((5, 5, 5), np.uint8), RIGHT)
    for given_both in ({}, {"labels": 1, "threshold_hu": 0.5}):
        with pytest.raises(InputRefused, match="either threshold_hu or labels"):
            extract_surface(volume, **given_both)  # type: ignore[arg-type]
