from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.scene import sign
from navtwin.scene.surface import Surface, pack_forest
from tests.kernels import meshes
from tests.kernels.test_winding import BALL, SPOILT, by_arctangents, joined, moved, points_about, turned

Mesh = meshes.Mesh
BOX = meshes.box((1.0, 1.0, 1.0))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path))


def surface(mesh: Mesh) -> Surface:
    return Surface.from_arrays(*mesh)


@pytest.mark.parametrize(
    "mesh",
    [
        BALL,
        BOX,
        meshes.torus(),
        joined(BALL, turned(moved(BALL, 0.6)), moved(BALL, 0.3)),
        joined(BALL, moved(BALL, 0.5, (60.0, 0.0, 0.0))),
        joined(BOX, moved(BOX, 1.0, (2.0001, 0.5, 0.3))),
        moved(meshes.torus(), 1e-6, (1e4, 0.0, 0.0)),
    ],
)
def test_borders_of_solids_go_by_pseudonormals(mesh: Mesh) -> None:
    found = surface(mesh).sign
    assert (found.rule, found.reasons, found.is_certain) == ("pseudonormal", (), True)


@pytest.mark.parametrize(
    ("mesh", "words", "is_certain"),
    [
        (SPOILT["hemisphere"], "open at 64 edges", False),
        (SPOILT["some inverted"], "open at", False),
        (SPOILT["soup"], "open at 1500 edges", False),
        (SPOILT["doubled"], "sharing edges between more than two faces", True),
        (SPOILT["inverted"], "inside out", True),
        (SPOILT["nested"], "in 1 of its 2 parts inside another that faces the same way", True),
        (joined(BALL, turned(moved(BALL, 0.5, (60.0, 0.0, 0.0)))), "in 1 of its 2 parts inside out", True),
        (turned(joined(BALL, turned(moved(BALL, 0.6)))), "in 2 of its 2 parts inside out", True),
        (SPOILT["crossing"], "crossing or touching itself in", True),
        (joined(BALL, BALL), "crossing or touching itself in 1000 pairs of faces or more", True),
        (joined(BOX, moved(BOX, 1.0, (2.0, 0.0, 0.0))), "crossing or touching itself in", True),
        (joined(BOX, moved(BOX, 1.0, (2.0, 2.0, 2.0))), "crossing or touching itself in", True),
        (meshes.torus(10.0, 14.0), "crossing or touching itself in", True),
    ],
)
def test_others_go_by_winding_number_and_say_why(mesh: Mesh, words: str, is_certain: bool) -> None:
    found = surface(mesh).sign
    assert found.rule == "winding number"
    assert words in found.why
    assert found.is_certain == is_certain


@pytest.mark.parametrize("name", SPOILT)
def test_distances_have_the_sign_of_the_winding_number(name: str) -> None:
    points = points_about(SPOILT[name], 9, 100)
    expected = np.abs(by_arctangents(points, SPOILT[name]))
    distance = surface(SPOILT[name]).closest(points).distance_mm
    low, high = SPOILT[name][0].min(axis=0), SPOILT[name][0].max(axis=0)
    clear = (np.abs(expected - 0.5) > 0.02) & (np.abs(distance) > 1e-9)
    inside = (expected > 0.5) & ((points >= low) & (points <= high)).all(axis=1)
    np.testing.assert_array_equal((distance < 0.0)[clear], inside[clear])


def test_two_solids_that_share_a_wall_have_an_inside() -> None:
    """Each wall's normal says that the other solid's inside is outside."""
    walled = surface(joined(BOX, moved(BOX, 1.0, (2.0, 0.0, 0.0))))
    points = np.random.default_rng(0).uniform(-0.99, 0.99, (400, 3)) + np.repeat([[0.0, 0, 0], [2, 0, 0]], 200, axis=0)
    assert (walled.closest(points).distance_mm < 0.0).all()


def test_the_doubt_is_stated() -> None:
    bowl, points = surface(SPOILT["hemisphere"]), points_about(SPOILT["hemisphere"], 10)
    expected = by_arctangents(points, SPOILT["hemisphere"])
    np.testing.assert_allclose(bowl.winding(points), expected, rtol=0, atol=0.01)
    np.testing.assert_allclose(bowl.doubt(points), np.abs(expected - np.round(expected)), rtol=0, atol=0.02)
    assert bowl.doubt([[0.0, 0.0, 0.0], [0.0, 0.0, 1e4]]) == pytest.approx([0.5, 0.0], abs=0.02)
    assert surface(BALL).doubt([[0.0, 0.0, 0.0], [0.0, np.nan, 0.0]]) == pytest.approx([0.0, np.nan], nan_ok=True)
    assert np.isnan(bowl.winding([[np.inf, 0.0, 0.0]])).all()
    assert surface(BALL).winding([[0.0, 0.0, 0.0], [50.0, 0.0, 0.0]]) == pytest.approx([1.0, 0.0], abs=0.01)


def test_the_running_core_is_given_the_judged_forest() -> None:
    forest = pack_forest([surface(BALL), surface(SPOILT["crossing"])])
    assert forest.sign_rule.tolist() == [0, 1]


def test_crossings_are_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sign, "REMEMBERED_FACES", 1)
    why = surface(SPOILT["crossing"]).sign.why
    (kept,) = (tmp_path / "crossings").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(sign, "_count_crossings", lambda _: pytest.fail("looked for again"))
        assert surface(SPOILT["crossing"]).sign.why == why
    kept.write_text("not a number")
    assert surface(SPOILT["crossing"]).sign.why == why
