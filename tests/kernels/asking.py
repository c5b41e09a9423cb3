"""Asking kernels from tests."""

from __future__ import annotations

import numpy as np

from navtwin.kernels.point import closest_points
from navtwin.kernels.tree import Forest, workspace


def ask(forest: Forest, tree: int, points: np.ndarray, within: float = np.inf) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signed distances, closest points and faces of many points."""
    out = np.empty(len(points)), np.empty((len(points), 3)), np.empty(len(points), np.int32)
    closest_points(forest, tree, points, within, *out, workspace())
    return out
