"""How old the stored calibrations are that a session rests on: cameras, marker bodies, and tips that were not pivoted in the session itself.

Glass and glue move: a lens that was knocked, a marker that was pressed back, a tip that was bent. None of it shows in a residual, for each frame fits
itself. A date is all that there is to go by, and a calibration without one is of unknown age.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from navtwin.nouns import Header, Priority, Rig
from navtwin.nouns.dates import DAY_S, utc_s_of

if TYPE_CHECKING:
    from navtwin.twin.memory import Memory

#: A date alone may be of a place whose day began so much earlier than that of UTC; a time may be of another computer's clock.
DAY_AHEAD_S, CLOCK_AHEAD_S = 14 * 3600, 300


@dataclass(frozen=True, slots=True)
class Dated:
    """A stored calibration.

    Attributes
    ----------
    subject : `drill tip`, `left camera`, `ref body`
    tool : whose tip it is, "" for others: a pivot of the session takes its place
    utc_s : when it was made, None where that is not stated
    """

    subject: str
    tool: str
    date: str
    utc_s: int | None


def dated_calibrations(rig: Rig) -> tuple[Dated, ...]:
    """What of a rig was calibrated and is used. A body that bears no date is as drawn, and a drawing does not age."""
    carried = {rig.reference, *(tool.body for tool in rig.tool)}
    found = [("camera", c.name, "", c.calibrated) for c in rig.camera]
    found += [("body", b.name, "", b.calibrated) for b in rig.body if b.calibrated and b.name in carried]
    found += [("tip", t.name, t.name, t.calibrated) for t in rig.tool if t.tip_mm is not None and t.tip_covariance is not None]
    return tuple(Dated(f"{name} {kind}", tool, date, utc_s_of(date) if date else None) for kind, name, tool, date in found)


def fault_of(dated: Dated, now_utc_s: int, max_age_days: float) -> tuple[str, Priority, str] | None:
    """The alarm that a calibration's date is worth at `now_utc_s`, its priority and why; None for a fresh one."""
    if dated.utc_s is None:
        return "CALIBRATION_OLD", "low", "undated: how old it is is not known"
    age_s = now_utc_s - dated.utc_s
    if -age_s > (DAY_AHEAD_S if len(dated.date) == len("2026-05-04") else CLOCK_AHEAD_S):
        return "CALIBRATION_FUTURE", "medium", f"of {dated.date}"
    if age_s > max_age_days * DAY_S:
        return "CALIBRATION_OLD", "medium", f"of {dated.date}, {age_s // DAY_S} days old; {max_age_days:g} are allowed"
    return None


def utc_s_at(header: Header, now_ns: int) -> int:
    """UTC at an instant of a session."""
    return (header.utc_anchor_ns + now_ns - header.monotonic_anchor_ns) // 1_000_000_000


def calibration_alarms(memory: Memory) -> Iterator[tuple[str, str, Priority, str]]:
    """CALIBRATION_OLD and CALIBRATION_FUTURE, for each calibration that is still in use."""
    now_utc_s = utc_s_at(memory.header, memory.now_ns)
    for dated in memory.calibrations:
        if dated.tool in memory.pivots:
            continue
        fault = fault_of(dated, now_utc_s, memory.rig.calibration_max_age_days)
        if fault is not None:
            alarm, priority, why = fault
            yield alarm, dated.subject, priority, why
