"""The oracles against each other and against what is known, and that the judges can say no."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from navtwin import Rigid, Surface
from tests.oracles import brute, judge, pairs, queries, rational, shapes, winding

RIGHT = [[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0]]


@pytest.mark.parametrize(
    ("p", "squared"),
    [
        ((1, 1, 3), 9),
        ((-3, -4, 0), 25),
        ((2, -5, 1), 26),
        ((4, 4, 0), 8),
        ((1, 1, 0), 0),
        ((2, 2, -2), 4),
        ((9, 0, 0), 25),
    ],
)
def test_known_squared_distances(p: tuple[float, float, float], squared: int) -> None:
    assert rational.point_triangle(p, RIGHT) == squared
    assert brute.point_triangle(np.array(p, float), *np.array(RIGHT)) == pytest.approx(squared**0.5, abs=1e-15)


def test_a_third_is_a_third() -> None:
    assert rational.point_triangle((1, 0, 0), [[0, 0, 0], [1, 1, 1], [1, 1, 1]]) == Fraction(2, 3)
    assert rational.segment_triangle((0, 0, 1), (5, 5, 1), [[0, 0, 0], [1, 1, 1], [2, 2, 2]]) == 0
    assert rational.segment_triangle((5, 5, 2), (1, 1, -1), RIGHT) == Fraction(2, 41)
    assert rational.segment_triangle((1, 1, -2), (1, 1, 2), RIGHT) == 0
    assert rational.ray_meets_triangle((1, 1, 3), (0, 0, -2), RIGHT) == Fraction(3, 2)
    assert rational.ray_meets_triangle((1, 1, 3), (0, 0, 2), RIGHT) is None
    assert rational.ray_meets_triangle((2, 2, 3), (0, 0, -1), RIGHT) == 3
    assert rational.triangle_triangle(RIGHT, [[1, 1, -1], [1, 1, 1], [9, 9, 9]]) == 0
    assert rational.triangle_triangle(RIGHT, [[x, y, z + 7] for x, y, z in RIGHT]) == 49


def test_float64_and_fractions_agree() -> None:
    soup = shapes.soup(40, 0)
    corners = soup.vertices[soup.faces]
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-30, 30, (2, 30, 3))
    points, segments = (
        brute.Features.of(soup.vertices, soup.faces).nearest(a),
        brute.segment_triangle(a[:, None], b[:, None], *corners.swapaxes(0, 1)),
    )
    each, both = brute.point_triangle(a[:, None], *corners.swapaxes(0, 1)), brute.triangle_triangle(corners[:8], corners[8:16])
    for k in range(30):
        squared, faces = rational.nearest_faces(a[k].tolist(), corners.tolist())
        assert judge.root(squared) == pytest.approx(points.distance[k], rel=1e-13) == pytest.approx(each[k].min(), rel=1e-13)
        assert points.face[k] == faces[0] or k in points.rivals
        for f in range(0, 40, 7):
            exact = judge.root(rational.segment_triangle(a[k].tolist(), b[k].tolist(), corners[f].tolist()))
            assert segments[k, f] == pytest.approx(exact, rel=1e-12, abs=1e-13)
    for i in range(8):
        for j in range(8):
            assert both[i, j] == pytest.approx(
                judge.root(rational.triangle_triangle(corners[i].tolist(), corners[8 + j].tolist())), rel=1e-12, abs=1e-13
            )


@pytest.mark.parametrize("squared", [Fraction(2), Fraction(1, 3), Fraction(10) ** -40, Fraction(10) ** 40, Fraction(0), Fraction(4, 9)])
def test_roots(squared: Fraction) -> None:
    assert judge.root(squared) == pytest.approx(float(squared) ** 0.5, rel=1e-15)


def test_the_surface_winds_as_often_as_it_should() -> None:
    origin, between, out = np.zeros(3), np.array([0.0, 15.0, 0.0]), np.array([50.0, 1, 2])
    asked = np.array([origin, between, out])

    def turns(shape: shapes.Shape) -> list[float]:
        return winding.winding_number(asked, shape.vertices, shape.faces).tolist()

    assert turns(shapes.nested()) == pytest.approx([2, 1, 0], abs=1e-12)
    assert turns(shapes.hollow()) == pytest.approx([0, 1, 0], abs=1e-12)
    assert turns(shapes.sphere().inverted()) == pytest.approx([-1, -1, 0], abs=1e-12)
    assert turns(shapes.hemisphere())[0] == pytest.approx(0.5, abs=1e-12)
    globe = shapes.globe()
    one = sum(winding.solid_angle(between.tolist(), *globe.vertices[f].tolist()) for f in globe.faces) / (4 * np.pi)
    assert one == pytest.approx(turns(globe)[1], abs=1e-12) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("kind", [k for k, make in shapes.KINDS.items() if make().solid])
def test_solids_are_solids(kind: str) -> None:
    """The oracle of the sign rests on it: every edge once each way, outward, and 0 or 1 turns everywhere."""
    shape = shapes.KINDS[kind]()
    edges = [(row[k], row[(k + 1) % 3]) for row in shape.faces.tolist() for k in range(3)]
    assert len(set(edges)) == len(edges) and set(edges) == {(b, a) for a, b in edges}
    a, b, c = shape.vertices[shape.faces].swapaxes(0, 1)
    outward = np.cross(b - a, c - a)
    outward *= 1e-4 / np.linalg.norm(outward, axis=1, keepdims=True)
    asked = np.concatenate([queries.around(shape, 100, np.random.default_rng(0)), (a + b + c) / 3 - outward, (a + b + c) / 3 + outward])
    turns = winding.winding_number(asked, shape.vertices, shape.faces)
    assert np.abs(turns - (turns > 0.5)).max() < 1e-6
    assert (turns[100 : 100 + len(a)] > 0.5).all() and (turns[100 + len(a) :] < 0.5).all()


def test_the_judge_of_points_says_no() -> None:
    """Answers spoiled on purpose: each spoiling is noticed, at the last place where it could hide."""
    shape = shapes.torus()
    surface, features = Surface.from_arrays(shape.vertices, shape.faces), brute.Features.of(shape.vertices, shape.faces)
    asked = queries.mixed(features, shape, 400, np.random.default_rng(0))
    got, reach = surface.closest(asked), features.reach(asked)
    assert not judge.points(shape, surface, asked, got).wrong
    spoiled = {
        "distance": replace(got, distance_mm=got.distance_mm * (1 + 4e-12) + 2e-12 * reach),
        "float32": replace(got, distance_mm=got.distance_mm.astype(np.float32).astype(np.float64)),
        "sign": replace(got, distance_mm=-got.distance_mm),
        "face": replace(got, face=np.roll(got.face, 1)),
        "last of equal faces": replace(got, face=np.array([_last(features, p) for p in asked], np.int32)),
        "point": replace(got, point_mm=got.point_mm + 1e-9),
        "unknown": replace(got, distance_mm=np.full(len(asked), np.nan)),
    }
    for name, answers in spoiled.items():
        assert judge.points(shape, surface, asked, answers).wrong, name


@pytest.mark.parametrize("kind", ["spike", "sphere", "turned plate", "layers 1e-8", "hollow", "needles"])
def test_a_filter_that_forgets_its_rounding_is_noticed(kind: str) -> None:
    """Faces chosen in float32, then measured in float64: right but where two faces are within float32's rounding, and there it is caught."""
    shape = shapes.KINDS[kind]()
    surface, features = Surface.from_arrays(shape.vertices, shape.faces), brute.Features.of(shape.vertices, shape.faces)
    asked = queries.mixed(features, shape, 500, np.random.default_rng(0))
    got, centre = surface.closest(asked), shape.vertices.mean(axis=0)
    coarse = (features.triangles - centre).astype(np.float32).swapaxes(0, 1)
    chosen = brute.point_triangle((asked - centre).astype(np.float32)[:, None], *coarse).argmin(axis=1)
    measured = brute.point_triangle(asked, *features.triangles[chosen].swapaxes(0, 1))
    same = chosen == got.face
    answers = replace(got, face=chosen.astype(np.int32), distance_mm=np.where(same, got.distance_mm, measured))
    problems = judge.points(replace(shape, solid=False), surface, asked, answers, features).wrong
    assert any("face" in problem and "point off" not in problem for problem in problems)


