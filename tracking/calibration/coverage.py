"""What the views of a board have shown so far, and what to show next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracking.calibration.targets import BoardView
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

#: The map's cells across and down, and the coarse regions that are named to the user.
CELLS_X, CELLS_Y = 8, 6
ROW_WORDS, COLUMN_WORDS = ("upper", "middle", "lower"), ("left", "middle", "right")
#: Corners that make a cell count as seen, and a region.
CELL_CORNERS, REGION_CORNERS = 2, 8
MIN_CELLS_SHARE = 0.7
#: Tilts (between the board's normal and the optical axis) that tell focal length from distance; for the guidance, in each of four directions.
MIN_TILT_DEG, GUIDED_TILT_DEG = 20.0, 25.0
#: Views that must be tilted, and how far their directions must differ: the weaker of two spreads of the normal's components.
MIN_TILTED, MIN_SPREAD = 4, 0.12
#: Nearest and farthest view, as a ratio of distances, that the guidance asks for.
DEPTH_RATIO = 1.4
MIN_VIEWS, ENOUGH_VIEWS = 10, 20
TILT_WORDS = {
    "left": "turn the board's left edge away from the camera",
    "right": "turn the board's right edge away from the camera",
    "up": "tip the board's upper edge away from the camera",
    "down": "tip the board's lower edge away from the camera",
}
TILT_WAYS = tuple(TILT_WORDS)


@dataclass(frozen=True, eq=False)
class Coverage:
    """Where in the image and at what tilts and distances a board was seen.

    Attributes
    ----------
    cells : (CELLS_Y, CELLS_X) corners seen in each cell of the image
    missing : names of the image's regions (of three by three) that hold no board
    normal_xy : (V, 2) x and y components of the unit normal of the board, towards the camera, camera axes
    tilt_deg, distance : (V,) angle between the board's normal and the optical axis (a board parallel to the
        image tells nothing, wherever it is); distance in board units, mm
    """

    cells: npt.NDArray[np.int64]
    missing: tuple[str, ...]
    normal_xy: Array
    tilt_deg: Array
    distance_mm: Array

    @property
    def share(self) -> float:
        """Share of the cells that a corner was seen in."""
        return float((self.cells >= CELL_CORNERS).mean())


def coverage(views: Sequence[BoardView], T_camera_from_board: Array) -> Coverage:
    """Sum up views of one camera; (V, 4, 4) poses of the board, from a calibration or from a guess."""
    cells, regions = np.zeros((CELLS_Y, CELLS_X), np.int64), np.zeros((3, 3), np.int64)
    for view in views:
        x, y = view.seen_px[:, 0] + 0.5, view.seen_px[:, 1] + 0.5
        for grid in (cells, regions):
            rows, columns = grid.shape
            row = np.clip((y / view.height_px * rows).astype(int), 0, rows - 1)
            column = np.clip((x / view.width_px * columns).astype(int), 0, columns - 1)
            np.add.at(grid, (row, column), 1)
    missing = tuple(_region(r, c) for r in range(3) for c in range(3) if regions[r, c] < REGION_CORNERS)
    poses = np.asarray(T_camera_from_board, dtype=np.float64).reshape(-1, 4, 4)
    normal = poses[:, :3, 2] * np.where(np.einsum("vi,vi->v", poses[:, :3, 2], poses[:, :3, 3]) > 0.0, -1.0, 1.0)[:, None]
    middle = np.array([p[:3, :3] @ v.board_mm.mean(axis=0) + p[:3, 3] for p, v in zip(poses, views, strict=True)]).reshape(-1, 3)
    distance = np.linalg.norm(middle, axis=1)
    tilt = np.degrees(np.arcsin(np.clip(np.linalg.norm(normal[:, :2], axis=1), 0.0, 1.0)))
    return Coverage(cells, missing, normal[:, :2], tilt, distance)


def _region(row: int, column: int) -> str:
    if (row, column) == (1, 1):
        return "middle"
    if row == 1:
        return f"{COLUMN_WORDS[column]} edge"
    if column == 1:
        return f"{ROW_WORDS[row]} edge"
    return f"{ROW_WORDS[row]} {COLUMN_WORDS[column]} corner"


def guessed_poses(views: Sequence[BoardView], focal_px: float | None = None) -> Array:
    """(V, 4, 4) poses by a camera of ordinary focal length (the image's width) without distortion: enough to say which way a board is tilted."""
    poses = []
    for view in views:
        focal = focal_px or float(view.width_px)
        matrix = np.array([[focal, 0.0, (view.width_px - 1) / 2.0], [0.0, focal, (view.height_px - 1) / 2.0], [0.0, 0.0, 1.0]])
        poses.append(board_pose(view, matrix, np.zeros(5)))
    return np.array(poses).reshape(-1, 4, 4)


def board_pose(view: BoardView, matrix: Array, distortion: Array) -> Array:
    """(4, 4) T_camera_from_board of one view by a flat target's closed form, then least squares; the board in front of the camera."""
    best, least = np.eye(4), np.inf
    _, turns, shifts, _ = cv2.solvePnPGeneric(view.board_mm, view.seen_px, matrix, distortion, flags=cv2.SOLVEPNP_IPPE)
    for start, offset in zip(turns, shifts, strict=True):
        if not (np.isfinite(start).all() and np.isfinite(offset).all()):
            continue
        turn, shift = cv2.solvePnPRefineLM(view.board_mm, view.seen_px, matrix, distortion, start.copy(), offset.copy())
        pixels = cv2.projectPoints(view.board_mm, turn, shift, matrix, distortion)[0].reshape(-1, 2)
        misfit = float(np.square(pixels - view.seen_px).sum())
        if np.isfinite(misfit) and misfit < least and float(shift[2, 0]) > 0.0:
            least = misfit
            best = np.eye(4)
            best[:3, :3], best[:3, 3] = cv2.Rodrigues(turn)[0], shift.ravel()
    if not np.isfinite(least):
        best[:3, 3] = (0.0, 0.0, 10.0 * float(np.ptp(view.board_mm, axis=0).max()))
    return best


def tilts_deg(seen: Coverage) -> dict[str, float]:
    """How far the board has been tilted each of the four ways, deg; 0 for a way that it never was."""
    x, y = seen.normal_xy.T if len(seen.normal_xy) else (np.zeros(0), np.zeros(0))
    # A left edge that lies farther away turns the board's face to the left of the picture: x of the normal is below 0.
    ways = {"left": -x, "right": x, "up": -y, "down": y}
    return {way: float(np.degrees(np.arcsin(np.clip(reach.max(initial=0.0), 0.0, 1.0)))) for way, reach in ways.items()}


def shown_tilts(seen: Coverage) -> set[str]:
    """Which of the four ways the board has been tilted by enough."""
    return {way for way, reached in tilts_deg(seen).items() if reached > GUIDED_TILT_DEG}


def next_move(seen: Coverage, views: int) -> str | None:
    """What the user should do next; None once the views suffice."""
    corners = [m for m in seen.missing if m.endswith("corner")]
    if corners:
        return f"bring the board to the {corners[0]} of the image"
    undone = [way for way in TILT_WORDS if way not in shown_tilts(seen)]
    if undone:
        return TILT_WORDS[undone[0]]
    if seen.missing:
        return f"bring the board to the {seen.missing[0]} of the image"
    if len(seen.distance_mm) and seen.distance_mm.max() < DEPTH_RATIO * seen.distance_mm.min():
        return "bring the board closer, then further away"
    if seen.share < MIN_CELLS_SHARE:
        return "move the board along the edges of the image"
    if views < ENOUGH_VIEWS:
        return "go on: other places, other tilts"
    return None


def coverage_reasons(seen: Coverage, views: int) -> list[str]:
    """What the views lack for a calibration to be believed."""
    reasons = []
    if views < MIN_VIEWS:
        reasons.append(f"only {views} views: take at least {MIN_VIEWS}, better {ENOUGH_VIEWS}")
    corners = [m for m in seen.missing if m.endswith("corner")]
    if corners:
        reasons.append(f"too little coverage: no board in the image's {', '.join(corners)}, where distortion is largest; take views there")
    elif seen.share < MIN_CELLS_SHARE:
        reasons.append(f"too little coverage: corners in {seen.share:.0%} of the image's cells, not {MIN_CELLS_SHARE:.0%}; move the board about")
    tilted = int((seen.tilt_deg >= MIN_TILT_DEG).sum())
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(seen.normal_xy.T)), 0.0)) if views > 1 else np.zeros(2)
    if tilted < MIN_TILTED:
        reasons.append(
            f"too little tilt: {tilted} views of {MIN_TILTED} are tilted by {MIN_TILT_DEG:.0f} deg; without it focal length passes for distance"
        )
    elif spread[0] < MIN_SPREAD:
        reasons.append("the board was tilted in one direction only: tilt it to the left and right, and up and down")
    return reasons
