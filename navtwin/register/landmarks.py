"""Paired-point registration: landmarks seen in the scan, touched with the pointer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.register.closed_form import as_rigid, fit_rotation, fre_mm, residual_mm
from navtwin.register.gate import LandmarkEvidence, gate
from navtwin.register.model import Array, PoseError, Registration, Target, motion_rows

#: Second over first singular value of the centred landmarks: below it they count as lying on one line.
COLLINEAR_RATIO = 1e-2
#: Confidence of the interval that an estimated FLE, and with it the predicted error, is told with.
INTERVAL = 0.95


def register_landmarks(
    ct_mm: npt.ArrayLike,
    ref_mm: npt.ArrayLike,
    fle_mm: float | None = None,
    *,
    names: Sequence[str] | None = None,
    tip_sd_mm: float = 0.0,
    targets: Sequence[Target] = (),
) -> Registration:
    """Register the reference body to the scan from paired landmarks.

    Closed form (Arun 1987, Umeyama 1991). The error is the first-order propagation of an isotropic landmark localisation error (FLE), which gives
    the TRE of Fitzpatrick, West and Maurer 1998. Without `fle_mm` the FLE is estimated from the residuals: <FRE^2> = (1 - 2/N) <FLE^2> (Sibson
    1979).

    Parameters
    ----------
    ct_mm : (N, 3) landmark positions in the scan, ct
    ref_mm : (N, 3) the same landmarks touched, in the reference body's axes
    fle_mm : RMS (three-dimensional) localisation error of one landmark, everything counted: touching, picking in the scan, the scan's surface
    names : N names for the reasons; "1", "2" ... by default
    tip_sd_mm : standard deviation of the pointer's tip, per axis; all touches share that error, so it is no part of the FLE
    targets : where the gate asks for accuracy

    Returns
    -------
    Registration

    Raises
    ------
    InputRefused : fewer than three pairs, lists that do not match, NaN, collinear or coinciding landmarks, an error that cannot be
    """
    ct, ref, labels = checked_pairs(ct_mm, ref_mm, names)
    if fle_mm is not None and not (np.isfinite(fle_mm) and fle_mm > 0.0):
        raise InputRefused(f"the landmark error FLE is {fle_mm} mm", "state a positive RMS error, or leave it out to have it estimated")
    check_tip_sd(tip_sd_mm)
    rotation, t = fit_rotation(ct, ref)
    residuals = residual_mm(ct, ref, rotation, t)
    fre = fre_mm(residuals)
    fle = fre * float(np.sqrt(len(ct) / (len(ct) - 2.0))) if fle_mm is None else float(fle_mm)
    error = landmark_error(ct, fle).widened(tip_sd_mm)
    interval = fle_interval_mm(fle, len(ct)) if fle_mm is None else None
    left_out, surprise = leave_one_out(ct, ref, fle_mm)
    evidence = LandmarkEvidence(labels, ct, ref, fre, fle, fle_mm is not None, left_out, surprise)
    accepted, reasons = gate(error, landmarks=evidence, targets=targets)
    return Registration(
        T_ct_from_ref=as_rigid(rotation, t),
        fre_mm=fre,
        fle_mm=fle,
        residual_mm=np.linalg.norm(residuals, axis=1),
        leave_one_out_mm=left_out,
        covariance=error.covariance,
        centroid_mm=error.centroid_mm,
        accepted=accepted,
        reasons=reasons,
        surface_rms_mm=None,
        sweep_kept=np.zeros(0, dtype=np.bool_),
        fle_interval_mm=interval,
        covariance_interval=_both(landmark_error(ct, end).widened(tip_sd_mm).covariance for end in interval) if interval else None,
    )


def fle_interval_mm(fle_mm: float, count: int) -> tuple[float, float]:
    """Where the FLE lies with 95 % confidence, estimated from the residuals of `count` landmarks.

    Their sum of squares over FLE^2 / 3 is chi-square with 3 N - 6 degrees of freedom (Sibson, J R Stat Soc B 1979;41:217).
    """
    most, least = chance_of_misfit(3 * count - 6)
    return fle_mm / float(np.sqrt(most)), fle_mm / float(np.sqrt(least))


def chance_of_misfit(freedom: int) -> tuple[float, float]:
    """Most and least that a mean square of residuals over its true value comes to, 95 times of 100, with so many degrees of freedom (chi-square)."""
    from scipy.special import chdtri

    tail = (1.0 - INTERVAL) / 2.0
    return float(chdtri(freedom, tail)) / freedom, float(chdtri(freedom, 1.0 - tail)) / freedom


def _both(ends: Iterable[Array]) -> tuple[Array, Array]:
    low, high = ends
    return low, high


def checked_pairs(ct_mm: npt.ArrayLike, ref_mm: npt.ArrayLike, names: Sequence[str] | None) -> tuple[Array, Array, tuple[str, ...]]:
    """(N, 3) float arrays and N names of pairs that can fix a pose; refuses those that cannot, as `register_landmarks` documents."""
    ct, ref = checked_points(ct_mm, "the landmarks in the scan"), checked_points(ref_mm, "the touched landmarks")
    if len(ct) != len(ref):
        raise InputRefused(f"{len(ct)} landmarks in the scan but {len(ref)} touched", "pass them in pairs, in the same order")
    labels = tuple(names) if names is not None else tuple(str(n + 1) for n in range(len(ct)))
    if len(labels) != len(ct):
        raise InputRefused(f"{len(labels)} names for {len(ct)} landmarks", "name each landmark once")
    if len(ct) < 3:
        raise InputRefused(f"{len(ct)} landmark(s) cannot fix a pose", "touch at least three that do not lie on one line, better six")
    for points, where in ((ct, "in the scan"), (ref, "as touched")):
        largest, second = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[:2]
        if largest <= 1e-9 * max(1.0, float(np.abs(points).max())):
            raise InputRefused(f"landmarks {_listed(labels)} coincide {where}", "touch landmarks that lie apart")
        if second < COLLINEAR_RATIO * largest:
            raise InputRefused(f"landmarks {_listed(labels)} lie on one line {where}", "the turn about that line is unknown: add one well off it")
    return ct, ref, labels


def check_tip_sd(tip_sd_mm: float) -> None:
    """Refuse a standard deviation that is none."""
    if not (np.isfinite(tip_sd_mm) and tip_sd_mm >= 0.0):
        raise InputRefused(f"the pointer's tip_sd_mm is {tip_sd_mm}", "state the standard deviation of its calibration in mm, 0 for a perfect one")


def checked_points(points_mm: npt.ArrayLike, what: str) -> Array:
    """(N, 3) finite float64, or a refusal that names `what`."""
    try:
        points = np.asarray(points_mm, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputRefused(f"{what} are not a table of numbers", "pass an (N, 3) array in mm") from error
    if points.ndim != 2 or points.shape[1] != 3:
        raise InputRefused(f"{what} have shape {points.shape}", "pass an (N, 3) array in mm")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise InputRefused(f"{what} hold NaN or infinite values (row {bad[0]})", "leave that point out, or collect it again")
    return points


def landmark_error(ct_mm: Array, fle_mm: float) -> PoseError:
    """Error of the least-squares pose when each landmark errs by `fle_mm` (RMS in 3D, the same in all directions)."""
    centroid = ct_mm.mean(axis=0)
    rows = motion_rows(ct_mm, centroid)
    information = np.einsum("nij,nik->jk", rows, rows)
    return PoseError(np.linalg.inv(information) * (fle_mm**2 / 3.0), centroid)


def leave_one_out(ct_mm: Array, ref_mm: Array, fle_mm: float | None) -> tuple[Array, Array]:
    """How far each landmark lies from where the others put it, and the chance of that.

    A better sign of a bad touch than the residual. A fit leans towards its points: on average a squared residual is FLE^2 less the TRE^2 there
    (Fitzpatrick, West and Maurer, IEEE Trans Med Imaging 1998;17:694), so it is smallest where the registration is worst, and over
    registrations it says nothing of the TRE (Fitzpatrick, Proc SPIE 2009;7261:726102). Of a point left out the two errors add.

    Returns
    -------
    (N,) distance, mm, and (N,) probability of one at least so large for a landmark no worse than the others; NaN where the others do not fix the
    pose. The statistic is the squared Mahalanobis length: chi-square with 3 degrees of freedom for a stated FLE, F(3, 3(N-1) - 6) for one estimated
    from the others.
    """
    from scipy.special import chdtrc, fdtrc

    count = len(ct_mm)
    distance, chance = np.full(count, np.nan), np.full(count, np.nan)
    for left in range(count):
        rest = np.arange(count) != left
        spread = np.linalg.svd(ct_mm[rest] - ct_mm[rest].mean(axis=0), compute_uv=False)
        if count < 4 or spread[1] < COLLINEAR_RATIO * spread[0]:
            continue
        rotation, t = fit_rotation(ct_mm[rest], ref_mm[rest])
        miss = residual_mm(ct_mm[left : left + 1], ref_mm[left : left + 1], rotation, t)[0]
        unit = np.eye(3) / 3.0 + landmark_error(ct_mm[rest], 1.0).at(ct_mm[left])[0]
        length2 = float(miss @ np.linalg.solve(unit, miss))
        distance[left] = np.linalg.norm(miss)
        if fle_mm is not None:
            chance[left] = chdtrc(3.0, length2 / fle_mm**2)
            continue
        degrees = 3.0 * (count - 1) - 6.0
        rest_fle2 = fre_mm(residual_mm(ct_mm[rest], ref_mm[rest], rotation, t)) ** 2 * (count - 1) / (count - 3.0)
        chance[left] = fdtrc(3.0, degrees, length2 / 3.0 / rest_fle2) if rest_fle2 > 0.0 else float(length2 == 0.0)
    return distance, chance


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{n}'" for n in names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
