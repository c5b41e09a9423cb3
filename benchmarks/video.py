"""What live video costs tracking: the latency of frames with nobody who looks, with one screen, and with one that has stalled.

A rendered camera's pictures (1280 x 720, the printed pointer in view, made beforehand) come at the camera's rate as a live camera's do, and are
tracked by the child process of `camera:`. Beside it runs what `navtwin run` runs for video: its thread, its socket, a screen in a process of its own
that decodes what it gets. Latency is from the picture in memory to its tracker frame handed to the loop. The three states take turns of a few
seconds, so that whatever else the machine does hits them alike; the first moments of each turn are left out.

    python benchmarks/video.py [--rate 30] [--turn 4] [--rounds 5] [--json FILE]     or: navtwin bench video
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import zmq
from measured import measured
from results import cli
from results.model import Figure, percentile
from rich.console import Console
from rich.progress import Progress

from navtwin.bus.video import TOPIC, VideoClient, VideoServer
from navtwin.errors import InputRefused
from navtwin.nouns import Rig, TrackerFrame, read_rig
from navtwin.run.video import Video
from phantoms.camera.device import open_camera
from tracking.kit.sheet import make_sheet, write_sheet
from tracking.opencv import cv2
from tracking.pictures.images import Grey, Image
from tracking.stream.live import PictureTracking

STATES = ("nobody looks", "one screen", "one stalled")
SETTLE_S = 0.7
PICTURES = 60


class Paced:
    """A live camera that shows the same pictures again and again, forwards and backwards, at a steady rate."""

    name, live, setup_ns, cameras = "benchmark", True, 0, 1

    def __init__(self, greys: list[Grey], rate_hz: float) -> None:
        self._greys = greys + greys[::-1]
        self._period_ns = round(1e9 / rate_hz)
        self._begun_ns = time.monotonic_ns()
        self._number = 0

    def read(self, timeout_s: float) -> tuple[Image, ...] | None:
        now = time.monotonic_ns()
        # Like a camera's, pictures that nobody took in time are gone.
        self._number = max(self._number + 1, (now - self._begun_ns) // self._period_ns)
        left_s = (self._begun_ns + self._number * self._period_ns - now) * 1e-9
        if left_s > timeout_s:
            self._number -= 1
            time.sleep(timeout_s)
            return None
        time.sleep(max(0.0, left_s))
        now = time.monotonic_ns()
        return (Image(0, self._number, now - 10_000_000, now, "host", self._greys[self._number % len(self._greys)]),)

    def close(self) -> None:
        """Nothing is open."""


def look(port: int, state: str, on: Flag, over: Flag, results: multiprocessing.Queue[tuple[int, int]]) -> None:
    """A screen: while it is on it subscribes, and reads and decodes, or reads nothing at all."""
    import numpy as np

    taken = size = 0
    while not over.is_set():
        if not on.wait(0.05):
            continue
        if state == "one stalled":
            context = zmq.Context()
            socket = context.socket(zmq.SUB)
            socket.set(zmq.RCVHWM, 1)
            socket.subscribe(TOPIC)
            socket.connect(f"tcp://127.0.0.1:{port}")
            while on.is_set():
                time.sleep(0.01)
            context.destroy(linger=0)
            continue
        with closing(VideoClient(port=port)) as client:
            while on.is_set():
                if (picture := client.newest(50)) is not None:
                    cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
                    taken, size = taken + 1, size + len(picture.jpeg)
    results.put((taken, size))


def kit_rig(folder: Path) -> Rig:
    """The printed kit's rig with one camera of 1280 x 720 px."""
    path = folder / "rig.toml"
    write_sheet(make_sheet("A4", "APRILTAG_36h11", ["ref", "pointer", "drill"], 0), folder / "sheet.pdf", path, force=True)
    camera = '\n[[camera]]\nname = "webcam"\nwidth_px = 1280\nheight_px = 720\nfocal_px = [930.0, 930.0]\ncentre_px = [639.5, 359.5]\n'
    path.write_text(path.read_text(encoding="utf-8") + camera, encoding="utf-8")
    return read_rig(path)


