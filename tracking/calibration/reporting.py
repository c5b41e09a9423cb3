"""How the calibration commands end: lines or JSON, a result file and its picture, the rig changed, an exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from navtwin.files.rig_file import change_rig
from tracking.calibration.results import plain_value, result_path, write_result


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

    def finish(self, folder: Path, *, as_json: bool, store: tuple[Path, Callable[[Any], None]] | None = None) -> None:
        """Save, show, and store in the rig what was accepted; leaves with exit code 1 what was not."""
        self.show(self.save(folder), as_json=as_json)
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
