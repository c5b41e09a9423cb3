"""Slabs: how thick a piece of surface is across its mean normal, for every child of every node of a tree.

A box around a piece of surface that is not parallel to the axes is mostly empty. Its slab, the two planes across the mean normal between which the
piece lies, is thin (Kay & Kajiya 1986, "Ray tracing complex scenes", section 3; here with a direction for each piece). Two surfaces that face each
other at some distance are told apart by slabs where boxes need ten times as many pairs.
"""

from __future__ import annotations

import math

import numpy as np

from navtwin.kernels.jit import inlined, kernel, query
from navtwin.kernels.rough import Vector, dot, minus, plus, times, vector, vectors
from navtwin.kernels.simd import F32, FAR, WIDTH, Lanes, choose, load, lower, lowest, splat, store, upper
from navtwin.kernels.tree import I32, LEAF, NODE, SLAB

#: Coordinates beyond this are those of an empty lane.
EMPTY = 0.5 * FAR
#: Rounding of a coordinate along a normal, as a share of the largest coordinate.
ROUNDING = 2.0**-20

#: Normal, low, high.
Slab = tuple[float, float, float, float, float]


@inlined
def absolute(a: Lanes) -> Lanes:
    """Without the signs."""
    return upper(a, splat(0.0) - a)


@inlined
def reach_along(n: Vector, normal: Vector, low: Lanes, high: Lanes, half: Vector) -> tuple[Lanes, Lanes]:
    """Between which coordinates along n, from its middle, a piece lies that is in a slab (of this normal, from low to high) and in a box.

    Along n = c normal + rest, it reaches no farther than the slab c times and the box along the rest.
    """
    c = dot(n, normal)
    rest = minus(n, times(c, normal))
    wide = absolute(rest[0]) * half[0] + absolute(rest[1]) * half[1] + absolute(rest[2]) * half[2]
    return lower(c * low, c * high) - wide, upper(c * low, c * high) + wide


@inlined
def slab_distances2(slabs: F32, at: int, q: Vector) -> Lanes:
    """Squared distances of a point to a node's eight slabs, 0 inside."""
    along = dot(vectors(slabs, at), q)
    gap = upper(upper(load(slabs, at + 3 * WIDTH) - along, along - load(slabs, at + 4 * WIDTH)), splat(0.0))
    return gap * gap


@inlined
def _sum(a: Lanes, scratch: F32) -> float:
    store(scratch, 0, a)
    total = 0.0
    for k in range(WIDTH):
        total += scratch[k]
    return total


@inlined
def _mean_normal(normals: Vector, scratch: F32) -> tuple[float, float, float]:
    """Of eight normals, unit; along x where they cancel."""
    x, y, z = _sum(normals[0], scratch), _sum(normals[1], scratch), _sum(normals[2], scratch)
    length = math.sqrt(x * x + y * y + z * z)
    if not length > 1e-30:
        return 1.0, 0.0, 0.0
    return x / length, y / length, z / length


@inlined
def _where(x: Lanes, v: Vector) -> Vector:
    """0 in the empty lanes, which x tells."""
    limit, zero = splat(EMPTY), splat(0.0)
    return choose(x, limit, v[0], zero), choose(x, limit, v[1], zero), choose(x, limit, v[2], zero)


@inlined
def _sizes(a: Vector, u: Vector, v: Vector) -> Vector:
    """What no coordinate of the triangles a, a + u, a + v exceeds."""
    x, y, z = absolute(u[0]) + absolute(v[0]), absolute(u[1]) + absolute(v[1]), absolute(u[2]) + absolute(v[2])
    return absolute(a[0]) + x, absolute(a[1]) + y, absolute(a[2]) + z


@inlined
def _padded(low: Lanes, high: Lanes, sizes: Vector) -> tuple[float, float]:
    """The lowest and the highest, moved outwards by rounding."""
    zero = splat(0.0)
    largest = -lowest(zero - upper(upper(sizes[0], sizes[1]), sizes[2]))
    return lowest(low) - ROUNDING * largest, ROUNDING * largest - lowest(zero - high)


