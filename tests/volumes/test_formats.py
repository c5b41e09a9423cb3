"""Which files the door takes for volumes, and what it says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from navtwin.errors import InputRefused
from navtwin.files import door
from navtwin.files.door import peek
from navtwin.files.formats import Format, Options
from navtwin.files.guard import is_packed
from navtwin.volumes.formats import FORMATS
from navtwin.volumes.labels_guess import looks_like_labels
from navtwin.volumes.read import read_ct
from navtwin.volumes.volume import Volume, placed
from navtwin.volumes.write import write_metaimage, write_nifti, write_nrrd
from tests.volumes.made import SHARED, oblique, volume
from tests.volumes.test_metaimage import save as save_metaimage
from tests.volumes.test_nrrd import save as save_nrrd

RNG = np.random.default_rng(5)
PATCHES = np.repeat(np.repeat(np.repeat(np.arange(8 * 6 * 7).reshape(8, 6, 7) % 300, 4, 0), 4, 1), 4, 2)


def takers(path: Path) -> list[Format]:
    seen = peek(path)
    return [one for one in FORMATS if one.recognise(seen)]


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_nifti, "NIfTI volume"), (write_nrrd, "NRRD volume"), (write_metaimage, "MetaImage volume")],
)
def test_a_scan_is_known_by_its_content(write: Callable[[Volume, Path], None], name: str, tmp_path: Path) -> None:
    path = tmp_path / "renamed.stl"
    write(volume(oblique(left_handed=True)), path)
    (taker,) = takers(path)
    assert taker.name == name
    told = taker.inspect(path, Options())
    facts = dict(told.facts)
    assert told.kind == name
    assert facts["axes"] == "i to left, j to posterior, k to inferior; turned by up to 22.4 deg (left-handed)"
    assert facts["voxels"] == "7 x 6 x 5"
    assert facts["voxel sides"] == "0.5 x 0.75 x 2 mm"
    assert facts["extent"] == "3.5 x 4.5 x 10 mm"
    assert facts["values"] == "-100 to 149"
    assert not any("unit" in doubt for doubt in told.doubts)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.zeros((8, 8, 8), np.uint8), True),
        (RNG.integers(0, 5, (8, 8, 8)).astype(np.int16), True),
        (RNG.integers(0, 5, (8, 8, 8)).astype(np.float32), True),
        (PATCHES.astype(np.uint16), True),
        (RNG.integers(-5, 5, (8, 8, 8)).astype(np.int16), False),
        (RNG.random((8, 8, 8)).astype(np.float32), False),
        (np.full((8, 8, 8), np.nan, np.float32), False),
        (RNG.integers(0, 4096, (24, 24, 24)).astype(np.uint16), False),
        (np.arange(20**3).reshape(20, 20, 20).astype(np.uint16), False),
    ],
)
def test_labels_are_told_from_a_scan(values: npt.NDArray[np.generic], labels: bool, tmp_path: Path) -> None:
    for write, ending in ((write_nifti, ".nii.gz"), (write_nrrd, ".nrrd"), (write_metaimage, ".mha")):
        path = tmp_path / f"v{ending}"
        write(placed(values.copy(), oblique(), path), path)
        assert looks_like_labels(path) is labels
        assert len(takers(path)) == (0 if labels else 1)


def test_labels_need_no_place_to_be_known(tmp_path: Path) -> None:
    values = np.ones((5, 6, 7), "<i2")
    assert looks_like_labels(save_nrrd(tmp_path / "v.nrrd", values.tobytes(), space=None))
    assert looks_like_labels(save_metaimage(tmp_path / "v.mha", values.tobytes(), TransformMatrix=None))
    assert not looks_like_labels(tmp_path / "missing.nii")
    assert not looks_like_labels(tmp_path)


def test_a_file_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "v.nrrd"
    assert not looks_like_labels(save_nrrd(path))
    assert looks_like_labels(save_nrrd(path, bytes(420 + 2)))


def test_what_others_read_is_left_to_them(tmp_path: Path) -> None:
    for other in (
        save_nrrd(tmp_path / "a.nrrd", content="x\nSeq_Frame0000_Timestamp:=1"),
        save_nrrd(tmp_path / "b.seg.nrrd", content="x\nSegment0_ID:=Segment_1"),
        save_metaimage(tmp_path / "c.mha", Seq_Frame0000_Timestamp="1"),
    ):
        assert takers(other) == []


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    for n, content in enumerate([b"", b"NRRD", b"solid x", b"ElementDataFile", b"NDims = 3\nElementDataFile = LOCAL\n", bytes(1000), b"n+1\0" * 200]):
        path = tmp_path / str(n)
        path.write_bytes(content)
        assert takers(path) == []
    assert takers(tmp_path) == []


def test_what_is_doubtful_is_said(tmp_path: Path) -> None:
    path = tmp_path / "v.mha"
    write_metaimage(placed(RNG.integers(0, 4096, (24, 24, 24)).astype(np.uint16), oblique(), path), path)
    doubts = takers(path)[0].inspect(path, Options()).doubts
    assert any("No value is below 0" in doubt for doubt in doubts)
    assert any("LPS is taken" in doubt for doubt in doubts)


def test_inspect_takes_the_axes_that_are_told(tmp_path: Path) -> None:
    path = save_nrrd(tmp_path / "v.nrrd", space=None)
    (taker,) = takers(path)
    with pytest.raises(InputRefused, match="--space"):
        taker.inspect(path, Options())
    assert dict(taker.inspect(path, Options(space="RAS")).facts)["axes"] == "i to right, j to anterior, k to superior (right-handed)"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ct/chest_labelled/cxr.nii.gz", "NIfTI volume"),
        ("ct/chest_labelled/mask.nii.gz", None),
        ("ct/totalseg_sample/example_ct.nii.gz", "NIfTI volume"),
        ("ct/totalseg_sample/example_seg_dicom.nii.gz", None),
        ("ct/totalseg_sample/example_seg_fast_force_split.nii.gz", None),
        ("anatomy/head_neck_atlas/HN-Atlas-labels.nrrd", None),
        ("tracking/plus/NwirePhantomFreehand.igs.nrrd", None),
        ("tracking/plus/NwirePhantomFreehand.igs.mha", None),
        ("tracking/plus/8700248.stl", None),
    ],
)
def test_real_files(name: str, kind: str | None) -> None:
    path = SHARED / name
    if not path.is_file():
        pytest.skip("no shared data here")
    assert [one.name for one in takers(path)] == ([kind] if kind else [])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".NII.GZ", ".nrrd", ".mha"])
def test_the_volume_of_a_case_goes_out_as_it_is(ending: str, tmp_path: Path) -> None:
    ct = tmp_path / "ct.nii"
    write_nifti(volume(), ct)
    door.bring(ct, tmp_path / "case", Options(), lambda text: None)
    said = door.write(tmp_path / "case", tmp_path / f"out{ending}", Options(), lambda text: None)
    assert "CT of 'case': 7 x 6 x 5 voxels, int16" in said[0]
    written, ours = read_ct(tmp_path / f"out{ending}"), read_ct(ct)
    np.testing.assert_array_equal(written.hu, ours.hu)
    np.testing.assert_allclose(written.T_ct_from_ijk, ours.T_ct_from_ijk, atol=1e-12)
    assert is_packed(tmp_path / f"out{ending}") is ending.lower().endswith(".gz")
