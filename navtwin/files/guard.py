"""Files from outside are hostile: sizes are capped before anything is decoded, and every failure is our own refusal."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: Text files of other programs are small; one that is larger is something else.
MOST_TEXT: Final = 64 * 1024**2
_GZIP: Final = b"\x1f\x8b"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the system or a decompressor says inside the block into a refusal that names `path`."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputRefused(f"there is no file {path}", "check the path") from error
    except IsADirectoryError as error:
        raise InputRefused(f"{path} is a folder", "name a file in it") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputRefused(f"cannot read {path}: it is cut, damaged or not allowed ({error})", "copy or download the file again") from error


def is_packed(path: Path) -> bool:
    """Whether the file is a gzip stream."""
    with reading(path), path.open("rb") as stream:
        return stream.read(2) == _GZIP


def read_head(path: Path, count: int) -> bytes:
    """At most `count` bytes from the beginning, unpacked where the file is a gzip stream: a small archive may not swell without bound."""
    packed = is_packed(path)
    with reading(path), gzip.open(path, "rb") if packed else path.open("rb") as stream:
        return stream.read(count)


def read_bytes(path: Path, most: int) -> bytes:
    """The whole file, as it lies on the disk; refused where it holds more than `most` bytes."""
    with reading(path), path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise InputRefused(f"{path} holds more than {most} bytes", "it is too large for what it says it is")
    return data


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """The whole file as UTF-8 text (with or without a byte-order mark), line ends as they are."""
    data = read_bytes(path, most)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error


def read_xml(path: Path, most: int = MOST_TEXT) -> Element:
    """The root of an XML file. DOCTYPE, entities and anything fetched from elsewhere are refused (defusedxml)."""
    return parse_xml(read_bytes(path, most), path)


def parse_xml(data: bytes, path: Path | str) -> Element:
    """The root of XML that was cut out of the file `path`, or came under that name, under the same rules as `read_xml`."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputRefused(f"{path} has a DOCTYPE or entities", "remove them: such a file can read others or swell without bound") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputRefused(f"{path} is not well-formed XML ({error})", "get it again, or mend it") from error
    return root
