"""A case from a person's own scan: DICOM, any segmentation, bone by its HU; facts of the patient, and who that is only where asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.scene import load_scene
from navtwin.scene.build import Wanted, assumed_sd_mm
from navtwin.scene.case import CASE_FILE, read_case_file
from navtwin.scene.check import check_case
from navtwin.scene.commands import case_app
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from navtwin.volumes.read import read_ct, read_label_volume
from tests.scene.cases import BONE, VESSEL, labels_ijk, write_nifti
from tests.volumes.labels.made import SPACING_MM, masks, to_mm, write_dicom_seg, write_slices, write_structure_set
from tests.volumes.labels.test_seg_nrrd import write_seg


def new(folder: Path, *arguments: object) -> str:
    done = CliRunner().invoke(case_app, ["new", str(folder), *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def shown(folder: Path) -> dict[str, object]:
    return json.loads(CliRunner().invoke(case_app, ["show", str(folder), "--json"]).output)


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    return write_slices(tmp_path / "dicom")


def test_a_dicom_series_with_its_segmentation(tmp_path: Path, slices: Path) -> None:
    seg = write_dicom_seg(tmp_path / "seg.dcm")
    said = new(tmp_path / "case", "--ct", slices, "--labels", seg, "--structure", "bone:work", "--structure", "cord:critical:2:1")
    assert "doubtful" not in said
    scene = load_scene(tmp_path / "case")
    bone, cord = scene.structures
    voxel_mm3 = float(np.prod(SPACING_MM))
    assert bone.surface.volume_mm3 == pytest.approx(masks()["bone"].sum() * voxel_mm3, rel=0.02)
    assert cord.surface.volume_mm3 == pytest.approx(masks()["cord"].sum() * voxel_mm3, rel=0.02)
    assert cord.color.startswith("#")
    assert cord.color != "#d8654f"
    kept, read = read_ct(tmp_path / "case" / "ct.nii.gz"), read_ct(slices)
    np.testing.assert_array_equal(kept.hu, read.hu)
    assert kept.hu.dtype == read.hu.dtype
    np.testing.assert_allclose(kept.T_ct_from_ijk, read.T_ct_from_ijk, atol=1e-5)


def test_a_structure_that_touches_the_edge_of_a_cut_grid_is_capped_only_where_the_scan_ends(tmp_path: Path, slices: Path) -> None:
    """The frames of a DICOM segmentation without voxels are left out: its grid ends where the structures do."""
    only = np.zeros((*masks()["bone"].shape, 3), dtype=np.uint8)
    only[3:6, 5:12, 4:9, 0], only[4:10, 5:12, 15:20, 1], only[4, 2:4, 2:4, 2] = 1, 1, 1
    seg = write_dicom_seg(tmp_path / "seg.dcm", array=only)
    new(tmp_path / "case", "--ct", slices, "--labels", seg)
    assert [(s.name, s.role, s.capped) for s in load_scene(tmp_path / "case").structures] == [
        ("bone", "context", False), ("cord", "context", True), ("vessel", "context", False),
    ]  # fmt: skip


def test_contours_of_another_frame_are_refused(tmp_path: Path, slices: Path) -> None:
    drawn = {"bone": [to_mm([(3, 3), (9, 3), (9, 9), (3, 9)], k) for k in (3, 4)]}
    right, wrong = write_structure_set(tmp_path / "right.dcm", drawn), write_structure_set(tmp_path / "wrong.dcm", drawn, frame="5.5")
    assert "doubtful" not in new(tmp_path / "case", "--ct", slices, "--labels", right, "--structure", "bone:work")
    with pytest.raises(InputRefused, match=r"another frame of reference \(5\.5\)"):
        new(tmp_path / "other", "--ct", slices, "--labels", wrong, "--structure", "bone:work")
    assert not (tmp_path / "other").exists()


def test_who_the_patient_is_stays_out_unless_asked_for(tmp_path: Path, slices: Path) -> None:
    new(tmp_path / "case", "--ct", slices, "--notes", "allergic to latex")
    patient = shown(tmp_path / "case")["patient"]
    assert patient == {
        "age": "60 years", "sex": "female", "study": "Spine, 2020", "laterality": None, "notes": "allergic to latex",
        "name": None, "id": None, "birth_date": None,
    }  # fmt: skip
    files = b"".join(p.read_bytes() for p in (tmp_path / "case").iterdir() if p.is_file())
    for word in (b"Made", b"1960", b"0102", b"1.2.3.4", b"1.2.3.5"):
        assert word not in files
    new(tmp_path / "named", "--ct", slices, "--identify")
    named = shown(tmp_path / "named")["patient"]
    assert isinstance(named, dict)
    assert (named["name"], named["id"], named["birth_date"], named["notes"]) == ("Made Up", "17", "1960-01-02", None)
    told = CliRunner().invoke(case_app, ["show", str(tmp_path / "named")]).output
    assert "name: Made Up" in told
    assert "age: 60 years" in told


def test_notes_are_added_line_by_line(case: Path) -> None:
    for text in ("first [/look]", "second"):
        assert CliRunner().invoke(case_app, ["note", str(case), text]).exit_code == 0
    assert load_scene(case).patient.notes == "first [/look]\nsecond"
    assert "notes: first [/look]" in CliRunner().invoke(case_app, ["show", str(case)], catch_exceptions=False).output
    with pytest.raises(InputRefused, match="the note is empty"):
        CliRunner().invoke(case_app, ["note", str(case), " "], catch_exceptions=False)


def test_bone_by_its_hu_and_nothing_watched(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    new(tmp_path / "case", "--ct", patient[0], "--structure", "bone@300:work")
    (entry,) = read_case_file(tmp_path / "case").structure
    assert (entry.threshold_hu, entry.labels) == (300.0, ())
    expected = (labels_ijk() == BONE).sum() * 2.0
    assert load_scene(tmp_path / "case").structure("bone").surface.volume_mm3 == pytest.approx(expected, rel=0.1)
    assert any("nothing is being watched" in f.problem for f in check_case(tmp_path / "case").findings)


def test_a_table_that_is_as_dense_as_bone_is_told(tmp_path: Path) -> None:
    hu = np.where(labels_ijk() == BONE, 700, 40).astype(np.int16)
    hu[:, :2, :] = 600
    said = new(tmp_path / "case", "--ct", write_nifti(tmp_path / "ct.nii", hu), "--structure", "bone@300:work")
    assert "doubtful: 'bone' falls into 2 large parts (of 7 and 4 ml): the table or a head holder may be one of them" in said


def test_what_a_volume_file_leaves_open_stays_with_the_case(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((44, 40, 24), np.int16), np.eye(4)), tmp_path / "ct.nii")
    assert "doubtful: ct.nii: It does not say the unit" in new(tmp_path / "case", "--ct", tmp_path / "ct.nii")
    assert any("does not say the unit" in f.problem for f in check_case(tmp_path / "case").findings)


def test_a_ct_alone_is_a_case(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    new(tmp_path / "case", "--ct", patient[0])
    assert load_scene(tmp_path / "case").structures == ()


def test_a_label_volume_alone_is_a_case_that_says_so(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    labels = patient[1]
    new(tmp_path / "case", "--no-ct", "--labels", labels, "--structure", "bone=1:work")
    findings = [f.problem for f in check_case(tmp_path / "case").findings]
    assert any("there is no CT: a label volume stands for the scanned volume" in problem for problem in findings)
    np.testing.assert_array_equal(read_label_volume(tmp_path / "case" / "ct.nii.gz").hu, read_label_volume(labels).hu)
    with pytest.raises(InputRefused, match="'bone' is wanted by its HU, and there is no CT"):
        new(tmp_path / "other", "--no-ct", "--labels", labels, "--structure", "bone@300:work")


def test_without_structures_all_of_the_segmentation_come_in(tmp_path: Path) -> None:
    ct = nib.Nifti1Image(np.zeros((24, 20, 10), np.int16), np.diag((-1.0, -1.0, 1.0, 1.0)) @ scan_affine())
    nib.save(ct, tmp_path / "ct.nii")
    new(tmp_path / "case", "--ct", tmp_path / "ct.nii", "--labels", write_seg(tmp_path / "x.seg.nrrd"))
    structures = load_scene(tmp_path / "case").structures
    assert [(s.name, s.color) for s in structures] == [("bone", "#e6ccb2"), ("cord", "#ff0000"), ("vessel", "#0000ff")]


def scan_affine() -> np.ndarray:
    from tests.volumes.labels.made import T_ct_from_ijk

    return T_ct_from_ijk()


def test_structures_whose_names_look_alike_have_files_of_their_own(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    wanted = (Wanted("left side", "work", (BONE,)), Wanted("left_side", "context", (VESSEL,)))
    build_case(tmp_path / "case", name="x", sources=Sources(*patient), wanted=wanted)
    one, other = load_scene(tmp_path / "case").structures
    assert one.surface.volume_mm3 != other.surface.volume_mm3


def test_every_option_is_part_of_what_a_case_is_made_from(tmp_path: Path, slices: Path, patient: tuple[Path, Path]) -> None:
    """What is made once is kept: two cases that differ in any input must not share it."""
    wanted = (Wanted("bone", "context", (1,)),)
    (tmp_path / "names").write_text("structure,id\nbone,2\n", encoding="utf-8")
    made = {
        "plain": Sources(patient[0], patient[1]), "noted": Sources(patient[0], patient[1], notes="x"),
        "table": Sources(patient[0], patient[1], names=tmp_path / "names"), "bare": Sources(None, patient[1]),
    }  # fmt: skip
    for name, sources in made.items():
        asked = (Wanted("bone", "context"),) if name == "table" else wanted
        build_case(tmp_path / name, name="same", sources=sources, wanted=asked)
    texts = {(tmp_path / name / CASE_FILE).read_text(encoding="utf-8") for name in made}
    assert len(texts) == len(made)
    build_case(tmp_path / "dicom-1", name="same", sources=Sources(slices), wanted=())
    (slices / "000.dcm").unlink()
    build_case(tmp_path / "dicom-2", name="same", sources=Sources(slices), wanted=())
    assert read_ct(tmp_path / "dicom-2" / "ct.nii.gz").hu.shape[0] == read_ct(tmp_path / "dicom-1" / "ct.nii.gz").hu.shape[0] - 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--structure", "bone:work"], "wanted by its label, and there are no labels"),
        (["--structure", "bone@5000:work"], "threshold of 5000 HU"),
        (["--series", "1"], "--series says nothing to a file that is no DICOM"),
        (["--identify"], "--identify says nothing to a file that is no DICOM"),
        (["--names", "table"], "--names says nothing without --labels"),
    ],
)
def test_what_cannot_be_granted_is_refused(tmp_path: Path, patient: tuple[Path, Path], arguments: list[str], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        new(tmp_path / "case", "--ct", patient[0], *arguments)
    assert not (tmp_path / "case").exists()


def test_names_of_labels_that_are_markup_or_paths(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    (tmp_path / "table").write_text('structure,id\n"[/red] ../../x",1\n', encoding="utf-8")
    new(tmp_path / "case", "--ct", patient[0], "--labels", patient[1], "--names", tmp_path / "table")
    told = CliRunner(env={"COLUMNS": "150"}).invoke(case_app, ["show", str(tmp_path / "case")], catch_exceptions=False)
    assert "[/red] ../../x" in told.output
    assert all(p.parent == tmp_path / "case" / "surfaces" for p in (tmp_path / "case").rglob("*.ply"))


def test_a_case_is_not_built_over_another(tmp_path: Path, patient: tuple[Path, Path], case: Path) -> None:
    before = shutil.make_archive(str(tmp_path / "before"), "tar", case)
    with pytest.raises(InputRefused, match="already there"):
        new(case, "--ct", patient[0])
    assert Path(shutil.make_archive(str(tmp_path / "after"), "tar", case)).stat().st_size == Path(before).stat().st_size


def test_labels_of_a_mirrored_patient(tmp_path: Path, patient: tuple[Path, Path]) -> None:
    from tests.scene.cases import RAS

    mirrored = write_nifti(tmp_path / "mirrored.nii", labels_ijk()[:, :, :-1], np.diag((-1.0, -1.0, 1.0, 1.0)) @ RAS)
    with pytest.raises(InputRefused, match="of the labelled voxels"):
        new(tmp_path / "case", "--ct", patient[0], "--labels", mirrored)


@pytest.mark.parametrize(("sides", "sd_mm"), [((0.4, 0.4, 1.0), 0.5), ((0.98, 0.98, 3.0), 0.87), ((5.0, 0.5, 0.5), 1.44)])
def test_the_error_that_is_assumed_grows_with_the_voxels(sides: tuple[float, float, float], sd_mm: float) -> None:
    assert assumed_sd_mm(sides) == sd_mm
