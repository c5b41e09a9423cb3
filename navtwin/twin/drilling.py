"""Drilling: bone goes where a drill that turns is seen to go, and nowhere else; where one may have gone unseen, the bone is in doubt.

A way is cut along only between two known poses of good state, near enough in time and place for a hand, with a drill that is known to have turned. A
pose by itself cuts nothing: one that the tracker got wrong would leave a hole where nobody was; the way on from it cuts where it stood too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from navtwin.errors import InputRefused
from navtwin.nouns import BoneState, BoneUndone, Carved, Drilling, Message, PoseRows
from navtwin.scene.carvable import MOST_STRETCHES
from navtwin.twin.chain import Chain
from navtwin.twin.drill_gate import doubtful, judge_drills
from navtwin.twin.drilled import SETTLED_MM, STRETCH_GAP_NS, Drill, Drilled, balls_of, on_axis, rows_of
from navtwin.twin.judge import K_SD, UNSEEN_SPEED_MM_S
from navtwin.twin.memory import Memory

#: However long a drill was not seen, no bone farther than this from where it was is put in doubt for it.
FARTHEST_STRAY_MM = 25.0
#: A drill that comes back within this time has bounded by that where it can have been; around one that does not, bone is put in doubt.
LOST_NS = 1_000_000_000


def follow(memory: Memory, chains: Sequence[Chain], t_ns: int) -> list[Message]:
    """Let every drill cut, or put in doubt, what this frame (captured at `t_ns`) makes of it."""
    drilled = memory.drilled
    if drilled is None:
        return []
    messages: list[Message] = []
    if drilled.has_cut and t_ns - drilled.cut_ns > STRETCH_GAP_NS:
        drilled.is_open = drilled.has_cut = False
    for drill in drilled.drills:
        chain = chains[drill.number]
        drill.leapt = ""
        if chain.T_ct_from_tip is not None:
            drill.place_sd_mm = memory.proximity.place_sd_mm(drill.number)
            messages += _move(memory, drilled, drill, rows_of(chain.T_ct_from_tip), t_ns)
    judge_drills(memory)
    return messages


def pass_time(memory: Memory) -> None:
    """Note drills that may turn and have not been seen for too long, and doubt the bone around those that do not come back; called on every event."""
    if memory.drilled is None:
        return
    for drill in memory.drilled.drills:
        gap_ns = memory.now_ns - drill.last_ns
        # A pose is as late as the tracker: one that may still come to continue the way is waited for.
        if drill.last is None or gap_ns <= _longest_way_ns(memory) + int(memory.rig.tracker.latency_ms * 1e6):
            continue
        drill.is_away = drill.turned(drill.last_ns, memory.now_ns) != "off"
        if drill.is_away and not drill.is_lost and gap_ns >= LOST_NS:
            drill.is_lost = True
            _doubt(memory.drilled, drill, drill.last, drill.last, FARTHEST_STRAY_MM)
    judge_drills(memory)


def forget_poses(memory: Memory) -> None:
    """Another registration or tip comes into use: no way leads from where a drill was in the one before."""
    if memory.drilled is not None:
        for drill in memory.drilled.drills:
            drill.forget()


def _move(memory: Memory, drilled: Drilled, drill: Drill, here: PoseRows, t_ns: int) -> list[Message]:
    """One drill comes to a known pose."""
    came, came_ns, was_good = drill.last, drill.last_ns, drill.is_good
    drill.last, drill.last_ns, drill.is_away, drill.is_lost = here, t_ns, False, False
    frozen = doubtful(memory, drill)
    drill.is_good = not frozen
    if came is None:
        return []  # nothing is known of how it came here; what it does here, the way on from here tells
    turned = drill.turned(came_ns, t_ns)
    is_way = was_good and not frozen and t_ns - came_ns <= _longest_way_ns(memory)
    if is_way:
        drill.leapt = _leap(drilled, drill, came, here, t_ns - came_ns, may_turn=turned != "off")
    messages: list[Message] = []
    if turned == "on" and is_way and not drill.leapt:
        messages = _cut(memory, drilled, drill, came, here, t_ns)
    if turned == "unknown" or (turned == "on" and (drill.leapt or not is_way)):
        _doubt(drilled, drill, came, here, _aside_mm(drill, came, here, t_ns - came_ns) + _off_mm(memory, drill, frozen))
    # One that stands cuts nothing: where the twin has bone in its place, the twin is wrong, and nothing is known the better for it.
    if is_way and not drill.leapt and (turned == "on" or (turned == "off" and _settles(drilled, drill, here))):
        _settle(drilled, drill, here)
    return messages


def _longest_way_ns(memory: Memory) -> int:
    return int(memory.rig.tracker.max_age_ms * 1e6)


def _aside_mm(drill: Drill, came: PoseRows, here: PoseRows, gap_ns: int) -> float:
    """How far a hand may have gone aside of the straight way between two poses: all ways of one length between two points fill an ellipsoid."""
    longest, straight = UNSEEN_SPEED_MM_S * gap_ns * 1e-9, _moved_mm(drill, came, here)
    return min(FARTHEST_STRAY_MM, 0.5 * math.sqrt(max(0.0, longest * longest - straight * straight)))


def _off_mm(memory: Memory, drill: Drill, frozen: str) -> float:
    """How far a pose that is not trusted may be off: what checks have found, and its error bar."""
    if not frozen:
        return 0.0
    off = max((abs(check.error_mm) for check in memory.failed_checks), default=0.0)
    bar = K_SD * drill.place_sd_mm if math.isfinite(drill.place_sd_mm) else FARTHEST_STRAY_MM
    return min(FARTHEST_STRAY_MM, off + bar)


def _leap(drilled: Drilled, drill: Drill, came: PoseRows, here: PoseRows, gap_ns: int, *, may_turn: bool) -> str:
    """Why the way is no hand's, or not one that a drill cuts along by contact; "" if it is."""
    moved, gap_s = _moved_mm(drill, came, here), gap_ns * 1e-9
    if moved > drill.cutter.fastest_mm_s * gap_s:
        return f"it leapt, faster than {drill.cutter.fastest_mm_s:g} mm/s"
    if not drill.says and may_turn and moved > drill.cutter.contact_mm_s * gap_s and _overlap_mm(drilled, drill, here) > 0.0:
        return f"it is in bone, faster than the {drill.cutter.contact_mm_s:g} mm/s at which it is taken to cut"
    return ""


