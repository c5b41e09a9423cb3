"""What is told of a session's drilled bone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer
from rich.console import Console

from navtwin.nouns import BoneSummary, Noun, Trespass
from navtwin.record.drilled import DrilledLog
from navtwin.record.format import OUTPUT
from navtwin.record.read import read_log
from navtwin.record.seek import Sought

if TYPE_CHECKING:
    from navtwin.scene.carvable import Carvable


class BoneReport(Noun, frozen=True):
    """The bone of one moment.

    Attributes
    ----------
    t_s : the moment, s after the session began
    cut_until_s : when the bone last changed up to then; None where it had not
    strokes, stretches : cut up to then, with those that were taken back
    taken_back : stretches that were
    removed_mm3, left_mm3 : what is gone, and the volume of what is left
    doubtful : share of the drilled part in which bone that is shown may be gone
    trespasses : what the cutter had been in that is never cut
    began_drilled : with the bone of an earlier session
    notes : kept bone that could not be used
    written : files that were written, in words
    """

    log: str
    structure: str
    side_mm: float
    t_s: float
    cut_until_s: float | None
    strokes: int
    stretches: int
    taken_back: int
    removed_mm3: float
    left_mm3: float
    hash: str
    doubtful: float
    trespasses: tuple[Trespass, ...]
    began_drilled: bool
    notes: tuple[str, ...]
    written: tuple[str, ...] = ()


class _Bones(msgspec.Struct):
    """What is read of a state here."""

    bones: tuple[BoneSummary, ...] = ()


def said_of(log: Path, t_ns: int) -> BoneSummary | None:
    """What the session itself said last of its bone up to a time of its log; None where it had said nothing."""
    last = None
    for record in read_log(log, (OUTPUT + "state",)):
        if record.t_ns > t_ns:
            break
        last = record
    bones = () if last is None else msgspec.json.decode(last.data, type=_Bones).bones
    return bones[0] if bones else None


def report_of(log: Path, told: DrilledLog, sought: Sought, bone: Carvable, t_ns: int, written: tuple[str, ...] = ()) -> BoneReport:
    """What is told of a bone that was sought in a log, for the moment `t_ns`."""
    said = said_of(log, t_ns)
    cut = told.seq <= sought.seq
    return BoneReport(
        log=log.name,
        structure=told.structure,
        side_mm=bone.side_mm,
        t_s=round(told.seconds(t_ns), 3),
        cut_until_s=None if sought.t_ns is None else round(told.seconds(sought.t_ns), 3),
        strokes=int(cut.sum()),
        stretches=len(set(told.stretch[cut].tolist())),
        taken_back=sum(turn.undone is not None and turn.seq <= sought.seq for turn in told.turns),
        removed_mm3=bone.removed_mm3,
        left_mm3=bone.surface().volume_mm3,
        hash=bone.hash,
        doubtful=0.0 if said is None else said.doubtful,
        trespasses=() if said is None else said.trespasses,
        began_drilled=told.brought_by(sought.seq) is not None,
        notes=sought.notes,
        written=written,
    )


def print_report(report: BoneReport, *, as_json: bool) -> None:
    """As JSON, or as lines."""
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    begun = ", which began with the bone of an earlier session" if report.began_drilled else ""
    console.print(f"'{report.structure}' on a grid of {report.side_mm:g} mm, {report.t_s:.1f} s into {report.log}{begun}")
    console.print(
        f"gone: {report.removed_mm3 / 1000.0:.3f} ml, in {report.strokes} strokes of {report.stretches} stretches ({report.taken_back} taken back)"
    )
    console.print(f"left: {report.left_mm3 / 1000.0:.3f} ml; hash {report.hash}")
    if report.doubtful > 0.0:
        console.print(f"not known: in {100.0 * report.doubtful:.0f} % of the drilled part, bone that is shown may be gone")
    for trespass in report.trespasses:
        console.print(f"the cutter was in {trespass.structure}: {trespass.volume_mm3:.2f} mm3 of it, which the twin does not take away")
    for line in (*(f"note: {note}" for note in report.notes), *report.written):
        console.print(line)
