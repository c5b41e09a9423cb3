"""Headers of MetaImage files (.mha, .mhd), sequences of PLUS included: `Key = Value` lines, the last of which is ElementDataFile.

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from navtwin.errors import InputRefused
from navtwin.files.guard import MOST_TEXT
from navtwin.files.header_text import needed, only, read_until, text_of

#: What ElementDataFile says where the data follow the header.
LOCAL: Final = ("LOCAL", "Local", "local")
_LAST_LINE: Final = re.compile(rb"(?m)^[ \t]*ElementDataFile[ \t]*=[^\n]*\n")
_FIRST_LINE: Final = re.compile(rb"[ \t]*[A-Za-z][A-Za-z0-9_]*[ \t]*=")


@dataclass(frozen=True)
class Header:
    """A MetaImage header.

    Attributes
    ----------
    fields : (key, value) of every line in the order of the file, blanks stripped; ElementDataFile last
    data_offset : the byte behind the header, where the data begin if they are local
    what : where it was read from
    """

    fields: tuple[tuple[str, str], ...]
    data_offset: int
    what: Path

    def value(self, *names: str) -> str | None:
        """The value under a key or one of its other names; InputRefused where it is stated twice and not alike."""
        return only(self.fields, names, self.what)

    def needed(self, name: str) -> str:
        """The value under a key; InputRefused where it is missing."""
        return needed(self.fields, name, self.what)


def begins(head: bytes) -> bool:
    """Whether a file that begins so may have a MetaImage header: its first line is `Key = Value`."""
    return _FIRST_LINE.match(head) is not None


def read_header(source: BinaryIO | bytes, what: Path, most: int = MOST_TEXT) -> Header:
    """Read the header of a MetaImage file from its beginning; of a stream, somewhat more is consumed.

    Parameters
    ----------
    source : the file, open for reading at its beginning, or its bytes
    what : named in errors
    most : bytes that a header may have

    Raises
    ------
    InputRefused : no header, one without end or beyond `most`, a line that is not `Key = Value`
    """
    read = read_until(source, _LAST_LINE, most)
    if read is None:
        raise InputRefused(f"{what} has no MetaImage header with an ElementDataFile line", "check that it is the right file, and whole")
    return Header(tuple(_fields(text_of(read), what)), len(read), what)


def _fields(text: str, what: Path) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if equals:
            yield key.strip(), value.strip()
        elif line.strip():
            raise InputRefused(f"{what} has a header line that is not 'Key = Value': '{line.strip()[:60]}'", "mend or export the file again")
