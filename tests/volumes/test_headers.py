"""Header lines are kept as they are, in order, and the data begin where the header ends."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.files import header_text, metaimage, nrrd

WHAT = Path("made-up")
MHA = b"ObjectType = Image\nDimSize = 4 4 2   \nSeq_Frame0000_Transform =1 0 = 0\nElementDataFile = LOCAL\n"
NRRD = b"NRRD0004\n# comment: not a field\nType: short\nsizes:2 3 4\nSeq_Frame0000_Name:=a\\nb\\\\n\nDICOM_(0008:0060):=CT\n\n"


def test_metaimage_lines_in_order() -> None:
    header = metaimage.read_header(MHA + b"\n\x00\xff = data", WHAT)
    assert header.fields == (
        ("ObjectType", "Image"),
        ("DimSize", "4 4 2"),
        ("Seq_Frame0000_Transform", "1 0 = 0"),
        ("ElementDataFile", "LOCAL"),
    )
    assert header.data_offset == len(MHA)


def test_nrrd_fields_and_keys_in_order() -> None:
    header = nrrd.read_header(NRRD + b"\n\n\x00\xff: data", WHAT)
    assert header.fields == (("type", "short"), ("sizes", "2 3 4"))
    assert header.keys == (("Seq_Frame0000_Name", "a\nb\\n"), ("DICOM_(0008:0060)", "CT"))
    assert header.data_offset == len(NRRD)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\n\n", b"\r\n", b"\r\n\r\n"])
def test_a_detached_header_may_end_anywhere(ending: bytes) -> None:
    lines = b"NRRD0005\ntype: short\ndata file: x.raw".replace(b"\n", b"\r\n" if b"\r" in ending else b"\n") + ending
    header = nrrd.read_header(lines, WHAT)
    assert header.value("data file", "datafile") == "x.raw"
    assert header.data_offset == len(lines)
    last = b"NDims = 3\nElementDataFile = x.raw" + ending
    assert metaimage.read_header(last, WHAT).value("ElementDataFile") == "x.raw"


@given(size=st.integers(1, 40), split=st.integers(1, 200))
def test_where_a_stream_is_cut_into_chunks_changes_nothing(size: int, split: int) -> None:
    class Dripping(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            return super().read(size)

    for module, raw in ((metaimage, MHA), (nrrd, NRRD)):
        whole = raw + bytes(split)
        assert module.read_header(Dripping(whole), WHAT) == module.read_header(whole, WHAT)


def test_one_endless_line_is_searched_once() -> None:
    """Counted in bytes that the search saw, not in seconds."""

    class Counting:
        seen = 0

        def search(self, raw: bytearray, start: int) -> None:
            self.seen += len(raw) - start

    ending = Counting()
    assert header_text.read_until(io.BytesIO(b"x" * (16 << 20)), ending, 64 << 20) is None  # type: ignore[arg-type]
    assert ending.seen < 32 << 20


def test_a_header_without_end_is_refused_before_it_fills_the_memory() -> None:
    class Endless(io.RawIOBase):
        served = 0

        def read(self, count: int = -1) -> bytes:
            self.served += count
            return b"A = 1\n" * (count // 6)

    endless = Endless()
    for module in (metaimage, nrrd):
        with pytest.raises(InputRefused, match=r"no .* header"):
            module.read_header(endless, WHAT, most=1 << 20)
    assert endless.served < 4 << 20


@pytest.mark.parametrize("raw", [b"", b"NRRD0009\ntype: short\n\n", b"NRRD0004\nno colon here\n\n", b"P5\n\n"])
def test_what_is_no_nrrd(raw: bytes) -> None:
    with pytest.raises(InputRefused, match="made-up"):
        nrrd.read_header(raw, WHAT)


@pytest.mark.parametrize("raw", [b"", b"ObjectType = Image\n", b"no equals sign\nElementDataFile = LOCAL\n"])
def test_what_is_no_metaimage(raw: bytes) -> None:
    with pytest.raises(InputRefused, match="made-up"):
        metaimage.read_header(raw, WHAT)


def test_a_line_that_is_there_twice() -> None:
    header = nrrd.read_header(b"NRRD0004\nspace: LPS\nspace: LPS\nendian: little\nendian: big\n\n", WHAT)
    assert header.value("space") == "LPS"
    assert header.value("kinds") is None
    with pytest.raises(InputRefused, match="states endian twice"):
        header.value("endian")


@pytest.mark.parametrize("name", ["../x.raw", "a/../../x.raw", "/etc/passwd", "..\\x.raw", "C:x.raw", "", "a\0b"])
def test_a_data_file_stays_in_the_folder(name: str) -> None:
    with pytest.raises(InputRefused, match="not in its folder"):
        header_text.data_file(Path("folder/x.mhd"), name)
    assert header_text.data_file(Path("folder/x.mhd"), "x.raw") == Path("folder/x.raw")


@given(raw=st.binary(max_size=300))
def test_noise_is_refused_in_our_own_words(raw: bytes) -> None:
    for module, first in ((metaimage, b"NDims = 3\n"), (nrrd, b"NRRD0004\n")):
        try:
            header = module.read_header(first + raw, WHAT)
        except NavtwinError:
            continue
        assert header.data_offset <= len(first + raw)


@pytest.mark.parametrize("text", ["", "1 2 three", "1.5", "9" * 19, "1 " * 17])
def test_whole_numbers_are_few_and_whole(text: str) -> None:
    with pytest.raises(InputRefused, match="made-up: sizes is"):
        header_text.whole_numbers(text, "sizes", WHAT)
    assert header_text.whole_numbers(" 7  -6 +5 ", "sizes", WHAT) == (7, -6, 5)
