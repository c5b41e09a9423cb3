"""Camera calibration that is judged by what it has not seen: coverage, tilts, held-out error, error bars.

Pinhole with radial and tangential distortion (Brown, Photogrammetric Engineering 1971;37:855, in OpenCV's order k1 k2 p1 p2 k3), adjusted over all
views. One camera cannot see that a board is printed at a wrong scale: every view would look the same from proportionally further away. Its
calibration does not depend on it either; only distances do. The sheet's check square, or a second camera at a known distance, finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from tracking.calibration.bundle import Adjusted, Seen, Setup, adjust
from tracking.calibration.coverage import Coverage, board_pose, coverage, coverage_reasons
from tracking.calibration.targets import BoardView
from tracking.camera_model import Camera
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

NAMES = ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3")
MODELS = {"k1 k2 p1 p2": 8, "k1 k2 p1 p2 k3": 9}
FOLDS = 5
#: A richer model must lower the held-out error by this share to be taken.
WORTH_IT = 0.01
#: A view is an outlier beyond this many robust sds of the views' errors, and this factor of their median; at most this share may be.
REJECT_SDS, REJECT_FACTOR, MOST_REJECTED = 5.0, 1.7, 0.2
#: Held-out error over fitted error; largest error at all; largest relative sd of the focal length; farthest principal point from the centre (share).
MAX_HELD_OUT_RATIO, MAX_RMS_PX, MAX_FOCAL_SD, MAX_OFF_CENTRE = 1.4, 1.0, 0.01, 0.2
#: Ordinary focal lengths, in image widths, to start from where the views leave it open.
FOCALS = (0.6, 0.8, 1.0, 1.4, 2.0, 3.5)
#: Faster views (px/s) with errors this many times those of the slower ones make a rolling readout likely.
MOTION_FACTOR = 1.5


@dataclass(frozen=True, eq=False)
class CameraCalibration:
    """A camera, how well it is known, and whether to believe it.

    Attributes
    ----------
    matrix, distortion, width_px, height_px : as in `Camera`; `camera` makes one
    sd : (4 + K,) standard deviations of fx, fy, cx, cy, k1 ...: from leaving views out, nowhere below what independent corners give
    rms_px, held_out_px : RMS distance of corners from their prediction: in the views fitted, and in views left out (only their pose is fitted)
    model : which distortion coefficients were worth having; `tried` has the held-out error of each model
    views, view_rms_px : names of the views used and the RMS error of each
    rejected : (name, why) of views that were left out
    T_camera_from_board : (V, 4, 4)
    coverage : what the views showed
    accepted, reasons, notes : the verdict; notes do not refuse
    """

    matrix: Array
    distortion: Array
    width_px: int
    height_px: int
    sd: Array
    rms_px: float
    held_out_px: float
    model: str
    tried: dict[str, float]
    views: tuple[str, ...]
    view_rms_px: Array
    rejected: tuple[tuple[str, str], ...]
    T_camera_from_board: Array
    residuals_px: tuple[Array, ...]
    seen_px: tuple[Array, ...]
    coverage: Coverage
    accepted: bool
    reasons: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def camera(self) -> Camera:
        """Raises InputRefused where the principal point lies outside the image."""
        return Camera(self.matrix, self.distortion, self.width_px, self.height_px)


def calibrate_camera(views: Sequence[BoardView]) -> CameraCalibration:
    """Calibrate one camera from views of a flat board.

    Views that do not fit are left out and named; the distortion model is the one that predicts left-out views best.

    Parameters
    ----------
    views : of one camera, in the order of capture

    Raises
    ------
    InputRefused : fewer than three views, images of different sizes
    """
    width, height = checked_views(views)
    setup = _start(views, width, height)
    kept = list(range(len(views)))
    fit, rejected = adjust(setup, _seen(views, kept)), list[tuple[str, str]]()
    for _ in range(3):
        out = _outliers(fit, len(kept), int(MOST_REJECTED * len(views)) - len(rejected))
        if not out:
            break
        rejected += [(views[kept[n]].name, why) for n, why in out]
        gone = {n for n, _ in out}
        poses = np.array([fit.setup.T_first_from_board[n] for n in range(len(kept)) if n not in gone])
        kept = [v for n, v in enumerate(kept) if n not in gone]
        fit = adjust(_with(fit.setup, poses, 9), _seen(views, kept))
    used = [views[n] for n in kept]
    tried, fits = dict[str, float](), dict[str, Adjusted]()
    for model, size in MODELS.items():
        fits[model] = adjust(_with(fit.setup, fit.setup.T_first_from_board, size), _seen(used, range(len(used))))
        tried[model] = _held_out(fits[model], used)
    simple, rich = MODELS
    chosen = rich if tried[rich] < (1.0 - WORTH_IT) * tried[simple] else simple
    return _calibration(fits[chosen], used, (width, height), chosen, tried, rejected)


def checked_views(views: Sequence[BoardView]) -> tuple[int, int]:
    """Width and height of the images, all alike."""
    if len(views) < 3:
        raise InputRefused(
            f"{len(views)} view(s) of the board cannot calibrate a camera", "take at least 10, better 20, and check that the right board is named"
        )
    sizes = {(v.width_px, v.height_px) for v in views}
    if len(sizes) > 1:
        text = " and ".join(f"{w} x {h}" for w, h in sorted(sizes))
        raise InputRefused(f"the images have different sizes ({text})", "calibrate with images of one camera at one size")
    return sizes.pop()


def _seen(views: Sequence[BoardView], which: Sequence[int] | range) -> list[Seen]:
    return [Seen(0, n, views[v]) for n, v in enumerate(which)]


def _with(setup: Setup, poses: Array, size: int) -> Setup:
    """A setup with `size` free intrinsics of 9, the others 0."""
    free = np.arange(9) < size
    return Setup(np.where(free, setup.intrinsics, 0.0), setup.T_camera_from_first, poses.copy(), free)


def _start(views: Sequence[BoardView], width: int, height: int) -> Setup:
    """The focal length that leaves the least misfit, of a closed form and some ordinary ones, without distortion."""
    some = list(views[:: max(1, len(views) // 12)])
    guess = cv2.initCameraMatrix2D([v.board_mm.astype(np.float32) for v in some], [v.seen_px.astype(np.float32) for v in some], (width, height))[0, 0]
    focals = [f * max(width, height) for f in FOCALS] + ([float(guess)] if np.isfinite(guess) and 0.1 * width < guess < 20.0 * width else [])
    best: Adjusted | None = None
    for focal in focals:
        fit = adjust(_flat(some, focal, width, height, 4), _seen(some, range(len(some))), steps=8)
        if np.isfinite(fit.rms_px()) and (best is None or fit.rms_px() < best.rms_px()):
            best = fit
    assert best is not None
    focal = float(best.setup.intrinsics[0, :2].mean())
    return _flat(views, focal if 0.1 * width < focal < 50.0 * width else float(width), width, height, 9)


def _flat(views: Sequence[BoardView], focal: float, width: int, height: int, size: int) -> Setup:
    intrinsics = np.array([[focal, focal, (width - 1) / 2.0, (height - 1) / 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    matrix = np.array([[focal, 0.0, intrinsics[0, 2]], [0.0, focal, intrinsics[0, 3]], [0.0, 0.0, 1.0]])
    poses = np.array([board_pose(v, matrix, np.zeros(5)) for v in views])
    return Setup(intrinsics, np.eye(4)[None], poses, np.arange(9) < size)


def _outliers(fit: Adjusted, count: int, most: int) -> list[tuple[int, str]]:
    """Views whose error is out of keeping with the others', worst first."""
    error = np.array([fit.rms_px([(0, n)]) for n in range(count)])
    middle = float(np.median(error))
    spread = 1.4826 * float(np.median(np.abs(error - middle)))
    limit = max(middle + REJECT_SDS * spread, REJECT_FACTOR * middle, 0.02)
    worst = [int(n) for n in np.argsort(-error) if error[n] > limit][: max(most, 0)]
    return [(n, f"its corners are {error[n]:.2f} px from the fit, the others' {middle:.2f} px (blurred, bent or misread)") for n in worst]


