"""What breaks trees, lanes and workspaces: every small number of faces, thousands of copies, far poses, two threads at once, many faces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from navtwin import Rigid, Surface
from tests.oracles import brute, judge, pairs, queries, shapes

KINDS = ("turned sphere", "turned torus", "plate", "needles", "soup", "layers 1e-8", "hollow", "accordion", "sizes", "repeated")


def surface_of(shape: shapes.Shape) -> Surface:
    return Surface.from_arrays(shape.vertices, shape.faces)


def pose(*t_mm: float) -> Rigid:
    return Rigid(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (t_mm[0], t_mm[1], t_mm[2]), "ct", "tip/drill")


@pytest.mark.parametrize("tens", range(8))
def test_every_number_of_faces(tens: int) -> None:
    """Whatever stands in the lanes that are left over answers nothing."""
    for n in range(10 * tens + 1, 10 * tens + 11):
        shape, rng = shapes.soup(n, n), np.random.default_rng(n)
        surface, features = surface_of(shape), brute.Features.of(shape.vertices, shape.faces)
        wrong = judge.points(shape, surface, queries.mixed(features, shape, 60, rng), features=features).wrong
        wrong += judge.capsules(shape, surface, *queries.axes(shape, 5, rng)).wrong
        wrong += pairs.rays(shape, surface, *queries.rays(shape, 20, rng)).wrong
        assert not wrong, f"{n} faces\n" + "\n".join(wrong[:5])


@pytest.mark.parametrize("kind", KINDS)
def test_capsules_between_two_faces(kind: str) -> None:
    shape = shapes.KINDS[kind]()
    asked = queries.torn_axes(brute.Features.of(shape.vertices, shape.faces), shape, 100, np.random.default_rng(0))
    found = judge.capsules(shape, surface_of(shape), *asked)
    assert not found.wrong, "\n".join(found.wrong[:5])


def test_thousands_of_copies_of_one_face() -> None:
    """No list of candidates is that long; the first of them all is the answer of every query."""
    corners = np.array([[0.0, 0, 0], [8, 0, 0], [0, 8, 0]])
    surface, one = Surface.from_arrays(corners, np.tile([[0, 1, 2]], (5000, 1))), Surface.from_arrays(corners, [[0, 1, 2]])
    assert surface.closest([[1.0, 1, 3], [-3, -4, 0], [9, 9, 1]]).face.tolist() == [0, 0, 0]
    for a, b in (([1.0, 1, 3], [2.0, 1, 5]), ([1.0, 1, 3], [1.0, 1, -3]), ([9.0, 9, 2], [9.0, 9, 2])):
        many, single = surface.closest_to_capsule(a, b, 0.5), one.closest_to_capsule(a, b, 0.5)
        assert (many.face, many.distance_mm) == (0, single.distance_mm)
    hit = surface.first_hit([[1.0, 1, 5]], [[0.0, 0, -1]])
    assert (hit.face[0], hit.distance_mm[0]) == (0, 5.0)
    apart = surface.closest_to_surface(one, pose(0.0, 0.0, 3.0))
    assert (apart.face, apart.other_face, apart.distance_mm) == (0, 0, 3.0)


@pytest.mark.parametrize("far", [1e5, 1e7, 1e8])
def test_poses_as_far_as_one_likes(far: float) -> None:
    """A tracker that lies by metres or by light-seconds: the distance is still that of brute force."""
    one, other = shapes.box((4.0, 5.0, 6.0), 2), shapes.sphere(3.0, 1)
    assert not pairs.surfaces(one, other, pose(far, -far / 3, 1.0))
    assert not pairs.surfaces(other, one, pose(1.0, far, far / 7))
    a = np.array([[far, 1.0, 2.0], [0.3, 0.2, far]])
    assert not judge.capsules(one, surface_of(one), a, a + np.array([3.0, 5.0, 80.0]), np.array([1.0, 0.0])).wrong
    assert not judge.capsules(one, surface_of(one), a, -a, np.array([1.0, 0.0])).wrong
    rays = surface_of(one).first_hit([[far, 0.5, 0.25], [far, 50.0, 0.0]], [[-1.0, 0, 0], [-1.0, 0, 0]])
    np.testing.assert_allclose(rays.distance_mm, [far - 4.0, np.inf], rtol=1e-12)


@pytest.mark.parametrize("kind", ["turned torus", "soup", "layers 1e-8"])
def test_two_threads_do_not_disturb_each_other(kind: str) -> None:
    """The lock is released inside: each thread's answers are those it gets alone, to the bit."""
    shape = shapes.KINDS[kind]()
    surface = surface_of(shape)
    batches = [queries.around(shape, 3000, np.random.default_rng(k)) for k in range(4)]
    axes = [queries.axes(shape, 60, np.random.default_rng(k)) for k in range(4)]

    def ask(k: int) -> bytes:
        got = surface.closest(batches[k])
        hits = [surface.closest_to_capsule(*axis) for axis in zip(*axes[k], strict=True)]
        pair = surface.closest_to_surface(surface, pose(k, 2.0, 90.0))
        return b"".join([
            got.distance_mm.tobytes(), got.point_mm.tobytes(), got.face.tobytes(), np.array([h.distance_mm for h in hits]).tobytes(),
            np.array([pair.distance_mm, *pair.point_mm, *pair.other_point_mm]).tobytes(),
        ])  # fmt: skip

    alone = [ask(k) for k in range(4)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, [0, 1, 2, 3] * 4)) == alone * 4


def test_arrays_of_other_kinds_are_the_same_question() -> None:
    """Columns, strides, float32, lists: read as what they say, and left as they were."""
    surface = surface_of(shapes.torus())
    points = np.random.default_rng(0).uniform(-40, 40, (50, 3)).astype(np.float32)
    expected = surface.closest(points.astype(np.float64))
    wide = np.zeros((50, 6), np.float32)
    wide[:, ::2] = points
    before = wide.copy()
    for asked in (points, np.asfortranarray(points), wide[:, ::2], points.tolist()):
        got = surface.closest(asked)
        assert got.distance_mm.tobytes() == expected.distance_mm.tobytes() and (got.face == expected.face).all()
    assert (wide == before).all()


@pytest.mark.heavy
@pytest.mark.parametrize("place", [(1.0, None), (1e-3, 1), (20.0, 2)])
def test_twenty_thousand_faces(place: tuple[float, int | None]) -> None:
    scale, turn = place
    shape = shapes.torus(30.0, 10.0, 200, 50).moved(scale, turn=turn).shuffled(3)
    features = brute.Features.of(shape.vertices, shape.faces)
    found = judge.points(shape, surface_of(shape), queries.mixed(features, shape, 100, np.random.default_rng(1)), features=features)
    assert not found.wrong, "\n".join(found.wrong[:5])
