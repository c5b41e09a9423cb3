"""Bad CTs, masks and case files on the command line: one clear line, exit code 2, nothing half-written."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from navtwin.scene.build import deliver
from navtwin.scene.case import load_scene
from tests.faults.conftest import Navtwin, everything_in
from tests.golden.make import CASE

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
SHAPE = (20, 20, 12)


def write(path: Path, values: npt.NDArray[Any], affine: npt.NDArray[np.float64] = AFFINE) -> Path:
    """A NIfTI file with exactly this affine: nibabel would mend a bad one."""
    image = nib.Nifti1Image(values, AFFINE)
    image.header.set_sform(affine, code=1)
    image.header.set_qform(AFFINE, code=0)
    nib.save(image, path)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[280:328] = affine[:3].astype("<f4").tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))
    return path


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    return write(tmp_path / "ct.nii.gz", np.zeros(SHAPE, dtype=np.int16))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[5:15, 5:15, 3:9] = 1
    return write(tmp_path / "labels.nii.gz", mask)


def refused(navtwin: Navtwin, tmp_path: Path, *words: str, ct: Path, labels: Path, structure: str = "bone=1:work") -> None:
    """`case new` leaves with 2, says these words in one line, and leaves no file behind."""
    before = everything_in(tmp_path)
    ended = navtwin("case", "new", tmp_path / "new", "--ct", ct, "--labels", labels, "--structure", structure)
    assert ended.code == 2
    assert ended.out == ""
    for word in words:
        assert word.lower() in ended.refusal.lower()
    assert len(ended.err.splitlines()) == 1
    assert everything_in(tmp_path) == before
    assert not (tmp_path / "new").exists()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.mktemp("cache")))


def test_sound_files_are_taken(navtwin: Navtwin, tmp_path: Path, ct: Path, labels: Path) -> None:
    """What is refused below is refused for its own fault and no other."""
    ended = navtwin("case", "new", tmp_path / "new", "--ct", ct, "--labels", labels, "--structure", "bone=1:work")
    assert ended.code == 0, ended.err
    assert (tmp_path / "new" / "case.lock").is_file()


def test_a_missing_ct(navtwin: Navtwin, tmp_path: Path, labels: Path) -> None:
    refused(navtwin, tmp_path, "nowhere.nii.gz", "check the path", ct=tmp_path / "nowhere.nii.gz", labels=labels)


@pytest.mark.parametrize("content", [b"", b"not a volume", b"\x1f\x8b broken gzip", b"\0" * 4000], ids=["empty", "text", "gzip", "zeros"])
def test_an_unreadable_ct(navtwin: Navtwin, tmp_path: Path, labels: Path, content: bytes) -> None:
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(content)
    refused(navtwin, tmp_path, "bad.nii.gz", ct=bad, labels=labels)


def test_a_ct_cut_short(navtwin: Navtwin, tmp_path: Path, ct: Path, labels: Path) -> None:
    ct.write_bytes(ct.read_bytes()[:-40])
    refused(navtwin, tmp_path, "ct.nii.gz", "cut", ct=ct, labels=labels)


def test_a_folder_for_a_ct(navtwin: Navtwin, tmp_path: Path, labels: Path) -> None:
    refused(navtwin, tmp_path, str(tmp_path), ct=tmp_path, labels=labels)


SHEARED = AFFINE + np.array([[0.0, 0.3, 0.0, 0.0], [0.0] * 4, [0.0] * 4, [0.0] * 4])
SINGULAR = np.diag([1.0, 1.0, 0.0, 1.0])
PARALLEL = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
NOT_FINITE = np.where(np.eye(4, dtype=bool), np.nan, 0.0)


@pytest.mark.parametrize(
    ("affine", "word"),
    [(SINGULAR, "singular"), (PARALLEL, "singular"), (SHEARED, "sheared"), (NOT_FINITE, "NaN")],
    ids=["flat", "parallel", "shear", "nan"],
)
def test_an_affine_that_places_nothing(navtwin: Navtwin, tmp_path: Path, labels: Path, affine: npt.NDArray[np.float64], word: str) -> None:
    bad = write(tmp_path / "bad.nii.gz", np.zeros(SHAPE, dtype=np.int16), affine)
    refused(navtwin, tmp_path, "affine", "bad.nii.gz", word, ct=bad, labels=labels)


def test_a_mask_of_another_size(navtwin: Navtwin, tmp_path: Path, ct: Path) -> None:
    """It may have a grid of its own, but that is said, and the case goes on saying it."""
    other = write(tmp_path / "other.nii.gz", np.ones((20, 20, 13), dtype=np.uint8))
    ended = navtwin("case", "new", tmp_path / "own", "--ct", ct, "--labels", other, "--structure", "bone=1:work")
    assert (ended.code, "doubtful: other.nii.gz is on a grid of its own: 20 x 20 x 13 voxels" in ended.out) == (0, True), ended.err
    assert "grid of its own" in navtwin("case", "check", tmp_path / "own").out
    far = write(tmp_path / "far.nii.gz", np.ones((20, 20, 13), dtype=np.uint8), AFFINE + np.array([[0.0, 0.0, 0.0, 90.0]] + [[0.0] * 4] * 3))
    refused(navtwin, tmp_path, "far.nii.gz", "0 % of the labelled voxels", ct=ct, labels=far)


@pytest.mark.parametrize("shift_mm", [1.0, -40.0])
def test_a_mask_that_lies_elsewhere(navtwin: Navtwin, tmp_path: Path, ct: Path, shift_mm: float) -> None:
    moved = AFFINE.copy()
    moved[0, 3] = shift_mm
    other = write(tmp_path / "other.nii.gz", np.ones(SHAPE, dtype=np.uint8), moved)
    refused(navtwin, tmp_path, "other.nii.gz", "away from", ct=ct, labels=other)


def test_a_mirrored_mask(navtwin: Navtwin, tmp_path: Path, ct: Path) -> None:
    """As if its axes were LPS, which NIfTI's never are."""
    mirrored = np.diag((-1.0, -1.0, 1.0, 1.0)) @ AFFINE
    other = write(tmp_path / "other.nii.gz", np.ones(SHAPE, dtype=np.uint8), mirrored)
    refused(navtwin, tmp_path, "other.nii.gz", "away from", ct=ct, labels=other)


