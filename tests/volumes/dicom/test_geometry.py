"""Where voxels lie, and what keeps slices from being a volume. The oracle is the standard's equation, pixel by pixel."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.read import open_ct, read_dicom
from navtwin.volumes.volume import Volume
from tests.volumes.dicom.made import AXIAL, CORNER_MM, SHAPE, SPACING_MM, STEP_MM, field_hu, moved, pixel_places, random_hu, series, write_slices

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
TILT = np.tan(np.radians(15.0)) * STEP_MM


def voxel_places(volume: Volume) -> np.ndarray:
    """(nk, nj, ni, 3) mm of all voxels by the volume's own affine."""
    nk, nj, ni = volume.hu.shape
    k, j, i = np.mgrid[:nk, :nj, :ni]
    places: np.ndarray = np.stack((i, j, k, np.ones_like(i)), axis=-1) @ volume.T_ct_from_ijk.T
    return places[..., :3]


@pytest.mark.parametrize("orientation", (AXIAL, CORONAL, SAGITTAL), ids=("axial", "coronal", "sagittal"))
def test_every_voxel_lies_where_the_standard_says(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    hu = random_hu(4)
    volume = read_dicom(write_slices(tmp_path, series(4, orientation, hu=hu)))
    normal = np.cross(orientation[:3], orientation[3:])
    expected = np.stack([pixel_places(CORNER_MM + k * STEP_MM * normal, orientation) for k in range(4)])
    np.testing.assert_allclose(voxel_places(volume), expected, atol=1e-9)
    np.testing.assert_array_equal(volume.hu, hu)
    np.testing.assert_allclose(volume.spacing_mm, (SPACING_MM[1], SPACING_MM[0], STEP_MM))
    assert np.linalg.det(volume.T_ct_from_ijk[:3, :3]) > 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 6.0), st.integers(2, 7))
def test_any_orientation_order_and_step(seed: int, step: float, count: int) -> None:
    """Files in any order, slices against the normal or along it: voxels keep value and place."""
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(rng=rng).as_matrix()
    orientation = tuple(float(f"{x:.9f}") for x in rotation[:, :2].T.ravel())
    hu = random_hu(count, seed % 1000)
    made = series(count, orientation, step=rotation[:, 2] * step * (-1) ** (seed % 2), hu=hu)
    random.Random(seed).shuffle(made)
    with TemporaryDirectory() as folder:
        volume = read_dicom(write_slices(Path(folder), made))
    places = {tuple(np.round(place, 4)): value for place, value in zip(voxel_places(volume).reshape(-1, 3), volume.hu.ravel(), strict=True)}
    for ds in made:
        position = np.array(ds.ImagePositionPatient, dtype=float)
        values = np.frombuffer(ds.PixelData, "<u2").astype(int) - 1024
        assert places[tuple(np.round(position, 4))] == values[0]
    assert volume.T_ct_from_ijk[:3, 2] @ np.cross(orientation[:3], orientation[3:]) > 0


def test_the_tags_that_lie_are_not_asked(tmp_path: Path) -> None:
    """Slices carry a thickness of 7 mm, a spacing of 13 mm and, here, a tilt of 30 degrees; they lie 2 mm apart, straight."""
    volume = read_dicom(write_slices(tmp_path, series(3, change=lambda k, ds: setattr(ds, "GantryDetectorTilt", 30))))
    assert volume.spacing_mm[2] == pytest.approx(STEP_MM)


def test_rounding_of_positions_is_no_fault_and_more_than_it_is(tmp_path: Path) -> None:
    """0.05 mm, or a twentieth of the step."""
    assert read_dicom(write_slices(tmp_path / "noise", moved(series(5), {2: (0.02, 0, 0.03)}))).hu.shape[0] == 5
    with pytest.raises(InputRefused, match=r"unevenly spaced \(1.93 to 2.07 mm\): 002 at \(-30, 20, 104.07\) mm \(off by 0.07 mm\).* --resample"):
        read_dicom(write_slices(tmp_path / "more", moved(series(5), {2: (0, 0, 0.07)})))


