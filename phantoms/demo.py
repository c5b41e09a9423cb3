"""`navtwin demo`: a pedicle-screw rehearsal on a real patient's CT, or a bone drilled away, with every warning going to an operator and every
acknowledgement coming back.

The demo is nothing but the product's own commands, started together: the core, an operator and a window are processes of their own.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_data_path
from rich.console import Console

from navtwin.errors import DataUnavailable, NavtwinError, nearest
from navtwin.nouns import Rig, encode, read_rig
from navtwin.record.format import PARTIAL
from navtwin.record.hashes import file_hash
from navtwin.scene.data import cache_folder
from navtwin.scene.model import Scene

#: How long the demo's operator takes to acknowledge an alert, s: a person's reaction.
REACTION_S = 1.5
#: What the core says when the first navigation frame is played.
NAVIGATION_BEGINS = "navigation begins"
#: How long the window may take to close after the session, s.
CLOSING_S = 10.0


#: What is shown, and on whom by default.
SHOWS = {"pedicle": "thorax", "drill": "temporal-bone"}
#: From where a window looks on at a script that is not played from the back.
FROM = {"mastoid": "left"}


@dataclass(frozen=True, slots=True)
class Stage:
    """What is played, where everything of it lies and which ports it talks on."""

    script: str
    case: Path
    stream: Path
    folder: Path
    port: int
    command_port: int
    speed: float


def demo(
    what: Annotated[
        str, typer.Argument(help="pedicle: two screws planned in a thoracic vertebra; drill: a mastoidectomy, or a laminectomy")
    ] = "pedicle",
    seed: Annotated[int, typer.Option(help="of the noise, the hand and the patient's true shape")] = 1,
    speed: Annotated[
        float, typer.Option(min=0.0, help="of the navigation: 1 real time; anything else is not a latency measurement; 0 flat out")
    ] = 1.0,
    patient: Annotated[
        str, typer.Option(help="pedicle: thorax (a real CT, fetched once) or phantom (built in); drill: temporal-bone or phantom, its spine")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="folder for log, pictures and report; default: in the user's session folder")] = None,
    window: Annotated[bool, typer.Option("--window/--no-window", help="show the window where there is a display")] = True,
    case_only: Annotated[Path | None, typer.Option(help="put the case of this demo into a new folder, and show nothing")] = None,
) -> None:
    """Watch a rehearsal: CT to case, calibration, registration, navigation or drilling, warnings, acknowledgements, report."""
    console = Console(stderr=True)
    begun = time.monotonic()
    if what not in SHOWS:
        raise NavtwinError(f"there is no demo '{what}'", nearest(what, SHOWS))
    script, case = _cast(console, what, patient or SHOWS[what])
    if case_only is not None:
        _copy_case(case, case_only)
        return
    stage = _prepare(console, seed, speed, script, case, out)
    first_frame_s = _perform(console, stage, begun, window=window)
    if first_frame_s is not None:
        console.print(f"first navigation frame {first_frame_s:.1f} s after the start")
    _navtwin(
        "report", str(stage.folder / "session.mcap"), "--out", str(stage.folder / "report.html"), "--journal", str(stage.folder / "operator.jsonl")
    )


def rig(folder: Annotated[Path, typer.Argument(help="case folder, or any other")]) -> None:
    """Write the demonstration rig (tracker, reference, pointer, drill) as rig.toml into a folder."""
    from phantoms.rig import RIG_FILE, write_rig

    if (folder / RIG_FILE).exists():
        raise NavtwinError(f"{folder / RIG_FILE} is already there", "remove it first, or name another folder")
    if not folder.is_dir():
        raise NavtwinError(f"no folder {folder}", "name one that is there")
    typer.echo(f"written: {write_rig(folder)}")


def _cast(console: Console, what: str, patient: str) -> tuple[str, Path]:
    """The script, and the case folder that it is played on: the built-in phantom's where the real CT cannot be had."""
    from phantoms.cases import laminectomy_patient, phantom_patient, temporal_bone_patient, thorax_patient

    match what, patient:
        case "pedicle", "thorax":
            try:
                return "pedicle", thorax_patient(console)
            except DataUnavailable as error:
                console.print(f"[yellow]no network, so the built-in phantom is used instead of the real CT[/] ({error})")
                return "pedicle", phantom_patient(console)
        case "pedicle", "phantom":
            return "pedicle", phantom_patient(console)
        case "drill", "temporal-bone":
            return "mastoid", temporal_bone_patient(console)
        case "drill", "phantom":
            return "lamina", laminectomy_patient(console)
    raise NavtwinError(f"no patient '{patient}' for this demo", f"--patient is {SHOWS[what]} or phantom")


