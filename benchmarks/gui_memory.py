"""Whether the desktop's memory stays flat: a long log played flat out through core and window, their memory four times a second.

A core process plays MINUTES of 60 Hz frames as fast as it goes (the real Core, Loop and Server of `navtwin run --speed 0`, a source that makes the
frames of a moving instrument); the desktop (`navtwin gui` at Navigate, 1400 x 900) shows what it can of them, all through. The first fifth is
warming up and is left out.

slope     of a straight line through the resident memory, MiB per minute of the log
change    from the first to the last tenth of what is judged, in per cent
spread    the farthest from the median, in per cent

    python benchmarks/gui_memory.py [--minutes 30] [--case FOLDER | --patient phantom] [--json FILE]
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import common
import numpy as np
from gui_parts.around import around, window
from latency_parts.core import set_up
from latency_parts.neighbours import told
from latency_parts.source import Swinging
from results import cli
from results.model import Figure
from rich.console import Console
from rich.progress import Progress

from navtwin.bus.server import Server
from navtwin.errors import InputRefused
from navtwin.kernels import warm_up
from navtwin.kernels.errorbar import warm_up as warm_up_errorbar
from navtwin.nouns import Rig, SourceEnded, SourceItem, read_rig
from navtwin.run.core import Core
from navtwin.run.live import Loop
from navtwin.run.reader import SourceReader
from navtwin.run.session import new_header
from navtwin.run.timeline import Timeline
from navtwin.run.workers import Workers
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene

RATE_HZ = 60.0
WARM_UP_SHARE = 0.2
#: Figures of one process's memory, as `judge` names them, and their units.
UNITS = {"median_mib": "MiB", "slope_mib_per_min": "MiB/min", "change_percent": "%", "spread_percent": "%"}
SAMPLE_S, LEAVING_S = 0.25, 30.0
MIB = 2**20


class Recording(Swinging):
    """The same moving instrument as a recording: frames with stamps of their own, at once. Until told to `go` it plays a prelude in real time."""

    live = False

    def __init__(self, scene: Scene, rig: Rig, minutes: float, played: Synchronized[int], go: Flag) -> None:
        super().__init__(scene, rig, RATE_HZ, lambda: False)
        self._count, self._played, self._go = round(60.0 * minutes * RATE_HZ), played, go
        self._prelude = 0

    def read(self, timeout_s: float) -> SourceItem | None:
        """The next frame; raises SourceEnded behind the last."""
        if not self._go.is_set():
            self._prelude = len(self.due_ns)
            self._go.wait(1.0 / RATE_HZ)
        played = len(self.due_ns) - self._prelude
        if played >= self._count:
            raise SourceEnded(self.name)
        self._played.value = played
        return self.frame_at(self._due(len(self.due_ns)))


def player_process(case: Path, minutes: float, played: Synchronized[int], ready: Connection, go: Flag, stop: Flag) -> None:
    """A core that plays flat out, once it is told to."""
    scene, rig = load_scene(case), read_rig(case / "rig.toml")
    warm_up()
    warm_up_errorbar()
    with ExitStack() as stack:
        server = Server(pub_port=0, command_port=0)
        stack.callback(server.close)
        workers = Workers(case)
        stack.callback(workers.close)
        core = Core(scene, rig, new_header(scene, rig, case / "rig.toml", "benchmark", 0.0), publish=server.publish, answer=lambda seq, payload: None)
        ready.send((server.pub_port, server.command_port))
        for body in set_up(rig):
            core.take(time.monotonic_ns(), body)
        reader = SourceReader(Recording(scene, rig, minutes, played, go))
        stack.callback(reader.close)
        Loop(core, reader, workers, server, Timeline(0.0), stop.is_set, {}, lambda text: None).run()
        ready.send("over")


def resident_mib(pid: int) -> float:
    """Memory of a process that is in use now."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (FileNotFoundError, ProcessLookupError) as error:
        raise SystemExit(f"process {pid} has ended") from error
    return pages * 4096 / MIB


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def judge(minutes: np.ndarray, mib: np.ndarray) -> dict[str, float]:
    """Slope, change and spread of one process's memory, without its warming up."""
    late = minutes >= minutes[0] + WARM_UP_SHARE * (minutes[-1] - minutes[0])
    t, m = minutes[late], mib[late]
    tenth = max(1, len(m) // 10)
    median = float(np.median(m))
    return {
        "median_mib": median,
        "slope_mib_per_min": float(np.polyfit(t, m, 1)[0]),
        "change_percent": 100.0 * (float(np.median(m[-tenth:])) / float(np.median(m[:tenth])) - 1.0),
        "spread_percent": 100.0 * float(np.abs(m - median).max()) / median,
    }


def measure(case: Path, minutes: float) -> tuple[dict[str, dict[str, float]], int, float, tuple[int, int]]:
    """Of core and window: how their memory went; pictures painted, seconds it took, the window's threads at begin and end."""
    start = multiprocessing.get_context("spawn")
    stop, go, (end, far), played = start.Event(), start.Event(), start.Pipe(), start.Value("q", 0)
    player = start.Process(target=player_process, args=(case, minutes, played, far, go, stop))
    player.start()
    samples: list[tuple[float, float, float]] = []
    try:
        ports = told(end, player, 120.0)
        with Progress(console=Console(stderr=True), transient=True) as bar, around() as where, window(where, case, ports, 36000.0) as shown:
            shown.wait_ready()
            go.set()
            begun, first = time.monotonic(), threads(shown.process.pid)
            task = bar.add_task("playing", total=minutes)
            while not end.poll(SAMPLE_S):
                at = played.value / RATE_HZ / 60.0
                bar.update(task, completed=at)
                samples.append((at, resident_mib(player.pid or 0), resident_mib(shown.process.pid)))
            took_s, last = time.monotonic() - begun, threads(shown.process.pid)
            seen = shown.leave(LEAVING_S)
    finally:
        stop.set()
        player.join(20.0)
        if player.is_alive():
            player.kill()
            player.join()
    at, core, gui = np.array(samples).T
    return {"core": judge(at, core), "desktop": judge(at, gui)}, len(seen["pictures_ns"]), took_s, (first, last)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_case(options)
    options.add_argument("--minutes", type=float, default=30.0, help="of the log (default: 30)")
    cli.add_options(options)
    arguments = options.parse_args()
    if not Path("/proc/self/statm").exists():
        raise InputRefused("this system does not tell the memory of a process under /proc", "run this on Linux")
    if arguments.minutes <= 0.0:
        raise InputRefused(f"--minutes {arguments.minutes:g}: nothing to play", "ask for more than none")
    run = cli.run_begun("gui-memory", arguments)
    _, _, case = common.case_of(arguments)
    rows, pictures, took_s, (first, last) = measure(case, arguments.minutes)
    result = run.result(
        settings={"case": case.name, "minutes": arguments.minutes},
        figures=[
            *(
                Figure(name=f"{process}: {key.split('_')[0]}", value=row[key], unit=unit, better="none" if key == "change_percent" else "less")
                for process, row in rows.items()
                for key, unit in UNITS.items()
            ),
            Figure(name="pictures", value=pictures / took_s, unit="fps", better="more"),
            Figure(name="threads that the window gained", value=float(last - first), unit=""),
        ],
        notes=(f"{arguments.minutes:g} minutes of log, flat out in {took_s:.0f} s; {first} threads of the window at first, {last} at last.",),
    )
    return cli.finish(arguments, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
