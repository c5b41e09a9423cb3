"""Marker corners to a few hundredths of a pixel, and how far each may be off: lines through the edges of the black square, and where they cross.

A corner's own neighbourhood is a poor witness: blur rounds it inwards. The edges are long and straight, and blur leaves their middle in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracking.detect.approach import approached
from tracking.detect.crossings import corner_covariance
from tracking.detect.decoding import edge_shifts, misplaced_share
from tracking.detect.edges import MOST_PASSES, fit_squares

Array = npt.NDArray[np.float64]
Grey = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.bool_]

#: A corner that would move further than this is left where the detector put it.
FARTHEST_PX = 6.0
#: Sd of a corner, or of an edge, that the image does not support: where the detector put it.
UNSUPPORTED_PX = 1.5
#: What covers an edge lies near its neighbours too: in 857 rendered markers with one edge unsupported, the others were so many times further off.
BESIDE_SDS = 2.5
#: An edge is supported if at least this share of its profiles fits, and its contrast is this many times the noise.
LEAST_SHARE, LEAST_CONTRAST = 0.35, 3.0
#: The paper is as white behind all four edges, give or take this share of the contrast: else one of them is the edge of something that lies on it.
WHITE_SPREAD = 0.2
#: Where more than this share of the quarters of its cells has the wrong colour, a marker's corners are not where they seem: an edge that lies
#: across it was taken for its own. Cells smaller than this, px, are too blurred to tell.
MISPLACED_SHARE, LEGIBLE_CELL_PX = 0.05, 4.0
#: An edge is where it seems if it is within this much, px, plus this share of a cell, of where the lines between the cells have it; or within so
#: many times what the marker's other edges are off: a bent print, or one drawn in whole pixels, is off at all of them.
CONTRADICTED_PX, CONTRADICTED_CELLS, CONTRADICTED_TIMES = 0.2, 0.03, 4.0


@dataclass(frozen=True, eq=False)
class Squares:
    """Squares fitted to an image.

    Attributes
    ----------
    corners_px : (N, 4, 2)
    joint_covariance_px : (N, 8, 8) px^2, of a square's eight numbers
    supported : (N, 4) which edges the image supports: first to second corner, second to third ...
    middle_grey : (N,) half way between the square's black and its paper's white
    """

    corners_px: Array
    joint_covariance_px: Array
    supported: Bits
    middle_grey: Array


def refine_corners(grey: Grey, corners_px: Array, black: Bits) -> tuple[Array, Array]:
    """Move corners to where the lines through the edges cross.

    Parameters
    ----------
    grey : (H, W) image
    corners_px : (N, 4, 2) as detected, going clockwise in the image, the upright marker's top left one first
    black : (N, n, n) the markers' cells (`tracking.detect.patterns.cells`): what is white inside shines into the border

    Returns
    -------
    (N, 4, 2) corners; and (N, 8, 8) px^2, the joint covariance of each marker's eight numbers, from the noise that the fit leaves.
    An edge without support in the image (covered, overexposed, outside) has an sd of `UNSUPPORTED_PX` across it
    """
    squares = fitted_squares(grey, corners_px, black)
    return squares.corners_px, squares.joint_covariance_px


def fitted_squares(grey: Grey, corners_px: Array, black: Bits) -> Squares:
    """What `refine_corners` returns, and what the image says for it."""
    count = len(corners_px)
    start = np.ascontiguousarray(corners_px, dtype=np.float64)
    fitted, ends, facts = np.empty((count, 4, 2)), np.empty((count, 4, 3)), np.zeros((count, 4, 5))
    near = near_corners(grey, start, black.shape[1])
    inner = np.stack([black[:, 1], black[:, :, -2], black[:, -2, ::-1], black[:, ::-1, 1]], axis=1)
    fit_squares(grey, near, inner, MOST_PASSES, fitted, ends, facts)
    supported = (facts[..., 0] >= LEAST_SHARE) & (facts[..., 1] >= LEAST_CONTRAST * facts[..., 2])
    white = facts[..., 4] + facts[..., 1]
    supported &= np.abs(white - np.median(white, axis=1, keepdims=True)) <= WHITE_SPREAD * np.median(facts[..., 1], axis=1, keepdims=True)
    weak = np.flatnonzero((~supported).any(axis=1))
    if len(weak):
        fitted[weak] = _mixed(fitted[weak], start[weak], supported[weak])
    astray: Bits = np.logical_not((np.abs(fitted - start) < FARTHEST_PX).all(axis=(1, 2)))
    fitted[astray] = start[astray]
    supported &= ~astray[:, None]
    ends[supported & ~supported.all(axis=1, keepdims=True)] *= BESIDE_SDS**2
    ends[~supported] = (UNSUPPORTED_PX**2, UNSUPPORTED_PX**2, 0.0)
    middle_grey = (facts[..., 4] + 0.5 * facts[..., 1]).mean(axis=1)
    ends[_misplaced(grey, fitted, black, middle_grey)] = (UNSUPPORTED_PX**2, UNSUPPORTED_PX**2, 0.0)
    off = _contradicted_px(grey, fitted, black)
    ends[..., :2] += np.square(off)[..., None]
    joint = np.empty((count, 8, 8))
    corner_covariance(fitted, ends, joint)
    return Squares(fitted, joint, supported, middle_grey)


def _misplaced(grey: Grey, fitted: Array, black: Bits, middle_grey: Array) -> Bits:
    """(N,) whose cells are not where the corners have them. Squares whose cells are not known yet (all black) are not judged."""
    share = np.zeros(len(fitted))
    if len(fitted) and not black.all() and min(grey.shape) >= 2:
        misplaced_share(grey, fitted, np.ascontiguousarray(black), middle_grey, share)
    sides = np.linalg.norm(_next(fitted) - fitted, axis=2).min(axis=1) if len(fitted) else share
    return np.asarray((share > MISPLACED_SHARE) & (sides >= LEGIBLE_CELL_PX * black.shape[1]) & ~black.all(axis=(1, 2)))


def _contradicted_px(grey: Grey, fitted: Array, black: Bits) -> Array:
    """(N, 4) how much further each edge is from where the cells have it than is allowed, px."""
    shifts = np.zeros((len(fitted), 4))
    if min(grey.shape) < 2 or not len(fitted):
        return shifts
    edge_shifts(grey, fitted, np.ascontiguousarray(black), shifts)
    sides = np.linalg.norm(_next(fitted) - fitted, axis=2)
    # An edge moves along the two sides that end at it.
    cell = (np.roll(sides, 1, axis=1) + np.roll(sides, -1, axis=1)) / (2.0 * black.shape[1])
    off, others = np.abs(shifts), np.sort(np.abs(shifts), axis=1)
    # The middle one of the other three edges.
    usual = np.where(off <= others[:, 1:2], others[:, 2:3], others[:, 1:2])
    allowed = np.maximum(CONTRADICTED_CELLS + CONTRADICTED_PX / np.maximum(cell, 1e-9), CONTRADICTED_TIMES * usual)
    return np.asarray(np.where(off > allowed, (off - allowed) * cell, 0.0))


def near_corners(grey: Grey, corners_px: Array, cells: int) -> Array:
    """(N, 4, 2) corners within about a tenth of a pixel, from (N, 4, 2) a few pixels off; NaN where there is no square. `cells` : across a marker."""
    near = np.array(corners_px, dtype=np.float64)
    if min(grey.shape) >= 2:
        approached(grey, np.ascontiguousarray(corners_px, dtype=np.float64), cells, near)
    return near


def _mixed(fitted: Array, start: Array, supported: Bits) -> Array:
    """Corners (N, 4, 2) where fitted edges cross, those without support taken as they were at the start."""
    ends = np.stack([np.where(supported[..., None], quad, other) for quad, other in ((fitted, start), (_next(fitted), _next(start)))], axis=2)
    run = ends[:, :, 1] - ends[:, :, 0]
    last, run_last = np.roll(ends[:, :, 0], 1, axis=1), np.roll(run, 1, axis=1)
    gap = ends[:, :, 0] - last
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (gap[..., 0] * run[..., 1] - gap[..., 1] * run[..., 0]) / (run_last[..., 0] * run[..., 1] - run_last[..., 1] * run[..., 0])
        return np.asarray(last + share[..., None] * run_last)


def _next(corners: Array) -> Array:
    return corners[:, [1, 2, 3, 0]]
