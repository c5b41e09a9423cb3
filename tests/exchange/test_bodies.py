"""Tool geometry: NDI's and Atracsys's spheres, scikit-surgery's printed markers."""

from __future__ import annotations

import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.exchange.atracsys import read_geometry
from navtwin.exchange.dictionaries import KNOWN
from navtwin.exchange.rom import SIZE, checksum, read_rom, rom_of, write_rom
from navtwin.exchange.surgery_text import looks_like_body, looks_like_camera, read_markers
from navtwin.files.formats import Options
from navtwin.nouns import read_rig
from tests.exchange.samples import SHARED, a_rig, bring, damaged, edits, export, format_of, never_anything_else, points
from tracking.detect.patterns import dictionary_of

ARUCO = SHARED / "aruco"
needs_data = pytest.mark.skipif(not ARUCO.is_dir(), reason="the data pack with the ArUco definitions is not here")
#: NDI's passive pointer 8700340, as published.
POINTER = ((0.0, 0.0, 0.0), (0.0, 0.0, 50.0), (0.0, 25.0, 100.0), (0.0, -25.0, 135.0))


@given(st.lists(points, min_size=3, max_size=20), st.binary(min_size=12, max_size=12))
@settings(max_examples=30, deadline=None)
def test_tool_definitions_keep_every_byte(spheres: list[tuple[float, float, float]], unknown: bytes) -> None:
    with TemporaryDirectory() as folder:
        first, second = Path(folder) / "a.rom", Path(folder) / "b.rom"
        raw = bytearray(rom_of("tool", spheres).raw)
        # What nobody knows the meaning of: revision, date.
        raw[16:28:1] = unknown[:8] + raw[24:28]
        raw[4:6] = struct.pack("<H", checksum(bytes(raw)))
        first.write_bytes(bytes(raw))
        read = read_rom(first)
        write_rom(second, read)
        assert second.read_bytes() == first.read_bytes() == read.raw
        assert [struct.unpack("<3f", struct.pack("<3f", *p)) for p in spheres] == list(read.markers_mm)


def by_hand(markers: tuple[tuple[float, float, float], ...]) -> bytes:
    """A definition laid out from the notes on the format, not by our writer."""
    raw = bytearray(752)
    raw[:3], raw[8], raw[12], raw[15], raw[24], raw[28], raw[32] = b"NDI", 1, 1, 2, 90, len(markers), 3
    raw[36:40] = struct.pack("<f", 2.0)
    for n, marker in enumerate(markers):
        raw[72 + 12 * n : 84 + 12 * n] = struct.pack("<3f", *marker)
        raw[312 + 12 * n : 324 + 12 * n] = struct.pack("<3f", 1.0, 0.0, 0.0)
    raw[580:583], raw[592:599], raw[655] = b"NDI", b"8700340", 41
    raw[4:6] = struct.pack("<H", sum(raw[6:]) & 0xFFFF)
    return bytes(raw)


def test_a_tool_definition_says_what_the_notes_say(tmp_path: Path) -> None:
    path = tmp_path / "x.rom"
    path.write_bytes(by_hand(POINTER))
    rom = read_rom(path)
    assert rom.markers_mm == POINTER
    assert rom.normals == ((1.0, 0.0, 0.0),) * 4
    assert (rom.part_number, rom.maker, rom.main_type, rom.marker_type, rom.min_markers, rom.max_error_mm) == ("8700340", "NDI", 2, 41, 3, 2.0)
    facts = dict(format_of(path).inspect(path, Options()).facts)
    assert (facts["tool"], facts["part number"], facts["kind of marker"], facts["checksum"]) == ("pointer", "8700340", "passive sphere", "fits")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (by_hand(POINTER)[:-1], "751 bytes"),
        (by_hand(POINTER) + b"x", "more than"),
        (b"NDJ" + by_hand(POINTER)[3:], "no NDI tool"),
        (by_hand(POINTER)[:100] + b"\x01" + by_hand(POINTER)[101:], "checksum"),
        (by_hand(POINTER[:2]), "2 markers"),
        (by_hand(((float("nan"), 0.0, 0.0), *POINTER)), "NaN"),
    ],
)
def test_damaged_tool_definitions_are_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "x.rom"
    path.write_bytes(data)
    with pytest.raises(InputRefused, match=words):
        read_rom(path)


def test_spheres_go_out_and_come_back(tmp_path: Path) -> None:
    rig, path = a_rig(tmp_path), tmp_path / "drill.rom"
    assert "No NDI tracker has been tried" in export(rig, path, name="drill")
    assert "guessed: measure it" in bring(path, rig, name="copy")
    bodies = {body.name: body for body in read_rig(rig).body}
    assert bodies["copy"].markers_mm == bodies["drill"].markers_mm
    assert bodies["copy"].marker == ()
    with pytest.raises(InputRefused, match="Did you mean 'drill'"):
        export(rig, path, name="dril")
    with pytest.raises(InputRefused, match="--name"):
        export(rig, path)


INI = """; a pointer
[geometry]
version=1
id=020
count=3
divotCount=0
[fiducial0]
x=-15
y=-124
z=2.7
fiducialType=0x01010000u
[fiducial1]
x=15
y=-134
z=2.7
[fiducial2]
x=25
y=-2.44e2
z=2.7
[tip]
tipRadius=0.5
"""


