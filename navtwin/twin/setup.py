"""Collecting, calibrating, registering: samples in, requests to workers out, results taken into use only when accepted."""

from __future__ import annotations

import math

from navtwin.nouns import (
    Accept,
    BoneState,
    Collect,
    Message,
    PivotRequest,
    PivotResult,
    Register,
    RegistrationRequest,
    RegistrationResult,
    Reject,
    TrackerFrame,
    WorkFailed,
)
from navtwin.rigid import Rigid
from navtwin.scene.model import Scene
from navtwin.twin import checking, drilling, right_tool, which_level
from navtwin.twin.chain import sighting_of, tip_in_ref
from navtwin.twin.dwell import LONGEST_S, PATIENCE_NS, SHORTEST_S, Dwell, mean_of
from navtwin.twin.memory import Collection, Memory, TouchedLandmark, tip_of

#: A landmark needs this many samples, and a tip that stayed this still.
LANDMARK_SAMPLES = 20
LANDMARK_SPREAD_MM = 1.0
#: Once this much of a dwell has passed, what disturbed it before is no longer said.
DWELL_SETTLED = 0.5

Refusal = str
Outcome = tuple[Refusal, list[Message]]


def collect(scene: Scene, memory: Memory, order: Collect, seq: int) -> Outcome:
    """Start, stop or cancel a collection."""
    if order.tool not in memory.proximity.tool_names:
        return f"no tool '{order.tool}'; known: {', '.join(memory.proximity.tool_names)}", []
    if order.action == "start":
        return _start(scene, memory, order), []
    if memory.collection is None:
        return "nothing is being collected", []
    collection, memory.collection = memory.collection, None
    memory.setup_changed = True
    if order.action == "cancel":
        memory.setup_message = "collection cancelled"
        return "", []
    return _finish(scene, memory, collection, seq)


def _start(scene: Scene, memory: Memory, order: Collect) -> Refusal:
    if memory.collection is not None:
        return f"already collecting ({memory.collection.what}); stop or cancel it first"
    named = order.what == "landmark" or (order.what == "check" and order.landmark)
    if named and order.landmark not in {m.name for m in scene.landmarks}:
        return f"the case has no landmark '{order.landmark}'; known: {', '.join(m.name for m in scene.landmarks)}"
    if order.what != "pivot" and order.tool not in memory.tips:
        return f"the tip of '{order.tool}' is not calibrated; collect a pivot and accept it first"
    if order.what == "check" and (why := checking.refusal(scene, memory, order.landmark)):
        return why
    if order.what == "sweep" and memory.sweep and memory.swept_with != order.tool:
        return f"the bone was swept with '{memory.swept_with}'; go on with that, or undo the sweep first"
    collection = Collection(order.what, order.tool, order.landmark)
    if order.dwell_s:
        if order.what not in ("landmark", "check"):
            return f"a {order.what} is not taken by dwell; leave dwell_s out"
        if not SHORTEST_S <= order.dwell_s <= LONGEST_S:
            return f"a dwell of {order.dwell_s:g} s; choose {SHORTEST_S:g} to {LONGEST_S:g} s"
        collection.dwell = Dwell(int(order.dwell_s * 1e9), memory.now_ns, collection.points_ref_mm)
    memory.collection = collection
    memory.notices.pop("LANDMARK_REFUSED", None)
    memory.setup_changed = True
    memory.setup_message = ""
    return ""


def sample(scene: Scene, memory: Memory, frame: TrackerFrame) -> None:
    """Take one frame into the running collection; a frame in which tool or reference is not seen is counted, never used."""
    c = memory.collection
    if c is None:
        return
    if c.what == "pivot":
        seen = sighting_of(frame, next(t.body for t in memory.rig.tool if t.name == c.tool))
        if seen is None or seen.pose is None:
            c.refused += 1
        else:
            c.poses.append(seen.pose)
            c.covariances.append(seen.covariance)
        return
    T_ref_from_tip = tip_in_ref(memory, frame, c.tool)
    if T_ref_from_tip is None:
        c.refused += 1
    elif c.dwell is None:
        c.points_ref_mm.append(T_ref_from_tip.t_mm)
    if c.dwell is not None:
        _dwell(scene, memory, c, c.dwell, frame, T_ref_from_tip)


