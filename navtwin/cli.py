"""The command line. Each room brings its own commands; here they get their names. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from navtwin import __version__
from navtwin.assess.command import assess
from navtwin.bus.commands import keys_app
from navtwin.bus.video import VideoServer
from navtwin.console.commands import operator
from navtwin.console.setup_command import setup
from navtwin.errors import NavtwinError
from navtwin.files import commands as files
from navtwin.fleet.commands import fleet_app
from navtwin.gateway.command import gateway
from navtwin.record import commands as record
from navtwin.report.compare_command import diff
from navtwin.report.error_budget_command import budget
from navtwin.run import commands as run
from navtwin.run.bench import bench_app
from navtwin.run.doctor import doctor
from navtwin.run.sbom import sbom
from navtwin.run.soak import FURTHER_OPTIONS, soak
from navtwin.scene.author.commands import structure_app
from navtwin.scene.commands import case_app, data_app
from navtwin.scene.overlay_command import picture
from navtwin.scene.synthetic_command import view
from navtwin.sound.command import sound

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A surgical-navigation digital twin with real-time two-way feedback. For research and rehearsal; not a medical device.",
)
app.add_typer(case_app, name="case")
app.add_typer(structure_app, name="structure")
app.add_typer(data_app, name="data")
app.add_typer(keys_app, name="keys")
app.add_typer(bench_app, name="bench")
app.add_typer(fleet_app, name="fleet")
case_app.command()(picture)
case_app.command()(view)
case_app.command()(budget)
app.command("operator")(operator)
app.command("gateway")(gateway)
app.command("setup")(setup)
app.command("assess")(assess)
app.command("sound")(sound)
for command in (run.run, run.replay, run.verify, run.register, run.report, run.bone):
    app.command()(command)
app.command("diff")(diff)
app.command("doctor")(doctor)
app.command("sbom")(sbom)
app.command("soak", context_settings=FURTHER_OPTIONS)(soak)
app.command("recover")(record.recover_command)
app.command("export")(files.export_command)
app.command("import")(files.import_command)
app.command("inspect")(files.inspect_command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"navtwin {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    # For rooms that may not know the bus and have pictures to show: where to publish them, by port.
    ctx.obj = lambda port: VideoServer(port=port)


def _add_rooms() -> None:
    """Commands of the other rooms, by entry point: a typer app becomes a group, a function a command."""
    for entry in entry_points(group="navtwin.commands"):
        command = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)


def main() -> None:
    """Run a command. A refusal is one line and exit code 2, never a traceback."""
    _add_rooms()
    try:
        app()
    except NavtwinError as error:
        print(f"navtwin: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
