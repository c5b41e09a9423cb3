"""Generalised winding number: an inside for surfaces that are open, inverted, nested or cross themselves.

Jacobson, Kavan & Sorkine-Hornung 2013, "Robust inside-outside segmentation using generalized winding numbers", ACM TOG 32(4): the solid angles
of all triangles, with their signs, over 4 pi. It is +-1 inside and 0 outside of a closed surface, whole numbers where shells overlap, and between
them where something is open: its distance from a whole number is the doubt.

Barill, Dickson, Schmidt, Levin & Jacobson 2018, "Fast winding numbers for soups and clouds", ACM TOG 37(4): triangles far from the point count
together, as the first two terms of their Taylor series about their centroid (sections 3.1 and 3.2). "Far" is so many of their radii away; nearer,
a node is opened, and the triangles of a leaf are measured exactly: van Oosterom & Strackee 1983, "The solid angle of a plane triangle", IEEE TBME
30(2). A quick look settles most questions of inside or outside; a careful one follows where it comes too near to one half.

What is far is summed in float32: alone among the kernels, this one lets it touch an answer. But every step is a correctly rounded IEEE operation,
in an order that the tree alone fixes, so that its bits are the same on every processor, and its error is far below what it is asked to tell apart.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.angle import angle
from navtwin.kernels.jit import inlined, kernel, query
from navtwin.kernels.simd import F32, FAR, WIDTH, Lanes, at_most, choose, first_bit, load, root, splat, store
from navtwin.kernels.tree import F64, FAR_FIELD, I32, NODE, WINDING, Forest, Workspace
from navtwin.kernels.triangle import Triangle, triangle

#: From so many of its radii away, a node's triangles count together; and three times the largest error of a winding number that this has been seen
#: to make (tests/kernels/test_winding.py watches it).
QUICK, QUICK_ERROR = 3.0, 0.05
CAREFUL, WINDING_ERROR = 6.0, 0.01
#: Of the structure's reach: a node counts as no smaller than this, for float32 knows too little of its place.
LEAST_RADIUS = 2.0**-16
#: What is summed over triangles: area; area x centroid (3); area x normal n (3); area x the symmetric part of centroid x n (xx yy zz xy xz yz).
_SUMS = 13


class _Turn(NamedTuple):
    """A sum of angles: that of the complex number (re, im) and whole turns. One arctangent, at the end, serves all triangles."""

    re: float
    im: float
    turns: float


@inlined
def _turned(turn: _Turn, t: Triangle, x: float, y: float, z: float) -> _Turn:
    """`turn` and half the solid angle of a triangle seen from (x, y, z), positive from behind; nothing for one seen edge on."""
    ax, ay, az = t.a[0] - x, t.a[1] - y, t.a[2] - z
    bx, by, bz = t.b[0] - x, t.b[1] - y, t.b[2] - z
    cx, cy, cz = t.c[0] - x, t.c[1] - y, t.c[2] - z
    sine = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
    if sine == 0.0:
        return turn
    a, b, c = math.sqrt(ax * ax + ay * ay + az * az), math.sqrt(bx * bx + by * by + bz * bz), math.sqrt(cx * cx + cy * cy + cz * cz)
    cosine = a * b * c + (ax * bx + ay * by + az * bz) * c + (bx * cx + by * cy + bz * cz) * a + (cx * ax + cy * ay + cz * az) * b
    length = math.sqrt(sine * sine + cosine * cosine)
    if length == 0.0:  # too small for float64: (x, y, z) is a corner
        return turn
    sine, cosine = sine / length, cosine / length
    re, im = turn.re * cosine - turn.im * sine, turn.re * sine + turn.im * cosine
    # Both angles lie within half a turn: only two of one sign can pass it.
    if turn.im >= 0.0 and sine > 0.0 and im < 0.0:
        return _Turn(re, im, turn.turns + 1.0)
    if turn.im < 0.0 and sine < 0.0 and im >= 0.0:
        return _Turn(re, im, turn.turns - 1.0)
    return _Turn(re, im, turn.turns)


@inlined
def _seen_from(f: F32, at: int, x: Lanes, y: Lanes, z: Lanes, opening2: Lanes) -> tuple[Lanes, int]:
    """Winding numbers of a node's eight children as seen from (x, y, z), 0 where it is too near; and the bits of those."""
    rx, ry, rz = load(f, at) - x, load(f, at + WIDTH) - y, load(f, at + 2 * WIDTH) - z
    r2 = rx * rx + ry * ry + rz * rz
    nearest2 = load(f, at + 3 * WIDTH) * opening2
    one_over = splat(1.0) / root(r2)
    ex, ey, ez = rx * one_over, ry * one_over, rz * one_over
    first = load(f, at + 4 * WIDTH) * ex + load(f, at + 5 * WIDTH) * ey + load(f, at + 6 * WIDTH) * ez
    xx, yy, zz = load(f, at + 7 * WIDTH), load(f, at + 8 * WIDTH), load(f, at + 9 * WIDTH)
    xy, xz, yz = load(f, at + 10 * WIDTH), load(f, at + 11 * WIDTH), load(f, at + 12 * WIDTH)
    along = ex * (xx * ex + xy * ey + xz * ez) + ey * (yy * ey + yz * ez) + ez * (zz * ez)
    second = xx + yy + zz - splat(3.0) * along
    w = (first + second * one_over) * one_over * one_over
    return choose(nearest2, r2, w, splat(0.0)), at_most(nearest2, r2) ^ 255