def test_a_structure_without_voxels(navtwin: Navtwin, tmp_path: Path, ct: Path, labels: Path) -> None:
    refused(navtwin, tmp_path, "7", "no voxel", ct=ct, labels=labels, structure="ghost=7:work")


@pytest.mark.parametrize(
    ("structure", "word"),
    [
        ("vessel=1:critical:1:2", "danger 2 mm"),
        ("vessel=1:critical", "no limits"),
        ("vessel=1:critical:x:1", "not understood"),
        ("vessel=1:critical:nan:1", "danger"),
        ("vessel=1:critical:2:-1", "danger -1"),
        ("vessel=1:deadly:2:1", "not understood"),
        ("bone=1:work:2:1", "only critical"),
        ("vessel:critical:2:1", "no structure 'vessel'"),
    ],
)
def test_limits_and_roles_that_make_no_sense(navtwin: Navtwin, tmp_path: Path, ct: Path, labels: Path, structure: str, word: str) -> None:
    refused(navtwin, tmp_path, word, ct=ct, labels=labels, structure=structure)


def edit(case: Path, old: str, new: str) -> None:
    file = case / "case.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


#: What is spoilt in case.toml, and what must be said of it.
SPOILT = [
    pytest.param("danger_mm = 2.0", "danger_mm = 9.0", ("canal", "danger 9 mm", "caution 4 mm"), id="danger above caution"),
    pytest.param("danger_mm = 2.0", "danger_m = 2.0", ("'danger_m'", "did you mean 'danger_mm'?"), id="unknown key"),
    pytest.param("[[plan]]", "[[plans]]", ("'plans'", "did you mean 'plan'?"), id="unknown table"),
    pytest.param('role = "work"', 'role = "cut"', ("role", "cut"), id="unknown role"),
    pytest.param("position_mm = [10.0, 0.0, 0.0]", "position_mm = [900.0, 0.0, 0.0]", ("'a'", "outside the CT"), id="landmark outside"),
    pytest.param("position_mm = [10.0, 0.0, 0.0]", "position_mm = [nan, 0.0, 0.0]", ("position_mm", "NaN"), id="landmark NaN"),
    pytest.param('[[landmark]]\nname = "a"\nposition_mm = [10.0, 0.0, 0.0]\n', "", ("2 landmarks", "3 or more"), id="two landmarks"),
    pytest.param("position_mm = [0.0, 0.0, 10.0]", "position_mm = [-10.0, 20.0, 0.0]", ("in a line",), id="collinear landmarks"),
    pytest.param('file = "surfaces/aorta.ply"', 'file = "../aorta.ply"', ("../aorta.ply", "not inside"), id="file outside"),
    pytest.param('file = "surfaces/aorta.ply"', 'file = "/etc/passwd"', ("/etc/passwd", "not inside"), id="absolute file"),
    pytest.param('name = "aorta"', 'name = "canal"', ("'canal'",), id="name twice"),
    pytest.param("sd_mm = 0.1", "sd_mm = -0.1", ("sd_mm = -0.1",), id="negative sd"),
    pytest.param("sd_mm = 0.1", 'sd_mm = "0.1"', ("sd_mm",), id="text for a number"),
    pytest.param("[case]", "[case", ("not valid TOML",), id="broken TOML"),
    pytest.param('role = "critical"', 'role = "context"', ("context", "limits"), id="limits without watching"),
]


