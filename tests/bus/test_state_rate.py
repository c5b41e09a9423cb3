"""A fast tracker's states are thinned for those who listen; its alerts, and the log, are not."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest

from navtwin.nouns import Accept, AlertSet, Command, Envelope, Pose, Sighting, State, TrackerFrame
from navtwin.record.log import LogWriter
from navtwin.record.read import inputs
from navtwin.run.core import STATE_EVERY_NS, Core
from tests.twin.world import HEADER, MS, RADIUS_MM, registration, small_rig, small_scene

decode = msgspec.json.Decoder(Envelope).decode
HOME = (1.0, 0.0, 0.0, 0.0)


class Bus:
    """A core whose clock is that of its frames, and what it published: (ns, body)."""

    def __init__(self, log: LogWriter | None = None, **options: int) -> None:
        self.now_ns = 1_000 * MS
        self.said: list[tuple[int, object]] = []
        self.core = Core(
            small_scene(),
            small_rig(),
            HEADER,
            publish=lambda topic, payload: self.said.append((self.now_ns, decode(payload).body)),
            answer=lambda seq, payload: None,
            log=log,
            host_ns=lambda: self.now_ns,
            **options,
        )
        self.core.take(self.now_ns, registration())
        self.core.take(self.now_ns, Command(who="nurse", id="1", order=Accept(result="registration")))

    def frames(self, count: int, period_ns: int) -> None:
        for number in range(1, count + 1):
            self.now_ns += period_ns
            # In and out of sight with every frame: each changes the alert set.
            pose = Pose(q_wxyz=HOME, t_mm=(RADIUS_MM + 3.0, 0.0, 0.0)) if number % 2 else None
            seen = Sighting(body="drill", status="OK" if pose else "MISSING", pose=pose)
            reference = Sighting(body="ref", status="OK", pose=Pose(q_wxyz=HOME, t_mm=(0.0, 0.0, 0.0)))
            self.core.take(self.now_ns, TrackerFrame("test", number, self.now_ns - 5 * MS, self.now_ns, (reference, seen)))

    def at(self, kind: type) -> list[int]:
        return [t_ns for t_ns, body in self.said if isinstance(body, kind)]


@pytest.mark.parametrize("rate_hz", [20, 60, 100, 120])
def test_every_state_of_a_usual_tracker_is_published(rate_hz: int) -> None:
    bus = Bus()
    bus.frames(100, 10**9 // rate_hz)
    assert len(bus.at(State)) == 100


@pytest.mark.parametrize("rate_hz", [400, 1000])
def test_of_a_fast_one_so_many_that_no_two_are_nearer_than_the_least(rate_hz: int) -> None:
    bus = Bus()
    bus.frames(rate_hz, 10**9 // rate_hz)
    times = bus.at(State)
    assert min(b - a for a, b in itertools.pairwise(times)) >= STATE_EVERY_NS
    assert len(times) > 100, "and no fewer than a screen shows"


def test_who_asks_for_every_state_gets_it() -> None:
    bus = Bus(state_every_ns=0)
    bus.frames(400, 2_500_000)
    assert len(bus.at(State)) == 400


def test_alerts_and_the_log_are_not_thinned(tmp_path: Path) -> None:
    path = tmp_path / "fast.mcap"
    log = LogWriter(path, live=False)
    bus = Bus(log)
    before = len(bus.at(AlertSet))
    bus.frames(400, 2_500_000)
    log.finish()
    states = set(bus.at(State))
    thorough = Bus(state_every_ns=0)
    thorough.frames(400, 2_500_000)
    assert bus.at(AlertSet) == thorough.at(AlertSet)
    assert len(bus.at(AlertSet)) - before > len(states), "some changed with a frame whose state was left out"
    assert sum(isinstance(event.body, TrackerFrame) for event in inputs(path)) == 400
