"""One session judged against its truth: each critical pair by its own limits, as they were at the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navtwin.nouns import Rig
from navtwin.record.limits import limit_steps as accepted_limits
from navtwin.report.episodes import CommandRow
from navtwin.report.judge import Finding, Floats, Levels, Rules, Times, active_spans, judge, mark_masked
from navtwin.report.session import Session
from navtwin.scene.model import Scene, Structure
from navtwin.twin.alarms import ALARMS

#: From the end of the wait for a frame to publication: decoding, one step, encoding (the figures of `benchmarks/` stay well below).
PROCESSING_NS = 5_000_000
#: Never known: the level of a pair that the twin does not even list.
_NEVER = Levels(np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.bool_))
_NOTHING: tuple[Times, Floats] = (np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class LimitSteps:
    """Limits of one structure as a step function of time: `t_ns` (K,) ascending, limits (K,) mm from then on."""

    t_ns: Times
    caution_mm: Floats
    danger_mm: Floats

    def at(self, t_ns: Times) -> tuple[Floats, Floats]:
        """Caution and danger limits at the times given; before the first change, the case's own."""
        step = np.maximum(np.searchsorted(self.t_ns, t_ns, side="right") - 1, 0)
        return self.caution_mm[step], self.danger_mm[step]


def rules_of(session: Session, rig: Rig, transport_ns: int | None = None) -> Rules:
    """One period of the rig's tracker, and its latency + 5 ms as transport unless told otherwise."""
    transport = round(rig.tracker.latency_ms * 1e6) + PROCESSING_NS if transport_ns is None else transport_ns
    return Rules(round(1e9 / rig.tracker.rate_hz), transport, session.start_ns, session.end_ns)


def limit_steps(structure: Structure, commands: tuple[CommandRow, ...]) -> LimitSteps:
    """The case's limits, then every change that was accepted; `undo` takes back the last landmark, sweep or change of limits."""
    assert structure.caution_mm is not None and structure.danger_mm is not None, "only a critical structure has limits"
    own = (structure.caution_mm, structure.danger_mm)
    t_ns, caution, danger = zip(*accepted_limits(structure.name, own, commands), strict=True)
    return LimitSteps(np.array(t_ns, np.int64), np.array(caution), np.array(danger))


def high_alarm_spans(session: Session, rig: Rig, instrument: str, body: str) -> Times:
    """(K, 2) spans in which a high technical alarm said that this pair's distance may be unknown.

    An alarm about knowledge (not about disk or sound) counts, unless its subject is another instrument or marker body.
    """
    tool = next((t for t in rig.tool if t.name == instrument), None)
    mine = {instrument, rig.reference, body} | ({tool.body} if tool else set())
    others = ({t.name for t in rig.tool} | {b.name for b in rig.body}) - mine
    spans = [
        (row.start_ns, session.end_ns if row.end_ns is None else row.end_ns)
        for row in session.technical
        if row.priority == "high" and row.subject not in others and ALARMS[row.id.split("/")[0]].raises_to_high
    ]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def judge_session(session: Session, scene: Scene, rig: Rig, transport_ns: int | None = None) -> list[Finding]:
    """Every judged crossing and every spurious rise of the navigation phase, in order of time.

    Parameters
    ----------
    transport_ns : from capture to publication; the tracker's declared latency + 5 ms if None
    """
    rules = rules_of(session, rig, transport_ns)
    found: list[Finding] = []
    for structure in scene.structures:
        if structure.role != "critical":
            continue
        steps = limit_steps(structure, session.commands)
        for key, truth in session.truth.items():
            name, instrument, _ = key.split("/", 2)
            if name != structure.name:
                continue
            levels = session.levels.get(key, _NEVER)
            caution, danger = steps.at(truth.t_ns)
            alarms = high_alarm_spans(session, rig, instrument, structure.body)
            found += judge(key, levels, truth, caution, danger, *session.allowances.get(key, _NOTHING), rules, alarms)
    active = {key: active_spans(levels, session.end_ns) for key, levels in session.levels.items()}
    return sorted(mark_masked(found, active, rules), key=lambda f: f.t_ns)
