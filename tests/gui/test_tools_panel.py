"""The tools with a real mouse: what is clicked and dragged in the slices becomes structures of known size, and nothing typed is lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui.case.slices import CaseSlices
from gui.case.tools_panel import ToolsPanel
from gui.case.tools_sheet import Kind
from gui.desktop.desk import Desk
from gui.link.board import Board
from gui.slices.painting import to_px
from navtwin.bus.link import Link
from navtwin.rigid import Vec3
from navtwin.scene import load_scene
from navtwin.scene.author.into_case import Declared, add_made, list_structures
from navtwin.scene.author.recipe import Sphere, Tube
from navtwin.scene.check import check_case
from navtwin.scene.slices import Plane
from tests.gui.tools_room import BALL_MM, BALL_RADIUS_MM, ROD_XY_MM, small_case

LEFT, CTRL, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
WAIT_MS = 60_000


class Room(QWidget):
    """A panel beside its slices, and hands for them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.desk = Desk(Board(Link(0), time.monotonic_ns), lambda _order: None, (0, 0))
        self.slices = CaseSlices(self)
        self.panel = ToolsPanel(self.desk, self.slices, None, self)
        row = QHBoxLayout(self)
        row.addWidget(self.panel)
        row.addWidget(self.slices, 1)
        self.panel.setFixedWidth(340)
        self.resize(1100, 700)
        self.desk.case_changed.connect(lambda: self.slices.set_scene(self.desk.scene))
        self.desk.set_case(load_scene(folder))
        self.show()

    def px(self, plane: Plane, at: Vec3) -> QPoint:
        assert self.slices.sights is not None
        x, y = to_px(at, self.slices.sights.field(plane))
        return QPoint(round(float(x)), round(float(y)))

    def click(self, plane: Plane, at: Vec3, keys: Qt.KeyboardModifier = PLAIN) -> None:
        self.slices.go_to(at)
        QTest.mouseClick(self.slices.panes[plane], LEFT, keys, self.px(plane, at))

    def drag(self, plane: Plane, way: list[Vec3], keys: Qt.KeyboardModifier = PLAIN) -> None:
        self.slices.go_to(way[0])
        pane = self.slices.panes[plane]
        QTest.mousePress(pane, LEFT, keys, self.px(plane, way[0]))
        for at in way[1:]:
            QTest.mouseMove(pane, self.px(plane, at))
        QTest.mouseRelease(pane, LEFT, keys, self.px(plane, way[-1]))

    def fill(self, **texts: str) -> None:
        for field, text in texts.items():
            line = getattr(self.panel.form, field)
            line.selectAll()
            QTest.keyClicks(line, text)

    def make(self, qtbot: Any) -> tuple[str, ...]:
        """Press the button, and wait until the case is loaded again."""
        changes: list[int] = []
        self.desk.case_changed.connect(lambda: changes.append(1))
        assert self.panel.bench is not None
        QTest.mouseClick(self.panel.make, LEFT)
        if self.panel.builder.busy:
            qtbot.waitUntil(lambda: bool(changes), timeout=WAIT_MS)
        return self.panel.bench.said

    def picture(self, plane: Plane) -> np.ndarray:
        image = self.slices.panes[plane].grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)

    def tinted(self, plane: Plane, at: Vec3) -> bool:
        """Whether a place is drawn in another colour than grey."""
        spot = self.px(plane, at)
        red, green, blue = self.picture(plane)[spot.y(), spot.x()]
        return max(red, green, blue) - min(red, green, blue) > 12


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_case(tmp_path_factory.mktemp("scan"))


@pytest.fixture
def room(qtbot: Any, scan: Path, tmp_path: Path) -> Iterator[Room]:
    from shutil import copytree

    copytree(scan, tmp_path / "case")
    made = Room(tmp_path / "case")
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.slices.volume is not None, timeout=WAIT_MS)
    yield made
    made.desk.release()
    made.slices.release()


def circle(radius: float, z: float, turn: float = 2 * pi) -> list[Vec3]:
    return [(32 + radius * cos(t), 32 + radius * sin(t), z) for t in np.linspace(0.0, turn, 60)]


def volume_of(room: Room, name: str) -> float:
    assert room.desk.folder is not None
    return next(one.volume_mm3 for one in list_structures(room.desk.folder) if one.name == name)


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


