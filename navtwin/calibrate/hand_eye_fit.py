"""The least-squares core of hand-eye calibration: a closed form to start from, a robust refinement, and an error bar from leaving poses out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import autocorrelation, groups_of, student_factor
from navtwin.calibrate.poses import cross_matrices, nearest_rotation, rotations_about, vectors_of

Array = npt.NDArray[np.float64]

STEPS, START_STEPS = 30, 15
#: Huber's constant, and what counts as an outlier, in robust standard deviations of the length of a residual.
HUBER_SDS, REJECT_SDS = 2.0, 5.0
#: Groups left out in turn for the error bar. Neighbours in a stream share slow errors: a group is this many correlation times long.
GROUP_TIMES, FEWEST_GROUPS, MOST_GROUPS = 2.0, 10, 60


@dataclass(frozen=True)
class Fit:
    """X (and Y, where it is sought): `covariance` is over (turn, shift) of X, then of Y; `rms` and `held_out` are (rad, mm) per axis."""

    X: Array
    Y: Array | None
    covariance: Array
    rms: tuple[float, float]
    held_out: tuple[float, float]
    median_rad: float
    kept: npt.NDArray[np.bool_]


def closed_form(A: Array, B: Array) -> Array:
    """(4, 4) X of A X = X B by Park and Martin: the rotation that lays B's rotation vectors on A's, then the translation."""
    alpha, beta = vectors_of(A[:, :3, :3]), vectors_of(B[:, :3, :3])
    X, rows = np.eye(4), A[:, :3, :3] - np.eye(3)
    weight = np.ones(len(A))
    # Least absolute deviations by reweighting: motions that hold a misread pose pull little.
    for _ in range(START_STEPS):
        X[:3, :3] = nearest_rotation((alpha * weight[:, None]).T @ beta)
        weight = _inverse_length(alpha - beta @ X[:3, :3].T)
    right = B[:, :3, 3] @ X[:3, :3].T - A[:, :3, 3]
    for _ in range(START_STEPS):
        root = np.sqrt(weight)[:, None]
        X[:3, 3] = np.linalg.lstsq((rows * root[:, None]).reshape(-1, 3), (right * root).ravel(), rcond=1e-6)[0]
        weight = _inverse_length(rows @ X[:3, 3] - right)
    return X


def _inverse_length(residual: Array) -> Array:
    length = np.linalg.norm(residual, axis=1)
    return np.asarray(1.0 / np.maximum(length, 0.1 * np.median(length) + 1e-9))


def moved(matrix: Array, step: Array | None = None) -> Array:
    """(4, 4) made rigid and, if asked, moved by (turn about its origin, shift)."""
    found = np.eye(4)
    found[:3, :3] = nearest_rotation(matrix[:3, :3])
    found[:3, 3] = matrix[:3, 3]
    if step is not None:
        found[:3, :3] = rotations_about(step[:3]) @ found[:3, :3]
        found[:3, 3] += step[3:]
    return found


def robust_fit(A: Array, B: Array, X: Array, Y: Array | None) -> Fit:
    """Refine X (with Y: A X = Y B; without: A X = X B) by Gauss-Newton with Huber weights; drop what disagrees; refine again without weights.

    Rotation residuals are the rotation vector of A X (Y B)^-1, translation residuals the difference of the two translations; each kind is divided
    by its own robust spread, taken anew at every step.
    """
    kept = np.ones(len(A), dtype=np.bool_)
    for robust in (True, False):
        for _ in range(STEPS):
            residual, jacobian = _linearised(A[kept], B[kept], X, Y)
            scale = _scales(residual, robust=robust)
            weight = _weights(residual / scale) if robust else np.ones(len(residual))
            step = _step(residual / scale, jacobian / scale[:, None], weight)
            X = moved(X, step[:6])
            Y = None if Y is None else moved(Y, step[6:])
            if np.abs(step).max() < 1e-10:
                break
        if robust:
            length = _lengths(residual / scale)
            chosen = length <= REJECT_SDS
            if chosen.sum() >= max(3, len(A) // 2):
                kept = chosen
    residual, jacobian = _linearised(A[kept], B[kept], X, Y)
    scale = _scales(residual, robust=False)
    covariance, out = _left_out(residual / scale, jacobian / scale[:, None])
    return Fit(X, Y, covariance, _rms(residual), _rms(out * scale), float(np.median(np.linalg.norm(residual[:, :3], axis=1))), kept)


def _linearised(A: Array, B: Array, X: Array, Y: Array | None) -> tuple[Array, Array]:
    """(N, 6) residuals and their (N, 6, 6 or 12) derivatives by small (turn, shift) of X, then of Y."""
    count = len(A)
    other = X if Y is None else Y
    left, right = A @ X, other @ B
    residual = np.empty((count, 6))
    residual[:, :3] = vectors_of(left[:, :3, :3] @ right[:, :3, :3].transpose(0, 2, 1))
    residual[:, 3:] = left[:, :3, 3] - right[:, :3, 3]
    inverse_right = _inverse_right_jacobian(residual[:, :3])
    # A R(turn) X: the turn appears as A's rotation of it; R(turn) Y B: as itself, seen through the residual's rotation.
    by_left = np.zeros((count, 6, 6))
    by_left[:, :3, :3] = _inverse_left_jacobian(residual[:, :3]) @ A[:, :3, :3]
    by_left[:, 3:, 3:] = A[:, :3, :3]
    by_right = np.zeros((count, 6, 6))
    by_right[:, :3, :3] = -inverse_right
    by_right[:, 3:, :3] = cross_matrices(B[:, :3, 3] @ other[:3, :3].T)
    by_right[:, 3:, 3:] = -np.eye(3)
    return residual, by_left + by_right if Y is None else np.concatenate([by_left, by_right], axis=2)


def _inverse_left_jacobian(vectors: Array) -> Array:
    """(N, 3, 3) how the rotation vector of exp(d) exp(v) changes with small d."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    k = cross_matrices(vectors)
    half = np.maximum(angle / 2.0, 1e-6)
    factor = np.where(angle < 1e-4, 1.0 / 12.0, (1.0 - half / np.tan(half)) / np.maximum(angle, 1e-12) ** 2)
    return np.asarray(np.eye(3) - 0.5 * k + factor * (k @ k))


