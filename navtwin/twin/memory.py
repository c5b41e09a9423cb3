"""All that the fold remembers between events. Owned by the fold, mutated in place by it, touched by nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.kernels.known import LastKnown, nothing_known
from navtwin.nouns import (
    Check,
    Covariance6,
    DistanceStatus,
    Header,
    PairSummary,
    Phase,
    PivotResult,
    Pose,
    RegistrationResult,
    Rig,
    Rival,
    TrackerFrame,
)
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.model import Scene
from navtwin.twin.alarms import ActiveAlarm
from navtwin.twin.calibration_age import Dated, dated_calibrations
from navtwin.twin.drift import SHARE_OF_MAX_AGE, Drift
from navtwin.twin.drilled import Drilled, carvable_of, new_drilled
from navtwin.twin.dwell import Dwell
from navtwin.twin.pair import Pair
from navtwin.twin.plausible import Plausible
from navtwin.twin.proximity import Proximity
from navtwin.twin.repeats import Repeats

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tip:
    """A calibrated tip: T_marker_from_tip and the covariance of its position, marker axes, mm^2."""

    T_marker_from_tip: Rigid
    covariance: tuple[float, ...]


@dataclass(slots=True)
class Collection:
    """Samples being collected: poses for a pivot, points in ref for a landmark or a sweep; where a dwell is asked for, those of the dwell so far."""

    what: str
    tool: str
    landmark: str
    dwell: Dwell | None = None
    poses: list[Pose] = field(default_factory=list)
    covariances: list[Covariance6 | None] = field(default_factory=list)
    points_ref_mm: list[Vec3] = field(default_factory=list)
    refused: int = 0


@dataclass(frozen=True, slots=True)
class TouchedLandmark:
    """A landmark's mean and RMS spread, the samples that they come from, in ref, and the tool that touched it."""

    position_ref_mm: Vec3
    spread_mm: float
    points_ref_mm: tuple[Vec3, ...]
    tool: str


@dataclass(slots=True)
class Memory:
    """The fold's memory."""

    header: Header
    rig: Rig
    proximity: Proximity
    # every watched pair, and what the last alert set said of it; the unsettled ones, in order; part and structure of each; the numbers of all
    pairs: list[Pair]
    summaries: list[PairSummary]
    unsettled: list[Pair]
    places: tuple[Places, Places]
    last_known: LastKnown
    # (structures, 2), mm: caution and danger
    limits: npt.NDArray[np.float64]
    # what of the tracker's stream is believed
    plausible: Plausible
    repeats: Repeats
    drift: Drift
    phase: Phase = "setup"
    now_ns: int = 0
    # tracker
    frame: TrackerFrame | None = None
    last_capture_ns: int | None = None
    time_fault_ns: int | None = None
    time_fault_why: str = ""
    slow_frames: int = 0
    body_ok_ns: dict[str, int] = field(default_factory=dict)
    tool_status: dict[str, DistanceStatus] = field(default_factory=dict)
    tool_known_ns: dict[str, int] = field(default_factory=dict)
    # calibration and registration
    calibrations: tuple[Dated, ...] = ()
    tips: dict[str, Tip] = field(default_factory=dict)
    collection: Collection | None = None
    touched: dict[str, TouchedLandmark] = field(default_factory=dict)
    sweep: list[Vec3] = field(default_factory=list)
    swept_with: str = ""
    pending_pivots: dict[str, PivotResult] = field(default_factory=dict)
    pending_registration: RegistrationResult | None = None
    pivots: dict[str, PivotResult] = field(default_factory=dict)
    registration: RegistrationResult | None = None
    registered_ns: int = 0
    verified_ns: int | None = None
    rivals: list[Rival] = field(default_factory=list)
    doubted_tools: dict[str, str] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    failed_checks: list[Check] = field(default_factory=list)
    setup_message: str = ""
    setup_changed: bool = True
    setup_said_ns: int = 0
    computing: list[str] = field(default_factory=list)
    undo: list[tuple[str, str]] = field(default_factory=list)
    old_limits: list[tuple[int, tuple[float, float]]] = field(default_factory=list)
    # what operators have switched
    selected: tuple[str, ...] = ()
    muted: dict[str, int] = field(default_factory=dict)
    mute_clear_since: dict[str, int | None] = field(default_factory=dict)
    audio_paused_until_ns: int | None = None
    audio_faults: dict[str, tuple[int, str]] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    spindle_on: bool = False
    # bone that is drilled; None where the case has none, or the rig no cutter
    drilled: Drilled | None = None
    # technical alarms and publication
    notices: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, ActiveAlarm] = field(default_factory=dict)
    # what counts as a change of the alert set that was said last
    published: tuple[object, ...] = ()
    published_ns: int | None = None


