"""A result as one HTML page: its own style, inline SVG, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from results import against, plots
from results.against import Comparison
from results.budget import Verdict
from results.markdown import pairs_table
from results.model import Result, Table
from results.words import distribution_table, figures_table, verdict_said


@dataclass(frozen=True)
class Plot:
    name: str
    svg: Markup


@dataclass(frozen=True)
class Compared:
    said: str
    plot: Markup
    table: Table
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """What the template says of one benchmark."""

    result: Result
    figures: Table
    stages: Table
    plots: tuple[Plot, ...]
    said: str
    short: bool
    comparison: Compared | None


def section(result: Result, verdicts: Sequence[Verdict], comparison: Comparison | None) -> Section:
    # The SVG is made of escaped text by `plots` alone; everything else goes through the template's own escaping.
    drawn = tuple(Plot(d.name, Markup(svg)) for d in result.distributions if (svg := plots.histogram(d)))
    compared = None
    if comparison is not None:
        plot = Markup(plots.intervals(comparison.pairs))
        compared = Compared(against.summary(comparison), plot, against.table(comparison), comparison.notes)
    short = not all(verdict.met for verdict in verdicts)
    return Section(result, figures_table(result, verdicts), distribution_table(result.distributions), drawn, verdict_said(verdicts), short, compared)


def render(template: str, **given: object) -> str:
    """Fills one of the templates beside this file; what is not given to it is an error, not an empty place."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("results", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(template).render(**given) + "\n"


def page(result: Result, verdicts: Sequence[Verdict], comparison: Comparison | None = None) -> str:
    """One benchmark's page."""
    return render(
        "result.html.j2",
        section=section(result, verdicts, comparison),
        machine=pairs_table("Machine and versions", {**result.machine, **result.versions}),
    )
