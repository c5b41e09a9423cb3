"""Landmarks in the place of the case: what a hand may do to them, without a window; and clicked, dragged, named and written with a real mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest

from gui.case.draft import CaseDraft
from gui.case.landmark_hand import LandmarkHand, bone_words, free_name, mark_near, off_bone_mm, side_words, warnings
from gui.desktop.desk import Desk
from navtwin.errors import InputRefused
from navtwin.scene.case import LandmarkEntry, load_scene, read_case_file
from navtwin.scene.model import Landmark, Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import volume_box
from tests.gui.case_room import WAIT_MS, CaseRoom, build, copy_of
from tests.gui.test_case_draft import CASE
from tests.scene.cases import at_ijk

#: 100 mm from corner to corner along each axis, from the origin on.
SCAN = volume_box(np.eye(4), (100, 100, 100))
#: On the bone: its uppermost, its hindmost and its leftmost point, and one well inside the tissue beside it.
TOP, BACK, SIDE, OFF = at_ijk(16, 20, 18.9), at_ijk(16, 8.1, 12), at_ijk(25.9, 20, 12), at_ijk(4, 30, 12)


def mark(name: str, *at: float) -> Landmark:
    return Landmark(name, (at[0], at[1], at[2]))


def entry(name: str, *at: float) -> LandmarkEntry:
    return LandmarkEntry(name=name, position_mm=(at[0], at[1], at[2]))


def test_a_draft_of_landmarks_is_told_in_words_and_taken_back() -> None:
    draft = CaseDraft(Path("case"), CASE)
    for n, at in enumerate(((1.0, 1.0, 1.0), (50.0, 1.0, 1.0), (1.0, 50.0, 1.0))):
        assert (draft.faults() == ()) == (n == 0)
        draft.add_landmark(entry(f"landmark {n + 1}", *at), SCAN)
    assert draft.faults() == () and draft.words() == ("landmark 1: new", "landmark 2: new", "landmark 3: new")
    written = draft.now
    draft.accept(written)
    draft.rename_landmark("landmark 2", "spinous process")
    for x in (10.0, 20.0, 31.0):
        draft.move_landmark("landmark 1", (x, 1.0, 1.0), SCAN, "drag")
    draft.remove_landmark("landmark 3")
    told = ("landmark 1: position moved by 30.0 mm", "landmark spinous process: new", "landmark 2: removed", "landmark 3: removed")
    assert draft.words() == told and "there are 2 landmarks" in draft.faults()[0]
    # The drag is one step.
    for _ in range(2):
        draft.take_back()
    assert draft.words() == ("landmark spinous process: new", "landmark 2: removed")
    # Somebody else changes a structure meanwhile: what is not written of the landmarks stays.
    draft.rebase(written)
    assert [one.name for one in draft.now.landmark] == ["landmark 1", "spinous process", "landmark 3"]


@pytest.mark.parametrize(("act", "problem"), [
    (lambda d: d.add_landmark(entry("a", 5.0, 5.0, 5.0), SCAN), "there is a landmark 'a' already"),
    (lambda d: d.add_landmark(entry("  ", 5.0, 5.0, 5.0), SCAN), "a landmark needs a name"),
    (lambda d: d.add_landmark(entry("b", 5.0, 500.0, 5.0), SCAN), "outside the scan"),
    (lambda d: d.move_landmark("a", (-9.0, 0.0, 0.0), SCAN), "outside the scan"),
    (lambda d: d.rename_landmark("a", ""), "a landmark needs a name"),
])  # fmt: skip
def test_what_is_refused_leaves_the_landmarks_as_they_were(act: Any, problem: str) -> None:
    draft = CaseDraft(Path("case"), CASE)
    draft.add_landmark(entry("a", 1.0, 1.0, 1.0), SCAN)
    before = draft.now
    with pytest.raises(InputRefused, match=problem):
        act(draft)
    assert draft.now == before


def test_what_a_hand_means() -> None:
    marks = (mark("a", 0, 0, 0), mark("landmark 1", 4, 0, 0), mark("deep", 0, 0, 30))
    assert free_name(marks) == "landmark 2" and side_words((12.3, 75.94, -228.3)) == "L 12.3 P 75.9 I 228.3"
    # The nearest on the screen; the chosen one where both are within reach; nothing that lies far behind the slice.
    assert mark_near(marks, "", "axial", (3.0, 0.0, 0.0), 1.0) == "landmark 1"
    assert mark_near(marks, "a", "axial", (3.0, 0.0, 0.0), 1.0) == "a"
    assert mark_near(marks, "", "axial", (3.0, 0.0, 0.0), 0.2) == "landmark 1" and mark_near(marks, "", "axial", (30.0, 0.0, 0.0), 1.0) == ""
    assert mark_near(marks[2:], "", "axial", (0.0, 0.0, 0.0), 1.0) == ""
    hand = LandmarkHand()
    hand.move("a")
    assert hand.placing and "where a is" in hand.words
    hand.stop()
    assert not hand.placing and hand.words == ""


def test_what_speaks_against_a_set_of_landmarks() -> None:
    wide = (mark("a", 0, 0, 0), mark("b", 40, 0, 0), mark("c", 0, 40, 0), mark("d", 40, 40, 0))
    assert warnings((), {}, True) == () and warnings(wide, {}, True) == ()
    assert "place 2 more" in warnings(wide[:1], {}, True)[0]
    assert "nearly on a line" in warnings((mark("a", 0, 0, 0), mark("b", 40, 4, 0), mark("c", 80, 0, 0)), {}, True)[0]
    assert warnings(wide, {wide[1].position_mm: 12.4, wide[2].position_mm: 2.9}, True) == (
        "b is 12 mm off the bone: a pointer cannot touch it there.",
    )
    assert "not known" in warnings(wide, {}, False)[0]
    assert (bone_words(None), bone_words(0.4), bone_words(12.4)) == ("to bone: —", "on bone", "12 mm off")


def test_how_far_a_point_is_from_what_may_be_cut() -> None:
    corners = np.array([(0, 0, 0), (30, 0, 0), (0, 30, 0), (0, 0, 30)], float)
    wedge = Surface.from_arrays(corners, np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]))
    bone = Structure("bone", "work", "ref", wedge, None, None, 0.3, 15.0, "#ffffff", 1.0, False)
    points = [(5.0, 5.0, -7.0), (5.0, 5.0, 2.0)]
    assert off_bone_mm([bone], points) == pytest.approx({points[0]: 7.0, points[1]: 2.0})
    assert off_bone_mm([], points) == {}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.getbasetemp() / "navtwin-cache"))
        return build(tmp_path_factory.mktemp("patient") / "made")


@pytest.fixture
def room(qtbot: Any, built: Path, tmp_path: Path) -> Iterator[CaseRoom]:
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    made = CaseRoom(copy_of(built, tmp_path / "case"))
    yield made
    made.close()


def key(room: CaseRoom, which: Qt.Key, *, ctrl: bool = False) -> None:
    QTest.keyClick(room.place, which, Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier)


def drawn(room: CaseRoom, at: tuple[float, float, float]) -> int:
    """How bright the axial slice is painted where a landmark is."""
    room.place.slices.panes["axial"].crosshair = False
    return room.grey("axial", at)


def test_landmarks_are_clicked_named_moved_and_written(room: CaseRoom, qtbot: Any) -> None:
    room.see(qtbot)
    place, page = room.place, room.place.landmarks
    key(room, Qt.Key.Key_3, ctrl=True)
    assert place.page == "landmarks" and page.isVisible() and not page.list.isVisible()
    place.slices.go_to(at_ijk(16, 20, 12))
    room.settle(qtbot)
    plain = drawn(room, OFF)
    key(room, Qt.Key.Key_N)
    assert "Click where the landmark is" in page.prompt.text() and page.prompt.isVisible()
    room.click("axial", OFF)
    assert page.landmark is not None and page.landmark.position_mm == pytest.approx(OFF, abs=0.6) and not page.prompt.isVisible()
    assert drawn(room, page.landmark.position_mm) > plain + 60
    # Its name is asked for at once, the suggestion chosen so that typing replaces it.
    assert page.name.text() == "landmark 1" and page.name.selectedText() == "landmark 1"
    QTest.keyClicks(page.name, "ridge")
    QTest.keyClick(page.name, Qt.Key.Key_Return)
    assert page.chosen == "ridge" and [m.name for m in place.editing.landmarks] == ["ridge"]
    qtbot.waitUntil(lambda: "mm off the bone: a pointer cannot touch it there" in page.doubts.text(), timeout=WAIT_MS)
    assert "place 2 more" in page.doubts.text() and not place.bar.write.isEnabled()
    # Dragged to the bone, within the slice.
    room.drag("axial", page.landmark.position_mm, BACK)
    assert page.landmark.position_mm == pytest.approx((BACK[0], BACK[1], OFF[2]), abs=0.6)
    qtbot.waitUntil(lambda: "on bone" in page.list.item(0).text(), timeout=WAIT_MS)
    # What was met in 3D is taken as it is.
    for at in (TOP, SIDE, OFF):
        page.begin()
        place.scene3d.picked.emit(at)
        page.list.setFocus()
    assert np.array([m.position_mm for m in place.editing.landmarks[1:]]) == pytest.approx(np.array([TOP, SIDE, OFF]), abs=1e-3)
    # The last one is placed anew by E and a click; then taken out and brought back.
    key(room, Qt.Key.Key_E)
    room.click("axial", at_ijk(6.1, 20, 12))
    assert page.landmark is not None and page.landmark.position_mm == pytest.approx(at_ijk(6.1, 20, 12), abs=0.6)
    key(room, Qt.Key.Key_Delete)
    assert len(place.editing.landmarks) == 3 and page.chosen == "landmark 2"
    key(room, Qt.Key.Key_Z, ctrl=True)
    assert len(place.editing.landmarks) == 4
    key(room, Qt.Key.Key_G)
    assert place.slices.cursor_mm == pytest.approx(SIDE)
    qtbot.waitUntil(lambda: not page.doubts.isVisible(), timeout=WAIT_MS)
    room.write(qtbot)
    assert room.desk.folder is not None and [m.name for m in load_scene(room.desk.folder).landmarks][:2] == ["ridge", "landmark 1"]
    assert place.unsaved == "" and page.list.count() == 4


def test_a_click_or_a_name_that_is_refused_says_why_and_can_be_made_anew(room: CaseRoom, qtbot: Any) -> None:
    place, page = room.place, room.place.landmarks
    place.show_page("landmarks")
    page.begin()
    page.pointed((900.0, 0.0, 0.0))
    assert "outside the scan" in place.bar.refusal.text() and page.hand.adding and place.editing.landmarks == ()
    # The next click is still meant for it.
    page.pointed(TOP)
    page.begin()
    page.pointed(BACK)
    page.name.setText("landmark 1")
    page.name.editingFinished.emit()
    assert "there is a landmark 'landmark 1' already" in place.bar.refusal.text() and page.chosen == "landmark 2"
    # A landmark is placed only on its own page; elsewhere N means a plan.
    page.begin()
    place.show_page("patient")
    assert not page.hand.placing
    key(room, Qt.Key.Key_N)
    assert place.page == "plan" and place.plans.hand.placing and read_case_file(room.desk.folder or Path()).landmark == ()


def test_work_that_is_not_shown_ends_all_the_same(qtbot: Any, room: CaseRoom) -> None:
    shown: list[object] = []
    ended: list[object] = []
    desk: Desk = room.desk
    desk.working.connect(shown.append)
    desk.beside("quietly", lambda report: 7, lambda result, words: ended.append((result, words)), shown=False)
    qtbot.waitUntil(lambda: bool(ended))
    assert ended == [(7, "")] and not any(getattr(job, "title", "") == "quietly" for job in shown)
