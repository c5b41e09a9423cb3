"""`navtwin gateway`: the twin for 3D Slicer, PLUS and whatever else speaks OpenIGTLink."""

from __future__ import annotations

import ipaddress
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from navtwin.bus.topics import COMMAND_PORT, PUB_PORT
from navtwin.errors import BusRefused, InputRefused


def gateway(
    igtl: Annotated[int, typer.Option("--igtl", min=0, max=65535, help="port for OpenIGTLink clients; 18944 is the usual one, 0 takes a free one")],
    bind: Annotated[str, typer.Option(help="address to listen on; anything but loopback needs --allow-from")] = "127.0.0.1",
    allow_from: Annotated[list[str] | None, typer.Option("--allow-from", metavar="ADDRESS", help="who may connect; give it once for each")] = None,
    space: Annotated[
        Literal["RAS", "LPS"], typer.Option(help="axes of the patient's side of the poses; 3D Slicer takes every transform as RAS")
    ] = "RAS",
    setup_commands: Annotated[bool, typer.Option("--setup-commands", help="let clients change calibration, registration and limits")] = False,
    host: Annotated[str, typer.Option(help="the core's host")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the core's publishing port")] = PUB_PORT,
    command_port: Annotated[int, typer.Option("--command-port", min=1, max=65535, help="the core's command port")] = COMMAND_PORT,
    who: Annotated[str, typer.Option(help="the name that clients' orders are logged under (default: igtl, or the key's)")] = "",
    key: Annotated[str, typer.Option(metavar="NAME", help="own CURVE key, for a core beyond this machine")] = "",
    server_key: Annotated[Path | None, typer.Option("--server-key", metavar="FILE", help="the core's .pub file")] = None,
) -> None:
    """Serve poses, distances and alerts to OpenIGTLink clients, and take their commands. OpenIGTLink knows no passwords: mind who can connect."""
    from navtwin.bus.client import Client
    from navtwin.bus.keys import client_keys
    from navtwin.gateway.gateway import Gateway
    from navtwin.gateway.server import IgtlServer

    allowed = checked(bind, allow_from or [])
    if bool(key) != bool(server_key):
        raise InputRefused("--key and --server-key go together", "pass your key's name and the core's .pub file")
    keys = client_keys(key, server_key) if server_key else None
    # A polite end takes the same way out as Ctrl-C, so that the sockets are closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        server = IgtlServer("127.0.0.1" if bind == "localhost" else bind, igtl, allowed, _say)
        stack.callback(server.close)
        client = Client(host, (port, command_port), keys, who or key or "igtl", topics=("alerts", "state"))
        stack.callback(client.close)
        running = Gateway(client, server, space, _say, setup=setup_commands)
        _say(f"OpenIGTLink on {bind}:{server.port}, poses in {space}; the core's at {host}:{port}; Ctrl-C ends it")
        try:
            while True:
                running.turn()
        except KeyboardInterrupt:
            return


def _say(text: str) -> None:
    typer.echo(text, err=True)


def checked(bind: str, allow_from: list[str]) -> frozenset[str] | None:
    """Who may connect: None for anyone on this machine.

    Raises
    ------
    InputRefused : an address that is none
    BusRefused : listening to the network without saying to whom
    """
    try:
        allowed = frozenset(str(ipaddress.ip_address(address)) for address in allow_from)
        is_loopback = bind == "localhost" or ipaddress.ip_address(bind).is_loopback
    except ValueError as error:
        raise InputRefused(f"{error}".replace("'", ""), "write numeric addresses, 192.168.1.20 for instance") from error
    if not is_loopback and not allowed:
        raise BusRefused(
            f"listening on {bind} would serve anyone on the network and take their commands: OpenIGTLink knows no passwords",
            "name the clients: --allow-from ADDRESS, once for each",
        )
    return allowed or None
