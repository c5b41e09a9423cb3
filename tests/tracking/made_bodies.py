"""Bodies as a printer and a pair of hands make them, and cameras that film them, with the truth known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from navtwin.rigid import Rigid
from tracking import Camera, MarkerBody, Markers
from tracking.opencv import cv2
from tracking.pose.problem import View

HD = Camera(np.array([[1400.0, 0.0, 960.0], [0.0, 1400.0, 540.0], [0.0, 0.0, 1.0]]), np.array([-0.1, 0.03, 5e-4, -3e-4, 0.0]), 1920, 1080)
#: The second camera: 30 cm to the right, turned inwards.
SECOND = Rigid.from_quaternion((float(np.cos(-0.15)), 0.0, float(np.sin(-0.15)), 0.0), (150.0, 0.0, 20.0), target="tracker", source="camera/b")
FIRST = Rigid.identity("tracker", "camera/a")


def as_made(plan: MarkerBody, rng: np.random.Generator, scale: float = 1.002, shift_mm: float = 0.2, turn_rad: float = 0.01) -> MarkerBody:
    """Printed at a scale, each face a little off and turned; then laid on the plan, since a body's axes are only a convention."""
    corners = []
    for quad in plan.corners_mm * scale:
        middle, turn = quad.mean(axis=0), cv2.Rodrigues(rng.normal(0.0, turn_rad, 3))[0]
        corners.append((quad - middle) @ turn.T + middle + rng.normal(0.0, shift_mm / np.sqrt(3.0), 3))
    points, onto = np.reshape(corners, (-1, 3)), plan.corners_mm.reshape(-1, 3)
    u, _, vt = np.linalg.svd((points - points.mean(axis=0)).T @ (onto - onto.mean(axis=0)))
    rotation = vt.T @ np.diag((1.0, 1.0, np.linalg.det(vt.T @ u.T))) @ u.T
    return MarkerBody(plan.ids, ((points - points.mean(axis=0)) @ rotation.T + onto.mean(axis=0)).reshape(-1, 4, 3))


def filmed(
    body: MarkerBody, rng: np.random.Generator, frames: int, sd_px: float = 0.1, eyes: Sequence[Rigid] = (FIRST,), camera: Camera = HD
) -> list[list[View]]:
    """Views of the body turned every way, 25-40 cm off; only faces that look at the camera are seen."""
    film = []
    for _ in range(frames):
        q = rng.normal(size=4)
        pose = Rigid.from_quaternion(
            tuple(q / np.linalg.norm(q)), (*rng.uniform(-40.0, 40.0, 2), rng.uniform(250.0, 400.0)), target="tracker", source="b"
        )
        film.append([View(seen_by(body, eye.inverse() @ pose, camera, rng, sd_px), camera, eye) for eye in eyes])
    return film


def seen_by(body: MarkerBody, pose: Rigid, camera: Camera, rng: np.random.Generator, sd_px: float) -> Markers:
    placed = pose.apply(body.corners_mm.reshape(-1, 3)).reshape(-1, 4, 3)
    normal = np.cross(placed[:, 3] - placed[:, 0], placed[:, 1] - placed[:, 0])
    normal *= -1.0 / np.linalg.norm(normal, axis=1)[:, None]
    middle = placed.mean(axis=1)
    shown = (normal * middle).sum(axis=1) < -0.3 * np.linalg.norm(middle, axis=1)
    if not shown.any():
        return Markers(np.zeros(0, np.int32), np.zeros((0, 4, 2)))
    pixels = cv2.projectPoints(placed[shown].reshape(-1, 3), np.zeros(3), np.zeros(3), camera.matrix, camera.distortion)[0].reshape(-1, 4, 2)
    return Markers(body.ids[shown], pixels + rng.normal(0.0, sd_px, pixels.shape))
