"""Headers of MetaImage files (.mha, .mhd), sequences of PLUS included: `Key = Value` lines, the last of which is ElementDataFile.

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from navtwin.errors import InputRefused
from navtwin.files.guard import MOST_TEXT
from navtwin.files.header_text import Header, read_until, text_of

#: What ElementDataFile says where the data follow the header.
LOCAL: Final = ("LOCAL", "Local", "local")
_LAST_LINE: Final = re.compile(rb"(?m)^[ \t]*ElementDataFile[ \t]*=[^\n]*\n")
_FIRST_LINE: Final = re.compile(rb"[ \t]*[A-Za-z][A-Za-z0-9_]*[ \t]*=")


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
