"""`navtwin operator`: the operator's terminal."""

from __future__ import annotations

import getpass
import io
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from navtwin.bus.client import Client
from navtwin.bus.keys import client_keys
from navtwin.bus.promptly import going_first, run_promptly
from navtwin.bus.topics import COMMAND_PORT, PUB_PORT
from navtwin.console.journal import Journal
from navtwin.console.keyboard import keyboard
from navtwin.console.loop import Manner, Output, attend
from navtwin.console.plain import Lines
from navtwin.errors import InputRefused
from navtwin.sound.sounder import Sounder


def operator(
    host: Annotated[str, typer.Option(help="the core's host")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the core's publishing port")] = PUB_PORT,
    command_port: Annotated[int, typer.Option("--command-port", min=1, max=65535, help="the core's command port")] = COMMAND_PORT,
    who: Annotated[str, typer.Option(help="your name, logged with each order (default: the user's, or the key's)")] = "",
    auto_ack: Annotated[float | None, typer.Option("--auto-ack", min=0.0, metavar="SECONDS", help="acknowledge each alert after this long")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="one line per change, no control codes; the default where there is no terminal")] = False,
    sound: Annotated[
        bool | None, typer.Option("--sound/--no-sound", help="play the alarms' sounds; the default in a terminal, where else the bell rings")
    ] = None,
    journal: Annotated[Path | None, typer.Option(metavar="FILE", help="write what is received and sent as JSON lines")] = None,
    until_end: Annotated[bool, typer.Option("--until-end", help="leave when the session ends")] = False,
    key: Annotated[str, typer.Option(metavar="NAME", help="own CURVE key, for a core beyond this machine")] = "",
    server_key: Annotated[Path | None, typer.Option("--server-key", metavar="FILE", help="the core's .pub file")] = None,
) -> None:
    """Show, sound and answer the core's warnings. Keys: 1-9 select, a acknowledge, m mute, p audio pause, k mark, f freeze, q quit."""
    if bool(key) != bool(server_key):
        raise InputRefused("--key and --server-key go together", "pass your key's name and the core's .pub file")
    keys = client_keys(key, server_key) if server_key else None
    in_terminal = not plain and sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A pipe with a narrow encoding must not end the console over a letter.
        sys.stdout.reconfigure(errors="replace")
    # A polite end must put the terminal back, so it takes the same way out as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    manner = Manner(None if auto_ack is None else int(auto_ack * 1e9), until_end, in_terminal)
    with ExitStack() as stack:
        writer = stack.enter_context(Journal(journal)) if journal else None
        run_promptly()
        client = Client(host, (port, command_port), keys, who or key or _user())
        stack.callback(client.close)
        output: Output = Lines()
        read_keys: Callable[[], list[str]] = list
        if in_terminal:
            from navtwin.console.screen import Screen

            read_keys = stack.enter_context(keyboard())
            output = stack.enter_context(Screen())
        sounder = stack.enter_context(Sounder()) if (in_terminal if sound is None else sound) else None
        stack.enter_context(going_first())
        try:
            attend(client, output, read_keys, time.monotonic_ns, manner, writer, sounder)
        except KeyboardInterrupt:
            return
        except BrokenPipeError:
            # Whoever read the lines has left; python would complain again when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "operator"
