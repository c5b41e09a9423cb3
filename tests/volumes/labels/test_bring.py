"""At the door: a CT becomes a case, a segmentation its structures, and each file is known by what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import nibabel as nib
import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.files.formats import HEAD_BYTES, Format, Options, Peek
from navtwin.files.guard import is_packed, read_head
from navtwin.scene import load_scene
from navtwin.scene.case import CASE_FILE, ScannedSection, read_case_file
from navtwin.scene.case_text import case_text
from navtwin.scene.check import relock
from navtwin.scene.formats import FORMATS as OWN
from navtwin.scene.lock import LOCK_FILE
from navtwin.volumes.labels.bring import bring_ct, bring_labels
from navtwin.volumes.labels.formats import FORMATS
from tests.volumes.labels.made import T_ct_from_ijk, masks, to_mm, write_dicom_seg, write_slices, write_structure_set
from tests.volumes.labels.test_seg_nrrd import write_seg

SQUARE = [(3, 3), (9, 3), (9, 9), (3, 9)]


def quiet(text: str) -> None:
    """Nobody watches."""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case of the scan that is known by its frame of reference, without structures."""
    said = bring_ct(write_slices(tmp_path / "dicom"), tmp_path / "case", Options(name="mine"), quiet)
    assert said[:2] == (f"built the case 'mine' at {tmp_path / 'case'}", "it has no structures: nothing is being watched")
    return tmp_path / "case"


def peek(path: Path) -> Peek:
    return Peek(path, b"" if path.is_dir() else read_head(path, HEAD_BYTES), not path.is_dir() and is_packed(path), path.is_dir())


def label_nifti(path: Path) -> Path:
    values = (masks()["bone"] * 1 + masks()["vessel"] * 2).astype(np.uint8).T
    nib.save(nib.Nifti1Image(values, np.diag((-1.0, -1.0, 1.0, 1.0)) @ T_ct_from_ijk()), path)
    return path


def of_each_kind(folder: Path) -> dict[str, Path]:
    return {
        "Slicer segmentation": write_seg(folder / "a"),
        "label volume": label_nifti(folder / "b.nii.gz"),
        "DICOM segmentation": write_dicom_seg(folder / "c"),
        "RT structure set": write_structure_set(folder / "d", {"bone": [to_mm(SQUARE, k) for k in (3, 4)]}),
    }


def kinds(path: Path) -> list[str]:
    from navtwin.volumes.dicom.formats import FORMATS as DICOM
    from navtwin.volumes.formats import FORMATS as VOLUMES

    every: tuple[Format, ...] = (*FORMATS, *OWN, *DICOM, *VOLUMES)
    return [one.name for one in every if one.recognise(peek(path))]


def test_each_kind_is_one_kind_only(tmp_path: Path, case: Path) -> None:
    for name, path in of_each_kind(tmp_path).items():
        assert kinds(path) == [name]
    assert kinds(case) == ["navtwin case"]
    assert kinds(tmp_path / "dicom") == ["DICOM CT series"]


def test_each_kind_is_looked_at(tmp_path: Path) -> None:
    files = of_each_kind(tmp_path)
    for one in FORMATS:
        found = one.inspect(files[one.name], Options())
        assert found.kind == one.name
        assert any("bone" in value or "label_1" in value for _, value in found.facts)
    doubts = {one.name: " ".join(one.inspect(files[one.name], Options()).doubts) for one in FORMATS}
    assert "have no names: pass a table" in doubts["label volume"]
    assert "is checked when it is brought in" in doubts["DICOM segmentation"]
    assert doubts["Slicer segmentation"] == doubts["RT structure set"] == ""
    open_lines = write_structure_set(tmp_path / "open", {"line": [to_mm(SQUARE, 3)]}, kind="OPEN_PLANAR")
    assert "'line' has contours that are not closed and planar" in FORMATS[3].inspect(open_lines, Options()).doubts[0]


def test_all_structures_of_a_segmentation_come_in_as_context(tmp_path: Path, case: Path) -> None:
    said = bring_labels(write_seg(tmp_path / "x.seg.nrrd"), case, Options(), quiet)
    assert said[0] == "3 structures: bone (context), cord (context), vessel (context)"
    assert [(s.name, s.role, s.color) for s in load_scene(case).structures][1] == ("cord", "context", "#ff0000")


