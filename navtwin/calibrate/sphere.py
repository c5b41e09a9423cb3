"""A second opinion on a pivot: the sphere on which the marker's origin moved. It reads positions only, so rotations that lie cannot mislead it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import autocorrelation, student_factor

Array = npt.NDArray[np.float64]

#: A direction in which the sphere's centre is known worse than this is one in which the sphere has no opinion.
BLIND_SD_MM = 2.0
#: Opinions differ beyond this distance and this squared Mahalanobis distance (3 degrees of freedom: once in 200,000).
APART_MM, APART_SQUARED = 0.5, 27.0
STEPS = 20


@dataclass(frozen=True)
class SphereFit:
    """The sphere about the pivot.

    Attributes
    ----------
    pivot_mm : (3,) its centre, in the axes of the positions
    radius_mm : distance of the marker's origin from the tip
    covariance : (3, 3) of the centre, mm^2
    apart_mm : distance from the pivot of the algebraic fit, over the directions that the sphere knows
    agrees : None where the sphere cannot tell (the marker moved over too small a cap of it)
    """

    pivot_mm: Array
    radius_mm: float
    covariance: Array
    apart_mm: float
    agrees: bool | None


def fit_sphere(t_mm: Array, pivot_mm: Array, pivot_covariance: Array) -> SphereFit:
    """Least squares of | t_i - centre | = radius, from the algebraic start of Coope (J. Optimization Theory and Applications 1993;76:381).

    Parameters
    ----------
    t_mm : (N, 3) positions of the marker's origin, in the order of capture
    pivot_mm, pivot_covariance : (3,) and (3, 3) what the algebraic fit says, to compare with
    """
    middle = t_mm.mean(axis=0)
    off = t_mm - middle
    scale = max(float(np.sqrt(np.square(off).sum(axis=1).mean())), 1e-9)
    rows = np.column_stack([2.0 * off, np.full(len(off), scale)])
    first = np.linalg.lstsq(rows, np.square(off).sum(axis=1), rcond=1e-9)[0]
    centre, radius = first[:3], float(np.sqrt(max(first[3] * scale + first[:3] @ first[:3], 1e-12)))
    for _ in range(STEPS):
        jacobian, residual = _linearised(off, centre, radius)
        step = np.linalg.lstsq(jacobian, -residual, rcond=1e-9)[0]
        centre, radius = centre + step[:3], radius + float(step[3])
        if np.abs(step).max() < 1e-9 * (1.0 + radius):
            break
    jacobian, residual = _linearised(off, centre, radius)
    rho = autocorrelation(residual[:, None])
    inflation = 1.0 + 2.0 * float(rho[1:].sum())
    freedom = max(len(off) / inflation - 4.0, 1.0)
    noise = float(np.square(residual).sum()) / len(off) * (freedom + 4.0) / freedom * inflation * student_factor(freedom) ** 2
    # A flat cap leaves a direction open: a floor on the information keeps its variance large instead of infinite.
    covariance: Array = np.linalg.inv(jacobian.T @ jacobian / max(noise, 1e-12) + 1e-6 * np.eye(4))[:3, :3].astype(np.float64)
    pivot = centre + middle
    apart, agrees = _compared(pivot - pivot_mm, covariance, pivot_covariance)
    return SphereFit(pivot, radius, covariance, apart, agrees)


def _linearised(off: Array, centre: Array, radius: float) -> tuple[Array, Array]:
    from_centre = off - centre
    length = np.linalg.norm(from_centre, axis=1)
    out = from_centre / np.maximum(length, 1e-9)[:, None]
    return np.column_stack([-out, -np.ones(len(off))]), length - radius


def _compared(apart: Array, covariance: Array, pivot_covariance: Array) -> tuple[float, bool | None]:
    values, directions = np.linalg.eigh(covariance)
    known = directions[:, values < BLIND_SD_MM**2]
    if not known.shape[1]:
        return 0.0, None
    seen = known.T @ apart
    both = known.T @ (covariance + pivot_covariance) @ known
    distance = float(np.linalg.norm(seen))
    if float(seen @ np.linalg.solve(both, seen)) > APART_SQUARED:
        return distance, distance <= APART_MM
    # Far apart and yet within the error bars: that is no agreement.
    return distance, True if distance <= BLIND_SD_MM else None


def disagreement(sphere: SphereFit) -> list[str]:
    """What to say where the sphere contradicts the poses."""
    if sphere.agrees is not False:
        return []
    return [
        f"the sphere on which the marker moved has its centre {sphere.apart_mm:.1f} mm from the pivot that the poses give: the rotations do "
        "not belong to the "
        "positions; calibrate the camera, check the marker body's geometry, and switch off smoothing"
    ]