def new_memory(scene: Scene, rig: Rig, header: Header) -> Memory:
    """The memory of a session that has seen nothing yet. Same scene, rig and header, same memory.

    Raises
    ------
    InputRefused : a structure hangs on a body other than the reference, a critical one has no limits, or what can be drilled needs too much memory
    """
    for structure in scene.structures:
        if structure.body != rig.reference:
            raise InputRefused(
                f"structure '{structure.name}' hangs on body '{structure.body}', but only the reference '{rig.reference}' is followed",
                f'set body = "{rig.reference}" in case.toml',
            )
    carvable = carvable_of(scene, rig)
    proximity = Proximity(scene, rig, carvable)
    last_known = nothing_known(len(proximity.part_names), len(scene.structures))
    limits = np.array([(s.caution_mm or 0.0, s.danger_mm or 0.0) for s in scene.structures]).reshape(-1, 2)
    parts = list(zip(proximity.tool_name_of_part, proximity.part_names, strict=True))
    watched = [(s, p) for s, structure in enumerate(scene.structures) if structure.role == "critical" for p in range(len(parts))]
    pairs = [Pair(n, "/".join((scene.structures[s].name, *parts[p])), s, p, last_known) for n, (s, p) in enumerate(watched)]
    memory = Memory(
        header=header,
        rig=rig,
        proximity=proximity,
        pairs=pairs,
        summaries=[pair.summary for pair in pairs],
        unsettled=list(pairs),
        places=(np.array([q.part for q in pairs], dtype=np.int64), np.array([q.structure for q in pairs], dtype=np.int64)),
        last_known=last_known,
        limits=limits,
        plausible=Plausible(rig),
        repeats=Repeats(int(rig.tracker.repeats_ms * 1e6)),
        drift=Drift(int(SHARE_OF_MAX_AGE * rig.tracker.max_age_ms * 1e6)),
        selected=tuple(t.name for t in rig.tool),
    )
    memory.calibrations = dated_calibrations(rig)
    for tool in rig.tool:
        if tool.tip_mm is not None and tool.tip_covariance is not None:
            memory.tips[tool.name] = tip_of(rig, tool.name, tool.tip_mm, tool.tip_covariance)
    if carvable is not None:
        memory.drilled = new_drilled(scene, rig, carvable)
    return memory


def tip_of(rig: Rig, tool_name: str, tip_mm: Vec3, covariance: tuple[float, ...]) -> Tip:
    """T_marker_from_tip with the tip's +Z along the tool's axis; the turn about the axis is free, capsules being round."""
    tool = next(t for t in rig.tool if t.name == tool_name)
    z = tool.axis_in_marker
    # The coordinate axis least along z makes the cross products well conditioned.
    k = min(range(3), key=lambda i: abs(z[i]))
    helper = (float(k == 0), float(k == 1), float(k == 2))
    x = unit(cross(helper, z))
    y = cross(z, x)
    rotation = ((x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2]))
    return Tip(Rigid(rotation, tip_mm, f"marker/{tool.body}", f"tip/{tool_name}"), tuple(covariance))


def cross(a: Vec3, b: Vec3) -> Vec3:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def unit(a: Vec3) -> Vec3:
    length = math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])
    return (a[0] / length, a[1] / length, a[2] / length)
