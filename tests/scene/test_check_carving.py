"""What a case says of drilling, and what is wrong with it: all of it at once, in words that say what to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from navtwin.scene import load_scene
from navtwin.scene.amend import amended
from navtwin.scene.case import CASE_FILE, read_case_file
from navtwin.scene.case_text import case_text
from navtwin.scene.check import check_case, relock
from navtwin.scene.surface import Surface
from tests.scene.test_case import edit


def problems(folder: Path, level: str = "fault") -> list[str]:
    return [f.problem for f in check_case(folder).findings if f.level == level and "lock" not in f.remedy]


def carvable(folder: Path, keys: str = "carve_mm = 0.4") -> Path:
    """The case with more said of its bone."""
    edit(folder, 'name = "bone"', f'name = "bone"\n{keys}')
    return folder


def test_bone_that_can_be_drilled_and_what_is_to_be_removed_of_it(case: Path) -> None:
    carvable(case)
    edit(case, 'role = "critical"', 'role = "context"\nremoval_of = "bone"')
    edit(case, "caution_mm = 2.0\ndanger_mm = 1.2\n", "")
    relock(case)
    assert problems(case) == []
    scene = load_scene(case)
    assert [(s.carve_mm, s.removal_of) for s in scene.structures] == [(0.4, ""), (None, "bone")]
    read = read_case_file(case)
    (case / CASE_FILE).write_text(case_text(read), encoding="utf-8")
    assert read_case_file(case) == read


def test_a_case_that_says_nothing_of_it_has_nothing_to_drill(case: Path) -> None:
    assert [(s.carve_mm, s.removal_of) for s in load_scene(case).structures] == [(None, ""), (None, "")]


@pytest.mark.parametrize("carve_mm", [0.05, 1.5, -0.3])
def test_spacings_that_nothing_can_be_drilled_at(case: Path, carve_mm: float) -> None:
    found = problems(carvable(case, f"carve_mm = {carve_mm}"))
    assert found == [f"structure 'bone' has carve_mm = {carve_mm:g}"]


@pytest.mark.parametrize(("carve_mm", "words"), [(0.15, "takes much memory"), (0.8, "follows a burr roughly")])
def test_spacings_that_are_better_changed(case: Path, carve_mm: float, words: str) -> None:
    carvable(case, f"carve_mm = {carve_mm}")
    relock(case)
    assert any(words in text for text in problems(case, "warning"))
    load_scene(case)


def test_every_fault_of_drilling_is_named_at_once(case: Path) -> None:
    carvable(case, 'carve_mm = 0.4\nremoval_of = "skull"')
    edit(case, 'name = "vessel"', 'name = "vessel"\ncarve_mm = 0.4\nremoval_of = "bone"')
    found = problems(case)
    for words in (
        "structures 'bone' and 'vessel' have carve_mm",
        "'vessel' is critical and has carve_mm",
        "'vessel' is critical and has removal_of",
        "'bone' is planned to be removed of 'skull', which is not in the case",
    ):
        assert any(words in text for text in found), words


def test_nothing_is_removed_of_what_cannot_be_drilled(case: Path) -> None:
    edit(case, 'role = "critical"', 'role = "context"\nremoval_of = "bone"')
    edit(case, "caution_mm = 2.0\ndanger_mm = 1.2\n", "")
    assert any("which has no carve_mm" in text for text in problems(case))


def test_an_open_surface_cannot_be_drilled(case: Path) -> None:
    carvable(case)
    path = case / read_case_file(case).structure[0].file
    whole = Surface.read(path)
    Surface.from_arrays(whole.vertices_mm, whole.faces[:-3]).write(path)
    assert any("'bone' has carve_mm, and its surface is open" in text for text in problems(case))


def test_a_removal_off_its_bone_is_looked_at(case: Path) -> None:
    carvable(case)
    edit(case, 'role = "critical"', 'role = "context"\nremoval_of = "bone"')
    edit(case, "caution_mm = 2.0\ndanger_mm = 1.2\n", "")
    path = case / read_case_file(case).structure[1].file
    vessel = Surface.read(path)
    Surface.from_arrays(vessel.vertices_mm + 500.0, vessel.faces).write(path)
    relock(case)
    assert any("lies wholly off 'bone'" in text for text in problems(case, "warning"))


def test_what_is_to_be_removed_follows_its_bone_s_new_name(case: Path) -> None:
    carvable(case)
    edit(case, 'role = "critical"', 'role = "context"\nremoval_of = "bone"')
    edit(case, "caution_mm = 2.0\ndanger_mm = 1.2\n", "")
    relock(case)
    with amended(case) as draft:
        draft.replace_structure("bone", msgspec.structs.replace(draft.case.structure[0], name="temporal bone"))
    assert [s.removal_of for s in load_scene(case).structures] == ["", "temporal bone"]


def test_a_grid_that_there_is_no_memory_for_is_refused_with_the_finest_that_there_is(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carvable(case, "carve_mm = 0.2")
    relock(case)
    monkeypatch.setattr("navtwin.scene.bone_grid.MOST_BYTES", 100_000)
    (found,) = [f for f in check_case(case).findings if f.level == "fault"]
    assert "'bone' cannot be drilled: on a grid of 0.2 mm" in found.problem
    assert "the finest that fits is" in found.remedy
