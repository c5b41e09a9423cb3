"""Facts of a case that are changed: written as they were meant, with everything else where it was, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from navtwin.errors import InputRefused
from navtwin.scene import load_scene
from navtwin.scene.amend_facts import write_facts
from navtwin.scene.author.into_case import Declared, add_made
from navtwin.scene.author.recipe import Tube, read_recipe
from navtwin.scene.case import CASE_FILE, CaseFile, PlanEntry, read_case_file
from navtwin.scene.check import relock
from tests.scene.cases import at_ijk
from tests.scene.test_amend import files_of
from tests.scene.test_case import edit

NERVE = Tube((at_ijk(8, 8, 4), at_ijk(8, 20, 12), at_ijk(10, 32, 20)), (1.5,))
DAY = "2026-11-22"


def with_structure(case: CaseFile, name: str, **changes: object) -> CaseFile:
    return replace(case, structure=tuple(replace(one, **changes) if one.name == name else one for one in case.structure))


def test_what_is_changed_is_written_and_the_rest_stays(case: Path) -> None:
    edit(case, "[case]", "# mine: keep me\n[case]")
    relock(case)
    surfaces = {name: content for name, content in files_of(case).items() if name.endswith(".ply")}
    before = read_case_file(case)
    second = PlanEntry(name="second", entry_mm=at_ijk(14, 9, 10), target_mm=at_ijk(14, 28, 10), diameter_mm=2.0, tolerance_mm=0.5)
    after = with_structure(before, "vessel", color="#2bb39b", caution_mm=2.5, sd_mm=0.4, opacity=0.5)
    after = replace(after, plan=(replace(before.plan[0], target_mm=at_ijk(14, 27, 12)), second), patient=replace(before.patient, age="54 y"))
    write_facts(case, before, after, "me", DAY)
    assert read_case_file(case) == after
    scene = load_scene(case)
    assert (scene.structure("vessel").caution_mm, scene.patient.age, scene.patient.sex) == (2.5, "54 y", None)
    assert "# mine: keep me" in (case / CASE_FILE).read_text(encoding="utf-8")
    assert {name: content for name, content in files_of(case).items() if name.endswith(".ply")} == surfaces
    write_facts(case, after, replace(after, plan=(second,), patient=replace(after.patient, age=None)), "me", DAY)
    scene = load_scene(case)
    assert [plan.name for plan in scene.plans] == ["second"] and scene.patient.age is None


def meanwhile(case: Path) -> tuple[CaseFile, CaseFile]:
    before = read_case_file(case)
    write_facts(case, before, with_structure(before, "vessel", caution_mm=4.0), "another", DAY)
    return before, with_structure(before, "vessel", caution_mm=1.9)


def crossed_limits(case: Path) -> tuple[CaseFile, CaseFile]:
    before = read_case_file(case)
    return before, with_structure(before, "vessel", caution_mm=1.0)


def plan_beyond_the_scan(case: Path) -> tuple[CaseFile, CaseFile]:
    before = read_case_file(case)
    return before, replace(before, plan=(replace(before.plan[0], entry_mm=(900.0, 0.0, 0.0)),))


@pytest.mark.parametrize(
    ("act", "words"),
    [(meanwhile, "changed meanwhile"), (crossed_limits, "danger 1.2 mm is not between"), (plan_beyond_the_scan, "lies outside the CT")],
)
def test_what_is_refused_changes_nothing(case: Path, act: Callable[[Path], tuple[CaseFile, CaseFile]], words: str) -> None:
    before, after = act(case)
    kept = files_of(case)
    with pytest.raises(InputRefused, match=words):
        write_facts(case, before, after, "me", DAY)
    assert files_of(case) == kept


def test_what_was_made_by_hand_is_watched_only_with_a_declared_error(case: Path) -> None:
    add_made(case, Declared("nerve"), (NERVE,), "Dr A. Example", "2026-01-02")
    before = read_case_file(case)
    old = before.structure[-1]
    surface = (case / old.file).read_bytes()
    watched = with_structure(before, "nerve", role="critical", caution_mm=3.0, danger_mm=1.0)
    with pytest.raises(InputRefused, match="nobody declares"):
        write_facts(case, before, watched, "me", DAY)
    write_facts(case, before, with_structure(watched, "nerve", sd_mm=0.8), "Dr B. Example", DAY, declared={"nerve"})
    new = read_case_file(case).structure[-1]
    recipe = read_recipe(case / new.made)
    assert (new.role, new.sd_mm, recipe.sd_mm) == ("critical", 0.8, 0.8)
    assert (recipe.author, recipe.changed_by, recipe.changed, recipe.edit) == ("Dr A. Example", "Dr B. Example", DAY, (NERVE,))
    # Nobody built it anew: the same shape, to the bit.
    assert (case / new.file).read_bytes() == surface
    load_scene(case)
