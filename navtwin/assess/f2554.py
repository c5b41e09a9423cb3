"""Figures of positional accuracy in the manner of ASTM F2554-18: single point, sensitivity to the pointer's orientation, point to point.

No conformity is claimed: the practice also asks for an artefact with a certificate, a laboratory and a protocol of its own. Bias (the mean error,
which more touches do not lessen) and precision (the scatter about it) are told apart throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.register.closed_form import as_rigid, fit_rotation
from navtwin.rigid import Rigid

Array = npt.NDArray[np.float64]

#: Of the lengths of errors, as the practice reports it beside the largest.
PERCENT = 95.0


@dataclass(frozen=True)
class PointError:
    """Errors of N touched points.

    Attributes
    ----------
    n : touches
    bias_mm : (3,) mean error vector
    mean_mm : mean length of the errors
    rms_mm : RMS length of the errors
    precision_mm : RMS length of what is left of the errors without their mean, n - 1 in the denominator; None of a single touch
    p95_mm, max_mm : of the errors' lengths; the percentile is a length that was measured (nearest rank)
    """

    n: int
    bias_mm: tuple[float, float, float]
    mean_mm: float
    rms_mm: float
    precision_mm: float | None
    p95_mm: float
    max_mm: float

    @property
    def bias_length_mm(self) -> float:
        """Length of the mean error vector."""
        return float(np.linalg.norm(self.bias_mm))


@dataclass(frozen=True)
class TiltError:
    """Where the tip seems to go while the pointer leans, or turns about its own axis, its tip in one divot.

    Attributes
    ----------
    n : touches
    angles_deg, offsets_mm : (n,) and (n, 3): each touch's angle, and how far its tip lies from their mean
    span_mm : greatest distance between two of the tips
    max_mm, rms_mm : greatest and RMS distance from their mean
    slope_mm_deg : length of the straight line's slope, tip against angle, least squares; None where all angles are the same
    """

    n: int
    angles_deg: tuple[float, ...]
    offsets_mm: tuple[tuple[float, float, float], ...]
    span_mm: float
    max_mm: float
    rms_mm: float
    slope_mm_deg: float | None


@dataclass(frozen=True)
class LengthError:
    """Errors of distances between touched points, measured less certified: each pair of N points.

    Attributes
    ----------
    pairs : N (N - 1) / 2
    lengths_mm, errors_mm : (pairs,) certified distances and signed errors
    bias_mm, sd_mm, rms_mm : mean, standard deviation about it, RMS
    p95_mm, max_mm : of the errors' sizes
    scale_ppm, scale_sd_ppm : by how much distances are too long, as one scale fitted to the points (not to the pairs, which share them), and its
        standard deviation from the points' own residuals
    """

    pairs: int
    lengths_mm: tuple[float, ...]
    errors_mm: tuple[float, ...]
    bias_mm: float
    sd_mm: float
    rms_mm: float
    p95_mm: float
    max_mm: float
    scale_ppm: float
    scale_sd_ppm: float


def nearest_rank(values: Array, percent: float = PERCENT) -> float:
    """The percentile as a value that was measured."""
    return float(np.sort(values)[max(int(np.ceil(percent / 100.0 * len(values))) - 1, 0)])


def point_error(measured_mm: npt.ArrayLike, reference_mm: npt.ArrayLike) -> PointError:
    """Single-point accuracy.

    Parameters
    ----------
    measured_mm : (N, 3) touched tips
    reference_mm : (N, 3), or (3,) where one point was touched N times: where they are, same frame

    Raises
    ------
    InputRefused : no touch, other shapes, or NaN
    """
    measured = _points(measured_mm, "touched points", 1)
    error = measured - np.broadcast_to(np.asarray(reference_mm, dtype=np.float64), measured.shape)
    if not np.isfinite(error).all():
        raise InputRefused("the reference points hold NaN or infinite values", "correct the artefact's coordinates")
    length, bias = np.linalg.norm(error, axis=1), error.mean(axis=0)
    about = np.square(error - bias).sum()
    return PointError(
        n=len(error),
        bias_mm=_vector(bias),
        mean_mm=float(length.mean()),
        rms_mm=float(np.sqrt(np.square(length).mean())),
        precision_mm=float(np.sqrt(about / (len(error) - 1))) if len(error) > 1 else None,
        p95_mm=nearest_rank(length),
        max_mm=float(length.max()),
    )


def pooled_precision(errors: list[PointError]) -> float | None:
    """Precision over several places, each about its own bias: what scatters at one place, whatever the places' biases are."""
    known = [(e.n - 1, e.precision_mm) for e in errors if e.precision_mm is not None]
    freedom = sum(n for n, _ in known)
    return float(np.sqrt(sum(n * p * p for n, p in known) / freedom)) if freedom else None


