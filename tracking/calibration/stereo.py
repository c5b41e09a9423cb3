"""Where several cameras stand, from views of one board that they saw at the same instants.

All cameras, views and (if asked) intrinsics are adjusted together with a robust loss; what `cv2.stereoCalibrate` does for two, without its trust
in every corner. The scale is the board's: with a known distance between two cameras, a board printed too large or too small is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.rigid import Rigid
from tracking.calibration.bundle import Adjusted, Seen, Setup, adjust
from tracking.calibration.camera import FOLDS, REJECT_FACTOR, REJECT_SDS
from tracking.calibration.coverage import board_pose
from tracking.calibration.targets import BoardView
from tracking.camera_model import Camera
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

MIN_SHARED_VIEWS, MAX_HELD_OUT_PX, MAX_HELD_OUT_RATIO = 8, 1.0, 1.5
#: Standard deviations of a further camera's place beyond which it is not known: share of its distance, and rad.
MAX_BASELINE_SD, MAX_TURN_SD_RAD = 0.01, 0.005
#: The board's scale is wrong if the baseline differs from the stated one by more than this share and three sd.
SCALE_TOLERANCE = 0.005
MOST_REJECTED = 0.25


@dataclass(frozen=True, eq=False)
class Extrinsics:
    """Where further cameras stand, and whether to believe it.

    Attributes
    ----------
    T_tracker_from_camera : one for each camera after the first; the tracker's axes are the first camera's
    covariance : (C - 1, 6, 6) over (rotation vector in rad, position of the camera in mm), in the tracker's axes
    baseline_mm, baseline_sd_mm : (C - 1,) distance from the first camera
    cameras : with the intrinsics as adjusted (or as given)
    rms_px : RMS error of the views used, all cameras
    held_out_px, epipolar_px : in views left out: reprojection error (the board's pose is fitted to all cameras together), and RMS distance of
    corners from the epipolar lines of the first camera's, which needs no pose at all
    views, view_rms_px : names of the views used, and the RMS error of each over all cameras
    rejected : (name, why) of views that are not used
    accepted, reasons : the verdict
    """

    T_tracker_from_camera: tuple[Rigid, ...]
    covariance: Array
    baseline_mm: Array
    baseline_sd_mm: Array
    cameras: tuple[Camera, ...]
    rms_px: float
    held_out_px: float
    epipolar_px: float
    views: tuple[str, ...]
    view_rms_px: Array
    rejected: tuple[tuple[str, str], ...]
    accepted: bool
    reasons: tuple[str, ...]


def calibrate_cameras(
    exposures: Sequence[dict[int, BoardView]], cameras: Sequence[Camera], *, refine_intrinsics: bool = False, baseline_mm: float | None = None
) -> Extrinsics:
    """Find where cameras 1, 2 ... stand as camera 0 sees it.

    Parameters
    ----------
    exposures : for each instant, the board as seen by each camera (by index); those seen by one camera only are left out
    cameras : their intrinsics, each from a calibration of its own
    refine_intrinsics : adjust them along with the rest (all must have the same number of distortion coefficients, 5 at most); otherwise their
    error is not part of the error bar
    baseline_mm : distance from the first camera to the second, measured otherwise, to check the board's scale with

    Raises
    ------
    InputRefused : one camera only, no views in common with the first, images of another size than the calibration's
    """
    _check(exposures, cameras)
    together = [e for e in exposures if len(e) > 1 and 0 in e]
    for camera in range(1, len(cameras)):
        if sum(camera in e for e in together) < 3:
            raise InputRefused(f"camera {camera} and the first were shown no board together", "show the board where both see it, and hold it still")
    setup, names = _start(together, cameras), [next(iter(e.values())).name for e in together]
    setup.free = np.arange(len(setup.intrinsics[0])) < (_coefficients(cameras) + 4 if refine_intrinsics else 0)
    fit, rejected = adjust(setup, _seen(together)), list[tuple[str, str]]()
    for _ in range(3):
        out = _outliers(fit, len(together), int(MOST_REJECTED * len(names)) - len(rejected))
        if not out:
            break
        rejected += [(next(iter(together[n].values())).name, why) for n, why in out]
        stay = [n for n in range(len(together)) if n not in {m for m, _ in out}]
        together = [together[n] for n in stay]
        fit = adjust(_some(fit.setup, stay), _seen(together))
    held_out, epipolar = _held_out(fit, together)
    return _result(fit, together, cameras, rejected, (held_out, epipolar), baseline_mm)


def _check(exposures: Sequence[dict[int, BoardView]], cameras: Sequence[Camera]) -> None:
    if len(cameras) < 2:
        raise InputRefused(f"{len(cameras)} camera(s) have no places to find", "name two cameras or more")
    for exposure in exposures:
        for index, view in exposure.items():
            if not 0 <= index < len(cameras):
                raise InputRefused(f"view '{view.name}' is of camera {index}, and there are {len(cameras)}", "pass a calibration for each camera")
            camera = cameras[index]
            if (view.width_px, view.height_px) != (camera.width_px, camera.height_px):
                raise InputRefused(
                    f"view '{view.name}' is {view.width_px} x {view.height_px} and the calibration of camera {index} holds for "
                    f"{camera.width_px} x {camera.height_px}",
                    "use the calibration of this camera at this size",
                )


def _coefficients(cameras: Sequence[Camera]) -> int:
    return max(len(c.distortion) for c in cameras)


def _intrinsics(camera: Camera, size: int) -> Array:
    found = np.zeros(4 + max(size, 4))
    found[:4] = camera.matrix[0, 0], camera.matrix[1, 1], camera.matrix[0, 2], camera.matrix[1, 2]
    found[4 : 4 + len(camera.distortion)] = camera.distortion
    return found


def _start(together: Sequence[dict[int, BoardView]], cameras: Sequence[Camera]) -> Setup:
    """Each camera's place by the median over views of what the board's two poses say."""
    poses = [{c: board_pose(v, cameras[c].matrix, cameras[c].distortion) for c, v in e.items()} for e in together]
    places = np.tile(np.eye(4), (len(cameras), 1, 1))
    for camera in range(1, len(cameras)):
        said = np.array([p[camera] @ np.linalg.inv(p[0]) for p in poses if camera in p])
        flat = said[:, :3].reshape(len(said), -1) * np.array([1.0, 1.0, 1.0, 1e-3] * 3)
        # The view that all others agree with best: a mean would mix in flipped boards.
        apart = np.linalg.norm(flat[:, None] - flat[None], axis=2)
        places[camera] = said[int(np.median(apart, axis=1).argmin())]
    intrinsics = np.array([_intrinsics(c, _coefficients(cameras)) for c in cameras])
    return Setup(intrinsics, places, np.array([p[0] for p in poses]), np.zeros(intrinsics.shape[1], np.bool_))


def _seen(together: Sequence[dict[int, BoardView]]) -> list[Seen]:
    return [Seen(camera, n, view) for n, exposure in enumerate(together) for camera, view in exposure.items()]


def _some(setup: Setup, which: Sequence[int]) -> Setup:
    return Setup(setup.intrinsics, setup.T_camera_from_first, setup.T_first_from_board[list(which)], setup.free)


def _view_errors(fit: Adjusted, count: int) -> Array:
    return np.array([fit.rms_px([k for k in fit.residuals if k[1] == n]) for n in range(count)])


def _outliers(fit: Adjusted, count: int, most: int) -> list[tuple[int, str]]:
    error = _view_errors(fit, count)
    middle = float(np.median(error))
    limit = max(middle + REJECT_SDS * 1.4826 * float(np.median(np.abs(error - middle))), REJECT_FACTOR * middle, 0.02)
    worst = [int(n) for n in np.argsort(-error) if error[n] > limit][: max(most, 0)]
    return [(n, f"its corners are {error[n]:.2f} px from the fit, the others' {middle:.2f} px (moving, not simultaneous, or misread)") for n in worst]


def _held_out(fit: Adjusted, together: Sequence[dict[int, BoardView]]) -> tuple[float, float]:
    square, count, epipolar = 0.0, 0, list[Array]()
    for fold in range(min(FOLDS, len(together))):
        inside = [n for n in range(len(together)) if n % FOLDS != fold]
        outside = [n for n in range(len(together)) if n % FOLDS == fold]
        trained = adjust(_some(fit.setup, inside), _seen([together[n] for n in inside]), steps=15).setup
        residuals = _placed(trained, fit.setup.T_first_from_board[outside], [together[n] for n in outside])
        square, count = square + float(np.square(residuals).sum()), count + len(residuals)
        epipolar += [_off_lines(trained, c, together[n][0], v) for n in outside for c, v in together[n].items() if c]
    return float(np.sqrt(square / count)), float(np.sqrt(np.concatenate(epipolar).mean()))


def _placed(setup: Setup, poses: Array, exposures: Sequence[dict[int, BoardView]]) -> Array:
    """(N, 2) residuals with the cameras as they stand and only the board's poses fitted, view by view."""
    residuals = []
    for pose, exposure in zip(poses, exposures, strict=True):
        one = Setup(setup.intrinsics, setup.T_camera_from_first, pose[None].copy(), np.zeros_like(setup.free), fixed_cameras=True)
        rows = [Seen(c, 0, v) for c, v in exposure.items()]
        residuals += list(adjust(one, rows, steps=15).residuals.values())
    return np.concatenate(residuals)


def _off_lines(setup: Setup, camera: int, first: BoardView, other: BoardView) -> Array:
    """(N,) squared distances, px^2, of corners from the lines on which the other camera's corner puts them (mean of both images)."""
    _, a, b = np.intersect1d(first.ids, other.ids, return_indices=True)
    flat = [_undistorted(setup.intrinsics[k], view.seen_px[rows]) for k, view, rows in ((0, first, a), (camera, other, b))]
    T = setup.T_camera_from_first[camera]
    x, y, z = T[:3, 3]
    essential = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]) @ T[:3, :3]
    one, two = (np.column_stack([p, np.ones(len(p))]) for p in flat)
    off = np.einsum("ni,ij,nj->n", two, essential, one)
    line_two, line_one = one @ essential.T, two @ essential
    focal = setup.intrinsics[[0, camera], 0]
    in_one = np.square(off * focal[0]) / np.maximum(np.square(line_one[:, :2]).sum(axis=1), 1e-300)
    in_two = np.square(off * focal[1]) / np.maximum(np.square(line_two[:, :2]).sum(axis=1), 1e-300)
    return np.asarray((in_one + in_two) / 2.0)


