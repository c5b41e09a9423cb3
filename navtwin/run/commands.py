"""Commands that run the fold: `run`, `replay`, `verify`, `register`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from navtwin.bus.topics import COMMAND_PORT, PUB_PORT
from navtwin.record import commands as record

if TYPE_CHECKING:
    from navtwin.nouns import Header, Rig
    from navtwin.scene.model import Scene
    from navtwin.twin.memory import Memory

CaseOption = Annotated[Path | None, typer.Option(help="case folder; default: the one the log names")]
RigOption = Annotated[Path | None, typer.Option(help="rig.toml; default: the one the log names")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


def run(
    case: Annotated[Path, typer.Argument(help="case folder")],
    source: Annotated[str, typer.Option(help="where poses come from: camera:N[,M], video:FILE, images:FOLDER, log:FILE, phantom:NAME[:SEED] ...")],
    rig: Annotated[Path | None, typer.Option(help="rig.toml; default: the case's own")] = None,
    log: Annotated[Path | None, typer.Option(help="record here (*.mcap); default: a new file in the user's session folder")] = None,
    no_log: Annotated[bool, typer.Option("--no-log", help="do not record")] = False,
    speed: Annotated[float, typer.Option(min=0.0, help="for recordings: 1 real time, N times faster, 0 as fast as it goes")] = 1.0,
    bind: Annotated[str, typer.Option(help="address to listen on; anything but loopback needs --key")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="where state and alerts are published; 0 takes a free one")] = PUB_PORT,
    command_port: Annotated[int, typer.Option(help="where commands are taken; 0 takes a free one")] = COMMAND_PORT,
    video_port: Annotated[
        int | None, typer.Option(help="where live pictures are published, if the source has any; 0 takes a free one; default: 2 above --port")
    ] = None,
    bone_port: Annotated[
        int | None, typer.Option(help="where drilled bone is published, if the case has any; 0 takes a free one; default: 3 above --port")
    ] = None,
    drilled: Annotated[Path | None, typer.Option(help="begin with the bone as it was at the end of this session log")] = None,
    key: Annotated[str | None, typer.Option(help="name of this core's CURVE key (see `navtwin keys`)")] = None,
    every_state: Annotated[bool, typer.Option("--every-state", help="publish the state of every frame, of trackers beyond 120 Hz too")] = False,
) -> None:
    """Run the twin: source in, warnings out, acknowledgements back."""
    from navtwin.bus.keys import server_keys
    from navtwin.record.sessions import new_log_path
    from navtwin.run.launch import Settings, run_session

    settings = Settings(
        case=case,
        source=source,
        rig=rig,
        log=None if no_log else log or new_log_path(),
        speed=speed,
        bind=bind,
        pub_port=port,
        command_port=command_port,
        video_port=video_port,
        bone_port=bone_port,
        drilled=drilled,
        keys=server_keys(key) if key else None,
        every_state=every_state,
    )
    written = run_session(settings, lambda text: typer.echo(text, err=True))
    if written is not None:
        typer.echo(f"log: {written}")


def replay(
    log: Annotated[Path, typer.Argument(help="session log")],
    case: CaseOption = None,
    rig: RigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a log through the twin again and summarise it."""
    from navtwin.run.relive import world_of
    from navtwin.twin import new_memory, step

    scene, loaded_rig = world_of(log, case, rig)
    record.replay_command(log, scene, loaded_rig, step, new_memory, as_json=as_json)


def verify(
    log: Annotated[Path, typer.Argument(help="session log")],
    case: CaseOption = None,
    rig: RigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay a log and compare every output bit for bit; names the first field that differs."""
    from navtwin.run.relive import world_of
    from navtwin.twin import new_memory, step

    scene, loaded_rig = world_of(log, case, rig)
    record.verify_command(log, scene, loaded_rig, step, new_memory, as_json=as_json)


def register(
    case: Annotated[Path, typer.Argument(help="case folder")],
    source: Annotated[str, typer.Option(help="a recording or script with the collected landmarks: log:FILE, phantom:NAME[:SEED]")],
    rig: Annotated[Path | None, typer.Option(help="rig.toml; default: the case's own")] = None,
    as_json: JsonOption = False,
) -> None:
    """Calibrate and register from a recording, and say what the gate makes of it. Exit code 1 where it refuses."""
    from navtwin.run.register import print_setup, setup_of

    outcome = setup_of(case, source, rig)
    print_setup(outcome, as_json=as_json)
    if outcome.registration is None or not outcome.registration.accepted:
        raise typer.Exit(1)


def report(
    log: Annotated[Path, typer.Argument(help="session log")],
    out: Annotated[Path | None, typer.Option(help="HTML file to write; default: beside the log")] = None,
    journal: Annotated[Path | None, typer.Option(help="an operator's journal, for latency as far as the operator")] = None,
    case: CaseOption = None,
    rig: RigOption = None,
    check: Annotated[bool, typer.Option("--verify/--no-verify", help="replay and compare first")] = True,
) -> None:
    """Judge a session against its truth where that is known, and write a self-contained HTML report."""
    from navtwin.record.replay import verify as verify_log
    from navtwin.report import print_summary, write_report
    from navtwin.report.error_budget_log import BudgetNotes
    from navtwin.run.relive import refuse_other_case, world_of
    from navtwin.twin import new_memory, step

    scene, loaded_rig = world_of(log, case, rig)
    refuse_other_case(log, scene)
    ended: list[Memory] = []

    def begin(scene: Scene, rig: Rig, header: Header) -> Memory:
        ended.append(new_memory(scene, rig, header))
        return ended[0]

    notes = BudgetNotes()
    verdict = verify_log(log, scene, loaded_rig, notes.watching(step), begin) if check else None
    # A replay ends with the drilled bone itself, which also knows where it is doubtful.
    replayed = ended[0].drilled.bone if ended and ended[0].drilled is not None else None
    print_summary(write_report(log, scene, loaded_rig, out or log.with_suffix(".html"), journal, verdict, replayed, notes.budgets()))


def bone(
    log: Annotated[Path, typer.Argument(help="session log")],
    at: Annotated[float | None, typer.Option(help="seconds after the session began; default: its end")] = None,
    stl: Annotated[Path | None, typer.Option(help="write the surface of the bone that is left: *.stl, *.ply, *.obj, *.vtk, *.vtp")] = None,
    labels: Annotated[Path | None, typer.Option(help="write bone left (1) and gone (2) on the scan's voxels: *.nii.gz, *.nrrd, *.mha")] = None,
    case: CaseOption = None,
    rig: RigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The drilled bone of a session at any of its moments: what is left and what is gone."""
    from navtwin.record.bone_command import print_report, report_of
    from navtwin.run.drilled import bone_at, write_bone
    from navtwin.run.relive import world_of

    scene, loaded_rig = world_of(log, case, rig)
    left, told, sought = bone_at(log, scene, loaded_rig, at)
    written = write_bone(scene, loaded_rig, left, stl, labels)
    print_report(report_of(log, told, sought, left, told.last_ns if at is None else told.at_seconds(at), written), as_json=as_json)
