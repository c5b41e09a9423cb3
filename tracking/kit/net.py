"""A body's faces laid flat: where each comes to lie on the paper, where it is folded and cut, and the tabs that it is glued by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tracking.kit.bodies import PrintedBody

Array = npt.NDArray[np.float64]

#: Depth of a glue tab, mm, and the angle of its slanted ends: two of them fit the 36 degrees between two pentagons of a net.
TAB_MM, TAB_ANGLE_DEG = 6.0, 30.0
#: Corners of two faces nearer than this are one corner, mm.
SAME_MM = 1e-6


@dataclass(frozen=True, eq=False)
class Piece:
    """One connected piece of a net, printed side up, mm.

    Attributes
    ----------
    faces : the body's faces in it
    outlines : each face's outline (K, 2), in the order of `faces`
    corners : each face's marker corners (M, 4, 2)
    folds, cuts : (2, 2) segments
    tabs : (4, 2) outlines; the first and last corner lie on the face
    under : for each tab, the face that it goes under
    """

    faces: tuple[int, ...]
    outlines: tuple[Array, ...]
    corners: tuple[Array, ...]
    folds: tuple[Array, ...]
    cuts: tuple[Array, ...]
    tabs: tuple[Array, ...]
    under: tuple[int, ...]

    def points(self) -> Array:
        """(K, 2) all that must be on the paper."""
        return np.concatenate([*self.outlines, *self.tabs])

    def moved(self, angle_rad: float, shift: Array) -> Piece:
        """The piece turned counter-clockwise and then shifted."""
        turn = np.array([(np.cos(angle_rad), -np.sin(angle_rad)), (np.sin(angle_rad), np.cos(angle_rad))])

        def carried(arrays: tuple[Array, ...]) -> tuple[Array, ...]:
            return tuple(array @ turn.T + shift for array in arrays)

        return replace(
            self,
            outlines=carried(self.outlines),
            corners=carried(self.corners),
            folds=carried(self.folds),
            cuts=carried(self.cuts),
            tabs=carried(self.tabs),
        )


def unfold(body: PrintedBody) -> tuple[Piece, ...]:
    """The body's net, one piece for every face without a parent.

    Each face is carried by a rotation and a shift of the plane, so that the edge it shares with its parent meets the parent's: nothing is stretched.
    Edges that meet only when folded get a tab, on the face that comes first.
    """
    shared = _shared_edges(body)
    flat = [face.flat(face.outline_mm) for face in body.faces]
    placed: dict[int, tuple[Array, Array]] = {}
    order = sorted(range(len(body.faces)), key=lambda n: _depth(body, n))
    for n in order:
        parent = body.parents[n]
        if parent is None:
            placed[n] = (np.eye(2), np.zeros(2))
            continue
        mine, its = shared[n, parent]
        turn, shift = placed[parent]
        ends = np.roll(flat[parent], -its, axis=0)[[1, 0]] @ turn.T + shift
        placed[n] = _carry(np.roll(flat[n], -mine, axis=0)[:2], ends)
    return tuple(_piece(body, root, order, shared, placed) for root in order if body.parents[root] is None)


def _depth(body: PrintedBody, face: int) -> int:
    parent = body.parents[face]
    return 0 if parent is None else 1 + _depth(body, parent)


def _root(body: PrintedBody, face: int) -> int:
    parent = body.parents[face]
    return face if parent is None else _root(body, parent)


def _shared_edges(body: PrintedBody) -> dict[tuple[int, int], tuple[int, int]]:
    """(face, other face) -> the index of their common edge in either; edge k runs from corner k to the next."""
    edges = [
        (n, k, face.outline_mm[k], face.outline_mm[(k + 1) % len(face.outline_mm)])
        for n, face in enumerate(body.faces)
        for k in range(len(face.outline_mm))
    ]
    return {
        (n, other): (k, its)
        for n, k, begin, end in edges
        for other, its, its_begin, its_end in edges
        # Both go round counter-clockwise, so they run along a common edge in opposite directions.
        if n != other and np.abs(begin - its_end).max() < SAME_MM and np.abs(end - its_begin).max() < SAME_MM
    }


def _carry(edge: Array, onto: Array) -> tuple[Array, Array]:
    """The rotation and shift of the plane that take one segment onto another of the same length."""
    a, b = edge[1] - edge[0], onto[1] - onto[0]
    c, s = (a @ b) / (a @ a), (a[0] * b[1] - a[1] * b[0]) / (a @ a)
    turn = np.array([(c, -s), (s, c)])
    return turn, onto[0] - turn @ edge[0]


def _piece(
    body: PrintedBody, root: int, order: list[int], shared: dict[tuple[int, int], tuple[int, int]], placed: dict[int, tuple[Array, Array]]
) -> Piece:
    members = tuple(n for n in order if _root(body, n) == root)
    outlines, corners, folds, cuts, tabs, under = [], [], [], [], [], list[int]()
    for n in members:
        face, (turn, shift) = body.faces[n], placed[n]
        outline = face.flat(face.outline_mm) @ turn.T + shift
        outlines.append(outline)
        corners.append(face.flat(face.corners_mm) @ turn.T + shift)
        neighbours = {mine: other for (one, other), (mine, _) in shared.items() if one == n}
        for k in range(len(outline)):
            segment = np.array([outline[k], outline[(k + 1) % len(outline)]])
            other = neighbours.get(k)
            if other is not None and other in (body.parents[n], *(m for m, parent in enumerate(body.parents) if parent == n)):
                if body.parents[n] == other:
                    folds.append(segment)
            elif other is not None and n < other:
                folds.append(segment)
                tabs.append(_tab(segment))
                under.append(other)
            else:
                cuts.append(segment)
    return Piece(members, tuple(outlines), tuple(corners), tuple(folds), tuple(cuts), tuple(tabs), tuple(under))


def _tab(edge: Array) -> Array:
    """A trapezium on the right of an edge, which is outside of its face."""
    run = (edge[1] - edge[0]) / np.linalg.norm(edge[1] - edge[0])
    out = np.array([run[1], -run[0]]) * TAB_MM
    slant = run * TAB_MM / np.tan(np.radians(TAB_ANGLE_DEG))
    return np.array([edge[0], edge[0] + slant + out, edge[1] - slant + out, edge[1]])
