"""A forest as one small array of addresses: what a single query is called with from Python.

Handing Numba a tuple of sixteen arrays takes longer than most queries; one array of int64 takes a quarter of a microsecond.
Whoever keeps a handle must keep the arrays that it names: `Handle` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.point import is_askable, signed_nearest
from navtwin.kernels.segment import capsule
from navtwin.kernels.solids import closest_solids
from navtwin.kernels.tree import F64, Forest, Workspace, workspace

I64 = npt.NDArray[np.int64]


class Handle:
    """A forest, scratch memory for one thread, and `table`: their addresses and lengths, a pair for each array."""

    def __init__(self, forest: Forest) -> None:
        self.forest, self.work = forest, workspace()
        arrays = (*forest, *self.work)
        if not all(a.flags.c_contiguous for a in arrays):
            raise ValueError("a handle needs contiguous arrays")
        self.table = np.array([(a.ctypes.data, len(a)) for a in arrays], np.int64)


def _array_maker(element: types.Type, columns: int) -> Callable[[int, int], Any]:
    """What makes, inside kernels, an array (rows,) or (rows, columns) of what lies at an address."""
    array_type = types.Array(element, 1 if columns == 1 else 2, "C")

    @intrinsic  # type: ignore[untyped-decorator]
    def array_at(_typing: Any, address: Any, rows: Any) -> Any:
        def emit(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            array = context.make_array(array_type)(context, builder)
            size = context.get_abi_sizeof(context.get_data_type(element))
            number = values[1].type
            shape = [values[1]] if columns == 1 else [values[1], number(columns)]
            strides = [number(size)] if columns == 1 else [number(size * columns), number(size)]
            data = builder.inttoptr(values[0], array.data.type)
            populate_array(array, data, shape, strides, number(size), meminfo=None)
            return array._getvalue()

        return array_type(address, rows), emit

    made: Callable[[int, int], Any] = array_at
    return made


_f32, _i32, _f64, _u8 = (_array_maker(t, 1) for t in (types.float32, types.int32, types.float64, types.uint8))
_i32_rows, _f64_rows = _array_maker(types.int32, 3), _array_maker(types.float64, 3)


@inlined
def forest_of(table: I64) -> Forest:
    """The forest that a handle's table names."""
    t = table
    return Forest(
        _f32(t[0, 0], t[0, 1]),
        _i32(t[1, 0], t[1, 1]),
        _f32(t[2, 0], t[2, 1]),
        _i32(t[3, 0], t[3, 1]),
        _f64_rows(t[4, 0], t[4, 1]),
        _i32_rows(t[5, 0], t[5, 1]),
        _i32_rows(t[6, 0], t[6, 1]),
        _i32_rows(t[7, 0], t[7, 1]),
        _f64_rows(t[8, 0], t[8, 1]),
        _f64_rows(t[9, 0], t[9, 1]),
        _f64_rows(t[10, 0], t[10, 1]),
        _f64(t[11, 0], t[11, 1]),
        _f64(t[12, 0], t[12, 1]),
        _i32(t[13, 0], t[13, 1]),
        _i32(t[14, 0], t[14, 1]),
        _u8(t[15, 0], t[15, 1]),
        _f32(t[16, 0], t[16, 1]),
        _i32(t[17, 0], t[17, 1]),
        _f32(t[18, 0], t[18, 1]),
    )


@inlined
def workspace_of(table: I64) -> Workspace:
    """The scratch memory that a handle's table names."""
    t = table
    return Workspace(
        _i32(t[19, 0], t[19, 1]),
        _i32(t[20, 0], t[20, 1]),
        _f32(t[21, 0], t[21, 1]),
        _i32(t[22, 0], t[22, 1]),
        _f32(t[23, 0], t[23, 1]),
        _f32(t[24, 0], t[24, 1]),
    )


#: Numbers of an answer: closest point, face (the next hint), point on the axis, whether the depth is a bound.
ANSWER = 8


@query
def ask_point(table: I64, answer: F64, x: float, y: float, z: float) -> float:
    """Signed distance of one point to the first structure, mm; NaN where unknown.

    Parameters
    ----------
    table : of a `Handle`
    answer : (8,) float64, in and out: what the last call found; NaN and -1 where there is none
    x, y, z : mm
    """
    distance, face, cx, cy, cz = np.nan, -1, np.nan, np.nan, np.nan
    if is_askable(x, y, z):
        distance, face, cx, cy, cz = signed_nearest(forest_of(table), 0, x, y, z, int(answer[3]), workspace_of(table))
    answer[0], answer[1], answer[2], answer[3] = cx, cy, cz, face
    answer[4], answer[5], answer[6], answer[7] = x, y, z, 0.0
    return distance


@query
def ask_capsule(table: I64, answer: F64, ax: float, ay: float, az: float, bx: float, by: float, bz: float, radius: float, within: float) -> float:
    """Signed distance of one capsule's skin to the first structure, mm, as `kernels.segment.capsule` gives it; `answer` as for `ask_point`."""
    hit = capsule(forest_of(table), 0, ax, ay, az, bx, by, bz, radius, int(answer[3]), within, workspace_of(table))
    answer[0], answer[1], answer[2], answer[3] = hit.x, hit.y, hit.z, hit.face
    answer[4], answer[5], answer[6], answer[7] = hit.axis_x, hit.axis_y, hit.axis_z, 1.0 if hit.depth_is_bound else 0.0
    return hit.distance


@query
def ask_solids(table: I64, parts: F64, other_table: I64, other_parts: F64, T_self_from_other: F64, answer: F64, within: float) -> float:
    """Distance of two solids, mm, as `kernels.solids.closest_solids` gives it; NaN where unknown.

    Parameters
    ----------
    table, other_table : of two handles
    parts, other_parts, T_self_from_other, within : as for `closest_solids`
    answer : (8,) float64, in and out: point and face on the first, point and face on the other; NaN and -1 where there is none
    """
    hit = closest_solids(
        forest_of(table), parts, forest_of(other_table), other_parts, T_self_from_other, int(answer[3]), int(answer[7]), within, workspace_of(table)
    )
    answer[0], answer[1], answer[2], answer[3] = hit.point[0], hit.point[1], hit.point[2], hit.face
    answer[4], answer[5], answer[6], answer[7] = hit.other_point[0], hit.other_point[1], hit.other_point[2], hit.other_face
    return hit.distance
