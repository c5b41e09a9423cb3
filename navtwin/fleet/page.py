"""The fleet's report as one HTML file."""

from __future__ import annotations

from pathlib import Path

from navtwin import __version__
from navtwin.fleet.fold import SHORT, FleetReport
from navtwin.report.compare_command import change_words
from navtwin.report.page_file import write_page as write_whole

#: The page lists so many rows of each table; the JSON and the results have all.
MOST_ROWS = 200


def write_page(report: FleetReport, out: Path) -> None:
    """Write the page in one piece. Raises InputRefused where it cannot be written."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader("navtwin.fleet"), PackageLoader("navtwin.report")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"name": lambda path: Path(path).name, "code": lambda code: code[:SHORT], "change": change_words}
    page = environment.get_template("fleet.html.j2").render(report=report, most=MOST_ROWS, version=__version__)
    write_whole(page, out, remedy="name another file with --html")
