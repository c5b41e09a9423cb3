"""Faults between the patient, the instruments and their calibrations, which no frame shows: found by touching, by pivoting, or by their age."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from faults_parts.operator import Operator
from faults_parts.outcome import Outcome, first_signal, pair_in
from faults_parts.session import LiveTheatre, phase_s, session
from faults_parts.streams import BODIES
from navtwin.nouns import Accept, Collect, Reply, Rig
from phantoms.faults.fault import Fault
from phantoms.faults.injectors import STREAMS
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import AWAY_MM, BURR, LANDMARKS, REST_MM, SHAFT_MM, Theatre, theatre_rig
from phantoms.path import unit

TOUCHED = "process"
TOUCH_S, PIVOT_S = 0.8, 5.0


def _by_alarm(fault: Fault, seed: int, operator: Operator, begin_ns: int, trouble: str = "") -> Outcome:
    """Judge a fault that an alarm tells of, and that does not end by itself."""
    signal = operator.wait(lambda: first_signal(operator, fault, begin_ns), fault.deadline_ms * 1e-3 + 2.0)
    return Outcome(
        fault=fault.name,
        seed=seed,
        delay_ms=None if signal is None else (signal[0] - begin_ns) * 1e-6,
        deadline_ms=fault.deadline_ms,
        said="" if signal is None else signal[1],
        trouble=trouble or ("" if signal else "no signal came"),
    )


def by_answer(fault: Fault, seed: int, begin_ns: int, answer: Reply) -> Outcome:
    """Judge a fault that an order is refused for."""
    delay_ms = (time.monotonic_ns() - begin_ns) * 1e-6
    named = not answer.ok and all(word in answer.reason.lower() for word in fault.signal.words)
    why = "" if named else "it was taken" if answer.ok else f"refused for another reason: {answer.reason}"
    return Outcome(fault=fault.name, seed=seed, delay_ms=delay_ms if named else None, deadline_ms=fault.deadline_ms, said=answer.reason, trouble=why)


def _known(operator: Operator) -> bool:
    return any(pair_in(alerts, BURR)[1] for _, alerts, _ in operator.alerts_since(0))


def reference_bumped(fault: Fault, seed: int) -> Outcome:
    """The reference is knocked; a touch of a landmark finds it."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng, away_mm=AWAY_MM)
    source = LiveTheatre(theatre)
    place = np.array(LANDMARKS[TOUCHED])
    theatre.move("pointer", place, place, 0.0)
    with session(theatre, source) as s:
        s.operator.wait(lambda: _known(s.operator))
        time.sleep(phase_s(rng))
        source.inject(STREAMS[fault.name](rng, BODIES), 1e6)
        time.sleep(0.5)
        health = s.operator.alerts_since(0)[-1][1].health
        dated = "" if health.registered_ns is not None else "the screen cannot say how long ago it was verified"
        began = s.operator.order(Collect(what="check", tool="pointer", action="start", landmark=TOUCHED))
        time.sleep(TOUCH_S)
        begin_ns = time.monotonic_ns()
        done = s.operator.order(Collect(what="check", tool="pointer", action="stop", landmark=TOUCHED))
        refused = next((f"the check was refused: {reply.reason}" for reply in (began, done) if not reply.ok), "")
        return _by_alarm(fault, seed, s.operator, begin_ns, refused or dated)


def verify_due(fault: Fault, seed: int) -> Outcome:
    """Nobody touches a landmark for longer than the rig allows, which is a second here."""
    rng = rng_of(fault.name, seed)
    minutes = float(rng.uniform(0.01, 0.03))
    theatre = Theatre(rng, rig=msgspec.structs.replace(theatre_rig(), verify_every_min=minutes))
    with session(theatre, LiveTheatre(theatre)) as s:
        s.operator.wait(lambda: _known(s.operator))
        registered_ns = s.operator.alerts_since(0)[-1][1].health.registered_ns
        if registered_ns is None:
            return _by_alarm(fault, seed, s.operator, 0, "the screen cannot say when it was registered")
        return _by_alarm(fault, seed, s.operator, registered_ns + round(minutes * 60e9))


def _aged(rig: Rig, days: float) -> Rig:
    """The rig with its tips calibrated so many days ago, and the usual limit."""
    date = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
    tools = tuple(msgspec.structs.replace(tool, calibrated=date) for tool in rig.tool)
    return Rig(reference=rig.reference, tracker=rig.tracker, body=rig.body, tool=tools)


def stale_calibration(fault: Fault, seed: int) -> Outcome:
    """The session begins with tips that were calibrated too long ago."""
    rng = rng_of(fault.name, seed)
    most_days = _aged(theatre_rig(), 0.0).calibration_max_age_days
    theatre = Theatre(rng, rig=_aged(theatre_rig(), most_days + float(rng.uniform(2.0, 2000.0))))
    begin_ns = time.monotonic_ns()
    with session(theatre, LiveTheatre(theatre)) as s:
        return _by_alarm(fault, seed, s.operator, begin_ns)


def wrong_tool(fault: Fault, seed: int) -> Outcome:
    """What is pivoted as the drill is another instrument."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng, away_mm=AWAY_MM)
    off = rng.uniform(3.0, 15.0) * unit(rng.normal(size=3))
    theatre.pivot("drill", np.array([0.0, 0.0, SHAFT_MM]) + off, REST_MM)
    with session(theatre, LiveTheatre(theatre)) as s:
        s.operator.wait(lambda: bool(s.operator.alerts_since(0)))
        time.sleep(phase_s(rng))
        s.operator.order(Collect(what="pivot", tool="drill", action="start"))
        time.sleep(PIVOT_S)
        s.operator.order(Collect(what="pivot", tool="drill", action="stop"))
        pending = s.operator.wait(lambda: any("pivot/drill" in setup.pending for setup in s.operator.setups()))
        begin_ns = time.monotonic_ns()
        answer = s.operator.order(Accept(result="pivot/drill"))
        found = by_answer(fault, seed, begin_ns, answer)
        return found if pending else msgspec.structs.replace(found, trouble="the pivot gave no result")
