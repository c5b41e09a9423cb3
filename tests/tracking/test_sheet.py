"""The sheet: exact on the paper, readable by a camera, and matched by its rig."""

from __future__ import annotations

import json
import re
import tomllib
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.nouns import read_rig
from tracking import detect_markers
from tracking.commands.markers import markers_app
from tracking.detect.patterns import cells
from tracking.kit.board import DICTIONARY, board, calibration_board
from tracking.kit.page import Ink, Stroke, Words, pattern_loops
from tracking.kit.pdf import figure_of
from tracking.kit.sheet import PARTS, Sheet, make_sheet, write_sheet
from tracking.opencv import cv2
from tracking.rig import marker_body

DPI, MM_PER_PT = 300, 25.4 / 72.0
PAPERS = ("A4", "Letter")


@cache
def made(paper: str) -> Sheet:
    return make_sheet(paper)


def _drawn(page: object, dpi: int = DPI) -> np.ndarray:
    figure = figure_of(page)  # type: ignore[arg-type]
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 0])


@pytest.mark.parametrize("number", range(6))
def test_a_page_at_300_dpi_is_read_where_it_was_planned(number: int) -> None:
    """By a detector that knows nothing of the plan: all markers, none besides, corners within 0.02 mm."""
    page = made("A4").pages[number]
    grey = cv2.GaussianBlur(_drawn(page), (0, 0), 1.0)
    dictionary = page.markers[0].dictionary
    found = detect_markers(grey, dictionary)
    planned = {marker.id: marker.corners_mm for marker in page.markers}
    assert sorted(found.ids.tolist()) == sorted(planned)
    to_mm = 25.4 / DPI
    seen = np.stack([(found.corners_px[..., 0] + 0.5) * to_mm, (grey.shape[0] - 0.5 - found.corners_px[..., 1]) * to_mm], axis=-1)
    np.testing.assert_allclose(seen, [planned[number] for number in found.ids.tolist()], atol=0.02)


def _paths(pdf: bytes) -> list[list[tuple[list[np.ndarray], str]]]:
    """Of each page, its painted paths: subpaths in mm, and the painting operator."""
    pages = []
    for body in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            text = zlib.decompressobj().decompress(body).decode("latin-1")
        except zlib.error:
            continue
        if not re.search(r"^[\d.\-]+ [\d.\-]+ m$", text, re.MULTILINE):
            continue
        painted, current = [], list[list[tuple[float, float]]]()
        for line in text.splitlines():
            words = line.split()
            if words and words[-1] in ("m", "l") and len(words) == 3:
                if words[-1] == "m":
                    current.append([])
                current[-1].append((float(words[0]), float(words[1])))
            elif words and words[-1] in ("f", "S", "s", "n", "B", "b", "f*"):
                painted.append(([np.array(path) * MM_PER_PT for path in current], words[-1]))
                current = []
        pages.append(painted)
    return pages


@pytest.mark.parametrize("paper", PAPERS)
def test_the_pdf_has_the_exact_size_and_no_picture_in_it(paper: str, tmp_path: Path) -> None:
    sheet = make_sheet(paper, parts=["board", "pointer"])
    write_sheet(sheet, tmp_path / "sheet.pdf", None)
    pdf = (tmp_path / "sheet.pdf").read_bytes()
    assert b"/Subtype /Image" not in pdf
    boxes = re.findall(rb"/MediaBox \[ ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) \]", pdf)
    width, height = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}[paper]
    assert len(boxes) == len(sheet.pages)
    np.testing.assert_allclose(np.array(boxes, dtype=float) * MM_PER_PT, [(0.0, 0.0, width, height)] * len(boxes), atol=1e-4)
    pages = [page for page in _paths(pdf) if any(paint == "f" for _, paint in page)]
    assert len(pages) == len(sheet.pages)
    for page, painted in zip(sheet.pages, pages, strict=True):
        lines = [path for paths, paint in painted if paint in "Ss" for path in paths]
        squares = [path for path in lines if len(path) >= 4 and np.allclose(np.ptp(path, axis=0), 100.0, atol=1e-3)]
        assert len(squares) == 1
        np.testing.assert_allclose(squares[0].min(axis=0), page.check, atol=1e-3)
        filled = np.concatenate([path for paths, paint in painted if paint == "f" for path in paths])
        for marker in page.markers:
            off = np.linalg.norm(filled[:, None] - marker.corners_mm, axis=2).min(axis=0)
            assert off.max() < 1e-3


