"""Drilling against the truth: the wall that was drilled, the volume, the bone told before critical structures, and warnings of thin walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.nouns import WALL, WALL_AIR_MM, Rig
from navtwin.report.drill_notes import Drilling
from navtwin.report.drill_truths import DrillTruth
from navtwin.report.session import Session
from navtwin.rigid import Vec3
from navtwin.scene.bone_views import DrilledBone
from navtwin.scene.carvable import Carvable
from navtwin.scene.removal import wall_points
from navtwin.scene.surface import Surface
from navtwin.scene.thickness import bone_left

F64 = npt.NDArray[np.float64]

#: A drilled wall is looked at up to this far from a critical structure, mm.
REACH_MM = 5.0
#: A drill that takes less than this, mm^3, between two frames, is not cutting.
CUT_MM3 = 1e-4
#: True spells of cutting before a thin wall that lie nearer together than this are one; and one shorter than the other demands no warning, s.
JOINED_S, SHORT_S = 0.5, 0.1


@dataclass(frozen=True)
class WallError:
    """The bone told before one structure less that which was truly left, over all frames in which both were known, mm.

    Attributes
    ----------
    frames : how many those are
    mean_mm, p99_mm, most_mm : above 0 where the twin told too much; it tells too little by as much as its error bar
    true_least_mm : the thinnest that it truly was
    """

    structure: str
    frames: int
    mean_mm: float
    p99_mm: float
    most_mm: float
    true_least_mm: float


@dataclass(frozen=True)
class DrillingTruth:
    """The twin's drilling against the truth.

    Attributes
    ----------
    mean_mm, p99_mm, worst_mm : distance between the drilled walls of the twin and of the bone that the true ways leave, from the points of either to
        the other; None where there is none to compare
    removed_mm3, true_mm3 : by the twin, and in truth
    ways_mm3 : what the true ways remove from the twin's bone: its difference to the truth is the bone's own, the rest is the tracking's
    thin_demanded, thin_raised : how often a drill truly cut before a thin wall, and how often that was warned of in time
    """

    mean_mm: float | None
    p99_mm: float | None
    worst_mm: float | None
    removed_mm3: float
    true_mm3: float
    ways_mm3: float | None
    walls: tuple[WallError, ...]
    thin_demanded: int
    thin_raised: int

    @property
    def volume_error(self) -> float | None:
        """Share of the true volume; None where nothing was truly removed."""
        return (self.removed_mm3 - self.true_mm3) / self.true_mm3 if self.true_mm3 > 0.0 else None


def drilling_truth(session: Session, rig: Rig, allowed_ns: int, bone: DrilledBone | None, true: Carvable | None) -> DrillingTruth | None:
    """Compare; None where the source states no truth about drills.

    Parameters
    ----------
    allowed_ns : after a wall became thin, the time in which a warning must follow
    bone, true : the twin's bone at the end and the true one, where both could be made
    """
    drilling = session.drilling
    if drilling is None or not session.true_drills:
        return None
    mean, p99, worst = wall_errors(bone, true) if bone is not None and true is not None else (None, None, None)
    demanded, raised = thin_walls(session, rig, allowed_ns)
    return DrillingTruth(
        mean_mm=mean,
        p99_mm=p99,
        worst_mm=worst,
        removed_mm3=drilling.bone.removed_mm3 if drilling.bone else 0.0,
        true_mm3=max(float(truth.removed_mm3.max()) for truth in session.true_drills.values()),
        ways_mm3=None if true is None else true.removed_mm3,
        walls=told_walls(drilling, session.true_drills),
        thin_demanded=demanded,
        thin_raised=raised,
    )


def wall_errors(bone: DrilledBone, true: Carvable) -> tuple[float | None, float | None, float | None]:
    """Mean, 99th percentile and largest distance between two drilled walls, mm; None where one of them is not there."""
    true_surface = true.surface()
    ours, theirs = wall_points(bone.whole, bone.surface), wall_points(bone.whole, true_surface)
    if not len(ours) or not len(theirs):
        return None, None, None
    apart = np.abs(np.concatenate((true_surface.closest(ours).distance_mm, bone.surface.closest(theirs).distance_mm)))
    return float(apart.mean()), float(np.quantile(apart, 0.99)), float(apart.max())


def told_walls(drilling: Drilling, truths: dict[str, DrillTruth]) -> tuple[WallError, ...]:
    """What was told of walls against what was true, by structure."""
    apart: dict[str, list[F64]] = {}
    least: dict[str, float] = {}
    for (structure, instrument), told in drilling.told.items():
        truth = truths.get(instrument)
        if truth is None or structure not in truth.walls:
            continue
        true_mm = dict(zip(truth.frame.tolist(), truth.walls[structure].tolist(), strict=True))
        both = np.array([(mm, true_mm[frame]) for frame, mm in told if frame in true_mm]).reshape(-1, 2)
        both = both[np.isfinite(both).all(axis=1)]
        if len(both):
            apart.setdefault(structure, []).append(both[:, 0] - both[:, 1])
            least[structure] = min(least.get(structure, np.inf), float(both[:, 1].min()))
    return tuple(
        WallError(name, len(off), float(off.mean()), float(np.quantile(off, 0.99)), float(off.max()), least[name])
        for name, off in sorted((name, np.concatenate(parts)) for name, parts in apart.items())
    )


def thin_walls(session: Session, rig: Rig, allowed_ns: int) -> tuple[int, int]:
    """How often a drill truly cut before a thin wall, and how often a warning of it stood within the time allowed, or before.

    Of a wall thinner than one side of the twin's grid none is demanded: for the twin it may be none, and then the distance's alert counts.
    """
    least_mm = session.drilling.bone.side_mm if session.drilling is not None and session.drilling.bone is not None else 0.0
    cutters = {tool.name: tool.cutter for tool in rig.tool if tool.cutter is not None}
    demanded = raised = 0
    for instrument, truth in session.true_drills.items():
        cuts = truth.turning & (np.diff(truth.removed_mm3, prepend=truth.removed_mm3[:1]) > CUT_MM3)
        during = cuts & (truth.t_ns >= session.start_ns) & (truth.t_ns <= session.end_ns - allowed_ns)
        for structure, wall_mm in truth.walls.items():
            cutter = cutters.get(instrument)
            if cutter is None:
                continue
            thin = during & (wall_mm > least_mm) & (wall_mm < cutter.thin_wall_mm)
            distance = session.truth.get(f"{structure}/{instrument}/{cutter.part}")
            if distance is not None:
                thin &= ~(np.interp(truth.t_ns, distance.t_ns, distance.distance_mm) - wall_mm > WALL_AIR_MM)
            for start_ns, end_ns in spells(truth.t_ns[thin]):
                demanded += 1
                raised += any(
                    row.id == f"{structure}/{instrument}/{WALL}" and row.start_ns <= start_ns + allowed_ns and (row.end_ns or end_ns) >= start_ns
                    for row in session.alerts
                )
    return demanded, raised


def spells(t_ns: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """(first, last) of times that belong together; those that are too short for anything to be demanded are left out."""
    if not len(t_ns):
        return []
    parts = np.split(t_ns, np.flatnonzero(np.diff(t_ns) > JOINED_S * 1e9) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts if part[-1] - part[0] >= SHORT_S * 1e9]


def least_wall(wall: F64, bone: Carvable, structure: Surface) -> tuple[float | None, Vec3 | None, bool]:
    """The least bone behind (N, 3) points of a drilled wall before one structure, mm; which of them; whether bone on such a way may be gone.

    None where none of them is within REACH_MM of it with bone between.
    """
    if not len(wall):
        return None, None, False
    found = bone_left(wall, bone, (structure,), REACH_MM)
    least = int(np.argmin(found.bone_mm))
    doubtful = bool(found.doubtful.any())
    if not np.isfinite(found.bone_mm[least]):
        return None, None, doubtful
    x, y, z = (float(v) for v in wall[least])
    return float(found.bone_mm[least]), (x, y, z), doubtful
