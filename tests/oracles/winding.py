"""How many times a surface winds round a point: inside or outside without asking for a nearest face, and so without a normal.

The solid angle of a triangle is Van Oosterom & Strackee (IEEE Trans. Biomed. Eng. 30:125, 1983); its sum over a surface, in turns, is the generalised
winding number of Jacobson, Kavan & Sorkine-Hornung (ACM Trans. Graph. 32:33, 2013). No tree, no far-field approximation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

#: Points times triangles looked at in one go: what fits in the cache.
BLOCK = 1 << 15


def solid_angle(p: Sequence[float], a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float:
    """Of one triangle seen from p, steradians: positive where p is behind it (the side that its normal points away from)."""
    u, v, w = ([x - y for x, y in zip(q, p, strict=True)] for q in (a, b, c))

    def dot(s: Sequence[float], t: Sequence[float]) -> float:
        return math.fsum(x * y for x, y in zip(s, t, strict=True))

    det = dot(u, (v[1] * w[2] - v[2] * w[1], v[2] * w[0] - v[0] * w[2], v[0] * w[1] - v[1] * w[0]))
    lu, lv, lw = math.hypot(*u), math.hypot(*v), math.hypot(*w)
    return 2.0 * math.atan2(det, lu * lv * lw + dot(u, v) * lw + dot(v, w) * lu + dot(w, u) * lv)


def _block(points: F64, triangles: F64) -> F64:
    """(N, F) solid angles: `solid_angle` for all at once."""
    (ux, uy, uz), (vx, vy, vz), (wx, wy, wz) = ([triangles[None, :, k, i] - points[:, i, None] for i in range(3)] for k in range(3))
    lu, lv, lw = (np.sqrt(x * x + y * y + z * z) for x, y, z in ((ux, uy, uz), (vx, vy, vz), (wx, wy, wz)))
    det = ux * (vy * wz - vz * wy) + uy * (vz * wx - vx * wz) + uz * (vx * wy - vy * wx)
    below = lu * lv * lw + (ux * vx + uy * vy + uz * vz) * lw + (vx * wx + vy * wy + vz * wz) * lu + (wx * ux + wy * uy + wz * uz) * lv
    return np.asarray(2.0 * np.arctan2(det, below))


def winding_number(points: F64, vertices: F64, faces: I32) -> F64:
    """(N,) turns of the surface round each point: 1 inside and 0 outside a solid; -1 inside an inverted one; 2 inside both of two nested ones."""
    triangles, step = vertices[faces], max(1, BLOCK // len(faces))
    rows = [_block(points[k : k + step], triangles).sum(axis=1) for k in range(0, len(points), step)]
    return np.concatenate([np.zeros(0), *rows]) / (4.0 * np.pi)
