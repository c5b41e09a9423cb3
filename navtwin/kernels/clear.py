"""Whether a moving axis surely keeps its distance: most ways do, and it takes a fraction of what their least clearance takes to find.

The walk is that of `navtwin.kernels.sweep`, but what is halved is the axis together with the time: over a quarter so made, the hull of an axis that
turns is a quarter as thick as before, and all but the quarters nearest to the surface are done with at once.
"""

from __future__ import annotations

import math

from navtwin.kernels.hull import Hull, box_gaps, hull_between, is_coarse, leaf_gaps, sweep_allowance
from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.point import push_children
from navtwin.kernels.screw import Screw, on_the_way
from navtwin.kernels.simd import WIDTH, at_most, lowest, splat
from navtwin.kernels.tree import F64, LEAF, NODE, STACK_SIZE, Forest, Workspace
from navtwin.kernels.triangle import Point

#: Pairs of a node and a quarter that are looked at before it counts as uncertain.
MOST_PAIRS = 1000
#: Time and axis are halved no more often than this, and numbered from 0 to 2^FINEST - 1.
FINEST = 8
#: A hull is halved before a node is opened unless it is so many times thinner than what the node holds: what is nearest is met again in each quarter.
THIN = 16.0
#: Looks at a triangle and the hull in turn.
ROUNDS = 3


@inlined
def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])


@inlined
def _quarter(screw: Screw, c: F64, code: int) -> Hull:
    """The hull of a part of the axis over a part of the time; `code` holds how often both were halved, and the number of either part."""
    length = 1.0 / (1 << (code >> (2 * FINEST)))
    start, along = length * ((code >> FINEST) & ((1 << FINEST) - 1)), length * (code & ((1 << FINEST) - 1))
    (a, b), (a1, b1) = on_the_way(screw, start), on_the_way(screw, start + length)
    first, last = (_between(a, b, along), _between(a, b, along + length)), (_between(a1, b1, along), _between(a1, b1, along + length))
    return hull_between(first, last, c, start, length, length * length * screw.bend + screw.slip)


@query
def stays_beyond(forest: Forest, tree: int, screw: Screw, limit: float, work: Workspace) -> bool:
    """Whether the axis surely stays `limit` mm or more away from structure `tree` on all of its way; False also where that is not soon seen."""
    if not limit > 0.0:
        return False
    c, allow = forest.centre[tree], sweep_allowance(forest, tree, screw)
    skew = 0.25 * math.sqrt(screw.wd[0] * screw.wd[0] + screw.wd[1] * screw.wd[1] + screw.wd[2] * screw.wd[2])
    beyond = splat(limit + allow)
    work.nodes[0], work.others[0], work.bounds[0] = forest.roots[tree], 0, 0.0
    top, hull, of_hull = 1, _quarter(screw, c, plain(0)), 0
    for _ in range(MOST_PAIRS):
        if top == 0:
            return True
        top -= 1
        node, code = work.nodes[top], 0 + work.others[top]
        if code != of_hull:
            hull, of_hull = _quarter(screw, c, code), code
        halved = code >> (2 * FINEST)
        if node >= 0 and (halved == FINEST or not is_coarse(forest, node, THIN * hull.length * hull.length * (skew + screw.bend))):
            gaps = box_gaps(forest.boxes, NODE * node, hull)
            below, top = top, push_children(forest, node, at_most(gaps, beyond), gaps, work, top)
            for k in range(below, top):
                work.others[k] = code
        else:
            if node < 0:
                highs, _, lows = leaf_gaps(forest.leaf_corners, LEAF * ~node, hull, ROUNDS)
                if at_most(lows, beyond) == 0:
                    continue
                if lowest(highs) + allow < limit:
                    return False
            if halved == FINEST:
                return False
            start, along = (code >> FINEST) & ((1 << FINEST) - 1), code & ((1 << FINEST) - 1)
            for k in range(4):
                work.nodes[top + k] = node
                work.others[top + k] = (((halved + 1) << FINEST) + 2 * start + (k >> 1) << FINEST) + 2 * along + (k & 1)
            top += 4
        if top > STACK_SIZE - 2 * WIDTH:
            return False
    return False
