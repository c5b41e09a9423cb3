"""One window on screens of different size: nothing loses its room when it moves from one to another."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from gui.picture.live import open_live
from gui.picture.renderer import Renderer
from tests.gui.room import CLEAR_S, Desk, rig, scene
from tests.gui.test_desktop import NoPicture, opened

SIZES = ((1280, 800), (3840, 2160), (1280, 800), (2560, 1440), (1100, 680))


def test_the_picture_keeps_its_share_on_every_screen(qtbot: Any):
    desk = Desk()
    window = opened(qtbot, desk, NoPicture)
    desk.tell(CLEAR_S)
    scenery = window.places["navigate"].scenery
    for width, height in SIZES:
        window.resize(width, height)
        window.refresh()
        QApplication.processEvents()
        stage, strip = scenery.stage, scenery.strip
        assert stage.width() >= 0.28 * width, (width, height)
        assert strip.mapTo(window, strip.rect().topRight()).x() == pytest.approx(window.width(), abs=4), (width, height)
        assert all(card.width() <= strip.width() for card in strip.cards.values())
    window.leave()


def test_figures_in_the_picture_grow_with_the_window(qtbot: Any, monkeypatch: pytest.MonkeyPatch):
    asked: list[float] = []
    monkeypatch.setattr(Renderer, "ask", lambda _self, ask: asked.append(ask.ratio))
    monkeypatch.setattr(Renderer, "start", lambda _self: None)
    monkeypatch.setattr(Renderer, "stop", lambda _self: None)
    for width, height in ((1280, 800), (2560, 1600)):
        window = QWidget()
        qtbot.addWidget(window)
        window.resize(width, height)
        pane = open_live(scene(), rig(), window)
        window.show()
        pane.paint()
        pane.release()
    assert asked[-1] == pytest.approx(2.0 * asked[0])
