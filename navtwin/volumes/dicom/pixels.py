"""Hounsfield units of frames: stored values are read, decoded where they are compressed, freed of other bits, rescaled slice by slice.

DICOM PS3.5 section 8.1.1 (pixel cells), PS3.3 sections C.11.1.1 (rescale) and C.7.5.1.1.2 (padding).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from itertools import groupby
from threading import Event
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.fragments import frame_fragments, read_fragments
from navtwin.volumes.dicom.frames import Frame, Layout
from navtwin.volumes.dicom.geometry import several
from navtwin.volumes.dicom.part10 import element_value, pixel_stream
from navtwin.volumes.dicom.unpack import Unpack, unpacker
from navtwin.volumes.volume import MOST_BYTES

#: What stands where no pixel is: air.
AIR_HU: Final = -1024
#: A padding value at or below this is air already and is left as it is.
_AIR_ENOUGH_HU: Final = -1000
_HU_NAMES: Final = frozenset({"", "HU"})
#: Frames of a decoder's process: fewer are not worth the start of another.
_WORTH_A_DECODER: Final = 8
_MOST_DECODERS: Final = 4
_INT16: Final = np.iinfo(np.int16)
_COPY_AGAIN: Final = "copy or export it again"

#: (frame) -> its raw cells, (rows, columns) unsigned
_Take = Callable[[Frame], npt.NDArray[Any]]
#: (number, frame, raw cells)
_Use = Callable[[int, Frame, npt.NDArray[Any]], None]


class _TooLargeForInt16(ArithmeticError):
    """Some value of the volume does not fit; it has to be read as float32."""


def read_hu(frames: Sequence[Frame]) -> npt.NDArray[Any]:
    """The Hounsfield units of frames of one size.

    Returns
    -------
    (N, rows, columns) int16 where all values are whole numbers of that range, else float32

    Raises
    ------
    InputRefused : no or mixed rescale, another unit than HU, cut or damaged pixels; more than 4 GiB
    """
    _refuse_rescales(frames)
    layout = frames[0].layout
    if len(frames) * layout.rows * layout.columns * 2 > MOST_BYTES:
        raise InputRefused(f"the series claims {len(frames)} slices of {layout.columns} x {layout.rows} pixels", "no CT has 4 GiB: check it")
    if all(float(r.slope).is_integer() and float(r.intercept).is_integer() for f in frames if (r := f.rescale)):
        try:
            return _read(frames, np.int16)
        except _TooLargeForInt16:
            pass
    return _read(frames, np.float32)


def digests(frames: Sequence[Frame]) -> list[bytes]:
    """What tells pictures apart: a digest of each frame's stored values and of what they mean."""
    found = [b""] * len(frames)

    def digest(number: int, frame: Frame, raw: npt.NDArray[Any]) -> None:
        found[number] = sha256(repr(frame.rescale).encode() + np.ascontiguousarray(_significant(raw, frame.layout)).tobytes()).digest()

    _take_all(frames, digest)
    return found


def refuse_unreadable(frames: Sequence[Frame]) -> None:
    """Refuse what can be told to be unreadable without decoding a pixel.

    Raises
    ------
    InputRefused : no or mixed rescale, another unit than HU, uncompressed pixels that are cut
    """
    _refuse_rescales(frames)
    for layout in dict.fromkeys(frame.layout for frame in frames):
        if not layout.syntax.packed:
            with pixel_stream(layout.path, layout.syntax, layout.start) as stream:
                _plain(stream, layout)


def _refuse_rescales(frames: Sequence[Frame]) -> None:
    silent = [f.name for f in frames if f.rescale is None]
    if silent:
        raise InputRefused(f"no rescale slope and intercept in {several(silent)}: nothing says what its values are in Hounsfield units",
                           "export the series again, as CT images")  # fmt: skip
    units = {f.name: f.rescale.unit for f in frames if f.rescale}
    odd = [f"{name} ('{unit[:16]}')" for name, unit in units.items() if unit not in _HU_NAMES]
    if odd:
        raise InputRefused(f"values are not in Hounsfield units in {several(odd)}", "choose a series in HU")
    flat = [f.name for f in frames if (r := f.rescale) and not (1e-6 < abs(r.slope) < 1e6 and abs(r.intercept) < 1e6)]
    if flat:
        raise InputRefused(f"rescale of no sense in {several(flat)}", "the header is damaged: copy or export the file again")


def _read(frames: Sequence[Frame], dtype: type[np.generic]) -> npt.NDArray[Any]:
    layout = frames[0].layout
    out = np.empty((len(frames), layout.rows, layout.columns), dtype=dtype)
    put = _to_int16 if dtype is np.int16 else _to_float32

    def rescale(number: int, frame: Frame, raw: npt.NDArray[Any]) -> None:
        values, padding = _significant(raw, frame.layout), _padding_mask(raw, frame)
        put(values, padding, frame, out[number])
        if padding is not None:
            out[number][padding] = AIR_HU

    _take_all(frames, rescale)
    return out


