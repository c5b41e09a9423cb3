"""A tilted stack on a square grid: what no slice reached was not scanned, in the volume and in the case that is made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.scene.build import Wanted
from navtwin.scene.case import load_scene
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from navtwin.volumes.dicom.pixels import AIR_HU
from navtwin.volumes.dicom.read import read_dicom

from .made import moved, series, write_slices

TILT = (0.0, 1.5, 2.0)


def test_the_scanned_region_is_where_slices_are(tmp_path: Path) -> None:
    volume = read_dicom(write_slices(tmp_path / "s", series(8, step=TILT)), resample=True)
    known = volume.hu > AIR_HU
    assert 0.2 < known.mean() < 0.8, "the field itself is never air"
    T = volume.T_ct_from_ijk
    for k, j, i in np.ndindex(volume.hu.shape):
        x, y, z = (float(v) for v in (T @ (i, j, k, 1.0))[:3])
        # A voxel reaches half its side beyond its centre; the interpolation stops at the centres.
        if known[k, j, i]:
            assert volume.box.contains((x, y, z))
        elif not known[k, max(j - 1, 0) : j + 2, i].any():
            assert not volume.box.contains((x, y, z))


def test_a_straight_stack_was_scanned_whole(tmp_path: Path) -> None:
    assert read_dicom(write_slices(tmp_path / "s", series(5))).scanned is None


def test_the_case_keeps_it_and_tells_a_surface_that_was_cut(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "s", series(8, step=TILT))
    wanted = [Wanted("all", "context", (), threshold_hu=-1000.0)]
    build_case(tmp_path / "case", name="tilted", sources=Sources(ct=folder, resample=True), wanted=wanted)
    scene = load_scene(tmp_path / "case")
    volume = read_dicom(folder, resample=True)
    assert volume.scanned is not None
    assert scene.volume.shape_ijk == volume.scanned.shape_ijk
    assert np.array(scene.volume.T_ijk_from_ct) == pytest.approx(np.array(volume.scanned.T_ijk_from_ct), abs=1e-6)
    assert scene.structures[0].capped


def test_slices_that_stray_are_no_box(tmp_path: Path) -> None:
    slices = moved(series(8, step=TILT), {3: (0.0, 4.0, 0.0)})
    with pytest.raises(InputRefused, match="stray"):
        read_dicom(write_slices(tmp_path / "s", slices), resample=True)
