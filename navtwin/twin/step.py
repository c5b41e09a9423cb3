"""The fold: `step(scene, memory, event) -> messages`. No clock, no socket, no chance: the same events give the same messages, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from navtwin.errors import InputRefused
from navtwin.nouns import (
    BoneState,
    Command,
    Event,
    Message,
    Notice,
    PivotResult,
    RegistrationResult,
    State,
    Tick,
    TrackerFrame,
    WorkFailed,
)
from navtwin.scene.model import Scene
from navtwin.twin import drilling, setup
from navtwin.twin.alarms import ALARMS
from navtwin.twin.chain import instrument_chain, reference_link, sighting_of
from navtwin.twin.health import update_alarms
from navtwin.twin.judge import judge_pairs, judge_rest
from navtwin.twin.memory import Memory
from navtwin.twin.orders import obey
from navtwin.twin.publish import due_alerts, due_setup, state_of
from navtwin.twin.walls import judge_walls, look_for_walls

#: How far ahead of its own arrival a capture stamp may lie: clocks of one host do not differ, rounding does.
FUTURE_NS = 1_000_000


def step(scene: Scene, memory: Memory, event: Event) -> list[Message]:
    """Take one event into memory and say what follows from it: all of `say` at once."""
    return list(say(scene, memory, event))


def say(scene: Scene, memory: Memory, event: Event) -> Iterator[Message]:
    """Take one event into memory and say what follows from it, message by message.

    Alerts come first, before what is merely informative is even put together. To be heard to the end before the next event is taken.

    Parameters
    ----------
    scene : the case; never changed
    memory : from `new_memory`; mutated in place
    event : the next input; `event.t_ns` never goes back (the loop sees to it)

    Raises
    ------
    InputRefused : time goes back, or a notice names no alarm of the table
    """
    if event.t_ns < memory.now_ns and memory.published_ns is not None:
        raise InputRefused(
            f"event {event.seq} goes back in time by {(memory.now_ns - event.t_ns) * 1e-6:.3f} ms", "events are ordered by the loop's clock"
        )
    memory.now_ns = event.t_ns
    messages: list[Message] = []
    body = event.body
    fresh_frame, state = False, None
    if isinstance(body, TrackerFrame):
        fresh_frame = _usable(memory, body, event.t_ns)
        if fresh_frame:
            state, messages = _frame(scene, memory, _believed(memory, body, event.t_ns))
    elif isinstance(body, Command):
        messages += obey(scene, memory, body, event.seq)
    elif isinstance(body, Notice):
        _notice(memory, body)
    elif isinstance(body, PivotResult | RegistrationResult | WorkFailed):
        setup.receive(memory, body)
    elif isinstance(body, BoneState):
        drilling.start_from(memory, body)
    elif not isinstance(body, Tick):
        raise InputRefused(f"event {event.seq} has no known kind", "write logs with this version of the code")
    setup.give_up(memory)
    drilling.pass_time(memory)
    judge_pairs(memory, fresh_frame=fresh_frame)
    judge_walls(memory)
    known_before = dict(memory.tool_known_ns)
    if fresh_frame:
        _note_known_tools(memory)
    update_alarms(memory)
    # Alerts leave first: nothing that is merely informative may delay a warning.
    yield from due_alerts(memory)
    if fresh_frame and _rest(memory):
        memory.tool_known_ns = known_before
        _note_known_tools(memory)
        update_alarms(memory)
        yield from due_alerts(memory)
    if state is not None:
        yield Message(topic="state", body=state())
    yield from messages
    yield from due_setup(memory)


def _usable(memory: Memory, frame: TrackerFrame, now_ns: int) -> bool:
    """Judge the frame's stamps: one that repeats, goes back or lies in the future is not used, and is told of."""
    backwards = memory.last_capture_ns is not None and frame.t_capture_ns <= memory.last_capture_ns
    if backwards or frame.t_capture_ns > now_ns + FUTURE_NS:
        memory.time_fault_ns, memory.time_fault_why = now_ns, ""
        return False
    too_old = now_ns - frame.t_capture_ns > memory.rig.tracker.max_age_ms * 1e6
    memory.slow_frames = memory.slow_frames + 1 if too_old else 0
    return True


def _believed(memory: Memory, frame: TrackerFrame, now_ns: int) -> TrackerFrame:
    """The frame without what the stream gives away as untrue: poses that no hand made, or that only repeat; and how its clock runs."""
    memory.drift.take(frame)
    if memory.drift.why:
        memory.time_fault_ns, memory.time_fault_why = now_ns, memory.drift.why
    return memory.repeats.take(memory.plausible.judge(frame, now_ns))


def _frame(scene: Scene, memory: Memory, frame: TrackerFrame) -> tuple[Callable[[], State], list[Message]]:
    """Pose chain, drilling and proximity of one frame: its state, to be put together once the alerts have left, and what was drilled."""
    memory.frame, memory.last_capture_ns = frame, frame.t_capture_ns
    for body in memory.rig.body:
        seen = sighting_of(frame, body.name)
        if seen is not None and seen.status == "OK":
            memory.body_ok_ns[body.name] = frame.t_capture_ns
    setup.sample(scene, memory, frame)
    link = reference_link(memory, frame)
    chains = [instrument_chain(memory, frame, link, i) for i in range(len(memory.rig.tool))]
    memory.tool_status = {c.tool: c.status for c in chains}
    memory.proximity.begin(memory, chains, link, frame.t_capture_ns)
    carved = drilling.follow(memory, chains, frame.t_capture_ns)
    memory.proximity.finish(memory, frame.t_capture_ns)
    look_for_walls(memory)
    return state_of(memory, chains, frame.number), carved


def _rest(memory: Memory) -> bool:
    """Measure and judge what of this frame was put off: what is far, and settled. Returns whether there may be more to say."""
    assert memory.last_capture_ns is not None
    rest = memory.proximity.measure_rest(memory.last_capture_ns)
    return bool(rest.any()) and judge_rest(memory, rest)


def _note_known_tools(memory: Memory) -> None:
    """Remember when all distances of a tool were last known: what its loss is counted from."""
    p = memory.proximity
    unknown = {int(p.tool_of_part[q.part]) for q in memory.unsettled if q.status != "OK"}
    for index, name in enumerate(p.tool_names):
        if index not in unknown and memory.last_capture_ns is not None:
            memory.tool_known_ns[name] = memory.last_capture_ns


def _notice(memory: Memory, notice: Notice) -> None:
    if notice.alarm not in ALARMS:
        raise InputRefused(f"no technical alarm '{notice.alarm}'", f"known: {', '.join(ALARMS)}")
    if notice.active:
        memory.notices[notice.alarm] = notice.detail
        if notice.alarm == "SOURCE_ENDED":
            memory.setup_message, memory.setup_changed = "session ended", True
    else:
        memory.notices.pop(notice.alarm, None)
