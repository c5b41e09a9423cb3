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


def squares_in_region(grey: Grey, left: int, top: int, right: int, bottom: int, scale: int = 1) -> Array:
    """(N, 4, 2) corners, clockwise, of what may be a marker in the pixels from `left`, `top` up to but without `right`, `bottom`.

    They are looked for in that part reduced by `scale`.
    """
    width, height = (right - left) // scale, (bottom - top) // scale
    part = np.ascontiguousarray(grey[top : top + height * scale, left : left + width * scale])
    if scale > 1 and min(width, height) > 0:
        part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    return _squares(part, scale, (left, top))


def squares_in_share(grey: Grey, number: int, known_px: Sequence[Array] | Array) -> Array:
    """The same for one of the SHARES of the image. Squares at `known_px` (M, 4, 2) are known already and not looked for again."""
    rows = grey.shape[0] // FINE
    top, bottom = number * rows // SHARES, min((number + 1) * rows // SHARES + OVERLAP_ROWS, rows)
    found = [_reduced_squares(grey, FINE, top, bottom, known_px)]
    if number == SHARES - 1:
        found.append(_reduced_squares(grey, COARSE, 0, grey.shape[0] // COARSE, known_px))
    return np.concatenate(found)


def _reduced_squares(grey: Grey, scale: int, top: int, bottom: int, known_px: Sequence[Array] | Array) -> Array:
    height, width = bottom - top, grey.shape[1] // scale
    if min(height, width) < SHORTEST_PX:
        return np.zeros((0, 4, 2))
    part = cv2.resize(grey[top * scale : bottom * scale, : width * scale], (width, height), interpolation=cv2.INTER_AREA)
    if len(known_px):
        # Their insides go flat; whatever lies beside them stays to be found.
        places = np.round((np.asarray(known_px) - [0, top * scale]) / scale).astype(np.int32)
        for corners in places[(places[:, :, 1].max(axis=1) >= 0) & (places[:, :, 1].min(axis=1) < height)]:
            cv2.fillConvexPoly(part, corners, 128)
    return _squares(part, scale, (0, top * scale))


def _squares(part: Grey, scale: int, origin: tuple[int, int]) -> Array:
    """In pixels of the image before it was reduced: a pixel's middle is that of the square of pixels that it averages."""
    if min(part.shape) < SHORTEST_PX:
        return np.zeros((0, 4, 2))
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
