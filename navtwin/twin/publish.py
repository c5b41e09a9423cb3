"""What the fold says: the state of a frame, the complete active set, the setup's progress."""

from __future__ import annotations

from collections.abc import Callable

from navtwin.nouns import (
    Alert,
    AlertSet,
    BoneSummary,
    DrillState,
    Health,
    InstrumentState,
    Message,
    Passing,
    Pose,
    Priority,
    Reading,
    Setup,
    State,
)
from navtwin.twin.chain import Chain
from navtwin.twin.health import health
from navtwin.twin.judge import bounds_mm, is_stale, limit_mm, statuses
from navtwin.twin.levels import rank
from navtwin.twin.memory import Memory
from navtwin.twin.pair import Pair
from navtwin.twin.right_tool import moved_mm
from navtwin.twin.walls import wall_alerts

#: The complete set goes out at least this often, since a subscriber may have missed a message.
REPEAT_NS = 50_000_000
#: Setup is said again this often, for clients that join late.
REPEAT_SETUP_NS = 1_000_000_000
PRIORITY: dict[str, Priority] = {"CLEAR": "none", "CAUTION": "medium", "DANGER": "high", "CONTACT": "high"}


def state_of(memory: Memory, chains: list[Chain], frame_number: int) -> Callable[[], State]:
    """One frame: every instrument and every pair, unknown ones with their reason and no number.

    Most of it is put together when it is called; nothing of that changes while the frame is judged.
    """
    phase, drills, bones = memory.phase, _drills(memory), _bones(memory)

    def whole() -> State:
        return State(
            phase=phase,
            frame=frame_number,
            instruments=tuple(map(_instrument, chains)),
            readings=_readings(memory),
            passings=_passings(memory),
            drills=drills,
            bones=bones,
        )

    return whole


def _instrument(chain: Chain) -> InstrumentState:
    pose = Pose.from_rigid(chain.T_ct_from_tip) if chain.T_ct_from_tip else None
    return InstrumentState(instrument=chain.tool, status=chain.status, pose=pose)


def _drills(memory: Memory) -> tuple[DrillState, ...]:
    drills = memory.drilled.drills if memory.drilled is not None else []
    return tuple(DrillState(instrument=d.tool, status=d.status, by=d.cutter.cuts, why=d.why, stretch=d.stretch, walls=d.walls) for d in drills)


def _bones(memory: Memory) -> tuple[BoneSummary, ...]:
    return () if memory.drilled is None else (memory.drilled.summary(),)


def _passings(memory: Memory) -> tuple[Passing, ...]:
    p = memory.proximity
    return tuple(
        Passing(structure=p.structures[s].name, instrument=p.tool_names[p.tool_of_part[part]], part=p.part_names[part], clearance_mm=mm, at_ns=at_ns)
        for part, s, mm, at_ns in p.passings()
    )


def _readings(memory: Memory) -> tuple[Reading, ...]:
    p = memory.proximity
    status = statuses(memory, stale=is_stale(memory))
    # Plain floats and rows, read out of the arrays once: a frame has a reading for every pair.
    distance_mm, bound_mm, sd_mm, speed_mm_s = (a.tolist() for a in (p.distance, bounds_mm(memory), p.sd, p.speed))
    on_structure_mm, on_axis_mm, is_bound = p.on_structure.tolist(), p.on_axis.tolist(), p.depths_are_bounds().tolist()
    readings = []
    for part, name in enumerate(p.part_names):
        tool = p.tool_name_of_part[part]
        for n, structure in enumerate(p.structures):
            if status[part][n] != "OK":
                readings.append(Reading(structure.name, tool, name, structure.role, status[part][n]))
                continue
            readings.append(
                Reading(
                    structure.name,
                    tool,
                    name,
                    structure.role,
                    "OK",
                    distance_mm[part][n],
                    bound_mm[part][n],
                    sd_mm[part][n],
                    speed_mm_s[part][n],
                    tuple(on_structure_mm[part][n]),
                    tuple(on_axis_mm[part][n]),
                    is_bound[part][n],
                )
            )
    return tuple(readings)


