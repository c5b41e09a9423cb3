"""The 256 ways in which surface can pass through a cube of eight points: which of its edges each sheet crosses.

Corner c stands at x = c & 1, y = c >> 1 & 1, z = c >> 2; bit c of a case says that it is inside. Edge 4 axis + a + 2 b runs along an axis (x, y, z =
0, 1, 2) at the places a and b on the two axes that follow it in the cycle x y z.

A sheet is a cycle of crossed edges, joined across the faces of the cube (Nielson 2004, "Dual marching cubes"). A face whose inside corners stand on
one of its diagonals is ambiguous: there they are kept apart. Both cubes at a face do the same, so sheets fit together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

I8 = npt.NDArray[np.int8]
EDGES = 12


def edge_ends(edge: int) -> tuple[int, int]:
    """The corners of an edge, the lower first."""
    axis, a, b = edge >> 2, edge & 1, edge >> 1 & 1
    low = a << (axis + 1) % 3 | b << (axis + 2) % 3
    return low, low | 1 << axis


def _faces() -> list[list[int]]:
    """The four edges of each of the six faces."""
    return [[e for e in range(EDGES) if all(c >> axis & 1 == side for c in edge_ends(e))] for axis in range(3) for side in (0, 1)]


def _sheets_of(case: int, faces: list[list[int]]) -> list[int]:
    """Of each edge the sheet that crosses it, or -1; sheets are numbered in the order of their lowest edges."""
    inside = [case >> c & 1 for c in range(8)]
    group = [e if inside[edge_ends(e)[0]] != inside[edge_ends(e)[1]] else -1 for e in range(EDGES)]

    def join(one: int, other: int) -> None:
        group[:] = [min(group[one], group[other]) if g in (group[one], group[other]) else g for g in group]

    for face in faces:
        crossed = [e for e in face if group[e] >= 0]
        if len(crossed) == 2:
            join(*crossed)
        for corner in range(8) if len(crossed) == 4 else ():
            around = [e for e in crossed if inside[corner] and corner in edge_ends(e)]
            if around:
                join(*around)
    numbers = sorted({g for g in group if g >= 0})
    return [numbers.index(g) if g >= 0 else -1 for g in group]


#: (256, 12), the sheet that crosses each edge, or -1.
SHEETS: I8 = np.array([_sheets_of(case, _faces()) for case in range(256)], np.int8)
#: (256,), how many there are.
SHEET_COUNTS: I8 = (SHEETS.max(axis=1) + 1).astype(np.int8)
