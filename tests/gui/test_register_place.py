"""The Register place on no display, over a real fold: what is written, what can be pressed, and the picture's own pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.desktop.desk import Desk
from gui.ink import DARK
from gui.register.place import RegisterPlace
from gui.register.ring import DwellRing
from gui.register.standpoint import standpoint_of
from navtwin.nouns import Accept, Collect, Order, Register, Reject, Undo
from navtwin.scene import palette, tre_map
from navtwin.sound.cues import CueName, Cues
from tests.gui.register_room import NAMES, Session, rig, scene
from tests.gui.room import Desk as Wire

Pixels = np.ndarray[Any, Any]


class Silence(Cues):
    """Remembers what it was asked to play."""

    def __init__(self) -> None:
        super().__init__()
        self.played: list[CueName] = []

    def start(self) -> None:
        self.fault = "no audio device"

    def play(self, name: CueName) -> None:
        self.played.append(name)


class Room:
    """The place with its desk, and the session that it shows."""

    def __init__(self, qtbot: Any) -> None:
        self.wire, self.cues = Wire(), Silence()
        self.orders: list[Order] = []
        self.desk = Desk(self.wire.board, self.obey, (1, 2), self.wire.clock, "127.0.0.1")
        self.session = Session(self.hear)
        self.desk.set_rig(rig(), None)
        self.place = RegisterPlace(self.desk, cues=self.cues)
        qtbot.addWidget(self.place)
        self.place.setStyleSheet(theme.style_sheet(1.0))
        self.place.set_scale(1.0)
        self.place.resize(1184, 680)
        self.qtbot = qtbot

    def hear(self, topic: Any, body: Any) -> None:
        self.wire.clock.ns = max(self.wire.clock.ns, self.session.now_ns) if hasattr(self, "session") else 0
        self.wire.hear(topic, body)

    def obey(self, order: Order) -> None:
        """Orders of the place reach the fold at once."""
        self.orders.append(order)
        self.wire.board.sent("one", order)
        reply = self.session.order(order)
        self.wire.hear("reply", msgspec.structs.replace(reply, id="one"))

    def open(self) -> None:
        """The place in front, with a case and a calibrated pointer."""
        self.desk.set_case(scene())
        self.place.show()
        self.place.entered()
        # Shortcuts hold in the window in front.
        self.place.activateWindow()
        self.qtbot.waitUntil(self.place.isActiveWindow)
        self.session.calibrate()
        self.show()

    def show(self) -> None:
        self.wire.clock.ns = max(self.wire.clock.ns, self.session.now_ns) + 1
        self.wire.hear("setup", self.session.setup)
        self.wire.hear("alerts", self.session.alerts)
        self.place.show_moment(self.wire.board.moment(), self.wire.clock.ns)

    def hold(self, name: str) -> None:
        """The tip on a landmark until the dwell ends, looked at on the way."""
        for _ in range(3):
            self.session.frames(15, self.session.at(name))
            self.show()

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.place, key, modifier)
        self.show()


@pytest.fixture
def room(qtbot: Any) -> Iterator[Room]:
    made = Room(qtbot)
    yield made
    made.place.release()
    made.desk.release()
    # What still runs speaks to a desk that has to be there.
    qtbot.waitUntil(lambda: not any(job.running for job in made.desk._jobs), timeout=60_000)


def pixels(widget: QWidget) -> Pixels:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def count(image: Pixels, color: str, within: int = 12) -> int:
    rgb = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)])
    return int((np.abs(image.astype(int) - rgb).max(axis=-1) <= within).sum())


def test_without_a_case_or_a_session_it_says_where_to_go(room: Room, qtbot: Any) -> None:
    room.place.show()
    room.place.entered()
    room.place.show_moment(room.wire.board.moment(), 0)
    assert room.place.columns.sentence.headline == "No case is open"
    with qtbot.waitSignal(room.desk.place_wanted) as gone:
        room.place.columns.way_out.click()
    assert gone.args == ["case"]
    room.desk.set_case(scene())
    room.place.show_moment(room.wire.board.moment(), 0)
    assert room.place.columns.sentence.headline == "No session is running"
    assert room.place.columns.way_out.text() == "Go to Calibrate"
    assert not room.place.columns.controls.isVisible()


def test_keys_lead_from_the_first_touch_to_a_checked_registration(room: Room) -> None:
    room.open()
    place = room.place
    place.columns.controls.dwell_chosen.emit(0.5)
    for name in NAMES:
        assert name in place.columns.sentence.headline
        room.press(Qt.Key.Key_Return)
        assert place.columns.scene3d.ring.share == 0.0
        room.hold(name)
    assert [o.landmark for o in room.orders if isinstance(o, Collect)] == list(NAMES)
    room.press(Qt.Key.Key_Y)
    room.press(Qt.Key.Key_R)
    assert isinstance(room.orders[-1], Register)
    assert place.columns.sentence.headline == "Accept the registration, or reject it"
    assert place.columns.result.isVisible()
    assert "Accepted by the gate" in place.columns.result.verdict.text()
    assert "not how accurate" in place.columns.result.caveat.text()
    room.press(Qt.Key.Key_A)
    assert room.orders[-1] == Accept(result="registration")
    room.press(Qt.Key.Key_C)
    assert room.orders[-1] == Collect(what="check", tool="pointer", action="start", dwell_s=0.5)
    room.hold("spinous")
    assert place.columns.checks.rows[0].verdict == "good"
    assert room.cues.played == ["began", "taken"] * 6 + ["taken", "began", "taken"]


def test_keys_ask_for_nothing_that_cannot_be(room: Room) -> None:
    room.open()
    room.orders.clear()
    for key in (Qt.Key.Key_A, Qt.Key.Key_X, Qt.Key.Key_R, Qt.Key.Key_C, Qt.Key.Key_Backspace):
        room.press(key)
    room.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert room.orders == []


def test_undo_reject_cancel_and_sweep_have_keys(room: Room) -> None:
    room.open()
    for name in NAMES[:3]:
        room.session.touch(name)
    room.show()
    room.press(Qt.Key.Key_Y)
    room.press(Qt.Key.Key_R)
    room.press(Qt.Key.Key_X)
    assert room.orders[-1] == Reject(result="registration")
    room.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert room.orders[-1] == Undo()
    assert room.session.setup.landmarks == NAMES[:2]
    room.press(Qt.Key.Key_W)
    assert room.place.columns.controls.buttons["sweep"].text() == "End sweep"
    room.press(Qt.Key.Key_Backspace)
    assert room.orders[-1] == Collect(what="sweep", tool="pointer", action="cancel")


def test_a_landmark_is_chosen_and_left_out_by_keys(room: Room) -> None:
    room.open()
    room.session.touch_all()
    room.show()
    for _ in range(3):
        room.press(Qt.Key.Key_Down)
    assert room.place.wishes.landmark == "spinous"
    room.press(Qt.Key.Key_L)
    assert room.place.wishes.without == {"spinous"}
    assert not room.place.columns.landmarks.lines[2].use.isChecked()
    room.press(Qt.Key.Key_Y)
    room.press(Qt.Key.Key_R)
    assert room.orders[-1] == Register(method="landmarks", without=("spinous",))
    for _ in range(3):
        room.press(Qt.Key.Key_Up)
    assert room.place.wishes.landmark == ""
    room.press(Qt.Key.Key_Up)
    assert room.place.wishes.landmark == NAMES[-1]


def test_the_worst_landmark_is_named_in_words_and_in_the_list(room: Room) -> None:
    room.open()
    room.session.touch_all()
    room.session.touch("base", (2.5, 0.0, 0.0))
    room.session.register()
    room.show()
    line = room.place.columns.landmarks.lines[3]
    assert line.row.worst
    assert "the worst" in line.accessibleName()
    assert "base lies" in room.place.columns.result.worst.text()
    ink = theme.ink()
    assert count(pixels(line), ink.bound) > 200
    assert count(pixels(room.place.columns.landmarks.lines[0]), ink.bound) == 0


def test_a_refusal_is_said_beside_the_buttons(room: Room) -> None:
    room.open()
    room.session.order(Collect(what="landmark", tool="pointer", landmark="base", action="start"))
    # The screen still believes that it can: the core knows better.
    room.place.ask("touch")
    room.place.show_moment(room.wire.board.moment(), room.wire.clock.ns)
    assert "already collecting" in room.place.columns.controls.answer.text()
    assert room.cues.played == ["refused"]
    room.wire.clock.ns += 9_000_000_000
    room.show()
    assert room.place.columns.controls.answer.text() == ""


def test_no_sound_is_told_where_one_waits_for_it(room: Room) -> None:
    room.open()
    assert "No sound here" in room.place.columns.silent.text()
    assert room.place.columns.silent.toolTip() == "no audio device"


def test_another_session_forgets_what_was_chosen(room: Room) -> None:
    room.open()
    room.place.choose("base")
    room.place.use("spinous", on=False)
    room.wire.hear("setup", room.session.setup, epoch="e2")
    room.wire.hear("alerts", room.session.alerts, epoch="e2")
    room.place.show_moment(room.wire.board.moment(), room.wire.clock.ns)
    assert room.place.wishes.landmark == ""
    assert room.place.wishes.without == frozenset()


def test_no_instrument_is_drawn_over_another_case(room: Room, qtbot: Any) -> None:
    """The session's tip is known, and would look as if it were in this patient."""
    room.open()
    qtbot.waitUntil(lambda: bool(room.place.columns.scene3d._meshes), timeout=60_000)
    room.session.touch_all()
    room.session.register()
    room.session.accept()
    room.session.frames(2, room.session.at("spinous", (0.0, 8.0, 0.0)))
    room.show()
    view = room.place.columns.scene3d.view
    assert view is not None
    seen(room)
    assert view.picture.instruments_shown == {"pointer"}
    room.desk.set_case(replace(scene(), case_hash="another", folder=Path("another")))
    room.show()
    assert room.place.columns.sentence.headline == "The session runs on another case"
    assert view.picture.instruments_shown == frozenset()


