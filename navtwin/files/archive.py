"""Archives from outside (zip, tar and its packed kinds): unpacked into a folder of their own, which vanishes again.

A member may not leave that folder, be a link or a device, and all of them together may not swell without bound.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Final, cast

from navtwin.errors import InputRefused
from navtwin.files.guard import reading

MOST_MEMBERS: Final = 20_000
#: Of all members together, unpacked. A CT of 1000 slices has half a GiB.
MOST_UNPACKED: Final = 4 * 1024**3
#: Scans shrink to a tenth at best; what swells further than this, beyond what is no harm, is a bomb.
_MOST_RATIO: Final = 200
_HARMLESS: Final = 256 * 1024**2
_CHUNK: Final = 1024**2
#: What a tar's own headers may take (long names, attributes); also how much of a tar is looked at to tell what it holds.
_MOST_HEADER: Final = 4 * 1024**2
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_AT: Final = 257
_UNPACK_YOURSELF: Final = "unpack it yourself, look at what is in it, and name the folder"
_DAMAGE: Final = (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, RuntimeError, ValueError, OverflowError)

#: (name, whether it is a folder, opened where it is a plain file)
_Member = tuple[str, bool, IO[bytes] | None]


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive, by its content. Never raises."""
    try:
        if _is_zip(path):
            return True
        with _opened(path) as stream:
            return stream.read(_TAR_AT + 5)[_TAR_AT:] == b"ustar"
    except (OSError, EOFError, *_DAMAGE):
        return False


def first_members(path: Path, count: int, most: int) -> list[bytes]:
    """The first `most` bytes of the first files in an archive, as many as are soon found, to tell what it holds. Never raises."""
    found: list[bytes] = []
    with suppress(InputRefused, OSError, EOFError, *_DAMAGE):  # what could be seen until then is what can be told
        if _is_zip(path):
            members = _zip_members(path)
        else:
            with _opened(path) as stream:
                members = _tar_members(BytesIO(stream.read(_MOST_HEADER)))
        for _, _, member in islice(members, count):
            if member is not None:
                found.append(member.read(most))
    return found


def _is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4).startswith(_ZIP)


def _opened(path: Path) -> IO[bytes]:
    """The bytes of the file, unpacked where it is a gzip, bzip2 or xz stream."""
    with path.open("rb") as stream:
        mark = stream.read(6)
    if mark.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if mark.startswith(b"BZh"):
        return bz2.open(path, "rb")
    return lzma.open(path, "rb") if mark == b"\xfd7zXZ\x00" else path.open("rb")


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder with what the archive holds, for as long as the block lasts.

    Raises
    ------
    InputRefused : damaged; encrypted; more than 20 000 members, 4 GiB, or 200 times its size; a member outside its folder, a link or a device
    """
    with tempfile.TemporaryDirectory(prefix="navtwin-") as name:
        folder = Path(name)
        with reading(path):
            try:
                _unpack(path, folder)
            except _DAMAGE as error:
                raise InputRefused(f"{path} is a damaged archive ({error or type(error).__name__})", "copy or download it again") from error
        yield folder


def _unpack(path: Path, folder: Path) -> None:
    most = min(MOST_UNPACKED, _HARMLESS + _MOST_RATIO * path.stat().st_size)
    if _is_zip(path):
        _write(_zip_members(path), path, folder, most)
        return
    with tempfile.TemporaryFile() as plain:
        with _opened(path) as stream:
            _copy(stream, plain, most, path)
        plain.seek(0)
        _write(_tar_members(_ShortReads(plain)), path, folder, most)


def _write(members: Iterator[_Member], path: Path, folder: Path, most: int) -> None:
    left, count = most, 0
    for name, is_folder, stream in members:
        count += 1
        if count > MOST_MEMBERS:
            raise InputRefused(f"{path} holds more than {MOST_MEMBERS} members", _UNPACK_YOURSELF)
        if is_folder:
            continue
        if stream is None:
            raise InputRefused(f"{path} holds '{name}', which is a link or a device", _UNPACK_YOURSELF)
        target = folder / _inside(name, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as sink:
            left -= _copy(stream, sink, left, path)


def _copy(stream: IO[bytes], sink: IO[bytes], most: int, path: Path) -> int:
    """Number of bytes copied; refused beyond `most`."""
    count = 0
    while chunk := stream.read(_CHUNK):
        count += len(chunk)
        if count > most:
            raise InputRefused(f"{path} swells beyond all measure: {path.stat().st_size} bytes of it hold more than any scan", _UNPACK_YOURSELF)
        sink.write(chunk)
    return count


def _inside(name: str, path: Path) -> PurePosixPath:
    """The member's place below the folder."""
    place = PurePosixPath(name.replace("\\", "/"))
    drive = bool(PureWindowsPath(name).drive)
    if drive or place.is_absolute() or ".." in place.parts or "\x00" in name or not place.parts:
        raise InputRefused(f"{path} holds '{name}', which would land outside the folder it is unpacked to", _UNPACK_YOURSELF)
    return place


def _zip_members(path: Path) -> Iterator[_Member]:
    """One after the other, each stream good until the next is asked for."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            plain = info.external_attr >> 28 in (0, 8)  # the kind of file, where Unix wrote the archive
            if info.is_dir() or not plain:
                yield info.filename, info.is_dir(), None
                continue
            with archive.open(info) as stream:
                yield info.filename, False, stream


def _tar_members(plain: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=plain, mode="r:") as archive:
        for member in archive:
            yield member.name, member.isdir(), archive.extractfile(member) if member.isreg() else None


class _ShortReads(BytesIO):
    """A tar whose own headers claim to be huge is refused before they are read."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MOST_HEADER:
            raise tarfile.ReadError(f"a header that claims {size} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
