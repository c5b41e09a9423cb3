"""What a scan says of a threshold: where bone begins, and its islands, against the scan's own ball and rod."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gui.case.tools import level as tools_level
from gui.case.tools.cut import cut_threshold
from gui.case.tools.kept import kept_of, question
from gui.case.tools.level import islands_of, level_between
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import Cut, Threshold
from navtwin.scene.author.threshold import level_of
from navtwin.scene.reslice import Field, Reslicer
from navtwin.volumes.volume import Volume, placed
from tests.gui.tools_room import BALL_MM, BALL_RADIUS_MM, ROD_XY_MM, bright


def largest(edit: Threshold, volume: Volume) -> Vec3:
    return islands_of(edit, volume).largest()


def test_the_largest_island_is_the_one_that_counts_the_most_voxels() -> None:
    volume = placed(bright(), np.diag([1.0, 1.0, 1.0, 1.0]), Path("scan.nii"))
    x, y, _ = largest(Threshold(300.0), volume)
    assert np.hypot(x - ROD_XY_MM[0], y - ROD_XY_MM[1]) < 4.0
    cropped = Threshold(300.0, crop_mm=(0.0, 0.0, 0.0, 30.0, 60.0, 60.0))
    assert np.linalg.norm(np.subtract(largest(cropped, volume), BALL_MM)) < BALL_RADIUS_MM
    cut = Threshold(300.0, cut=(Cut((30.0, 0.0, 0.0), (-1.0, 0.0, 0.0)),))
    assert np.linalg.norm(np.subtract(largest(cut, volume), BALL_MM)) < BALL_RADIUS_MM
    with pytest.raises(InputRefused, match="no voxel"):
        largest(Threshold(3000.0), volume)
    rng = np.random.default_rng(1)
    two = np.where(rng.random((40, 40, 40)) < 0.2, rng.normal(900, 60, (40, 40, 40)), rng.normal(40, 30, (40, 40, 40))).astype(np.int16)
    level = level_between(placed(two, np.eye(4), Path("two.nii")))
    assert level is not None and 150 < level < 750
    assert level_between(placed(np.zeros((9, 9, 9), np.int16), np.eye(4), Path("none.nii"))) is None


def test_the_islands_that_are_picked_are_those_that_the_engine_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slices at a time, so that every island goes through several slabs; balls at random, some of which touch."""
    monkeypatch.setattr(tools_level, "_AT_A_TIME", 3 * 40 * 40)
    rng = np.random.default_rng(3)
    k, j, i = np.meshgrid(*[np.arange(40.0)] * 3, indexing="ij")
    balls = rng.uniform(3.0, 37.0, (14, 4))
    depth = np.max([2.0 + 4.0 * (r / 37.0) - np.sqrt((i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2) for x, y, z, r in balls], axis=0)
    volume = placed((300.0 + 100.0 * depth).astype(np.float32), np.eye(4), Path("balls.nii"))
    for x, y, z, _ in balls:
        edit = Threshold(300.0, seeds_mm=((float(x), float(y), float(z)),))
        found, level = islands_of(edit, volume).picked(), level_of(edit, volume)
        kept = np.zeros(volume.hu.shape, dtype=bool)
        inside = level.values < 0.0
        for at in np.argwhere(inside) + level.start[::-1]:
            kept[tuple(at)] = True
        assert (found == kept).all()


def test_what_is_kept_is_looked_up_in_slices() -> None:
    volume = placed(bright(), np.eye(4), Path("scan.nii"))
    edit = Threshold(300.0, seeds_mm=(BALL_MM,), fill_mm3=9.0)
    asked = question(edit)
    assert asked is not None and question(Threshold(300.0)) is None
    kept = kept_of((asked, volume))
    field = Field("axial", (32.0, 32.0, 20.0), 0.25, 260, 260)
    taken = cut_threshold(edit, Reslicer(volume), field)
    ball = (taken & kept.at(field)).sum() * 0.25**2
    rod = (taken & ~kept.at(field)).sum() * 0.25**2
    assert ball == pytest.approx(np.pi * BALL_RADIUS_MM**2, rel=0.01) and rod == pytest.approx(np.pi * 16.0, rel=0.02)