def tilt_error(tips_mm: npt.ArrayLike, angles_deg: npt.ArrayLike) -> TiltError:
    """Sensitivity to the pointer's orientation about one axis.

    Parameters
    ----------
    tips_mm : (N, 3) tips in one divot, N >= 2
    angles_deg : (N,) lean or turn, as it was measured rather than asked for
    """
    tips, angles = _points(tips_mm, "tips of the leaning pointer", 2), np.asarray(angles_deg, dtype=np.float64)
    if angles.shape != (len(tips),) or not np.isfinite(angles).all():
        raise InputRefused(f"{len(tips)} tips have angles of shape {angles.shape}, or some are not finite", "pass one angle a tip")
    offset = tips - tips.mean(axis=0)
    far = np.linalg.norm(offset, axis=1)
    lean = angles - angles.mean()
    square = float(np.square(lean).sum())
    return TiltError(
        n=len(tips),
        angles_deg=tuple(angles.tolist()),
        offsets_mm=tuple(_vector(o) for o in offset),
        span_mm=float(np.linalg.norm(tips[:, None] - tips[None], axis=2).max()),
        max_mm=float(far.max()),
        rms_mm=float(np.sqrt(np.square(far).mean())),
        slope_mm_deg=float(np.linalg.norm(lean @ offset) / square) if square > 1e-9 else None,
    )


def length_error(measured_mm: npt.ArrayLike, certified_mm: npt.ArrayLike) -> LengthError:
    """Point-to-point accuracy. Nothing is fitted for the errors: distances do not depend on where the artefact stands.

    Parameters
    ----------
    measured_mm, certified_mm : (N, 3) the same points in two frames, N >= 3, not all in one place
    """
    measured, certified = _points(measured_mm, "touched points", 3), _points(certified_mm, "certified points", 3)
    if measured.shape != certified.shape:
        raise InputRefused(f"{len(measured)} points were touched of {len(certified)} certified ones", "pass the same points, in the same order")
    first, second = np.triu_indices(len(measured), 1)
    length = np.linalg.norm(certified[first] - certified[second], axis=1)
    error = np.linalg.norm(measured[first] - measured[second], axis=1) - length
    return _lengths(length, error, *scale_error(measured, certified))


def pooled_lengths(parts: Sequence[LengthError]) -> LengthError:
    """Pairs of several places, each within its own; scales are averaged with the inverse of their variances as weights."""
    weights = np.array([1.0 / max(part.scale_sd_ppm, 1e-3) ** 2 for part in parts])
    scale = float(weights @ [part.scale_ppm for part in parts] / weights.sum())
    lengths = np.concatenate([part.lengths_mm for part in parts])
    errors = np.concatenate([part.errors_mm for part in parts])
    return _lengths(lengths, errors, 1e-6 * scale, 1e-6 / float(np.sqrt(weights.sum())))


def _lengths(length: Array, error: Array, scale: float, scale_sd: float) -> LengthError:
    return LengthError(
        pairs=len(error),
        lengths_mm=tuple(length.tolist()),
        errors_mm=tuple(error.tolist()),
        bias_mm=float(error.mean()),
        sd_mm=float(error.std(ddof=1)),
        rms_mm=float(np.sqrt(np.square(error).mean())),
        p95_mm=nearest_rank(np.abs(error)),
        max_mm=float(np.abs(error).max()),
        scale_ppm=1e6 * scale,
        scale_sd_ppm=1e6 * scale_sd,
    )


def scale_error(measured_mm: Array, certified_mm: Array) -> tuple[float, float]:
    """Scale of measured over certified points less one, and its standard deviation.

    The scale of the similarity that fits best (Umeyama, IEEE PAMI 1991;13:376, eq. 42, with the rotation known): s = sum(q . R p) / sum(p . p) over
    points about their means; its variance is that of the residuals per axis, with 3 N - 7 degrees of freedom, over sum(p . p).
    """
    rotation, _ = fit_rotation(measured_mm, certified_mm)
    p, q = (certified_mm - certified_mm.mean(axis=0)) @ rotation.T, measured_mm - measured_mm.mean(axis=0)
    square = float(np.square(p).sum())
    if square < 1e-12:
        raise InputRefused("all certified points lie in one place", "correct the artefact's coordinates")
    scale = float((p * q).sum()) / square
    residual = float(np.square(q - scale * p).sum())
    return scale - 1.0, float(np.sqrt(residual / (3 * len(p) - 7) / square))


def placed(certified_mm: npt.ArrayLike, measured_mm: npt.ArrayLike) -> Rigid:
    """T_ref_from_artefact: where the artefact stands, by the points touched on it (least squares, no scale).

    It absorbs whatever bias all points share, and part of the rest: what is told after it is *less* than the error. N >= 3, not in one line.
    """
    certified, measured = _points(certified_mm, "certified points", 3), _points(measured_mm, "touched points", 3)
    if certified.shape != measured.shape:
        raise InputRefused(f"{len(measured)} points were touched of {len(certified)} certified ones", "pass the same points, in the same order")
    spread = np.linalg.svd(certified - certified.mean(axis=0), compute_uv=False)
    if spread[1] < 1e-3 * max(spread[0], 1e-9):
        raise InputRefused("the touched points lie in one line, which does not say how the artefact stands", "touch another point beside it")
    rotation, t_mm = fit_rotation(measured, certified)
    return Rigid.from_matrix(as_rigid(rotation, t_mm).matrix(), target="ref", source="artefact")


def _points(points_mm: npt.ArrayLike, what: str, least: int) -> Array:
    points = np.asarray(points_mm, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < least:
        raise InputRefused(f"the {what} have shape {points.shape}", f"pass (N, 3) in mm, N at least {least}")
    if not np.isfinite(points).all():
        raise InputRefused(f"the {what} hold NaN or infinite values", "leave out what was not measured")
    return points


def _vector(v: Array) -> tuple[float, float, float]:
    return float(v[0]), float(v[1]), float(v[2])
