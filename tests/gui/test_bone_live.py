"""Drilled bone in the picture that is painted by a thread of its own, and in Navigate as a whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from gui.desktop.desk import Desk as GuiDesk
from gui.desktop.window import Window
from gui.navigate.place import NavigatePlace
from gui.picture.live import open_live
from navtwin.nouns import Drilling
from navtwin.scene import palette
from tests.gui.bone_room import BONE, Core, drill_state, drilling
from tests.gui.room import MS, Desk, rig
from tests.gui.vision import Pixels, pixels
from tests.scene.bone_room import scene

THREADS = ("navtwin-picture", "navtwin-meshes", "navtwin-bone", "navtwin-bone-looks", "navtwin-slices")


class Room:
    """A desktop at Navigate whose core drills; time passes only by `turn`."""

    def __init__(self, qtbot: Any) -> None:
        self.case, self.desk = scene(), Desk()
        self.core = Core(self.case)
        shared = GuiDesk(self.desk.board, self.desk.orders.append, (5810, 5811), self.desk.clock, open_bone=lambda: self.core)  # type: ignore[arg-type, return-value]
        self.window = Window(shared, {"navigate": partial(NavigatePlace, view="axial", open_picture=open_live)})
        self.window._turns.stop()
        qtbot.addWidget(self.window)
        self.window.resize(1280, 800)
        self.window.show()
        shared.set_rig(rig(), None)
        shared.set_case(self.case)
        self.window.go("navigate")

    @property
    def scenery(self) -> Any:
        return self.window.places["navigate"].scenery

    def turn(self, *, speaks: bool = True, at_mm: tuple[float, float, float] = (0.0, 0.0, 30.0)) -> None:
        self.desk.clock.ns += 50 * MS
        state, alerts = drilling(drill_state("READY"), at_mm=at_mm)
        self.desk.hear("state", state)
        self.desk.hear("alerts", alerts)
        if speaks:
            self.core.say()
        self.window.refresh()
        QApplication.processEvents()
        time.sleep(0.01)

    def until(self, happens: Callable[[], bool], **how: Any) -> None:
        limit = time.monotonic() + 30.0
        while not happens():
            assert time.monotonic() < limit
            self.turn(**how)

    def picture(self) -> Pixels:
        """The 3D picture, without what lies over it."""
        frame = self.scenery.view.frame
        return np.asarray(frame.pixels).astype(int) if frame is not None else np.zeros((1, 1, 3), int)

    @property
    def shown(self) -> int:
        """Of which bricks the picture shows as they are."""
        return len(self.scenery.drilling.dresser.dressed.looks)


@pytest.fixture
def room(qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.getbasetemp() / "navtwin-cache"))
    made = Room(qtbot)
    yield made
    made.window.leave()
    assert not [thread for thread in threading.enumerate() if thread.name in THREADS]
    assert made.core.closed


def reds(picture: Pixels) -> int:
    """How many pixels are of the thinnest band."""
    return int(((picture[..., 0] > 130) & (picture[..., 1] < 0.4 * picture[..., 0]) & (picture[..., 2] < 0.4 * picture[..., 0])).sum())


def test_what_is_drilled_is_seen_and_what_is_not_known_is_told(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gui.link.bone.STALE_NS", 300 * MS)
    stage = room.scenery.stage
    room.until(lambda: room.scenery.drilling.shared.standing.is_known and room.scenery.view.frame is not None)
    assert not stage.bone.isVisible()
    assert reds(room.picture()) == 0
    for depth in (0.0, -1.5, -3.0, -4.0):
        room.core.bone.carve((0.0, -4.0, depth), (0.0, 4.0, depth), 1.6)
    room.until(lambda: reds(room.picture()) > 100)
    assert room.shown > 0
    # The core falls silent of its bone, though not of all else: no band is shown any more.
    room.until(lambda: reds(room.picture()) == 0 and stage.bone.isVisible(), speaks=False)
    assert "not known" in stage.bone.text()
    room.until(lambda: reds(room.picture()) > 100 and not stage.bone.isVisible())


def test_the_card_and_the_legend_lie_over_the_picture_and_within_it(room: Room):
    room.until(room.scenery.drill.isVisible)
    stage = room.scenery.stage
    boxes = [widget.geometry() for widget in (room.scenery.drill, room.scenery.legend)]
    assert all(stage.rect().contains(box) for box in boxes)
    assert not boxes[0].intersects(boxes[1])
    assert not any(box.intersects(stage._bar.geometry()) for box in boxes)
    assert (np.abs(pixels(room.scenery.legend).astype(int) - _rgb(palette.BANDS[0])).max(axis=-1) < 12).sum() > 50
    room.scenery.drill.pause.click()
    assert room.desk.orders[-1] == Drilling(action="pause")


def test_another_session_s_hole_is_not_shown_in_this_one(room: Room):
    for depth in (0.0, -1.5, -3.0, -4.0):
        room.core.bone.carve((0.0, -4.0, depth), (0.0, 4.0, depth), 1.6)
    room.until(lambda: reds(room.picture()) > 100)
    again = Core(room.case, "e2")
    room.core.bone, room.core.epoch = again.bone, "e2"
    room.until(lambda: room.shown == 0 and reds(room.picture()) == 0)
    assert room.scenery.drilling.shared.epoch == "e2"


def test_slices_follow_the_bone(room: Room):
    shown = room.scenery.slices
    room.until(lambda: shown._pictures is not None, at_mm=(0.0, 0.0, -2.0))
    before = shown._pictures.request.bone
    room.core.bone.carve((0.0, -4.0, -1.0), (0.0, 4.0, -1.0), 2.0)
    room.until(lambda: shown._pictures is not None and shown._pictures.request.bone > before and room.shown > 0, at_mm=(0.0, 0.0, -2.0))


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def test_the_bone_is_of_this_case(room: Room):
    assert room.scenery.drilling.dresser.structure == BONE
