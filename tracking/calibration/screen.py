"""A screen that follows a calibration: lines of JSON for it (`navtwin.nouns.calibration`), pictures, and the orders that it gives."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import typer
from msgspec.structs import replace

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, SourceItem, TrackerFrame, encode
from navtwin.nouns.calibration import ORDERS, Calibration, CalibrationEnded, CalibrationVerdict, Progress
from navtwin.nouns.source import PictureTap
from navtwin.nouns.video import VideoFrame, bodies_of
from tracking.calibration.orders import GONE, Orders

if TYPE_CHECKING:
    from tracking.pictures.images import Picture
    from tracking.stream.shown import Found

#: Progress is told no sooner than this after the last.
TELL_S = 0.1
#: No sooner than this after the last is the next picture made.
PERIOD_NS = 60_000_000
#: Frames and pictures kept until the other half of the pair comes.
KEPT = 16


class VideoPort(Protocol):
    """Where pictures go. Another room's server passes by its shape (`navtwin.bus.video.VideoServer`)."""

    port: int

    @property
    def watched(self) -> bool: ...
    def publish(self, frame: VideoFrame, jpeg: bytes) -> None: ...
    def close(self) -> None: ...


OpenVideo = Callable[[int], VideoPort]
FoundIn = Callable[["Picture"], "tuple[Found, Sequence[tuple[float, float]]]"]


class Screen:
    """The command's end towards a screen. To be used by one thread.

    Parameters
    ----------
    out : takes the lines
    orders : gives the words of `navtwin.nouns.calibration.ORDERS`
    video : takes the pictures; closed with this
    """

    def __init__(self, what: Calibration, out: TextIO, orders: Orders, video: VideoPort | None = None) -> None:
        self.what: Calibration = what
        #: Whether it was asked to make do with what is collected.
        self.finishing = False
        self._out, self._orders, self._video = out, orders, video
        self._epoch = f"{what}-{time.monotonic_ns():x}"
        self._due_ns = 0
        self._told_s = 0.0
        self._last: Progress | None = None
        self._frames: deque[TrackerFrame] = deque(maxlen=KEPT)
        self._pictures: deque[tuple[VideoFrame, bytes]] = deque(maxlen=KEPT)

    def open(self, source: str) -> None:
        """Say that the source is being opened."""
        self._say(Progress(what=self.what, phase="opening", words=f"opening {source}", video_port=self._video.port if self._video else None))

    def tell(self, words: str, **known: Any) -> None:
        """Say how far the collecting is; `known` are further fields of `Progress`."""
        told = Progress(what=self.what, phase="collecting", words=words, video_port=self._video.port if self._video else None, **known)
        news, self._last = told != self._last, told
        if news and time.monotonic() - self._told_s >= TELL_S:
            self._told_s = time.monotonic()
            self._say(told)

    def compute(self, words: str) -> None:
        """Say that enough is collected and the result is being computed."""
        self._say(replace(self._last, phase="computing", words=words) if self._last else Progress(what=self.what, phase="computing", words=words))

    def attend(self, *, live: bool) -> bool:
        """Hear what the screen wants; True where it wants no more to be collected. Leaves where it wants that, or is gone from a live source."""
        while order := self._orders.next():
            if order == "cancel" or (order == GONE and live):
                self.end(stored=False, words="cancelled: nothing was stored")
                raise typer.Exit
            if order == "finish":
                self.finishing = True
            elif order not in (*ORDERS, GONE):
                typer.echo(f"'{order[:40]}' is none of {', '.join(ORDERS)}", err=True)
        return self.finishing

    def show(self, pictures: Sequence[Picture], names: Sequence[str], found: FoundIn) -> None:
        """Publish pictures, if anybody looks and it is time to.

        Parameters
        ----------
        names : the cameras'
        found : what was found in a picture: markers by dictionary, and other points, px
        """
        if self._video is None or not self._video.watched or time.monotonic_ns() < self._due_ns:
            return
        from tracking.stream.shown import shown

        self._due_ns = time.monotonic_ns() + PERIOD_NS
        for picture in pictures:
            if picture.camera < len(names):
                markers, points = found(picture)
                made = shown(picture, names[picture.camera], picture.number, markers, points)
                self._publish(made.frame, made.jpeg)

    def show_frame(self, tap: PictureTap | None, item: SourceItem | None, rig: Rig | None) -> None:
        """Publish what a source of poses saw: its pictures, as they come, with the sightings of the frames they belong to."""
        if self._video is None or tap is None or rig is None:
            return
        from tracking.rig import T_tracker_from_camera

        tap.wanted = self._video.watched
        if not tap.wanted:
            return
        if isinstance(item, TrackerFrame):
            self._frames.append(item)
        self._pictures.extend(tap.take())
        frames = {frame.number: frame for frame in self._frames}
        places = {camera.name: T_tracker_from_camera(camera).inverse() for camera in rig.camera}
        # A picture may come before its frame, and after it.
        due = [picture for picture in self._pictures if picture[0].number in frames and picture[0].camera in places]
        for header, jpeg in due:
            self._pictures.remove((header, jpeg))
            self._publish(replace(header, bodies=bodies_of(frames[header.number].sightings, places[header.camera])), jpeg)

    def decide(self, verdict: CalibrationVerdict) -> bool:
        """Say a verdict, and where it waits, wait; True where the screen accepts it. What was said before is no consent to it."""
        before = list(iter(self._orders.next, ""))
        self._say(verdict)
        if not verdict.waits or "cancel" in before:
            return False
        while (order := self._orders.wait()) not in ("accept", "reject", "cancel", GONE):
            continue
        return order == "accept"

    def end(self, *, stored: bool, words: str) -> None:
        """Say the last line."""
        self._say(CalibrationEnded(what=self.what, stored=stored, words=words))

    def close(self) -> None:
        """Show no more."""
        if self._video is not None:
            self._video.close()

    def _publish(self, frame: VideoFrame, jpeg: bytes) -> None:
        assert self._video is not None
        self._video.publish(replace(frame, epoch=self._epoch, t_publish_ns=time.monotonic_ns()), jpeg)

    def _say(self, line: Progress | CalibrationVerdict | CalibrationEnded) -> None:
        try:
            self._out.write(encode(line).decode() + "\n")
            self._out.flush()
        except BrokenPipeError:
            # Nobody is left to calibrate for.
            raise typer.Exit(1) from None


def screen_of(ctx: typer.Context, what: Calibration, source: str, *, progress: bool, video_port: int | None, as_json: bool) -> Screen | None:
    """The screen that a command was asked to serve, None where it was not.

    Raises
    ------
    InputRefused : options that exclude each other
    """
    if not progress:
        if video_port is not None:
            raise InputRefused("--video-port goes with --progress", "pass both, or neither")
        return None
    if as_json:
        raise InputRefused("--progress and --json both print on standard output", "pass one of them")
    open_video: OpenVideo | None = ctx.find_root().obj
    if video_port is not None and open_video is None:
        raise InputRefused("pictures cannot be published from here", "run it as `navtwin calibrate`, or leave --video-port out")
    screen = Screen(what, sys.stdout, Orders(), open_video(video_port) if open_video and video_port is not None else None)
    ctx.call_on_close(screen.close)
    screen.open(source)
    return screen