def _moved_mm(drill: Drill, came: PoseRows, here: PoseRows) -> float:
    """How far the tip went, or the cutter's other end, if that went farther."""
    back = -drill.reach_mm
    return max(math.dist(on_axis(came, 0.0), on_axis(here, 0.0)), math.dist(on_axis(came, back), on_axis(here, back)))


def _overlap_mm(drilled: Drilled, drill: Drill, here: PoseRows) -> float:
    """How deep the cutter is in bone that the twin still has; negative where it is off it."""
    near = [(radius, drilled.nearest(on_axis(here, z))) for z, radius in balls_of(drill.cutter)]
    return max((radius - found[0] for radius, found in near if found is not None), default=-math.inf)


def _doubt(drilled: Drilled, drill: Drill, came: PoseRows, here: PoseRows, stray_mm: float) -> None:
    drilled.has_doubt = True
    drilled.bone.doubt(on_axis(came, 0.0), on_axis(here, 0.0), drill.reach_mm + stray_mm)


def _settle(drilled: Drilled, drill: Drill, here: PoseRows) -> None:
    """Where the cutter is there is no bone, and what is next to it is as the twin has it."""
    if drilled.has_doubt:
        for z, radius in balls_of(drill.cutter):
            drilled.bone.settle(on_axis(here, z), radius + SETTLED_MM)


def _settles(drilled: Drilled, drill: Drill, here: PoseRows) -> bool:
    return drilled.has_doubt and _overlap_mm(drilled, drill, here) <= SETTLED_MM


