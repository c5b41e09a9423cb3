"""Which corners agree on one pose: what a finger, a lamp or a wrong number has spoilt is left out, as long as most remain.

The scale at which a corner counts as spoilt is drawn in step by step (graduated non-convexity: Blake and Zisserman, Visual Reconstruction, 1987,
with Geman and McClure's weights), so that the pose can leave what the spoilt corners had made of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracking.pose.fit import Fit, fitted
from tracking.pose.problem import Array, Problem, whitened

#: Scales in pixels, from where a corner is doubted to where it is judged; so many fits at each.
SCALES_PX, FITS = (12.0, 6.0, 3.0, 1.5, 0.8), 2
#: A corner disagrees if it misses by more than this many pixels, of its standard deviations, and times the median miss: where all miss
#: alike, the noise is larger than measured, or the calibration poor, and no corner is to blame.
DISAGREES_PX, DISAGREES_SDS, DISAGREES_TIMES = 0.5, 4.0, 4.0
#: A marker within this many standard deviations (root mean square of its numbers) is not suspected at all.
UNSUSPECTED_SDS = 2.0
#: Fewest corners that may be left, and fewest of one marker that still say something of it.
FEWEST, FEWEST_OF_MARKER = 6, 2


def agreed(problem: Problem, fit: Fit) -> Fit:
    """The pose on which most corners agree, from a pose that all of them have pulled at; the same pose if there is no such majority."""
    if float(fit.squares.max()) < 8.0 * UNSUSPECTED_SDS**2 or len(problem.ids) < 2:
        return fit
    drawn = _drawn_in(problem, fit)
    if drawn is None:
        return fit
    common = max(DISAGREES_PX, DISAGREES_TIMES * float(np.median(drawn.misfit_px)))
    kept = drawn.misfit_px <= np.maximum(common, DISAGREES_SDS * problem.sd_px)
    kept &= kept.sum(axis=1, keepdims=True) >= FEWEST_OF_MARKER
    if kept.all() or 2 * int(kept.sum()) <= kept.size or int(kept.sum()) < FEWEST:
        return fit
    without = fitted(whitened(problem, kept), drawn.rotation, drawn.t_mm)
    return without if without is not None else fit


def _drawn_in(problem: Problem, fit: Fit) -> Fit | None:
    found: Fit | None = fit
    for scale in SCALES_PX:
        for _ in range(FITS):
            if found is None:
                return None
            share = 1.0 / (1.0 + np.square(np.minimum(found.misfit_px, 1e6) / scale))
            found = fitted(replace(problem, white=_separate(problem, share)), found.rotation, found.t_mm)
    return found


def _separate(problem: Problem, share: Array) -> Array:
    """(M, 8, 8) whitening of corners taken one by one, each with its weight's square root `share` (M, 4)."""
    white = np.zeros_like(problem.white)
    strength = share / np.maximum(problem.sd_px, DISAGREES_PX / DISAGREES_SDS)
    for k in range(4):
        white[:, 2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = problem.slopes[:, k] * strength[:, k, None, None]
    return white
