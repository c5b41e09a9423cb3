"""Files that lie, swell or were changed: our own refusal, soon, and in little memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.files.door import peek
from navtwin.files.formats import Options
from navtwin.volumes.formats import FORMATS
from navtwin.volumes.labels_guess import looks_like_labels
from navtwin.volumes.read import read_box, read_ct, read_label_volume
from navtwin.volumes.write import write_metaimage, write_nifti, write_nrrd
from tests.volumes.made import volume
from tests.volumes.test_metaimage import save as save_metaimage
from tests.volumes.test_nifti import save as save_nifti
from tests.volumes.test_nrrd import save as save_nrrd

WRITERS = {".nii": write_nifti, ".nii.gz": write_nifti, ".nrrd": write_nrrd, ".mha": write_metaimage}


@pytest.mark.parametrize("ending", [*WRITERS, "raw.nrrd", "raw.mha"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_never_breaks_out(ending: str, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / f"v{ending}"
    if ending in WRITERS:
        WRITERS[ending](volume(), path)
    else:
        (save_nrrd if ending == "raw.nrrd" else save_metaimage)(path)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Mostly in the header, which is what is believed.
        at = data.draw(st.integers(0, min(len(raw), 600) - 1) | st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) - 1, len(raw) // 2]))])
    looks_like_labels(path)
    for read in (read_ct, read_label_volume, read_box):
        try:
            read(path)
        except NavtwinError as refused:
            assert refused.remedy or "dicom" in str(refused).lower()
    try:
        seen = peek(path)
    except NavtwinError:
        return
    for one in FORMATS:
        if one.recognise(seen):
            with suppress(NavtwinError):
                one.inspect(path, Options())


@pytest.mark.parametrize("form", ["nifti", "nrrd", "metaimage"])
def test_a_claim_that_nothing_follows_costs_nothing(form: str, tmp_path: Path) -> None:
    path = tmp_path / "v"
    if form == "nifti":
        raw = bytearray(save_nifti(tmp_path / "v.nii").read_bytes())
        raw[42:48] = np.array([1200, 1200, 1000], "<i2").tobytes()
        path.write_bytes(gzip.compress(bytes(raw)))
    elif form == "nrrd":
        save_nrrd(path, gzip.compress(bytes(420)), sizes="1200 1200 1000", encoding="gzip")
    else:
        save_metaimage(path, zlib.compress(bytes(420)), DimSize="1200 1200 1000", CompressedData="True")
    tracemalloc.start()
    try:
        with pytest.raises(InputRefused, match="cut or damaged"):
            read_ct(path)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", ["nifti", "nrrd", "metaimage"])
def test_an_archive_that_swells_is_left_where_the_voxels_end(form: str, tmp_path: Path) -> None:
    """A hundred megabytes behind the voxels; a reader that unpacked all of it would hold them."""
    path, bomb = tmp_path / "v", bytes(100 << 20)
    values = volume().hu.tobytes()
    if form == "nifti":
        path.write_bytes(gzip.compress(save_nifti(tmp_path / "v.nii").read_bytes() + bomb, compresslevel=1))
    elif form == "nrrd":
        save_nrrd(path, gzip.compress(values + bomb, compresslevel=1), encoding="gzip")
    else:
        save_metaimage(path, zlib.compress(values + bomb, 1), CompressedData="True")
    tracemalloc.start()
    try:
        with pytest.raises(InputRefused, match="holds much more than"):
            read_ct(path)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_bytes_to_be_skipped_are_not_kept(tmp_path: Path) -> None:
    path = save_nrrd(tmp_path / "v", gzip.compress(bytes(64 << 20) + volume().hu.tobytes(), compresslevel=1), encoding="gzip", byteskip=str(64 << 20))
    tracemalloc.start()
    try:
        np.testing.assert_array_equal(read_ct(path).hu, volume().hu)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_more_than_any_scan(tmp_path: Path) -> None:
    for path in (save_nrrd(tmp_path / "a", sizes=f"{10**17} {10**17} {10**17}"), save_metaimage(tmp_path / "b", DimSize="99999 99999 99999")):
        with pytest.raises(InputRefused, match="claims"):
            read_ct(path)
