"""A case folder becomes a Scene, or a refusal that names what is wrong; a build leaves all or nothing."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.scene import load_scene
from navtwin.scene.build import Wanted, parse_structure, read_names, whole
from navtwin.scene.case import CASE_FILE, read_case_file
from navtwin.scene.case_text import case_text
from navtwin.scene.lock import LOCK_FILE
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from tests.scene.cases import BONE, RAS, VESSEL, at_ijk, labels_ijk, write_nifti, write_patient
from tests.scene.conftest import WANTED


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / CASE_FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_case_is_what_was_asked_for(case: Path) -> None:
    scene = load_scene(case)
    assert [(s.name, s.role, s.body) for s in scene.structures] == [("bone", "work", "ref"), ("vessel", "critical", "ref")]
    bone, vessel = scene.structures
    assert (bone.caution_mm, vessel.caution_mm, vessel.danger_mm) == (None, 2.0, 1.2)
    assert vessel.capped
    assert not bone.capped
    assert bone.surface.volume_mm3 == pytest.approx(2.0 * (write_labels_count(BONE)), rel=0.01)
    assert bone.surface.closest(at_ijk(16, 20, 12)).distance_mm[0] < -8.0
    assert [m.name for m in scene.landmarks] == ["top", "side", "front"]
    assert scene.plans[0].diameter_mm == 3.0
    assert scene.volume.contains(at_ijk(0, 0, 0))
    assert scene.ct_path.is_file()
    assert len(scene.case_hash) == 64
    assert scene.structure("bone") is bone
    with pytest.raises(InputRefused, match="Did you mean 'vessel'"):
        scene.structure("vesel")


def write_labels_count(label: int) -> int:
    from tests.scene.cases import labels_ijk

    return int((labels_ijk() == label).sum())


def test_what_is_written_reads_back_the_same(case: Path) -> None:
    read = read_case_file(case)
    (case / CASE_FILE).write_text(case_text(read), encoding="utf-8")
    assert read_case_file(case) == read


def test_odd_names_survive_the_text(case: Path) -> None:
    edit(case, 'name = "test"', 'name = "Fall \\"7\\" \\\\ caf\u00e9 \\u0007"')
    read = read_case_file(case)
    (case / CASE_FILE).write_text(case_text(read), encoding="utf-8")
    assert read_case_file(case) == read


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("danger_mm = 1.2", "danger_mm = 2.2", "danger 2.2 mm above caution 2 mm"),
        ("danger_mm = 1.2", "dangr_mm = 1.2", "unknown key 'dangr_mm'.*did you mean 'danger_mm'"),
        ('role = "critical"', 'role = "critcal"', "critcal"),
        ("diameter_mm = 3.0", 'diameter_mm = "3"', "diameter_mm"),
        ("diameter_mm = 3.0", "diameter_mm = nan", "NaN"),
        ("[ct]", "[ctt]", "did you mean 'ct'"),
        ('file = "surfaces/bone.ply"', 'file = "../bone.ply"', "not inside the case's folder"),
        ("[case]", "[case", "not valid TOML"),
    ],
)
def test_a_fault_in_case_toml_is_named(case: Path, old: str, new: str, words: str) -> None:
    edit(case, old, new)
    with pytest.raises(InputRefused, match=words):
        load_scene(case)


def test_landmarks_that_cannot_register(case: Path) -> None:
    edit(case, str(list(at_ijk(16, 32, 12))), "[500.0, 0.0, 0.0]")
    with pytest.raises(InputRefused, match="landmark 'side' at 500 0 0 mm lies outside the CT"):
        load_scene(case)
    edit(case, "[500.0, 0.0, 0.0]", str(list(at_ijk(11, 20, 15.5))))
    with pytest.raises(InputRefused, match="landmarks lie in a line"):
        load_scene(case)


def test_a_changed_file_is_named(case: Path) -> None:
    path = case / "surfaces" / "bone.ply"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputRefused, match=r"file surfaces/bone\.ply was changed"):
        load_scene(case)


@pytest.mark.parametrize("name", ["surfaces/bone.ply", "ct.nii.gz", LOCK_FILE, CASE_FILE])
def test_a_missing_file_is_named(case: Path, name: str) -> None:
    (case / name).unlink()
    with pytest.raises(InputRefused, match=name.replace(".", r"\.")):
        load_scene(case)


def test_same_inputs_give_the_same_bytes_and_come_from_the_cache(tmp_path: Path, patient: tuple[Path, Path], own_cache: Path) -> None:
    ct, labels = patient
    build_case(tmp_path / "first", name="twice", sources=Sources(ct, labels), wanted=WANTED)
    before = time.perf_counter()
    build_case(tmp_path / "second", name="twice", sources=Sources(ct, labels), wanted=WANTED)
    assert time.perf_counter() - before < 1.0
    shutil.rmtree(own_cache / "cases")
    build_case(tmp_path / "third", name="twice", sources=Sources(ct, labels), wanted=WANTED)
    locks = {(tmp_path / name / LOCK_FILE).read_bytes() for name in ("first", "second", "third")}
    assert len(locks) == 1


def test_a_damaged_cache_is_made_again(tmp_path: Path, patient: tuple[Path, Path], own_cache: Path) -> None:
    ct, labels = patient
    wanted = (Wanted("bone", "work", (BONE,)),)
    build_case(tmp_path / "first", name="damaged", sources=Sources(ct, labels), wanted=wanted)
    for kept in (own_cache / "cases").glob("*/surfaces/bone.ply"):
        kept.write_bytes(b"")
    build_case(tmp_path / "second", name="damaged", sources=Sources(ct, labels), wanted=wanted)
    load_scene(tmp_path / "second")


def refuse(tmp_path: Path, words: str, ct: Path, labels: Path, *wanted: Wanted) -> None:
    """The build is refused, and nothing is left of it anywhere."""
    with pytest.raises(InputRefused, match=words):
        build_case(tmp_path / "out" / "case", name="refused", sources=Sources(ct, labels), wanted=wanted)
    assert list((tmp_path / "out").glob("*")) == []


BONE_ONLY = Wanted("bone", "work", (BONE,))


def test_a_build_that_is_refused_leaves_nothing(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    ct, labels = patient
    refuse(tmp_path, r"nowhere\.nii", tmp_path / "nowhere.nii", labels, BONE_ONLY)
    refuse(tmp_path, r"no voxel of .*labels.* belongs to structure 'ghost' \(label 77\)", ct, labels, BONE_ONLY, Wanted("ghost", "context", (77,)))
    refuse(tmp_path, r"danger 3 mm .* caution 2 mm", ct, labels, Wanted("vessel", "critical", (VESSEL,), 2.0, 3.0))
    refuse(tmp_path, "has no limits", ct, labels, Wanted("vessel", "critical", (VESSEL,)))
    refuse(tmp_path, "is work and has limits", ct, labels, Wanted("bone", "work", (BONE,), 2.0, 1.0))
    refuse(tmp_path, "named twice", ct, labels, BONE_ONLY, BONE_ONLY)
    empty = write_nifti(tmp_path / "other.nii", np.zeros((44, 40, 20), np.uint8))
    refuse(tmp_path, "has no labelled voxel", ct, empty, BONE_ONLY)
    mirrored = write_nifti(tmp_path / "mirrored.nii", labels_ijk(), np.diag((-1.0, -1.0, 1.0, 1.0)) @ RAS)
    refuse(tmp_path, "has the voxels of .* but lies up to .* mm away", ct, mirrored, BONE_ONLY)
    sheared = nib.load(ct)
    matrix = sheared.affine.copy()
    matrix[0, 2] = 0.6
    refuse(tmp_path, "sheared", write_nifti(tmp_path / "sheared.nii", np.asanyarray(sheared.dataobj), matrix), labels, BONE_ONLY)


def test_a_folder_that_is_taken(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputRefused, match="already there"):
        build_case(tmp_path / "taken", name="x", sources=Sources(*patient), wanted=[BONE_ONLY])
    assert (tmp_path / "taken" / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_build_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def fill() -> None:
        with whole(tmp_path / "case") as folder:
            (folder / "half").write_text("", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_structures_in_words(tmp_path: Path) -> None:
    assert parse_structure("hip:work") == Wanted("hip", "work")
    assert parse_structure("cord=3+4:critical:2:1.5") == Wanted("cord", "critical", (3, 4), 2.0, 1.5)
    assert parse_structure("bone@300:work") == Wanted("bone", "work", threshold_hu=300.0)
    assert parse_structure("air@-400.5:context").threshold_hu == -400.5
    assert parse_structure("left: lung (a=b):context") == Wanted("left: lung (a=b)", "context")
    for text in ("hip", "hip:bone", "hip:critical:2", "hip:critical:2:x", "hip:critical:1.2.3:1", ":work", "hip:work:"):
        with pytest.raises(InputRefused, match=f"--structure {text} is not understood"):
            parse_structure(text)
    table = tmp_path / "names.csv"
    table.write_text("group,structure,id\nbones,hip,7\n", encoding="utf-8")
    assert read_names(table) == {"hip": 7}


def test_nothing_of_a_patient_is_invented(case: Path) -> None:
    patient = load_scene(case).patient
    assert (patient.age, patient.sex, patient.study, patient.laterality, patient.notes) == (None,) * 5


def test_the_fixture_is_its_own(tmp_path: Path) -> None:
    ct, labels = write_patient(tmp_path)
    assert ct.parent == labels.parent == tmp_path
