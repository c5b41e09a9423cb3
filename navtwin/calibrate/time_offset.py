"""Time offset between two streams that saw the same motion, each by its own clock.

Poses in unknown frames need no hand-eye calibration first: with A(t) X = Y B(t), every entry of A's matrix is a linear function of the entries of
B's. So the offset is the one at which stream 1 is best predicted linearly from stream 2, and the other way round; scalars and points go the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import groups_of, student_factor
from navtwin.calibrate.signals import KNOT_S, MIN_OVERLAP_S, MIN_SAMPLES, Array, Signal, read_signal
from navtwin.errors import InputRefused

#: Widest offset searched, and the step of the search.
MAX_OFFSET_S, SEARCH_STEP_S = 2.0, 0.01
#: Least share of a stream's variance that the other must explain.
MIN_EXPLAINED = 0.5
#: A second offset whose misfit is within this factor of the best one's makes the offset ambiguous.
ALIKE = 1.5
MAX_SD_NS = 3_000_000.0
#: Runs of neighbouring samples left out in turn for the error bar.
RUNS = 16
#: Least share, of the largest, of a direction's part in the motion (squared) to be regressed on.
SOUND = 1e-10
#: What no fit can know: when within its exposure a sample was taken.
FLOOR_NS = 50_000.0


@dataclass(frozen=True)
class TimeOffset:
    """How far the second stream's clock is behind the first's, and whether to believe it.

    Attributes
    ----------
    offset_ns : add it to the second stream's times to have the first's
    sd_ns : its standard deviation
    explained : share of the motion's variance that one stream explains of the other, at that offset (the better direction)
    overlap_s : how long both streams ran, after the correction
    curve : (M, 2) offset in seconds and share unexplained, as searched: the evidence
    accepted, reasons : the verdict
    """

    offset_ns: int
    sd_ns: int
    explained: float
    overlap_s: float
    curve: Array
    accepted: bool
    reasons: tuple[str, ...]


def time_offset(
    t_first_ns: npt.ArrayLike, x_first: npt.ArrayLike, t_second_ns: npt.ArrayLike, x_second: npt.ArrayLike, max_offset_s: float = MAX_OFFSET_S
) -> TimeOffset:
    """Find the time offset between two streams of one motion.

    Each stream is smoothed by a least-squares spline; the raw samples of the other are regressed on it, at trial offsets first and then by
    Gauss-Newton on the offset itself. Both directions are combined by their precision; the error bar is a jackknife over runs of time.

    Parameters
    ----------
    t_first_ns, t_second_ns : (N,), (M,) integer times, ns, each ascending by a clock of its own
    x_first, x_second : (N, 4, 4) poses, (N, K) points or other signals, or (N,) a scalar of the motion (speed, angle, height ...); (M, ...)
        likewise for the second
    max_offset_s : widest offset that is searched

    Raises
    ------
    InputRefused : unequal lengths, too few samples, times that do not ascend, NaN, no motion shared at all in time
    """
    first, second = read_signal(t_first_ns, x_first, "first"), read_signal(t_second_ns, x_second, "second")
    if not (np.isfinite(max_offset_s) and max_offset_s > 0.0):
        raise InputRefused(f"the widest offset to search is {max_offset_s} s", "pass a positive number of seconds")
    origin = int(first.t_ns[0])
    a, b = first.started(origin), second.started(origin)
    if min(a.t_s[-1], b.t_s[-1]) - max(a.t_s[0], b.t_s[0]) + max_offset_s < MIN_OVERLAP_S:
        raise InputRefused(
            f"the streams do not overlap by {MIN_OVERLAP_S:g} s at any offset up to {max_offset_s:g} s",
            "record both at once, or name the two parts that belong together",
        )
    lags = np.arange(-max_offset_s, max_offset_s + SEARCH_STEP_S / 2.0, SEARCH_STEP_S)
    still = [s.name for s in (a, b) if s.is_still]
    if still:
        return _refused(f"the {still[0]} stream hardly moves: move and turn the body briskly, with changing speed, for 10 s and more", max_offset_s)
    misfit = np.array([_misfit(a, b, lag) for lag in lags])
    curve = np.column_stack([lags, misfit])
    if not np.isfinite(misfit).any():
        return _refused(f"the streams do not overlap by {MIN_OVERLAP_S:g} s: record both at once", max_offset_s)
    best = float(lags[np.nanargmin(misfit)])
    lag, sd_s, explained, overlap = _refined(a, b, best)
    reasons = _reasons(curve, best, lag, sd_s, explained, max_offset_s)
    return TimeOffset(round(lag * 1e9), round(float(np.hypot(sd_s * 1e9, FLOOR_NS))), explained, overlap, curve, not reasons, tuple(reasons))


def _refused(reason: str, max_offset_s: float) -> TimeOffset:
    # Of an offset that is not known at all, the error is as wide as the search.
    return TimeOffset(0, round(max_offset_s * 1e9), 0.0, 0.0, np.zeros((0, 2)), False, (reason,))


def _regressed(to: Signal, by: Signal, lag_s: float, used: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """(n, K) residual of predicting `to` from `by`, whose clock is `lag_s` behind, and its derivative by the lag."""
    at = to.t_s[used] - lag_s
    features, slopes = by.at(at)
    features, target = np.column_stack([features, np.ones(len(at))]), to.values[used]
    # By the normal equations: a trial then costs one pass over the samples. Directions that the motion never took are left out.
    size, basis = np.linalg.eigh(features.T @ features)
    sound = size > SOUND * size[-1]
    basis = basis[:, sound] / np.sqrt(size[sound])
    q = features @ basis
    weights = basis @ (q.T @ target)
    # A later lag reads an earlier place of the other stream: its prediction changes by -slope, less what the regression takes up.
    change = slopes @ weights[:-1]
    return target - features @ weights, change - q @ (q.T @ change)


def _overlap(to: Signal, by: Signal, lag_s: float) -> npt.NDArray[np.bool_]:
    at = to.t_s - lag_s
    # A spline's first and last pieces hang on few samples.
    return np.asarray((at >= by.t_s[0] + KNOT_S) & (at <= by.t_s[-1] - KNOT_S))


def _misfit(a: Signal, b: Signal, lag_s: float) -> float:
    """Share of the variance left unexplained, in the direction that explains more; NaN without enough overlap."""
    shares = []
    for to, by, lag in ((a, b, lag_s), (b, a, -lag_s)):
        used = _overlap(to, by, lag)
        if used.sum() < MIN_SAMPLES or np.ptp(to.t_s[used]) < MIN_OVERLAP_S:
            return float("nan")
        residual, _ = _regressed(to, by, lag, used)
        centred = to.values[used] - to.values[used].mean(axis=0)
        shares.append(float(np.square(residual).sum() / max(np.square(centred).sum(), 1e-300)))
    return min(shares)


def _refined(a: Signal, b: Signal, lag_s: float) -> tuple[float, float, float, float]:
    """Offset, its standard deviation, the share explained and the overlap in seconds."""
    estimates = [_descended(a, b, lag_s, 1.0), _descended(b, a, -lag_s, -1.0)]
    weight = np.array([e.information for e in estimates])
    weight = weight / weight.sum()
    lag = float(sum(w * e.lag_s for w, e in zip(weight, estimates, strict=True)))
    left_out = sum(w * e.left_out for w, e in zip(weight, estimates, strict=True))
    off = left_out - np.mean(left_out)
    sd = float(np.sqrt((RUNS - 1) / RUNS * np.square(off).sum())) * student_factor(RUNS - 1)
    return lag, sd, max(e.explained for e in estimates), min(e.overlap_s for e in estimates)


@dataclass(frozen=True)
class _Descent:
    lag_s: float
    left_out: Array
    information: float
    explained: float
    overlap_s: float


def _descended(to: Signal, by: Signal, lag_s: float, sign: float) -> _Descent:
    """Gauss-Newton on the lag; (RUNS,) estimates each without one run of time."""
    for _ in range(15):
        used = _overlap(to, by, lag_s)
        if used.sum() < MIN_SAMPLES:
            break
        residual, change = _regressed(to, by, lag_s, used)
        step = -float((change * residual).sum() / max(np.square(change).sum(), 1e-300))
        lag_s += float(np.clip(step, -SEARCH_STEP_S, SEARCH_STEP_S))
        if abs(step) < 1e-8:
            break
    used = _overlap(to, by, lag_s)
    residual, change = _regressed(to, by, lag_s, used)
    groups = groups_of(int(used.sum()), RUNS)
    down = np.bincount(groups, (change * residual).sum(axis=1), RUNS)
    across = np.bincount(groups, np.square(change).sum(axis=1), RUNS)
    left = lag_s - (down.sum() - down) / np.maximum(across.sum() - across, 1e-300)
    variance = float(np.square(residual).sum()) / residual.size
    centred = to.values[used] - to.values[used].mean(axis=0)
    explained = 1.0 - float(np.square(residual).sum() / max(np.square(centred).sum(), 1e-300))
    return _Descent(sign * lag_s, sign * left, float(across.sum()) / max(variance, 1e-300), explained, float(np.ptp(to.t_s[used])))


def _reasons(curve: Array, best_s: float, lag_s: float, sd_s: float, explained: float, max_offset_s: float) -> list[str]:
    if explained < MIN_EXPLAINED:
        return [f"the streams share no motion (one explains {explained:.0%} of the other): are they the same body, moved while both were recorded?"]
    reasons = []
    if abs(best_s) > max_offset_s - 2.0 * SEARCH_STEP_S:
        reasons.append(f"the best offset lies at the end of the search ({best_s:+.2f} s): search wider")
    elif abs(lag_s - best_s) > 3.0 * SEARCH_STEP_S:
        reasons.append("the offset does not settle: move with more changes of speed and direction")
    rival = _rival(curve, best_s)
    if rival is not None:
        reasons.append(
            f"the motion repeats itself: an offset of {rival:+.2f} s fits almost as well as {best_s:+.2f} s; move irregularly, not to and fro "
            "in one beat"
        )
    if sd_s * 1e9 > MAX_SD_NS:
        reasons.append(f"the offset is known to {sd_s * 1e3:.1f} ms (sd) only: move faster, or record for longer")
    return reasons


def _rival(curve: Array, best_s: float) -> float | None:
    """Another offset that fits almost as well, beyond the hump that the best one stands in."""
    lags, misfit = curve.T
    known = np.isfinite(misfit)
    lags, misfit = lags[known], misfit[known]
    here = int(np.abs(lags - best_s).argmin())
    low = here
    while low > 0 and misfit[low - 1] >= misfit[low]:
        low -= 1
    high = here
    while high < len(misfit) - 1 and misfit[high + 1] >= misfit[high]:
        high += 1
    other = np.concatenate([np.arange(low), np.arange(high + 1, len(misfit))])
    if not len(other):
        return None
    rival = int(other[misfit[other].argmin()])
    # The floor is a misfit of 1 %, below which noise-free motions would compare nothing with nothing.
    alike = misfit[rival] < ALIKE * max(float(misfit[here]), 0.01)
    return float(lags[rival]) if alike else None
