"""A pose refined on a problem, and how it suits the corners."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from navtwin.rigid import Rigid
from tracking.pose.problem import Array, Problem
from tracking.pose.solve import misfit_px, refined


@dataclass(frozen=True, eq=False)
class Fit:
    """A pose, refined, and how it suits the markers.

    Attributes
    ----------
    problem : what it explains
    rotation, t_mm : tracker from body
    squares : (M,) whitened sums of squares of the corners kept
    information : (6, 6) inverse covariance for noise as measured
    """

    problem: Problem
    rotation: Array
    t_mm: Array
    squares: Array
    information: Array

    @cached_property
    def misfit_px(self) -> Array:
        """(M, 4) distances between corners seen and predicted."""
        p = self.problem
        return np.asarray(misfit_px(self.rotation, self.t_mm, p.corners_mm, p.rays, p.slopes, p.view, p.stands))

    @cached_property
    def rms_px(self) -> float:
        """RMS distance between corners seen and predicted, of the corners kept, each weighing as much as it was measured well."""
        kept = self.problem.kept
        weights = 1.0 / np.square(self.problem.sd_px[kept])
        return math.sqrt(float(weights @ np.square(self.misfit_px[kept])) / float(weights.sum()))

    @cached_property
    def chi2(self) -> float:
        """Whitened sum of squares of the corners kept."""
        return float(self.squares[self.problem.use].sum())

    @property
    def freedom(self) -> int:
        """Numbers beyond those that fix the pose."""
        return 2 * self.corners - 6

    @cached_property
    def corners(self) -> int:
        """Corners kept."""
        return int(self.problem.kept.sum())

    @cached_property
    def excess(self) -> float:
        """Variance of the residuals over what the measured noise explains; not below 1."""
        return max(1.0, self.chi2 / self.freedom)

    def turn_from(self, rotation: Array) -> float:
        """Angle to another orientation, rad."""
        return angle_between(self.rotation, rotation)

    def rigid(self) -> Rigid:
        """T_tracker_from_body."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.rotation, self.t_mm
        return Rigid.from_matrix(matrix, target="tracker", source="body")


def fitted(problem: Problem, rotation: Array, t_mm: Array) -> Fit | None:
    """Refine a start; None if it ends behind a camera or nowhere."""
    p = problem
    found, r, t, squares, information = refined(rotation, t_mm, p.corners_mm, p.rays, p.white, p.view, p.stands, p.use)
    return Fit(p, r, t, squares, information) if found and np.isfinite(r).all() and np.isfinite(t).all() else None


def angle_between(one: Array, other: Array) -> float:
    """Angle between two rotations, rad; from the chord, which unlike the cosine is exact for small angles."""
    chord = (one - other).ravel()
    return 2.0 * math.asin(min(1.0, math.sqrt(float(chord @ chord) / 8.0)))