def test_numbers_go_when_the_link_does(room: Room) -> None:
    room.open()
    room.session.touch_all()
    room.session.register()
    room.show()
    assert room.place.columns.result.isVisible()
    room.wire.clock.ns += 2_000_000_000
    room.place.show_moment(room.wire.board.moment(), room.wire.clock.ns)
    assert room.place.columns.sentence.headline == "LINK LOST"
    assert not room.place.columns.result.isVisible()
    assert not room.place.columns.landmarks.lines
    assert room.place.course is None


def test_the_ring_fills_with_the_dwell_and_never_ahead_of_it(qtbot: Any) -> None:
    ring = DwellRing()
    qtbot.addWidget(ring)
    ring.set_scale(1.0)
    filled = []
    for share in (0.0, 0.09, 0.1, 0.5, 1.0):
        ring.show_dwell(share, "3", "hold still")
        filled.append(count(pixels(ring), DARK.accent))
    assert filled[0] == filled[1] == 0
    assert filled[2] > 100
    assert filled[3] == pytest.approx(5 * filled[2], rel=0.25)
    assert filled[4] == pytest.approx(10 * filled[2], rel=0.25)
    ring.show_dwell(0.0, "3", "the tip moves", trouble=True)
    assert count(pixels(ring), DARK.warn) > 100


