"""What is printed: flat sheets that carry black on white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]

#: Grey levels of paper, toner and dark plastic under full light.
PAPER_DN, INK_DN, PLASTIC_DN = 205.0, 30.0, 45.0
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@dataclass(frozen=True, eq=False)
class Sheet:
    """A flat thing with a printed front.

    Attributes
    ----------
    corners_mm : (4, 3) in body axes: where (u, v) = (0, 0), (1, 0), (1, 1), (0, 1) lie: top left, top right, bottom right, bottom left from its front
    outline : (K, 2) corners of the paper in (u, v), going round as `corners_mm` do
    ink : (E, 4) directed edges u0 v0 u1 v1 of the black regions, black on the left hand as one goes along them, looking at the print
    ids, marks : numbers of the markers printed on it, and (M, 4, 2) their corners in (u, v): top left, top right, bottom right, bottom left
    paper_dn, ink_dn, back_dn : grey levels under full light; no `back_dn` where the back lies inside a closed body and is never seen
    """

    corners_mm: Array
    outline: Array
    ink: Array
    ids: tuple[int, ...] = ()
    marks: Array = field(default_factory=lambda: np.zeros((0, 4, 2)))
    paper_dn: float = PAPER_DN
    ink_dn: float = INK_DN
    back_dn: float | None = PLASTIC_DN

    @cached_property
    def sides(self) -> Array:
        """(4, 3) corner at (0, 0), the sides u and v, and how far the fourth corner is off their parallelogram."""
        a, b, c, d = np.asarray(self.corners_mm, dtype=np.float64)
        return np.array([a, b - a, d - a, c - b - d + a])

    @cached_property
    def edges(self) -> Array:
        """(K + E, 4) the outline's edges, then the ink's."""
        return np.concatenate([loop(self.outline), self.ink])

    def points(self, uv: npt.ArrayLike) -> Array:
        """(N, 3) mm, body axes, of (N, 2) places on the sheet."""
        u, v = np.asarray(uv, dtype=np.float64).T[:, :, None]
        corner, along, down, warp = self.sides
        return np.asarray(corner + u * along + v * down + u * v * warp)

    @cached_property
    def outline_mm(self) -> Array:
        """(K, 3) corners of the paper, body axes."""
        return self.points(self.outline)

    @cached_property
    def marks_mm(self) -> Array:
        """(M, 4, 3) corners of its markers, body axes."""
        return self.points(self.marks.reshape(-1, 2)).reshape(-1, 4, 3)


@dataclass(frozen=True, eq=False)
class Square(Sheet):
    """A square marker on its own piece of paper; make one with `Square.of`."""

    @classmethod
    def of(cls, corners_mm: npt.ArrayLike, cells: npt.ArrayLike, quiet_cells: float = 1.0, *, id: int = 0, **greys: float) -> Square:
        """A marker whose black square has `corners_mm` (4, 3) and shows `cells` (n, n), True = black, border included.

        The paper reaches `quiet_cells` cells beyond the black square; it must not reach over a neighbour's print in the same plane.
        """
        corners, black = np.asarray(corners_mm, dtype=np.float64), np.asarray(cells, dtype=bool)
        if corners.shape != (4, 3) or not np.isfinite(corners).all() or black.ndim != 2 or 0 in black.shape:
            raise InputRefused(f"a marker with corners {corners.shape} and cells {black.shape} cannot be printed", "pass (4, 3) finite and (n, n)")
        by = quiet_cells / np.array(black.shape[::-1])
        return cls(corners, CORNERS + by * np.sign(CORNERS - 0.5), ink_edges(black), (id,), CORNERS[None], **greys)


def printed(outline_mm: npt.ArrayLike, prints: Sequence[tuple[Array, Cells, int | None]], **greys: float | None) -> Sheet:
    """A flat sheet that carries several prints.

    Parameters
    ----------
    outline_mm : (K, 3) corners of the paper, clockwise as seen from its front
    prints : (corners_mm (4, 3) from the top left clockwise, cells (rows, columns), number of the marker or None), none overlapping another
    """
    outline = np.asarray(outline_mm, dtype=np.float64)
    corner, right = outline[0], outline[1] - outline[0]
    normal = np.linalg.svd(outline - outline.mean(axis=0))[2][2]
    # Down the sheet as it is looked at: a quarter turn clockwise from `right`, on the side where the paper is.
    down = np.cross(normal, right)
    down *= np.sign(down @ (outline.mean(axis=0) - corner))
    axes = np.array([right / (right @ right), down / (down @ down)])
    ink, ids, marks = [np.zeros((0, 4))], list[int](), list[Array]()
    for corners_mm, cells, number in prints:
        uv = (np.asarray(corners_mm) - corner) @ axes.T
        edges = ink_edges(np.asarray(cells, dtype=bool))
        ends = uv[0] + edges.reshape(-1, 2) @ np.array([uv[1] - uv[0], uv[3] - uv[0]])
        ink.append(ends.reshape(-1, 4))
        if number is not None:
            ids.append(number)
            marks.append(uv)
    frame = corner + CORNERS @ np.array([right, down])
    return Sheet(frame, (outline - corner) @ axes.T, np.concatenate(ink), tuple(ids), np.array(marks).reshape(-1, 4, 2), **greys)  # type: ignore[arg-type]


def plain(corners_mm: npt.ArrayLike, grey_dn: float = PLASTIC_DN, *, closed: bool = False) -> Sheet:
    """An unprinted convex panel of K >= 3 coplanar corners (K, 3), clockwise as seen from its front; `closed` if its back is never seen."""
    corners = np.asarray(corners_mm, dtype=np.float64)
    along, across = corners[1] - corners[0], corners[-1] - corners[0]
    uv = (corners - corners[0]) @ np.linalg.pinv(np.array([along, across]))
    frame = corners[0] + CORNERS @ np.array([along, across])
    return Sheet(frame, uv, np.zeros((0, 4)), paper_dn=grey_dn, back_dn=None if closed else grey_dn)


def loop(corners: Array) -> Array:
    """(K, 4) directed edges round a polygon whose (K, 2) corners go clockwise on the print, reversed so that the inside is on their left hand."""
    backwards = corners[::-1]
    return np.concatenate([backwards, np.roll(backwards, -1, axis=0)], axis=1)


def ink_edges(black: Cells) -> Array:
    """(E, 4) directed edges u0 v0 u1 v1 in 0..1 round the black cells (rows, columns): neighbours of one colour are merged, runs made one edge."""
    rows, columns = black.shape
    padded = np.pad(black.astype(np.int8), 1)
    edges = list[tuple[float, float, float, float]]()
    # Black begins (+1) or ends (-1) at each border between columns, and at each between rows.
    across = padded[1:-1, 1:] - padded[1:-1, :-1]
    down = padded[1:, 1:-1] - padded[:-1, 1:-1]
    for c in range(columns + 1):
        for first, last, step in _runs(across[:, c]):
            u, v = c / columns, (first / rows, last / rows)
            edges.append((u, v[0], u, v[1]) if step > 0 else (u, v[1], u, v[0]))
    for r in range(rows + 1):
        for first, last, step in _runs(down[r]):
            v, u = r / rows, (first / columns, last / columns)
            edges.append((u[1], v, u[0], v) if step > 0 else (u[0], v, u[1], v))
    return np.array(edges, dtype=np.float64).reshape(-1, 4)


def _runs(steps: npt.NDArray[np.int8]) -> list[tuple[int, int, int]]:
    """(first, past the last, value) of each stretch of equal values other than 0."""
    borders = np.concatenate([[0], np.flatnonzero(np.diff(steps)) + 1, [len(steps)]]).tolist()
    return [(a, b, int(steps[a])) for a, b in pairwise(borders) if steps[a] != 0]
