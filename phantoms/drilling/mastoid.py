"""The script `phantom:mastoid`: a cortical mastoidectomy, with everything that can go wrong in it."""

from __future__ import annotations

import numpy as np

from phantoms.drilling import moves
from phantoms.drilling import temporal_bone as bone
from phantoms.drilling.hand import Hand
from phantoms.drilling.rig import BURR_RADIUS_MM
from phantoms.drilling.site import Site, beside, layers
from phantoms.drilling.truth import Anatomy
from phantoms.shapes import Array
from phantoms.touch import Approach

#: Depth of a layer and distance of its rows, mm: what is left standing between rows of a 4 mm burr is some tenths.
LAYER_MM, ROW_MM = 1.6, 2.2
#: Bulk removal stays off what is planned by this, and thin strokes do the rest.
BULK_ROOM_MM = 0.7
#: After so many layers the cortex is open, and other things happen before the rest.
CORTEX_LAYERS = 4
#: The last strokes before the nerve leave so much, mm.
NERVE_WALLS_MM = (2.6, 1.8, 1.2, 0.7)
SINUS_WALLS_MM = (2.0, 0.8)
TEGMEN_WALL_MM, BREACH_MM = 1.2, -0.6
GRAZE_MM, SWIPE_BITE_MM = 0.25, 0.9
JUMP_MM = np.array((-11.0, 3.0, -2.0))
_INWARDS, _UP = np.array((-1.0, 0.0, 0.0)), np.array((0.0, 0.0, 1.0))
#: From the cavity towards sinus and nerve.
_TO_SINUS, _TO_NERVE = (-0.25, 1.0, 0.0), (-0.86, -0.5, 0.0)
#: Lines of sight for touches of the wall: y and z; by the nerve, where it was hidden, where nothing was said, on the antrum's floor.
_TOUCHED = ((3.5, -7.0), (7.0, -16.0), (6.5, -12.5), (6.5, 5.0))


def mastoid() -> Site:
    """The left temporal bone, seen from its side."""
    view = Approach(np.array((1.0, 8.0, -2.0)), np.array((0.0, -1.0, 0.0)), np.array((0.0, 0.0, 1.0)), np.array((1.0, 0.0, 0.0)))
    return Site(
        script="mastoid",
        bone=bone.BONE,
        anatomy=Anatomy(bone.bone(), bone.critical()),
        every_bone=bone.bone(),
        room=bone.removal_room(),
        view=view,
        extent_mm=(16.0, 24.0, 3.0, 17.0),
        act=act,
        touched=tuple(np.array((30.0, y, z)) for y, z in _TOUCHED),
        landmarks=bone.landmarks(),
    )


def act(site: Site, hand: Hand) -> None:
    """All scenes in order; the drill begins and ends in the air."""
    plan = layers(site, BURR_RADIUS_MM + BULK_ROOM_MM, LAYER_MM, ROW_MM)
    nerve, sinus, dura = (site.anatomy.critical[name] for name in (bone.NERVE, bone.SINUS, bone.DURA))

    moves.turn_in_air(site, hand)
    moves.clear_layers(site, hand, "cortex", plan[:CORTEX_LAYERS])
    moves.cut_along(site, hand, "graze", [_on_cortex(site, y, 5.0, GRAZE_MM) for y in (24.0, 27.5)], moves.THIN_MM_S)
    moves.swipe(site, hand, *(_on_cortex(site, 22.5, z, SWIPE_BITE_MM) for z in (9.0, -7.0)))
    moves.clear_layers(site, hand, "cavity", plan[CORTEX_LAYERS:], JUMP_MM)
    moves.cut_unseen(site, hand, "dropout", np.array((-6.5, 4.0, -16.0)), np.array((-6.5, 9.5, -16.0)))
    moves.cut_unseen(site, hand, "late word", np.array((-6.5, 3.5, -12.5)), np.array((-6.5, 9.0, -12.5)))

    def roof(x: float, y: float, more_mm: float = 0.0) -> Array:
        return beside(dura, (x, y, 3.0), _UP, TEGMEN_WALL_MM + BURR_RADIUS_MM + more_mm)

    moves.cut_along(site, hand, "tegmen", [roof(-9.0, 2.5), roof(-9.0, 10.0), roof(-12.5, 10.0), roof(-12.5, 2.5)], moves.THIN_MM_S)

    def on_sinus(z: float, wall_mm: float) -> Array:
        return beside(sinus, (-8.0, 7.0, z), _TO_SINUS, wall_mm + BURR_RADIUS_MM)

    down = [[on_sinus(z, wall) for z in (2.0, -3.0, -9.0)] for wall in SINUS_WALLS_MM]
    moves.cut_along(site, hand, "sinus", [*down[0], *down[1][::-1]], moves.THIN_MM_S)
    along = [[beside(nerve, (-9.0, 6.5, z), _TO_NERVE, wall + BURR_RADIUS_MM) for z in (-5.0, -9.5)] for wall in NERVE_WALLS_MM]
    to_and_fro = [point for n, ends in enumerate(along) for point in (ends if n % 2 == 0 else ends[::-1])]
    moves.cut_along(site, hand, "facial nerve", to_and_fro, moves.FINE_MM_S)
    moves.claim(site, hand, roof(-10.7, 3.5, 0.05), roof(-10.7, 9.0, 0.05), -1.2 * _UP)
    moves.breach(site, hand, on_sinus(-3.0, SINUS_WALLS_MM[-1]), on_sinus(-3.0, BREACH_MM))
    moves.park(site, hand)


def _on_cortex(site: Site, y_mm: float, z_mm: float, bite_mm: float) -> Array:
    """Where the burr bites so deep into untouched cortex, from straight outside."""
    return beside(site.anatomy.bone, (20.0, y_mm, z_mm), _INWARDS, BURR_RADIUS_MM - bite_mm)
