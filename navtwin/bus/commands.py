"""`navtwin keys`: make CURVE keys, and say who may connect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from navtwin.bus import keys

keys_app = typer.Typer(help="CURVE keys for a core that listens beyond this machine.", no_args_is_help=True)


@keys_app.command("new")
def new(name: Annotated[str, typer.Argument(help="the core's or the client's name")]) -> None:
    """Make a key pair."""
    secret_path, public_path = keys.new_keys(name)
    typer.echo(f"secret, stays here: {secret_path}")
    typer.echo(f"public, hand it out: {public_path}")


@keys_app.command("allow")
def allow(
    key: Annotated[str, typer.Argument(help="a client's .pub file; with --revoke, its name")],
    name: Annotated[str | None, typer.Option("--as", help="allow it under this name instead of its own")] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="take this name off the allow-list")] = False,
) -> None:
    """Let a client in, or no longer. A running core keeps the list that it started with."""
    if revoke:
        typer.echo(f"no longer allowed: {keys.revoke(key)}")
    else:
        typer.echo(f"allowed: {keys.allow(Path(key), name)}")


@keys_app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """Show this user's keys (public halves) and who is allowed."""
    mine = {key.name: key.public for key in keys.own()}
    allowed = {name: public for public, name in keys.allowed().items()}
    if as_json:
        typer.echo(json.dumps({"folder": str(keys.key_folder()), "own": mine, "allowed": allowed}))
        return
    typer.echo(f"keys in {keys.key_folder()}")
    for title, names in (("own", mine), ("allowed", allowed)):
        typer.echo(f"{title}: none" if not names else f"{title}:")
        for name, public in names.items():
            typer.echo(f"  {name:<20} {public}")
