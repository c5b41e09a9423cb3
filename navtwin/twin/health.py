"""Technical alarms as they stand now, and the lamps."""

from __future__ import annotations

from collections.abc import Iterator

from navtwin.nouns import Health, Lamp, Priority
from navtwin.twin.alarms import ALARMS, ActiveAlarm
from navtwin.twin.calibration_age import calibration_alarms
from navtwin.twin.checking import failed_words
from navtwin.twin.drill_gate import drill_alarms
from navtwin.twin.judge import frame_age_ns, is_stale, was_near
from navtwin.twin.memory import Memory
from navtwin.twin.pair import Pair
from navtwin.twin.right_tool import seen_instead
from navtwin.twin.verifying import verify_alarms
from navtwin.twin.which_level import level_alarms

#: A time fault is shown for this long after the last bad stamp.
TIME_FAULT_SHOWN_NS = 1_000_000_000
#: Frames in a row that must arrive too old before the source is called slow.
SLOW_FRAMES = 5

Raised = tuple[str, str, Priority, str]


def update_alarms(memory: Memory) -> None:
    """Raise, keep or end every technical alarm. One that rises in priority loses its acknowledgement."""
    alarms: dict[str, ActiveAlarm] = {}
    for alarm, subject, priority, detail in _conditions(memory):
        old = memory.alarms.get(f"{alarm}/{subject}")
        if old is None or _louder(priority, old.priority):
            old = ActiveAlarm(alarm, subject, priority, old.since_ns if old else memory.now_ns, detail)
        old.priority, old.detail = priority, detail
        alarms[old.id] = old
    memory.alarms = alarms


def _louder(new: Priority, old: Priority) -> bool:
    order = ("none", "low", "medium", "high")
    return order.index(new) > order.index(old)


def _loss_priority(memory: Memory, alarm: str, tool: str | None = None) -> Priority:
    """High where any critical structure was near a part of `tool` (of any tool if None)."""
    p = memory.proximity
    near = any(was_near(memory, q) for q in memory.pairs if tool is None or p.tool_name_of_part[q.part] == tool)
    return "high" if ALARMS[alarm].raises_to_high and near else ALARMS[alarm].priority


def _matters(memory: Memory, tool: str) -> bool:
    """Whether losing sight of a tool that is not in use matters."""
    return _loss_priority(memory, "TRACKING_LOST", tool) == "high"


def _near(memory: Memory) -> tuple[str, ...]:
    """Tools with a cutter that matter even where they are not in use."""
    tools = [drill.tool for drill in memory.drilled.drills] if memory.drilled is not None else []
    return tuple(tool for tool in tools if _loss_priority(memory, "SPINDLE_LOST", tool) == "high")


def _lost_too_long(memory: Memory, body: str) -> bool:
    """Whether a body has not been seen for longer than max_age (or never)."""
    seen = memory.body_ok_ns.get(body)
    return seen is None or memory.now_ns - seen > memory.rig.tracker.max_age_ms * 1e6


def _unknown_too_long(memory: Memory, tool: str) -> bool:
    """Whether a tool's distances have not been known for longer than max_age, counted from the registration at the earliest."""
    known = max(memory.tool_known_ns.get(tool, memory.registered_ns), memory.registered_ns)
    return memory.now_ns - known > memory.rig.tracker.max_age_ms * 1e6


def _conditions(memory: Memory) -> Iterator[Raised]:
    if not memory.pairs:
        yield "NOTHING_WATCHED", "case", ALARMS["NOTHING_WATCHED"].priority, ""
    for name, detail in memory.notices.items():
        yield name, "system", _loss_priority(memory, name), detail
    for who, (until_ns, fault) in memory.audio_faults.items():
        if memory.now_ns < until_ns:
            yield "AUDIO_MISSING", who, ALARMS["AUDIO_MISSING"].priority, fault
    if memory.time_fault_ns is not None and memory.now_ns - memory.time_fault_ns < TIME_FAULT_SHOWN_NS:
        yield "TIME_FAULT", "tracker", _loss_priority(memory, "TIME_FAULT"), memory.time_fault_why
    if memory.slow_frames >= SLOW_FRAMES:
        yield "SOURCE_SLOW", "tracker", _loss_priority(memory, "SOURCE_SLOW"), ""
    if is_stale(memory) and "SOURCE_ENDED" not in memory.notices:
        yield "SOURCE_STALE", "tracker", _loss_priority(memory, "SOURCE_STALE"), ""
    elif memory.repeats.is_frozen:
        yield "SOURCE_FROZEN", "tracker", _loss_priority(memory, "SOURCE_FROZEN"), ""
    refused = memory.plausible.refused(memory.now_ns)
    if refused:
        yield from _refusals(memory, refused)
    if memory.failed_checks:
        yield "CHECK_FAILED", "patient", _loss_priority(memory, "CHECK_FAILED"), failed_words(memory)
    for tool, why in memory.doubted_tools.items():
        yield "CHECK_FAILED", tool, _loss_priority(memory, "CHECK_FAILED", tool), f"the tool {tool} is in doubt: {why}"
    yield from level_alarms(memory.rivals, _loss_priority(memory, "LEVEL_UNCONFIRMED") if memory.rivals else "none")
    yield from verify_alarms(memory)
    yield from calibration_alarms(memory)
    for alarm, tool, detail in drill_alarms(memory, _near(memory)):
        yield alarm, tool, _loss_priority(memory, alarm, tool), detail
    if memory.registration is None:
        yield "NOT_REGISTERED", "patient", ALARMS["NOT_REGISTERED"].priority, ""
    elif not is_stale(memory) and not memory.repeats.is_frozen:
        yield from _line_of_sight(memory, refused)


