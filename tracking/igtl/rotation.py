"""From what a sender calls a pose to a pose: only what is a rotation up to rounding is one."""

from __future__ import annotations

import math
from typing import Final

from navtwin.igtl.poses import Matrix, QuaternionPose
from navtwin.nouns import Pose
from navtwin.rigid import PRINTED_TOLERANCE, REACH_MM, Mat3, Rigid, Vec3

#: float32 puts R'R off 1 by 3e-7: up to here one step of the iteration gives all digits.
_FLOAT32: Final = 1e-6


class NotAPose(ValueError):
    """Why numbers are no rigid pose, in words for the reason of a sighting."""


def pose_of_matrix(matrix: Matrix) -> Pose:
    """The rigid pose nearest to a 3x4 matrix whose rotation is off by rounding only.

    Raises
    ------
    NotAPose : scaled, sheared, mirrored, not finite, or out of any tracker's reach
    """
    _check_place(matrix.t_mm)
    rows = matrix.rows
    if not all(math.isfinite(value) for row in rows for value in row):
        raise NotAPose("its rotation holds NaN or infinite values")
    if _determinant(rows) < 0.0:
        raise NotAPose("its rotation is left-handed (a mirror)")
    gram = _gram(rows)
    off = max(abs(value - wanted) for value, wanted in zip(gram, (1.0, 0.0, 0.0, 1.0, 0.0, 1.0), strict=True))
    if off > PRINTED_TOLERANCE:
        raise NotAPose(f"its rotation is scaled or sheared (off by {off:.2g}, at most {PRINTED_TOLERANCE:g} is taken for rounding)")
    # Newton's iteration to the nearest rotation (Higham, SIAM J. Sci. Stat. Comput. 7, 1986): each step squares the error.
    rows = _step(rows, gram)
    if off > _FLOAT32:
        rows = _step(rows, _gram(rows))
    w, x, y, z = Rigid(rows, matrix.t_mm, "tracker", "marker").q_wxyz
    length = math.sqrt(w * w + x * x + y * y + z * z)
    return Pose(q_wxyz=(w / length, x / length, y / length, z / length), t_mm=matrix.t_mm)


def _determinant(rows: Mat3) -> float:
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _gram(rows: Mat3) -> tuple[float, float, float, float, float, float]:
    """Upper triangle of R'R. Written out, as is `_step`: for one 3x3 matrix that is four times as fast as NumPy."""
    (a, b, c), (d, e, f), (g, h, i) = rows
    return (a * a + d * d + g * g, a * b + d * e + g * h, a * c + d * f + g * i, b * b + e * e + h * h, b * c + e * f + h * i, c * c + f * f + i * i)


def _step(rows: Mat3, gram: tuple[float, float, float, float, float, float]) -> Mat3:
    """R (3 - R'R) / 2."""
    xx, xy, xz, yy, yz, zz = gram
    p, q, r = 1.5 - 0.5 * xx, 1.5 - 0.5 * yy, 1.5 - 0.5 * zz
    s, t, u = -0.5 * xy, -0.5 * xz, -0.5 * yz
    (a, b, c), (d, e, f), (g, h, i) = rows
    return (
        (a * p + b * s + c * t, a * s + b * q + c * u, a * t + b * u + c * r),
        (d * p + e * s + f * t, d * s + e * q + f * u, d * t + e * u + f * r),
        (g * p + h * s + i * t, g * s + h * q + i * u, g * t + h * u + i * r),
    )


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
    if not abs(length - 1.0) <= PRINTED_TOLERANCE:
        raise NotAPose(f"its quaternion has length {length:.4g}, not 1")
    return Pose(q_wxyz=(w / length, x / length, y / length, z / length), t_mm=pose.t_mm)


def _check_place(t_mm: Vec3) -> None:
    if not all(abs(value) <= REACH_MM for value in t_mm):
        raise NotAPose("its position is not finite or out of any tracker's reach")
