"""How much each pose is worth to a pivot calibration, from what the tracker states of its error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.poses import cross_matrices
from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]

#: The median of the squared length of a 3D normal error of unit standard deviation (chi-squared, 3 degrees of freedom).
MEDIAN_SQUARED = 2.366
#: The least standard deviation that any pose is credited with: no tracker is better.
FLOOR_MM = 1e-3
HALVINGS = 40


def checked_covariances(covariances: npt.ArrayLike, count: int) -> Array:
    """(N, 6, 6) of poses, symmetric.

    Raises
    ------
    InputRefused : another shape, NaN, one that is not positive semi-definite
    """
    try:
        c = np.asarray(covariances, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputRefused("the covariances of the pivot's poses are not numbers", "pass an (N, 6, 6) array, or none") from error
    if c.shape != (count, 6, 6):
        raise InputRefused(f"the covariances of {count} poses have shape {c.shape}", f"pass ({count}, 6, 6), or none")
    bad = np.flatnonzero(~np.isfinite(c).all(axis=(1, 2)))
    if len(bad):
        raise InputRefused(f"covariance {bad[0]} of the pivot holds NaN or infinite values", "leave that pose out, or pass no covariances")
    values = np.linalg.eigvalsh((c + c.transpose(0, 2, 1)) / 2.0)
    lopsided = np.abs(c - c.transpose(0, 2, 1)).max(axis=(1, 2))
    bad = np.flatnonzero((values[:, 0] < -1e-9 * values[:, -1]) | (lopsided > 1e-6 * np.abs(values[:, -1])))
    if len(bad):
        raise InputRefused(f"covariance {bad[0]} of the pivot is none", "a covariance is symmetric and has no negative variance")
    return np.asarray((c + c.transpose(0, 2, 1)) / 2.0)


def whiteners(covariances: Array, arms_mm: Array, residuals_mm: Array) -> Array:
    """(N, 3, 3) matrices that turn each pose's residual into one of unit variance.

    A residual's covariance is that of its pose, carried to the tip, plus a part that is equal for all. The latter holds what no pose states of
    itself (a body that is not as drawn, a tip that rocks in its divot) and keeps poses that think too well of themselves from outweighing the
    rest; it is the least at which the median squared residual is what it should be.

    Parameters
    ----------
    covariances : (N, 6, 6) of the poses, tracker axes
    arms_mm : (N, 3) from the marker's origin to the tip, tracker axes
    residuals_mm : (N, 3) of a first fit
    """
    # A small turn w moves the tip by w x arm = -[arm]x w.
    carry = np.concatenate([-cross_matrices(arms_mm), np.broadcast_to(np.eye(3), (len(arms_mm), 3, 3))], axis=2)
    values, vectors = np.linalg.eigh(carry @ covariances @ carry.transpose(0, 2, 1))
    values = np.maximum(values, 0.0)
    squared = np.square(np.einsum("nji,nj->ni", vectors, residuals_mm))

    def median_at(common: float) -> float:
        return float(np.median((squared / (values + common)).sum(axis=1)))

    low, high = FLOOR_MM**2, max(float(squared.sum(axis=1).max()), FLOOR_MM**2)
    if median_at(low) <= MEDIAN_SQUARED:
        high = low
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if median_at(middle) > MEDIAN_SQUARED else (low, middle)
    return np.asarray((vectors / np.sqrt(values + high)[:, None, :]) @ vectors.transpose(0, 2, 1))
