"""A made-up session with a drill: a block of bone, a nerve 6 mm under its top, and every stroke, wall, breach and doubt of it known.

The bone is drilled by a real `Carvable`, as the strokes' hashes have to be its own; all else is written by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyvista as pv

from navtwin.nouns import (
    LEVELS,
    Alert,
    AlertSet,
    Body,
    BoneSummary,
    BoneUndone,
    Carved,
    Command,
    Cutter,
    Drilling,
    DrillState,
    DrillStatus,
    Event,
    EventBody,
    Health,
    InstrumentState,
    Level,
    PairSummary,
    Part,
    Pose,
    PoseRows,
    Priority,
    Reading,
    RegistrationResult,
    Rig,
    RigCamera,
    Role,
    Sighting,
    Spindle,
    State,
    Tool,
    Topic,
    Tracker,
    TrackerFrame,
    Trespass,
    TrueDistance,
    TrueDrill,
    TrueSetup,
    TrueTool,
    TrueWall,
    Truth,
    Wall,
    encode,
)
from navtwin.nouns.base import Covariance6
from navtwin.record.log import LogWriter
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Patient, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import VolumeBox
from tests.report.made_up import LATENCY_NS, MS, PERIOD_NS, T0_NS, made_header

SIDE_MM = 0.5
BURR_MM = 2.0
NERVE_Z_MM, NERVE_RADIUS_MM = -7.0, 1.0
#: The twin's tip is so far off the true one, and its error bar, mm.
OFF_MM, BAR_MM = (0.05, -0.04, 0.03), 0.2
THIN_MM = 1.0
#: (s, tip) on the way; what lies between is linear. The trough's bottom comes to -3 mm, the hole's to -5.4 mm, 0.6 mm above the nerve.
WAY = [
    (0.0, (-5.0, -6.0, 8.0)), (0.5, (-5.0, -6.0, -1.0)), (0.9, (-5.0, 6.0, -1.0)), (1.1, (-2.5, 6.0, -1.0)), (1.5, (-2.5, -6.0, -1.0)),
    (1.7, (0.0, -6.0, -1.0)), (2.1, (0.0, 6.0, -1.0)), (2.3, (2.5, 6.0, -1.0)), (2.7, (2.5, -6.0, -1.0)), (2.9, (5.0, -6.0, -1.0)),
    (3.3, (5.0, 6.0, -1.0)), (3.5, (5.0, 6.0, 4.0)), (3.8, (0.0, 0.0, 4.0)), (4.0, (0.0, 0.0, -1.0)), (4.6, (0.0, 0.0, -3.4)),
    (4.8, (0.0, 0.0, -3.4)), (5.0, (0.0, 0.0, 4.0)), (5.2, (9.5, 4.0, 1.0)), (5.4, (9.5, 4.0, -0.5)), (5.6, (9.5, 7.0, -0.5)),
    (5.8, (9.5, 7.0, 6.0)), (7.2, (0.0, 3.0, 6.0)), (7.4, (0.0, 3.0, -1.0)), (7.8, (0.0, 3.0, -5.0)), (8.0, (0.0, 3.0, 6.0)),
]  # fmt: skip
#: The drill turns, by stretch; the third is taken back, in the fourth it goes into the nerve.
TURNING_S = ((0.3, 3.5), (3.8, 5.0), (5.2, 5.8), (7.3, 8.0))
UNDONE_S, FROZEN_S, UNKNOWN_S = 6.0, (6.2, 6.7), (6.8, 7.0)
FROZEN_WHY = "the registration is doubtful: <touch> a landmark"
LIMITS = (2.0, 1.0)
#: The camera looks down on the bone from 150 mm above its top: T_tracker_from_ref.
CAMERA = RigCamera(name="above", width_px=120, height_px=90, focal_px=(400.0, 400.0), centre_px=(59.5, 44.5), distortion=(-0.1, 0.02, 0.0, 0.0))
ABOVE_MM = 150.0
REFERENCE = Pose(q_wxyz=(0.0, 1.0, 0.0, 0.0), t_mm=(0.0, 0.0, ABOVE_MM))


@dataclass
class Told:
    """What a session was written with."""

    removed_mm3: list[float] = field(default_factory=list)
    strokes: int = 0
    least_wall_mm: float = np.inf
    breach_mm3: float = 0.0


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Surface:
    mesh = pv.Box((low[0], high[0], low[1], high[1], low[2], high[2])).triangulate()
    return Surface.from_arrays(mesh.points, mesh.regular_faces)


def drilled_scene() -> Scene:
    """Bone, nerve and plan."""
    tube = pv.Cylinder(center=(0.0, 0.0, NERVE_Z_MM), direction=(0.0, 1.0, 0.0), radius=NERVE_RADIUS_MM, height=40.0, resolution=64)
    nerve = tube.triangulate().clean()
    bone = _structure("temporal_bone", "work", box((-12.0, -12.0, -12.0), (12.0, 12.0, 0.0)), "#e6d9c2")
    plan = _structure("planned_trough", "context", box((-7.0, -8.0, -3.5), (7.0, 8.0, 4.0)), "#5fe3c0")
    facial = _structure("facial_nerve", "critical", Surface.from_arrays(nerve.points, nerve.regular_faces), "#f2c14e")
    structures = (replace(bone, carve_mm=SIDE_MM), replace(facial, caution_mm=LIMITS[0], danger_mm=LIMITS[1]), replace(plan, removal_of=bone.name))
    extent = VolumeBox(((1.0, 0.0, 0.0, 40.0), (0.0, 1.0, 0.0, 40.0), (0.0, 0.0, 1.0, 40.0), (0.0, 0.0, 0.0, 1.0)), (80, 80, 80))
    return Scene("made_up_ear", structures, (), (), Patient(), extent, Path("ct.nii.gz"), Path(), "ab" * 32)


def _structure(name: str, role: Role, surface: Surface, color: str) -> Structure:
    return Structure(name, role, "ref", surface, None, None, 0.1, 15.0, color, 1.0, False)


def drilled_rig() -> Rig:
    burr = Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=BURR_MM)
    cutter = Cutter(part="burr", profile="sphere", radius_mm=BURR_MM, thin_wall_mm=THIN_MM)
    drill = Tool(name="drill", body="drill", axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.001, part=(burr,), cutter=cutter)
    bodies = (Body(name="ref", sd_mm=0.1, sd_rad=0.001), Body(name="drill", sd_mm=0.1, sd_rad=0.001))
    return Rig(reference="ref", tracker=Tracker(name="made-up", rate_hz=60.0, latency_ms=15.0), body=bodies, tool=(drill,), camera=(CAMERA,))


def registered() -> RegistrationResult:
    """The reference's axes are those of ct."""
    itself = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    covariance: Covariance6 = tuple(0.01 if n in (0, 6, 11, 15, 18, 20) else 0.0 for n in range(21))  # type: ignore[assignment]
    return RegistrationResult(
        request="r", accepted=True, reasons=(), pose=itself, fre_mm=0.1, landmarks=(), residual_mm=(), centroid_mm=(0.0, 0.0, 0.0),
        covariance=covariance,
    )  # fmt: skip


