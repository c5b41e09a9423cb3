"""Kernel: which marker, if any, the pixels inside a quadrilateral show."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled
from tracking.detect.patterns import Dictionary
from tracking.detect.squares import deepening, grey_at, place_of

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint64]

#: Least difference between paper and border, grey levels.
LEAST_CONTRAST = 12.0
#: A line between two cells is looked for within this share of a cell to either side, at so many places.
AROUND_CELLS, SAMPLES = 0.42, 9
#: A line between two cells that is off by so much more than the others, in cells, weighs half.
OFF_CELLS = 0.06
#: Share of the border's cells that may be wrong (OpenCV's rule).
BORDER_SHARE = 0.35


def codes_of(words: Dictionary, ids: npt.NDArray[np.int64]) -> Codes:
    """(K, 4) the white cells inside the border of each marker as bits, for each quarter turn: entry r is what is read from corner r onwards."""
    inner = words.size - 2
    place = np.uint64(1) << np.arange(inner * inner, dtype=np.uint64)
    white = ~words.black[ids, 1:-1, 1:-1]
    turned = [np.rot90(white, turn, axes=(1, 2)).reshape(len(ids), inner * inner) for turn in range(4)]
    return np.stack([(bits * place).sum(axis=1, dtype=np.uint64) for bits in turned], axis=1)


@compiled
def read_squares(
    image: npt.NDArray[np.uint8],
    corners_px: Array,
    size: int,
    codes: Codes,
    correctable: int,
    which: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
) -> None:
    """Read squares.

    Parameters
    ----------
    image : (H, W) grey, at least 2 x 2
    corners_px : (N, 4, 2) clockwise
    size : cells across, border included
    codes : (K, 4) of `codes_of`
    correctable : wrong cells inside the border that are let pass
    which : (N,) out; row of `codes`, or -1 if the square has no black border on lighter ground, or shows none of the markers
    first : (N,) out; the corner that is the upright marker's top left one
    """
    levels = np.zeros((size, size))
    for square in range(len(corners_px)):
        c = corners_px[square]
        which[square], first[square] = -1, 0
        determinant, g, h = deepening(c, 0)
        if not determinant < -1.0:
            continue  # no area, or not clockwise
        dark = light = 0.0
        # One ring of cells more than the marker has: its white margin.
        for row in range(-1, size + 1):
            for column in range(-1, size + 1):
                x, y = place_of(c, 0, g, h, (column + 0.5) / size, (row + 0.5) / size)
                level = grey_at(image, x, y)
                if row in (-1, size) or column in (-1, size):
                    light += level
                else:
                    levels[row, column] = level
                    if row in (0, size - 1) or column in (0, size - 1):
                        dark += level
        around = 4 * (size - 1)
        light, dark = light / (4 * (size + 1)), dark / around
        if light - dark < LEAST_CONTRAST:
            continue
        threshold = 0.5 * (light + dark)
        wrong = 0
        code, place = np.uint64(0), np.uint64(1)
        for row in range(size):
            for column in range(size):
                white = levels[row, column] > threshold
                if row in (0, size - 1) or column in (0, size - 1):
                    wrong += white
                else:
                    if white:
                        code |= place
                    place <<= np.uint64(1)
        if wrong > BORDER_SHARE * around:
            continue
        fewest = correctable + 1
        for k in range(len(codes)):
            for turn in range(4):
                differing = code ^ codes[k, turn]
                count = 0
                while differing != np.uint64(0) and count < fewest:
                    differing &= differing - np.uint64(1)
                    count += 1
                if count < fewest:
                    fewest, which[square], first[square] = count, k, (4 - turn) % 4


@compiled
def misplaced_share(image: npt.NDArray[np.uint8], corners_px: Array, black: npt.NDArray[np.bool_], middle_grey: Array, share: Array) -> None:
    """How far the cells are from where the corners have them: a cell's quarters are looked at near their outer ends, where a shift shows first.

    Parameters
    ----------
    image : (H, W) grey, at least 2 x 2
    corners_px : (N, 4, 2) clockwise, the upright marker's top left one first
    black : (N, n, n) the markers' cells
    middle_grey : (N,) between black and white
    share : (N,) out; share of the quarters that have the wrong colour
    """
    size = black.shape[1]
    for square in range(len(corners_px)):
        c = corners_px[square]
        determinant, g, h = deepening(c, 0)
        share[square] = 1.0
        if not determinant < -1.0:
            continue
        wrong = 0
        for row in range(2 * size):
            for column in range(2 * size):
                # Quarters of the cells, each at a fifth of the cell from its border.
                u = (column // 2 + (0.2 if column % 2 == 0 else 0.8)) / size
                v = (row // 2 + (0.2 if row % 2 == 0 else 0.8)) / size
                x, y = place_of(c, 0, g, h, u, v)
                wrong += (grey_at(image, x, y) < middle_grey[square]) != black[square, row // 2, column // 2]
        share[square] = wrong / (4 * size * size)


@compiled
def _line_shift(image: npt.NDArray[np.uint8], c: Array, g: float, h: float, size: int, line: int, lane: int, by_u: bool, rises: bool) -> float:
    """How far, in cells, the line between two cells of a lane is from where the corners have it; NaN where there is no contrast.

    The grey levels from one cell to the other, as shares of the step between them, sum to the part of the way that lies behind it, whatever the blur.
    """
    first = last = total = 0.0
    across = (lane + 0.5) / size
    for k in range(SAMPLES):
        place = (line + AROUND_CELLS * (2.0 * k / (SAMPLES - 1) - 1.0)) / size
        x, y = place_of(c, 0, g, h, place, across) if by_u else place_of(c, 0, g, h, across, place)
        level = grey_at(image, x, y)
        total += level
        if k == 0:
            first = level
        if k == SAMPLES - 1:
            last = level
    step = last - first if rises else first - last
    if step < LEAST_CONTRAST:
        return math.nan
    behind = (total - 0.5 * (first + last)) / (SAMPLES - 1)
    return AROUND_CELLS * (1.0 - 2.0 * (behind - first) / (last - first))


@compiled
def edge_shifts(image: npt.NDArray[np.uint8], corners_px: Array, black: npt.NDArray[np.bool_], shifts: Array) -> None:
    """How far each edge is from where the lines between the cells have it: they shift with the edge that they are nearer to.

    An edge with something straight laid along it looks like any other, and four corners hold too little to betray it; the cells are a second witness.

    Parameters
    ----------
    image : (H, W) grey, at least 2 x 2
    corners_px : (N, 4, 2) clockwise, the upright marker's top left one first
    black : (N, n, n) the markers' cells
    shifts : (N, 4) out, in cells: top, right, bottom, left; to the right and down is positive; 0 where nothing tells
    """
    size = black.shape[1]
    off, places, weights = np.empty(size * size), np.empty(size * size), np.empty(size * size)
    for square in range(len(corners_px)):
        c, cells = corners_px[square], black[square]
        shifts[square] = 0.0
        determinant, g, h = deepening(c, 0)
        if not determinant < -1.0:
            continue
        for axis in range(2):
            by_u, count = axis == 0, 0
            for line in range(1, size):
                for lane in range(size):
                    before = cells[lane, line - 1] if by_u else cells[line - 1, lane]
                    after = cells[lane, line] if by_u else cells[line, lane]
                    if before != after:
                        shift = _line_shift(image, c, g, h, size, line, lane, by_u, before)
                        if not math.isnan(shift):
                            off[count], places[count], weights[count] = shift, line / size, 1.0
                            count += 1
            near, far = 0.0, 0.0
            for _ in range(4):  # a straight line through the shifts, robust (Cauchy weights)
                s00 = s01 = s11 = g0 = g1 = 0.0
                for i in range(count):
                    q = places[i]
                    p, w = 1.0 - q, weights[i]
                    s00, s01, s11 = s00 + w * p * p, s01 + w * p * q, s11 + w * q * q
                    g0, g1 = g0 + w * p * off[i], g1 + w * q * off[i]
                determinant = s00 * s11 - s01 * s01
                if not determinant > 1e-3:
                    break
                near, far = (s11 * g0 - s01 * g1) / determinant, (s00 * g1 - s01 * g0) / determinant
                for i in range(count):
                    beyond = (off[i] - near * (1.0 - places[i]) - far * places[i]) / OFF_CELLS
                    weights[i] = 1.0 / (1.0 + beyond * beyond)
            if by_u:
                shifts[square, 3], shifts[square, 1] = near, far
            else:
                shifts[square, 0], shifts[square, 2] = near, far
