"""`video:FILE[,FILE2]`: films of one or several calibrated cameras, frame by frame at the container's times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, SourceEnded
from tracking.opencv import cv2
from tracking.pictures.address import parse_address
from tracking.pictures.images import Grey, Image
from tracking.pictures.pairing import half_period_ns, merged

#: Rates that a container may state and be believed.
SLOWEST_HZ, FASTEST_HZ = 1.0, 1000.0
#: A container's rate further than this from the rig's is worth a word.
RATE_TOLERANCE = 0.1


@dataclass
class Film:
    """One file as it is read. `stalled` counts pictures whose time stamp did not advance: they get the nominal one."""

    path: Path
    camera: int
    rate_hz: float
    promised: int
    latency_ns: int
    decoded: int = 0
    stalled: int = 0
    ended: bool = False

    def images(self) -> Iterator[Image]:
        period_ns = round(1e9 / self.rate_hz)
        last_ns: int | None = None
        with _opened(self.path) as film:
            while (picture := film.read()) and picture[0]:
                t_ns = round(film.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
                if last_ns is not None and t_ns <= last_ns:
                    self.stalled += 1
                    t_ns = last_ns + period_ns
                last_ns = t_ns
                yield Image(self.camera, self.decoded, t_ns, t_ns + self.latency_ns, "assumed", grey_of(picture[1]))
                self.decoded += 1
        self.ended = True

    def notes(self) -> Iterator[str]:
        if self.ended and self.decoded < self.promised:
            yield f"{self.path.name}: {self.promised - self.decoded} of {self.promised} frames could not be decoded"
        if self.stalled:
            yield f"{self.path.name}: the times of {self.stalled} frames did not advance; the nominal period was taken instead"


class VideoSource:
    """Films, exposure by exposure. Every picture is handed out at once, with the time that it has in its file."""

    live = False
    setup_ns = 0

    def __init__(self, films: list[Film], gap_ns: int, remarks: tuple[str, ...] = ()) -> None:
        self.name = "video:" + ",".join(film.path.name for film in films)
        self.cameras = len(films)
        self._films, self._remarks = films, remarks
        self._exposures = merged([film.images() for film in films], gap_ns)

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self._remarks, *(note for film in self._films for note in film.notes()))

    def read(self, timeout_s: float) -> tuple[Image, ...]:
        """The next exposure; never waits. Raises SourceEnded at the end."""
        exposure = next(self._exposures, None)
        if exposure is None:
            raise SourceEnded(self.name)
        return exposure

    def close(self) -> None:
        """Forget the rest; reading on raises SourceEnded."""
        self._exposures = iter(())


def open_video(address: str, rig: Rig | None = None) -> VideoSource:
    """Open `FILE` or `FILE,FILE2` (one of each camera of the rig, in the rig's order); option `latency`: ms from exposure to arrival.

    Raises
    ------
    InputRefused : a file that is not there, that is no film, or of which nothing can be decoded
    """
    asked = parse_address(address, {"latency"})
    declared_ms = asked.latency_ms()
    latency_ns = round((rig.tracker.latency_ms if rig and declared_ms is None else declared_ms or 0.0) * 1e6)
    films, remarks = list[Film](), ["times of capture are the container's, which are nominal"]
    for camera, name in enumerate(asked.names):
        path = Path(name)
        with _opened(path) as film:
            stated_hz, promised = float(film.get(cv2.CAP_PROP_FPS)), int(film.get(cv2.CAP_PROP_FRAME_COUNT))
            if not film.read()[0]:
                raise InputRefused(f"no frame of {path} can be decoded", "the file is cut or corrupt: copy it again, or record it anew")
        rate_hz, remark = _believed(stated_hz, rig, path)
        films.append(Film(path, camera, rate_hz, promised, latency_ns))
        remarks += [remark] if remark else []
    return VideoSource(films, half_period_ns(max(film.rate_hz for film in films)), tuple(remarks))


def _believed(stated_hz: float, rig: Rig | None, path: Path) -> tuple[float, str]:
    """The film's rate, and a word where it is odd."""
    if not SLOWEST_HZ <= stated_hz <= FASTEST_HZ:
        if rig is None:
            raise InputRefused(f"{path} states a rate of {stated_hz:g} frames a second", "convert it to a container that keeps times")
        return rig.tracker.rate_hz, f"{path.name} states a rate of {stated_hz:g} frames a second; the rig's {rig.tracker.rate_hz:g} is taken"
    if rig is not None and abs(stated_hz / rig.tracker.rate_hz - 1.0) > RATE_TOLERANCE:
        return stated_hz, f"{path.name} runs at {stated_hz:g} frames a second, the rig states {rig.tracker.rate_hz:g}"
    return stated_hz, ""


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    if not path.is_file():
        raise InputRefused(f"no video at {path}", "check the path")
    # OpenCV would print a line of its own for a file that it cannot open.
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        # FFmpeg alone: other backends would take a file's name for a pattern of image names.
        film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    finally:
        cv2.utils.logging.setLogLevel(level)
    try:
        if not film.isOpened():
            raise InputRefused(f"{path} is not a video that can be decoded", "it is cut, corrupt or of an unknown kind: copy or convert it")
        yield film
    finally:
        film.release()


def grey_of(pixels: np.ndarray) -> Grey:
    """(H, W) uint8 of a picture that is grey or BGR."""
    return np.ascontiguousarray(pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