def _dwell(scene: Scene, memory: Memory, c: Collection, dwell: Dwell, frame: TrackerFrame, T_ref_from_tip: Rigid | None) -> None:
    """One more frame of a dwell: the touch is taken when it completes; what disturbs it is said when it changes."""
    progress, trouble = dwell.progress, dwell.trouble
    if T_ref_from_tip is None:
        ref = sighting_of(frame, memory.rig.reference)
        dwell.lose("the reference is hidden" if ref is None or ref.pose is None else f"{c.tool} is hidden")
    else:
        dwell.see(frame.t_capture_ns, T_ref_from_tip.t_mm, int(memory.rig.tracker.max_age_ms * 1e6))
    if dwell.trouble != trouble or int(10 * dwell.progress) != int(10 * progress):
        memory.setup_message = f"{_touched_name(c)}: {dwell.trouble}; hold still, in view" if dwell.progress < DWELL_SETTLED and dwell.trouble else ""
        memory.setup_changed = True
    if dwell.is_complete(LANDMARK_SAMPLES):
        memory.collection, memory.setup_changed = None, True
        refusal = _take_touch(scene, memory, c)
        if refusal:
            _refuse_touch(memory, refusal)


def _touched_name(c: Collection) -> str:
    return c.landmark or "the bone"


def give_up(memory: Memory) -> None:
    """End a dwell that does not come to rest: called on every event, for without frames only ticks come."""
    c = memory.collection
    if c is not None and c.dwell is not None and memory.now_ns - c.dwell.started_ns > PATIENCE_NS:
        memory.collection = None
        _refuse_touch(memory, f"{_touched_name(c)} was not taken in {PATIENCE_NS // 1_000_000_000} s: {c.dwell.trouble or 'no frame came'}")


def _refuse_touch(memory: Memory, why: str) -> None:
    """Say it and sound it: eyes are on the patient when something is touched."""
    memory.notices["LANDMARK_REFUSED"] = why
    memory.setup_message, memory.setup_changed = why, True


def _finish(scene: Scene, memory: Memory, c: Collection, seq: int) -> Outcome:
    if c.what == "pivot":
        measured = tuple(covariance for covariance in c.covariances if covariance is not None)
        # Poses are weighted by what is known of them only where it is known of all: the rest would have to be guessed.
        covariances = measured if len(measured) == len(c.poses) else ()
        request = PivotRequest(request=f"pivot/{c.tool}/{seq}", tool=c.tool, poses=tuple(c.poses), covariances=covariances)
        memory.computing.append(f"pivot/{c.tool}")
        memory.setup_message = f"calibrating the tip of {c.tool} from {len(c.poses)} poses"
        return "", [Message(topic="request", body=request)]
    if c.what == "sweep":
        memory.sweep.extend(c.points_ref_mm)
        memory.swept_with = c.tool
        memory.undo.append(("sweep", str(len(c.points_ref_mm))))
        memory.setup_message = f"{len(c.points_ref_mm)} points swept, {c.refused} frames refused"
        return "", []
    if len(c.points_ref_mm) < LANDMARK_SAMPLES:
        name, good = _touched_name(c), len(c.points_ref_mm)
        return f"only {good} good samples of '{name}' ({c.refused} hidden); hold the tip there, in view, for a second", []
    return _take_touch(scene, memory, c), []


