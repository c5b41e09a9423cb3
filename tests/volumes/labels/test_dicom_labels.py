"""DICOM segmentations and structure sets: each structure on the voxels that it was drawn on, whole, or refused by name."""

from __future__ import annotations

import zlib
from pathlib import Path

import matplotlib.path
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.volumes.labels import dicom_file
from navtwin.volumes.labels.dicom_seg import read_dicom_seg
from navtwin.volumes.labels.polygons import Unfillable, fill
from navtwin.volumes.labels.read import read_segmentation
from navtwin.volumes.labels.scan import Scan, uid_hash
from navtwin.volumes.labels.segments import Segmentation
from navtwin.volumes.labels.structure_set import read_structure_set
from tests.volumes.labels.made import FRAME, T_ct_from_ijk, masks, scan, structure_set, to_mm, write_dicom_seg, write_structure_set

SCAN = Scan(uid_hash(FRAME))


def mask_of(found: Segmentation, name: str) -> np.ndarray:
    one = found.segment(name)
    return np.isin(found.layers[one.layer].hu, one.labels)


def on_scan(found: Segmentation, name: str) -> np.ndarray:
    """The voxels of a structure by where they are in space, on the scan's own grid: a file may count its slices the other way round."""
    T_scan_from_ijk = np.linalg.inv(T_ct_from_ijk()) @ found.volume.T_ct_from_ijk
    ijk = np.argwhere(mask_of(found, name))[:, ::-1] @ T_scan_from_ijk[:3, :3].T + T_scan_from_ijk[:3, 3]
    np.testing.assert_allclose(ijk, np.rint(ijk), atol=1e-6)
    mask = np.zeros_like(masks()[name])
    mask[tuple(np.rint(ijk).astype(int).T[::-1])] = True
    return mask


def test_overlapping_segments_stay_whole(tmp_path: Path) -> None:
    found = read_dicom_seg(write_dicom_seg(tmp_path / "seg.dcm"), scan=SCAN)
    assert [one.name for one in found.segments] == ["bone", "cord", "vessel"]
    assert len(found.layers) == 2
    for name, mask in masks().items():
        np.testing.assert_array_equal(on_scan(found, name), mask)
    assert found.remarks == ()
    assert found.counts() == tuple(int(mask.sum()) for mask in masks().values())


def test_colors_are_near_what_the_file_recommends(tmp_path: Path) -> None:
    found = read_dicom_seg(write_dicom_seg(tmp_path / "seg.dcm"), scan=SCAN)
    red, green, blue = (int(found.segment("vessel").color[n : n + 2], 16) for n in (1, 3, 5))
    assert red > green
    assert red > blue


def test_fractions_of_a_half_and_more_count_and_it_says_so(tmp_path: Path) -> None:
    shape = (*masks()["bone"].shape, 3)
    share = np.zeros(shape, dtype=np.float32)
    share[4, 5:15, 5:15] = 0.4
    share[4, 8:12, 8:12] = 0.6
    found = read_dicom_seg(write_dicom_seg(tmp_path / "seg.dcm", "FRACTIONAL", share), scan=SCAN)
    assert found.counts() == (16, 16, 16)
    assert "holds fractions: voxels of 0.5 and more" in found.remarks[0]


def test_frames_packed_with_rle_and_packed_otherwise(tmp_path: Path) -> None:
    share = np.repeat(masks()["bone"][..., None], 3, axis=-1).astype(np.float32)
    packed = write_dicom_seg(tmp_path / "seg.dcm", "FRACTIONAL", share, transfer_syntax_uid="1.2.840.10008.1.2.5")
    np.testing.assert_array_equal(on_scan(read_dicom_seg(packed), "cord"), masks()["bone"])
    other = pydicom.dcmread(packed)
    other.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
    other.save_as(tmp_path / "j2k.dcm", enforce_file_format=True)
    with pytest.raises(InputRefused, match="are packed as JPEG 2000"):
        read_dicom_seg(tmp_path / "j2k.dcm")


