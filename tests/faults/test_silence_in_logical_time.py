"""A source that falls silent at any moment, at any rate: the alarm comes within one tick after max_age, in the fold's own time, every time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.nouns import Tick, TrackerFrame
from tests.twin.world import MS, World, small_rig, small_scene

#: The core's tick, ns (navtwin/run/simulate.py).
TICK_NS = 10 * MS

SCENE = small_scene()
RATES_HZ = st.sampled_from((60.0, 75.0, 120.0, 333.0, 400.0, 1000.0))


@given(
    rate_hz=RATES_HZ,
    max_age_ms=st.floats(25.0, 250.0),
    latency_ms=st.floats(0.0, 20.0),
    frames=st.integers(3, 40),
    phase_ns=st.integers(0, TICK_NS - 1),
    gap_mm=st.floats(0.2, 12.0),
)
@settings(max_examples=40, deadline=None)
def test_silence_is_told_within_a_tick_of_max_age_and_never_before(
    rate_hz: float, max_age_ms: float, latency_ms: float, frames: int, phase_ns: int, gap_mm: float
) -> None:
    w = World(scene=SCENE, rig=small_rig(rate_hz=rate_hz, max_age_ms=max_age_ms, latency_ms=latency_ms))
    period_ns, latency_ns, captured = round(1e9 / rate_hz), round(latency_ms * MS), 0
    arrival, tick = w.now_ns + period_ns, w.now_ns + phase_ns
    end = arrival + (frames - 1) * period_ns
    told = None
    while told is None:
        if arrival <= min(tick, end):
            w.now_ns, captured, arrival = arrival, arrival - latency_ns, arrival + period_ns
            w.number += 1
            w.feed(TrackerFrame(source="t", number=w.number, t_capture_ns=captured, t_arrival_ns=w.now_ns, sightings=w.sightings(gap_mm)))
        else:
            w.now_ns, tick = tick, tick + TICK_NS
            w.feed(Tick())
        if captured and w.technical("SOURCE_STALE") is not None and w.now_ns >= end:
            told = w.now_ns
        elif captured:
            # Until then the distance is known, and its age is allowed.
            assert w.now_ns - captured <= max_age_ms * MS
            assert w.technical("SOURCE_STALE") is None
    late = told - captured - max_age_ms * MS
    assert 0.0 < late <= TICK_NS
    assert not any(pair.state.known for pair in w.memory.pairs)
    assert all(alert.distance_mm is None for alert in w.alerts.alerts)
