"""All five places as they are: every button says what it does, is large enough for a finger, and shows all of its words."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton

from gui.desktop.desk import Desk as GuiDesk
from gui.desktop.keys import PLACES
from gui.desktop.places import makers
from gui.desktop.window import Window
from gui.register.standpoint import standpoint_of
from navtwin.scene import load_scene
from tests.gui.room import DANGER_S, Desk, rig, scene
from tests.gui.tools_room import small_case

#: Design pixels: at 1280 x 800 on a 24-inch screen 32 are 13 mm.
LEAST_HEIGHT = 30


@pytest.mark.heavy
def test_every_button_says_what_it_does_and_can_be_hit(qtbot: Any, tmp_path: Path):
    desk = Desk()
    shared = GuiDesk(desk.board, desk.orders.append, (5810, 5811), desk.clock, "127.0.0.1:5810")
    window = Window(shared, makers("posterior"))
    window._turns.stop()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    shared.set_rig(rig(), None)
    shared.set_case(load_scene(small_case(tmp_path)))
    for place in PLACES:
        window.go(place)
        desk.tell(DANGER_S)
        for _ in range(3):
            window.refresh()
            QApplication.processEvents()
        buttons = [button for button in window.findChildren(QAbstractButton) if button.isVisible()]
        assert len(buttons) > 10
        for button in buttons:
            name = f"{place}: {type(button).__name__} '{button.text()}'"
            assert button.toolTip(), name
            if isinstance(button, QPushButton) and button.text():
                words = max(button.fontMetrics().horizontalAdvance(line) for line in button.text().split("\n"))
                assert button.width() >= words, name
                assert button.height() >= LEAST_HEIGHT * window._scale, name
    window.leave()


def test_a_case_without_landmarks_has_a_place_to_stand():
    focus, way, up, radius = standpoint_of(replace(scene(), landmarks=()))
    assert all(math.isfinite(v) for v in (*focus, *way, *up)) and math.hypot(*way) == 1.0 and radius > 0.0