def test_a_tilted_gantry_is_refused_with_its_angle(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"tilted: each slice lies 0.5359 mm aside of the last, 15.00 degrees.*--resample"):
        read_dicom(write_slices(tmp_path, series(6, step=(0.0, TILT, STEP_MM))))


@pytest.mark.parametrize("step", ((0.0, TILT, STEP_MM), (-0.3, -TILT, STEP_MM), (0.5, 0.7, 1.5)), ids=("along j", "askew", "whole pixels"))
def test_a_tilted_stack_resamples_to_the_field_it_was_cut_from(tmp_path: Path, step: tuple[float, float, float]) -> None:
    ct = open_ct(write_slices(tmp_path, series(6, step=step)), mend=True)
    volume = ct.volume
    scanned = volume.hu != -1024
    # The stored values are rounded, and so is the result: half a unit each.
    assert np.abs(volume.hu - field_hu(voxel_places(volume)))[scanned].max() <= 1.0 + 1e-6
    assert scanned.mean() > 0.4
    assert any("tilted" in sentence for sentence in ct.said)
    assert any(f"{1 - scanned.mean():.1%} of it lies beyond" in sentence for sentence in ct.said)
    axes = volume.T_ct_from_ijk[:3, :3] / volume.spacing_mm
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


def test_nothing_beyond_the_slices_edges_is_made_up(tmp_path: Path) -> None:
    """A voxel is scanned only where the slices below and above both reach."""
    volume = open_ct(write_slices(tmp_path, series(4, step=(0.0, TILT, STEP_MM))), mend=True).volume
    for k, places in enumerate(voxel_places(volume)):
        low = CORNER_MM[1] + k * TILT
        inside = (places[..., 1] >= low - 1e-3) & (places[..., 1] <= low + (SHAPE[0] - 1) * SPACING_MM[0] + 1e-3)
        np.testing.assert_array_equal(volume.hu[k] != -1024, inside)


def test_uneven_slices_resample_to_the_field(tmp_path: Path) -> None:
    made = moved(series(7), {2: (0, 0, 0.4), 4: (0, 0, -0.3)})
    with pytest.raises(InputRefused, match="unevenly spaced"):
        read_dicom(write_slices(tmp_path, made))
    ct = open_ct(tmp_path, mend=True)
    assert np.abs(ct.volume.hu - field_hu(voxel_places(ct.volume))).max() <= 1.0 + 1e-6
    assert ct.volume.spacing_mm[2] <= 1.6
    assert voxel_places(ct.volume)[-1, 0, 0, 2] == pytest.approx(CORNER_MM[2] + 6 * STEP_MM)
    assert any("unevenly spaced" in sentence for sentence in ct.said)


def test_an_even_straight_stack_is_not_resampled(tmp_path: Path) -> None:
    hu = random_hu(4)
    ct = open_ct(write_slices(tmp_path, series(4, hu=hu)), mend=True)
    np.testing.assert_array_equal(ct.volume.hu, hu)
    assert ct.said == ()


@pytest.mark.parametrize("mend", (False, True))
@pytest.mark.parametrize("lost", ({3}, {3, 4, 5}, {2, 6}))
def test_a_hole_is_never_bridged(tmp_path: Path, mend: bool, lost: set[int]) -> None:
    made = series(10)
    folder = write_slices(tmp_path, made)
    for k in lost:
        (folder / f"{k:03d}").unlink()
    first = min(lost)
    with pytest.raises(InputRefused, match=rf"missing.*2 mm apart.*between {first - 1:03d} at \(.*\) mm and .*never made up"):
        read_dicom(folder, resample=mend)


@pytest.mark.parametrize("mend", (False, True))
def test_a_hole_in_a_tilted_stack_is_the_graver_fault(tmp_path: Path, mend: bool) -> None:
    folder = write_slices(tmp_path, series(8, step=(0.0, TILT, STEP_MM)))
    (folder / "004").unlink()
    with pytest.raises(InputRefused, match="missing"):
        read_dicom(folder, resample=mend)


