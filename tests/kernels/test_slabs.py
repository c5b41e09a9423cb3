from __future__ import annotations

import numpy as np
import pytest

from navtwin.kernels.normals import plant
from navtwin.kernels.simd import FAR, WIDTH
from navtwin.kernels.tree import NODE, SLAB, Forest, join
from tests.kernels import meshes


def faces_under(forest: Forest, child: int) -> list[int]:
    if child < 0:
        return [f for f in forest.leaf_faces[WIDTH * ~child : WIDTH * ~child + WIDTH].tolist() if f >= 0]
    there = forest.boxes[NODE * child : NODE * child + WIDTH] < 0.5 * FAR
    return [f for k in np.flatnonzero(there) for f in faces_under(forest, int(forest.children[WIDTH * child + k]))]


@pytest.mark.parametrize(
    "mesh", [meshes.torus(nu=40, nv=24), meshes.soup(300, 1), meshes.box(), (np.full((3, 3), 2.0), np.array([[0, 1, 2]], np.int32))]
)
def test_a_slab_holds_every_corner_below_it(mesh: meshes.Mesh) -> None:
    forest = plant(*mesh)[0]
    corners = mesh[0][mesh[1]] - forest.centre[0]
    for node in range(len(forest.children) // WIDTH):
        for k in np.flatnonzero(forest.boxes[NODE * node : NODE * node + WIDTH] < 0.5 * FAR):
            x, y, z, low, high = forest.slabs[SLAB * node + k : SLAB * (node + 1) : WIDTH].astype(float)
            along = corners[faces_under(forest, int(forest.children[WIDTH * node + k]))] @ (x, y, z)
            assert np.hypot(np.hypot(x, y), z) == pytest.approx(1.0, abs=1e-6)
            assert low <= along.min()
            assert along.max() <= high


def test_a_slab_of_a_smooth_piece_is_thin() -> None:
    """Of a leaf of a torus, some hundredths of a millimetre across, where its box measures a millimetre."""
    forest = plant(*meshes.torus(nu=240, nv=120))[0]
    slabs, boxes = forest.slabs.reshape(-1, 5, WIDTH), forest.boxes.reshape(-1, 6, WIDTH).astype(float)
    leaves = (boxes[:, 0] < 0.5 * FAR) & (forest.children.reshape(-1, WIDTH) < 0)
    assert np.median((slabs[:, 4] - slabs[:, 3])[leaves]) < 0.1 * np.median((boxes[:, 3:] - boxes[:, :3]).max(axis=1)[leaves])


def test_slabs_are_joined() -> None:
    one, other = plant(*meshes.box())[0], plant(*meshes.torus(nu=24, nv=16))[0]
    np.testing.assert_array_equal(join([one, other]).slabs, np.concatenate([one.slabs, other.slabs]))
