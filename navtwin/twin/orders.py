"""One handler for each command. Each changes memory only here, and answers with a reply: refused ones say why."""

from __future__ import annotations

from navtwin.nouns import (
    AUDIO_PAUSE_LIMIT_S,
    Accept,
    Ack,
    Audio,
    AudioPause,
    Collect,
    Command,
    Drilling,
    Freeze,
    Mark,
    Message,
    Mute,
    Register,
    Reject,
    Reply,
    SetLimits,
    Spindle,
    ToolSelect,
    Undo,
)
from navtwin.scene.model import Scene
from navtwin.twin import drilling, setup
from navtwin.twin.judge import MUTE_LIMIT_NS
from navtwin.twin.levels import rank
from navtwin.twin.memory import Memory
from navtwin.twin.walls import active_wall

#: A client that cannot be heard says so every 2 s; after so long without its word it is gone, or mended.
AUDIO_FAULT_LASTS_NS = 5_000_000_000


def obey(scene: Scene, memory: Memory, command: Command, seq: int) -> list[Message]:
    """Carry out one command; the reply comes first."""
    refusal, messages = _carry_out(scene, memory, command, seq)
    reply = Reply(id=command.id, who=command.who, ok=not refusal, reason=refusal)
    return [Message(topic="reply", body=reply), *messages]


def _carry_out(scene: Scene, memory: Memory, command: Command, seq: int) -> setup.Outcome:
    match command.order:
        case Ack() as order:
            return _ack(memory, order, command.who), []
        case Mute(structure=name):
            return _mute(memory, name), []
        case AudioPause(seconds=seconds):
            return _pause(memory, seconds), []
        case Audio(fault=fault):
            _note_audio(memory, command.who, fault)
            return "", []
        case Mark():
            return "", []
        case Freeze(on=on):
            memory.frozen = tuple(sorted({*memory.frozen, command.who} if on else {*memory.frozen} - {command.who}))
            return "", []
        case Collect() as order:
            return setup.collect(scene, memory, order, seq)
        case Register() as order:
            return setup.register(scene, memory, order, seq)
        case Accept() as order:
            return setup.accept(memory, order), []
        case Reject() as order:
            return setup.reject(memory, order), []
        case SetLimits() as order:
            return _set_limits(memory, order), []
        case Spindle() as order:
            return _hear_spindle(memory, order), []
        case Drilling() as order:
            return drilling.order(memory, order, command.who)
        case ToolSelect(tools=tools):
            return _select(memory, tools), []
        case Undo():
            return setup.take_back(memory), []


def _ack(memory: Memory, order: Ack, who: str) -> str:
    if order.epoch != memory.header.session:
        return "it belongs to another session; look at the alerts now"
    if order.alert in memory.alarms:
        memory.alarms[order.alert].acked_by = who
        return ""
    if (wall := active_wall(memory, order.alert)) is not None:
        if order.level is None:
            return "say the level seen"
        wall.acked_by = who
        return ""
    pair = next((q for q in memory.pairs if q.id == order.alert), None)
    if pair is None or rank(pair.state.level) == 0:
        return f"no alert '{order.alert}' is active"
    if order.level is None:
        return "say the level seen"
    if rank(pair.state.level) > rank(order.level):
        return f"it has risen to {pair.state.level}"
    pair.acked_by, pair.acked_level, pair.acked_ns, pair.breaks_pause = who, pair.state.level or "", memory.now_ns, False
    return ""


def _watched(memory: Memory) -> dict[str, int]:
    """Names of the critical structures and their index."""
    return {memory.proximity.structures[q.structure].name: q.structure for q in memory.pairs}


def _mute(memory: Memory, structure: str) -> str:
    if structure not in _watched(memory):
        return f"no critical structure '{structure}'; known: {', '.join(_watched(memory))}"
    memory.muted[structure] = memory.now_ns + MUTE_LIMIT_NS
    memory.mute_clear_since[structure] = None
    return ""


def _pause(memory: Memory, seconds: float) -> str:
    if not 0.0 <= seconds <= AUDIO_PAUSE_LIMIT_S:
        return f"an audio pause lasts 0 to {AUDIO_PAUSE_LIMIT_S:g} s, not {seconds:g}"
    memory.audio_paused_until_ns = memory.now_ns + round(seconds * 1e9) if seconds else None
    for pair in memory.pairs:
        pair.breaks_pause = False
    return ""


def _note_audio(memory: Memory, who: str, fault: str) -> None:
    memory.audio_faults = {name: (until_ns, words) for name, (until_ns, words) in memory.audio_faults.items() if memory.now_ns < until_ns}
    # A client's name is the alarm's subject, which a slash would end.
    subject = who.replace("/", "_")
    if fault:
        memory.audio_faults[subject] = (memory.now_ns + AUDIO_FAULT_LASTS_NS, fault)
    else:
        memory.audio_faults.pop(subject, None)


def _set_limits(memory: Memory, order: SetLimits) -> str:
    index = _watched(memory).get(order.structure)
    if index is None:
        return f"no critical structure '{order.structure}'; known: {', '.join(_watched(memory))}"
    if not 0.0 < order.danger_mm <= order.caution_mm:
        return f"danger {order.danger_mm:g} mm must lie above 0 and not above caution {order.caution_mm:g} mm"
    memory.old_limits.append((index, tuple(memory.limits[index].tolist())))
    memory.undo.append(("limits", order.structure))
    memory.limits[index] = (order.caution_mm, order.danger_mm)
    return ""


def _hear_spindle(memory: Memory, order: Spindle) -> str:
    with_cutter = [tool.name for tool in memory.rig.tool if tool.cutter is not None]
    if order.tool and order.tool not in with_cutter:
        return f"no tool '{order.tool}' with a cutter; known: {', '.join(with_cutter) or 'none'}"
    memory.spindle_on = order.on
    for drill in memory.drilled.drills if memory.drilled is not None else ():
        if order.tool in ("", drill.tool):
            drill.words.hear(memory.now_ns, on=order.on)
    return ""


def _select(memory: Memory, tools: tuple[str, ...]) -> str:
    unknown = [t for t in tools if t not in memory.proximity.tool_names]
    if unknown:
        return f"no tool '{unknown[0]}'; known: {', '.join(memory.proximity.tool_names)}"
    memory.selected = tools
    return ""
