from __future__ import annotations

import numpy as np
import pytest

from navtwin.scene.batches import LEAST_BATCH, in_batches, walk_order
from navtwin.scene.surface import Surface
from tests.kernels import meshes


@pytest.mark.parametrize("count", [0, 1, LEAST_BATCH - 1, LEAST_BATCH, 3 * LEAST_BATCH + 7])
def test_every_one_is_asked_once(count: int) -> None:
    asked = np.zeros(count, int)

    def ask(batch: slice) -> None:
        asked[batch] += 1

    in_batches(ask, count)
    assert (asked == 1).all()


def test_scattered_points_are_walked_from_neighbour_to_neighbour() -> None:
    points = np.random.default_rng(0).uniform(-100, 100, (20_000, 3))
    order = walk_order(points)
    assert order is not None
    assert sorted(order) == list(range(len(points)))
    steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1)
    assert steps.mean() < 0.15 * np.linalg.norm(np.diff(points, axis=0), axis=1).mean()


def test_a_path_keeps_its_order() -> None:
    t = np.linspace(0, 6, 20_000)
    assert walk_order(np.stack([np.cos(t), np.sin(t), t], -1) * 50) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_order_and_batches_change_no_bit(bad: float) -> None:
    surface = Surface.from_arrays(*meshes.torus())
    points = np.random.default_rng(1).uniform(-60, 60, (2 * LEAST_BATCH + 5, 3))
    points[17] = bad
    many = surface.closest(points)
    probe = surface.probe()
    for k in (*range(0, len(points), 97), 17):
        one = probe(*points[k])
        assert np.array_equal(one, many.distance_mm[k], equal_nan=True)
        assert np.array_equal(probe.point_mm, many.point_mm[k], equal_nan=True)
        assert probe.face == many.face[k]
