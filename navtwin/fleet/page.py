"""The fleet's report as one HTML file."""

from __future__ import annotations

from pathlib import Path

from navtwin import __version__
from navtwin.errors import InputRefused
from navtwin.fleet.fold import SHORT, FleetReport
from navtwin.report.compare_command import change_words

#: The page lists so many rows of each table; the JSON and the results have all.
MOST_ROWS = 200


def write_page(report: FleetReport, out: Path) -> None:
    """Write the page in one piece. Raises InputRefused where it cannot be written."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader("navtwin.fleet"), PackageLoader("navtwin.report")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"name": lambda path: Path(path).name, "code": lambda code: code[:SHORT], "change": change_words}
    page = environment.get_template("fleet.html.j2").render(report=report, most=MOST_ROWS, version=__version__)
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise InputRefused(f"cannot write the report {out}: {error.strerror}", "name another file with --html") from error
