"""How uncertain a distance is along its own direction, and how fast it shrinks.

Contract: arrays in, arrays out; no allocation beyond a few scalars; plain float64. All positions in ct, mm.

A small motion (d_theta, d_t) of a body about its origin o moves a point p by d_t + d_theta x (p - o), so along the unit vector n by
[ (p - o) x n, n ] . (d_theta, d_t): the variance is that 6-vector's quadratic form with the body's covariance.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import inlined, query

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@inlined
def _motion_variance(cov: Array, rx: float, ry: float, rz: float, nx: float, ny: float, nz: float) -> float:
    """Variance along n, at lever arm r, of a small motion with covariance `cov` (6, 6), all in the same axes."""
    a = (ry * nz - rz * ny, rz * nx - rx * nz, rx * ny - ry * nx, nx, ny, nz)
    total = 0.0
    for i in range(6):
        for j in range(6):
            total += a[i] * cov[i, j] * a[j]
    return total


@inlined
def _into(R: Array, vx: float, vy: float, vz: float) -> tuple[float, float, float]:
    """R' v: a direction of the outer frame seen in the inner one."""
    return (
        R[0, 0] * vx + R[1, 0] * vy + R[2, 0] * vz,
        R[0, 1] * vx + R[1, 1] * vy + R[2, 1] * vz,
        R[0, 2] * vx + R[1, 2] * vy + R[2, 2] * vz,
    )


class ErrorSources(NamedTuple):
    """Everything that is uncertain in one frame, for T tools and S structures.

    Attributes
    ----------
    R_ct_from_tracker : (3, 3)
    body_origin (T, 3) ct, body_cov (T, 6, 6) tracker axes : pose of each tool's marker body
    ref_origin (3,) ct, ref_cov (6, 6) tracker axes : pose of the reference
    R_ct_from_marker (T, 3, 3), tip (T, 3) ct, tip_cov (T, 3, 3) marker axes, axis_sd (T,) rad : pivot and axis calibration
    registration_origin (3,), registration_cov (6, 6) : ct axes
    structure_sd : (S,) segmentation, mm
    """

    R_ct_from_tracker: Array
    body_origin: Array
    body_cov: Array
    ref_origin: Array
    ref_cov: Array
    R_ct_from_marker: Array
    tip: Array
    tip_cov: Array
    axis_sd: Array
    registration_origin: Array
    registration_cov: Array
    structure_sd: Array


@query
def _variance(e: ErrorSources, t: int, p: Array, q: Array, ux: float, uy: float, uz: float) -> float:
    """Variance along the unit vector u of the distance between p on tool `t` and q on a structure, segmentation left out."""
    tx, ty, tz = _into(e.R_ct_from_tracker, ux, uy, uz)
    bx, by, bz = _into(e.R_ct_from_tracker, p[0] - e.body_origin[t, 0], p[1] - e.body_origin[t, 1], p[2] - e.body_origin[t, 2])
    variance: float = _motion_variance(e.body_cov[t], bx, by, bz, tx, ty, tz)
    rx, ry, rz = _into(e.R_ct_from_tracker, p[0] - e.ref_origin[0], p[1] - e.ref_origin[1], p[2] - e.ref_origin[2])
    variance += _motion_variance(e.ref_cov, rx, ry, rz, tx, ty, tz)
    m = _into(e.R_ct_from_marker[t], ux, uy, uz)
    for i in range(3):
        for j in range(3):
            variance += m[i] * e.tip_cov[t, i, j] * m[j]
    ax, ay, az = p[0] - e.tip[t, 0], p[1] - e.tip[t, 1], p[2] - e.tip[t, 2]
    cx, cy, cz = ay * uz - az * uy, az * ux - ax * uz, ax * uy - ay * ux
    variance += e.axis_sd[t] * e.axis_sd[t] * (cx * cx + cy * cy + cz * cz)
    gx, gy, gz = q[0] - e.registration_origin[0], q[1] - e.registration_origin[1], q[2] - e.registration_origin[2]
    return variance + _motion_variance(e.registration_cov, gx, gy, gz, ux, uy, uz)


