"""A mesh cut into bricks, each with its rim: what `replace_region` is given."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.plots import Regions
from tests.kernels import meshes


class Bricks(NamedTuple):
    """`faces` brick by brick; `parts` are the arguments of `replace_region`: vertices, faces, own."""

    faces: np.ndarray
    first: np.ndarray
    parts: list[tuple[np.ndarray, np.ndarray, int]]


def cells(low: float, high: float, n: int) -> np.ndarray:
    """The (n^3, 2, 3) cells of a cube."""
    at = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return np.stack([low + (high - low) / n * at, low + (high - low) / n * (at + 1)], 1)


def cut(mesh: meshes.Mesh, low: float, high: float, n: int) -> Bricks:
    """Each face goes to the cell that its middle is in."""
    vertices, faces = mesh
    at = np.clip((vertices[faces].mean(axis=1) - low) / (high - low) * n, 0, n - 1).astype(int)
    brick = (at[:, 0] * n + at[:, 1]) * n + at[:, 2]
    order = np.argsort(brick, kind="stable")
    faces, brick = np.ascontiguousarray(faces[order]), brick[order]
    first, parts = np.searchsorted(brick, np.arange(n**3)), []
    for b in range(n**3):
        own = faces[brick == b]
        rim = faces[(brick != b) & np.isin(faces, own).any(axis=1)]
        names, rows = np.unique(np.concatenate([own, rim]), return_inverse=True)
        parts.append((np.ascontiguousarray(vertices[names]), rows.reshape(-1, 3).astype(np.int32), len(own)))
    return Bricks(faces, first, parts)


def own_number(regions: Regions, bricks: Bricks, face: np.ndarray) -> np.ndarray:
    """The row of `bricks.faces` for each face that a query names."""
    starts = regions.plots[:, 2]
    region = np.argmax((starts[None] <= face[:, None]) & (face[:, None] < (starts + regions.counts[:, 0])[None]), axis=1)
    return bricks.first[region] + face - starts[region]
