"""Closest pair of two surfaces, or that one solid holds part of the other.

Surfaces that are apart may still intersect as solids: where one lies wholly inside the other. That is told by one vertex of each connected part.
"""

from __future__ import annotations

import numpy as np

from navtwin.kernels.jit import plain, query
from navtwin.kernels.mesh_mesh import PairHit, closest_surfaces
from navtwin.kernels.point import is_askable, may_be_inside, signed_nearest
from navtwin.kernels.tree import F64, Forest, Workspace


@query
def _holds(forest: Forest, x: float, y: float, z: float, work: Workspace) -> bool:
    return is_askable(x, y, z) and may_be_inside(forest, 0, x, y, z) and signed_nearest(forest, 0, x, y, z, plain(-1), work)[0] < 0.0


@query
def _one_holds_the_other(forest: Forest, parts: F64, other: Forest, other_parts: F64, T: F64, work: Workspace) -> bool:
    for k in range(other_parts.shape[0]):
        x, y, z = other_parts[k, 0], other_parts[k, 1], other_parts[k, 2]
        mx = T[0, 0] * x + T[0, 1] * y + T[0, 2] * z + T[0, 3]
        my = T[1, 0] * x + T[1, 1] * y + T[1, 2] * z + T[1, 3]
        mz = T[2, 0] * x + T[2, 1] * y + T[2, 2] * z + T[2, 3]
        if _holds(forest, mx, my, mz, work):
            return True
    for k in range(parts.shape[0]):
        x, y, z = parts[k, 0] - T[0, 3], parts[k, 1] - T[1, 3], parts[k, 2] - T[2, 3]
        bx = T[0, 0] * x + T[1, 0] * y + T[2, 0] * z
        by = T[0, 1] * x + T[1, 1] * y + T[2, 1] * z
        bz = T[0, 2] * x + T[1, 2] * y + T[2, 2] * z
        if _holds(other, bx, by, bz, work):
            return True
    return False


@query
def closest_solids(
    forest: Forest, parts: F64, other: Forest, other_parts: F64, T_self_from_other: F64, hint: int, other_hint: int, within: float, work: Workspace
) -> PairHit:
    """Closest pair of the first structures of two forests, as `closest_surfaces`; distance 0 and no faces where one solid holds part of the other.

    Parameters
    ----------
    parts, other_parts : (P, 3), (Q, 3) float64, mm: one vertex of each connected part, each in its own surface's axes
    T_self_from_other, hint, other_hint, within, work : as for `closest_surfaces`; that one holds the other is never capped
    """
    hit = closest_surfaces(forest, 0, other, 0, T_self_from_other, hint, other_hint, within, work)
    if (hit.distance > 0.0 or hit.farther) and _one_holds_the_other(forest, parts, other, other_parts, T_self_from_other, work):
        nowhere = (np.nan, np.nan, np.nan)
        return PairHit(0.0, -1, -1, nowhere, nowhere, False)
    return hit
