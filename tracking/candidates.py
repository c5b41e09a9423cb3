"""Every pose that might explain the corners, the best first, and the corners that agree on it.

Starts are both planar poses of every visible marker, the last pose where there is one, and the mirror image of the best pose: seen from afar,
a flat body mirrored at its own plane and then at the plane across the line of sight looks the same (Schweighofer and Pinz, IEEE PAMI 2006;28:2024).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from navtwin.rigid import Rigid
from tracking.consensus import agreed
from tracking.fit import Fit, angle_between, fitted
from tracking.planar import both_poses, disagreement
from tracking.problem import Array, Problem

#: Poses refined besides the best start, its mirror image and the last pose.
FURTHER_STARTS = 2
#: A start this close to one tried already would end where that did.
SAME_START_RAD = 0.05


def candidates(problem: Problem, previous: Rigid | None) -> list[Fit]:
    """Different poses that explain the markers, the best first; all rest on the corners that agree on the best. Empty if there is none."""
    first = [fit for start in _starts(problem, previous) if (fit := fitted(problem, *start)) is not None]
    if not first:
        return []
    ranked = [first[i] for i in np.argsort(_score(problem, first), kind="stable")]
    best = agreed(problem, ranked[0])
    settled = best.problem
    others = ranked[1:] if settled is problem else [fitted(settled, other.rotation, other.t_mm) for other in ranked[1:]]
    found = [best, *(fit for fit in (*others, fitted(settled, *_mirror_image(best))) if fit is not None)]
    return [found[i] for i in np.argsort([fit.chi2 for fit in found], kind="stable")]


def _score(problem: Problem, fits: list[Fit]) -> Array:
    rotations, shifts = np.array([f.rotation for f in fits]), np.array([f.t_mm for f in fits])
    return _disagreement(problem, rotations, shifts)


def _disagreement(problem: Problem, rotations: Array, t_mm: Array) -> Array:
    p = problem
    return np.asarray(disagreement(rotations, t_mm, p.corners_mm, p.rays, p.slopes, p.view, p.stands))


def _starts(problem: Problem, previous: Rigid | None) -> Iterator[tuple[Array, Array]]:
    """The starts that most markers agree with, each far from the others."""
    in_camera, t_camera = both_poses(problem.corners_mm, problem.rays)
    stand = problem.stands[np.repeat(problem.view, 2)]
    back = stand[:, :, :3].transpose(0, 2, 1)
    rotations, t_mm = back @ in_camera, (back @ (t_camera - stand[:, :, 3])[:, :, None])[:, :, 0]
    if previous is not None:
        rotations, t_mm = np.concatenate([np.array(previous.rotation)[None], rotations]), np.concatenate([np.array(previous.t_mm)[None], t_mm])
    score = _disagreement(problem, rotations, t_mm)
    taken = list[Array]()
    for i in np.argsort(score, kind="stable"):
        if not np.isfinite(score[i]) or len(taken) > FURTHER_STARTS:
            return
        if all(angle_between(rotations[i], other) > SAME_START_RAD for other in taken):
            taken.append(rotations[i])
            yield rotations[i], t_mm[i]


def _mirror_image(best: Fit) -> tuple[Array, Array]:
    """The pose that looks most like `best` in the view with most markers: mirrored at the body's flattest plane and across the line of sight."""
    p = best.problem
    view = int(np.bincount(p.view[p.use]).argmax())
    points = p.corners_mm[p.use & (p.view == view)].reshape(-1, 3)
    middle = points.mean(axis=0)
    off = points - middle
    normal = np.linalg.eigh(off.T @ off)[1][:, 0]
    eye = -p.stands[view, :, :3].T @ p.stands[view, :, 3]
    place = best.rotation @ middle + best.t_mm
    along = (place - eye) / np.linalg.norm(place - eye)
    rotation = (np.eye(3) - 2.0 * np.outer(along, along)) @ best.rotation @ (np.eye(3) - 2.0 * np.outer(normal, normal))
    return rotation, place - rotation @ middle
