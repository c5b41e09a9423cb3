"""The process that finds markers and poses, so that a picture that is costly to search never holds up the twin's process.

It is started as `python -m tracking.stream.child`. On its standard input come a line with the rig and then exposures: a line of JSON each, and the
pictures' bytes behind it. On its standard output it answers each with a tracker frame, a line of JSON; where it was asked for pictures to show, they
follow when they are made, a line each. It ends when its input does.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec
import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, encode
from tracking.child_process import Answer, Ready, Refused, answers_alone
from tracking.opencv import cv2
from tracking.pictures.images import Image, Picture, Stamp
from tracking.stream.shown import PictureMaker, Shown

#: Lines longer than this are not ours.
LONGEST_LINE = 16 << 20


class Start(msgspec.Struct, frozen=True):
    """The first line: what to track, under which name, and whether sensors make the pictures now."""

    rig: Rig
    source: str
    live: bool


class Shot(msgspec.Struct, frozen=True):
    """A picture without its pixels."""

    camera: int
    number: int
    t_capture_ns: int
    t_arrival_ns: int
    stamp: Stamp
    width: int
    height: int


class Head(msgspec.Struct, frozen=True):
    """The line before an exposure's pictures: what they are, and whether somebody wants to look at them."""

    shots: list[Shot]
    shown: bool


@dataclass(frozen=True, slots=True)
class Exposure:
    """Pictures taken at once, and whether they are to be shown."""

    images: list[Image]
    shown: bool


_decode_start = msgspec.json.Decoder(Start).decode
_decode_head = msgspec.json.Decoder(Head).decode


def write_exposure(stream: BinaryIO, pictures: Sequence[Picture], *, shown: bool = False) -> None:
    """Send one exposure to the child."""
    shots = [Shot(p.camera, p.number, p.t_capture_ns, p.t_arrival_ns, p.stamp, p.grey.shape[1], p.grey.shape[0]) for p in pictures]
    stream.write(encode(Head(shots, shown)) + b"\n")
    for picture in pictures:
        stream.write(np.ascontiguousarray(picture.grey).data)
    stream.flush()


def read_exposure(stream: BinaryIO) -> Exposure | None:
    """The next exposure; None at the end of the input, even if it ends within one."""
    line = stream.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        return None
    images, head = [], _decode_head(line)
    for shot in head.shots:
        grey = np.empty((shot.height, shot.width), np.uint8)
        if _fill(stream, grey.data.cast("B")) < grey.size:
            return None
        images.append(Image(shot.camera, shot.number, shot.t_capture_ns, shot.t_arrival_ns, shot.stamp, grey))
    return Exposure(images, head.shown)


def _fill(stream: BinaryIO, buffer: memoryview) -> int:
    done = 0
    while done < len(buffer) and (got := stream.readinto(buffer[done:])):  # type: ignore[attr-defined]
        done += got
    return done


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer exposures until the input ends."""
    from tracking.stream.tracker import MarkerTracker
    from tracking.stream.warm import warm_up

    one_at_a_time = threading.Lock()

    def say(answer: Answer | Shown) -> None:
        line = encode(answer) + b"\n"
        with one_at_a_time:
            answers.write(line)
            answers.flush()

    start = _decode_start(requests.readline(LONGEST_LINE))
    maker = PictureMaker([camera.name for camera in start.rig.camera], say)
    try:
        tracker = MarkerTracker(start.rig, start.source, live=start.live)
        warm_up(start.rig)
        say(Ready())
        while (exposure := read_exposure(requests)) is not None:
            frame = tracker.track(exposure.images)
            say(frame)
            if exposure.shown:
                maker.offer(tracker.pictures, frame.number, tracker.found)
    except InputRefused as refused:
        say(Refused(refused.problem, refused.remedy))
    finally:
        maker.close()


def main() -> None:
    """Be the child."""
    answers = answers_alone()
    # The twin needs a core of its own.
    cv2.setNumThreads(max(1, (os.cpu_count() or 1) - 1))
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        # The parent has gone: nobody is left to answer.
        os._exit(1)


if __name__ == "__main__":
    main()
