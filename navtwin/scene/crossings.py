"""The outlines of one surface in any plane, found fast: its triangles are sorted once by where they lie along each axis.

`slices.outline` gives the same as loose pieces. Here they are joined, so that they can be drawn with dashes.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from navtwin.scene.slices import ACROSS, Plane, in_plane

F64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]
#: Triangles are sorted into layers of this height; about the length of their sides.
LAYER_MM = 1.0


class Crossings:
    """A surface that is cut again and again.

    Parameters
    ----------
    vertices_mm, faces : (N, 3) in ct and (M, 3), wound alike all over
    """

    def __init__(self, vertices_mm: npt.ArrayLike, faces: npt.ArrayLike) -> None:
        self._vertices = np.ascontiguousarray(vertices_mm, dtype=np.float64)
        self._faces = np.ascontiguousarray(faces, dtype=np.int64).reshape(-1, 3)
        self._layers = tuple(_Layers(self._vertices[:, axis], self._faces) for axis in range(3))

    def lines(self, plane: Plane, at_mm: Vec3, reach_mm: float = math.inf) -> list[F64]:
        """Where the surface crosses the plane through `at_mm`: polylines, (N, 2) in picture coordinates, mm; closed ones end where they begin.

        A vertex that lies in the plane counts as above it. Triangles that begin farther than `reach_mm` from `at_mm`, right, left, up or down,
        are left out.
        """
        across = ACROSS[plane]
        faces = self._faces[self._layers[across].crossed_at(at_mm[across])]
        if math.isfinite(reach_mm):
            faces = faces[(np.abs(self._vertices[faces[:, 0]] - at_mm) <= reach_mm).all(axis=1)]
        if not len(faces):
            return []
        height = self._vertices[:, across][faces] - at_mm[across]
        above = height >= 0.0
        following = np.roll(above, -1, axis=1)
        # Walking round a crossing triangle one goes down through the plane once and up once.
        ends, keys = [], []
        for leaves in (above & ~following, ~above & following):
            side = np.argmax(leaves, axis=1)
            rows = np.arange(len(faces))
            one, other = faces[rows, side], faces[rows, (side + 1) % 3]
            h_one, h_other = height[rows, side], height[rows, (side + 1) % 3]
            share = (h_one / (h_one - h_other))[:, None]
            ends.append(in_plane(self._vertices[one] + share * (self._vertices[other] - self._vertices[one]), plane))
            keys.append(np.minimum(one, other) * len(self._vertices) + np.maximum(one, other))
        return [np.concatenate((ends[0][chain], ends[1][chain[-1:]])) for chain in _chains(keys[0], keys[1])]


class _Layers:
    """Which triangles reach into each layer along one axis."""

    def __init__(self, along_mm: F64, faces: Ints) -> None:
        corners = along_mm[faces] if len(faces) else np.zeros((1, 3))
        self._low = math.floor(float(corners.min()) / LAYER_MM)
        first = np.floor(corners.min(axis=1) / LAYER_MM).astype(np.int64) - self._low
        last = np.floor(corners.max(axis=1) / LAYER_MM).astype(np.int64) - self._low
        counts = last - first + 1 if len(faces) else np.zeros(1, np.int64)
        triangle = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        layer = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
        self._triangles = triangle[np.argsort(layer, kind="stable")]
        self._lowest, self._highest = corners.min(axis=1)[self._triangles], corners.max(axis=1)[self._triangles]
        self._starts = np.concatenate(([0], np.cumsum(np.bincount(layer, minlength=1))))

    def crossed_at(self, mm: float) -> npt.NDArray[np.int32]:
        """Triangles with corners below and corners not below."""
        layer = math.floor(mm / LAYER_MM) - self._low
        if not 0 <= layer < len(self._starts) - 1:
            return self._triangles[:0]
        part = slice(self._starts[layer], self._starts[layer + 1])
        crossed: npt.NDArray[np.int32] = self._triangles[part][(self._lowest[part] < mm) & (self._highest[part] >= mm)]
        return crossed


def _chains(begins: Ints, ends: Ints) -> list[list[int]]:
    """Pieces in their order along each line: one follows another where it begins at the edge at which that ends."""
    order = np.argsort(begins, kind="stable")
    found = np.minimum(np.searchsorted(begins[order], ends), len(order) - 1)
    following = np.where(begins[order[found]] == ends, order[found], -1)
    led_to = np.zeros(len(begins), np.bool_)
    led_to[following[following >= 0]] = True
    # Open lines from where they begin; then the closed ones, from anywhere.
    starts = [*np.flatnonzero(~led_to).tolist(), *np.flatnonzero(led_to).tolist()]
    next_of, seen, chains = following.tolist(), bytearray(len(begins)), []
    for start in starts:
        chain, piece = [], start
        while piece >= 0 and not seen[piece]:
            seen[piece] = 1
            chain.append(piece)
            piece = next_of[piece]
        if chain:
            chains.append(chain)
    return chains
