"""An assessment as tables: for the terminal, for CSV and for the page. Bias and precision stand apart; what a fit hides is said beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from navtwin.assess.assessment import FITS, Assessment, Fitted
from navtwin.assess.f2554 import LengthError, PointError

#: What a reader must know of each way of knowing where the artefact stands.
HIDES = {
    FITS[0]: "by the points touched at the same place: hides the bias that all points of a place share, and some of each point's own",
    FITS[1]: "by the points of all places at once: shows how the places differ, hides the bias that they share",
    FITS[2]: "known to the simulation: hides nothing",
}
CAUTION = "In the manner of ASTM F2554; no conformity is claimed. A residual after a fit is no accuracy: it is what the fit could not hide."


@dataclass(frozen=True)
class Rows:
    """A table for people; every cell is text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables_of(found: Assessment, *, every_fit: bool = True) -> tuple[Rows, ...]:
    """All tables of an assessment; single points under every way of placing the artefact, or only under the one that hides least."""
    points = [_points(name, fitted) for name, fitted in found.fits.items() if every_fit or name == headline_fit(found)]
    return (_fits(found), *points, _leans(found), _lengths(found))


def headline_fit(found: Assessment) -> str:
    """The way of knowing that hides least: what is quoted where one figure is."""
    return FITS[2] if FITS[2] in found.fits else FITS[1]


def notes_of(found: Assessment) -> tuple[str, ...]:
    """What a reader must know."""
    about = found.about
    artefact = about.artefact
    known = f"coordinates known to {artefact.sd_mm:g} mm (1 sd) each" if artefact.sd_mm else "coordinates taken as exact"
    notes = [
        CAUTION,
        f"{found.touches} touches of '{artefact.name}' ({len(artefact.point)} points, {known}) with '{about.tool}' at "
        f"{len(found.at_tracker_mm)} places",
        f"Each touch is the mean of {found.frames // max(found.touches, 1)} frames, which scatter by {found.dwell_spread_mm:.2f} mm RMS.",
        "Bias is the mean error, precision the scatter about it; of the centre over all places, about each place's own bias.",
        "All errors are of the tip against the reference: the tracker, both marker bodies, the tip's calibration, the seat of the tip and the hand.",
    ]
    if artefact.check_mm:
        notes.append(f"A ruler that is {artefact.check_sd_mm:g} mm off reads {1e6 * artefact.check_sd_mm / artefact.check_mm:.0f} ppm of scale.")
    if not found.complete:
        notes.append("Not complete: not all that was asked for was touched. The figures are of what was.")
    return tuple(notes)


def _fits(found: Assessment) -> Rows:
    told = [(name, _point(fitted.all_points)) for name, fitted in found.fits.items()]
    columns = ("placed by", "n", "bias", "precision", "mean", "RMS", "95 %", "max")
    rows = tuple((name, n, *rest) for name, (n, _, *rest) in told)
    return Rows("Single point, every point at all places, mm: what each way of placing the artefact leaves of the error", columns, rows)


def _points(name: str, fitted: Fitted) -> Rows:
    columns = ("place", "what", "n", "bias x y z", "bias", "precision", "mean", "RMS", "95 %", "max")
    rows = list[tuple[str, ...]]()
    for place, error in fitted.points.items():
        rows.append((place, "points", *_point(error)))
        if place in fitted.centre:
            rows.append((place, "centre", *_point(fitted.centre[place])))
    rows.append(("all", "points", *_point(fitted.all_points)))
    if fitted.all_centre is not None and fitted.precision_mm is not None:
        overall = _point(fitted.all_centre)
        rows.append(("all", "centre", *overall[:3], f"{fitted.precision_mm:.3f}", *overall[4:]))
    return Rows(f"Single point, mm; artefact placed {HIDES[name]}", columns, tuple(rows))


def _point(error: PointError) -> tuple[str, ...]:
    precision = "" if error.precision_mm is None else f"{error.precision_mm:.3f}"
    lengths = (error.mean_mm, error.rms_mm, error.p95_mm, error.max_mm)
    return (
        str(error.n),
        " ".join(f"{v + 0.0:+.3f}" for v in error.bias_mm),
        f"{error.bias_length_mm:.3f}",
        precision,
        *(f"{v:.3f}" for v in lengths),
    )


def _leans(found: Assessment) -> Rows:
    rows = [
        (
            place,
            axis,
            str(error.n),
            f"{min(error.angles_deg):+.0f} to {max(error.angles_deg):+.0f}",
            f"{error.span_mm:.3f}",
            f"{error.rms_mm:.3f}",
            f"{error.max_mm:.3f}",
            "" if error.slope_mm_deg is None else f"{1e3 * error.slope_mm_deg:.2f}",
        )
        for place, leans in found.leans.items()
        for axis, error in leans.items()
    ]
    columns = ("place", "axis", "n", "deg", "span", "RMS", "max", "um/deg")
    return Rows(
        "Pointer's orientation, mm: how far its tips in one divot lie apart, and from their mean, as it leans and turns", columns, tuple(rows)
    )


def _lengths(found: Assessment) -> Rows:
    rows = [(place, *_length(error)) for place, error in found.lengths.items()]
    columns = ("place", "pairs", "lengths", "bias", "SD", "RMS", "95 %", "max", "scale, ppm (1 sd)")
    return Rows("Point to point: measured less certified distance, mm", columns, (*rows, ("all", *_length(found.all_lengths))))


def _length(error: LengthError) -> tuple[str, ...]:
    return (
        str(error.pairs),
        f"{min(error.lengths_mm):.0f} to {max(error.lengths_mm):.0f}",
        f"{error.bias_mm:+.3f}",
        *(f"{v:.3f}" for v in (error.sd_mm, error.rms_mm, error.p95_mm, error.max_mm)),
        f"{error.scale_ppm:+.0f} ({error.scale_sd_ppm:.0f})",
    )


def figures_of(found: Assessment) -> Mapping[str, float]:
    """The figures that stand for the assessment, under the placing that hides least, mm."""
    fitted = found.fits[headline_fit(found)]
    spans = [error.span_mm for leans in found.leans.values() for error in leans.values()]
    figures = {
        "single point mean mm": fitted.all_points.mean_mm,
        "single point 95 % mm": fitted.all_points.p95_mm,
        "single point max mm": fitted.all_points.max_mm,
        # Over all places the mean error is nothing after one fit; how the places differ is not.
        "single point bias at the worst place mm": max(error.bias_length_mm for error in fitted.points.values()),
        "point to point RMS mm": found.all_lengths.rms_mm,
        "point to point bias mm": abs(found.all_lengths.bias_mm),
        "point to point 95 % mm": found.all_lengths.p95_mm,
    }
    if fitted.precision_mm is not None:
        figures["single point precision mm"] = fitted.precision_mm
    if spans:
        figures["orientation span mm"] = max(spans)
    return figures
