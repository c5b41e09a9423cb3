"""The pose that suits all corners best: whitened residuals and Levenberg-Marquardt with Huber weights.

The eight numbers of a marker's corners are measured together and err together, so residuals are whitened by the whole 8x8 covariance, and a marker is
trusted or mistrusted as one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Root mean square of a marker's whitened residuals beyond which it loses weight (Huber's constant times a margin for what calibration leaves).
HUBER_SDS = 4.0
#: Steps of the refinement.
STEPS = 30
#: A step this small in terms of the pose's own standard deviations ends it.
SMALL_STEP = 1e-3


@compiled
def whitening(covariance_px: Array, slopes: Array) -> Array:
    """(M, 8, 8) that turn a marker's ray residuals (x, y of each corner in turn) into eight independent numbers of unit variance.

    NaN where the covariance is not positive definite.

    Parameters
    ----------
    covariance_px : (M, 8, 8) px^2
    slopes : (M, 4, 2, 2) px
    """
    found = np.empty(covariance_px.shape)
    low = np.empty((8, 8))
    for m in range(len(covariance_px)):
        for i in range(8):
            for k in range(i + 1):
                total = covariance_px[m, i, k]
                for j in range(k):
                    total -= low[i, j] * low[k, j]
                if i == k:
                    low[i, i] = np.sqrt(total) if total > 0.0 else np.nan
                else:
                    low[i, k] = total / low[k, k]
        for column in range(8):
            corner, axis = column // 2, column % 2
            for i in range(8):
                total = slopes[m, corner, i % 2, axis] if i // 2 == corner else 0.0
                for j in range(i):
                    total -= low[i, j] * found[m, j, column]
                found[m, i, column] = total / low[i, i]
    return found


@compiled
def _turned(w: Array, r: Array, out: Array) -> None:
    """exp(w) r into out (Rodrigues)."""
    angle = np.sqrt(w[0] ** 2 + w[1] ** 2 + w[2] ** 2)
    s, c = (1.0 - angle**2 / 6.0, 0.5 - angle**2 / 24.0) if angle < 1e-4 else (np.sin(angle) / angle, (1.0 - np.cos(angle)) / angle**2)
    for k in range(3):
        x, y, z = r[0, k], r[1, k], r[2, k]
        along = w[0] * x + w[1] * y + w[2] * z
        keep = 1.0 - c * angle**2
        out[0, k] = keep * x + s * (w[1] * z - w[2] * y) + c * along * w[0]
        out[1, k] = keep * y + s * (w[2] * x - w[0] * z) + c * along * w[1]
        out[2, k] = keep * z + s * (w[0] * y - w[1] * x) + c * along * w[2]


@compiled
def _marker(r: Array, t: Array, corners: Array, rays: Array, stand: Array, residual: Array, slope: Array) -> bool:
    """Ray residuals (8,) of a marker and their derivatives (8, 6) by a turn about the body's origin and a shift; False if it is behind the camera."""
    d, a = np.empty((2, 3)), np.empty(3)
    for k in range(4):
        for i in range(3):
            a[i] = r[i, 0] * corners[k, 0] + r[i, 1] * corners[k, 1] + r[i, 2] * corners[k, 2]
        px, py, pz = a[0] + t[0], a[1] + t[1], a[2] + t[2]
        x = stand[0, 0] * px + stand[0, 1] * py + stand[0, 2] * pz + stand[0, 3]
        y = stand[1, 0] * px + stand[1, 1] * py + stand[1, 2] * pz + stand[1, 3]
        z = stand[2, 0] * px + stand[2, 1] * py + stand[2, 2] * pz + stand[2, 3]
        if not z > 0.0:
            return False
        u, v = x / z, y / z
        residual[2 * k], residual[2 * k + 1] = rays[k, 0] - u, rays[k, 1] - v
        for i in range(3):
            d[0, i], d[1, i] = (stand[0, i] - u * stand[2, i]) / z, (stand[1, i] - v * stand[2, i]) / z
        for j in range(2):
            row = 2 * k + j
            slope[row, 0], slope[row, 3] = a[1] * d[j, 2] - a[2] * d[j, 1], d[j, 0]
            slope[row, 1], slope[row, 4] = a[2] * d[j, 0] - a[0] * d[j, 2], d[j, 1]
            slope[row, 2], slope[row, 5] = a[0] * d[j, 1] - a[1] * d[j, 0], d[j, 2]
    return True