def _undistorted(values: Array, pixels: Array) -> Array:
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    return np.asarray(cv2.undistortPoints(pixels[:, None], matrix, values[4:]), dtype=np.float64).reshape(-1, 2)


def _result(
    fit: Adjusted,
    together: Sequence[dict[int, BoardView]],
    cameras: Sequence[Camera],
    rejected: list[tuple[str, str]],
    held_out: tuple[float, float],
    baseline_mm: float | None,
) -> Extrinsics:
    setup, free = fit.setup, int(fit.setup.free.sum())
    places, covariances = list[Rigid](), list[Array]()
    for camera in range(1, len(cameras)):
        matrix = np.linalg.inv(setup.T_camera_from_first[camera])
        places.append(Rigid.from_matrix(matrix, target="tracker", source=f"camera/{camera}"))
        at = free * len(cameras) + 6 * (camera - 1)
        # T_camera_from_first turned by w and shifted by d: its inverse turns by -R'w, and its place moves by -R'(d - w x t) = R'(-d - [t]x w).
        R, t = setup.T_camera_from_first[camera][:3, :3], setup.T_camera_from_first[camera][:3, 3]
        cross = np.array([[0.0, -t[2], t[1]], [t[2], 0.0, -t[0]], [-t[1], t[0], 0.0]])
        change = np.block([[-R.T, np.zeros((3, 3))], [-R.T @ cross, -R.T]])
        covariances.append(change @ fit.covariance[at : at + 6, at : at + 6] @ change.T)
    where = np.array([p.t_mm for p in places])
    baseline = np.linalg.norm(where, axis=1)
    along = where / np.maximum(baseline, 1e-9)[:, None]
    sd = np.array([np.sqrt(max(u @ c[3:, 3:] @ u, 0.0)) for u, c in zip(along, covariances, strict=True)])
    rms = fit.rms_px()
    found = tuple(
        Camera(np.array([[v[0], 0.0, v[2]], [0.0, v[1], v[3]], [0.0, 0.0, 1.0]]), v[4:] if free else c.distortion, c.width_px, c.height_px)
        for v, c in zip(setup.intrinsics, cameras, strict=True)
    )
    reasons = _reasons(len(together), rms, held_out, covariances, baseline, rejected) + _scale_reasons(baseline[0], sd[0], baseline_mm)
    return Extrinsics(
        T_tracker_from_camera=tuple(places),
        covariance=np.array(covariances),
        baseline_mm=baseline,
        baseline_sd_mm=sd,
        cameras=found,
        rms_px=rms,
        held_out_px=held_out[0],
        epipolar_px=held_out[1],
        views=tuple(next(iter(e.values())).name for e in together),
        view_rms_px=_view_errors(fit, len(together)),
        rejected=tuple(rejected),
        accepted=not reasons,
        reasons=tuple(reasons),
    )