def _cut(memory: Memory, drilled: Drilled, drill: Drill, came: PoseRows, here: PoseRows, t_ns: int) -> list[Message]:
    """Cut along a way, and measure what the cutter was in that is never cut."""
    bone = drilled.bone
    if not drilled.is_open:
        bone.begin_stretch()
        drilled.is_open = True
    revision = bone.revision
    try:
        removed = bone.sweep(drill.cutter, came, here)
    except InputRefused:
        drill.leapt = "it has turned half round between two frames"
        return []
    _measure_violations(memory, drilled, drill, came, here)
    if bone.revision == revision:
        return []
    if not drilled.has_cut:
        drilled.has_cut = True
        drilled.stretch += 1
        drilled.undoable = [*drilled.undoable[-MOST_STRETCHES + 1 :], drilled.stretch]
    drill.stretch, drill.cut_ns, drilled.cut_ns = drilled.stretch, t_ns, t_ns
    carved = Carved(
        structure=drilled.name, instrument=drill.tool, stretch=drilled.stretch, earlier=came, now=here, removed_mm3=removed, hash=bone.hash
    )
    return [Message(topic="carved", body=carved)]


def _measure_violations(memory: Memory, drilled: Drilled, drill: Drill, came: PoseRows, here: PoseRows) -> None:
    p = memory.proximity
    way = _moved_mm(drill, came, here)
    for violation in drilled.violations:
        # Of the part, which is no narrower than the cutter: one that is farther off than it has come cannot have been inside on the way.
        if float(p.distance[drill.part, violation.structure]) <= way:
            violation.volume_mm3 += violation.volume.sweep(drill.cutter, came, here)


def order(memory: Memory, asked: Drilling, who: str) -> tuple[str, list[Message]]:
    """Take a stretch back, pause or resume; the refusal, "" if it was done, and what follows."""
    drilled = memory.drilled
    if drilled is None:
        return "nothing can be drilled: the case has no structure with carve_mm, or the rig no tool with a cutter", []
    if asked.action == "undo":
        return _undo(memory, drilled)
    if asked.action == "pause" and drilled.paused_by:
        return f"it is paused already, by {drilled.paused_by}", []
    if asked.action == "resume" and not drilled.paused_by:
        return "it is not paused", []
    drilled.paused_by = who if asked.action == "pause" else ""
    _say(memory, f"{drilled.name} does not follow the drill: paused by {who}" if drilled.paused_by else f"{drilled.name} follows the drill again")
    return "", []


def _undo(memory: Memory, drilled: Drilled) -> tuple[str, list[Message]]:
    if any(drill.status == "CUTTING" for drill in drilled.drills):
        return "a drill is cutting: lift it first", []
    if not drilled.undoable:
        return "there is no stretch that could be taken back", []
    if drilled.is_open and not drilled.has_cut:
        drilled.bone.undo_stretch()  # one that was begun and in which nothing was cut
    drilled.is_open = drilled.has_cut = False
    stretch = drilled.undoable.pop()
    if not drilled.bone.undo_stretch():
        drilled.undoable.clear()
        return f"stretch {stretch} cannot be taken back any more: too much has been drilled since it began", []
    drilled.undone += 1
    drilled.has_doubt = True
    _say(memory, f"stretch {stretch} taken back: {drilled.name} is shown there again, and may be gone; touch it to make sure")
    undone = BoneUndone(structure=drilled.name, stretch=stretch, hash=drilled.bone.hash)
    return "", [Message(topic="carved", body=undone)]


def start_from(memory: Memory, state: BoneState) -> None:
    """Begin with the bone of an earlier session; refused, in the setup's words, where it is another's or something has been drilled here."""
    drilled = memory.drilled
    if drilled is None:
        _say(memory, "the drilled bone was not taken: nothing can be drilled in this case with this rig")
    elif drilled.stretch or drilled.undone:
        _say(memory, "the drilled bone was not taken: this session has begun to drill")
    else:
        try:
            drilled.bone.take(state)
        except InputRefused as refused:
            _say(memory, f"the drilled bone was not taken: {refused.problem}; {refused.remedy}")
            return
        drilled.stretch, drilled.undone = state.stretch, state.undone
        taken = {trespass.structure: trespass.volume_mm3 for trespass in state.trespasses}
        for violation in drilled.violations:
            violation.volume_mm3 = taken.get(violation.name, 0.0)
        _say(memory, f"{drilled.name} as it was drilled in session {state.session}: {state.removed_mm3 / 1000.0:.2f} ml are gone")


def _say(memory: Memory, words: str) -> None:
    memory.setup_message, memory.setup_changed = words, True
