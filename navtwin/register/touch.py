"""The least-squares fit of touched points to a surface, and of touched landmarks to theirs.

Point-to-surface ICP (Chen and Medioni, Image and Vision Computing 1992;10:145): the residual of a touched point is its distance from the surface
less the radius of the pointer's ball, and its gradient is the direction away from the closest point. Steps are Gauss-Newton with Levenberg's damping.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.nouns import NEAR_SURFACE_MM
from navtwin.register.bones import Bones, Closest, TouchSurface
from navtwin.register.model import Array, motion_rows

#: Steps below this (mm, and rad times 100 mm) end the descent.
SETTLED_MM = 1e-3
#: Closer than this to the surface, mm, the face's normal is a better direction than the way to the closest point.
ON_SURFACE_MM = 1e-3


@dataclass(frozen=True)
class Placement:
    """ct = rotation @ ref + t_mm."""

    rotation: Array
    t_mm: Array

    def apply(self, points_mm: Array) -> Array:
        return np.asarray(points_mm @ self.rotation.T + self.t_mm)

    def moved(self, motion: Array, centre_mm: Array) -> Placement:
        """After a small motion (6,) in ct axes: rotation vector about `centre_mm`, then translation."""
        turn = rotation_about(motion[:3])
        return Placement(turn @ self.rotation, turn @ (self.t_mm - centre_mm) + centre_mm + motion[3:])


def rotation_about(vector_rad: Array) -> Array:
    """(3, 3) rotation of a rotation vector (Rodrigues)."""
    angle = float(np.linalg.norm(vector_rad))
    x, y, z = vector_rad
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.sinc(angle / (2.0 * np.pi)) ** 2
    return np.asarray(np.eye(3) + first * cross + second * (cross @ cross))


def normals_of(surface: TouchSurface, faces: npt.NDArray[np.int32]) -> Array:
    """(N, 3) unit normals of the named faces, outward."""
    corners = np.asarray(surface.vertices_mm)[surface.faces[faces]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300))


def away_from(surface: TouchSurface, points_mm: Array, closest: Closest) -> Array:
    """(N, 3) unit vectors along which the signed distance of points (N, 3) grows: away from the closest point; on the surface, the face's normal."""
    near = np.abs(closest.distance_mm) < ON_SURFACE_MM
    away = (points_mm - closest.point_mm) / np.where(near, 1.0, closest.distance_mm)[:, None]
    if near.any():
        away[near] = normals_of(surface, closest.face[near])
    return np.asarray(away)


def ball_centres(surface: TouchSurface, landmarks_mm: Array, radius_mm: float) -> Array:
    """(L, 3) where the ball's centre rests when it touches landmarks (L, 3) on a surface; others are left as they are.

    Landmarks are the tips of things, often corners of the mesh: the way out is the mean over
    the ball's size, not the normal of whichever face is hit.
    """
    if not len(landmarks_mm):
        return landmarks_mm
    reach = radius_mm * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    around = surface.closest((landmarks_mm[:, None] + reach).reshape(-1, 3))
    out = normals_of(surface, around.face).reshape(-1, len(reach), 3).sum(axis=1)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-300)
    off = surface.closest(landmarks_mm).distance_mm
    near = np.abs(off) < NEAR_SURFACE_MM
    centres = landmarks_mm + ((radius_mm - off) * near)[:, None] * out
    for _ in range(3):
        closest = surface.closest(centres)
        centres = centres + ((radius_mm - closest.distance_mm) * near)[:, None] * away_from(surface, centres, closest)
    return np.asarray(centres)


@dataclass(frozen=True)
class Touches:
    """All that was touched: (S, 3) ball centres on a surface, and (L, 3) landmark pairs (L may be 0)."""

    surface: Bones
    sweep_ref_mm: Array
    tip_radius_mm: float
    ct_mm: Array
    ref_mm: Array

    @property
    def count(self) -> int:
        return len(self.sweep_ref_mm)

    def only(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Touches:
        """The same landmarks with some of the swept points."""
        return Touches(self.surface, self.sweep_ref_mm[chosen], self.tip_radius_mm, self.ct_mm, self.ref_mm)

    def off_surface_mm(self, place: Placement) -> Array:
        """(S,) how far each ball stands off the surface, negative where it dips in."""
        return np.asarray(self.surface.closest(place.apply(self.sweep_ref_mm)).distance_mm - self.tip_radius_mm)

    def linearised(self, place: Placement, centre_mm: Array) -> tuple[Array, Array]:
        """Residuals (S + 3L,), touched less expected, and their derivatives (S + 3L, 6) by a small motion about `centre_mm`."""
        sweep, landmarks = place.apply(self.sweep_ref_mm), place.apply(self.ref_mm)
        closest = self.surface.closest(sweep)
        away = away_from(self.surface, sweep, closest)
        residuals = np.concatenate([closest.distance_mm - self.tip_radius_mm, (landmarks - self.ct_mm).ravel()])
        sweep_rows = np.einsum("nk,nkj->nj", away, motion_rows(sweep, centre_mm))
        return residuals, np.concatenate([sweep_rows, motion_rows(landmarks, centre_mm).reshape(-1, 6)])


@dataclass(frozen=True)
class Fit:
    """Where a descent ended.

    Attributes
    ----------
    cost, freedom : squared whitened residuals, and their degrees of freedom
    information : (6, 6) about `centre_mm`
    pull : (6, S + 3L) how the residuals pull at the pose: it moves by `-information^-1 pull` times a change of theirs
    """

    place: Placement
    cost: float
    freedom: int
    information: Array
    pull: Array
    centre_mm: Array


def descend(touches: Touches, place: Placement, whitening: Array, steps: int) -> Fit:
    """Least squares of `whitening @ residuals` over the pose, from `place`.

    Parameters
    ----------
    whitening : (S + 3L, S + 3L), the inverse square root of the residuals' covariance
    """
    centre = place.apply(touches.sweep_ref_mm).mean(axis=0)
    residuals, rows = touches.linearised(place, centre)
    whitened, slope = whitening @ residuals, whitening @ rows
    cost, damping = float(whitened @ whitened), 1e-3
    unit = np.array((100.0, 100.0, 100.0, 1.0, 1.0, 1.0))
    for _ in range(steps):
        normal = slope.T @ slope
        # The second term keeps the step finite in directions that nothing holds, as on a sphere.
        ridge = damping * np.diag(normal) + 1e-9 * np.trace(normal / np.outer(unit, unit)) * unit**2
        motion = np.asarray(-np.linalg.solve(normal + np.diag(ridge), slope.T @ whitened), dtype=np.float64)
        candidate = place.moved(motion, centre)
        residuals, rows = touches.linearised(candidate, centre)
        trial = whitening @ residuals
        if float(trial @ trial) <= cost:
            place, whitened, slope, cost, damping = candidate, trial, whitening @ rows, float(trial @ trial), damping / 10.0
        else:
            damping *= 10.0
        if float(np.abs(motion * unit).max()) < SETTLED_MM:
            break
    return Fit(place, cost, max(len(whitened) - 6, 1), slope.T @ slope, slope.T @ whitening, centre)