def _reasons(
    views: int, rms_px: float, held_out: tuple[float, float], covariances: list[Array], baseline: Array, rejected: list[tuple[str, str]]
) -> list[str]:
    reasons = []
    if views < MIN_SHARED_VIEWS:
        reasons.append(f"only {views} views in common: take at least {MIN_SHARED_VIEWS}, better 20, at different tilts and distances")
    for number, (covariance, distance) in enumerate(zip(covariances, baseline, strict=True), start=1):
        place, turn = float(np.sqrt(np.diag(covariance)[3:].max())), float(np.sqrt(np.diag(covariance)[:3].max()))
        if place > MAX_BASELINE_SD * max(distance, 50.0) or turn > MAX_TURN_SD_RAD:
            reasons.append(f"camera {number} is placed to {place:.1f} mm and {np.degrees(turn):.2f} deg (sd) only: take more views, near and far")
    if max(held_out) > MAX_HELD_OUT_PX:
        reasons.append(f"views left out are {held_out[0]:.2f} px off ({held_out[1]:.2f} px from epipolar lines): are the cameras triggered together?")
    elif held_out[0] > MAX_HELD_OUT_RATIO * rms_px and held_out[0] > 0.05:
        reasons.append(f"views left out are worse ({held_out[0]:.2f} px) than those in the fit ({rms_px:.2f} px): take more views")
    if len(rejected) >= max(2, int(MOST_REJECTED * (views + len(rejected)))):
        reasons.append(f"{len(rejected)} of {views + len(rejected)} views do not fit: the cameras are not triggered together, or one moved")
    return reasons


def _scale_reasons(found_mm: float, sd_mm: float, stated_mm: float | None) -> list[str]:
    if stated_mm is None:
        return []
    if not (np.isfinite(stated_mm) and stated_mm > 0.0):
        raise InputRefused(f"the stated baseline is {stated_mm} mm", "measure the distance between the two lenses, in mm")
    ratio = found_mm / stated_mm
    if abs(ratio - 1.0) > SCALE_TOLERANCE + 3.0 * sd_mm / stated_mm:
        share = abs(1.0 / ratio - 1.0)
        size = "smaller" if ratio > 1.0 else "larger"
        return [
            f"the cameras are {found_mm:.1f} mm apart by the board, {stated_mm:.1f} mm as stated: the board is {share:.1%} {size} than it says; "
            "measure its check square, and print it at 100 % or pass its true size"
        ]
    return []
