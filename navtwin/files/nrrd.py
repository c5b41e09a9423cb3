"""Headers of NRRD files (.nrrd, .nhdr), sequences and segmentations included: `field: value` and `key:=value` lines up to a blank one.

Format: https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO, Final

from navtwin.errors import InputRefused
from navtwin.files.guard import MOST_TEXT
from navtwin.files.header_text import Header, read_until, text_of

_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_MAGIC: Final = re.compile(rb"NRRD000[1-5]\r?\n")
#: What stands for itself in a value: a backslash is written twice, a line's end as \\n.
_ESCAPED: Final = re.compile(r"\\([\\n])")


def begins(head: bytes) -> bool:
    """Whether a file that begins so is an NRRD file."""
    return _MAGIC.match(head) is not None


def read_header(source: BinaryIO | bytes, what: Path, most: int = MOST_TEXT) -> Header:
    """Read the header of an NRRD file from its beginning; of a stream, somewhat more is consumed.

    Parameters
    ----------
    source : the file, open for reading at its beginning, or its bytes
    what : named in errors
    most : bytes that a header may have

    Raises
    ------
    InputRefused : not an NRRD file of version 1 to 5, a header beyond `most`, a line that is neither field, key nor comment
    """
    raw = read_until(source, _BLANK_LINE, most)
    if raw is None:
        raise InputRefused(f"{what} has no NRRD header that ends with a blank line", "check that it is the right file, and whole")
    if not begins(raw):
        raise InputRefused(f"{what} is not an NRRD file of version 1 to 5", "check that it is the right file")
    fields, keys = list[tuple[str, str]](), list[tuple[str, str]]()
    for line in text_of(raw).split("\n")[1:]:
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if value[:1] not in ("=", " ") and ":=" in value:  # a colon in the key itself
            name, colon, value = (line[: line.index(":=")], ":", line[line.index(":=") + 1 :])
        if not colon:
            raise InputRefused(f"{what} has a header line that is neither field nor key: '{line.strip()[:60]}'", "mend or export the file again")
        if value.startswith("="):
            keys.append((name, _plain(value[1:].rstrip("\r"))))
        else:
            fields.append((name.strip().lower(), value.strip()))
        if fields and fields[-1][0] in ("data file", "datafile") and fields[-1][1].startswith("LIST"):
            break  # names of files follow, one a line
    return Header(tuple(fields), len(raw), what, tuple(keys))


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else "\\", value) if "\\" in value else value