def _held_out(fit: Adjusted, views: Sequence[BoardView]) -> float:
    """RMS error in views left out: the intrinsics come from the other folds, only the board's pose is fitted in them."""
    square, count = 0.0, 0
    for fold in range(min(FOLDS, len(views))):
        inside = [n for n in range(len(views)) if n % FOLDS != fold]
        outside = [n for n in range(len(views)) if n % FOLDS == fold]
        trained = adjust(_with(fit.setup, fit.setup.T_first_from_board[inside], int(fit.setup.free.sum())), _seen(views, inside), steps=15)
        fixed = _with(trained.setup, fit.setup.T_first_from_board[outside], 9)
        fixed.free[:] = False
        placed = adjust(fixed, _seen(views, outside), steps=15)
        errors = np.concatenate([np.square(r).sum(axis=1) for r in placed.residuals.values()])
        square, count = square + float(errors.sum()), count + len(errors)
    return float(np.sqrt(square / count))


def _calibration(
    fit: Adjusted, views: Sequence[BoardView], size: tuple[int, int], model: str, tried: dict[str, float], rejected: list[tuple[str, str]]
) -> CameraCalibration:
    values = fit.setup.intrinsics[0]
    matrix = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    count = MODELS[model]
    sd = np.sqrt(np.diag(fit.covariance))
    seen = coverage(views, fit.setup.T_first_from_board)
    errors = np.array([fit.rms_px([(0, n)]) for n in range(len(views))])
    reasons = coverage_reasons(seen, len(views)) + _fit_reasons(values, sd, fit.rms_px(), tried[model], size, rejected, len(views))
    reasons += motion_reasons(views, errors)
    return CameraCalibration(
        matrix=matrix,
        distortion=values[4:count].copy(),
        width_px=size[0],
        height_px=size[1],
        sd=sd,
        rms_px=fit.rms_px(),
        held_out_px=tried[model],
        model=model,
        tried=tried,
        views=tuple(v.name for v in views),
        view_rms_px=errors,
        rejected=tuple(rejected),
        T_camera_from_board=fit.setup.T_first_from_board,
        residuals_px=tuple(fit.residuals[0, n] for n in range(len(views))),
        seen_px=tuple(v.seen_px for v in views),
        coverage=seen,
        accepted=not reasons,
        reasons=tuple(reasons),
        notes=("one camera cannot tell a board printed at a wrong scale: measure its check square",),
    )


