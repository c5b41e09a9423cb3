"""Cutting: volumes and walls of analytic solids, what only grazes, the order of cuts, and which bricks must be laid anew."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from navtwin.kernels.bone.bricks import BRICK, CLAMP, INSIDE, OUTSIDE, STEPS, Bricks, gather
from navtwin.kernels.bone.cut import FILLED, PARTS, bricks_in_reach, cut, cut_on_way, way_of
from navtwin.kernels.bone.fill import bricks_of, empty_bricks, steps_of, with_slots
from navtwin.kernels.bone.fingerprint import rehash_all
from navtwin.kernels.bone.journal import new_journal, with_room
from navtwin.kernels.bone.profile import CYLINDER, PEAR, SPHERE, Solid, Stroke, distance_to, extent_of, least_distance
from navtwin.kernels.normals import plant
from tests.kernels import meshes

SIDE = 0.45
AXIS = (0.0, 0.0, -1.0)
SOLIDS = {
    "ball": Solid(SPHERE, 2.0, 0.0, 0.0),
    "cylinder": Solid(CYLINDER, 2.0, 5.0, 0.0),
    "pear": Solid(PEAR, 2.0, 4.0, 1.0),
    "blunt pear": Solid(PEAR, 2.0, 0.7, 1.2),
}


def rock(half: int = 2) -> Bricks:
    """Solid wherever there is grid, but for the outermost bricks."""
    n = 2 * half + 2
    table = np.full((n, n, n), OUTSIDE, np.int32)
    table[1:-1, 1:-1, 1:-1] = INSIDE
    bricks = with_slots(empty_bricks(np.full(3, -(BRICK * n / 2 - 0.5) * SIDE), SIDE, table, 8), (2 * half) ** 3)
    rehash_all(bricks)
    return bricks


class Rock:
    """Bricks with journals that have room for all of them."""

    def __init__(self, half: int = 2, bricks: Bricks | None = None) -> None:
        self.bricks = rock(half) if bricks is None else with_slots(bricks, bricks.table.size)
        self.first = with_room(new_journal(self.bricks.table.size), self.bricks.table.size)
        self.stretch = with_room(new_journal(self.bricks.table.size), self.bricks.table.size)

    def cut(self, solid: Solid, tip: ArrayLike, axis: ArrayLike = AXIS, way: ArrayLike = (0.0, 0.0, 0.0)) -> float:
        stroke = Stroke(*(tuple(np.asarray(p, float).tolist()) for p in (tip, axis, way)))
        return cut(self.bricks, self.first, self.stretch, solid, stroke)[1] / PARTS * SIDE**3

    def move(self, solid: Solid, earlier: np.ndarray, now: np.ndarray) -> float:
        assert way_of(solid, earlier, now)[0]
        return cut_on_way(self.bricks, self.first, self.stretch, solid, earlier, now)[1] / PARTS * SIDE**3

    def dense(self) -> np.ndarray:
        """Millimetres at every point (k, j, i)."""
        table, bricks = self.bricks.table, np.empty((*self.bricks.table.shape, BRICK, BRICK, BRICK), np.int8)
        bricks[table == OUTSIDE], bricks[table == INSIDE] = STEPS - 1, -STEPS
        bricks[table >= 0] = self.bricks.cells[table[table >= 0]]
        n = table.shape[0] * BRICK
        return (bricks.transpose(0, 3, 1, 4, 2, 5).reshape(n, n, n) + 0.5) * (CLAMP / STEPS * SIDE)

    def points(self) -> np.ndarray:
        n = np.arange(self.bricks.table.shape[0] * BRICK) * SIDE
        return np.stack(np.meshgrid(n, n, n, indexing="ij"), -1)[..., ::-1] + self.bricks.origin


def volume_of(solid: Solid) -> float:
    r = solid.radius
    if solid.kind == SPHERE or (solid.kind == PEAR and solid.length <= r - solid.neck):
        return 4.0 / 3.0 * math.pi * r**3
    if solid.kind == CYLINDER:
        return math.pi * r * r * solid.length
    sine = (r - solid.neck) / solid.length
    cosine = math.sqrt(1.0 - sine * sine)

    def beyond(radius: float, height: float) -> float:  # a ball's cap
        return math.pi * height**2 * (3.0 * radius - height) / 3.0

    low, high = r * sine, solid.length + solid.neck * sine
    a, b = r * cosine, solid.neck * cosine
    frustum = math.pi * (high - low) * (a * a + a * b + b * b) / 3.0
    return frustum + beyond(r, r + low) + beyond(solid.neck, solid.neck - solid.neck * sine)


def pose(rotation: Rotation, tip: np.ndarray) -> np.ndarray:
    return np.concatenate([rotation.as_matrix(), np.reshape(tip, (3, 1))], axis=1).ravel()


@pytest.mark.parametrize("name", SOLIDS)
@pytest.mark.parametrize("seed", range(4))
def test_a_cutter_takes_its_volume(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = rng.normal(0, 1, 3)
    took = Rock().cut(SOLIDS[name], rng.uniform(-1, 1, 3), axis / np.linalg.norm(axis))
    assert took == pytest.approx(volume_of(SOLIDS[name]), rel=0.002)


@pytest.mark.parametrize("seed", range(4))
def test_a_stroke_of_many_capsules_takes_the_volume_of_the_long_one(seed: int) -> None:
    rng, stone = np.random.default_rng(seed), Rock()
    a, b = rng.uniform(-6, -4, 3), rng.uniform(3, 6, 3)
    stops = a + np.linspace(0, 1, 41)[:, None] * (b - a)
    took = sum(stone.cut(SOLIDS["ball"], p, AXIS, q - p) for p, q in itertools.pairwise(stops))
    assert took == pytest.approx(volume_of(SOLIDS["ball"]) + math.pi * 4.0 * np.linalg.norm(b - a), rel=0.002)


@pytest.mark.parametrize("name", SOLIDS)
def test_the_field_is_the_distance_to_the_cutter(name: str) -> None:
    """At every point, within a step: of a cutter at rest, and of one that moves on straight against many that stand on its way."""
    solid, rng, stone = SOLIDS[name], np.random.default_rng(3), Rock(1)
    axis, tip, way = rng.normal(0, 1, 3), rng.uniform(-1, 1, 3), rng.uniform(-1.5, 1.5, 3)
    axis /= np.linalg.norm(axis)
    stone.cut(solid, tip, axis, way)
    points, held = stone.points(), stone.dense()
    near = np.argwhere((np.abs(held) < 0.9 * CLAMP * SIDE) & (np.abs(points).max(-1) < (BRICK - 0.6) * SIDE))
    assert len(near) > 500
    for k, j, i in rng.choice(near, 300):
        w = points[k, j, i] - tip - np.linspace(0, 1, 201)[:, None] * way
        z = w @ axis
        rho = np.sqrt(np.maximum((w * w).sum(-1) - z * z, 0.0))
        truth = min(distance_to(solid, r, h) for r, h in zip(rho.tolist(), z.tolist(), strict=True))
        assert abs(held[k, j, i] + truth) < CLAMP / STEPS * SIDE + 0.01 * SIDE


def test_a_pear_is_the_hull_of_its_balls() -> None:
    """Its distance against the least over the balls between its ends, whose radii and places go evenly from one to the other."""
    solid = SOLIDS["pear"]
    share = np.linspace(0, 1, 4001)
    for rho, z in np.random.default_rng(0).uniform((0.0, -4.0), (5.0, 8.0), (200, 2)):
        balls = np.hypot(rho, z - share * solid.length) - (solid.radius + share * (solid.neck - solid.radius))
        if balls.min() > 0.0:
            assert distance_to(solid, rho, z) == pytest.approx(balls.min(), abs=1e-5)
        else:
            assert distance_to(solid, rho, z) < 1e-5


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(list(SOLIDS)))
def test_the_nearest_that_a_moving_cutter_comes(seed: int, name: str) -> None:
    solid, rng = SOLIDS[name], np.random.default_rng(seed)
    axis, way, x = rng.normal(0, 1, 3), rng.normal(0, 1.5, 3), rng.normal(0, 4, 3)
    axis /= np.linalg.norm(axis)
    w = x - np.linspace(0, 1, 2001)[:, None] * way
    z = w @ axis
    truth = min(distance_to(solid, r, h) for r, h in zip(np.sqrt(np.maximum((w * w).sum(-1) - z * z, 0.0)).tolist(), z.tolist(), strict=True))
    stroke = Stroke((0.0, 0.0, 0.0), tuple(axis.tolist()), tuple(way.tolist()))
    found = least_distance(solid, stroke, float(x[0]), float(x[1]), float(x[2]), 1e9, -1e9, 1e-4)
    assert truth - 1e-3 * np.linalg.norm(way) - 1e-9 <= found <= truth + 1e-4


def test_one_that_turns_takes_what_it_passes_through() -> None:
    """A cylinder that turns by a fifth of a radian while it moves: against a hundred that stand on its way."""
    solid = SOLIDS["cylinder"]
    before, after = Rotation.from_rotvec((0.1, 0.0, 0.3)), Rotation.from_rotvec((0.1, 0.2, 0.3))
    swept, stood = Rock(1), Rock(1)
    took = swept.move(solid, pose(before, np.zeros(3)), pose(after, np.array([0.4, -0.2, 0.1])))
    for t in np.linspace(0, 1, 101):
        turned = Rotation.from_rotvec((after * before.inv()).as_rotvec() * t) * before
        middle = pose(turned, t * np.array([0.4, -0.2, 0.1]))
        stood.move(solid, middle, middle)
    assert took > volume_of(solid)
    assert np.abs(swept.dense() - stood.dense()).max() < 0.06 * SIDE


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_the_order_of_cuts_nor_cutting_twice_matters(seed: int) -> None:
    rng, one, other = np.random.default_rng(seed), Rock(1), Rock(1)
    cuts = [(SOLIDS[rng.choice(list(SOLIDS))], rng.uniform(-4, 4, 3), AXIS, rng.uniform(-1, 1, 3)) for _ in range(4)]
    took = [sum(stone.cut(*c) for c in order) for stone, order in ((one, cuts), (other, cuts[::-1]))]
    assert one.bricks.total[0] == other.bricks.total[0] != 0
    assert took[0] == pytest.approx(took[1], abs=1e-9)
    hashed = int(one.bricks.total[0])
    assert [one.cut(*c) for c in cuts] == [0.0] * 4
    assert int(one.bricks.total[0]) == hashed
    rehash_all(one.bricks)
    assert int(one.bricks.total[0]) == hashed


def test_a_cutter_that_does_not_touch_changes_nothing_and_one_that_grazes_takes_what_it_grazes() -> None:
    solid, stone = SOLIDS["ball"], Rock()
    stone.cut(solid, (0.0, 0.0, 0.0), AXIS, (0.0, 0.0, 6.0))
    hashed, slots = int(stone.bricks.total[0]), int(stone.bricks.used[0])
    for k in range(12):  # smaller balls within the bore
        stone.cut(Solid(SPHERE, 1.9, 0.0, 0.0), (0.05, 0.0, 0.5 * k))
    assert int(stone.bricks.total[0]) == hashed
    assert int(stone.bricks.used[0]) == slots
    # Beside a bore of its own radius: at each height the circle's part beyond the bore's.
    deep, t = 0.4, np.linspace(-2.0, 2.0, 20001)
    left = [math.pi * r * r - shared(r, 2.0, deep) for r in np.sqrt(4.0 - t * t).tolist()]
    assert stone.cut(solid, (deep, 0.0, 3.0)) == pytest.approx(np.trapezoid(left, t), rel=0.05)


def shared(a: float, b: float, apart: float) -> float:
    """Area that two circles share."""
    if apart <= abs(a - b):
        return math.pi * min(a, b) ** 2
    u, v = (apart**2 + a * a - b * b) / (2.0 * apart), (apart**2 + b * b - a * a) / (2.0 * apart)
    return a * a * math.acos(u / a) + b * b * math.acos(v / b) - u * math.sqrt(a * a - u * u) - v * math.sqrt(b * b - v * v)


def test_a_graze_is_the_lens_that_it_takes() -> None:
    """A ball that dips into a flat wall: the cap's volume."""
    stone = Rock()
    stone.cut(Solid(CYLINDER, 9.0, 4.0, 0.0), (0.0, 0.0, 0.0))  # its end is a wall at z = -2
    for deep in (0.5, 1.0):
        took = stone.cut(SOLIDS["ball"], (12.0 * deep - 9.0, 0.3, -deep))
        assert took == pytest.approx(math.pi * deep**2 * (6.0 - deep) / 3.0, rel=0.05)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_brick_whose_surface_may_have_changed_is_queued_once(seed: int) -> None:
    block = plant(*meshes.box((9.0, 9.0, 9.0)))[0]
    rng, stone = np.random.default_rng(seed), Rock(bricks=bricks_of(block, np.full(3, -10.8), SIDE, (4, 4, 4)))
    b = stone.bricks
    stone.cut(SOLIDS["pear"], rng.uniform(-5, 5, 3))
    for _ in range(3):
        b.dirty[:], b.queued[0] = 0, 0
        before = halos(stone)
        stone.cut(SOLIDS["ball"], rng.uniform(-10, 10, 3), AXIS, rng.uniform(-1, 1, 3))
        after = halos(stone)
        queued = b.queue[: b.queued[0]].tolist()
        assert len(set(queued)) == len(queued) == int(b.dirty.sum())
        have_slots = set(np.flatnonzero(b.table.reshape(-1) >= 0).tolist())
        assert must_be_laid(before, after) <= set(queued) <= have_slots


