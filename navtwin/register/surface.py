"""Surface registration: points swept over bone, fitted to the surface that was taken from the scan.

What limits such a fit is not the hand but the scan: the extracted surface is off by a smooth field, alike over centimetres, so that a thousand
points in one place are worth little more than one. Weights and covariance count that correlation (generalised least squares), which both makes the
prediction honest and takes the field's own shifts and tilts for what they are. Several bones err each on its own; the prediction also covers
that they err alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from navtwin.calibrate import at_least
from navtwin.errors import FrameMismatch, InputRefused
from navtwin.register.bones import TouchSurface, as_bones
from navtwin.register.closed_form import as_rigid, fit_rotation, fre_mm, residual_mm
from navtwin.register.error_field import ErrorField, touch_noise_mm
from navtwin.register.gate import LandmarkEvidence, SweepEvidence, gate
from navtwin.register.landmarks import chance_of_misfit, check_tip_sd, checked_pairs, checked_points, fle_interval_mm, leave_one_out
from navtwin.register.model import Array, PoseError, Registration, Target
from navtwin.register.touch import Fit, Placement, Touches, ball_centres, descend
from navtwin.rigid import Rigid

#: Fewest swept points that are worth trying; the gate asks for more.
FEWEST_POINTS = 6
#: Points beyond these add nothing to correlated data but time: for the final fit, and for each trial start.
MOST_POINTS, TRIAL_POINTS = 500, 100
#: The weights suppose this much more noise than was measured, mm: where the stated errors are a little wrong, the fit then leans on no few points.
SPARE_NOISE_MM = 0.15
#: How far the trial starts lie from the initial pose.
START_DEG, START_MM = 4.0, 4.0
#: A swept point further off than this many expected standard deviations is not on the surface.
REJECT_SDS = 3.5
#: Starts that end further apart than this (RMS over the sweep), mm, differ; the worse is a rival if its cost is below so many times the best.
RIVAL_MM, RIVAL_COST = 1.0, 1.3
#: Noise of a touch, mm, until it has been measured.
COARSE_NOISE_MM = 0.3
#: Smallest landmark error that is believed when it has to be estimated from few landmarks, mm.
FLE_FLOOR_MM = 0.5
#: Standard deviations of what is known of a pose before any data: without them a pose that nothing holds would have no finite error.
PRIOR_SD = np.array((1.0, 1.0, 1.0, 1e3, 1e3, 1e3))


def register_surface(
    surface: TouchSurface,
    points_ref_mm: npt.ArrayLike,
    initial: Rigid,
    *,
    landmarks: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    names: Sequence[str] | None = None,
    fle_mm: float | None = None,
    tip_radius_mm: float = 0.0,
    tip_sd_mm: float = 0.0,
    sd_mm: float = 0.4,
    correlation_mm: float = 15.0,
    sweep_noise_mm: float | None = None,
    targets: Sequence[Target] = (),
) -> Registration:
    """Register the reference body to the scan from points swept over bone.

    Several starts around `initial` are fitted robustly; the best is refined by generalised least squares. The gate hears of another pose that fits
    as well.

    Parameters
    ----------
    surface : the bone, in ct; or `Bones`, several
    points_ref_mm : (S, 3) centres of the pointer's ball while it touched the bone, in the reference body's axes
    initial : T_ct_from_ref, good to about 5 deg and 5 mm, as landmarks give it
    landmarks : matching (L, 3) positions in ct and ref, touched with the same ball; kept in the fit with their own weight
    names, fle_mm : of the landmarks, as for `register_landmarks`
    tip_radius_mm : radius of the pointer's ball
    tip_sd_mm : standard deviation of the pointer's tip, per axis: all touches share that error, and no residual shows it
    sd_mm, correlation_mm : segmentation error of the surface along its normal, and how far it stays alike
    sweep_noise_mm : standard deviation of a touch along the normal, from point to point; measured from the sweep if not stated
    targets : where the gate asks for accuracy

    Returns
    -------
    Registration : `fre_mm` and `fle_mm` are NaN without landmarks

    Raises
    ------
    InputRefused : fewer than six points, NaN, an error that is not positive, landmarks that `register_landmarks` refuses
    FrameMismatch : `initial` is not T_ct_from_ref
    """
    _check_errors(sd_mm=sd_mm, correlation_mm=correlation_mm, sweep_noise_mm=sweep_noise_mm)
    check_tip_sd(tip_sd_mm)
    touches, labels = _checked(surface, points_ref_mm, initial, landmarks, names, tip_radius_mm)
    touched_fre, fle = _landmark_error(touches, fle_mm)
    field = ErrorField(sd_mm, correlation_mm, COARSE_NOISE_MM if sweep_noise_mm is None else sweep_noise_mm)
    ends = _coarse_fits(touches, initial, field, fle)
    if sweep_noise_mm is None:
        field = replace(field, noise_mm=touch_noise_mm(touches, ends[0], field))
    interval = fle_interval_mm(fle, len(labels)) if len(labels) and fle_mm is None else None
    best, used, kept, rival = _best_fit(touches, ends, field, fle)
    place = best.place
    off = touches.off_surface_mm(place)
    after = np.linalg.norm(residual_mm(touches.ct_mm, touches.ref_mm, place.rotation, place.t_mm), axis=1)
    error, *errors = (PoseError(c, best.centre_mm).widened(tip_sd_mm) for c in _covariances(best, used, field, fle, interval))
    rms = float(np.sqrt(np.square(off[kept]).mean())) if kept.any() else float("inf")
    left_out, chance = leave_one_out(touches.ct_mm, touches.ref_mm, fle_mm)
    pairs = None
    if len(labels):
        pairs = LandmarkEvidence(labels, touches.ct_mm, touches.ref_mm, touched_fre, fle, fle_mm is not None, left_out, chance)
    fre_after = float(np.sqrt(np.square(after).mean())) if len(after) else float("nan")
    sweep = SweepEvidence(
        points_mm=place.apply(touches.sweep_ref_mm),
        kept=kept,
        rms_mm=rms,
        expected_mm=field.total_mm,
        rival_mm=rival,
        landmark_rms_mm=fre_after if len(after) else None,
        far_side=_is_turned_round(touches),
    )
    accepted, reasons = gate(error, landmarks=pairs, sweep=sweep, targets=targets)
    return Registration(
        T_ct_from_ref=as_rigid(place.rotation, place.t_mm),
        fre_mm=fre_after,
        fle_mm=fle if len(after) else float("nan"),
        residual_mm=after,
        leave_one_out_mm=left_out,
        covariance=error.covariance,
        centroid_mm=error.centroid_mm,
        accepted=accepted,
        reasons=reasons,
        surface_rms_mm=rms,
        sweep_kept=kept,
        fle_interval_mm=interval,
        covariance_interval=(errors[0].covariance, errors[1].covariance) if errors else None,
    )


def _checked(
    surface: TouchSurface,
    points_ref_mm: npt.ArrayLike,
    initial: Rigid,
    landmarks: tuple[npt.ArrayLike, npt.ArrayLike] | None,
    names: Sequence[str] | None,
    tip_radius_mm: float,
) -> tuple[Touches, tuple[str, ...]]:
    if (initial.target, initial.source) != ("ct", "ref"):
        raise FrameMismatch(f"the initial pose is T_{initial.target}_from_{initial.source}", "surface registration starts from T_ct_from_ref")
    points = checked_points(points_ref_mm, "the swept points")
    if len(points) < FEWEST_POINTS:
        raise InputRefused(f"{len(points)} swept point(s) cannot fix a pose", "sweep at least 30, better 200, over bone that faces different ways")
    if not (np.isfinite(tip_radius_mm) and tip_radius_mm >= 0.0):
        raise InputRefused(f"the pointer's tip_radius_mm is {tip_radius_mm}", "state the radius of the pointer's ball in mm, 0 for a sharp tip")
    bones = as_bones(surface)
    if landmarks is None:
        return Touches(bones, points, float(tip_radius_mm), np.zeros((0, 3)), np.zeros((0, 3))), ()
    ct, ref, labels = checked_pairs(*landmarks, names)
    return Touches(bones, points, float(tip_radius_mm), ball_centres(surface, ct, float(tip_radius_mm)), ref), labels


def _check_errors(**stated: float | None) -> None:
    for name, value in stated.items():
        if value is not None and not (np.isfinite(value) and value > 0.0):
            raise InputRefused(f"the surface's {name} is {value}", "state a positive length in mm")


def _landmark_error(touches: Touches, fle_mm: float | None) -> tuple[float, float]:
    """FRE of the landmarks on their own, and their FLE: stated, or estimated from it."""
    if not len(touches.ct_mm):
        return float("nan"), 1.0
    fre = fre_mm(residual_mm(touches.ct_mm, touches.ref_mm, *fit_rotation(touches.ct_mm, touches.ref_mm)))
    if fle_mm is not None:
        return fre, float(fle_mm)
    count = len(touches.ct_mm)
    return fre, max(fre * float(np.sqrt(count / (count - 2.0))), FLE_FLOOR_MM)


def _coarse_fits(touches: Touches, initial: Rigid, field: ErrorField, fle_mm: float) -> list[Placement]:
    """Where the robust fits from all starts end, each place once; the fit from `initial` itself comes first."""
    coarse = touches.only(_evenly(touches.count, TRIAL_POINTS))
    ends: list[Placement] = []
    for start in _starts(Placement(np.array(initial.rotation), np.array(initial.t_mm)), coarse):
        end = _robust_descent(coarse, start, field, fle_mm)
        if all(_apart_mm(coarse, end, other) > RIVAL_MM for other in ends):
            ends.append(end)
    return ends


def _best_fit(touches: Touches, ends: list[Placement], field: ErrorField, fle_mm: float) -> tuple[Fit, Touches, npt.NDArray[np.bool_], float | None]:
    """The best refined fit, the touches it rests on, the swept points that it kept, and how far off a rival lies (None: there is none)."""
    refined = sorted((_refined(touches, end, field, fle_mm) for end in ends), key=lambda found: found[3])
    best, used, kept, cost = refined[0]
    rivals = [
        apart
        for fit, _, _, other_cost in refined[1:]
        if other_cost < RIVAL_COST * cost + REJECT_SDS**2 and (apart := _apart_mm(touches, fit.place, best.place)) > RIVAL_MM
    ]
    return best, used, kept, max(rivals, default=None)


def _covariances(fit: Fit, used: Touches, field: ErrorField, fle_mm: float, interval: tuple[float, float] | None) -> list[Array]:
    """(6, 6) of the fitted pose: what the stated errors make of it through the fit's own weights, bones erring apart or alike. With an interval of
    the FLE also the least and the most that it may be."""
    prior = np.linalg.inv(fit.information + np.diag(PRIOR_SD**-2.0))
    gain = prior @ fit.pull
    unheld = prior @ np.diag(PRIOR_SD**-2.0) @ prior

    def passed_on(errors: Array) -> Array:
        return np.asarray(gain @ errors @ gain.T + unheld)

    apart, alike = (field.covariance(used, fit.place, fle_mm, bones_alike=same) for same in (False, True))
    residuals, _ = used.linearised(fit.place, fit.centre_mm)
    misfit = float(residuals @ np.linalg.solve(apart, residuals)) / fit.freedom
    whole = at_least(passed_on(alike), passed_on(apart))
    # Data that fit worse than their stated error widen the bar; data that fit better do not narrow it.
    found = [whole * max(1.0, misfit)]
    if interval is not None:
        by_landmarks, supposed = gain[:, used.count :], field.landmark_variance(used, fle_mm)
        by_chance = chance_of_misfit(fit.freedom)
        # The least is of the stated errors alone: neither need the misfit be more than chance, nor bones err in ways that were not stated.
        pure = passed_on(replace(field, cautious=False).covariance(used, fit.place, fle_mm))
        for held, fle, chance in zip((pure, whole), interval, by_chance, strict=True):
            other = (by_landmarks * (field.landmark_variance(used, fle) - supposed)) @ by_landmarks.T
            found.append((held + other) * max(1.0, misfit / chance))
    return found


def _starts(initial: Placement, touches: Touches) -> list[Placement]:
    """The initial pose and eight around it, their signs those of a Hadamard matrix: every pair of axes is tried both ways."""
    pair = np.array([[1.0, 1.0], [1.0, -1.0]])
    signs = np.kron(pair, np.kron(pair, pair))[:, 1:7]
    unit = np.concatenate([np.full(3, np.radians(START_DEG)), np.full(3, START_MM)]) / np.sqrt(3.0)
    centre = initial.apply(touches.sweep_ref_mm).mean(axis=0)
    return [initial, *(initial.moved(row * unit, centre) for row in signs)]


def _robust_descent(touches: Touches, place: Placement, field: ErrorField, fle_mm: float) -> Placement:
    """Least squares reweighted by residual (Geman and McClure's weights), the scale following the median down to the stated error."""
    landmark_roots = np.full(3 * len(touches.ct_mm), np.sqrt(3.0) / fle_mm)
    for _ in range(12):
        off = touches.off_surface_mm(place)
        scale = max(field.total_mm, 1.4826 * float(np.median(np.abs(off))))
        roots = 1.0 / (1.0 + np.square(off / (2.0 * scale))) / scale
        end = descend(touches, place, np.diag(np.concatenate([roots, landmark_roots])), steps=3).place
        moved, place = _apart_mm(touches, place, end), end
        if moved < 0.02:
            break
    return place


def _refined(touches: Touches, place: Placement, field: ErrorField, fle_mm: float) -> tuple[Fit, Touches, npt.NDArray[np.bool_], float]:
    """Generalised least squares over the points that lie on the surface: the fit, the touches it rests on, the points kept, and its cost.

    The cost also charges for the points left out.
    """
    some = np.zeros(touches.count, dtype=np.bool_)
    some[_evenly(touches.count, MOST_POINTS)] = True
    kept = _on_surface(touches, place, field)
    supposed = replace(field, noise_mm=float(np.hypot(field.noise_mm, SPARE_NOISE_MM)))
    for _ in range(4):
        used = touches.only(kept & some)
        whitening = np.linalg.inv(np.linalg.cholesky(supposed.covariance(used, place, fle_mm)))
        fit = descend(used, place, whitening, steps=20)
        place, before = fit.place, kept
        kept = _on_surface(touches, place, field)
        if np.array_equal(kept, before):
            break
    return fit, used, before, fit.cost + REJECT_SDS**2 * float((some & ~before).sum())


def _on_surface(touches: Touches, place: Placement, field: ErrorField) -> npt.NDArray[np.bool_]:
    off = np.abs(touches.off_surface_mm(place))
    kept = off <= REJECT_SDS * field.total_mm
    # A pose that is still off keeps its nearest points, so that there is something to pull it in.
    nearest = np.argsort(off, kind="stable")[: max(FEWEST_POINTS, touches.count // 4)]
    kept[nearest] = True
    return np.asarray(kept)


def _evenly(count: int, most: int) -> npt.NDArray[np.intp]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


def _apart_mm(touches: Touches, one: Placement, other: Placement) -> float:
    """RMS distance between the swept points as two poses place them."""
    return fre_mm(one.apply(touches.sweep_ref_mm) - other.apply(touches.sweep_ref_mm))


def _is_turned_round(touches: Touches) -> bool:
    """Whether the landmarks miss the surface, and lie on it once x and y change sign: that is how RAS looks when it is read as LPS."""
    if not len(touches.ct_mm):
        return False
    given = float(np.median(np.abs(touches.surface.closest(touches.ct_mm).distance_mm)))
    turned = float(np.median(np.abs(touches.surface.closest(touches.ct_mm * (-1.0, -1.0, 1.0)).distance_mm)))
    return given > 5.0 and turned < min(3.0, given / 4.0)
