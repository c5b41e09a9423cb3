"""Views of a board at known poses through a known lens: projected by the phantom's own lens, not by the solver's."""

from __future__ import annotations

import numpy as np

from navtwin.calibrate.poses import rotations_about
from phantoms.camera import Lens, project
from tracking.targets import BoardView

MATRIX = np.array([[950.0, 0.0, 652.0], [0.0, 948.0, 350.0], [0.0, 0.0, 1.0]])
DISTORTION = np.array([-0.12, 0.08, 1e-3, -5e-4])
LENS = Lens(MATRIX, DISTORTION, 1280, 720)
#: 8 x 5 corners, 20 mm apart.
BOARD_MM = np.array([(20.0 * c, 20.0 * r, 0.0) for r in range(5) for c in range(8)])


def board_poses(rng: np.random.Generator, count: int, tilt_rad: float = 0.6) -> np.ndarray:
    """(N, 4, 4) T_camera_from_board, spread over the image of LENS, tilted to all sides."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    for n, pose in enumerate(poses):
        pose[:3, :3] = rotations_about(np.array([*rng.uniform(-tilt_rad, tilt_rad, 2), rng.uniform(-0.4, 0.4)]))
        depth = rng.uniform(160.0, 340.0)
        column, row = (n % 3, n // 3 % 3) if n < 9 else rng.integers(0, 3, 2)
        at = np.array([(column - 1) * 0.42, (row - 1) * 0.24]) * depth
        pose[:3, 3] = np.array([*at, depth]) - pose[:3, :3] @ BOARD_MM.mean(axis=0)
    return poses


def seen(pose: np.ndarray, lens: Lens, rng: np.random.Generator, sd_px: float, name: str = "", scale: float = 1.0) -> BoardView | None:
    """The corners that lie in the image; None for fewer than twelve. The true board may be `scale` times the size that it is taken for."""
    pixels = project(lens, scale * BOARD_MM @ pose[:3, :3].T + pose[:3, 3])
    inside = (np.abs(pixels - np.array([lens.width_px, lens.height_px]) / 2.0) < np.array([lens.width_px, lens.height_px]) / 2.0 - 3.0).all(axis=1)
    ids = np.flatnonzero(inside)
    if len(ids) < 12:
        return None
    return BoardView(ids, BOARD_MM[ids], pixels[ids] + rng.normal(size=(len(ids), 2)) * sd_px, lens.width_px, lens.height_px, name)


def views(seed: int, count: int = 25, sd_px: float = 0.1, tilt_rad: float = 0.6) -> list[BoardView]:
    rng = np.random.default_rng(seed)
    found = [seen(p, LENS, rng, sd_px, f"view {n}") for n, p in enumerate(board_poses(rng, count, tilt_rad))]
    return [v for v in found if v is not None]
