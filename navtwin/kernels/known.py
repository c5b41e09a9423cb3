"""Which distances are known, and which of them only say what they said: what every frame and every tick asks of all pairs.

Contract: arrays in, arrays out; plain float64, element by element.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import query

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

#: What `tell_known` says of a distance.
MEASURED, OUT_OF_SCAN, UNMEASURED = 0, 1, 2
#: No frame was captured then.
NEVER = np.iinfo(np.int64).min


@query
def tell_known(on_axis: Array, distance: Array, sd: Array, T_ijk_from_ct: Array, shape_ijk: npt.NDArray[np.int64], told: Codes) -> None:
    """Whether each distance was measured, and where.

    Parameters
    ----------
    on_axis : (P, S, 3) closest points of the parts' axes, ct, mm; NaN where unknown, which is nowhere in the scan
    distance, sd : (P, S), mm
    T_ijk_from_ct, shape_ijk : (3, 4) and (3,), the scan; whole indices are voxel centres
    told : (P, S) uint8, out; MEASURED, OUT_OF_SCAN or UNMEASURED
    """
    for p in range(distance.shape[0]):
        for s in range(distance.shape[1]):
            x, y, z = on_axis[p, s, 0], on_axis[p, s, 1], on_axis[p, s, 2]
            told[p, s] = MEASURED if math.isfinite(distance[p, s]) and math.isfinite(sd[p, s]) else UNMEASURED
            for axis in range(3):
                row = T_ijk_from_ct[axis]
                index = row[0] * x + row[1] * y + row[2] * z + row[3]
                if not (-0.5 <= index <= shape_ijk[axis] - 0.5):
                    told[p, s] = OUT_OF_SCAN


@query
def bounds(distance: Array, sd: Array, speed: Array, lag_s: Array, late_s: float, k: float, bound: Array) -> None:
    """The distances that may be left: distance - k sd - max(0, speed) x (late_s + lag_s), (P, S), mm; NaN where unknown."""
    for p in range(distance.shape[0]):
        for s in range(distance.shape[1]):
            approach = speed[p, s] if speed[p, s] > 0.0 else 0.0
            bound[p, s] = distance[p, s] - k * sd[p, s] - approach * (late_s + lag_s[p, s])


@query
def not_clear(told: Codes, distance: Array, bound: Array, swept: Array, limits: Array, fresh_frame: bool, near: npt.NDArray[np.bool_]) -> None:
    """Of which distances the limits (S, 2) do not say CLEAR, or nothing is known, or (in a fresh frame) something came nearer on the way."""
    for p in range(distance.shape[0]):
        for s in range(distance.shape[1]):
            clear = told[p, s] == MEASURED and distance[p, s] > 0.0 and bound[p, s] > limits[s, 0] and bound[p, s] > limits[s, 1]
            near[p, s] = not clear or (fresh_frame and not math.isnan(swept[p, s]))


class LastKnown(NamedTuple):
    """What was last known of each part (P) and structure (S).

    Attributes
    ----------
    distance, bound, sd, speed : (P, S), mm and mm/s
    captured_ns : (P, S) int64, capture time of the frame that they are from; NEVER where there was none
    """

    distance: Array
    bound: Array
    sd: Array
    speed: Array
    captured_ns: npt.NDArray[np.int64]


def nothing_known(parts: int, structures: int) -> LastKnown:
    """Of nothing anything was ever known."""
    distance, bound, sd, speed = np.zeros((4, parts, structures))
    return LastKnown(distance, bound, sd, speed, np.full((parts, structures), NEVER))


@query
def keep(told: Codes, distance: Array, bound: Array, sd: Array, speed: Array, captured_ns: int, last: LastKnown) -> None:
    """Write the numbers of what is MEASURED to `last`, in place."""
    for p in range(distance.shape[0]):
        for s in range(distance.shape[1]):
            if told[p, s] == MEASURED:
                last.distance[p, s], last.bound[p, s] = distance[p, s], bound[p, s]
                last.sd[p, s], last.speed[p, s] = sd[p, s], speed[p, s]
                last.captured_ns[p, s] = captured_ns


def warm_up() -> None:
    """Compile this file's kernels for the types that the fold passes."""
    one, told, near = np.zeros((1, 1)), np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.bool_)
    tell_known(np.zeros((1, 1, 3)), one, one, np.zeros((3, 4)), np.zeros(3, np.int64), told)
    bounds(one, one, one, one, 0.0, 2.0, one.copy())
    not_clear(told, one, one, one, np.zeros((1, 2)), True, near)
    keep(told, one, one, one, one, 0, nothing_known(1, 1))
