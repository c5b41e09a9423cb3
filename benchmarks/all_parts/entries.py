"""What the report says of each benchmark: its figures held against the budget, and against an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from results import against, budget, files
from results.against import Comparison
from results.budget import Reach, Reaches, Verdict
from results.model import Result, Table
from results.words import number

from all_parts.running import Outcome
from navtwin.errors import InputRefused


@dataclass(frozen=True)
class Entry:
    """One benchmark of the report.

    Attributes
    ----------
    missing : lines of the budget that no figure answers to
    not_compared : why there is no comparison, where one was asked for
    """

    outcome: Outcome
    verdicts: tuple[Verdict, ...] = ()
    missing: tuple[tuple[str, Reach], ...] = ()
    comparison: Comparison | None = None
    not_compared: str = ""
    trouble: str = ""

    @property
    def name(self) -> str:
        return self.outcome.task.name

    @property
    def short(self) -> bool:
        return bool(self.trouble) or self.outcome.bad or not all(verdict.met for verdict in self.verdicts)


Earlier = Mapping[str, Result | str]


def earlier_runs(folder: Path) -> dict[str, Result | str]:
    """Results that an earlier run left in its folder, by benchmark; in the place of one that cannot be read, why not.

    Raises
    ------
    InputRefused
        There is no such folder, or no result in it.
    """
    if not folder.is_dir():
        raise InputRefused(f"there is no folder {folder.name} of an earlier run", "give the --out folder of an earlier navtwin bench all")
    found: dict[str, Result | str] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = files.load(path)
        except InputRefused as error:
            found[path.stem] = str(error)
    if not any(isinstance(one, Result) for one in found.values()):
        raise InputRefused(f"{folder.name} holds no result of a benchmark", "give the --out folder of an earlier navtwin bench all")
    return found


def entry_of(outcome: Outcome, reaches: Reaches, earlier: Earlier | None) -> Entry:
    """Judges and compares what came of a task."""
    result, name = outcome.result, outcome.task.name
    if result is None:
        return Entry(outcome, missing=tuple(reaches.items()))
    missing = budget.not_measured(result, reaches)
    try:
        verdicts, trouble = tuple(budget.judge(result, reaches, whole=False)), ""
    except InputRefused as error:
        verdicts, trouble = (), str(error)
    before = None if earlier is None else earlier.get(name, "the earlier run has no result of it")
    comparison, why = None, before if isinstance(before, str) else ""
    if isinstance(before, Result):
        try:
            comparison = against.compare(before, result)
        except InputRefused as error:
            why = str(error)
    return Entry(outcome, verdicts, tuple((key, reaches[key]) for key in missing), comparison, why, trouble)


def code_of(entries: Sequence[Entry], *, quick: bool) -> int:
    """1 where a figure misses its budget, a benchmark failed or was stopped, or a whole run did not measure what the budget asks."""
    return int(any(entry.short or entry.outcome.state == "stopped" or (entry.missing and not quick) for entry in entries))


def budget_table(entries: Sequence[Entry]) -> Table:
    """Every line of the budget: what was measured of it, and whether that is enough."""
    rows: list[tuple[str, ...]] = []
    for entry in entries:
        for one in entry.verdicts:
            value = f"{number(one.figure.value)} {one.figure.unit}".strip()
            rows.append((entry.name, one.figure.name, value, str(one.reach), one.reach.why, "yes" if one.met else "NO"))
        rows += [(entry.name, key, "", str(reach), reach.why, "not measured") for key, reach in entry.missing]
    return Table(title="What is asked", columns=("benchmark", "figure", "value", "reach", "why", "met"), rows=tuple(rows))


def ran_table(entries: Sequence[Entry]) -> Table:
    """Every benchmark: how it went, how long it took, from which seeds."""
    rows = []
    for entry in entries:
        result, outcome = entry.outcome.result, entry.outcome
        took = "" if result is None else f"{result.seconds:.0f} s"
        met = f"{sum(v.met for v in entry.verdicts)} of {len(entry.verdicts)}" if entry.verdicts else ""
        rows.append((entry.name, outcome.task.what, outcome.state, took, seeds(result), met))
    return Table(title="What ran", columns=("benchmark", "what it measures", "how it went", "took", "seeds", "reaches met"), rows=tuple(rows))


def seeds(result: Result | None) -> str:
    """Consecutive ones by their ends."""
    found = result.seeds if result is not None else ()
    if len(found) > 2 and list(found) == list(range(found[0], found[-1] + 1)):
        return f"{found[0]} to {found[-1]}"
    return ", ".join(map(str, found))


#: Kinds of pairs as the report counts them.
KINDS = {"noise": "noise", "better": "faster or better", "worse": "slower or worse", "changed": "changed", "not judged": "not judged"}


def compared_tables(entries: Sequence[Entry]) -> tuple[Table, ...]:
    """How many pairs are what, and those that are more than noise; nothing where nothing was compared."""
    compared = [entry.comparison for entry in entries if entry.comparison is not None]
    if not compared:
        return ()
    counts = {c.benchmark: [len(c.pairs), *(sum(p.kind == kind for p in c.pairs) for kind in KINDS)] for c in compared}
    counts["all"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    rows = tuple((name, *map(str, row)) for name, row in counts.items())
    changed = tuple(
        (
            *(c.benchmark, p.name, f"{number(p.old)} {p.unit}".strip(), f"{number(p.new)} {p.unit}".strip()),
            *("" if p.factor is None else f"{p.factor:.3f}", "" if p.low is None or p.high is None else f"{p.low:.3f} .. {p.high:.3f}", p.said),
        )
        for c in compared
        for p in c.pairs
        if p.kind in ("better", "worse", "changed")
    )
    told = (Table(title="Pairs", columns=("benchmark", "pairs", *KINDS.values()), rows=rows),)
    columns = ("benchmark", "figure", "before", "now", "factor", "blocks, 99 %", "verdict")
    return (*told, Table(title="More than noise", columns=columns, rows=changed)) if changed else told
