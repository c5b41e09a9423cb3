"""The pictures of the documentation: which moment they show, and that it holds still while they are taken."""

from __future__ import annotations

import pytest

from benchmarks.screens_parts.reel import Frame, Reel, Screening
from navtwin.bus.signals import flash_on
from tests.bus.fake_core import SETUP, FakeTwin
from tests.gui.room import CLEAR_S, MS, said


def reel(until_s: float = 9.0) -> Reel:
    """The fake core's script as frames, one each 20 ms."""
    made, twin = Reel.__new__(Reel), FakeTwin()
    made.frames = []
    for n in range(round(until_s * 50)):
        t_ns = n * 20 * MS
        state = twin.state(t_ns, n)
        made.frames.append(Frame(t_ns, twin.alerts(t_ns), state, SETUP))
    return made


def danger(frame: Frame) -> bool:
    return any(words.startswith("DANGER spinal_canal") for words in frame.told())


def test_a_moment_is_found_some_time_into_what_is_wanted():
    frames = reel()
    first = frames.find(danger)
    assert danger(first) and not any(danger(frame) for frame in frames.frames if frame.t_ns < first.t_ns)
    later = frames.find(danger, 300)
    assert danger(later) and later.t_ns - first.t_ns == 300 * MS
    last = frames.find(danger, 3_600_000)
    assert danger(last) and last.t_ns > later.t_ns


def test_a_moment_that_the_session_has_not_is_no_other_one():
    with pytest.raises(LookupError, match="no such moment"):
        reel(1.0).find(danger)


def test_while_it_is_pictured_every_flashing_light_is_lit_and_nothing_grows_old():
    state, alerts = said(CLEAR_S)
    screening = Screening()
    screening.show(Frame(alerts.t_ns, alerts, state, SETUP))
    seen = screening.board.moment()
    for _ in range(12):
        screening.turn()
        moment, now_ns = screening.board.moment(), screening.clock()
        assert (moment.link, moment.state, moment.t_ns) == ("up", state, seen.t_ns)
        assert all(flash_on(priority, now_ns) for priority in ("high", "medium", "low"))


def test_without_a_session_the_time_told_stands_still():
    state, alerts = said(CLEAR_S)
    screening = Screening()
    screening.show(Frame(alerts.t_ns, alerts, state, SETUP))
    screening.show(None)
    silence = screening.board.moment().silence_ns
    screening.turn()
    moment = screening.board.moment()
    assert (moment.link, moment.state, moment.silence_ns) == ("lost", None, silence)
