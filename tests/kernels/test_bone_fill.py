"""Bone from a surface: exact near it, whole bricks elsewhere; and the hash of it."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.kernels.bone.bricks import BRICK, CLAMP, INSIDE, OUTSIDE, STEPS, Bricks
from navtwin.kernels.bone.fill import bricks_of, with_slots
from navtwin.kernels.bone.fingerprint import brick_hash, rehash_all
from navtwin.kernels.normals import plant
from tests.kernels import meshes

SIDE = 0.5
F64 = meshes.F64


def dense(bricks: Bricks) -> np.ndarray:
    """Steps at every point (k, j, i)."""
    table, cells = bricks.table, np.empty((*bricks.table.shape, BRICK, BRICK, BRICK), np.int16)
    cells[table == OUTSIDE], cells[table == INSIDE] = STEPS - 1, -STEPS
    cells[table >= 0] = bricks.cells[table[table >= 0]]
    nk, nj, ni = table.shape
    return cells.transpose(0, 3, 1, 4, 2, 5).reshape(nk * BRICK, nj * BRICK, ni * BRICK)


def places(bricks: Bricks) -> F64:
    nk, nj, ni = (BRICK * n for n in bricks.table.shape)
    k, j, i = np.meshgrid(np.arange(nk), np.arange(nj), np.arange(ni), indexing="ij")
    return np.stack([i, j, k], -1) * float(bricks.side[0]) + bricks.origin


def steps(distance: F64) -> np.ndarray:
    return np.clip(np.floor(distance / SIDE * (STEPS / CLAMP)), -STEPS, STEPS - 1)


@pytest.mark.parametrize("half", [(9.0, 9.0, 9.0), (20.0, 2.0, 9.0), (6.0, 17.0, 0.4)])
def test_a_box_is_its_exact_distance_at_every_point(half: tuple[float, float, float]) -> None:
    """Large triangles, far from whose corners surface passes; a brick in the middle of a large box has no slot."""
    low = -np.array(half) - 3.7 * SIDE
    shape = np.ceil((2.0 * np.array(half) / SIDE + 8.0) / BRICK).astype(int)[::-1]
    bricks = bricks_of(plant(*meshes.box(half))[0], low, SIDE, (int(shape[0]), int(shape[1]), int(shape[2])))
    off = dense(bricks) - steps(meshes.box_distance(places(bricks), half))
    assert np.abs(off).max() <= 1  # what lies on the border of two steps
    assert (off != 0).mean() < 1e-3
    assert bricks.used[0] == (bricks.table >= 0).sum()
    assert (bricks.table == INSIDE).any() == (min(half) > 8.0)
    assert not bricks.dirty.any() and bricks.queued[0] == 0


def test_memory_goes_by_the_surface() -> None:
    """Half the side: eight times the bricks, but four times the slots; and no slot without surface."""
    ball = plant(*meshes.sphere(20.0, 5))[0]
    used = []
    for side, count in ((0.5, 6), (0.25, 11)):
        bricks = bricks_of(ball, np.full(3, -20.0 - 3.7 * side), side, (count, count, count))
        used.append(int(bricks.used[0]))
        kept = bricks.cells[: used[-1]]
        assert ((kept > -STEPS) & (kept < STEPS - 1)).any(axis=(1, 2, 3)).all()
        assert (bricks.table.reshape(-1)[bricks.owner[: used[-1]]] == np.arange(used[-1])).all()
        assert (bricks.table == INSIDE).sum() > (0 if side == 0.5 else 200)
    assert used[1] < 5.0 * used[0]


def test_a_grid_within_a_solid_and_one_that_cuts_it() -> None:
    """Rows start on whichever side their first point lies."""
    half = (30.0, 30.0, 30.0)
    forest = plant(*meshes.box(half))[0]
    within = bricks_of(forest, np.full(3, -8.0), SIDE, (2, 2, 2))
    assert (within.table == INSIDE).all() and within.used[0] == 0 and within.total[0] == 0
    across = bricks_of(forest, np.array((-8.0, 20.3, 22.1)), SIDE, (2, 2, 2))
    assert np.abs(dense(across) - steps(meshes.box_distance(places(across), half))).max() <= 1


def test_the_same_bits_however_many_threads_and_told_how_far_it_is() -> None:
    said: list[float] = []
    torus = plant(*meshes.torus(12.0, 5.0))[0]
    one, other = (bricks_of(torus, np.full(3, -19.0), SIDE, (5, 5, 5), say) for say in (said.append, None))
    assert said == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert np.array_equal(one.table, other.table) and np.array_equal(one.hashes, other.hashes)
    assert np.array_equal(dense(one), dense(other)) and one.total[0] == other.total[0] != 0


def test_a_hash_names_brick_and_cells_and_whole_bone_counts_nothing() -> None:
    rng = np.random.default_rng(0)
    cells = rng.integers(-STEPS, STEPS, (BRICK, BRICK, BRICK)).astype(np.int8)
    seen = {int(brick_hash(cells, brick)) for brick in range(100)}
    for at in range(0, BRICK**3, 7):  # one point changed by one step
        other = cells.copy()
        other.reshape(-1)[at] ^= 1
        seen.add(int(brick_hash(other, 0)))
    assert len(seen) == 100 + len(range(0, BRICK**3, 7)) and 0 not in seen
    swapped = cells.copy()
    swapped[0, 0, :8], swapped[0, 0, 8:] = cells[0, 0, 8:], cells[0, 0, :8]
    assert brick_hash(swapped, 0) != brick_hash(cells, 0)
    assert brick_hash(np.full_like(cells, -STEPS), 7) == 0
    assert brick_hash(np.full_like(cells, STEPS - 1), 7) not in (0, brick_hash(np.full_like(cells, STEPS - 1), 8))


def test_room_doubles_and_keeps_what_is_there() -> None:
    bricks = bricks_of(plant(*meshes.box((4.0, 4.0, 4.0)))[0], np.full(3, -6.0), SIDE, (2, 2, 2))
    total = int(bricks.total[0])
    spare = len(bricks.owner) - int(bricks.used[0])
    assert with_slots(bricks, spare) is bricks
    grown = with_slots(bricks, spare + 1)
    assert len(grown.owner) == 2 * len(bricks.owner)
    rehash_all(grown)
    assert int(grown.total[0]) == total != 0
    assert np.array_equal(dense(grown), dense(bricks))
