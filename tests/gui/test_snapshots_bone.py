"""Pictures in place of a window show the drilled bone, say what of it is not known, and ask nothing of a core that drills nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from gui.link.board import SESSION_ENDED, Board, Moment
from gui.link.shared_bone import SharedBone
from gui.picture.bone import BoneDresser
from gui.snapshot_bone import LATE_NS, SnapshotBone
from gui.snapshots import watch
from navtwin.bus.link import Link
from navtwin.nouns import AlertSet, BoneSummary, Envelope, Output, State, Topic
from navtwin.scene.carvable import Carvable
from navtwin.scene.picture import Picture, open_plotter, save_png
from tests.bus.fake_core import SETUP
from tests.gui.bone_room import BONE, Core, drill_state, drilling, summary
from tests.gui.room import MS, FakePort, envelope
from tests.gui.room import scene as undrilled
from tests.gui.vision import Pixels
from tests.scene.bone_room import scene

SIZE_PX = (480, 300)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.getbasetemp() / "navtwin-cache"))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine that paints slowly makes nothing stale here."""
    monkeypatch.setattr("gui.link.bone.STALE_NS", 60_000 * MS)


def trough(bone: Carvable) -> None:
    """Down to less than 1 mm above the nerve."""
    for depth in (0.0, -1.5, -3.0, -4.0):
        bone.carve((0.0, -4.0, depth), (0.0, 4.0, depth), 1.6)


def reds(picture: Pixels) -> int:
    """How many pixels are of the thinnest band."""
    return int(((picture[..., 0] > 130) & (picture[..., 1] < 0.4 * picture[..., 0]) & (picture[..., 2] < 0.4 * picture[..., 0])).sum())


def moment(bone: BoneSummary | None = None, **changes: Any) -> Moment:
    state, alerts = drilling(drill_state("READY"), at_mm=(0.0, 0.0, 30.0), bone=bone)
    return Moment("up", 0, "e1", alerts, 0, msgspec.structs.replace(state, **changes), SETUP)


class Room:
    """A core that drills, and one picture of it; time passes only in the tests."""

    def __init__(self) -> None:
        self.case = scene()
        self.core = Core(self.case)
        self.ns = 0
        self.connected = 0
        self.shared = SharedBone(self.case, self.case.structure(BONE))
        self.bone = SnapshotBone(self.shared, self._connect, lambda: self.ns)
        self.plotter = open_plotter(SIZE_PX)
        self.picture = Picture(self.plotter, self.case, None)

    def _connect(self) -> Core:
        self.connected += 1
        return self.core

    def until(self, happens: Callable[[], bool]) -> None:
        limit = time.monotonic() + 20.0
        while not happens():
            assert time.monotonic() < limit
            time.sleep(0.005)

    def hear(self) -> None:
        """The core speaks of its bone, and is heard: readers are told once it lies there."""
        seen, _ = self.shared.news(0)
        self.core.say()
        self.until(lambda: self.shared.standing.is_known and self.shared.news(seen)[0] > seen)

    def paint(self, path: Path, now: Moment, due_ns: int = 0) -> tuple[Pixels, str]:
        told = self.bone.paint(self.picture, now, due_ns)
        save_png(self.picture, now.state, now.alerts, path, "axial", told)
        return np.asarray(Image.open(path).convert("RGB")).astype(int), told

    def close(self) -> None:
        self.bone.stop()
        self.plotter.close()


@pytest.fixture
def room() -> Any:
    made = Room()
    yield made
    made.close()


def test_what_is_drilled_is_in_the_next_picture_and_what_is_taken_back_is_not(room: Room, tmp_path: Path) -> None:
    room.bone.follow(moment())
    room.hear()
    before, told = room.paint(tmp_path / "a.png", moment(summary(hash=room.core.bone.hash)))
    assert (reds(before), told) == (0, "")
    room.core.bone.begin_stretch()
    trough(room.core.bone)
    room.hear()
    drilled, told = room.paint(tmp_path / "b.png", moment(summary(hash=room.core.bone.hash)))
    assert (reds(drilled) > 60, told) == (True, "")
    room.core.bone.undo_stretch()
    room.hear()
    back, _ = room.paint(tmp_path / "c.png", moment(summary(hash=room.core.bone.hash)))
    assert reds(back) == 0


def test_the_first_picture_shows_it_too_and_not_the_whole_bone_over_it(room: Room, tmp_path: Path) -> None:
    trough(room.core.bone)
    room.bone.follow(moment())
    room.hear()
    first, _ = room.paint(tmp_path / "a.png", moment())
    assert reds(first) > 60


