"""Bundle adjustment of flat boards: camera intrinsics, where further cameras stand, and the pose of the board in every view, all at once.

Gauss-Newton with Levenberg's damping; the views' poses are eliminated one by one (Schur complement), so that its cost grows with the number of views
only linearly. Each view's part of the reduced system says what it alone does to the result, and so how far the views scatter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import at_least, student_factor
from navtwin.calibrate.poses import cross_matrices, rotations_about
from tracking.calibration.targets import BoardView
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

STEPS = 60
#: Residuals beyond this many robust standard deviations lose weight (Huber).
HUBER_SDS = 3.0
#: Half the spread of a corner that is found perfectly; keeps weights finite on exact data.
LEAST_SD_PX = 1e-4


@dataclass(frozen=True, eq=False)
class Seen:
    """One camera's picture of the board in one view."""

    camera: int
    view: int
    corners: BoardView


@dataclass(eq=False)
class Setup:
    """What is adjusted.

    Attributes
    ----------
    intrinsics : (C, 4 + K) fx fy cx cy and K distortion coefficients of each camera
    T_camera_from_first : (C, 4, 4); the first stays the identity
    T_first_from_board : (V, 4, 4)
    free : (4 + K,) which intrinsics may change
    fixed_cameras : whether the cameras stay where they are
    """

    intrinsics: Array
    T_camera_from_first: Array
    T_first_from_board: Array
    free: npt.NDArray[np.bool_]
    fixed_cameras: bool = False

    def copy(self) -> Setup:
        return replace(
            self,
            intrinsics=self.intrinsics.copy(),
            T_camera_from_first=self.T_camera_from_first.copy(),
            T_first_from_board=self.T_first_from_board.copy(),
        )

    @property
    def shared(self) -> int:
        """How many parameters all views share: free intrinsics of each camera, then six for each camera after the first."""
        cameras = len(self.intrinsics)
        return cameras * int(self.free.sum()) + (0 if self.fixed_cameras else 6 * (cameras - 1))


@dataclass(eq=False)
class Adjusted:
    """The optimum.

    Attributes
    ----------
    residuals : by (camera, view), (N, 2) px, predicted less seen
    sd_px : robust standard deviation of a coordinate
    covariance : (S, S) of the shared parameters: from the scatter between views, nowhere below what independent corners give
    independent : (S, S) what independent corners alone would give (as `cv2.calibrateCameraExtended` states)
    """

    setup: Setup
    residuals: dict[tuple[int, int], Array]
    sd_px: float
    covariance: Array
    independent: Array

    def rms_px(self, keys: Sequence[tuple[int, int]] | None = None) -> float:
        """RMS distance of a corner over all views, or over those named."""
        chosen = list(self.residuals) if keys is None else keys
        return float(np.sqrt(np.concatenate([np.square(self.residuals[k]).sum(axis=1) for k in chosen]).mean()))


def projected(intrinsics: Array, points_mm: Array) -> tuple[Array, Array, Array]:
    """(N, 2) pixels of points (N, 3) in camera axes; derivatives (N, 2, 3) by the points and (N, 2, 4 + K) by the intrinsics."""
    matrix = np.array([[intrinsics[0], 0.0, intrinsics[2]], [0.0, intrinsics[1], intrinsics[3]], [0.0, 0.0, 1.0]])
    pixels, jacobian = cv2.projectPoints(points_mm, np.zeros(3), np.zeros(3), matrix, intrinsics[4:])
    by = np.asarray(jacobian).reshape(len(points_mm), 2, -1)
    return np.asarray(pixels).reshape(-1, 2), by[:, :, 3:6], by[:, :, 6 : 6 + len(intrinsics)]


