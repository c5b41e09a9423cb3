"""Where in an image squares might be, by OpenCV's marker detector, on a region of it or on one of the shares that make up the whole.

A share is a band of rows at half size and, with the last one, all of the image at a quarter. Each size finds the squares that fit into the rows which
neighbouring bands have in common, the smaller size the larger squares: so together the shares find what the whole image would show, at a steady cost
per frame. What a square shows is read at full size afterwards, so that the reduced image need only show that it is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tracking.opencv import cv2

Array = npt.NDArray[np.float64]
Grey = npt.NDArray[np.uint8]

#: Frames after which the whole image has been searched.
SHARES = 4
#: Reductions of the image for squares of up to OVERLAP_ROWS at the first, and larger ones at the second.
FINE, COARSE = 2, 4
#: Rows of the finely reduced image that neighbouring bands have in common.
OVERLAP_ROWS = 72
#: Side of the neighbourhood whose mean is the threshold, px.
WINDOW_PX = 23
#: Shortest side of a square that is looked for, px: of what is searched, be it reduced or not.
SHORTEST_PX = 8.0


def squares_in_region(grey: Grey, left: int, top: int, right: int, bottom: int, scale: int = 1, known_px: Sequence[Array] | Array = ()) -> Array:
    """(N, 4, 2) corners, clockwise, of what may be a marker in the pixels from `left`, `top` up to but without `right`, `bottom`.

    They are looked for in that part reduced by `scale`; squares at `known_px` (M, 4, 2) are known already and not looked for again.
    """
    width, height = (right - left) // scale, (bottom - top) // scale
    if min(width, height) < SHORTEST_PX:
        return np.zeros((0, 4, 2))
    part = grey[top : top + height * scale, left : left + width * scale]
    part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) if scale > 1 else part.copy()
    if len(known_px):
        # Their insides go flat; whatever lies beside them stays to be found.
        places = np.round((np.asarray(known_px) - [left, top]) / scale).astype(np.int32)
        low, high = places.min(axis=1), places.max(axis=1)
        for corners in places[((high >= 0) & (low < [width, height])).all(axis=1)]:
            cv2.fillConvexPoly(part, corners, 128)
    return _squares(part, scale, (left, top))


def squares_in_share(grey: Grey, number: int, known_px: Sequence[Array] | Array) -> Array:
    """The same for one of the SHARES of the image. Squares at `known_px` (M, 4, 2) are known already and not looked for again."""
    height, width = grey.shape
    rows = height // FINE
    top, bottom = number * rows // SHARES, min((number + 1) * rows // SHARES + OVERLAP_ROWS, rows)
    found = [squares_in_region(grey, 0, top * FINE, width, bottom * FINE, FINE, known_px)]
    if number == SHARES - 1:
        found.append(squares_in_region(grey, 0, 0, width, height, COARSE, known_px))
    return np.concatenate(found)


def _squares(part: Grey, scale: int, origin: tuple[int, int]) -> Array:
    """In pixels of the image before it was reduced: a pixel's middle is that of the square of pixels that it averages."""
    named, _, others = _detector(part.shape).detectMarkers(part)
    corners = [np.reshape(found, (-1, 4, 2)) for found in (named, others) if len(found)]
    return np.asarray((np.concatenate([np.zeros((0, 4, 2)), *corners]) + 0.5) * scale - 0.5 + origin)


#: OpenCV needs a dictionary even to look for squares; the smaller, the less time it takes to find that they show none of its markers.
_WORDS = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
_detectors: dict[float, Any] = {}


def _detector(shape: tuple[int, ...]) -> Any:
    # OpenCV states the shortest perimeter as a share of the longer side; rounded, so that a few detectors do for all regions.
    rate = 4.0 * SHORTEST_PX / (16.0 * float(np.ceil(max(shape) / 16.0)))
    if rate not in _detectors:
        settings = cv2.aruco.DetectorParameters()
        settings.adaptiveThreshWinSizeMin = settings.adaptiveThreshWinSizeMax = WINDOW_PX
        settings.minMarkerPerimeterRate = rate
        # The paper's outline lies about the marker's, and of outlines that lie close together only the outermost would be told.
        settings.minMarkerDistanceRate = settings.minGroupDistance = 0.02
        _detectors[rate] = cv2.aruco.ArucoDetector(_WORDS, settings)
    return _detectors[rate]
