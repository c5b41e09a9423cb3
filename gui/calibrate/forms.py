"""What is asked before a calibration begins, and the command that the answers make. No Qt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from gui.calibrate.steps import StepKind
from navtwin.errors import InputRefused
from navtwin.nouns import Rig

BoardKind = Literal["sheet", "charuco", "chessboard"]
#: The board of the printed sheet as it is drawn, mm.
SHEET_SQUARE_MM = 20.0
#: The commands behind the steps.
COMMANDS: dict[StepKind, str] = {
    "camera": "camera",
    "cameras": "cameras",
    "markers": "markers",
    "pivot": "tool",
    "axis": "axis",
    "latency": "latency",
}
#: A name in the rig, as TOML and file names bear it.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,39}")
MOST_FIELD = 1e4


class Board(msgspec.Struct, frozen=True):
    """The board that is shown.

    Attributes
    ----------
    columns, rows : squares across and down (charuco), inner corners (chessboard)
    square_mm, marker_mm : sides as measured on the print
    legacy : a charuco board whose first square is white
    """

    kind: BoardKind = "sheet"
    columns: int = 10
    rows: int = 7
    square_mm: float = SHEET_SQUARE_MM
    marker_mm: float = 15.0
    dictionary: str = "5X5_100"
    legacy: bool = False


class Form(msgspec.Struct, frozen=True):
    """All answers of one step; each step asks for some of them.

    Attributes
    ----------
    source : `KIND:REST`
    name, names : of the camera in the rig; of several, separated by commas
    size : WIDTHxHEIGHT that a live camera is opened at
    baseline_mm : between the first two lenses, as measured; 0 where it was not
    check_mm : what a ruler says of the sheet's 100 mm check square; 0 where none was used
    seconds : longest time to film, 0 for the command's own
    whole : use all of a recording, not only what was collected for a pivot
    against : body that the V-block stands still to, "" for the tracker
    screen_hz, display_ms : of the screen that shows the clock; what it takes from drawing to light, 0 where unknown
    """

    source: str = ""
    board: Board = Board()
    name: str = ""
    names: str = ""
    size: str = "1280x720"
    baseline_mm: float = 0.0
    check_mm: float = 100.0
    seconds: float = 0.0
    whole: bool = False
    against: str = ""
    screen_hz: float = 60.0
    display_ms: float = 0.0


def arguments(kind: StepKind, subject: str, form: Form, rig: Rig, rig_path: Path) -> list[str]:
    """`navtwin` arguments of a step, for a child that tells its progress, shows its picture and asks before it writes the rig.

    Raises
    ------
    InputRefused : an answer that cannot be used, naming it
    """
    if not form.source:
        raise InputRefused("no source is chosen", "choose a camera, a film or a recording")
    asked = {"camera": _camera, "cameras": _cameras, "markers": _markers, "pivot": _pivot, "axis": _axis, "latency": _latency}[kind]
    tail = ["--rig", str(rig_path), "--write", "--progress", "--video-port", "0"]
    return ["calibrate", COMMANDS[kind], form.source, *asked(subject, form, rig), *tail]


def camera_name(form: Form, rig: Rig) -> str:
    """The rig's first camera is calibrated anew; a rig without any takes the name that was typed."""
    return rig.camera[0].name if rig.camera else form.name.strip() or "camera"


def _camera(_subject: str, form: Form, rig: Rig) -> list[str]:
    name = camera_name(form, rig)
    if not rig.camera and not NAME.fullmatch(name):
        raise InputRefused(f"'{name}' cannot be a camera's name", "use letters, digits, spaces and - _ . only")
    return ["--name", name, *_board(form.board), *_size(form)]


def _cameras(_subject: str, form: Form, rig: Rig) -> list[str]:
    names = [name.strip() for name in form.names.split(",") if name.strip()]
    if len(names) < 2 or len(set(names)) < len(names) or not all(NAME.fullmatch(name) for name in names):
        raise InputRefused(f"'{form.names}' does not name two different cameras or more", "type their names in the source's order: left, right")
    if rig.camera and names[0] != rig.camera[0].name:
        raise InputRefused(f"the first camera of this rig is '{rig.camera[0].name}'", "name it first: its axes are the tracker's")
    if form.board.kind == "chessboard" and (form.board.columns + form.board.rows) % 2 == 0:
        raise InputRefused("such a chessboard looks the same half a turn round", "use a charuco board, or one with one even and one odd side")
    given = ["--baseline-mm", _number("distance between the lenses", form.baseline_mm)] if form.baseline_mm else []
    return ["--names", ",".join(names), *_board(form.board), *given, *_size(form)]


def _markers(subject: str, form: Form, _rig: Rig) -> list[str]:
    ruler = ["--check-mm", _number("check square", form.check_mm)] if form.check_mm else []
    return ["--body", subject, *ruler, *_seconds(form)]


def _pivot(subject: str, form: Form, _rig: Rig) -> list[str]:
    return ["--tool", subject, *(["--whole"] if form.whole else []), *_seconds(form)]


def _axis(subject: str, form: Form, _rig: Rig) -> list[str]:
    return ["--tool", subject, *(["--against", form.against] if form.against else []), *_seconds(form)]


def _latency(_subject: str, form: Form, _rig: Rig) -> list[str]:
    if form.screen_hz <= 0.0:
        raise InputRefused(f"a screen rate of {form.screen_hz:g} Hz", "state the screen's refresh rate, usually 60")
    return ["--screen-hz", f"{form.screen_hz:g}", "--display-ms", f"{form.display_ms:g}", *_seconds(form)]


def _board(board: Board) -> list[str]:
    square = _number("side of a square", board.square_mm)
    if board.kind == "sheet":
        return ["--target", "sheet", *([] if board.square_mm == SHEET_SQUARE_MM else ["--square-mm", square])]
    if min(board.columns, board.rows) < 3 or max(board.columns, board.rows) > 100:
        raise InputRefused(
            f"a board of {board.columns} × {board.rows} cannot be calibrated with", "count its squares or inner corners: 3 to 100 a side"
        )
    shape = ["--target", board.kind, "--columns", str(board.columns), "--rows", str(board.rows), "--square-mm", square]
    if board.kind == "chessboard":
        return shape
    if not 0.0 < board.marker_mm < board.square_mm:
        raise InputRefused(f"markers of {board.marker_mm:g} mm do not fit into squares of {board.square_mm:g} mm", "measure both on the print")
    return [*shape, "--marker-mm", f"{board.marker_mm:g}", "--dictionary", board.dictionary.strip(), *(["--legacy"] if board.legacy else [])]


def _size(form: Form) -> list[str]:
    """A live camera is opened at a size; a recording has its own."""
    if not form.source.startswith("camera:"):
        return []
    if not re.fullmatch(r"[1-9]\d{1,4}x[1-9]\d{1,4}", form.size):
        raise InputRefused(f"'{form.size}' is no size of a picture", "write it as 1280x720")
    return ["--size", form.size]


def _seconds(form: Form) -> list[str]:
    return ["--seconds", _number("time to film", form.seconds)] if form.seconds else []


def _number(what: str, value: float) -> str:
    if not 0.0 < value < MOST_FIELD:
        raise InputRefused(f"{what}: {value:g} cannot be", "measure it, and type what the ruler or clock says")
    return f"{value:g}"
