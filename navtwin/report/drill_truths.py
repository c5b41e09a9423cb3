"""What the source says that drills really did, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Pose, TrueDrill, Truth
from navtwin.report.judge import Floats, Times


@dataclass(frozen=True)
class DrillTruth:
    """One drill in truth, a sample a frame.

    Attributes
    ----------
    frame, t_ns (N,) : the tracker's frame, and when it was taken
    ways (N, 12) : rows r00 r01 r02 t0 .. t2 of T_ct_from_tip; NaN where the truth has no pose
    turning (N,) : whether it turned
    removed_mm3 (N,) : bone that was gone by then
    walls : by structure, (N,) mm of bone left, NaN where it is not within reach
    """

    frame: npt.NDArray[np.int64]
    t_ns: Times
    ways: Floats
    turning: npt.NDArray[np.bool_]
    removed_mm3: Floats
    walls: dict[str, Floats]


@dataclass
class _Rows:
    at: list[int] = field(default_factory=list)
    ways: list[Floats] = field(default_factory=list)
    drills: list[TrueDrill] = field(default_factory=list)


def true_drills(truths: Sequence[Truth], t_ns: Times) -> dict[str, DrillTruth]:
    """By instrument, of truths with their times on the session's clock."""
    rows: dict[str, _Rows] = {}
    for at, truth in enumerate(truths):
        poses = {tool.instrument: tool.pose for tool in truth.instruments}
        for drill in truth.drills:
            mine = rows.setdefault(drill.instrument, _Rows())
            mine.at.append(at)
            mine.ways.append(_row(poses.get(drill.instrument)))
            mine.drills.append(drill)
    return {name: _series(mine, truths, t_ns) for name, mine in rows.items()}


def _series(mine: _Rows, truths: Sequence[Truth], t_ns: Times) -> DrillTruth:
    walls: dict[str, Floats] = {}
    for n, drill in enumerate(mine.drills):
        for wall in drill.walls:
            walls.setdefault(wall.structure, np.full(len(mine.drills), np.nan))[n] = wall.thickness_mm
    return DrillTruth(
        frame=np.array([truths[at].frame for at in mine.at], dtype=np.int64),
        t_ns=t_ns[np.array(mine.at, dtype=np.int64)],
        ways=np.array(mine.ways),
        turning=np.array([drill.turning for drill in mine.drills]),
        removed_mm3=np.array([drill.removed_mm3 for drill in mine.drills]),
        walls=walls,
    )


def _row(pose: Pose | None) -> Floats:
    return np.full(12, np.nan) if pose is None else pose.rigid(target="ct", source="tip").matrix()[:3].ravel()
