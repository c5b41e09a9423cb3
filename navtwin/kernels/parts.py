"""The parts of a surface that no edge connects."""

from __future__ import annotations

import numpy as np

from navtwin.kernels.jit import kernel, query
from navtwin.kernels.tree import F64, I32


@query
def _area2(vertices: F64, faces: I32, f: int) -> float:
    """Four times the square of a face's area, mm^4."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
    vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    return float(x * x + y * y + z * z)


@kernel
def largest_faces(vertices: F64, faces: I32, mates: I32) -> I32:
    """The largest face of each part, in the order of their lowest faces. `mates` as in `Forest`."""
    is_seen, todo = np.zeros(faces.shape[0], np.bool_), np.empty(faces.shape[0], np.int32)
    largest, count = np.empty(faces.shape[0], np.int32), 0
    for first in range(faces.shape[0]):
        if is_seen[first]:
            continue
        is_seen[first], todo[0], top, widest = True, first, 1, -1.0
        while top > 0:
            top -= 1
            f = todo[top]
            area2 = _area2(vertices, faces, f)
            if area2 > widest:
                widest, largest[count] = area2, f
            for e in range(3):
                mate = mates[f, e]
                if mate >= 0 and not is_seen[mate]:
                    is_seen[mate], todo[top] = True, mate
                    top += 1
        count += 1
    return largest[:count].copy()
