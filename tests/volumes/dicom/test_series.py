"""A folder with anything in it: what is listed, what is chosen, what is refused and in which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

from navtwin.errors import InputRefused
from navtwin.files.door import peek
from navtwin.files.formats import Options
from navtwin.volumes.dicom.formats import FORMATS
from navtwin.volumes.dicom.read import list_series, open_ct, patient_facts, read_dicom
from tests.volumes.dicom.made import AXIAL, CORNER_MM, CT, STEP_MM, Change, ct_slice, enhanced, random_hu, series, write, write_slices

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MR = "1.2.840.10008.5.1.4.1.1.4"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
DICOM = FORMATS[0]


def _named(uid: str, number: int, description: str) -> object:
    def change(_: int, ds: Dataset) -> None:
        ds.SeriesInstanceUID, ds.SeriesNumber, ds.SeriesDescription = uid, number, description

    return change


def _object(sop_class: str, modality: str) -> Dataset:
    """Something that holds no pictures."""
    ds = ct_slice(random_hu(1)[0], CORNER_MM)
    for name in ("PixelData", "Rows", "Columns", "ImagePositionPatient"):
        delattr(ds, name)
    ds.SOPClassUID, ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = sop_class, modality, "1.9.40", 40
    return ds


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    """Two CT volumes, a localizer in one of their series, an MR, a screenshot, a structure set, a DICOMDIR, and other files, nested."""
    write_slices(tmp_path / "a", series(4, hu=random_hu(4), change=_named("1.9.1", 2, "bone")))  # type: ignore[arg-type]
    write_slices(tmp_path / "b" / "deep", series(3, hu=random_hu(3, seed=2), change=_named("1.9.2", 3, "soft")))  # type: ignore[arg-type]

    def scout(_: int, ds: Dataset) -> None:
        ds.SeriesInstanceUID, ds.SeriesNumber, ds.ImageType = "1.9.1", 2, ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    def resonance(_: int, ds: Dataset) -> None:
        ds.SOPClassUID, ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = MR, "MR", "1.9.3", 1

    def shot(_: int, ds: Dataset) -> None:
        ds.SOPClassUID, ds.SeriesInstanceUID, ds.SeriesNumber = SECONDARY_CAPTURE, "1.9.2", 3

    write_slices(tmp_path / "scout", series(1, change=scout))
    write_slices(tmp_path / "mr", series(3, change=resonance))
    write_slices(tmp_path / "shot", series(1, change=shot))
    write(tmp_path / "structures", _object(RTSTRUCT, "RTSTRUCT"))
    write(tmp_path / "DICOMDIR", _object("1.2.840.10008.1.3.10", ""))
    (tmp_path / "readme.txt").write_text("not DICOM")
    (tmp_path / "empty").write_bytes(b"")
    return tmp_path


def test_everything_is_listed_and_only_what_is_ct_is_a_volume(mixture: Path) -> None:
    found = list_series(mixture)
    assert [(s.number, s.modality, s.count, s.uid, s.is_volume) for s in found] == [
        (1, "MR", 3, "1.9.3", False),
        (2, "CT", 4, "1.9.1", True),
        (3, "CT", 1, "1.9.1", False),
        (4, "CT", 3, "1.9.2", True),
        (5, "CT", 1, "1.9.2", False),
        (6, "RTSTRUCT", 1, "1.9.40", False),
    ]
    assert found[1].description == "bone"
    assert found[1].problems == ()
    assert found[1].spacing_mm == pytest.approx((0.5, 0.7, STEP_MM))
    assert [bool(s.problems) for s in found] == [True, False, True, False, True, True]


def test_several_ct_series_are_refused_with_the_list_and_the_flag(mixture: Path) -> None:
    with pytest.raises(InputRefused, match=r"holds 2 CT series.*--series N: 2: CT 'bone' \(12 x 10 x 4.*; 4: CT 'soft'"):
        read_dicom(mixture)


@pytest.mark.parametrize(("wanted", "count"), (("2", 4), ("1.9.1", 4), ("4", 3), ("1.9.2", 3)))
def test_a_series_is_picked_by_number_or_uid(mixture: Path, wanted: str, count: int) -> None:
    assert read_dicom(mixture, series=wanted).hu.shape[0] == count


@pytest.mark.parametrize(
    ("wanted", "words"),
    (("7", "has no series '7'.*1: MR"), ("1", "MR objects that are no CT"), ("3", "localizers"), ("5", "no CT slices"), ("6", "structure set")),
)
def test_what_is_no_ct_series_is_refused(mixture: Path, wanted: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        read_dicom(mixture, series=wanted)


def test_the_only_ct_series_is_chosen_by_itself(mixture: Path) -> None:
    for file in (mixture / "b" / "deep").iterdir():
        file.unlink()
    assert open_ct(mixture).series.uid == "1.9.1"
    assert open_ct(mixture / "DICOMDIR").series.uid == "1.9.1"


def test_files_that_state_no_series_belong_together_by_folder_and_frame_of_reference(tmp_path: Path) -> None:
    """As anonymizers leave them: series, SOP class and instance empty."""

    def bare(_: int, ds: Dataset) -> None:
        ds.SeriesInstanceUID = ds.SOPClassUID = ds.SeriesNumber = ""
        ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = CT, "1.2.3"

    for k, ds in enumerate(series(3, change=bare)):
        ds.save_as(tmp_path / str(k), enforce_file_format=True)
    assert read_dicom(tmp_path).hu.shape[0] == 3


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    hu = random_hu(3)
    for k, ds in enumerate(series(3, hu=hu)):
        del ds.file_meta
        ds.save_as(tmp_path / str(k), implicit_vr=k == 0, little_endian=True, enforce_file_format=False)
    np.testing.assert_array_equal(read_dicom(tmp_path).hu, hu)


def test_enhanced_frames_in_any_order_make_the_same_volume(tmp_path: Path) -> None:
    hu = random_hu(5)
    places = CORNER_MM + np.arange(5)[:, None] * (0, 0, STEP_MM)
    order = [3, 0, 4, 1, 2]
    classic = read_dicom(write_slices(tmp_path / "classic", series(5, hu=hu)))
    for syntax in (pydicom.uid.ExplicitVRLittleEndian, pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.JPEG2000Lossless, pydicom.uid.RLELossless):
        file = write(tmp_path / "enhanced", enhanced(hu[order], places[order]), syntax)
        read = read_dicom(file)
        np.testing.assert_array_equal(read.hu, classic.hu)
        np.testing.assert_allclose(read.T_ct_from_ijk, classic.T_ct_from_ijk, atol=1e-12)


def test_frames_in_several_pieces_are_told_apart_by_an_offset_table_or_not_at_all(tmp_path: Path) -> None:
    hu = random_hu(3)
    ds = enhanced(hu, CORNER_MM + np.arange(3)[:, None] * (0, 0, STEP_MM))
    write(tmp_path / "file", ds, pydicom.uid.RLELossless)
    frames = list(generate_frames(ds.PixelData, number_of_frames=3))
    ds.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=True)
    ds.save_as(tmp_path / "basic", enforce_file_format=True)
    np.testing.assert_array_equal(read_dicom(tmp_path / "basic").hu, hu)
    ds.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=False)
    ds.save_as(tmp_path / "none", enforce_file_format=True)
    with pytest.raises(InputRefused, match="holds 6 pieces of 3 frames"):
        read_dicom(tmp_path / "none")
    ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    starts = np.frombuffer(ds.ExtendedOffsetTable, "<u8")
    ds.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=False)
    ds.ExtendedOffsetTable = (starts + 8 * np.arange(3)).astype("<u8").tobytes()  # one item head more in each frame before
    ds.save_as(tmp_path / "extended", enforce_file_format=True)
    np.testing.assert_array_equal(read_dicom(tmp_path / "extended").hu, hu)


def test_faults_of_enhanced_frames_are_named_by_frame(tmp_path: Path) -> None:
    places = CORNER_MM + np.array([0, 1, 2, 4, 5])[:, None] * (0, 0, STEP_MM)
    with pytest.raises(InputRefused, match=r"between file frame 3 at .* and file frame 4"):
        read_dicom(write(tmp_path / "file", enhanced(random_hu(5), places, AXIAL)))
    ds = enhanced(random_hu(5), places)
    ds.NumberOfFrames = 4
    with pytest.raises(InputRefused, match="claims 4 frames and describes 5"):
        read_dicom(write(tmp_path / "file", ds))


def test_a_video_in_the_folder_does_not_keep_the_ct_from_being_read(tmp_path: Path) -> None:
    """What is written in a way that cannot be read is listed, and refused only where it is asked for."""
    write_slices(tmp_path / "ct", series(3))

    def video(_: int, ds: Dataset) -> None:
        ds.SOPClassUID, ds.Modality, ds.SeriesInstanceUID = "1.2.840.10008.5.1.4.1.1.77.1.4.1", "XC", "1.9.9"

    file = write_slices(tmp_path / "video", series(1, change=video)) / "000"
    file.write_bytes(file.read_bytes().replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840.10008.1.2.4\x00"))
    assert read_dicom(tmp_path).hu.shape[0] == 3
    assert len(list_series(tmp_path)) == 2


def test_one_slice_is_no_volume(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(2))
    with pytest.raises(InputRefused, match=r"000 is one slice, no volume. Name the folder"):
        read_dicom(folder / "000")


def test_a_damaged_dicom_file_in_the_folder_is_not_overlooked(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(4))
    (folder / "003").write_bytes((folder / "003").read_bytes()[:300])
    with pytest.raises(InputRefused, match="003"):
        read_dicom(folder)


@pytest.mark.parametrize(("make", "words"), ((lambda p: None, "there is no file"), (lambda p: p.mkdir(), "holds no CT series")))
def test_nothing_there(tmp_path: Path, make: object, words: str) -> None:
    make(tmp_path / "x")  # type: ignore[operator]
    with pytest.raises(InputRefused, match=words):
        read_dicom(tmp_path / "x")


def test_facts_leave_out_who_it_is_unless_asked(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(2))
    facts = patient_facts(folder)
    assert (facts.age, facts.sex, facts.study, facts.study_year, facts.body_part) == ("49 years", "female", "Head CT", "2020", "head")
    assert facts.identity is None
    assert not {"Doe", "4711", "1970", "2020-06"} & set(str(facts).replace("'", " ").split())
    who = patient_facts(folder, identify=True).identity
    assert who is not None
    assert (who.name, who.patient_id, who.birth_date, who.study_date) == ("Doe Jane", "4711", "1970-06-15", "2020-06-14")


@pytest.mark.parametrize(
    ("age", "born", "expected"), (("045Y", "19000101", "45 years"), ("003M", "", "3 months"), ("", "", ""), ("", "20300101", ""))
)
def test_age_as_stated_or_from_the_birth_date(tmp_path: Path, age: str, born: str, expected: str) -> None:
    def change(_: int, ds: Dataset) -> None:
        ds.PatientBirthDate = born
        ds.add_new("PatientAge", "AS", age)

    assert patient_facts(write_slices(tmp_path, series(2, change=change))).age == expected


def test_text_is_read_in_its_character_set(tmp_path: Path) -> None:
    def change(_: int, ds: Dataset) -> None:
        ds.SpecificCharacterSet, ds.StudyDescription, ds.PatientName = "ISO_IR 192", "Schädel \x07nativ", "Müller^Jörg"

    facts = patient_facts(write_slices(tmp_path, series(2, change=change)), identify=True)
    assert facts.study == "Schädel nativ"
    assert facts.identity is not None
    assert facts.identity.name == "Müller Jörg"


def test_the_door_knows_folders_and_files_by_content(mixture: Path, tmp_path: Path) -> None:
    assert DICOM.recognise(peek(mixture))
    assert DICOM.recognise(peek(mixture / "a" / "000"))
    assert not DICOM.recognise(peek(mixture / "structures"))
    assert not DICOM.recognise(peek(mixture / "readme.txt"))
    bare = tmp_path / "only labels"
    bare.mkdir()
    (mixture / "structures").rename(bare / "structures")
    assert not DICOM.recognise(peek(bare))


def test_inspect_says_axes_spacing_storage_and_doubts(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(4, change=lambda k, ds: setattr(ds, "GantryDetectorTilt", 12)))
    seen = DICOM.inspect(folder, Options())
    facts = dict(seen.facts)
    assert facts["axis slice to slice"] == "(0, 0, 2)"
    assert facts["stored as"] == "uncompressed"
    assert facts["series 1"] == "CT 'bone' (12 x 10 x 4, 0.5 x 0.7 x 2 mm)"
    assert "LPS" in facts["first voxel"]
    assert any("tilt tag says 12.0 degrees" in doubt for doubt in seen.doubts)
    (folder / "001").unlink()
    (folder / "002").unlink()
    write_slices(folder / "more", series(6, step=(0, 0.5, 2), change=_named("1.9.8", 9, "tilted")))  # type: ignore[arg-type]
    seen = DICOM.inspect(folder, Options(series="2"))
    assert any("tilted" in doubt for doubt in seen.doubts)


@pytest.mark.parametrize(("keyword", "other"), [("PatientID", "4712"), ("PatientBirthDate", "19450101")])
def test_slices_of_two_patients_are_no_volume(tmp_path: Path, keyword: str, other: str) -> None:
    """They may share everything else, the series UID included, where files were copied together or merged."""
    slices = series(5)
    for ds in slices[3:]:
        setattr(ds, keyword, other)
    write_slices(tmp_path, slices)
    with pytest.raises(InputRefused, match="more than one patient") as refused:
        read_dicom(tmp_path)
    assert "003" in str(refused.value) and other not in str(refused.value)
    assert any("more than one patient" in problem for problem in list_series(tmp_path)[0].problems)


def test_slices_that_leave_out_whose_they_are_go_with_the_others(tmp_path: Path) -> None:
    slices = series(5)
    slices[0].PatientID = slices[4].PatientBirthDate = ""
    assert read_dicom(write_slices(tmp_path, slices)).hu.shape[0] == 5


def _no_rescale(_: int, ds: Dataset) -> None:
    del ds.RescaleSlope, ds.RescaleIntercept


def _cut(k: int, ds: Dataset) -> None:
    if k == 2:
        ds.PixelData = ds.PixelData[:40]


@pytest.mark.parametrize(("change", "words"), [(_no_rescale, "no rescale"), (_cut, "002 is cut")])
def test_inspection_doubts_what_import_will_refuse(tmp_path: Path, change: Change, words: str) -> None:
    write_slices(tmp_path, series(5, change=change))
    assert any(words in doubt for doubt in DICOM.inspect(tmp_path, Options()).doubts)
    with pytest.raises(InputRefused, match=words):
        read_dicom(tmp_path)
