"""A display of its own, where there is none, and settings of its own, so that nobody's layout is used or changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from navtwin.errors import DataUnavailable


@contextmanager
def display(width: int, height: int, settings: Path) -> Iterator[None]:
    """Set the display that Qt will find, and where it keeps settings. Call it before Qt is loaded.

    Raises
    ------
    DataUnavailable : there is no display, and Xvfb is not installed or does not start
    """
    os.environ["XDG_CONFIG_HOME"] = str(settings)
    with ExitStack() as stack:
        if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
            os.environ["DISPLAY"] = stack.enter_context(_xvfb(width, height))
        yield


@contextmanager
def _xvfb(width: int, height: int) -> Iterator[str]:
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    try:
        server = subprocess.Popen(command, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise DataUnavailable("there is no display, and Xvfb is not installed", "install the package xvfb, or set DISPLAY") from error
    finally:
        os.close(write)
    try:
        with os.fdopen(read) as said:
            number = said.readline().strip()
        if not number:
            raise DataUnavailable("Xvfb did not start", "start it by hand and set DISPLAY")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
