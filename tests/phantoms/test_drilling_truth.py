from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.nouns import Part
from navtwin.scene.carvable import Carvable
from phantoms.drilling.cuts import NEVER_S, Cuts
from phantoms.drilling.felt import Felt
from phantoms.drilling.meshed import meshed
from phantoms.drilling.truth import TrueBone, capsule_distances, closest_on
from phantoms.motion import Poses
from phantoms.shapes import Box, Sphere, Tube, Union

BOX = Box((0.0, 0.0, 0.0), (10.0, 8.0, 5.0), 1.0)


def some_cuts(count: int = 60, seed: int = 1, radius_mm: float = 2.0) -> Cuts:
    """A path that wanders through the upper half of the box, with leaps in it."""
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(0.0, 0.9, (count + 1, 3)), axis=0)
    path = np.clip(path - path.mean(axis=0) + (0.0, 0.0, 4.0), (-7.0, -5.0, 1.0), (7.0, 5.0, 8.0))
    return Cuts(path[:-1], path[1:], np.arange(1.0, count + 1.0), radius_mm)


def brute_distances(cuts: Cuts, p: np.ndarray) -> np.ndarray:
    """(N, K) distances to every stroke, by the shapes' own formula."""
    tubes = [Tube((tuple(a), tuple(b + 1e-12)), cuts.radius_mm) for a, b in zip(cuts.start_mm, cuts.end_mm, strict=True)]
    return np.stack([tube.distance_mm(p) for tube in tubes], axis=1)


def test_distance_and_time_of_cutting_against_brute_force() -> None:
    cuts = some_cuts()
    p = np.random.default_rng(2).uniform((-14.0, -12.0, -9.0), (14.0, 12.0, 14.0), (3000, 3))
    each = brute_distances(cuts, p)
    assert cuts.distance_mm(p) == pytest.approx(each.min(axis=1), abs=1e-9)
    inside = each < 0.0
    first = np.where(inside.any(axis=1), cuts.time_s[np.argmax(inside, axis=1)], NEVER_S)
    assert (cuts.first_s(p) == first).all() and np.isfinite(first).sum() > 50
    early = cuts.until(20.5)
    assert len(early) == 20 and early.distance_mm(p) == pytest.approx(each[:, :20].min(axis=1), abs=1e-9)


def test_without_cuts_nothing_is_gone() -> None:
    none = some_cuts().until(0.0)
    bone = TrueBone(BOX, none)
    p = np.random.default_rng(2).uniform(-9.0, 9.0, (200, 3))
    assert len(none) == 0 and (none.first_s(p) == NEVER_S).all()
    assert (bone.drilled_distance_mm(p) == BOX.distance_mm(p)).all() and (bone.removed_mm3([0.0, 9.0]) == 0.0).all()


@pytest.mark.parametrize("length_mm, radius_mm", [(0.0, 2.0), (5.0, 2.0), (3.0, 1.5)])
def test_volume_of_a_hole_within_bone(length_mm: float, radius_mm: float) -> None:
    end = np.array([(0.3 + length_mm, 0.1, 0.2)])
    bone = TrueBone(Box((0.0, 0.0, 0.0), (12.0, 12.0, 12.0)), Cuts(np.array([(0.3, 0.1, 0.2)]), end, np.array([1.0]), radius_mm))
    exact = np.pi * radius_mm**2 * (length_mm + 4.0 / 3.0 * radius_mm)
    before, after = bone.removed_mm3([0.5, 1.5], side_mm=0.1)
    assert before == 0.0 and after == pytest.approx(exact, rel=3e-3)


@given(seed=st.integers(0, 10_000), split=st.integers(1, 19))
@settings(max_examples=12, deadline=None)
def test_volume_never_shrinks_and_cutting_twice_is_cutting_once(seed: int, split: int) -> None:
    cuts = some_cuts(20, seed)
    volumes = TrueBone(BOX, cuts).removed_mm3([split, 20.0], side_mm=0.6)
    assert 0.0 <= volumes[0] <= volumes[1]
    again = Cuts(np.concatenate([cuts.start_mm] * 2), np.concatenate([cuts.end_mm] * 2), np.arange(1.0, 41.0), cuts.radius_mm)
    assert TrueBone(BOX, again).removed_mm3([20.0, 40.0], side_mm=0.6) == pytest.approx([volumes[1], volumes[1]])


