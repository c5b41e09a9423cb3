"""Planned against drilled: balls and slabs whose overlap, Dice and depths are known in closed form."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Structure
from navtwin.scene.removal import Planned, bricks_in, compare, grid_points, wall_points
from navtwin.scene.surface import Surface

SIDE_MM = 0.4
HALF_MM = 14.0


def mesh(shape: object) -> Surface:
    return Surface.from_arrays(shape.points, shape.regular_faces)  # type: ignore[attr-defined]


def ball(centre: tuple[float, float, float], radius: float, fine: int = 5) -> Surface:
    import pyvista as pv

    return mesh(pv.Icosphere(radius=radius, center=centre, nsub=fine))


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Surface:
    import pyvista as pv

    return mesh(pv.Box((low[0], high[0], low[1], high[1], low[2], high[2])).triangulate())


def plan(surface: Surface, name: str = "plan") -> Structure:
    return Structure(name, "context", "ref", surface, None, None, 0.3, 15.0, "#ffffff", 0.5, False, removal_of="bone")


@pytest.fixture(scope="module")
def whole() -> Carvable:
    return block()


def block() -> Carvable:
    return Carvable(box((-HALF_MM,) * 3, (HALF_MM,) * 3), SIDE_MM)


def lens_mm3(a: float, b: float, apart: float) -> float:
    """Volume that two balls share."""
    if apart >= a + b:
        return 0.0
    if apart <= abs(a - b):
        return 4.0 / 3.0 * np.pi * min(a, b) ** 3
    return float(np.pi * (a + b - apart) ** 2 * (apart**2 + 2.0 * apart * (a + b) - 3.0 * (a - b) ** 2) / (12.0 * apart))


@pytest.mark.parametrize(("apart", "over", "under"), [(0.0, 0.0, 1.0), (2.0, 1.0, 3.0), (3.0, 2.0, 4.0)])
def test_a_ball_drilled_beside_a_ball_planned(whole: Carvable, apart: float, over: float, under: float) -> None:
    planned_mm, drilled_mm = 5.0, 4.0
    left = block()
    at = np.array((apart, 0.3, -0.2))
    left.carve(at, at, drilled_mm)
    found = compare(whole, left, left.surface(), Planned.of([plan(ball((0.0, 0.3, -0.2), planned_mm))], whole))
    volumes = 4.0 / 3.0 * np.pi * planned_mm**3, 4.0 / 3.0 * np.pi * drilled_mm**3
    both = lens_mm3(planned_mm, drilled_mm, apart)
    assert found.planned_mm3 == pytest.approx(volumes[0], rel=5e-3)
    assert found.drilled_mm3 == pytest.approx(volumes[1], rel=5e-3)
    assert found.both_mm3 == pytest.approx(both, rel=1e-2)
    assert found.dice == pytest.approx(2.0 * both / sum(volumes), abs=3e-3)
    assert found.over.volume_mm3 == pytest.approx(volumes[1] - both, abs=2.0)
    assert found.under.volume_mm3 == pytest.approx(volumes[0] - both, abs=3.0)
    assert found.over.depth_mm == pytest.approx(over, abs=0.05)
    assert found.under.depth_mm == pytest.approx(under, abs=0.05)
    if over:
        assert found.over.at_mm == pytest.approx((apart + drilled_mm, 0.3, -0.2), abs=0.5)
        assert found.under.at_mm == pytest.approx((apart - drilled_mm, 0.3, -0.2), abs=0.5)
    else:
        assert found.over.at_mm is None


def test_what_is_drilled_as_planned_has_dice_1(whole: Carvable) -> None:
    left = block()
    left.carve((1.0, 2.0, 0.5), (1.0, 2.0, 0.5), 5.0)
    found = compare(whole, left, left.surface(), Planned.of([plan(ball((1.0, 2.0, 0.5), 5.0))], whole))
    assert found.dice > 0.995
    assert found.over.depth_mm < 0.06 and found.under.depth_mm < 0.06


def test_nothing_drilled(whole: Carvable) -> None:
    left = block()
    found = compare(whole, left, left.surface(), Planned.of([plan(ball((0.0, 0.0, 0.0), 5.0))], whole))
    assert (found.drilled_mm3, found.both_mm3, found.dice) == (0.0, 0.0, 0.0)
    assert found.over.at_mm is None and found.over.volume_mm3 == 0.0
    assert found.under.volume_mm3 == found.planned_mm3
    # The middle of the ball is as far from its wall as the grid has a point near it.
    assert 5.0 - SIDE_MM < found.under.depth_mm <= 5.0


def test_a_plan_that_reaches_out_of_the_bone_counts_and_measures_only_in_it(whole: Carvable) -> None:
    """A trough planned from the top down to z = 10 and drilled down to z = 11: above the bone there is nothing to miss."""
    trough = plan(box((-5.0, -5.0, 10.0), (5.0, 5.0, 30.0)))
    left = block()
    for x in np.arange(-4.0, 4.01, 0.5):
        left.carve((x, -4.0, 12.0), (x, 4.0, 12.0), 1.0)
        left.carve((x, -4.0, 13.5), (x, 4.0, 13.5), 1.0)
    found = compare(whole, left, left.surface(), Planned.of([trough], whole))
    assert found.planned_mm3 == pytest.approx(400.0, rel=0.01)
    assert found.over.volume_mm3 < 1.0
    # The corners of the trough were not reached: the ball's rounding leaves them.
    assert found.under.depth_mm == pytest.approx(1.0, abs=0.1)
    wall = wall_points(whole, left.surface())
    assert wall[:, 2].min() == pytest.approx(11.0, abs=0.05)
    assert Planned.of([trough], whole).deviation_mm(np.array(((0.0, 0.0, 11.5), (0.0, 0.0, 8.0)))) == pytest.approx((-1.5, 2.0), abs=1e-9)


def test_two_plans_are_one(whole: Carvable) -> None:
    first, second = ball((-4.0, 0.0, 0.0), 3.0), ball((-1.0, 0.0, 0.0), 3.0)
    planned = Planned.of([plan(first), plan(second, "other")], whole)
    left = block()
    for x in (-4.0, -1.0):
        left.carve((x, 0.0, 0.0), (x, 0.0, 0.0), 3.0)
    found = compare(whole, left, left.surface(), planned)
    union = 2.0 * 4.0 / 3.0 * np.pi * 27.0 - lens_mm3(3.0, 3.0, 3.0)
    assert found.planned_mm3 == pytest.approx(union, rel=5e-3)
    assert found.dice > 0.995
    # Where one ends within the other nothing is to be left standing.
    assert abs(planned.deviation_mm(np.array(((-2.5, 0.0, 0.0),)))[0]) > 2.0


@cache
def made_once() -> tuple[Carvable, Carvable, Planned]:
    before = block()
    return before, block(), Planned.of([plan(ball((0.0, 0.0, 0.0), 5.0, fine=4))], before)


@settings(max_examples=4, deadline=None)
@given(st.tuples(*3 * (st.floats(-5.0, 5.0),)), st.floats(1.5, 4.0))
def test_what_is_both_is_no_more_than_either(at: tuple[float, float, float], radius: float) -> None:
    before, left, planned = made_once()
    left.put(left.changed, left.whole_cells(left.changed))
    left.carve(at, at, radius)
    found = compare(before, left, left.surface(), planned)
    assert 0.0 <= found.both_mm3 <= min(found.planned_mm3, found.drilled_mm3)
    assert found.both_mm3 == pytest.approx(lens_mm3(5.0, radius, float(np.linalg.norm(at))), abs=0.01 * found.drilled_mm3 + 0.5)
    assert found.drilled_mm3 == pytest.approx(4.0 / 3.0 * np.pi * radius**3, rel=0.012)


def test_points_of_the_grid_are_where_the_bone_has_them(whole: Carvable) -> None:
    low, high = np.array((-13.1, 2.1, -1.1)), np.array((-9.1, 3.1, 1.3))
    numbers = bricks_in(whole, low, high)
    points = np.concatenate(list(grid_points(whole, numbers)))
    steps = (points - whole.bricks.origin) / SIDE_MM
    assert np.abs(steps - np.round(steps)).max() < 1e-9
    inside = ((points >= low) & (points <= high)).all(axis=1)
    assert np.count_nonzero(inside) == np.prod(np.floor((high - whole.bricks.origin) / SIDE_MM) - np.ceil((low - whole.bricks.origin) / SIDE_MM) + 1)
    # In the order of the bricks' own cells: they hold the same values.
    cells = whole.cells(numbers).reshape(-1)
    assert np.abs((cells + 0.5) / 128.0 * 2.0 * SIDE_MM - whole.values(points)).max() < 1e-6
    assert len(bricks_in(whole, np.array((100.0,) * 3), np.array((101.0,) * 3))) == 0


def test_plans_that_cannot_be_judged_are_refused(whole: Carvable) -> None:
    with pytest.raises(InputRefused, match="does not run through 'bone'"):
        Planned.of([plan(ball((60.0, 0.0, 0.0), 5.0))], whole)
    whole_ball = ball((0.0, 0.0, 0.0), 5.0)
    torn = Surface.from_arrays(whole_ball.vertices_mm, whole_ball.faces[200:])
    with pytest.raises(InputRefused, match="not certain"):
        Planned.of([plan(torn)], whole)