def test_a_silent_core_s_bone_has_no_band_and_the_picture_says_so(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trough(room.core.bone)
    room.bone.follow(moment())
    room.hear()
    known, _ = room.paint(tmp_path / "a.png", moment(summary(hash=room.core.bone.hash)))
    monkeypatch.setattr("gui.link.bone.STALE_NS", 50 * MS)
    room.until(lambda: room.shared.standing.kind == "stale")
    stale, told = room.paint(tmp_path / "b.png", moment(summary(hash=room.core.bone.hash)))
    assert reds(stale) < 0.1 * reds(known)
    assert told == "what was drilled lately is not known"
    room.picture.set_visible(BONE, False)
    tags = [room.paint(tmp_path / "c.png", moment(), 0)[0]]
    save_png(room.picture, moment().state, moment().alerts, tmp_path / "d.png", "axial", "")
    tags.append(np.asarray(Image.open(tmp_path / "d.png").convert("RGB")).astype(int))
    assert (np.abs(tags[0] - tags[1]).max(axis=-1) > 60).sum() > 150


def test_before_the_core_is_heard_the_picture_says_that_nothing_is_known(room: Room, tmp_path: Path) -> None:
    room.bone.follow(moment())
    assert room.paint(tmp_path / "a.png", moment())[1] in ("the bone is being prepared", "what was drilled is not known yet")
    room.until(lambda: room.shared.standing.kind == "waiting")
    assert room.paint(tmp_path / "b.png", moment())[1] == "what was drilled is not known yet"


def test_bone_that_was_drilled_on_while_the_picture_waited_is_told(room: Room, tmp_path: Path) -> None:
    room.bone.follow(moment())
    room.hear()
    then = moment(summary(hash=room.core.bone.hash))
    trough(room.core.bone)
    room.hear()
    room.ns = LATE_NS
    assert room.paint(tmp_path / "a.png", then)[1] == ""
    room.ns = 1400 * MS
    assert room.paint(tmp_path / "b.png", then)[1] == "the bone is shown as it was 1.4 s later than all else"
    assert room.paint(tmp_path / "c.png", moment(summary(hash=room.core.bone.hash)))[1] == ""


def test_a_session_that_drills_nothing_is_asked_for_nothing(room: Room, tmp_path: Path) -> None:
    room.bone.follow(moment(bones=()))
    assert room.paint(tmp_path / "a.png", moment(bones=()))[1] == ""
    assert room.connected == 0 and room.shared.bone is None
    assert not [thread for thread in threading.enumerate() if thread.name == "navtwin-bone"]
    assert SnapshotBone.of(undrilled(), room._connect) is None


def test_all_that_is_due_is_dressed_at_once(room: Room) -> None:
    shared = SharedBone(room.case, room.case.structure(BONE))
    dresser = BoneDresser(shared)
    dresser.catch_up()
    assert dresser.dressed.standing.kind == "making" and not dresser.dressed.looks
    shared.begin(room.core.bone)
    trough(room.core.bone)
    shared.changed(room.core.bone.touched.tolist())
    dresser.catch_up()
    assert set(room.core.bone.changed.tolist()) <= dresser.dressed.looks.keys()
    again = dresser.dressed
    dresser.catch_up()
    assert dresser.dressed is again


def test_a_watch_saves_drilled_bone_and_leaves_its_bus(tmp_path: Path) -> None:
    case = scene()
    core = Core(case)
    trough(core.bone)
    link, saved = Link(time.monotonic_ns()), list[str]()
    spoken = 0

    class Port(FakePort):
        """A session that drills, with a new message to take a picture of as soon as the one before is saved; after the fifth it ends."""

        def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]:
            nonlocal spoken
            time.sleep(0.01)
            spoken += 1
            if spoken % 5 == 0:
                core.say()
            over = len(saved) >= 5
            state, alerts = _said(core.bone.hash)
            bodies: list[tuple[Topic, Output]] = [("setup", msgspec.structs.replace(SETUP, message=SESSION_ENDED if over else f"step {len(saved)}"))]
            bodies += [] if over else [("state", state), ("alerts", alerts)]
            now_ns = time.monotonic_ns()
            messages = [(topic, envelope(body, now_ns)) for topic, body in bodies]
            if not over:
                self.link.heard(messages[2][1], now_ns)
            return messages

    count = watch(case, None, Port([], link), Board(link, time.monotonic_ns), tmp_path, saved.append, "axial", lambda: core)
    assert count >= 5 and core.closed
    last = np.asarray(Image.open(saved[-1]).convert("RGB")).astype(int)
    assert reds(last) > 300


def _said(at: str) -> tuple[State, AlertSet]:
    return drilling(drill_state("READY"), at_mm=(0.0, 0.0, 30.0), bone=summary(hash=at))
