"""An assessment written out: terminal, JSON, CSV, and one HTML page with plots over the volume."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from navtwin.assess.assessment import Assessment
from navtwin.assess.tables import Rows, figures_of, headline_fit, notes_of, tables_of
from navtwin.files.write import whole_file


def as_json(found: Assessment) -> dict[str, Any]:
    """All figures, and what they rest on."""
    told: dict[str, Any] = msgspec.to_builtins(found)
    return {"figures": dict(figures_of(found)), "artefact_placed": headline_fit(found), "notes": list(notes_of(found)), **told}


def print_tables(console: Console, found: Assessment) -> None:
    """The tables, then what a reader must know."""
    for rows in tables_of(found):
        console.print(rows.title, style="bold", highlight=False)
        table = Table(box=SIMPLE_HEAD, padding=(0, 0), pad_edge=False)
        for column in rows.columns:
            table.add_column(column, justify="left" if column in ("place", "what", "axis", "placed by") else "right", no_wrap=True)
        for row in rows.rows:
            table.add_row(*row)
        console.print(table)
    for note in notes_of(found):
        console.print(note, highlight=False)


def write_csv(path: Path, found: Assessment) -> None:
    """Write the tables, one below the other, each row led by its table's title. Raises InputRefused where the file cannot be written."""
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        for rows in tables_of(found):
            writer.writerow(("table", *rows.columns))
            writer.writerows((rows.title, *row) for row in rows.rows)


def write_html(path: Path, found: Assessment) -> None:
    """Write the page: self-contained, plots inside. Raises InputRefused where the file cannot be written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from navtwin.assess.plots import plots_of

    environment = Environment(
        loader=PackageLoader("navtwin.assess"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    tables: tuple[Rows, ...] = tables_of(found)
    page = environment.get_template("assessment.html.j2").render(
        found=found,
        about=found.about,
        tables=tables,
        notes=notes_of(found),
        figures=figures_of(found),
        placed=headline_fit(found),
        plots=plots_of(found),
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
