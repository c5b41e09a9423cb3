"""The silhouette of a triangle mesh: the loops of edges that part what faces the eye from what does not.

Facing is decided in space and not in the picture, so the loops are right through every lens that has one centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shell:
    """A mesh made ready to be outlined from anywhere.

    Attributes
    ----------
    vertices_mm : (V, 3)
    faces : (F, 3) counter-clockwise seen from outside
    normals : (F, 3) outward, of any length
    twins : (3F,) for each half-edge (side k of face f is 3f + k) the one that runs along the same edge the other way, -1 where there is none
    """

    vertices_mm: F64
    faces: I64
    normals: F64
    twins: I64

    @classmethod
    def of(cls, vertices_mm: npt.ArrayLike, faces: npt.ArrayLike) -> Shell:
        """From (V, 3) vertices and (F, 3) faces. Where more than two faces meet at an edge, they are paired as they come."""
        vertices, corners = np.asarray(vertices_mm, dtype=np.float64), np.asarray(faces, dtype=np.int64)
        a, b, c = vertices[corners[:, 0]], vertices[corners[:, 1]], vertices[corners[:, 2]]
        start, end = corners.ravel(), corners[:, (1, 2, 0)].ravel()
        along, back = _numbered(start * len(vertices) + end), _numbered(end * len(vertices) + start)
        # The n-th half-edge along an edge belongs with the n-th that runs back along it.
        _, mine, theirs = np.intersect1d(along, back, assume_unique=True, return_indices=True)
        twins = np.full(len(start), -1, np.int64)
        twins[mine] = theirs
        return cls(vertices, corners, np.cross(b - a, c - a), twins)

    def facing(self, eye_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """(F,) which faces turn their outer side to an eye."""
        towards = np.asarray(eye_mm, dtype=np.float64) - self.vertices_mm[self.faces[:, 0]]
        return np.asarray(np.einsum("ij,ij->i", self.normals, towards) > 0.0)

    def rim(self, chosen: npt.NDArray[np.bool_]) -> list[I64]:
        """Closed loops of vertices around the faces chosen, which lie to the left of them seen from outside.

        The chosen faces' edges, less those that two of them share, always close: at each vertex as many arrive as leave.
        """
        sides = np.repeat(chosen, 3)
        inner = sides & (self.twins >= 0) & sides[self.twins]
        rim = np.flatnonzero(sides & ~inner)
        start = self.faces.ravel()[rim]
        end = self.faces[:, (1, 2, 0)].ravel()[rim]
        following = np.empty(len(rim), np.int64)
        following[np.argsort(end, kind="stable")] = np.argsort(start, kind="stable")
        return _cycles(start, following)


def _numbered(edges: I64) -> I64:
    """The same numbers made unique: edges that are alike are counted as they come."""
    order = np.argsort(edges, kind="stable")
    ordered = edges[order]
    nth = np.arange(len(edges)) - np.searchsorted(ordered, ordered, side="left")
    unique = np.empty(len(edges), np.int64)
    unique[order] = ordered * (nth.max(initial=0) + 1) + nth
    return unique


def _cycles(start: I64, following: I64) -> list[I64]:
    """The cycles of a permutation of edges, each as the vertices that its edges start from."""
    after, loops, seen = following.tolist(), list[I64](), bytearray(len(following))
    for first in range(len(after)):
        if seen[first]:
            continue
        cycle, edge = [first], after[first]
        while edge != first:
            cycle.append(edge)
            seen[edge] = True
            edge = after[edge]
        loops.append(start[cycle])
    return loops
