"""How the calibration commands end: lines or JSON, a result file and its picture, the rig changed, an exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from navtwin.files.rig_file import change_rig
from navtwin.nouns.calibration import CalibrationVerdict
from tracking.calibration.changes import changes, figure_rows
from tracking.calibration.results import plain_value, result_path, write_result
from tracking.calibration.screen import Screen

Store = tuple[Path, Callable[[Any], None]]


@dataclass(frozen=True)
class Report:
    """What a calibration has to say.

    Attributes
    ----------
    what, name : kind of calibration, and of what
    inputs : what it was made from
    verdict : accepted, and the reasons if it is not
    figures : for the result file and for JSON
    lines : for people
    picture : draws the evidence into a file
    """

    what: str
    name: str
    inputs: list[str]
    verdict: tuple[bool, tuple[str, ...]]
    figures: dict[str, Any]
    lines: Sequence[str]
    picture: Callable[[Path], None]

    def save(self, folder: Path) -> Path:
        """Write the result and its picture; the path of the result."""
        path = result_path(folder, self.what, self.name)
        write_result(path, self.what, self.name, self.inputs, self.verdict, self.figures)
        self.picture(path.with_suffix(".png"))
        return path

    def finish(self, folder: Path, *, as_json: bool, store: Store | None = None, screen: Screen | None = None) -> None:
        """Save, show, and store in the rig what was accepted, by the screen too where one follows; leaves with exit code 1 what was not."""
        path = self.save(folder)
        if screen is not None:
            put_before(screen, self.name, self.verdict, self.figures, self.lines, path, store)
            return
        self.show(path, as_json=as_json)
        if not self.verdict[0]:
            raise typer.Exit(1)
        if store is not None:
            change_rig(*store)
            typer.echo(f"stored in {store[0]}", err=as_json)

    def show(self, path: Path, *, as_json: bool, to_error: bool = False) -> None:
        """Print lines for people (to the error stream if asked), or JSON."""
        accepted, reasons = self.verdict
        if as_json:
            head = {"calibration": self.what, "name": self.name}
            report = {**head, **self.figures, "accepted": accepted, "reasons": reasons, "result": str(path)}
            typer.echo(json.dumps(plain_value(report), indent=2))
            return
        for line in self.lines:
            typer.echo(line, err=to_error)
        typer.echo("  accepted" if accepted else f"  refused: {'; '.join(reasons)}", err=to_error)
        typer.echo(f"  result {path}, picture {path.with_suffix('.png').name}", err=to_error)


def put_before(
    screen: Screen,
    name: str,
    verdict: tuple[bool, Sequence[str]],
    figures: Mapping[str, Any],
    lines: Sequence[str],
    result: Path,
    store: Store | None,
) -> None:
    """Tell a screen the verdict, and store in the rig what it accepts of what the gate accepted; leaves with exit code 1 what was refused.

    Parameters
    ----------
    result : path of the result file; its picture lies beside it
    store : the rig, and what would change its document
    """
    accepted, reasons = verdict
    writes = changes(*store) if store is not None and accepted else ()
    told = CalibrationVerdict(
        what=screen.what,
        name=name,
        accepted=accepted,
        reasons=tuple(reasons),
        figures=figure_rows(figures),
        lines=tuple(lines),
        writes=writes,
        waits=bool(writes),
        result=str(result),
        picture=str(result.with_suffix(".png")),
    )
    wanted = screen.decide(told)
    if wanted and store is not None:
        change_rig(*store)
    rig = store[0].name if store is not None else ""
    words = f"stored in {rig}" if wanted else "refused: nothing was stored" if not accepted else f"{rig} is as it was" if rig else "nothing to store"
    screen.end(stored=wanted, words=words)
    if not accepted:
        raise typer.Exit(1)
