"""The process that finds markers and poses, so that a picture that is costly to search never holds up the twin's process.

It is started as `python -m tracking.stream.child`. On its standard input come a line with the rig and then exposures: a line of JSON each, and the
pictures' bytes behind it. On its standard output it answers each with a tracker frame, a line of JSON. It ends when its input does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

import msgspec
import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, encode
from tracking.child_process import Answer, Ready, Refused, answers_alone
from tracking.opencv import cv2
from tracking.pictures.images import Image, Picture, Stamp

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


_decode_start = msgspec.json.Decoder(Start).decode
_decode_shots = msgspec.json.Decoder(list[Shot]).decode


def write_exposure(stream: BinaryIO, pictures: Sequence[Picture]) -> None:
    """Send one exposure to the child."""
    heads = [Shot(p.camera, p.number, p.t_capture_ns, p.t_arrival_ns, p.stamp, p.grey.shape[1], p.grey.shape[0]) for p in pictures]
    stream.write(encode(heads) + b"\n")
    for picture in pictures:
        stream.write(np.ascontiguousarray(picture.grey).data)
    stream.flush()


def read_exposure(stream: BinaryIO) -> list[Image] | None:
    """The next exposure; None at the end of the input, even if it ends within one."""
    line = stream.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        return None
    images = []
    for shot in _decode_shots(line):
        grey = np.empty((shot.height, shot.width), np.uint8)
        if _fill(stream, grey.data.cast("B")) < grey.size:
            return None
        images.append(Image(shot.camera, shot.number, shot.t_capture_ns, shot.t_arrival_ns, shot.stamp, grey))
    return images


def _fill(stream: BinaryIO, buffer: memoryview) -> int:
    done = 0
    while done < len(buffer) and (got := stream.readinto(buffer[done:])):  # type: ignore[attr-defined]
        done += got
    return done


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer exposures until the input ends."""
    from tracking.stream.tracker import MarkerTracker
    from tracking.stream.warm import warm_up

    def say(answer: Answer) -> None:
        answers.write(encode(answer) + b"\n")
        answers.flush()

    start = _decode_start(requests.readline(LONGEST_LINE))
    try:
        tracker = MarkerTracker(start.rig, start.source, live=start.live)
        warm_up(start.rig)
        say(Ready())
        while (images := read_exposure(requests)) is not None:
            say(tracker.track(images))
    except InputRefused as refused:
        say(Refused(refused.problem, refused.remedy))


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
