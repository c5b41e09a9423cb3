"""`case check` names every fault at once, and what should be looked at."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.scene import Surface, load_scene
from navtwin.scene.case import CASE_FILE
from navtwin.scene.check import check_case, relock
from navtwin.scene.commands import case_app, data_app
from tests.scene.cases import at_ijk
from tests.scene.test_case import edit


def problems(folder: Path, level: str = "fault") -> list[str]:
    return [f.problem for f in check_case(folder).findings if f.level == level]


def one(texts: list[str], words: str) -> None:
    assert sum(words in text for text in texts) == 1, (words, texts)


def test_a_sound_case(case: Path) -> None:
    report = check_case(case)
    assert report.findings == ()
    (clearance,) = report.clearances
    # The plan runs along j at i = 14; the vessel's nearest voxels are those of i = 31; the path is 3 mm wide.
    assert clearance.clearance_mm == pytest.approx(30.5 - 14 - 1.5, abs=0.4)


def test_every_fault_is_named_at_once(case: Path) -> None:
    edit(case, "danger_mm = 1.2", "danger_mm = 2.2\nwide = 3")
    edit(case, 'color = "#e6dccb"', 'color = "bone"\ncolour = "#ffffff"')
    edit(case, str(list(at_ijk(16, 32, 12))), "[500.0, 0.0, 0.0]")
    edit(case, "diameter_mm = 3.0", "diameter_mm = -3.0")
    edit(case, "[patient]", "[patient]\nweight = 80")
    (case / "surfaces" / "vessel.ply").unlink()
    found = problems(case)
    for words in (
        "unknown key 'wide' in structure[1]",
        "unknown key 'colour' in structure[0]: did you mean 'color'?",
        "unknown key 'weight' in patient",
        "danger 2.2 mm above caution 2 mm",
        "color 'bone'",
        "landmark 'side' at 500 0 0 mm lies outside the CT",
        "diameter_mm = -3",
        "file surfaces/vessel.ply is missing",
        "file case.toml was changed",
    ):
        one(found, words)
    assert len(found) == 9


def test_wrong_values_in_several_entries(case: Path) -> None:
    edit(case, 'role = "work"', 'role = "bone"')
    edit(case, f"entry_mm = {list(at_ijk(14, 9, 12))}", "entry_mm = [1.0, 2.0]")
    found = problems(case)
    one(found, "structure[0] ('bone')")
    one(found, "plan[0] ('through')")


def test_surfaces_whose_normals_do_not_tell_the_inside(case: Path) -> None:
    bone = Surface.read(case / "surfaces" / "bone.ply")
    Surface.from_arrays(bone.vertices_mm, bone.faces[1:]).write(case / "surfaces" / "bone.ply")
    vessel = Surface.read(case / "surfaces" / "vessel.ply")
    Surface.from_arrays(vessel.vertices_mm, vessel.faces[:, ::-1]).write(case / "surfaces" / "vessel.ply")
    found = problems(relocked(case), "warning")
    one(found, "surface of structure 'bone' is open at 3 edges: its inside comes from the winding number, which is doubtful beside its openings")
    one(found, "surface of structure 'vessel' is inside out: its inside comes from the winding number, which is certain")
    assert load_scene(case).structure("vessel").surface.sign.is_certain


def test_an_open_critical_surface_is_refused(case: Path) -> None:
    vessel = Surface.read(case / "surfaces" / "vessel.ply")
    Surface.from_arrays(vessel.vertices_mm, vessel.faces[1:]).write(case / "surfaces" / "vessel.ply")
    relock(case)
    one(problems(case), "structure 'vessel' is critical, and its surface is open at 3 edges: its inside is doubtful there")


def test_a_plan_inside_its_own_limits(case: Path) -> None:
    edit(case, "caution_mm = 2.0\ndanger_mm = 1.2", "caution_mm = 18.0\ndanger_mm = 16.0")
    one(problems(relocked(case), "warning"), "inside its own danger limit of 16 mm")
    edit(case, "danger_mm = 16.0", "danger_mm = 1.2")
    one(problems(relocked(case), "warning"), "inside its own caution limit of 18 mm")
    edit(case, "caution_mm = 18.0", "caution_mm = 14.8")
    one(problems(relocked(case), "warning"), "error bar of 0.6 mm that is inside caution")
    edit(case, "sd_mm = 0.3", "sd_mm = 0.7")
    one(problems(relocked(case), "warning"), "as uncertain (1.4 mm) as its danger limit (1.2 mm)")
    load_scene(case)  # warnings do not refuse


def relocked(folder: Path) -> Path:
    relock(folder)
    assert problems(folder) == []
    return folder


def test_nothing_would_be_watched(case: Path) -> None:
    edit(case, 'role = "critical"', 'role = "context"')
    edit(case, "caution_mm = 2.0\ndanger_mm = 1.2\n", "")
    one(problems(relocked(case), "warning"), "nothing is being watched")


def test_landmarks(case: Path) -> None:
    text = (case / CASE_FILE).read_text(encoding="utf-8")
    blocks = text.split("[[landmark]]")
    plan = "[[plan]]" + text.split("[[plan]]")[1]
    (case / CASE_FILE).write_text("[[landmark]]".join(blocks[:3]) + "\n" + plan, encoding="utf-8")
    one(problems(case), "there are 2 landmarks")
    (case / CASE_FILE).write_text(blocks[0] + plan, encoding="utf-8")
    one(problems(relocked(case), "warning"), "there are no landmarks")


def test_limits_and_roles(case: Path) -> None:
    edit(case, 'role = "work"', 'role = "critical"')
    edit(case, 'role = "critical"\nsd_mm = 0.3', 'role = "context"\nsd_mm = -0.3')
    found = problems(case)
    one(found, "'bone' is critical and has no caution_mm")
    one(found, "'vessel' is context and has limits")
    one(found, "sd_mm = -0.3")


def test_an_edit_is_accepted_only_without_faults(case: Path) -> None:
    edit(case, "danger_mm = 1.2", "danger_mm = 1.4")
    assert relock(case).findings == ()
    assert load_scene(case).structure("vessel").danger_mm == 1.4
    before = load_scene(case).case_hash
    edit(case, "danger_mm = 1.4", "danger_mm = 2.4")
    assert relock(case).findings != ()
    edit(case, "danger_mm = 2.4", "danger_mm = 1.4")
    assert load_scene(case).case_hash == before


def test_no_case_there(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"cannot read .*case\.toml|Cannot read .*case\.toml"):
        check_case(tmp_path)


def test_the_command_leaves_with_0_or_1(case: Path) -> None:
    runner = CliRunner()
    good = runner.invoke(case_app, ["check", str(case)])
    assert (good.exit_code, "nothing is wrong" in good.output) == (0, True)
    edit(case, "danger_mm = 1.2", "danger_mm = 2.2")
    bad = runner.invoke(case_app, ["check", str(case), "--json"])
    assert bad.exit_code == 1
    report = msgspec.json.decode(bad.output)
    assert {f["level"] for f in report["findings"]} == {"fault"}


def test_new_and_show(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    table = tmp_path / "names.csv"
    table.write_text("structure,id\nbone,1\nvessel,2\n", encoding="utf-8")
    ct, labels = (str(p) for p in patient)
    command = ["new", str(tmp_path / "made"), "--ct", ct, "--labels", labels, "--names", str(table)]
    made = CliRunner().invoke(case_app, [*command, "--structure", "bone:work", "--structure", "vessel:critical:2:1"])
    assert made.exit_code == 0, made.output
    shown = CliRunner().invoke(case_app, ["show", str(tmp_path / "made"), "--json"])
    assert [s["name"] for s in msgspec.json.decode(shown.output)["structures"]] == ["bone", "vessel"]
    assert "vessel" in CliRunner().invoke(case_app, ["show", str(tmp_path / "made")]).output
    assert CliRunner().invoke(case_app, ["check", str(tmp_path / "made")]).exit_code == 1  # no landmarks yet


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "x"], "needs --ct CT"),
        (["new", "x", "--no-ct", "--ct", "y"], "--ct names one"),
        (["new", "x", "--no-ct"], "needs a scanned volume"),
        (["new", "x", "--recipe", "thorx"], "Did you mean 'thorax'"),
        (["new", "x", "--recipe", "thorax", "--structure", "a:work"], "brings its own CT"),
    ],
)
def test_what_new_refuses(arguments: list[str], words: str) -> None:
    refused = CliRunner().invoke(case_app, arguments)
    assert isinstance(refused.exception, InputRefused)
    assert words in str(refused.exception)


def test_data_of_another_name() -> None:
    refused = CliRunner().invoke(data_app, ["get", "torax"])
    assert "Did you mean 'thorax'" in str(refused.exception)
