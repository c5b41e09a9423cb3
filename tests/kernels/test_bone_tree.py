"""The tree over drilled bone: kept up to date it answers as one that is planted afresh, and as brute force does."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from navtwin import kernels
from navtwin.kernels.adjacency import border_edges
from navtwin.kernels.bone.branch import LEAVES, VERTICES
from navtwin.kernels.bone.bricks import Bricks
from navtwin.kernels.bone.growth import Canopy, plant, renew
from navtwin.kernels.bone.pages import chain, give_back, more_pages, new_pages, take
from navtwin.kernels.crossings import crossings
from navtwin.kernels.segment import CapsuleHit, capsule
from navtwin.kernels.simd import WIDTH
from navtwin.kernels.tree import LEAF, LOCAL, NODE, SLAB, Forest
from navtwin.kernels.winding import signed_by_winding
from tests.kernels import bone_fields as bone
from tests.kernels import meshes
from tests.kernels.asking import ask
from tests.kernels.trees import faces_below

SIDE, ORIGIN, SHAPE = 0.43, np.array((-10.3, -9.8, -10.1)), (3, 3, 3)


def whole() -> Bricks:
    """A ball that has not been drilled."""
    return bone.fill(bone.ball((0.0, 0.0, 0.0), 8.0), SHAPE, ORIGIN, SIDE, spare=27)


def drill(bricks: Bricks, rng: np.random.Generator) -> None:
    """One stroke somewhere."""
    a = rng.normal(size=3)
    a *= rng.uniform(4.0, 9.0) / np.linalg.norm(a)
    b, radius = a + rng.normal(0, 1.0, 3), rng.uniform(0.4, 1.5)
    bone.carve(bricks, bone.capsule(a, b, radius), np.minimum(a, b) - radius, np.maximum(a, b) + radius)


def drilled(strokes: int, seed: int) -> tuple[Bricks, Canopy]:
    """A ball after that many strokes, its tree renewed after each."""
    bricks, rng = whole(), np.random.default_rng(seed)
    canopy = plant(bricks)
    for _ in range(strokes):
        drill(bricks, rng)
        renew(bricks, canopy)
    return bricks, canopy


@cache
def one() -> tuple[Bricks, Canopy, meshes.Mesh, Forest]:
    """A drilled ball, its tree, its triangles, and these planted by themselves, signed by winding number: nothing of it is local."""
    bricks, canopy = drilled(60, 7)
    mesh = bone.surface_of(canopy, bricks)
    forest, _ = kernels.plant(*mesh)
    return bricks, canopy, mesh, forest if len(forest.far_field) else signed_by_winding(forest)


def triangles(bricks: Bricks, canopy: Canopy) -> np.ndarray:
    """All triangles with their bits, sorted: each starts with its lowest corner."""
    vertices, faces = bone.surface_of(canopy, bricks)
    first = faces.argmin(axis=1)
    rows = np.take_along_axis(faces, (first[:, None] + np.arange(3)) % 3, axis=1)
    return np.sort(vertices[rows].reshape(-1, 9).view([("", float)] * 9).ravel())


@pytest.mark.parametrize("seed", range(2))
def test_hundreds_of_strokes_leave_the_surface_of_what_is_left(seed: int) -> None:
    bricks, canopy = drilled(110, seed)
    assert (triangles(bricks, canopy) == triangles(bricks, plant(bricks))).all()
    assert len(faces_below(canopy.forest, 0)) == canopy.triangles
    vertices, faces = bone.surface_of(canopy, bricks)
    assert border_edges(faces, len(vertices)) == 0
    fresh, _ = kernels.plant(vertices, faces)
    assert crossings(fresh, 0, len(fresh.children) // 8, np.empty((10, 2), np.int32), kernels.workspace()) == 0
    grove = canopy.grove
    for kind, pages in enumerate((grove.nodes, grove.leaves, grove.vertices)):
        taken = [page for brick in range(bricks.table.size) for page in chain(pages, grove.first[brick, kind])]
        once = ((grove.above >= 0).sum(), 0, 1)[kind]
        assert len(set(taken)) == len(taken)
        assert len(taken) + once + pages.left[0] == len(pages.after)


def test_the_same_strokes_give_the_same_arrays() -> None:
    (_, one_canopy), (_, other_canopy) = drilled(20, 3), drilled(20, 3)
    for name in Forest._fields:
        assert np.array_equal(getattr(one_canopy.forest, name), getattr(other_canopy.forest, name))


def near_points(mesh: meshes.Mesh, count: int, seed: int) -> np.ndarray:
    """Points anywhere, near the surface, and within 1e-6 of corners, edges and faces."""
    vertices, faces = mesh
    rng = np.random.default_rng(seed)
    a, b, c = (vertices[faces[rng.integers(len(faces), size=count), e]] for e in range(3))
    t = rng.uniform(0, 1, (count, 1))
    corners = vertices[rng.integers(len(vertices), size=count)]
    on_edges, on_faces = a + t * (b - a), (a + b + c) / 3.0
    tiny = [on + rng.normal(0, 1e-6, (count, 3)) for on in (corners, on_edges, on_faces)]
    return np.concatenate([rng.uniform(-12, 12, (count, 3)), corners + rng.normal(0, 0.5, (count, 3)), *tiny, corners, on_edges])


def test_closest_points_and_signs_are_those_of_the_planted_surface() -> None:
    _, canopy, mesh, fresh = one()
    points = near_points(mesh, 1500, 1)
    distance, point, face = ask(canopy.forest, 0, points)
    expected = ask(fresh, 0, points)
    assert (np.abs(distance) == np.abs(expected[0])).all()
    off_surface = np.abs(distance) > 1e-12
    assert (np.sign(distance) == np.sign(expected[0]))[off_surface].all()
    # Of several points equally near, each names the one on its own lowest face.
    same = (point == expected[1]).all(axis=1)
    assert same.mean() > 0.999
    np.testing.assert_allclose(np.linalg.norm(points - point, axis=1), np.abs(distance), atol=1e-12)
    corners = canopy.forest.vertices[canopy.forest.faces[face[~same]]]
    assert len(corners) == 0 or np.abs(corners).max() < 20.0


def test_closest_points_are_those_of_brute_force() -> None:
    _, canopy, mesh, _ = one()
    points = near_points(mesh, 6, 2)
    distance, _, _ = ask(canopy.forest, 0, points)
    np.testing.assert_allclose(np.abs(distance), meshes.brute_points(points, mesh).min(axis=1), atol=1e-9)


def hit_of(forest: Forest, a: np.ndarray, b: np.ndarray, radius: float, within: float = np.inf, hint: int = -1) -> CapsuleHit:
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return capsule(forest, 0, ax, ay, az, bx, by, bz, radius, hint, within, kernels.workspace())


def test_capsules_are_those_of_the_planted_surface() -> None:
    _, canopy, _, fresh = one()
    rng = np.random.default_rng(5)
    deep = 0
    for n in range(400):
        a = rng.uniform(-11, 11, 3)
        b, radius, within = a + rng.normal(0, 4, 3) * (n % 4 > 0), rng.uniform(0, 2), np.inf if n % 3 else 2.0
        ours, theirs = hit_of(canopy.forest, a, b, radius, within), hit_of(fresh, a, b, radius, within)
        assert ours.distance == theirs.distance
        assert (ours.farther, ours.depth_is_bound) == (theirs.farther, theirs.depth_is_bound)
        deep += ours.distance < 0.0
    assert 20 < deep < 380


def test_a_frame_is_measured_as_of_the_planted_surface() -> None:
    _, canopy, _, fresh = one()
    rng = np.random.default_rng(6)
    parts = np.array([(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 0.0, 0.0, -4.0, 0.7)])
    frames = [kernels.new_frame(parts, 1) for _ in range(2)]
    rotation, followed = np.eye(3), 0
    for n in range(60):  # a hand that goes round the ball, and now and then into it
        rotation = rotation @ Rotation.from_rotvec(rng.normal(0, 0.05, 3)).as_matrix()
        tip = rng.uniform(7.0, 11.0) * np.array((np.cos(0.5 * n), np.sin(0.5 * n), 0.3))
        pose = np.concatenate([rotation, tip[:, None]], axis=1).reshape(-1)
        for frame, forest in zip(frames, (canopy.forest, fresh), strict=True):
            frame.earlier[:], frame.now[:] = frame.now, pose
            frame.watch[:] = 3.0
            kernels.measure_frame(forest, frame, kernels.workspace())
        assert frames[0].distance.tobytes() == frames[1].distance.tobytes()
        assert frames[0].flags.tobytes() == frames[1].flags.tobytes()
        told = np.isfinite(frames[0].swept) & np.isfinite(frames[1].swept)  # to a tolerance, and only where it is less than at both ends
        np.testing.assert_allclose(frames[0].swept[told], frames[1].swept[told], atol=0.01)
        followed += told.sum()
    assert followed > 5


def test_a_hint_changes_no_answer_even_if_its_face_is_gone() -> None:
    bricks, canopy, mesh, _ = one()
    rng, forest = np.random.default_rng(8), canopy.forest
    gone = np.setdiff1d(np.arange(len(forest.faces)), faces_below(forest, 0))
    assert len(gone) > 1000
    for point in near_points(mesh, 5, 3):
        plain = hit_of(forest, point, point, 0.3)
        for hint in (*rng.choice(gone, 5), *rng.integers(0, len(forest.faces), 5), len(forest.faces)):
            assert str(hit_of(forest, point, point, 0.3, hint=int(hint))) == str(plain)
    assert bricks.queued[0] == 0


def test_it_makes_room_when_it_must() -> None:
    bricks, rng = whole(), np.random.default_rng(9)
    roomy = plant(bricks)
    tight = Canopy(bricks, (64, 64, 64))
    bricks.queue[: bricks.table.size], bricks.dirty[:], bricks.queued[0] = np.arange(bricks.table.size), 1, bricks.table.size
    before = tight.forest
    assert renew(bricks, tight)
    assert tight.forest is not before
    assert (triangles(bricks, tight) == triangles(bricks, roomy)).all()
    now = tight.forest
    drill(bricks, rng)
    assert not renew(bricks, tight)
    assert tight.forest is now
    assert len(faces_below(tight.forest, 0)) == tight.triangles
    assert (triangles(bricks, tight) == triangles(bricks, plant(bricks))).all()


def test_where_all_bone_is_gone_nothing_is_found() -> None:
    bricks = whole()
    canopy = plant(bricks)
    bone.carve(bricks, bone.ball((0.0, 0.0, 0.0), 9.5), np.full(3, -9.5), np.full(3, 9.5))
    renew(bricks, canopy)
    assert canopy.triangles == 0
    distance, _, face = ask(canopy.forest, 0, np.zeros((2, 3)))
    assert np.isinf(distance).all()
    assert (face == -1).all()
    hit = hit_of(canopy.forest, np.zeros(3), np.ones(3), 1.0, 5.0)
    assert hit.farther
    assert faces_below(canopy.forest, 0) == []


def test_bone_that_touches_itself_is_signed_rightly() -> None:
    """Noise: edges of four faces and corners where sheets meet, against the winding number."""
    values = np.random.default_rng(2).integers(-128, 128, (32, 32, 32)).astype(np.int8)
    values[0] = values[:, 0] = values[:, :, 0] = 127
    bricks = bone.bricks_of(values, np.zeros(3), 1.0)
    canopy = plant(bricks)
    mesh = bone.surface_of(canopy, bricks)
    fresh, open_edges = kernels.plant(*mesh)
    assert open_edges > 0  # more than two faces share some
    points = mesh[0][::41] + np.random.default_rng(3).normal(0, 0.2, mesh[0][::41].shape)
    assert (ask(canopy.forest, 0, points)[0] == ask(fresh, 0, points)[0]).all()


def test_only_what_the_sign_needs_is_kept() -> None:
    canopy = one()[1]
    forest = canopy.forest
    assert forest.sign_rule.tolist() == [LOCAL]
    assert len(forest.topology) == len(forest.mates) == len(forest.normals) == len(forest.vertex_normals) == 0
    nodes, leaves, vertices = (len(p.after) - int(p.left[0]) for p in (canopy.grove.nodes, canopy.grove.leaves, canopy.grove.vertices))
    of_leaf = 4 * (LEAF + WIDTH + 3 * WIDTH)
    used = 4 * nodes * (NODE + SLAB + WIDTH) + LEAVES * leaves * of_leaf + 8 * 3 * VERTICES * vertices
    assert used / canopy.triangles < 85.0


def test_a_tree_that_lives_is_joined_with_no_other() -> None:
    with pytest.raises(ValueError, match="by itself"):
        kernels.join([one()[1].forest, kernels.plant(*meshes.box())[0]])


Moves = list[tuple[bool, int]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=12))
def test_pages_are_taken_lowest_first_and_by_one_at_a_time(moves: Moves) -> None:
    pages, free = new_pages(100), set(range(128))
    chains: list[list[int]] = []
    for is_take, number in moves:
        if is_take or not chains:
            if number > len(free):
                pages = more_pages(pages, 3 * len(pages.after) // 2)
                free |= set(range(128, len(pages.after))) - {p for c in chains for p in c}
                if number > len(free):
                    continue
            taken, last = [], -1
            for _ in range(number):
                last = take(pages, last)
                taken.append(last)
            assert taken == sorted(free)[:number]
            free -= set(taken)
            chains.append(taken)
            assert chain(pages, taken[0]) == taken
        else:
            gone = chains.pop(number % len(chains))
            give_back(pages, gone[0])
            free |= set(gone)
        assert pages.left[0] == len(free)
