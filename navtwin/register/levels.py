"""Is there another level at which the same touches lie about as well?

Vertebrae are alike. Who has touched the neighbour of the one that was meant gets a small residual, for every landmark is off by the same step, and no
figure of the fit tells. So the fit is tried one level on: the touches are carried over to the neighbouring bones and descend there. Where they
lie about as well, judged as the gate judges a misfit, it is a rival, and somebody has to count.

What a rival cannot be found at is bone that the case does not know: let it hold the neighbours of what is operated on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from navtwin.nouns import HAND_FLE_MM, NEAR_SURFACE_MM
from navtwin.nouns.setup import way_words
from navtwin.register.bones import Bones, TouchSurface
from navtwin.register.closed_form import as_rigid
from navtwin.register.error_field import ErrorField, touch_noise_mm
from navtwin.register.gate import SWEEP_MISFIT, SWEEP_POINTS
from navtwin.register.model import Array
from navtwin.register.surface import COARSE_NOISE_MM, REJECT_SDS, _evenly, _robust_descent
from navtwin.register.touch import Placement, Touches
from navtwin.rigid import Rigid

#: How far another level may lie, mm: from a small cervical step to two thoracic ones.
NEAREST_MM, FARTHEST_MM = 15.0, 70.0
#: Along a bone that holds several levels: steps of the starts, mm, up to one level, and the least length that can hold two.
STEP_MM, ONE_LEVEL_MM, TWO_LEVELS_MM = 6.0, 51.0, 60.0
#: Starts beside each neighbour's own place, mm along the way there.
BESIDE_MM = (-6.0, 0.0, 6.0)
#: So many points descend, and as many of the bone stand in for a sweep where none was made.
TRIAL_POINTS = 100
#: Landmarks may miss the bone at a rival as often as this: one of them may have been touched badly, or lie beyond the case's last level.
MISSING_SHARE = 0.25


@dataclass(frozen=True)
class OtherLevel:
    """A rival: the bone's name or the shift in words, the pose, how far the touches move (3,), and RMS misfit there and as found, mm."""

    level: str
    T_ct_from_ref: Rigid
    shift_mm: Array
    misfit_mm: float
    found_misfit_mm: float


def rival_levels(
    surfaces: Sequence[tuple[str, TouchSurface]],
    sweep_ref_mm: Array,
    landmarks_ref_mm: Array,
    found: Rigid,
    *,
    tip_radius_mm: float,
    sd_mm: float,
    correlation_mm: float,
) -> tuple[str, tuple[OtherLevel, ...]]:
    """The level that the touches lie on as registered, and the others that explain them about as well, the best first.

    Parameters
    ----------
    surfaces : all bones of the case, named
    sweep_ref_mm, landmarks_ref_mm : (S, 3) and (L, 3) ball centres, in the reference's axes
    found : T_ct_from_ref of the registration

    Returns
    -------
    level, rivals : "" and none where fewer than 3 touches lie on bone
    """
    bones, base = Bones([s for _, s in surfaces]), Placement(np.array(found.rotation), np.array(found.t_mm))
    marks = Touches(bones, landmarks_ref_mm, tip_radius_mm, np.zeros((0, 3)), np.zeros((0, 3)))
    # A fiducial in the air says nothing of bone.
    marks = marks.only(np.abs(marks.off_surface_mm(base)) < NEAR_SURFACE_MM) if len(landmarks_ref_mm) else marks
    swept = Touches(bones, sweep_ref_mm.reshape(-1, 3), tip_radius_mm, np.zeros((0, 3)), np.zeros((0, 3)))
    touched = np.concatenate([swept.sweep_ref_mm, marks.sweep_ref_mm])
    if len(touched) < 3:
        return "", ()
    main = _bone_of(bones, base.apply(touched))
    error = ErrorField(sd_mm, correlation_mm, COARSE_NOISE_MM)
    if swept.count >= SWEEP_POINTS:
        error = ErrorField(sd_mm, correlation_mm, touch_noise_mm(swept, base, error))
    judge = _Judge(swept, marks, error, base)
    movers = swept.only(_evenly(swept.count, TRIAL_POINTS)) if swept.count >= SWEEP_POINTS else _stand_in(bones, surfaces[main][1], base)
    rivals = list[OtherLevel]()
    for starts in _starts(surfaces, main, base):
        ends = [_robust_descent(movers, start, error, HAND_FLE_MM) for start in starts]
        end = min(ends, key=judge.misfit_mm)
        shift = (end.apply(touched) - base.apply(touched)).mean(axis=0)
        if not judge.explains(end) or float(np.linalg.norm(shift)) < NEAREST_MM:
            continue
        at = _bone_of(bones, end.apply(touched))
        name = surfaces[at][0] if at != main else f"{surfaces[main][0]}, {way_words((float(shift[0]), float(shift[1]), float(shift[2])))}"
        rivals.append(OtherLevel(name, as_rigid(end.rotation, end.t_mm), shift, judge.misfit_mm(end), judge.found_mm))
    return surfaces[main][0], tuple(_each_once(sorted(rivals, key=lambda r: r.misfit_mm)))


