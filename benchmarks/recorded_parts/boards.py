"""Pictures of calibration boards, through our calibrations, against what was published of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.recorded_parts.rows import Row, compared, limited, told
from tracking.calibration.board_views import Exposure, gather
from tracking.calibration.camera import CameraCalibration, calibrate_camera
from tracking.calibration.coverage import board_pose
from tracking.calibration.stereo import Extrinsics, calibrate_cameras
from tracking.calibration.targets import BoardView, charuco, chessboard
from tracking.opencv import cv2
from tracking.pictures.sources import open_pictures

Array = npt.NDArray[np.float64]

WEBCAM, DA_VINCI = "webcam, chessboard", "da Vinci, ChArUco"
VIEWS, SIZE = 12, (640, 480)
#: Upper limits of source D.
REPROJECTION_PX, RECONSTRUCTION_MM = 0.9, 2.78
#: Fewest corners of a picture that the published calibration takes.
FEWEST_CORNERS = 50


def webcam_rows(folder: Path) -> Iterator[Row]:
    """Twelve pictures of a chessboard, with the calibration that was published of them."""
    exposures = gather(open_pictures(f"images:{folder}"), chessboard(14, 10, 6.0), _silent, keep_all=True)
    views = [exposure[0] for exposure in exposures]
    found, share = calibrate_camera(views), (len(views), VIEWS)
    matrix, distortion = np.loadtxt(folder / "calib.intrinsics.txt"), np.loadtxt(folder / "calib.distortion.txt")
    theirs, robust = _published_fit(folder), calibrate_camera(_published_views(folder))
    for k, (name, i, j) in enumerate((("focal length x", 0, 0), ("focal length y", 1, 1), ("centre x", 0, 2), ("centre y", 1, 2))):
        yield compared(WEBCAM, name, "C", matrix[i, [j]], found.matrix[i, [j]], found.sd[[k]], theirs.sd[[k]], "px", share)
    at = matrix[0, [0]], robust.matrix[0, [0]], robust.sd[[0]], theirs.sd[[0]]
    yield compared(WEBCAM, "focal length x, our fit of their corners", "C", *at, "px", (len(robust.views), VIEWS))
    yield limited(WEBCAM, "focal length x, OpenCV over their corners, off by", "C", 1e-3, abs(theirs.focal_px - float(matrix[0, 0])), "px", share)
    yield compared(WEBCAM, "distance of the board, median view", "C", *_distances(folder, found, matrix, theirs.sd[0]), "mm", share)
    yield told(WEBCAM, "each one's own corners from its fit, RMS", "C", f"{theirs.rms_px:.2f}", f"{found.rms_px:.2f}", "px", share)
    at_theirs, at_ours = (np.median([_misfit_px(v, m, d) for v in views]) for m, d in ((matrix, distortion), (found.matrix, found.distortion)))
    yield told(WEBCAM, "our corners from either camera's board, median RMS", "C", f"{at_theirs:.2f}", f"{at_ours:.2f}", "px", share)


def da_vinci_rows(folder: Path) -> Iterator[Row]:
    """59 pairs of a ChArUco board that is partly covered by a chessboard, which is not used here."""
    left, right = folder / "ExtractedFrames_L", folder / "ExtractedFrames_R"
    pairs = len(list(left.glob("*.jpg")))
    target = charuco(19, 26, 5.0, 4.0, "4X4_250", legacy=True)
    exposures = gather(open_pictures(f"images:{left},{right}"), target, _silent, keep_all=True)
    cameras = [calibrate_camera([e[c] for e in exposures if c in e]).camera for c in (0, 1)]
    for what, chosen in (("all pairs", exposures), (f"pairs with {FEWEST_CORNERS} corners", [e for e in exposures if _rich(e)])):
        both = [e for e in chosen if len(e) == 2]
        together = calibrate_cameras(both, cameras)
        used = [e for e in both if e[0].name in together.views]
        share = (len(used), pairs)
        yield limited(DA_VINCI, f"reprojection, RMS, {what}", "D", REPROJECTION_PX, together.rms_px, "px", share)
        yield limited(DA_VINCI, f"reconstruction, RMS, {what}", "D", RECONSTRUCTION_MM, _reconstruction_mm(used, together), "mm", share)
        apart = f"{together.baseline_mm[0]:.3f} +- {together.baseline_sd_mm[0]:.3f}"
        yield told(DA_VINCI, f"distance of the lenses, {what}", "-", "none", apart, "mm", (len(both), pairs))


def _silent(_: str) -> None:
    """`gather` tells a user what to show next; nobody is there."""


def _published_views(folder: Path) -> list[BoardView]:
    points = [(np.loadtxt(folder / f"calib.object_points.{n}.txt"), np.loadtxt(folder / f"calib.image_points.{n}.txt")) for n in range(VIEWS)]
    return [BoardView(np.arange(len(seen), dtype=np.int32), mm, seen, *SIZE, f"view {n}") for n, (mm, seen) in enumerate(points)]


@dataclass(frozen=True, eq=False)
class _Fit:
    """OpenCV's calibration: RMS error, focal length x, and its own sds of fx, fy, cx, cy."""

    rms_px: float
    focal_px: float
    sd: Array


