"""What every noun shares: frozen, strict about unknown fields, finite."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from navtwin.errors import InputRefused
from navtwin.rigid import Quat, Rigid, Vec3

#: Upper triangle, row by row, of a symmetric 6x6 matrix over (rotation vector in rad, translation in mm).
Covariance6 = tuple[
    float, float, float, float, float, float, float, float, float, float, float,
    float, float, float, float, float, float, float, float, float, float,
]  # fmt: skip
#: Upper triangle (xx xy xz yy yz zz), mm^2, of a symmetric 3x3 matrix.
Covariance3 = tuple[float, float, float, float, float, float]


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return all(_finite(v) for v in value) if isinstance(value, tuple) else True


class Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that any room, the wire and the log may speak. Numbers are finite: NaN is never a value, `None` is."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not _finite(getattr(self, name)):
                raise InputRefused(f"{type(self).__name__}.{name} holds NaN or an infinite value", "send null for what is not known")


class Pose(Noun, frozen=True):
    """A rigid transform on the wire; the field that holds it names its frames.

    Attributes
    ----------
    q_wxyz : unit quaternion, scalar first
    t_mm : translation, mm
    """

    q_wxyz: Quat
    t_mm: Vec3

    def __post_init__(self) -> None:
        super().__post_init__()
        norm2 = sum(v * v for v in self.q_wxyz)
        if abs(norm2 - 1.0) > 1e-6:
            raise InputRefused(f"a pose has quaternion norm^2 {norm2:.6g}", "normalise the quaternion, or send the pose as missing")

    @classmethod
    def from_rigid(cls, transform: Rigid) -> Pose:
        return cls(q_wxyz=transform.q_wxyz, t_mm=transform.t_mm)

    def rigid(self, *, target: str, source: str) -> Rigid:
        return Rigid.from_quaternion(self.q_wxyz, self.t_mm, target=target, source=source)
