"""`navtwin structure make`: a structure from the recipe of another one, or of one that was taken out and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.scene import load_scene
from navtwin.scene.author.commands import structure_app
from navtwin.scene.author.into_case import Declared, add_made, list_structures, remove
from navtwin.scene.author.recipe import Sphere, recipe_text
from tests.scene.author.scans import recipe
from tests.scene.cases import at_ijk

BALL = Sphere(at_ijk(16, 20, 12), 3.0)


def make(case: Path, *words: str) -> str:
    result = CliRunner().invoke(structure_app, ["make", str(case), *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_what_was_taken_out_and_kept_comes_back_as_its_author_left_it(case: Path, tmp_path: Path) -> None:
    add_made(case, Declared("cyst", "critical", 3.0, 1.0, sd_mm=0.7), (BALL,), "Dr A. Example", "2026-11-20")
    was = load_scene(case).structure("cyst").surface.volume_mm3
    kept = tmp_path / "cyst.toml"
    remove(case, "cyst", kept)
    make(case, str(kept), "--name", "cyst", "--role", "critical", "--caution", "3", "--danger", "1")
    listed = list_structures(case)[-1]
    assert listed.recipe is not None
    assert (listed.volume_mm3, listed.sd_mm, listed.recipe.author, listed.recipe.made) == (was, 0.7, "Dr A. Example", "2026-11-20")


def test_one_that_is_there_is_made_anew_and_keeps_what_is_declared(case: Path, tmp_path: Path) -> None:
    add_made(case, Declared("cyst", "critical", 3.0, 1.0, sd_mm=0.7), (Sphere(at_ijk(16, 20, 12), 2.0),), "A", "2026-11-20")
    path = tmp_path / "larger.toml"
    path.write_text(recipe_text(recipe(BALL)))
    said = make(case, str(path), "--again", "cyst", "--rename", "tumour", "--danger", "1.5", "--author", "B")
    listed = list_structures(case)[-1]
    assert (listed.name, listed.caution_mm, listed.danger_mm, listed.sd_mm) == ("tumour", 3.0, 1.5, 0.7)
    assert listed.recipe is not None and listed.recipe.edit == (BALL,)
    assert (listed.recipe.author, listed.recipe.changed_by) == ("A", "B")
    assert "was 1: sphere of radius 2 mm" in said


@pytest.mark.parametrize("words", [(), ("--name", "a", "--again", "b"), ("--name", "a", "--rename", "b")])
def test_it_is_said_what_is_made(case: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "one.toml"
    path.write_text(recipe_text(recipe(BALL)))
    with pytest.raises(InputRefused, match="say what is made"):
        make(case, str(path), *words)