def test_what_is_next_is_the_first_button_and_nothing_stands_there_that_makes_no_sense(room: Room) -> None:
    room.open()
    buttons = room.place.columns.controls.buttons

    def visible() -> set[str]:
        return {name for name, button in buttons.items() if button.isVisible()}

    assert visible() == {"touch", "sweep", "undo", "register"}
    assert buttons["touch"].property("primary")
    assert not room.place.columns.scene3d.ring.isVisible()
    room.place.ask("touch")
    room.show()
    assert visible() == {"cancel"}
    assert room.place.columns.scene3d.ring.isVisible()
    room.place.ask("cancel")
    room.session.touch_all()
    room.session.register()
    room.show()
    assert visible() == {"accept", "reject"}
    room.place.ask("accept")
    room.show()
    assert visible() == {"check", "touch", "sweep", "undo", "register"}
    assert buttons["check"].property("primary")
    assert all("(" in button.toolTip() for button in buttons.values())


def seen(room: Room) -> Pixels:
    """The 3D view, painted now."""
    room.place.columns.scene3d.show_moment(room.wire.board.moment(), room.wire.clock.ns)
    view = room.place.columns.scene3d.view
    assert view is not None
    view.paint(still=True)
    return pixels(view.widget)


def test_the_bone_its_landmarks_and_the_error_map_are_in_the_picture(room: Room, qtbot: Any) -> None:
    room.open()
    qtbot.waitUntil(lambda: bool(room.place.columns.scene3d._meshes), timeout=60_000)
    room.show()
    first = seen(room)
    bone = count(first, "#f1d691", within=60)
    assert bone > 4_000
    assert count(first, palette.PLAN, within=40) > 60  # the landmark that is next
    room.session.touch_all()
    room.session.register()
    room.show()
    touched = seen(room)
    assert count(touched, palette.GOOD, within=40) > 60
    room.place.columns.scene3d.map.click()
    qtbot.waitUntil(lambda: room.place.columns.scene3d.has_map, timeout=30_000)
    painted = seen(room)
    result = room.session.setup.registration
    assert result is not None
    surface = scene().structure("vertebra").surface.vertices_mm
    near = np.asarray(surface)[np.asarray(surface)[:, 1] > 30.0]
    there = {tre_map.band(float(e)) for e in tre_map.tre_mm(result.covariance, result.centroid_mm, near)}
    hues = sum(count(painted, tre_map.COLORS[n], within=55) for n in there)
    assert hues > 0.3 * bone
    assert count(painted, "#f1d691", within=60) < 0.1 * bone
    assert room.place.columns.scene3d.legend.isVisible()
    room.place.columns.scene3d.map.click()
    assert count(seen(room), "#f1d691", within=60) > 0.6 * bone


