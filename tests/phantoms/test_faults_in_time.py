"""Faults of a stream through the fold, in its own time: the deadline holds to the millisecond, and nothing is said to be clear."""

from __future__ import annotations

import numpy as np
import pytest

from phantoms.faults.injectors import STREAMS
from phantoms.faults.limits import TRANSPORT_MS
from phantoms.faults.table import find
from phantoms.faults.theatre import BURR, CAUTION_MM, NECK
from tests.phantoms.faults_in_time import BEGIN_NS, Told, perform

#: A number further than this from the truth is a lie, mm.
LIE_MM = 1.0
#: What is knocked while nobody looks is not seen by any stream; its row is found by touching.
SEEN = sorted(set(STREAMS) - {"reference-bumped"})


def _level(told: Told, t_ns: int) -> tuple[str | None, bool]:
    """Level of the burr in the last set said by then, and whether it was known."""
    alerts = [a for t, a in told.alerts if t <= t_ns][-1]
    return next((p.level, p.known) for p in alerts.pairs if p.id == BURR)


@pytest.mark.parametrize("name", SEEN)
def test_the_signal_comes_within_its_deadline_and_nothing_is_clear(name: str) -> None:
    fault = find(name)
    theatre, told, end_ns = perform(name, 1)
    assert _level(told, BEGIN_NS) == ("DANGER", True), "CLEAR would be a lie when it begins"
    delay_ms = told.signal_ms(name)
    assert delay_ms is not None
    assert delay_ms <= fault.deadline_ms - TRANSPORT_MS, "there is no transport here"
    near = {pair for pair, mm in theatre.truth_mm(BEGIN_NS * 1e-9).items() if mm <= CAUTION_MM}
    assert near == {BURR, NECK}
    for t_ns, alerts in told.alerts:
        if t_ns >= BEGIN_NS:
            assert [p.id for p in alerts.pairs if p.id in near and p.known and p.level == "CLEAR"] == []
    for capture_ns, state in told.states:
        if BEGIN_NS <= capture_ns < end_ns:
            true = theatre.truth_mm(capture_ns * 1e-9)
            for r in state.readings:
                pair = f"{r.structure}/{r.instrument}/{r.part}"
                assert r.distance_mm is None or pair not in true or abs(r.distance_mm - true[pair]) <= LIE_MM
    assert _level(told, told.alerts[-1][0]) == ("DANGER", True), "and all is as before when it is over"


def test_without_a_fault_no_signal_comes() -> None:
    """What would show if the theatre itself were no honest session."""
    _, told, _ = perform("drifting-stamps", 1, faulty=False)
    assert [alerts.technical for t_ns, alerts in told.alerts if t_ns >= BEGIN_NS and alerts.technical] == []


def test_a_knocked_reference_is_seen_by_no_stream() -> None:
    """The reason for looking at the age of the last check: the twin goes on, from the wrong place, without a word."""
    theatre, told, end_ns = perform("reference-bumped", 1)
    assert told.signal_ms("reference-bumped") is None
    capture_ns, state = next((t, s) for t, s in told.states if t > end_ns - 100_000_000)
    drill = next(i for i in state.instruments if i.instrument == "drill")
    assert drill.pose is not None
    assert np.linalg.norm(np.array(drill.pose.t_mm) - theatre.burr_mm(capture_ns * 1e-9)) > 5.0