def pose(tip: np.ndarray) -> Pose:
    """The drill from above, its axis down."""
    return Pose(q_wxyz=(0.0, 1.0, 0.0, 0.0), t_mm=(float(tip[0]), float(tip[1]), float(tip[2])))


def rows(tip: np.ndarray) -> PoseRows:
    return tuple(pose(tip).rigid(target="ct", source="tip").matrix()[:3].ravel().tolist())  # type: ignore[return-value]


def nerve_mm(tip: np.ndarray) -> float:
    """From the burr's skin to the nerve."""
    return float(np.hypot(tip[0], tip[2] - NERVE_Z_MM)) - NERVE_RADIUS_MM - BURR_MM


def within(t_s: float, spans: tuple[tuple[float, float], ...]) -> int:
    """1 and more: in which of them; 0: in none."""
    return next((n for n, (start, end) in enumerate(spans, start=1) if start <= t_s < end), 0)


def write_drilling(path: Path, *, breach: bool = True, warned: bool = True, begun_from: str = "") -> Told:
    """Write the session; without a breach it ends before the fourth stretch, and nothing is warned of where it is not to be."""
    with LogWriter(path, live=False) as log:
        log.write_header(made_header())
        log.write_truth(TrueSetup(tools=(TrueTool(tool="drill", tip_mm=(0.0, 0.0, 0.0)),), T_ct_from_ref=pose(np.zeros(3))))
        writer = _Writer(log, warned=warned)
        if begun_from:
            writer.event(T0_NS, writer.bone.state(begun_from))
        writer.event(T0_NS + LATENCY_NS - 2 * MS, registered())
        for n in range(int((8.2 if breach else 7.2) * 60)):
            writer.frame(n)
    return writer.told


