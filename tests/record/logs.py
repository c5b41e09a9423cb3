"""Small logs and a toy fold to test the record room with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from navtwin.nouns import (
    Ack,
    Alert,
    AlertSet,
    Body,
    Command,
    Event,
    Header,
    Health,
    Message,
    Part,
    Pose,
    Reading,
    Reply,
    Rig,
    Sighting,
    State,
    Tick,
    Tool,
    Tracker,
    TrackerFrame,
    TrueSetup,
    TrueTool,
    Truth,
    encode,
)
from navtwin.record.format import Stamps
from navtwin.record.hashes import code_hash, rig_hash, with_session
from navtwin.record.log import LogWriter

RIG = Rig(
    reference="ref",
    tracker=Tracker(name="toy", rate_hz=60.0, latency_ms=15.0),
    body=(Body(name="ref", sd_mm=0.1, sd_rad=0.001), Body(name="drill", sd_mm=0.1, sd_rad=0.001)),
    tool=(
        Tool(
            name="drill",
            body="drill",
            axis_in_marker=(0.0, 0.0, 1.0),
            axis_sd_rad=0.001,
            part=(Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.5),),
        ),
    ),
)
T0_NS = 5_000_000_000
FRAME_NS = 16_666_667
_HEALTH = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=15.0, watched=1)


@dataclass
class Case:
    case_hash: str = "case"


@dataclass
class Memory:
    """The toy fold: one part comes nearer by 0.1 mm a frame; `nudge` makes another twin of it."""

    frames: int = 0
    nudge: float = 0.0
    sent: list[int] = field(default_factory=list)


def new_memory(scene: Case, rig: Rig, header: Header) -> Memory:
    return Memory()


def step(scene: Case, memory: Memory, event: Event) -> Sequence[Message]:
    body = event.body
    if isinstance(body, Command):
        return [Message(topic="reply", body=Reply(id=body.id, who=body.who, ok=True))]
    if isinstance(body, TrackerFrame):
        memory.frames += 1
        distance = 10.0 - 0.1 * memory.frames + memory.nudge
        reading = Reading(
            structure="canal", instrument="drill", part="burr", role="critical", status="OK", distance_mm=distance, bound_mm=distance - 0.5
        )
        return [
            Message(topic="state", body=State(phase="navigation", frame=body.number, instruments=(), readings=(reading,))),
            Message(topic="alerts", body=_alerts(event.t_ns, distance)),
        ]
    return []


def _alerts(t_ns: int, distance: float) -> AlertSet:
    level = "DANGER" if distance < 4.0 else "CAUTION"
    alert = Alert(
        id="canal/drill/burr",
        structure="canal",
        instrument="drill",
        part="burr",
        level=level,
        known=True,
        status="OK",
        priority="high",
        since_ns=t_ns,
        limit_mm=4.0 if level == "DANGER" else 8.0,
        distance_mm=distance,
        bound_mm=distance - 0.5,
    )
    return AlertSet(phase="navigation", t_ns=t_ns, alerts=(alert,) if distance < 8.0 else (), technical=(), pairs=(), health=_HEALTH)


def header() -> Header:
    return with_session(
        Header(
            session="",
            version="0",
            utc_anchor_ns=1_700_000_000_000_000_000,
            monotonic_anchor_ns=T0_NS,
            case_path="case",
            rig_path="rig.toml",
            case_hash="case",
            rig_hash=rig_hash(RIG),
            code_hash=code_hash(),
            source="toy",
            speed=1.0,
            python="3",
            machine="toy",
        )
    )


def frame(n: int, t0_ns: int = T0_NS) -> TrackerFrame:
    t = t0_ns + n * FRAME_NS
    seen = Sighting(body="drill", status="OK", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.1 * n, 2.0, -900.0)), rms_mm=0.05)
    hidden = Sighting(body="ref", status="MISSING", reason="nobody held it up")
    return TrackerFrame(source="toy", number=100 + n, t_capture_ns=t - 15_000_000, t_arrival_ns=t, sightings=(seen, hidden))


def events(frames: int, t0_ns: int = T0_NS) -> list[Event]:
    """`frames` frames with a tick after each, and one command in the middle."""
    found: list[Event] = []
    for n in range(frames):
        t = t0_ns + n * FRAME_NS
        found.append(Event(seq=len(found) + 1, t_ns=t, body=frame(n, t0_ns)))
        found.append(Event(seq=len(found) + 1, t_ns=t + 5_000_000, body=Tick()))
        if n == frames // 2:
            ack = Command(who="operator", id="c1", order=Ack(epoch="e", alert="canal/drill/burr", level="CAUTION"))
            found.append(Event(seq=len(found) + 1, t_ns=t + 6_000_000, body=ack))
    return found


def truth(n: int) -> Truth:
    return Truth(frame=100 + n, t_capture_ns=T0_NS + n * FRAME_NS - 15_000_000, instruments=(), distances=())


TRUE_SETUP = TrueSetup(
    tools=(TrueTool(tool="drill", tip_mm=(0.0, 0.0, 160.0)),), T_ct_from_ref=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(1.0, 2.0, 3.0))
)


def write_session(path: Path, inputs: list[Event]) -> None:
    """Record a session of the toy fold."""
    memory = new_memory(Case(), RIG, header())
    with LogWriter(path, live=False) as log:
        log.write_header(header())
        log.write_truth(TRUE_SETUP)
        for event in inputs:
            log.write_event(event)
            out = [(m.topic, encode(m.body)) for m in step(Case(), memory, event)]
            arrival = event.body.t_arrival_ns if isinstance(event.body, TrackerFrame) else None
            stamps = Stamps(seq=event.seq, t_arrival_ns=arrival, t_step_ns=event.t_ns + 400_000, t_publish_ns=event.t_ns + 500_000)
            log.write_outputs(event.seq, event.t_ns, out, stamps)