def test_a_geometry_becomes_a_body(tmp_path: Path) -> None:
    rig, path = a_rig(tmp_path), tmp_path / "geometry020.ini"
    path.write_text(INI, encoding="utf-8")
    assert read_geometry(path).fiducials_mm == ((-15.0, -124.0, 2.7), (15.0, -134.0, 2.7), (25.0, -244.0, 2.7))
    assert dict(format_of(path).inspect(path, Options()).facts)["id"] == "020"
    bring(path, rig)
    assert read_rig(rig).body[-1].name == "geometry020"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("count=3", "count=4"),
        ("count=3", ""),
        ("x=15", "x=%(y)s"),
        ("[fiducial1]", "[fiducial0]"),
        ("x=25", ""),
        ("[geometry]", "[g]"),
        ("x=15", "x=1e400"),
    ],
)
def test_geometries_that_contradict_are_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "g.ini"
    path.write_text(INI.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputRefused):
        read_geometry(path)


SQUARE = "7\t5 5 0\t0 0 0\t10 0 0\t10 10 0\t0 10 0\n"
CORNERS_ONLY = "9 20 0 0 30 0 0 30 10 0 20 10 0\n"


def test_a_body_of_scikit_surgery_is_asked_for_its_dictionary(tmp_path: Path) -> None:
    rig, path = a_rig(tmp_path), tmp_path / "board.txt"
    path.write_text(SQUARE + "\n" + CORNERS_ONLY, encoding="utf-8")
    with pytest.raises(InputRefused, match="--name board:DICTIONARY"):
        bring(path, rig)
    bring(path, rig, name="board:DICT_6x6_250")
    body = read_rig(rig).body[-1]
    assert (body.name, body.dictionary, [m.id for m in body.marker]) == ("board", "6X6_250", [7, 9])
    assert body.marker[1].corners_mm == ((20.0, 0.0, 0.0), (30.0, 0.0, 0.0), (30.0, 10.0, 0.0), (20.0, 10.0, 0.0))
    assert "has new markers" in bring(path, rig, name="board")
    with pytest.raises(InputRefused, match=r"would not be a rig: .*on 'board' and on 'other'"):
        bring(path, rig, name="other:6X6_250")


def test_tips_in_axes_that_may_have_changed_are_named(tmp_path: Path) -> None:
    rig, path = a_rig(tmp_path), tmp_path / "board.txt"
    path.write_text(SQUARE, encoding="utf-8")
    rig.write_text(
        rig.read_text(encoding="utf-8").replace("axis_sd_rad = 0.002", "axis_sd_rad = 0.002\ntip_mm = [7.0, -120.0, 3.0]"), encoding="utf-8"
    )
    said = bring(path, rig, name="drill:6X6_250")
    assert "calibrate the tips on it anew: drill." in said


@pytest.mark.parametrize(
    "text", ["", "7 1 2 3\n", SQUARE + SQUARE, SQUARE.replace("10 10 0", "10 14 0"), SQUARE.replace("7\t", "7.5\t"), SQUARE.replace("5 5 0", "9 9 0")]
)
def test_rows_that_are_no_squares_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused):
        read_markers(path)
    assert not looks_like_body(text.encode()) or text == SQUARE + SQUARE


def test_every_dictionary_is_one_that_the_detector_has() -> None:
    assert [dictionary_of(name).name.upper() for name in KNOWN] == [name.upper() for name in KNOWN]


@needs_data
@pytest.mark.parametrize(("name", "count", "side"), [("pointer", 6, 14.5), ("reference", 12, 14.5), ("tag_0", 1, 33.0)])
def test_published_bodies(name: str, count: int, side: float) -> None:
    path = ARUCO / f"{name}.txt"
    markers = read_markers(path)
    assert len(markers) == count
    assert format_of(path).name == "scikit-surgery ArUco body"
    table = {int(row[0]): row[4:].reshape(4, 3) for row in np.loadtxt(path, ndmin=2)}
    for marker in markers:
        np.testing.assert_array_equal(marker.corners_mm, table[marker.id])
        assert np.linalg.norm(np.subtract(marker.corners_mm[0], marker.corners_mm[1])) == side


@needs_data
def test_published_files_that_only_look_alike_are_left_alone() -> None:
    for name in ("bad_calibration", "pointer_tip", "reference_to_model"):
        head = (ARUCO / f"{name}.txt").read_bytes()
        assert not looks_like_body(head)
        assert not looks_like_camera(head)


@settings(max_examples=40, deadline=None)
@given(edits)
def test_damaged_geometry_is_refused_in_our_words(changes: list[tuple[int, int, str]]) -> None:
    with TemporaryDirectory() as folder:
        here = Path(folder)
        never_anything_else(read_geometry, here / "g", damaged(INI.encode(), changes))
        never_anything_else(read_markers, here / "m", damaged((SQUARE + CORNERS_ONLY).encode(), changes))
        spoiled = bytearray(damaged(by_hand(POINTER), changes)[:SIZE])
        if len(spoiled) == SIZE:
            spoiled[4:6] = struct.pack("<H", checksum(bytes(spoiled)))
        never_anything_else(read_rom, here / "r", bytes(spoiled))
