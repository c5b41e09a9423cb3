"""Building the tree of one mesh.

Top-down by the surface-area heuristic on 16 bins (Wald 2007, "On fast construction of SAH-based bounding volume hierarchies", section 3). A wide
node comes of splitting its largest child again and again until it has eight (Wald, Benthin & Boulos 2008, "Getting rid of packets", section 3).
A leaf of eight triangles costs a query as much as a leaf of one, so what counts is leaves, not triangles.

Everything is done in one order on one thread: the same mesh gives the same tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.simd import F32, FAR, WIDTH, load, lower, splat, store, upper
from navtwin.kernels.tree import F64, I32, I64, LEAF, NODE, STACK_SIZE

BINS = 16
#: From this depth on, ranges are halved by count: 2^31 triangles then end above level 64, whatever their shape.
MEDIAN_DEPTH = 32
#: Ranges of so few are sorted and cut between whole leaves: this fills 92 % of the lanes, bins alone 81 %.
SORTED = 4 * WIDTH
#: Numbers of a span: a box as a record, then twice the lowest and twice the highest middle of the boxes in it, each in eight lanes.
SPAN = 3 * WIDTH
#: Extents below this are rounding, mm.
TINY = 1e-30


class Bench(NamedTuple):
    """What the builder works on.

    Attributes
    ----------
    records : (8 (2 F + 1),) float32, two places for each face. A record is the lowest x, y, z and the negated highest x, y, z of a box, and two
        idle numbers: the lower of two records is the box of both
    order : (2 F,) int32, the face of each record
    bins : (8 (BINS + 1),) float32, a record for each bin, and a spare one
    counts : (BINS,) int64
    costs : (BINS,) float64
    spans : (8 SPAN,) float32, of the children of the node being made
    members : (8, 3) int64, their first record, count and depth
    todo_spans : (SPAN * STACK_SIZE,) float32, of the nodes still to be made
    todo : (STACK_SIZE, 4) int64, their first record, count and depth, and where the node goes
    """

    records: F32
    order: I32
    bins: F32
    counts: I64
    costs: F64
    spans: F32
    members: I64
    todo_spans: F32
    todo: I64


def bench(count: int) -> Bench:
    """Room to build a tree over `count` faces."""
    return Bench(
        records=np.zeros(WIDTH * (2 * count + 1), np.float32),
        order=np.empty(2 * count, np.int32),
        bins=np.empty(WIDTH * (BINS + 1), np.float32),
        counts=np.empty(BINS, np.int64),
        costs=np.empty(BINS),
        spans=np.empty(SPAN * WIDTH, np.float32),
        members=np.empty((WIDTH, 3), np.int64),
        todo_spans=np.empty(SPAN * STACK_SIZE, np.float32),
        todo=np.empty((STACK_SIZE, 4), np.int64),
    )


@inlined
def round_out(x: float, way: float) -> float:
    """x moved by more than its float32 rounding, up (way 1) or down (-1)."""
    return x + way * (abs(x) * 1.2e-7 + TINY)


@query
def _fill(vertices: F64, faces: I32, centre: F64, first_face: int, count: int, work: Bench) -> None:
    """Write the records of faces first_face .. first_face + count - 1 to places 0 .. count - 1."""
    for k in range(count):
        f = first_face + k
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        for i in range(3):
            x, y, z = vertices[a, i] - centre[i], vertices[b, i] - centre[i], vertices[c, i] - centre[i]
            work.records[WIDTH * k + i] = round_out(min(x, y, z), -1.0)
            work.records[WIDTH * k + 3 + i] = -round_out(max(x, y, z), 1.0)
        work.order[k] = f


@inlined
def half_area(records: F32, at: int) -> float:
    x, y, z = np.float64(records[at]) + records[at + 3], np.float64(records[at + 1]) + records[at + 4], np.float64(records[at + 2]) + records[at + 5]
    return float(x * y + y * z + z * x)


@inlined
def _leaves(count: int) -> int:
    return (count + WIDTH - 1) >> 3


@inlined
def _middle(records: F32, k: int, axis: int) -> float:
    """Twice the middle of a record's box."""
    return float(records[WIDTH * k + axis] - records[WIDTH * k + axis + 3])


@inlined
def _bin(records: F32, k: int, axis: int, low: float, scale: float) -> int:
    return min(int((_middle(records, k, axis) - low) * scale), BINS - 1)


@query
def _measure(records: F32, first: int, count: int, spans: F32, at: int) -> None:
    """Write the span of a range."""
    box, low, high = splat(FAR), splat(FAR), splat(-FAR)
    for k in range(first, first + count):
        record = load(records, WIDTH * k)
        middle = record - load(records, WIDTH * k + 3)
        box, low, high = lower(box, record), lower(low, middle), upper(high, middle)
    store(spans, at, box)
    store(spans, at + WIDTH, low)
    store(spans, at + 2 * WIDTH, high)