def _last(features: brute.Features, point: np.ndarray) -> int:
    return int(features.holders[features.distances(point[None])[0].argmin()][-1])


class Wrong:
    """A surface that answers for a slightly other mesh."""

    def __init__(self, shape: shapes.Shape, off: float) -> None:
        self.surface = Surface.from_arrays(shape.vertices + off, shape.faces)

    def __getattr__(self, name: str) -> object:
        return getattr(self.surface, name)


def test_the_other_judges_say_no() -> None:
    shape, rng = shapes.sphere(), np.random.default_rng(0)
    right, wrong = Surface.from_arrays(shape.vertices, shape.faces), Wrong(shape, 1e-9)
    capsules, rays = queries.axes(shape, 40, rng), queries.rays(shape, 40, rng)
    assert not judge.capsules(shape, right, *capsules).wrong
    assert len(judge.capsules(shape, wrong, *capsules).wrong) > 20  # type: ignore[arg-type]
    assert len(pairs.rays(shape, wrong, *rays).wrong) > 10  # type: ignore[arg-type]
    T = Rigid((((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))), (60.0, 5.0, 1.0), "ct", "tip/drill")
    assert not pairs.surfaces(shape, shape, T)
    assert pairs.surfaces(shape, shape, T, ours=wrong)  # type: ignore[arg-type]