@query
def _of_leaf(corners: F32, at: int, scratch: F32) -> Slab:
    a, u, v = vectors(corners, at), vectors(corners, at + 3 * WIDTH), vectors(corners, at + 6 * WIDTH)
    areas = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    nx, ny, nz = _mean_normal(areas, scratch)
    n, zero, limit, none = vector(nx, ny, nz), splat(0.0), splat(EMPTY), splat(FAR)
    along, nu, nv = dot(n, a), dot(n, u), dot(n, v)
    low, high = along + lower(lower(nu, nv), zero), along + upper(upper(nu, nv), zero)
    sizes = _where(a[0], _sizes(a, u, v))
    start, end = _padded(choose(a[0], limit, low, none), choose(a[0], limit, high, zero - none), sizes)
    return nx, ny, nz, start, end


@query
def _of_node(boxes: F32, at: int, slabs: F32, slab_at: int, scratch: F32) -> Slab:
    low, high = vectors(boxes, at), vectors(boxes, at + 3 * WIDTH)
    half, limit, zero, none = splat(0.5), splat(EMPTY), splat(0.0), splat(FAR)
    middle, size = times(half, plus(low, high)), times(half, minus(high, low))
    normals = vectors(slabs, slab_at)
    nx, ny, nz = _mean_normal(times(dot(size, size), normals), scratch)
    n, offset = vector(nx, ny, nz), dot(normals, middle)
    along = dot(n, middle)
    start, end = reach_along(n, normals, load(slabs, slab_at + 3 * WIDTH) - offset, load(slabs, slab_at + 4 * WIDTH) - offset, size)
    sizes = _where(low[0], (absolute(middle[0]) + size[0], absolute(middle[1]) + size[1], absolute(middle[2]) + size[2]))
    first, last = _padded(choose(low[0], limit, along + start, none), choose(low[0], limit, along + end, zero - none), sizes)
    return nx, ny, nz, first, last


@query
def write_slab(boxes: F32, children: I32, leaf_corners: F32, lane: int, slabs: F32, scratch: F32) -> None:
    """Write the slab of the child in a lane (8 node + child); those of the child's own children must have been written before.

    Parameters
    ----------
    boxes, children, leaf_corners : as in `Forest`
    slabs : (40 N,) float32, in and out
    scratch : (8,) float32
    """
    child = children[lane]
    slab = _of_leaf(leaf_corners, LEAF * ~child, scratch) if child < 0 else _of_node(boxes, NODE * child, slabs, SLAB * child, scratch)
    for i in range(5):
        slabs[SLAB * (lane // WIDTH) + WIDTH * i + lane % WIDTH] = slab[i]


@query
def write_slabs(boxes: F32, children: I32, leaf_corners: F32, node: int, slabs: F32, scratch: F32) -> None:
    """Write the slabs of one node's children: see `write_slab`."""
    for k in range(WIDTH):
        if boxes[NODE * node + k] <= EMPTY:
            write_slab(boxes, children, leaf_corners, WIDTH * node + k, slabs, scratch)


@kernel
def slabs_of(boxes: F32, children: I32, leaf_corners: F32) -> F32:
    """The slabs of all nodes.

    Parameters
    ----------
    boxes, children, leaf_corners : as in `Forest`: a node stands before its children

    Returns
    -------
    slabs : (40 N,) float32, of each node its eight children's normal x, y, z, low and high, relative to the centre; 0 in an empty lane
    """
    nodes = len(children) // WIDTH
    slabs, scratch = np.zeros(SLAB * nodes, np.float32), np.zeros(WIDTH, np.float32)
    for node in range(nodes - 1, -1, -1):
        write_slabs(boxes, children, leaf_corners, node, slabs, scratch)
    return slabs