def test_chosen_structures_with_limits_of_each_kind(tmp_path: Path, case: Path) -> None:
    files = of_each_kind(tmp_path)
    bring_labels(files["Slicer segmentation"], case, Options(structures=("cord:critical:3:1",)), quiet)
    bring_labels(files["label volume"], case, Options(structures=("left bone=1:work",)), quiet)
    bring_labels(files["DICOM segmentation"], case, Options(structures=("vessel:context",)), quiet)
    bring_labels(files["RT structure set"], case, Options(structures=("bone:context",)), quiet)
    scene = load_scene(case)
    assert [s.name for s in scene.structures] == ["cord", "left bone", "vessel", "bone"]
    assert scene.structure("cord").danger_mm == 1.0
    assert read_case_file(case).case.doubts == ()


def test_one_role_for_all(tmp_path: Path, case: Path) -> None:
    bring_labels(write_seg(tmp_path / "x"), case, Options(role="critical", caution_mm=3.0, danger_mm=1.0), quiet)
    assert {s.caution_mm for s in load_scene(case).structures} == {3.0}


def test_doubts_stay_with_the_case(tmp_path: Path, case: Path) -> None:
    """A case from a file that is no DICOM is not known by a frame of reference."""
    nib.save(nib.Nifti1Image(np.zeros((24, 20, 10), np.int16), np.diag((-1.0, -1.0, 1.0, 1.0)) @ T_ct_from_ijk()), tmp_path / "ct.nii")
    bring_ct(tmp_path / "ct.nii", tmp_path / "plain", Options(), quiet)
    said = bring_labels(write_dicom_seg(tmp_path / "seg"), tmp_path / "plain", Options(structures=("cord:context",)), quiet)
    assert "could not be told" in said[-1]
    unit, frame = read_case_file(tmp_path / "plain").case.doubts
    assert ("does not say the unit" in unit, frame) == (True, said[-1])
    load_scene(tmp_path / "plain")


def test_a_structure_that_reaches_where_the_slices_end_is_capped(tmp_path: Path, case: Path) -> None:
    """A tilted stack on a square grid: the grid goes on where the scan does not."""
    before = read_case_file(case)
    T: Any = tuple(tuple(float(v) for v in row) for row in np.linalg.inv(T_ct_from_ijk()))
    scanned = ScannedSection(T_ijk_from_ct=T, shape_ijk=(24, 20, 6))
    text = case_text(msgspec.structs.replace(before, ct=msgspec.structs.replace(before.ct, scanned=scanned)))
    (case / CASE_FILE).write_text(text, encoding="utf-8")
    relock(case)
    bring_labels(write_seg(tmp_path / "x"), case, Options(structures=("bone:work",)), quiet)
    assert load_scene(case).structure("bone").capped
    assert read_case_file(case).ct.scanned is not None


def refused(case: Path, path: Path, words: str, **options: object) -> None:
    before = {p: p.read_bytes() for p in case.rglob("*") if p.is_file()}
    with pytest.raises(InputRefused, match=words):
        bring_labels(path, case, Options(**options), quiet)  # type: ignore[arg-type]
    assert {p: p.read_bytes() for p in case.rglob("*") if p.is_file()} == before
    assert list(case.parent.glob(f".{case.name}*")) == []


def test_what_is_refused_changes_nothing(tmp_path: Path, case: Path) -> None:
    seg = write_seg(tmp_path / "x.seg.nrrd")
    bring_labels(seg, case, Options(structures=("cord:critical:3:1",)), quiet)
    refused(case, seg, "already has a structure 'cord'")
    refused(case, seg, "has no structure 'cort'. Did you mean 'cord'".replace(".", r"\."), structures=("cort:work",))
    refused(case, seg, "--role says nothing beside --structure", structures=("bone:work",), role="work")
    refused(case, seg, "role 'wrk' is not known", role="wrk")
    refused(case, seg, "names its structures itself", names=str(seg))
    far = write_seg(tmp_path / "far", **{"space origin": "(900,0,0)"})
    refused(case, far, "away from|labelled voxels")
    other = write_structure_set(tmp_path / "rt", {"bone": [to_mm(SQUARE, 3)]}, frame="6.6")
    refused(case, other, r"another frame of reference \(6\.6\)")
    text = (case / CASE_FILE).read_text(encoding="utf-8")
    (case / CASE_FILE).write_text(text.replace("danger_mm = 1.0", "danger_mm = 0.5"), encoding="utf-8")
    refused(case, seg, "was changed after the case was locked", structures=("bone:work",))


def test_a_place_that_does_not_fit(tmp_path: Path, case: Path) -> None:
    with pytest.raises(InputRefused, match=r"is no case: a case begins with a CT.*case new"):
        bring_labels(write_seg(tmp_path / "x"), tmp_path / "nowhere", Options(), quiet)
    with pytest.raises(InputRefused, match="is a case already"):
        bring_ct(tmp_path / "dicom", case, Options(), quiet)
    assert (case / LOCK_FILE).is_file()
