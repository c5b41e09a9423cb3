"""How fast a tracker recording becomes a log, and how much memory that takes.

`navtwin bench importing [--frames 100000] [--seed 1] [--runs 5] [--json FILE]`

Makes one recording of three tools (status words, counters, two time stamps, rotations with all their digits; one tool is lost now and then) and
writes it as `.igs.mha` as PLUS does, as `.igs.mha` with six digits, as `.igs.nrrd`, as MITK's CSV and as a plain CSV. Each is then imported in
processes of their own: `read` is the file into columns, `import` is the file into a finished log, and `navtwin import` is the command from start to
end, its own start included. Memory is what the import's process took at most beyond what it had before, a frame.
"""

from __future__ import annotations

import os

# Before NumPy loads: its threads gain nothing on matrices this small, and wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from results import cli
from results.model import Figure
from rich.console import Console
from rich.progress import track

from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Sighting, TrackerFrame
from navtwin.record.igsio import Losses, nrrd_lines
from navtwin.record.mitk_csv import mitk_lines
from navtwin.record.tracks_csv import write_tracks

TOOLS = ("Probe", "Reference", "Stylus")
PERIOD_NS = 16_666_667


def made(count: int, seed: int) -> Iterator[TrackerFrame]:
    """A recording of three tools at 60 Hz; the stylus is out of view in one stretch of seven."""
    rng = np.random.default_rng(seed)
    turns = rng.normal(size=(count, 3, 4)) * 0.01 + rng.normal(size=(3, 4))
    turns /= np.linalg.norm(turns, axis=2, keepdims=True)
    places = rng.normal(size=(count, 3, 3)) * 5.0 + rng.uniform(-500.0, 500.0, (3, 3)) - (0.0, 0.0, 1500.0)
    for n in range(count):
        seen = [Sighting(body, "OK", Pose(tuple(q), tuple(t))) for body, q, t in zip(TOOLS, turns[n].tolist(), places[n].tolist(), strict=True)]
        if n // 300 % 7 == 6:
            seen[2] = Sighting("Stylus", "OUT_OF_VIEW")
        t_ns = 1_000_000_000_000 + n * PERIOD_NS
        yield TrackerFrame("made", 1000 + n, t_ns, t_ns + 1_000_000, tuple(seen))


def plus_lines(frames: Iterator[TrackerFrame], count: int, digits: int) -> Iterator[str]:
    """The recording as PLUS writes it: no field of ours, identity where a tool is not seen."""
    yield from ("ObjectType = Image", "NDims = 3", f"DimSize = 0 0 {count}", "ElementType = MET_OTHER", "CompressedData = False")
    for n, frame in enumerate(frames):
        start = f"Seq_Frame{n:04d}_"
        yield f"{start}FrameNumber = {frame.number}"
        for sighting in frame.sightings:
            matrix = np.eye(4) if sighting.pose is None else sighting.pose.rigid(target="tracker", source="marker").matrix()
            numbers = " ".join(f"{number:.{digits}g}" for number in matrix.ravel().tolist())
            yield f"{start}{sighting.body}ToTrackerTransform = {numbers} "
            yield f"{start}{sighting.body}ToTrackerTransformStatus = {sighting.status}"
        yield f"{start}Timestamp = {frame.t_capture_ns * 1e-9:.6f}"
        yield f"{start}UnfilteredTimestamp = {frame.t_arrival_ns * 1e-9:.6f}"
        yield f"{start}ImageStatus = INVALID"
    yield "ElementDataFile = LOCAL"


def write_all(folder: Path, count: int, seed: int) -> dict[str, Path]:
    """The recording as a file of each kind."""

    def of_lines(name: str, lines: Callable[[], Iterator[str]]) -> Path:
        with (folder / name).open("w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines())
        return folder / name

    files = {
        ".igs.mha": of_lines("plus.igs.mha", lambda: plus_lines(made(count, seed), count, 17)),
        ".igs.mha, 6 digits": of_lines("plus6.igs.mha", lambda: plus_lines(made(count, seed), count, 6)),
        ".igs.nrrd (ours)": of_lines("ours.igs.nrrd", lambda: nrrd_lines(made(count, seed), count, Losses())),
        ".mitk.csv": of_lines("ours.mitk.csv", lambda: mitk_lines(made(count, seed), TOOLS)),
        ".tracks.csv": folder / "ours.tracks.csv",
    }
    with files[".tracks.csv"].open("w", encoding="utf-8", newline="") as stream:
        write_tracks(lambda: made(count, seed), stream)
    return files


def one(file: Path) -> None:
    """In a process of its own: read once, import once; prints seconds, processor seconds and memory as JSON."""
    from navtwin.record.imports import import_stream
    from tracking.recordings.kinds import read_recording
    from tracking.recordings.recorded import open_source

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, spent = time.perf_counter(), time.process_time()
    imported = import_stream(open_source(str(file)), file.with_suffix(".one.mcap"), "benchmark")
    figures = {"import_s": time.perf_counter() - begun, "import_cpu_s": time.process_time() - spent, "frames": imported.frames}
    figures["memory_bytes"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    file.with_suffix(".one.mcap").unlink()
    begun = time.perf_counter()
    read_recording(file)
    print(json.dumps(figures | {"read_s": time.perf_counter() - begun}))


def measure(kind: str, file: Path, runs: int) -> list[Figure]:
    """Medians over some runs, frames a second; memory in bytes a frame. Their blocks are the runs."""
    found = []
    for _ in range(runs):
        told = json.loads(subprocess.run([sys.executable, __file__, "--one", file], check=True, capture_output=True, text=True).stdout)
        log = file.with_suffix(".mcap")
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "navtwin", "import", file, "--to", log], check=True, capture_output=True)
        told["command_s"] = time.perf_counter() - begun
        log.unlink()
        found.append(told)
    frames = found[0]["frames"]
    figures = []
    for what, key in (("read", "read_s"), ("import", "import_s"), ("import, processor time", "import_cpu_s"), ("navtwin import", "command_s")):
        rates = tuple(frames / told[key] for told in found)
        figures.append(Figure(name=f"{kind}: {what}", value=median(rates), unit="frames/s", better="more", blocks=rates))
    memory = tuple(told["memory_bytes"] / frames for told in found)
    figures.append(Figure(name=f"{kind}: memory", value=median(memory), unit="bytes/frame", blocks=memory))
    return [*figures, Figure(name=f"{kind}: file", value=file.stat().st_size / frames, unit="bytes/frame")]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--frames", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    cli.add_options(options)
    arguments = options.parse_args()
    if arguments.one is not None:
        one(arguments.one)
        return 0
    if min(arguments.frames, arguments.runs) < 1:
        raise InputRefused(f"--frames {arguments.frames} --runs {arguments.runs}: nothing to import", "ask for one or more of each")
    run = cli.run_begun("importing", arguments)
    with tempfile.TemporaryDirectory() as folder:
        files = write_all(Path(folder), arguments.frames, arguments.seed)
        kinds = track(files.items(), description="importing", transient=True, console=Console(stderr=True))
        figures = [figure for kind, file in kinds for figure in measure(kind, file, arguments.runs)]
    result = run.result(
        settings={"frames": arguments.frames, "tools": len(TOOLS), "runs": arguments.runs},
        figures=figures,
        notes=(f"Medians of {arguments.runs} runs, each in processes of its own; `navtwin import` counts the command's own start.",),
        seeds=(arguments.seed,),
    )
    return cli.finish(arguments, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
