"""What drilled bone looks like: no seam between bricks, no crack beside them, colours that say what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import pyvista as pv
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.scene import palette
from navtwin.scene.bone_actors import arrays_of
from navtwin.scene.bone_picture import BrickLook, Grid, brick_look, doubtful_at, grid_of, joined, shown_exactly
from navtwin.scene.carvable import Carvable
from navtwin.scene.cutaway import OVERLAP, SUNK, Arrays, cut_away
from navtwin.scene.picture import Picture, open_plotter, render_window
from navtwin.scene.solids import surface_mesh
from navtwin.scene.surface import Surface
from tests.gui.vision import SIGHTS, seen
from tests.scene.bone_room import nerve, scene, whole

SIDE_MM = 0.5
BALL_MM, RADIUS_MM = (1.3, 0.7, 0.4), 4.0
Looks = dict[int, BrickLook]


def dressed(bone: Carvable) -> Looks:
    grid = grid_of(bone)
    shown = np.flatnonzero(shown_exactly(bone, grid)).tolist()
    return {brick: brick_look(bone, brick, grid, whole(), [nerve()]) for brick in shown}


@pytest.fixture(scope="module")
def bone() -> Carvable:
    """A ball is drilled out of the middle of the top: at the corner of eight bricks, near enough."""
    made = Carvable(whole(), SIDE_MM)
    made.carve(BALL_MM, BALL_MM, RADIUS_MM)
    return made


@pytest.fixture(scope="module")
def looks(bone: Carvable) -> Looks:
    return dressed(bone)


def test_bricks_look_the_same_from_both_sides_of_their_seams(looks: Looks):
    found: dict[bytes, tuple[object, ...]] = {}
    shared = 0
    for look in looks.values():
        for n, vertex in enumerate(look.vertices_mm):
            told = (look.normals[n].tobytes(), float(look.depth[n]), bool(look.doubtful[n]), float(look.bone_mm[n]))
            shared += vertex.tobytes() in found
            assert found.setdefault(vertex.tobytes(), told) == told
    assert shared > 60


def test_the_drilled_wall_is_round_and_smooth_and_told_from_the_rest(looks: Looks):
    look = joined(list(looks.values()))
    away = np.linalg.norm(look.vertices_mm - BALL_MM, axis=1)
    on_ball = np.abs(away - RADIUS_MM) < 0.1
    # Where the ball comes up to the top its rim is neither.
    below = look.vertices_mm[:, 2] < -0.8
    assert look.cut[on_ball & below].all()
    assert not look.cut[away > RADIUS_MM + 0.3].any()
    inward = (np.array(BALL_MM) - look.vertices_mm) / away[:, None]
    slant = np.degrees(np.arccos(np.clip((inward * look.normals).sum(axis=1), -1.0, 1.0)))
    assert slant[on_ball & below].max() < 6.0


def test_what_was_looked_at_before_gives_the_same(bone: Carvable, looks: Looks):
    for brick, before in looks.items():
        again = brick_look(bone, brick, grid_of(bone), whole(), [nerve()], before)
        assert all(np.array_equal(getattr(again, name), getattr(before, name)) for name in ("vertices_mm", "normals", "depth", "doubtful", "bone_mm"))


def test_doubt_is_told_block_by_block():
    bone = Carvable(whole(), SIDE_MM)
    bone.doubt((0.0, 0.0, 0.0), (3.0, 0.0, 0.0), 1.5)
    points = np.array([(1.5, 0.0, -0.3), (0.2, 0.4, -0.6), (-9.0, 0.0, -0.3), (1.5, 9.0, -0.3)])
    assert doubtful_at(bone, points, grid_of(bone)).tolist() == [True, True, False, False]


def test_only_bricks_whose_surface_moved_are_shown_exactly():
    bone = Carvable(whole(), SIDE_MM)
    grid = grid_of(bone)
    before = {brick: bone.patch(brick) for brick in range(grid.bricks)}
    bone.carve((6.0, 6.0, 0.0), (6.0, 6.0, 0.0), 2.5)
    exact = set(np.flatnonzero(shown_exactly(bone, grid)).tolist())
    moved = {brick for brick, (vertices, _) in before.items() if not np.array_equal(bone.patch(brick)[0], vertices)}
    assert moved <= exact
    assert exact < set(np.flatnonzero(grid.around(bone.changed.tolist())).tolist())


def coarse() -> Arrays:
    surface = whole()
    return arrays_of(surface_mesh(surface.vertices_mm, surface.faces, 600))


@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(0, 31), min_size=1, max_size=31))
def test_nothing_of_the_rest_reaches_into_exact_bricks_and_nothing_is_missing_beside_them(chosen: set[int]):
    grid = Grid((-14.0, -14.0, -14.0), SIDE_MM, (4, 4, 2))
    exact = grid.mask(chosen)
    mesh = coarse()
    left = cut_away(mesh, grid, exact)
    middles = left.points_mm[left.faces].mean(axis=1)
    assert depth_in(exact, grid, middles).max() <= (OVERLAP + SUNK) * SIDE_MM + 1e-6
    points = np.asarray(whole().vertices_mm)[::17]
    kept = points[depth_in(exact, grid, points) < 0.0]
    if len(kept):
        beside = Surface.from_arrays(left.points_mm, left.faces.astype(np.int32)).closest(kept).distance_mm
        before = Surface.from_arrays(mesh.points_mm, mesh.faces.astype(np.int32)).closest(kept).distance_mm
        assert (np.abs(beside) - np.abs(before)).max() < SUNK * SIDE_MM


def depth_in(exact: np.ndarray[Any, Any], grid: Grid, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """How far points lie inside the region of exact bricks, mm: to the nearest brick that is not exact; below 0 outside."""
    places = (points - grid.origin_mm) / grid.brick_mm + 0.5 / 16
    k, j, i = np.nonzero(~exact)
    if not len(i):
        return np.full(len(points), np.inf)
    low = np.stack((i, j, k), axis=-1).astype(float)
    away = np.maximum(np.maximum(low - places[:, None], places[:, None] - low - 1.0), 0.0)
    inside = np.linalg.norm(away, axis=-1).min(axis=1) * grid.brick_mm
    return np.where(inside > 0.0, inside, -1.0)


def test_nothing_exact_leaves_the_mesh_as_it_is_and_all_exact_leaves_nothing():
    grid, mesh = Grid((-14.0, -14.0, -14.0), SIDE_MM, (4, 4, 2)), coarse()
    assert np.array_equal(cut_away(mesh, grid, grid.mask(())).faces, mesh.faces)
    assert len(cut_away(mesh, grid, grid.mask(range(32))).faces) == 0


def test_no_crack_is_seen_between_bricks_nor_beside_them(bone: Carvable, looks: Looks):
    plotter = pv.Plotter(off_screen=True, window_size=[500, 500], lighting=None)
    plotter.background_color = "#ff00ff"
    grid = grid_of(bone)
    rest = cut_away(coarse(), grid, grid.mask(looks))
    exact = joined(list(looks.values()))
    for points, faces in ((rest.points_mm, rest.faces), (exact.vertices_mm, exact.faces)):
        plotter.add_mesh(pv.PolyData.from_regular_faces(points, np.asarray(faces).astype(int)), color="white", lighting=False, culling="back")
    plotter.camera.position, plotter.camera.focal_point, plotter.camera.up = (3.0, -5.0, 40.0), (0.0, 0.0, -4.0), (0.0, 1.0, 0.0)
    plotter.camera.view_angle = 20.0
    image = np.asarray(plotter.screenshot(None, return_img=True)).astype(int)
    plotter.close()
    assert (image[100:400, 100:400] == 255).all()


@pytest.fixture
def picture() -> Iterator[Picture]:
    plotter = open_plotter((400, 300))
    made = Picture(plotter, scene(), None, "light")
    plotter.camera.position, plotter.camera.focal_point, plotter.camera.up = (0.0, -8.0, 45.0), (0.0, 0.0, -3.0), (0.0, 1.0, 0.0)
    yield made
    plotter.close()


def painted(picture: Picture, bone: Carvable, *, stale: bool = False) -> np.ndarray[Any, Any]:
    looks, grid = dressed(bone), grid_of(bone)
    rest = cut_away(arrays_of(picture.mesh("temporal bone")), grid, grid.mask(looks))
    chunks: dict[int, list[BrickLook]] = {}
    for brick, look in looks.items():
        chunks.setdefault(grid.chunk(brick), []).append(look)
    picture.show_drilled("temporal bone", {chunk: joined(some) for chunk, some in chunks.items()}, rest, stale=stale)
    picture.fit_depth()
    window = render_window(picture.plotter)
    window.Render()
    return np.asarray(picture.plotter.screenshot(None, return_img=True))[..., :3].astype(int)


def counts(image: np.ndarray[Any, Any]) -> dict[str, int]:
    """Pixels of each band: red; orange; yellow."""
    r, g, b = image[..., 0], image[..., 1], image[..., 2]
    share = g / np.maximum(r, 1)
    colored = (r > 150) & (b < 0.45 * r)
    ends = {"red": (0.0, 0.35), "orange": (0.35, 0.68), "yellow": (0.74, 1.0)}
    return {name: int((colored & (low <= share) & (share < high)).sum()) for name, (low, high) in ends.items()}


def test_the_wall_turns_yellow_orange_and_red_as_the_nerve_comes_near(picture: Picture):
    picture.set_visible("facial nerve", False)
    bone = Carvable(whole(), SIDE_MM)
    seen_at: dict[float, dict[str, int]] = {}
    for floor in (-1.5, -3.5, -4.5, -5.4):
        bone.carve((0.0, -3.0, floor + 2.5), (0.0, 3.0, floor + 2.5), 2.5)
        seen_at[floor] = counts(painted(picture, bone))
    assert max(seen_at[-1.5].values()) < 20
    assert seen_at[-3.5]["yellow"] > 200 and seen_at[-3.5]["red"] < 20
    assert seen_at[-4.5]["orange"] > 200 and seen_at[-4.5]["red"] < 20
    assert seen_at[-5.4]["red"] > 200


def test_bone_that_may_have_been_drilled_further_has_no_band(picture: Picture):
    picture.set_visible("facial nerve", False)
    bone = Carvable(whole(), SIDE_MM)
    bone.carve((0.0, -3.0, -2.9), (0.0, 3.0, -2.9), 2.5)
    bone.carve((0.0, -3.0, 0.0), (0.0, 3.0, 0.0), 2.5)
    known, stale = painted(picture, bone), painted(picture, bone, stale=True)
    assert counts(known)["red"] > 200
    assert max(counts(stale).values()) < 20
    back = painted(picture, bone)
    assert np.abs(back - known).max() <= 2


def test_bone_that_is_taken_back_is_whole_again_in_the_picture(picture: Picture):
    bone = Carvable(whole(), SIDE_MM)
    before = painted(picture, bone)
    mesh = arrays_of(picture.mesh("temporal bone"))
    bone.begin_stretch()
    bone.carve((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 4.0)
    assert (np.abs(painted(picture, bone) - before).max(axis=-1) > 25).sum() > 300
    picture.show_drilled("temporal bone", {chunk: joined([]) for chunk in range(8)}, mesh, stale=False)
    render_window(picture.plotter).Render()
    assert np.abs(np.asarray(picture.plotter.screenshot(None, return_img=True))[..., :3] - before).max() <= 2


def test_a_hidden_bone_hides_its_drilled_part_too(picture: Picture):
    bone = Carvable(whole(), SIDE_MM)
    bone.carve((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 4.0)
    shown = painted(picture, bone)
    picture.set_visible("temporal bone", False)
    hidden = painted(picture, bone)
    assert (np.abs(shown - hidden).max(axis=-1) > 25).sum() > 2000


def test_a_planned_removal_around_a_drilled_wall_does_not_hide_it():
    case = scene()
    box = pv.Cube(center=(0.0, 0.0, -2.0), x_length=12.0, y_length=16.0, z_length=10.0).triangulate().clean()
    planned = replace(
        case.structures[1], name="planned", role="context", caution_mm=None, danger_mm=None, removal_of="temporal bone", opacity=0.25,
        color="#50b4e6", surface=Surface.from_arrays(box.points, box.regular_faces),
    )  # fmt: skip
    plotter = open_plotter((400, 300))
    picture = Picture(plotter, replace(case, structures=(*case.structures, planned)), None, "light")
    plotter.camera.position, plotter.camera.focal_point, plotter.camera.up = (0.0, -8.0, 45.0), (0.0, 0.0, -3.0), (0.0, 1.0, 0.0)
    bone = Carvable(whole(), SIDE_MM)
    for depth in (0.0, -2.9):
        bone.carve((0.0, -3.0, depth), (0.0, 3.0, depth), 2.5)
    picture.set_visible("facial nerve", False)
    image = painted(picture, bone)
    plotter.close()
    assert ((image[..., 0] > 1.6 * image[..., 2]) & (image[..., 0] > 110)).sum() > 200


@pytest.mark.parametrize("sight", SIGHTS)
def test_bands_are_told_apart_by_lightness_alone(sight: str):
    def lightness(color: str) -> float:
        rgb = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)], dtype=float)
        luminance = float(seen(rgb, sight) @ np.array([0.2126, 0.7152, 0.0722]))
        return 116.0 * luminance ** (1.0 / 3.0) - 16.0

    assert all(abs(lightness(a) - lightness(b)) >= 12.0 for a, b in combinations(palette.BANDS, 2))
    assert lightness(palette.BANDS[0]) < lightness(palette.BANDS[1]) < lightness(palette.BANDS[2])
