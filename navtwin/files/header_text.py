"""What the text headers of NRRD and MetaImage files have in common."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from navtwin.errors import InputRefused

#: How the name of a frame's field begins in a tracker's recording.
FRAME: Final = "Seq_Frame"
_CHUNK_BYTES: Final = 256 * 1024
_MOST_AXES: Final = 16
#: No line that ends a header is longer.
_LINE_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Header:
    """The text header of a file.

    Attributes
    ----------
    fields : (name, value) of every field in the order of the file, blanks stripped; names of NRRD's fields in lower case
    data_offset : the byte behind the header, where the data begin unless they are in another file
    what : where it was read from
    keys : (key, value) of NRRD's `key:=value` lines in the order of the file, escapes resolved
    """

    fields: tuple[tuple[str, str], ...]
    data_offset: int
    what: Path
    keys: tuple[tuple[str, str], ...] = ()

    def value(self, *names: str) -> str | None:
        """The value of a field or one of its other names; InputRefused where it is stated twice and not alike."""
        return only(self.fields, names, self.what)

    def needed(self, name: str) -> str:
        """The value of a field; InputRefused where it is missing."""
        return needed(self.fields, name, self.what)


def read_until(source: BinaryIO | bytes, ending: re.Pattern[bytes], most: int) -> bytes | None:
    """What comes before and in the first match of `ending`; None where the first `most` bytes hold no match.

    `ending` begins at a line's end or beginning and ends with a line's end. A file that ends without a blank line is read as if it had one.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    raw, size = bytearray(), 0
    while size <= most:
        chunk = stream.read(_CHUNK_BYTES)
        raw += chunk or b"\n\n"
        # The end may have begun in what was searched before, but not further back than in its last line.
        found = ending.search(raw, max(0, raw.rfind(b"\n", 0, size), size - _LINE_BYTES))
        size += len(chunk)
        if found is not None:
            return bytes(raw[: min(found.end(), size)])
        if not chunk:
            return None
    return None


def text_of(raw: bytes) -> str:
    """Text of a header: UTF-8, or Latin-1 where it is not; the formats name no encoding, and some writers put a name or a place in it."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def only(pairs: Iterable[tuple[str, str]], names: tuple[str, ...], what: Path) -> str | None:
    """The value of the one pair under any of `names`, None if there is none.

    Raises
    ------
    InputRefused : it is stated twice, and not alike
    """
    values = dict.fromkeys(value for name, value in pairs if name in names)
    if len(values) > 1:
        raise InputRefused(f"the header of {what} states {names[0]} twice: '{' and '.join(v[:40] for v in values)}'", "leave the right one in it")
    return next(iter(values), None)


def needed(pairs: Iterable[tuple[str, str]], name: str, what: Path) -> str:
    """The value of the one pair under a name that has to be there.

    Raises
    ------
    InputRefused : it is not there, or is stated twice and not alike
    """
    value = only(pairs, (name,), what)
    if value is None:
        raise InputRefused(f"the header of {what} does not say its {name}", "export the file again")
    return value


def numbers(text: str, count: int, name: str, what: Path) -> tuple[float, ...]:
    """`count` finite numbers of a header line.

    Raises
    ------
    InputRefused : other than that many, or something that is no finite number
    """
    words = text.split()
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise InputRefused(f"{what}: {name} is '{text[:60]}', not {count} finite numbers", "the header is damaged: export the file again")
    return values


def whole_numbers(text: str, name: str, what: Path) -> tuple[int, ...]:
    """Whole numbers of a header line, up to 16 (the most axes that NRRD has) of up to 18 digits each.

    Raises
    ------
    InputRefused : something that is none, or too many
    """
    words = text.split()
    if not 1 <= len(words) <= _MOST_AXES or any(re.fullmatch(r"[+-]?[0-9]{1,18}", word) is None for word in words):
        raise InputRefused(f"{what}: {name} is '{text[:60]}', not whole numbers", "the header is damaged: export the file again")
    return tuple(int(word) for word in words)


def has_frames(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether the lines of a header are those of a tracker's recording (PLUS): it has fields of its frames."""
    return any(key.startswith(FRAME) for key, _ in pairs)


def data_file(header: Path, name: str) -> Path:
    """The file that a detached header names: in its own folder or below it, nowhere else.

    Raises
    ------
    InputRefused : a name that leads out of the folder
    """
    if not name or "\0" in name or "\\" in name or ":" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputRefused(f"{header} names the data file '{name[:80]}', which is not in its folder", "put both into one folder and mend the name")
    return header.parent / name
