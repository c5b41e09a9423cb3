"""`navtwin doctor`: what this machine has, and what stands in the way."""

from __future__ import annotations

import json
import os
import platform
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from navtwin import __version__
from navtwin.bus.promptly import going_first
from navtwin.bus.topics import COMMAND_PORT, PUB_PORT
from navtwin.scene.data import cache_folder

#: The folders are the import names, so another distribution could own one of them.
ROOMS = ("navtwin", "tracking", "gui", "phantoms")
PACKAGES = ("numba", "numpy", "vtk", "pyvista", "opencv-python", "pyzmq", "PySide6-Essentials", "mcap", "msgspec")

Finding = tuple[str, str, bool]


def _findings() -> Iterator[Finding]:
    """(what, what was found, whether it is well)."""
    yield "navtwin", __version__, True
    yield "Python", platform.python_version(), (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield "machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores", True
    for package in PACKAGES:
        try:
            yield package, version(package), True
        except PackageNotFoundError:
            yield package, "not installed", False
    owners = packages_distributions()
    for room in ROOMS:
        others = sorted(set(owners.get(room, [])) - {"navtwin"})
        yield f"import name '{room}'", f"also owned by {', '.join(others)}" if others else "ours alone", not others
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or ("the desktop" if platform.system() != "Linux" else "")
    yield "display", display or "none: the window needs one; pictures are saved instead", True
    names = sorted(Path("/sys/class/video4linux").glob("video*/name"))
    cameras = [f"{name.parent.name[5:]}: {name.read_text(encoding='utf-8', errors='replace').strip()}" for name in names]
    yield "cameras", ", ".join(cameras) or "none found", True
    for name, port in (("publish port", PUB_PORT), ("command port", COMMAND_PORT)):
        free = _is_free(port)
        yield name, f"{port} is {'free' if free else 'in use: pass another to `navtwin run`'}", free
    with going_first() as granted:
        pass
    yield "real-time priority", "granted" if granted else "not granted: other programs can delay warnings (docs/latency.md says how to get it)", True
    yield "cache", str(cache_folder("")), True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def doctor(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """Say what this machine has and what stands in the way. Exit code 1 where something does."""
    findings = list(_findings())
    if as_json:
        typer.echo(json.dumps([{"what": w, "found": f, "ok": ok} for w, f, ok in findings], indent=2))
    else:
        table = Table(show_header=False, box=None)
        for what, found, ok in findings:
            table.add_row("[green]ok[/]" if ok else "[red]!![/]", what, found)
        Console().print(table)
    if not all(ok for _, _, ok in findings):
        raise typer.Exit(1)
