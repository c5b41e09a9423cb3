"""Recipes are kept to the last bit, and refuse what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.scene.author import changes
from navtwin.scene.author.recipe import Cut, Edit, Outline, Painted, Recipe, Sphere, Threshold, Tube, read_recipe, recipe_text
from navtwin.scene.author.telling import told
from tests.scene.author.scans import circle, recipe

NUMBER = st.floats(-1e4, 1e4)
POINT = st.tuples(NUMBER, NUMBER, NUMBER)
RADIUS = st.floats(0.1, 150.0)
TUBE = Tube(((0.0, 0.0, 0.0), (10.0, 0.0, 0.0), (20.0, 5.0, 0.0)), (1.0, 2.0, 3.0))


@settings(max_examples=40, deadline=None)
@given(
    author=st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip())),
    sd_mm=st.floats(0.0, 10.0),
    centre=POINT,
    radius=RADIUS,
    seeds=st.lists(POINT, max_size=3),
    hu=NUMBER,
    points=st.lists(POINT, min_size=3, max_size=6),
)
def test_a_recipe_reads_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, author: str, sd_mm: float, centre: tuple[float, float, float], radius: float,
    seeds: list[tuple[float, float, float]], hu: float, points: list[tuple[float, float, float]],
) -> None:  # fmt: skip
    edits: tuple[Edit, ...] = (
        Sphere(centre, radius),
        Threshold(hu, hu + 1.0, tuple(seeds), 1.0, (-1.0, -2.0, -3.0, 1.0, 2.0, 3.0), (Cut(centre, (0.0, 0.1, 0.3)),), 7.0, subtract=True),
        TUBE,
        Painted((Outline(tuple(points)), circle(3.0, 1.0, corners=5)), (0.0, 1.0, 0.0), 2.5, subtract=True),
    )
    one = Recipe(author, "2026-11-22", sd_mm, edits, changed_by="me", changed="2026-11-23")
    path = tmp_path_factory.getbasetemp() / "recipe.toml"
    path.write_text(recipe_text(one), encoding="utf-8", newline="\n")
    assert read_recipe(path) == one


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Tube(((0.0, 0.0, 0.0),), (1.0,)), "a tube has 1 points"),
        (lambda: Tube(((0.0, 0.0, 0.0), (0.0, 0.0, 0.5)), (1.0,)), "0.5 mm long and 1 mm in radius.*Make it a sphere"),
        (lambda: Tube(((0.0, 0.0, 0.0), (0.0, 0.0, 5.0), (0.0, 0.0, 5.0)), (1.0,)), "points 2 and 3 of a tube are the same"),
        (lambda: Tube(((0.0, 0.0, 0.0), (0.0, 0.0, 9.0)), (1.0, 1.0, 1.0)), "2 points and 3 radii"),
        (lambda: Tube(((0.0, 0.0, 0.0), (0.0, 0.0, 9.0)), (0.0,)), "radius of 0 mm"),
        (lambda: Tube(((0.0, 0.0, 0.0), (0.0, float("nan"), 9.0)), (1.0,)), "NaN"),
        (lambda: Sphere((0.0, 0.0, 0.0), 1000.0), "radius of 1000 mm"),
        (lambda: Sphere((0.0, 0.0, float("inf")), 1.0), "infinite"),
        (lambda: Threshold(300.0, upper_hu=300.0), "is not above 300 HU"),
        (lambda: Threshold(300.0, crop_mm=(0.0, 0.0, 0.0, 1.0, 1.0, 0.0)), "the crop box is empty"),
        (lambda: Threshold(300.0, fill_mm3=-1.0), "fill_mm3 = -1"),
        (lambda: Cut((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), "no direction"),
        (lambda: Painted(()), "0 outlines"),
        (lambda: Painted((Outline(((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))),)), "outline 1 has 2 points"),
        (lambda: Painted((circle(1.0, 0.0),), thickness_mm=0.0), "0 mm thick"),
        (recipe, "made of 0 steps"),
        (lambda: recipe(Sphere((0.0, 0.0, 0.0), 1.0, subtract=True)), "first step of a structure takes away"),
        (lambda: Recipe(" ", "2026-11-22", 0.5, (TUBE,)), "no author"),
        (lambda: Recipe("me", "22.11.2026", 0.5, (TUBE,)), "'22.11.2026' is no day"),
        (lambda: Recipe("me", "2026-11-22", -0.5, (TUBE,)), "sd_mm is -0.5"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        make()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing required field `author`"),
        ('author = "me"\nmade = "2026-11-22"\nsd_mm = 0.5\n[[edit]]\nkind = "cube"\n', "cube"),
        ('author = "me"\nmade = "2026-11-22"\nsd_mm = 0.5\n[[edit]]\nkind = "sphere"\ncentre_mm = [0.0, 0.0]\nradius_mm = 1.0\n', "length 3"),
        ('author = "me"\nmade = "2026-11-22"\nsd_mm = nan\n[[edit]]\nkind = "sphere"\ncentre_mm = [0.0, 0.0, 0.0]\nradius_mm = 1.0\n', "NaN"),
        ("author = [", "not valid TOML"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "made.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match=words):
        read_recipe(path)


def test_changes() -> None:
    one = recipe(TUBE, Sphere((0.0, 0.0, 0.0), 4.0))
    tube = changes.moved(one, 1, 2, (10.0, 1.0, 0.0)).edit[0]
    assert isinstance(tube, Tube) and tube.points_mm[1] == (10.0, 1.0, 0.0)
    longer = changes.inserted(one, 1, 2, (5.0, 0.0, 0.0)).edit[0]
    assert isinstance(longer, Tube) and longer.points_mm[1] == (5.0, 0.0, 0.0) and longer.radii_mm == (1.0, 1.5, 2.0, 3.0)
    ends = changes.inserted(changes.inserted(one, 1, 1, (-5.0, 0.0, 0.0)), 1, 5, (30.0, 9.0, 0.0)).edit[0]
    assert isinstance(ends, Tube) and ends.radii_mm == (1.0, 1.0, 2.0, 3.0, 3.0)
    shorter = changes.without_point(one, 1, 1).edit[0]
    assert isinstance(shorter, Tube) and shorter.radii_mm == (2.0, 3.0)
    thin = changes.with_radius(one, 1, 0.5).edit[0]
    assert isinstance(thin, Tube) and thin.radii_mm == (0.5,)
    assert changes.moved(one, 2, 1, (1.0, 1.0, 1.0)).edit[1] == Sphere((1.0, 1.0, 1.0), 4.0)
    assert changes.with_radius(one, 2, 3.0).edit[1] == Sphere((0.0, 0.0, 0.0), 3.0)
    assert changes.without_step(one, 1).edit == (Sphere((0.0, 0.0, 0.0), 4.0),)
    level = recipe(Threshold(300.0, seeds_mm=((1.0, 0.0, 0.0),)))
    assert changes.with_level(level, None, 250.0).edit[0] == Threshold(250.0, seeds_mm=((1.0, 0.0, 0.0),))
    two = changes.inserted(level, None, 2, (2.0, 0.0, 0.0))
    assert changes.without_point(changes.moved(two, None, 1, (3.0, 0.0, 0.0)), None, 2).edit[0] == Threshold(300.0, seeds_mm=((3.0, 0.0, 0.0),))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: changes.with_radius(one, None, 1.0), "more than one step.*1: tube through 3 points.*2: sphere of radius 4 mm"),
        (lambda one: changes.with_level(one, None, 1.0), "no step of it can be changed so"),
        (lambda one: changes.with_level(one, 2, 1.0), "step 2 cannot be changed so"),
        (lambda one: changes.moved(one, 1, 4, (0.0, 0.0, 0.0)), "there is no point 4 in it.*from 1 to 3"),
        (lambda one: changes.moved(one, 2, 2, (0.0, 0.0, 0.0)), "there is no point 2 in it"),
        (lambda one: changes.without_step(one, 3), "step 3 cannot be changed so"),
        (lambda one: changes.without_step(recipe(TUBE), 1), "the structure's only step"),
        (lambda one: changes.with_radius(one, 1, 900.0), "radius of 900 mm"),
    ],
)
def test_a_change_that_cannot_be_is_refused(change: Callable[[Recipe], Recipe], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        change(recipe(TUBE, Sphere((0.0, 0.0, 0.0), 4.0)))


def test_steps_are_told() -> None:
    assert told(TUBE, 1) == "1: tube through 3 points (a curve, 21.2 mm long), radius 1 to 3 mm"
    assert told(Sphere((0.0, 0.0, 0.0), 2.0, subtract=True)) == "less sphere of radius 2 mm"
    assert told(Threshold(300.0, 900.0, ((0.0, 0.0, 0.0),), fill_mm3=5.0)) == "threshold 300 to 900 HU, 1 seed, cavities to 5 mm3 filled"
    assert told(Painted((circle(1.0, 0.0), circle(1.0, 1.0)))) == "painted, 2 outlines"
