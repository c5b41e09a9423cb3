"""Brute force in NumPy, float64: every point, segment and triangle against every triangle, from the geometry alone; no tree, no early way out.

The distance of a point to a mesh is asked of its *features* (vertices, edges, insides of faces), each looked at once however many faces share it: a
tie between faces that share what is nearest is then no matter of rounding. With each feature comes how far off its float64 distance can be, so one
knows when float64 cannot tell two apart and `rational` must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: What a distance may be off by rounding: this much of the reach (no coordinate difference that enters it is larger; 32 half-units in the last place)
#: and this many units in the last place of the coordinates themselves.
OF_REACH, OF_PLACE = 2.0**-48, 8.0
#: Aspect (longest edge squared over twice the area) from which a face is too thin for its normal to mean anything in float64.
THIN = 2.0**20
#: Points times features looked at in one go: what fits in the cache.
BLOCK = 1 << 15


def _parts(vectors: F64) -> tuple[F64, F64, F64]:
    return vectors[..., 0], vectors[..., 1], vectors[..., 2]


def _long_enough(u: F64) -> F64:
    """Lengths, none of them 0."""
    return np.asarray(np.sqrt(np.maximum((u * u).sum(axis=-1), np.finfo(float).tiny)))


def point_segment(p: F64, a: F64, b: F64) -> F64:
    """Distances, broadcast over the leading axes."""
    u = b - a
    length2 = np.maximum((u * u).sum(axis=-1), np.finfo(float).tiny)
    t = np.clip(((p - a) * u).sum(axis=-1) / length2, 0.0, 1.0)[..., None]
    return np.asarray(np.linalg.norm(np.where(t == 1.0, p - b, p - a - t * u), axis=-1))


def _plane(a: F64, b: F64, c: F64) -> tuple[F64, F64, Flags]:
    """Unit normals, aspects and whether a face is too thin to have a normal."""
    n = np.cross(b - a, c - a)
    area2 = np.linalg.norm(n, axis=-1)
    longest2 = np.maximum.reduce([((v - u) ** 2).sum(axis=-1) for u, v in ((a, b), (b, c), (c, a))])
    thin = area2 * THIN <= longest2
    safe = np.where(thin, 1.0, area2)
    return n / safe[..., None], longest2 / safe, thin


def _inward(corners: Sequence[F64], n: F64) -> list[F64]:
    """Unit directions from each of three edges into the triangle."""
    ways = [np.cross(n, corners[(k + 1) % 3] - corners[k]) for k in range(3)]
    return [m / np.maximum(np.linalg.norm(m, axis=-1, keepdims=True), np.finfo(float).tiny) for m in ways]


def _over_face(p: F64, corners: tuple[F64, F64, F64], n: F64, margin: F64 | float = 0.0) -> tuple[Flags, F64]:
    """Whether the foot on the plane lies inside the triangle (or less than `margin` outside), and its height."""
    inside = np.ones(np.broadcast_shapes(p.shape[:-1], n.shape[:-1]), bool)
    for corner, m in zip(corners, _inward(corners, n), strict=True):
        mx, my, mz = _parts(m)
        x, y, z = _parts(p - corner)
        inside &= x * mx + y * my + z * mz >= -margin
    x, y, z = _parts(p - corners[0])
    nx, ny, nz = _parts(n)
    return inside, np.abs(x * nx + y * ny + z * nz)


def point_triangle(p: F64, a: F64, b: F64, c: F64) -> F64:
    """Distances, broadcast over the leading axes: the height where the foot is inside, else the nearest edge."""
    n, _, thin = _plane(a, b, c)
    inside, height = _over_face(p, (a, b, c), n)
    outline = np.minimum(np.minimum(point_segment(p, a, b), point_segment(p, b, c)), point_segment(p, c, a))
    return np.where(inside & ~thin, np.minimum(height, outline), outline)


def segment_segment(a: F64, b: F64, c: F64, d: F64) -> F64:
    """Distances, broadcast: the free minimum where it lies on both, else an end of one against the other."""
    u, v, w = b - a, d - c, c - a
    n = np.cross(u, v)
    nn = (n * n).sum(axis=-1)
    parallel = nn <= 1e-24 * (u * u).sum(axis=-1) * (v * v).sum(axis=-1)
    safe = np.where(parallel, 1.0, nn)
    s, t = (np.cross(w, v) * n).sum(axis=-1) / safe, (np.cross(w, u) * n).sum(axis=-1) / safe
    free = ~parallel & (s >= 0.0) & (s <= 1.0) & (t >= 0.0) & (t <= 1.0)
    ends = np.minimum(
        np.minimum(point_segment(a, c, d), point_segment(b, c, d)),
        np.minimum(point_segment(c, a, b), point_segment(d, a, b)),
    )
    gap = np.linalg.norm(w + t[..., None] * v - s[..., None] * u, axis=-1)
    return np.where(free, np.minimum(gap, ends), ends)


def pierces(a: F64, b: F64, p: F64, q: F64, r: F64) -> Flags:
    """The segment a-b goes through the triangle p-q-r, by the signs of five volumes.

    Not asked of a segment that runs along the plane but for rounding, nor of a face too thin for one: its end or an edge is then as near.
    """
    n, _, thin = _plane(p, q, r)
    above, below = ((a - p) * n).sum(axis=-1), ((b - p) * n).sum(axis=-1)
    d = b - a
    steep = ~thin & (np.abs(above - below) > 1e-12 * np.linalg.norm(d, axis=-1))
    sides = [(d * np.cross(u - a, v - a)).sum(axis=-1) for u, v in ((p, q), (q, r), (r, p))]
    least, most = np.minimum.reduce(sides), np.maximum.reduce(sides)
    return np.asarray(steep & ((above < 0.0) != (below < 0.0)) & ((least >= 0.0) | (most <= 0.0)))


def segment_triangle(a: F64, b: F64, p: F64, q: F64, r: F64) -> F64:
    """Distances, broadcast; 0 where they meet."""
    edges = ((p, q), (q, r), (r, p))
    apart = np.minimum.reduce([point_triangle(a, p, q, r), point_triangle(b, p, q, r), *(segment_segment(a, b, u, v) for u, v in edges)])
    return np.where(pierces(a, b, p, q, r), 0.0, apart)


def triangle_triangle(one: F64, other: F64) -> F64:
    """(N, M) distances of (N, 3, 3) and (M, 3, 3) triangles; 0 where they meet."""
    first, second = [one[:, None, k] for k in range(3)], [other[None, :, k] for k in range(3)]
    ways = [segment_triangle(s[k], s[(k + 1) % 3], *t) for s, t in ((first, second), (second, first)) for k in range(3)]
    return np.asarray(np.minimum.reduce(ways))


def _held(feature: I64, face: I64, asked: Flags | None = None) -> list[I64]:
    """The faces of each feature in use, lowest first, given pairs of a feature and a face that has it, and which of them to ask."""
    both = np.unique(np.stack([feature, face], -1)[slice(None) if asked is None else asked], axis=0)
    return np.split(both[:, 1], np.flatnonzero(np.diff(both[:, 0])) + 1) if len(both) else []


class Nearest(NamedTuple):
    """What float64 can say of N points: the distance (N,) and the lowest face of the nearest feature (N,).

    `rivals` maps the rows in which more than one feature may be nearest to all faces that then matter.
    """

    distance: F64
    face: I64
    rivals: dict[int, I64]


@dataclass(frozen=True)
class Features:
    """The features of one mesh; vertices at one place are one.

    Attributes
    ----------
    places : (P, 3), the distinct vertices in use
    edges : (E, 2) into places
    insides : (I,) faces that have an inside; of faces with the same corners in the same order only the lowest
    lowest : (P + E + I,) the lowest face that has the feature; holders : all of them
    aspect : (P + E + I,) how many times the plain rounding its distance may be off
    thin : faces too thin to have an inside in float64; thin_width : no point of theirs is farther from their edges
    """

    triangles: F64
    places: F64
    edges: I64
    insides: I64
    lowest: I64
    holders: tuple[I64, ...]
    aspect: F64
    thin: I64
    thin_width: F64

    @classmethod
    def of(cls, vertices: F64, faces: I32) -> Features:
        places, corner = np.unique(vertices[faces].reshape(-1, 3), axis=0, return_inverse=True)
        corner = corner.reshape(-1, 3)
        pairs = np.sort(corner[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
        edges = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
        triangles = places[corner]
        _, aspect, thin = _plane(*(triangles[:, k] for k in range(3)))
        insides = np.flatnonzero(~thin)[np.unique(corner[~thin], axis=0, return_index=True)[1]]
        everywhere = np.arange(3 * len(faces)) // 3
        holders = (
            *_held(corner.ravel(), everywhere),
            *_held(np.unique(pairs, axis=0, return_inverse=True)[1].ravel(), everywhere, pairs[:, 0] != pairs[:, 1]),
            *_held(np.unique(corner, axis=0, return_inverse=True)[1].ravel(), np.arange(len(faces)), ~thin),
        )
        worse = np.concatenate([np.ones(len(places) + len(edges)), aspect[insides]])
        length = np.sqrt(np.maximum.reduce([((triangles[:, k] - triangles[:, k - 1]) ** 2).sum(axis=1) for k in range(3)]))
        return cls(triangles, places, edges, insides, np.array([h[0] for h in holders]), holders, worse, np.flatnonzero(thin), length[thin] / THIN)

    @cached_property
    def thinness(self) -> F64:
        """(F,) aspect of each face: how many times the plain rounding its plane may be off."""
        _, aspect, thin = _plane(*(self.triangles[:, k] for k in range(3)))
        return np.where(thin, THIN, aspect)

    def reach(self, points: F64) -> F64:
        """(N,) no vertex is farther than this."""
        low, high = self.places.min(axis=0), self.places.max(axis=0)
        return np.asarray(np.linalg.norm(np.maximum(np.abs(points - low), np.abs(points - high)), axis=1))

    def rounding(self, points: F64) -> F64:
        """(N,) what a plain float64 distance to this mesh may be off."""
        places = np.spacing(np.maximum(np.abs(points).max(axis=1), np.abs(self.places).max()))
        return np.asarray(OF_REACH * self.reach(points) + OF_PLACE * places)

    @cached_property
    def _lines(self) -> tuple[F64, F64, F64]:
        """Where each edge begins, its unit direction, as rows x y z (3, E); and its length (E,)."""
        a = self.places[self.edges[:, 0]]
        u = self.places[self.edges[:, 1]] - a
        length = _long_enough(u)
        return np.ascontiguousarray(a.T), np.ascontiguousarray((u / length[:, None]).T), length

    @cached_property
    def _planes(self) -> tuple[F64, F64, F64]:
        """Corners (3, 3, I), unit directions into the face from its three edges (3, 3, I), as rows x y z of each; and its normal (3, I)."""
        corners = [self.triangles[self.insides, k] for k in range(3)]
        n = _plane(*corners)[0]
        inward = _inward(corners, n)
        return np.stack([c.T for c in corners]), np.stack([m.T for m in inward]), np.ascontiguousarray(n.T)

    def distances(self, points: F64) -> F64:
        """(N, P + E + I) distances to the features; inf where the foot is clear of the edge or face: then another feature is nearer."""
        p, margin = np.ascontiguousarray(points.T)[:, :, None], self.aspect * self.rounding(points)[:, None]
        first, second = len(self.places), len(self.places) + len(self.edges)
        d = np.empty((len(points), len(self.lowest)))
        x, y, z = p - self.places.T[:, None]
        d[:, :first] = np.sqrt(x * x + y * y + z * z)
        start, (ux, uy, uz), length = self._lines
        wx, wy, wz = p - start[:, None]
        t = wx * ux + wy * uy + wz * uz
        x, y, z = wx - t * ux, wy - t * uy, wz - t * uz
        near = margin[:, first:second]
        d[:, first:second] = np.where((t >= -near) & (t <= length + near), np.sqrt(x * x + y * y + z * z), np.inf)
        corners, inward, n = self._planes
        inside, near = np.ones((len(points), len(self.insides)), bool), margin[:, second:]
        for corner, m in zip(corners, inward, strict=True):
            x, y, z = p - corner[:, None]
            inside &= x * m[0] + y * m[1] + z * m[2] >= -near
        x, y, z = p - corners[0][:, None]
        d[:, second:] = np.where(inside, np.abs(x * n[0] + y * n[1] + z * n[2]), np.inf)
        return d

    def nearest(self, points: F64) -> Nearest:
        step = max(1, BLOCK // len(self.lowest))
        distance, face, rivals = np.empty(len(points)), np.empty(len(points), np.int64), {}
        for first in range(0, len(points), step):
            p = points[first : first + step]
            d, rounding = self.distances(p), self.rounding(p)
            k = d.argmin(axis=1)
            rows = np.arange(len(p))
            distance[first : first + step], face[first : first + step] = d[rows, k], self.lowest[k]
            upper = d[rows, k] + self.aspect[k] * rounding
            close = d - self.aspect * rounding[:, None] <= upper[:, None]
            slight = self._thin_faces_within(p, upper)
            for row in np.flatnonzero((close.sum(axis=1) > 1) | slight.any(axis=1)):
                faces = [self.holders[i] for i in np.flatnonzero(close[row])]
                rivals[first + int(row)] = np.unique(np.concatenate([*faces, self.thin[slight[row]]]))
        return Nearest(distance, face, rivals)

    def _thin_faces_within(self, points: F64, upper: F64) -> Flags:
        """(N, T) faces too thin for float64 that may be nearest: their insides lie within their width of their edges."""
        if len(self.thin) == 0:
            return np.zeros((len(points), 0), bool)
        a, b, c = (self.triangles[None, self.thin, k] for k in range(3))
        outline = np.minimum.reduce([point_segment(points[:, None], u, v) for u, v in ((a, b), (b, c), (c, a))])
        return np.asarray(outline <= upper[:, None] + self.thin_width + self.rounding(points)[:, None])
