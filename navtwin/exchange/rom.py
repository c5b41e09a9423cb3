"""NDI tool definitions, `.rom`: 752 bytes, little-endian.

NDI publishes no description; the layout is the one that the cisst converter and others found, checked on tool files of PLUS. Bytes that nobody knows
are kept as they are, so that a file that is read and written is the same file.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.exchange.numerals import finite
from navtwin.files.guard import read_bytes
from navtwin.files.write import whole_file
from navtwin.rigid import Vec3

SIZE: Final = 752
MAGIC: Final = b"NDI"
FEWEST, MOST = 3, 20
MAIN_TYPES: Final = {1: "reference", 2: "pointer", 3: "button box", 4: "user defined", 5: "microscope", 7: "calibration block", 14: "scan reference"}
MARKER_TYPES: Final = {41: "passive sphere", 49: "passive disc", 57: "Radix lens"}
_CHECKSUM, _COUNT, _MARKERS, _NORMALS, _FIRING, _MAKER, _PART = 4, 28, 72, 312, 552, 580, 592
_PASSIVE_SPHERE: Final = 41
#: What a tool made here states: the widest angle, 3 markers needed, and an error of fit as NDI's own passive tools state it.
_MAX_ANGLE_DEG, _MIN_MARKERS, _MAX_ERROR_MM = 90, 3, 2.0


@dataclass(frozen=True)
class RomFile:
    """A tool definition; `raw` holds all 752 bytes, the rest says what is known of them.

    Attributes
    ----------
    markers_mm, normals : positions and unit normals of the markers in the tool's axes
    main_type, marker_type : numbers of `MAIN_TYPES`, `MARKER_TYPES`
    max_angle_deg, min_markers, max_error_mm : when the tracker gives a pose
    maker, part_number : as they stand in the file
    """

    raw: bytes
    markers_mm: tuple[Vec3, ...]
    normals: tuple[Vec3, ...]
    main_type: int
    marker_type: int
    max_angle_deg: int
    min_markers: int
    max_error_mm: float
    maker: str
    part_number: str


def checksum(raw: bytes) -> int:
    """The sum of all bytes behind it."""
    return sum(raw[_CHECKSUM + 2 :]) & 0xFFFF


def read_rom(path: Path) -> RomFile:
    """Read a tool definition.

    Raises
    ------
    InputRefused : another length or beginning, a checksum that does not fit, a count of markers that cannot be, positions that are not finite
    """
    raw = read_bytes(path, SIZE)
    if len(raw) != SIZE or not raw.startswith(MAGIC):
        raise InputRefused(
            f"{path} is no NDI tool definition: {len(raw)} bytes beginning with {raw[:3]!r}", f"one has {SIZE} bytes and begins with NDI"
        )
    if struct.unpack_from("<H", raw, _CHECKSUM)[0] != checksum(raw):
        raise InputRefused(f"{path} is damaged: its checksum does not fit", "copy the file again")
    count = raw[_COUNT]
    if not FEWEST <= count <= MOST:
        raise InputRefused(f"{path} states {count} markers", f"a tool has {FEWEST} to {MOST}")
    return RomFile(
        raw=raw,
        markers_mm=_points(path, raw, _MARKERS, count, "a marker's position"),
        normals=_points(path, raw, _NORMALS, count, "a marker's normal"),
        main_type=raw[15],
        marker_type=raw[655],
        max_angle_deg=raw[24],
        min_markers=raw[32],
        max_error_mm=finite(struct.unpack_from("<f", raw, 36), path, "the largest error")[0],
        maker=_text(raw[_MAKER : _MAKER + 12]),
        part_number=_text(raw[_PART : _PART + 20]),
    )


def _points(path: Path, raw: bytes, offset: int, count: int, what: str) -> tuple[Vec3, ...]:
    flat = finite(struct.unpack_from(f"<{3 * count}f", raw, offset), path, what)
    return tuple((flat[k], flat[k + 1], flat[k + 2]) for k in range(0, 3 * count, 3))


def _text(raw: bytes) -> str:
    return "".join(chr(byte) for byte in raw.split(b"\0")[0] if 32 <= byte < 127).strip()


def write_rom(path: Path, rom: RomFile) -> None:
    """Write a tool definition; its bytes are those of `raw`, with the checksum that belongs to them."""
    raw = bytearray(rom.raw)
    struct.pack_into("<H", raw, _CHECKSUM, checksum(bytes(raw)))
    with whole_file(path) as partial:
        partial.write_bytes(bytes(raw))


def rom_of(name: str, markers_mm: Sequence[Vec3]) -> RomFile:
    """A tool of passive spheres that all face +Z; positions are rounded to float32.

    Raises
    ------
    InputRefused : too few or too many markers, or too far out for float32
    """
    if not FEWEST <= len(markers_mm) <= MOST:
        raise InputRefused(f"body '{name}' has {len(markers_mm)} spheres (markers_mm)", f"an NDI tool has {FEWEST} to {MOST}")
    if any(abs(value) > 10_000.0 for point in markers_mm for value in point):
        raise InputRefused(f"body '{name}' has spheres beyond 10 m", "check the unit of markers_mm")
    raw, count = bytearray(SIZE), len(markers_mm)
    raw[0:3], raw[8], raw[12], raw[15], raw[24] = MAGIC, 1, 2, 4, _MAX_ANGLE_DEG
    raw[_COUNT], raw[32], raw[653], raw[655] = count, _MIN_MARKERS, 128, _PASSIVE_SPHERE
    struct.pack_into("<f", raw, 36, _MAX_ERROR_MM)
    struct.pack_into(f"<{3 * count}f", raw, _MARKERS, *(value for point in markers_mm for value in point))
    struct.pack_into(f"<{3 * count}f", raw, _NORMALS, *((0.0, 0.0, 1.0) * count))
    raw[_FIRING : _FIRING + count] = bytes(range(count))
    part = name.encode("ascii", "replace")[:20]
    raw[_PART : _PART + len(part)] = part
    raw[613 : 613 + count] = bytes([1] * count)
    markers = _points(Path(name), bytes(raw), _MARKERS, count, "a marker's position")
    normals = _points(Path(name), bytes(raw), _NORMALS, count, "a marker's normal")
    return RomFile(bytes(raw), markers, normals, 4, _PASSIVE_SPHERE, _MAX_ANGLE_DEG, _MIN_MARKERS, _MAX_ERROR_MM, "", part.decode())
