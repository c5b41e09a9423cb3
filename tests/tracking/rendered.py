"""Images of a square marker at a known pose."""

from __future__ import annotations

import numpy as np

from navtwin.rigid import Rigid
from tracking import Camera, MarkerBody, Markers
from tracking.opencv import cv2

CAMERA = Camera(np.array([[900.0, 0.0, 640.0], [0.0, 900.0, 360.0], [0.0, 0.0, 1.0]]), np.zeros(5), 1280, 720)
LENS = Camera(CAMERA.matrix, np.array([-0.12, 0.05, 1e-3, -5e-4, 0.0]), 1280, 720)
#: Turned so that the marker's front (+z) looks at the camera.
FACING = np.diag((1.0, -1.0, -1.0))
SUPERSAMPLING = 4


def placed(turn: tuple[float, float, float], t_mm: tuple[float, float, float]) -> Rigid:
    """T_camera_from_body: facing the camera, then turned by a rotation vector (rad)."""
    matrix = np.eye(4)
    matrix[:3, :3] = cv2.Rodrigues(np.array(turn, dtype=np.float64))[0] @ FACING
    matrix[:3, 3] = t_mm
    return Rigid.from_matrix(matrix, target="camera", source="body")


def seen(body: MarkerBody, pose: Rigid, camera: Camera, rng: np.random.Generator | None = None, sd_px: float = 0.0) -> Markers:
    """Corners as the camera would see them."""
    corners = pose.apply(body.corners_mm.reshape(-1, 3))
    pixels = cv2.projectPoints(corners, np.zeros(3), np.zeros(3), camera.matrix, camera.distortion)[0].reshape(-1, 4, 2)
    return Markers(body.ids, pixels if rng is None else pixels + rng.normal(size=pixels.shape) * sd_px)


def picture(marker_id: int, side_mm: float, pose: Rigid, dictionary: int, cells: int) -> np.ndarray:
    """An 8-bit grey image through CAMERA (no distortion) of one marker on a grey ground, box-filtered."""
    pixels = cells * 40
    marker = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(dictionary), marker_id, pixels)
    sheet = np.full((pixels + 160, pixels + 160), 235, np.uint8)
    sheet[80:-80, 80:-80] = marker
    # Sheet pixel (column, row), whole at its centre, to body axes, to image.
    step = side_mm / pixels
    to_body = np.array([[step, 0.0, -side_mm / 2.0 - 79.5 * step], [0.0, -step, side_mm / 2.0 + 79.5 * step], [0.0, 0.0, 1.0]])
    matrix = pose.matrix()
    to_image = CAMERA.matrix @ matrix[:3, [0, 1, 3]] @ to_body
    k = SUPERSAMPLING
    finer = np.array([[k, 0.0, (k - 1) / 2.0], [0.0, k, (k - 1) / 2.0], [0.0, 0.0, 1.0]])
    size = (CAMERA.width_px * k, CAMERA.height_px * k)
    large = cv2.warpPerspective(sheet, finer @ to_image, size, flags=cv2.INTER_LINEAR, borderValue=200)
    return np.asarray(cv2.resize(large, (CAMERA.width_px, CAMERA.height_px), interpolation=cv2.INTER_AREA))
