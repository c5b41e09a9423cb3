"""A case without structures, as a surgeon's own CT is at first: it can be looked at all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.scene.model import Patient, Scene
from navtwin.scene.views import region
from navtwin.volumes.volume import volume_box


def test_bounds_hold_every_voxel_whole_and_nothing_more() -> None:
    """Voxels of 2 x 3 x 4 mm, their second axis turned round: their faces, not their centres, are the bounds."""
    T = np.diag((2.0, -3.0, 4.0, 1.0))
    T[:3, 3] = (10.0, 20.0, 30.0)
    low, high = volume_box(T, (5, 6, 7)).bounds_mm()
    assert low == pytest.approx((9.0, 20.0 - 3.0 * 5.5, 28.0))
    assert high == pytest.approx((10.0 + 2.0 * 4.5, 21.5, 30.0 + 4.0 * 6.5))


def test_the_region_of_a_case_without_structures_is_its_scan() -> None:
    T = np.diag((1.0, 1.0, 2.0, 1.0))
    scene = Scene("bare", (), (), (), Patient(), volume_box(T, (100, 80, 60)), Path("ct.nii.gz"), Path(), "hash")
    middle, radius = region(scene)
    assert middle == pytest.approx((49.5, 39.5, 59.0))
    assert radius > np.linalg.norm((100.0, 80.0, 120.0)) / 2.0