class _Writer:
    """The session as it is written."""

    def __init__(self, log: LogWriter, *, warned: bool) -> None:
        scene = drilled_scene()
        cutter = drilled_rig().tool[0].cutter
        assert cutter is not None
        self.log, self.warned, self.cutter, self.told = log, warned, cutter, Told()
        self.bone, self.true = (Carvable.of(scene.structures[0], scene.case_hash) for _ in range(2))
        self.seq = self.undone = 0
        self.was_on = False
        self.before: np.ndarray | None = None

    def event(self, t_ns: int, body: EventBody) -> None:
        self.seq += 1
        self.log.write_event(Event(seq=self.seq, t_ns=t_ns, body=body))

    def frame(self, n: int) -> None:
        t_s, capture = n / 60.0, T0_NS + n * PERIOD_NS
        arrival = capture + LATENCY_NS
        tip = np.array([np.interp(t_s, [t for t, _ in WAY], [p[axis] for _, p in WAY]) for axis in range(3)])
        here, stretch = tip + OFF_MM, within(t_s, TURNING_S)
        self._orders(n, t_s, arrival, on=stretch > 0)
        seen = (Sighting(body="ref", status="OK", pose=REFERENCE),)
        self.event(arrival, TrackerFrame(source="made-up", number=n, t_capture_ns=capture, t_arrival_ns=arrival, sightings=seen))
        stroke = self._stroke(tip, stretch)
        if stretch == 4 and nerve_mm(here) < 0.0:
            self.told.breach_mm3 += 0.5
        told_mm, cutting = nerve_mm(here) - BAR_MM, stroke is not None
        alerts = _alerts(arrival, nerve_mm(here), told_mm, thin=self.warned and cutting and 0.0 < told_mm <= THIN_MM)
        state = self._state(n, here, _drill(t_s, stretch, cutting=cutting, told_mm=told_mm, told=self.told))
        outputs: list[tuple[Topic, bytes]] = [("carved", encode(stroke))] if stroke else []
        outputs += [("state", encode(state)), ("alerts", encode(alerts))]
        self.log.write_outputs(self.seq, arrival, outputs)
        self.log.write_truth(self._truth(n, capture, tip, on=stretch > 0))
        self.told.removed_mm3.append(self.bone.removed_mm3)

    def _orders(self, n: int, t_s: float, arrival: int, *, on: bool) -> None:
        if on != self.was_on or n % 12 == 0:
            self.was_on = on
            self.event(arrival - MS, Command(who="pedal", id=f"p{n}", order=Spindle(on=on)))
        if self.undone == 0 and t_s >= UNDONE_S:
            self.undone = 1
            self.bone.undo_stretch()
            self.event(arrival - MS // 2, Command(who="surgeon", id="u1", order=Drilling(action="undo")))
            undone = BoneUndone(structure="temporal_bone", stretch=3, hash=self.bone.hash)
            self.log.write_outputs(self.seq, arrival - MS // 2, [("carved", encode(undone))])

    def _stroke(self, tip: np.ndarray, stretch: int) -> Carved | None:
        """Cut, in the twin where it takes the tip to be, and in truth."""
        if not stretch:
            self.before = None
            return None
        if self.before is None:
            self.bone.begin_stretch()
            self.before = tip
        came, now, revision = rows(self.before + OFF_MM), rows(tip + OFF_MM), self.bone.revision
        removed = self.bone.sweep(self.cutter, came, now)
        self.true.sweep(self.cutter, rows(self.before), rows(tip))
        self.before = tip
        if self.bone.revision == revision:
            return None
        self.told.strokes += 1
        return Carved(
            structure="temporal_bone", instrument="drill", stretch=stretch, earlier=came, now=now, removed_mm3=removed, hash=self.bone.hash
        )  # fmt: skip

    def _state(self, n: int, here: np.ndarray, drill: DrillState) -> State:
        left = BoneSummary(
            structure="temporal_bone", side_mm=SIDE_MM, removed_mm3=self.bone.removed_mm3, hash=self.bone.hash, changed=len(self.bone.changed),
            undone=self.undone, doubtful=self.bone.doubtful, trespasses=(Trespass(structure="facial_nerve", volume_mm3=self.told.breach_mm3),),
        )  # fmt: skip
        reading = Reading(
            structure="facial_nerve", instrument="drill", part="burr", role="critical", status="OK", distance_mm=nerve_mm(here),
            bound_mm=nerve_mm(here) - BAR_MM, sd_mm=BAR_MM / 2.0, speed_mm_s=0.0, on_structure_mm=(0.0, float(here[1]), NERVE_Z_MM + 1.0),
            on_axis_mm=pose(here).t_mm,
        )  # fmt: skip
        at = InstrumentState(instrument="drill", status="OK", pose=pose(here))
        return State(phase="navigation", frame=n, instruments=(at,), readings=(reading,), drills=(drill,), bones=(left,))

    def _truth(self, n: int, capture: int, tip: np.ndarray, *, on: bool) -> Truth:
        true_mm = nerve_mm(tip)
        wall = (TrueWall(structure="facial_nerve", thickness_mm=max(true_mm, 0.0)),) if true_mm < 6.0 else ()
        drill = TrueDrill(instrument="drill", turning=on, removed_mm3=self.true.removed_mm3, walls=wall)
        at = InstrumentState(instrument="drill", status="OK", pose=pose(tip))
        distance = TrueDistance(structure="facial_nerve", instrument="drill", part="burr", distance_mm=true_mm)
        return Truth(frame=n, t_capture_ns=capture, instruments=(at,), distances=(distance,), drills=(drill,))


def _drill(t_s: float, stretch: int, *, cutting: bool, told_mm: float, told: Told) -> DrillState:
    status: DrillStatus = "CUTTING" if cutting else "READY" if stretch else "OFF"
    why = ""
    if within(t_s, (FROZEN_S,)):
        status, why = "FROZEN", FROZEN_WHY
    elif within(t_s, (UNKNOWN_S,)):
        status, why = "UNKNOWN", "the drill has not said for 0.5 s whether it turns"
    wall = Wall(structure="facial_nerve", status="FAR")
    if status in ("FROZEN", "UNKNOWN"):
        wall = Wall(structure="facial_nerve", status="UNKNOWN")
    elif told_mm <= -BAR_MM:
        wall = Wall(structure="facial_nerve", status="NO_BONE")
    elif told_mm < 6.0:
        left = max(told_mm, 0.0)
        wall = Wall(structure="facial_nerve", status="OK", thickness_mm=left)
        told.least_wall_mm = min(told.least_wall_mm, left)
    return DrillState(instrument="drill", status=status, by="spindle", why=why, stretch=stretch, walls=(wall,))


def _alerts(t_ns: int, distance_mm: float, bound_mm: float, *, thin: bool) -> AlertSet:
    rank = 3 if distance_mm <= 0.0 else 2 if bound_mm <= LIMITS[1] else 1 if bound_mm <= LIMITS[0] else 0
    alerts = []
    if rank:
        limit_mm = (LIMITS[0], LIMITS[0], LIMITS[1], 0.0)[rank]
        alerts.append(_alert("burr", LEVELS[rank], "high" if rank > 1 else "medium", t_ns, limit_mm, distance_mm, bound_mm))
    if thin:
        alerts.append(_alert("wall", "CAUTION", "medium", t_ns, THIN_MM, bound_mm, bound_mm))
    pair = PairSummary(id="facial_nerve/drill/burr", level=LEVELS[rank], known=True, status="OK", since_ns=t_ns)
    health = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=15.0, watched=1)
    return AlertSet(phase="navigation", t_ns=t_ns, alerts=tuple(alerts), technical=(), pairs=(pair,), health=health)


def _alert(part: str, level: Level, priority: Priority, t_ns: int, limit_mm: float, distance_mm: float, bound_mm: float) -> Alert:
    return Alert(
        id=f"facial_nerve/drill/{part}", structure="facial_nerve", instrument="drill", part=part, level=level, known=True, status="OK",
        priority=priority, since_ns=t_ns, limit_mm=limit_mm, distance_mm=distance_mm, bound_mm=bound_mm,
    )  # fmt: skip