def _copy_case(case: Path, folder: Path) -> None:
    from navtwin.scene.build import whole

    with whole(folder) as target:
        shutil.copytree(case, target, dirs_exist_ok=True)
    typer.echo(f"written: {folder}")


def _prepare(console: Console, seed: int, speed: float, script: str, case: Path, out: Path | None) -> Stage:
    """Rig and recorded stream, made once and kept by hash."""
    from navtwin.scene.case import load_scene
    from phantoms.rig import RIG_FILE

    scene, rig = load_scene(case), read_rig(case / RIG_FILE)
    folder = out or user_data_path("navtwin", appauthor=False) / "sessions" / f"demo-{datetime.now(UTC).strftime('%Y-%m-%dT%H-%M-%SZ')}"
    folder.mkdir(parents=True, exist_ok=True)
    port, command_port = _two_ports()
    return Stage(script, case, _stream(console, scene, rig, script, seed), folder, port, command_port, speed)


def _stream(console: Console, scene: Scene, rig: Rig, script: str, seed: int) -> Path:
    """The recorded rehearsal of this seed, made once for this case, rig and script."""
    from phantoms.rehearsal import stream_name, write_stream
    from phantoms.scripts import perform_script

    room = Path(__file__).parent
    code = b"".join(file_hash(p).encode() for p in (*sorted(room.glob("*.py")), *sorted((room / "drilling").glob("*.py"))))
    name = hashlib.sha256(b"%b %b %b %b %d" % (scene.case_hash.encode(), encode(rig), code, script.encode(), seed)).hexdigest()[:16]
    path = cache_folder("streams") / f"{name}.mcap"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(path.name + PARTIAL).unlink(missing_ok=True)
        with console.status(f"recording the scripted rehearsal (seed {seed})"):
            items, _ = perform_script(script, scene, rig, seed)
            write_stream(path, items, scene, rig, stream_name(seed, script))
    return path


def _perform(console: Console, stage: Stage, begun: float, *, window: bool) -> float | None:
    """Run core, operator and window to the end of the session; returns when the first navigation frame came, in s after `begun`."""
    where = ["--port", str(stage.port), "--command-port", str(stage.command_port)]
    journal, log = stage.folder / "operator.jsonl", stage.folder / "session.mcap"
    run = ["run", str(stage.case), "--source", f"log:{stage.stream}", "--log", str(log), "--speed", str(stage.speed), *where]
    listen = ["operator", *where, "--who", "demo operator", "--auto-ack", str(REACTION_S), "--plain", "--until-end", "--journal", str(journal)]
    shows = window and _has_display()
    watch = ["gui", str(stage.case), *where, "--until-end"]
    if not shows:
        console.print("no display: pictures are saved instead of a window" if window else "no window asked for: pictures are saved instead")
        watch += ["--headless", "--out", str(stage.folder / "pictures")]
    elif stage.script in FROM:
        watch += ["--view", FROM[stage.script]]
    console.print(f"operator: acknowledges by itself after {REACTION_S:g} s; watch or take over with: navtwin operator {' '.join(where)}")
    with _started(listen) as operator, _started(watch, background=True) as viewer, _started(run, stderr=subprocess.PIPE) as core:
        first = _relay(console, core, begun)
        code = core.wait()
        if code:
            raise NavtwinError(f"the core ended with exit code {code}", "read what it said above")
        operator.wait(timeout=CLOSING_S)
        viewer.wait(timeout=CLOSING_S)
    return first


@contextmanager
def _started(arguments: list[str], *, stderr: int | None = None, background: bool = False) -> Iterator[subprocess.Popen[str]]:
    """One of our own commands as a process that does not outlive the demo."""
    priority = ["nice", "-n", "10"] if background and platform.system() != "Windows" else []
    process = subprocess.Popen([*priority, sys.executable, "-m", "navtwin", *arguments], stderr=stderr, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=CLOSING_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _relay(console: Console, core: subprocess.Popen[str], begun: float) -> float | None:
    """Show what the core says, to its end; returns when it began to navigate, in s after `begun`."""
    assert core.stderr is not None
    navigating: float | None = None
    for line in core.stderr:
        console.print(f"[dim]core: {line.rstrip()}[/]", highlight=False)
        if line.startswith(NAVIGATION_BEGINS):
            navigating = time.monotonic() - begun
    return navigating


def _navtwin(*arguments: str) -> None:
    code = subprocess.run([sys.executable, "-m", "navtwin", *arguments], check=False).returncode
    if code:
        raise typer.Exit(code)


def _has_display() -> bool:
    return platform.system() != "Linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _two_ports() -> tuple[int, int]:
    """Two ports that are free now."""
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        return int(a.getsockname()[1]), int(b.getsockname()[1])