@query
def winding_number(forest: Forest, tree: int, x: float, y: float, z: float, opening: float, work: Workspace) -> float:
    """How often structure `tree`, which must have a far field, is wound around a point. Overwrites `work.nodes`.

    `opening` is QUICK or CAREFUL: from how many of its radii away a node's triangles count together.
    """
    c, opening2 = forest.centre[tree], splat(opening * opening)
    lx, ly, lz = splat(x - c[0]), splat(y - c[1]), splat(z - c[2])
    far, turn = splat(0.0), _Turn(1.0, 0.0, 0.0)
    top = 1
    work.nodes[0] = forest.roots[tree]
    while top > 0:
        top -= 1
        node = work.nodes[top]
        if node >= 0:
            w, near = _seen_from(forest.far_field, FAR_FIELD * (node - forest.far_shift[tree]), lx, ly, lz, opening2)
            far = far + w
            while near != 0:
                work.nodes[top] = forest.children[WIDTH * node + first_bit(near)]
                near &= near - 1
                top += 1
            continue
        for k in range(WIDTH * ~node, WIDTH * ~node + WIDTH):
            if forest.leaf_faces[k] >= 0:
                turn = _turned(turn, triangle(forest, forest.leaf_faces[k]), x, y, z)
    store(work.lanes, 0, far)
    total = 0.0
    for k in range(WIDTH):
        total += work.lanes[k]
    return total + turn.turns + angle(turn.re, turn.im) / (2.0 * math.pi)


@query
def is_wound_around(forest: Forest, tree: int, x: float, y: float, z: float, work: Workspace) -> bool:
    """Whether the winding number may be one half or more, either way: a point is outside only if it surely is."""
    wound = abs(winding_number(forest, tree, x, y, z, QUICK, work))
    if abs(wound - 0.5) <= QUICK_ERROR:
        wound = abs(winding_number(forest, tree, x, y, z, CAREFUL, work))
    return wound >= 0.5 - WINDING_ERROR


@query
def winding_numbers(forest: Forest, tree: int, points: F64, winding: F64, work: Workspace) -> None:
    """Winding number of one structure, which must have a far field, around many points, to WINDING_ERROR.

    Parameters
    ----------
    points : (N, 3) float64, mm
    winding : (N,) float64, out; NaN for a point that is not finite
    """
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        winding[i] = winding_number(forest, tree, x, y, z, CAREFUL, work) if math.isfinite(x + y + z) else np.nan


