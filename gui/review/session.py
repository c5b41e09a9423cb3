"""A session to look back at: columns over time, and any instant of it rebuilt. No Qt.

Nothing is interpolated: between two samples the older one holds for as long as the twin would have trusted it, then nothing is known.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.bus.words import order_words, printable
from navtwin.nouns import LEVELS, AlertSet, Header, Level, Mark, Order, Priority, Reply, State
from navtwin.record.chunks import ChunkAt, records_of
from navtwin.record.format import Record
from navtwin.record.limits import limit_steps
from navtwin.record.read import decode

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
#: Chunk and number within it of a record.
Where = tuple[int, int]

MS: Final = 1_000_000
#: A state holds for as long as the twin trusts a frame; alert sets come every 50 ms, so after this long one is missing.
STATE_HOLDS_NS: Final = 100 * MS
GAP_NS: Final = 250 * MS
KNOWN, PARTLY, UNKNOWN = 0, 1, 2
_CACHED_CHUNKS: Final = 4


class Pair(NamedTuple):
    """One instrument part against one critical structure."""

    structure: str
    instrument: str
    part: str


class Hole(NamedTuple):
    """Inputs that are missing from the log."""

    start_ns: int
    end_ns: int
    inputs: int


class Band(NamedTuple):
    """A stretch of one structure at one level. `knowledge`: KNOWN, PARTLY (an instrument in use is not known, the others are clear) or UNKNOWN."""

    start_ns: int
    end_ns: int
    level: Level
    knowledge: int


@dataclass(frozen=True)
class Span:
    """An alert at one level, known or not, or a technical alarm (`level` holds its text). `worst_mm` is the least bound."""

    kind: Literal["alert", "technical"]
    id: str
    level: str
    priority: Priority
    known: bool
    start_ns: int
    end_ns: int
    worst_mm: float | None = None


@dataclass(frozen=True)
class Given:
    """An order and what became of it."""

    t_ns: int
    who: str
    order: Order
    reply: Reply | None

    @property
    def words(self) -> str:
        """`ana: mute CAUTION at canal (refused: ...)`."""
        answer = "no reply in the log" if self.reply is None else "" if self.reply.ok else f"refused: {printable(self.reply.reason)}"
        what = f"bookmark '{printable(self.order.label)}'" if isinstance(self.order, Mark) else order_words(self.order)
        return f"{printable(self.who)}: {what}" + (f" ({answer})" if answer else "")


@dataclass(frozen=True)
class Session:
    """One log.

    Attributes
    ----------
    fault : what is wrong with the file, "" if nothing; `holes` are inputs missing from its middle
    end_ns : of the last input; all times count from the first one, ns
    t_ns (N,), distance_mm, bound_mm, status (N, P) : logged states by pair; NaN is unknown; status is the place in DistanceStatus, -1 for none
    set_t_ns (M,), level, level_known, in_use (M, P), navigating (M,) : logged alert sets by pair
    """

    path: Path
    header: Header | None
    fault: str
    holes: tuple[Hole, ...]
    end_ns: int
    pairs: tuple[Pair, ...]
    t_ns: Times
    distance_mm: Floats
    bound_mm: Floats
    status: npt.NDArray[np.int8]
    set_t_ns: Times
    level: npt.NDArray[np.int8]
    level_known: npt.NDArray[np.bool_]
    in_use: npt.NDArray[np.bool_]
    navigating: npt.NDArray[np.bool_]
    spans: tuple[Span, ...]
    commands: tuple[Given, ...]
    chunks: tuple[ChunkAt, ...]
    state_where: tuple[Where, ...]
    set_where: tuple[Where, ...]
    data: memoryview
    _opened: OrderedDict[int, list[Record]] = field(default_factory=OrderedDict)

    @cached_property
    def structures(self) -> tuple[str, ...]:
        """The critical structures that the log speaks of, in its order."""
        return tuple(dict.fromkeys(pair.structure for pair in self.pairs))

    @cached_property
    def navigation_ns(self) -> int:
        """When navigation began; 0 where it never did."""
        return int(self.set_t_ns[np.argmax(self.navigating)]) if self.navigating.any() else 0

    @property
    def alerts(self) -> tuple[Span, ...]:
        return tuple(span for span in self.spans if span.kind == "alert")

    @property
    def technical(self) -> tuple[Span, ...]:
        return tuple(span for span in self.spans if span.kind == "technical")

    @property
    def marks(self) -> tuple[tuple[int, str], ...]:
        """Bookmarks of the operators: time and label."""
        return tuple((c.t_ns, printable(c.order.label)) for c in self.commands if isinstance(c.order, Mark) and c.reply is not None and c.reply.ok)

    @property
    def memory_bytes(self) -> int:
        """What the columns take; the log itself stays on the disk."""
        states, sets = (
            (self.t_ns, self.distance_mm, self.bound_mm, self.status, self.known),
            (self.set_t_ns, self.level, self.level_known, self.in_use),
        )
        return sum(column.nbytes for column in (*states, *sets))

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """(N, P): which distances may be believed: measured, and not taken back by the alert set in force."""
        sets = np.searchsorted(self.set_t_ns, self.t_ns, side="right") - 1
        if not self.set_t_ns.size:
            return np.zeros(self.distance_mm.shape, dtype=bool)
        in_force = (sets >= 0) & (self.t_ns - self.set_t_ns[sets] <= GAP_NS)
        return np.isfinite(self.distance_mm) & self.level_known[sets] & in_force[:, None]

    def state_at(self, t_ns: int) -> State | None:
        """The state that was shown at `t_ns`; None where none was known."""
        n = int(np.searchsorted(self.t_ns, t_ns, side="right")) - 1
        if n < 0 or t_ns - self.t_ns[n] > STATE_HOLDS_NS:
            return None
        state = self._read(self.state_where[n])
        assert isinstance(state, State)
        return state

    def alerts_at(self, t_ns: int) -> AlertSet | None:
        """The alert set in force at `t_ns`; None where there was none."""
        n = int(np.searchsorted(self.set_t_ns, t_ns, side="right")) - 1
        if n < 0 or t_ns - self.set_t_ns[n] > GAP_NS:
            return None
        alerts = self._read(self.set_where[n])
        assert isinstance(alerts, AlertSet)
        return alerts

    def step_from(self, t_ns: int, step: int) -> int:
        """The time of the next logged state (`step` 1) or the one before (-1); stays where there is none."""
        n = int(np.searchsorted(self.t_ns, t_ns, side="right" if step > 0 else "left")) + (0 if step > 0 else -1)
        return int(self.t_ns[n]) if 0 <= n < len(self.t_ns) else t_ns

    @cached_property
    def rises(self) -> tuple[int, ...]:
        """When an alert began or rose."""
        found: set[int] = set()
        ends: dict[str, tuple[int, int]] = {}
        for span in self.alerts:
            rank = LEVELS.index(span.level)
            before, end_ns = ends.get(span.id, (0, -1))
            if rank > (before if end_ns >= span.start_ns else 0):
                found.add(span.start_ns)
            ends[span.id] = rank, span.end_ns
        return tuple(sorted(found))

    def alert_from(self, t_ns: int, step: int) -> int | None:
        """The next rise of an alert after `t_ns`, or the last before it."""
        later = [t for t in self.rises if (t > t_ns if step > 0 else t < t_ns)]
        return (later[0] if step > 0 else later[-1]) if later else None

    def bands(self, structure: str) -> tuple[Band, ...]:
        """The levels of one structure over time, each at its worst pair; where an instrument in use is not known, that is said first."""
        mine = [n for n, pair in enumerate(self.pairs) if pair.structure == structure]
        if not mine or not self.set_t_ns.size:
            return ()
        level, known = self.level[:, mine], self.level_known[:, mine]
        top = level.max(axis=1)
        top_known = (known & (level == top[:, None])).any(axis=1)
        lost = np.zeros(len(top), dtype=bool)
        for instrument in {self.pairs[n].instrument for n in mine}:
            parts = [n for n in mine if self.pairs[n].instrument == instrument]
            lost |= self.in_use[:, parts].any(axis=1) & ~self.level_known[:, parts].any(axis=1)
        calm = np.where(~known.any(axis=1), UNKNOWN, np.where(lost, PARTLY, KNOWN))
        code = top.astype(np.int64) * 3 + np.where(top > 0, np.where(top_known, KNOWN, UNKNOWN), calm)
        ends = np.minimum(np.append(self.set_t_ns[1:], self.end_ns), self.set_t_ns + GAP_NS)
        first = np.append(True, (np.diff(code) != 0) | (ends[:-1] < self.set_t_ns[1:]))
        runs = zip(self.set_t_ns[first].tolist(), ends[np.append(first[1:], True)].tolist(), code[first].tolist(), strict=True)
        return tuple(Band(start, end, LEVELS[c // 3], c % 3) for start, end, c in runs if end > start)

    def limits(self, structure: str, caution_mm: float, danger_mm: float) -> tuple[tuple[int, float, float], ...]:
        """The case's limits, then every change that was accepted: (since, caution, danger). `undo` takes back a landmark, a sweep or a limit."""
        return limit_steps(structure, (caution_mm, danger_mm), self.commands)

    def _read(self, where: Where) -> State | AlertSet:
        chunk, n = where
        if chunk not in self._opened:
            self._opened[chunk] = list(records_of(self.data, self.chunks[chunk]))
            while len(self._opened) > _CACHED_CHUNKS:
                self._opened.popitem(last=False)
        noun: State | AlertSet = decode(self._opened[chunk][n], self.path)
        return noun
