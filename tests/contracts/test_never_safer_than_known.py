"""Invariants of what is said, over any sequence of movements, losses and orders: unknown is not safe, silence is an alarm, nothing is masked."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.nouns import Ack, AlertSet, AudioPause, Mute, Order, PairSummary, SetLimits, ToolSelect
from navtwin.twin.levels import level_of, rank
from tests.twin.world import MS, World

MAX_AGE_NS = 100 * MS
TICK_NS = 10 * MS
REPEAT_NS = 50 * MS

moves = st.tuples(st.just("move"), st.floats(-6.0, 60.0), st.integers(1, 12))
losses = st.tuples(st.sampled_from(["hidden", "blind", "silence", "old", "outside"]), st.just(0.0), st.integers(1, 25))
answers = st.tuples(st.sampled_from(["ack", "mute", "pause", "limits", "deselect", "select"]), st.floats(0.5, 12.0), st.just(1))


@dataclass
class Watch:
    """What has been said so far, and the rules that it has to keep."""

    world: World
    pairs: dict[str, PairSummary] = field(default_factory=dict)
    unknown_since: dict[str, int] = field(default_factory=dict)
    said_ns: int | None = None

    def look(self) -> None:
        w = self.world
        for message in w.messages:
            if isinstance(message.body, AlertSet):
                self.said_ns = w.now_ns
        now = w.alerts
        assert self.said_ns is not None
        assert w.now_ns - self.said_ns <= REPEAT_NS + TICK_NS
        self._pairs(now)
        self._alerts(now)
        self._loss_is_told(now)

    def _pairs(self, now: AlertSet) -> None:
        for pair in now.pairs:
            before = self.pairs.get(pair.id)
            if before is not None:
                if not pair.known and not before.known:
                    assert rank(pair.level) >= rank(before.level), "what is unknown never becomes less urgent"
                if pair.level == before.level:
                    assert pair.since_ns == before.since_ns
                else:
                    assert pair.since_ns == now.t_ns
            assert pair.known == (pair.known and pair.status == "OK")
            if pair.status == "OK":  # seen; CLEAR waits for its third good frame
                self.unknown_since.pop(pair.id, None)
            else:
                self.unknown_since.setdefault(pair.id, now.t_ns)
            self.pairs[pair.id] = pair

    def _alerts(self, now: AlertSet) -> None:
        w, alerts = self.world, {a.id: a for a in now.alerts}
        assert set(alerts) == {p.id for p in now.pairs if rank(p.level) > 0}, "every pair that is near is told of, whatever else is"
        for a in now.alerts:
            assert a.known == (a.distance_mm is not None)
            if a.level in ("DANGER", "CONTACT") and a.silenced:
                assert a.acked_by or now.health.audio_paused_until_ns is not None, "a mute never covers DANGER"
            if a.known:
                assert a.distance_mm is not None
                assert a.bound_mm is not None
                assert a.bound_mm <= a.distance_mm, "the bound never claims more room than was measured"
        for i, pair in enumerate(w.memory.pairs):
            if pair.state.known and pair.status == "OK":
                caution, danger = w.memory.limits[pair.structure]
                seen = level_of(pair.distance_mm, pair.distance_mm, caution, danger)
                assert rank(now.pairs[i].level) >= rank(seen), "no level is lower than the measured distance alone says"

    def _loss_is_told(self, now: AlertSet) -> None:
        """A pair of an instrument in use that stays unknown has a technical alarm beside it that says why."""
        drills = [i for i in self.unknown_since if "/drill/" in i]
        if "drill" in now.health.selected and drills:
            longest = max(now.t_ns - self.unknown_since[i] for i in drills)
            if longest > MAX_AGE_NS + 2 * TICK_NS:
                assert now.technical, "silence is an alarm"
        if any(now.t_ns - self.unknown_since.get(a.id, now.t_ns) > MAX_AGE_NS + 2 * TICK_NS for a in now.alerts):
            assert any(t.priority == "high" for t in now.technical), "known to be near and not seen any more: high, selected or not"


@given(script=st.lists(st.one_of(moves, moves, losses, answers), min_size=3, max_size=14))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_said_is_never_safer_than_what_is_known(script: list[tuple[str, float, int]]) -> None:
    w = World()
    watch = Watch(w)
    at = 20.0
    w.frame(at)
    watch.look()
    for what, value, count in script:
        if what in ("ack", "mute", "pause", "limits", "deselect", "select"):
            for order in _orders(w, what, value):
                w.order(order)
                watch.look()
            continue
        step_mm = (value - at) / count if what == "move" else 0.0
        for _ in range(count):
            at += step_mm
            w.tick()
            watch.look()
            if what == "silence":
                continue
            gap = None if what == "hidden" else 260.0 if what == "outside" else at
            w.frame(gap, ref=what != "blind", age_ms=260.0 if what == "old" else 15.0, step_ms=6.0)
            watch.look()


def _orders(w: World, what: str, value: float) -> list[Order]:
    if what == "ack":
        alerts = [Ack(epoch="test-session", alert=alert.id, level=alert.level) for alert in w.alerts.alerts]
        return [*alerts, *(Ack(epoch="test-session", alert=alarm.id) for alarm in w.alerts.technical)]
    if what == "mute":
        return [Mute(structure="canal")]
    if what == "pause":
        return [AudioPause(seconds=value)]
    if what == "limits":
        return [SetLimits(structure="canal", caution_mm=value, danger_mm=value / 2.0)]
    return [ToolSelect(tools=("drill",) if what == "select" else ())]
