"""Touches become figures: for each place and over all, in the artefact's axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from navtwin.assess.artefact import Array, Artefact
from navtwin.assess.f2554 import (
    LengthError,
    PointError,
    TiltError,
    length_error,
    placed,
    point_error,
    pooled_lengths,
    pooled_precision,
    tilt_error,
)
from navtwin.assess.guide import standing
from navtwin.assess.plan import Axis
from navtwin.assess.posture import posture_of
from navtwin.assess.taken import Assessed, Taken
from navtwin.errors import InputRefused
from navtwin.rigid import Rigid, Vec3

#: How the artefact's coordinates were brought into the reference's: by the points touched at each place, by those of all places at once, or because
#: a simulation knows. Each fit hides the bias that it can absorb; only the last hides none.
FITS = ("each place", "all places", "truth")
#: The orientation's axes in words.
AXES: dict[Axis, str] = {"east": "lean left-right", "north": "lean top-bottom", "own": "turn about own axis"}


@dataclass(frozen=True)
class Fitted:
    """Single-point errors under one way of knowing where the artefact stands, in its axes.

    Attributes
    ----------
    points : by place, every point once
    centre : by place, the centre again and again: its bias and its precision
    all_points, all_centre : over all places
    precision_mm : of the centre, pooled over places, each about its own bias
    """

    points: Mapping[str, PointError]
    centre: Mapping[str, PointError]
    all_points: PointError
    all_centre: PointError | None
    precision_mm: float | None


@dataclass(frozen=True)
class Assessment:
    """All figures of one assessment.

    Attributes
    ----------
    at_tracker_mm : by place, mean position of the reference in the tracker's axes
    T_tracker_from_artefact : by place, how the artefact stood there, by the points touched on it
    fits : by the words of `FITS`
    leans : by place and axis
    lengths : by place; distances need no fit
    all_lengths : pairs within a place, over all places
    dwell_spread_mm : RMS spread of a tip that was held still: what the tracker and the hand jitter by, of which a touch averages `frames` frames
    complete : whether all that was asked for was touched
    """

    about: Assessed
    touches: int
    complete: bool
    at_tracker_mm: Mapping[str, Vec3]
    T_tracker_from_artefact: Mapping[str, Rigid]
    fits: Mapping[str, Fitted]
    leans: Mapping[str, Mapping[str, TiltError]]
    lengths: Mapping[str, LengthError]
    all_lengths: LengthError
    dwell_spread_mm: float
    frames: int


def assess(about: Assessed, taken: Sequence[Taken], asked: int, T_ref_from_artefact: Rigid | None = None) -> Assessment:
    """Judge what was touched.

    Parameters
    ----------
    asked : how many touches make it complete
    T_ref_from_artefact : where a simulation knows the artefact to stand on its reference

    Raises
    ------
    InputRefused : no place at which three points off one line were touched
    """
    by_place = {place: [t for t in taken if t.touch.place == place] for place in about.design.places}
    known = {place: T for place, here in by_place.items() if (T := standing(about.artefact, _upright(here))) is not None}
    if not known:
        raise InputRefused(f"{len(taken)} touches say nothing yet", "touch three points or more of the artefact at one place")
    by_place = {place: by_place[place] for place in known}
    every = [t for here in by_place.values() for t in _upright(here)]
    common = placed(about.artefact.positions_mm(tuple(t.touch.point for t in every)), [t.position_ref_mm for t in every])
    fits = {FITS[0]: _fitted(about.artefact, by_place, known), FITS[1]: _fitted(about.artefact, by_place, dict.fromkeys(known, common))}
    if T_ref_from_artefact is not None:
        fits[FITS[2]] = _fitted(about.artefact, by_place, dict.fromkeys(known, T_ref_from_artefact))
    lengths = {place: _lengths(about.artefact, here) for place, here in by_place.items()}
    return Assessment(
        about=about,
        touches=len(taken),
        complete=len(taken) == asked,
        at_tracker_mm={place: _mean([t.T_tracker_from_ref.t_mm for t in here]) for place, here in by_place.items()},
        T_tracker_from_artefact={place: _stood(here) @ known[place] for place, here in by_place.items()},
        fits=fits,
        leans={place: _leans(about.artefact, here) for place, here in by_place.items()},
        lengths=lengths,
        all_lengths=pooled_lengths(list(lengths.values())),
        dwell_spread_mm=float(np.sqrt(np.mean([t.spread_mm**2 for t in taken]))),
        frames=sum(t.samples for t in taken),
    )


def in_artefact(T_ref_from_artefact: Rigid, taken: Sequence[Taken]) -> Array:
    """(N, 3) touched tips in the artefact's axes, mm."""
    return T_ref_from_artefact.inverse().apply(np.reshape([t.position_ref_mm for t in taken], (-1, 3)))