@query
def distance_sd(on_axis: Array, on_structure: Array, tool_of_part: npt.NDArray[np.int64], e: ErrorSources, asked: Flags, sd: Array) -> None:
    """One standard deviation of each distance along its nearest direction: pose, reference, pivot, axis, registration, segmentation.

    Parameters
    ----------
    on_axis, on_structure : (P, S, 3) closest points; NaN where unknown (sd is NaN there)
    tool_of_part : (P,) index into the per-tool arrays
    asked : (P, S) of which pairs
    sd : (P, S) out, mm
    """
    parts, structures = sd.shape
    for i in range(parts):
        t = tool_of_part[i]
        for s in range(structures):
            if not asked[i, s]:
                continue
            p, q = on_axis[i, s], on_structure[i, s]
            nx, ny, nz = p[0] - q[0], p[1] - q[1], p[2] - q[2]
            length = math.sqrt(nx * nx + ny * ny + nz * nz)
            if not math.isfinite(length):
                sd[i, s] = np.nan
                continue
            if length > 1e-9:
                variance = _variance(e, t, p, q, nx / length, ny / length, nz / length)
            else:
                # Where the axis lies on the surface no direction is defined: take the most uncertain of the three axes.
                variance = max(_variance(e, t, p, q, 1.0, 0.0, 0.0), _variance(e, t, p, q, 0.0, 1.0, 0.0), _variance(e, t, p, q, 0.0, 0.0, 1.0))
            sd[i, s] = math.sqrt(variance + e.structure_sd[s] * e.structure_sd[s])


@query
def approach(times_s: Array, distances: Array, count: npt.NDArray[np.int64], window_s: float, asked: Flags, speed: Array, lag_s: Array) -> None:
    """Approach speed of each pair: least-squares slope over the newest samples that span at least `window_s`, positive towards.

    Parameters
    ----------
    times_s, distances : (P, S, W) newest last, only the last `count[p, s]` are valid
    asked : (P, S) of which pairs
    speed : (P, S) out, mm/s; 0 with fewer than three samples
    lag_s : (P, S) out, how far behind the newest sample the fitted speed lies (the samples' mean age)
    """
    parts, structures, width = times_s.shape
    for p in range(parts):
        for s in range(structures):
            if not asked[p, s]:
                continue
            n = count[p, s]
            speed[p, s] = 0.0
            lag_s[p, s] = 0.0
            if n < 3:
                continue
            newest = times_s[p, s, width - 1]
            first = width - 1
            while first > width - n and newest - times_s[p, s, first] < window_s:
                first -= 1
            used = width - first
            mean_t = 0.0
            mean_d = 0.0
            for w in range(first, width):
                mean_t += times_s[p, s, w] - newest
                mean_d += distances[p, s, w]
            mean_t /= used
            mean_d /= used
            top = 0.0
            bottom = 0.0
            for w in range(first, width):
                dt = times_s[p, s, w] - newest - mean_t
                top += dt * (distances[p, s, w] - mean_d)
                bottom += dt * dt
            if used >= 3 and bottom > 0.0:
                speed[p, s] = -top / bottom
                lag_s[p, s] = -mean_t


@query
def remember(times_s: Array, distances: Array, count: npt.NDArray[np.int64], t_s: float, asked: Flags, measured: Array) -> None:
    """Append one frame's distances (P, S), where asked, to the histories; a pair that is unknown (NaN) starts its history afresh."""
    parts, structures, width = times_s.shape
    for p in range(parts):
        for s in range(structures):
            if not asked[p, s]:
                continue
            if not math.isfinite(measured[p, s]):
                count[p, s] = 0
                continue
            for w in range(width - 1):
                times_s[p, s, w] = times_s[p, s, w + 1]
                distances[p, s, w] = distances[p, s, w + 1]
            times_s[p, s, width - 1] = t_s
            distances[p, s, width - 1] = measured[p, s]
            count[p, s] = min(count[p, s] + 1, width)


def warm_up() -> None:
    """Compile this file's kernels for the types that the fold passes."""
    pairs, vectors = np.full((1, 1), np.nan), np.full((1, 1, 3), np.nan)
    history, count = np.zeros((1, 1, 4)), np.zeros((1, 1), dtype=np.int64)
    index, one, three = np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros((1, 3))
    six, turn = np.zeros((1, 6, 6)), np.zeros((1, 3, 3))
    sources = ErrorSources(turn[0], three, six, three[0], six[0], turn, three, turn, one, three[0], six[0], one)
    asked = np.full((1, 1), True)
    distance_sd(vectors, vectors, index, sources, asked, pairs)
    remember(history, history, count, 0.0, asked, pairs)
    approach(history, history, count, 0.1, asked, pairs, pairs)
