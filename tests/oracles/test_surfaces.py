"""`closest_to_surface` and `first_hit` against every triangle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from navtwin import Rigid, Surface
from tests.oracles import pairs, queries, shapes

SMALL = [kind for kind, make in shapes.KINDS.items() if len(make().faces) <= 130]
RAYED = [kind for kind, make in shapes.KINDS.items() if len(make().faces) <= 400]


def surface_of(shape: shapes.Shape) -> Surface:
    return Surface.from_arrays(shape.vertices, shape.faces)


def pose(t_mm: np.ndarray, turn: int | None = None) -> Rigid:
    T = np.eye(4)
    T[:3, 3] = t_mm
    if turn is not None:
        T[:3, :3] = Rotation.random(random_state=turn).as_matrix()
    return Rigid.from_matrix(T, target="ct", source="tip/drill")


def two_at_random(seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    one, other = (shapes.KINDS[SMALL[k]]() for k in rng.integers(0, len(SMALL), 2))
    whole = seed % 3 == 0
    t_mm = rng.integers(-20, 21, 3) * 2.0 if whole else rng.normal(0, 1, 3) * 10.0 ** rng.uniform(-3, 2)
    return pairs.surfaces(one, other, pose(t_mm, None if whole else seed))


@pytest.mark.parametrize("seeds", [range(k, k + 10) for k in range(0, 40, 10)], ids=lambda seeds: str(seeds[0]))
def test_two_surfaces(seeds: range) -> None:
    wrong = [problem for seed in seeds for problem in two_at_random(seed)]
    assert not wrong, "\n".join(wrong[:5])


@pytest.mark.heavy
@pytest.mark.parametrize("first", range(1000, 1120, 20))
def test_many_pairs_of_surfaces(first: int) -> None:
    wrong = [problem for seed in range(first, first + 20) for problem in two_at_random(seed)]
    assert not wrong, "\n".join(wrong[:5])


def test_touching_and_nearly_touching() -> None:
    """Cubes face to face, edge to edge, corner to corner, and 2^-30 mm apart; nearer than 1e-12 of their size is touching."""
    cube = shapes.box((2.0, 2.0, 2.0))
    surface, gap = surface_of(cube), 2.0**-30
    for way in ((1, 0, 0), (1, 1, 0), (1, 1, 1)):
        touching = surface.closest_to_surface(surface, pose(4.0 * np.array(way)))
        assert touching.intersects and touching.distance_mm == 0.0
        apart = surface.closest_to_surface(surface, pose((4.0 + gap) * np.array(way)))
        assert not apart.intersects
        assert apart.distance_mm == pytest.approx(gap * np.linalg.norm(way), rel=1e-3)


def test_ties_of_two_cubes_go_to_the_lowest_faces() -> None:
    cube = shapes.box((2.0, 2.0, 2.0), 2)
    got = surface_of(cube).closest_to_surface(surface_of(cube), pose(np.array([7.0, 0.0, 0.0])))
    right = np.flatnonzero((cube.vertices[cube.faces][:, :, 0] == 2.0).any(axis=1))
    left = np.flatnonzero((cube.vertices[cube.faces][:, :, 0] == -2.0).any(axis=1))
    assert got.distance_mm == 3.0
    gaps = pairs.brute.triangle_triangle(cube.vertices[cube.faces[right]], cube.vertices[cube.faces[left]] + [7.0, 0, 0])
    assert got.face == right[0]
    assert got.other_face == left[np.flatnonzero(gaps[0] == 3.0)[0]]


@pytest.mark.parametrize("kind", RAYED)
def test_rays(kind: str) -> None:
    shape = shapes.KINDS[kind]()
    found = pairs.rays(shape, surface_of(shape), *queries.rays(shape, 300, np.random.default_rng(0)))
    assert not found.wrong, f"{len(found.wrong)} of {found.asked}\n" + "\n".join(found.wrong[:5])


@pytest.mark.heavy
@pytest.mark.parametrize("kind", RAYED)
def test_many_rays(kind: str) -> None:
    for place in ({"turn": 1}, {"turn": 2, "scale": 1e-3, "shift": (50.0, 1.0, 2.0)}, {"turn": 3, "scale": 20.0}):
        shape = shapes.KINDS[kind]().moved(**place)  # type: ignore[arg-type]
        found = pairs.rays(shape, surface_of(shape), *queries.rays(shape, 400, np.random.default_rng(7)))
        assert not found.wrong, f"{len(found.wrong)} of {found.asked}\n" + "\n".join(found.wrong[:5])


@pytest.mark.parametrize("turn", [None, 1, 2, 3])
@pytest.mark.parametrize("kind", ["sphere", "globe", "cut box", "torus"])
def test_no_ray_slips_between_faces(kind: str, turn: int | None) -> None:
    """From outside at every vertex and the middle of every edge that faces it: hit there, not on the far side; and from inside hit at all."""
    shape = shapes.KINDS[kind]().moved(turn=turn)
    surface, corners = surface_of(shape), shape.vertices[shape.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    targets = np.concatenate([corners, (corners + np.roll(corners, 1, axis=1)) / 2], axis=1)
    origin = np.array([90.0, 40.0, 70.0])
    if kind != "torus":
        towards = ((origin - corners[:, 0]) * normals).sum(axis=1) > 1e-3 * 150.0 * np.linalg.norm(normals, axis=1)
        away = np.unique(np.round(targets[~towards].reshape(-1, 3), 6), axis=0)
        chosen = targets[towards].reshape(-1, 3)
        chosen = chosen[~(np.round(chosen, 6)[:, None] == away[None]).all(axis=2).any(axis=1)]
        got = surface.first_hit(np.tile(origin, (len(chosen), 1)), chosen - origin)
        np.testing.assert_allclose(got.distance_mm, np.linalg.norm(chosen - origin, axis=1), rtol=0, atol=1e-9)
    inside = corners.mean(axis=1) - 1e-3 * normals / np.linalg.norm(normals, axis=1, keepdims=True)
    for start in inside[:: max(1, len(inside) // 10)]:
        every = targets.reshape(-1, 3)
        assert np.isfinite(surface.first_hit(np.tile(start, (len(every), 1)), every - start).distance_mm).all()


def test_a_ray_that_misses_names_no_face() -> None:
    got = surface_of(shapes.triangle()).first_hit([[0.9, 4.9, 9.0], [3.0, 2.0, 9.0], [3.0, 2.0, 9.0]], [[0, 0, -1], [0, 0, 1], [0, 0, -1]])
    assert np.isfinite(got.distance_mm).tolist() == [False, False, True]
    assert got.face.tolist() == [-1, -1, 0]


def test_a_ray_along_a_diagonal_names_the_lower_face() -> None:
    vertices = np.array([[0.0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 4, 0]])
    for faces in ([[0, 1, 2], [0, 2, 3]], [[0, 2, 3], [0, 1, 2]]):
        got = Surface.from_arrays(vertices, faces).first_hit(
            [[1.0, 1, 5], [2, 2, -5], [0, 0, 5], [4, 4, 8]], [[0, 0, -1], [0, 0, 2], [0, 0, -1], [0, 0, -1]]
        )
        assert got.distance_mm.tolist() == [5, 5, 5, 8]
        assert got.face.tolist() == [0, 0, 0, 0]
