"""What the surface of a brick is laid on: scratch memory, and what comes out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, HALO, I8, U8
from navtwin.kernels.tree import F64, I32, I64

#: Cubes along each edge: those around all edges of the grid that start in the brick.
CUBES = BRICK + 1
MOST_QUADS = 3 * BRICK**3
MOST_VERTICES = 4 * CUBES**3 + MOST_QUADS
#: Blocks of 2 x 2 x 2 points.
BLOCKS = (BRICK // 2) ** 3


class Bench(NamedTuple):
    """What a surface is laid on.

    Attributes
    ----------
    halo : (18, 18, 18) int8, the brick's points and one more on each side
    rows : (324,) int64, of each of its rows along x the points that are inside
    cases : (4913,) uint8, of each cube that surface passes
    firsts : (4913,) int32, and its first vertex
    places : (M, 3) float64, where a vertex stands in its cube, 0 to 1
    numbers : (M,) int32, of a vertex that a triangle has: its place in `vertices`
    vertices : (M, 3) float64, out; mm
    triangles : (2 M', 3) int32, out; rows of `vertices`, counter-clockwise seen from outside
    quads : (2, Q) int32, edges of the grid that are crossed; in order of rows, then in the order of triangles
    starts : (513,) int32, where each 2 x 2 x 2 points' quads start
    corners : (4, 3) float64, of one quad, in sides from the brick's point 0
    ring : (5,) int32, its vertices, and that of its fan
    """

    halo: I8
    rows: I64
    cases: U8
    firsts: I32
    places: F64
    numbers: I32
    vertices: F64
    triangles: I32
    quads: I32
    starts: I32
    corners: F64
    ring: I32


def bench() -> Bench:
    """Room to lay the surface of any brick."""
    return Bench(
        halo=np.zeros((HALO, HALO, HALO), np.int8),
        rows=np.zeros(HALO * HALO, np.int64),
        cases=np.zeros(CUBES**3, np.uint8),
        firsts=np.zeros(CUBES**3, np.int32),
        places=np.zeros((MOST_VERTICES, 3)),
        numbers=np.zeros(MOST_VERTICES, np.int32),
        vertices=np.zeros((MOST_VERTICES, 3)),
        triangles=np.zeros((4 * MOST_QUADS, 3), np.int32),
        quads=np.zeros((2, MOST_QUADS), np.int32),
        starts=np.zeros(BLOCKS + 1, np.int32),
        corners=np.zeros((4, 3)),
        ring=np.zeros(5, np.int32),
    )
