"""The place of the case with a real mouse: what is changed is shown at once, and written only on purpose."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from gui.case.new import NewCase
from navtwin.scene.case import CASE_FILE, load_scene, read_case_file
from tests.gui.case_room import IN_BONE, IN_TISSUE, IN_VESSEL, LEFT, VESSEL_COLOR, WAIT_MS, CaseRoom, build, copy_of, pixels
from tests.gui.test_case_draft import moment
from tests.scene.cases import at_ijk

TEAL = "#2bb39b"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.getbasetemp() / "navtwin-cache"))
        return build(tmp_path_factory.mktemp("patient") / "made")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path) -> None:
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    QSettings("navtwin", "gui").clear()


@pytest.fixture
def room(qtbot: Any, built: Path, tmp_path: Path) -> Iterator[CaseRoom]:
    made = CaseRoom(copy_of(built, tmp_path / "case"))
    yield made
    made.close()


@pytest.fixture
def bare(qtbot: Any) -> Iterator[CaseRoom]:
    """Without a case."""
    made = CaseRoom(None)
    yield made
    made.close()


def test_the_place_is_there_before_what_measures_is_loaded() -> None:
    """The window opens here: compilers and graphics, seconds of loading, come after it."""
    heavy = "sorted({'numba', 'pyvista', 'vtkmodules', 'scipy'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", f"import sys, gui.case.place; print({heavy})"], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def text_of(room: CaseRoom) -> str:
    assert room.desk.folder is not None
    return (room.desk.folder / CASE_FILE).read_text(encoding="utf-8")


def test_the_slices_show_the_scan_and_the_outlines(room: CaseRoom, qtbot: Any) -> None:
    room.see(qtbot)
    slices = room.place.slices
    for plane, pane in slices.panes.items():
        slices.go_to(IN_BONE)
        room.settle(qtbot)
        slices.panes[plane].crosshair = False
        # Beside the cross of the plane, which is not drawn now.
        inside, tissue = room.grey(plane, (IN_BONE[0] + 2.0, IN_BONE[1] + 2.0, IN_BONE[2] + 2.0)), room.grey(plane, IN_TISSUE)
        assert inside > tissue + 40, plane
        assert "HU" not in pane.note and "bone" in slices.panes["axial"].note
    assert room.share("axial", VESSEL_COLOR) > 0.001
    QTest.keyClick(room.place, Qt.Key.Key_O)
    room.settle(qtbot)
    assert room.share("axial", VESSEL_COLOR) == 0.0


def test_a_click_moves_all_planes_and_the_wheel_goes_slice_by_slice(room: CaseRoom, qtbot: Any) -> None:
    room.see(qtbot)
    slices = room.place.slices
    room.click("axial", IN_VESSEL)
    assert slices.cursor_mm is not None and slices.cursor_mm[:2] == pytest.approx(IN_VESSEL[:2], abs=0.5)
    before = slices.cursor_mm[2]
    pane = slices.panes["axial"]
    for keys in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier):
        at = QPointF(100, 100)
        pane.wheelEvent(QWheelEvent(at, pane.mapToGlobal(at), QPoint(), QPoint(0, 120), LEFT.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False))
    assert slices.cursor_mm[2] - before == pytest.approx(2.0, abs=1.01)
    number = slices.sights.slice_number("axial")[0] if slices.sights else 0
    slices.panes["axial"].setFocus()
    QTest.keyClick(pane, Qt.Key.Key_Down)
    assert slices.sights is not None and slices.sights.slice_number("axial")[0] == number - 1
    QTest.mouseMove(pane, room.px("axial", (IN_VESSEL[0] + 1.0, IN_VESSEL[1], slices.cursor_mm[2])))
    qtbot.waitUntil(lambda: "250 HU" in pane.note)


def test_a_colour_is_a_draft_shown_at_once_and_taken_back(room: CaseRoom, qtbot: Any) -> None:
    room.see(qtbot)
    room.place.slices.go_to(IN_BONE)
    before = text_of(room)
    room.place.structures.choose("vessel")
    QTest.mouseClick(room.place.structures.details.swatches["teal"], LEFT)
    room.settle(qtbot)
    assert room.share("axial", TEAL) > 0.001 and room.share("axial", VESSEL_COLOR) == 0.0
    assert "1 change, not written yet" in room.place.bar.changes.text() and room.place.bar.write.isVisible()
    assert "1 change of" in room.place.unsaved and text_of(room) == before
    QTest.keyClick(room.place, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    room.settle(qtbot)
    assert room.share("axial", VESSEL_COLOR) > 0.001 and room.place.unsaved == "" and not room.place.bar.isVisible()


def test_limits_are_typed_and_written_on_purpose(room: CaseRoom, qtbot: Any) -> None:
    place = room.place
    place.structures.choose("vessel")
    box = place.structures.details.caution
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "3.5")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert "vessel: caution 2 → 3.5 mm" in place.bar.changes.text()
    QTest.keyClick(place, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    changes: list[int] = []
    room.desk.case_changed.connect(lambda: changes.append(1))
    qtbot.waitUntil(lambda: bool(changes), timeout=WAIT_MS)
    assert room.desk.folder is not None and load_scene(room.desk.folder).structure("vessel").caution_mm == 3.5
    assert place.unsaved == "" and place.structures.list.current == "vessel" and box.value() == 3.5


def test_who_leaves_with_a_draft_is_told_and_asked_when_he_is_back(room: CaseRoom, qtbot: Any) -> None:
    said: list[str] = []
    room.desk.said.connect(lambda words, _bad: said.append(words))
    room.place.left()
    assert said == [] and not room.place.bar.ask.isVisible()
    room.place.editing.structure("vessel", caution_mm=3.0)
    assert not room.place.bar.ask.isVisible()
    room.place.left()
    assert said == ["1 change of case is not written to its case.toml. What is not written stays in Case."] and room.place.bar.ask.isVisible()
    QTest.mouseClick(room.place.bar.drop, LEFT)
    assert not room.place.bar.isVisible() and room.place.unsaved == ""


def test_limits_that_cannot_be_are_told_beside_them_and_not_written(room: CaseRoom, qtbot: Any) -> None:
    place = room.place
    place.structures.choose("vessel")
    place.editing.structure("vessel", danger_mm=9.0)
    assert "danger 9 mm is not between 0 and caution 2 mm" in place.structures.details.fault.text()
    assert not place.bar.write.isEnabled() and "danger 9 mm" in place.bar.write.toolTip()


def test_what_keeps_it_from_being_written_stands_in_the_place_and_loses_nothing(room: CaseRoom, qtbot: Any) -> None:
    assert room.desk.folder is not None
    (room.desk.folder / CASE_FILE).write_text(text_of(room) + "# edited by hand\n", encoding="utf-8")
    room.place.editing.structure("vessel", caution_mm=3.0)
    room.write(qtbot)
    assert "was changed after the case was locked" in room.place.bar.refusal.text() and room.place.bar.refusal.isVisible()
    assert "navtwin case check --lock" in room.place.bar.refusal.text()
    assert room.place.editing.structure and room.place.unsaved


def test_without_a_watched_structure_it_says_so(room: CaseRoom, qtbot: Any) -> None:
    place = room.place
    assert not place.structures.note.isVisible()
    place.structures.choose("vessel")
    QTest.mouseClick(place.structures.details.role.buttons["context"], LEFT)
    assert "Nothing is being watched" in place.structures.note.text() and place.structures.note.isVisible()
    assert not place.structures.details.caution.isVisible()


def test_a_plan_is_made_by_two_clicks_moved_by_its_end_and_measured(room: CaseRoom, qtbot: Any) -> None:
    room.see(qtbot)
    place = room.place
    place.slices.go_to(IN_BONE)
    place.slices.panes["axial"].setFocus()
    QTest.keyClick(place, Qt.Key.Key_N)
    assert place.page == "plan" and "where the path enters bone" in place.plans.prompt.text()
    room.click("axial", at_ijk(14, 9, 12))
    assert "where it ends" in place.plans.prompt.text()
    room.click("axial", at_ijk(14, 28, 12))
    plan = place.plans.plan
    assert plan is not None and not place.plans.prompt.isVisible()
    assert plan.entry_mm == pytest.approx(at_ijk(14, 9, 12), abs=0.5) and plan.target_mm == pytest.approx(at_ijk(14, 28, 12), abs=0.5)
    assert place.plans.facts is not None and place.plans.facts.clearances[0].level == "CLEAR"
    # Their axes lie 21 mm apart; the vessel's radius is 4.8 mm, the path's 1.5 mm; a click is good to a pixel.
    assert place.plans.facts.clearances[0].clearance_mm == pytest.approx(21.0 - 4.8 - 1.5, abs=0.7)
    # Along the path: bone around it, the ring of what is drilled, and nothing of the vessel, which is beyond the picture's edge.
    place.slices.go_to(at_ijk(14, 20, 12))
    seen = pixels(place.plans.along)
    assert seen[75, 90].mean() > 60 and (np.abs(seen.astype(int) - (95, 227, 192)).max(axis=-1) < 40).mean() > 0.002
    room.drag("axial", plan.target_mm, IN_VESSEL)
    plan = place.plans.plan
    assert plan is not None and plan.target_mm == pytest.approx(IN_VESSEL, abs=0.6)
    assert "vessel: the path cuts it" in place.plans.clearances.texts[0]
    # One step for the whole drag; the click that moved no end moves the cursor again.
    place.editing.take_back()
    assert place.plans.plan is not None and place.plans.plan.target_mm == pytest.approx(at_ijk(14, 28, 12), abs=0.5)
    room.click("axial", IN_TISSUE)
    assert place.slices.cursor_mm is not None and place.slices.cursor_mm[:2] == pytest.approx(IN_TISSUE[:2], abs=0.5)
    room.write(qtbot)
    assert room.desk.folder is not None and [p.name for p in read_case_file(room.desk.folder).plan] == ["plan 1"]


def test_figures_of_a_plan_that_are_typed(room: CaseRoom, qtbot: Any) -> None:
    place = room.place
    place.show_page("plan")
    place.plans.begin()
    place.plans.pointed(at_ijk(14, 9, 12))
    place.plans.pointed(at_ijk(14, 28, 12))
    field = place.plans.at["entry"]
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "1, 2")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "'1, 2' is no entry" in place.bar.refusal.text() and field.text() == "1, 2"
    field.selectAll()
    QTest.keyClicks(field, "-14 10 -16")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert place.plans.plan is not None and place.plans.plan.entry_mm == (-14.0, 10.0, -16.0)


def test_facts_that_are_not_known_are_called_unknown(room: CaseRoom, qtbot: Any) -> None:
    place = room.place
    place.show_page("patient")
    age = place.facts.fields["age"]
    assert age.text() == "" and age.placeholderText() == "unknown" and not place.facts.fields["name"].isVisible()
    age.setFocus()
    QTest.keyClicks(age, "54 y")
    QTest.keyClick(age, Qt.Key.Key_Return)
    assert "patient: age unknown → 54 y" in place.bar.changes.text()
    room.write(qtbot)
    assert room.desk.scene is not None and room.desk.scene.patient.age == "54 y" and "54 y" in place.header.patient.text()
    assert "every file is as it was locked" in place.facts.provenance.text()


def test_the_check_of_the_case_stands_in_words(room: CaseRoom, qtbot: Any) -> None:
    header = room.place.header
    qtbot.waitUntil(lambda: bool(header.findings), timeout=WAIT_MS)
    assert "warning" in header.verdict.text()
    QTest.mouseClick(header.verdict, LEFT)
    assert "no landmarks: the patient cannot be registered" in header.told.text() and header.told.isVisible()


def test_a_running_session_is_told_new_limits_only_when_asked(room: CaseRoom, qtbot: Any) -> None:
    place = room.place
    assert room.desk.scene is not None
    place.structures.choose("vessel")
    place.show_moment(moment("e1", room.desk.scene.case_hash), 0)
    assert place.structures.details.session_words.isVisible() and not place.structures.details.tell.isVisible()
    place.editing.structure("vessel", caution_mm=3.0)
    assert room.orders == [] and place.structures.details.tell.isVisible()
    QTest.mouseClick(place.structures.details.tell, LEFT)
    assert [(o.structure, o.caution_mm, o.danger_mm) for o in room.orders] == [("vessel", 3.0, 1.2)]  # type: ignore[union-attr]
    assert not place.structures.details.tell.isVisible() and place.unsaved


def test_what_is_left_of_another_case_waits_to_be_written_or_dropped(room: CaseRoom, qtbot: Any, tmp_path: Path) -> None:
    assert room.desk.folder is not None
    first, other = room.desk.folder, copy_of(room.desk.folder, tmp_path / "other")
    room.place.editing.structure("vessel", caution_mm=3.0)
    room.desk.set_case(load_scene(other))
    bar = room.place.bar
    assert "1 change of case is not written" in bar.behind.text() and bar.write_behind.isVisible() and not bar.changes.isVisible()
    QTest.mouseClick(bar.write_behind, LEFT)
    qtbot.waitUntil(lambda: room.place.editing.left_behind is None, timeout=WAIT_MS)
    assert read_case_file(first).structure[1].caution_mm == 3.0 and read_case_file(other).structure[1].caution_mm == 2.0


def test_without_a_case_a_card_says_what_to_do(bare: CaseRoom, qtbot: Any, built: Path, tmp_path: Path) -> None:
    place = bare.place
    assert place.cover.open.isVisible() and not place.slices.isVisible()
    case = copy_of(built, tmp_path / "case")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(case))])
    drop = QDropEvent(QPointF(300, 300), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    place.dropEvent(drop)
    qtbot.waitUntil(lambda: bare.desk.scene is not None, timeout=WAIT_MS)
    assert place.slices.isVisible() and not place.cover.isVisible()
    # It is among the cases opened last from now on.
    place.cover.refresh()
    assert any("case" in one.text() for one in place.cover.card.findChildren(QPushButton) if one.property("flat"))


def test_a_folder_that_is_no_case_is_told_where_it_was_asked_for(bare: CaseRoom, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / CASE_FILE).write_text("nonsense", encoding="utf-8")
    bare.place.cover.offer(tmp_path)
    qtbot.waitUntil(lambda: bool(bare.place.cover.refusal.text()), timeout=WAIT_MS)
    assert "is not valid TOML" in bare.place.cover.refusal.text() and bare.place.cover.refusal.isVisible()


class FakeWork:
    """Commands that end as they are told."""

    def __init__(self, form: NewCase) -> None:
        self.asked: list[list[str]] = []
        form._desk.command = self._command  # type: ignore[method-assign]

    def _command(self, _title: str, arguments: list[str], done: Any) -> Any:
        from gui.desktop.jobs import Job

        self.asked.append(arguments)
        self.job = Job("making", lambda: None)
        self.job.ended.connect(lambda _result, words: done(words))
        return self.job


def test_a_refused_ct_leaves_its_choices_as_buttons(bare: CaseRoom, qtbot: Any, tmp_path: Path) -> None:
    form = bare.place.cover.form
    work = FakeWork(form)
    bare.place.cover.offer(tmp_path / "study")
    form.home.setText(str(tmp_path / "cases"))
    assert form.isVisible() and form.name.text() == "study"
    QTest.mouseClick(form.make, LEFT)
    assert work.asked == [["case", "new", str(tmp_path / "cases" / "study"), "--ct", str(tmp_path / "study"), "--name", "study"]]
    assert form.stop.isVisible() and not form.source.isEnabled()
    work.job.told.emit("reading the CT")
    assert form.progress.text() == "reading the CT"
    work.job.ended.emit(None, "navtwin: study holds 2 CT series. Choose with --series N: 1: CT 'A' (9 x 9 x 9); 2: CT 'B' (9 x 9 x 8).")
    assert form.refusal.text() == "study holds 2 CT series. Choose one:"
    choice = form._ways.itemAt(1).widget()
    assert isinstance(choice, QPushButton) and choice.text() == "Series 2: CT 'B' (9 x 9 x 8)"
    choice.click()
    assert work.asked[1][-2:] == ["--series", "2"]
    work.job.ended.emit(None, "cancelled")
    assert form.refusal.text() == "" and form.make.isVisible() and form.source.text() == str(tmp_path / "study")


@pytest.mark.heavy
def test_the_picture_is_drawn_picked_and_drawn_otherwise(room: CaseRoom, qtbot: Any) -> None:
    room.see(qtbot)
    place = room.place
    scene3d = place.scene3d
    ready: list[object] = []
    scene3d.ready.connect(ready.append)
    place.entered()
    qtbot.waitUntil(lambda: bool(ready) and scene3d.view is not None, timeout=WAIT_MS)
    place.editing.structure("bone", color="#2f8fd0")
    scene3d.show_solid(True)
    # From his right, where nothing stands before the bone: the vessel lies to his left.
    scene3d.look_from("R")
    assert scene3d.view is not None
    scene3d.view.paint(still=True)
    image = pixels(scene3d.view.widget).astype(int)
    blue = (image[..., 2] - image[..., 0] > 40).mean()
    assert blue > 0.02, "the bone in its new colour"
    picked: list[Any] = []
    scene3d.picked.connect(picked.append)
    scene3d.met.connect(picked.append)
    low, high = scene3d._picture.bounds_mm(place.editing.looks)  # type: ignore[union-attr, misc]
    widget = scene3d.view.widget
    QTest.mouseClick(widget, LEFT, pos=QPoint(widget.width() // 2, widget.height() // 2))
    assert picked and picked[0] in ("bone", "vessel")
    x, y, z = picked[1]
    assert (y, z) == pytest.approx(((low + high) / 2.0)[1:], abs=0.6)
    assert place.slices.cursor_mm == pytest.approx((x, y, z), abs=1e-6) and place.structures.list.current == picked[0]
    assert place.editing.volumes_ml["bone"] == pytest.approx(4 / 3 * 3.1416 * 10 * 12 * 14 / 1000, rel=0.05)
