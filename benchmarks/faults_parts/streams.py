"""Faults of a stream of frames, in a live session."""

from __future__ import annotations

import time

from faults_parts.operator import Operator
from faults_parts.outcome import Outcome, false_clears, first_signal, is_warned, lies
from faults_parts.session import LiveTheatre, phase_s, session, truth_at
from navtwin.errors import NavtwinError
from phantoms.faults.fault import Fault
from phantoms.faults.injectors import STREAMS, Bodies
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import BURR, CAUTION_MM, NECK, Theatre

BODIES = Bodies("drill", "pointer", "ref")
LIMITS_MM = {BURR: CAUTION_MM, NECK: CAUTION_MM}


def warned_since(operator: Operator, t_ns: int) -> int | None:
    """When, after an instant, the burr was first known to be near."""
    return next((t for t, alerts, _ in operator.alerts_since(t_ns) if is_warned(alerts, BURR)), None)


def await_warning(operator: Operator) -> None:
    """Until the burr is first known to be near.

    Raises
    ------
    NavtwinError : it never was; nothing could be judged
    """
    if operator.wait(lambda: warned_since(operator, 0)) is None:
        raise NavtwinError("the session never began to warn", "look at what its source brings")


def judged(operator: Operator, fault: Fault, seed: int, begin_ns: int, ended_ns: int, theatre: Theatre) -> Outcome:
    """Wait for the signal and for the recovery, and judge all that was said between the injection and then."""
    signal = operator.wait(lambda: first_signal(operator, fault, begin_ns), fault.deadline_ms * 1e-3 + 2.0)
    operator.wait(lambda: time.monotonic_ns() >= ended_ns)
    back_ns = operator.wait(lambda: warned_since(operator, ended_ns))
    until_ns = back_ns or time.monotonic_ns()
    truth = truth_at(theatre)
    return Outcome(
        fault=fault.name,
        seed=seed,
        delay_ms=None if signal is None else (signal[0] - begin_ns) * 1e-6,
        deadline_ms=fault.deadline_ms,
        false_clear=false_clears(operator, begin_ns, until_ns, truth, LIMITS_MM),
        lies=lies(operator, begin_ns, ended_ns, truth),
        recovered=back_ns is not None,
        said="" if signal is None else signal[1],
        trouble="" if signal else "no signal came",
    )


def stream_fault(fault: Fault, seed: int) -> Outcome:
    """One run of a fault of `phantoms.faults.injectors`."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    source = LiveTheatre(theatre)
    with session(theatre, source) as s:
        await_warning(s.operator)
        time.sleep(phase_s(rng))
        lasts_s = fault.lasts_s * float(rng.uniform(1.0, 1.3))
        begin_ns = source.inject(STREAMS[fault.name](rng, BODIES), lasts_s)
        return judged(s.operator, fault, seed, begin_ns, source.end_ns, theatre)
