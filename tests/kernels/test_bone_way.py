"""Bone on a straight way, values between points, and the doubt that lies on them."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.kernels.bone.bricks import BRICK, CLAMP, INSIDE, OUTSIDE, Bricks
from navtwin.kernels.bone.cut import cut
from navtwin.kernels.bone.doubt import Doubt, change_doubt, doubt_differences, no_doubt
from navtwin.kernels.bone.fill import bricks_of
from navtwin.kernels.bone.journal import new_journal, with_room
from navtwin.kernels.bone.profile import SPHERE, Solid, Stroke
from navtwin.kernels.bone.way import bone_on_way, values
from navtwin.kernels.normals import plant
from tests.kernels import meshes

SIDE, HALF = 0.45, (9.0, 9.0, 9.0)
Point = tuple[float, float, float]
NOWHERE: Point = (0.0, 0.0, 0.0)


@cache
def _whole() -> Bricks:
    bricks = bricks_of(plant(*meshes.box(HALF))[0], np.full(3, -10.7), SIDE, (4, 4, 4))
    return bricks._replace(cells=bricks.cells[:64], owner=bricks.owner[:64], hashes=bricks.hashes[:64])


def block() -> Bricks:
    return deepcopy(_whole())


def bored(bricks: Bricks, tip: Point, way: Point, radius: float) -> Bricks:
    journals = [with_room(new_journal(64), 64) for _ in range(2)]
    cut(bricks, journals[0], journals[1], Solid(SPHERE, radius, 0.0, 0.0), Stroke(tip, (0.0, 0.0, -1.0), way))
    return bricks


def point(place: np.ndarray) -> Point:
    x, y, z = place.tolist()
    return x, y, z


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_length_of_bone_in_a_block_with_a_bore(seed: int) -> None:
    """Against the exact chord of box less cylinder, from anywhere to anywhere."""
    rng = np.random.default_rng(seed)
    bricks, doubt = bored(block(), (0.0, 0.0, -30.0), (0.0, 0.0, 60.0), 2.0), no_doubt(64)
    a, b = rng.uniform(-12, 12, 3), rng.uniform(-12, 12, 3)
    t = (np.arange(20_000) + 0.5) / 20_000
    on_way = a + t[:, None] * (b - a)
    length = float(np.linalg.norm(b - a))

    def chord(off: float) -> float:
        """With every wall `off` farther out: a way that only grazes one has much or little bone for little."""
        return float(np.mean((np.abs(on_way) < HALF[0] + off).all(axis=1) & (np.hypot(on_way[:, 0], on_way[:, 1]) > 2.0 - off))) * length

    found, is_doubtful = bone_on_way(bricks, doubt.blocks, point(a), point(b))
    assert chord(-0.1 * SIDE) - 0.5 * SIDE <= found <= chord(0.1 * SIDE) + 0.1 * SIDE
    assert not is_doubtful
    back, _ = bone_on_way(bricks, doubt.blocks, point(b), point(a))
    assert back == pytest.approx(found, abs=0.25 * SIDE)


@pytest.mark.parametrize("thick", [0.5, 0.9, 1.5, 3.0])
@pytest.mark.parametrize("shift", [0.0, 0.11, 0.29])
def test_a_wall_between_two_bores_is_as_thick_as_it_is(thick: float, shift: float) -> None:
    """Straight across, where walls are judged: within the tenth of a millimetre, and never much thicker than it is."""
    radius, middle = 2.0, 0.5 * thick + 2.0
    bricks = bored(bored(block(), (shift - middle, 0.0, -4.0), (0.0, 0.0, 8.0), radius), (shift + middle, 0.1, -4.0), (0.0, 0.0, 8.0), radius)
    found, _ = bone_on_way(bricks, no_doubt(64).blocks, (shift - middle, 0.0, 0.3), (shift + middle, 0.1, 0.3))
    truth = np.hypot(2.0 * middle, 0.1) - 2.0 * radius
    # A wall hardly thicker than a side is cut at its ridge by what lies between points: it looks thinner.
    assert truth - (0.09 if thick < 2.0 * SIDE else 0.01) < found < truth + 0.04


def test_ways_that_meet_no_bone_all_bone_and_no_length() -> None:
    bricks, blocks = block(), no_doubt(64).blocks
    assert bone_on_way(bricks, blocks, (-50.0, 12.0, 0.0), (50.0, 12.0, 0.0)) == (0.0, False)
    assert bone_on_way(bricks, blocks, (-5.0, 3.0, 0.0), (5.0, 3.0, 1.0))[0] == pytest.approx(np.hypot(10.0, 1.0), abs=1e-9)
    assert bone_on_way(bricks, blocks, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)) == (0.0, False)
    assert bone_on_way(bricks, blocks, (-1e6, 0.0, 0.0), (1e6, 0.0, 0.0))[0] == pytest.approx(18.0, abs=0.1)


def test_values_are_the_clamped_distance() -> None:
    points = np.random.default_rng(0).uniform(-12, 12, (4000, 3))
    points[0], points[1] = np.nan, np.inf
    found = np.empty(4000)
    values(block(), points, found)
    assert np.isnan(found[:2]).all()
    truth = np.clip(meshes.box_distance(points, HALF), -CLAMP * SIDE, CLAMP * SIDE)
    creased = np.sort(np.abs(np.abs(points) - 9.0), axis=1)[:, 1] < 2.5 * SIDE  # near an edge, what lies between points is not linear
    plain = ~creased & np.isfinite(found)
    # Where the clamp sets in between two points, interpolation cuts the corner.
    assert np.abs(found - truth)[plain].max() < 0.3 * SIDE
    near = plain & (np.abs(truth) < SIDE)
    assert near.sum() > 100 and np.abs(found - truth)[near].max() < 0.01 * SIDE


def doubtful_points(bricks: Bricks, doubt: Doubt) -> np.ndarray:
    """(N, 3) middles of the doubtful blocks, mm."""
    _, nj, ni = bricks.table.shape
    brick, bit = np.nonzero(doubt.blocks[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1))
    corner = np.stack([brick % ni, brick // ni % nj, brick // (ni * nj)], -1) * BRICK
    inner = np.stack([bit % 4, bit // 4 % 4, bit // 16], -1) * 4
    return bricks.origin + (corner + inner + 1.5) * SIDE


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), radius=st.floats(0.0, 4.0))
def test_doubt_is_spread_generously_and_taken_back_sparingly(seed: int, radius: float) -> None:
    rng, bricks, doubt = np.random.default_rng(seed), block(), no_doubt(64)
    tip, way = rng.uniform(-8, 8, 3), rng.uniform(-4, 4, 3)
    change_doubt(bricks, doubt, point(tip), point(way), radius, True, False)
    doubtful = doubtful_points(bricks, doubt)
    assert len(doubtful) == doubt.bits[0]
    around = 2.0 * np.sqrt(3.0) * SIDE
    assert (distance(doubtful, tip, way) <= radius + around + 1e-9).all()
    for _ in range(20):  # every way that ends in bone of the capsule is doubtful
        inside = tip + rng.uniform(0, 1) * way + 0.99 * radius * rng.uniform(-0.57, 0.57, 3)
        if (np.abs(inside) < 8.9).all():
            assert bone_on_way(bricks, doubt.blocks, NOWHERE, point(inside))[1]
    change_doubt(bricks, doubt, point(tip), point(way), 0.5 * radius, False, False)
    left = doubtful_points(bricks, doubt)
    assert len(left) == doubt.bits[0]
    assert (distance(left, tip, way) > 0.5 * radius - 1e-9).all()
    change_doubt(bricks, doubt, point(tip), point(way), radius + around, False, False)
    assert doubt.bits[0] == 0 and not doubt.blocks.any()


def distance(points: np.ndarray, tip: np.ndarray, way: np.ndarray) -> np.ndarray:
    t = np.clip((points - tip) @ way / max(float(way @ way), 1e-12), 0.0, 1.0)
    found: np.ndarray = np.linalg.norm(points - tip - t[:, None] * way, axis=1)
    return found


def test_doubt_on_a_way_counts_where_there_is_bone() -> None:
    bricks, doubt = bored(block(), (-3.0, 0.0, 0.0), (6.0, 0.0, 0.0), 3.0), no_doubt(64)
    found, is_doubtful = bone_on_way(bricks, doubt.blocks, (-8.0, 0.0, 0.0), (8.0, 0.0, 0.0))
    assert found == pytest.approx(4.0, abs=0.03) and not is_doubtful
    change_doubt(bricks, doubt, NOWHERE, NOWHERE, 1.0, True, False)
    assert doubt.bits[0] > 0
    assert not bone_on_way(bricks, doubt.blocks, (-8.0, 0.0, 0.0), (8.0, 0.0, 0.0))[1]
    change_doubt(bricks, doubt, (7.0, 0.0, 0.0), NOWHERE, 0.1, True, False)
    assert bone_on_way(bricks, doubt.blocks, (-8.0, 0.0, 0.0), (8.0, 0.0, 0.0))[1]
    assert not bone_on_way(bricks, doubt.blocks, (-8.0, 0.0, 0.0), (3.0, 0.0, 0.0))[1]
    # Where no bone is shown, none that is shown is gone.
    before = int(doubt.bits[0])
    change_doubt(bricks, doubt, NOWHERE, NOWHERE, 9.0, False, True)
    assert 0 < doubt.bits[0] < before
    assert bone_on_way(bricks, doubt.blocks, (-8.0, 0.0, 0.0), (8.0, 0.0, 0.0))[1]


def test_bricks_without_bone_are_never_doubtful_and_differences_are() -> None:
    bricks, doubt = block(), no_doubt(64)
    bricks.table[0, 0, 0] = OUTSIDE
    change_doubt(bricks, doubt, NOWHERE, NOWHERE, 100.0, True, False)
    assert doubt.blocks[0] == 0
    assert doubt.bits[0] == 64 * (bricks.table != OUTSIDE).sum()
    assert (bricks.table == INSIDE).any()
    fresh, cells = no_doubt(64), np.zeros((BRICK, BRICK, BRICK), np.int8)
    other = cells.copy()
    other[5, 11, 0] = 1
    doubt_differences(fresh, 3, cells, other)
    assert fresh.bits[0] == 1 and fresh.blocks[3] == np.uint64(1) << np.uint64(16 + 8)
