"""How the pointer was held while it touched: how far its handle leaned to either side of upright, and how far it was turned about its own axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from navtwin.assess.artefact import Array, Artefact
from navtwin.assess.f2554 import placed
from navtwin.assess.taken import Taken


@dataclass(frozen=True)
class Posture:
    """Angles in deg, in the artefact's axes: lean of the handle towards +x and +y, and turn about the tool's axis since the first upright touch."""

    east_deg: float
    north_deg: float
    own_deg: float


def posture_of(artefact: Artefact, taken: Taken, here: Sequence[Taken]) -> Posture | None:
    """How the pointer was held in a touch, by the others at the same place; None while it is not known how the artefact stands.

    Leans are those of the handle's projections onto the planes x-z and y-z. The turn is the twist of swing and twist about the tip's z axis, against
    the first upright touch of the place.
    """
    upright = [t for t in here if t.touch.test == "point"]
    if len(upright) < 3:
        return None
    names = tuple(t.touch.point for t in upright)
    T_artefact_from_ref = placed(artefact.positions_mm(names), [t.position_ref_mm for t in upright]).inverse()
    turn = np.array(T_artefact_from_ref.rotation)
    # The tip's z leaves the tip, so the handle points against it.
    x, y, z = -(turn @ _rotation(taken))[:, 2]
    since = _rotation(upright[0]).T @ _rotation(taken)
    return Posture(float(np.degrees(np.arctan2(x, z))), float(np.degrees(np.arctan2(y, z))), float(np.degrees(_twist(since))))


def _rotation(taken: Taken) -> Array:
    return np.array(taken.T_ref_from_tip.rigid(target="ref", source="tip").rotation)


def _twist(rotation: Array) -> float:
    """Turn about z in the decomposition of a rotation into a turn about z and then a swing about an axis square to it, rad.

    With q = (w, x, y, z) of the rotation it is 2 atan2(z, w); z and w follow from the matrix up to a common factor: z : w = (R21 - R12) : (1 + tr R).
    """
    return float(2.0 * np.arctan2(rotation[1, 0] - rotation[0, 1], 1.0 + np.trace(rotation)))
