"""Inside or outside, judged by how often the surface winds round the point: also where no normal can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin import Surface
from tests.oracles import brute, queries, shapes
from tests.oracles.winding import winding_number

SOLID = [kind for kind, make in shapes.KINDS.items() if make().solid]
#: Closed, but within itself, through itself or inside out.
DOUBTFUL = ("nested", "crossing", "spindle", "layers 1e-5", "inverted")
OPEN = ("hemisphere", "few", "accordion", "triangle")


def ask(kind: str, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Which points are said to be inside, and the turns round each; none within rounding of the surface."""
    shape = shapes.KINDS[kind]().moved(turn=1)
    rng, features = np.random.default_rng(0), brute.Features.of(shape.vertices, shape.faces)
    points = np.concatenate([queries.around(shape, n, rng), queries.close_by(shape, n, rng)])
    got = Surface.from_arrays(shape.vertices, shape.faces).closest(points)
    clear = np.abs(got.distance_mm) > 1e3 * features.rounding(points)
    return got.distance_mm[clear] < 0.0, winding_number(points[clear], shape.vertices, shape.faces)


@pytest.mark.parametrize("kind", SOLID)
def test_inside_a_solid_is_negative(kind: str) -> None:
    inside, turns = ask(kind)
    assert (inside == (turns > 0.5)).all()


@pytest.mark.parametrize("kind", DOUBTFUL)
def test_where_normals_mislead_the_winding_decides(kind: str) -> None:
    """Between two nested shells, and in what two solids share, is inside; an inverted solid has one rule for its whole inside."""
    inside, turns = ask(kind)
    if kind == "inverted":
        assert len(set(inside[turns < -0.5].tolist())) == 1 and not inside[np.abs(turns) < 0.5].any()
    else:
        assert (inside == (turns > 0.5)).all()


@pytest.mark.parametrize("kind", OPEN)
def test_of_an_open_surface_only_what_it_winds_round_is_inside(kind: str) -> None:
    """Whichever way round its faces run, with room for a far field that is summed up, not added face by face."""
    inside, turns = ask(kind)
    assert not inside[np.abs(turns) < 0.4].any()
    assert inside[np.abs(turns) > 0.6].all()


def test_a_surface_says_which_rule_it_uses() -> None:
    """Another one for a solid than for what crosses itself or is open."""
    rules = {kind: str(Surface.from_arrays(*_arrays(kind)).sign) for kind in ("sphere", "torus", "crossing", "hemisphere")}
    assert rules["sphere"] == rules["torus"]
    assert rules["crossing"] != rules["sphere"] != rules["hemisphere"]


def _arrays(kind: str) -> tuple[np.ndarray, np.ndarray]:
    shape = shapes.KINDS[kind]()
    return shape.vertices, shape.faces
