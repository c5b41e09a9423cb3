from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.simd import WIDTH
from navtwin.kernels.tree import PSEUDONORMAL, WINDING
from navtwin.kernels.winding import CAREFUL, QUICK, QUICK_ERROR, WINDING_ERROR, signed_by_winding, winding_number
from tests.kernels import meshes
from tests.kernels.asking import ask
from tests.kernels.meshes import Mesh


def by_arctangents(points: np.ndarray, mesh: Mesh) -> np.ndarray:
    """(N,) winding numbers: every solid angle for itself, in NumPy."""
    a, b, c = (mesh[0][mesh[1][:, k]][None] - points[:, None] for k in range(3))
    sine = (a * np.cross(b, c)).sum(-1)
    la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
    cosine = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return np.where(sine == 0.0, 0.0, np.arctan2(sine, cosine)).sum(1) / (2.0 * np.pi)


def joined(*parts: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(v) for v, _ in parts)])
    return np.concatenate([v for v, _ in parts]), np.concatenate([f + n for (_, f), n in zip(parts, starts, strict=False)]).astype(np.int32)


def moved(mesh: Mesh, scale: float = 1.0, by: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    return mesh[0] * scale + by, mesh[1]


def turned(mesh: Mesh) -> Mesh:
    return mesh[0], np.ascontiguousarray(mesh[1][:, ::-1])


def kept(mesh: Mesh, keep: np.ndarray) -> Mesh:
    return mesh[0], np.ascontiguousarray(mesh[1][keep])


BALL = meshes.sphere(20.0, 4)
MIDDLES = BALL[0][BALL[1]].mean(axis=1)
SPOILT = {
    "hemisphere": kept(BALL, MIDDLES[:, 2] > 0.0),
    "holes": kept(BALL, np.random.default_rng(0).uniform(size=len(BALL[1])) > 0.2),
    "inverted": turned(BALL),
    "some inverted": (BALL[0], np.where(np.random.default_rng(1).uniform(size=(len(BALL[1]), 1)) > 0.1, BALL[1], BALL[1][:, ::-1]).astype(np.int32)),
    "nested": joined(BALL, moved(BALL, 0.6)),
    "nested hollow": joined(BALL, turned(moved(BALL, 0.6)), moved(BALL, 0.3)),
    "crossing": joined(BALL, moved(BALL, 0.7, (17.0, 3.0, 1.0))),
    "doubled": (BALL[0], np.concatenate([BALL[1], BALL[1]])),
    "soup": meshes.soup(500, 3, 8.0),
    "needles": (BALL[0] * (1.0, 1e-4, 1.0), BALL[1]),
}


def points_about(mesh: Mesh, seed: int, count: int = 100) -> np.ndarray:
    """Points all over its box and beyond, and points close to its faces."""
    rng = np.random.default_rng(seed)
    low, high = mesh[0].min(axis=0) - 5.0, mesh[0].max(axis=0) + 5.0
    on = mesh[0][mesh[1][rng.integers(0, len(mesh[1]), count)]].mean(axis=1)
    return np.concatenate([rng.uniform(low, high, (count, 3)), on + rng.normal(size=(count, 3)) * 10.0 ** rng.uniform(-6, 0, (count, 1))])


def winding(forest: kernels.Forest, points: np.ndarray, opening: float = CAREFUL) -> np.ndarray:
    work = kernels.workspace()
    return np.array([winding_number(forest, 0, *p, opening, work) for p in points])


@pytest.mark.parametrize("name", SPOILT)
def test_winding_numbers_are_sums_of_solid_angles(name: str) -> None:
    forest = signed_by_winding(kernels.plant(*SPOILT[name])[0])
    points = points_about(SPOILT[name], 0)
    expected = by_arctangents(points, SPOILT[name])
    np.testing.assert_allclose(winding(forest, points), expected, rtol=0, atol=WINDING_ERROR * 0.7)
    np.testing.assert_allclose(winding(forest, points, QUICK), expected, rtol=0, atol=QUICK_ERROR * 0.7)


@pytest.mark.parametrize("name", ["hemisphere", "crossing", "soup", "needles"])
def test_opened_to_the_last_triangle_it_is_exact(name: str) -> None:
    forest, points = signed_by_winding(kernels.plant(*SPOILT[name])[0]), points_about(SPOILT[name], 1)
    np.testing.assert_allclose(winding(forest, points, 1e6), by_arctangents(points, SPOILT[name]), rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", SPOILT)
def test_the_sign_is_that_of_the_winding_number(name: str) -> None:
    forest = signed_by_winding(kernels.plant(*SPOILT[name])[0])
    points = points_about(SPOILT[name], 2, 150)
    distance, _, _ = ask(forest, 0, points)
    expected = np.abs(by_arctangents(points, SPOILT[name]))
    low, high = SPOILT[name][0].min(axis=0), SPOILT[name][0].max(axis=0)
    clear = (np.abs(expected - 0.5) > 0.02) & (np.abs(distance) > 1e-9)
    assert clear.mean() > 0.7
    inside = (expected > 0.5) & ((points >= low) & (points <= high)).all(axis=1)
    np.testing.assert_array_equal((distance < 0.0)[clear], inside[clear])


@pytest.mark.parametrize("mesh", [meshes.torus(), BALL, meshes.box(), joined(BALL, turned(moved(BALL, 0.6)))])
def test_on_solids_both_rules_agree(mesh: Mesh) -> None:
    forest = kernels.plant(*mesh)[0]
    assert forest.sign_rule[0] == PSEUDONORMAL
    assert len(forest.far_field) == 0
    points = points_about(mesh, 3, 1000)
    np.testing.assert_array_equal(ask(forest, 0, points)[0], ask(signed_by_winding(forest), 0, points)[0])


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_any_scale_and_place(scale: float, shift: float) -> None:
    mesh = SPOILT["crossing"]
    points = points_about(mesh, 4)[:100]
    expected = by_arctangents(points, mesh)
    at = winding(signed_by_winding(kernels.plant(mesh[0] * scale + shift, mesh[1])[0]), points * scale + shift)
    np.testing.assert_allclose(at, expected, rtol=0, atol=WINDING_ERROR)


def test_a_joined_structure_keeps_its_far_field() -> None:
    names = ["hemisphere", "inverted", "soup"]
    alone = [kernels.plant(*SPOILT[n])[0] for n in names]
    forest = kernels.join([kernels.plant(*BALL)[0], alone[0], kernels.plant(*meshes.box())[0], *alone[1:]])
    assert forest.sign_rule.tolist() == [PSEUDONORMAL, WINDING, PSEUDONORMAL, WINDING, WINDING]
    points = points_about(BALL, 5)
    for tree, one in zip((1, 3, 4), alone, strict=True):
        np.testing.assert_array_equal(ask(forest, tree, points)[0], ask(one, 0, points)[0])


def test_far_fields_are_only_there_where_they_are_needed() -> None:
    assert len(kernels.plant(*BALL)[0].far_field) == 0
    open_ball = kernels.plant(*SPOILT["hemisphere"])[0]
    assert len(open_ball.far_field) == 13 * len(open_ball.children)
    assert len(open_ball.children) % WIDTH == 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), within=st.floats(0.0, 60.0), name=st.sampled_from(["hemisphere", "crossing", "inverted", "doubled"]))
def test_a_cap_changes_no_sign(seed: int, within: float, name: str) -> None:
    forest = kernels.plant(*SPOILT[name])[0]
    points = points_about(SPOILT[name], seed, 30)
    distance, capped = ask(forest, 0, points)[0], ask(forest, 0, points, within)[0]
    np.testing.assert_array_equal(capped, np.where(distance <= within, distance, within))


@pytest.mark.parametrize("corners", [np.zeros((3, 3)), np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])])
def test_a_single_triangle_has_no_inside(corners: np.ndarray) -> None:
    points = np.random.default_rng(0).uniform(-2, 2, (200, 3))
    distance, _, _ = ask(kernels.plant(corners, np.array([[0, 1, 2]], np.int32))[0], 0, np.concatenate([points, corners]))
    assert (distance >= 0.0).all()
