"""The hand of an assessment: a pointer set upon every point that is asked for, in order, at every place; and how far off the hand is at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from navtwin.assess.artefact import Artefact, ArtefactPoint
from navtwin.assess.plan import Touch
from phantoms.motion import Poses, turns
from phantoms.path import Stance, Track, frames, tremor, unit
from phantoms.shapes import Array

#: The tip is drawn back by so much between touches, moved so fast, and set down and lifted in such a time.
BACK_MM, PEAK_MM_S, LIFT_S = 30.0, 250.0, 0.35
#: How the hand of a careful person holds a tip in a divot: the tip's seat (sd of each axis, anew at each touch), tremor of the handle (RMS).
SEAT_MM, TREMOR_RAD = 0.02, 0.002
#: Lateral size of the block, mm.
HALF_MM = 75.0


def block() -> Artefact:
    """A stepped block of 150 x 150 x 150 mm with 25 divots: 16 round its foot, 8 half way up, one on top."""
    ring = [(x, y) for x in (-1.0, -0.5, 0.0, 0.5, 1.0) for y in (-1.0, -0.5, 0.0, 0.5, 1.0) if max(abs(x), abs(y)) == 1.0]
    middle = [(x, y) for x in (-0.5, 0.0, 0.5) for y in (-0.5, 0.0, 0.5) if max(abs(x), abs(y)) == 0.5]
    points = [ArtefactPoint(f"A{n}", (HALF_MM * x, HALF_MM * y, 0.0)) for n, (x, y) in enumerate(ring, 1)]
    points += [ArtefactPoint(f"B{n}", (HALF_MM * x, HALF_MM * y, HALF_MM)) for n, (x, y) in enumerate(middle, 1)]
    points.append(ArtefactPoint("M", (0.0, 0.0, 2.0 * HALF_MM)))
    return Artefact("stepped block, 25 divots", "M", tuple(points))


@dataclass(frozen=True)
class Hand:
    """What the hand does at one place, N samples.

    Attributes
    ----------
    times_s : (N,) from 0 on
    T_artefact_from_tip : the tip's z along the tool, its x where the markers look
    """

    times_s: Array
    T_artefact_from_tip: Poses


def touching(
    artefact: Artefact,
    asked: Sequence[Touch],
    rate_hz: float,
    held_s: float,
    towards: Array,
    rng: np.random.Generator,
    *,
    seat_mm: float = SEAT_MM,
) -> Hand:
    """Touch all that is asked for, one after the other, at one place.

    Parameters
    ----------
    towards : (3,) where the tracker is, in the artefact's axes: the markers are held to look there
    """
    first = _stance(artefact, asked[0], rng, seat_mm)
    track, turned = Track(0.0, first.back(BACK_MM)), [(0.0, 0.0)]
    for touch in asked:
        stance = first if touch is asked[0] else _stance(artefact, touch, rng, seat_mm)
        arrived = track.go(stance.back(BACK_MM), peak_mm_s=PEAK_MM_S)
        turned.append((arrived, np.radians(touch.angle_deg) if touch.axis == "own" else 0.0))
        track.go(stance, duration_s=LIFT_S)
        turned.append((track.hold(held_s), turned[-1][1]))
        track.go(stance.back(BACK_MM), duration_s=LIFT_S)
        turned.append((track.end_s, turned[-1][1]))
    times = np.arange(int(track.end_s * rate_hz) + 1) / rate_hz
    tips, axes = track.sample(times)
    axes = unit(axes + tremor(times, TREMOR_RAD, rng))
    at, angle = np.array(turned).T
    spun = turns(np.interp(times, at, angle)[:, None] * np.array([0.0, 0.0, 1.0]))
    return Hand(times, Poses(np.matmul(frames(axes, towards), spun), tips))


def _stance(artefact: Artefact, touch: Touch, rng: np.random.Generator, seat_mm: float) -> Stance:
    """The pointer on a point: its axis runs down into the artefact, its handle leans as asked."""
    lean = np.tan(np.radians(touch.angle_deg))
    handle = np.array([lean if touch.axis == "east" else 0.0, lean if touch.axis == "north" else 0.0, 1.0])
    return Stance(artefact.positions_mm((touch.point,))[0] + rng.normal(0.0, seat_mm, 3), -unit(handle))


def pivoting(centre_mm: Array, times_s: Array, towards: Array, half_angle_rad: float = 0.55) -> Poses:
    """T_artefact_from_tip while the tip rests in a divot and the handle swings on a rose of directions about upright."""
    phase = 2.0 * np.pi * (times_s - times_s[0]) / (times_s[-1] - times_s[0])
    lean = np.tan(half_angle_rad * (0.55 + 0.45 * np.sin(3.0 * phase)))
    aside = np.stack([np.cos(5.0 * phase), np.sin(5.0 * phase), np.zeros(len(phase))], axis=1)
    return Poses(frames(unit(lean[:, None] * aside - (0.0, 0.0, 1.0)), towards), np.tile(centre_mm, (len(phase), 1)))


def stands(place: str, at_mm: Mapping[str, tuple[float, float, float]], tilt_deg: float, rng: np.random.Generator) -> Poses:
    """T_tracker_from_artefact at a place, one sample: upright before the tracker, its top leant towards it by `tilt_deg`, turned a little as it came.

    The tracker looks along +z with y downwards; the artefact's z is up and its y leads away from the tracker.
    """
    upright = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    turn = turns(np.array([[0.0, 0.0, np.radians(rng.uniform(-10.0, 10.0))]]))[0]
    lean = turns(np.array([[np.radians(tilt_deg), 0.0, 0.0]]))[0]
    return Poses((lean @ upright @ turn)[None], np.array([at_mm[place]]))
