"""Structures made by hand, in a case: whole or not at all, to be changed, taken out, listed and written as labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.scene import load_scene
from navtwin.scene.as_voxels import write_segmentation
from navtwin.scene.author import changes
from navtwin.scene.author.commands import structure_app
from navtwin.scene.author.into_case import Altered, Declared, add_made, change_made, remove
from navtwin.scene.author.recipe import Sphere, Threshold, Tube, read_recipe
from navtwin.scene.case import CASE_FILE, read_case_file
from navtwin.scene.check import check_case, relock
from navtwin.volumes.labels.read import read_segmentation
from tests.scene.author.scans import circle
from tests.scene.cases import at_ijk
from tests.scene.test_amend import files_of
from tests.scene.test_case import edit

NERVE = Tube((at_ijk(8, 8, 4), at_ijk(8, 20, 12), at_ijk(10, 32, 20)), (1.5,))
WATCHED = Declared("nerve", "critical", 3.0, 1.5, sd_mm=0.6)
DAY = "2026-11-22"


def add_nerve(case: Path) -> tuple[str, ...]:
    return add_made(case, WATCHED, (NERVE,), "Dr A. Example", DAY)


def test_a_tube_joins_the_case_and_is_watched(case: Path) -> None:
    edit(case, "[case]", "# mine: keep me\n[case]")
    relock(case)
    said = add_nerve(case)
    assert said[0].startswith("'nerve' (critical) made: ") and "1: tube through 3 points" in said[1]
    scene = load_scene(case)
    nerve = scene.structure("nerve")
    assert (nerve.role, nerve.caution_mm, nerve.danger_mm, nerve.sd_mm) == ("critical", 3.0, 1.5, 0.6)
    assert nerve.surface.closest(at_ijk(8, 20, 12)).distance_mm[0] == pytest.approx(-1.5, abs=0.05)
    assert "# mine: keep me" in (case / CASE_FILE).read_text(encoding="utf-8")
    kept = read_recipe(case / read_case_file(case).structure[-1].made)
    assert (kept.author, kept.made, kept.sd_mm, kept.edit) == ("Dr A. Example", DAY, 0.6, (NERVE,))


def test_bone_comes_from_the_case_s_own_ct(case: Path) -> None:
    said = add_made(case, Declared("my bone", "work"), (Threshold(500.0, seeds_mm=(at_ijk(16, 20, 12),)),), "me", DAY)
    assert "nobody declared its error: one standard deviation of 0.5 mm is assumed" in said
    scene = load_scene(case)
    mine, theirs = scene.structure("my bone").surface, scene.structure("bone").surface
    assert mine.volume_mm3 == pytest.approx(theirs.volume_mm3, rel=0.1)
    assert read_case_file(case).structure[-1].threshold_hu == 500.0


def test_a_change_builds_it_anew_and_says_what_was(case: Path) -> None:
    add_nerve(case)
    before = files_of(case)
    said = change_made(case, "nerve", lambda one: changes.with_radius(one, None, 2.0), Altered(caution_mm=4.0), "B", "2026-11-23")
    assert said[0] == "caution_mm was 3.0, is 4.0"
    assert said[1].endswith("radius 1.5 mm") and said[1].startswith("was 1: tube") and said[2].endswith("radius 2 mm")
    nerve = load_scene(case).structure("nerve")
    assert nerve.caution_mm == 4.0 and nerve.surface.closest(at_ijk(8, 20, 12)).distance_mm[0] == pytest.approx(-2.0, abs=0.05)
    recipe = read_recipe(case / read_case_file(case).structure[-1].made)
    assert (recipe.author, recipe.made, recipe.changed_by, recipe.changed) == ("Dr A. Example", DAY, "B", "2026-11-23")
    after = files_of(case)
    assert len(after) == len(before), "no old surface or recipe stays behind"
    assert {name for name in before if name not in after} == {"surfaces/nerve.ply", "made/nerve.toml"}
    change_made(case, "nerve", lambda one: changes.with_radius(one, None, 1.5), Altered(caution_mm=3.0), "B", "2026-11-23")
    assert (case / "surfaces/nerve.ply").read_bytes() == before["surfaces/nerve.ply"], "the same recipe gives the same bits"


def test_what_is_declared_changes_in_its_line_and_builds_nothing(case: Path) -> None:
    edit(case, 'name = "vessel"', 'name = "vessel"  # watch this one')
    relock(case)
    surfaces = files_of(case / "surfaces")
    said = change_made(case, "vessel", None, Altered(caution_mm=2.5, color="#112233"), "me", DAY)
    assert said == ("caution_mm was 2.0, is 2.5", "color was #d8654f, is #112233")
    assert 'name = "vessel"  # watch this one' in (case / CASE_FILE).read_text(encoding="utf-8")
    assert files_of(case / "surfaces") == surfaces
    assert change_made(case, "vessel", None, Altered(role="context"), "me", DAY)[0] == "role was critical, is context"
    assert load_scene(case).structure("vessel").caution_mm is None
    change_made(case, "vessel", None, Altered(name="artery"), "me", DAY)
    assert [s.name for s in load_scene(case).structures] == ["bone", "artery"]


def test_what_is_taken_out_is_gone_with_its_files_and_said(case: Path, tmp_path: Path) -> None:
    untouched = (case / CASE_FILE).read_text(encoding="utf-8")
    before = files_of(case)
    add_nerve(case)
    said = remove(case, "nerve", tmp_path / "nerve.toml")
    assert said == ("'nerve' (critical) is out of the case", f"its recipe is kept in {tmp_path / 'nerve.toml'}")
    assert read_recipe(tmp_path / "nerve.toml").edit == (NERVE,)
    assert (case / CASE_FILE).read_text(encoding="utf-8") == untouched
    assert files_of(case).keys() == before.keys()
    assert "nothing is being watched" in remove(case, "vessel")[-1]
    assert any("nothing is being watched" in f.problem for f in check_case(case).findings)
    add_nerve(case)
    assert "points_mm" in remove(case, "nerve")[1]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda c: add_made(c, replace(WATCHED, sd_mm=None), (NERVE,), "me", DAY), "nobody declares how far it may be off.*Pass --sd"),
        (lambda c: add_made(c, replace(WATCHED, danger_mm=None), (NERVE,), "me", DAY), "no limits.*--caution and --danger"),
        (lambda c: add_made(c, replace(WATCHED, danger_mm=9.0), (NERVE,), "me", DAY), "danger 9 mm is not between 0 and caution 3 mm"),
        (lambda c: add_made(c, Declared("x", "work", 3.0), (NERVE,), "me", DAY), "is work and has limits"),
        (lambda c: add_made(c, replace(WATCHED, name="bone"), (NERVE,), "me", DAY), "already has a structure 'bone'"),
        (lambda c: add_made(c, replace(WATCHED, color="red"), (NERVE,), "me", DAY), "color 'red'"),
        (lambda c: add_made(c, WATCHED, (NERVE,), "", DAY), "no author"),
        (lambda c: add_made(c, WATCHED, (Sphere(at_ijk(90, 0, 0), 2.0),), "me", DAY), "lies outside the CT"),
        (lambda c: change_made(c, "bone", lambda one: one, Altered(), "me", DAY), "'bone' was not made by hand"),
        (lambda c: change_made(c, "bonne", None, Altered(sd_mm=1.0), "me", DAY), "no structure 'bonne'.*'bone'"),
        (lambda c: change_made(c, "bone", None, Altered(), "me", DAY), "nothing of 'bone' would change"),
        (lambda c: change_made(c, "bone", None, Altered(name="vessel"), "me", DAY), "already has a structure 'vessel'"),
        (lambda c: change_made(c, "bone", None, Altered(caution_mm=1.0), "me", DAY), "is work and has limits"),
        (lambda c: remove(c, "nerve"), "no structure 'nerve'"),
        (lambda c: remove(c, "bone", c / "bone.toml"), "was not made by hand and has no recipe"),
    ],
)
def test_what_is_refused_changes_nothing(case: Path, act: Callable[[Path], object], words: str) -> None:
    before = files_of(case)
    with pytest.raises(InputRefused, match=words):
        act(case)
    assert files_of(case) == before


def test_a_context_structure_is_not_made_critical_on_an_assumed_error(case: Path) -> None:
    add_made(case, Declared("nerve"), (NERVE,), "me", DAY)
    with pytest.raises(InputRefused, match="nobody declares"):
        change_made(case, "nerve", None, Altered(role="critical", caution_mm=3.0, danger_mm=1.0), "me", DAY)
    change_made(case, "nerve", None, Altered(role="critical", caution_mm=3.0, danger_mm=1.0, sd_mm=0.8), "me", DAY)
    entry = read_case_file(case).structure[-1]
    assert entry.sd_mm == 0.8 and read_recipe(case / entry.made).sd_mm == 0.8


def test_a_recipe_counts_in_the_lock(case: Path) -> None:
    add_nerve(case)
    made = case / "made" / "nerve.toml"
    made.write_text(made.read_text(encoding="utf-8").replace("1.5", "9.5"), encoding="utf-8")
    with pytest.raises(InputRefused, match=r"made/nerve\.toml was changed after the case was locked"):
        load_scene(case)
    made.unlink()
    assert any("made/nerve.toml is missing" in f.problem for f in check_case(case).findings)


@pytest.mark.parametrize(
    ("tube", "words"),
    [
        (Tube((at_ijk(8, 8, 4), at_ijk(8, 8, 23)), (1.5,)), r"% of critical structure 'nerve' lie outside the scan"),
        (Tube((at_ijk(8, 8, 4), at_ijk(8, 8, 21.5)), (3.0,)), "critical structure 'nerve' touches the edge of the scan"),
    ],
)
def test_a_critical_structure_at_the_edge_is_warned_of(case: Path, tube: Tube, words: str) -> None:
    add_made(case, replace(WATCHED), (tube,), "me", DAY)
    assert any(words.strip("%") in f.problem or words in f.problem for f in check_case(case).findings if f.level == "warning")
    assert not any(f.level == "fault" for f in check_case(case).findings)


def test_an_error_below_the_declared_one_and_a_damaged_recipe_are_told(case: Path) -> None:
    add_nerve(case)
    edit(case, "sd_mm = 0.6", "sd_mm = 0.2")
    relock(case)
    found = [f.problem for f in check_case(case).findings]
    assert "structure 'nerve' counts with an error of 0.2 mm, and who made it declared 0.6 mm" in found
    (case / "made" / "nerve.toml").write_text("author = 3", encoding="utf-8")
    relock(case)
    assert any(f.level == "warning" and "nerve.toml" in f.problem for f in check_case(case).findings)
    load_scene(case)  # its surface is whole


def test_made_structures_are_written_as_labels(case: Path, tmp_path: Path) -> None:
    add_nerve(case)
    write_segmentation(case, tmp_path / "made.seg.nrrd", lambda text: None)
    found = read_segmentation(tmp_path / "made.seg.nrrd", ct=None, names=None)
    nerve = found.segment("nerve")
    voxels_mm3 = float(found.mask_of(nerve).sum()) * 2.0
    assert voxels_mm3 == pytest.approx(load_scene(case).structure("nerve").surface.volume_mm3, rel=0.06)
    header = (tmp_path / "made.seg.nrrd").read_bytes().split(b"\n\n")[0].decode()
    assert "Segment2_Tags:=navtwin.sd_mm:0.6|navtwin.author:Dr A. Example|navtwin.made:2026-11-22|" in header
    assert f"Segment0_Tags:=navtwin.sd_mm:{load_scene(case).structures[0].sd_mm:g}|" in header


def run(*words: str) -> str:
    result = CliRunner().invoke(structure_app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return str(result.output)


def numbers(*values: float) -> list[str]:
    return [f"{value:g}" for value in values]


def test_the_commands(case: Path, tmp_path: Path) -> None:
    folder, by = str(case), ("--author", "Dr A. Example")
    run(
        "bone", folder, "--name", "skull", "--hu", "500", "--seed", *numbers(*at_ijk(16, 20, 12)), "--cut", *numbers(*at_ijk(16, 20, 8), 0, 0, 1), *by
    )
    points = [word for point in NERVE.points_mm for word in ("--point", *numbers(*point))]
    limits = ("--role", "critical", "--caution", "3", "--danger", "1.5", "--sd", "0.6")
    run("tube", folder, "--name", "nerve", "--radius", "1.5", *points, *limits, *by)
    run("sphere", folder, "--name", "cyst", "--centre", *numbers(*at_ijk(8, 30, 6)), "--radius", "2", *by)
    run("sphere", folder, "--out-of", "skull", "--centre", *numbers(*at_ijk(16, 20, 12)), "--radius", "3", *by)
    x, y, _ = at_ijk(10, 10, 12)
    loops = [[list(p) for p in circle(3.0, z, (x, y), corners=20).points_mm] for z in (at_ijk(0, 0, 8)[2], at_ijk(0, 0, 12)[2])]
    (tmp_path / "loops.json").write_text(json.dumps({"space": "LPS", "thickness_mm": 2.0, "outlines": loops}), encoding="utf-8")
    run("paint", folder, "--name", "tumour", "--contours", str(tmp_path / "loops.json"), *by)
    assert "is 1: tube" in run("edit", folder, "nerve", "--move", "2", *numbers(*at_ijk(8, 21, 12)), "--radius", "1", *by)
    run("edit", folder, "cyst", "--rename", "pond")
    run("remove", folder, "tumour")
    told = run("list", folder)
    assert "nerve (critical, caution 3 mm, danger 1.5 mm)" in told and "made by Dr A. Example on 20" in told
    listed = json.loads(run("list", folder, "--json"))
    assert [one["name"] for one in listed] == ["bone", "vessel", "skull", "nerve", "pond"]
    assert listed[2]["steps"][1] == "2: less sphere of radius 3 mm" and listed[0]["recipe"] is None
    assert listed[3]["recipe"]["edit"][0]["radii_mm"] == [1.0]
    assert [f for f in check_case(case).findings if f.level == "fault"] == []


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("bone",), "say where this shape goes"),
        (("bone", "--name", "x", "--into", "bone"), "say where this shape goes"),
        (("bone", "--into", "bone", "--sd", "1"), "say nothing here: 'bone' has its own"),
        (("sphere", "--out-of", "bone", "--role", "work", "--centre", "0", "0", "0", "--radius", "1"), "say nothing here"),
        (("bone", "--name", "x", "--role", "critcal"), "'critical'"),
        (("bone", "--name", "x", "--seed", "1,2"), "--seed 1,2 is not understood.*3 numbers"),
        (("tube", "--name", "x", "--radius", "1"), "a tube needs --point"),
        (("tube", "--name", "x", "--radius", "1", "--point", "-1", "2"), "--point -1,2 is not understood.*3 numbers"),
        (("tube", "--name", "x", "--radius", "1", "--points", "nowhere.mrk.json"), "nowhere"),
        (("paint", "--name", "x", "--contours", "nowhere.json"), "nowhere"),
        (("edit", "bone"), "nothing of 'bone' would change"),
    ],
)
def test_commands_refuse_in_words(case: Path, words: tuple[str, ...], refusal: str) -> None:
    with pytest.raises(InputRefused, match=refusal):
        run(words[0], str(case), *words[1:])