@pytest.mark.parametrize(("old", "new", "words"), SPOILT)
def test_a_spoilt_case_is_refused_by_name(navtwin: Navtwin, tmp_path: Path, case: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    edit(case, old, new)
    before = everything_in(tmp_path)
    ended = navtwin("case", "show", case)
    assert ended.code == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    for word in words:
        assert word.lower() in ended.refusal.lower()
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(("old", "new", "words"), SPOILT)
def test_the_same_fault_is_named_by_case_check_and_never_locked(navtwin: Navtwin, case: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    edit(case, old, new)
    lock = (case / "case.lock").read_bytes()
    ended = navtwin("case", "check", case, "--lock")
    assert ended.code in (1, 2)
    for word in words:
        assert word.lower() in (ended.out + ended.err).lower()
    assert "Traceback" not in ended.err
    assert (case / "case.lock").read_bytes() == lock, "a case with a fault is never locked"


def test_case_check_names_every_fault_at_once(navtwin: Navtwin, case: Path) -> None:
    edit(case, "danger_mm = 2.0", "danger_mm = 9.0")
    edit(case, "position_mm = [0.0, 0.0, 10.0]", "position_mm = [0.0, 900.0, 10.0]")
    (case / "surfaces" / "bone.ply").unlink()
    ended = navtwin("case", "check", case)
    assert ended.code == 1
    for word in ("danger 9 mm", "'c'", "bone.ply is missing"):
        assert word in ended.out


@pytest.mark.parametrize(("name", "behind"), [("scan.nii", b"n+1\0\0\0\0\0"), ("surfaces/canal.ply", b"end_header\n")])
def test_a_file_that_was_altered_after_locking(navtwin: Navtwin, case: Path, name: str, behind: bytes) -> None:
    """One bit of one voxel or of one vertex: nothing but the lock can tell."""
    raw = bytearray((case / name).read_bytes())
    raw[raw.index(behind) + len(behind)] ^= 1
    (case / name).write_bytes(raw)
    ended = navtwin("case", "show", case)
    assert ended.code == 2
    assert name in ended.refusal


@pytest.mark.parametrize("name", ["case.toml", "case.lock", "scan.nii", "surfaces/canal.ply"])
def test_a_file_that_is_missing(navtwin: Navtwin, case: Path, name: str) -> None:
    (case / name).unlink()
    ended = navtwin("case", "show", case)
    assert ended.code == 2
    assert name in ended.refusal


@pytest.mark.parametrize("content", [b"", b"ply\n", b"ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\nend_header\n", b"\xff" * 300])
def test_a_surface_that_is_none(navtwin: Navtwin, case: Path, content: bytes) -> None:
    (case / "surfaces" / "canal.ply").write_bytes(content)
    ended = navtwin("case", "show", case)
    assert ended.code == 2
    assert "canal" in ended.refusal


def test_two_builds_of_one_case_at_once(tmp_path: Path) -> None:
    """While one process builds, another builds the same and is done first: both get their case."""

    def make(target: Path) -> None:
        shutil.copytree(CASE, target, dirs_exist_ok=True)

    def make_late(target: Path) -> None:
        deliver(tmp_path / "theirs", "one-key", make)
        make(target)

    deliver(tmp_path / "ours", "one-key", make_late)
    for name in ("ours", "theirs"):
        assert load_scene(tmp_path / name).name == "golden balls"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing half-built stays behind"
