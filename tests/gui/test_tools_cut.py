"""Where slices cut what is being drawn: against circles and squares that are known."""

from __future__ import annotations

from math import acos, pi, sqrt
from pathlib import Path

import numpy as np
import pytest

from gui.case.tools.cut import cut_shape, cut_threshold, level_lines, rim
from gui.case.tools.overlay import coarser
from gui.slices.painting import to_px
from navtwin.scene.author.chain import chain_of
from navtwin.scene.author.painted import slices_of
from navtwin.scene.author.recipe import Cut, Outline, Painted, Sphere, Threshold, Tube
from navtwin.scene.reslice import Field, Reslicer
from navtwin.scene.slices import ACROSS, PLANES, Plane
from navtwin.volumes.volume import placed
from tests.gui.tools_room import BALL_MM, BALL_RADIUS_MM, HU, bright


@pytest.fixture(scope="module")
def reslicer() -> Reslicer:
    return Reslicer(placed(bright(), np.eye(4), Path("scan.nii")))


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("size", [(401, 301), (400, 302)])
def test_a_sphere_is_cut_in_a_circle_of_the_right_place_and_radius(plane: Plane, size: tuple[int, int]) -> None:
    centre = (5.0, 1.0, 2.0)
    field = Field(plane, (3.0, 4.0, 6.0), 0.3, *size)
    found = cut_shape(chain_of(Sphere(centre, 10.0)), field)
    assert found is not None
    off = field.at_mm[ACROSS[plane]] - centre[ACROSS[plane]]
    away = np.linalg.norm(found.lines_px().reshape(-1, 2) - to_px(centre, field), axis=1) * 0.3
    assert away == pytest.approx(sqrt(100.0 - off**2), abs=0.01)


def test_a_slice_that_misses_cuts_nothing() -> None:
    ball = chain_of(Sphere((0.0, 0.0, 0.0), 10.0))
    assert cut_shape(ball, Field("axial", (0.0, 0.0, 10.5), 0.5, 100, 100)) is None
    assert cut_shape(ball, Field("axial", (80.0, 0.0, 0.0), 0.5, 100, 100)) is None
    part = cut_shape(ball, Field("axial", (30.0, 0.0, 0.0), 0.5, 100, 100))
    assert part is not None and part.values.shape[1] < 30, "only what is in the picture is worked out"


def test_painted_slices_are_cut_between_as_the_engine_builds_them() -> None:
    square = [Outline(((-r, -r, z), (r, -r, z), (r, r, z), (-r, r, z))) for r, z in ((5.0, 0.0), (9.0, 10.0))]
    shape = slices_of(Painted(tuple(square)))
    found = cut_shape(shape, Field("axial", (0.0, 0.0, 5.0), 0.1, 300, 300))
    assert found is not None
    x = np.abs(found.lines_px() - 150.0).reshape(-1, 2).max(axis=1) * 0.1
    assert np.median(x) == pytest.approx(7.0, abs=0.1)
    side = cut_shape(shape, Field("coronal", (0.0, 0.0, 5.0), 0.1, 300, 300))
    assert side is not None and side.values.min() < 0.0


def test_a_line_through_a_field_is_linear_between_its_nodes() -> None:
    columns, rows = np.meshgrid(np.arange(20.0), np.arange(10.0))
    lines = level_lines((columns + 0.5 * rows - 7.25).astype(np.float32))
    assert np.abs(lines[..., 0] + 0.5 * lines[..., 1] - 7.25).max() < 1e-5
    assert len(level_lines(np.array([[1, -1], [-1, 1]], dtype=np.float32))) == 2, "a saddle has two pieces"
    assert len(level_lines(np.ones((3, 3), np.float32))) == 0


@pytest.mark.parametrize("plane", PLANES)
def test_what_is_above_a_threshold_is_as_large_as_it_is(reslicer: Reslicer, plane: Plane) -> None:
    field = Field(plane, BALL_MM, 0.2, 110, 110)
    mask = cut_threshold(Threshold(HU), reslicer, field)
    assert mask.sum() * 0.04 == pytest.approx(pi * BALL_RADIUS_MM**2, rel=0.01)
    shell = cut_threshold(Threshold(HU, upper_hu=HU + 300.0), reslicer, field)
    assert shell.sum() * 0.04 == pytest.approx(pi * (BALL_RADIUS_MM**2 - (BALL_RADIUS_MM - 3.0) ** 2), rel=0.03)
    edge = rim(mask)
    assert edge.sum() < 0.2 * mask.sum() and (edge & ~mask).sum() == 0


@pytest.mark.parametrize("plane", PLANES)
def test_crop_and_cuts_hold_in_every_plane(reslicer: Reslicer, plane: Plane) -> None:
    field = Field(plane, BALL_MM, 0.2, 110, 110)
    whole = cut_threshold(Threshold(HU), reslicer, field).sum()
    r, d = BALL_RADIUS_MM, 3.0
    segment = (r * r * acos(d / r) - d * sqrt(r * r - d * d)) / 0.04
    for axis in range(3):
        across = axis == ACROSS[plane]
        keep = tuple(float(n == axis) for n in range(3))
        at = tuple(v + d for v in BALL_MM)
        part = cut_threshold(Threshold(HU, cut=(Cut(at, keep),)), reslicer, field).sum()  # type: ignore[arg-type]
        assert part == (0 if across else pytest.approx(segment, rel=0.03))
        crop = [0.0, 0.0, 0.0, 40.0, 40.0, 40.0]
        crop[axis + 3] = BALL_MM[axis] - d
        cropped = cut_threshold(Threshold(HU, crop_mm=tuple(crop)), reslicer, field).sum()  # type: ignore[arg-type]
        assert cropped == (0 if across else pytest.approx(segment, rel=0.03))
        crop[axis + 3] = BALL_MM[axis] + r + 1.0
        assert cut_threshold(Threshold(HU, crop_mm=tuple(crop)), reslicer, field).sum() == whole  # type: ignore[arg-type]


def test_on_a_large_screen_the_same_is_looked_at_in_fewer_pixels(reslicer: Reslicer) -> None:
    fine = Field("axial", BALL_MM, 0.02, 1101, 1100)
    coarse = coarser(fine)
    assert coarse.width_px * coarse.height_px <= 260_000 and coarse.width_px * coarse.mm_per_px >= 1101 * 0.02
    share = (coarse.mm_per_px / fine.mm_per_px) ** 2
    assert cut_threshold(Threshold(HU), reslicer, coarse).sum() * share == pytest.approx(cut_threshold(Threshold(HU), reslicer, fine).sum(), rel=0.01)
    small = Field("axial", BALL_MM, 0.2, 300, 200)
    assert coarser(small) is small


def test_a_long_tube_is_cut_wherever_it_passes() -> None:
    turn = np.linspace(0.0, 4 * pi, 40)
    tube = Tube(tuple((float(12 * np.cos(t)), float(12 * np.sin(t)), float(2 * t)) for t in turn), (2.0,))
    found = cut_shape(chain_of(tube), Field("coronal", (0.0, 0.0, 12.0), 0.1, 400, 400))
    assert found is not None
    # Where it passes through y = 0: four whole times, and its first end.
    from scipy import ndimage

    assert ndimage.label(found.values < 0.0)[1] == 5
