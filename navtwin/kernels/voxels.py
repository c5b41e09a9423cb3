"""How far a surface strays from the boundary between the voxels inside and outside a label; everything in voxel indices (i, j, k).

Exact for distances below 1: the nearest boundary point of a point in an inside voxel is the nearest point of any outside voxel's cube
among its 26 neighbours, and the other way round.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import kernel

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

#: Farther than the 26 neighbours can tell.
FAR = 9.0
#: Faces are sampled on a triangular lattice of this many steps along each edge.
LATTICE = 7


@kernel
def point_distance(i: float, j: float, k: float, inside: U8) -> float:
    """Distance from one point to the boundary, FAR where no neighbouring voxel differs. `inside` [k, j, i] reaches 2 voxels round the point."""
    ci, cj, ck = int(np.floor(i + 0.5)), int(np.floor(j + 0.5)), int(np.floor(k + 0.5))
    own = inside[ck, cj, ci]
    best = FAR * FAR
    for dk in range(-1, 2):
        gk = max(abs(k - (ck + dk)) - 0.5, 0.0)
        for dj in range(-1, 2):
            gj = max(abs(j - (cj + dj)) - 0.5, 0.0)
            for di in range(-1, 2):
                if inside[ck + dk, cj + dj, ci + di] != own:
                    gi = max(abs(i - (ci + di)) - 0.5, 0.0)
                    best = min(best, gi * gi + gj * gj + gk * gk)
    return float(np.sqrt(best))


@kernel
def face_distances(vertices: F64, faces: I32, inside: U8, worst: F64) -> None:
    """Fill worst (F,) with the largest distance to the boundary over a lattice of points on each face, corners and edges included."""
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        most = 0.0
        for m in range(LATTICE + 1):
            for n in range(LATTICE + 1 - m):
                u, v = m / LATTICE, n / LATTICE
                w = 1.0 - u - v
                i = u * vertices[a, 0] + v * vertices[b, 0] + w * vertices[c, 0]
                j = u * vertices[a, 1] + v * vertices[b, 1] + w * vertices[c, 1]
                k = u * vertices[a, 2] + v * vertices[b, 2] + w * vertices[c, 2]
                most = max(most, point_distance(i, j, k, inside))
        worst[f] = most