def _fit_reasons(
    values: Array, sd: Array, rms_px: float, held_out_px: float, size: tuple[int, int], rejected: list[tuple[str, str]], used: int
) -> list[str]:
    reasons = []
    width, height = size
    if not (0.0 <= values[2] < width and 0.0 <= values[3] < height):
        reasons.append(f"the principal point ({values[2]:.0f}, {values[3]:.0f}) lies outside the {width} x {height} image: take more tilted views")
    elif abs(values[2] - width / 2.0) > MAX_OFF_CENTRE * width or abs(values[3] - height / 2.0) > MAX_OFF_CENTRE * height:
        reasons.append(
            f"the principal point ({values[2]:.0f}, {values[3]:.0f}) lies far from the middle of the image: is it cropped? Take more tilted views"
        )
    focal_sd = float(max(sd[0] / abs(values[0]), sd[1] / abs(values[1])))
    if focal_sd > MAX_FOCAL_SD:
        reasons.append(
            f"the focal length is known to {focal_sd:.1%} (sd) only, {MAX_FOCAL_SD:.0%} is allowed: take more views, tilted by 30 to 45 deg"
        )
    if rms_px > MAX_RMS_PX:
        reasons.append(f"corners are {rms_px:.1f} px from where the fit puts them: is the board flat, still, and the one that was named?")
    if held_out_px > MAX_HELD_OUT_RATIO * rms_px and held_out_px > 0.05:
        reasons.append(
            f"views left out of the fit are worse ({held_out_px:.2f} px) than those in it ({rms_px:.2f} px): too few views for the model; take more"
        )
    if len(rejected) >= max(2, int(MOST_REJECTED * (used + len(rejected)))):
        reasons.append(f"{len(rejected)} of {used + len(rejected)} views do not fit: hold the board still and flat, and take new ones")
    return reasons


def motion_reasons(views: Sequence[BoardView], view_rms_px: Array) -> list[str]:
    """A rolling readout shears what moves: errors then grow with the board's speed."""
    speeds = np.array([np.nan if v.speed_px_s is None else v.speed_px_s for v in views])
    known = np.isfinite(speeds)
    if known.sum() < 8:
        return []
    fast = speeds > np.median(speeds[known])
    slow = known & ~fast
    quick, still = float(np.median(view_rms_px[fast & known])), float(np.median(view_rms_px[slow]))
    if quick > MOTION_FACTOR * still and quick - still > 0.1:
        return [
            f"moving views are worse ({quick:.2f} px) than still ones ({still:.2f} px): the camera reads its rows out one by one; hold the "
            "board still"
        ]
    return []
