"""Landmarks placed by command or from a draft: written with the comments kept, or not at all."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.scene import load_scene
from navtwin.scene.amend_facts import write_facts
from navtwin.scene.case import CASE_FILE, LandmarkEntry, read_case_file
from navtwin.scene.check import relock
from navtwin.scene.commands import case_app
from navtwin.scene.landmarks import off_line_mm, set_fault
from tests.scene.cases import at_ijk
from tests.scene.test_amend import files_of
from tests.scene.test_case import edit

BACK, LEFT = at_ijk(16, 8, 12), at_ijk(25, 20, 12)


def placed(*points: tuple[float, float, float]) -> list[SimpleNamespace]:
    return [SimpleNamespace(name=str(n), position_mm=point) for n, point in enumerate(points)]


def run(*words: str) -> str:
    result = CliRunner().invoke(case_app, ["landmark", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def at(point: tuple[float, float, float]) -> list[str]:
    return ["--at", *(str(v) for v in point)]


def test_how_far_a_set_lies_off_a_line() -> None:
    # A square of side 2a lies a from its best line, whatever its turn.
    square = placed((7.0, 7.0, 1.0), (-7.0, 7.0, 1.0), (-7.0, -7.0, 1.0), (7.0, -7.0, 1.0))
    assert off_line_mm(square) == pytest.approx(7.0) and set_fault(square) is None
    line = placed((0.0, 0.0, 0.0), (10.0, 10.0, 0.0), (30.0, 30.0, 0.0))
    assert off_line_mm(line) == pytest.approx(0.0, abs=1e-9)
    assert "in a line" in (set_fault(line) or ("",))[0] and "there are 2 landmarks" in (set_fault(line[:2]) or ("",))[0]
    assert set_fault([]) is None


def test_a_command_places_landmarks_and_takes_them_out(case: Path) -> None:
    assert run(str(case), "back", *at(BACK)).endswith("placed back\n")
    assert [(m.name, m.position_mm) for m in load_scene(case).landmarks][3:] == [("back", BACK)]
    run(str(case), "top", "--remove")
    assert [m.name for m in load_scene(case).landmarks] == ["side", "front", "back"]


def test_the_first_landmarks_of_a_case_come_together(case: Path) -> None:
    run(str(case), "top", "side", "front", "--remove")
    with pytest.raises(InputRefused, match="there are 1 landmarks"):
        run(str(case), "back", *at(BACK))
    run(str(case), "back", *at(BACK), "left", *at(LEFT), "top", *at(at_ijk(16, 20, 19)))
    assert [(m.name, m.position_mm) for m in load_scene(case).landmarks][:2] == [("back", BACK), ("left", LEFT)]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["top", *at(BACK)], "already has a landmark 'top'"),
        (["far", "--at", "900", "0", "0"], "outside the CT"),
        (["tip", "--remove"], "no landmark 'tip'"),
        (["top", "--remove"], "there are 2 landmarks"),
        (["new"], "either --at X Y Z or --remove"),
        (["new", "--at", "1", "2"], "--at 1,2 is not understood"),
        (["new", "other", *at(BACK)], "2 names and 1 place"),
        (["  ", *at(BACK)], "needs a name"),
    ],
)
def test_what_the_command_refuses_changes_nothing(case: Path, words: list[str], problem: str) -> None:
    kept = files_of(case)
    with pytest.raises(InputRefused, match=problem):
        run(str(case), *words)
    assert files_of(case) == kept


def test_a_draft_of_landmarks_is_written_and_comments_stay(case: Path) -> None:
    edit(case, 'name = "front"', '# on the ridge\nname = "front"')
    relock(case)
    before = read_case_file(case)
    front = replace(before.landmark[2], position_mm=at_ijk(6.5, 20, 12))
    after = replace(before, landmark=(before.landmark[0], front, LandmarkEntry(name="back", position_mm=BACK)))
    write_facts(case, before, after, "me", "2026-11-22")
    assert read_case_file(case) == after and [m.position_mm for m in load_scene(case).landmarks] == [m.position_mm for m in after.landmark]
    text = (case / CASE_FILE).read_text(encoding="utf-8")
    # The comment stays with its landmark, though another one before it is gone.
    assert 0 < text.index("# on the ridge") < text.index('"front"') < text.index('"back"') and '"side"' not in text
    renamed = replace(after, landmark=(*after.landmark[:2], replace(after.landmark[2], name="behind")))
    write_facts(case, after, renamed, "me", "2026-11-22")
    assert [m.name for m in load_scene(case).landmarks] == ["top", "front", "behind"]


def test_landmarks_that_cannot_be_used_are_not_written(case: Path) -> None:
    before, kept = read_case_file(case), files_of(case)
    with pytest.raises(InputRefused, match="there are 2 landmarks"):
        write_facts(case, before, replace(before, landmark=before.landmark[:2]), "me", "2026-11-22")
    assert files_of(case) == kept
