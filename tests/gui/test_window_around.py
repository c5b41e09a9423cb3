"""The window around the places: rail and keys, theme, help, the case that is another one, and what is asked before it closes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from gui import theme
from gui.desktop.desk import Desk as GuiDesk
from gui.desktop.keys import EVERYWHERE, PLACES
from gui.desktop.window import Window
from navtwin.nouns import Ack
from tests.bus.fake_core import SETUP
from tests.gui.room import DANGER_S, MS, Desk, scene
from tests.gui.test_desktop import NoPicture, opened, pixels, scenery


class Plain(QWidget):
    """A place that notes what it is asked for, with a line to write in."""

    def __init__(self, desk: GuiDesk) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.line = QLineEdit()
        QVBoxLayout(self).addWidget(self.line)
        self.unsaved = ""

    def show_moment(self, *_: object) -> None: ...

    def set_scale(self, scale: float) -> None:
        self.calls.append(f"scale {scale}")

    def entered(self) -> None:
        self.calls.append("entered")

    def left(self) -> None:
        self.calls.append("left")

    def release(self) -> None:
        self.calls.append("released")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def window(qtbot: Any, desk: Desk) -> Iterator[Window]:
    shared = GuiDesk(desk.board, desk.orders.append, (5810, 5811), desk.clock)
    made = Window(shared, dict.fromkeys(PLACES, Plain), pedal="F13")
    made._turns.stop()
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    made.activateWindow()
    made.go("case")
    yield made
    made.leave()
    theme.choose("dark")


def test_places_are_made_when_they_are_entered_and_keys_and_rail_lead_to_them(window: Window):
    assert list(window.places) == ["case"]
    for number, place in enumerate(PLACES, start=1):
        QTest.keyClick(window, Qt.Key(Qt.Key.Key_0 + number))
        assert window.place == place
        assert window.rail.buttons[place].isChecked()
        assert window.stack.currentWidget() is window.places[place]
    window.rail.buttons["case"].click()
    assert window.place == "case"
    assert window.places["review"].calls[-1] == "left"
    assert window.places["case"].calls[-1] == "entered"


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_F12, Qt.Key.Key_F13])
def test_space_the_second_key_and_the_pedal_acknowledge_in_every_place(window: Window, desk: Desk, key: Qt.Key):
    desk.clock.ns = 1000 * MS
    _, alerts = desk.tell(DANGER_S)
    window.refresh()
    first = max(alerts.alerts, key=lambda a: -a.since_ns)
    for place in PLACES:
        window.go(place)
        desk.orders.clear()
        QTest.keyClick(window.places[place], key)
        assert desk.orders == [Ack(epoch="e1", alert=first.id, level="DANGER")]


def test_while_one_writes_space_writes_and_f12_acknowledges(window: Window, desk: Desk):
    desk.clock.ns = 1000 * MS
    desk.tell(DANGER_S)
    window.refresh()
    line = window.places["case"].line
    line.setFocus()
    for key in (Qt.Key.Key_Space, Qt.Key.Key_1, Qt.Key.Key_M):
        QTest.keyClick(line, key)
    assert line.text() == " 1m"
    assert desk.orders == []
    QTest.keyClick(line, Qt.Key.Key_F12)
    assert len(desk.orders) == 1


def test_the_light_theme_is_light_and_is_remembered(window: Window):
    dark = float(pixels(window.footer).mean())
    QTest.keyClick(window, Qt.Key.Key_T)
    assert theme.ink().name == "light"
    assert float(pixels(window.footer).mean()) > dark + 80.0
    assert float(pixels(window.banner).mean()) > dark + 80.0


def test_help_opens_at_the_place_in_front_and_names_every_key(window: Window):
    window.go("register")
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert window.help.isVisible()
    words = window.help.toPlainText()
    assert words.startswith("Register")
    assert "not a medical device" in words
    assert all(key in words for row in EVERYWHERE for key in row.keys)
    assert (np.abs(pixels(window.help).astype(int) - pixels(window.help)[2, 2].astype(int)).max(axis=-1) > 60).mean() > 0.02
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert not window.help.isVisible()


def test_every_control_names_its_key(window: Window):
    for button in (window.footer.acknowledge, window.footer.mute, window.footer.pause, window.footer.mark, window.rail.theme, window.rail.help):
        assert "(" in button.toolTip(), button.text()
    for number, place in enumerate(PLACES, start=1):
        assert f"({number})" in window.rail.buttons[place].toolTip()


def test_what_is_not_written_is_asked_about_and_staying_keeps_it(qtbot: Any, window: Window):
    window.places["case"].unsaved = "The case has changes that are not written."
    window.close()
    assert window.isVisible()
    box = window._farewell.box
    assert box is not None
    assert "not written" in box.text()
    next(b for b in box.buttons() if b.text() == "Stay").click()
    qtbot.waitUntil(lambda: window._farewell.box is None)
    assert window.isVisible()


def test_a_session_that_runs_is_ended_only_by_its_own_button(qtbot: Any, window: Window):
    ended: list[bool] = []
    window.desk.session = SimpleNamespace(running=True, source="camera:0", words="", end=lambda: ended.append(True))  # type: ignore[assignment]
    window.close()
    assert "camera:0" in window._farewell.box.text()
    next(b for b in window._farewell.box.buttons() if "goes on" in b.text()).click()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert ended == []


def test_an_instrument_is_never_drawn_in_another_case(qtbot: Any, desk: Desk):
    shown = opened(qtbot, desk, NoPicture)
    desk.tell(DANGER_S)
    desk.hear("setup", msgspec.structs.replace(SETUP, case_hash="of another", case_path="cases/knee"))
    shown.refresh()
    assert scenery(shown).stage.overlay.title == "ANOTHER CASE"
    assert "knee" in scenery(shown).stage.overlay.detail
    assert not any(scenery(shown).view.shown)
    assert all(card.card.value == "UNKNOWN" for card in scenery(shown).strip.cards.values())
    # The alerts are the core's own, and hold.
    assert shown.banner.block.word == "DANGER"
    desk.hear("setup", msgspec.structs.replace(SETUP, case_hash=scene().case_hash, case_path="cases/made_up"))
    desk.clock.ns += 60 * MS
    desk.tell(DANGER_S)
    shown.refresh()
    assert not scenery(shown).stage.overlay.isVisible()
    assert scenery(shown).view.shown[-1] is not None
    shown.leave()


def test_the_case_of_a_running_session_stays_in_the_picture_when_its_files_change(qtbot: Any, desk: Desk):
    shown = opened(qtbot, desk, NoPicture)
    desk.tell(DANGER_S)
    desk.hear("setup", msgspec.structs.replace(SETUP, case_hash=scene().case_hash, case_path=str(shown.desk.folder)))
    shown.refresh()
    before = scenery(shown)
    changed = scene()
    object.__setattr__(changed, "case_hash", "new")
    shown.desk.set_case(changed)
    shown.refresh()
    assert scenery(shown) is before
    assert shown.standings["navigate"].standing == "warning"
    desk.clock.ns += 400 * MS
    shown.refresh()
    assert scenery(shown) is not before
    shown.leave()
