"""`navtwin setup`: sets up a running session from a shell, telling each step."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from navtwin.bus.client import Client
from navtwin.bus.keys import client_keys
from navtwin.bus.topics import COMMAND_PORT, PUB_PORT
from navtwin.console.guide import Course, Guide, hear_reply, hear_setup, turn
from navtwin.errors import BusRefused, InputRefused, nearest
from navtwin.nouns import Reply, Setup, read_rig

#: How long to wait for a core that says nothing.
SILENCE_S = 10.0
TURN_MS = 20


def setup(
    case: Annotated[Path, typer.Argument(help="the case of the running session: its landmarks are asked for in order")],
    rig: Annotated[Path | None, typer.Option(help="rig.toml (default: the case's own)")] = None,
    pointer: Annotated[str, typer.Option(help="the tool that touches landmarks")] = "pointer",
    hands_free: Annotated[
        bool, typer.Option("--hands-free", help="no keys: the clock ends pivots and sweeps, accepted results are taken into use")
    ] = False,
    pivot_s: Annotated[float, typer.Option(min=5.0, max=120.0, help="how long a hands-free pivot lasts")] = 15.0,
    sweep_s: Annotated[float, typer.Option(min=0.0, max=300.0, help="how long a hands-free sweep lasts; 0: register by landmarks alone")] = 20.0,
    dwell_s: Annotated[float, typer.Option(min=0.3, max=10.0, help="how long the tip has to be still on a landmark")] = 1.0,
    level: Annotated[str, typer.Option(help="the level that was counted to, where the touches fit another as well: T12")] = "",
    host: Annotated[str, typer.Option(help="the core's host")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the core's publishing port")] = PUB_PORT,
    command_port: Annotated[int, typer.Option("--command-port", min=1, max=65535, help="the core's command port")] = COMMAND_PORT,
    key: Annotated[str, typer.Option(metavar="NAME", help="own CURVE key, for a core beyond this machine")] = "",
    server_key: Annotated[Path | None, typer.Option("--server-key", metavar="FILE", help="the core's .pub file")] = None,
) -> None:
    """Calibrate tips, touch landmarks by dwell, sweep and register in a running session, step by step. Exit code 1 where a step keeps failing."""
    course = course_of(case, rig, Course((), (), pointer, pivot_s, sweep_s, dwell_s, not hands_free, level))
    keys = client_keys(key, server_key) if server_key else None
    with ExitStack() as stack:
        client = Client(host, (port, command_port), keys, key or "setup", topics=("alerts", "setup"))
        stack.callback(client.close)
        read_keys: Callable[[], list[str]] = list
        if not hands_free:
            if not sys.stdin.isatty():
                raise InputRefused("there is no keyboard to press Enter on", "run it in a terminal, or with --hands-free")
            from navtwin.console.keyboard import keyboard

            read_keys = stack.enter_context(keyboard())
        guide = Guide(course)
        try:
            _lead(guide, client, read_keys)
        except KeyboardInterrupt:
            typer.echo("left; what was taken stays, and running this again goes on from there")
            raise typer.Exit(1) from None
    if guide.outcome == "failed":
        raise typer.Exit(1)
    typer.echo("set up: the patient is registered")


def course_of(case: Path, rig: Path | None, course: Course) -> Course:
    """`course` for the tools of the rig and the landmarks of the case."""
    from navtwin.scene.case import read_case_file

    tools = read_rig(rig or case / "rig.toml").tool
    if course.pointer not in (names := [tool.name for tool in tools]):
        raise InputRefused(f"the rig has no tool '{course.pointer}'", nearest(course.pointer, names))
    landmarks = tuple(mark.name for mark in read_case_file(case).landmark)
    if len(landmarks) < 3:
        raise InputRefused(f"{case} has {len(landmarks)} landmarks; a registration needs 3", "place them in Case, or with navtwin case landmark")
    return replace(course, tools=tuple(tool.name for tool in tools if tool.tip_mm is None), landmarks=landmarks)


def _lead(guide: Guide, client: Client, read_keys: Callable[[], list[str]]) -> None:
    """Until there is nothing left to do."""
    asked = ""
    heard_s = time.monotonic()
    while not guide.outcome:
        message = client.receive(TURN_MS)
        while message is not None:
            heard_s = time.monotonic()
            body = message[1].body
            if isinstance(body, Setup):
                hear_setup(guide, body)
            elif isinstance(body, Reply) and body.id == asked:
                hear_reply(guide, body)
            message = client.receive(0)
        if time.monotonic() - heard_s > SILENCE_S:
            raise BusRefused(
                f"the core says nothing{f': {client.trouble}' if client.trouble else ''}", "start `navtwin run` first, or check host and ports"
            )
        order = turn(guide, time.monotonic_ns(), enter=any(k in "\r\n" for k in read_keys()))
        if order is not None:
            asked = client.send(order)
        for line in guide.lines:
            typer.echo(("\a" if line.bell else "") + line.text)
        guide.lines.clear()