def _take_touch(scene: Scene, memory: Memory, c: Collection) -> Refusal:
    """A landmark or a check is the mean of a tip that stood still."""
    points = c.points_ref_mm
    mean = mean_of(points)
    square = 0.0
    for p in points:
        dx, dy, dz = p[0] - mean[0], p[1] - mean[1], p[2] - mean[2]
        square += dx * dx + dy * dy + dz * dz
    spread = math.sqrt(square / len(points))
    if spread > LANDMARK_SPREAD_MM:
        return f"the tip moved by {spread:.1f} mm while touching '{_touched_name(c)}'; hold it still and collect again"
    if c.what == "check":
        return checking.take_check(scene, memory, c, mean, spread)
    memory.touched[c.landmark] = TouchedLandmark(mean, spread, tuple(points), c.tool)
    memory.undo.append(("landmark", c.landmark))
    memory.setup_message = f"{c.landmark} touched, spread {spread:.2f} mm of {len(points)} samples"
    return ""


def register(scene: Scene, memory: Memory, order: Register, seq: int) -> Outcome:
    """Ask a worker for a registration from all that has been touched."""
    known = [m.name for m in scene.landmarks]
    unknown = [name for name in order.without if name not in known]
    if unknown:
        return f"the case has no landmark '{unknown[0]}' to leave out; known: {', '.join(known)}", []
    without = tuple(name for name in known if name in order.without and name in memory.touched)
    used = [m for m in scene.landmarks if m.name in memory.touched and m.name not in without]
    if len(used) < 3:
        left = f", {len(without)} left out" if without else ""
        return f"{len(used)} landmarks touched{left}; a registration needs at least 3", []
    surface = order.method == "landmarks+surface"
    if surface and not memory.sweep:
        return "no surface points swept; sweep the bone, or register with method landmarks", []
    tools = [memory.touched[m.name].tool for m in used] + [memory.swept_with] * surface
    if any(tool != tools[0] for tool in tools):
        # Each ball has a radius of its own, and each tip an error: one pointer's touches share them.
        return f"touched with {', '.join(sorted(set(tools)))}; touch all with one of them", []
    pointer = next(t for t in memory.rig.tool if t.name == tools[0])
    walls = _walls(memory) if surface else None
    request = RegistrationRequest(
        request=f"registration/{seq}",
        method=order.method,
        landmarks=tuple(m.name for m in used),
        ct_mm=tuple(m.position_mm for m in used),
        ref_mm=tuple(memory.touched[m.name].position_ref_mm for m in used),
        sweep_ref_mm=tuple(memory.sweep) if surface else (),
        tip_radius_mm=min(part.radius_mm for part in pointer.part),
        tip_sd_mm=_tip_sd_mm(memory, pointer.name),
        without=without,
        bone=walls,
        wall_sd_mm=_wall_sd_mm(memory) if walls else 0.0,
        in_use=memory.registration.pose if surface and memory.registration else None,
    )
    memory.computing.append("registration")
    memory.setup_message = f"computing the registration: {'landmarks + drilled surface' if walls else order.method.replace('+', ' + ')}"
    memory.setup_changed = True
    return "", [Message(topic="request", body=request)]


def _walls(memory: Memory) -> BoneState | None:
    """The bone as it is now, whose walls may have been swept; None where nothing has been drilled."""
    drilled = memory.drilled
    if drilled is None or not len(drilled.bone.changed):
        return None
    # Plain, for what the fold says must be the same to the bit with any version of a compressor.
    return drilled.bone.state(memory.header.session, stretch=drilled.stretch, undone=drilled.undone, trespasses=drilled.trespasses(), plain=True)


def _wall_sd_mm(memory: Memory) -> float:
    """How far off the twin may have its walls where the sweep is, per axis: as far as the registration in use, by which they were drilled."""
    if memory.registration is None:
        return 0.0
    return checking.wall_sd_mm(memory.registration, memory.registration.pose.rigid(target="ct", source="ref").point(mean_of(memory.sweep)))


def _tip_sd_mm(memory: Memory, tool: str) -> float:
    """Of a calibrated tip, per axis: the RMS over the three; 0 where nothing is calibrated."""
    if tool not in memory.tips:
        return 0.0
    xx, _, _, yy, _, zz = memory.tips[tool].covariance
    return math.sqrt((xx + yy + zz) / 3.0)


