"""The process that talks to an NDI tracker: its driver waits seconds for an answer, and could die of a garbled one.

On its standard input comes a line that says what to open; on its standard output go tracker frames, a line of JSON each. It ends when its input does.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

import msgspec

from navtwin.errors import InputRefused
from navtwin.nouns import Sighting, TrackerFrame, encode
from tracking.child_process import Answer as Line
from tracking.child_process import Ready, Refused, answers_alone
from tracking.ndi.address import NdiAddress
from tracking.ndi.device import NdiDevice, NdiTrouble

#: Between attempts to reach a tracker that has gone, s.
RETRY_S = 1.0
#: A tracker that hands out one frame again and again is asked no more often than this, s.
IDLE_S = 0.001

Say = Callable[[Line], None]


class Start(msgspec.Struct, frozen=True):
    """What to open, under which name, and how old a pose is when it arrives."""

    address: NdiAddress
    source: str
    latency_ns: int


decode_start = msgspec.json.Decoder(Start).decode


def serve(start: Start, say: Say, stop: threading.Event) -> None:
    """Answer with each new frame of the tracker until told to stop. A tracker that goes is told once, and sought again."""
    device: NdiDevice | None = None
    ready, number = False, -1
    try:
        while not stop.is_set():
            try:
                if device is None:
                    device = NdiDevice(start.address)
                if not ready:
                    say(Ready())
                    ready = True
                answer = device.poll()
                if answer.number == number:
                    stop.wait(IDLE_S)
                    continue
                number = answer.number
                say(_frame(start, answer.number, answer.sightings))
            except (NdiTrouble, InputRefused) as trouble:
                if not ready:
                    raise
                if device is not None:
                    device.close()
                    device = None
                    # Silence is what the twin alarms on; one frame says why.
                    words = trouble.problem if isinstance(trouble, InputRefused) else str(trouble)
                    say(_frame(start, number, tuple(Sighting(body=t.body, status="REQ_TIMEOUT", reason=words) for t in start.address.tools)))
                stop.wait(RETRY_S)
    except InputRefused as refused:
        say(Refused(refused.problem, refused.remedy))
    except NdiTrouble as trouble:
        say(Refused(str(trouble), "check that it is switched on and not in use by another program"))
    finally:
        if device is not None:
            device.close()


def _frame(start: Start, number: int, sightings: tuple[Sighting, ...]) -> TrackerFrame:
    now_ns = time.monotonic_ns()
    return TrackerFrame(
        source=start.source, number=number, t_capture_ns=now_ns - start.latency_ns, t_arrival_ns=now_ns, sightings=sightings, stamp="assumed"
    )


def main() -> None:
    """Be the child."""
    answers = answers_alone()

    def say(line: Line) -> None:
        answers.write(encode(line) + b"\n")
        answers.flush()

    stop = threading.Event()

    def until_input_ends() -> None:
        sys.stdin.buffer.read()
        stop.set()

    start = decode_start(sys.stdin.buffer.readline())
    threading.Thread(target=until_input_ends, daemon=True).start()
    try:
        serve(start, say, stop)
    except BrokenPipeError:
        # The parent has gone: nobody is left to answer.
        os._exit(1)


if __name__ == "__main__":
    main()
