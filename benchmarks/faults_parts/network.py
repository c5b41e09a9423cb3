"""Faults of the network and of the other clients: with none of them may anything change for the operator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from faults_parts.clients import flood, neighbour, reader, stalled
from faults_parts.operator import Operator
from faults_parts.outcome import Outcome, false_clears, lies, longest_silence_ms, unright
from faults_parts.relay import Relay
from faults_parts.session import LiveTheatre, Session, phase_s, session, truth_at
from faults_parts.streams import LIMITS_MM, await_warning, warned_since
from navtwin.nouns import Mark
from phantoms.faults.fault import Fault
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import BURR, Theatre

Trouble = Callable[[Session], AbstractContextManager[object]]


@contextmanager
def _gone(s: Session) -> Iterator[None]:
    with neighbour(reader, s.ports[0]) as process:
        process.kill()
        yield


TROUBLES: dict[str, Trouble] = {
    "subscriber-slow": lambda s: neighbour(stalled, s.ports[0]),
    "subscriber-gone": _gone,
    "subscriber-flooding": lambda s: neighbour(flood, s.ports[1]),
    "operator-clock": lambda s: nullcontext(),
}


def stays_right(fault: Fault, seed: int) -> Outcome:
    """One run of a fault in which everything is to stay right; an order of the operator must be obeyed meanwhile."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    # Either way, for the receiver's own clock is any monotonic one.
    off_ns = round(3600e9 * float(rng.choice([-1.0, 1.0]))) if fault.name == "operator-clock" else 0
    with session(theatre, LiveTheatre(theatre), clock=lambda: time.monotonic_ns() + off_ns) as s:
        await_warning(s.operator)
        time.sleep(phase_s(rng))
        with TROUBLES[fault.name](s):
            begin_ns = time.monotonic_ns()
            time.sleep(fault.lasts_s / 2.0)
            answer = s.operator.order(Mark(label="in the midst of it"))
            time.sleep(fault.lasts_s / 2.0)
            end_ns = time.monotonic_ns()
        return right_outcome(fault, seed, s.operator, theatre, begin_ns, end_ns, "" if answer.ok else f"an order was refused: {answer.reason}")


def right_outcome(
    fault: Fault, seed: int, operator: Operator, theatre: Theatre, begin_ns: int, end_ns: int, trouble: str = "", allowed: tuple[str, ...] = ()
) -> Outcome:
    """Judge a time in which nothing should have been noticed, but for alarms that are `allowed`."""
    truth = truth_at(theatre)
    lost = any(is_lost and begin_ns <= t_ns <= end_ns for t_ns, is_lost in operator.lost)
    return Outcome(
        fault=fault.name,
        seed=seed,
        delay_ms=longest_silence_ms(operator, begin_ns, end_ns),
        deadline_ms=fault.deadline_ms,
        false_clear=false_clears(operator, begin_ns, end_ns, truth, LIMITS_MM),
        lies=lies(operator, begin_ns, end_ns, truth),
        said="nothing, as it should be",
        trouble=trouble or unright(operator, begin_ns, end_ns, BURR, allowed) or ("the link counted as lost" if lost else ""),
    )


def link_cut(fault: Fault, seed: int) -> Outcome:
    """The line between core and operator goes dead, and comes back."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    with session(theatre, LiveTheatre(theatre)) as s:
        relays = [Relay(port) for port in s.ports]
        operator = Operator((relays[0].port, relays[1].port), "far operator")
        try:
            await_warning(operator)
            time.sleep(phase_s(rng))
            begin_ns = time.monotonic_ns()
            for relay in relays:
                relay.cut.set()
            time.sleep(fault.lasts_s * float(rng.uniform(1.0, 1.3)))
            ended_ns = time.monotonic_ns()
            for relay in relays:
                relay.cut.clear()
            return link_outcome(fault, seed, operator, theatre, begin_ns, ended_ns)
        finally:
            operator.close()
            for relay in relays:
                relay.close()


def link_since(operator: Operator, t_ns: int, *, lost: bool) -> int | None:
    """When, from an instant on, the link was first lost, or up again: at once where it was so already."""
    before = [is_lost for changed_ns, is_lost in operator.lost if changed_ns < t_ns]
    if (before[-1] if before else False) == lost:
        return t_ns
    return next((changed_ns for changed_ns, is_lost in operator.lost if is_lost == lost and changed_ns >= t_ns), None)


def link_outcome(fault: Fault, seed: int, operator: Operator, theatre: Theatre, begin_ns: int, ended_ns: int | None) -> Outcome:
    """Judge a lost link; `ended_ns` is when it was mended, None where it never is."""
    lost_ns = operator.wait(lambda: link_since(operator, begin_ns, lost=True), fault.deadline_ms * 1e-3 + 2.0)
    back_ns = None
    if ended_ns is not None:
        found_ns = operator.wait(lambda: link_since(operator, ended_ns, lost=False))
        back_ns = None if found_ns is None else operator.wait(lambda: warned_since(operator, found_ns))
    until_ns = back_ns or time.monotonic_ns()
    truth = truth_at(theatre)
    return Outcome(
        fault=fault.name,
        seed=seed,
        delay_ms=None if lost_ns is None else (lost_ns - begin_ns) * 1e-6,
        deadline_ms=fault.deadline_ms,
        false_clear=false_clears(operator, begin_ns, until_ns, truth, LIMITS_MM),
        lies=lies(operator, begin_ns, until_ns, truth),
        recovered=ended_ns is None or back_ns is not None,
        said="LINK LOST" if lost_ns else "",
        trouble="" if lost_ns else "the link never counted as lost",
    )
