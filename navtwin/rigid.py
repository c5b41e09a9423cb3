"""Rigid transforms that check their frames.

`T_ct_from_tip = T_ct_from_ref @ T_ref_from_tip`: the inner names must cancel, or the product is refused.
Products are written out in plain float arithmetic: the fold must not call BLAS, whose bits differ between machines (DESIGN section 4).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from navtwin.errors import FrameMismatch, InputRefused

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]
Mat3 = tuple[Vec3, Vec3, Vec3]

#: How far R'R may be from the identity before a matrix is refused as not rigid.
ORTHONORMAL_TOLERANCE = 1e-6
#: How far it may be for a matrix that was printed or sent with few digits (decision 7): up to here the nearest rotation is taken, beyond it none.
PRINTED_TOLERANCE = 1e-3
#: No tracker sees a kilometre.
REACH_MM = 1e6


def _dot(a: Vec3, b: Vec3) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


class Rigid(msgspec.Struct, frozen=True, gc=False):
    """A rotation and a translation (mm) that take coordinates in `source` to coordinates in `target`.

    Attributes
    ----------
    rotation : rows of the 3x3 rotation matrix
    t_mm : translation, mm, in `target`
    target, source : frame names (`ct`, `ref`, `tracker`, `marker/<body>`, `tip/<tool>` ...)
    """

    rotation: Mat3
    t_mm: Vec3
    target: str
    source: str

    @classmethod
    def identity(cls, target: str, source: str) -> Rigid:
        return cls(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (0.0, 0.0, 0.0), target, source)

    @classmethod
    def from_matrix(cls, matrix: npt.ArrayLike, *, target: str, source: str) -> Rigid:
        """Read a (4, 4) homogeneous matrix; refuse one that is not finite, not orthonormal or left-handed."""
        name = f"T_{target}_from_{source}"
        m = np.asarray(matrix, dtype=np.float64)
        if m.shape != (4, 4):
            raise InputRefused(f"{name} has shape {m.shape}, not (4, 4)", "pass one homogeneous matrix")
        if not np.isfinite(m).all():
            raise InputRefused(f"{name} holds NaN or infinite values", "treat the pose as missing")
        if np.abs(m[3] - (0.0, 0.0, 0.0, 1.0)).max() > ORTHONORMAL_TOLERANCE:
            raise InputRefused(f"{name} has last row {m[3].tolist()}", "the last row of a rigid matrix is 0 0 0 1")
        r = m[:3, :3]
        error = float(np.abs(r.T @ r - np.eye(3)).max())
        if error > ORTHONORMAL_TOLERANCE:
            raise InputRefused(f"{name} is not orthonormal (by {error:.2g})", "remove scale and shear before passing it")
        if np.linalg.det(r) < 0.0:
            raise InputRefused(f"{name} is left-handed (a mirror)", "check the axes (RAS or LPS) of where it comes from")
        rows: Mat3 = tuple((float(a), float(b), float(c)) for a, b, c in r)  # type: ignore[assignment]
        return cls(rows, (float(m[0, 3]), float(m[1, 3]), float(m[2, 3])), target, source)

    @classmethod
    def from_quaternion(cls, q_wxyz: Quat, t_mm: Vec3, *, target: str, source: str) -> Rigid:
        """From a unit quaternion, scalar first, normalised here to the last bit."""
        w, x, y, z = q_wxyz
        # Written out: sum() of floats is compensated from Python 3.12 on, and would give other bits.
        norm = math.sqrt(w * w + x * x + y * y + z * z)
        # Each finite, or the sum is not; what overflows lies nowhere either.
        if not (abs(norm - 1.0) < 1e-3 and math.isfinite(t_mm[0] + t_mm[1] + t_mm[2])):
            raise InputRefused(f"T_{target}_from_{source} has no unit quaternion ({q_wxyz}) or no finite position", "treat the pose as missing")
        w, x, y, z = w / norm, x / norm, y / norm, z / norm
        rows: Mat3 = (
            (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)),
            (2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)),
            (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)),
        )
        return cls(rows, t_mm, target, source)

    def matrix(self) -> npt.NDArray[np.float64]:
        """The (4, 4) homogeneous matrix."""
        m = np.eye(4)
        m[:3, :3] = self.rotation
        m[:3, 3] = self.t_mm
        return m

    @property
    def q_wxyz(self) -> Quat:
        """Unit quaternion, scalar first and not negative (Shepperd's method: the largest component is found first)."""
        (a, b, c), (d, e, f), (g, h, i) = self.rotation
        square = (1.0 + a + e + i, 1.0 + a - e - i, 1.0 - a + e - i, 1.0 - a - e + i)
        k = max(range(4), key=lambda n: square[n])
        s = math.sqrt(square[k])
        q = (
            (s, (h - f) / s, (c - g) / s, (d - b) / s),
            ((h - f) / s, s, (b + d) / s, (c + g) / s),
            ((c - g) / s, (b + d) / s, s, (f + h) / s),
            ((d - b) / s, (c + g) / s, (f + h) / s, s),
        )[k]
        sign = 0.5 if q[0] >= 0.0 else -0.5
        return (q[0] * sign, q[1] * sign, q[2] * sign, q[3] * sign)

    def between(self, target: str, source: str) -> Rigid:
        """The same transform between frames that the caller knows by these names."""
        return Rigid(self.rotation, self.t_mm, target, source)

    def inverse(self) -> Rigid:
        r, t = self.rotation, self.t_mm
        columns: Mat3 = ((r[0][0], r[1][0], r[2][0]), (r[0][1], r[1][1], r[2][1]), (r[0][2], r[1][2], r[2][2]))
        return Rigid(columns, (-_dot(columns[0], t), -_dot(columns[1], t), -_dot(columns[2], t)), self.source, self.target)

    def __matmul__(self, other: Rigid) -> Rigid:
        if self.source != other.target:
            raise FrameMismatch(
                f"T_{self.target}_from_{self.source} @ T_{other.target}_from_{other.source} does not cancel",
                f"expected a transform into '{self.source}'",
            )
        # Written out: the fold makes a dozen products a frame.
        (a, b, c), (d, e, f), (g, h, i) = self.rotation
        (j, k, m), (n, o, p), (q, r, s) = other.rotation
        rows: Mat3 = (
            (a * j + b * n + c * q, a * k + b * o + c * r, a * m + b * p + c * s),
            (d * j + e * n + f * q, d * k + e * o + f * r, d * m + e * p + f * s),
            (g * j + h * n + i * q, g * k + h * o + i * r, g * m + h * p + i * s),
        )
        return Rigid(rows, self.point(other.t_mm), self.target, other.source)

    def point(self, p_mm: Vec3) -> Vec3:
        """One point of `source` (mm), in `target`."""
        r, t = self.rotation, self.t_mm
        return (_dot(r[0], p_mm) + t[0], _dot(r[1], p_mm) + t[1], _dot(r[2], p_mm) + t[2])

    def direction(self, d: Vec3) -> Vec3:
        """One direction of `source`, turned into `target`."""
        r = self.rotation
        return (_dot(r[0], d), _dot(r[1], d), _dot(r[2], d))

    def apply(self, points_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(N, 3) points of `source` (mm), in `target`. Not for the fold: it may use BLAS."""
        moved: npt.NDArray[np.float64] = np.asarray(points_mm, dtype=np.float64) @ np.array(self.rotation).T + np.array(self.t_mm)
        return moved
