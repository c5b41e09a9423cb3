"""Accept or refuse a registration, in plain words.

A small residual is not accuracy: the gate asks whether the data agree with their own stated error, whether they hold the pose fast, and whether the
predicted error still leaves room for the limits that this registration is to guard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from navtwin.register.closed_form import fit_rotation, fre_mm, residual_mm
from navtwin.register.model import Array, PoseError, Target

#: A finding counts when good data would show it less often than this (per registration).
SURPRISE = 1e-3
#: Without a stated FLE, a larger FRE is refused: bone landmarks touched with care stay far below.
FRE_LIMIT_MM = 3.0
#: Predicted RMS error where it is smallest. Above this no limit of a few mm can be guarded.
TRE_LIMIT_MM = 2.0
#: RMS distance of the landmarks from the line that they lie nearest to.
SPREAD_LIMIT_MM = 5.0
#: A misplaced landmark nearer than this to where the others put it is not worth a refusal.
OUTLIER_FLOOR_MM = 0.5
#: Sweep: fewest points, least share kept by the fit, least extent, worst misfit against the stated error.
SWEEP_POINTS, SWEEP_SHARE, SWEEP_EXTENT_MM, SWEEP_MISFIT = 30, 0.75, 15.0, 1.6
#: The fold's k: an error bar is this many standard deviations (DESIGN section 5).
BAR_SDS = 2.0


@dataclass(frozen=True)
class LandmarkEvidence:
    """What the gate looks at in landmarks: names, (N, 3) pairs, FRE and FLE, leave-one-out distance and its chance."""

    names: tuple[str, ...]
    ct_mm: Array
    ref_mm: Array
    fre_mm: float
    fle_mm: float
    fle_stated: bool
    leave_one_out_mm: Array
    chance: Array


@dataclass(frozen=True)
class SweepEvidence:
    """What the gate looks at in a sweep.

    Attributes
    ----------
    points_mm : (S, 3) touched points after registration, ct
    kept : (S,) which of them the fit kept
    rms_mm, expected_mm : RMS misfit of the kept points, and what the stated errors predict
    rival_mm : how far off (RMS over the sweep) another pose lies that fits as well; None where all starts agree
    landmark_rms_mm : RMS landmark residual after the surface fit; None without landmarks
    far_side : the landmarks lie on the surface only when turned half round the long axis, as RAS read for LPS is
    """

    points_mm: Array
    kept: npt.NDArray[np.bool_]
    rms_mm: float
    expected_mm: float
    rival_mm: float | None
    landmark_rms_mm: float | None
    far_side: bool


def gate(
    error: PoseError, *, landmarks: LandmarkEvidence | None = None, sweep: SweepEvidence | None = None, targets: Sequence[Target] = ()
) -> tuple[bool, tuple[str, ...]]:
    """Accept a registration, or say why not.

    Returns
    -------
    accepted, reasons : accepted exactly when there is no reason against it
    """
    reasons: list[str] = []
    if landmarks is not None:
        reasons += _mistaken(landmarks) or _misfit(landmarks)
        reasons += _spread(landmarks, alone=sweep is None)
    if sweep is not None:
        reasons += _sweep(sweep)
        reasons += _agreement(landmarks, sweep) if landmarks is not None and not reasons else []
    reasons += _accuracy(error, targets)
    return not reasons, tuple(reasons)


def _mistaken(evidence: LandmarkEvidence) -> list[str]:
    """Mistakes that have a name: wrong unit, mirrored axes, two landmarks exchanged."""
    ct, ref = evidence.ct_mm, evidence.ref_mm
    scale = float(np.linalg.norm(ct - ct.mean(axis=0)) / np.linalg.norm(ref - ref.mean(axis=0)))
    for factor, unit in ((1000.0, "metres"), (10.0, "centimetres")):
        for ratio, which in ((scale / factor, "touched points"), (1.0 / (scale * factor), "scan's landmarks")):
            if 0.8 < ratio < 1.25:
                return [f"the {which} look like {unit}, not mm (the two sets differ in size by {factor:g}): convert them before registering"]
    better = 0.35 * evidence.fre_mm
    if evidence.fre_mm < max(1.0, 2.0 * evidence.fle_mm if evidence.fle_stated else 0.0):
        return []
    swap = min(combinations(range(len(ct)), 2), key=lambda pair: _fre_swapped(ct, ref, pair))
    swapped, mirrored = _fre_swapped(ct, ref, swap), fre_mm(residual_mm(ct, ref, *fit_rotation(ct, ref, mirrored=True)))
    if min(swapped, mirrored) > better or len(ct) < 4:
        return []
    if swapped <= mirrored:
        a, b = (evidence.names[n] for n in swap)
        return [f"landmarks '{a}' and '{b}' look exchanged: FRE falls from {evidence.fre_mm:.1f} to {swapped:.1f} mm when they are swapped back"]
    return [
        f"the touched points are a mirror image of the landmarks (FRE {evidence.fre_mm:.1f} mm, mirrored {mirrored:.1f} mm): "
        "check for left and right exchanged, or one axis with its sign turned (RAS read for LPS)"
    ]


def _fre_swapped(ct_mm: Array, ref_mm: Array, pair: tuple[int, int]) -> float:
    order = np.arange(len(ct_mm))
    order[list(pair)] = order[list(pair)][::-1]
    return fre_mm(residual_mm(ct_mm, ref_mm[order], *fit_rotation(ct_mm, ref_mm[order])))


def _misfit(evidence: LandmarkEvidence) -> list[str]:
    from scipy.special import chdtri

    count, fre, fle = len(evidence.names), evidence.fre_mm, evidence.fle_mm
    reasons = []
    chance, distance = np.nan_to_num(evidence.chance, nan=1.0), np.nan_to_num(evidence.leave_one_out_mm)
    worst = int(np.argmin(chance))
    if chance[worst] < SURPRISE / count and distance[worst] > OUTLIER_FLOOR_MM:
        name = evidence.names[worst]
        reasons.append(f"landmark '{name}' lies {distance[worst]:.1f} mm from where the other {count - 1} put it: touch '{name}' again")
    if evidence.fle_stated:
        limit = fle * float(np.sqrt(chdtri(3.0 * count - 6.0, SURPRISE) / (3.0 * count)))
        if fre > limit:
            reasons.append(
                f"FRE {fre:.2f} mm is too large for a landmark error of {fle:.2f} mm (good data stay below {limit:.2f} mm): "
                "touch the landmarks again, or state a larger error"
            )
    elif fre > FRE_LIMIT_MM:
        reasons.append(f"FRE {fre:.1f} mm is above {FRE_LIMIT_MM:g} mm: touch the landmarks again, and check that the reference has not moved")
    return reasons


def _spread(evidence: LandmarkEvidence, *, alone: bool) -> list[str]:
    reasons = []
    across = np.linalg.svd(evidence.ct_mm - evidence.ct_mm.mean(axis=0), compute_uv=False)[1:]
    off_line = float(np.linalg.norm(across) / np.sqrt(len(evidence.ct_mm)))
    if alone and off_line < SPREAD_LIMIT_MM:
        reasons.append(
            f"the landmarks lie within {off_line:.1f} mm (RMS) of one line, so the turn about it is poorly held: add landmarks at least 10 mm off it"
        )
    if alone and len(evidence.names) == 3 and not evidence.fle_stated:
        reasons.append("three landmarks are too few to measure their own error: touch a fourth, or state the landmark error (FLE)")
    return reasons


def _sweep(evidence: SweepEvidence) -> list[str]:
    reasons = []
    count, kept = len(evidence.kept), int(evidence.kept.sum())
    if kept < SWEEP_POINTS:
        reasons.append(f"only {kept} swept points touch the surface, of {count}: sweep at least {SWEEP_POINTS}, better 200, keeping the tip on bone")
    elif kept < SWEEP_SHARE * count:
        reasons.append(f"{count - kept} of {count} swept points lie off the surface: sweep again, keeping the tip on bone, and check the landmarks")
    extent = float(np.ptp(evidence.points_mm[evidence.kept], axis=0).max()) if kept else 0.0
    if kept >= SWEEP_POINTS and extent < SWEEP_EXTENT_MM:
        reasons.append(f"the sweep covers only {extent:.0f} mm of bone: sweep at least {SWEEP_EXTENT_MM:g} mm, on faces that look different ways")
    if evidence.rms_mm > SWEEP_MISFIT * evidence.expected_mm:
        reasons.append(
            f"swept points miss the surface by {evidence.rms_mm:.2f} mm RMS where {evidence.expected_mm:.2f} mm is expected: "
            "check the pointer's calibration and that the reference has not moved"
        )
    if evidence.rival_mm is not None:
        reasons.append(
            f"another pose {evidence.rival_mm:.1f} mm away fits the sweep as well: sweep faces that differ more in direction, or touch more landmarks"
        )
    if evidence.far_side:
        reasons.append("the landmarks lie on the surface only after x and y change sign: their file is RAS and was read as LPS")
    return reasons


def _agreement(landmarks: LandmarkEvidence, sweep: SweepEvidence) -> list[str]:
    """Landmarks and sweep must tell of the same pose."""
    from scipy.special import chdtri

    freedom = 3.0 * len(landmarks.names)
    limit = landmarks.fle_mm * float(np.sqrt(chdtri(freedom, SURPRISE) / freedom))
    if sweep.landmark_rms_mm is None or sweep.landmark_rms_mm <= limit:
        return []
    return [
        f"the sweep pulls the landmarks {sweep.landmark_rms_mm:.1f} mm (RMS) apart, above the {limit:.1f} mm that they allow: "
        "the sweep may lie on another bone or level; touch the landmarks again and sweep the bone they are on"
    ]


def _accuracy(error: PoseError, targets: Sequence[Target]) -> list[str]:
    best = float(error.tre_mm(error.centroid_mm)[0])
    if not best <= TRE_LIMIT_MM:
        return [f"the predicted error is {best:.1f} mm even amid the touched points, above {TRE_LIMIT_MM:g} mm: touch more, or more carefully"]
    reasons = []
    for target in targets:
        direction = np.asarray(target.direction)
        variance = float(direction @ error.at(target.point_mm)[0] @ direction)
        bar = BAR_SDS * float(np.sqrt(variance + target.sd_mm**2))
        if bar >= target.danger_mm:
            reasons.append(
                f"this registration cannot support the limits of '{target.name}': its error bar there ({bar:.1f} mm: {BAR_SDS:g} sd of registration "
                f"{variance**0.5:.2f} and segmentation {target.sd_mm:.2f} mm) reaches the danger limit of {target.danger_mm:g} mm. "
                "Register closer to it, sweep more bone, or widen the limit"
            )
    return reasons
