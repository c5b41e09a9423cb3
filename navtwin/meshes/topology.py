"""How the faces of a mesh hang together: its edges, its parts, its border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.meshes.axes import F64, I64

Bools = npt.NDArray[np.bool_]

#: Of more inverted parts than this, it is not asked whether they are hollows: each takes a look at all faces.
MOST_ASKED = 200


@dataclass(frozen=True)
class Edges:
    """The sides of all faces, sorted so that those along one edge follow one another.

    Attributes
    ----------
    side : (S,) 3 * face + k of the side from corner k to the next one
    edge : (S,) number of the edge that it lies along
    runs_up : (S,) whether it runs from the lower to the higher vertex
    count : (E,) how many sides lie along each edge
    balance : (E,) how many more of them run up than down; 0 along every edge says that the faces enclose solids
    """

    side: I64
    edge: I64
    runs_up: Bools
    count: I64
    balance: I64

    @property
    def face(self) -> I64:
        """(S,) the face of each side."""
        return self.side // 3


def uncollapsed(faces: I64) -> I64:
    """The faces that use no vertex twice."""
    a, b, c = faces.T
    return np.asarray(faces[(a != b) & (b != c) & (c != a)])


def repeats_of(faces: I64) -> Bools:
    """(F,) whether an earlier face has the same three vertices, whichever way it runs around them."""
    places = np.sort(faces, axis=1)
    order = np.lexsort(places.T)
    again = np.zeros(len(faces), dtype=bool)
    again[order[1:]] = (places[order[1:]] == places[order[:-1]]).all(axis=1)
    return again


def edges_of(faces: I64) -> Edges:
    """The edges of (F, 3) faces, in which no vertex appears twice."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    low, high = np.minimum(start, end), np.maximum(start, end)
    key = low * (int(faces.max(initial=0)) + 1) + high
    side = np.argsort(key, kind="stable")
    first = np.ones(len(side), dtype=bool)
    first[1:] = key[side][1:] != key[side][:-1]
    edge, up = np.cumsum(first) - 1, (start < end)[side]
    edge_count = int(first.sum())
    count = np.bincount(edge, minlength=edge_count)
    return Edges(side, edge, up, count, 2 * np.bincount(edge[up], minlength=edge_count) - count)


def parts_of(faces: I64, edges: Edges) -> tuple[int, I64]:
    """How many parts there are, and (F,) which one each face belongs to; faces that share an edge belong together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    alike = edges.edge[1:] == edges.edge[:-1]
    a, b = edges.face[:-1][alike], edges.face[1:][alike]
    number, part = connected_components(coo_array((np.ones(len(a), bool), (a, b)), shape=(len(faces), len(faces))), directed=False)
    return int(number), part.astype(np.int64)


def border_loops(faces: I64, edges: Edges) -> list[I64]:
    """The vertices around each hole, in the order in which faces that close it would run along them.

    Only of edges with one face. Where two holes touch in a vertex, they are told apart as soon as a way around comes back to it.
    """
    sides = edges.side[edges.count[edges.edge] == 1]
    start, end = faces[sides // 3, sides % 3], faces[sides // 3, (sides + 1) % 3]
    onward: dict[int, list[int]] = {}
    for a, b in zip(end.tolist(), start.tolist(), strict=True):
        onward.setdefault(a, []).append(b)
    loops = []
    for first in sorted(onward):
        way = [first]
        place = {first: 0}
        while onward.get(way[-1]):
            step = onward[way[-1]].pop()
            if step in place:
                loop = way[place[step] :]
                loops.append(np.array(loop, dtype=np.int64))
                for vertex in loop[1:]:
                    del place[vertex]
                del way[place[step] + 1 :]
            else:
                place[step] = len(way)
                way.append(step)
    return loops


def used_by(faces: I64, vertices: int) -> Bools:
    """(V,) whether a face uses each vertex."""
    used = np.zeros(vertices, dtype=bool)
    used[faces.ravel()] = True
    return used


def areas_mm2(vertices: F64, faces: I64) -> F64:
    """(F,) area of each face."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2.0)


def volumes_mm3(vertices: F64, faces: I64) -> F64:
    """(F,) signed volume between each face and the middle of the mesh: over a closed part they add up to what it encloses."""
    around = vertices - vertices[faces[:, 0]].mean(axis=0)
    a, b, c = (around[faces[:, k]] for k in range(3))
    return np.asarray((a * np.cross(b, c)).sum(axis=1) / 6.0)


def winding_number(point: F64, vertices: F64, faces: I64) -> float:
    """How often faces are wound around a point (Van Oosterom & Strackee 1983, equation 8)."""
    a, b, c = (vertices[faces[:, k]] - point for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    above = (a * np.cross(b, c)).sum(axis=1)
    below = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
    return float(np.arctan2(above, below).sum() / (2.0 * np.pi))


def inverted_parts(vertices: F64, faces: I64, part: I64, closed: I64) -> tuple[I64, I64]:
    """Which closed parts have their normals inwards: those by mistake, and those that bound a hollow of another part.

    Parameters
    ----------
    part : (F,) as `parts_of` gives it
    closed : numbers of the closed parts

    Returns
    -------
    inside_out, hollows : numbers of parts
    """
    volume = np.bincount(part, weights=volumes_mm3(vertices, faces))
    inside_out: list[int] = []
    hollows: list[int] = []
    for number in closed[volume[closed] < 0.0]:
        own = part == number
        around = winding_number(vertices[faces[own][0, 0]], vertices, faces[~own]) if len(hollows) + len(inside_out) < MOST_ASKED else 0.0
        (hollows if around > 0.5 else inside_out).append(number)
    return np.array(inside_out, dtype=np.int64), np.array(hollows, dtype=np.int64)
