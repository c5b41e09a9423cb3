"""From runs to figures, to tables, and to the page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from results.model import Figure, Table

from faults_parts.outcome import Outcome
from phantoms.faults.fault import GROUPS, Fault, Group

TITLES: dict[Group, str] = {
    "tracker": "The tracker and its stream",
    "patient": "Patient and instruments",
    "files": "Files",
    "network": "Network and other clients",
    "machine": "Machine and processes",
}
_INTRO = """# When things go wrong

Each row is put into a session again and again by `navtwin bench faults`, every time at another moment, of another size and with other noise. The
drill is nearer to the canal than its danger limit when the fault comes, so that "clear" would be a lie. The delay is measured from the injection
(host monotonic clock) to the signal at an operator's client, over real sockets on one machine; of a fault of which nothing may be noticed it is the
longest silence between two alert sets. From the injection until all is right again no alert set may say that a pair is known and CLEAR which is truly
within its limit, and no reading may give a number that is more than 1 mm off.

`navtwin run CASE --source fault:NAME` rehearses a fault of the tracker's stream on a case: it comes once an instrument is near something critical.

What this page does not say:

- A knocked reference shows in no frame. Until a landmark is touched, distances are wrong by the knock, and may say CLEAR. The row shows that
  the touch finds it, and that the screen says how long ago the last one was.
- The wall clock that jumps is what the core's process reads of it, not the system's own.
- `/dev/full` stands for the full disk: the system's own ENOSPC on the log's open file.
- A flat marker that flips by less than about 14 deg at 60 Hz is no leap, and is believed.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """All runs of one fault."""

    fault: Fault
    outcomes: tuple[Outcome, ...]

    @property
    def good(self) -> bool:
        return bool(self.outcomes) and all(o.good for o in self.outcomes)

    @property
    def delays_ms(self) -> list[float]:
        return [o.delay_ms for o in self.outcomes if o.delay_ms is not None]

    @property
    def measured(self) -> str:
        """`worst / median ms of 20`, or what is wrong."""
        if not self.outcomes:
            return "not run"
        passed = sum(o.good for o in self.outcomes)
        if not self.delays_ms:
            return f"no signal in {len(self.outcomes)}"
        told = f"{max(self.delays_ms):.0f} / {float(np.median(self.delays_ms)):.0f} ms of {len(self.outcomes)}"
        return told if passed == len(self.outcomes) else f"{told}: **{len(self.outcomes) - passed} failed**"


def rows_of(faults: Sequence[Fault], outcomes: Sequence[Outcome]) -> list[Row]:
    """Rows in the table's order, their runs in the order of the seeds."""
    return [Row(f, tuple(sorted((o for o in outcomes if o.fault == f.name), key=lambda o: o.seed))) for f in faults]


def figures(rows: Sequence[Row]) -> Iterator[Figure]:
    """Two figures for each fault, and what is added up over all."""
    outcomes = [o for row in rows for o in row.outcomes]
    for row in rows:
        share = sum(o.signalled for o in row.outcomes) / max(1, len(row.outcomes))
        yield Figure(name=f"{row.fault.name}: signalled", value=share, unit="", better="more")
        if row.delays_ms:
            yield Figure(name=f"{row.fault.name}: worst delay", value=max(row.delays_ms), unit="ms")
    yield Figure(name="false clear", value=sum(o.false_clear for o in outcomes), unit="")
    yield Figure(name="numbers that were not so", value=sum(o.lies for o in outcomes), unit="")
    yield Figure(name="not right again afterwards", value=sum(not o.recovered for o in outcomes), unit="")


def table(rows: Sequence[Row]) -> Table:
    cells = tuple((r.fault.name, str(r.fault.signal), f"{r.fault.deadline_ms:.0f}", r.measured, "yes" if r.good else "NO") for r in rows)
    return Table(title="Faults", columns=("fault", "expected signal", "deadline ms", "measured, worst / median", "passed"), rows=cells)


def troubles(rows: Sequence[Row]) -> list[str]:
    """Each run that is no good, with what was wrong."""
    told = list[str]()
    for o in (o for row in rows for o in row.outcomes if not o.good):
        late = f"late: {o.delay_ms:.0f} ms" if o.delay_ms is not None and o.delay_ms > o.deadline_ms else ""
        wrong = [o.trouble, late, f"{o.false_clear} false clear" if o.false_clear else "", f"{o.lies} numbers not so" if o.lies else ""]
        wrong += ["" if o.recovered else "not right again afterwards"]
        told.append(f"{o.fault}, seed {o.seed}: {'; '.join(w for w in wrong if w)}")
    return told


def listing(faults: Sequence[Fault]) -> Table:
    cells = tuple((f.name, f.group, f.what, str(f.signal), f"{f.deadline_ms:.0f}") for f in faults)
    return Table(title="Faults", columns=("fault", "group", "what happens", "expected signal", "deadline ms"), rows=cells)


def page(rows: Sequence[Row]) -> str:
    """The documentation's page."""
    lines = [_INTRO]
    for group in GROUPS:
        chosen = [row for row in rows if row.fault.group == group]
        if not chosen:
            continue
        lines += [f"## {TITLES[group]}", ""]
        lines += ["| fault | what happens | put into | expected signal | deadline | worst / median | what the operator sees then |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for row in chosen:
            f = row.fault
            lines.append(f"| `{f.name}` | {f.what} | {f.where} | {f.signal} | {f.deadline_ms:.0f} ms | {row.measured} | {f.after} |")
        lines += ["", "Deadlines, in ms:", ""]
        lines += [f"- `{row.fault.name}`: {row.fault.why}" for row in chosen] + [""]
    return "\n".join(lines)
