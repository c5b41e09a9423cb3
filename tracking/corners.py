"""Marker corners to a few hundredths of a pixel: straight lines through the edges of the black square, and where they cross.

A corner's own neighbourhood is a poor witness: blur rounds it inwards. The edges are long and straight, and blur leaves their middle in place.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

#: Samples along each edge (its ends, where blur rounds it, are left out) and across it, px.
ALONG = np.linspace(0.12, 0.88, 24)
STEP_PX, WIDEST_PX = 0.25, 3.0
#: Of a marker's cell: the black border is one cell wide, and the search must not reach the cells inside.
CELL_SHARE = 0.45
#: A corner that would move further than this is left where the detector put it.
FARTHEST_PX = 3.0


def refine_corners(grey: npt.NDArray[np.uint8], corners_px: Array, cells: int) -> Array:
    """Move corners to where lines through the edges cross.

    Along each edge, the place of the step from black to white is the centroid of the grey-level gradient across it.

    Parameters
    ----------
    grey : (H, W) image
    corners_px : (N, 4, 2) as detected, going clockwise in the image
    cells : number of cells across the marker, its black border included

    Returns
    -------
    (N, 4, 2)
    """
    levels, refined = grey.astype(np.float32), corners_px
    for _ in range(2):
        refined = _refined_once(levels, refined, cells)
    near = np.linalg.norm(refined - corners_px, axis=2, keepdims=True) < FARTHEST_PX
    return np.asarray(np.where(near & np.isfinite(refined).all(axis=2, keepdims=True), refined, corners_px))


def _refined_once(image: npt.NDArray[np.float32], corners_px: Array, cells: int) -> Array:
    ends = np.roll(corners_px, -1, axis=1)
    length = np.linalg.norm(ends - corners_px, axis=2)
    run = (ends - corners_px) / length[..., None]
    outward = np.stack([run[..., 1], -run[..., 0]], axis=-1)
    reach = np.minimum(WIDEST_PX, CELL_SHARE * length.min(axis=1) / cells)
    steps = np.arange(-WIDEST_PX, WIDEST_PX + STEP_PX, STEP_PX)
    base = corners_px[:, :, None] + ALONG[:, None] * (ends - corners_px)[:, :, None]
    sampled = base[..., None, :] + steps[:, None] * outward[:, :, None, None, :]
    flat = sampled.reshape(-1, len(steps), 2).astype(np.float32)
    levels = cv2.remap(image, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rise = np.maximum(np.diff(levels.astype(np.float64), axis=1).reshape(*base.shape[:3], -1), 0.0)
    middle = (steps[1:] + steps[:-1]) / 2.0
    rise = np.where(np.abs(middle) <= reach[:, None, None, None], rise, 0.0)
    weight = rise.sum(axis=-1)
    edge = base + ((rise * middle).sum(axis=-1) / np.maximum(weight, 1e-9))[..., None] * outward[:, :, None]
    # Each edge's line: a weighted mean point and the normal, the direction of least scatter.
    share = weight / np.maximum(weight.sum(axis=-1, keepdims=True), 1e-9)
    centre = (share[..., None] * edge).sum(axis=2)
    off = edge - centre[:, :, None]
    scatter = np.einsum("nek,neki,nekj->neij", share, off, off)
    normal = np.linalg.eigh(scatter)[1][..., 0]
    return _crossings(np.roll(normal, 1, axis=1), np.roll(centre, 1, axis=1), normal, centre)


def _crossings(normal_a: Array, point_a: Array, normal_b: Array, point_b: Array) -> Array:
    """Where two lines cross; NaN where they are parallel."""
    a, b = (normal_a * point_a).sum(axis=-1), (normal_b * point_b).sum(axis=-1)
    determinant = normal_a[..., 0] * normal_b[..., 1] - normal_a[..., 1] * normal_b[..., 0]
    determinant = np.where(np.abs(determinant) > 1e-3, determinant, np.nan)
    x = (a * normal_b[..., 1] - b * normal_a[..., 1]) / determinant
    y = (b * normal_a[..., 0] - a * normal_b[..., 0]) / determinant
    return np.stack([x, y], axis=-1)
