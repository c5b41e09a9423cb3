"""From what a sender calls a pose to a pose: only what is a rotation up to rounding is one."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from navtwin.igtl.poses import Matrix, QuaternionPose
from navtwin.nouns import Pose
from navtwin.rigid import Mat3, Rigid, Vec3

#: float32 puts R'R off 1 by 3e-7, senders that round to four digits by some 4e-4. Up to here the nearest rotation is taken, beyond it none.
TOLERANCE: Final = 1e-3
#: No tracker sees a kilometre.
REACH_MM: Final = 1e6


class NotAPose(ValueError):
    """Why numbers are no rigid pose, in words for the reason of a sighting."""


def pose_of_matrix(matrix: Matrix) -> Pose:
    """The rigid pose nearest to a 3x4 matrix whose rotation is off by rounding only.

    Raises
    ------
    NotAPose : scaled, sheared, mirrored, not finite, or out of any tracker's reach
    """
    _check_place(matrix.t_mm)
    rotation = np.array(matrix.rows)
    if not np.isfinite(rotation).all():
        raise NotAPose("its rotation holds NaN or infinite values")
    off = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
    if np.linalg.det(rotation) < 0.0:
        raise NotAPose("its rotation is left-handed (a mirror)")
    if off > TOLERANCE:
        raise NotAPose(f"its rotation is scaled or sheared (off by {off:.2g}, at most {TOLERANCE:g} is taken for rounding)")
    # Newton's iteration to the nearest rotation; each step squares the error (Higham, SIAM J. Sci. Stat. Comput. 7, 1986).
    for _ in range(3):
        rotation = rotation @ (1.5 * np.eye(3) - 0.5 * (rotation.T @ rotation))
    rows: Mat3 = tuple(map(tuple, rotation.tolist()))  # type: ignore[assignment]
    return Pose(q_wxyz=Rigid(rows, matrix.t_mm, "tracker", "marker").q_wxyz, t_mm=matrix.t_mm)


def pose_of_quaternion(pose: QuaternionPose) -> Pose:
    """A position and a quaternion whose length is 1 up to rounding.

    Raises
    ------
    NotAPose : no orientation, another length, not finite, or out of any tracker's reach
    """
    _check_place(pose.t_mm)
    if pose.q_wxyz is None:
        raise NotAPose("it has a position but no orientation")
    w, x, y, z = pose.q_wxyz
    length = math.sqrt(w * w + x * x + y * y + z * z)
    if not abs(length - 1.0) <= TOLERANCE:
        raise NotAPose(f"its quaternion has length {length:.4g}, not 1")
    return Pose(q_wxyz=(w / length, x / length, y / length, z / length), t_mm=pose.t_mm)


def _check_place(t_mm: Vec3) -> None:
    if not all(abs(value) <= REACH_MM for value in t_mm):
        raise NotAPose("its position is not finite or out of any tracker's reach")
