from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from scipy.spatial.transform import Rotation

from navtwin import kernels
from navtwin.kernels.clear import stays_beyond
from navtwin.kernels.jit import query
from navtwin.kernels.screw import screw_between
from navtwin.kernels.sweep import swept_capsule
from tests.kernels import meshes
from tests.kernels.test_frame import scene
from tests.kernels.test_sweep import PLATE, any_move, pose, random_move, sampled, shaft, sweep

F64 = np.ndarray


@query
def is_clear(forest: kernels.Forest, part: F64, before: F64, after: F64, limit: float, work: kernels.Workspace) -> bool:
    return stays_beyond(forest, 0, screw_between(part, before, after)[1], part[6] + limit, work)


@settings(max_examples=60, deadline=None)
@any_move
def test_what_is_called_clear_is(seed: int, degrees: float, mm: float, length: float, radius: float) -> None:
    """At no moment nearer than was asked, whatever was asked."""
    forest, work = kernels.plant(*meshes.torus(nu=48, nv=24))[0], kernels.workspace()
    part, (before, after) = shaft(length, radius), random_move(np.random.default_rng(seed), degrees, mm)
    at, _ = sampled(forest, part, before, after)
    least = float(at.min())
    for limit in (least + 1e-6, least + 0.01, least + 1.0, 0.0, 2.0, 10.0, np.inf):
        assert not (is_clear(forest, part, before, after, limit, work) and least < limit - 1e-9)


def test_most_ways_that_are_clear_are_called_so() -> None:
    """Less than a hundredth of a millimetre nearer than they come."""
    forest, work, rng = kernels.plant(*meshes.torus(nu=48, nv=24))[0], kernels.workspace(), np.random.default_rng(0)
    said, asked = 0, 0
    for _ in range(200):
        part, (before, after) = shaft(150.0, 1.5), random_move(rng, 1.0, 1.0)
        hit = sweep(forest, part, before, after)
        if hit.clearance > 0.0:
            asked += 1
            said += is_clear(forest, part, before, after, hit.clearance - 0.005, work)
    assert asked > 50
    assert said > 0.95 * asked


@pytest.mark.parametrize("radius", [0.0, 0.1])
def test_nothing_that_passes_through_a_plate_is_clear(radius: float) -> None:
    forest, rng, work = kernels.plant(*meshes.box(PLATE))[0], np.random.default_rng(1), kernels.workspace()
    for length in (0.0, 120.0):
        for _ in range(100):
            tip = np.array([*rng.uniform(-25, 25, 2), rng.uniform(2.5, 30.0)])
            up, down = pose(Rotation.identity(), tip), pose(Rotation.identity(), tip * [1.0, 1.0, -1.0])
            assert not is_clear(forest, shaft(length, radius), up, down, 1e-9, work)


def test_a_frame_tells_what_a_sweep_of_each_way_tells() -> None:
    """Whether or not the sweep was spared: to the bit."""
    forest, work, rng = scene(), kernels.workspace(), np.random.default_rng(3)
    parts = np.array([shaft(0.0, 1.0), shaft(60.0, 0.5)])
    frame, told = kernels.new_frame(parts, 4), 0
    frame.watch[:] = 10.0
    for _ in range(300):
        before, after = random_move(rng, 10.0, 10.0, 40.0)
        for now in (before, after):
            frame.earlier[:], frame.now[:] = frame.now, now
            last = frame.distance.copy()
            kernels.measure_frame(forest, frame, work)
        for p in range(2):
            for s in range(4):
                ends = min(last[p, s], frame.distance[p, s])
                hit = swept_capsule(forest, s, parts[p], before, after, -1, 10.0, work)
                is_told = ends > 0.0 and hit.is_known and not hit.farther and hit.clearance < ends - 0.01
                expected = (hit.clearance, hit.when) if is_told else (np.nan, np.nan)
                np.testing.assert_array_equal((frame.swept[p, s], frame.swept_when[p, s]), expected)
                told += is_told
    assert told > 20
