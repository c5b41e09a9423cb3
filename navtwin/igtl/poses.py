"""Bodies that hold poses: TRANSFORM, TDATA, QTDATA, POSITION (Documents/Protocol/transform.md, trackingdata.md, qtrackingdata.md, position.md).

A matrix `<From>To<To>` takes points of From to To, in mm. OpenIGTLink names no axes for it: a tool's pose is in the tracker's own axes and needs no
conversion; who reads a pose in a patient's axes must be told which they are. Numbers are float32 and are handed on as they are: no check here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from navtwin.errors import InputRefused
from navtwin.igtl.header import padded, padded_text
from navtwin.rigid import Mat3, Quat, Vec3

_MATRIX: Final = struct.Struct(">12f")
_TOOL: Final = struct.Struct(">20sBB12f")
_QTOOL: Final = struct.Struct(">20sBB3f4f")
TRANSFORM_BYTES: Final = 48
TDATA_BYTES: Final = 70
QTDATA_BYTES: Final = 50
#: Type of a tool that is followed with all six degrees of freedom; 1 tracker, 3 position only, 4 position and direction.
SIX_DOF: Final = 2


class Matrix(NamedTuple):
    """Rows of the 3x3 part, and the translation in mm, as sent."""

    rows: Mat3
    t_mm: Vec3


class ToolMatrix(NamedTuple):
    """One tool of a TDATA."""

    name: str
    kind: int
    matrix: Matrix


class QuaternionPose(NamedTuple):
    """A position (mm) and an orientation; None where the message leaves it out."""

    t_mm: Vec3
    q_wxyz: Quat | None


class ToolQuaternion(NamedTuple):
    """One tool of a QTDATA."""

    name: str
    kind: int
    pose: QuaternionPose


def _matrix(columns: Sequence[float]) -> Matrix:
    a, b, c, d, e, f, g, h, i, x, y, z = columns
    return Matrix(((a, d, g), (b, e, h), (c, f, i)), (x, y, z))


def _columns(matrix: Matrix) -> tuple[float, ...]:
    (a, d, g), (b, e, h), (c, f, i) = matrix.rows
    return (a, b, c, d, e, f, g, h, i, *matrix.t_mm)


def read_transform(content: bytes) -> Matrix:
    """The 48 bytes: three columns of the rotation and the translation. Raises InputRefused for another length."""
    if len(content) != TRANSFORM_BYTES:
        raise InputRefused(f"a TRANSFORM of {len(content)} bytes, not {TRANSFORM_BYTES}", "check the sender")
    return _matrix(_MATRIX.unpack(content))


def write_transform(matrix: Matrix) -> bytes:
    """48 bytes; numbers are rounded to float32."""
    return _MATRIX.pack(*_columns(matrix))


def read_tdata(content: bytes) -> tuple[ToolMatrix, ...]:
    """70 bytes per tool. Raises InputRefused for a length that is no multiple."""
    _check_multiple("TDATA", content, TDATA_BYTES)
    return tuple(ToolMatrix(padded_text(name), kind, _matrix(numbers)) for name, kind, _, *numbers in _TOOL.iter_unpack(content))


def write_tdata(tools: Sequence[ToolMatrix]) -> bytes:
    """70 bytes per tool; names must fit 20 characters."""
    return b"".join(_TOOL.pack(padded(tool.name, 20), tool.kind, 0, *_columns(tool.matrix)) for tool in tools)


def read_qtdata(content: bytes) -> tuple[ToolQuaternion, ...]:
    """50 bytes per tool, quaternions with the scalar last. Raises InputRefused for a length that is no multiple."""
    _check_multiple("QTDATA", content, QTDATA_BYTES)
    return tuple(
        ToolQuaternion(padded_text(name), kind, QuaternionPose((x, y, z), (qw, qx, qy, qz)))
        for name, kind, _, x, y, z, qx, qy, qz, qw in _QTOOL.iter_unpack(content)
    )


def write_qtdata(tools: Sequence[ToolQuaternion]) -> bytes:
    """50 bytes per tool; each must have an orientation.

    Raises
    ------
    InputRefused : a tool without one
    """
    return b"".join(_QTOOL.pack(padded(tool.name, 20), tool.kind, 0, *tool.pose.t_mm, *_scalar_last(tool.pose)) for tool in tools)


def read_position(content: bytes) -> QuaternionPose:
    """28 bytes (position and quaternion), 24 (its scalar left out) or 12 (position only).

    The scalar that is left out is the one that makes the quaternion's length 1; None where no real one does.

    Raises
    ------
    InputRefused : another length
    """
    if len(content) not in (28, 24, 12):
        raise InputRefused(f"a POSITION of {len(content)} bytes, not 28, 24 or 12", "check the sender")
    x, y, z, *rest = struct.unpack(f">{len(content) // 4}f", content)
    if not rest:
        return QuaternionPose((x, y, z), None)
    qx, qy, qz = rest[:3]
    if len(rest) == 4:
        return QuaternionPose((x, y, z), (rest[3], qx, qy, qz))
    left = 1.0 - (qx * qx + qy * qy + qz * qz)
    # Half a turn has no scalar, and float32 may put its length a little over 1.
    return QuaternionPose((x, y, z), (max(left, 0.0) ** 0.5, qx, qy, qz) if left > -1e-6 else None)


def write_position(pose: QuaternionPose) -> bytes:
    """28 bytes, or 12 without an orientation."""
    if pose.q_wxyz is None:
        return struct.pack(">3f", *pose.t_mm)
    return struct.pack(">7f", *pose.t_mm, *_scalar_last(pose))


def _scalar_last(pose: QuaternionPose) -> tuple[float, float, float, float]:
    if pose.q_wxyz is None:
        raise InputRefused("a pose without an orientation", "send it as POSITION")
    w, x, y, z = pose.q_wxyz
    return (x, y, z, w)


def _check_multiple(kind: str, content: bytes, size: int) -> None:
    if len(content) % size:
        raise InputRefused(f"a {kind} of {len(content)} bytes, no multiple of {size}", "check the sender")


def write_start_tdata(resolution_ms: int, coordinates: str = "") -> bytes:
    """Body of STT_TDATA: the least time between two frames in ms (0: as fast as they come), and the coordinate system; STP_TDATA has no body."""
    return struct.pack(">i32s", resolution_ms, padded(coordinates, 32))


def read_start_tdata(content: bytes) -> tuple[int, str]:
    """(resolution in ms, coordinate system) of STT_TDATA. Raises InputRefused for another length than 36."""
    if len(content) != 36:
        raise InputRefused(f"an STT_TDATA of {len(content)} bytes, not 36", "check the sender")
    resolution_ms, coordinates = struct.unpack(">i32s", content)
    return resolution_ms, padded_text(coordinates)
