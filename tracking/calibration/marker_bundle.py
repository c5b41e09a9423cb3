"""Bundle adjustment of a marker body: where each of its markers really is, found together with the body's pose in every frame.

Every marker is a flat square that may sit anywhere on the body; all squares share one print scale. Gauss-Newton with Levenberg's damping; the
poses are eliminated frame by frame (Schur complement: Triggs et al., "Bundle adjustment, a modern synthesis", 2000, section 6). Residuals are
whitened by the measured covariance of each marker's corners and weighted by Huber's function, one weight a marker.

What no image tells is where the body's axes are: the answer is laid on the plan by the best rigid fit of all corners, and its covariance is that of
corners so laid ("inner constraints": the error bar does not depend on which marker one holds fixed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracking.camera_model import Camera
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

STEPS = 60
#: Median of chi-square with the eight degrees of freedom of a marker's corners.
MEDIAN_CHI2 = 7.344
#: A marker whose whitened residual is longer than this many robust standard deviations loses weight (chi with 8 dof: 1 in 400).
HUBER_SDS = 5.0


@dataclass(frozen=True, eq=False)
class Shots:
    """Markers as seen, one row for each marker in each picture.

    Attributes
    ----------
    frame, camera, marker : (K,) indices
    seen_px : (K, 4, 2)
    whiten : (K, 8, 8) that turns the covariance of a marker's eight numbers into the identity
    """

    frame: Index
    camera: Index
    marker: Index
    seen_px: Array
    whiten: Array

    def of(self, rows: npt.NDArray[np.bool_]) -> Shots:
        return Shots(self.frame[rows], self.camera[rows], self.marker[rows], self.seen_px[rows], self.whiten[rows])


@dataclass(frozen=True, eq=False)
class Eyes:
    """The cameras, and where they stand: (C, 4, 4) T_camera_from_tracker."""

    cameras: tuple[Camera, ...]
    T_camera_from_tracker: Array


@dataclass(frozen=True, eq=False)
class Adjusted:
    """What the adjustment found.

    Attributes
    ----------
    corners_mm : (M, 4, 3) in the plan's axes
    covariance : (12 M, 12 M) of them, mm^2, without the scale's own where that was given
    scale, scale_sd : of the print against the plan; sd 0 where it was given
    T_tracker_from_body : (F, 4, 4)
    residual_px : (K, 4, 2) seen less predicted
    weight : (K,) 1 for a marker that fits
    bend_mm, bend_sd_mm : (M,) how far the corner of each marker that fits its flat square least is from it, and its standard deviation
    """

    corners_mm: Array
    covariance: Array
    scale: float
    scale_sd: float
    T_tracker_from_body: Array
    residual_px: Array
    weight: Array
    bend_mm: Array
    bend_sd_mm: Array


@dataclass(frozen=True, eq=False)
class _State:
    poses: Array  # (F, 4, 4)
    turns: Array  # (M, 3, 3) of each marker against the plan
    centres: Array  # (M, 3)
    scale: float


def adjust(shots: Shots, eyes: Eyes, plan_mm: Array, poses: Array, scale: float, *, free_scale: bool) -> Adjusted:
    """Find the body's corners.

    Parameters
    ----------
    shots : every marker in at least one row, linked with the others by frames that show several
    plan_mm : (M, 4, 3) corners as planned: the start
    poses : (F, 4, 4) T_tracker_from_body with the plan: the start
    scale : of the print against the plan: the answer, or with `free_scale` the start. One camera cannot tell it
    """
    middle = plan_mm.mean(axis=1)
    local = plan_mm - middle[:, None]
    state = _State(poses, np.tile(np.eye(3), (len(plan_mm), 1, 1)), middle, scale)
    residual, slopes = _linearized(shots, eyes, local, state)
    damping = 1e-4
    for _ in range(STEPS):
        weight, knee = _weights(residual)
        cost = _huber(residual, knee)
        blocks = _blocks(shots, residual, slopes, state, local, weight, free_scale)
        step = None
        while damping < 1e8:
            step = _solved(*blocks, damping)
            tried = _moved(state, *step, free_scale)
            new_residual, new_slopes = _linearized(shots, eyes, local, tried)
            if np.isfinite(new_residual).all() and _huber(new_residual, knee) <= cost:
                state, residual, slopes, damping = tried, new_residual, new_slopes, max(damping / 10.0, 1e-9)
                break
            damping *= 10.0
        if step is None or damping >= 1e8 or cost - _huber(residual, knee) < 1e-9 * max(cost, 1e-12):
            break
    return _answer(shots, residual, slopes, state, local, plan_mm, free_scale)


def _corners(local: Array, state: _State) -> Array:
    return np.asarray(np.einsum("mij,mkj->mki", state.turns, local) * state.scale + state.centres[:, None])


def _linearized(shots: Shots, eyes: Eyes, local: Array, state: _State) -> tuple[Array, Array]:
    """Whitened residuals (K, 8), and the whitened derivative of the corners' pixels by their places in tracker axes (K, 8, 4, 3)."""
    corners = _corners(local, state)[shots.marker]
    pose = state.poses[shots.frame]
    placed = np.einsum("kij,kcj->kci", pose[:, :3, :3], corners) + pose[:, None, :3, 3]
    pixels, by_place = np.empty(shots.seen_px.shape), np.empty((*shots.seen_px.shape, 3))
    for number, camera in enumerate(eyes.cameras):
        rows = shots.camera == number
        if not rows.any():
            continue
        T = eyes.T_camera_from_tracker[number]
        points = (placed[rows] @ T[:3, :3].T + T[:3, 3]).reshape(-1, 3)
        coefficients = camera.distortion if camera.distortion.size else None
        projected, jacobian = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.matrix, coefficients)
        flat = np.where(points[:, 2:] > 1e-6, projected.reshape(-1, 2), np.nan)
        pixels[rows] = flat.reshape(-1, 4, 2)
        by_place[rows] = (jacobian[:, 3:6].reshape(-1, 2, 3) @ T[:3, :3]).reshape(-1, 4, 2, 3)
    residual = np.einsum("kij,kj->ki", shots.whiten, (shots.seen_px - pixels).reshape(-1, 8))
    slopes = np.einsum("kicd,kcdx->kicx", shots.whiten.reshape(-1, 8, 4, 2), by_place)
    return residual, slopes


