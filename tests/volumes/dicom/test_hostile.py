"""Damaged, lying and hostile files: refused with our own error, without memory or time for what they claim."""

from __future__ import annotations

import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.files import archive
from navtwin.files.archive import first_members, is_archive, unpacked
from navtwin.files.door import peek
from navtwin.volumes.dicom import unpack
from navtwin.volumes.dicom.formats import FORMATS
from navtwin.volumes.dicom.part10 import sop_class
from navtwin.volumes.dicom.read import list_series, open_ct, read_dicom
from tests.volumes.dicom.made import CORNER_MM, STEP_MM, enhanced, random_hu, series, write, write_slices

MUTATION = st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def samples() -> Iterator[dict[str, Path]]:
    """A classic slice, an enhanced file, and slices in each way of packing: written once, read only."""
    with TemporaryDirectory() as name:
        root = Path(name)
        places = CORNER_MM + np.arange(3)[:, None] * (0, 0, STEP_MM)
        root.joinpath("enhanced").mkdir()
        write(root / "enhanced" / "000", enhanced(random_hu(3), places))
        made = {"enhanced": root / "enhanced"}
        for name_, syntax in (
            ("explicit", pydicom.uid.ExplicitVRLittleEndian),
            ("implicit", pydicom.uid.ImplicitVRLittleEndian),
            ("deflated", pydicom.uid.DeflatedExplicitVRLittleEndian),
            ("rle", pydicom.uid.RLELossless),
            ("jpeg", pydicom.uid.JPEGLosslessSV1),
            ("jpeg-ls", pydicom.uid.JPEGLSLossless),
            ("jpeg2000", pydicom.uid.JPEG2000Lossless),
        ):
            made[name_] = write_slices(root / name_, series(3, hu=random_hu(3)), syntax)
        yield made


def _mutated(folder: Path, sample: Path, changes: list[tuple[int, int]], cut: int | None, start: int = 0) -> Path:
    for file in sample.iterdir():
        data = bytearray(file.read_bytes())
        if file.name == "000":
            for at, value in changes:
                data[start + at % (len(data) - start)] = value
            del data[len(data) if cut is None else start + cut % (len(data) - start) :]
        (folder / file.name).write_bytes(data)
    return folder


@pytest.mark.parametrize("kind", ("explicit", "implicit", "enhanced", "deflated"))
@settings(max_examples=25, deadline=None)
@given(changes=MUTATION, cut=st.none() | st.integers(0, 2**20))
def test_mutated_headers_are_read_or_refused(samples: dict[str, Path], kind: str, changes: list[tuple[int, int]], cut: int | None) -> None:
    with TemporaryDirectory() as name:
        folder = _mutated(Path(name), samples[kind], changes, cut, start=128)
        FORMATS[0].recognise(peek(folder / "000"))
        sop_class(folder / "000")
        for mend in (False, True):
            try:
                list_series(folder)
                assert open_ct(folder, mend=mend).volume.hu.ndim == 3
            except NavtwinError:
                pass  # the only other thing that may happen


