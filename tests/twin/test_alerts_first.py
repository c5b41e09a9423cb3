"""A warning leaves before what is merely informative is put together."""

from __future__ import annotations

import importlib

import pytest

from navtwin.nouns import Accept, Command, Event, TrackerFrame, decode_envelope
from navtwin.run.core import Core
from navtwin.twin import Memory, say, step
from tests.twin.world import HEADER, LATENCY_NS, MS, World, registration


def _frame(w: World, gap_mm: float) -> TrackerFrame:
    w.now_ns += 16 * MS
    w.number += 1
    return TrackerFrame(
        source="test", number=w.number, t_capture_ns=w.now_ns - LATENCY_NS, t_arrival_ns=w.now_ns, sightings=w.sightings(gap_mm)
    )  # fmt: skip


def test_readings_are_not_put_together_before_the_alerts_are_out(monkeypatch: pytest.MonkeyPatch) -> None:
    publish = importlib.import_module("navtwin.twin.publish")
    w, made = World(), list[str]()
    readings = publish._readings

    def noted(memory: Memory) -> object:
        made.append("readings")
        return readings(memory)

    monkeypatch.setattr(publish, "_readings", noted)
    said = say(w.scene, w.memory, Event(seq=99, t_ns=w.now_ns + 16 * MS, body=_frame(w, 1.0)))
    assert next(said).topic == "alerts"
    assert made == []
    assert next(said).topic == "state"
    assert made == ["readings"]


def test_said_one_by_one_or_all_at_once_it_is_the_same() -> None:
    one, other = World(), World()
    for n in range(60):
        gap = 6.0 - 0.1 * n if n % 4 else None
        one.now_ns += 16 * MS
        other.now_ns = one.now_ns
        one.number += 1
        frame = TrackerFrame(
            source="test", number=one.number, t_capture_ns=one.now_ns - LATENCY_NS, t_arrival_ns=one.now_ns, sightings=one.sightings(gap)
        )
        event = Event(seq=100 + n, t_ns=one.now_ns, body=frame)
        assert step(one.scene, one.memory, event) == list(say(other.scene, other.memory, event))


def test_an_alert_is_published_with_the_instant_at_which_it_was_said() -> None:
    """Of one frame the alert's stamps lie before the state's, and the log's cover both."""
    w, clock, published = World(register=False), iter(range(1, 10_000)), list[tuple[str, int, int]]()

    def publish(topic: str, payload: bytes) -> None:
        e = decode_envelope(payload)
        published.append((topic, e.t_step_ns, e.t_publish_ns))

    core = Core(w.scene, w.rig, HEADER, publish=publish, answer=lambda seq, payload: None, host_ns=lambda: next(clock))
    core.take(w.now_ns, registration())
    core.take(w.now_ns, Command(who="t", id="1", order=Accept(result="registration")))
    published.clear()
    core.take(w.now_ns + 16 * MS, _frame(w, 1.0))
    topics = [topic for topic, _, _ in published]
    assert topics[:2] == ["alerts", "state"]
    stamps = [stamp for _, stepped, sent in published for stamp in (stepped, sent)]
    assert stamps == sorted(stamps)