def _weights(residual: Array) -> tuple[Array, float]:
    length = np.linalg.norm(residual, axis=1)
    knee = HUBER_SDS * float(np.sqrt(max(np.median(length**2) / MEDIAN_CHI2, 1e-12)))
    return np.minimum(1.0, knee / np.maximum(length, 1e-300)), knee


def _huber(residual: Array, knee: float) -> float:
    length = np.linalg.norm(residual, axis=1)
    return float(np.where(length <= knee, length**2, knee * (2.0 * length - knee)).sum())


def _cross(arms: Array) -> Array:
    """(..., 3) -> (..., 3, 3) matrices that take a small turn to the shift it gives to the arm's end."""
    x, y, z = np.moveaxis(arms, -1, 0)
    zero = np.zeros_like(x)
    return np.stack([np.stack([zero, z, -y], -1), np.stack([-z, zero, x], -1), np.stack([y, -x, zero], -1)], -2)


def _blocks(
    shots: Shots, residual: Array, slopes: Array, state: _State, local: Array, weight: Array, free_scale: bool
) -> tuple[Array, Array, Array, Array, Array]:
    """Normal equations in blocks: poses (F, 6, 6), poses by shared (F, 6, P), shared (P, P), and the right-hand sides."""
    markers, frames = len(local), len(state.poses)
    rotation = state.poses[shots.frame, :3, :3]
    arms = np.einsum("mij,mkj->mki", state.turns, local)[shots.marker]
    own = arms * state.scale
    turned = np.einsum("kij,kcj->kci", rotation, own + state.centres[shots.marker][:, None])
    by_pose = np.concatenate([np.einsum("kicx,kcxy->kiy", slopes, _cross(turned)), slopes.sum(axis=2)], axis=2)
    in_body = np.einsum("kicx,kxy->kicy", slopes, rotation)
    by_marker = np.concatenate([np.einsum("kicx,kcxy->kiy", in_body, _cross(own)), in_body.sum(axis=2)], axis=2)
    size = 6 * markers + int(free_scale)
    poses, mixed, shared = np.zeros((frames, 6, 6)), np.zeros((frames, 6, size)), np.zeros((size, size))
    pose_side, side = np.zeros((frames, 6)), np.zeros(size)
    w = weight[:, None, None]
    np.add.at(poses, shots.frame, np.swapaxes(by_pose, 1, 2) @ (w * by_pose))
    np.add.at(pose_side, shots.frame, np.einsum("kij,ki->kj", w * by_pose, residual))
    own_columns = 6 * shots.marker[:, None] + np.arange(6)
    np.add.at(mixed, (shots.frame[:, None, None], np.arange(6)[None, :, None], own_columns[:, None]), np.swapaxes(by_pose, 1, 2) @ (w * by_marker))
    np.add.at(shared, (own_columns[:, :, None], own_columns[:, None]), np.swapaxes(by_marker, 1, 2) @ (w * by_marker))
    np.add.at(side, own_columns, np.einsum("kij,ki->kj", w * by_marker, residual))
    if free_scale:
        by_scale = np.einsum("kicx,kcx->ki", in_body, arms)
        weighted = weight[:, None] * by_scale
        np.add.at(mixed[:, :, -1], shots.frame, np.einsum("kij,ki->kj", by_pose, weighted))
        cross = np.einsum("kij,ki->kj", by_marker, weighted)
        np.add.at(shared[-1], own_columns, cross)
        shared[:-1, -1] = shared[-1, :-1]
        shared[-1, -1] = float((weighted * by_scale).sum())
        side[-1] = float((weighted * residual).sum())
    return poses, mixed, shared, pose_side, side