def test_the_viewer_stands_where_the_pointer_comes_from() -> None:
    focus, way, up, radius = standpoint_of(scene())
    assert way == (0.0, 1.0, 0.0)
    assert up == (0.0, 0.0, 1.0)
    assert all(np.linalg.norm(np.subtract(m.position_mm, focus)) < radius for m in scene().landmarks)


def test_another_case_has_its_own_landmarks(room: Room) -> None:
    room.open()
    room.place.choose("base")
    fewer = replace(scene(), landmarks=scene().landmarks[:4], folder=Path("other"), case_hash="hash")
    room.desk.set_case(fewer)
    room.show()
    assert len(room.place.columns.landmarks.lines) == 4
    assert room.place.wishes.landmark == ""


def test_the_picture_outlives_a_change_of_the_rig(room: Room, qtbot: Any) -> None:
    """A case brings its own rig a moment after itself, while its meshes are still being made."""
    room.open()
    qtbot.waitUntil(lambda: room.place.columns.scene3d.view is not None, timeout=60_000)
    room.desk.set_case(scene())
    room.desk.set_rig(rig(), None)
    qtbot.waitUntil(lambda: bool(room.place.columns.scene3d._meshes), timeout=60_000)
    room.show()
    assert count(seen(room), "#f1d691", within=60) > 4_000