def _refusals(memory: Memory, refused: dict[str, tuple[str, str]]) -> Iterator[Raised]:
    """Poses that are not believed: told at once, for they are lies and not gaps, and whether or not the patient is registered."""
    for body, (_, partner) in refused.items():
        if partner and body == min(body, partner):
            yield "BODIES_EXCHANGED", f"{body}+{partner}", _loss_priority(memory, "BODIES_EXCHANGED"), ""
    why, partner = refused.get(memory.rig.reference, ("", ""))
    if why and not partner:
        yield "POSE_REFUSED", memory.rig.reference, _loss_priority(memory, "POSE_REFUSED"), why
    for tool in memory.rig.tool:
        why, partner = refused.get(tool.body, ("", ""))
        if why and not partner:
            priority = _loss_priority(memory, "POSE_REFUSED", tool.name)
            if tool.name in memory.selected or priority == "high":
                yield "POSE_REFUSED", tool.name, priority, why


def _line_of_sight(memory: Memory, refused: dict[str, tuple[str, str]]) -> Iterator[Raised]:
    rig = memory.rig
    if rig.reference in refused:
        return
    if _lost_too_long(memory, rig.reference):
        # The cause comes first: with the reference gone every instrument is unknown, and saying so for each would bury it.
        yield "REFERENCE_LOST", rig.reference, _loss_priority(memory, "REFERENCE_LOST"), _source_says(memory, rig.reference)
        return
    for tool in rig.tool:
        status = memory.tool_status.get(tool.name, "HIDDEN")
        selected = tool.name in memory.selected
        if status == "UNCALIBRATED" and selected:
            yield "NOT_CALIBRATED", tool.name, ALARMS["NOT_CALIBRATED"].priority, ""
        elif status == "OK" and _outside(memory, tool.name):
            near = _held(memory, tool.name)
            if selected or near:
                yield "OUT_OF_SCAN", tool.name, "high" if near else ALARMS["OUT_OF_SCAN"].priority, ""
        elif tool.body not in refused and _unknown_too_long(memory, tool.name) and (selected or _matters(memory, tool.name)):
            # One rule for every cause: an instrument in use whose distances have not been known for max_age is alarmed.
            invalid = status in ("INVALID", "OK")
            apart = not invalid and not _lost_too_long(memory, tool.body)
            alarm = "POSE_REFUSED" if invalid else "TRACKING_LOST"
            instead = "never seen together with the reference" if apart else "" if invalid else seen_instead(memory, memory.frame, tool.body)
            yield alarm, tool.name, _loss_priority(memory, alarm, tool.name), instead or _source_says(memory, tool.body)


def _source_says(memory: Memory, body: str) -> str:
    """Why the source gives no pose of a body in its newest frame, in its own words; "" where it does not say."""
    sightings = memory.frame.sightings if memory.frame is not None else ()
    return next((s.reason for s in sightings if s.body == body and s.pose is None), "")


def _unsettled_of(memory: Memory, tool: str) -> Iterator[Pair]:
    p = memory.proximity
    return (q for q in memory.unsettled if p.tool_name_of_part[q.part] == tool)


def _outside(memory: Memory, tool: str) -> bool:
    return any(q.status == "OUT_OF_SCAN" for q in _unsettled_of(memory, tool))


def _held(memory: Memory, tool: str) -> bool:
    return any(q.state.level not in (None, "CLEAR") and not q.state.known for q in _unsettled_of(memory, tool))


def health(memory: Memory) -> Health:
    """The lamps and switches."""
    age = frame_age_ns(memory)
    stale = is_stale(memory)
    blind = stale or memory.repeats.is_frozen
    tracker: Lamp = (
        "off" if memory.frame is None else "bad" if blind else "warn" if memory.time_fault_ns is not None and _fault_shown(memory) else "ok"
    )
    reference_seen = memory.rig.reference in memory.body_ok_ns
    lost = _lost_too_long(memory, memory.rig.reference) or bool(memory.plausible.tracks[memory.rig.reference].doubt)
    registration: Lamp = "bad" if memory.failed_checks else "ok" if memory.registration else "warn" if memory.pending_registration else "off"
    latency: Lamp = "off" if age is None else "bad" if memory.slow_frames >= SLOW_FRAMES or stale else "warn" if memory.slow_frames else "ok"
    return Health(
        tracker=tracker,
        reference="off" if not reference_seen else "bad" if lost or blind else "ok",
        registration=registration,
        latency=latency,
        recording="bad" if {"DISK_FULL", "RECORDING_FAILED"} & memory.notices.keys() else "ok",
        frame_age_ms=None if age is None else age * 1e-6,
        watched=len(memory.pairs),
        audio_paused_until_ns=memory.audio_paused_until_ns,
        muted=tuple(sorted(memory.muted)),
        selected=memory.selected,
        frozen=memory.frozen,
        spindle_on=_turns(memory),
        registered_ns=memory.registered_ns if memory.registration else None,
        verified_ns=memory.verified_ns,
    )


def _turns(memory: Memory) -> bool:
    """Whether any drill says that it turns: one whose word is too old does not; without drills it is what was said last."""
    if memory.drilled is None:
        return memory.spindle_on
    return any(drill.words.at(memory.now_ns) == "on" for drill in memory.drilled.drills)


def _fault_shown(memory: Memory) -> bool:
    return memory.time_fault_ns is not None and memory.now_ns - memory.time_fault_ns < TIME_FAULT_SHOWN_NS