@pytest.mark.parametrize("paper", PAPERS)
def test_nothing_leaves_what_a_printer_can_print(paper: str) -> None:
    for page in made(paper).pages:
        for item in page.items:
            points = np.concatenate(item.loops) if isinstance(item, Ink) else item.points if isinstance(item, Stroke) else np.array([item.at])
            assert points.min() >= 7.0
            assert (points <= np.array([page.width_mm, page.height_mm]) - 7.0).all()


@pytest.mark.parametrize("paper", PAPERS)
def test_text_stays_on_the_page_and_in_its_column(paper: str) -> None:
    for page in made(paper).pages:
        figure = figure_of(page)
        renderer = FigureCanvasAgg(figure).get_renderer()
        words = [item for item in page.items if isinstance(item, Words)]
        boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
        mm = 25.4 / figure.dpi
        for item, box in zip(words, boxes, strict=True):
            assert box.x0 * mm >= 5.0
            assert box.x1 * mm <= page.width_mm - 5.0, item.text
        title, footer = boxes[0], boxes[1]
        assert title.x1 < footer.x0, words[0].text


def test_rulers_run_in_millimetres_from_one_zero() -> None:
    page = made("A4").pages[0]
    ticks = [item.points for item in page.items if isinstance(item, Stroke) and item.style == "thin"]
    across = sorted(points[0, 0] for points in ticks if points[0, 0] == points[1, 0])
    upwards = sorted(points[0, 1] for points in ticks if points[0, 1] == points[1, 1])
    for places in (across, upwards):
        assert len(places) > 180
        np.testing.assert_allclose(np.diff(places), 1.0)
        assert places[0] == across[0]


@pytest.mark.parametrize("number", range(12))
def test_merged_cells_are_the_pattern(number: int) -> None:
    """Winding numbers of the loops at the middle of each cell, and as few loops as connected areas and holes allow."""
    black = cells("APRILTAG_36h11", number)
    n = len(black)
    loops = pattern_loops(black, np.array([(0.0, n), (n, n), (n, 0.0), (0.0, 0.0)], dtype=float))
    middles = np.array([(column + 0.5, n - row - 0.5) for row in range(n) for column in range(n)])
    winding = np.zeros(n * n)
    for loop in loops:
        a = loop - middles[:, None]
        b = np.roll(a, -1, axis=1)
        winding += np.arctan2(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], (a * b).sum(axis=2)).sum(axis=1) / (2.0 * np.pi)
    np.testing.assert_allclose(winding.reshape(n, n), black, atol=1e-9)
    assert sum(len(loop) for loop in loops) < 4 * black.sum()


def test_the_board_is_opencvs() -> None:
    """Same chessboard corners and the same markers, about the board's centre."""
    theirs = calibration_board()
    width, height = np.array(theirs.getChessboardSize()) * theirs.getSquareLength()
    ours = {square.marker: square.corners_mm for square in board() if square.marker is not None}
    for number, corners in zip(np.ravel(theirs.getIds()), theirs.getObjPoints(), strict=True):
        flipped = np.array(corners) * (1.0, -1.0, 1.0) + (-width / 2.0, height / 2.0, 0.0)
        np.testing.assert_allclose(ours.pop(int(number)), flipped, atol=1e-4)
    assert not ours


def test_the_printed_board_is_read_by_opencv() -> None:
    page = made("A4").pages[0]
    grey = cv2.GaussianBlur(_drawn(page, 150), (0, 0), 0.8)
    corners, numbers, _, ids = cv2.aruco.CharucoDetector(calibration_board()).detectBoard(grey)
    assert len(ids) == 27
    assert len(numbers) == 40
    plan = np.array(calibration_board().getChessboardCorners())[np.ravel(numbers), :2]
    seen = np.reshape(corners, (-1, 2)) * 25.4 / 150
    np.testing.assert_allclose(seen - seen.mean(axis=0), plan - plan.mean(axis=0), atol=0.02)


def test_the_rig_is_what_is_printed(tmp_path: Path) -> None:
    sheet = made("A4")
    (tmp_path / "rig.toml").write_text(sheet.rig, encoding="utf-8")
    rig = read_rig(tmp_path / "rig.toml")
    assert [body.name for body in rig.body] == ["ref", "pointer", "drill"]
    assert (rig.reference, [tool.name for tool in rig.tool], rig.camera) == ("ref", ["pointer", "drill"], ())
    assert all(tool.axis_in_marker == (0.0, -1.0, 0.0) and tool.tip_mm is None for tool in rig.tool)
    for body, printed in zip(rig.body, sheet.bodies, strict=False):
        plan = printed.marker_body()
        stated = marker_body(body)
        assert stated.ids.tolist() == plan.ids.tolist()
        np.testing.assert_allclose(stated.corners_mm, plan.corners_mm, atol=1e-4)
        assert body.dictionary == printed.dictionary


