"""What every noun shares: frozen, strict about unknown fields, finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.rigid import Quat, Rigid, Vec3

#: Upper triangle, row by row, of a symmetric 6x6 matrix over (rotation vector in rad, translation in mm).
Covariance6 = tuple[
    float, float, float, float, float, float, float, float, float, float, float,
    float, float, float, float, float, float, float, float, float, float,
]  # fmt: skip
#: Upper triangle (xx xy xz yy yz zz), mm^2, of a symmetric 3x3 matrix.
Covariance3 = tuple[float, float, float, float, float, float]

_UPPER = {n: np.triu_indices(n) for n in (3, 6)}


def symmetric(upper: Covariance3 | Covariance6 | Sequence[float], n: int) -> npt.NDArray[np.float64]:
    """The symmetric (n, n) matrix of an upper triangle given row by row; n is 3 or 6."""
    matrix = np.zeros((n, n))
    rows, columns = _UPPER[n]
    matrix[rows, columns] = upper
    matrix[columns, rows] = upper
    return matrix


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, tuple):
        # Written out: a recording that is brought in makes a million of these checks.
        for item in value:
            if isinstance(item, float):
                if not math.isfinite(item):
                    return False
            elif item is not None and not _finite(item):
                return False
    return True


def _mentions_float(annotation: Any) -> bool:
    """Whether a field of this type holds numbers of its own; nested nouns have been checked when they were made."""
    return annotation is float or any(map(_mentions_float, get_args(annotation)))


@cache
def _numbers_of(kind: type[Noun]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind) if _mentions_float(field.type))


@cache
def _reader_of(kind: type[Noun]) -> Callable[[Noun], Any] | None:
    """Reads all numbers of a noun at once; None for one that has none."""
    names = _numbers_of(kind)
    return attrgetter(*names) if names else None


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A noun without floats of its own, which there is nothing to ask when one is made: of some every alert set holds one for each pair."""


class Noun(Words, frozen=True):
    """A value that any room, the wire and the log may speak. Numbers are finite: NaN is never a value, `None` is."""

    def __post_init__(self) -> None:
        kind = type(self)
        read = _reader_of(kind)
        if read is None or _finite(read(self)):
            return
        for name in _numbers_of(kind):
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
        w, x, y, z = self.q_wxyz
        norm2 = w * w + x * x + y * y + z * z
        if abs(norm2 - 1.0) > 1e-6:
            raise InputRefused(f"a pose has quaternion norm^2 {norm2:.6g}", "normalise the quaternion, or send the pose as missing")

    @classmethod
    def from_rigid(cls, transform: Rigid) -> Pose:
        return cls(q_wxyz=transform.q_wxyz, t_mm=transform.t_mm)

    def rigid(self, *, target: str, source: str) -> Rigid:
        return Rigid.from_quaternion(self.q_wxyz, self.t_mm, target=target, source=source)