@pytest.mark.parametrize("kind", ("rle", "jpeg", "jpeg-ls", "jpeg2000"))
@settings(max_examples=6, deadline=None)
@given(changes=MUTATION, cut=st.none() | st.integers(0, 2**20))
def test_mutated_pictures_break_nothing_but_their_decoder(
    samples: dict[str, Path], kind: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    """GDCM ends the process on some of these."""
    at = (samples[kind] / "000").read_bytes().index(b"\xe0\x7f\x10\x00")
    with TemporaryDirectory() as name:
        folder = _mutated(Path(name), samples[kind], changes, cut, start=at)
        with suppress(NavtwinError):  # the only other thing that may happen
            assert read_dicom(folder).hu.shape == (3, 10, 12)


def test_a_length_of_2_gb_claims_no_memory(tmp_path: Path) -> None:
    """In an element before the pixels, in the pixels, in a fragment, in the file meta information."""
    folder = write_slices(tmp_path, series(3))
    whole = (folder / "001").read_bytes()
    packed = write(tmp_path / "packed", series(1)[0], pydicom.uid.RLELossless).read_bytes()
    (tmp_path / "packed").unlink()
    huge = struct.pack("<I", 2**31)
    description = whole.index(b"\x08\x00\x3e\x10LO")
    pixels, fragment = whole.index(b"\xe0\x7f\x10\x00OW"), packed.index(b"\xfe\xff\x00\xe0", packed.index(b"\xe0\x7f\x10\x00OB")) + 8
    meta = whole.index(b"\x02\x00\x01\x00OB")
    forged = (
        whole[: description + 4] + b"UN\x00\x00" + huge + whole[description + 8 :],
        whole[: pixels + 8] + huge + whole[pixels + 12 :],
        packed[: fragment + 4] + huge + packed[fragment + 8 :],
        whole[: meta + 8] + huge + whole[meta + 12 :],
    )
    for data in forged:
        (folder / "001").write_bytes(data)
        tracemalloc.start()
        try:
            with pytest.raises(InputRefused, match="001"):
                read_dicom(folder)
            assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
        finally:
            tracemalloc.stop()


def test_a_picture_that_differs_from_its_header_is_refused(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(3), pydicom.uid.JPEG2000Lossless)
    ds = pydicom.dcmread(folder / "001")
    ds.Rows, ds.Columns = 12, 10
    ds.save_as(folder / "001")
    for file in ("000", "002"):
        (folder / file).unlink()
    write(folder / "002", ds)
    with pytest.raises(InputRefused):
        read_dicom(folder)


def test_a_deflated_bomb_is_refused(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(2), pydicom.uid.DeflatedExplicitVRLittleEndian)
    data = (folder / "001").read_bytes()
    start = data.index(b"\x02\x00\x10\x00UI") + 8 + 22
    squeeze = zlib.compressobj(wbits=-15)
    element = b"\x09\x00\x01\x10UN\x00\x00" + struct.pack("<I", 100 * 1024**2)
    bomb = squeeze.compress(element) + b"".join(squeeze.compress(bytes(1024**2)) for _ in range(100)) + squeeze.flush()
    (folder / "001").write_bytes(data[:start] + bomb)
    tracemalloc.start()
    try:
        with pytest.raises(InputRefused):
            read_dicom(folder)
        assert tracemalloc.get_traced_memory()[1] < 80 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_syntax_that_is_not_known_is_named(tmp_path: Path) -> None:
    folder = write_slices(tmp_path, series(2))
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes().replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840.10008.1.2.7\x00"))
    with pytest.raises(InputRefused, match=r"transfer syntax 1.2.840.10008.1.2.7, which cannot be read"):
        read_dicom(folder)


def test_a_decoder_that_does_not_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_slices(tmp_path, series(2), pydicom.uid.RLELossless)
    monkeypatch.setattr(sys, "executable", "/bin/false" if os.name == "posix" else sys.executable + "x")
    with pytest.raises(NavtwinError, match="decoder of compressed pictures does not start"):
        read_dicom(folder)


def _archives(folder: Path, root: Path) -> list[Path]:
    made = []
    with zipfile.ZipFile(root / "a", "w", zipfile.ZIP_DEFLATED) as packed:
        for file in folder.iterdir():
            packed.write(file, f"deep/{file.name}")
    made.append(root / "a")
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        path = root / mode.replace(":", "-")
        with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
            tar.add(folder, "study")
        made.append(path)
    return made


def test_archives_are_read_as_the_folder_they_hold(tmp_path: Path) -> None:
    hu = random_hu(3)
    folder = write_slices(tmp_path / "study", series(3, hu=hu))
    for path in _archives(folder, tmp_path):
        assert FORMATS[0].recognise(peek(path)), path.name
        np.testing.assert_array_equal(read_dicom(path).hu, hu)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 3])
        with pytest.raises(NavtwinError, match=path.name):
            read_dicom(path)