def test_copies_are_named_and_left_out_only_when_asked(tmp_path: Path) -> None:
    hu = random_hu(5)
    made = series(5, hu=hu)
    folder = write_slices(tmp_path, [*made, made[2]])
    with pytest.raises(InputRefused, match=r"1 slices lie where another one lies: 00[25] and 00[25] at .*pictures are the same.*--resample"):
        read_dicom(folder)
    ct = open_ct(folder, mend=True)
    np.testing.assert_array_equal(ct.volume.hu, hu)
    assert "copies" in ct.said[0]
    assert "005" in ct.said[0] or "002" in ct.said[0]


@pytest.mark.parametrize("mend", (False, True))
def test_two_pictures_of_one_place_are_refused(tmp_path: Path, mend: bool) -> None:
    made, others = series(4, hu=random_hu(4)), series(4, hu=random_hu(4, seed=9))
    with pytest.raises(InputRefused, match=r"pictures differ: 00[15] and 00[15].*several phases"):
        read_dicom(write_slices(tmp_path, [*made, made[0], others[1]]), resample=mend)


def _wider(k: int, ds: pydicom.Dataset) -> None:
    if k == 2:
        ds.Columns, ds.PixelData = 6, ds.PixelData[:120]


def _coarser(k: int, ds: pydicom.Dataset) -> None:
    if k in (1, 3):
        ds.PixelSpacing = [0.8, 0.5]


def _turned(k: int, ds: pydicom.Dataset) -> None:
    if k == 4:
        ds.ImageOrientationPatient = list(CORONAL)


def _half_turned(k: int, ds: pydicom.Dataset) -> None:
    if k < 3:
        ds.ImageOrientationPatient = list(CORONAL)


def _lost(name: str) -> object:
    return lambda k, ds: delattr(ds, name) if k == 1 else None


def _broken(k: int, ds: pydicom.Dataset) -> None:
    if k == 0:
        ds.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("mend", (False, True))
@pytest.mark.parametrize(
    ("change", "words"),
    (
        (_wider, r"several sizes: 5 have 12 x 10 pixels, but not 002 \(6 x 10 pixels\)"),
        (_coarser, r"several pixel spacings: most have 0.7 x 0.5 mm, but not 001 \(0.8 x 0.5 mm\), 003"),
        (_turned, r"several orientations: most have \(1, 0, 0, 0, 1, 0\), but not 004 \(1, 0, 0, 0, 0, -1\)"),
        (_half_turned, "several orientations"),
        (_lost("ImagePositionPatient"), r"no position \(ImagePositionPatient\) in 001"),
        (_lost("ImageOrientationPatient"), r"no orientation \(ImageOrientationPatient\) in 001"),
        (_lost("PixelSpacing"), r"no pixel spacing \(PixelSpacing\) in 001"),
        (_broken, "not square unit directions in 000"),
        (lambda k, ds: setattr(ds, "PixelSpacing", [0, 0.5]), "claims pixels of 0 x 0.5 mm"),
        (lambda k, ds: setattr(ds, "ImagePositionPatient", [0, 0, 0]), "5 slices lie where another one lies"),
        (lambda k, ds: setattr(ds, "ImagePositionPatient", [0, 0, k * 1e8]), "more than a kilometre"),
    ),
)
def test_what_is_no_volume_is_refused_by_name(tmp_path: Path, change: object, words: str, mend: bool) -> None:
    with pytest.raises(InputRefused, match=words):
        read_dicom(write_slices(tmp_path, series(6, change=change)), resample=mend)  # type: ignore[arg-type]


def test_numbers_that_are_none_are_refused_with_the_file(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(3))
    whole = (folder / "001").read_bytes()
    for word in (b"nan", b"inf", b"abc"):
        (folder / "001").write_bytes(whole.replace(b"-30.0\\", word + b"  \\"))
        with pytest.raises(InputRefused, match=rf"position of 001 is '{word.decode()}"):
            read_dicom(folder)


def test_slices_of_different_origins_are_no_volume(tmp_path: Path) -> None:
    """Positions of two frames of reference cannot be compared."""
    with pytest.raises(InputRefused, match="000 and 003 count positions from different origins"):
        read_dicom(write_slices(tmp_path, series(4, change=lambda k, ds: setattr(ds, "FrameOfReferenceUID", "1.9" if k == 3 else "1.8"))))
