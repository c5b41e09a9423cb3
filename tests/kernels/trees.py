"""What must be true of any tree: asked after building, refitting and replacing."""

from __future__ import annotations

import numpy as np

from navtwin.kernels.simd import FAR, WIDTH
from navtwin.kernels.tree import LEAF, NODE, Forest


def faces_below(forest: Forest, tree: int) -> list[int]:
    """The faces that a walk from the root finds, on the way checking that every box holds what is below, and every leaf its triangles."""
    boxes, children = forest.boxes.reshape(-1, 6, WIDTH).astype(float), forest.children.reshape(-1, WIDTH)
    corners, held = forest.leaf_corners.reshape(-1, 9, WIDTH), forest.leaf_faces.reshape(-1, WIDTH)
    assert len(forest.boxes) == NODE * len(children)
    assert len(forest.leaf_corners) == LEAF * len(held)
    found: list[int] = []

    def leaf_points(leaf: int) -> np.ndarray:
        used = held[leaf] >= 0
        found.extend(held[leaf][used].tolist())
        points = forest.vertices[forest.faces[held[leaf][used]]] - forest.centre[tree]
        a, u, v = corners[leaf].reshape(3, 3, WIDTH)[:, :, used].transpose(0, 2, 1).astype(float)
        np.testing.assert_allclose(np.stack([a, a + u, a + v], 1), points, rtol=0, atol=4e-7 * np.abs(points).max() + 1e-30)
        assert (corners[leaf][:3, ~used] == np.float32(FAR)).all()
        return points.reshape(-1, 3)

    def points_below(node: int) -> np.ndarray:
        every = []
        for k in np.flatnonzero(boxes[node, 0] < 0.5 * FAR):
            child = children[node, k]
            points = leaf_points(~child) if child < 0 else points_below(child)
            assert (boxes[node, :3, k] <= points.min(axis=0)).all()
            assert (boxes[node, 3:, k] >= points.max(axis=0)).all()
            every.append(points)
        return np.concatenate(every) if every else np.empty((0, 3))

    points = points_below(int(forest.roots[tree]))
    assert len(points) == 0 or np.abs(points).max() <= forest.reach[tree] * (1.0 + 1e-12)
    return found
