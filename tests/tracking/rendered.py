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


def drawn(
    black: np.ndarray,
    corners_px: np.ndarray,
    shape: tuple[int, int],
    blur_px: float = 0.0,
    ink: tuple[float, float] = (40.0, 200.0),
    ground: float = 120.0,
    quiet_cells: float = 1.0,
) -> np.ndarray:
    """(H, W) float64 grey levels of one marker whose corners are at `corners_px`, exactly: perspective, then the lens's blur, then square pixels.

    `ink` is black and white. Each pixel averages 8 x 8 samples: an edge that runs along lines of samples (0, 45 deg) may be 0.06 px off, others 0.01.
    """
    k, (height, width) = 8, shape
    cells = len(black)
    square = np.array([[0.0, 0.0], [cells, 0.0], [cells, cells], [0.0, cells]], dtype=np.float32)
    to_cells = np.linalg.inv(homography(square.astype(np.float64), np.asarray(corners_px, dtype=np.float64)))
    rows, columns = np.arange(height * k)[:, None], np.arange(width * k)[None, :]
    x = (columns + (0.618034 * rows) % 1.0) / k - 0.5
    y = (rows + (0.618034 * columns) % 1.0) / k - 0.5
    depth = to_cells[2, 0] * x + to_cells[2, 1] * y + to_cells[2, 2]
    u = (to_cells[0, 0] * x + to_cells[0, 1] * y + to_cells[0, 2]) / depth
    v = (to_cells[1, 0] * x + to_cells[1, 1] * y + to_cells[1, 2]) / depth
    paper = np.maximum(np.abs(u - cells / 2), np.abs(v - cells / 2)) < cells / 2 + quiet_cells
    row, column = np.floor(v).astype(int), np.floor(u).astype(int)
    inside = (row >= 0) & (row < cells) & (column >= 0) & (column < cells)
    dark = black[np.clip(row, 0, cells - 1), np.clip(column, 0, cells - 1)] & inside
    fine = np.where(dark, ink[0], np.where(paper, ink[1], ground)).astype(np.float32)
    if blur_px > 0.0:
        fine = cv2.GaussianBlur(fine, (0, 0), blur_px * k)
    return np.asarray(fine.reshape(height, k, width, k).mean(axis=(1, 3)), dtype=np.float64)


def homography(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(3, 3) that takes four points to four others."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y])
        rows.append([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y])
    return np.append(np.linalg.solve(np.array(rows), np.asarray(target).ravel()), 1.0).reshape(3, 3)


def exposed(levels: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """An 8-bit image with Gaussian noise of that many grey levels."""
    return np.asarray(np.clip(np.round(levels + rng.normal(size=levels.shape) * noise), 0, 255).astype(np.uint8))


def tilted(
    side_px: float, tilt_deg: float, turn_deg: float, middle: tuple[float, float], rng: np.random.Generator, focal_px: float = 900.0
) -> np.ndarray:
    """(4, 2) corners of a square of `side_px` seen squarely, tilted about a random axis in its plane and turned."""
    half, about = 0.5, rng.uniform(0.0, 2.0 * np.pi)
    flat = np.array([[-half, -half, 0.0], [half, -half, 0.0], [half, half, 0.0], [-half, half, 0.0]])
    spin = cv2.Rodrigues(np.array([0.0, 0.0, np.deg2rad(turn_deg)]))[0]
    tilt = cv2.Rodrigues(np.deg2rad(tilt_deg) * np.array([np.cos(about), np.sin(about), 0.0]))[0]
    points = flat @ (tilt @ spin).T + [0.0, 0.0, focal_px / side_px]
    return np.asarray(focal_px * points[:, :2] / points[:, 2:] + middle)