def receive(memory: Memory, result: PivotResult | RegistrationResult | WorkFailed) -> None:
    """A worker's answer waits for the operator's accept."""
    memory.setup_changed = True
    # Requests are `pivot/<tool>/<seq>` and `registration/<seq>`.
    asked = result.request.rpartition("/")[0]
    memory.computing = [name for name in memory.computing if name != asked]
    memory.notices.pop("WORKER_FAILED", None)
    if isinstance(result, WorkFailed):
        memory.notices["WORKER_FAILED"] = result.reason
        memory.setup_message = result.reason
    elif isinstance(result, PivotResult):
        memory.pending_pivots[result.tool] = result
        verdict = "accepted by the gate" if result.accepted else "refused by the gate"
        asked_tool = f"; {right_tool.question(memory, result)}" if right_tool.moved_mm(memory, result) is not None else ""
        memory.setup_message = f"tip of {result.tool}: RMS {result.rms_mm:.2f} mm, {verdict}{asked_tool}"
    else:
        memory.pending_registration = result
        before, after = result.surface_rms_before_mm, result.surface_rms_mm
        moved = f", touches {after:.2f} mm off the bone, {before:.2f} mm before" if before is not None and after is not None else ""
        verdict = "accepted by the gate" if result.accepted else "refused by the gate"
        asked_level = f". {result.level_question}" if result.accepted and result.rivals else ""
        memory.setup_message = f"registration: FRE {result.fre_mm:.2f} mm{moved}, {verdict}{asked_level}"


def accept(memory: Memory, order: Accept) -> Refusal:
    """Take a pending result into use, unless the gate refused it."""
    result = _pending(memory, order.result)
    if result is None:
        return _none_pending(memory, order.result)
    if not result.accepted:
        return f"the gate refused it: {'; '.join(result.reasons)}"
    if isinstance(result, PivotResult):
        if why := right_tool.refusal(memory, result, changed=order.changed_tool):
            return why
        memory.doubted_tools.pop(result.tool, None)
        memory.pivots[result.tool] = memory.pending_pivots.pop(result.tool)
        memory.tips[result.tool] = tip_of(memory.rig, result.tool, result.tip_mm, result.covariance)
    else:
        if why := which_level.refusal(result, order.level):
            return why
        memory.registration, memory.pending_registration = result, None
        memory.rivals = list(result.rivals)
        memory.phase, memory.registered_ns = "navigation", memory.now_ns
        checking.forget_checks(memory)
        # What was known was known in another registration: every pair is judged afresh.
        for pair in memory.pairs:
            pair.begin_afresh(memory.now_ns)
        memory.unsettled = list(memory.pairs)
    memory.proximity.forget()
    drilling.forget_poses(memory)
    memory.setup_changed = True
    memory.setup_message = f"{order.result} in use"
    return ""


def reject(memory: Memory, order: Reject) -> Refusal:
    result = _pending(memory, order.result)
    if result is None:
        return _none_pending(memory, order.result)
    if isinstance(result, PivotResult):
        del memory.pending_pivots[result.tool]
    else:
        memory.pending_registration = None
    memory.setup_changed = True
    memory.setup_message = f"{order.result} rejected"
    return ""


def _pending(memory: Memory, name: str) -> PivotResult | RegistrationResult | None:
    return memory.pending_registration if name == "registration" else memory.pending_pivots.get(name.removeprefix("pivot/"))


def _none_pending(memory: Memory, name: str) -> Refusal:
    waiting = [f"pivot/{t}" for t in memory.pending_pivots] + (["registration"] if memory.pending_registration else [])
    return f"no result '{name}' is pending; pending: {', '.join(waiting) or 'none'}"


def take_back(memory: Memory) -> Refusal:
    """Undo the last collected landmark, sweep or limit change."""
    if not memory.undo:
        return "nothing to undo"
    what, detail = memory.undo.pop()
    memory.setup_changed = True
    memory.setup_message = f"{what} taken back"
    if what == "landmark":
        memory.touched.pop(detail, None)
    elif what == "sweep":
        del memory.sweep[len(memory.sweep) - int(detail) :]
    else:
        structure, limits = memory.old_limits.pop()
        memory.limits[structure] = limits
    return ""