def test_an_archive_vanishes_again_and_others_are_none(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w") as tar:
        tar.addfile(tarfile.TarInfo("x/y"), io.BytesIO())
    with unpacked(tmp_path / "a") as folder:
        assert (folder / "x" / "y").is_file()
    assert not folder.exists()
    for data in (b"", b"PK", b"\xfd7zXZ\x00" + b"damaged", lzma.compress(b"no tar"), b"\x1f\x8b"):
        (tmp_path / "b").write_bytes(data)
        assert not is_archive(tmp_path / "b")
    assert first_members(tmp_path / "b", 3, 10) == []


@pytest.mark.parametrize("name", ("../out", "/out", "a/../../out", "..\\out", "C:\\out", "C:out"))
@pytest.mark.parametrize("kind", ("zip", "tar"))
def test_no_member_leaves_the_folder(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / "archive"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr(name, b"x")
    else:
        with tarfile.open(path, "w") as tar:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(InputRefused, match="outside the folder"), unpacked(path):
        pass


@pytest.mark.parametrize("kind", (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE))
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("x")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "a", "w") as tar:
        tar.addfile(member)
    with pytest.raises(InputRefused, match="'x', which is a link or a device"), unpacked(tmp_path / "a"):
        pass
    info = zipfile.ZipInfo("x")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "b", "w") as packed:
        packed.writestr(info, "/etc/passwd")
    with pytest.raises(InputRefused, match="link"), unpacked(tmp_path / "b"):
        pass


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_HARMLESS", 5 * 1024**2)
    monkeypatch.setattr(archive, "MOST_MEMBERS", 50)
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x", bytes(11 * 1024**2))
    (tmp_path / "b").write_bytes(_tar_of(bytes(11 * 1024**2)))
    for name in "ab":
        with pytest.raises(InputRefused, match="swells"), unpacked(tmp_path / name):
            pass
    with zipfile.ZipFile(tmp_path / "c", "w") as packed:
        for n in range(60):
            packed.writestr(str(n), b"")
    with pytest.raises(InputRefused, match="more than 50 members"), unpacked(tmp_path / "c"):
        pass


def test_a_tar_header_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, 2**33
    (tmp_path / "a").write_bytes(lzma.compress(member.tobuf() + bytes(4096)))
    with pytest.raises(InputRefused, match="damaged archive"), unpacked(tmp_path / "a"):
        pass


def _tar_of(data: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:xz", preset=0) as tar:
        member = tarfile.TarInfo("x")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return sink.getvalue()


def test_the_formats_module_loads_nothing_heavy() -> None:
    code = "import sys, navtwin.volumes.dicom.formats; print({'pydicom', 'gdcm', 'lzma', 'navtwin.volumes.volume'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_millions_of_empty_items_take_no_time(tmp_path: Path) -> None:
    """They would keep pydicom busy for a minute."""
    folder = write_slices(tmp_path, series(2))
    data = (folder / "001").read_bytes()
    at = data.index(b"\x20\x00\x0d\x00UI")
    flood = struct.pack("<HH2sHI", 0x18, 0x9346, b"SQ", 0, 2**32 - 1) + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 200_000
    (folder / "001").write_bytes(data[:at] + flood + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) + data[at:])
    with pytest.raises(InputRefused, match="001 holds more than 100000 items"):
        read_dicom(folder)


@pytest.mark.parametrize(
    "script", ("import time; time.sleep(60)", "import os; os.abort()", "out.write(b'\\x00\\x00\\x00\\x80'); out.flush(); time.sleep(60)")
)
def test_a_decoder_that_hangs_dies_or_lies_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    folder = write_slices(tmp_path / "ct", series(2), pydicom.uid.RLELossless)
    (tmp_path / "unpacker.py").write_text(
        f"import sys, time; out = sys.stdout.buffer; out.write(b'R'); out.flush(); sys.stdin.buffer.read(80); {script}"
    )
    monkeypatch.setattr(unpack, "__file__", str(tmp_path / "unpack.py"))
    monkeypatch.setattr(unpack, "_MOST_S", 0.3)
    with pytest.raises(InputRefused, match=r"00[01] cannot be decoded"):
        read_dicom(folder)
