"""Structures made, changed and taken out with the mouse: as large as they should be, in the case and checked."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtTest import QTest

from gui.case.tools.panel import ToolsPanel
from gui.case.tools.sheet import Kind
from navtwin.scene.author.into_case import Declared, add_made, list_structures
from navtwin.scene.author.recipe import Sphere, Tube
from navtwin.scene.check import check_case, relock
from tests.gui.tools_hands import LEFT, WAIT_MS, Room, circle, open_room, wait_for_case
from tests.gui.tools_room import BALL_MM, BALL_RADIUS_MM, ROD_XY_MM, small_case


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_case(tmp_path_factory.mktemp("scan"))


@pytest.fixture
def room(qtbot: Any, scan: Path, tmp_path: Path) -> Iterator[Room]:
    yield from open_room(qtbot, scan, tmp_path)


def volume_of(room: Room, name: str) -> float:
    assert room.desk.folder is not None
    return next(one.volume_mm3 for one in list_structures(room.desk.folder) if one.name == name)


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


def test_one_that_cannot_be_taken_out_stays_and_says_why(furnished: Room, qtbot: Any) -> None:
    panel, folder = furnished.panel, furnished.desk.folder
    assert folder is not None
    with (folder / "case.toml").open("a", encoding="utf-8") as file:
        file.write("# edited by hand\n")
    panel.made.choose("cyst")
    QTest.mouseClick(panel.made.remove, LEFT)
    wait_for_case(furnished, qtbot, lambda: QTest.mouseClick(panel.made.yes, LEFT))
    assert panel.fault.isVisible() and "case.toml" in panel.fault.text() and "case check --lock" in panel.fault.text()
    relock(folder)
    wait_for_case(furnished, qtbot, furnished.desk.reload_case)
    assert not panel.fault.isVisible() and panel.made.isVisible()


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