@compiled
def _normal(
    r: Array, t: Array, corners: Array, rays: Array, white: Array, view: Index, stands: Array, use: Mask, normal: Array, pull: Array, squares: Array
) -> float:
    """Huber's cost; fills the weighted normal matrix and right-hand side, and each marker's whitened sum of squares. Infinite behind a camera."""
    residual, slope, white_slope, white_residual = np.empty(8), np.empty((8, 6)), np.empty((8, 6)), np.empty(8)
    normal[:], pull[:], cost = 0.0, 0.0, 0.0
    knee = HUBER_SDS * np.sqrt(8.0)
    for m in range(len(corners)):
        if not _marker(r, t, corners[m], rays[m], stands[view[m]], residual, slope):
            if use[m]:
                return np.inf
            squares[m] = np.inf
            continue
        total = 0.0
        for i in range(8):
            value = 0.0
            for j in range(2 * (i // 2) + 2):  # a Cholesky factor's inverse times 2x2 blocks: nothing beyond
                value += white[m, i, j] * residual[j]
            white_residual[i] = value
            total += value * value
        squares[m] = total
        if not use[m]:
            continue
        length = np.sqrt(total)
        weight = 1.0 if length <= knee else knee / length
        cost += total if length <= knee else knee * (2.0 * length - knee)
        for i in range(8):
            for c in range(6):
                value = 0.0
                for j in range(2 * (i // 2) + 2):
                    value += white[m, i, j] * slope[j, c]
                white_slope[i, c] = value
        for i in range(8):
            for c in range(6):
                pull[c] += weight * white_slope[i, c] * white_residual[i]
                for e in range(c + 1):
                    normal[c, e] += weight * white_slope[i, c] * white_slope[i, e]
    for c in range(6):
        for e in range(c):
            normal[e, c] = normal[c, e]
    return np.inf if np.isnan(cost) else cost


@compiled
def _solved(normal: Array, damping: float, pull: Array, step: Array) -> bool:
    """Cholesky's solution of the damped normal equations; False if they are singular."""
    low = np.empty((6, 6))
    for i in range(6):
        for k in range(i + 1):
            total = normal[i, k] * (1.0 + damping) if i == k else normal[i, k]
            for j in range(k):
                total -= low[i, j] * low[k, j]
            if i == k:
                if not total > 1e-14 * normal[i, i]:
                    return False
                low[i, i] = np.sqrt(total)
            else:
                low[i, k] = total / low[k, k]
    for i in range(6):
        total = pull[i]
        for j in range(i):
            total -= low[i, j] * step[j]
        step[i] = total / low[i, i]
    for i in range(5, -1, -1):
        total = step[i]
        for j in range(i + 1, 6):
            total -= low[j, i] * step[j]
        step[i] = total / low[i, i]
    return True


@compiled
def refined(
    rotation: Array, t_mm: Array, corners_mm: Array, rays: Array, white: Array, view: Index, stands: Array, use: Mask
) -> tuple[bool, Array, Array, Array, Array]:
    """Robust least squares from one start.

    Parameters
    ----------
    rotation, t_mm : (3, 3) and (3,), tracker from body
    corners_mm, rays, white : (M, 4, 3), (M, 4, 2), (M, 8, 8)
    view : (M,) which camera saw the marker
    stands : (V, 3, 4) camera from tracker
    use : (M,) which markers count

    Returns
    -------
    found : False if it ends behind a camera or the corners do not fix all six degrees of freedom
    rotation, t_mm : the pose
    squares : (M,) whitened sums of squares, of markers not used too
    information : (6, 6) at the pose, Huber's weights counted, over (turn about the body's origin in rad, shift in mm), tracker axes
    """
    r, t, new_r, new_t = rotation.copy(), t_mm.copy(), np.empty((3, 3)), np.empty(3)
    normal, pull, squares, step = np.empty((6, 6)), np.empty(6), np.empty(len(rays)), np.empty(6)
    new_normal, new_pull, new_squares = np.empty((6, 6)), np.empty(6), np.empty(len(rays))
    cost, damping = _normal(r, t, corners_mm, rays, white, view, stands, use, normal, pull, squares), 1e-3
    if not cost < np.inf:
        return False, r, t, squares, normal
    for _ in range(STEPS):
        if not _solved(normal, damping, pull, step):
            return False, r, t, squares, normal
        gain = 0.0
        for i in range(6):
            gain += step[i] * pull[i]
        _turned(step[:3], r, new_r)
        for i in range(3):
            new_t[i] = t[i] + step[3 + i]
        new_cost = _normal(new_r, new_t, corners_mm, rays, white, view, stands, use, new_normal, new_pull, new_squares)
        if new_cost <= cost:
            r[:], t[:], normal[:], pull[:], squares[:] = new_r, new_t, new_normal, new_pull, new_squares
            cost, damping = new_cost, damping / 10.0
        else:
            damping *= 10.0
        if gain < SMALL_STEP**2:
            break
    return _solved(normal, 0.0, pull, step), r, t, squares, normal


@compiled
def misfit_px(rotation: Array, t_mm: Array, corners_mm: Array, rays: Array, slopes: Array, view: Index, stands: Array) -> Array:
    """(M, 4) distances in pixels between corners seen and corners predicted; infinite for markers behind their camera."""
    found, residual, slope = np.full((len(rays), 4), np.inf), np.empty(8), np.empty((8, 6))
    for m in range(len(rays)):
        if not _marker(rotation, t_mm, corners_mm[m], rays[m], stands[view[m]], residual, slope):
            continue
        for k in range(4):
            x, y = residual[2 * k], residual[2 * k + 1]
            u, v = slopes[m, k, 0, 0] * x + slopes[m, k, 0, 1] * y, slopes[m, k, 1, 0] * x + slopes[m, k, 1, 1] * y
            found[m, k] = np.sqrt(u * u + v * v)
    return found
