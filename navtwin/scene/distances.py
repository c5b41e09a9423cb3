"""Which distance to show for each critical structure: what the window's strip and the picture's caption agree on.

Nothing known is ever shown over something unknown that matters more, and no structure's row hides another's.
"""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.bus.words import LINK_LOST_WORDS, STATUS_WORDS, distance_words, name_words
from navtwin.nouns import LEVELS, AlertSet, DistanceStatus, Level, Reading, State
from navtwin.scene.model import Scene, Structure

WAITING_WORDS = "no word yet"


@dataclass(frozen=True)
class PairRow:
    """One instrument's part against one structure.

    Attributes
    ----------
    level : now, or when it was last known; CLEAR where nothing was ever said
    reading : the numbers; None when the distance is unknown
    status : why it is unknown
    in_use : the operator has said that this instrument is in use
    """

    instrument: str
    part: str
    level: Level
    reading: Reading | None
    status: DistanceStatus
    in_use: bool

    @property
    def known(self) -> bool:
        return self.reading is not None

    @property
    def title(self) -> str:
        """`drill neck`."""
        return f"{name_words(self.instrument)} {name_words(self.part)}".strip()

    @property
    def unknown_words(self) -> str:
        """`UNKNOWN (hidden)`, with the level it last had where that was more than CLEAR."""
        was = "" if self.level == "CLEAR" else f", was {self.level}"
        return f"UNKNOWN ({STATUS_WORDS[self.status]}){was}"


@dataclass(frozen=True)
class StructureRow:
    """One critical structure: the pair that matters most, then one for each other instrument.

    `why` says why no pair is known at all, "" where there is one to show.
    """

    structure: Structure
    pairs: tuple[PairRow, ...]
    why: str = ""

    @property
    def lead(self) -> PairRow | None:
        return self.pairs[0] if self.pairs else None

    @property
    def level(self) -> Level:
        """The highest level that is known now."""
        return max((p.level for p in self.pairs if p.known), key=LEVELS.index, default="CLEAR")


def reading_words(reading: Reading) -> str:
    """`1.3 ± 0.7 mm`, `≥ 0.4 mm inside` where the depth is only known to be at least that."""
    words = distance_words(reading.distance_mm, reading.sd_mm)
    inside = reading.distance_mm is not None and reading.distance_mm < 0.0
    return f"≥ {words}" if reading.depth_is_bound and inside else words


def signed(mm: float) -> str:
    """One decimal, with a minus sign that is as wide as a plus."""
    return f"{mm:.1f}".replace("-", "−")


def structure_rows(scene: Scene, state: State | None, alerts: AlertSet | None, *, link_lost: bool = False) -> tuple[StructureRow, ...]:
    """One row for each critical structure of the case, in the case's order.

    Parameters
    ----------
    state : None when it is too old to be shown
    alerts : its `pairs` can take back what `state` calls known, never the other way round
    link_lost : nothing is known
    """
    rows = []
    for structure in scene.structures:
        if structure.role != "critical":
            continue
        pairs = () if link_lost else _pairs(structure.name, state, alerts)
        why = "" if pairs else LINK_LOST_WORDS if link_lost else WAITING_WORDS
        rows.append(StructureRow(structure, pairs, why))
    return tuple(rows)


def _pairs(structure: str, state: State | None, alerts: AlertSet | None) -> tuple[PairRow, ...]:
    """The leading part of each instrument; the most threatening instrument first, and one in use that is unknown before any that is clear."""
    summaries = {p.id: p for p in alerts.pairs} if alerts else {}
    in_use = alerts.health.selected if alerts else ()
    readings = {f"{r.structure}/{r.instrument}/{r.part}": r for r in (state.readings if state else ())}
    leading: dict[str, PairRow] = {}
    for ident in dict.fromkeys((*readings, *summaries)):
        of, instrument, part = ident.split("/", 2)
        if of != structure:
            continue
        reading, summary = readings.get(ident), summaries.get(ident)
        status: DistanceStatus = reading.status if reading else summary.status if summary else "INVALID"
        if reading is None and status == "OK":
            status = "STALE"
        known = reading is not None and reading.status == "OK" and reading.distance_mm is not None and (summary is None or summary.known)
        if not known and status == "OK" and summary is not None:
            status = summary.status
        level = (summary.level if summary else None) or "CLEAR"
        row = PairRow(instrument, part, level, reading if known else None, status, instrument in in_use)
        best = leading.get(instrument)
        if best is None or _urgency(row) < _urgency(best):
            leading[instrument] = row
    return tuple(sorted(leading.values(), key=lambda row: (not _alarming(row), not (row.in_use and not row.known), *_urgency(row))))


def _alarming(row: PairRow) -> bool:
    return row.level != "CLEAR"


def _urgency(row: PairRow) -> tuple[int, bool, float]:
    """Sorts the highest level first; among equals what is known before what is not, then the nearest.

    A handpiece beyond the scan must not hide its burr.
    """
    reading = row.reading
    distance = reading.bound_mm if reading and reading.bound_mm is not None else reading.distance_mm if reading else None
    return -LEVELS.index(row.level), not row.known, distance if distance is not None else 0.0
