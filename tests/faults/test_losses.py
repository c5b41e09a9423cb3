"""Losses that no single body shows: whatever keeps a distance unknown for longer than max_age is told of."""

from __future__ import annotations

import pytest

from navtwin.nouns import Sighting, TrackerFrame
from tests.twin.world import LATENCY_NS, MS, World


def flicker(w: World, gap_mm: float, frames: int, period: int) -> None:
    """The reference is seen for `period` frames, then the drill for as many; never both."""
    for n in range(frames):
        w.now_ns += 16 * MS
        w.number += 1
        ref, drill = w.sightings(gap_mm)
        hidden = "drill" if (n // period) % 2 else "ref"
        seen = tuple(Sighting(body=s.body, status="OUT_OF_VIEW") if s.body == hidden else s for s in (ref, drill))
        captured = w.now_ns - LATENCY_NS
        w.feed(TrackerFrame(source="test", number=w.number, t_capture_ns=captured, t_arrival_ns=w.now_ns, sightings=seen))


@pytest.mark.parametrize("period", [1, 3, 5])
@pytest.mark.parametrize(("gap_mm", "priority"), [(1.5, "high"), (60.0, "medium")])
def test_bodies_that_are_only_seen_in_turn(period: int, gap_mm: float, priority: str) -> None:
    w = World()
    w.hold(gap_mm, 30)
    flicker(w, gap_mm, 20, period)
    assert not any(p.known for p in w.alerts.pairs)
    lost = [t for t in w.alerts.technical if t.alarm in ("TRACKING_LOST", "REFERENCE_LOST")]
    assert lost, "nothing has been known for 320 ms, and nobody is told"
    assert max(lost, key=lambda t: ("none", "low", "medium", "high").index(t.priority)).priority == priority


def test_two_losses_one_after_the_other_count_as_one() -> None:
    """Drill hidden for 80 ms, then the reference for 80 ms: unknown for 160 ms."""
    w = World()
    w.hold(1.5, 30)
    w.hold(None, 5)
    w.hold(1.5, 5, ref=False)
    assert any(t.priority == "high" for t in w.alerts.technical)


def test_a_loss_ends_with_the_first_frame_that_shows_both() -> None:
    w = World()
    w.hold(1.5, 30)
    flicker(w, 1.5, 20, 1)
    w.frame(1.5)
    assert w.alert("canal/drill/burr").known
    assert not [t for t in w.alerts.technical if t.alarm in ("TRACKING_LOST", "REFERENCE_LOST")]


def test_an_error_that_makes_no_sense_is_told_of() -> None:
    """A source whose covariance is none (a negative variance): no error bar, so no distance; and somebody must hear of it."""
    w = World()
    w.hold(1.5, 30)
    absurd = (-1.0, *(0.0,) * 14, -1.0, 0.0, 0.0, -1.0, 0.0, -1.0)
    for _ in range(20):
        w.now_ns += 16 * MS
        w.number += 1
        ref, drill = w.sightings(1.5)
        spoilt = Sighting(body="drill", status="OK", pose=drill.pose, covariance=absurd)
        w.feed(TrackerFrame(source="t", number=w.number, t_capture_ns=w.now_ns - LATENCY_NS, t_arrival_ns=w.now_ns, sightings=(ref, spoilt)))
    held = w.alert("canal/drill/burr")
    assert (held.level, held.known, held.status) == ("DANGER", False, "INVALID")
    assert any(t.priority == "high" for t in w.alerts.technical)
