"""Centre lines and outlines from files: axes stated, or refused."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.exchange.markups import ControlPoint, Markup, write_markups
from navtwin.scene.author.from_files import read_centre_line, read_outlines
from navtwin.scene.author.numbers import joined, numbers_of
from navtwin.scene.author.recipe import Outline, Painted

SQUARE = ((0.0, 0.0, 2.0), (9.0, 0.0, 2.0), (9.0, 9.0, 2.0), (0.0, 9.0, 2.0))


def curve(kind: str, *points: tuple[float, float, float]) -> Markup:
    return Markup(kind, tuple(ControlPoint(str(n), p) for n, p in enumerate(points)))


@pytest.mark.parametrize("space", ["LPS", "RAS"])
def test_points_and_outlines_come_as_lps_whatever_the_file_has(tmp_path: Path, space: str) -> None:
    line, loops = tmp_path / "line.mrk.json", tmp_path / "loops.mrk.json"
    write_markups(line, [curve("Curve", *SQUARE)], space)  # type: ignore[arg-type]
    write_markups(loops, [curve("ClosedCurve", *SQUARE), curve("Fiducial", (0.0, 0.0, 0.0))], space)  # type: ignore[arg-type]
    assert read_centre_line(line) == SQUARE
    assert read_outlines(loops, None, 3.0) == Painted((Outline(SQUARE),), thickness_mm=3.0)


def test_outlines_of_our_own(tmp_path: Path) -> None:
    path = tmp_path / "loops.json"
    path.write_text(json.dumps({"space": "RAS", "outlines": [SQUARE], "normal": [1, 0, 0], "thickness_mm": 2}), encoding="utf-8")
    found = read_outlines(path, None, None)
    assert found.outline[0].points_mm[1] == (-9.0, 0.0, 2.0)
    assert (found.normal, found.thickness_mm) == ((-1.0, 0.0, 0.0), 2.0)
    with pytest.raises(InputRefused, match="State each once"):
        read_outlines(path, None, 3.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"outlines": [[[0, 0, 0], [1, 0, 0], [1, 1, 0]]]}',
        '{"space": "XYZ", "outlines": []}',
        '{"space": "LPS", "outlines": []}',
        '{"space": "LPS", "outlines": [[[0, 0], [1, 0], [1, 1]]]}',
        '{"space": "LPS", "outlines": [[[0, 0, 0], [1, 0, 0], [1, 1, 1e999]]]}',
        '{"space": "LPS", "outlines": [], "axes": "LPS"}',
        '{"markups": []}',
        "[" * 5000,
    ],
)
def test_damaged_outlines_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "loops.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused):
        read_outlines(path, None, None)


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 300), byte=st.integers(0, 255))
def test_a_byte_that_changed_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int) -> None:
    data = bytearray(json.dumps({"space": "LPS", "outlines": [SQUARE, SQUARE], "thickness_mm": 2.0}).encode())
    data[at % len(data)] = byte
    path = tmp_path_factory.getbasetemp() / "mutated.json"
    path.write_bytes(bytes(data))
    with contextlib.suppress(NavtwinError):
        read_outlines(path, None, None)


def test_several_lines_are_not_guessed_among(tmp_path: Path) -> None:
    path = tmp_path / "two.mrk.json"
    write_markups(path, [curve("Curve", *SQUARE), curve("Line", *SQUARE[:2])])
    with pytest.raises(InputRefused, match="holds 2 curves, lines and point lists"):
        read_centre_line(path)
    write_markups(path, [Markup("Curve", (ControlPoint("1", SQUARE[0]), ControlPoint("2", None, status="undefined")))])
    with pytest.raises(InputRefused, match="points that were not placed"):
        read_centre_line(path)


def test_numbers_behind_an_option_are_joined() -> None:
    assert list(joined(["c", "--point", "1", "-2.5", "3e1", "--point", "4,5,6", "--name", "x"])) == [
        "c", "--point", "1,-2.5,3e1", "--point", "4,5,6", "--name", "x",
    ]  # fmt: skip
    assert list(joined(["--point", "1", "2", "--name", "3"])) == ["--point", "1,2", "--name", "3"]
    assert numbers_of("--point", "1, -2.5,30") == (1.0, -2.5, 30.0)
