"""A segmentation must lie where its CT lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.volumes.labels.placing import refuse_elsewhere
from navtwin.volumes.labels.segments import Layers, Segmentation
from navtwin.volumes.volume import placed
from tests.volumes.labels.made import SHAPE_IJK, T_ct_from_ijk, masks, scan


def packed(T: np.ndarray, **wanted: np.ndarray) -> Segmentation:
    shape = next(iter(wanted.values())).shape
    layers = Layers(shape)
    for name, mask in wanted.items():
        layers.add(name, "", mask)
    return layers.segmentation(T, Path("labels.nrrd"))


def test_on_the_scan_and_on_a_grid_of_its_own() -> None:
    assert refuse_elsewhere(packed(T_ct_from_ijk(), **masks()), scan()) == ()
    finer = T_ct_from_ijk() @ np.diag((0.5, 0.5, 0.5, 1.0))
    bone = np.kron(masks()["bone"], np.ones((2, 2, 2), dtype=bool))
    (said,) = refuse_elsewhere(packed(finer, bone=bone), scan())
    assert "a grid of its own: 48 x 40 x 20 voxels of 0.4 x 0.4 x 1 mm, the CT has 24 x 20 x 10" in said
    assert refuse_elsewhere(replace(packed(finer, bone=bone), crops=True), scan()) == ()


def test_the_same_box_with_axes_stored_the_other_way_round() -> None:
    ni, nj, _ = SHAPE_IJK
    turned = T_ct_from_ijk() @ np.array([(-1.0, 0, 0, ni - 1), (0, 0, -1.0, nj - 1), (0, 1.0, 0, 0), (0, 0, 0, 1.0)])
    bone = np.transpose(masks()["bone"], (1, 0, 2))[::-1, :, ::-1].copy()
    found = packed(turned, bone=bone)
    assert refuse_elsewhere(found, scan()) == ()


def test_the_scans_own_voxels_elsewhere() -> None:
    moved = T_ct_from_ijk()
    moved[0, 3] += 0.3
    with pytest.raises(InputRefused, match=r"has the voxels of scan but lies up to 0\.3 mm away"):
        refuse_elsewhere(packed(moved, **masks()), scan())
    mirrored = np.diag((-1.0, -1.0, 1.0, 1.0)) @ T_ct_from_ijk()
    with pytest.raises(InputRefused, match=r"lies up to .* mm away from it: at x -7 to 12"):
        refuse_elsewhere(packed(mirrored, **masks()), scan())


def test_a_mirrored_grid_of_its_own_is_told_by_name() -> None:
    mirrored = np.diag((-1.0, -1.0, 1.0, 1.0)) @ T_ct_from_ijk()
    with pytest.raises(InputRefused, match=r"0 % of the labelled voxels .* with x and y negated all of them would lie in it"):
        refuse_elsewhere(packed(mirrored, bone=masks()["bone"][:-1]), scan())


def test_labels_in_metres_away() -> None:
    far = T_ct_from_ijk()
    far[2, 3] += 3000.0
    with pytest.raises(InputRefused, match=r"their middles 3000 mm apart.*made from this CT"):
        refuse_elsewhere(packed(far, bone=masks()["bone"][:-1]), scan())


def test_labels_that_go_beyond_the_scan_are_kept_and_named() -> None:
    moved = T_ct_from_ijk()
    moved[2, 3] += 8.0
    said, _ = refuse_elsewhere(packed(moved, vessel=masks()["vessel"][:-1]), scan())
    assert "22.2 % of the labelled voxels of labels.nrrd lie outside the CT" in said


def test_no_label_at_all() -> None:
    empty = Segmentation((placed(np.zeros((4, 4, 4), dtype=np.uint8), T_ct_from_ijk(), Path("e")),), ())
    with pytest.raises(InputRefused, match="e has no labelled voxel"):
        refuse_elsewhere(empty, scan())
