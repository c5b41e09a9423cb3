"""Every pose that might explain the corners, the best first, and the corners that agree on it.

Starts are both planar poses of every visible marker, the last pose where there is one, and the mirror image of the best pose: seen from afar,
a flat body mirrored at its own plane and then at the plane across the line of sight looks the same (Schweighofer and Pinz, IEEE PAMI 2006;28:2024).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from navtwin.rigid import Rigid
from tracking.pose.consensus import agreed
from tracking.pose.fit import Fit, fitted
from tracking.pose.planar import apart, both_poses, disagreement, mirror_image
from tracking.pose.problem import Array, Problem

#: Poses refined besides the best start, its mirror image and the last pose.
FURTHER_STARTS = 2
#: A start this close to one tried already would end where that did.
SAME_START_RAD = 0.05
#: With this many markers, a pose whose residuals are no larger than so many times the noise (variance) can have no rival but its mirror image.
MANY_MARKERS, FITS_WELL = 4, 4.0


def candidates(problem: Problem, previous: Rigid | None) -> list[Fit]:
    """Different poses that explain the markers, the best first; all rest on the corners that agree on the best. Empty if there is none."""
    first = list[Fit]()
    for start in _starts(problem, previous):
        fit = fitted(problem, *start)
        if fit is not None:
            first.append(fit)
            if len(problem.ids) >= MANY_MARKERS and fit.excess < FITS_WELL:
                break
    if not first:
        return []
    ranked = sorted(first, key=lambda fit: _disagreement(problem, fit.rotation[None], fit.t_mm[None])[0]) if len(first) > 1 else first
    best = agreed(problem, ranked[0])
    settled = best.problem
    others = ranked[1:] if settled is problem else [fitted(settled, other.rotation, other.t_mm) for other in ranked[1:]]
    found = [best, *(fit for fit in (*others, fitted(settled, *_mirror_image(best))) if fit is not None)]
    return sorted(found, key=lambda fit: fit.chi2)


def _disagreement(problem: Problem, rotations: Array, t_mm: Array) -> Array:
    p = problem
    return np.asarray(disagreement(rotations, t_mm, p.corners_mm, p.rays, p.slopes, p.view, p.stands))


def _starts(problem: Problem, previous: Rigid | None) -> Iterator[tuple[Array, Array]]:
    """The last pose, then the starts that most markers agree with, each far from the others."""
    p = problem
    if previous is not None:
        yield np.array(previous.rotation), np.array(previous.t_mm)
    rotations, t_mm = both_poses(p.corners_mm, p.rays, p.view, p.stands)
    for i in apart(rotations, _disagreement(problem, rotations, t_mm), FURTHER_STARTS + 1, SAME_START_RAD):
        yield rotations[i], t_mm[i]


def _mirror_image(best: Fit) -> tuple[Array, Array]:
    """The pose that looks most like `best` in the view with most markers."""
    p = best.problem
    view = int(np.bincount(p.view[p.use]).argmax()) if len(p.stands) > 1 else 0
    return mirror_image(best.rotation, best.t_mm, p.corners_mm, p.use & (p.view == view), p.stands[view])
