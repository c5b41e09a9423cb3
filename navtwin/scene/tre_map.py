"""Where a registration is good and where it is not: its predicted error at any point, in bands with a colour each."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Covariance6, symmetric
from navtwin.rigid import Vec3

#: Upper edges of the bands, mm; the last band has none. The same for every case: a colour always means the same error.
EDGES_MM: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
#: One colour a band, dark to light as the error grows, told apart by every kind of colour vision and in grey: samples of viridis (van der Walt and
#: Smith, a better default colormap for Matplotlib, SciPy 2015; CC0).
COLORS: Final = ("#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")


def tre_mm(covariance: Covariance6, centroid_mm: Vec3, points_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Predicted RMS target registration error of each of (N, 3) points in ct.

    A small motion (turn w, shift t) about the centroid c moves p by `t + w x (p - c)`; the mean square of that is the trace of J S J^T (as
    Fitzpatrick, West and Maurer, IEEE Trans Med Imaging 1998;17:694 do for landmarks, here for any covariance S).

    Parameters
    ----------
    covariance, centroid_mm : as in `RegistrationResult`

    Returns
    -------
    (N,) float64, mm.
    """
    arm = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3) - np.asarray(centroid_mm)
    whole = symmetric(covariance, 6)
    turn, cross, shift = whole[:3, :3], whole[:3, 3:], whole[3:, 3:]
    # tr([d]x W [d]x^T) = |d|^2 tr W - d.W d, and tr(-[d]x C) picks the antisymmetric part of C: no matrix per point.
    by_turn = np.square(arm).sum(axis=1) * np.trace(turn) - np.einsum("ni,ij,nj->n", arm, turn, arm)
    twist = np.array((cross[2, 1] - cross[1, 2], cross[0, 2] - cross[2, 0], cross[1, 0] - cross[0, 1]))
    return np.asarray(np.sqrt(np.maximum(by_turn + 2.0 * (arm @ twist) + np.trace(shift), 0.0)))


def band(error_mm: float) -> int:
    """The number of the band that an error lies in, 0 for the smallest."""
    return int(np.searchsorted(EDGES_MM, error_mm, side="left"))


def scale_position(errors_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Errors as positions on a scale where each band is 1 wide, for a colour table of equal steps; the last band ends at twice its edge."""
    edges = (0.0, *EDGES_MM, 2.0 * EDGES_MM[-1])
    return np.asarray(np.interp(np.asarray(errors_mm, dtype=np.float64), edges, np.arange(len(edges), dtype=np.float64)))


def band_words() -> tuple[str, ...]:
    """What each band means, for a legend."""
    between = tuple(f"{low:g} - {high:g}" for low, high in pairwise(EDGES_MM))
    return (f"up to {EDGES_MM[0]:g}", *between, f"over {EDGES_MM[-1]:g}")