def _inverse_right_jacobian(vectors: Array) -> Array:
    return _inverse_left_jacobian(vectors).transpose(0, 2, 1)


def _scales(residual: Array, *, robust: bool) -> Array:
    """(6,) spread of the rotation residuals, three times, and of the translation residuals, three times."""
    # The median of a 3D normal error's length is 1.538 standard deviations per axis.
    turn, shift = np.linalg.norm(residual[:, :3], axis=1), np.linalg.norm(residual[:, 3:], axis=1)
    pair = [float(np.median(v)) / 1.538 if robust else float(np.sqrt(np.square(v).mean() / 3.0)) for v in (turn, shift)]
    return np.repeat(np.maximum(pair, (1e-9, 1e-7)), 3)


def _lengths(scaled: Array) -> Array:
    """(N,) the worse of the rotation's and the translation's length, in standard deviations as a single normal number would have."""
    both = np.stack([np.linalg.norm(scaled[:, :3], axis=1), np.linalg.norm(scaled[:, 3:], axis=1)])
    return np.asarray(both.max(axis=0) / 1.2)


def _weights(scaled: Array) -> Array:
    return np.asarray(np.minimum(1.0, HUBER_SDS / np.maximum(_lengths(scaled), 1e-12)))


def _step(residual: Array, jacobian: Array, weight: Array) -> Array:
    normal = np.einsum("nij,n,nik->jk", jacobian, weight, jacobian)
    gradient = np.einsum("nij,n,ni->j", jacobian, weight, residual)
    damped = normal + 1e-9 * np.diag(np.diag(normal)) + 1e-12 * np.eye(len(normal))
    return np.asarray(-np.linalg.solve(damped, gradient))


def _left_out(residual: Array, jacobian: Array) -> tuple[Array, Array]:
    """Covariance of the estimate, and (N, 6) the residuals of each group under the fit without it (one linear step each: Efron's jackknife)."""
    count, size = len(residual), jacobian.shape[2]
    times = 2.0 * float(autocorrelation(residual).sum()) - 1.0
    # Independent poses (one correlation time each) stand alone.
    most = MOST_GROUPS if times < 1.5 else max(FEWEST_GROUPS, int(count / (GROUP_TIMES * times)))
    groups = groups_of(count, most)
    normal = np.einsum("nij,nik->jk", jacobian, jacobian) + 1e-12 * np.eye(size)
    shifts, out = [], np.empty_like(residual)
    for name in range(int(groups[-1]) + 1):
        some = groups == name
        j, r = jacobian[some].reshape(-1, size), residual[some].ravel()
        # The fit without the group moves by -(N - j'j)^-1 (-j'r).
        shift = np.linalg.lstsq(normal - j.T @ j, j.T @ r, rcond=1e-12)[0]
        shifts.append(shift)
        out[some] = (r + j @ shift).reshape(-1, 6)
    off = np.array(shifts)
    total = len(off)
    freedom = max(total - size / 3.0, 1.0)
    return (total - 1) / total * off.T @ off * student_factor(freedom) ** 2, out


def _rms(residual: Array) -> tuple[float, float]:
    return float(np.sqrt(np.square(residual[:, :3]).mean())), float(np.sqrt(np.square(residual[:, 3:]).mean()))
