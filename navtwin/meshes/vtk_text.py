"""Reading on through a legacy VTK file: lines of text, between them numbers as text or as big-endian binary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.meshes.raw import cut, numbers

_LONGEST_LINE = 4096
_BLOCK = 2**20
_TYPES = {
    "char": ">i1", "unsigned_char": ">u1", "short": ">i2", "unsigned_short": ">u2", "int": ">i4", "unsigned_int": ">u4", "long": ">i8",
    "unsigned_long": ">u8", "vtktypeint64": ">i8", "vtktypeuint64": ">u8", "vtkidtype": ">i4", "float": ">f4", "double": ">f8",
}  # fmt: skip
#: Bytes of a string's length, and how much of the first one belongs to it, by that byte's two highest bits.
_LENGTH_BYTES = {3: 1, 2: 2, 1: 4, 0: 8}


@dataclass
class Cursor:
    """A place in the file.

    Attributes
    ----------
    data : all of it
    at : what comes next
    is_text : numbers are written as text
    """

    data: bytes
    path: Path
    at: int = 0
    is_text: bool = True

    def raw_line(self) -> str | None:
        """The rest of the line, empty or not; None at the end of the file."""
        if self.at >= len(self.data):
            return None
        end = self.data.find(b"\n", self.at)
        end = len(self.data) if end < 0 else end
        if end - self.at > _LONGEST_LINE:
            raise InputRefused(f"{self.path} has a line of {end - self.at} bytes where a keyword should be", "the file is damaged: get it again")
        line = self.data[self.at : end].decode("latin-1").strip()
        self.at = end + 1
        return line

    def line(self) -> str | None:
        """The next line that is not empty."""
        while (line := self.raw_line()) == "":
            pass
        return line

    def skip_block(self) -> None:
        """Go beyond the next empty line."""
        while self.raw_line():
            pass

    def numbers(self, count: int, kind: str, what: str) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
        """The next `count` numbers of a type as float64, or as int64 where they are whole."""
        if kind.lower() not in _TYPES:
            raise InputRefused(f"{self.path} has {what} of type {kind[:40]!r}, which is not known", "export the mesh again")
        stored = np.dtype(_TYPES[kind.lower()])
        left = len(self.data) - self.at
        if self.is_text:
            if 2 * count - 1 > left:
                raise cut(self.path, 2 * count - 1, left)
            end = self._end_of_words(count)
            found = numbers(self.data[self.at : end], "f" if stored.kind == "f" else "i", count, self.path, what)
        else:
            end = self.at + count * stored.itemsize
            if end > len(self.data):
                raise cut(self.path, count * stored.itemsize, left)
            content = np.frombuffer(self.data, stored, count, self.at)
            found = content.astype(np.float64) if stored.kind == "f" else content.astype(np.int64)
        self.at = end
        return found

    def _end_of_words(self, count: int) -> int:
        """Where the next `count` words end, or the file does. Counted block by block: there may be millions."""
        at = self.at
        while at < len(self.data):
            # One byte more than the block, to see whether its last word goes on; behind the file's end comes a blank.
            block = np.frombuffer(self.data[at : at + _BLOCK + 1].ljust(_BLOCK + 1), np.uint8) > ord(" ")
            ends = np.flatnonzero(block[:-1] & ~block[1:])
            if len(ends) >= count:
                return at + int(ends[count - 1]) + 1 if count else at
            count -= len(ends)
            at += _BLOCK
        return len(self.data)

    def strings(self, count: int) -> list[str]:
        """The next `count` strings of a field."""
        if count > len(self.data) - self.at:
            raise cut(self.path, count, len(self.data) - self.at)
        return [self._string() for _ in range(count)]

    def _string(self) -> str:
        if self.is_text:
            return unquote(self.raw_line() or "")
        first = self.data[self.at] if self.at < len(self.data) else 0
        size = _LENGTH_BYTES[first >> 6]
        length = int.from_bytes(self.data[self.at : self.at + size], "big") & ((1 << (8 * size - 2)) - 1)
        start = self.at + size
        if start + length > len(self.data):
            raise cut(self.path, start + length, len(self.data))
        self.at = start + length
        return self.data[start : self.at].decode("latin-1")
