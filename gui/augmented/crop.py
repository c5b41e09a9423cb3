"""Which part of a picture is shown: the whole, or some of it larger, in whole pixels of the JPEG so that nothing is moved by a fraction. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navtwin.nouns.video import VideoFrame

#: What one key press leads through.
ZOOMS: Final = (1.0, 2.0, 3.0)
MOST_ZOOM: Final = 6.0


@dataclass(frozen=True)
class Sight:
    """How large, and about which point of the full picture, px; None: its middle."""

    zoom: float = 1.0
    at_px: tuple[float, float] | None = None


WHOLE: Final = Sight()


@dataclass(frozen=True)
class Crop:
    """The part that is shown.

    Attributes
    ----------
    jpeg : left, top, width, height in pixels of the JPEG
    left_px, top_px, width_px, height_px : the same in pixels of the full picture, counted from its corner
    """

    jpeg: tuple[int, int, int, int]
    left_px: float
    top_px: float
    width_px: float
    height_px: float


def crop_of(frame: VideoFrame, sight: Sight, room_px: tuple[int, int]) -> Crop:
    """The part about a point, moved so far that it lies within the picture. Larger than the whole picture it fills the room, whatever its shape."""
    full, whole = (frame.full_width_px, frame.full_height_px), (frame.width_px, frame.height_px)
    scale = min(room / size for room, size in zip(room_px, full, strict=True)) * min(MOST_ZOOM, max(1.0, sight.zoom))
    middle = sight.at_px or (full[0] / 2.0, full[1] / 2.0)
    shares = (full[0] / whole[0], full[1] / whole[1])
    starts, sizes = list[int](), list[int]()
    for at, share, most, room in zip(middle, shares, whole, room_px, strict=True):
        size = min(most, max(1, round(room / scale / share)))
        sizes.append(size)
        starts.append(min(max(0, round((at + 0.5) / share - size / 2.0)), most - size))
    return Crop(
        (starts[0], starts[1], sizes[0], sizes[1]),
        starts[0] * shares[0], starts[1] * shares[1], sizes[0] * shares[0], sizes[1] * shares[1],
    )  # fmt: skip