def _published_fit(folder: Path) -> _Fit:
    """OpenCV's calibration of all the published corners, which is how the published numbers came about."""
    views = _published_views(folder)
    boards, seen = [v.board_mm.astype(np.float32) for v in views], [v.seen_px.astype(np.float32) for v in views]
    rms, matrix, _, _, _, sd, *_ = cv2.calibrateCameraExtended(boards, seen, SIZE, None, None)
    return _Fit(float(rms), float(matrix[0, 0]), sd.ravel()[:4])


def _distances(folder: Path, found: CameraCalibration, matrix: Array, their_sd: float) -> tuple[Array, Array, Array, Array]:
    """Of the board's middle from the camera in the view of median distance: published, ours, and the sds, which are the focal lengths' shares.

    The middle does not care which way up a chessboard is taken to be.
    """
    middle = np.append(chessboard(14, 10, 6.0).corners_mm.mean(axis=0), 1.0)
    numbers = [int(name.removeprefix("picture ")) for name in found.views]
    theirs = np.array([np.linalg.norm((np.loadtxt(folder / f"calib.extrinsics.{n}.txt") @ middle)[:3]) for n in numbers])
    ours = np.linalg.norm((found.T_camera_from_board @ middle)[:, :3], axis=1)
    which = [int(np.argsort(theirs)[len(theirs) // 2])]
    return theirs[which], ours[which], ours[which] * found.sd[0] / found.matrix[0, 0], theirs[which] * their_sd / matrix[0, 0]


def _misfit_px(view: BoardView, matrix: Array, distortion: Array) -> float:
    """RMS distance of a view's corners from the board where it fits best."""
    pose = board_pose(view, matrix, distortion)
    turn = cv2.Rodrigues(np.ascontiguousarray(pose[:3, :3]))[0]
    put = cv2.projectPoints(view.board_mm, turn, pose[:3, 3].copy(), matrix, distortion)[0].reshape(-1, 2)
    return float(np.sqrt(np.square(put - view.seen_px).sum(axis=1).mean()))


def _rich(exposure: Exposure) -> bool:
    return len(exposure) == 2 and all(len(v.ids) >= FEWEST_CORNERS for v in exposure.values())


def _reconstruction_mm(exposures: list[Exposure], found: Extrinsics) -> float:
    """RMS distance of corners triangulated from both cameras from the board as the left one sees it."""
    first, second = found.cameras
    from_first = np.linalg.inv(found.T_tracker_from_camera[0].matrix())
    square, count = 0.0, 0
    for exposure in exposures:
        left, right = exposure[0], exposure[1]
        _, a, b = np.intersect1d(left.ids, right.ids, return_indices=True)
        rays = [
            cv2.undistortPoints(v.seen_px[rows][:, None], c.matrix, c.distortion).reshape(-1, 2).T
            for v, rows, c in ((left, a, first), (right, b, second))
        ]
        seen = cv2.triangulatePoints(np.eye(4)[:3], from_first[:3], *rays)
        pose = board_pose(left, first.matrix, first.distortion)
        off = (seen[:3] / seen[3]).T - (left.board_mm[a] @ pose[:3, :3].T + pose[:3, 3])
        square, count = square + float(np.square(off).sum()), count + len(a)
    return float(np.sqrt(square / count))
