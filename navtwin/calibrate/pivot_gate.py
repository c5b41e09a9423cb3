"""When a pivot calibration is believed: enough poses, turned widely enough, that agree on one tip which stood still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import autocorrelation
from navtwin.calibrate.poses import axis_words

Array = npt.NDArray[np.float64]

#: Fewest poses, least share of them that must agree on one tip.
MIN_POSES, MIN_SHARE = 20, 0.9
#: What a divot leaves a tip to move by. A pose within this of the pivot agrees, even where it was too noisy for the fit.
DIVOT_MM = 1.5
#: Least spread of orientation (see `orientation_spread`): about any axis, and about the axis that the tool turned least across.
MIN_SPREAD_RAD, MIN_SECOND_AXIS_RAD = 0.12, 0.06
#: How far the tip may slide between quarters of the collection, and the largest standard deviation of the tip, per axis.
MAX_SLIP_MM, MAX_TIP_SD_MM = 0.5, 0.5


@dataclass(frozen=True)
class Slip:
    """How far the tip moved between two quarters of the collection (from 1), and the standard deviation of that."""

    mm: float
    sd_mm: float
    quarters: tuple[int, int]

    @property
    def significant(self) -> bool:
        """More than is allowed, and more than noise makes."""
        return self.mm > max(MAX_SLIP_MM, 4.0 * self.sd_mm)


def orientation_spread(rotation: Array) -> tuple[Array, Array]:
    """(3,) ascending: how widely the orientation spread across each principal direction of the tool, rad; and (3, 3) those directions, in columns.

    The tip's information matrix is N (I - M'M) with M the mean rotation; its eigenvalues are the mean squared turn across each direction.
    Turning about one axis leaves the tip's place along that axis open, and the first of them is zero.
    """
    mean = rotation.mean(axis=0)
    values, directions = np.linalg.eigh(np.eye(3) - mean.T @ mean)
    return np.sqrt(np.maximum(values, 0.0)), directions


def largest_angle_deg(rotation: Array) -> float:
    """Largest turn between two of (N, 3, 3) rotations (of 500 of them, if there are many)."""
    some = rotation[:: max(1, len(rotation) // 500)].reshape(-1, 9)
    cosine = (float((some @ some.T).min()) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def orientation_reasons(rotation: Array, spread: Array, directions: Array) -> list[str]:
    """What speaks against the orientations that were taken; the spread and its directions as `orientation_spread` gives them."""
    count = len(rotation)
    if count < MIN_POSES:
        return [f"only {count} poses: collect at least {MIN_POSES}, better 300, while turning the tool about its tip"]
    if spread[1] < MIN_SPREAD_RAD:
        angle = largest_angle_deg(rotation)
        return [f"too little rotation (the poses differ by {angle:.0f} deg at most): keep the tip still and tilt the tool by 30 deg to all sides"]
    if spread[0] < max(MIN_SECOND_AXIS_RAD, 0.1 * spread[1]):
        axis = axis_words(directions[:, 0])
        return [
            f"the tool turned about a single axis, {axis} in marker axes, so the tip's place along that axis is unknown: tilt it across that "
            "axis too, as if "
            "drawing a cone"
        ]
    return []


def agreement_reasons(agreeing: npt.NDArray[np.bool_], slip: Slip, tip_sd_mm: float) -> list[str]:
    """What speaks against the tip of poses that were turned widely enough; `agreeing` is whether each of all poses agrees on it."""
    reasons = []
    if agreeing.mean() < MIN_SHARE:
        reasons.append(f"only {int(agreeing.sum())} of {len(agreeing)} poses agree on one tip: seat the tip in its divot and collect again")
    if slip.significant:
        when = f"between quarter {slip.quarters[0]} and quarter {slip.quarters[1]} of the collection"
        reasons.append(f"the tip slid by {slip.mm:.1f} mm {when}: hold it in a divot, and check that the reference is not touched")
    if tip_sd_mm > MAX_TIP_SD_MM:
        reasons.append(f"the tip is known to {tip_sd_mm:.2f} mm (sd) only, {MAX_TIP_SD_MM:g} mm is allowed: collect longer, with wider tilts")
    return reasons


def slip_of(rotation: Array, t_mm: Array, whiten: Array | None, parts: int = 4) -> Slip:
    """Largest distance between the pivots of the quarters of a collection, given one tip for all.

    Parameters
    ----------
    rotation, t_mm : (n, 3, 3) and (n, 3) of the poses that the fit rests on
    whiten : (n, 3, 3) weights of their residuals, if there are any
    """
    count = len(t_mm)
    part = np.arange(count) * parts // count
    a, right = np.zeros((count, 3, 3 + 3 * parts)), t_mm
    a[:, :, :3] = rotation
    for axis in range(3):
        a[np.arange(count), axis, 3 + 3 * part + axis] = -1.0
    if whiten is not None:
        a, right = whiten @ a, np.einsum("nij,nj->ni", whiten, t_mm)
    flat = a.reshape(3 * count, -1)
    solution, *_ = np.linalg.lstsq(flat, -right.ravel(), rcond=1e-9)
    residual = flat @ solution + right.ravel()
    noise = float(np.square(residual).sum()) / (3.0 * count)
    # Correlation is read from what is left here: in the residuals of one pivot for all, a slip would look like slow noise and excuse itself.
    inflation = 2.0 * float(autocorrelation(residual.reshape(count, 3)).sum()) - 1.0
    covariance = np.linalg.pinv(flat.T @ flat) * noise * inflation
    slip, doubt, between = 0.0, 0.0, (1, 1)
    for one in range(parts):
        for other in range(one):
            pick = np.zeros((3, 3 + 3 * parts))
            pick[:, 3 + 3 * one : 6 + 3 * one], pick[:, 3 + 3 * other : 6 + 3 * other] = np.eye(3), -np.eye(3)
            moved = float(np.linalg.norm(pick @ solution))
            if moved > slip:
                slip, doubt, between = moved, float(np.sqrt(np.trace(pick @ covariance @ pick.T))), (other + 1, one + 1)
    return Slip(slip, doubt, between)
