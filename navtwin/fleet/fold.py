"""All sessions of a results folder folded into one account: what was found, which warnings there were, and which version changed which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.fleet.schema import Row, Status
from navtwin.fleet.store import Results
from navtwin.nouns import Noun
from navtwin.report.changes import CONCERN, Change, changes
from navtwin.report.spells import WORDS, Said, Spell

#: Codes are named by so many of their first characters.
SHORT = 12


class BadLog(Noun, frozen=True):
    """A log that was not replayed, and why."""

    log: str
    status: Status
    reason: str


class Unlike(Noun, frozen=True):
    """A log that was replayed with another outcome."""

    log: str
    differing: int
    compared: int
    first: str


class StructureWarnings(Noun, frozen=True):
    """Warnings on one structure (or of one technical alarm) over all sessions; `before` and `now` count those of the two versions compared."""

    name: str
    kind: str
    level: str
    before: int
    now: int
    logs: int


class LatencyStage(Noun, frozen=True):
    """One stage over all sessions: the worst session's percentiles, and the frames of all."""

    stage: str
    logs: int
    samples: int
    worst_p50_ms: float
    worst_p99_ms: float
    max_ms: float


class Lateness(Noun, frozen=True):
    """True crossings over all sessions that state their truth."""

    logs: int
    crossings: int
    missed: int
    late: int
    spurious: int
    shortest_lead_ms: float | None


class LogChange(Noun, frozen=True):
    """A warning that another version gives otherwise: in which log, `seconds` after its first input, and how to look at it."""

    log: str
    seconds: float
    change: Change
    look: str


class DistanceChange(Noun, frozen=True):
    """A distance that another version measures otherwise: the greatest difference in one log."""

    log: str
    pair: str
    most_mm: float
    unlike: int
    seq: int
    seconds: float


class FleetReport(Noun, frozen=True):
    """Everything.

    Attributes
    ----------
    before, now : hashes of the code compared, or "logged" for whatever each log was recorded with
    codes : every code hash in the folder, and of how many logs it gave the warnings
    changed_kinds : how many changes of each kind, the gravest first
    changed, distances : the worst first
    """

    folder: str
    before: str
    now: str
    codes: dict[str, int]
    counts: dict[str, int]
    navigated_s: float
    bad: tuple[BadLog, ...]
    unlike: tuple[Unlike, ...]
    warnings: tuple[StructureWarnings, ...]
    lateness: Lateness | None
    latency: tuple[LatencyStage, ...]
    compared_logs: int
    changed_kinds: dict[str, int]
    changed: tuple[LogChange, ...]
    distances: tuple[DistanceChange, ...]
    notes: tuple[str, ...]


def fold(results: Results, now: str, before: str = "", only: Iterable[str] | None = None) -> FleetReport:
    """Fold a results folder.

    Parameters
    ----------
    now : the code whose findings are told: its hash, or the beginning of it
    before : the code whose warnings they are compared with; "" for what each log was recorded with
    only : hashes of logs to look at; None for all

    Raises
    ------
    InputRefused : no or several codes begin so
    """
    wanted = None if only is None else set(only)
    all_heads = {k: r for k, r in results.heads("verify").items() if wanted is None or r["log_hash"] in wanted}
    said = results.rows("warnings", list(all_heads))
    # Of the heads, for a log without a warning has no row there. One that could not be replayed is nobody's word.
    told = {(code, row["log_hash"]) for row in all_heads.values() if row["code_logged"] for code in (row["code"], row["code_logged"])}
    codes = Counter(code for code, _ in told)
    now = _named(now, codes)
    before = _named(before, codes) if before else ""
    heads = {key: row for key, row in all_heads.items() if row["code"] == now}
    rows = list(heads.values())
    good = [row for row in rows if row["status"] in ("identical", "differs")]
    sides = {row["log_hash"]: _sides(row, said, before, now, all_heads.values()) for row in good}
    compared = {h: both for h, both in sides.items() if both is not None}
    changed = [_looked(row, change) for row in good if row["log_hash"] in compared for change in changes(*compared[row["log_hash"]])]
    changed.sort(key=lambda c: (*c.change.gravity, c.log, c.change.seq))
    kinds = Counter(c.change.what for c in changed)
    distances = [] if before else results.rows("distances", list(heads))
    return FleetReport(
        folder=str(results.folder),
        before=before or "logged",
        now=now,
        codes=dict(codes.most_common()),
        counts=dict(Counter(row["status"] for row in rows).most_common()),
        navigated_s=sum(row["seconds"] or 0.0 for row in good),
        bad=tuple(BadLog(r["log"], r["status"], r["reason"]) for r in sorted(rows, key=lambda r: str(r["log"])) if r not in good),
        unlike=tuple(Unlike(r["log"], r["differing"], r["compared"], r["first_difference"] or "") for r in good if r["status"] == "differs"),
        warnings=_by_structure(compared.values()),
        lateness=_lateness(good, results.rows("crossings", list(heads))),
        latency=_latency(results.rows("latency", list(heads))),
        compared_logs=len(compared),
        changed_kinds={what: kinds[what] for what in CONCERN if kinds[what]},
        changed=tuple(changed),
        distances=tuple(
            DistanceChange(r["log"], r["pair"], r["most_mm"], r["unlike"], r["seq"], r["seconds"])
            for r in sorted(distances, key=lambda r: (-r["most_mm"], -r["unlike"]))
        ),
        notes=(*results.notes, *({f"{Path(r['log']).name}: {r['reason']}" for r in good if r["rig_same"] is False})),
    )