def _solved(poses: Array, mixed: Array, shared: Array, pose_side: Array, side: Array, damping: float) -> tuple[Array, Array]:
    """The damped step of the poses (F, 6) and of what they share (P,). The damping also holds the body's axes, which no image does."""
    damped = poses + damping * np.eye(6) * np.diagonal(poses, axis1=1, axis2=2)[:, None]
    eliminated = np.linalg.solve(damped, np.concatenate([mixed, pose_side[..., None]], axis=2))
    reduced = shared - np.einsum("fij,fik->jk", mixed, eliminated[..., :-1]) + damping * np.diag(np.diag(shared))
    right = side - np.einsum("fij,fi->j", mixed, eliminated[..., -1])
    reduced += 1e-12 * np.trace(shared) / len(shared) * np.eye(len(shared))
    step = np.linalg.solve(reduced, right)
    return eliminated[..., -1] - eliminated[..., :-1] @ step, step


def _turns_of(vectors: Array) -> Array:
    return np.array([cv2.Rodrigues(vector)[0] for vector in vectors])


def _moved(state: _State, pose_step: Array, step: Array, free_scale: bool) -> _State:
    markers = len(state.centres)
    poses = state.poses.copy()
    poses[:, :3, :3] = _turns_of(pose_step[:, :3]) @ poses[:, :3, :3]
    poses[:, :3, 3] += pose_step[:, 3:]
    own = step[: 6 * markers].reshape(markers, 6)
    scale = state.scale + (float(step[-1]) if free_scale else 0.0)
    return _State(poses, _turns_of(own[:, :3]) @ state.turns, state.centres + own[:, 3:], scale)


def rigid_fit(points: Array, onto: Array) -> tuple[Array, Array]:
    """Rotation and shift that lay points (N, 3) on others with the least sum of squares (Kabsch 1976)."""
    a, b = points.mean(axis=0), onto.mean(axis=0)
    u, _, vt = np.linalg.svd((points - a).T @ (onto - b))
    rotation = vt.T @ np.diag((1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T)))) @ u.T
    return rotation, b - rotation @ a


