"""Whether the twin follows a drill now, and if not, why: asked on every event, so that time alone can end it.

One order of questions. What the drill says of itself comes first: one that stands need not be followed, and of one that says nothing nobody knows
whether it cuts. Then all that makes its place doubtful. Only what is left is followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from navtwin.nouns import DrillStatus
from navtwin.twin.chain import sighting_of
from navtwin.twin.drilled import Drill
from navtwin.twin.judge import is_stale
from navtwin.twin.memory import Memory
from navtwin.twin.repeats import WHY as FROZEN_WHY

#: A time fault freezes for so long after the last bad stamp.
TIME_FAULT_LASTS_NS = 1_000_000_000
#: It still counts as cutting for so long after it last took anything away: pressed on, or lifted between two strokes.
CUTTING_LASTS_NS = 300_000_000


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer; `why` in words for FROZEN and UNKNOWN. `is_loss`: it is not seen, which is alarmed only once it has lasted."""

    status: DrillStatus
    why: str = ""
    is_loss: bool = False


def gate(memory: Memory, drill: Drill) -> Gate:
    """What is so at `memory.now_ns`."""
    if drill.says:
        turning = drill.words.at(memory.now_ns)
        if turning == "off":
            return Gate("OFF")
        if turning == "unknown":
            never = drill.words.last_ns is None
            return Gate("UNKNOWN", "it has not said whether it turns" if never else f"it has not said so for {drill.cutter.spindle_timeout_ms:g} ms")
    if why := doubtful(memory, drill):
        return Gate("FROZEN", why)
    if why := _lost(memory, drill):
        return Gate("FROZEN", why, is_loss=True)
    if drill.leapt:
        return Gate("FROZEN", drill.leapt)
    was_cutting = drill.cut_ns is not None and memory.now_ns - drill.cut_ns < CUTTING_LASTS_NS
    return Gate("CUTTING" if was_cutting else "READY")


def doubtful(memory: Memory, drill: Drill) -> str:
    """Why a pose would not be cut along even though it is known; "" if it would."""
    assert memory.drilled is not None
    if memory.registration is None:
        return "the patient is not registered"
    if memory.drilled.paused_by:
        return f"paused by {memory.drilled.paused_by}"
    if memory.failed_checks:
        return "a check of the registration has failed"
    if drill.tool in memory.doubted_tools:
        return "its tip is in doubt: a check with it has failed where another tool passed"
    if memory.time_fault_ns is not None and memory.now_ns - memory.time_fault_ns < TIME_FAULT_LASTS_NS:
        return "the tracker's time stamps are at fault"
    if memory.repeats.is_frozen:
        return FROZEN_WHY
    if is_stale(memory):
        return "no fresh frame from the tracker"
    # Written so that an unknown place, which is no number, is too uncertain as well.
    if drill.last is not None and not drill.place_sd_mm <= drill.cutter.most_sd_mm:
        return f"its place is known no better than {drill.cutter.most_sd_mm:g} mm"
    return ""


def _lost(memory: Memory, drill: Drill) -> str:
    """Which link of its pose is missing in the newest frame."""
    status = memory.tool_status.get(drill.tool, "HIDDEN")
    if status == "OK":
        return ""
    if status == "UNCALIBRATED":
        return "its tip is not calibrated"
    ref = None if memory.frame is None else sighting_of(memory.frame, memory.rig.reference)
    who = "it" if ref is not None and ref.pose is not None else "the patient reference"
    return f"the pose of {who} was refused" if status == "INVALID" else f"{who} is hidden"


def judge_drills(memory: Memory) -> None:
    """Bring every drill's status up to `memory.now_ns`."""
    if memory.drilled is None:
        return
    for drill in memory.drilled.drills:
        now = gate(memory, drill)
        drill.status, drill.why = now.status, now.why
        if now.status != "FROZEN":
            drill.frozen_ns = None
        elif drill.frozen_ns is None:
            # A glance away, shorter than a pose is taken for fresh, is bridged when it is seen again.
            drill.frozen_ns = memory.now_ns + int(memory.rig.tracker.max_age_ms * 1e6) * now.is_loss
        elif not now.is_loss:
            drill.frozen_ns = min(drill.frozen_ns, memory.now_ns)


def drill_alarms(memory: Memory, near: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Alarm, tool and detail of every drill that the operator must be told of.

    Parameters
    ----------
    near : tools that were near a critical structure when they were last known: told of whether or not they are in use
    """
    if memory.drilled is None:
        return
    for drill in memory.drilled.drills:
        matters = memory.phase == "navigation" and (drill.tool in memory.selected or drill.tool in near)
        if drill.status == "UNKNOWN" and matters:
            yield "SPINDLE_LOST", drill.tool, drill.why
        # One that says that it turns is told of in any case; of one that cuts by contact nobody knows whether it does.
        if drill.status == "FROZEN" and (drill.says or matters) and drill.frozen_ns is not None and memory.now_ns >= drill.frozen_ns:
            yield "CARVING_FROZEN", drill.tool, drill.why