def _rows(setup: Setup, seen: Seen) -> tuple[Array, Array, Array]:
    """(N, 2) residuals, (N, 2, S) derivatives by the shared parameters and (N, 2, 6) by the view's pose (turn about the camera's origin, shift)."""
    pose, other = setup.T_first_from_board[seen.view], setup.T_camera_from_first[seen.camera]
    in_first = seen.corners.board_mm @ pose[:3, :3].T + pose[:3, 3]
    turned = in_first @ other[:3, :3].T
    pixels, by_point, by_intrinsics = projected(setup.intrinsics[seen.camera], turned + other[:3, 3])
    count = int(setup.free.sum())
    shared = np.zeros((len(pixels), 2, setup.shared))
    shared[:, :, count * seen.camera : count * (seen.camera + 1)] = by_intrinsics[:, :, setup.free]
    if seen.camera and not setup.fixed_cameras:
        at = count * len(setup.intrinsics) + 6 * (seen.camera - 1)
        shared[:, :, at : at + 3] = -by_point @ cross_matrices(turned)
        shared[:, :, at + 3 : at + 6] = by_point
    by_first = by_point @ other[:3, :3]
    own = np.concatenate([-by_first @ cross_matrices(in_first), by_first], axis=2)
    return pixels - seen.corners.seen_px, shared, own


def _moved(matrix: Array, step: Array) -> Array:
    """A pose after a small turn about the origin of its target, and a shift."""
    turn = rotations_about(step[:3])
    found = matrix.copy()
    found[:3, :3], found[:3, 3] = turn @ matrix[:3, :3], turn @ matrix[:3, 3] + step[3:]
    return found


def _stepped(setup: Setup, shared: Array, own: dict[int, Array]) -> Setup:
    found = setup.copy()
    count, cameras = int(setup.free.sum()), len(setup.intrinsics)
    for camera in range(cameras):
        found.intrinsics[camera, setup.free] += shared[count * camera : count * (camera + 1)]
        if camera and not setup.fixed_cameras:
            at = count * cameras + 6 * (camera - 1)
            found.T_camera_from_first[camera] = _about_itself(setup.T_camera_from_first[camera], shared[at : at + 6])
    for view, step in own.items():
        found.T_first_from_board[view] = _moved(setup.T_first_from_board[view], step)
    return found


def _about_itself(matrix: Array, step: Array) -> Array:
    """A camera's pose after a small turn that leaves its translation, and a shift."""
    found = matrix.copy()
    found[:3, :3] = rotations_about(step[:3]) @ matrix[:3, :3]
    found[:3, 3] += step[3:]
    return found


@dataclass(eq=False)
class _System:
    """Normal equations, view by view: (own x own), (own x shared), own gradient, (shared x shared), shared gradient."""

    blocks: dict[int, list[Array]]
    cost: float
    residuals: dict[tuple[int, int], Array]
    sd_px: float


def _assembled(setup: Setup, all_seen: Sequence[Seen], sd_px: float | None) -> _System:
    rows = [_rows(setup, seen) for seen in all_seen]
    residuals = {(s.camera, s.view): r[0] for s, r in zip(all_seen, rows, strict=True)}
    length = np.concatenate([np.linalg.norm(r[0], axis=1) for r in rows])
    # The median of a 2D normal error's length is 1.177 standard deviations per axis.
    sd = max(float(np.median(length)) / 1.177, LEAST_SD_PX) if sd_px is None else sd_px
    blocks: dict[int, list[Array]] = {}
    cost = 0.0
    for seen, (residual, shared, own) in zip(all_seen, rows, strict=True):
        scaled = np.linalg.norm(residual, axis=1) / sd
        weight = np.minimum(1.0, HUBER_SDS / np.maximum(scaled, 1e-12))
        cost += float(np.where(scaled <= HUBER_SDS, 0.5 * scaled**2, HUBER_SDS * (scaled - 0.5 * HUBER_SDS)).sum())
        root = np.sqrt(weight)[:, None, None] / sd
        s, o = (root * shared).reshape(2 * len(root), -1), (root * own).reshape(-1, 6)
        r = (root[:, :, 0] * residual).ravel()
        parts = [o.T @ o, o.T @ s, o.T @ r, s.T @ s, s.T @ r]
        block = blocks.get(seen.view)
        blocks[seen.view] = parts if block is None else [a + b for a, b in zip(block, parts, strict=True)]
    return _System(blocks, cost, residuals, sd)


