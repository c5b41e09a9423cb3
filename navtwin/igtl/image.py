"""The head of an IMAGE: what it is and where it lies; pixels are not read (Documents/Protocol/image.md).

72 bytes: uint16 version; uint8 components, scalar type, byte order, axes; uint16[3] size; float32[12] the steps from pixel to pixel along i, j and k
and then the centre of the volume; uint16[3] offset and uint16[3] size of the part that was sent.
"""

from __future__ import annotations

import math
import struct
from typing import Final, Literal, NamedTuple

from navtwin.errors import InputRefused
from navtwin.rigid import Vec3

_LAYOUT: Final = struct.Struct(">HBBBB3H12f3H3H")
IMAGE_BYTES: Final = 72
#: Bytes of each scalar type that the protocol knows.
SCALARS: Final = {2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 4, 10: 4, 11: 8}
_AXES: Final[dict[int, Literal["RAS", "LPS"]]] = {1: "RAS", 2: "LPS"}


class ImageHead(NamedTuple):
    """Attributes
    ----------
    components : values per pixel
    scalar : type of a value, as the protocol numbers them (`SCALARS`)
    little_endian : of the pixels
    axes : as the flag says; OpenIGTLinkIO, and so 3D Slicer, ignores the flag and takes all as RAS
    size : pixels along i, j, k
    steps_mm : from a pixel to the next along i, j, k
    centre_mm : of the volume
    """

    components: int
    scalar: int
    little_endian: bool
    axes: Literal["RAS", "LPS"]
    size: tuple[int, int, int]
    steps_mm: tuple[Vec3, Vec3, Vec3]
    centre_mm: Vec3
    part_offset: tuple[int, int, int]
    part_size: tuple[int, int, int]

    @property
    def first_pixel_mm(self) -> Vec3:
        """Centre of the first pixel: the volume's centre less half of what lies between the first pixel and the last."""
        x, y, z = (
            c - sum(step[axis] * (n - 1) / 2 for step, n in zip(self.steps_mm, self.size, strict=True)) for axis, c in enumerate(self.centre_mm)
        )
        return (x, y, z)


def read_image_head(content: bytes) -> ImageHead:
    """Raises
    ------
    InputRefused : too short, an unknown scalar type, byte order or axes, or numbers that are not finite
    """
    if len(content) < IMAGE_BYTES:
        raise InputRefused(f"an IMAGE of {len(content)} bytes lacks its head of {IMAGE_BYTES}", "check the sender")
    version, components, scalar, endian, axes, *rest = _LAYOUT.unpack_from(content)
    size, floats, offset, part = rest[0:3], rest[3:15], rest[15:18], rest[18:21]
    if version > 2 or scalar not in SCALARS or endian not in (1, 2, 3) or axes not in _AXES:
        raise InputRefused(f"an IMAGE of version {version}, scalar type {scalar}, byte order {endian}, axes {axes}", "check the sender")
    if not all(map(math.isfinite, floats)):
        raise InputRefused("an IMAGE whose place holds NaN or infinite values", "check the sender")
    i, j, k, centre = (tuple(floats[n : n + 3]) for n in range(0, 12, 3))
    return ImageHead(components, scalar, endian == 2, _AXES[axes], tuple(size), (i, j, k), centre, tuple(offset), tuple(part))


def write_image_head(head: ImageHead) -> bytes:
    """The 72 bytes in front of the pixels."""
    floats = [value for vector in (*head.steps_mm, head.centre_mm) for value in vector]
    axes = 1 if head.axes == "RAS" else 2
    endian = 2 if head.little_endian else 1
    return _LAYOUT.pack(1, head.components, head.scalar, endian, axes, *head.size, *floats, *head.part_offset, *head.part_size)
