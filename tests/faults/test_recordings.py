"""A recording is played onto the host's clock with its intervals kept, whatever it holds."""

from __future__ import annotations

import pytest

from navtwin.nouns import State, TrackerFrame
from tests.faults.live import PATIENCE_S, session, sightings
from tests.twin.world import MS

FRAMES = 40
PERIOD_MS = 20


def recorded(n: int) -> TrackerFrame:
    """Frame n of a stream that was recorded at some time long ago."""
    arrival = 77_000_000 * MS + n * PERIOD_MS * MS
    return TrackerFrame(source="old", number=n, t_capture_ns=arrival - 15 * MS, t_arrival_ns=arrival, sightings=sightings(20.0))


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_a_bare_stream_is_played_at_its_own_pace(speed: float) -> None:
    """Nothing was registered in it: there is no setup to hurry through, and an operator must have time to look."""
    with session(speed=speed) as s:
        for n in range(FRAMES):
            s.source.items.put(recorded(n))
        s.source.end()
        s.thread.join(PATIENCE_S)
        assert not s.runs
        s.listen(0.2)
        states = {e.body.frame: e for _, e in s.messages if isinstance(e.body, State)}
    assert len(states) >= FRAMES - 2
    first, last = states[min(states)], states[max(states)]
    frames = max(states) - min(states)
    took_s = (last.t_publish_ns - first.t_publish_ns) * 1e-9
    assert took_s == pytest.approx(frames * PERIOD_MS * 1e-3 / speed, rel=0.15)
    assert first.t_capture_ns is not None
    assert last.t_capture_ns is not None
    assert last.t_capture_ns - first.t_capture_ns == frames * PERIOD_MS * MS, "intervals are kept to the nanosecond"


def test_flat_out_is_fast_and_loses_no_warning() -> None:
    with session(speed=0.0) as s:
        for n in range(400):
            s.source.items.put(recorded(n))
        s.source.end()
        s.thread.join(PATIENCE_S)
        assert not s.runs
        assert s.core.memory.frame is not None
        assert s.core.memory.frame.number == 399
        s.listen(0.2)
        published = [e.t_publish_ns for _, e in s.messages if isinstance(e.body, State)]
    assert (max(published) - min(published)) * 1e-9 < 400 * PERIOD_MS * 1e-3 / 2.0