@query
def _add_face(vertices: F64, faces: I32, f: int, centre: F64, sums: F64) -> None:
    i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
    ax, ay, az = vertices[i, 0] - centre[0], vertices[i, 1] - centre[1], vertices[i, 2] - centre[2]
    bx, by, bz = vertices[j, 0] - centre[0], vertices[j, 1] - centre[1], vertices[j, 2] - centre[2]
    cx, cy, cz = vertices[k, 0] - centre[0], vertices[k, 1] - centre[1], vertices[k, 2] - centre[2]
    ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
    nx, ny, nz = 0.5 * (uy * vz - uz * vy), 0.5 * (uz * vx - ux * vz), 0.5 * (ux * vy - uy * vx)
    gx, gy, gz = (ax + bx + cx) / 3.0, (ay + by + cy) / 3.0, (az + bz + cz) / 3.0
    area = math.sqrt(nx * nx + ny * ny + nz * nz)
    sums[0] += area
    sums[1] += area * gx
    sums[2] += area * gy
    sums[3] += area * gz
    sums[4] += nx
    sums[5] += ny
    sums[6] += nz
    sums[7] += nx * gx
    sums[8] += ny * gy
    sums[9] += nz * gz
    sums[10] += nx * gy + ny * gx
    sums[11] += nx * gz + nz * gx
    sums[12] += ny * gz + nz * gy


@query
def _write_lane(s: F64, boxes: F32, at: int, least_radius: float, field: F32, to: int) -> None:
    """The far field of one child, whose box stands at `at`, from its sums."""
    if s[0] == 0.0:
        field[to] = field[to + WIDTH] = field[to + 2 * WIDTH] = FAR  # of no area: far from everywhere
        return
    c = (s[1] / s[0], s[2] / s[0], s[3] / s[0])
    share, radius2 = 0.25 / math.pi, 0.0
    for i in range(3):
        field[to + i * WIDTH] = c[i]
        field[to + (4 + i) * WIDTH] = share * s[4 + i]
        field[to + (7 + i) * WIDTH] = share * (s[7 + i] - s[4 + i] * c[i])
        side = max(c[i] - boxes[at + i * WIDTH], boxes[at + (i + 3) * WIDTH] - c[i])
        radius2 += side * side
    field[to + 3 * WIDTH] = max(radius2, least_radius * least_radius)
    field[to + 10 * WIDTH] = share * (s[10] - s[4] * c[1] - s[5] * c[0])
    field[to + 11 * WIDTH] = share * (s[11] - s[4] * c[2] - s[6] * c[0])
    field[to + 12 * WIDTH] = share * (s[12] - s[5] * c[2] - s[6] * c[1])


@kernel
def far_field(boxes: F32, children: I32, leaf_faces: I32, vertices: F64, faces: I32, centre: F64, least_radius: float) -> F32:
    """The far field of a single tree.

    Parameters
    ----------
    boxes, children, leaf_faces, vertices, faces : as in `Forest`, of one structure
    centre : (3,) float64, mm, as in `Forest`
    least_radius : mm, a node counts as no smaller

    Returns
    -------
    (104 N,) float32, of each node thirteen rows of eight, one for each child: centroid x, y, z relative to the centre; squared radius about
    it; area x normal x, y, z over 4 pi; the symmetric part of its second term xx, yy, zz, xy + yx, xz + zx, yz + zy over 4 pi
    """
    nodes = children.shape[0] // WIDTH
    field, sums, lane = np.zeros(FAR_FIELD * nodes, np.float32), np.zeros((nodes, _SUMS)), np.empty(_SUMS)
    for node in range(nodes - 1, -1, -1):
        for k in range(WIDTH):
            child = children[WIDTH * node + k]
            is_used = boxes[NODE * node + k] < 0.5 * FAR
            for i in range(_SUMS):
                lane[i] = sums[child, i] if is_used and child >= 0 else 0.0
            if is_used and child < 0:
                for at in range(WIDTH * ~child, WIDTH * ~child + WIDTH):
                    if leaf_faces[at] >= 0:
                        _add_face(vertices, faces, leaf_faces[at], centre, lane)
            for i in range(_SUMS):
                sums[node, i] += lane[i]
            _write_lane(lane, boxes, NODE * node + k, least_radius, field, FAR_FIELD * node + k)
    return field


def signed_by_winding(forest: Forest) -> Forest:
    """The forest of one structure, with its inside told by winding number."""
    f = forest
    field = far_field(f.boxes, f.children, f.leaf_faces, f.vertices, f.faces, f.centre[0], LEAST_RADIUS * float(f.reach[0]))
    return f._replace(sign_rule=np.array([WINDING], np.uint8), far_field=field)