def _take_all(frames: Sequence[Frame], use: _Use) -> None:
    """Give the raw values of each frame to `use`; compressed ones are decoded side by side, in no order."""
    packed = any(f.layout.syntax.packed for f in frames)
    numbered = list(enumerate(frames))
    decoders = min(_MOST_DECODERS, os.cpu_count() or 1, max(1, len(frames) // _WORTH_A_DECODER)) if packed else 1
    refused = Event()
    with ThreadPoolExecutor(decoders) as pool:
        for done in [pool.submit(_take_some, numbered[n::decoders], use, packed, refused) for n in range(decoders)]:
            done.result()


def _take_some(numbered: list[tuple[int, Frame]], use: _Use, packed: bool, refused: Event) -> None:
    """One thread's share. Where another thread's is refused, the rest is not worth the wait."""
    with ExitStack() as kept:
        kept.push(lambda kind, *_: refused.set() if kind else None)
        unpack = kept.enter_context(unpacker()) if packed else None
        for layout, group in groupby(numbered, key=lambda one: one[1].layout):
            with pixel_stream(layout.path, layout.syntax, layout.start) as stream:
                take = _packed(stream, layout, unpack) if unpack and layout.syntax.packed else _plain(stream, layout)
                for number, frame in group:
                    if refused.is_set():
                        return
                    use(number, frame, take(frame))


def _plain(stream: BinaryIO, layout: Layout) -> _Take:
    """Uncompressed values: frame after frame."""
    size = layout.rows * layout.columns * (layout.allocated // 8)
    stream.seek(layout.pixels_at)
    skip, length = element_value(stream.read(12), layout.syntax)
    there = stream.seek(0, os.SEEK_END) - layout.pixels_at - skip
    if layout.allocated == 8 and not layout.syntax.little:
        raise InputRefused(f"{layout.path} holds single bytes in big-endian words", "export it in little endian")
    if length is None or not size * layout.frames <= length <= there:
        stated = "no" if length is None else str(length)
        raise InputRefused(f"{layout.path} is cut or damaged: its pixels need {size * layout.frames} bytes, it states {stated} and holds {there}",
                           _COPY_AGAIN)  # fmt: skip
    dtype = np.dtype(np.uint8 if layout.allocated == 8 else "<u2" if layout.syntax.little else ">u2")
    buffer = np.empty((layout.rows, layout.columns), dtype=dtype)

    def take(frame: Frame) -> npt.NDArray[Any]:
        stream.seek(layout.pixels_at + skip + frame.index * size)
        if stream.readinto(buffer) != size:  # type: ignore[attr-defined]
            raise InputRefused(f"{frame.name} ends within its pixels", _COPY_AGAIN)
        return buffer.astype(dtype.newbyteorder("="), copy=False)

    return take


def _packed(stream: BinaryIO, layout: Layout, unpack: Unpack) -> _Take:
    """Compressed values."""
    pieces = frame_fragments(stream, layout)
    return lambda frame: unpack(read_fragments(stream, pieces[frame.index]), layout, frame.name)


def _significant(raw: npt.NDArray[Any], layout: Layout) -> npt.NDArray[Any]:
    """The stored bits alone, with their sign: old files keep overlays in the bits above."""
    width = raw.dtype.itemsize * 8
    above, beside = max(0, width - 1 - layout.high_bit), max(0, width - layout.stored)
    values = _with_sign(raw, layout)
    return values if beside == 0 else np.right_shift(np.left_shift(values, above), beside)


def _with_sign(raw: npt.NDArray[Any], layout: Layout) -> npt.NDArray[Any]:
    return raw.view(raw.dtype.str.replace("u", "i")) if layout.signed else raw


def _padding_mask(raw: npt.NDArray[Any], frame: Frame) -> npt.NDArray[np.bool_] | None:
    """Where padding stands for something that is not air already. Padding uses all bits of a cell, and may not fit into the stored ones."""
    if frame.layout.padding is None or padding_is_air(frame):
        return None
    lowest, highest = frame.layout.padding
    values = _with_sign(raw, frame.layout)
    return (values >= lowest) & (values <= highest)


def padding_is_air(frame: Frame) -> bool:
    """Whether the padding values come to air by the rescale itself."""
    padding, rescale = frame.layout.padding, frame.rescale
    if padding is None or rescale is None:
        return True
    lowest, highest = _stored_range(frame.layout)
    return all(lowest <= value <= highest and value * rescale.slope + rescale.intercept <= _AIR_ENOUGH_HU for value in padding)


def _stored_range(layout: Layout) -> tuple[int, int]:
    half = 1 << (layout.stored - 1)
    return (-half, half - 1) if layout.signed else (0, 2 * half - 1)


def _to_int16(values: npt.NDArray[Any], padding: npt.NDArray[np.bool_] | None, frame: Frame, row: npt.NDArray[Any]) -> None:
    slope, intercept = (int(frame.rescale.slope), int(frame.rescale.intercept)) if frame.rescale else (1, 0)
    stored = _stored_range(frame.layout)
    if all(_INT16.min <= value <= _INT16.max for end in stored for value in (end, end * slope + intercept, slope)):
        # Whatever is stored fits before and after; what does not fit in between wraps around twice.
        np.copyto(row, values, casting="unsafe")
        if slope != 1:
            np.multiply(row, np.int16(slope), out=row)
        np.add(row, np.int16(intercept), out=row)
        return
    wide = values.astype(np.int64) * slope + intercept
    if padding is not None:
        wide[padding] = AIR_HU
    if wide.min() < _INT16.min or wide.max() > _INT16.max:
        raise _TooLargeForInt16
    np.copyto(row, wide, casting="unsafe")


def _to_float32(values: npt.NDArray[Any], padding: npt.NDArray[np.bool_] | None, frame: Frame, row: npt.NDArray[Any]) -> None:
    if frame.rescale:
        np.copyto(row, values * np.float64(frame.rescale.slope) + np.float64(frame.rescale.intercept), casting="unsafe")
