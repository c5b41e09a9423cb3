"""What one run of one fault has shown, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import msgspec

from faults_parts.operator import Operator, alarm_in, pair_in
from navtwin.nouns import AlertSet
from phantoms.faults.fault import Fault

#: A number further than this from the truth is a lie, mm: noise, sway and mesh are a fifth of it.
LIE_MM = 1.0

TruthAt = Callable[[int], dict[str, float]]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes
    ----------
    delay_ms : from the injection to the signal at the operator's client, None where it did not come; of `right` the longest silence
    false_clear : alert sets that said known and CLEAR of a pair whose truth was within its limit
    lies : readings with a number that was not so
    recovered : whether all was as it should be once the fault was over
    said : the signal in the words that the operator saw
    trouble : why the run is no good though its signal came, or why there was none; "" else
    """

    fault: str
    seed: int
    delay_ms: float | None
    deadline_ms: float
    false_clear: int = 0
    lies: int = 0
    recovered: bool = True
    said: str = ""
    trouble: str = ""

    @property
    def signalled(self) -> bool:
        """The signal came within its deadline, and nothing spoke against it."""
        return self.delay_ms is not None and self.delay_ms <= self.deadline_ms and not self.trouble

    @property
    def good(self) -> bool:
        return self.signalled and not self.false_clear and not self.lies and self.recovered


def false_clears(operator: Operator, begin_ns: int, end_ns: int, truth: TruthAt, limits_mm: dict[str, float]) -> int:
    """Alert sets from the injection to the recovery that said known and CLEAR of a pair that was truly within its limit."""
    count = 0
    for t_ns, alerts, _ in operator.alerts_since(begin_ns):
        if t_ns > end_ns:
            break
        true = truth(alerts.t_ns)
        count += any(p.known and p.level == "CLEAR" and true.get(p.id, 1e9) <= limits_mm.get(p.id, 0.0) for p in alerts.pairs)
    return count


def lies(operator: Operator, begin_ns: int, end_ns: int, truth: TruthAt) -> int:
    """Readings of frames exposed in that time whose number is not the truth."""
    count = 0
    for state, envelope in operator.states_since(begin_ns):
        if envelope.t_capture_ns is None or not begin_ns <= envelope.t_capture_ns <= end_ns:
            continue
        true = truth(envelope.t_capture_ns)
        for r in state.readings:
            known = true.get(f"{r.structure}/{r.instrument}/{r.part}")
            count += known is not None and r.distance_mm is not None and abs(r.distance_mm - known) > LIE_MM
    return count


def first_signal(operator: Operator, fault: Fault, begin_ns: int) -> tuple[int, str] | None:
    """When an alarm of the fault was first received after its injection, and its text."""
    for t_ns, alerts, _ in operator.alerts_since(begin_ns):
        alarm = alarm_in(alerts, fault.signal.names, fault.signal.words)
        if alarm is not None:
            return t_ns, alarm.text
    return None


def longest_silence_ms(operator: Operator, begin_ns: int, end_ns: int) -> float:
    """The longest time between two alert sets that were received in that time."""
    times = [begin_ns, *(t for t, _, _ in operator.alerts_since(begin_ns) if t <= end_ns), end_ns]
    return max(b - a for a, b in pairwise(times)) * 1e-6


def unright(operator: Operator, begin_ns: int, end_ns: int, pair: str, allowed: tuple[str, ...] = ()) -> str:
    """What an alert set said in that time though nothing was wrong; "" where all stayed right: the pair known and warned of, and no alarm."""
    for t_ns, alerts, _ in operator.alerts_since(begin_ns):
        if t_ns > end_ns:
            break
        level, known = pair_in(alerts, pair)
        if not known or level in (None, "CLEAR"):
            return f"{pair} was {level or 'never known'}{'' if known else ', unknown'}"
        wrong = [t.alarm for t in alerts.technical if t.alarm not in allowed]
        if wrong:
            return f"the alarm {wrong[0]} came"
    return ""


def is_warned(alerts: AlertSet, pair: str) -> bool:
    """Whether a pair that is near is known to be."""
    level, known = pair_in(alerts, pair)
    return known and level not in (None, "CLEAR")
