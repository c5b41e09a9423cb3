"""Every pose that might explain the corners, the best first, and the markers that agree on it.

Starts are both planar poses of every visible marker, the last pose where there is one, and the mirror image of the best pose: seen from afar,
a flat body mirrored at its own plane and then at the plane across the line of sight looks the same (Schweighofer and Pinz, IEEE PAMI 2006;28:2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from navtwin.rigid import Rigid
from tracking.planar import both_poses, disagreement
from tracking.problem import Array, Problem
from tracking.solve import Mask, misfit_px, refined

#: Poses refined besides the best start, its mirror image and the last pose.
FURTHER_STARTS = 2
#: A start this close to one tried already would end where that did.
SAME_START_RAD = 0.05
#: A marker is left out if it misses the pose of the others by this many times their noise (root mean square), and by this many pixels.
DISAGREES_SDS, DISAGREES_PX = 3.0, 0.5
#: A marker within this many standard deviations (root mean square of eight numbers) is not suspected at all.
UNSUSPECTED_SDS = 2.0


@dataclass(frozen=True, eq=False)
class Fit:
    """A pose, refined, and how it suits the markers.

    Attributes
    ----------
    rotation, t_mm : tracker from body
    squares : (M,) whitened sums of squares, 8 numbers each
    information : (6, 6) inverse covariance for noise as measured
    use : (M,) markers that it rests on
    problem : what it explains
    """

    rotation: Array
    t_mm: Array
    squares: Array
    information: Array
    use: Mask
    problem: Problem

    @cached_property
    def misfit_px(self) -> Array:
        """(M, 4) distances between corners seen and predicted."""
        p = self.problem
        return np.asarray(misfit_px(self.rotation, self.t_mm, p.corners_mm, p.rays, p.slopes, p.view, p.stands))

    @cached_property
    def rms_px(self) -> float:
        """RMS distance between corners seen and predicted, of the markers used."""
        return float(np.sqrt(np.square(self.misfit_px[self.use]).mean()))

    @cached_property
    def chi2(self) -> float:
        """Whitened sum of squares of the markers used."""
        return float(self.squares[self.use].sum())

    @cached_property
    def left_out(self) -> tuple[int, ...]:
        """Numbers of the markers that it does not rest on."""
        return tuple(self.problem.ids[~self.use].tolist())

    @cached_property
    def excess(self) -> float:
        """Variance of the residuals over what the measured noise explains; not below 1."""
        return max(1.0, self.chi2 / (8 * int(self.use.sum()) - 6))

    def turn_from(self, rotation: Array) -> float:
        """Angle to another orientation, rad."""
        return angle_between(self.rotation, rotation)


def angle_between(one: Array, other: Array) -> float:
    """Angle between two rotations, rad; from the chord, which unlike the cosine is exact for small angles."""
    return 2.0 * float(np.arcsin(min(1.0, np.sqrt(np.square(one - other).sum() / 8.0))))


def candidates(problem: Problem, previous: Rigid | None) -> list[Fit]:
    """Different poses that explain the markers, the best first; all rest on the markers that agree on the best. Empty if there is none."""
    everything = np.ones(len(problem.ids), dtype=np.bool_)
    first = [fit for start in _starts(problem, previous) if (fit := _fit(problem, *start, everything)) is not None]
    if not first:
        return []
    ranked = [first[i] for i in np.argsort(_score(problem, first), kind="stable")]
    best = _agreed(problem, ranked[0])
    mirrored = _fit(problem, *_mirror_image(best), best.use)
    others = [other if best.use.all() else _fit(problem, other.rotation, other.t_mm, best.use) for other in ranked[1:]]
    found = [best, *(fit for fit in (*others, mirrored) if fit is not None)]
    if not best.use.all():
        return found
    return [found[i] for i in np.argsort(_score(problem, found), kind="stable")]


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


def _fit(problem: Problem, rotation: Array, t_mm: Array, use: Mask) -> Fit | None:
    p = problem
    found, r, t, squares, information = refined(rotation, t_mm, p.corners_mm, p.rays, p.white, p.view, p.stands, use)
    return Fit(r, t, squares, information, use, problem) if found and np.isfinite(r).all() and np.isfinite(t).all() else None


def _mirror_image(best: Fit) -> tuple[Array, Array]:
    """The pose that looks most like `best` in the view with most markers: mirrored at the body's flattest plane and across the line of sight."""
    p = best.problem
    view = int(np.bincount(p.view[best.use]).argmax())
    points = p.corners_mm[best.use & (p.view == view)].reshape(-1, 3)
    middle = points.mean(axis=0)
    off = points - middle
    normal = np.linalg.eigh(off.T @ off)[1][:, 0]
    eye = -p.stands[view, :, :3].T @ p.stands[view, :, 3]
    place = best.rotation @ middle + best.t_mm
    along = (place - eye) / np.linalg.norm(place - eye)
    rotation = (np.eye(3) - 2.0 * np.outer(along, along)) @ best.rotation @ (np.eye(3) - 2.0 * np.outer(normal, normal))
    return rotation, place - rotation @ middle


def _agreed(problem: Problem, fit: Fit) -> Fit:
    """Leave out markers that disagree with the rest (a wrong number, a peeled label, a shadow taken for an edge), as long as most remain."""
    total = len(problem.ids)
    while 2 * (int(fit.use.sum()) - 1) > total:
        worst = int(np.where(fit.use, fit.squares, -1.0).argmax())
        if fit.squares[worst] < 8.0 * UNSUSPECTED_SDS**2:
            break
        rest = fit.use.copy()
        rest[worst] = False
        without = _fit(problem, fit.rotation, fit.t_mm, rest)
        if without is None or not _disagrees(without, worst):
            break
        fit = without
    return fit


def _disagrees(rest: Fit, marker: int) -> bool:
    """Whether a marker misses the pose of all others by more than their own noise and the pose's error bar explain."""
    missed = float(np.sqrt(np.square(rest.misfit_px[marker]).mean()))
    return missed > DISAGREES_PX and rest.squares[marker] > 8.0 * DISAGREES_SDS**2 * rest.excess
