"""What a registration is: a transform, what is known of its error, and whether the gate lets it pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Rigid, Vec3

Array = npt.NDArray[np.float64]


def motion_rows(points_mm: Array, centroid_mm: Array) -> Array:
    """How points move under a small rigid motion (rotation vector about the centroid, then translation).

    Parameters
    ----------
    points_mm : (N, 3), ct
    centroid_mm : (3,), ct

    Returns
    -------
    (N, 3, 6) derivative of each point: `omega x (p - centroid) + t`.
    """
    d = points_mm - centroid_mm
    rows = np.zeros((len(d), 3, 6))
    rows[:, 0, 1], rows[:, 0, 2] = d[:, 2], -d[:, 1]
    rows[:, 1, 0], rows[:, 1, 2] = -d[:, 2], d[:, 0]
    rows[:, 2, 0], rows[:, 2, 1] = d[:, 1], -d[:, 0]
    rows[:, 0, 3] = rows[:, 1, 4] = rows[:, 2, 5] = 1.0
    return rows


@dataclass(frozen=True)
class PoseError:
    """The error of T_ct_from_ref as a small motion in ct axes.

    Attributes
    ----------
    covariance : (6, 6) over (rotation vector in rad, translation in mm), the rotation taken about `centroid_mm`
    centroid_mm : (3,), ct
    """

    covariance: Array
    centroid_mm: Array

    def at(self, points_mm: npt.ArrayLike) -> Array:
        """(M, 3, 3) covariance, mm^2, of each of (M, 3) points in ct."""
        rows = motion_rows(np.atleast_2d(np.asarray(points_mm, dtype=np.float64)), self.centroid_mm)
        return np.asarray(rows @ self.covariance @ rows.transpose(0, 2, 1))

    def widened(self, tip_sd_mm: float) -> PoseError:
        """With the error of the pointer's tip: held alike at every touch, a wrong tip shifts all of them, and the pose, by one vector."""
        return PoseError(self.covariance + np.diag((0.0, 0.0, 0.0, 1.0, 1.0, 1.0)) * tip_sd_mm**2, self.centroid_mm)

    def tre_mm(self, points_mm: npt.ArrayLike) -> Array:
        """(M,) predicted RMS target registration error at (M, 3) points in ct."""
        return np.asarray(np.sqrt(np.trace(self.at(points_mm), axis1=1, axis2=2)))


@dataclass(frozen=True)
class Target:
    """Where the gate asks whether the registration is good enough.

    Attributes
    ----------
    name : of the critical structure
    point_mm : the point of it that the plan comes nearest to, ct
    direction : unit vector from the plan to that point
    danger_mm : its danger limit
    sd_mm : how well its surface is known from the scan (one standard deviation along the normal)
    """

    name: str
    point_mm: Vec3
    direction: Vec3
    danger_mm: float
    sd_mm: float


@dataclass(frozen=True)
class Registration:
    """T_ct_from_ref with its error and the gate's verdict.

    Attributes
    ----------
    T_ct_from_ref : target `ct`, source `ref`
    fre_mm : RMS landmark residual; says little about accuracy, for which see `tre_mm`
    fle_mm : RMS landmark localisation error that the prediction rests on: stated, or estimated from the FRE
    residual_mm : (N,) distance between each landmark in the scan and its touched point, after registration
    leave_one_out_mm : (N,) the same with that landmark left out of the fit; NaN where the others do not fix the pose
    covariance, centroid_mm : see `PoseError`
    accepted, reasons : the gate's verdict; every reason says what is wrong and what to do
    surface_rms_mm : RMS distance of the kept swept points from the touched surface; None without a sweep
    sweep_kept : (S,) which swept points the fit kept; empty without a sweep
    fle_interval_mm : where the FLE lies with 95 % confidence, where it was estimated from the residuals; None where it was stated
    covariance_interval : `covariance` at either end of that interval; with a sweep the least is of the stated errors alone, and either end allows
        for residuals that misfit by chance
    """

    T_ct_from_ref: Rigid
    fre_mm: float
    fle_mm: float
    residual_mm: Array
    leave_one_out_mm: Array
    covariance: Array
    centroid_mm: Array
    accepted: bool
    reasons: tuple[str, ...]
    surface_rms_mm: float | None
    sweep_kept: npt.NDArray[np.bool_]
    fle_interval_mm: tuple[float, float] | None = None
    covariance_interval: tuple[Array, Array] | None = None

    def tre_mm(self, points_mm: npt.ArrayLike) -> Array:
        """Predicted RMS target registration error.

        Parameters
        ----------
        points_mm : (M, 3) or (3,), ct

        Returns
        -------
        (M,) mm. For landmarks alone this is Fitzpatrick, West and Maurer, IEEE Trans Med Imaging 1998;17:694.
        """
        return PoseError(self.covariance, self.centroid_mm).tre_mm(points_mm)

    def tre_interval_mm(self, points_mm: npt.ArrayLike) -> Array:
        """Where the RMS target registration error lies with 95 % confidence, as far as the estimated FLE leaves it open.

        A handful of residuals tells the FLE only roughly, and the prediction no better. What was stated (an FLE, a surface's error) is taken at
        its word.

        Parameters
        ----------
        points_mm : (M, 3) or (3,), ct

        Returns
        -------
        (M, 2) mm, least and most; both `tre_mm` where the FLE was stated.
        """
        ends = self.covariance_interval or (self.covariance, self.covariance)
        return np.stack([PoseError(end, self.centroid_mm).tre_mm(points_mm) for end in ends], axis=1)