def test_the_spare_board_can_be_taken_into_the_rig(tmp_path: Path) -> None:
    text = made("A4").rig
    spare = text[text.index("# The spare board") :]
    spare = spare[: spare.index("\n\n")]
    freed = "\n".join(line.removeprefix("# ") if n else line for n, line in enumerate(spare.splitlines()))
    (tmp_path / "rig.toml").write_text(text.replace(spare, freed), encoding="utf-8")
    body = read_rig(tmp_path / "rig.toml").body[-1]
    assert body.name == "flat"
    np.testing.assert_allclose(marker_body(body).corners_mm, made("A4").bodies[-1].marker_body().corners_mm, atol=1e-4)


def test_a_part_printed_again_has_the_same_numbers() -> None:
    whole = {body.name: body.ids for body in made("A4").bodies}
    alone = make_sheet("A4", parts=["drill"]).bodies[0]
    assert alone.ids == whole["drill"]
    ids = [number for numbers in whole.values() for number in numbers]
    assert len(set(ids)) == len(ids)
    assert made("A4").pages[0].markers[0].dictionary == DICTIONARY != alone.dictionary


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"dictionary": "APRILTAG_36h12"}, "Did you mean 'APRILTAG_36h11'"),
        ({"paper": "A7"}, "no paper size 'A7'.*A"),
        ({"paper": "A5"}, "too small.*A4 or Letter"),
        ({"parts": ["cube"]}, "no part 'cube'"),
        ({"parts": []}, "no part of the kit"),
        ({"first_id": -1}, "0 or more"),
        ({"dictionary": "4X4_50", "first_id": 40}, "needs markers 46 to 56.*has 0 to 49"),
        ({"first_id": 570}, "needs markers .* has 0 to 586"),
    ],
)
def test_what_cannot_be_printed_is_refused(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(InputRefused, match=told):
        make_sheet(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("dictionary", ["4X4_50", "ARUCO_MIP_36h12", "7X7_1000", "apriltag_16h5"])
@pytest.mark.parametrize("paper", ["A4", "letter", "A3"])
def test_the_kit_fits_with_every_size_of_pattern(dictionary: str, paper: str) -> None:
    assert len(make_sheet(paper, dictionary).pages) == 6


def test_the_command_writes_and_does_not_overwrite(tmp_path: Path) -> None:
    out, rig = tmp_path / "kit.pdf", tmp_path / "rig.toml"
    arguments = ["sheet", "--out", str(out), "--rig", str(rig), "--parts", "ref,drill", "--json"]
    result = CliRunner().invoke(markers_app, arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert (report["pages"], [body["name"] for body in report["bodies"]]) == (2, ["ref", "drill"])
    assert {body["name"] for body in tomllib.loads(rig.read_text())["body"]} == {"ref", "drill"}
    assert not list(tmp_path.glob("*.partial"))
    before = out.read_bytes()
    again = CliRunner().invoke(markers_app, arguments)
    assert isinstance(again.exception, InputRefused)
    assert "--force" in str(again.exception)
    assert CliRunner().invoke(markers_app, [*arguments, "--force"]).exit_code == 0
    assert out.read_bytes() == before  # the same sheet is the same file


@pytest.mark.parametrize("parts", ["board", "ref", "pointer,drill"])
def test_a_rig_needs_a_reference_and_a_tool(parts: str, tmp_path: Path) -> None:
    arguments = ["sheet", "--out", str(tmp_path / "kit.pdf"), "--rig", str(tmp_path / "rig.toml"), "--parts", parts]
    refused = CliRunner().invoke(markers_app, arguments)
    assert isinstance(refused.exception, InputRefused)
    assert not list(tmp_path.iterdir())
    assert CliRunner().invoke(markers_app, [*arguments, "--no-rig"]).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["kit.pdf"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="there is no folder"):
        write_sheet(made("A4"), tmp_path / "nowhere" / "sheet.pdf", None)
    assert set(PARTS) == {"board", "ref", "pointer", "drill", "flat"}
