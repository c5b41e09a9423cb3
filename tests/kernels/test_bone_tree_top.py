"""The top of the tree over drilled bone where the grid has few bricks: lanes that have none lead nowhere."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin import kernels
from navtwin.kernels.bone.growth import plant
from navtwin.kernels.simd import FAR, WIDTH
from tests.kernels import bone_fields as bone

SIDE = 0.5


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 2), (2, 1, 3)])
def test_lanes_without_bricks_lie_far_away(shape: tuple[int, int, int]) -> None:
    middle = 0.5 * SIDE * (16 * np.array(shape[::-1]) - 1)
    forest = plant(bone.fill(bone.ball(tuple(middle), 3.0), shape, np.zeros(3), SIDE, spare=8)).forest
    lanes = forest.boxes.reshape(-1, 6, WIDTH)[forest.roots[0]]
    led_back = forest.children.reshape(-1, WIDTH)[forest.roots[0]] == forest.roots[0]
    assert (lanes[:, led_back] == np.float32(FAR)).all()
    # Rays through the middle of the grid, along the planes between bricks.
    ways = np.concatenate((np.eye(3), -np.eye(3)))
    distance, face = np.empty(6), np.empty(6, np.int32)
    kernels.first_hits(forest, 0, middle - 20.0 * ways, ways, distance, face, kernels.workspace())
    np.testing.assert_allclose(distance, 17.0, atol=0.05)
