"""Which exposures of several cameras are one: those close enough in time to be solved together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from tracking.pictures.images import Picture


class Timed(Protocol):
    @property
    def t_capture_ns(self) -> int: ...


T = TypeVar("T", bound=Timed)


def half_period_ns(rate_hz: float) -> int:
    """The widest gap between two exposures that are taken for simultaneous, ns: beyond it another one is nearer."""
    return round(0.5e9 / rate_hz)


def simultaneous(pictures: Sequence[Picture], gap_ns: int) -> tuple[Picture, ...]:
    """The pictures not more than `gap_ns` before the newest one, in the cameras' order, at most one (the newest) of each camera."""
    newest_ns = max(p.t_capture_ns for p in pictures)
    kept = dict[int, Picture]()
    for picture in sorted(pictures, key=lambda p: p.t_capture_ns):
        if newest_ns - picture.t_capture_ns <= gap_ns:
            kept[picture.camera] = picture
    return tuple(kept[camera] for camera in sorted(kept))


def merged(streams: Sequence[Iterator[T]], gap_ns: int) -> Iterator[tuple[T, ...]]:
    """Exposures of several recordings in order of time: the earliest picture with those of the other streams within `gap_ns` of it."""
    heads: dict[int, T] = {n: image for n, stream in enumerate(streams) if (image := next(stream, None)) is not None}
    while heads:
        first_ns = min(image.t_capture_ns for image in heads.values())
        group = [n for n, image in heads.items() if image.t_capture_ns - first_ns <= gap_ns]
        yield tuple(heads[n] for n in sorted(group))
        for n in group:
            following = next(streams[n], None)
            if following is None:
                del heads[n]
            else:
                heads[n] = following
