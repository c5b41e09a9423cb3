"""The soft parts of a silhouette as a small image: glass that is denser towards its rim, and around it the band that its predicted error covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from gui.augmented.paths import CELL_PX

F32 = npt.NDArray[np.float32]

#: The image has one pixel for so many cells of the silhouette, each way: it is soft, and painted larger.
COARSE = 2
PX = COARSE * CELL_PX
#: How opaque the glass is in its middle and how much more at its rim; and the band of the error.
MIDDLE, RIM, BAND = 0.15, 0.45, 0.34
#: How far the rim reaches inwards, px.
RIM_PX = 14.0
#: Points so far away, px, tell how deep it lies.
NEAR_PX = 10.0


@dataclass(frozen=True, eq=False)
class Shares:
    """How much of the glass is left, 0 to 1: (N,) at (N, 2) px of the silhouette, from point to point; `mean` where no point is near."""

    at_px: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    mean: float


def paint_shade(painter: QPainter, mask: npt.NDArray[np.uint8], shade: QColor, shares: Shares, band_px: float) -> None:
    """Paint glass and band.

    Parameters
    ----------
    mask : (rows, columns) of the silhouette in cells (see `Edges.mask`), 0 or 255
    shares : less where the structure lies deeper under the bone
    band_px : half width of the band around the outline
    """
    found = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(found[0]):
        return
    margin = COARSE * round(2.0 * max(band_px, RIM_PX) / PX + 1.0)
    top, left = (max(0, int(index[0]) - margin) // COARSE * COARSE for index in found)
    bottom, right = (min(size, int(index[-1]) + margin) for index, size in zip(found, mask.shape, strict=True))
    covered = _coarse(mask[top:bottom, left:right])
    rim = covered * (1.0 - _blurred(covered, RIM_PX / PX))
    band = np.minimum(1.0, 2.0 * _blurred(covered, max(0.5, band_px / PX))) * (1.0 - covered)
    share = _spread(shares, (top // COARSE, left // COARSE), covered.shape)
    alpha = np.minimum(1.0, share * (MIDDLE * covered + RIM * rim) + BAND * band)
    rows, columns = alpha.shape
    pixels = np.empty((rows, columns, 4), np.uint8)
    for channel, value in enumerate((shade.blue(), shade.green(), shade.red(), 255)):
        pixels[..., channel] = alpha * value
    image = QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(left * CELL_PX, top * CELL_PX, columns * PX, rows * PX), image)
    painter.restore()


def _spread(shares: Shares, corner: tuple[int, int], shape: tuple[int, int]) -> F32:
    """Shares for each coarse pixel: of the points around it."""
    columns, rows = (np.floor(shares.at_px / PX).astype(np.int64) - corner[::-1]).T
    within = (rows >= 0) & (columns >= 0) & (rows < shape[0]) & (columns < shape[1])
    sums, counts = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    np.add.at(sums, (rows[within], columns[within]), shares.share[within].astype(np.float32))
    np.add.at(counts, (rows[within], columns[within]), np.float32(1.0))
    sums, counts = _blurred(sums, NEAR_PX / PX), _blurred(counts, NEAR_PX / PX)
    # A running sum leaves a little of what it has passed.
    known = counts > 1e-3
    return np.where(known, np.clip(sums / np.where(known, counts, np.float32(1.0)), 0.0, 1.0), np.float32(shares.mean))


def _coarse(mask: npt.NDArray[np.uint8]) -> F32:
    """Shares of coarse pixels that are covered; what is missing to whole ones at the edge counts as empty."""
    rows, columns = (-(-size // COARSE) for size in mask.shape)
    padded = np.zeros((rows * COARSE, columns * COARSE), np.float32)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(rows, COARSE, columns, COARSE).mean(axis=(1, 3)) / np.float32(255.0))


def _blurred(image: F32, radius: float) -> F32:
    """Twice the mean over a box, each way: near enough to a Gaussian. Beyond its edge the image goes on as it ends."""
    reach = max(1, round(radius))
    for axis in (0, 1, 0, 1):
        pads = [(reach + 1, reach) if a == axis else (0, 0) for a in (0, 1)]
        sums = np.cumsum(np.pad(image, pads, mode="edge"), axis=axis, dtype=np.float32)
        width, size = 2 * reach + 1, image.shape[axis]
        image = (np.take(sums, range(width, width + size), axis=axis) - np.take(sums, range(size), axis=axis)) / np.float32(width)
    return image