def _answer(shots: Shots, residual: Array, slopes: Array, state: _State, local: Array, plan_mm: Array, free_scale: bool) -> Adjusted:
    weight, _ = _weights(residual)
    poses, mixed, shared, *_ = _blocks(shots, residual, slopes, state, local, weight, free_scale)
    unknowns = 6 * len(poses) + len(shared) - 6
    variance = float((weight[:, None] * residual**2).sum()) / max(residual.size - unknowns, 1)
    reduced = shared - np.einsum("fij,fik->jk", mixed, np.linalg.solve(poses, mixed))
    # Six directions are the body's axes, which nothing fixes: the smallest eigenvalues.
    value, vector = np.linalg.eigh(reduced)
    inverse = (vector[:, 6:] / np.maximum(value[6:], 1e-12)) @ vector[:, 6:].T * variance
    corners = _corners(local, state)
    own = corners - state.centres[:, None]
    by_shared = np.zeros((len(plan_mm), 4, 3, len(shared)))
    for m in range(len(plan_mm)):
        by_shared[m, ..., 6 * m : 6 * m + 3] = _cross(own[m])
        by_shared[m, ..., 6 * m + 3 : 6 * m + 6] = np.eye(3)
    if free_scale:
        by_shared[..., -1] = own / state.scale
    rotation, shift = rigid_fit(corners.reshape(-1, 3), plan_mm.reshape(-1, 3))
    laid = corners @ rotation.T + shift
    spread = np.einsum("ij,mkjp->mkip", rotation, by_shared).reshape(-1, len(shared))
    arms = (laid - laid.reshape(-1, 3).mean(axis=0)).reshape(-1, 3)
    gauge = np.concatenate([_cross(arms), np.tile(np.eye(3), (len(arms), 1, 1))], axis=2).reshape(-1, 6)
    spread = spread - gauge @ np.linalg.lstsq(gauge, spread, rcond=None)[0]
    back = np.eye(4)
    back[:3, :3], back[:3, 3] = rotation.T, -rotation.T @ shift
    bend, bend_sd = _bends(shots, residual, slopes, state, weight, variance, len(plan_mm))
    unwhitened: Array = np.asarray(np.linalg.solve(shots.whiten, residual[..., None]), dtype=np.float64).reshape(-1, 4, 2)
    scale_sd = float(np.sqrt(inverse[-1, -1])) if free_scale else 0.0
    return Adjusted(laid, spread @ inverse @ spread.T, state.scale, scale_sd, state.poses @ back, unwhitened, weight, bend, bend_sd)


def _bends(shots: Shots, residual: Array, slopes: Array, state: _State, weight: Array, variance: float, markers: int) -> tuple[Array, Array]:
    """How far each marker's corners ask to leave its flat square, everything else held: the farthest corner, and its standard deviation."""
    in_body = np.einsum("kicx,kxy->kicy", slopes, state.poses[shots.frame, :3, :3])
    bend, sd = np.zeros(markers), np.zeros(markers)
    for m in range(markers):
        rows = shots.marker == m
        design = in_body[rows].reshape(-1, 8, 12)
        w = weight[rows][:, None, None]
        information = (np.swapaxes(design, 1, 2) @ (w * design)).sum(axis=0)
        inverse = np.linalg.pinv(information, hermitian=True)
        moves = (inverse @ np.einsum("kij,ki->j", w * design, residual[rows])).reshape(4, 3)
        farthest = int(np.argmax(np.linalg.norm(moves, axis=1)))
        bend[m] = float(np.linalg.norm(moves[farthest]))
        block = inverse[3 * farthest : 3 * farthest + 3, 3 * farthest : 3 * farthest + 3]
        sd[m] = float(np.sqrt(np.linalg.eigvalsh(block)[-1] * variance))
    return bend, sd


def linked(marker: Sequence[set[int]], markers: int, least: int) -> set[int]:
    """The largest group of markers that at least `least` frames each link with one another, directly or through others."""
    together = np.zeros((markers, markers), dtype=np.int64)
    for seen in marker:
        rows = sorted(seen)
        together[np.ix_(rows, rows)] += 1
    groups, left = list[set[int]](), {m for m in range(markers) if together[m, m] >= least}
    while left:
        group, edge = set[int](), [min(left)]
        while edge:
            m = edge.pop()
            if m in left:
                left.discard(m)
                group.add(m)
                edge += [n for n in left if together[m, n] >= least]
        groups.append(group)
    return max(groups, key=len, default=set())
