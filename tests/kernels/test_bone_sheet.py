"""The surface through bone: closed, within its cubes, where it should be, and the same however it came to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.adjacency import border_edges
from navtwin.kernels.bone.bench import bench
from navtwin.kernels.bone.cube import SHEET_COUNTS, SHEETS, edge_ends
from navtwin.kernels.bone.growth import patch, plant, renew
from navtwin.kernels.bone.sheet import lay_sheet
from navtwin.kernels.crossings import crossings
from tests.kernels import bone_fields as bone

ORIGIN = np.array((-10.3, -9.8, -10.1))


def faces_of_cube() -> list[tuple[list[int], list[int]]]:
    """Corners and edges of the six faces, by counting bits."""
    found = []
    for axis in range(3):
        for side in (0, 1):
            corners = [c for c in range(8) if c >> axis & 1 == side]
            found.append((corners, [e for e in range(12) if set(edge_ends(e)) <= set(corners)]))
    return found


def test_edges_of_a_cube_join_corners_that_differ_in_one_place() -> None:
    ends = {edge_ends(e) for e in range(12)}
    assert len(ends) == 12
    assert all(bin(low ^ high).count("1") == 1 and low < high for low, high in ends)
    assert all(edge_ends(e)[1] - edge_ends(e)[0] == 1 << (e >> 2) for e in range(12))


@pytest.mark.parametrize("case", range(256))
def test_sheets_are_the_cycles_that_separate_inside_corners(case: int) -> None:
    crossed = {e for e in range(12) if len({case >> c & 1 for c in edge_ends(e)}) == 2}
    assert {e for e in range(12) if SHEETS[case, e] >= 0} == crossed
    # Walk each cycle from face to face; on an ambiguous face the two edges at the same inside corner belong together.
    seen: list[frozenset[int]] = []
    for start in sorted(crossed):
        cycle, todo = {start}, [start]
        while todo:
            edge = todo.pop()
            for corners, edges in faces_of_cube():
                if edge not in edges:
                    continue
                here = [e for e in edges if e in crossed]
                if len(here) == 4:
                    inside = next(c for c in edge_ends(edge) if c in corners and case >> c & 1)
                    here = [e for e in here if inside in edge_ends(e)]
                assert len(here) == 2
                todo += [e for e in here if e not in cycle]
                cycle |= set(here)
        if frozenset(cycle) not in seen:
            seen.append(frozenset(cycle))
    assert [frozenset(np.flatnonzero(SHEETS[case] == n).tolist()) for n in range(SHEET_COUNTS[case])] == seen


def test_how_many_sheets_known_cases_have() -> None:
    one, face_diagonal, body_diagonal, alternate = 1, 0b1001, 0b10000001, 0b01101001
    assert [int(SHEET_COUNTS[c]) for c in (0, 255, one, face_diagonal, body_diagonal, alternate)] == [0, 0, 1, 2, 2, 4]
    assert SHEET_COUNTS[255 ^ face_diagonal] == 1  # outside corners are joined where inside ones are kept apart


def noise(seed: int, bricks: int = 2) -> np.ndarray:
    """Points at random: every case of a cube, the doubtful ones, too; outside along the border."""
    values = np.random.default_rng(seed).integers(-128, 128, (16 * bricks,) * 3).astype(np.int8)
    values[0] = values[:, 0] = values[:, :, 0] = 127
    return values


def test_no_vertex_leaves_its_cube() -> None:
    bricks, work = bone.bricks_of(noise(1), np.zeros(3), 1.0), bench()
    for brick in range(8):
        work.places[:] = 0.5
        lay_sheet(bricks, brick, work)
        assert (work.places > 0.0).all()
        assert (work.places < 1.0).all()


@pytest.mark.parametrize("seed", range(3))
def test_noise_gives_a_closed_surface_that_does_not_cross_itself(seed: int) -> None:
    bricks = bone.bricks_of(noise(seed), ORIGIN, 0.3)
    vertices, faces = bone.surface_of(plant(bricks), bricks)
    assert border_edges(faces, len(vertices)) == 0
    forest, _ = kernels.plant(vertices, faces)
    assert crossings(forest, 0, len(forest.children) // 8, np.empty((10, 2), np.int32), kernels.workspace()) == 0


Balls = list[tuple[float, float, float, float, bool]]
BALLS = st.lists(st.tuples(*[st.floats(-4.5, 4.5)] * 3, st.floats(0.3, 3.5), st.booleans()), min_size=1, max_size=8)


def csg(balls: Balls) -> bone.Field:
    """Balls joined, or cut out of those before them."""

    def distance(points: np.ndarray) -> np.ndarray:
        least = np.full(points.shape[:-1], np.inf)
        for x, y, z, radius, is_cut in balls:
            own = bone.ball((x, y, z), radius)(points)
            least = np.maximum(least, -own) if is_cut else np.minimum(least, own)
        return least

    return distance


@settings(max_examples=25, deadline=None)
@given(BALLS)
def test_a_solid_of_balls_is_closed_across_bricks(balls: Balls) -> None:
    bricks = bone.fill(csg(balls), (2, 2, 2), ORIGIN + 1.3, 0.65)
    canopy = plant(bricks)
    if canopy.triangles:
        vertices, faces = bone.surface_of(canopy, bricks)
        assert border_edges(faces, len(vertices)) == 0
        assert len(faces) == canopy.triangles
        assert kernels.signed_volume(vertices, faces) > 0.0


def test_a_vertex_on_a_border_has_the_same_bits_on_both_sides() -> None:
    bricks = bone.fill(bone.ball((0.0, 0.0, 0.0), 8.0), (3, 3, 3), ORIGIN, 0.43)
    canopy = plant(bricks)
    every = np.concatenate([patch(canopy, b)[0] for b in range(bricks.table.size)])
    same = np.unique(every, axis=0)
    assert len(same) < len(every)
    near = np.unique(np.round(every, 9), axis=0)
    assert len(near) == len(same)


def test_a_patch_is_the_triangles_of_its_brick() -> None:
    bricks = bone.fill(bone.ball((0.0, 0.0, 0.0), 8.0), (3, 3, 3), ORIGIN, 0.43)
    canopy = plant(bricks)
    low = ORIGIN - 0.43
    for brick in range(bricks.table.size):
        vertices, faces = patch(canopy, brick)
        corner = low + 16 * 0.43 * np.array((brick % 3, brick // 3 % 3, brick // 9))
        assert len(faces) == canopy.grove.counts[brick, 1]
        assert faces.size == 0 or set(faces.ravel().tolist()) == set(range(len(vertices)))
        assert ((vertices > corner) & (vertices < corner + 18 * 0.43)).all()


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (0.11, -0.2, 0.07)])
def test_a_ball_is_where_it_should_be(centre: tuple[float, float, float]) -> None:
    bricks = bone.fill(bone.ball(centre, 10.0), (4, 4, 4), np.full(3, -14.3), 0.45)
    vertices, faces = bone.surface_of(plant(bricks), bricks)
    off = np.abs(bone.ball(centre, 10.0)(vertices))
    assert off.mean() <= 0.01
    assert off.max() <= 0.02
    assert kernels.signed_volume(vertices, faces) == pytest.approx(4.0 / 3.0 * np.pi * 1000.0, rel=3e-3)


def test_a_drilled_block_is_where_the_truth_is() -> None:
    """A ball with grooves: 0.2 of a cube's diagonal away from creases, 0.6 within a point of one (99 %)."""
    side, rng = 0.4, np.random.default_rng(4)
    bricks = bone.fill(bone.ball((0.0, 0.0, 0.0), 8.0), (4, 4, 4), np.full(3, -12.7), side, spare=64)
    canopy = plant(bricks)
    parts: list[bone.Field] = [bone.ball((0.0, 0.0, 0.0), 8.0)]
    for _ in range(12):
        a = rng.normal(size=3)
        a *= 7.5 / np.linalg.norm(a)
        b = a + rng.normal(0, 2.0, 3)
        groove = bone.capsule(a, b, 2.0)
        bone.carve(bricks, groove, np.minimum(a, b) - 2.0, np.maximum(a, b) + 2.0)
        renew(bricks, canopy)
        parts.append(lambda p, groove=groove: -groove(p))  # type: ignore[misc]
    vertices, _ = bone.surface_of(canopy, bricks)
    each = np.sort(np.stack([part(vertices) for part in parts]), axis=0)
    off, is_crease = np.abs(each[-1]), each[-1] - each[-2] < side
    diagonal = side * np.sqrt(3.0)
    assert off.mean() <= 0.05
    assert np.percentile(off[~is_crease], 99) <= 0.2 * diagonal
    assert np.percentile(off[is_crease], 99) <= 0.6 * diagonal
    assert is_crease.sum() > 100
