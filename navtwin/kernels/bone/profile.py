"""Cutters as signed distances, and how near a cutter that moves straight on comes to a point.

A cutter is a solid of revolution about its axis, which points back from the tip towards the hand. All of them are convex; so the distance of a point
to one that moves without turning is a convex function of time, and its least value is found by golden sections (Kiefer 1953, "Sequential minimax
search for a maximum"). Distances are exact, inside and outside.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.triangle import Point

#: Kinds of cutters.
SPHERE, CYLINDER, PEAR = 0, 1, 2
_GOLDEN = 0.6180339887498949


class Solid(NamedTuple):
    """A cutter; mm.

    Attributes
    ----------
    kind : SPHERE, CYLINDER or PEAR
    radius : about the tip
    length : of a cylinder; from a pear's tip back to the middle of its neck
    neck : radius of a pear's neck, not above `radius`
    """

    kind: int
    radius: float
    length: float
    neck: float


@inlined
def extent_of(solid: Solid) -> float:
    """Distance of its farthest point from the tip."""
    if solid.kind == CYLINDER:
        return math.sqrt(solid.radius * solid.radius + 0.25 * solid.length * solid.length)
    return max(solid.radius, solid.length + solid.neck) if solid.kind == PEAR else solid.radius


@inlined
def _to_cylinder(solid: Solid, rho: float, z: float) -> float:
    """By its half section, a rectangle: beyond it the distance to it, within it that to the nearer side."""
    side, end = rho - solid.radius, abs(z) - 0.5 * solid.length
    beyond_side, beyond_end = max(side, 0.0), max(end, 0.0)
    return min(max(side, end), 0.0) + math.sqrt(beyond_side * beyond_side + beyond_end * beyond_end)


@inlined
def _to_pear(solid: Solid, rho: float, z: float) -> float:
    """The hull of two balls ("round cone"; Quilez, "Distance functions", iquilezles.org/articles/distfunctions).

    A line touches both circles of the half section; across it the distance is that to the line, beyond its ends that to a ball.
    """
    if solid.length <= solid.radius - solid.neck:  # the neck lies within the ball
        return math.sqrt(rho * rho + z * z) - solid.radius
    sine = (solid.radius - solid.neck) / solid.length
    cosine = math.sqrt(1.0 - sine * sine)
    along = cosine * z - sine * rho
    if along <= 0.0:
        return math.sqrt(rho * rho + z * z) - solid.radius
    if along >= cosine * solid.length:
        return math.sqrt(rho * rho + (z - solid.length) * (z - solid.length)) - solid.neck
    return cosine * rho + sine * z - solid.radius


@inlined
def distance_to(solid: Solid, rho: float, z: float) -> float:
    """Signed distance of a point that lies `rho` beside the axis and `z` behind the tip, mm."""
    if solid.kind == CYLINDER:
        return _to_cylinder(solid, rho, z)
    if solid.kind == PEAR:
        return _to_pear(solid, rho, z)
    return math.sqrt(rho * rho + z * z) - solid.radius


class Stroke(NamedTuple):
    """A straight move of a cutter that does not turn: tip, axis (unit) and way, mm."""

    tip: Point
    axis: Point
    way: Point


@inlined
def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def off_way2(tip: Point, way: Point, x: float, y: float, z: float) -> float:
    """Squared distance of a point to the straight way of a tip, mm^2."""
    x, y, z = x - tip[0], y - tip[1], z - tip[2]
    way2 = way[0] * way[0] + way[1] * way[1] + way[2] * way[2]
    t = min(max((x * way[0] + y * way[1] + z * way[2]) / way2, 0.0), 1.0) if way2 > 0.0 else 0.0
    x, y, z = x - t * way[0], y - t * way[1], z - t * way[2]
    return x * x + y * y + z * z


@inlined
def _at(solid: Solid, time: float, beside2: float, across: float, side2: float, along: float, ahead: float) -> float:
    """Distance at a time; squared, the way beside the axis is beside2 - 2 time across + time^2 side2."""
    rho2 = beside2 + time * (time * side2 - 2.0 * across)
    return distance_to(solid, math.sqrt(max(rho2, 0.0)), along - time * ahead)


@query
def least_distance(solid: Solid, stroke: Stroke, x: float, y: float, z: float, high: float, low: float, within: float) -> float:
    """Signed distance of a point to all that a cutter passes through, mm, to `within`.

    Where that is surely above `high` or below `low`, any such number. `within` > 0.
    """
    if solid.kind == SPHERE:
        return math.sqrt(off_way2(stroke.tip, stroke.way, x, y, z)) - solid.radius
    w = x - stroke.tip[0], y - stroke.tip[1], z - stroke.tip[2]
    way2, along, ahead = _dot(stroke.way, stroke.way), _dot(w, stroke.axis), _dot(stroke.way, stroke.axis)
    beside2, across, side2 = _dot(w, w) - along * along, _dot(w, stroke.way) - along * ahead, way2 - ahead * ahead
    start, width, speed = 0.0, 1.0, math.sqrt(way2)
    least = _at(solid, 0.5, beside2, across, side2, along, ahead)
    if least - 0.5 * speed > high or least < low or speed <= within:
        return least
    least = min(least, _at(solid, 0.0, beside2, across, side2, along, ahead), _at(solid, 1.0, beside2, across, side2, along, ahead))
    s, t = 1.0 - _GOLDEN, _GOLDEN
    at_s, at_t = _at(solid, s, beside2, across, side2, along, ahead), _at(solid, t, beside2, across, side2, along, ahead)
    while speed * width > within:
        width *= _GOLDEN
        if at_s <= at_t:
            t, at_t = s, at_s
            s = start + (1.0 - _GOLDEN) * width
            at_s = _at(solid, s, beside2, across, side2, along, ahead)
        else:
            start += (1.0 - _GOLDEN) / _GOLDEN * width
            s, at_s = t, at_t
            t = start + _GOLDEN * width
            at_t = _at(solid, t, beside2, across, side2, along, ahead)
    return min(least, at_s, at_t)
