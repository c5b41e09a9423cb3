"""The printed sheet of points before the rendered camera: touched point by point, at every place, as `navtwin assess` asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.assess.artefact import Artefact
from navtwin.assess.plan import Design, of_place, touches
from navtwin.assess.sheet import printed_sheet
from navtwin.errors import InputRefused
from phantoms.assessed import stands, touching
from phantoms.camera.bodies import make_body
from phantoms.camera.gestures import marker_from
from phantoms.camera.scripts import RATE_HZ, SCENE_STREAM, Studio, calm, made_tool, named
from phantoms.camera.sheets import Sheet, printed
from phantoms.camera.take import Take, Track
from phantoms.motion import Poses
from phantoms.path import unit
from phantoms.rig import MadeTool

Array = npt.NDArray[np.float64]

POINTER = "pointer"
#: Where the sheet's middle is put, camera axes (y down), mm; and how far its upper side is leant towards the camera.
PLACES_MM = {
    "middle": (0.0, 70.0, 560.0),
    "near": (0.0, 75.0, 480.0),
    "far": (0.0, 80.0, 680.0),
    "left": (-150.0, 70.0, 580.0),
    "right": (150.0, 70.0, 580.0),
    "top": (0.0, 15.0, 600.0),
    "bottom": (0.0, 125.0, 600.0),
}
TILT_DEG, HELD_S, PAUSE_S = 50.0, 1.6, 1.0
#: The reference's board lies on the same plate above the sheet's top row, mm in the sheet's axes; paper left round the points.
REFERENCE_AT_MM, MARGIN_MM = (0.0, 140.0, 0.0), 8.0
#: How well a tip sits in a pricked cross: sd of each axis, mm.
PRICKED_MM = 0.05
_CROSS = ((0.8, 6.0, 0.0), (-6.0, -0.8, 0.0), (0.8, 6.0, 1.0), (-6.0, -0.8, 1.0))
ALL = Design()


@dataclass(frozen=True)
class _Film:
    """What bodies do at one place: times from its beginning, and poses of each in the camera's axes."""

    times_s: Array
    artefact: Poses
    pointer: Poses


def film_assess(studio: Studio, design: Design = ALL) -> Take:
    """Film all touches of a design, in order, once. Who misses one can film it again: the touches are the same."""
    rig = studio.needs_rig("assess")
    tool = {t.name: t for t in rig.tool}.get(POINTER)
    if tool is None:
        raise InputRefused(f"the rig has no tool '{POINTER}'", "the sheet of points is touched with it: add it to rig.toml")
    made = made_tool(studio, rig, tool)
    bodies = {name: make_body(named(rig, name)) for name in (tool.body, rig.reference)}
    sheet = printed_sheet()
    rng = studio.rng(*SCENE_STREAM, 99)
    films = [_filmed(sheet, design, place, made, rng) for place in design.places]
    capture, start_s = list[Array](), PAUSE_S
    for film in films:
        capture.append(start_s + film.times_s)
        start_s += float(film.times_s[-1]) + PAUSE_S
    # What is put elsewhere is not filmed on its way.
    there = np.concatenate([np.r_[False, np.ones(len(film.times_s) - 2, dtype=bool), False] for film in films])
    plate = _joined([film.artefact for film in films])
    fixed = Poses(np.tile(np.eye(3), (len(plate), 1, 1)), np.tile(REFERENCE_AT_MM, (len(plate), 1)))
    poses = {"points": plate, rig.reference: plate.then(fixed), tool.body: _joined([film.pointer for film in films])}
    tracks = {name: Track(way, there, np.ones(len(there), dtype=bool)) for name, way in poses.items()}
    return calm(
        studio,
        "assess",
        np.round(np.concatenate(capture) * 1e9).astype(np.int64),
        tracks,
        {"points": (_paper(sheet),), **{name: body.sheets for name, body in bodies.items()}},
        {name: (body.ids, body.corners_mm) for name, body in bodies.items()},
        {POINTER: made},
    )


def _filmed(sheet: Artefact, design: Design, place: str, made: MadeTool, rng: np.random.Generator) -> _Film:
    stood = stands(place, PLACES_MM, TILT_DEG, rng)
    towards = unit(-stood.rotation[0].T @ stood.t_mm[0])
    hand = touching(sheet, of_place(touches(sheet, design), place), RATE_HZ, HELD_S, towards, rng, seat_mm=PRICKED_MM)
    count = len(hand.times_s)
    artefact = Poses(np.tile(stood.rotation, (count, 1, 1)), np.tile(stood.t_mm, (count, 1)))
    return _Film(hand.times_s, artefact, marker_from(made, artefact.then(hand.T_artefact_from_tip)))


def _joined(parts: list[Poses]) -> Poses:
    return Poses(np.concatenate([p.rotation for p in parts]), np.concatenate([p.t_mm for p in parts]))


def _paper(sheet: Artefact) -> Sheet:
    """White paper with a cross at every point."""
    points = sheet.positions_mm()
    (left, bottom, _), (right, top, _) = points.min(axis=0) - MARGIN_MM, points.max(axis=0) + MARGIN_MM
    outline = np.array([(left, top, 0.0), (right, top, 0.0), (right, bottom, 0.0), (left, bottom, 0.0)])
    black = np.ones((1, 1), dtype=np.bool_)
    prints = [(_bar(at, begin, end, upright > 0.0), black, None) for at in points for begin, end, upright in _CROSS]
    return printed(outline, prints)


def _bar(at: Array, begin: float, end: float, upright: bool) -> Array:
    """Corners (4, 3) of an arm of a cross, from its top left clockwise."""
    x, y = ((-0.1, 0.1), (begin, end)) if upright else ((begin, end), (-0.1, 0.1))
    return np.asarray(at + np.array([(x[0], y[1], 0.0), (x[1], y[1], 0.0), (x[1], y[0], 0.0), (x[0], y[0], 0.0)]))