def test_a_file_without_preamble_and_one_that_swells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_structure_set(tmp_path / "rt.dcm", {"bone": [to_mm(SQUARE, 3)]})
    whole = pydicom.dcmread(path)
    whole.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    whole.save_as(tmp_path / "deflated.dcm", enforce_file_format=True)
    assert mask_of(read_structure_set(tmp_path / "deflated.dcm", scan()), "bone").sum() == 36
    bare = tmp_path / "bare.dcm"
    whole = pydicom.dcmread(path)
    pydicom.dcmwrite(bare, pydicom.Dataset(whole), implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert bare.read_bytes()[128:132] != b"DICM"
    assert mask_of(read_segmentation(bare, ct=scan()), "bone").sum() == 36
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = (tmp_path / "deflated.dcm").read_bytes()
    start = 144 + int.from_bytes(head[140:144], "little")
    megabyte = bytes(1024**2)
    monkeypatch.setattr(dicom_file, "_MOST_BYTES", 20 * 1024**2)
    (tmp_path / "bomb.dcm").write_bytes(head[:start] + b"".join(deflate.compress(megabyte) for _ in range(21)) + deflate.flush())
    with pytest.raises(InputRefused, match="bomb.dcm holds more than 20971520 bytes".replace(".", r"\.")):
        read_structure_set(tmp_path / "bomb.dcm", scan())


def test_another_frame_of_reference(tmp_path: Path) -> None:
    path = write_dicom_seg(tmp_path / "seg.dcm")
    with pytest.raises(InputRefused, match=r"another frame of reference \(1\.2\.3\.4\) than the CT"):
        read_dicom_seg(path, scan=Scan(uid_hash("9.9")))
    assert "could not be told" in read_dicom_seg(path).remarks[0]


def test_a_cut_segmentation(tmp_path: Path) -> None:
    path = write_dicom_seg(tmp_path / "seg.dcm")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputRefused, match=r"seg\.dcm"):
        read_dicom_seg(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0.0, 1.0), value=st.integers(0, 255), cut=st.booleans())
def test_a_changed_byte_never_breaks_out(tmp_path: Path, place: float, value: int, cut: bool) -> None:
    seg, rt = tmp_path / "whole.dcm", tmp_path / "rt.dcm"
    if not seg.exists():
        write_dicom_seg(seg)
        write_structure_set(rt, {"bone": [to_mm([(2, 2), (9, 2), (9, 9)], 3)]})
    for path in (seg, rt):
        data = bytearray(path.read_bytes())
        at = int(place * (len(data) - 1))
        data[at] = value
        (tmp_path / "odd.dcm").write_bytes(data[:at] if cut else data)
        try:
            found = read_dicom_seg(tmp_path / "odd.dcm") if path == seg else read_structure_set(tmp_path / "odd.dcm", scan())
        except NavtwinError:
            continue
        assert found.volume.hu.ndim == 3


def test_contours_fill_the_voxels_whose_centres_they_hold(tmp_path: Path) -> None:
    outer, hole = [(2.2, 3.3), (15.4, 2.1), (12.7, 16.2), (4.6, 13.8)], [(6.1, 6.2), (9.3, 6.4), (8.2, 10.6)]
    drawn = {"ring": [to_mm(outer, k) for k in (3, 4, 5)] + [to_mm(hole, 4)], "plug": [to_mm(hole, 4)]}
    found = read_structure_set(write_structure_set(tmp_path / "rt.dcm", drawn), scan(), scan=SCAN)
    ring, plug = mask_of(found, "ring"), mask_of(found, "plug")
    j, i = np.mgrid[0:20, 0:24]
    centres = np.column_stack([i.ravel(), j.ravel()])
    expected = [matplotlib.path.Path(corners).contains_points(centres).reshape(20, 24) for corners in (outer, hole)]
    np.testing.assert_array_equal(ring[3], expected[0])
    np.testing.assert_array_equal(plug[4], expected[1])
    np.testing.assert_array_equal(ring[4], expected[0] & ~expected[1])
    assert np.flatnonzero(ring.any(axis=(1, 2))).tolist() == [3, 4, 5]
    assert [one.color for one in found.segments] == ["#0ac81e", "#14c81e"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-4, 30), st.floats(-4, 26)), min_size=3, max_size=12))
def test_filling_agrees_with_a_count_of_crossings(corners: list[tuple[float, float]]) -> None:
    """The textbook rule, voxel by voxel: a ray to the left crosses the contour an odd number of times."""
    filled = fill([np.array(corners)], (24, 20))
    for j in range(20):
        for i in range(24):
            odd = False
            for (x, y), (x_to, y_to) in zip(corners, [*corners[1:], corners[0]], strict=True):
                if (y <= j) != (y_to <= j) and x + (j - y) / (y_to - y) * (x_to - x) <= i:
                    odd = not odd
            assert filled[j, i] == odd