@pytest.mark.heavy
def test_all_four_are_made_with_the_mouse_and_are_as_large_as_they_should_be(room: Room, qtbot: Any) -> None:
    panel, folder = room.panel, room.desk.folder
    assert folder is not None
    watched = {"caution": "4", "danger": "2", "sd": "0,5", "author": "Dr A. Example"}

    def begin(kind: Kind, **texts: str) -> None:
        panel.take(kind)
        room.fill(**texts)

    # Bone: the ball alone, by its island.
    begin("bone", name="ball bone", author="Dr A. Example")
    panel.bone.hu.setValue(300.0)
    QTest.mouseClick(panel.bone.doing.buttons["island"], LEFT)
    room.click("axial", BALL_MM)
    said = room.make(qtbot)
    assert any("1 of 2 islands kept" in one for one in said)
    assert "nobody declared its error" in panel.doubts.text() and panel.doubts.isVisible() and "islands kept" in panel.said.text()
    assert volume_of(room, "ball bone") == pytest.approx(4 / 3 * pi * BALL_RADIUS_MM**3, rel=0.02)

    # A tube along the rod, inside the scan.
    begin("tube", name="rod", **watched)
    panel.tube.radius.setValue(4.0)
    for z in (10.0, 25.0, 40.0, 54.0):
        room.click("axial", (*ROD_XY_MM, z))
    room.make(qtbot)
    assert volume_of(room, "rod") == pytest.approx(pi * 16 * 44 + 4 / 3 * pi * 64, rel=0.01)

    # A sphere, its radius dragged.
    begin("sphere", name="cyst", **watched)
    room.drag("sagittal", [(20.0, 45.0, 45.0), (20.0, 48.0, 45.0), (20.0, 52.0, 45.0)])
    room.make(qtbot)
    radius = list_structures(folder)[-1].recipe.edit[0].radius_mm  # type: ignore[union-attr]
    assert radius == pytest.approx(7.0, abs=0.3)
    assert volume_of(room, "cyst") == pytest.approx(4 / 3 * pi * radius**3, rel=0.001)

    # A cone painted on three slices by hand; between them radii go evenly.
    begin("paint", name="tumour", **watched)
    for z, r in ((20.0, 6.0), (26.0, 9.0), (32.0, 12.0)):
        room.drag("axial", circle(r, z))
    qtbot.waitUntil(lambda: panel.hand.overlay.between is not None)
    room.slices.go_to((32.0, 32.0, 29.0))
    assert room.tinted("axial", (32.0 + 9.0, 32.0, 29.0)) and not room.tinted("axial", (32.0 + 12.5, 32.0, 29.0))
    room.make(qtbot)
    z = np.linspace(17.0, 35.0, 2000)
    cone = float(np.mean(pi * np.clip(6.0 + (z - 20.0) / 2.0, 6.0, 12.0) ** 2) * 18.0)
    assert volume_of(room, "tumour") == pytest.approx(cone, rel=0.03)

    assert [one for one in check_case(folder).findings if one.level == "fault"] == []
    assert {one.recipe.author for one in list_structures(folder) if one.recipe is not None} == {"Dr A. Example"}


def wait_for_case(room: Room, qtbot: Any, act: Callable[[], object]) -> None:
    changes: list[int] = []
    room.desk.case_changed.connect(lambda: changes.append(1))
    act()
    qtbot.waitUntil(lambda: bool(changes), timeout=WAIT_MS)


@pytest.fixture
def furnished(room: Room, qtbot: Any) -> Room:
    """With a tube along the rod and a sphere, made as by command."""
    folder = room.desk.folder
    assert folder is not None
    points = tuple((*ROD_XY_MM, z) for z in (10.0, 25.0, 40.0, 54.0))
    add_made(folder, Declared("rod", "critical", 4.0, 2.0, 0.5), (Tube(points, (4.0,)),), "A", "2026-11-20")
    add_made(folder, Declared("cyst", "critical", 4.0, 2.0, 0.5), (Sphere((20.0, 45.0, 45.0), 6.0),), "A", "2026-11-20")
    wait_for_case(room, qtbot, room.desk.reload_case)
    return room


@pytest.mark.heavy
def test_what_was_made_comes_back_into_its_tool_and_is_built_anew(furnished: Room, qtbot: Any) -> None:
    room, panel, folder = furnished, furnished.panel, furnished.desk.folder
    assert folder is not None
    panel.made.choose("rod")
    QTest.mouseClick(panel.made.change, LEFT)
    assert panel.bench is not None and panel.bench.subject is not None and panel.make.text() == "Rebuild"
    tool: Any = panel.bench.tool
    assert len(tool.draft.points_mm) == 4 and panel.form.sd.text() == "0.5"
    QTest.mouseClick(panel.make, LEFT)
    assert "has changed yet" in panel.fault.text() and not panel.builder.busy
    end = tool.draft.points_mm[3]
    room.drag("axial", [end, (end[0] - 6.0, end[1], end[2])])
    room.fill(sd="0.9", author="B")
    said = room.make(qtbot)
    assert any(one.startswith("was 1: tube") for one in said) and "sd_mm was 0.5, is 0.9" in said
    rod = list_structures(folder)[0]
    assert rod.recipe is not None and (rod.recipe.author, rod.recipe.changed_by, rod.sd_mm) == ("A", "B", 0.9)
    assert rod.recipe.edit[0].points_mm[3][0] == pytest.approx(end[0] - 6.0, abs=0.5)  # type: ignore[union-attr]