def _reduced(system: _System, damping: float) -> tuple[dict[int, tuple[Array, Array]], dict[int, tuple[Array, Array]]]:
    """Each view's reduced (shared) normal matrix and gradient, and what turns a shared step into its own."""
    reduced, back = {}, {}
    for view, (oo, os, og, ss, sg) in system.blocks.items():
        inverse = np.linalg.inv(oo + damping * np.diag(np.diag(oo)) + 1e-12 * np.eye(6))
        reduced[view] = (ss - os.T @ inverse @ os, sg - os.T @ inverse @ og)
        back[view] = (inverse @ os, inverse @ og)
    return reduced, back


def adjust(setup: Setup, all_seen: Sequence[Seen], steps: int = STEPS) -> Adjusted:
    """Descend to the optimum.

    Parameters
    ----------
    setup : where to start; it is not changed
    all_seen : which camera saw what of the board in which view; every view at least once
    """
    system = _assembled(setup, all_seen, None)
    damping = 1e-4
    for _ in range(steps):
        reduced, back = _reduced(system, damping)
        normal = np.sum([n for n, _ in reduced.values()], axis=0) if setup.shared else np.zeros((0, 0))
        gradient = np.sum([g for _, g in reduced.values()], axis=0)
        shared = -np.linalg.lstsq(_damped(normal, damping), gradient, rcond=None)[0] if setup.shared else np.zeros(0)
        tried = _stepped(setup, shared, {view: -(og + os @ shared) for view, (os, og) in back.items()})
        after = _assembled(tried, all_seen, system.sd_px)
        if not np.isfinite(after.cost) or after.cost > system.cost:
            damping *= 10.0
            if damping > 1e8:
                break
            continue
        gain = (system.cost - after.cost) / max(system.cost, 1e-12)
        setup, damping = tried, max(damping / 10.0, 1e-10)
        # The spread is taken anew only on the way down, so that costs compare.
        system = _assembled(setup, all_seen, None)
        if gain < 1e-7:
            break
    return _judged(setup, system, len(all_seen))


def _damped(normal: Array, damping: float) -> Array:
    return np.asarray(normal + damping * np.diag(np.diag(normal)))


def _judged(setup: Setup, system: _System, pictures: int) -> Adjusted:
    reduced = list(_reduced(system, 0.0)[0].values())
    size = setup.shared
    if not size:
        return Adjusted(setup, system.residuals, system.sd_px, np.zeros((0, 0)), np.zeros((0, 0)))
    normal = np.sum([n for n, _ in reduced], axis=0)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(normal), 1e-300))
    # Parameters in units of their own precision: the conditioning of pixels against k3 would spoil the inverse.
    values, vectors = np.linalg.eigh(normal * np.outer(scale, scale))
    # White coordinates, in which independent corners of unit sd would leave the identity as covariance.
    white = scale[:, None] * vectors / np.sqrt(np.maximum(values, 1e-14 * values[-1]))
    coordinates = 2 * sum(len(r) for r in system.residuals.values())
    freedom = max(coordinates - 6 * len(reduced) - size, 1)
    # Clipped as the fit clips them, so that a misread corner does not widen every error bar.
    clipped = [np.minimum(np.linalg.norm(r, axis=1) / system.sd_px, HUBER_SDS) for r in system.residuals.values()]
    independent = float(np.square(np.concatenate(clipped)).sum()) / freedom * np.eye(size)
    shifts = np.array([_shift(white.T @ n @ white, white.T @ g) for n, g in reduced])
    total = len(reduced)
    by_views = shifts.T @ shifts * student_factor(max(total * min(pictures / total, 1.0) - 2.0, 1.0)) ** 2
    both = at_least(by_views, independent)
    return Adjusted(setup, system.residuals, system.sd_px, white @ both @ white.T, white @ independent @ white.T)


def _shift(share: Array, gradient: Array) -> Array:
    """What one view's residuals do to the estimate, with the part that it has itself absorbed given back by half (CR2).

    Bell and McCaffrey, Survey Methodology 2002;28:169. With independent residuals the sum of squares is then unbiased, where leaving views out (a
    jackknife) would come out too large.
    """
    values, vectors = np.linalg.eigh(np.eye(len(share)) - share)
    return np.asarray(vectors @ ((vectors.T @ gradient) / np.sqrt(np.maximum(values, 1e-3))))
