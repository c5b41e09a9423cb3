"""Two sessions side by side: what aligns them, and what differs. Words and numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from gui.review.axis import time_words
from gui.review.session import KNOWN, Session
from navtwin.bus.words import name_words, subject_words
from navtwin.nouns import LEVELS, Level
from navtwin.scene.distances import signed


@dataclass(frozen=True)
class Account:
    """One structure in one session, navigation only.

    Attributes
    ----------
    worst_mm, worst_ns : the least distance that was known, and when; None where none was
    seconds : at each level, as far as it was known; `unknown_s` the rest
    """

    worst_mm: float | None
    worst_ns: int | None
    worst_pair: str
    seconds: dict[Level, float]
    unknown_s: float


def account(session: Session, structure: str) -> Account:
    """Add up one structure."""
    begun = session.navigation_ns
    seconds: dict[Level, float] = dict.fromkeys(LEVELS, 0.0)
    unknown_s = 0.0
    for band in session.bands(structure):
        length_s = max(0, band.end_ns - max(begun, band.start_ns)) * 1e-9
        if band.knowledge == KNOWN:
            seconds[band.level] += length_s
        else:
            unknown_s += length_s
    mine = [n for n, pair in enumerate(session.pairs) if pair.structure == structure]
    rows = session.t_ns >= begun
    values = np.where(session.known[rows][:, mine], session.distance_mm[rows][:, mine], np.inf)
    if not values.size or not np.isfinite(values).any():
        return Account(None, None, "", seconds, unknown_s)
    row, column = np.unravel_index(int(np.argmin(values)), values.shape)
    pair = session.pairs[mine[column]]
    return Account(
        float(values[row, column]), int(session.t_ns[rows][row]), f"{name_words(pair.instrument)} {name_words(pair.part)}", seconds, unknown_s
    )


def alignments(one: Session, other: Session) -> list[tuple[str, int]]:
    """What the two can be aligned at, and how much later the other's clock is then read, ns."""
    found = [("first navigation", one.navigation_ns - other.navigation_ns)]
    theirs: dict[str, int] = {}
    for t_ns, label in other.marks:
        theirs.setdefault(label, t_ns)
    seen: set[str] = set()
    for t_ns, label in one.marks:
        if label in theirs and label not in seen:
            seen.add(label)
            found.append((f"bookmark '{label}'", t_ns - theirs[label]))
    return found


def only_in(one: Session, other: Session) -> tuple[tuple[str, Level, int], ...]:
    """Alerts (id, level) that the first session had and the other did not, and when each first began."""
    levels = {level: level for level in LEVELS}
    theirs = {(span.id, span.level) for span in other.alerts if span.known}
    found: dict[tuple[str, Level], int] = {}
    for span in one.alerts:
        if span.known and (span.id, span.level) not in theirs:
            found.setdefault((span.id, levels[span.level]), span.start_ns)  # type: ignore[index]
    return tuple((ident, level, t_ns) for (ident, level), t_ns in found.items())


def accounts_html(sessions: tuple[Session, ...], names: tuple[str, ...]) -> str:
    """A table: per structure and session the least distance and the time at each level."""
    head = "".join(f"<th align='right'>{word}</th>" for word in ("least", "caution", "danger", "contact", "unknown"))
    rows = []
    for structure in dict.fromkeys(name for session in sessions for name in session.structures):
        rows.append(f"<tr><td colspan='6'><b>{escape(name_words(structure))}</b></td></tr>")
        for session, name in zip(sessions, names, strict=True):
            one = account(session, structure)
            worst = "—" if one.worst_mm is None else f"{signed(one.worst_mm)} mm"
            times = [*(one.seconds[level] for level in LEVELS[1:]), one.unknown_s]
            cells = "".join(f"<td align='right'>{seconds:.1f} s</td>" for seconds in times)
            rows.append(f"<tr><td>{escape(name)}</td><td align='right'>{worst}</td>{cells}</tr>")
    return f"<table cellspacing='0' cellpadding='3' width='100%'><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def comparison_html(one: Session, other: Session) -> str:
    """The whole comparison."""
    names = ("this", "other")
    parts = [f"<p><b>this</b>: {escape(one.path.name)}<br><b>other</b>: {escape(other.path.name)}</p>", accounts_html((one, other), names)]
    for title, left, right in (("only in this", one, other), ("only in the other", other, one)):
        found = only_in(left, right)
        lines = "".join(f"<li>{escape(subject_words(ident))}: <b>{level}</b> at {time_words(t_ns)}</li>" for ident, level, t_ns in found)
        parts.append(f"<p><b>Alerts {title}</b></p>" + (f"<ul>{lines}</ul>" if lines else "<p>none</p>"))
    return "".join(parts)


def events_of(session: Session) -> list[tuple[int, str, str]]:
    """What happened, in order: (time, kind, words). An alert that began or changed, an alarm, an order."""
    found = [(span.start_ns, span.level if span.known else f"UNKNOWN, was {span.level}", subject_words(span.id)) for span in session.alerts]
    found += [(span.start_ns, "alarm", f"{subject_words(span.id)}: {span.level}") for span in session.technical]
    found += [(given.t_ns, "order", given.words) for given in session.commands]
    found += [(hole.start_ns, "missing", f"{hole.inputs} inputs are not in the log") for hole in session.holes]
    return sorted(found)
