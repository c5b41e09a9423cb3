"""What poses cost beyond detection."""

from __future__ import annotations

import time

import numpy as np

from navtwin.rigid import Rigid
from phantoms.camera import project
from poses_parts.world import CAMERA, LENS, Array, facing, place, pose
from tracking import MarkerBody, Markers
from tracking.pose.estimate import estimate_pose

BODIES, COLUMNS, ROWS, SIDE_MM, STEP_MM = 3, 4, 3, 20.0, 26.0
SD_PX = 0.05
#: Calls before the clock counts.
WARM = 20


def _board(first_id: int) -> MarkerBody:
    """Twelve markers in a plane, all seen at once: no body of twelve costs more."""
    square = MarkerBody.square(0, SIDE_MM).corners_mm[0]
    at = [((c - (COLUMNS - 1) / 2.0) * STEP_MM, (r - (ROWS - 1) / 2.0) * STEP_MM, 0.0) for r in range(ROWS) for c in range(COLUMNS)]
    return MarkerBody(np.arange(first_id, first_id + len(at)), square + np.array(at)[:, None])


def cost(frames: int, seed: int) -> dict[str, list[float]]:
    """Milliseconds for the poses of all bodies of a frame, distortion removed and covariance included: by the clock, and of this thread alone."""
    rng, boards = np.random.default_rng(seed), [_board(12 * n) for n in range(BODIES)]
    wall, thread = list[float](), list[float]()
    for _ in range(frames + WARM):
        seen, previous = _seen(boards, rng)
        begun, used = time.perf_counter_ns(), time.thread_time_ns()
        for board, last in zip(boards, previous, strict=True):
            estimate_pose(seen, board, CAMERA, last)
        thread.append((time.thread_time_ns() - used) / 1e6)
        wall.append((time.perf_counter_ns() - begun) / 1e6)
    return {"three bodies, clock": wall[WARM:], "three bodies, this thread": thread[WARM:]}


def _seen(boards: list[MarkerBody], rng: np.random.Generator) -> tuple[Markers, list[Rigid]]:
    """All markers of all boards in one image, with noise, and where each board was a moment ago."""
    corners, previous = list[Array](), list[Rigid]()
    for board in boards:
        T = pose(facing(rng, 60.0), place(rng, 60.0))
        exact = project(LENS, board.corners_mm.reshape(-1, 3) @ T[:3, :3].T + T[:3, 3]).reshape(-1, 4, 2)
        corners.append(exact + SD_PX * rng.standard_normal(exact.shape))
        before = T.copy()
        before[:3, 3] += rng.normal(0.0, 2.0, 3)
        previous.append(Rigid.from_matrix(before, target="camera", source="body"))
    pixels = np.concatenate(corners)
    noise = np.tile(SD_PX**2 * np.eye(8), (len(pixels), 1, 1))
    return Markers(np.concatenate([board.ids for board in boards]), pixels, noise), previous
