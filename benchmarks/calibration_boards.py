"""Views of boards at known poses through a known lens: projected, or rendered and detected, by the phantom's own lens and not the solver's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.poses import rotations_about
from phantoms.camera import Lens, Optics, Sheet, project, render
from phantoms.camera.sheets import printed
from tracking.calibration.targets import BoardView, sheet_target
from tracking.kit.board import board

Array = npt.NDArray[np.float64]

MATRIX = np.array([[950.0, 0.0, 652.0], [0.0, 948.0, 350.0], [0.0, 0.0, 1.0]])
DISTORTION = np.array([-0.12, 0.08, 1e-3, -5e-4])
LENS = Lens(MATRIX, DISTORTION, 1280, 720)
#: The projected board: 8 x 5 corners, 20 mm apart.
BOARD_MM = np.array([(20.0 * c, 20.0 * r, 0.0) for r in range(5) for c in range(8)])
#: Fewer corners in the image than this are no view.
MIN_SEEN = 12


def board_poses(rng: np.random.Generator, count: int, tilt_rad: float = 0.6, centre_mm: Array | None = None, facing: Array | None = None) -> Array:
    """(N, 4, 4) T_camera_from_board, spread over the image of LENS (its nine regions first) and tilted to all sides.

    Parameters
    ----------
    centre_mm : (3,) the board's middle, board axes (default: of BOARD_MM)
    facing : (3, 3) rotation of a board that squarely faces the camera (default: x right, y down)
    """
    centre = BOARD_MM.mean(axis=0) if centre_mm is None else centre_mm
    poses = np.tile(np.eye(4), (count, 1, 1))
    for n, pose in enumerate(poses):
        pose[:3, :3] = rotations_about(np.array([*rng.uniform(-tilt_rad, tilt_rad, 2), rng.uniform(-0.4, 0.4)])) @ (
            np.eye(3) if facing is None else facing
        )
        depth = rng.uniform(160.0, 340.0)
        column, row = (n % 3, n // 3 % 3) if n < 9 else rng.integers(0, 3, 2)
        pose[:3, 3] = np.array([(column - 1) * 0.42 * depth, (row - 1) * 0.24 * depth, depth]) - pose[:3, :3] @ centre
    return poses


def seen_from(pose: Array, lens: Lens, rng: np.random.Generator, sd_px: float, name: str = "", scale: float = 1.0) -> BoardView | None:
    """The corners that lie in the image. The true board may be `scale` times the size that it is taken for."""
    pixels = project(lens, scale * BOARD_MM @ pose[:3, :3].T + pose[:3, 3])
    size = np.array([lens.width_px, lens.height_px])
    ids = np.flatnonzero(((pixels > 2.0) & (pixels < size - 3.0)).all(axis=1))
    if len(ids) < MIN_SEEN:
        return None
    noise = rng.normal(size=(len(ids), 2)) * sd_px
    return BoardView(ids.astype(np.int32), BOARD_MM[ids], pixels[ids] + noise, lens.width_px, lens.height_px, name)


def views_of(rng: np.random.Generator, count: int, sd_px: float, tilt_rad: float = 0.6) -> list[BoardView]:
    found = [seen_from(p, LENS, rng, sd_px, f"view {n}") for n, p in enumerate(board_poses(rng, count, tilt_rad))]
    return [v for v in found if v is not None]


def exposures_of(rng: np.random.Generator, count: int, T_second_from_first: Array, sd_px: float, scale: float = 1.0) -> list[dict[int, BoardView]]:
    """The board as two cameras with LENS see it at once."""
    found = []
    for n, pose in enumerate(board_poses(rng, count)):
        both = {c: seen_from(p, LENS, rng, sd_px, f"view {n}", scale) for c, p in enumerate((pose, T_second_from_first @ pose))}
        found.append({c: v for c, v in both.items() if v is not None})
    return found


def sheet_board() -> Sheet:
    """The printed sheet's board for the rendered camera."""
    paper, *prints = board()
    return printed(paper.corners_mm, [(p.corners_mm, p.cells, p.marker) for p in prints])


def rendered_pictures(rng: np.random.Generator, count: int) -> list[npt.NDArray[np.uint8]]:
    """Pictures of the sheet's board, blurred by 0.6 px and with 1.5 grey levels of noise."""
    poses = board_poses(rng, count, centre_mm=np.zeros(3), facing=np.diag((1.0, -1.0, -1.0)))
    sheet, optics = sheet_board(), Optics(blur_px=0.6, noise_dn=1.5)
    return [render(LENS, [(pose, [sheet])], optics, rng) for pose in poses]


def rendered_views(rng: np.random.Generator, count: int) -> list[BoardView]:
    target = sheet_target()
    found = [target.view(picture, f"view {n}") for n, picture in enumerate(rendered_pictures(rng, count))]
    return [v for v in found if v is not None]
