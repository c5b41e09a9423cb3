"""What is added to a case is added whole, checked first, and leaves everything else as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from navtwin.errors import InputRefused
from navtwin.scene import Surface, load_scene
from navtwin.scene.amend import Draft, amended
from navtwin.scene.case import CASE_FILE, LandmarkEntry, PlanEntry, StructureEntry, read_case_file, surface_file
from navtwin.scene.case_text import amended_text, case_text
from navtwin.scene.check import check_case, relock
from tests.scene.cases import at_ijk
from tests.scene.test_case import edit


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def bone_of(folder: Path) -> Surface:
    return Surface.read(folder / "surfaces" / "bone.ply")


NERVE = StructureEntry(name="nerve", file=surface_file("nerve"), role="critical", sd_mm=0.4, caution_mm=3.0, danger_mm=1.0)
SPOT = LandmarkEntry(name="spot", position_mm=at_ijk(26, 20, 12))
PATH = PlanEntry(name="back", entry_mm=at_ijk(14, 28, 12), target_mm=at_ijk(14, 9, 12), diameter_mm=3.0, tolerance_mm=1.0)


def test_a_structure_a_landmark_a_plan_and_a_note(case: Path) -> None:
    edit(case, "[case]", "# mine: keep me\n[case]")
    edit(case, 'name = "vessel"', 'name = "vessel"  # watch this one')
    edit(case, "[patient]", '[patient]\nage = "60"  # told by phone')
    relock(case)
    before = load_scene(case)
    with amended(case) as draft:
        draft.add_structure(NERVE, bone_of(case))
        draft.add_landmark(SPOT)
        draft.add_plan(PATH)
        patient = msgspec.structs.replace(draft.case.patient, notes='says "hm"', age="61")
        draft.case = msgspec.structs.replace(draft.case, patient=patient)
    scene = load_scene(case)
    assert [s.name for s in scene.structures] == ["bone", "vessel", "nerve"]
    assert scene.structure("nerve").surface.volume_mm3 == before.structure("bone").surface.volume_mm3
    assert [m.name for m in scene.landmarks] == ["top", "side", "front", "spot"]
    assert [p.name for p in scene.plans] == ["through", "back"]
    assert (scene.patient.age, scene.patient.notes) == ("61", 'says "hm"')
    assert scene.case_hash != before.case_hash
    text = (case / CASE_FILE).read_text(encoding="utf-8")
    assert "# mine: keep me" in text
    assert 'name = "vessel"  # watch this one' in text
    assert text.index('[[structure]]\nname = "nerve"') < text.index("# Points on bone")
    assert list(case.parent.glob(".*")) == []


def test_names_that_look_alike_to_a_file_system_keep_their_own_files(case: Path) -> None:
    (case / "surfaces" / "left_lung.ply").write_text("not of this case", encoding="utf-8")
    with amended(case) as draft:
        for name in ("left lung", "Left Lung", "左肺", "右肺"):
            draft.add_structure(msgspec.structs.replace(NERVE, name=name), bone_of(case))
    found = [s.file for s in read_case_file(case).structure[2:]]
    assert found == ["surfaces/left_lung-2.ply", "surfaces/Left_Lung-3.ply", "surfaces/__.ply", "surfaces/__-2.ply"]
    assert (case / "surfaces" / "left_lung.ply").read_text(encoding="utf-8") == "not of this case"
    assert surface_file("a b", ["surfaces/A_B.ply"]) == "surfaces/a_b-2.ply"


def broken_off(draft: Draft) -> None:
    draft.add_structure(NERVE, bone_of(draft.home))
    raise KeyboardInterrupt


def written_over(draft: Draft) -> None:
    bone_of(draft.home).write(draft.folder / "surfaces" / "vessel.ply")


def edited_meanwhile(draft: Draft) -> None:
    draft.add_landmark(SPOT)
    edit(draft.home, 'name = "test"', 'name = "mine"')


def open_surface(draft: Draft) -> None:
    bone = bone_of(draft.home)
    draft.add_structure(NERVE, Surface.from_arrays(bone.vertices_mm, bone.faces[1:]))


def stray_file(draft: Draft) -> None:
    draft.add_structure(NERVE, bone_of(draft.home))
    (draft.home / "surfaces" / "nerve.ply").write_text("mine", encoding="utf-8")


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (lambda d: d.add_structure(msgspec.structs.replace(NERVE, name="bone"), bone_of(d.home)), InputRefused, "already has a structure 'bone'"),
        (lambda d: d.add_landmark(msgspec.structs.replace(SPOT, name="top")), InputRefused, "already has a landmark 'top'"),
        (lambda d: d.add_plan(msgspec.structs.replace(PATH, name="through")), InputRefused, "already has a plan 'through'"),
        (lambda d: d.add_landmark(LandmarkEntry(name="far", position_mm=(900.0, 0.0, 0.0))), InputRefused, "'far' .* lies outside the CT"),
        (open_surface, InputRefused, "would not be sound: structure 'nerve' is critical, and its surface is open"),
        (written_over, InputRefused, r"surfaces/vessel\.ply was changed"),
        (broken_off, KeyboardInterrupt, "^$"),
    ],
)
def test_what_goes_wrong_changes_nothing(case: Path, act: Callable[[Draft], None], refusal: type[BaseException], words: str) -> None:
    before = files_of(case)
    with pytest.raises(refusal, match=words), amended(case) as draft:
        act(draft)
    assert files_of(case) == before
    assert list(case.parent.glob(".*")) == []


@pytest.mark.parametrize(("act", "words"), [(edited_meanwhile, "case.toml was changed"), (stray_file, "nerve.ply is there already")])
def test_what_another_did_meanwhile_stays(case: Path, act: Callable[[Draft], None], words: str) -> None:
    with pytest.raises(InputRefused, match=words), amended(case) as draft:
        act(draft)
    mine = (case / CASE_FILE).read_text(encoding="utf-8") + "".join(p.read_text("latin-1")[:4] for p in case.glob("surfaces/nerve.ply"))
    assert "mine" in mine
    assert "spot" not in mine


def test_a_move_that_fails_half_way_is_taken_back(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_of(case)
    move = Path.replace

    def full(path: Path, target: Path) -> Path:
        if Path(target) == case / "case.lock" and path.parent != case:
            raise OSError(28, "No space left on device")
        return move(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputRefused, match="No space left"), amended(case) as draft:
        draft.add_structure(NERVE, bone_of(case))
    monkeypatch.undo()
    assert files_of(case) == before


def test_a_case_that_differs_from_its_lock_is_not_silently_accepted(case: Path) -> None:
    edit(case, "danger_mm = 1.2", "danger_mm = 1.4")
    with pytest.raises(InputRefused, match=r"case\.toml was changed after the case was locked, so nothing is added.*check --lock"), amended(case):
        pass
    assert check_case(case).findings != ()


def test_a_text_that_cannot_be_added_to_is_written_anew(case: Path) -> None:
    before = read_case_file(case)
    after = msgspec.structs.replace(before, landmark=before.landmark[:1], plan=())
    assert amended_text(case_text(before), before, after) == case_text(after)
    after = msgspec.structs.replace(before, patient=msgspec.structs.replace(before.patient, notes="x"))
    odd = case_text(before).replace("[patient]\n", '[patient]\nnotes = """\nold\n"""\n')
    assert amended_text(odd, before, after) == case_text(after)


def test_the_first_landmark_stands_behind_the_words_about_landmarks(case: Path) -> None:
    before = msgspec.structs.replace(read_case_file(case), landmark=(), plan=())
    after = msgspec.structs.replace(before, landmark=(SPOT,), plan=(PATH,))
    text = amended_text(case_text(before), before, after)
    assert text.index("# Points on bone") < text.index("[[landmark]]") < text.index("# Straight planned") < text.index("[[plan]]")