@query
def _put(work: Bench, b: int, k: int) -> None:
    """Add record k to bin b."""
    work.counts[b] += 1
    store(work.bins, WIDTH * b, lower(load(work.bins, WIDTH * b), load(work.records, WIDTH * k)))


@query
def _empty_bins(work: Bench) -> None:
    for b in range(BINS):
        store(work.bins, WIDTH * b, splat(FAR))
        work.counts[b] = 0


@query
def _cheapest_cut(work: Bench, count: int) -> int:
    """The bin after which it costs least to cut the `count` records in the bins: area x leaves on both sides."""
    bins, spare = work.bins, WIDTH * BINS
    side, n = splat(FAR), 0
    for b in range(BINS - 1, 0, -1):
        side = lower(side, load(bins, WIDTH * b))
        store(bins, spare, side)
        n += work.counts[b]
        work.costs[b] = _leaves(n) * half_area(bins, spare)
    side, n = splat(FAR), 0
    best, cut = np.inf, 0
    for b in range(BINS - 1):
        side = lower(side, load(bins, WIDTH * b))
        store(bins, spare, side)
        n += work.counts[b]
        if 0 < n < count:
            cost = _leaves(n) * half_area(bins, spare) + work.costs[b + 1]
            if cost < best:
                best, cut = cost, b
    return cut


@query
def _part(work: Bench, first: int, count: int, target: int, axis: int, low: float, scale: float, cut: int) -> int:
    """Copy a range to `target`, what lies in bins up to `cut` from the front and the rest from the back; return how many the former are.

    Which way a record goes is as good as random, so nothing branches on it.
    """
    left, right = target, target + count - 1
    for k in range(first, first + count):
        is_left = int(_bin(work.records, k, axis, low, scale) <= cut)
        at = right + is_left * (left - right)
        store(work.records, WIDTH * at, load(work.records, WIDTH * k))
        work.order[at] = work.order[k]
        left += is_left
        right -= 1 - is_left
    return left - target


