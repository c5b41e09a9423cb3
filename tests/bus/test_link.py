"""Link bookkeeping: silence, ages, epochs and gaps, in injected time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.bus.link import MS, Link
from navtwin.nouns import AlertSet, Envelope, Health, Output, State

HEALTH = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=None, watched=0)
ALERTS = AlertSet(phase="navigation", t_ns=0, alerts=(), technical=(), pairs=(), health=HEALTH)


def envelope(body: Output, published_ns: int, seq: int = 1, epoch: str = "e") -> Envelope:
    return Envelope(epoch=epoch, seq=seq, t_capture_ns=None, t_arrival_ns=None, t_step_ns=published_ns, t_publish_ns=published_ns, body=body)


def state(frame: int) -> State:
    return State(phase="navigation", frame=frame, instruments=(), readings=())


def test_lost_exactly_250_ms_after_the_last_alerts() -> None:
    link = Link(0)
    link.heard(envelope(ALERTS, 40 * MS), 41 * MS)
    assert not link.lost(291 * MS - 1)
    assert link.lost(291 * MS)


def test_core_that_never_speaks_is_lost() -> None:
    link = Link(1000)
    assert not link.lost(1000 + 249 * MS)
    assert link.lost(1000 + 250 * MS)
    assert not link.ever


def test_state_alone_does_not_keep_the_link() -> None:
    link = Link(0)
    for k in range(60):
        link.heard(envelope(state(k), k * 16 * MS), k * 16 * MS)
    assert link.lost(60 * 16 * MS)


def test_backlog_read_late_is_not_fresh() -> None:
    link = Link(0)
    link.heard(envelope(ALERTS, 0), 1 * MS)
    # The receiver slept; 1 s later it reads what was published long before.
    link.heard(envelope(ALERTS, 50 * MS), 1000 * MS)
    assert link.lost(1000 * MS)
    link.heard(envelope(ALERTS, 999 * MS), 1000 * MS)
    assert not link.lost(1000 * MS)


@given(offset_ns=st.integers(-(10**15), 10**15), delays_ms=st.lists(st.integers(0, 40), min_size=1, max_size=40))
@settings(max_examples=50)
def test_zero_of_the_remote_clock_does_not_matter(offset_ns: int, delays_ms: list[int]) -> None:
    here, there = Link(0), Link(0)
    for k, delay_ms in enumerate(delays_ms):
        published, received = 50 * k * MS, (50 * k + delay_ms) * MS
        here.heard(envelope(ALERTS, published), received)
        there.heard(envelope(ALERTS, published + offset_ns), received)
        assert here.heard_ns == there.heard_ns
        assert received - 40 * MS <= here.heard_ns <= received


def test_drift_between_the_clocks_is_forgotten() -> None:
    link = Link(0)
    # The core's clock runs slow by 100 ppm: after two hours it lags by 0.7 s, and the link must still count as fresh.
    for k in range(0, 7_200_000, 500):
        link.heard(envelope(ALERTS, int(k * MS * (1 - 1e-4))), k * MS)
        assert link.silence_ns(k * MS) < 10 * MS


def test_new_epoch_starts_the_counts_anew() -> None:
    link = Link(0)
    link.heard(envelope(ALERTS, 10**12, seq=900), 1 * MS)
    link.heard(envelope(ALERTS, 5, seq=1, epoch="f"), 60 * MS)
    assert (link.epoch, link.epochs, link.backwards) == ("f", 2, 0)
    assert not link.lost(300 * MS)


def test_gaps_are_counted() -> None:
    link = Link(0)
    for frame in (1, 2, 5, 6):
        link.heard(envelope(state(frame), 0, seq=frame), 0)
    link.heard(envelope(state(7), 0, seq=3), 0)
    assert link.backwards == 1
    for published_ms in (0, 50, 100, 300, 350):
        link.heard(envelope(ALERTS, published_ms * MS, seq=20 + published_ms), published_ms * MS)
    assert link.late_alerts == 1


def test_age_is_the_excess_over_the_fastest_transport() -> None:
    link = Link(0)
    link.heard(envelope(ALERTS, 0), 2 * MS)
    late = envelope(ALERTS, 50 * MS)
    assert link.age_ns(late, 52 * MS) == 0
    assert link.age_ns(late, 92 * MS) == 40 * MS
    assert link.age_ns(late, 51 * MS) == 0
