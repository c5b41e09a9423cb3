"""A made-up session whose every verdict is known: scripted true distances, a tracker's error on top, levels by the plain rule, written as a real log.

Nothing of the twin takes part. Distances are scripted per pair (key times and millimetres); the tip wanders along x with the canal's distance.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from navtwin.nouns import (
    LEVELS,
    Ack,
    Alert,
    AlertSet,
    Body,
    Command,
    DistanceStatus,
    Event,
    Header,
    Health,
    InstrumentState,
    Level,
    Mark,
    PairSummary,
    Part,
    PivotResult,
    Pose,
    Reading,
    RegistrationResult,
    Reply,
    Rig,
    State,
    TechnicalAlarm,
    Tool,
    Tracker,
    TrackerFrame,
    TrueDistance,
    TrueSetup,
    TrueTool,
    Truth,
    encode,
)
from navtwin.record.format import Stamps
from navtwin.record.log import LogWriter
from navtwin.scene.model import Patient, Plan, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import VolumeBox

MS = 1_000_000
SESSION = "5e" * 8
PERIOD_NS, LATENCY_NS, T0_NS = 16_666_667, 15 * MS, 5_000 * MS
FRAMES_OF_SETUP = 30
LIMITS = {"spinal_canal": (2.0, 1.0), "aorta": (3.0, 1.5)}
SD_MM, SPEED_MM_S = 0.25, 0.0
#: (s, mm) for the demo-like session.
STORY = {
    "spinal_canal/drill/neck": [
        (0, 30), (6, 9), (12, 6), (16, 30), (20, 9), (25, 1.9), (27, 0.8), (30, 0.55), (33, 3), (36, 40),
        (50, 40), (53, 2.6), (54, 1.8), (55, 1.6), (60, 4), (66, 30),
    ],
    "spinal_canal/drill/burr": [(0, 30), (6, 10), (12, 8), (16, 30), (20, 9), (25, 5), (30, 4.4), (36, 40), (50, 40), (54, 4), (60, 4), (66, 30)],
    "spinal_canal/drill/handpiece": [(0, 80), (66, 80)],
    "aorta/drill/burr": [(0, 60), (36, 60), (39, 8), (42, 2.5), (44, 1.2), (45, 1.0), (48, 60), (66, 60)],
    "aorta/drill/neck": [(0, 60), (36, 60), (39, 12), (45, 5), (48, 60), (66, 60)],
    "aorta/drill/handpiece": [(0, 90), (66, 90)],
}  # fmt: skip
HIDDEN_S = (53.2, 54.4)


@dataclass
class MadeUp:
    """What to write.

    Attributes
    ----------
    story : pair -> (s, mm) of the true distance
    silent, shy, jumpy : pairs that never rise; that rise 1.2 s after they should; that rise at 10 s without cause
    hidden_s : when the drill is not seen
    seconds : of navigation
    """

    story: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: dict(STORY))
    silent: tuple[str, ...] = ()
    shy: tuple[str, ...] = ()
    jumpy: tuple[str, ...] = ()
    hidden_s: tuple[float, float] = HIDDEN_S
    seconds: float = 66.0
    speed: float = 1.0
    with_truth: bool = True
    with_header: bool = True


def cylinder(x_mm: float, y_mm: float, radius_mm: float, half_mm: float = 40.0, n: int = 48) -> Surface:
    """A closed upright cylinder."""
    a = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    ring = np.stack([x_mm + radius_mm * np.cos(a), y_mm + radius_mm * np.sin(a)], axis=1)
    vertices = np.vstack([np.c_[ring, np.full(n, -half_mm)], np.c_[ring, np.full(n, half_mm)], [[x_mm, y_mm, -half_mm], [x_mm, y_mm, half_mm]]])
    faces = []
    for i in range(n):
        j = (i + 1) % n
        faces += [(i, j, n + j), (i, n + j, n + i), (2 * n, j, i), (2 * n + 1, n + i, n + j)]
    return Surface.from_arrays(vertices, np.array(faces, dtype=np.int32))


def made_scene() -> Scene:
    """Two critical cylinders and a bone between them."""

    def structure(name: str, role: str, surface: Surface, color: str, opacity: float) -> Structure:
        caution, danger = LIMITS.get(name, (None, None))
        return Structure(name, role, "ref", surface, caution, danger, 0.4, 15.0, color, opacity, capped=name == "aorta")  # type: ignore[arg-type]

    box = VolumeBox(((1.0, 0.0, 0.0, 100.0), (0.0, 1.0, 0.0, 100.0), (0.0, 0.0, 1.0, 100.0), (0.0, 0.0, 0.0, 1.0)), (200, 200, 200))
    return Scene(
        name="made_up_spine",
        structures=(
            structure("vertebra", "work", cylinder(0.0, -12.0, 15.0, 12.0), "#e5d8c0", 0.45),
            structure("spinal_canal", "critical", cylinder(0.0, 12.0, 8.0), "#f2c14e", 1.0),
            structure("aorta", "critical", cylinder(14.0, -34.0, 10.0), "#c0392b", 1.0),
        ),
        landmarks=(),
        plans=(Plan("left_T12", (-15.0, 20.0, 0.0), (-8.0, -15.0, 0.0), 5.5, 1.0),),
        patient=Patient(study="made-up shapes", notes="For tests of the report only"),
        volume=box,
        ct_path=Path("ct.nii.gz"),
        folder=Path(),
        case_hash="ab" * 32,
    )


def made_rig() -> Rig:
    parts = (
        Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.5),
        Part(name="neck", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, -50.0), radius_mm=1.2),
        Part(name="handpiece", from_mm=(0.0, 0.0, -50.0), to_mm=(0.0, 0.0, -170.0), radius_mm=6.0),
    )
    return Rig(
        reference="ref",
        tracker=Tracker(name="made-up", rate_hz=60.0, latency_ms=15.0),
        body=(Body(name="ref", sd_mm=0.1, sd_rad=0.001), Body(name="drill", sd_mm=0.1, sd_rad=0.001)),
        tool=(Tool(name="drill", body="drill", axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.001, part=parts),),
    )


def made_header(speed: float = 1.0) -> Header:
    return Header(
        session=SESSION, version="0.1.0", utc_anchor_ns=1_750_000_000_000_000_000, monotonic_anchor_ns=0, case_path="made_up_spine",
        rig_path="rig.toml", case_hash="ab" * 32, rig_hash="cd" * 32, code_hash="ef" * 32, source="phantom:made-up", speed=speed,
        python="3.11", machine="x86_64 Linux",
    )  # fmt: skip


def pose(x_mm: float, y_mm: float = 24.0) -> Pose:
    """The drill from the back, slightly tilted: tip at (x, y, 0), its axis towards the front."""
    s = float(np.sqrt(0.5))
    return Pose(q_wxyz=(s, s, 0.0, 0.0), t_mm=(x_mm, y_mm, 0.0))


@dataclass
class _Pair:
    id: str
    caution: float
    danger: float
    rank: int = -1
    known: bool = False
    since_ns: int = 0
    fall_since_ns: int | None = None
    below_since_ns: int | None = None
    numbers: tuple[float, float, float, float] | None = None
    acked_by: str = ""

    @property
    def limit(self) -> float:
        return (self.caution, self.caution, self.danger, 0.0)[self.rank]

    def step(self, t_ns: int, numbers: tuple[float, float, float, float] | None, made: MadeUp) -> None:
        self.numbers, self.known = numbers, numbers is not None
        if numbers is None:
            return
        distance, bound, _, _ = numbers
        rank = 3 if distance <= 0.0 else 2 if bound <= self.danger else 1 if bound <= self.caution else 0
        if self.id in made.jumpy and 10.0 <= (t_ns - T0_NS) * 1e-9 < 11.0:
            rank = 2
        if self.id in made.silent:
            rank = 0
        if self.id in made.shy and rank > max(self.rank, 0):
            self.below_since_ns = self.below_since_ns or t_ns
            rank = rank if t_ns - self.below_since_ns >= 1200 * MS else max(self.rank, 0)
        if rank >= self.rank:
            self.fall_since_ns = None
        elif self.fall_since_ns is None:
            self.fall_since_ns = t_ns
        if rank > self.rank or (self.fall_since_ns is not None and t_ns - self.fall_since_ns >= 300 * MS):
            self.rank, self.since_ns, self.acked_by, self.fall_since_ns = rank, t_ns, "", None
            self.below_since_ns = None


def write_session(path: Path, made: MadeUp | None = None) -> None:
    """Write a finished log."""
    made = made or MadeUp()
    rng = np.random.default_rng(7)
    pairs = {key: _Pair(key, *LIMITS[key.split("/")[0]]) for key in made.story}
    with LogWriter(path, live=False) as log:
        if made.with_header:
            log.write_header(made_header(made.speed))
        seq = _write_setup(log, made)
        last: dict[str, float] = {}
        marks = {
            2.0: "left pedicle along the plan",
            18.0: "right pedicle, too medial",
            36.0: "too deep: towards the aorta",
            53.0: "drill hidden",
            58.0: "patient bumped",
        }
        done: set[float] = set()
        for n in range(int(made.seconds * 60)):
            t_s = n / 60.0
            capture = T0_NS + n * PERIOD_NS
            arrival = capture + LATENCY_NS + int(rng.normal(0.0, 0.4 * MS))
            for at in [m for m in marks if m <= t_s and m not in done]:
                done.add(at)
                seq = _write_command(log, seq, arrival - MS, Command(who="script", id=f"m{at}", order=Mark(label=marks[at])))
            hidden = made.hidden_s[0] <= t_s < made.hidden_s[1]
            true = {key: float(np.interp(t_s, *zip(*points, strict=True))) for key, points in made.story.items()}
            if made.with_truth:
                log.write_truth(_truth(n, capture, true))
            seq += 1
            log.write_event(
                Event(
                    seq=seq,
                    t_ns=arrival,
                    body=TrackerFrame(source="made-up", number=1000 + n, t_capture_ns=capture, t_arrival_ns=arrival, sightings=()),
                )
            )
            readings, sd = [], SD_MM
            for key, pair in pairs.items():
                measured = true[key] + 0.15 * float(np.sin(3.0 * t_s)) + float(rng.normal(0.0, 0.04))
                speed = (last.get(key, true[key]) - true[key]) * 60.0
                numbers = None if hidden else (measured, measured - 2.0 * sd - max(0.0, speed) * 0.08, sd, speed)
                last[key] = true[key]
                pair.step(arrival, numbers, made)
                readings.append(_reading(key, numbers))
            if t_s >= 28.0 and pairs["spinal_canal/drill/neck"].rank == 2 and not pairs["spinal_canal/drill/neck"].acked_by and t_s < 29.0:
                pairs["spinal_canal/drill/neck"].acked_by = "surgeon"
                seq = _write_command(
                    log, seq, arrival, Command(who="surgeon", id="a1", order=Ack(epoch="e", alert="spinal_canal/drill/neck", level="DANGER"))
                )
            x = true["spinal_canal/drill/neck"] + 8.0
            state = State(
                phase="navigation",
                frame=1000 + n,
                instruments=(
                    InstrumentState(instrument="drill", status="HIDDEN")
                    if hidden
                    else InstrumentState(instrument="drill", status="OK", pose=pose(x + float(rng.normal(0.0, 0.1)))),
                ),
                readings=tuple(readings),
            )
            alerts = _alert_set(pairs, arrival, hidden, made)
            stamps = Stamps(seq=seq, t_arrival_ns=arrival, t_step_ns=arrival + 600_000 + n, t_publish_ns=arrival + 700_000 + n)
            log.write_outputs(seq, arrival, [("alerts", encode(alerts)), ("state", encode(state))], stamps)


def _write_setup(log: LogWriter, made: MadeUp) -> int:
    if made.with_truth:
        log.write_truth(TrueSetup(tools=(TrueTool(tool="drill", tip_mm=(0.05, -0.02, 150.08)),), T_ct_from_ref=pose(0.1)))
    log.write_event(
        Event(
            seq=1,
            t_ns=T0_NS - 2000 * MS,
            body=PivotResult(
                request="p1",
                tool="drill",
                accepted=True,
                reasons=(),
                tip_mm=(0.0, 0.0, 150.0),
                covariance=(0.004, 0.0, 0.0, 0.004, 0.0, 0.004),
                rms_mm=0.21,
                samples=480,
            ),
        )
    )
    diagonal = {0: 1e-5, 6: 1e-5, 11: 1e-5, 15: 0.02, 18: 0.02, 20: 0.02}
    covariance = tuple(diagonal.get(n, 0.0) for n in range(21))
    names = ("spinous T12", "spinous L1", "left facet", "right facet", "left transverse", "right transverse")
    log.write_event(
        Event(
            seq=2,
            t_ns=T0_NS - 1000 * MS,
            body=RegistrationResult(
                request="r1", accepted=True, reasons=(), pose=pose(0.0), fre_mm=0.42, landmarks=names, residual_mm=(0.3, 0.5, 0.4, 0.4, 0.5, 0.4),
                covariance=covariance, centroid_mm=(0.0, 20.0, 0.0), tre_at=(), tre_mm=(), surface_rms_mm=0.31,
            ),  # type: ignore[arg-type]
        )
    )  # fmt: skip
    return 2


def _write_command(log: LogWriter, seq: int, t_ns: int, command: Command) -> int:
    log.write_event(Event(seq=seq + 1, t_ns=t_ns, body=command))
    log.write_outputs(seq + 1, t_ns, [("reply", encode(Reply(id=command.id, who=command.who, ok=True)))])
    return seq + 1


def _truth(n: int, capture: int, true: dict[str, float]) -> Truth:
    distances = tuple(
        TrueDistance(structure=s, instrument=i, part=p, distance_mm=mm) for (s, i, p), mm in ((k.split("/"), mm) for k, mm in true.items())
    )
    drill = InstrumentState(instrument="drill", status="OK", pose=pose(true["spinal_canal/drill/neck"] + 8.0))
    # The recording's own clock: the loop moved the frames onto the session's.
    return Truth(frame=1000 + n, t_capture_ns=capture - 123_456 * MS, instruments=(drill,), distances=distances)


def _reading(key: str, numbers: tuple[float, float, float, float] | None) -> Reading:
    structure, instrument, part = key.split("/")
    if numbers is None:
        return Reading(structure=structure, instrument=instrument, part=part, role="critical", status="HIDDEN")
    d, b, sd, v = numbers
    return Reading(
        structure=structure, instrument=instrument, part=part, role="critical", status="OK", distance_mm=d, bound_mm=b, sd_mm=sd, speed_mm_s=v,
        on_structure_mm=(8.0, 12.0, 0.0), on_axis_mm=(8.0 + d, 12.0, 0.0),
    )  # fmt: skip


def _alert_set(pairs: dict[str, _Pair], t_ns: int, hidden: bool, made: MadeUp) -> AlertSet:
    status: DistanceStatus = "HIDDEN" if hidden else "OK"
    alerts = []
    for pair in pairs.values():
        if pair.rank < 1:
            continue
        structure, instrument, part = pair.id.split("/")
        level: Level = LEVELS[pair.rank]
        d, b, sd, v = pair.numbers or (None, None, None, None)
        alerts.append(
            Alert(
                id=pair.id, structure=structure, instrument=instrument, part=part, level=level, known=pair.known, status=status,
                priority="high" if pair.rank > 1 else "medium", since_ns=pair.since_ns, limit_mm=pair.limit,
                distance_mm=d, bound_mm=b, sd_mm=sd, speed_mm_s=v, silenced=bool(pair.acked_by), acked_by=pair.acked_by,
            )
        )  # fmt: skip
    since = T0_NS + int(made.hidden_s[0] * 1e9)
    lost = TechnicalAlarm(
        id="TRACKING_LOST/drill", alarm="TRACKING_LOST", subject="drill", priority="high", since_ns=since,
        text="the instrument is not seen: its distances are unknown", remedy="hold still; clear the line of sight",
    )  # fmt: skip
    summaries = tuple(
        PairSummary(id=p.id, level=None if p.rank < 0 else LEVELS[p.rank], known=p.known, status=status, since_ns=p.since_ns) for p in pairs.values()
    )
    health = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=15.0, watched=len(pairs))
    return AlertSet(phase="navigation", t_ns=t_ns, alerts=tuple(alerts), technical=(lost,) if hidden else (), pairs=summaries, health=health)


def write_journal(path: Path, session_log: Path) -> None:
    """An operator that received every alert set 1.2 ms after it was published."""
    from navtwin.record.read import stamps

    lines = []
    for s in stamps(session_log):
        line = {
            "topic": "alerts",
            "epoch": SESSION,
            "seq": s.seq,
            "t_publish_ns": s.t_publish_ns,
            "t_received_ns": s.t_publish_ns + 1_200_000,
            "alerts": [],
        }
        lines.append(json.dumps(line))
    sent = '{"sent":"k1","order":{"do":"mark","label":"x"},"t_sent_ns":1}'
    path.write_text("\n".join([*lines, sent]) + "\n")
