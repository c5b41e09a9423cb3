"""`navtwin gui CASE`: the window, or pictures in its place."""

from __future__ import annotations

import getpass
import os
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gui.link.own_core import core_beside
from navtwin.bus.keys import client_keys
from navtwin.bus.topics import COMMAND_PORT, PUB_PORT
from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from gui.link.board import Board
    from navtwin.nouns import Rig
    from navtwin.scene.model import Scene
    from navtwin.sound.beside import Beside

RIG_FILE = "rig.toml"


def app(
    case: Annotated[Path, typer.Argument(help="the case folder that the core runs on")],
    host: Annotated[str, typer.Option(help="the core's host")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the core's publishing port")] = PUB_PORT,
    command_port: Annotated[int, typer.Option("--command-port", min=1, max=65535, help="the core's command port")] = COMMAND_PORT,
    who: Annotated[str, typer.Option(help="your name, logged with each order (default: the user's, or the key's)")] = "",
    rig: Annotated[Path | None, typer.Option(metavar="FILE", help="where the instruments' shapes are (default: the case's own rig.toml)")] = None,
    source: Annotated[str, typer.Option(help="start a core on this source too (as for `navtwin run`); it outlives the window")] = "",
    headless: Annotated[bool, typer.Option("--headless", help="no window: save a picture at each alert and at each new scene")] = False,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="where --headless saves pictures")] = Path("pictures"),
    view: Annotated[str, typer.Option(help="posterior, left, axial or tip")] = "",
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="play the alarms' sounds (--headless never does)")] = True,
    until_end: Annotated[bool, typer.Option("--until-end", help="close the window when the session ends (--headless always does)")] = False,
    key: Annotated[str, typer.Option(metavar="NAME", help="own CURVE key, for a core beyond this machine")] = "",
    server_key: Annotated[Path | None, typer.Option("--server-key", metavar="FILE", help="the core's .pub file")] = None,
) -> None:
    """Watch a running core: the patient, the instruments, the distances and the alerts. With --source, start the core as well."""
    from gui.link.board import Board
    from navtwin.bus.client import Client
    from navtwin.scene.views import check_view

    if bool(key) != bool(server_key):
        raise InputRefused("--key and --server-key go together", "pass your key's name and the core's .pub file")
    if not headless and not has_display():
        raise InputRefused("there is no display for a window", "pass --headless to save pictures instead")
    chosen = check_view(view or ("tip" if headless else "posterior"))
    scene, tools = _load(case, rig)
    keys = client_keys(key, server_key) if server_key else None
    client = Client(host, (port, command_port), keys, who or key or _user())
    core = core_beside(case, source, rig, port, command_port) if source else nullcontext()
    board = Board(client.link, time.monotonic_ns, tools.tracker.max_age_ms if tools else 100.0)
    # A polite end leaves by the same way as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with core:
        if headless:
            from gui.snapshots import watch

            try:
                count = watch(scene, tools, client, board, out, typer.echo, chosen)
            except KeyboardInterrupt:
                return
            typer.echo(f"{count} pictures in {out}")
        else:
            from gui.application import show

            # Before the window, which takes seconds to build.
            beside = _listener(host, (port, command_port), client.who, key, server_key, board) if sound else None
            try:
                code = show(scene, tools, client, board, f"{host}:{port}", chosen, until_end=until_end, sound=beside)
            finally:
                if beside:
                    beside.stop()
            if code:
                raise typer.Exit(code)


def _listener(host: str, ports: tuple[int, int], who: str, key: str, server_key: Path | None, board: Board) -> Beside:
    from navtwin.sound.beside import Beside

    where = ["--host", host, "--port", str(ports[0]), "--command-port", str(ports[1]), "--who", who]
    with_keys = ["--key", key, "--server-key", str(server_key)] if server_key else []

    def told(fault: str) -> None:
        board.audio = fault

    beside = Beside([*where, *with_keys], told)
    beside.start()
    return beside


def _load(case: Path, rig: Path | None) -> tuple[Scene, Rig | None]:
    from navtwin.nouns import read_rig
    from navtwin.scene.case import load_scene

    scene = load_scene(case)
    path = rig or case / RIG_FILE
    return scene, read_rig(path) if rig or path.exists() else None


def has_display() -> bool:
    """On Linux a window needs an X or Wayland display, unless Qt was told to use another platform."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "gui"
