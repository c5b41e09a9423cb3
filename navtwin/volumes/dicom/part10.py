"""One DICOM file: its file meta information, and of its data set the elements that are asked for, up to the pixels.

DICOM PS3.10 section 7 (file format), PS3.5 section 10 and annex A (transfer syntaxes). The data set is parsed by pydicom from bytes that
have been read already, so that a length of 2 GB in a header can claim no more memory than the file has.
"""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from navtwin.errors import InputRefused
from navtwin.files.guard import reading

#: What other rooms read: segmentations (also as label maps) and structure sets.
LABELS: Final = {
    "1.2.840.10008.5.1.4.1.1.66.4": "segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "segmentation",
    "1.2.840.10008.5.1.4.1.1.481.3": "structure set",
}
DICOMDIR: Final = "1.2.840.10008.1.3.10"
#: CT, enhanced CT, legacy converted enhanced CT.
CT_CLASSES: Final = frozenset({"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"})

_PREAMBLE: Final = 128
_MAGIC: Final = b"DICM"
#: How much of a file is looked at for what precedes the pixels: nearly always the first is enough.
_HEADS: Final = (64 * 1024, 1024**2, 12 * 1024**2)
#: Items of sequences, each of which costs pydicom some 40 us: a thousand frames have some ten thousand.
_MOST_ITEMS: Final = 100_000
#: A deflated data set may not swell beyond this.
_MOST_INFLATED: Final = 512 * 1024**2
_LONG_VRS: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_FIRST_PIXEL_TAG: Final = 0x7FE00008
_COPY_AGAIN: Final = "copy or export it again"


@dataclass(frozen=True, slots=True)
class Syntax:
    """A transfer syntax (PS3.5 annex A)."""

    uid: str
    name: str
    implicit: bool = False
    little: bool = True
    deflated: bool = False
    packed: bool = False


_PACKED: Final = {
    "1.2.840.10008.1.2.5": "RLE",
    "1.2.840.10008.1.2.4.50": "JPEG baseline (lossy)",
    "1.2.840.10008.1.2.4.51": "JPEG extended (lossy)",
    "1.2.840.10008.1.2.4.57": "JPEG lossless",
    "1.2.840.10008.1.2.4.70": "JPEG lossless",
    "1.2.840.10008.1.2.4.80": "JPEG-LS lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS near-lossless (lossy)",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
}
IMPLICIT: Final = Syntax("1.2.840.10008.1.2", "uncompressed, implicit VR", implicit=True)
EXPLICIT: Final = Syntax("1.2.840.10008.1.2.1", "uncompressed")
SYNTAXES: Final = {
    one.uid: one
    for one in (
        IMPLICIT,
        EXPLICIT,
        Syntax("1.2.840.10008.1.2.2", "uncompressed, big endian", little=False),
        Syntax("1.2.840.10008.1.2.1.99", "deflated", deflated=True),
        *(Syntax(uid, name, packed=True) for uid, name in _PACKED.items()),
    )
}


@dataclass(frozen=True, slots=True)
class Part10:
    """A parsed DICOM file.

    Attributes
    ----------
    path : where it is
    sop_class : what kind of object it is; the file meta information speaks where the data set is silent
    syntax : how it is written
    dataset : pydicom data set of the elements that were asked for
    start : byte of the file at which the data set begins
    pixels_at : byte of the stream of `pixel_stream` at which the pixel data element begins; None without pixels
    size : bytes of that stream, or of the file where it is deflated
    """

    path: Path
    sop_class: str
    syntax: Syntax
    dataset: Any
    start: int
    pixels_at: int | None
    size: int


@dataclass(frozen=True, slots=True)
class _Meta:
    sop_class: str
    syntax: Syntax
    start: int


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins so is DICOM: by the mark at byte 128, or by a data set that begins at once with group 0008."""
    return head[_PREAMBLE : _PREAMBLE + 4] == _MAGIC or _is_bare(head)


def _is_bare(head: bytes) -> bool:
    """Old files have no preamble: the data set begins at byte 0 with the group's length or with a low element of group 0008."""
    if len(head) < 8 or head[:2] != b"\x08\x00" or head[3] != 0 or head[2] not in (0x00, 0x01, 0x05, 0x08, 0x12, 0x16):
        return False
    return head[4:6].isalpha() or int.from_bytes(head[4:8], "little") < 256


def sop_class(path: Path) -> str:
    """SOP class UID of a DICOM file; empty where it states none or is no readable DICOM. Never raises."""
    try:
        return read_part10(path, (0x00080016,)).sop_class
    except InputRefused:
        return ""


def read_part10(path: Path, tags: Sequence[int]) -> Part10:
    """The named elements of the data set that precede the pixels.

    Raises
    ------
    InputRefused : no DICOM, or damaged
    """
    with reading(path), path.open("rb") as stream:
        size = path.stat().st_size
        head = stream.read(_HEADS[0])
        if not is_dicom(head):
            raise InputRefused(f"{path} is not a DICOM file", "name a DICOM file or a folder of them")
        meta = _read_meta(head, path)
        for most in (_MOST_INFLATED,) if meta.syntax.deflated else _HEADS:
            head += stream.read(max(0, min(most, size) - len(head)))
            whole = len(head) >= size
            part = _parse(head, whole, path, meta, tags, size)
            if part is not None:
                return part
    raise InputRefused(f"{path} has more than {_HEADS[-1]} bytes before its pixels", _COPY_AGAIN)


