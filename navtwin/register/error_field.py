"""How touched points err: the smooth error of the surface that was extracted, and the noise of the touch.

A fit believes what it is told here, and it is told too much where the model is purer than bone. With one error running on from vertebra to vertebra,
which were segmented one by one, or errors that leave the shape of every crest intact, hundreds of points seem to fix a pose to hundredths.
So bones err each on its own, a part of the error moves features whole, and a part is rough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.nouns import NEAR_SURFACE_MM
from navtwin.register.model import Array
from navtwin.register.touch import Placement, Touches, away_from, normals_of

#: The noise of a touch is never believed to be smaller, mm: a tip calibration is off by some hundredths in every touch alike.
LEAST_NOISE_MM = 0.1
#: Share of the surface's variance that moves crests and edges whole and not along the normal: it looks like a shift of the bone.
MOVED_SHARE = 0.02
#: Share of it that is rough, alike only over so many mm.
ROUGH_SHARE, ROUGH_MM = 0.05, 3.0
#: The ball's radius, and how far it stands off all surfaces alike, are known to this, mm.
STAND_OFF_MM = 0.05
#: So many swept points are compared with their neighbours.
COMPARED_POINTS = 500


@dataclass(frozen=True)
class ErrorField:
    """The stated errors of a sweep.

    Attributes
    ----------
    sd_mm, correlation_mm : of the extracted surface along its normal
    noise_mm : one standard deviation of a touch, per axis
    cautious : bones also err in ways that were not stated (`MOVED_SHARE`, `ROUGH_SHARE`, `STAND_OFF_MM`)
    """

    sd_mm: float
    correlation_mm: float
    noise_mm: float
    cautious: bool = True

    @property
    def total_mm(self) -> float:
        return float(np.hypot(self.sd_mm, self.noise_mm))

    def correlation(self, apart_mm: Array) -> Array:
        """Of the surface's smooth error at points of one bone, so far apart.

        Matern 3/2 (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equation 4.17): for fields of one correlation length it
        predicts nearly what the squared exponential does, and it does not take a little roughness for knowledge.
        """
        return _matern(apart_mm, self.correlation_mm)

    def covariance(self, touches: Touches, place: Placement, fle_mm: float, *, bones_alike: bool = False) -> Array:
        """(S + 3L, S + 3L) of the residuals of `Touches.linearised`, mm^2.

        A landmark on the surface shares the error of the surface around it, along the normal; the rest of its FLE is the hand's.

        Parameters
        ----------
        bones_alike : the error runs on from bone to bone, as one threshold for all would make it
        """
        surface, sweep, count, pairs = touches.surface, place.apply(touches.sweep_ref_mm), touches.count, len(touches.ct_mm)
        swept, marked = surface.closest(sweep), surface.closest(touches.ct_mm)
        on_surface = _on_surface(touches, marked.distance_mm)
        normals = normals_of(surface, marked.face) * on_surface[:, None]
        where, out = np.concatenate([sweep, touches.ct_mm]), np.concatenate([away_from(surface, sweep, swept), normals])
        bone = surface.bone_of(np.concatenate([swept.face, marked.face]))
        apart = np.linalg.norm(where[:, None] - where[None], axis=2)
        moved, rough, stand_off_mm = (MOVED_SHARE, ROUGH_SHARE, STAND_OFF_MM) if self.cautious else (0.0, 0.0, 0.0)
        grown = 1.0 - moved + moved * (out @ out.T)
        shared = (1.0 - rough) * self.correlation(apart) * grown + rough * _matern(apart, ROUGH_MM)
        if not bones_alike:
            shared *= bone[:, None] == bone[None]
        smooth = self.sd_mm**2 * shared + stand_off_mm**2
        spread = np.zeros((count + 3 * pairs, count + pairs))
        spread[:count, :count] = np.eye(count)
        hand = np.full(count + 3 * pairs, self.noise_mm**2)
        hand[count:] = np.repeat(self.hand_variance(on_surface, fle_mm), 3)
        for k in range(pairs):
            spread[count + 3 * k : count + 3 * k + 3, count + k] = normals[k]
        return np.asarray(spread @ smooth @ spread.T + np.diag(hand))

    def landmark_variance(self, touches: Touches, fle_mm: float) -> Array:
        """(3L,) mm^2: what the hand alone adds to each coordinate of each landmark."""
        return np.repeat(self.hand_variance(_on_surface(touches, touches.surface.closest(touches.ct_mm).distance_mm), fle_mm), 3)

    def hand_variance(self, on_surface: npt.NDArray[np.bool_], fle_mm: float) -> Array:
        """(L,) mm^2 per axis: the FLE without what the surface is known to add to it."""
        known = np.where(on_surface, self.sd_mm**2, 0.0)
        return np.asarray(np.maximum(fle_mm**2 - known, (0.5 * fle_mm) ** 2) / 3.0)


def _on_surface(touches: Touches, distance_mm: Array) -> npt.NDArray[np.bool_]:
    """(L,) landmarks that lie on the surface, by the distance of the ball's centre from it."""
    return np.asarray(np.abs(distance_mm) < touches.tip_radius_mm + NEAR_SURFACE_MM)


def _matern(apart_mm: Array, length_mm: float) -> Array:
    scaled = np.sqrt(3.0) / length_mm * apart_mm
    return np.asarray((1.0 + scaled) * np.exp(-scaled))


def touch_noise_mm(touches: Touches, place: Placement, field: ErrorField) -> float:
    """The noise of a touch, read from how differently neighbouring touches stand off the surface; the smooth error is alike there.

    By the median, for some points may be off the bone.
    """
    chosen = np.unique(np.linspace(0, touches.count - 1, min(touches.count, COMPARED_POINTS)).astype(np.intp))
    some = touches.only(chosen)
    points, off = place.apply(some.sweep_ref_mm), some.off_surface_mm(place)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    neighbour = apart.argmin(axis=1)
    difference = 1.4826 * float(np.median(np.abs(off - off[neighbour])))
    smooth = 2.0 * field.sd_mm**2 * float(np.median(1.0 - field.correlation(apart.min(axis=1))))
    return float(np.sqrt(max((difference**2 - smooth) / 2.0, LEAST_NOISE_MM**2)))
