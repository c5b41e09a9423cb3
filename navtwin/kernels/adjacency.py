"""Which faces share an edge: by their vertices' numbers, or by their places."""

from __future__ import annotations

import numpy as np

from navtwin.kernels.jit import inlined, kernel
from navtwin.kernels.tree import F64, I32, I64


@inlined
def _ends(faces: I32, half: int) -> tuple[int, int]:
    """Where the half-edge 4 face + edge starts and ends."""
    f, e = half >> 2, half & 3
    return faces[f, e], faces[f, e + 1 if e < 2 else 0]


@kernel
def _halves_by_edge(faces: I32, vertex_count: int) -> I32:
    """The half-edges (4 face + edge), in order of their lower, then their higher vertex.

    Two counting sorts, the second stable: no hub and no pile of duplicates makes it slow.
    """
    after_low, after_high = np.zeros(vertex_count + 1, np.int32), np.zeros(vertex_count + 1, np.int32)
    for f in range(faces.shape[0]):
        for e in range(3):
            u, v = _ends(faces, 4 * f + e)
            after_low[min(u, v) + 1] += 1
            after_high[max(u, v) + 1] += 1
    for v in range(vertex_count):
        after_low[v + 1] += after_low[v]
        after_high[v + 1] += after_high[v]
    by_high, by_low = np.empty(3 * faces.shape[0], np.int32), np.empty(3 * faces.shape[0], np.int32)
    for f in range(faces.shape[0]):
        for e in range(3):
            u, v = _ends(faces, 4 * f + e)
            by_high[after_high[max(u, v)]] = 4 * f + e
            after_high[max(u, v)] += 1
    for half in by_high:
        u, v = _ends(faces, half)
        by_low[after_low[min(u, v)]] = half
        after_low[min(u, v)] += 1
    return by_low


@kernel
def edge_mates(faces: I32, vertex_count: int) -> tuple[I32, int]:
    """The face across each edge, where exactly two faces share it and run along it in opposite directions.

    Parameters
    ----------
    faces : (F, 3) int32, F < 2^29
    vertex_count : every index in `faces` is below it

    Returns
    -------
    mates : (F, 3) int32, across the edges 01, 12, 20; -1 where the edge is open, shared by more than two, or run along twice the same way
    open_edges : number of -1 in `mates`; 0 says that the surface is a closed, consistently wound manifold
    """
    mates = np.empty_like(faces)
    for f in range(faces.shape[0]):
        mates[f, 0], mates[f, 1], mates[f, 2] = -1, -1, -1
    halves = _halves_by_edge(faces, vertex_count)
    open_edges, k = len(halves), 0
    while k < len(halves):
        u, v = _ends(faces, halves[k])
        past, opposite = k + 1, 0
        while past < len(halves):
            p, q = _ends(faces, halves[past])
            if min(p, q) != min(u, v) or max(p, q) != max(u, v):
                break
            opposite += p == v and u != v
            past += 1
        f, other = halves[k] >> 2, halves[past - 1] >> 2
        if past == k + 2 and opposite == 1 and f != other:
            mates[f, halves[k] & 3], mates[other, halves[k + 1] & 3] = other, f
            open_edges -= 2
        k = past
    return mates, open_edges


@kernel
def _first_in_place(bits: I64) -> I32:
    """The first row that is equal to each row of (V, 3) bits, by a hash table with open addressing."""
    size = 16
    while size < 2 * bits.shape[0]:
        size *= 2
    table, first = np.full(size, -1, np.int32), np.empty(bits.shape[0], np.int32)
    for v in range(bits.shape[0]):
        mixed = 0
        for i in range(3):
            mixed = (mixed ^ bits[v, i]) * 0x9E3779B97F4A7C1
            mixed ^= mixed >> 29
        at = mixed & (size - 1)
        while table[at] >= 0:
            w = table[at]
            if bits[w, 0] == bits[v, 0] and bits[w, 1] == bits[v, 1] and bits[w, 2] == bits[v, 2]:
                break
            at = (at + 1) & (size - 1)
        if table[at] < 0:
            table[at] = v
        first[v] = table[at]
    return first


def welded(vertices: F64, faces: I32) -> I32:
    """The faces with every vertex named by the first one that stands in exactly the same place."""
    same_zeros = vertices + 0.0  # -0 becomes 0
    return _first_in_place(same_zeros.view(np.int64))[faces]


@kernel
def border_edges(faces: I32, vertex_count: int) -> int:
    """Number of edges along which not as many faces run one way as the other; 0 says that faces, however many to an edge, enclose solids."""
    halves = _halves_by_edge(faces, vertex_count)
    edges, k = 0, 0
    while k < len(halves):
        u, v = _ends(faces, halves[k])
        balance = 0
        while k < len(halves):
            p, q = _ends(faces, halves[k])
            if min(p, q) != min(u, v) or max(p, q) != max(u, v):
                break
            balance += 1 if p == u else -1
            k += 1
        edges += balance != 0 and u != v
    return edges
