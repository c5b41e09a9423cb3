"""Seeded trials against known truth: a vertebra touched and swept with known errors, a tool turned about its tip. Others judge them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from navtwin.register import register_landmarks, register_surface
from navtwin.register.model import Registration
from navtwin.register.touch import ball_centres, normals_of, rotation_about
from navtwin.rigid import Rigid
from navtwin.scene.surface import Surface
from phantoms.patient import level, vertebra

Array = npt.NDArray[np.float64]

VERTEBRA, GRID_MM = "vertebrae_T12", 1.5
TIP_RADIUS_MM, TIP_MM, PIVOT_MM = 0.5, np.array((4.0, -12.0, -140.0)), np.array((100.0, 50.0, -1400.0))
#: Six places on the laminae, transverse and spinous processes, from the middle of the body.
LANDMARKS_MM = np.array([(-37, 44, 5), (37, 44, 5), (0, 65, -11), (0, 44, 2), (-13, 42, -10), (13, 42, -10)], dtype=np.float64)
#: Pedicles, canal, body and the front of the body, where vessels lie.
TARGETS_MM = np.array([(-13, 20, 3), (13, 20, 3), (0, 22, 0), (0, 0, 0), (10, -18, 0)], dtype=np.float64)


@dataclass(frozen=True)
class Case:
    """One kind of trial: errors that the data really have, and how the registration is asked."""

    name: str
    surface: bool
    fle_mm: float = 0.8
    fle_stated: bool = True
    sd_mm: float = 0.4
    correlation_mm: float = 15.0
    noise_mm: float = 0.25
    points: int = 250
    rough: bool = False


#: The formula's own premise: every landmark errs by itself, alike in all directions, and nothing else errs.
IDEAL = (
    Case("landmarks alone, FLE known", surface=False, sd_mm=0.0),
    Case("landmarks alone, FLE estimated", surface=False, fle_stated=False, sd_mm=0.0),
)
CASES = (
    Case("landmarks, FLE stated", surface=False),
    Case("landmarks, FLE estimated", surface=False, fle_stated=False),
    Case("landmarks + surface", surface=True),
    Case("landmarks + surface, FLE estimated", surface=True, fle_stated=False),
    Case("landmarks + surface, field rougher than assumed", surface=True, rough=True),
    Case("landmarks + surface, field of 25 mm where 15 is assumed", surface=True, correlation_mm=25.0),
)


@cache
def phantom_bone() -> tuple[Surface, Array]:
    """A vertebra of the built-in patient as a triangle surface, and the middle of its body, ct."""
    import pyvista as pv

    shape, middle = vertebra(VERTEBRA), np.array(level(VERTEBRA).centre_mm)
    low, high = middle - np.array((48.0, 26.0, 36.0)), middle + np.array((48.0, 76.0, 34.0))
    grid = pv.ImageData(dimensions=((high - low) / GRID_MM).astype(int) + 1, spacing=(GRID_MM,) * 3, origin=low)
    grid["distance"] = shape.distance_mm(np.asarray(grid.points))
    mesh = grid.contour([0.0], scalars="distance").clean()
    surface = Surface.from_arrays(mesh.points, mesh.regular_faces)
    if not surface.normals_are_outward:
        surface = Surface.from_arrays(mesh.points, mesh.regular_faces[:, ::-1])
    return surface, middle


def smooth_field(case: Case, rng: np.random.Generator, waves: int = 300) -> Callable[[Array], Array]:
    """A random smooth error, mm along the normal: a sum of waves whose correlation is the squared exponential, or with `rough` a heavier-tailed one.

    Random Fourier features (Rahimi and Recht, "Random features for large-scale kernel machines", NIPS 2007).
    """
    frequency = rng.normal(size=(waves, 3)) / case.correlation_mm
    if case.rough:  # Matern 3/2: its spectrum is a multivariate t with three degrees of freedom
        frequency /= np.sqrt(rng.chisquare(3.0, size=(waves, 1)) / 3.0)
    phase = rng.uniform(0.0, 2.0 * np.pi, waves)
    scale = case.sd_mm * np.sqrt(2.0 / waves)
    return lambda p: np.asarray(scale * np.cos(p @ frequency.T + phase).sum(axis=1))


@dataclass(frozen=True)
class Touched:
    """One simulated collection: pairs and sweep in ref axes, and the true pose."""

    T_ct_from_ref: Rigid
    ct_mm: Array
    ref_mm: Array
    sweep_ref_mm: Array


def touch(case: Case, seed: int) -> Touched:
    """Touch landmarks and sweep the back of the vertebra: on the true surface, which differs from the extracted one by a smooth field."""
    surface, middle = phantom_bone()
    rng = np.random.default_rng(seed)
    field = smooth_field(case, rng)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_about(rng.normal(size=3)), rng.normal(size=3) * 100.0
    truth = Rigid.from_matrix(matrix, target="ct", source="ref")
    at = surface.closest(middle + LANDMARKS_MM)
    true_landmarks = at.point_mm + (field(at.point_mm) + TIP_RADIUS_MM)[:, None] * normals_of(surface, at.face)
    true_landmarks += rng.normal(size=at.point_mm.shape) * case.fle_mm / np.sqrt(3.0)
    corners = surface.vertices_mm[surface.faces]
    centres, normals = corners.mean(axis=1) - middle, normals_of(surface, np.arange(len(corners), dtype=np.int32))
    reachable = np.flatnonzero((centres[:, 1] > 30.0) & (normals[:, 1] > 0.15) & (np.abs(centres[:, 0]) < 22.0) & (centres[:, 1] < 56.0))
    chosen = rng.choice(reachable, 2 * case.points)
    on_bone = np.einsum("nk,nkd->nd", rng.dirichlet((1.0, 1.0, 1.0), len(chosen)), corners[chosen])
    # Into a crease the ball does not go.
    fits = surface.closest(on_bone + TIP_RADIUS_MM * normals[chosen]).distance_mm > TIP_RADIUS_MM - 1e-3
    chosen, on_bone = chosen[fits][: case.points], on_bone[fits][: case.points]
    balls = on_bone + (field(on_bone) + TIP_RADIUS_MM)[:, None] * normals[chosen] + rng.normal(size=on_bone.shape) * case.noise_mm
    back = truth.inverse()
    return Touched(truth, at.point_mm, back.apply(true_landmarks), back.apply(balls))


def register(case: Case, touched: Touched) -> Registration:
    # The stated FLE counts what a landmark suffers in all: the hand, and the surface that it lies on.
    fle = float(np.hypot(case.fle_mm, case.sd_mm)) if case.fle_stated else None
    surface = phantom_bone()[0]
    by_landmarks = register_landmarks(ball_centres(surface, touched.ct_mm, TIP_RADIUS_MM), touched.ref_mm, fle)
    if not case.surface:
        return by_landmarks
    return register_surface(
        surface,
        touched.sweep_ref_mm,
        by_landmarks.T_ct_from_ref,
        landmarks=(touched.ct_mm, touched.ref_mm),
        fle_mm=fle,
        tip_radius_mm=TIP_RADIUS_MM,
        sd_mm=case.sd_mm,
        correlation_mm=15.0,
    )


def registered(case: Case, seed: int) -> tuple[Array, Array, Registration]:
    """Error (T, 3) at the targets, mm, the targets (T, 3), ct, and the registration."""
    touched = touch(case, seed)
    found = register(case, touched)
    targets = phantom_bone()[1] + TARGETS_MM
    return found.T_ct_from_ref.apply(touched.T_ct_from_ref.inverse().apply(targets)) - targets, targets, found


def trial(case: Case, seed: int) -> tuple[Array, Array, Registration]:
    """Squared error observed and predicted at the targets (T,), mm^2, and the registration."""
    error, targets, found = registered(case, seed)
    return np.square(error).sum(axis=1), np.square(found.tre_mm(targets)), found


def pivot_poses(rng: np.random.Generator, count: int, correlation: float) -> Array:
    """(N, 4, 4) poses T_tracker_from_marker of a tool turned about its tip, with tracker noise correlated from frame to frame."""
    phase = np.linspace(0.0, 2.0 * np.pi, count)
    tilt = 0.5 * np.stack([np.cos(4.0 * phase) * (0.4 + 0.6 * np.sin(1.3 * phase)), np.sin(4.0 * phase), np.sin(phase)], axis=1)
    noise = rng.normal(size=(count, 6))
    for n in range(1, count):
        noise[n] = correlation * noise[n - 1] + np.sqrt(1.0 - correlation**2) * noise[n]
    base = rotation_about(rng.normal(size=3))
    poses = np.tile(np.eye(4), (count, 1, 1))
    for pose, turn, error in zip(poses, tilt, noise, strict=True):
        true = rotation_about(turn) @ base
        pose[:3, :3] = rotation_about(3e-4 * error[:3]) @ true
        pose[:3, 3] = PIVOT_MM - true @ TIP_MM + 0.1 * error[3:]
    return poses