def _upright(here: Sequence[Taken]) -> list[Taken]:
    return [t for t in here if t.touch.test == "point"]


def _fitted(artefact: Artefact, by_place: Mapping[str, list[Taken]], stands: Mapping[str, Rigid]) -> Fitted:
    points, centre = dict[str, PointError](), dict[str, PointError]()
    errors, centre_errors = list[Array](), list[Array]()
    for place, here in by_place.items():
        upright, again = _upright(here), [t for t in here if t.touch.test == "repeat"]
        certified = artefact.positions_mm(tuple(t.touch.point for t in upright))
        measured = in_artefact(stands[place], upright)
        points[place] = point_error(measured, certified)
        errors.append(measured - certified)
        if again:
            repeated = in_artefact(stands[place], again)
            middle = artefact.positions_mm((artefact.centre,))[0]
            centre[place] = point_error(repeated, middle)
            centre_errors.append(repeated - middle)
    return Fitted(
        points=points,
        centre=centre,
        all_points=point_error(np.concatenate(errors), np.zeros(3)),
        all_centre=point_error(np.concatenate(centre_errors), np.zeros(3)) if centre_errors else None,
        precision_mm=pooled_precision(list(centre.values())),
    )


def _leans(artefact: Artefact, here: list[Taken]) -> dict[str, TiltError]:
    """By axis; the mean of the upright repeats stands for the angle that they were held at, nearly 0."""
    again = [t for t in here if t.touch.test == "repeat"]
    T_ref_from_artefact = standing(artefact, _upright(here))
    if T_ref_from_artefact is None:
        return {}
    found = dict[str, TiltError]()
    for axis, words in AXES.items():
        leaning = [t for t in here if t.touch.test == "lean" and t.touch.axis == axis]
        tips, angles = in_artefact(T_ref_from_artefact, leaning), [_angle(artefact, t, here, axis) for t in leaning]
        if again:
            tips = np.concatenate([tips, in_artefact(T_ref_from_artefact, again).mean(axis=0)[None]])
            angles.append(float(np.mean([_angle(artefact, t, here, axis) for t in again])))
        if leaning and len(tips) >= 2:
            found[words] = tilt_error(tips, angles)
    return found


def _angle(artefact: Artefact, taken: Taken, here: list[Taken], axis: Axis) -> float:
    posture = posture_of(artefact, taken, here)
    assert posture is not None
    return {"east": posture.east_deg, "north": posture.north_deg}.get(axis, posture.own_deg)


def _lengths(artefact: Artefact, here: list[Taken]) -> LengthError:
    upright = _upright(here)
    return length_error([t.position_ref_mm for t in upright], artefact.positions_mm(tuple(t.touch.point for t in upright)))


def _stood(here: list[Taken]) -> Rigid:
    return here[-1].T_tracker_from_ref.rigid(target="tracker", source="ref")


def _mean(points: Sequence[Vec3]) -> Vec3:
    x, y, z = np.mean(points, axis=0)
    return float(x), float(y), float(z)
