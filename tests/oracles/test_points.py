"""`Surface.closest` against brute force: 10^6 points in all, none differing."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin import Surface
from tests.oracles import brute, judge, queries, shapes

#: What every kind is also asked as: (scale, shift in mm, turned by).
PLACES = ((1.0, 0.0, None), (1.0, 30.0, 1), (1e-3, 100.0, 2), (100.0, 1e4, 3))
FULL = 1_000_000


def placed(kind: str, place: tuple[float, float, int | None]) -> shapes.Shape:
    scale, shift, turn = place
    return shapes.KINDS[kind]().moved(scale, (shift, -shift, shift / 3), turn)


def ask(shape: shapes.Shape, n: int, seed: int) -> judge.Findings:
    features = brute.Features.of(shape.vertices, shape.faces)
    asked = queries.mixed(features, shape, n, np.random.default_rng(seed))
    return judge.points(shape, Surface.from_arrays(shape.vertices, shape.faces), asked, features=features)


def share(kind: str) -> int:
    """How many of the 10^6 are asked of this kind."""
    weights = {k: 1.0 / (40 + len(make().faces)) for k, make in shapes.KINDS.items()}
    return int(np.ceil(FULL * weights[kind] / sum(weights.values()) / len(PLACES)))


@pytest.mark.parametrize("kind", shapes.KINDS)
def test_a_few_points_of_every_kind(kind: str) -> None:
    found = ask(placed(kind, PLACES[0]), 500, 0)
    assert found.asked == 500 and not found.wrong, "\n".join(found.wrong[:5])


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 500.0])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_from_a_millionth_of_a_millimetre_to_ten_metres(scale: float, shift: float) -> None:
    for kind in ("box", "turned sphere", "needles", "repeated", "layers 1e-5", "hollow"):
        found = ask(placed(kind, (scale, shift, None)), 150, 1)
        assert not found.wrong, "\n".join(found.wrong[:5])


@pytest.mark.heavy
@pytest.mark.parametrize("kind", shapes.KINDS)
def test_a_million_points(kind: str) -> None:
    asked = 0
    for seed, place in enumerate(PLACES):
        found = ask(placed(kind, place), share(kind), 100 + seed)
        assert not found.wrong, "\n".join(found.wrong[:5])
        asked += found.asked
    assert asked == share(kind) * len(PLACES)


def test_it_is_a_million() -> None:
    assert sum(share(kind) for kind in shapes.KINDS) * len(PLACES) >= FULL


@pytest.mark.heavy
@pytest.mark.parametrize("make", [lambda: shapes.torus(30.0, 10.0, 50, 20), lambda: shapes.sphere(20.0, 4), lambda: shapes.soup(2000, 11, 2.0)])
def test_two_thousand_faces(make: shapes.Callable[[], shapes.Shape]) -> None:
    found = ask(make(), 2500, 5)
    assert not found.wrong, "\n".join(found.wrong[:5])


@pytest.mark.parametrize("depth", [2, 4])
def test_all_faces_of_a_sphere_seen_from_its_centre(depth: int) -> None:
    """More faces equally near than any list of candidates was made for; and pushed off the centre by less and less."""
    shape = shapes.sphere(20.0, depth)
    way = np.random.default_rng(0).normal(0, 1, (30, 3))
    asked = np.concatenate([np.zeros((1, 3)), way * 10.0 ** -np.arange(1, 31)[:, None]])
    found = judge.points(shape, Surface.from_arrays(shape.vertices, shape.faces), asked)
    assert not found.wrong, "\n".join(found.wrong[:5])


def test_ten_thousand_copies_of_one_face() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    got = Surface.from_arrays(vertices, np.tile([[0, 1, 2]], (10_000, 1))).closest([[0.2, 0.2, 3.0], [9.0, 9.0, 9.0], [0.0, 0.0, 0.0]])
    assert got.face.tolist() == [0, 0, 0]
    assert got.distance_mm[0] == 3.0 and got.distance_mm[2] == 0.0


@pytest.mark.parametrize("far", [1e6, 1e9, 1e12, 1e15])
def test_from_as_far_as_one_likes(far: float) -> None:
    """The nearest face of a box seen from afar is still right, where float64 itself can still tell it from the others."""
    shape = shapes.box((4.0, 5.0, 6.0), 2)
    way = np.array([[1.0, 0.1, 0.2], [-0.3, 1, 0.1], [0, 0, -1], [1, 1, 1]])
    found = judge.points(shape, Surface.from_arrays(shape.vertices, shape.faces), way * far)
    assert not found.wrong, "\n".join(found.wrong[:5])


@pytest.mark.parametrize("huge", [1e17, 1e30, 1e100, 1e160, 1e200, 1e308])
def test_what_is_beyond_all_reason_is_not_inside(huge: float) -> None:
    """Where float64 cannot tell the near side from the far one, a sign is no contact; where it cannot square, the answer is right or unknown."""
    surface = Surface.from_arrays(*mesh(shapes.box()))
    got, ball = surface.closest(huge * np.eye(3)), surface.closest_to_capsule([huge, 0, 0], [huge, 0, 0], 1.0)
    for distance in (*got.distance_mm, ball.distance_mm):
        assert np.isnan(distance) or distance == pytest.approx(huge)
    assert (np.isnan(got.distance_mm) == (got.face == -1)).all()


def mesh(shape: shapes.Shape) -> tuple[np.ndarray, np.ndarray]:
    return shape.vertices, shape.faces


@pytest.mark.parametrize("thinnest", [1e-5, 1e-7, 1e-9, 1e-12])
def test_needles_thinner_than_float64_can_square(thinnest: float) -> None:
    """Exact all the same: along its longest edge a needle is no worse conditioned than that edge."""
    found = ask(shapes.needles(40, 7, thinnest), 800, 6)
    assert not found.wrong, f"{len(found.wrong)} of {found.asked}\n" + "\n".join(found.wrong[:5])


@pytest.mark.parametrize("thick", [1e-3, 1e-5])
def test_a_wire_thinner_than_float64_can_square(thick: float) -> None:
    found = ask(shapes.rod(thick).moved(1.0, (30.0, -30.0, 10.0), 1), 800, 7)
    assert not found.wrong, f"{len(found.wrong)} of {found.asked}\n" + "\n".join(found.wrong[:5])
