"""Landmarks, poses and a judgement that these tests share."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from benchmarks.accuracy_parts.study import Study
from navtwin.rigid import Rigid

CT = np.array([(0, 0, 0), (60, 5, 0), (5, 45, 3), (-10, 20, 40), (50, 40, 35), (20, -30, 15)], dtype=np.float64)
NAMES = ("spinous", "left tip", "right tip", "upper", "lower", "base")


def pose(seed: int) -> Rigid:
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=rng).as_matrix()
    matrix[:3, 3] = rng.normal(size=3) * 200.0
    return Rigid.from_matrix(matrix, target="ct", source="ref")


def observed_over_predicted(found: Study) -> float:
    """RMS over all trials and targets."""
    return float(np.sqrt(np.square(found.tre_mm).mean() / np.square(found.predicted_mm).mean()))
