"""The arrays of a VTK XML file: text, base64 or appended, each plain or in blocks of zlib."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.meshes.raw import MOST_BYTES, cut, numbers

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Values = npt.NDArray[np.generic]

_DAMAGED = "the file is damaged: export the mesh again"
_TYPES = {"Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4", "Int64": "i8", "UInt64": "u8",
          "Float32": "f4", "Float64": "f8"}  # fmt: skip
#: zlib packs nothing tighter than 1032 to 1.
_TIGHTEST = 1032
_SPACES = re.compile(rb"\s+")


@dataclass(frozen=True)
class Coding:
    """How the arrays of one file are stored.

    Attributes
    ----------
    order : "<" or ">"
    header : type of the lengths before each array
    is_packed : arrays are blocks of zlib
    appended : what stands behind the XML
    is_base64 : the appended part is text
    """

    path: Path
    order: str
    header: np.dtype[np.unsignedinteger[npt.NBitBase]]
    is_packed: bool
    appended: bytes
    is_base64: bool

    def values(self, array: Element, count: int | None, what: str, kind: str | None = None) -> Values:
        """The numbers of an array, `count` of them where that is known; `kind` where the array does not say its own.

        Raises
        ------
        InputRefused : another number of them, an unknown type or encoding, or damage
        """
        kind = kind or array.get("type") or ""
        if kind not in _TYPES:
            raise InputRefused(f"{self.path} has {what} of type {kind[:40]!r}, which is not known", "export the mesh again")
        stored, way = np.dtype(self.order + _TYPES[kind]), array.get("format") or "ascii"
        if way == "ascii":
            return numbers(array.text or "", "f" if stored.kind == "f" else "i", count, self.path, what)
        if way == "binary":
            content = self._inline((array.text or "").encode("latin-1", "replace"))
        elif way == "appended":
            content = self._at(array.get("offset") or "")
        else:
            raise InputRefused(f"{self.path} has {what} of format {way[:40]!r}", "export the mesh again")
        if len(content) % stored.itemsize or (count is not None and len(content) != count * stored.itemsize):
            raise InputRefused(
                f"{self.path} has {len(content)} bytes of {what} where {(count or 0) * stored.itemsize} should be", "the file is cut or damaged"
            )
        return np.frombuffer(content, stored)

    def _inline(self, text: bytes) -> bytes:
        return self._decoded(_SPACES.sub(b"", text), 0)

    def _at(self, offset: str) -> bytes:
        if not re.fullmatch(r"\s*[0-9]{1,18}\s*", offset) or int(offset) > len(self.appended):
            raise InputRefused(f"{self.path} has an array at {offset[:40]!r} of {len(self.appended)} appended bytes", "the file is cut or damaged")
        return self._decoded(self.appended, int(offset)) if self.is_base64 else self._raw(self.appended, int(offset))

    def _raw(self, data: bytes, at: int) -> bytes:
        if not self.is_packed:
            (size,) = self._lengths(data[at : at + self.header.itemsize], 1)
            return self._piece(data, at + self.header.itemsize, size)
        blocks = self._blocks(data[at : at + 3 * self.header.itemsize], len(data) - at)
        at += 3 * self.header.itemsize
        sizes = self._lengths(data[at : at + blocks.count * self.header.itemsize], blocks.count)
        at += blocks.count * self.header.itemsize
        return blocks.unpacked(self._piece(data, at, sum(sizes)), sizes, self.path)

    def _decoded(self, text: bytes, at: int) -> bytes:
        """The same as base64, where lengths are coded together with plain data, but apart from packed ones."""
        if not self.is_packed:
            (size,) = self._lengths(self._some(text, at, self.header.itemsize), 1)
            return self._some(text, at, self.header.itemsize + size)[self.header.itemsize :]
        blocks = self._blocks(self._some(text, at, 3 * self.header.itemsize), len(text) - at)
        head = (3 + blocks.count) * self.header.itemsize
        sizes = self._lengths(self._some(text, at, head)[3 * self.header.itemsize :], blocks.count)
        return blocks.unpacked(self._some(text, at + 4 * -(-head // 3), sum(sizes)), sizes, self.path)

    def _some(self, text: bytes, at: int, count: int) -> bytes:
        """The first `count` bytes of base64 from `at`."""
        length = 4 * -(-count // 3)
        if at + length > len(text):
            raise cut(self.path, length, max(len(text) - at, 0))
        try:
            return base64.b64decode(text[at : at + length], validate=True)[:count]
        except (binascii.Error, ValueError) as error:
            raise InputRefused(f"{self.path} has an array that is not base64", _DAMAGED) from error

    def _lengths(self, data: bytes, count: int) -> list[int]:
        if len(data) != count * self.header.itemsize:
            raise cut(self.path, count * self.header.itemsize, len(data))
        return [int(n) for n in np.frombuffer(data, self.header)]

    def _piece(self, data: bytes, at: int, size: int) -> bytes:
        if at + size > len(data):
            raise cut(self.path, size, max(len(data) - at, 0))
        return data[at : at + size]

    def _blocks(self, data: bytes, left: int) -> _Blocks:
        count, size, last = self._lengths(data, 3)
        whole = 0 if count == 0 else (count - 1) * size + (last or size)
        if count * self.header.itemsize > left or whole > min(_TIGHTEST * left, MOST_BYTES):
            raise InputRefused(f"{self.path} claims {count} blocks that unpack to {whole} bytes from {left}", _DAMAGED)
        return _Blocks(count, size, last or size)


@dataclass(frozen=True)
class _Blocks:
    """Blocks of zlib, all of one size unpacked but the last."""

    count: int
    size: int
    last: int

    def unpacked(self, data: bytes, sizes: list[int], path: Path) -> bytes:
        parts, at = [], 0
        for n, packed in enumerate(sizes):
            wanted = self.last if n == self.count - 1 else self.size
            block = zlib.decompressobj()
            try:
                part = block.decompress(data[at : at + packed], wanted + 1)
            except zlib.error as error:
                raise InputRefused(f"{path} has a block that is not zlib ({error})", _DAMAGED) from error
            if len(part) != wanted:
                raise InputRefused(f"{path} has a block that does not unpack to the {wanted} bytes it claims", _DAMAGED)
            parts.append(part)
            at += packed
        return b"".join(parts)


def coding_of(root: Element, appended: bytes, is_base64: bool, path: Path) -> Coding:
    """How a VTKFile element says that its arrays are stored."""
    orders, headers = {"LittleEndian": "<", "BigEndian": ">"}, {"UInt32": "u4", "UInt64": "u8"}
    order, header, packer = root.get("byte_order", "LittleEndian"), root.get("header_type", "UInt32"), root.get("compressor", "")
    if order not in orders or header not in headers:
        raise InputRefused(f"{path} has byte order {order[:40]!r} and lengths of type {header[:40]!r}", "export the mesh again")
    if packer not in ("", "vtkZLibDataCompressor"):
        raise InputRefused(f"{path} is packed by {packer[:40]!r}", "save it with zlib, or unpacked")
    return Coding(path, orders[order], np.dtype(orders[order] + headers[header]), bool(packer), appended, is_base64)
