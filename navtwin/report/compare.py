"""`navtwin diff`: two logs of one session, or one log and the fold of today; what of the warnings is not the same, and where to look."""

from __future__ import annotations

import json
from pathlib import Path

from navtwin.nouns import Header, Noun
from navtwin.record.hashes import code_hash
from navtwin.record.read import header, inputs
from navtwin.record.replay import verify
from navtwin.report.align import align, bring_together
from navtwin.report.changes import Change
from navtwin.report.sides import AgainstNow, Looked, PairDifference, Sides

#: How far around a moment `--at` looks, ns.
AROUND_NS = 150_000_000
#: So many moments are named to look at.
MOST_MOMENTS = 8


class HeaderDifference(Noun, frozen=True):
    field: str
    before: str
    now: str


class FirstDifference(Noun, frozen=True):
    """The first field that differs: `path` like `alerts.alerts[0].bound_mm`."""

    seq: int
    seconds: float
    path: str
    before: str
    now: str


class Moment(Noun, frozen=True):
    """An input to look at, `seconds` after the first, and why."""

    seq: int
    seconds: float
    why: str


class Comparison(Noun, frozen=True):
    """What differs between two versions' word on one session.

    Attributes
    ----------
    before, now : a log's path; `now` is "" for the fold of today
    code_before, code_now : hashes of the code that spoke
    compared, differing : inputs whose outputs were compared, and of them those with another outcome
    same_warnings : no warning came, went or stood otherwise, to the bit where both had the same inputs
    first_t_ns : time of the first input, on the clock of the first log; seconds count from it
    """

    before: str
    now: str
    code_before: str
    code_now: str
    same_warnings: bool
    compared: int
    differing: int
    first_t_ns: int
    headers: tuple[HeaderDifference, ...]
    warnings: tuple[Change, ...]
    first: FirstDifference | None
    distances: tuple[PairDifference, ...]
    moments: tuple[Moment, ...]
    looked: tuple[Looked, ...]
    notes: tuple[str, ...]

    def seconds(self, t_ns: int) -> float:
        return (t_ns - self.first_t_ns) * 1e-9


def compare_logs(before: Path, now: Path, at_s: float | None = None) -> Comparison:
    """Compare two logs of one session.

    Parameters
    ----------
    at_s : keep what both say around this moment, s after the first log's first input

    Raises
    ------
    InputRefused : other cases, or other inputs
    LogDamaged
    """
    alignment = align(before, now)
    sides = bring_together(before, now, alignment, look=_window(before, at_s))
    one, other = header(before), header(now)
    differences = header_differences(one, other)
    notes = [*alignment.notes]
    if one.rig_hash != other.rig_hash:
        notes.append("the rigs differ: what differs may come of them and not of the code")
    return _comparison(before, str(now), sides, (one.code_hash, other.code_hash), differences, notes)


def compare_with_today(log: Path, scene: object, rig: object, step: object, new_memory: object, at_s: float | None = None) -> Comparison:
    """Compare a log with what the fold says today of its inputs.

    Raises
    ------
    InputRefused, LogDamaged : as `navtwin.record.replay.verify`
    """
    both = AgainstNow(log, step, _window(log, at_s))
    verdict = verify(log, scene, rig, both.step, new_memory, both)  # type: ignore[arg-type,type-var]
    return _comparison(log, "", both.sides, (header(log).code_hash, code_hash()), (), verdict.notes)


def header_differences(before: Header, now: Header) -> tuple[HeaderDifference, ...]:
    """Each field that differs."""
    pairs = [(name, getattr(before, name), getattr(now, name)) for name in before.__struct_fields__]
    return tuple(HeaderDifference(name, str(a), str(b)) for name, a, b in pairs if a != b)


def _comparison(before: Path, now: str, sides: Sides, codes: tuple[str, str], headers: tuple[HeaderDifference, ...], notes: object) -> Comparison:
    first_t_ns = _first_t_ns(before)
    warnings, distances = sides.changes(), sides.distances()
    first = None
    if sides.first is not None:
        seq, t_ns, found = sides.first
        first = FirstDifference(seq, (t_ns - first_t_ns) * 1e-9, found.path, _shown(found.left), _shown(found.right))
    return Comparison(
        before=str(before),
        now=now,
        code_before=codes[0],
        code_now=codes[1],
        same_warnings=not warnings,
        compared=sides.taken,
        differing=sides.differing,
        first_t_ns=first_t_ns,
        headers=headers,
        warnings=warnings,
        first=first,
        distances=distances,
        moments=_moments(warnings, distances, first_t_ns),
        looked=tuple(sides.looked),
        notes=tuple(notes),  # type: ignore[arg-type]
    )


def _moments(warnings: tuple[Change, ...], distances: tuple[PairDifference, ...], first_t_ns: int) -> tuple[Moment, ...]:
    """The worst first, each input once."""
    found: dict[int, Moment] = {}
    for change in warnings:
        found.setdefault(change.seq, Moment(change.seq, (change.t_ns - first_t_ns) * 1e-9, f"{change.id}: {change.what}"))
    for pair in distances:
        why = f"{pair.pair}: the distance differs most, by {pair.most_mm:.3g} mm" if pair.most_mm else f"{pair.pair}: known on one side only"
        found.setdefault(pair.seq, Moment(pair.seq, (pair.t_ns - first_t_ns) * 1e-9, why))
    return tuple(found.values())[:MOST_MOMENTS]


def _window(log: Path, at_s: float | None) -> tuple[int, int] | None:
    if at_s is None:
        return None
    middle = _first_t_ns(log) + round(at_s * 1e9)
    return middle - AROUND_NS, middle + AROUND_NS


def _first_t_ns(log: Path) -> int:
    event = next(inputs(log), None)
    return event.t_ns if event is not None else 0


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, int | float | list | dict) or value is None else repr(value)