def _named(code: str, codes: Iterable[str]) -> str:
    found = [known for known in codes if known.startswith(code)]
    if len(found) == 1:
        return found[0]
    if not found and len(code) == 64:
        return code  # nothing of it is here yet
    known = ", ".join(c[:SHORT] for c in codes) or "none"
    raise InputRefused(f"{'no' if not found else 'more than one'} code in these results begins with '{code}'", f"those that are there: {known}")


def _sides(row: Row, said: Sequence[Row], before: str, now: str, heads: Iterable[Row]) -> tuple[list[Spell], list[Spell]] | None:
    """The warnings of one log by both versions; None where one of them never replayed it."""
    mine = [r for r in said if r["log_hash"] == row["log_hash"]]
    runs = {h["code"]: h for h in heads if h["log_hash"] == row["log_hash"] and h["status"] in ("identical", "differs")}
    logged = [r for r in mine if r["said_by"] == "log"]

    def of(code: str) -> list[Row] | None:
        run = runs.get(code)
        if run is None:
            return logged if code == row["code_logged"] else None
        # A replay that gave the same bits by the same code has no rows of its own.
        return logged if run["status"] == "identical" else [r for r in mine if r["said_by"] == "replay" and r["code"] == code]

    old, new = (of(before) if before else logged), of(now)
    return None if old is None or new is None else (_spells(old), _spells(new))


def _spells(rows: Iterable[Row]) -> list[Spell]:
    """Each spell once: a log that was done by several versions has its own warnings several times."""
    found: dict[tuple[str, str, int], Spell] = {}
    for r in rows:
        columns = (r["said_seq"], r["said_t_ns"], r["said_rank"], r["said_known"], r["said_bound_mm"], r["said_distance_mm"])
        found[r["kind"], r["id"], r["begun_seq"]] = Spell(r["kind"], r["id"], tuple(map(Said, *columns)), r["ended_ns"])
    return list(found.values())


def _looked(row: Row, change: Change) -> LogChange:
    seconds = (change.t_ns - (row["first_t_ns"] or 0)) * 1e-9
    return LogChange(row["log"], seconds, change, f"navtwin diff {row['log']} --at {seconds:.2f}")


def _by_structure(both: Iterable[tuple[list[Spell], list[Spell]]]) -> tuple[StructureWarnings, ...]:
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for sides in both:
        here = set()
        for side, spells in enumerate(sides):
            for spell in spells:
                key = (spell.kind, spell.structure or spell.id, spell.word)
                counts[key][side] += 1
                here.add(key)
        for key in here:
            counts[key][2] += 1

    def order(key: tuple[str, str, str]) -> tuple[str, str, int]:
        return key[0], key[1], -WORDS[key[0]].index(key[2])  # type: ignore[index]

    return tuple(StructureWarnings(name, kind, level, *counts[kind, name, level]) for kind, name, level in sorted(counts, key=order))


def _lateness(heads: Sequence[Row], crossings: Sequence[Row]) -> Lateness | None:
    judged = [row for row in heads if row["crossings"] is not None]
    if not judged:
        return None
    crossed, missed, late, spurious = (sum(row[name] for row in judged) for name in ("crossings", "missed", "late", "spurious"))
    leads = [row["shortest_lead_ms"] for row in crossings if row["shortest_lead_ms"] is not None]
    return Lateness(len(judged), crossed, missed, late, spurious, min(leads, default=None))


def _latency(rows: Sequence[Row]) -> tuple[LatencyStage, ...]:
    stages: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        stages[row["stage"]].append(row)
    return tuple(
        LatencyStage(
            stage,
            len(found),
            sum(r["samples"] for r in found),
            *(max(r[name] for r in found) for name in ("p50_ms", "p99_ms", "max_ms")),
        )
        for stage, found in stages.items()
    )
