"""When an answer counts as right. One place, so that no test has a tolerance of its own.

*Distance.* Within 1e-12 of the reach (no coordinate difference between query and mesh is larger) of the exact one, and what storing a coordinate
rounds off where the mesh stands far from the origin.

*Face.* With one nearest feature (a vertex, an edge or the inside of a face, told from the next by more than float64 rounds): the lowest face that has
that feature, nothing else, since two faces that share it must not differ in a single bit. Where several features are nearest within rounding, exact
rational distances are asked: the face is right if its own exact distance is above the least by no more than the rounding of a float64 referee
(`brute.Features.rounding`, twice: once for each of the two compared).

*Point.* On that face, and as far from the query as the distance says, both to the tolerance of a distance.

*Sign.* Negative where the surface winds round the point more than half a turn; not asked within rounding of the surface (more so of a thin face: its
plane is known the less).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from navtwin import Surface
from navtwin.scene.answers import ClosestPoints, ClosestToCapsule
from tests.oracles import brute, rational
from tests.oracles.shapes import Shape
from tests.oracles.winding import winding_number

F64 = npt.NDArray[np.float64]

#: What a distance may be off, in units of the reach.
DISTANCE = 1e-12
#: What is farther from the origin than this is unknown, mm.
FARTHEST_MM = 1e9
#: Wrong answers after which no more are looked for.
ENOUGH = 50


@dataclass
class Findings:
    """What was asked and what was wrong, in words that can be pasted into a test."""

    asked: int = 0
    settled_exactly: int = 0
    wrong: list[str] = field(default_factory=list)


def root(squared: Fraction) -> float:
    """Square root to float64, whatever the size of numerator and denominator."""
    shift = max(0, (128 - squared.numerator.bit_length() + squared.denominator.bit_length()) // 2 + 1)
    return math.ldexp(float(math.isqrt((squared.numerator << (2 * shift)) // squared.denominator)), -shift) if squared else 0.0


def allowance(features: brute.Features, points: F64) -> F64:
    """(N,) what a distance may be off, mm."""
    return np.maximum(DISTANCE * features.reach(points), features.rounding(points))


def points(shape: Shape, surface: Surface, queries: F64, answers: ClosestPoints | None = None, features: brute.Features | None = None) -> Findings:
    """Judge `surface.closest(queries)`, or the answers given."""
    features = features or brute.Features.of(shape.vertices, shape.faces)
    got = answers or surface.closest(queries)
    far = np.abs(queries).max(axis=1) > FARTHEST_MM
    if far.any():
        unknown = np.isnan(got.distance_mm[far]) & (got.face[far] == -1)
        near = ClosestPoints(got.distance_mm[~far], got.point_mm[~far], got.face[~far])
        found = points(shape, surface, queries[~far], near)
        found.wrong += [f"{shape.name} {query.tolist()}: answered from too far away" for query in queries[far][~unknown]]
        found.asked = len(queries)
        return found
    found, expected, allowed = Findings(asked=len(queries)), features.nearest(queries), allowance(features, queries)
    rounding = features.rounding(queries)
    size = np.abs(got.distance_mm)
    doubtful = ~(np.abs(size - expected.distance) <= allowed) | (got.face != expected.face)
    doubtful[list(expected.rivals)] = True
    for row in np.flatnonzero(doubtful):
        rivals = expected.rivals.get(int(row))
        problem = _exactly(features, queries[row], float(size[row]), int(got.face[row]), float(allowed[row]), float(rounding[row]), rivals)
        found.settled_exactly += 1
        if problem:
            found.wrong.append(f"{shape.name} {queries[row].tolist()}: {problem}")
        if len(found.wrong) >= ENOUGH:
            break
    corners = features.triangles[np.maximum(got.face, 0)]
    off_face = brute.point_triangle(got.point_mm, *(corners[:, k] for k in range(3)))
    off_length = np.abs(np.linalg.norm(queries - got.point_mm, axis=1) - size)
    for row in np.flatnonzero(~((off_face <= allowed) & (off_length <= allowed))):
        exactly = root(rational.point_triangle(tuple(got.point_mm[row]), [tuple(c) for c in corners[row]]))
        if exactly <= allowed[row] and off_length[row] <= allowed[row]:
            continue  # float64 brute force cannot tell in a needle
        found.wrong.append(
            f"{shape.name} {queries[row].tolist()}: point off its face by {off_face[row]:.3g}, off its distance by {off_length[row]:.3g}"
        )
    if shape.solid:
        away = size > 2 * rounding * features.thinness[np.maximum(got.face, 0)]
        inside = winding_number(queries[away], shape.vertices, shape.faces) > 0.5
        for row in np.flatnonzero(away)[inside != (got.distance_mm[away] < 0.0)]:
            found.wrong.append(f"{shape.name} {queries[row].tolist()}: sign of {got.distance_mm[row]:.3g}")
    return found


def _exactly(features: brute.Features, query: F64, size: float, face: int, allowed: float, rounding: float, rivals: brute.I64 | None) -> str:
    """What is wrong with one answer, by exact arithmetic; empty if nothing is."""
    if not (math.isfinite(size) and 0 <= face < len(features.triangles)):
        return f"answered {size} at face {face}"
    asked = np.arange(len(features.triangles)) if rivals is None else np.union1d(rivals, [face])
    least, nearest = rational.nearest_faces(query.tolist(), features.triangles[asked].tolist())
    exact = root(least)
    if abs(size - exact) > allowed:
        return f"distance {size!r}, exactly {exact!r} (off by {abs(size - exact) / allowed:.3g} of what is allowed)"
    lowest = int(asked[nearest[0]])
    if face == lowest:
        return ""
    if rivals is None:
        return f"face {face}, but {lowest} has the nearest feature and is lower"
    mine = root(rational.point_triangle(query.tolist(), features.triangles[face].tolist()))
    if mine - exact > 2 * rounding:
        return f"face {face} is {mine!r} away, face {lowest} {exact!r} (farther by {(mine - exact) / rounding:.3g} of a rounding)"
    return ""


def _signed(shape: Shape, features: brute.Features, points: F64) -> F64:
    """(N,) distances, negative inside a solid."""
    distance = features.nearest(points).distance
    inside = winding_number(points, shape.vertices, shape.faces) > 0.5 if shape.solid else np.zeros(len(points), bool)
    return np.where(inside, -distance, distance)


def capsules(shape: Shape, surface: Surface, a: F64, b: F64, radius: F64, samples: int = 65) -> Findings:
    """Judge `surface.closest_to_capsule` for N axes a-b.

    Apart from the surface and outside: the distance of the axis less the radius, no doubt about a depth, and the lowest of exactly equal faces. With
    the axis in the surface or in the solid (DESIGN section 6): in contact, not less deep than the deeper end, not deeper than the deepest point of
    the axis (sampled: the signed distance changes along it no faster than the axis goes), and that deep where no bound is stated. An axis nearer than
    1e-12 of the largest coordinate counts as either. Of a surface that is no solid, what is called inside it is not judged here.
    """
    features, found = brute.Features.of(shape.vertices, shape.faces), Findings(asked=len(a))
    corners = [features.triangles[None, :, k] for k in range(3)]
    step = max(1, brute.BLOCK // 8 // len(shape.faces))
    gaps = np.concatenate([brute.segment_triangle(a[k : k + step, None], b[k : k + step, None], *corners) for k in range(0, len(a), step)])
    allowed = np.maximum(allowance(features, a), allowance(features, b))
    rounding = np.maximum(features.rounding(a), features.rounding(b))
    touching = allowed + DISTANCE * np.maximum(np.abs(shape.vertices).max(), np.maximum(np.abs(a).max(axis=1), np.abs(b).max(axis=1)))
    ends = np.minimum(_signed(shape, features, a), _signed(shape, features, b))
    for row in range(len(a)):
        got = surface.closest_to_capsule(a[row], b[row], radius[row])
        if not shape.solid and got.distance_mm + radius[row] <= min(allowed[row], gaps[row].min() - allowed[row]):
            continue
        problem = ""
        if gaps[row].min() > rounding[row] and ends[row] > 0.0:
            problem = _axis_apart(features, got, gaps[row], a[row], b[row], float(radius[row]), float(allowed[row]), float(rounding[row]))
        if gaps[row].min() <= rounding[row] or ends[row] < 0.0 or (problem and gaps[row].min() <= touching[row]):
            way = np.linspace(0.0, 1.0, samples)[:, None]
            along = _signed(shape, features, a[row] + way * (b[row] - a[row])) if shape.solid else np.zeros(1)
            spacing = float(np.linalg.norm(b[row] - a[row])) / (samples - 1)
            problem = _axis_in(got, float(min(ends[row], 0.0)), float(along.min()), spacing, float(radius[row]), float(touching[row]))
        problem = problem or _on_both(features, got, a[row], b[row], float(touching[row]))
        if problem:
            found.wrong.append(f"{shape.name} {a[row].tolist()} {b[row].tolist()} r {radius[row]!r}: {problem}")
    return found


def _axis_apart(f: brute.Features, got: ClosestToCapsule, gaps: F64, a: F64, b: F64, radius: float, allowed: float, rounding: float) -> str:
    axis = got.distance_mm + radius
    if not (0 <= got.face < len(gaps) and abs(axis - gaps.min()) <= allowed):
        return f"axis {axis!r} away at face {got.face}, brute force {gaps.min()!r}"
    if got.depth_is_bound:
        return "a depth in doubt, though the axis is outside"
    if abs(np.linalg.norm(got.point_mm - got.axis_point_mm) - axis) > allowed:
        return f"points {np.linalg.norm(got.point_mm - got.axis_point_mm)!r} apart, distance {axis!r}"
    rivals = np.flatnonzero(gaps <= max(gaps.min(), gaps[got.face]) + rounding)
    if rivals[0] == got.face:
        return ""
    exact = {int(k): rational.segment_triangle(a.tolist(), b.tolist(), f.triangles[k].tolist()) for k in (*rivals, got.face)}
    least = min(exact.values())
    if root(exact[got.face]) - root(least) > 2 * rounding:
        return f"face {got.face} is farther than the nearest by {root(exact[got.face]) - root(least):.3g}"
    lower = [k for k, squared in exact.items() if squared == exact[got.face] and k < got.face and _share(f, k, got)]
    return f"face {got.face}, but {lower[0]} is lower and has the same nearest point" if lower else ""


def _share(f: brute.Features, face: int, got: ClosestToCapsule) -> bool:
    """The answer's point is a corner, to the bit, of both its own face and this one."""
    return bool((f.triangles[face] == got.point_mm).all(axis=1).any() and (f.triangles[got.face] == got.point_mm).all(axis=1).any())


def _axis_in(got: ClosestToCapsule, ends: float, deepest: float, spacing: float, radius: float, allowed: float) -> str:
    depth = got.distance_mm + radius
    if not depth <= ends + allowed:
        return f"depth of the axis {depth!r}, though an end is at {ends!r}"
    if not depth >= min(ends, deepest - spacing / 2) - allowed:
        return f"depth of the axis {depth!r}, though its deepest point is not below {deepest - spacing / 2!r}"
    if not got.depth_is_bound and depth > deepest + allowed:
        return f"depth of the axis {depth!r} called certain, though it reaches {deepest!r}"
    return ""


def _on_both(f: brute.Features, got: ClosestToCapsule, a: F64, b: F64, allowed: float) -> str:
    off_face = float(brute.point_triangle(got.point_mm, *f.triangles[got.face]))
    off_axis = float(brute.point_segment(got.axis_point_mm, a, b))
    return f"points off the face by {off_face:.3g} and off the axis by {off_axis:.3g}" if not max(off_face, off_axis) <= allowed else ""
