"""What a compressed picture says of itself. It is compared with the DICOM header before a decoder, which trusts it, sees it.

JPEG and JPEG-LS: ITU-T T.81 annex B, T.87 annex C. JPEG 2000: ITU-T T.800 annex A.5. RLE: DICOM PS3.5 annex G.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.frames import Layout

_JPEG_2000_START: Final = b"\xff\x4f\xff\x51"
_JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
#: Start of frame of all JPEG kinds; C4, C8 and CC are tables and reserved; F7 is JPEG-LS.
_FRAME_STARTS: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
#: Markers without a length of their own.
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
#: Pixels to a byte: a picture of one grey needs some hundred bytes; what claims to be squeezed harder is cut.
_MOST_SQUEEZED: Final = 20_000


class Picture(NamedTuple):
    """Size, bits of a sample, samples of a pixel."""

    rows: int
    columns: int
    bits: int
    samples: int


def checked_bits(code: bytes, layout: Layout, name: str) -> int:
    """Bits of a sample as the compressed picture has them.

    Raises
    ------
    InputRefused : no such picture, or another one than the header says
    """
    if len(code) * _MOST_SQUEEZED < layout.rows * layout.columns:
        raise InputRefused(f"{name} holds {len(code)} bytes for {layout.columns} x {layout.rows} pixels: it is cut", "copy or export it again")
    if layout.syntax.name == "RLE":
        return layout.allocated
    try:
        picture = _jpeg_2000(code) if layout.syntax.name.startswith("JPEG 2000") else _jpeg(code)
    except (struct.error, IndexError) as error:
        raise InputRefused(f"{name} is damaged: it holds no picture in {layout.syntax.name}", "copy or export it again") from error
    if picture[:2] != (layout.rows, layout.columns) or picture.samples != 1 or not 2 <= picture.bits <= 16:
        holds = f"{picture.columns} x {picture.rows} x {picture.samples}, {picture.bits} bits"
        raise InputRefused(
            f"{name} says {layout.columns} x {layout.rows} pixels and holds a picture of {holds}",
            "copy or export it again",
        )
    if layout.syntax.uid == _JPEG_EXTENDED and picture.bits > 8:
        raise InputRefused(f"{name} is lossy JPEG of {picture.bits} bits, which GDCM does not decode rightly", "export it uncompressed")
    return picture.bits


def _jpeg_2000(code: bytes) -> Picture:
    at = code.index(_JPEG_2000_START) if _JPEG_2000_START in code[:4096] else len(code)
    x1, y1, x0, y0 = struct.unpack_from(">4I", code, at + 8)
    samples, depth = struct.unpack_from(">HB", code, at + 40)
    return Picture(y1 - y0, x1 - x0, (depth & 0x7F) + 1, samples)


def _jpeg(code: bytes) -> Picture:
    at = 2 if code[:2] == b"\xff\xd8" else len(code)
    while True:
        if code[at] != 0xFF:
            raise IndexError
        marker = code[at + 1]
        if marker in _FRAME_STARTS:
            bits, rows, columns, samples = struct.unpack_from(">BHHB", code, at + 4)
            return Picture(rows, columns, bits, samples)
        at += 1 if marker == 0xFF else 2 if marker in _BARE else 2 + struct.unpack_from(">H", code, at + 2)[0]
