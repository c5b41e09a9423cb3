"""Bone for tests: bricks filled with any signed distance, and carved, by NumPy alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, CLAMP, INSIDE, OUTSIDE, STEPS, Bricks, mark_dirty
from navtwin.kernels.bone.growth import Canopy, patch
from tests.kernels.meshes import F64, Mesh

Field = Callable[[F64], F64]


def ball(centre: tuple[float, float, float], radius: float) -> Field:
    """Signed distance, mm, of points (..., 3)."""
    return lambda p: np.linalg.norm(p - np.array(centre), axis=-1) - radius


def capsule(a: F64, b: F64, radius: float) -> Field:
    """The same of a capsule."""

    def distances(p: F64) -> F64:
        length2 = max(float((b - a) @ (b - a)), 1e-300)
        along: F64 = np.clip((p - a) @ (b - a) / length2, 0.0, 1.0)
        distance: F64 = np.linalg.norm(p - a - along[..., None] * (b - a), axis=-1) - radius
        return distance

    return distances


def steps_of(distance: F64, side: float) -> np.ndarray:
    """What points hold."""
    return np.clip(np.floor(distance / side * (STEPS / CLAMP)), -STEPS, STEPS - 1).astype(np.int8)


def grid_points(low: np.ndarray, high: np.ndarray, origin: F64, side: float) -> F64:
    """(k, j, i, 3) places of the points low .. high - 1 (x, y, z), mm."""
    k, j, i = np.meshgrid(*(np.arange(low[a], high[a]) for a in (2, 1, 0)), indexing="ij")
    return origin + side * np.stack([i, j, k], -1)


def bricks_of(values: np.ndarray, origin: F64, side: float, spare: int = 0) -> Bricks:
    """Bricks that hold int8 values (16 K, 16 J, 16 I); only those that are not all far outside or far inside have a slot."""
    shape = tuple(n // BRICK for n in values.shape)
    blocks = values.reshape(shape[0], BRICK, shape[1], BRICK, shape[2], BRICK).transpose(0, 2, 4, 1, 3, 5).reshape(-1, BRICK, BRICK, BRICK)
    flat = (blocks == blocks[:, :1, :1, :1]).all(axis=(1, 2, 3))
    kept = np.flatnonzero(~(flat & np.isin(blocks[:, 0, 0, 0], (-STEPS, STEPS - 1))))
    table = np.where(blocks[:, 0, 0, 0] < 0, INSIDE, OUTSIDE).astype(np.int32)
    table[kept] = np.arange(len(kept))
    cells, owner = np.zeros((len(kept) + spare, BRICK, BRICK, BRICK), np.int8), np.full(len(kept) + spare, -1, np.int32)
    cells[: len(kept)], owner[: len(kept)] = blocks[kept], kept
    return Bricks(
        origin=np.array(origin, float),
        side=np.array([side]),
        table=table.reshape(shape),
        cells=cells,
        owner=owner,
        used=np.array([len(kept)], np.int32),
        hashes=np.zeros(len(owner), np.uint64),
        total=np.zeros(1, np.uint64),
        dirty=np.zeros(len(table), np.uint8),
        queue=np.zeros(len(table), np.int32),
        queued=np.zeros(1, np.int32),
    )


def fill(field: Field, shape: tuple[int, int, int], origin: F64, side: float, spare: int = 0) -> Bricks:
    """Bricks of `shape` (K, J, I) filled with a field."""
    points = grid_points(np.zeros(3, int), BRICK * np.array(shape[::-1]), origin, side)
    return bricks_of(steps_of(field(points), side), origin, side, spare)


def carve(bricks: Bricks, field: Field, low_mm: F64, high_mm: F64) -> None:
    """Take a solid away that lies in a box, and queue the bricks whose surface that can change."""
    side, most = float(bricks.side[0]), BRICK * np.array(bricks.table.shape[::-1])
    low = np.clip(np.floor((low_mm - bricks.origin) / side - CLAMP).astype(int), 0, most)
    high = np.clip(np.ceil((high_mm - bricks.origin) / side + CLAMP).astype(int) + 1, 0, most)
    cut = steps_of(-field(grid_points(low, high, bricks.origin, side)), side)
    for k in range(low[2] >> 4, (high[2] + 15) >> 4):
        for j in range(low[1] >> 4, (high[1] + 15) >> 4):
            for i in range(low[0] >> 4, (high[0] + 15) >> 4):
                first = BRICK * np.array((i, j, k))
                a, b = np.maximum(low, first), np.minimum(high, first + BRICK)
                part = cut[a[2] - low[2] : b[2] - low[2], a[1] - low[1] : b[1] - low[1], a[0] - low[0] : b[0] - low[0]]
                _cut_brick(bricks, (k, j, i), a - first, b - first, part)


def _cut_brick(bricks: Bricks, at: tuple[int, int, int], a: np.ndarray, b: np.ndarray, cut: np.ndarray) -> None:
    slot = int(bricks.table[at])
    if slot == OUTSIDE:
        return
    if slot == INSIDE:
        if (cut == -STEPS).all():
            return
        slot = int(bricks.used[0])
        bricks.used[0] += 1
        bricks.table[at], bricks.cells[slot] = slot, -STEPS
        bricks.owner[slot] = np.ravel_multi_index(at, bricks.table.shape)
    before = bricks.cells[slot, a[2] : b[2], a[1] : b[1], a[0] : b[0]]
    if (cut <= before).all():
        return
    np.maximum(before, cut, out=before)
    for k, j, i in np.ndindex(3, 3, 3):
        near = np.array(at) + np.array((k, j, i)) - 1
        if (near >= 0).all() and (near < bricks.table.shape).all():
            mark_dirty(bricks, int(np.ravel_multi_index(tuple(near), bricks.table.shape)))


def surface_of(canopy: Canopy, bricks: Bricks) -> Mesh:
    """Vertices and faces of all patches, in one piece: vertices with the same bits are one."""
    vertices, faces, count = [], [], 0
    for brick in range(bricks.table.size):
        own, corners = patch(canopy, brick)
        vertices.append(own)
        faces.append(corners + count)
        count += len(own)
    unique, index = np.unique(np.concatenate(vertices), axis=0, return_inverse=True)
    return unique, np.ascontiguousarray(index.reshape(-1)[np.concatenate(faces)].astype(np.int32))
