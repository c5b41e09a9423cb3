"""The report of all benchmarks, as Markdown and as one HTML page: the same content, the page with histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from results import files, html, markdown
from results.model import Result, Table

from all_parts.entries import Entry, budget_table, compared_tables, ran_table
from all_parts.running import without_places


@dataclass(frozen=True)
class Report:
    """Everything that both pages say.

    Attributes
    ----------
    command : as it was typed
    settings : date, loads, machine and versions
    notes : what a reader must know before the tables
    against : name of the earlier run's folder, "" where nothing is compared
    """

    command: str
    settings: Mapping[str, str]
    entries: Sequence[Entry]
    notes: Sequence[str] = ()
    against: str = ""

    @property
    def said(self) -> str:
        """The verdict in a sentence or two."""
        verdicts = [verdict for entry in self.entries for verdict in entry.verdicts]
        missed, missing = sum(not verdict.met for verdict in verdicts), sum(len(entry.missing) for entry in self.entries)
        said = [f"{len(verdicts) - missed} of {len(verdicts)} reaches that were measured are met" + (f", {missed} fall short" if missed else "")]
        said += [f"{missing} lines of the budget were not measured"] if missing else []
        for state, words in (("failed", "failed"), ("found faults", "left with an error of their own"), ("left out", "were left out")):
            names = [entry.name for entry in self.entries if entry.outcome.state == state]
            said += [f"{words}: {', '.join(names)}"] if names else []
        stopped = sum(entry.outcome.state == "stopped" for entry in self.entries)
        said += [f"stopped by hand: {stopped} benchmarks were not run"] if stopped else []
        return "; ".join(said) + "."

    @property
    def short(self) -> bool:
        return any(entry.short for entry in self.entries)

    @property
    def machine(self) -> Table:
        return markdown.pairs_table("Machine and versions", self.settings)

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(table for table in (ran_table(self.entries), budget_table(self.entries)) if table.rows)

    @property
    def compared(self) -> tuple[Table, ...]:
        return compared_tables(self.entries)

    @property
    def not_compared(self) -> list[str]:
        return [f"{entry.name}: not compared. {entry.not_compared}" for entry in self.entries if entry.not_compared]


def typed(entry: Entry) -> Result | None:
    """The result with the command that anyone can type, without what only this report needs of it."""
    result = entry.outcome.result
    return None if result is None else msgspec.structs.replace(result, command=entry.outcome.task.command)


def troubles(entry: Entry) -> list[str]:
    """What went wrong with it, and why it was left out."""
    return [text for text in (entry.outcome.trouble, entry.trouble) if text]


def write(report: Report, path: Path) -> tuple[Path, Path]:
    """Writes `path` as Markdown and beside it the page; returns both."""
    pages = path.with_suffix(".md"), path.with_suffix(".html")
    for page, text in zip(pages, (as_markdown(report), as_html(report)), strict=True):
        files.write_whole(page, without_places(text))
    return pages


def as_html(report: Report) -> str:
    sections = []
    for entry in report.entries:
        result = typed(entry)
        section = None if result is None else html.section(result, entry.verdicts, entry.comparison)
        sections.append({"entry": entry, "section": section, "troubles": troubles(entry)})
    return html.render("report.html.j2", report=report, sections=sections)


def as_markdown(report: Report) -> str:
    lines = ["# navtwin bench all", "", f"**{markdown.cell(report.said)}**", "", f"    {report.command}", ""]
    lines += [line for note in report.notes for line in (markdown.cell(note), "")]
    for table in report.tables:
        lines += [f"## {table.title}", "", *markdown.table_lines(table)]
    if report.against:
        lines += [f"## Against {markdown.cell(report.against)}", ""]
        for table in report.compared:
            lines += [f"### {table.title}", "", *markdown.table_lines(table)]
        lines += [*(f"- {markdown.cell(why)}" for why in report.not_compared), ""]
    lines += [f"## {report.machine.title}", "", *markdown.table_lines(report.machine)]
    for entry in report.entries:
        lines += _section(entry)
    return "\n".join(lines).rstrip() + "\n"


def _section(entry: Entry) -> list[str]:
    lines = [f"## {entry.name}", "", markdown.cell(entry.outcome.task.what), ""]
    lines += [line for text in troubles(entry) for line in (f"**{entry.outcome.state}:** {markdown.cell(text)}", "")]
    if entry.outcome.last_words:
        lines += ["    " + line for line in entry.outcome.last_words] + [""]
    result = typed(entry)
    if result is None:
        return [*lines, f"    {entry.outcome.task.command}", ""]
    return [*lines, *markdown.body(result, entry.verdicts, entry.comparison, level=3)]
