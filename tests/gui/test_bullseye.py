"""The bullseye: words by the bound, unknown without numbers, green only where it is meant, hidden without a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from gui import theme
from gui.navigate.bullseye import Bullseye
from gui.navigate.bullseye_words import aim_card
from navtwin.nouns import InstrumentState, Pose, State
from navtwin.scene import palette
from navtwin.scene.model import Plan, Scene
from tests.gui.room import DANGER_S, HIDDEN_S, Desk, rig, scene

#: Along -y, as the pose below points.
PATH = Plan("left pedicle", (12.0, 25.0, 0.0), (12.0, -15.0, 0.0), 3.0, 2.0)
#: Turns the tip's +Z to the patient's front.
FORWARD = (0.5**0.5, 0.5**0.5, 0.0, 0.0)
#: Others of the script have no segmentation error here that could be taken out.
KNOWN = ("spinal_canal", "aorta")


def planned(*plans: Plan) -> Scene:
    return replace(scene(), plans=plans)


def tell(desk: Desk, at: tuple[float, float, float], sd_mm: float = 0.4) -> None:
    """The drill on a path, its distances known to within `sd_mm`."""
    state, _ = desk.tell(DANGER_S)
    drill = InstrumentState(instrument="drill", status="OK", pose=Pose(q_wxyz=FORWARD, t_mm=at))
    readings = tuple(msgspec.structs.replace(r, sd_mm=sd_mm) if r.status == "OK" else r for r in state.readings if r.structure in KNOWN)
    desk.hear("state", State(phase=state.phase, frame=9, instruments=(drill,), readings=readings))


def pixels(widget: Bullseye) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def count(image: np.ndarray, color: str) -> int:
    return int((np.abs(image - QColor(color).getRgb()[:3]).max(axis=-1) < 12).sum())


@pytest.fixture
def eye(qtbot: Any) -> Bullseye:
    made = Bullseye(planned(PATH), rig())
    qtbot.addWidget(made)
    made.set_scale(1.0)
    return made


def test_inside_by_the_bound_is_green_with_symbol_and_words(eye: Bullseye):
    desk = Desk()
    tell(desk, (12.2, 0.0, 0.0))
    eye.show_moment(desk.board.moment())
    assert eye.card is not None
    assert eye.card.verdict == ("✓", "ON PATH")
    assert eye.isVisibleTo(eye.parentWidget())
    assert count(pixels(eye), palette.GOOD) > 800


@pytest.mark.parametrize(("x", "sd", "verdict"), [(13.8, 0.4, "NOT SURE"), (15.0, 0.4, "OFF PATH")])
def test_what_is_not_inside_has_no_green(eye: Bullseye, x: float, sd: float, verdict: str):
    desk = Desk()
    tell(desk, (x, 0.0, 0.0), sd)
    eye.show_moment(desk.board.moment())
    assert eye.card is not None
    assert eye.card.verdict[1] == verdict
    assert count(pixels(eye), palette.GOOD) == 0
    assert count(pixels(eye), "#ffffff") > 20


def test_the_tip_is_drawn_to_the_side_that_it_is_off_to(eye: Bullseye):
    """Seen from behind: off to the patient's left is left in the picture."""
    desk, middles = Desk(), []
    for x in (15.0, 9.0):
        tell(desk, (x, 0.0, 0.0))
        eye.show_moment(desk.board.moment())
        bright = (pixels(eye)[70:180, 15:160] > 245).all(axis=-1)
        middles.append(float(np.nonzero(bright)[1].mean()))
    assert middles[0] < middles[1] - 15


def test_numbers_are_those_of_the_geometry():
    desk = Desk()
    tell(desk, (13.5, 5.0, -2.0))
    card = aim_card(planned(PATH), rig(), desk.board.moment(), None)
    assert card is not None
    offset, angle, depth = card.lines
    assert offset == ("offset", "2.5", "± 0.5 mm IL")
    assert angle[:2] == ("angle", "0.0")
    assert depth == ("to target", "20.0", "mm")


ALONG = [(47.7, ("to entry", "22.7")), (177.4, ("to entry", "152")), (3.0, ("to target", "18.0")), (-39.4, ("past", "24.4"))]


@pytest.mark.parametrize(("y", "line"), ALONG)
def test_a_number_is_whole_and_nothing_is_written_over_it(eye: Bullseye, monkeypatch: pytest.MonkeyPatch, y: float, line: tuple[str, str]):
    """One that were cut short would read as another: 122.7 as 12."""
    desk, written = Desk(), dict[str, tuple[float, float, QRect]]()

    def write(painter: QPainter, box: QRect, text: str, size: float, color: object, *, bold: bool = False, right: bool = False, **_: bool) -> None:
        wide = QFontMetricsF(theme.font(size, weight=QFont.Weight.Bold if bold else QFont.Weight.Normal)).horizontalAdvance(text)
        written[text] = (box.right() - wide, box.right(), box) if right else (box.left(), box.left() + wide, box)

    tell(desk, (12.0, y, 0.0))
    eye.show_moment(desk.board.moment())
    assert eye.card is not None
    assert eye.card.lines[2][:2] == line
    monkeypatch.setattr(eye, "_write", write)
    eye.grab()
    name, number = (written[text] for text in line)
    assert name[1] + 3.0 < number[0]
    assert number[1] - number[0] <= number[2].width()


def test_unknown_has_no_number_and_is_hatched(eye: Bullseye):
    desk = Desk()
    tell(desk, (12.2, 0.0, 0.0))
    eye.show_moment(desk.board.moment())
    desk.tell(HIDDEN_S)
    eye.show_moment(desk.board.moment())
    assert eye.card is not None
    assert eye.card.verdict[1] == "UNKNOWN"
    assert all(value == "—" for _, value, _ in eye.card.lines)
    assert "hidden" in eye.card.why
    image = pixels(eye)
    assert count(image, palette.GOOD) == 0
    assert count(image, palette.UNKNOWN) > 60


def test_without_known_distances_the_error_is_unknown_and_nothing_is_green():
    desk = Desk()
    tell(desk, (12.0, 0.0, 0.0))
    state = desk.board.moment().state
    assert state is not None
    desk.hear("state", msgspec.structs.replace(state, readings=()))
    card = aim_card(planned(PATH), rig(), desk.board.moment(), None)
    assert card is not None
    assert card.verdict == ("≈", "ERROR UNKNOWN")
    assert "± ?" in card.lines[0][2]


def test_without_a_plan_it_is_hidden(qtbot: Any):
    made = Bullseye(planned(), rig())
    qtbot.addWidget(made)
    desk = Desk()
    tell(desk, (12.0, 0.0, 0.0))
    made.show_moment(desk.board.moment())
    assert not made.isVisible()
