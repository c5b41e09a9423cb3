"""Pictures in place of a window: when one is due, that painting never holds up receiving, and what is saved."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from gui.link.board import SESSION_ENDED, Board, Moment
from gui.snapshots import Watch, _Newest, watch
from navtwin.bus.link import Link
from navtwin.nouns import AlertSet, Envelope, Output, State, Topic
from tests.bus.fake_core import SETUP
from tests.gui.room import CAUTION_S, CLEAR_S, CONTACT_S, DANGER_S, HIDDEN_S, FakePort, envelope, rig, said, scene


def moment(alerts: AlertSet | None, state: State | None = None, message: str = "", link: str = "up") -> Moment:
    return Moment(link, 0, "e1", alerts, 0, state, msgspec.structs.replace(SETUP, message=message))  # type: ignore[arg-type]


def test_a_picture_is_due_at_each_rise_and_not_at_a_fall_or_a_stay():
    eye = Watch()
    assert eye.due(moment(said(CLEAR_S)[1])) == "navigation"
    assert eye.due(moment(said(CAUTION_S)[1])).startswith("CAUTION drill")
    assert eye.due(moment(said(CAUTION_S)[1])) == ""
    assert eye.due(moment(said(CONTACT_S)[1])).startswith("CONTACT drill")
    assert eye.due(moment(said(DANGER_S)[1])) == ""
    assert eye.due(moment(said(CONTACT_S)[1])).startswith("CONTACT drill")


def test_a_picture_is_due_when_tracking_is_lost_and_at_a_new_scene():
    eye = Watch()
    eye.due(moment(said(CLEAR_S)[1]))
    assert eye.due(moment(said(HIDDEN_S)[1])) == "TRACKING_LOST drill"
    assert eye.due(moment(said(HIDDEN_S)[1], message="left pedicle")) == "left pedicle"
    assert eye.due(moment(said(HIDDEN_S)[1], message="left pedicle")) == ""


def test_nothing_is_due_over_a_lost_link():
    assert Watch().due(moment(said(CONTACT_S)[1], link="lost")) == ""


def test_of_what_becomes_due_during_a_painting_only_the_newest_is_kept():
    due = _Newest()
    for n in range(3):
        due.put((f"job {n}", moment(None)))
    job = due.take(0.0)
    assert job is not None
    assert job[0] == "job 2"
    assert due.take(0.0) is None


def test_a_session_leaves_pictures_and_ends_with_it(tmp_path: Path):
    link = Link(time.monotonic_ns())
    saved: list[str] = []
    script = [said(CLEAR_S), said(DANGER_S), said(HIDDEN_S)]

    class Port(FakePort):
        """Repeats one moment until a picture of it is saved, then goes on to the next, then says goodbye and falls silent."""

        def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]:
            time.sleep(0.01)
            bodies: list[tuple[Topic, Output]] = [("setup", msgspec.structs.replace(SETUP, message=SESSION_ENDED))]
            if len(saved) < len(script):
                state, alerts = script[len(saved)]
                bodies = [("state", state), ("alerts", alerts)]
            now_ns = time.monotonic_ns()
            messages = [(topic, envelope(body, now_ns)) for topic, body in bodies]
            if len(bodies) > 1:
                self.link.heard(messages[1][1], now_ns)
            return messages

    port = Port([], link)
    count = watch(scene(), rig(), port, Board(link, time.monotonic_ns), tmp_path, saved.append, "left")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert port.closed
    assert [name.partition("-")[2].partition("-burr")[0].partition("-neck")[0] for name in names] == [
        "navigation.png",
        "danger-drill",
        "tracking-lost-drill.png",
    ]
    assert count == len(names) == len(saved)
    for path in tmp_path.iterdir():
        assert np.asarray(Image.open(path)).std() > 10.0
