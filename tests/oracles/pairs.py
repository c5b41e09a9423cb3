"""When an answer about two surfaces, or about a ray, counts as right; tolerances are those of `judge`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from navtwin import Rigid, Surface
from tests.oracles import brute, rational
from tests.oracles.judge import Findings, allowance, root
from tests.oracles.shapes import Shape
from tests.oracles.winding import winding_number

F64 = npt.NDArray[np.float64]


def surfaces(one: Shape, other: Shape, T_one_from_other: Rigid, ours: Surface | None = None, theirs: Surface | None = None) -> list[str]:
    """What is wrong with `closest_to_surface`.

    Every triangle against every triangle. Apart: that distance, both points on their faces, and no pair exactly nearer by more than float64 rounds;
    of the faces that have the nearest vertex the lowest. Meeting, or one inside a solid: 0, and so said. Nearer than a distance may be off: either.
    """
    moved = replace(other, vertices=T_one_from_other.apply(other.vertices))
    got = (ours or Surface.from_arrays(one.vertices, one.faces)).closest_to_surface(
        theirs or Surface.from_arrays(other.vertices, other.faces), T_one_from_other
    )
    mine, features = brute.Features.of(one.vertices, one.faces), brute.Features.of(moved.vertices, moved.faces)
    gaps = brute.triangle_triangle(mine.triangles, features.triangles)
    gap, allowed = float(gaps.min()), float(max(allowance(mine, features.places).max(), allowance(features, mine.places).max()))
    wound = [
        np.abs(winding_number(core.places, shell.vertices, shell.faces)) > (0.5 if shell.closed else 0.4)
        for shell, core in ((one, features), (moved, mine))
    ]
    held = (one.closed and wound[0].any()) or (moved.closed and wound[1].any())
    said = f"{one.name} and {other.name}: {got.distance_mm!r}, {'meeting' if got.intersects else 'apart'} at {got.face}, {got.other_face}; "
    if gap <= 1e-14 * allowed / 1e-12 or held:
        return [] if got.intersects and got.distance_mm == 0.0 else [f"{said}but they meet ({gap!r})"]
    if got.intersects and (gap <= allowed or (got.face == -1 and (wound[0].any() or wound[1].any()))):
        return []  # so near that either will do; or what an open or inverted surface winds around is inside
    wrong = []
    if got.intersects or abs(got.distance_mm - gap) > allowed:
        wrong.append(f"{said}brute force {gap!r}")
    off = (
        float(brute.point_triangle(got.point_mm, *mine.triangles[got.face])),
        float(brute.point_triangle(got.other_point_mm, *features.triangles[got.other_face])),
        abs(float(np.linalg.norm(got.point_mm - got.other_point_mm)) - got.distance_mm),
    )
    if not max(off) <= allowed:
        wrong.append(f"{said}points off their faces and distance by {off}")
    rounding = float(max(mine.rounding(features.places).max(), features.rounding(mine.places).max()))
    pair = gaps[got.face, got.other_face]
    if pair > gap:
        best = np.unravel_index(gaps.argmin(), gaps.shape)
        exact = [
            root(rational.triangle_triangle(mine.triangles[f].tolist(), features.triangles[g].tolist()))
            for f, g in ((got.face, got.other_face), best)
        ]
        if exact[0] - exact[1] > 4 * rounding:
            wrong.append(f"{said}but {best} are nearer by {exact[0] - exact[1]:.3g}")
    holders = np.flatnonzero((mine.triangles == got.point_mm).all(axis=2).any(axis=1))
    if len(holders) and holders[0] < got.face:
        wrong.append(f"{said}but face {holders[0]} has the nearest vertex too")
    return wrong


def rays(shape: Shape, surface: Surface, origins: F64, ways: F64) -> Findings:
    """Judge `first_hit`.

    A hit lies on its face and no face is clearly hit before it; where none is answered no face is clearly hit, and the origin is not inside a solid.
    A face is clearly hit if the ray's point in its plane lies inside it by more than a distance may be off, and the ray does not run along it.
    """
    features, got, found = brute.Features.of(shape.vertices, shape.faces), surface.first_hit(origins, ways), Findings(asked=len(origins))
    unit = ways / np.linalg.norm(ways, axis=1, keepdims=True)
    corners = [features.triangles[None, :, k] for k in range(3)]
    n, aspect, thin = brute._plane(*corners)
    slope = (n * unit[:, None]).sum(axis=-1)
    steep = (np.abs(slope) > 1e-6) & ~thin
    t = ((corners[0] - origins[:, None]) * n).sum(axis=-1) / np.where(steep, slope, 1.0)
    at = origins[:, None] + t[..., None] * unit[:, None]
    allowed = allowance(features, origins)
    margin = allowed[:, None] * aspect / np.where(steep, np.abs(slope), 1.0)
    clearly = brute._over_face(at, (corners[0], corners[1], corners[2]), n, -margin)[0] & steep & (t > margin)
    first = np.where(clearly, t, np.inf)
    inside = winding_number(origins, shape.vertices, shape.faces) > 0.5 if shape.solid else np.zeros(len(origins), bool)
    clear_of_it = features.nearest(origins).distance > allowed
    for row in range(len(origins)):
        distance, face, problem = got.distance_mm[row], got.face[row], ""
        if np.isfinite(distance) != (face >= 0) or np.isnan(distance) or distance < 0.0:
            problem = f"distance {distance} at face {face}"
        elif np.isinf(distance):
            if np.isfinite(first[row]).any():
                problem = f"no hit, but face {first[row].argmin()} is hit after {first[row].min()!r}"
            elif inside[row] and clear_of_it[row]:
                problem = "no hit from inside a solid"
        else:
            off = float(brute.point_triangle(origins[row] + distance * unit[row], *features.triangles[face]))
            lean = max(abs(float(slope[row, face])), 1e-6)
            if off > allowed[row] * float(min(aspect[0, face], 1e6)) / lean:
                problem = f"hit after {distance!r} is {off:.3g} off face {face}"
            elif (first[row] < distance - margin[row] - allowed[row] / lean).any():
                problem = f"face {face} after {distance!r}, but face {first[row].argmin()} is hit after {first[row].min()!r}"
        if problem:
            found.wrong.append(f"{shape.name} {origins[row].tolist()} {ways[row].tolist()}: {problem}")
    return found