def test_contours_without_end() -> None:
    to_and_fro = np.array([(3.0, -1e5), (4.0, 1e5)] * 5000)
    with pytest.raises(Unfillable, match="without end"):
        fill([to_and_fro], (24, 20))


SQUARE = [(3, 3), (9, 3), (9, 9), (3, 9)]


def test_contours_on_every_third_slice_are_no_pile_of_plates(tmp_path: Path) -> None:
    drawn = {"organ": [to_mm(SQUARE, k) for k in (1, 4, 7)]}
    found = read_structure_set(write_structure_set(tmp_path / "rt.dcm", drawn), scan(), scan=SCAN)
    assert mask_of(found, "organ").any(axis=(1, 2)).tolist() == [True] * 9 + [False]
    assert "'organ' was drawn on every 3th slice" in found.remarks[0]


@pytest.mark.parametrize(
    ("contours", "words"),
    [
        ([to_mm(SQUARE, 3.4)], r"contour 1 lies 0\.40 slices \(0\.80 mm\) off the nearest slice"),
        ([to_mm(SQUARE, 3), to_mm(SQUARE, 14)], "contour 2 lies 5 slices beyond the CT"),
        ([to_mm(SQUARE, 3) + np.array([(0.0, 0.0, z) for z in (0, 0, 1, 1)])], "contour 1 is tilted"),
        ([to_mm(SQUARE[:2], 3)], "claims 2 corners"),
        ([to_mm([(3.1, 3.1), (3.4, 3.1), (3.4, 3.4)], 3)], "hold no voxel's centre"),
        ([], "no contours"),
    ],
)
def test_a_contour_that_cannot_be_placed_is_refused_when_it_is_asked_for(tmp_path: Path, contours: list[np.ndarray], words: str) -> None:
    path = write_structure_set(tmp_path / "rt.dcm", {"good": [to_mm(SQUARE, 3)], "bad": contours})
    found = read_structure_set(path, scan(), scan=SCAN)
    assert mask_of(found, "good").sum() == 36
    with pytest.raises(InputRefused, match=f"structure 'bad' of .*rt.dcm cannot be used: .*{words}"):
        found.segment("bad")


def test_points_and_open_lines(tmp_path: Path) -> None:
    path = write_structure_set(tmp_path / "rt.dcm", {"isocentre": [to_mm(SQUARE, 3)]}, kind="POINT")
    with pytest.raises(InputRefused, match="is POINT, not CLOSED_PLANAR"):
        read_structure_set(path, scan(), scan=SCAN).segment("isocentre")


def test_a_structure_set_of_another_patient(tmp_path: Path) -> None:
    path = write_structure_set(tmp_path / "rt.dcm", {"bone": [to_mm(SQUARE, 3)]}, frame="7.7")
    with pytest.raises(InputRefused, match=r"another frame of reference \(7\.7\)"):
        read_structure_set(path, scan(), scan=SCAN)
    assert "could not be told" in read_structure_set(path, scan()).remarks[0]


def test_two_structures_of_one_name(tmp_path: Path) -> None:
    made = structure_set({"bone": [to_mm(SQUARE, 3)], "other": [to_mm(SQUARE, 5)]})
    made.StructureSetROISequence[1].ROIName = "bone"
    made.save_as(tmp_path / "rt.dcm", enforce_file_format=True)
    with pytest.raises(InputRefused, match=r"2 structures of .* are called 'bone'.*bone=1\+2:role for all"):
        read_structure_set(tmp_path / "rt.dcm", scan(), scan=SCAN).segment("bone")


def test_a_ct_slice_is_neither(tmp_path: Path) -> None:
    from tests.volumes.labels.made import ct_slices

    ct_slices()[0].save_as(tmp_path / "ct.dcm", enforce_file_format=True)
    with pytest.raises(InputRefused, match="is not a DICOM segmentation"):
        read_dicom_seg(tmp_path / "ct.dcm")
    with pytest.raises(InputRefused, match="is not a structure set"):
        read_structure_set(tmp_path / "ct.dcm", scan())
