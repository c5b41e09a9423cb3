"""The tools without a screen: presses of the mouse become the recipe that the command line would have made of the same points."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gui.case.tools.bone import BoneTool
from gui.case.tools.model import Workbench
from gui.case.tools.sheet import Sheet, faults, number
from gui.case.tools.tube import TubeTool, tube_tool
from navtwin.errors import InputRefused
from navtwin.scene.author.commands import structure_app
from navtwin.scene.author.into_case import list_structures
from navtwin.scene.author.recipe import Cut, Threshold, Tube
from navtwin.volumes.volume import VolumeBox
from tests.gui.tools_room import click, drag, small_case, touch

DAY = "2026-11-22"
IDENTITY: Any = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
BOX = VolumeBox(IDENTITY, (64, 64, 64))


# --- what is declared


def test_a_critical_structure_says_everything_at_once() -> None:
    found = {one.field for one in faults(Sheet(role="critical"), ())}
    assert found == {"name", "caution", "danger", "sd", "author"}
    good = Sheet("nerve", "critical", "3", "1,5", "0.6 mm", "", "me")
    assert faults(good, ()) == ()
    assert [one.field for one in faults(good, ("nerve",))] == ["name"]
    assert [one.field for one in faults(replace(good, danger="4"), ())] == ["danger"]
    assert [one.field for one in faults(replace(good, sd="about 1"), ())] == ["sd"]
    assert faults(Sheet("bone", "work", "rubbish", "", "", "", "me"), ()) == (), "limits that do not count are not looked at"


@given(st.floats(0.0, 1e6, allow_nan=False))
def test_numbers_are_read_as_people_write_them(value: float) -> None:
    text = f"{value:.3f}"
    assert number(text) == number(text.replace(".", ",")) == number(f" {text} mm ") == float(text)


# --- the bench


def bench() -> Workbench:
    return Workbench(Path("case"), BOX, "me")


def test_a_draft_stays_when_its_tool_is_laid_down_until_it_is_discarded() -> None:
    bench_ = bench()
    bench_.take("tube")
    click(bench_.benches["tube"].tool, touch(1, 1, 1), touch(9, 1, 1))
    bench_.take("sphere")
    bench_.take(None)
    bench_.take("tube")
    assert bench_.bench is not None and not bench_.bench.empty
    assert list(bench_.unsaved()) == ["A draft of the Tube tool in case (2 points, 8.0 mm) is not made yet."]
    bench_.discard("tube")
    assert bench_.benches["tube"].empty and list(bench_.unsaved()) == []


def test_what_is_missing_is_said_field_by_field_and_nothing_is_built() -> None:
    bench_ = bench()
    bench_.take("tube")
    assert bench_.work("tube", DAY) is None
    assert {one.field for one in bench_.benches["tube"].faults} == {"shape", "name", "caution", "danger", "sd"}


def test_a_place_outside_the_scan_is_refused_where_it_is_clicked() -> None:
    with pytest.raises(InputRefused, match="outside the scan"):
        bench().refuse_outside(touch(-3, 1, 1))


def test_the_command_line_makes_the_same_recipe_of_the_same_points(tmp_path: Path) -> None:
    """Drawn with the mouse and typed as a command: equal to the last bit, in the case and as surfaces."""
    case = small_case(tmp_path)
    bench_ = Workbench(case, list_box(case), "Dr A. Example")
    points = ((20.25, 31.5, 22.0), (26.125, 30.0, 30.5), (33.0, 34.75, 41.0))
    tool = bench_.benches["tube"].tool
    click(tool, *(touch(*p) for p in points))
    assert isinstance(tool, TubeTool)
    tool.set_radius(2.5)
    bench_.benches["tube"].sheet = Sheet("by hand", "critical", "4", "2", "0.5", "", "Dr A. Example")
    work = bench_.work("tube", DAY)
    assert work is not None and not work.heavy
    work.run(lambda text: None)
    words = [w for p in points for w in ("--point", *(f"{v:g}" for v in p))]
    limits = ["--role", "critical", "--caution", "4", "--danger", "2", "--sd", "0.5", "--author", "Dr A. Example"]
    result = CliRunner().invoke(structure_app, ["tube", str(case), "--name", "typed", "--radius", "2.5", *words, *limits])
    assert result.exit_code == 0, result.output
    drawn, typed = (next(one for one in list_structures(case) if one.name == name) for name in ("by hand", "typed"))
    assert drawn.recipe is not None and typed.recipe is not None
    assert drawn.recipe.edit == typed.recipe.edit and drawn.recipe.sd_mm == typed.recipe.sd_mm
    assert drawn.volume_mm3 == typed.volume_mm3


def list_box(case: Path) -> VolumeBox:
    from navtwin.scene import load_scene

    return load_scene(case).volume


def test_a_made_structure_comes_back_into_its_tool_and_is_built_anew(tmp_path: Path) -> None:
    case = small_case(tmp_path)
    bench_ = Workbench(case, list_box(case), "B")
    sheet = Sheet("cyst", "critical", "4", "2", "0.5", "", "A")
    tool = bench_.benches["sphere"].tool
    drag(tool, touch(30, 30, 30), touch(35, 30, 30))
    bench_.benches["sphere"].sheet = sheet
    work = bench_.work("sphere", DAY)
    assert work is not None
    bench_.built("sphere", work.run(lambda text: None))
    assert bench_.benches["sphere"].empty and bench_.in_hand is None and "made" in bench_.said[0]
    bench_.relist(list_structures(case), {})
    assert bench_.load("cyst") == "sphere"
    assert bench_.work("sphere", DAY) is None and "has changed yet" in bench_.benches["sphere"].faults[0].words
    loaded = bench_.benches["sphere"]
    assert list(bench_.unsaved()) == []
    drag(loaded.tool, touch(35, 30, 30), touch(37, 30, 30))
    loaded.sheet = replace(loaded.sheet, name="tumour", sd="0.8", author="B")
    assert list(bench_.unsaved()) == ["The change of 'cyst' in case is not built yet."]
    with pytest.raises(InputRefused, match="still holds the change of 'cyst'"):
        bench_.load("cyst")
    work = bench_.work("sphere", DAY)
    assert work is not None
    work.refuse_changed()
    work.run(lambda text: None)
    changed = list_structures(case)[-1]
    assert (changed.name, changed.sd_mm, changed.volume_mm3) == ("tumour", 0.8, pytest.approx(4 / 3 * pi * 343, rel=1e-3))
    assert changed.recipe is not None and (changed.recipe.author, changed.recipe.changed_by) == ("A", "B")
    with pytest.raises(InputRefused, match="no structure 'cyst'"):
        work.refuse_changed()


def test_a_step_more_joins_a_structure_that_is_there(tmp_path: Path) -> None:
    case = small_case(tmp_path)
    bench_ = Workbench(case, list_box(case), "A")
    for centre, way, other in ((30, "new", ""), (33, "out of", "lump")):
        tool = bench_.benches["sphere"].tool
        drag(tool, touch(centre, 30, 30), touch(centre + 5, 30, 30))
        here = bench_.benches["sphere"]
        here.sheet, here.way, here.other = Sheet("lump", "context", author="A"), way, other  # type: ignore[assignment]
        work = bench_.work("sphere", DAY)
        assert work is not None, here.faults
        work.run(lambda text: None)
        bench_.built("sphere", ())
        bench_.relist(list_structures(case), {})
    lump = bench_.made[0]
    assert lump.steps[1].startswith("2: less sphere")
    bench_.load("lump", 1)
    here = bench_.benches["sphere"]
    drag(here.tool, touch(38, 30, 30), touch(36, 30, 30))
    work = bench_.work("sphere", DAY)
    assert work is not None and [edit.subtract for edit in work.edits] == [False, True] and work.edits[0] == lump.recipe.edit[0]  # type: ignore[union-attr]


def test_the_same_work_as_a_command(tmp_path: Path) -> None:
    case = small_case(tmp_path)
    bench_ = Workbench(case, list_box(case), "A")
    bone = bench_.benches["bone"].tool
    assert isinstance(bone, BoneTool)
    bone.set_hu(300.0)
    bone.keep_island_at((20.0, 20.0, 20.0))
    bench_.benches["bone"].sheet = Sheet("-odd name", "work", author="Dr --B")
    work = bench_.work("bone", DAY)
    assert work is not None and work.heavy
    path = tmp_path / "recipe.toml"
    path.write_text(work.recipe_text(), encoding="utf-8")
    result = CliRunner().invoke(structure_app, work.arguments(path)[1:])
    assert result.exit_code == 0, result.output
    made = list_structures(case)[-1]
    assert made.name == "-odd name" and made.recipe is not None
    assert made.recipe.edit == (Threshold(300.0, seeds_mm=((20.0, 20.0, 20.0),)),) and made.recipe.author == "Dr --B"
    assert made.volume_mm3 == pytest.approx(4 / 3 * pi * 512, rel=0.03), "the ball, and not the rod beside it"


def test_a_curve_that_was_made_comes_back_point_by_point() -> None:
    made = Tube(((1, 1, 1), (5, 5, 5), (9, 1, 1)), (1.0, 2.0, 1.0), straight=True)
    assert tube_tool(made).draft.edit() == made
    bone = Threshold(300.0, 900.0, ((1, 1, 1),), cut=(Cut((0, 0, 0), (0, 0, 1)),), crop_mm=(0, 0, 0, 9, 9, 9), fill_mm3=5.0)
    assert BoneTool(bone).draft == bone
