"""The header of a PLUS / IGSIO sequence file, in one pass and in bounded memory: what is said once, and the fields of the frames in columns.

Format: PlusLib's FileSequenceFile manual page. What follows the header (pixels, compressed or not, here or in a file of their own) is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from navtwin.errors import InputRefused
from navtwin.files.guard import reading
from tracking.recordings.columns import Column, Settle
from tracking.recordings.text_numbers import shown

#: A day at 60 Hz is five million; a file that says more is no recording.
MOST_FRAMES: Final = 10_000_000
_MOST_FIELDS: Final = 500
_MOST_LINES: Final = 2_000
_BLOCK: Final = 1024 * 1024
_HEADER_LIMIT: Final = 4 << 30
_MARK: Final = b"Seq_Frame"
_MHA: Final = re.compile(r"([^=]+)=(.*)")
_NRRD: Final = re.compile(r"([^:]+):[=\s](.*)")
_MHA_FIRST: Final = re.compile(rb"ObjectType\s*=")
_NRRD_FIRST: Final = re.compile(rb"NRRD000[1-5]\s*$")
_CHECK: Final = "check that it is a tracking sequence"


class Header(NamedTuple):
    """What the header says: once (`general`), and of `frames` frames, by field."""

    is_nrrd: bool
    general: dict[str, str]
    columns: dict[str, Column]
    frames: int


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so is a sequence with fields of frames."""
    first, _, _ = head.partition(b"\n")
    known = _MHA_FIRST.match(first) is not None or _NRRD_FIRST.match(first.replace(b"\0", b"")) is not None
    return known and re.search(rb"^\0*Seq_Frame", head, re.MULTILINE) is not None


def read_header(path: Path, settle_of: Callable[[str, dict[str, str]], Settle]) -> Header:
    """Read the header of a sequence file. `settle_of` says what is made of a field's values; it gets the field's name and what was said so far.

    Raises
    ------
    InputRefused : unreadable, of another kind, cut, or with lines, fields or frame numbers that no recording has
    """
    with reading(path), path.open("rb") as stream:
        first = stream.readline(1000)
        is_nrrd = _NRRD_FIRST.match(first) is not None
        if not is_nrrd and _MHA_FIRST.match(first) is None:
            raise InputRefused(f"{path} is neither a .igs.mha nor a .igs.nrrd file", "check that it is the right file")
        return _Scan(path, is_nrrd, settle_of).run(stream, b"" if is_nrrd else first)


class _Scan:
    def __init__(self, path: Path, is_nrrd: bool, settle_of: Callable[[str, dict[str, str]], Settle]) -> None:
        self.path = path
        self.is_nrrd = is_nrrd
        self.general: dict[str, str] = {}
        self.columns: dict[str, Column] = {}
        self._settle_of = settle_of
        self._spellings: dict[bytes, Column] = {}
        self._lines = 0

    def run(self, stream: BinaryIO, rest: bytes) -> Header:
        ended = False
        for block in _blocks(stream, rest, self.path):
            ended = self._take(block)
            for column in self.columns.values():
                column.settle()
            if ended:
                break
        # The blank line that ends a NRRD header may be left out where no data follow.
        if not (ended or self.is_nrrd):
            raise InputRefused(f"{self.path} is cut: it ends inside its header", "get the whole file")
        return Header(self.is_nrrd, self.general, self.columns, self._count())

    def _take(self, block: bytes) -> bool:
        """Take whole lines; says whether the header has ended in them. The loop that all the time goes into."""
        separator, columns, last, row = b":=" if self.is_nrrd else b"=", self._spellings, b"", -1
        for line in block.split(b"\n"):
            if line.startswith(_MARK):
                key, between, value = line.partition(separator)
                number, _, name = key[len(_MARK) :].partition(b"_")
                if number != last:
                    row, last = self._row(number, line), number
                column = columns.get(name)
                if column is None or not between:
                    column = self._column(name, value, line, bool(between))
                column.rows.append(row)
                column.values.append(value)
            elif self._ends(line):
                return True
        return False

    def _row(self, number: bytes, line: bytes) -> int:
        if not number.isdigit():
            raise self._odd(line)
        row = int(number) if len(number) < 20 else MOST_FRAMES
        if row >= MOST_FRAMES:
            raise InputRefused(f"{self.path} has a frame number {_shown(number)}", "no recording is that long: get the file again")
        return row

    def _column(self, spelling: bytes, value: bytes, line: bytes, whole: bool) -> Column:
        name = spelling.decode("utf-8", errors="replace").strip()
        if not whole or not name:
            raise self._odd(line)
        column = self.columns.get(name)
        if column is None:
            glued = not (self.is_nrrd or value.startswith((b" ", b"\t")))
            column = self.columns[name] = Column(name, self._settle_of(name, self.general), glued)
        self._spellings[spelling] = column
        if len(self._spellings) > _MOST_FIELDS:
            raise InputRefused(f"{self.path} has frames with more than {_MOST_FIELDS} fields", _CHECK)
        return column

    def _ends(self, line: bytes) -> bool:
        if not line.strip():
            return self.is_nrrd
        if self.is_nrrd and line.startswith(b"#"):
            return False
        text = line.decode("utf-8", errors="replace").strip()
        match = (_NRRD if self.is_nrrd else _MHA).fullmatch(text)
        self._lines += 1
        if match is None or self._lines > _MOST_LINES:
            raise self._odd(line)
        key = match[1].strip()
        self.general[key] = match[2].strip()
        return key == "ElementDataFile" and not self.is_nrrd

    def _odd(self, line: bytes) -> InputRefused:
        return InputRefused(f"{self.path} has a header line that is not 'key = value': {_shown(line[:60])}", _CHECK)

    def _count(self) -> int:
        """How many frames are described: all from 0 on, each field of each once.

        Raises
        ------
        InputRefused : none, one is missing, one is described twice, or the header states another number
        """
        if not self.columns:
            raise InputRefused(f"{self.path} holds no tracked frames", "check that it is a tracking sequence, not a plain image")
        frames = {name: column.frames() for name, column in self.columns.items()}
        times = np.zeros(1 + max(int(rows.max()) for rows in frames.values()), dtype=bool)
        for name, rows in frames.items():
            times[rows] = True
            if not (np.diff(rows) > 0).all() and (mentions := np.bincount(rows)).max() > 1:
                raise InputRefused(f"{self.path} states {shown(name)} of frame {mentions.argmax()} twice", "mend the file")
        count = int(times.sum())
        stated = (self.general.get("sizes" if self.is_nrrd else "DimSize") or "").split()
        if not stated or stated[-1] != str(count):
            raise InputRefused(f"{self.path} says it has {shown(stated[-1]) if stated else 'no'} frames but describes {count}", "get the whole file")
        if count != len(times):
            raise InputRefused(f"{self.path} does not describe frame {times.argmin()}", "get the whole file")
        return count


def _blocks(stream: BinaryIO, rest: bytes, path: Path) -> Iterator[bytes]:
    """Whole lines, many at a time, without the NUL characters that 3D Slicer leaves in names."""
    total = 0
    while data := stream.read(_BLOCK):
        total += len(data)
        lines, end, begun = data.rpartition(b"\n")
        if total > _HEADER_LIMIT or (not end and len(data) == _BLOCK):
            raise InputRefused(f"{path} has a header that is too long to be one", _CHECK)
        if end:
            yield (rest + lines).replace(b"\0", b"")
            rest = begun
        else:
            rest += data
    yield rest.replace(b"\0", b"")


def _shown(raw: bytes) -> str:
    return f"'{shown(raw.decode('utf-8', errors='replace'), 60)}'"
