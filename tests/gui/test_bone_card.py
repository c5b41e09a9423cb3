"""The drill's card: what it says in each state, what it lets one order, and that it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from gui import theme
from gui.navigate.bone_legend import BoneLegend
from gui.navigate.drill_card import HEAD, MOST_WALLS, DrillPanel
from gui.navigate.drill_words import NO_BONE, UNKNOWN_WALL, drill_card, volume_words
from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Drilling, DrillStatus, Order, Wall, WallStatus
from navtwin.scene import palette
from tests.gui.bone_room import NERVE, drill_state, drilling, summary
from tests.gui.room import CLEAR_S, MS, Desk, said
from tests.gui.vision import SIGHTS, Pixels, pixels, told_apart

STATUSES: tuple[DrillStatus, ...] = ("OFF", "READY", "CUTTING", "FROZEN", "UNKNOWN")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def orders() -> list[Order]:
    return []


@pytest.fixture
def panel(qtbot: Any, orders: list[Order]) -> Iterator[DrillPanel]:
    made = DrillPanel(orders.append)
    qtbot.addWidget(made)
    made.setStyleSheet(theme.style_sheet(1.0))
    yield made


def hear(desk: Desk, panel: DrillPanel, **changes: Any) -> None:
    """Hear of a drill that differs so from one that cuts."""
    bone = changes.pop("bone", None)
    state, alerts = drilling(drill_state(**changes), bone=bone)
    desk.clock.ns += 10 * MS
    desk.hear("state", state)
    desk.hear("alerts", alerts)
    panel.show_moment(desk.board.moment())


def wall(status: WallStatus, thickness_mm: float | None = None, structure: str = NERVE) -> Wall:
    return Wall(structure=structure, status=status, thickness_mm=thickness_mm)


def count(picture: Pixels, color: str) -> int:
    return int((np.abs(picture.astype(int) - QColor(color).getRgb()[:3]).max(axis=-1) < 12).sum())


def test_without_a_drill_there_is_no_card(desk: Desk, panel: DrillPanel):
    state, alerts = said(CLEAR_S)
    desk.hear("state", state)
    desk.hear("alerts", alerts)
    panel.show_moment(desk.board.moment())
    assert not panel.isVisibleTo(None) and panel.card is None  # type: ignore[arg-type]


def test_it_says_what_there_is_to_know(desk: Desk, panel: DrillPanel):
    hear(desk, panel, bone=summary(removed_mm3=1250.0, undone=2))
    card = panel.card
    assert card is not None
    assert (card.status, card.by, card.fallback) == ("CUTTING", "by spindle", False)
    assert card.stretch == "stretch 7, 2 taken back"
    assert card.removed == "1.25 ml of temporal bone removed"
    assert "facial nerve: 1.7 mm" in panel.accessibleName()


@pytest.mark.parametrize(
    ("status", "mm", "words", "unknown"),
    [
        ("OK", 1.74, "1.7 mm", False),
        ("OK", 0.99, "0.9 mm", False),
        ("NO_BONE", None, NO_BONE, False),
        ("UNKNOWN", None, UNKNOWN_WALL, True),
    ],
)
def test_walls_are_told_and_never_thicker_than_they_are(
    desk: Desk, panel: DrillPanel, status: WallStatus, mm: float | None, words: str, unknown: bool
):
    hear(desk, panel, walls=(wall(status, mm),))
    assert panel.card is not None
    row = panel.card.walls[0]
    assert (row.words, row.unknown) == (words, unknown)


def test_what_is_far_is_named_in_one_line(desk: Desk, panel: DrillPanel):
    hear(desk, panel, walls=(wall("OK", 2.0),))
    short = panel.height()
    hear(desk, panel, walls=(wall("FAR", None, "dura"), wall("OK", 2.0), wall("FAR", None, "internal_carotid")))
    assert panel.card is not None
    assert (len(panel.card.walls), panel.card.far) == (1, "far: dura, internal carotid")
    assert short < panel.height() < short + 25


@pytest.mark.parametrize("status", ["FROZEN", "UNKNOWN"])
def test_what_is_wrong_is_told_with_what_to_do(desk: Desk, panel: DrillPanel, status: DrillStatus):
    hear(desk, panel, status=status, why="the patient reference is hidden")
    assert panel.card is not None
    assert panel.card.why == "the patient reference is hidden"
    assert "touch" in panel.card.remedy


def test_the_fallback_is_shown(desk: Desk, panel: DrillPanel):
    hear(desk, panel)
    before = count(pixels(panel), SIGNALS["medium"].rgb)
    hear(desk, panel, by="contact-speed")
    assert panel.card is not None and panel.card.fallback
    assert count(pixels(panel), SIGNALS["medium"].rgb) > before + 10


def test_a_lost_link_leaves_nothing_but_that(desk: Desk, panel: DrillPanel):
    hear(desk, panel, status="READY")
    assert panel.pause.isEnabled()
    desk.clock.ns += 5_000 * MS
    panel.show_moment(desk.board.moment())
    card = panel.card
    assert card is not None
    assert (card.status, card.walls, card.removed) == (None, (), "")
    assert not any(button.isEnabled() for button in (panel.undo, panel.pause, panel.resume))
    assert "UNKNOWN" in panel.accessibleName()


def test_an_old_state_is_not_shown(desk: Desk, panel: DrillPanel):
    hear(desk, panel)
    desk.clock.ns += 400 * MS
    desk.hear("alerts", drilling()[1])
    panel.show_moment(desk.board.moment())
    assert panel.card is not None and panel.card.status is None


def test_orders(desk: Desk, panel: DrillPanel, orders: list[Order], qtbot: Any):
    hear(desk, panel, status="READY")
    panel.show()
    qtbot.mouseClick(panel.pause, Qt.MouseButton.LeftButton)
    assert orders == [Drilling(action="pause")]
    # Also while the drill stands and has nothing to say of it.
    hear(desk, panel, status="OFF", bone=summary(paused_by="ana"))
    assert panel.card is not None and "Resume" in panel.card.remedy and panel.card.why == "paused by ana"
    assert panel.resume.isEnabled() and not panel.pause.isEnabled()
    qtbot.mouseClick(panel.resume, Qt.MouseButton.LeftButton)
    assert orders[1:] == [Drilling(action="resume")]


def test_a_stretch_is_taken_back_only_by_two_presses(desk: Desk, panel: DrillPanel, orders: list[Order], qtbot: Any):
    hear(desk, panel, status="READY")
    panel.show()
    qtbot.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    assert orders == []
    assert "?" in panel.undo.text()
    panel._sure.timeout.emit()
    assert "?" not in panel.undo.text()
    panel._sure.stop()
    for _ in range(2):
        qtbot.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    assert orders == [Drilling(action="undo")]
    hear(desk, panel, status="CUTTING")
    assert not panel.undo.isEnabled()
    hear(desk, panel, status="READY", stretch=0)
    assert not panel.undo.isEnabled()


@pytest.mark.parametrize("sight", SIGHTS)
def test_every_status_is_told_apart_without_colour(desk: Desk, panel: DrillPanel, sight: str):
    seen = {}
    for status in STATUSES:
        hear(desk, panel, status=status, walls=())
        seen[status] = pixels(panel)[: HEAD - 50]
    for one in STATUSES:
        for other in STATUSES:
            assert one == other or told_apart(seen[one], seen[other], sight) > 100


def test_an_unknown_wall_does_not_look_like_a_thick_one(desk: Desk, panel: DrillPanel):
    hear(desk, panel, walls=(wall("OK", 3.8),))
    thick = pixels(panel)
    hear(desk, panel, walls=(wall("UNKNOWN"),))
    unknown = pixels(panel)
    assert sum(count(thick, band) for band in palette.BANDS) > 100
    assert sum(count(unknown, band) for band in palette.BANDS) < 20
    assert told_apart(thick, unknown, "grey") > 100


def test_the_mark_goes_along_the_bar(desk: Desk, panel: DrillPanel):
    found = []
    for mm in (0.4, 1.5, 2.5, 3.5, 60.0):
        hear(desk, panel, walls=(wall("OK", mm),))
        bar = pixels(panel)[HEAD + 20 : HEAD + 38]
        found.append(float(np.argwhere((bar > 250).all(axis=-1))[:, 1].mean()))
    assert found[:4] == sorted(found[:4])
    assert found[4] == pytest.approx(found[3], abs=0.15 * found[3])


def test_walls_without_room_are_counted(desk: Desk, panel: DrillPanel):
    hear(desk, panel, walls=tuple(wall("OK", 1.0 + n, f"structure {n}") for n in range(MOST_WALLS + 2)))
    few = panel.height()
    assert panel.card is not None and len(panel.card.walls) == MOST_WALLS + 2
    hear(desk, panel, walls=())
    assert panel.height() < few <= 420


def test_it_is_drawn_larger_on_a_larger_screen(desk: Desk, panel: DrillPanel):
    hear(desk, panel)
    small = panel.size()
    panel.set_scale(1.8)
    assert panel.width() == round(1.8 * small.width())


def test_the_legend_has_every_look_of_a_wall(qtbot: Any):
    legend = BoneLegend()
    qtbot.addWidget(legend)
    picture = pixels(legend)
    for shade in (*palette.BANDS, palette.CUT_BONE):
        assert count(picture, shade) > 80
    assert "1 mm" in legend.accessibleName() and "may be gone" in legend.accessibleName()


def test_volumes():
    assert (volume_words(0.4), volume_words(312.4), volume_words(999.4), volume_words(999.6)) == ("0 mm³", "312 mm³", "999 mm³", "1.00 ml")


def test_before_any_word_there_is_none(desk: Desk):
    assert drill_card(desk.board.moment(), None) is None
