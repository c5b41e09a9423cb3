"""The tools with a real mouse: what is drawn is seen where it will be, and nothing typed is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from tests.gui.tools_hands import CTRL, LEFT, PLAIN, Room, circle, open_room
from tests.gui.tools_room import BALL_MM, BALL_RADIUS_MM, ROD_XY_MM, small_case


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_case(tmp_path_factory.mktemp("scan"))


@pytest.fixture
def room(qtbot: Any, scan: Path, tmp_path: Path) -> Iterator[Room]:
    yield from open_room(qtbot, scan, tmp_path)


def test_what_is_above_the_threshold_is_seen_at_once(room: Room) -> None:
    room.slices.go_to(BALL_MM)
    assert not room.tinted("axial", BALL_MM)
    room.panel.take("bone")
    outside = (BALL_MM[0] + BALL_RADIUS_MM + 3.0, BALL_MM[1], BALL_MM[2])
    room.panel.bone.hu.setValue(300.0)
    assert room.tinted("axial", BALL_MM) and not room.tinted("axial", outside)
    # 100 HU to a millimetre: the overlay of -100 HU reaches 4 mm farther.
    room.panel.bone.slider.setValue(-100)
    assert room.tinted("axial", outside)
    room.panel.take(None)
    assert not room.tinted("axial", BALL_MM)


def test_a_click_in_bone_picks_its_island_only_while_that_is_meant(room: Room, qtbot: Any) -> None:
    room.panel.take("bone")
    room.click("axial", (20.0, 20.0, 20.0))
    assert room.panel.bench is not None
    tool: Any = room.panel.bench.tool
    assert not tool.draft.seeds_mm and room.slices.cursor_mm == pytest.approx((20, 20, 20), abs=0.5)
    QTest.mouseClick(room.panel.bone.doing.buttons["island"], LEFT)
    room.click("coronal", BALL_MM)
    assert tool.draft.seeds_mm[0] == pytest.approx(BALL_MM, abs=0.5)
    assert "looking for its islands" in room.panel.so_far.text()
    # Of the rod, which is above the threshold too and not kept, a grey trace is left.
    qtbot.waitUntil(lambda: room.panel.hand.overlay.kept is not None)
    assert "looking" not in room.panel.so_far.text()
    rod = (ROD_XY_MM[0], ROD_XY_MM[1], 20.0)
    room.slices.go_to((10.0, 60.0, 20.0))
    assert room.tinted("axial", (16.0, 20.0, 20.0)) and not room.tinted("axial", rod)


def test_a_tube_is_drawn_exactly_where_it_will_be(room: Room) -> None:
    room.panel.take("tube")
    room.panel.tube.radius.setValue(6.0)
    for z in (10.0, 30.0, 50.0):
        room.click("axial", (32.0, 40.0, z))
    room.slices.go_to((32.0, 40.0, 40.0))
    assert room.tinted("axial", (32.0 + 4.0, 40.0, 40.0)) and not room.tinted("axial", (32.0 + 8.0, 40.0, 40.0))
    assert room.tinted("coronal", (32.0 - 4.5, 40.0, 20.0)) and not room.tinted("coronal", (32.0 - 8.0, 40.0, 20.0))
    image = room.picture("axial")
    color = QColor("#d8654f")
    rim = np.argwhere(np.abs(image - np.array([color.red(), color.green(), color.blue()])).max(axis=2) < 30)
    assert room.slices.sights is not None
    middle = room.px("axial", (32.0, 40.0, 40.0))
    away = np.hypot(rim[:, 1] + 0.5 - middle.x(), rim[:, 0] + 0.5 - middle.y()) * room.slices.sights.mm_per_px["axial"]
    assert len(rim) > 100 and np.median(away) == pytest.approx(6.0, abs=0.15)


def test_strokes_go_back_and_forth_and_the_draft_outlives_its_tool_and_its_place(room: Room, qtbot: Any) -> None:
    room.panel.take("tube")
    for z in (10.0, 30.0):
        room.click("axial", (32.0, 40.0, z))
    room.drag("axial", [(32.0, 40.0, 30.0), (36.0, 40.0, 30.0)])
    assert room.panel.bench is not None
    tool: Any = room.panel.bench.tool
    assert tool.draft.points_mm[1][0] == pytest.approx(36.0, abs=0.4)
    QTest.mouseClick(room.panel.undo, LEFT)
    assert tool.draft.points_mm[1][0] == pytest.approx(32.0, abs=0.4)
    QTest.mouseClick(room.panel.redo, LEFT)
    room.activateWindow()
    qtbot.waitUntil(room.isActiveWindow)
    room.panel.form.name.setFocus()
    QTest.keyClicks(room.panel.form.name, "bvsd,.")
    assert room.panel.bench.kind == "tube" and room.panel.form.name.text() == "bvsd,.", "letters are letters where text is written"
    room.slices.panes["axial"].setFocus()
    QTest.keyClick(room.slices.panes["axial"], Qt.Key.Key_Escape)
    assert room.panel.bench is None
    room.panel.left()
    room.panel.entered()
    QTest.keyClick(room.slices.panes["axial"], Qt.Key.Key_V)
    assert room.panel.bench is not None and room.panel.bench.tool is tool and len(tool.draft.points_mm) == 2
    QTest.keyClick(room.slices.panes["axial"], Qt.Key.Key_Delete)
    assert len(tool.draft.points_mm) == 1
    QTest.keyClick(room.slices.panes["axial"], Qt.Key.Key_Z, CTRL)
    assert len(tool.draft.points_mm) == 2
    QTest.mouseClick(room.panel.discard, LEFT)
    assert room.panel.bench.empty


def test_a_place_left_has_no_tool_in_the_slices(room: Room) -> None:
    room.panel.take("tube")
    room.panel.left()
    room.click("axial", (32.0, 40.0, 10.0))
    assert room.panel.bench is not None and room.panel.bench.tool.empty


def test_what_is_missing_is_said_at_its_field_and_what_is_typed_stays(room: Room) -> None:
    room.panel.take("sphere")
    room.fill(name="cyst", caution="2", danger="four")
    QTest.mouseClick(room.panel.make, LEFT)
    form = room.panel.form
    assert not room.panel.builder.busy
    assert not form._faults["danger"].isHidden() and "no length" in form._faults["danger"].text()
    assert not form._faults["sd"].isHidden() and "error bar" in form._faults["sd"].text()
    assert "no centre" in room.panel.fault.text() and form._faults["name"].isHidden()
    assert (form.name.text(), form.caution.text(), form.danger.text()) == ("cyst", "2", "four")
    room.fill(danger="1")
    assert form._faults["danger"].isHidden(), "what is being mended is not called wrong meanwhile"
    room.panel.take("tube")
    room.panel.take("sphere")
    assert form.name.text() == "cyst"


def test_a_click_outside_the_scan_is_refused_in_words(room: Room) -> None:
    room.panel.take("tube")
    pane = room.slices.panes["axial"]
    assert room.slices.sights is not None
    room.slices.sights.zoom("axial", -4)
    QTest.mouseClick(pane, LEFT, PLAIN, QPoint(3, pane.height() // 2))
    assert room.panel.bench is not None and room.panel.bench.tool.empty
    assert "outside the scan" in room.panel.fault.text() and room.panel.fault.isVisible()


def test_outlines_that_do_not_meet_are_told_while_they_are_painted(room: Room, qtbot: Any) -> None:
    room.panel.take("paint")
    room.drag("axial", [(12 + 5 * cos(t), 12 + 5 * sin(t), 20.0) for t in np.linspace(0, 2 * pi, 40)])
    room.drag("axial", [(50 + 5 * cos(t), 50 + 5 * sin(t), 30.0) for t in np.linspace(0, 2 * pi, 40)])
    qtbot.waitUntil(lambda: "do not overlap" in room.panel.fault.text())
    QTest.mouseClick(room.panel.undo, LEFT)
    assert not room.panel.fault.isVisible()


def test_a_click_in_the_picture_picks_an_island_or_a_centre(room: Room) -> None:
    hand = room.panel.hand
    hand.picked(BALL_MM)
    room.panel.take("bone")
    hand.picked(BALL_MM)
    assert room.panel.bench is not None and room.panel.bench.empty, "only where that is meant"
    QTest.mouseClick(room.panel.bone.doing.buttons["island"], LEFT)
    hand.picked(BALL_MM)
    tool: Any = room.panel.bench.tool
    assert tool.draft.seeds_mm == (BALL_MM,) and room.slices.cursor_mm == BALL_MM
    room.panel.take("sphere")
    hand.picked((30.0, 31.0, 32.0))
    sphere: Any = room.panel.bench.tool
    assert sphere.draft.centre_mm == (30.0, 31.0, 32.0)


def test_painted_slices_are_a_list_to_go_through(room: Room) -> None:
    room.panel.take("paint")
    for z in (20.0, 40.0, 30.0):
        room.drag("axial", circle(6.0, z))
    page = room.panel.paint
    assert [page.slices.item(n).text() for n in range(3)] == ["1   S 20.0 mm", "2   S 30.0 mm", "3   S 40.0 mm"]
    assert page.slices.currentRow() == 1
    QTest.mouseClick(page.after, LEFT)
    assert room.slices.cursor_mm is not None and room.slices.cursor_mm[2] == 40.0 and page.slices.currentRow() == 2
    QTest.mouseClick(page.clear, LEFT)
    assert page.slices.count() == 2
    QTest.mouseClick(page.before, LEFT)
    assert room.slices.cursor_mm[2] == 30.0
