"""Lines of thousands of points as painter's paths, made at once: point by point through Python they would cost more than their painting.

A path is read from the bytes that Qt itself writes paths as (its serialisation of QPainterPath: a count, then type, x, y of each element, then where
the last subpath starts and the fill rule).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QByteArray, QDataStream, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath

from navtwin.scene.augment import Loop

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_ELEMENT = np.dtype([("type", ">i4"), ("x", ">f8"), ("y", ">f8")])
MOVE, LINE = 0, 1
WINDING = 1
#: Side of the cells in which a silhouette is filled, px; and how far on both sides of an edge it is looked whether the silhouette is there.
CELL_PX, BESIDE_PX = 2, 2.5


class Edges:
    """The edges of closed loops, one after the other.

    Attributes
    ----------
    start, end : (N, 2) px
    below_mm : (N,) how deep under the bone
    before : (N,) number of the edge that ends where this one starts
    """

    def __init__(self, loops: Sequence[Loop], scale: float = 1.0) -> None:
        counts = [len(loop.pixels) for loop in loops]
        stops = np.cumsum(counts, dtype=np.int64)
        # A picture's pixel (0, 0) is a centre; the painter's origin is that pixel's corner.
        self.start: F64 = (np.concatenate([np.zeros((0, 2)), *(loop.pixels for loop in loops)]) + 0.5) * scale
        self.below_mm: F64 = np.concatenate([np.zeros(0), *(loop.below_mm for loop in loops)])
        after, before = np.arange(1, len(self.start) + 1), np.arange(-1, len(self.start) - 1)
        first = stops - np.array(counts, dtype=np.int64)
        after[stops - 1], before[first] = first, stops - 1
        self.end, self.before = self.start[after], before
        self._first = np.zeros(len(self.start), np.bool_)
        self._first[first] = True

    def area(self) -> QPainterPath:
        """The silhouette that the loops bound, by the nonzero-winding rule."""
        return _path(np.stack((self.start, self.end), axis=1), self._first)

    def outline(self, chosen: Flags) -> QPainterPath:
        """The chosen edges, each run of them as one line."""
        runs = ~chosen[self.before] | self._first
        return _path(np.stack((self.start[chosen], self.end[chosen]), axis=1), runs[chosen])

    def mask(self, size_px: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """(rows, columns) of cells of 2 x 2 px: 255 where the silhouette covers a cell's middle, 0 elsewhere."""
        width_px, height_px = (-(-size // CELL_PX) for size in size_px)
        image = QImage(width_px, height_px, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.scale(1.0 / CELL_PX, 1.0 / CELL_PX)
        painter.fillPath(self.area(), Qt.GlobalColor.white)
        painter.end()
        # Copied: the image's bytes go with it.
        return np.frombuffer(image.constBits(), np.uint8).reshape(height_px, image.bytesPerLine())[:, :width_px].copy()

    def outer(self, mask: npt.NDArray[np.uint8]) -> Flags:
        """(N,) which edges bound the silhouette itself and do not run across it: it lies on one side of them alone. Outside the picture: none."""
        rows, columns = mask.shape
        along = self.end - self.start
        length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
        aside = BESIDE_PX * np.stack((-along[:, 1], along[:, 0]), axis=1) / length[:, None]
        sides = []
        for side in (1.0, -1.0):
            x, y = np.floor(((self.start + self.end) / 2.0 + side * aside) / CELL_PX).T
            within = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
            sides.append(np.where(within, mask[np.where(within, y, 0).astype(np.int64), np.where(within, x, 0).astype(np.int64)], 127))
        return np.asarray(np.abs(sides[0].astype(np.int64) - sides[1]) == 255)


def line(pixels: F64, scale: float, *, closed: bool = False) -> QPainterPath:
    """One line through (N, 2) px; none through fewer than two points."""
    if len(pixels) < 2:
        return QPainterPath()
    points = (np.concatenate([pixels, pixels[:1]]) if closed else pixels) * scale + 0.5 * scale
    first = np.zeros(len(points) - 1, np.bool_)
    first[0] = True
    return _path(np.stack((points[:-1], points[1:]), axis=1), first)


def pieces(segments: F64, scale: float) -> QPainterPath:
    """Loose pieces of a line, (N, 2, 2) px."""
    return _path((segments + 0.5) * scale, np.ones(len(segments), np.bool_))


def _path(pairs: F64, first: Flags) -> QPainterPath:
    """Edges (N, 2, 2) as subpaths: each that is `first` begins a new one, every other goes on from the one before it."""
    kept = np.ones((len(pairs), 2), np.bool_)
    kept[:, 0] = first
    elements = np.zeros((len(pairs), 2), _ELEMENT)
    elements["type"] = (MOVE, LINE)
    elements["x"], elements["y"] = pairs[..., 0], pairs[..., 1]
    listed = elements[kept]
    if not len(listed):
        return QPainterPath()
    last = int(np.flatnonzero(listed["type"] == MOVE)[-1])
    data = np.array(len(listed), ">i4").tobytes() + listed.tobytes() + np.array((last, WINDING), ">i4").tobytes()
    stream, path = QDataStream(QByteArray(data)), QPainterPath()
    stream.setVersion(QDataStream.Version.Qt_6_0)
    stream >> path
    return path