@contextmanager
def screens(port: int) -> Iterator[tuple[dict[str, Flag], multiprocessing.Queue[tuple[int, int]]]]:
    """A process for each state with a screen, and the flag that lets it look; when they have left, what they took is in the queue."""
    spawn = multiprocessing.get_context("spawn")
    over, results = spawn.Event(), spawn.Queue()
    flags = {state: spawn.Event() for state in STATES[1:]}
    processes = [spawn.Process(target=look, args=(port, state, flag, over, results), daemon=True) for state, flag in flags.items()]
    for process in processes:
        process.start()
    try:
        yield flags, results
    finally:
        over.set()
        for process in processes:
            process.join(10.0)


class Seen:
    """What was noted of each state."""

    def __init__(self) -> None:
        self.latencies_ms: dict[str, list[float]] = {state: [] for state in STATES}
        self.wanted = dict.fromkeys(STATES, 0)
        self.taken = self.size = 0


def in_turns(rate: float, turn_s: float, rounds: int) -> Seen:
    """Each state for some seconds, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        rig = kit_rig(Path(folder))
    camera = open_camera("body:pointer?lens=rig&height=720", None, rig)
    greys = [camera.take.picture(0, n) for n in range(0, len(camera.take.capture_ns), max(1, len(camera.take.capture_ns) // PICTURES))]
    source = PictureTracking(Paced(greys, rate), rig)
    video = Video(VideoServer(port=0), source.pictures, rig, print)
    seen = Seen()
    try:
        with screens(video.begin("benchmark")) as (flags, results), Progress(console=Console(stderr=True), transient=True) as bar:
            for state in bar.track(STATES * rounds, description="states take turns"):
                if state in flags:
                    flags[state].set()
                took = one_turn(source, video, turn_s)
                seen.latencies_ms[state] += [latency for latency, _ in took]
                seen.wanted[state] += sum(wanted for _, wanted in took)
                if state in flags:
                    flags[state].clear()
        seen.taken, seen.size = map(sum, zip(*(results.get(timeout=10.0) for _ in flags), strict=True))
    finally:
        video.close()
        source.close()
    return seen


def one_turn(source: PictureTracking, video: Video, turn_s: float) -> list[tuple[float, bool]]:
    """Of each frame: its latency, ms, and whether somebody wanted its picture."""
    took = []
    begun = time.monotonic()
    while (spent := time.monotonic() - begun) < turn_s + SETTLE_S:
        item = source.read(0.1)
        if not isinstance(item, TrackerFrame) or item.stages is None:
            continue
        video.fed(item)
        if spent > SETTLE_S:
            took.append(((item.t_arrival_ns - item.stages.t_image_ns) * 1e-6, bool(source.pictures.wanted)))
    return took


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rate", type=float, default=30.0, help="of the camera, Hz")
    options.add_argument("--turn", type=float, default=4.0, help="of each state at a time, s")
    options.add_argument("--rounds", type=int, default=5, help="turns of each state")
    cli.add_options(options)
    arguments = options.parse_args()
    if arguments.rounds < 1 or arguments.rate * arguments.turn < 1.0 or min(arguments.rate, arguments.turn) <= 0.0:
        raise InputRefused("a turn without a frame measures nothing", "ask for one round, and one frame in each turn, at least")
    run = cli.run_begun("video", arguments)
    seen = in_turns(arguments.rate, arguments.turn, arguments.rounds)
    figures, distributions = measured(seen.latencies_ms, "ms")
    alone = percentile(seen.latencies_ms[STATES[0]], 99.0)
    figures += [Figure(name=f"p99 grows with {state}", value=percentile(seen.latencies_ms[state], 99.0) - alone, unit="ms") for state in STATES[1:]]
    seconds = arguments.rounds * (arguments.turn + SETTLE_S)
    figures += [
        Figure(name="pictures that the screen took", value=seen.taken / seconds, unit="fps", better="more"),
        Figure(name="size of a picture", value=seen.size / max(seen.taken, 1) / 1e3, unit="kB", better="none"),
    ]
    wanted = ", ".join(f"{seen.wanted[state] / max(len(seen.latencies_ms[state]), 1):.0%} of frames ({state})" for state in STATES)
    result = run.result(
        settings={"rate_hz": arguments.rate, "turn_s": arguments.turn, "rounds": arguments.rounds},
        figures=figures,
        distributions=distributions,
        notes=("From the picture in memory to its tracker frame, 1280 x 720.", f"Pictures were wanted at {wanted}."),
    )
    return cli.finish(arguments, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
