"""What residuals say about an error bar: their correlation in time, groups of them left out, few of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Half-width, in standard deviations, of the interval that is to hold the truth 95 times of 100.
INTERVAL_SDS = 1.96


def student_factor(freedom: float) -> float:
    """By how much a standard deviation from few residuals is widened so that 1.96 of it still hold 95 % (Student's t)."""
    from scipy.stats import t

    return float(t.ppf(0.975, max(freedom, 1.0)) / INTERVAL_SDS)


def groups_of(count: int, most: int) -> npt.NDArray[np.int64]:
    """(count,) number of the group of neighbours that each sample belongs to; neighbours share slow errors, so they are left out together."""
    return np.arange(count) * min(count, most) // count


def jackknife(estimate: Callable[[npt.NDArray[np.bool_]], Array], groups: npt.NDArray[np.int64]) -> Array:
    """Covariance of an estimate from leaving out one group at a time (Efron and Stein, Annals of Statistics 1981;9:586).

    Parameters
    ----------
    estimate : (N,) bool of samples kept -> (K,) estimate
    groups : (N,) group of each sample

    Returns
    -------
    (K, K), widened for the number of groups
    """
    names = np.unique(groups)
    left = np.array([estimate(groups != name) for name in names])
    off = left - left.mean(axis=0)
    count = len(names)
    return np.asarray((count - 1) / count * off.T @ off * student_factor(count - 1) ** 2)


def at_least(matrix: Array, floor: Array) -> Array:
    """`matrix` raised so that in no direction it is below `floor`: an estimated correlation may widen the error, never narrow it."""
    root = np.linalg.cholesky(floor)
    whitened = np.linalg.solve(root, np.linalg.solve(root, matrix).T)
    values, vectors = np.linalg.eigh((whitened + whitened.T) / 2.0)
    return np.asarray(root @ (vectors * np.maximum(values, 1.0)) @ vectors.T @ root.T)


def autocorrelation(residuals: Array) -> Array:
    """Correlation of the residuals at lag 0, 1, 2 ..., down to where it is lost in noise.

    Initial monotone sequence (Geyer, Statistical Science 1992;7:473): pairs of lags are summed, cut at the first sum that could be noise, and not
    allowed to rise again. The fit absorbs two parameters per axis and with them slow residuals, which lowers every lag; that is given back.
    """
    count = len(residuals)
    scale = float(np.square(residuals).sum())
    if scale <= 0.0 or count < 8:
        return np.ones(1)
    size = 2 * count
    power = np.square(np.abs(np.fft.rfft(residuals, size, axis=0))).sum(axis=1)
    raw = np.fft.irfft(power, size)[: count // 2] / scale
    rho = np.ones(1)
    for _ in range(3):
        absorbed = min(2.0 * (2.0 * float(rho.sum()) - 1.0) / count, 0.5)
        lifted = raw + absorbed * (1.0 - raw)
        pairs = lifted[: len(lifted) // 2 * 2].reshape(-1, 2).sum(axis=1)
        ends = np.flatnonzero(pairs <= 2.0 * absorbed + 1.0 / np.sqrt(3.0 * count))
        used = 2 * int(ends[0]) if len(ends) else 2 * len(pairs)
        rho = np.asarray(np.minimum.accumulate(np.maximum(lifted[: max(used, 1)], 0.0)))
    return rho
