"""The screw between two poses: the motion with a constant twist, which every part of a rigid body is taken to have followed.

Only + - x / and square roots, in one order: the same bits on every CPU, which a library's sine does not promise. The angle is found by halving
the rotation's quaternion until its sine is its arc but for a short series; places on the way follow from the series of the exponential of a twist
(Murray, Li & Sastry 1994, "A Mathematical Introduction to Robotic Manipulation", section 2.3), which at half a turn or less are short as well.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.tree import F64
from navtwin.kernels.triangle import Point, cross

#: A pose whose axes are off by more than this is not rigid.
RIGID = 1e-6
#: A turn whose half has a cosine below this (179.9 degrees) could as well have gone the other way round.
HALF_TURN = 1e-3
HALVINGS = 8
#: From the sine of a half, halved so often, back to the whole.
DOUBLED = 512.0
#: (1 - cos x) / x^2 and (x - sin x) / x^3 as nested series in x^2: the quotients of neighbouring terms. Enough for x up to pi.
_COSINE = tuple(1.0 / ((2 * k + 3) * (2 * k + 4)) for k in range(13))
_SINE = tuple(1.0 / ((2 * k + 4) * (2 * k + 5)) for k in range(13))


class Screw(NamedTuple):
    """The way of a segment a-b, mm; time runs from 0 to 1, w is the rotation vector of the whole way.

    Attributes
    ----------
    a, d : where a starts, and b - a there
    v, wv, wwv : velocity v of a at the start, w x v, w x (w x v)
    wd, wwd : w x d, w x (w x d)
    angle2 : |w|^2
    speed : of the faster end, and so the greatest of any point; it does not change on the way
    bend : an eighth of the greatest acceleration: how far a point strays from its chord over all of the way
    slip : how far from its given end the way ends: not 0 if a pose is rigid only to RIGID
    """

    a: Point
    d: Point
    v: Point
    wv: Point
    wwv: Point
    wd: Point
    wwd: Point
    angle2: float
    speed: float
    bend: float
    slip: float


@inlined
def _plus(a: Point, b: Point) -> Point:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@inlined
def _length(a: Point) -> float:
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])


@inlined
def placed(pose: F64, x: float, y: float, z: float) -> Point:
    """A point of the body, moved by a pose: rows r00 r01 r02 t0, r10 .. t1, r20 .. t2."""
    return (
        pose[0] * x + pose[1] * y + pose[2] * z + pose[3],
        pose[4] * x + pose[5] * y + pose[6] * z + pose[7],
        pose[8] * x + pose[9] * y + pose[10] * z + pose[11],
    )


@query
def is_rigid(pose: F64) -> bool:
    """Whether a pose is finite, its axes are orthonormal to RIGID, and right-handed."""
    for i in range(3):
        if not abs(pose[4 * i + 3]) < np.inf:
            return False
        for j in range(i + 1):
            product = pose[4 * i] * pose[4 * j] + pose[4 * i + 1] * pose[4 * j + 1] + pose[4 * i + 2] * pose[4 * j + 2]
            if not abs(product - (1.0 if i == j else 0.0)) <= RIGID:
                return False
    x, y, z = (pose[0], pose[1], pose[2]), (pose[4], pose[5], pose[6]), (pose[8], pose[9], pose[10])
    up = cross(x, y)
    return bool(up[0] * z[0] + up[1] * z[1] + up[2] * z[2] > 0.0)


@inlined
def _turn(p: F64, q: F64, i: int, j: int) -> float:
    """Element of the rotation from pose p to pose q."""
    return float(q[4 * i] * p[4 * j] + q[4 * i + 1] * p[4 * j + 1] + q[4 * i + 2] * p[4 * j + 2])


@query
def _quaternion(before: F64, after: F64) -> tuple[float, float, float, float]:
    """Unit quaternion w x y z, w >= 0, of the rotation between two poses: of Shepperd's four ways (1978) the one that divides by the largest."""
    xx, yy, zz = _turn(before, after, plain(0), plain(0)), _turn(before, after, plain(1), plain(1)), _turn(before, after, plain(2), plain(2))
    zy, yz = _turn(before, after, plain(2), plain(1)), _turn(before, after, plain(1), plain(2))
    xz, zx = _turn(before, after, plain(0), plain(2)), _turn(before, after, plain(2), plain(0))
    yx, xy = _turn(before, after, plain(1), plain(0)), _turn(before, after, plain(0), plain(1))
    trace = xx + yy + zz
    if trace >= max(xx, yy, zz):
        w, x, y, z = 1.0 + trace, zy - yz, xz - zx, yx - xy
    elif xx >= max(yy, zz):
        w, x, y, z = zy - yz, 1.0 + 2.0 * xx - trace, yx + xy, xz + zx
    elif yy >= zz:
        w, x, y, z = xz - zx, yx + xy, 1.0 + 2.0 * yy - trace, zy + yz
    else:
        w, x, y, z = yx - xy, xz + zx, zy + yz, 1.0 + 2.0 * zz - trace
    length = math.sqrt(w * w + x * x + y * y + z * z)
    length = -length if w < 0.0 else length
    return w / length, x / length, y / length, z / length