def _parse(head: bytes, whole: bool, path: Path, meta: _Meta, tags: Sequence[int], size: int) -> Part10 | None:
    """None where more of the file has to be seen."""
    from pydicom.filereader import read_dataset

    view, start, syntax = head, meta.start, meta.syntax
    if syntax.deflated:
        view, start = _inflate(head[meta.start :], path, _HEADS[-1]), 0
    if view.count(b"\xfe\xff\x00\xe0" if syntax.little else b"\xff\xfe\xe0\x00") > _MOST_ITEMS:
        raise InputRefused(f"{path} holds more than {_MOST_ITEMS} items of sequences before its pixels", _COPY_AGAIN)
    stream = BytesIO(view)
    stream.seek(start)
    try:
        with quiet_pydicom():
            dataset = read_dataset(stream, syntax.implicit, syntax.little, stop_when=_at_pixels, specific_tags=list(tags))
    except Exception as error:  # pydicom meets a damaged file with whatever its parts raise
        if not whole:
            return None
        raise InputRefused(f"{path} is damaged: its data set cannot be parsed ({type(error).__name__})", _COPY_AGAIN) from error
    at = stream.tell()
    if whole and at > len(view):
        raise InputRefused(f"{path} is damaged: an element claims to end at byte {at} of {len(view)}", _COPY_AGAIN)
    has_pixels = view[at : at + 2] == (b"\xe0\x7f" if syntax.little else b"\x7f\xe0") and len(view) >= at + 12
    if not has_pixels and not whole and _may_hold_pixels(dataset):
        return None
    kind = _stated_class(dataset) or meta.sop_class
    return Part10(path, kind, syntax, dataset, meta.start, at if has_pixels else None, size)


def _may_hold_pixels(dataset: Any) -> bool:
    """Structure sets, reports and the like may be long; there is no need to see their end."""
    return _stated_class(dataset) in CT_CLASSES or (0x00080016 not in dataset and 0x00280010 not in dataset)


def _stated_class(dataset: Any) -> str:
    item = dataset.get_item(0x00080016)
    value = item.value if item is not None else None
    return value.decode("ascii", "replace").strip("\x00 ") if isinstance(value, bytes) else ""


def _at_pixels(tag: Any, vr: str | None, length: int) -> bool:
    return int.__ge__(tag, _FIRST_PIXEL_TAG)  # the comparisons of pydicom's own tag type cost a third of the parse


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """pydicom warns and logs every oddity in a file; what matters here is checked and refused by name."""
    log = logging.getLogger("pydicom")
    was_silent = log.disabled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.disabled = True
        try:
            yield
        finally:
            log.disabled = was_silent


def _read_meta(head: bytes, path: Path) -> _Meta:
    """File meta information: always explicit VR, little endian (PS3.10 section 7.1)."""
    if head[_PREAMBLE : _PREAMBLE + 4] != _MAGIC:
        bare = EXPLICIT if head[4:6].isalpha() else IMPLICIT
        return _Meta("", bare, 0)
    at, found = _PREAMBLE + 4, {}
    while head[at : at + 2] == b"\x02\x00":
        element, vr = int.from_bytes(head[at + 2 : at + 4], "little"), head[at + 4 : at + 6]
        long = vr in _LONG_VRS
        length = int.from_bytes(head[at + 8 : at + 12] if long else head[at + 6 : at + 8], "little")
        at += 12 if long else 8
        if at + length > len(head):
            raise InputRefused(f"{path} is damaged: its file meta information claims {length} bytes", _COPY_AGAIN)
        found[element] = head[at : at + length].decode("ascii", "replace").strip("\x00 ")
        at += length
    uid = found.get(0x0010, "")
    # All that are not known here (videos, new codecs) are packed and explicit in what precedes the pixels (PS3.5 annex A.4).
    return _Meta(found.get(0x0002, ""), SYNTAXES.get(uid) or Syntax(uid, f"transfer syntax {uid or 'of no name'}", packed=True), at)


def _inflate(data: bytes, path: Path, most: int) -> bytes:
    """PS3.5 annex A.5: a raw deflate stream (RFC 1951), cut off at `most` bytes."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most)
    except zlib.error as error:
        raise InputRefused(f"{path} is damaged: it cannot be inflated ({error})", _COPY_AGAIN) from error


@contextmanager
def pixel_stream(path: Path, syntax: Syntax, start: int) -> Iterator[BinaryIO]:
    """The bytes that `Part10.pixels_at` counts in: the file itself, or its inflated data set."""
    with reading(path), path.open("rb") as stream:
        if not syntax.deflated:
            yield stream
            return
        stream.seek(start)
        yield BytesIO(_inflate(stream.read(min(_MOST_INFLATED, path.stat().st_size)), path, _MOST_INFLATED))


def element_value(head: bytes, syntax: Syntax) -> tuple[int, int | None]:
    """(bytes before the value, length of the value or None where undefined) of the element that begins with `head`."""
    order = "<" if syntax.little else ">"
    if head[4:6] in _LONG_VRS:
        offset, length = 12, struct.unpack_from(order + "I", head, 8)[0]
    else:
        offset, length = 8, struct.unpack_from(order + "I", head, 4)[0]
    return offset, None if length == 0xFFFFFFFF else length