def test_a_name_that_is_taken_is_refused_where_it_is_typed(furnished: Room) -> None:
    room, panel = furnished, furnished.panel
    panel.take("sphere")
    room.fill(name="rod", caution="4", danger="2", sd="0.5")
    room.drag("axial", [(20.0, 45.0, 20.0), (25.0, 45.0, 20.0)])
    QTest.mouseClick(panel.make, LEFT)
    assert "has a structure 'rod'" in panel.form._faults["name"].text() and not panel.builder.busy


def test_one_is_taken_out_after_a_question_and_its_recipe_is_told(furnished: Room, qtbot: Any) -> None:
    panel, folder = furnished.panel, furnished.desk.folder
    assert folder is not None
    panel.made.choose("cyst")
    QTest.mouseClick(panel.made.remove, LEFT)
    assert panel.made.question.isVisible() and "nobody is warned" in panel.made.question.text()
    QTest.mouseClick(panel.made.no, LEFT)
    assert not panel.made.question.isVisible() and not panel.builder.busy
    QTest.mouseClick(panel.made.remove, LEFT)
    wait_for_case(furnished, qtbot, lambda: QTest.mouseClick(panel.made.yes, LEFT))
    assert [one.name for one in list_structures(folder)] == ["rod"]
    assert "is out of the case" in panel.said.text() and "its recipe was" in panel.said.text() and "radius_mm = 6.0" in panel.said.text()


def test_a_shape_can_be_taken_out_of_one_that_is_there(furnished: Room, qtbot: Any) -> None:
    room, panel, folder = furnished, furnished.panel, furnished.desk.folder
    assert folder is not None
    panel.take("sphere")
    row = panel.goes.findText("Take out of cyst")
    panel.goes.setCurrentIndex(row)
    panel.goes.activated.emit(row)
    assert panel.goes.currentIndex() == row
    assert not panel.form.name.isVisible() and panel.form.author.isVisible() and panel.make.text() == "Add the step"
    room.drag("axial", [(20.0, 45.0, 49.0), (24.0, 45.0, 49.0)])
    room.make(qtbot)
    cyst = list_structures(folder)[1]
    assert len(cyst.steps) == 2 and cyst.steps[1].startswith("2: less sphere") and cyst.volume_mm3 < 4 / 3 * pi * 216 - 50


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


def test_who_made_the_last_one_is_who_makes_the_next(room: Room, qtbot: Any) -> None:
    room.panel.take("sphere")
    room.fill(name="cyst", caution="4", danger="2", sd="0.5", author="Dr B")
    room.drag("axial", [(20.0, 45.0, 20.0), (25.0, 45.0, 20.0)])
    room.make(qtbot)
    other = ToolsPanel(room.desk, room.slices, None)
    qtbot.addWidget(other)
    assert other.workbench is not None and other.workbench.benches["tube"].sheet.author == "Dr B"


@pytest.mark.heavy
def test_bone_that_is_cancelled_leaves_case_and_draft_as_they_were(room: Room, qtbot: Any) -> None:
    folder, panel = room.desk.folder, room.panel
    assert folder is not None
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    panel.take("bone")
    panel.bone.hu.setValue(300.0)
    jobs: list[Any] = []
    room.desk.working.connect(jobs.append)
    QTest.mouseClick(panel.make, LEFT)
    qtbot.waitUntil(lambda: bool(jobs), timeout=WAIT_MS)
    wait_for_case(room, qtbot, jobs[0].cancel)
    assert panel.bench is not None and "Cancelled" in panel.fault.text() and panel.bench.tool.draft.hu == 300.0  # type: ignore[union-attr]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".case")] == []


@pytest.mark.heavy
def test_a_refusal_of_the_build_is_read_in_the_panel_and_the_draft_stays(room: Room, qtbot: Any) -> None:
    panel = room.panel
    panel.take("bone")
    panel.bone.hu.setValue(300.0)
    QTest.mouseClick(panel.bone.doing.buttons["island"], LEFT)
    room.click("axial", (5.0, 55.0, 30.0))
    room.make(qtbot)
    assert panel.bench is not None and "lies in no island" in panel.fault.text() and "Place it on the structure" in panel.fault.text()
    assert len(panel.bench.tool.draft.seeds_mm) == 1  # type: ignore[union-attr]
    changed = room.desk.folder
    assert changed is not None and list_structures(changed) == ()
