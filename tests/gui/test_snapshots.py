"""Pictures in place of a window: when one is due, that painting never holds up receiving, and what is saved."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from gui.board import SESSION_ENDED, Board, Moment
from gui.snapshots import Watch, _Newest, watch
from navtwin.bus.link import Link
from navtwin.nouns import AlertSet, Envelope, State, Topic
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

    class Port(FakePort):
        """Says the alerts of one time after the other, with time for a picture between, then goodbye and silence."""

        def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]:
            time.sleep(0.02)
            messages = super().receive_newest(timeout_ms)
            fresh = [(topic, msgspec.structs.replace(e, t_publish_ns=time.monotonic_ns())) for topic, e in messages]
            for _, e in fresh:
                self.link.heard(e, time.monotonic_ns())
            return fresh

    turns: list[list[tuple[Topic, Envelope]]] = []
    for t_s in (CLEAR_S, DANGER_S, HIDDEN_S):
        state, alerts = said(t_s)
        turns += [[("state", envelope(state, 0)), ("alerts", envelope(alerts, 0))]] * 60
    turns.append([("setup", envelope(msgspec.structs.replace(SETUP, message=SESSION_ENDED), 0))])
    port = Port(turns, link)
    said_paths: list[str] = []
    count = watch(scene(), rig(), port, Board(link, time.monotonic_ns), tmp_path, said_paths.append, "left")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert port.closed
    assert count == len(names) == len(said_paths)
    assert names[0] == "001-navigation.png"
    assert any("danger-drill" in name for name in names)
    assert names[-1].endswith("tracking-lost-drill.png")
    for path in tmp_path.iterdir():
        assert np.asarray(Image.open(path)).std() > 10.0
