"""The two themes: type that can be read, states that are told without their colour, and a change that reaches what is on the screen already."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap
from PySide6.QtWidgets import QCheckBox, QLabel, QMainWindow, QPushButton, QWidget

from gui import theme
from gui.alerts.banner import LEVEL_PX, AlertBanner, LevelBlock
from gui.alerts.lamps import LampLight
from gui.ink import INKS, Ink
from gui.navigate.card import VALUE_PX, DistanceCard
from gui.sheet import TONES
from navtwin.bus.signals import SIGNALS
from navtwin.errors import InputRefused
from navtwin.nouns import LEVELS, Lamp, Level, Priority
from navtwin.scene.distances import PairRow, StructureRow
from tests.gui.room import CLEAR_S, DANGER_S, MS, Desk, said, scene
from tests.gui.vision import SIGHTS, contrast, pixels, told_apart

ROOT = Path(__file__).parents[2]
SURFACES = ("background", "panel", "raised")
#: Two states must differ in the edges of shapes or letters at so many pixels: less than the edge of one letter is not seen.
APART = 30


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    theme.choose("dark")


@pytest.fixture(params=sorted(INKS))
def ink(request: pytest.FixtureRequest, qapp: Any) -> Ink:
    return theme.choose(request.param)


@pytest.mark.parametrize("surface", [*SURFACES, "hover", "selected"])
@pytest.mark.parametrize("words", ["text", "dim", "accent", "good", "bound", "warn", "bad", "note"])
def test_type_is_read_on_every_surface(ink: Ink, surface: str, words: str):
    assert contrast(getattr(ink, words), getattr(ink, surface)) >= 4.5


@pytest.mark.parametrize("surface", SURFACES)
def test_lines_lamps_and_the_unknown_are_seen_on_every_surface(ink: Ink, surface: str):
    below = getattr(ink, surface)
    assert contrast(ink.unknown, below) >= 4.5
    assert contrast(ink.quiet, below) >= 3.0
    assert all(contrast(ink.lamp(lamp), below) >= 3.0 for lamp in ("ok", "warn", "bad", "off"))
    assert all(contrast(ink.level(level), below) >= 4.5 for level in LEVELS)
    assert all(contrast(ink.priority(priority), below) >= 4.5 for priority in SIGNALS)


def test_type_on_fills_is_read(ink: Ink):
    assert contrast(ink.on_accent, ink.accent) >= 4.5
    for priority, signal in SIGNALS.items():
        assert contrast(ink.on_signal, signal.rgb) >= 4.5
        # Between flashes the type is light.
        assert contrast(INKS["dark"].text, theme.sunk(theme.color(priority)).name()) >= 4.5


def lamp(state: Lamp) -> QWidget:
    made = LampLight("tracker")
    made.show_lamp(state)
    made.set_scale(1.0)
    return made


def block(priority: Priority) -> QWidget:
    made = LevelBlock()
    made.show_level({"none": "NO ALERT", "low": "LINK", "medium": "CAUTION", "high": "DANGER"}[priority], "", priority, known=True, lit=True)
    made.set_scale(1.0)
    made.setFixedHeight(112)
    return made


def card(level: Level, *, known: bool = True) -> QWidget:
    state, _ = said(DANGER_S)
    reading = next(r for r in state.readings if r.structure == "spinal_canal" and r.distance_mm is not None)
    structure = next(s for s in scene().structures if s.name == "spinal_canal")
    made = DistanceCard(structure)
    made.show_row(StructureRow(structure, (PairRow("drill", "burr", level, reading if known else None, "OK" if known else "HIDDEN", True),)))
    made.set_scale(1.0)
    made.setFixedWidth(376)
    return made


def tone(name: str) -> QWidget:
    label = QLabel("The reference is not seen.")
    label.setProperty("tone", name)
    label.setStyleSheet(theme.style_sheet(1.0))
    return label


def switch(*, on: bool, onpicture: bool) -> QWidget:
    button = QPushButton("Slices")
    button.setProperty("onpicture", onpicture)
    button.setCheckable(True)
    button.setChecked(on)
    button.setStyleSheet(theme.style_sheet(1.0))
    return button


def tick(*, on: bool) -> QWidget:
    box = QCheckBox("shown")
    box.setChecked(on)
    box.setStyleSheet(theme.style_sheet(1.0))
    return box


KINDS: dict[str, Callable[[], list[QWidget]]] = {
    "lamps": lambda: [lamp(state) for state in ("ok", "warn", "bad", "off")],
    "banner": lambda: [block(priority) for priority in ("none", "low", "medium", "high")],
    "cards": lambda: [card(level) for level in LEVELS],
    "unknown cards": lambda: [card("DANGER"), card("DANGER", known=False), card("CLEAR", known=False)],
    "tones": lambda: [tone(name) for name in TONES],
    "switches": lambda: [switch(on=on, onpicture=False) for on in (False, True)],
    "switches on a picture": lambda: [switch(on=on, onpicture=True) for on in (False, True)],
    "ticks": lambda: [tick(on=on) for on in (False, True)],
}


def painted(qtbot: Any, widgets: list[QWidget]) -> list[np.ndarray[Any, Any]]:
    size = QSize(0, 0)
    for widget in widgets:
        qtbot.addWidget(widget)
        widget.ensurePolished()
        size = size.expandedTo(widget.sizeHint()).expandedTo(widget.minimumSize())
    for widget in widgets:
        widget.resize(size)
    return [pixels(widget) for widget in widgets]


@pytest.mark.parametrize("kind", KINDS)
def test_no_state_is_told_by_colour_alone(qtbot: Any, ink: Ink, kind: str):
    states = painted(qtbot, KINDS[kind]())
    for sight in SIGHTS:
        for one, other in combinations(range(len(states)), 2):
            assert told_apart(states[one], states[other], sight) > APART, (ink.name, sight, one, other)


def test_a_change_of_colour_alone_would_be_found(qtbot: Any):
    states = painted(qtbot, [_dot("#4cc38a"), _dot("#ff3b30")])
    assert not np.array_equal(*states)
    assert all(told_apart(*states, sight) < APART for sight in SIGHTS)


def _dot(color: str) -> QWidget:
    label = QLabel()
    picture = QPixmap(40, 40)
    picture.fill(QColor("#171c20"))
    painter = QPainter(picture)
    painter.setBrush(QColor(color))
    painter.drawEllipse(8, 8, 24, 24)
    painter.end()
    label.setPixmap(picture)
    return label


def test_a_change_of_theme_reaches_what_is_on_the_screen(qtbot: Any):
    desk = Desk()
    desk.tell(CLEAR_S)
    banner = AlertBanner(lambda _row: None)
    qtbot.addWidget(banner)
    banner.set_scale(1.0)
    banner.resize(1280, banner.height())
    banner.show_moment(desk.board.moment(), 0)
    grounds = []
    for name in ("dark", "light"):
        theme.choose(name)
        grounds.append(pixels(banner)[10, -10].tolist())
        assert grounds[-1] == list(QColor(theme.ink().panel).getRgb()[:3])  # type: ignore[index]
    assert grounds[0] != grounds[1]


def test_alarm_fills_are_the_same_in_both_themes(qtbot: Any):
    pictures = []
    for name in ("dark", "light"):
        theme.choose(name)
        made = block("high")
        qtbot.addWidget(made)
        pictures.append(pixels(made))
    assert np.array_equal(*pictures)


def test_what_lies_on_a_picture_is_dark_in_both_themes(qtbot: Any):
    pictures = []
    for name in ("dark", "light"):
        theme.choose(name)
        made = switch(on=False, onpicture=True)
        qtbot.addWidget(made)
        pictures.append(pixels(made))
    assert float(pictures[1].mean()) < 90.0
    assert np.array_equal(*pictures)


@pytest.mark.parametrize(("size_px", "least_minutes"), [(VALUE_PX, 20.0), (LEVEL_PX, 18.0)])
def test_values_and_levels_are_read_at_two_metres(qapp: Any, size_px: float, least_minutes: float):
    mm_per_design_px = 323.0 / theme.DESIGN_HEIGHT
    for scale in (1.0, 1.8, 2.7):
        capitals_mm = QFontMetricsF(theme.font(size_px * scale, weight=QFont.Weight.Bold)).capHeight() / scale * mm_per_design_px
        assert math.degrees(math.atan2(capitals_mm, 2000.0)) * 60.0 >= least_minutes


SURFACE_ROOMS = ("gui/alerts/*.py", "gui/desktop/*.py", "gui/navigate/strip.py", "gui/navigate/card.py", "gui/navigate/gauge.py", "gui/sheet.py")


@pytest.mark.parametrize("path", sorted(path.relative_to(ROOT).as_posix() for room in SURFACE_ROOMS for path in ROOT.glob(room)))
def test_a_surface_of_the_window_has_no_colour_of_its_own(path: str):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not re.findall(r"""["'](#[0-9a-fA-F]{6})["']|navtwin\.scene import palette""", text)


def test_an_unknown_theme_is_refused_with_those_there_are(qapp: Any):
    with pytest.raises(InputRefused, match="lihgt") as refused:
        theme.choose("lihgt")
    assert "light" in str(refused.value)


@pytest.mark.parametrize("scale", [0.85, 1.0, 1.8, 2.7])
def test_the_style_sheet_is_one_that_qt_reads(qtbot: Any, qtlog: Any, ink: Ink, scale: float):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setStyleSheet(theme.style_sheet(scale))
    window.ensurePolished()
    assert [record.message for record in qtlog.records] == []


@pytest.mark.parametrize(("size", "scale"), [((1280, 800), 1.0), ((1920, 1080), 1.4), ((2560, 1440), 1.8), ((3840, 2160), 2.7), ((7680, 4320), 3.0)])
def test_type_grows_with_the_screen(size: tuple[int, int], scale: float):
    assert theme.scale_for(*size) == pytest.approx(scale)


def test_without_a_session_the_banner_is_low_and_says_that_nothing_is_watched(qtbot: Any):
    desk, heights = Desk(), []
    banner = AlertBanner(lambda _row: None)
    qtbot.addWidget(banner)
    banner.set_scale(1.0)
    banner.show()

    def look() -> None:
        banner.show_moment(desk.board.moment(), 0)
        heights.append(banner.height())

    look()
    assert "nothing can warn you" in banner.detail.text() and banner.block.word == "NO SESSION"
    for t_s in (CLEAR_S, DANGER_S, CLEAR_S):
        desk.tell(t_s)
        look()
        assert "nothing can warn you" not in banner.detail.text() and banner.headline.isVisible()
    desk.clock.ns += 400 * MS
    look()
    assert desk.board.moment().link == "lost" and banner.block.word == "UNKNOWN"
    # Only the session's beginning moves what lies below; a lost link does not.
    assert heights[0] < heights[1] and len(set(heights[1:])) == 1


def test_a_picture_for_paper_is_light_and_the_window_stays_as_it_is(qtbot: Any):
    desk = Desk()
    desk.tell(CLEAR_S)
    banner = AlertBanner(lambda _row: None)
    qtbot.addWidget(banner)
    banner.set_scale(1.0)
    banner.resize(1280, banner.height())
    banner.show_moment(desk.board.moment(), 0)
    with theme.painted_in("light"):
        paper = pixels(banner)
    assert theme.ink() is INKS["dark"]
    assert float(paper.mean()) > 2.5 * float(pixels(banner).mean())
    with pytest.raises(ZeroDivisionError), theme.painted_in("light"):
        raise ZeroDivisionError
    assert theme.ink() is INKS["dark"]
