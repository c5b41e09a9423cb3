"""What DICOM segmentations and structure sets have in common: opening a file from outside, and saying what it is."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from navtwin.errors import InputRefused, NavtwinError
from navtwin.files.guard import read_head, reading

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: DICOM PS3.4 B.5: what each object calls itself.
SEGMENTATION: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURE_SET: Final = ("1.2.840.10008.5.1.4.1.1.481.3",)
_MOST_BYTES: Final = 2 * 1024**3
_CHUNK_BYTES: Final = 1024**2
#: Transfer syntax in which all that follows the file meta information is packed (PS3.5 A.5).
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"
#: Preamble, mark, and the element with the length of the rest of the meta information (PS3.10 section 7.1).
_META_START: Final = 128 + 4 + 12


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Whatever a library says of a damaged file becomes a refusal that names it."""
    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's words on odd values: what matters of them is checked here
            yield
    except NavtwinError:
        raise
    except (RecursionError, MemoryError) as error:
        raise InputRefused(f"{path} is nested or swells without end", "export it again where it was made") from error
    except Exception as error:
        words = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputRefused(f"{path} is damaged, or not as the DICOM standard has it ({words})", "export it again where it was made") from error


def read_object(path: Path, classes: tuple[str, ...], what: str) -> Dataset:
    """The data set of a DICOM file that is a `what`.

    Raises
    ------
    InputRefused : no such object; damaged; larger, packed or unpacked, than any is
    """
    from pydicom import dcmread
    from pydicom.filereader import read_file_meta_info

    with decoding(path):
        _refuse_size(path.stat().st_size, path)
        if read_head(path, _META_START)[128:132] == b"DICM":
            meta = read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == _DEFLATED:
                _refuse_swelling(path, _META_START + int(meta.FileMetaInformationGroupLength))
        found: Any = dcmread(path, force=True)
        if str(found.get("SOPClassUID", "")) not in classes:
            raise InputRefused(f"{path} is not a {what}", "check that it is the right file")
    return found


def _refuse_swelling(path: Path, start: int) -> None:
    """Unpack piece by piece, keeping nothing: only then is it known how much there is."""
    inflate, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as stream:
        stream.seek(start)
        while not inflate.eof and (packed := inflate.unconsumed_tail or stream.read(_CHUNK_BYTES)):
            size += len(inflate.decompress(packed, _CHUNK_BYTES))
            _refuse_size(size, path)


def _refuse_size(size: int, path: Path) -> None:
    if size > _MOST_BYTES:
        raise InputRefused(f"{path} holds more than {_MOST_BYTES} bytes", "it is too large for what it says it is")
