"""Read voxels from a file as its header says they are stored: capped, and what the header claims is checked against what is there."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.guard import reading
from navtwin.files.header_text import Header, has_frames
from navtwin.volumes.volume import MOST_BYTES

Packing = Literal["none", "gzip", "zlib"]

#: A volume's header holds no frames.
MOST_HEADER: Final = 16 * 1024**2
_CHUNK_BYTES: Final = 1024**2
#: What may follow the voxels.
_TRAILING_BYTES: Final = 1024**2
#: DEFLATE packs no tighter: 258 bytes into 2 bits (RFC 1951).
_TIGHTEST: Final = 1032
#: zlib: a stream of zlib or gzip, whichever its first bytes say.
_EITHER: Final = 32 + zlib.MAX_WBITS


def read_volume_header(path: Path, read: Callable[[BinaryIO, Path, int], Header]) -> Header:
    """The text header of a volume, by the reader of its format.

    Raises
    ------
    InputRefused : as `read`; a tracker's recording
    """
    with reading(path), path.open("rb") as stream:
        header = read(stream, path, MOST_HEADER)
    if has_frames((*header.fields, *header.keys)):
        raise InputRefused(f"{path} is a recording of a tracker, not a volume", "bring it in as a log: navtwin import FILE --to LOG.mcap")
    return header


@dataclass(frozen=True)
class Storage:
    """Where and how voxels are stored.

    Attributes
    ----------
    data : the file that holds them
    offset : byte of that file at which they, or the packed stream that holds them, begin
    packing : how the file is packed from there on
    skip : bytes before the first voxel, once unpacked
    dtype : of one voxel, with its byte order
    shape : number of voxels along each axis, the fastest first
    slope, intercept : a value is what is stored x slope + intercept
    """

    data: Path
    offset: int
    packing: Packing
    skip: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_stored(storage: Storage) -> npt.NDArray[Any]:
    """All voxels as they are stored, in this machine's byte order; the slowest axis first.

    Raises
    ------
    InputRefused : missing, cut, damaged, or not of the size that its header claims
    """
    refuse_claims(storage)
    # Pages of this are taken up only as they are filled: a claim that nothing follows costs nothing.
    raw = np.empty(storage.size, dtype=np.uint8)
    at = 0
    for chunk in stored_chunks(storage):
        raw[at : at + len(chunk)] = np.frombuffer(chunk, dtype=np.uint8)
        at += len(chunk)
    values = raw.view(storage.dtype)
    if not storage.dtype.isnative:
        values = values.byteswap(inplace=True).view(storage.dtype.newbyteorder("="))
    return values.reshape(storage.shape[::-1])


def refuse_claims(storage: Storage) -> None:
    """Refuse a header that claims more voxels than any volume has, or than its file can hold, or a scale that is none."""
    claim = f"{storage.data} claims {' x '.join(map(str, storage.shape))} voxels, {storage.size} bytes"
    if not (math.isfinite(storage.slope) and math.isfinite(storage.intercept) and storage.slope != 0.0):
        raise InputRefused(
            f"{storage.data} scales its values by {storage.slope:g} and adds {storage.intercept:g}", "the header is damaged: export the file again"
        )
    if min(storage.shape, default=0) < 1 or storage.size > MOST_BYTES:
        raise InputRefused(claim, "the header is damaged: copy or export the file again")
    with reading(storage.data):
        there = storage.data.stat().st_size - storage.offset
    if storage.size + storage.skip > max(there, 0) * (1 if storage.packing == "none" else _TIGHTEST):
        raise InputRefused(f"{claim}, and holds {max(there, 0)}: it is cut or damaged", "copy or download the file again")


def stored_chunks(storage: Storage) -> Iterator[bytes]:
    """The bytes of all voxels, piece by piece, each of at most 1 MiB and of whole voxels.

    Raises
    ------
    InputRefused : as `read_stored`; after the last piece where something is wrong behind it
    """
    refuse_claims(storage)
    with reading(storage.data), storage.data.open("rb") as stream:
        stream.seek(storage.offset)
        rest, skip, kept = storage.size, storage.skip, b""
        pieces = _unpacked(stream, storage.packing)
        for piece in pieces:
            dropped = min(skip, len(piece))
            skip -= dropped
            taken = piece[dropped : dropped + rest - len(kept)]
            chunk = kept + taken
            whole = len(chunk) - len(chunk) % storage.dtype.itemsize
            kept = chunk[whole:]
            rest -= whole
            if whole:
                yield chunk[:whole]
            if rest == 0:
                trailing = len(piece) - dropped - len(taken)
                break
        if rest:
            raise InputRefused(f"{storage.data} ends {rest} bytes before its last voxel: it is cut or damaged", "copy or download the file again")
        # Read to the end of the stream: only there does gzip check its own checksum.
        for piece in pieces:
            trailing += len(piece)
            if trailing > _TRAILING_BYTES:
                break
    if trailing > _TRAILING_BYTES:
        raise InputRefused(
            f"{storage.data} holds much more than the {storage.size} bytes of voxels that its header claims: it is damaged",
            "copy or download the file again",
        )


def _unpacked(stream: BinaryIO, packing: Packing) -> Iterator[bytes]:
    if packing == "zlib":
        yield from _inflated(stream)
        return
    with gzip.GzipFile(fileobj=stream) if packing == "gzip" else stream as plain:
        while piece := plain.read(_CHUNK_BYTES):
            yield piece


def _inflated(stream: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj(_EITHER)
    while not inflate.eof:
        packed = inflate.unconsumed_tail or stream.read(_CHUNK_BYTES)
        if not packed:
            raise EOFError("the packed voxels end too early")
        if piece := inflate.decompress(packed, _CHUNK_BYTES):
            yield piece
