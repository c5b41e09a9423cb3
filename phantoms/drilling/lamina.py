"""The script `phantom:lamina`: the left half of an arch is drilled away down to the canal, on the built-in spine."""

from __future__ import annotations

import numpy as np

from phantoms.drilling import moves
from phantoms.drilling.hand import Hand
from phantoms.drilling.rig import BURR_RADIUS_MM
from phantoms.drilling.site import Site, beside, layers
from phantoms.drilling.solids import Difference
from phantoms.drilling.truth import Anatomy
from phantoms.path import unit
from phantoms.patient import LEVELS, PLANNED, landmarks, level, shapes, vertebra
from phantoms.shapes import Array, Box, Union
from phantoms.touch import Approach
from phantoms.truth import AORTA, CANAL

LAYER_MM, ROW_MM = 1.5, 2.0
#: How far the burr's room stays from the canal, mm; how near the last strokes come, and how deep the slip goes.
KEEP_MM, BULK_ROOM_MM = 1.0, 0.3
CANAL_MM = (2.2, 1.5, 0.9)
BREACH_MM = -0.6
GRAZE_MM, SWIPE_BITE_MM = 0.25, 0.8
JUMP_MM = np.array((2.0, -12.0, 3.0))
#: Strokes over the canal, off the midline.
_BESIDE_MIDLINE_MM = 5.5


def _at(x_mm: float, y_mm: float, z_mm: float) -> Array:
    """A point of the vertebra's own axes, in ct."""
    return np.array(level(PLANNED).place(x_mm, y_mm, z_mm))


def lamina() -> Site:
    """The arch of the vertebra that the demonstration's plans are for, from behind."""
    back = unit(_at(0.0, 1.0, 0.0) - _at(0.0, 0.0, 0.0))
    left = np.array((1.0, 0.0, 0.0))
    x, y, z = (float(v) for v in _at(6.5, 42.0, -1.0))
    structures = shapes()
    return Site(
        script="lamina",
        bone=PLANNED,
        anatomy=Anatomy(vertebra(PLANNED), {name: structures[name] for name in (CANAL, AORTA)}),
        every_bone=Union(tuple(vertebra(name) for name in LEVELS)),
        room=Difference(Box((x, y, z), (5.0, 15.0, 10.0), 2.5), (structures[CANAL],), KEEP_MM, 1.0),
        view=Approach(_at(0.0, 36.0, 0.0), left, np.cross(left, back), back),
        extent_mm=(14.0, 13.0, 6.0, 9.0),
        act=act,
        touched=(_at(7.5, 70.0, 2.0), _at(9.5, 70.0, -2.0), _at(10.5, 70.0, 1.0)),
        landmarks=landmarks(),
    )


def act(site: Site, hand: Hand) -> None:
    """All scenes in order; the drill begins and ends in the air."""
    plan = layers(site, BURR_RADIUS_MM + BULK_ROOM_MM, LAYER_MM, ROW_MM, sample_mm=0.5)
    canal, inwards = site.anatomy.critical[CANAL], -site.view.back

    def on_bone(x: float, z: float, bite_mm: float) -> Array:
        return beside(site.anatomy.bone, _at(x, 70.0, z), inwards, BURR_RADIUS_MM - bite_mm)

    def on_canal(z: float, away_mm: float) -> Array:
        return beside(canal, _at(_BESIDE_MIDLINE_MM, 50.0, z), inwards, away_mm + BURR_RADIUS_MM)

    moves.turn_in_air(site, hand)
    moves.cut_along(site, hand, "graze", [on_bone(x, 4.0, GRAZE_MM) for x in (24.0, 28.0)], moves.THIN_MM_S)
    moves.swipe(site, hand, *(on_bone(-6.5, z, SWIPE_BITE_MM) for z in (4.0, -7.0)))
    moves.clear_layers(site, hand, "lamina", plan, JUMP_MM)
    moves.cut_unseen(site, hand, "dropout", _at(9.5, 32.3, -6.0), _at(9.5, 32.3, 0.0))
    moves.cut_unseen(site, hand, "late word", _at(10.5, 31.6, -2.0), _at(10.5, 31.6, 4.0))
    along = [[on_canal(z, away) for z in (-6.0, 4.0)] for away in CANAL_MM]
    to_and_fro = [point for n, ends in enumerate(along) for point in (ends if n % 2 == 0 else ends[::-1])]
    moves.cut_along(site, hand, "canal", to_and_fro, moves.FINE_MM_S)
    moves.claim(site, hand, _at(9.5, 32.35, -5.0), _at(9.5, 32.35, -0.5), 1.2 * site.view.back)
    moves.breach(site, hand, on_canal(-1.0, CANAL_MM[-1]), on_canal(-1.0, BREACH_MM))
    moves.park(site, hand)