class _Judge:
    """How well a pose explains the touches: RMS off the bone, each counted up to where the fit would drop it.

    Attributes
    ----------
    found_mm : the same of the registration itself
    """

    def __init__(self, swept: Touches, marks: Touches, error: ErrorField, base: Placement) -> None:
        self._swept, self._marks, self._error = swept, marks, error
        self._cap_mm = REJECT_SDS * error.total_mm
        self._off_mark_mm = REJECT_SDS * float(np.hypot(error.total_mm, HAND_FLE_MM))
        self.found_mm = self.misfit_mm(base)

    def misfit_mm(self, place: Placement) -> float:
        """One bad stroke does not tell a level from another, so no touch counts for more than the cap."""
        off = [touches.off_surface_mm(place) for touches in (self._swept, self._marks) if touches.count]
        return float(np.sqrt(np.square(np.clip(np.concatenate(off), -self._cap_mm, self._cap_mm)).mean()))

    def explains(self, place: Placement) -> bool:
        """Whether these touches lie about as well there: no worse by more than the gate allows a misfit to be.

        Counted from their misfit as registered. A fit takes up to about half of the stated variance into the pose, so that a smaller one is no merit
        of its own.
        """
        if self.misfit_mm(place) > SWEEP_MISFIT * max(self._error.total_mm / np.sqrt(2.0), self.found_mm):
            return False
        if not self._marks.count:
            return True
        missing = np.abs(self._marks.off_surface_mm(place)) > self._off_mark_mm
        return bool(missing.mean() <= MISSING_SHARE)


def _starts(surfaces: Sequence[tuple[str, TouchSurface]], main: int, base: Placement) -> Iterator[list[Placement]]:
    """Where to look, a list of starts for each place: beside every neighbouring bone; along a bone that could hold several levels itself."""
    middles = [np.asarray(s.vertices_mm).mean(axis=0) for _, s in surfaces]
    ways = [m - middles[main] for n, m in enumerate(middles) if n != main]
    near = [way for way in ways if NEAREST_MM <= float(np.linalg.norm(way)) <= FARTHEST_MM]
    for way in near:
        along = way / np.linalg.norm(way)
        yield [_moved(base, way + beside * along) for beside in BESIDE_MM]
    if near:
        return
    vertices = np.asarray(surfaces[main][1].vertices_mm)
    centred = vertices - middles[main]
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    if float(np.ptp(centred @ axis)) >= TWO_LEVELS_MM:
        for sign in (1.0, -1.0):
            for step in np.arange(NEAREST_MM, ONE_LEVEL_MM + 0.1, STEP_MM):
                yield [_moved(base, sign * step * axis)]


def _moved(base: Placement, shift_mm: Array) -> Placement:
    return Placement(base.rotation, base.t_mm + shift_mm)


def _stand_in(bones: Bones, main: TouchSurface, base: Placement) -> Touches:
    """Points of the bone that was touched, as if it had been swept: a handful of landmarks can be laid on any bone, a whole bone cannot."""
    vertices = np.asarray(main.vertices_mm)
    chosen = vertices[_evenly(len(vertices), TRIAL_POINTS)]
    return Touches(bones, (chosen - base.t_mm) @ base.rotation, 0.0, np.zeros((0, 3)), np.zeros((0, 3)))


def _bone_of(bones: Bones, points_mm: Array) -> int:
    """The bone that most points lie on."""
    return int(np.bincount(bones.bone_of(bones.closest(points_mm).face)).argmax())


def _each_once(rivals: list[OtherLevel]) -> Iterator[OtherLevel]:
    """Several starts may end at one place: the best of them stands for it."""
    told = list[OtherLevel]()
    for rival in rivals:
        if all(float(np.linalg.norm(rival.shift_mm - other.shift_mm)) > NEAREST_MM / 2.0 for other in told):
            told.append(rival)
            yield rival