@query
def _sort(records: F32, order: I32, first: int, count: int, axis: int) -> None:
    """Sort a range by the middles of its boxes (Shell's sort, steps of Gonnet & Baeza-Yates 1991)."""
    step = count
    while step > 1:
        step = max(5 * step // 11, 1)
        for k in range(first + step, first + count):
            record, face, middle, at = load(records, WIDTH * k), order[k], _middle(records, k, axis), k
            while at - step >= first and _middle(records, at - step, axis) > middle:
                store(records, WIDTH * at, load(records, WIDTH * (at - step)))
                order[at] = order[at - step]
                at -= step
            store(records, WIDTH * at, record)
            order[at] = face


@inlined
def _widest(spans: F32, at: int) -> tuple[int, float]:
    """The axis along which the middles of a span reach widest, and twice how wide."""
    axis, width = 0, 0.0
    for i in range(3):
        extent = float(spans[at + 2 * WIDTH + i]) - float(spans[at + WIDTH + i])
        if extent > width:
            axis, width = i, extent
    return axis, width


@query
def _split(work: Bench, first: int, count: int, depth: int, spans: F32, at: int) -> tuple[int, int]:
    """Reorder a range into two parts: where it is now, and the size of the first."""
    axis, width = _widest(spans, at)
    is_hopeless = width < TINY or depth >= MEDIAN_DEPTH
    if is_hopeless or count <= SORTED:
        _sort(work.records, work.order, first, count, axis)
        if is_hopeless:
            return first, WIDTH * _leaves(count >> 1)
        _empty_bins(work)
        for k in range(count):
            _put(work, k >> 3, first + k)
        return first, WIDTH * (_cheapest_cut(work, count) + 1)
    low, scale = float(spans[at + WIDTH + axis]), BINS / width
    _empty_bins(work)
    for k in range(first, first + count):
        _put(work, _bin(work.records, k, axis, low, scale), k)
    cut = _cheapest_cut(work, count)
    places = work.order.shape[0] >> 1
    target = first + places if first < places else first - places
    return target, _part(work, first, count, target, axis, low, scale, cut)


@inlined
def _copy_span(source: F32, i: int, target: F32, j: int) -> None:
    for row in range(3):
        store(target, SPAN * j + WIDTH * row, load(source, SPAN * i + WIDTH * row))


@query
def _open(work: Bench) -> int:
    """Split the first member, then always the largest that is no leaf, until there are eight; return how many there are."""
    members, spans = work.members, work.spans
    n = 1
    while n < WIDTH:
        widest, at = -1.0, -1
        for k in range(n):
            if members[k, 1] > WIDTH:
                area = half_area(spans, SPAN * k)
                if area > widest:
                    widest, at = area, k
        if at < 0:
            break
        count, depth = members[at, 1], members[at, 2] + 1
        first, left = _split(work, members[at, 0], count, depth, spans, SPAN * at)
        members[at, 0], members[at, 1], members[at, 2] = first, left, depth
        members[n, 0], members[n, 1], members[n, 2] = first + left, count - left, depth
        _measure(work.records, first, left, spans, SPAN * at)
        _measure(work.records, first + left, count - left, spans, SPAN * n)
        n += 1
    return n


@query
def grow(work: Bench, count: int, first_node: int, first_leaf: int, boxes: F32, children: I32, leaf_faces: I32) -> tuple[int, int]:
    """Build the tree over the first `count` records: nodes from first_node and leaves from first_leaf on. Return where both end."""
    members, spans, todo = work.members, work.spans, work.todo
    todo[0, 0], todo[0, 1], todo[0, 2], todo[0, 3] = 0, count, 0, first_node
    _measure(work.records, plain(0), count, work.todo_spans, plain(0))
    top, node, leaf = 1, first_node + 1, first_leaf
    while top > 0:
        top -= 1
        for i in range(3):
            members[0, i] = todo[top, i]
        wide = todo[top, 3]
        _copy_span(work.todo_spans, top, spans, plain(0))
        n = _open(work)
        for row in range(6):
            store(boxes, NODE * wide + WIDTH * row, splat(FAR))
        for k in range(WIDTH):
            if k >= n:
                children[WIDTH * wide + k] = 0
                continue
            for i in range(3):
                boxes[NODE * wide + WIDTH * i + k] = spans[SPAN * k + i]
                boxes[NODE * wide + WIDTH * (i + 3) + k] = -spans[SPAN * k + i + 3]
            if members[k, 1] > WIDTH:
                children[WIDTH * wide + k] = node
                for i in range(3):
                    todo[top, i] = members[k, i]
                todo[top, 3] = node
                _copy_span(spans, k, work.todo_spans, top)
                top += 1
                node += 1
                continue
            children[WIDTH * wide + k] = ~leaf
            for i in range(WIDTH):
                leaf_faces[WIDTH * leaf + i] = work.order[members[k, 0] + i] if i < members[k, 1] else -1
            leaf += 1
    return node, leaf


@query
def write_leaf(vertices: F64, faces: I32, centre: F64, leaf_faces: I32, leaf: int, corners: F32) -> None:
    """Write the corners of a leaf's triangles side by side."""
    at = LEAF * leaf
    for k in range(WIDTH):
        f = leaf_faces[WIDTH * leaf + k]
        for i in range(3):
            a = vertices[faces[f, 0], i] if f >= 0 else 0.0
            corners[at + i * WIDTH + k] = a - centre[i] if f >= 0 else FAR
            corners[at + (3 + i) * WIDTH + k] = vertices[faces[f, 1], i] - a if f >= 0 else 0.0
            corners[at + (6 + i) * WIDTH + k] = vertices[faces[f, 2], i] - a if f >= 0 else 0.0


@query
def write_leaves(vertices: F64, faces: I32, centre: F64, leaf_faces: I32, first: int, past: int, corners: F32) -> None:
    """Write the corners of the leaves first .. past - 1."""
    for leaf in range(first, past):
        write_leaf(vertices, faces, centre, leaf_faces, leaf, corners)


def build_tree(vertices: F64, faces: I32, centre: F64) -> tuple[F32, I32, F32, I32]:
    """Build the tree of one mesh.

    Parameters
    ----------
    vertices : (V, 3) float64, finite
    faces : (F, 3) int32, F >= 1
    centre : (3,) float64, what the float32 numbers are relative to

    Returns
    -------
    boxes, children, leaf_corners, leaf_faces : as in `Forest`; node 0 is the root
    """
    count, work = len(faces), bench(len(faces))
    # Room for the worst case, which the operating system hands out only where it is written to.
    boxes, children, leaf_faces = np.empty(NODE * count, np.float32), np.empty(WIDTH * count, np.int32), np.empty(WIDTH * count, np.int32)
    _fill(vertices, faces, centre, 0, count, work)
    nodes, leaves = grow(work, count, 0, 0, boxes, children, leaf_faces)
    leaf_corners = np.empty(LEAF * leaves, np.float32)
    write_leaves(vertices, faces, centre, leaf_faces, 0, leaves, leaf_corners)
    return boxes[: NODE * nodes].copy(), children[: WIDTH * nodes].copy(), leaf_corners, leaf_faces[: WIDTH * leaves].copy()