def test_drilled_distance_to_walls_of_a_trough() -> None:
    """A long stroke along the top of the box leaves a round trough: its depth and its sides are known."""
    bone = TrueBone(BOX, Cuts(np.array([(-6.0, 0.0, 5.0)]), np.array([(6.0, 0.0, 5.0)]), np.array([1.0]), 2.0))
    p = np.array([(0.0, 0.0, 4.0), (0.0, 0.0, 2.0), (0.0, 0.0, 0.0), (0.0, 4.0, 6.0)])
    assert bone.drilled_distance_mm(p) == pytest.approx([1.0, -1.0, -3.0, 1.0])
    assert bone.drilled_distance_mm(p, 0.5) == pytest.approx(BOX.distance_mm(p))


def test_thickness_on_a_way_at_its_own_time() -> None:
    bone = TrueBone(BOX, Cuts(np.array([(-6.0, 0.0, 5.0)]), np.array([(6.0, 0.0, 5.0)]), np.array([1.0]), 2.0))
    starts, ends = np.array([(0.0, 0.0, 8.0)] * 3 + [(0.0, 0.0, 8.0)]), np.array([(0.0, 0.0, -8.0)] * 3 + [(0.0, 0.0, 6.0)])
    left = bone.bone_on_ways_mm(starts, ends, np.array([0.5, 1.0, 9.0, 9.0]))
    assert left == pytest.approx([10.0, 8.0, 8.0, 0.0], abs=16.0 / 72.0)
    near = bone.bone_on_ways_mm(np.array([(0.0, 0.0, -4.0)]), np.array([(0.0, 0.0, -6.0)]), np.array([9.0]))
    assert near == pytest.approx([1.0], abs=0.03)


def test_capsules_of_a_tool_against_brute_force() -> None:
    shape = Union((Tube(((-20.0, 3.0, 1.0), (20.0, -2.0, 4.0)), 1.0), Sphere((4.0, 9.0, -6.0), 3.0)))
    rng = np.random.default_rng(6)
    tips = rng.uniform(-12.0, 12.0, (80, 3))
    turn = np.linalg.qr(rng.standard_normal((80, 3, 3)))[0]
    neck = Part(name="neck", from_mm=(0.5, 0.0, 0.0), to_mm=(0.5, 0.0, -40.0), radius_mm=1.2)
    burr = Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=2.0)
    assert capsule_distances(shape, burr, Poses(turn, tips)) == pytest.approx(shape.distance_mm(tips) - 2.0)
    along = np.linspace(0.0, -40.0, 4001)
    line = (tips + turn @ np.array((0.5, 0.0, 0.0)))[:, None, :] + along[:, None] * turn[:, None, :, 2]
    exact = np.array([shape.distance_mm(one).min() for one in line]) - 1.2
    found = capsule_distances(shape, neck, Poses(turn, tips))
    near = exact < 5.0
    assert near.sum() > 20 and (found >= exact - 1e-9).all()
    assert found[near] == pytest.approx(exact[near], abs=0.01) and found == pytest.approx(exact, abs=0.35)


def test_closest_points_lie_on_the_shape() -> None:
    shape = Tube(((-20.0, 0.0, 0.0), (20.0, 0.0, 0.0)), 2.0)
    assert closest_on(shape, np.array([(3.0, 7.0, 0.0)])) == pytest.approx(np.array([(3.0, 2.0, 0.0)]), abs=1e-6)
    felt = Felt(shape.distance_mm, np.zeros((0, 3))).closest([(3.0, 7.0, 0.0)])
    assert felt.distance_mm == pytest.approx([5.0]) and felt.point_mm == pytest.approx(np.array([(3.0, 2.0, 0.0)]), abs=1e-6)


def test_a_carved_field_comes_out_at_the_truth() -> None:
    """The product's own drilled bone at 0.2 mm, cut along the same strokes: wall and volume."""
    cuts, whole = some_cuts(40), Box((0.0, 0.0, 1.0), (8.0, 6.0, 4.0), 1.0)
    bone = TrueBone(whole, cuts)
    field = Carvable(meshed(whole, 0.5), 0.2)
    for a, b in zip(cuts.start_mm, cuts.end_mm, strict=True):
        field.carve(a, b, cuts.radius_mm)
    apart = np.abs(bone.drilled_distance_mm(field.surface().vertices_mm))
    assert apart.mean() <= 0.05
    assert field.removed_mm3 == pytest.approx(bone.removed_mm3([np.inf], side_mm=0.1)[0], rel=0.005)