def halos(stone: Rock) -> np.ndarray:
    found = np.empty((stone.bricks.table.size, BRICK + 2, BRICK + 2, BRICK + 2), np.int8)
    for brick in range(len(found)):
        gather(stone.bricks, brick, found[brick])
    return found


def must_be_laid(before: np.ndarray, after: np.ndarray) -> set[int]:
    """Bricks that own an edge across the surface, and see one, before or after, of which an end has changed."""
    differ, own = np.zeros(len(before), bool), np.zeros(len(before), bool)
    for axis in (1, 2, 3):
        low, high = [slice(None)] * 4, [slice(None)] * 4
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        crosses = np.any([(s[tuple(low)] < 0) != (s[tuple(high)] < 0) for s in (before, after)], axis=0)
        moved = (before[tuple(low)] != after[tuple(low)]) | (before[tuple(high)] != after[tuple(high)])
        differ |= (crosses & moved).any(axis=(1, 2, 3))
        own |= crosses[:, 1:17, 1:17, 1:17].any(axis=(1, 2, 3))
    return set(np.flatnonzero(differ & own).tolist())


def test_room_is_counted_before_it_is_needed() -> None:
    stone = Rock(1)
    for solid in SOLIDS.values():
        stone = Rock(1)
        count, bare = bricks_in_reach(stone.bricks, (1.0, 1.0, 1.0), (2.0, 0.0, 0.0), extent_of(solid) + CLAMP * SIDE)
        changed, _ = cut(stone.bricks, stone.first, stone.stretch, solid, Stroke((1.0, 1.0, 1.0), AXIS, (2.0, 0.0, 0.0)))
        assert changed <= count and stone.bricks.used[0] <= bare
        assert changed == stone.first.kept[0] == stone.stretch.kept[0] == stone.bricks.used[0] > 0


def test_steps_and_the_smoothed_step() -> None:
    """What is solid and what is not add up to a cell; and the step has unit integral and no second moment."""
    assert [steps_of(d, SIDE) for d in (-1e300, -1.0, -1e-9, 0.0, 1e300)] == [-STEPS, -STEPS, -1, 0, STEPS - 1]
    assert (FILLED + FILLED[::-1] == PARTS).all()
    u = (np.arange(-STEPS, STEPS) + 0.5) / STEPS
    kernel = -np.diff(FILLED.astype(float))
    middle = 0.5 * (u[1:] + u[:-1])
    assert kernel.sum() == PARTS
    assert abs((kernel * middle**2).sum() / PARTS) < 1e-4
