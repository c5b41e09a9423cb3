"""The log's commands. `replay` and `verify` get the fold handed in; the command line knows which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from navtwin.nouns import Event, Header, Message, Rig

if TYPE_CHECKING:
    from navtwin.record.recover import Rescue
    from navtwin.record.replay import Verdict
    from navtwin.record.summary import Summary

Step = Callable[[Any, Any, Event], Sequence[Message]]
NewMemory = Callable[[Any, Rig, Header], Any]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def replay_command(log: Path, scene: Any, rig: Rig, step: Step, new_memory: NewMemory, *, as_json: bool) -> None:
    """Run a log's inputs through the fold and print what came of them."""
    from navtwin.record.replay import replay
    from navtwin.record.summary import summary

    with showing_progress(log, "replaying", step) as counted:
        found = summary(log, replay(log, scene, rig, counted, new_memory))
    _print(found, _show_summary, as_json)


def verify_command(log: Path, scene: Any, rig: Rig, step: Step, new_memory: NewMemory, *, as_json: bool) -> None:
    """Compare a log's outputs bit for bit with what the fold says now. Leaves with 1 where they differ."""
    from navtwin.record.replay import verify

    with showing_progress(log, "verifying", step) as counted:
        verdict = verify(log, scene, rig, counted, new_memory)
    _print(verdict, _show_verdict, as_json)
    if not verdict.ok:
        raise typer.Exit(1)


def recover_command(
    log: Annotated[Path, typer.Argument(help="damaged or unfinished log (*.mcap, *.mcap.partial)")],
    out: Annotated[Path | None, typer.Option(help="where to write what is rescued; default: NAME.recovered.mcap beside it")] = None,
    as_json: Json = False,
) -> None:
    """Rescue what a cut, altered or unfinished log still holds. The log itself is left as it is."""
    from navtwin.record.recover import recover

    rescue = recover(log, out)
    _print(rescue, _show_rescue, as_json)
    if rescue.gaps or rescue.unreadable_bytes:
        raise typer.Exit(1)


@contextmanager
def showing_progress(log: Path, what: str, step: Step) -> Iterator[Step]:
    """The fold's step, moving a bar on the error stream with each input."""
    from navtwin.record.read import count

    total = count(log)["/input"]
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)

        def counted(scene: Any, memory: Any, event: Event) -> Sequence[Message]:
            bar.advance(task)
            return step(scene, memory, event)

        yield counted


def _print(report: msgspec.Struct, show: Callable[[Any, Console], None] | None, as_json: bool) -> None:
    if as_json or show is None:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        show(report, Console(highlight=False))


def _show_summary(found: Summary, console: Console) -> None:
    told = found.header
    console.print(f"session {told.session} · navtwin {told.version} · {told.source} · {found.seconds:.1f} s")
    console.print("inputs: " + ", ".join(f"{number} {kind}" for kind, number in found.inputs.items()))
    if found.sightings:
        console.print("sightings: " + ", ".join(f"{number} {what}" for what, number in found.sightings.items()))
    if found.alerts:
        rows: list[tuple[str, ...]] = [(f"{a.t_s:.2f}", a.alert, a.level, _mm(a.limit_mm), _mm(a.distance_mm), _mm(a.bound_mm)) for a in found.alerts]
        console.print(_table("alerts raised", ("t [s]", "structure/instrument/part", "level", "limit", "measured", "bound"), rows))
    else:
        console.print("no alert was raised")
    if found.commands:
        answers = {True: "done", False: "refused", None: "not answered"}
        rows = [(f"{c.t_s:.2f}", c.who, c.order, answers[c.ok], c.reason) for c in found.commands]
        console.print(_table("commands", ("t [s]", "who", "order", "answer", "reason"), rows))
    if found.latency_measured:
        rows = [(s.stage, str(s.samples), *(f"{v:.2f}" for v in (s.p50_ms, s.p95_ms, s.p99_ms, s.max_ms))) for s in found.latency]
        console.print(_table("latency [ms]", ("stage", "frames", "p50", "p95", "p99", "max"), rows))
    else:
        console.print("latency: not measured")


def _show_verdict(verdict: Verdict, console: Console) -> None:
    if verdict.identical:
        console.print(f"identical: {verdict.compared} outputs of {verdict.inputs} inputs, bit for bit")
    elif verdict.first is not None:
        console.print(f"{verdict.differing} of {verdict.compared} outputs differ. First: {verdict.first.text}", markup=False, soft_wrap=True)
    for note in verdict.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)


def _show_rescue(rescue: Rescue, console: Console) -> None:
    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    say(f"{rescue.source} {rescue.was or 'is whole'}")
    say(f"rescued {rescue.records} records ({rescue.inputs} inputs, {rescue.seconds:.1f} s) into {rescue.out}")
    for gap in rescue.gaps:
        say(f"lost {gap.inputs} inputs ({gap.seconds:.2f} s) between input {gap.after_seq} and {gap.before_seq}")
    if rescue.unreadable_bytes:
        span = "of unknown length" if rescue.end_lost_s is None else f"up to {rescue.end_lost_s:.2f} s at the end"
        say(f"{rescue.unreadable_bytes} bytes could not be read ({span})")
    if not rescue.has_header:
        say("its header is lost: it can be exported and run again, but not verified")


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table


def _mm(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} mm"
