"""What DICOM segmentations and structure sets have in common: opening a file from outside, and saying what it is."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from navtwin.errors import InputRefused, NavtwinError
from navtwin.files.guard import reading

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: DICOM PS3.4 B.5: what each object calls itself.
SEGMENTATION: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURE_SET: Final = ("1.2.840.10008.5.1.4.1.1.481.3",)
_MOST_BYTES: Final = 2 * 1024**3


def object_class(head: bytes) -> str | None:
    """The SOP class in the file meta information at the beginning of a DICOM file (PS3.10 section 7); None where it is none."""
    if head[128:132] != b"DICM":
        return None
    at = head.find(b"\x02\x00\x02\x00UI", 132, 1024)
    if at < 0 or at + 8 > len(head):
        return None
    (length,) = struct.unpack_from("<H", head, at + 6)
    return head[at + 8 : at + 8 + length].rstrip(b"\0 ").decode("ascii", "replace")


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Whatever a library says of a damaged file becomes a refusal that names it."""
    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's words on odd values: what matters of them is checked here
            yield
    except NavtwinError:
        raise
    except RecursionError as error:
        raise InputRefused(f"{path} is nested without end", "export it again where it was made") from error
    except Exception as error:
        words = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputRefused(f"{path} is damaged, or not as the DICOM standard has it ({words})", "export it again where it was made") from error


def read_object(path: Path, classes: tuple[str, ...], what: str) -> Dataset:
    """The data set of a DICOM file that is a `what`."""
    from pydicom import dcmread

    with decoding(path):
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused(f"{path} holds more than {_MOST_BYTES} bytes", "it is too large for what it says it is")
        found: Any = dcmread(path)
        if str(found.get("SOPClassUID", "")) not in classes:
            raise InputRefused(f"{path} is not a {what}", "check that it is the right file")
    return found