def alert_set(memory: Memory) -> AlertSet:
    """Everything that is wrong now, complete in itself."""
    paused = memory.audio_paused_until_ns is not None
    alerts = [_alert(memory, pair, paused=paused) for pair in memory.unsettled if rank(pair.state.level) > 0]
    alerts += wall_alerts(memory, paused=paused)
    alerts.sort(key=lambda a: (-rank(a.level), a.id))
    technical = tuple(a.noun(paused=paused) for a in memory.alarms.values())
    pairs = tuple(memory.summaries)
    return AlertSet(phase=memory.phase, t_ns=memory.now_ns, alerts=tuple(alerts), technical=technical, pairs=pairs, health=health(memory))


def _alert(memory: Memory, pair: Pair, *, paused: bool) -> Alert:
    p, level = memory.proximity, pair.state.level or "CLEAR"
    structure = p.structures[pair.structure].name
    muted = level == "CAUTION" and structure in memory.muted
    known = pair.state.known and pair.status == "OK"
    return Alert(
        id=pair.id,
        structure=structure,
        instrument=p.tool_name_of_part[pair.part],
        part=p.part_names[pair.part],
        level=level,
        known=known,
        status=pair.status,
        priority=PRIORITY[level],
        since_ns=pair.state.since_ns,
        limit_mm=limit_mm(memory, pair),
        distance_mm=pair.distance_mm if known else None,
        bound_mm=pair.bound_mm if known else None,
        sd_mm=pair.sd_mm if known else None,
        speed_mm_s=pair.speed_mm_s if known else None,
        passed_mm=pair.passed_mm if known else None,
        silenced=bool(pair.acked_by) or muted or (paused and not pair.breaks_pause),
        acked_by=pair.acked_by,
    )


def signature(alerts: AlertSet) -> tuple[object, ...]:
    """What counts as a change: anything but numbers that move with every frame."""
    h: Health = alerts.health
    return (
        alerts.phase,
        tuple((a.id, a.level, a.known, a.status, a.silenced, a.acked_by) for a in alerts.alerts),
        tuple((t.id, t.priority, t.silenced, t.text) for t in alerts.technical),
        alerts.pairs,
        (h.tracker, h.reference, h.registration, h.latency, h.recording, h.audio_paused_until_ns, h.muted, h.selected, h.frozen, h.spindle_on),
        (h.registered_ns, h.verified_ns),
    )


def due_alerts(memory: Memory) -> list[Message]:
    """The alert set, if it has changed or 50 ms have passed since it was last said."""
    now = alert_set(memory)
    said = signature(now)
    if memory.published_ns is not None and memory.now_ns - memory.published_ns < REPEAT_NS and said == memory.published:
        return []
    memory.published, memory.published_ns = said, memory.now_ns
    return [Message(topic="alerts", body=now)]


def due_setup(memory: Memory) -> list[Message]:
    """Progress of calibration and registration, on change and every second."""
    if not memory.setup_changed and memory.now_ns - memory.setup_said_ns < REPEAT_SETUP_NS:
        return []
    memory.setup_changed, memory.setup_said_ns = False, memory.now_ns
    c = memory.collection
    names = tuple(memory.touched)
    pending = tuple(f"pivot/{tool}" for tool in memory.pending_pivots) + (("registration",) if memory.pending_registration else ())
    setup = Setup(
        collecting="" if c is None else " ".join(word for word in (c.what, c.landmark or c.tool) if word),
        samples=0 if c is None else max(len(c.poses), len(c.points_ref_mm)),
        calibrated=tuple(sorted(memory.tips)),
        landmarks=names,
        spread_mm=tuple(memory.touched[n].spread_mm for n in names),
        landmark_samples=tuple(len(memory.touched[n].points_ref_mm) for n in names),
        sweep_points=len(memory.sweep),
        pending=pending,
        pivots=tuple(memory.pending_pivots.get(t) or memory.pivots[t] for t in sorted({*memory.pivots, *memory.pending_pivots})),
        registration=memory.pending_registration or memory.registration,
        dwell_share=0.0 if c is None or c.dwell is None else c.dwell.progress,
        computing=tuple(memory.computing),
        message=memory.setup_message,
        case_path=memory.header.case_path,
        case_hash=memory.header.case_hash,
        rig_path=memory.header.rig_path,
        source=memory.header.source,
        checks=tuple(memory.checks),
        other_tips=tuple(tool for tool, pivot in memory.pending_pivots.items() if moved_mm(memory, pivot) is not None),
    )
    return [Message(topic="setup", body=setup)]