@inlined
def _rotation_vector(w: float, x: float, y: float, z: float) -> Point:
    for _ in range(HALVINGS):
        w = math.sqrt(0.5 * (1.0 + w))
        half = 0.5 / w
        x, y, z = x * half, y * half, z * half
    s2 = x * x + y * y + z * z
    times = DOUBLED * (1.0 + s2 * (1.0 / 6.0 + s2 * (3.0 / 40.0 + s2 * (15.0 / 336.0))))  # asin s / s
    return times * x, times * y, times * z


@inlined
def _lag(angle2: float, w: float) -> float:
    """(1 - x / tan x) / (2 x)^2, 2 x being the angle and w the cosine of x."""
    if angle2 < 0.25:
        return 1.0 / 12.0 + angle2 * (1.0 / 720.0 + angle2 * (1.0 / 30240.0 + angle2 * (1.0 / 1209600.0 + angle2 * (1.0 / 47900160.0))))
    return (1.0 - 0.5 * math.sqrt(angle2 / (1.0 - w * w)) * w) / angle2


@query
def screw_between(part: F64, before: F64, after: F64) -> tuple[bool, Screw]:
    """The way of a part's axis from one pose to another, and whether there is one.

    Parameters
    ----------
    part : at least (6,) float64, the body's axes, mm: a, then b
    before, after : (12,) float64, poses as in `placed`

    Returns
    -------
    is_known : False where a pose is not rigid or the turn is too near to half a turn
    """
    a, end = placed(before, part[0], part[1], part[2]), placed(after, part[0], part[1], part[2])
    b, other_end = placed(before, part[3], part[4], part[5]), placed(after, part[3], part[4], part[5])
    d = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    w, x, y, z = _quaternion(before, after)
    is_known = is_rigid(before) and is_rigid(after) and w >= HALF_TURN
    turn = _rotation_vector(w, x, y, z)
    angle2 = turn[0] * turn[0] + turn[1] * turn[1] + turn[2] * turn[2]
    t = end[0] - a[0], end[1] - a[1], end[2] - a[2]
    wt = cross(turn, t)
    wwt, lag = cross(turn, wt), _lag(angle2, w)
    v = t[0] - 0.5 * wt[0] + lag * wwt[0], t[1] - 0.5 * wt[1] + lag * wwt[1], t[2] - 0.5 * wt[2] + lag * wwt[2]
    wv, wd = cross(turn, v), cross(turn, d)
    wwv, wwd = cross(turn, wv), cross(turn, wd)
    speed, bend = max(_length(v), _length(_plus(v, wd))), 0.125 * max(_length(wv), _length(_plus(wv, wwd)))
    screw = Screw(a, d, v, wv, wwv, wd, wwd, angle2, speed, bend, 0.0)
    _, reached = on_the_way(screw, 1.0)
    slip = _length((reached[0] - other_end[0], reached[1] - other_end[1], reached[2] - other_end[2]))
    return is_known, Screw(a, d, v, wv, wwv, wd, wwd, angle2, speed, bend, slip)


@query
def on_the_way(s: Screw, time: float) -> tuple[Point, Point]:
    """Where a and b are at a time from 0 to 1."""
    x2 = s.angle2 * time * time
    cosine, sine = 1.0, 1.0
    for k in range(len(_COSINE) - 1, -1, -1):
        cosine = 1.0 - x2 * _COSINE[k] * cosine
        sine = 1.0 - x2 * _SINE[k] * sine
    second, third = 0.5 * time * time * cosine, time * time * time / 6.0 * sine
    first = time * (1.0 - x2 / 6.0 * sine)
    ax = s.a[0] + time * s.v[0] + second * s.wv[0] + third * s.wwv[0]
    ay = s.a[1] + time * s.v[1] + second * s.wv[1] + third * s.wwv[1]
    az = s.a[2] + time * s.v[2] + second * s.wv[2] + third * s.wwv[2]
    bx = ax + (s.d[0] + first * s.wd[0] + second * s.wwd[0])
    by = ay + (s.d[1] + first * s.wd[1] + second * s.wwd[1])
    bz = az + (s.d[2] + first * s.wd[2] + second * s.wwd[2])
    return (ax, ay, az), (bx, by, bz)
