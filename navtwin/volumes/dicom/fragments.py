"""Compressed pixels as they lie in a file: fragments, put together to one stream of bytes for each frame (PS3.5 annex A.4)."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import BinaryIO, Final, NamedTuple

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.frames import Layout
from navtwin.volumes.dicom.part10 import element_value

_ITEM: Final = (0xFFFE, 0xE000)
_END: Final = (0xFFFE, 0xE0DD)
_COPY_AGAIN: Final = "copy or export it again"


class Fragment(NamedTuple):
    """Where a fragment's bytes lie in the file, and how far its item is from the first item (what offset tables count)."""

    at: int
    length: int
    offset: int


def frame_fragments(stream: BinaryIO, layout: Layout) -> list[list[Fragment]]:
    """The fragments of each frame.

    Raises
    ------
    InputRefused : fragments that end beyond the file, or that cannot be told apart by frame
    """
    table, found = _fragments(stream, layout)
    if layout.frames == 1:
        return [found]
    if len(found) == layout.frames:
        return [[one] for one in found]
    starts = _starts(layout.offsets, "<Q") or _starts(table, "<I")
    offsets = [one.offset for one in found]
    if len(starts) != layout.frames or sorted(set(starts)) != starts or not set(starts) <= set(offsets) or starts[0] != 0:
        raise InputRefused(f"{layout.path} holds {len(found)} pieces of {layout.frames} frames and does not say which belong together",
                           "export it uncompressed")  # fmt: skip
    bounds = [offsets.index(start) for start in starts] + [len(found)]
    return [found[a:b] for a, b in pairwise(bounds)]


def read_fragments(stream: BinaryIO, fragments: list[Fragment]) -> bytes:
    parts = []
    for one in fragments:
        stream.seek(one.at)
        parts.append(stream.read(one.length))
    return b"".join(parts)


def _starts(table: bytes, code: str) -> list[int]:
    return [start for (start,) in struct.iter_unpack(code, table)] if table and len(table) % struct.calcsize(code) == 0 else []


def _fragments(stream: BinaryIO, layout: Layout) -> tuple[bytes, list[Fragment]]:
    """The basic offset table and the fragments behind it."""
    cut = InputRefused(f"{layout.path} is cut or damaged in its compressed pixels", _COPY_AGAIN)
    stream.seek(layout.pixels_at)
    skip, length = element_value(stream.read(12), layout.syntax)
    if length is not None:
        raise InputRefused(f"{layout.path} says {layout.syntax.name} and holds plain pixels", _COPY_AGAIN)
    at, items = layout.pixels_at + skip, []
    while True:
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            raise cut
        group, element, length = struct.unpack("<HHI", head)
        if (group, element) == _END:
            break
        if (group, element) != _ITEM or at + 8 + length > layout.size:
            raise cut
        items.append((at + 8, length))
        at += 8 + length
    if len(items) < 2:
        raise cut
    (table_at, table_length), *rest = items
    stream.seek(table_at)
    first = rest[0][0]
    return stream.read(table_length), [Fragment(place, length, place - first) for place, length in rest]
