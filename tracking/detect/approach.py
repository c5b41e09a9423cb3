"""Kernel: squares brought to within about a tenth of a pixel of their edges, from a few pixels away, where `tracking.detect.edges` can take over."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled
from tracking.detect.squares import grey_at

Array = npt.NDArray[np.float64]

#: Profiles along an edge, as shares of it: the ends, where blur rounds it, are left out.
FIRST, LAST, PROFILES = 0.12, 0.88, 12
#: Samples of a profile: this far apart, px; and at most so far from where the edge is expected, px and in the marker's cells.
STEP_PX, WIDEST_PX, WIDEST_CELLS = 0.5, 4.0, 0.9
MOST_SAMPLES = 17
#: Profiles off the line by this much weigh half, px.
OFF_PX = 0.5
#: A square whose corners moved further than this is looked at once more, px.
AGAIN_PX = 1.0


@compiled
def _steepest(levels: Array, count: int) -> tuple[float, float]:
    """Where, in steps from the first sample, levels rise most over two steps; and by how much they rise there."""
    best, rise = 1, 0.0
    for k in range(1, count - 1):
        if levels[k + 1] - levels[k - 1] > rise:
            best, rise = k, levels[k + 1] - levels[k - 1]
    place = float(best)
    if 2 <= best < count - 2:
        # The vertex of the parabola through the slopes here, one step before and one after.
        before, after = levels[best] - levels[best - 2], levels[best + 2] - levels[best]
        bend = before - 2.0 * rise + after
        if bend < 0.0:
            place += min(max(0.5 * (before - after) / bend, -1.0), 1.0)
    return place, rise


@compiled
def _line(places: Array, off: Array, rises: Array) -> tuple[float, float]:
    """Distance of the edge at its start and at its end: a line through the profiles' steepest places, robust (Cauchy weights)."""
    middle, slope = float(np.median(off)), 0.0
    for _ in range(6):
        w0 = w1 = w2 = g0 = g1 = 0.0
        for j in range(len(places)):
            far = (off[j] - middle - slope * places[j]) / OFF_PX
            weight = rises[j] / (1.0 + far * far)
            w0 += weight
            w1 += weight * places[j]
            w2 += weight * places[j] * places[j]
            g0 += weight * off[j]
            g1 += weight * places[j] * off[j]
        determinant = w0 * w2 - w1 * w1
        if not determinant > 1e-6 * w0 * w0:
            break
        middle, slope = (w2 * g0 - w1 * g1) / determinant, (w0 * g1 - w1 * g0) / determinant
    return middle - slope, middle + slope


@compiled
def approached(image: npt.NDArray[np.uint8], corners_px: Array, cells: int, out: Array) -> None:
    """Move the corners of squares to where lines through the steepest places across their edges cross.

    Parameters
    ----------
    image : (H, W) grey, at least 2 x 2
    corners_px : (N, 4, 2) clockwise in the image
    cells : across a marker, border included
    out : (N, 4, 2); NaN where there is no square to be found
    """
    levels, places, off, rises = np.zeros(MOST_SAMPLES), np.zeros(PROFILES), np.zeros(PROFILES), np.zeros(PROFILES)
    normals, shifts = np.zeros((4, 2)), np.zeros((4, 2))
    for marker in range(len(corners_px)):
        corners = out[marker]
        corners[:] = corners_px[marker]
        for _ in range(2):
            shortest = 1e9
            for edge in range(4):
                following = (edge + 1) % 4
                dx, dy = corners[following, 0] - corners[edge, 0], corners[following, 1] - corners[edge, 1]
                length = math.sqrt(dx * dx + dy * dy)
                shortest = min(shortest, length) if length < 1e5 else -1.0
                normals[edge, 0], normals[edge, 1] = dy / length, -dx / length
            if not shortest >= 4.0:
                corners[:] = np.nan
                break
            reach = min(WIDEST_PX, max(WIDEST_CELLS * shortest / cells, 1.5))
            count = min(2 * int(reach / STEP_PX) + 1, MOST_SAMPLES)
            for edge in range(4):
                following = (edge + 1) % 4
                for j in range(PROFILES):
                    share = FIRST + (LAST - FIRST) * j / (PROFILES - 1)
                    x = corners[edge, 0] + share * (corners[following, 0] - corners[edge, 0])
                    y = corners[edge, 1] + share * (corners[following, 1] - corners[edge, 1])
                    for k in range(count):
                        d = STEP_PX * (k - count // 2)
                        levels[k] = grey_at(image, x + d * normals[edge, 0], y + d * normals[edge, 1])
                    place, rises[j] = _steepest(levels, count)
                    places[j], off[j] = 2.0 * share - 1.0, STEP_PX * (place - count // 2)
                shifts[edge, 0], shifts[edge, 1] = _line(places, off, rises)
            moved = 0.0
            for corner in range(4):
                last = (corner + 3) % 4
                determinant = normals[last, 0] * normals[corner, 1] - normals[last, 1] * normals[corner, 0]
                x = (shifts[last, 1] * normals[corner, 1] - shifts[corner, 0] * normals[last, 1]) / determinant
                y = (shifts[corner, 0] * normals[last, 0] - shifts[last, 1] * normals[corner, 0]) / determinant
                moved = max(moved, abs(x), abs(y))
                corners[corner, 0] += x
                corners[corner, 1] += y
            if not moved > AGAIN_PX:
                break
