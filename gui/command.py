"""`navtwin gui [CASE]`: the desktop, or pictures in its place."""

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
from navtwin.bus.topics import BONE_PORT, COMMAND_PORT, PUB_PORT, VIDEO_PORT
from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from gui.desktop.core import OwnCore
    from gui.link.board import Board
    from navtwin.bus.bone import BoneClient
    from navtwin.bus.client import Client
    from navtwin.nouns import Rig
    from navtwin.scene.views import ViewName
    from navtwin.sound.beside import Beside

CASE_FILE, RIG_FILE = "case.toml", "rig.toml"


def app(
    case: Annotated[Path | None, typer.Argument(help="the case folder that the core runs on; none opens an empty desk")] = None,
    host: Annotated[str, typer.Option(help="the core's host")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the core's publishing port")] = PUB_PORT,
    command_port: Annotated[int, typer.Option("--command-port", min=1, max=65535, help="the core's command port")] = COMMAND_PORT,
    video_port: Annotated[int, typer.Option("--video-port", min=0, max=65535, help="its port of live pictures (default: --port and 2)")] = 0,
    who: Annotated[str, typer.Option(help="your name, logged with each order (default: the user's, or the key's)")] = "",
    rig: Annotated[Path | None, typer.Option(metavar="FILE", help="where the instruments' shapes are (default: the case's own rig.toml)")] = None,
    source: Annotated[str, typer.Option(help="start a core on this source too (as for `navtwin run`); it outlives the window")] = "",
    place: Annotated[str, typer.Option(help="case, calibrate, register, navigate or review (default: navigate where a case is named)")] = "",
    theme: Annotated[str, typer.Option(help="dark or light (default: as last time)")] = "",
    pedal: Annotated[str, typer.Option(metavar="KEY", help="a further key that acknowledges, as your foot switch sends it: F13 ...")] = "",
    headless: Annotated[bool, typer.Option("--headless", help="no window: save a picture at each alert and at each new scene")] = False,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="where --headless saves pictures")] = Path("pictures"),
    view: Annotated[str, typer.Option(help="posterior, left, axial or tip")] = "",
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="play the alarms' sounds (--headless never does)")] = True,
    until_end: Annotated[bool, typer.Option("--until-end", help="close the window when the session ends (--headless always does)")] = False,
    key: Annotated[str, typer.Option(metavar="NAME", help="own CURVE key, for a core beyond this machine")] = "",
    server_key: Annotated[Path | None, typer.Option("--server-key", metavar="FILE", help="the core's .pub file")] = None,
) -> None:
    """The desktop: make a case, calibrate, register, navigate, review. With --source, start the core as well."""
    from gui.link.board import Board
    from navtwin.bus.bone import BoneClient
    from navtwin.bus.client import Client
    from navtwin.scene.views import check_view

    chosen = check_view(view or ("tip" if headless else "posterior"))
    if bool(key) != bool(server_key):
        raise InputRefused("--key and --server-key go together", "pass your key's name and the core's .pub file")
    if not headless and not has_display():
        raise InputRefused("there is no display for a window", "pass --headless to save pictures instead")
    if case is None and (headless or source):
        raise InputRefused("no case is named", "name the case folder")
    if case is not None and not (case / CASE_FILE).is_file():
        raise InputRefused(f"{case} is no case: there is no {CASE_FILE} in it", "name a case folder, or make one with `navtwin case new`")
    ports = (port, command_port)
    rig_path = rig or _own_rig(case)
    tools = _read_rig(rig_path)
    keys = client_keys(key, server_key) if server_key else None
    client = Client(host, ports, keys, who or key or _user())
    board = Board(client.link, time.monotonic_ns, tools.tracker.max_age_ms if tools else 100.0)

    def open_bone() -> BoneClient:
        return BoneClient(host, port + BONE_PORT - PUB_PORT, keys)

    # A polite end leaves by the same way as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if headless:
        assert case is not None
        with core_beside(case, source, rig, ports) if source else nullcontext():
            _save_pictures(case, tools, client, board, out, chosen, open_bone)
        return
    from gui.application import Opening, show
    from gui.desktop.keys import check_place
    from navtwin.bus.video import VideoClient

    front = check_place(place or ("navigate" if case else "case"))
    opening = Opening(case, tools, rig_path, source, front, chosen, theme, pedal, until_end)
    # Before the window, which takes a moment to build.
    beside = _listener(host, ports, client.who, key, server_key, board) if sound else None
    silence = beside.silence_link if beside else lambda: None
    pictures = video_port or port + VIDEO_PORT - PUB_PORT
    try:
        code, desk = show(
            opening,
            client,
            board,
            ports,
            f"{host}:{port}",
            silence,
            lambda camera: VideoClient(host, pictures, keys, camera=camera),
            open_bone,
        )
    finally:
        if beside:
            beside.stop()
    if desk.session is not None and desk.session.running:
        code = _outlive(desk.session) or code
    if code:
        raise typer.Exit(code)


def _outlive(session: OwnCore) -> int:
    """The window is closed and its core runs on: stay with it, as a program in the foreground does."""
    typer.echo("the window is closed; the core goes on until its source ends (Ctrl-C ends it now)", err=True)
    try:
        return session.wait()
    except KeyboardInterrupt:
        session.end()
        return session.wait()


def _save_pictures(case: Path, rig: Rig | None, client: Client, board: Board, out: Path, view: ViewName, open_bone: Callable[[], BoneClient]) -> None:
    from gui.snapshots import watch
    from navtwin.scene.case import load_scene

    try:
        count = watch(load_scene(case), rig, client, board, out, typer.echo, view, open_bone)
    except KeyboardInterrupt:
        return
    typer.echo(f"{count} pictures in {out}")


def _listener(host: str, ports: tuple[int, int], who: str, key: str, server_key: Path | None, board: Board) -> Beside:
    from navtwin.sound.beside import Beside

    where = ["--host", host, "--port", str(ports[0]), "--command-port", str(ports[1]), "--who", who]
    with_keys = ["--key", key, "--server-key", str(server_key)] if server_key else []

    def told(fault: str) -> None:
        board.audio = fault

    beside = Beside([*where, *with_keys], told)
    beside.start()
    return beside


def _own_rig(case: Path | None) -> Path | None:
    """The case's own rig, where it has one."""
    return case / RIG_FILE if case is not None and (case / RIG_FILE).exists() else None


def _read_rig(path: Path | None) -> Rig | None:
    from navtwin.nouns import read_rig

    return read_rig(path) if path is not None else None


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
