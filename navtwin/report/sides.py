"""What two versions of the fold said of the same inputs, taken in side by side, input by input."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from navtwin.nouns import AlertSet, Event, Message, Noun, Output, Reading, State, encode
from navtwin.record.diff import Difference, first_difference
from navtwin.record.format import OUTPUT, Record
from navtwin.record.read import decode
from navtwin.report.changes import Change, changes
from navtwin.report.spells import WORDS, Spell, SpellNotes

#: Where two runs of the same frames had clocks of their own: a set is said every 50 ms and a tick comes every 10 ms, so less is no change.
CLOCK_MS: Final = 60.0


class PairDifference(Noun, frozen=True):
    """One instrument part against one structure.

    Attributes
    ----------
    compared : states that both sides logged in full and in which both knew the distance
    most_mm : the greatest difference of the distance; 0 where none differs
    before_mm, now_mm : there
    unlike : states in which one side knew what the other did not
    seq, t_ns : of the greatest difference; of the first unlike state where no distance differs
    """

    pair: str
    compared: int
    most_mm: float
    before_mm: float | None
    now_mm: float | None
    unlike: int
    seq: int
    t_ns: int


@dataclass
class _Pair:
    compared: int = 0
    most_mm: float = 0.0
    before_mm: float | None = None
    now_mm: float | None = None
    unlike: int = 0
    seq: int = 0
    t_ns: int = 0

    def take(self, seq: int, t_ns: int, before_mm: float | None, now_mm: float | None) -> None:
        if before_mm is None or now_mm is None:
            if (before_mm is None) != (now_mm is None):
                self.unlike += 1
                if not self.seq:
                    self.seq, self.t_ns = seq, t_ns
            return
        self.compared += 1
        differs = abs(now_mm - before_mm)
        if differs > self.most_mm:
            self.most_mm, self.before_mm, self.now_mm, self.seq, self.t_ns = differs, before_mm, now_mm, seq, t_ns


class Looked(Noun, frozen=True):
    """What both sides said of one pair in one frame, where somebody looks; levels are "" where no alert stood."""

    seq: int
    t_ns: int
    pair: str
    before_mm: float | None
    now_mm: float | None
    before: str
    now: str


@dataclass
class Sides:
    """Gathers both sides. Feed it inputs in order; `differing` counts those whose outputs were not the same.

    Attributes
    ----------
    exact : both ran on the same instants, so that all they said can be compared; if not, distances and warnings are
    look : from when to when frames are kept in `looked`, ns
    first : (seq, t_ns, difference) of the first field that differs
    """

    exact: bool = True
    look: tuple[int, int] | None = None
    before: SpellNotes = field(default_factory=SpellNotes)
    now: SpellNotes = field(default_factory=SpellNotes)
    taken: int = 0
    differing: int = 0
    first: tuple[int, int, Difference] | None = None
    looked: list[Looked] = field(default_factory=list)
    _pairs: dict[str, _Pair] = field(default_factory=dict)

    def take(self, seq: int, t_ns: int, before: Sequence[Output], now: Sequence[Output]) -> None:
        """What each side said of one input: `before` and `now` are one and the same object where they have the same bits."""
        self.taken += 1
        _take_alerts(self.before, seq, before)
        _take_alerts(self.now, seq, now)
        then, today = (next((body for body in side if isinstance(body, State)), None) for side in (before, now))
        if self.look is not None and self.look[0] <= t_ns <= self.look[1] and then is not None and today is not None:
            self._look(seq, t_ns, then, today)
        if before is now:
            return
        if then is not None and today is not None:
            self._take_states(seq, t_ns, then, today)
        unlike = _unlike(before, now) if self.exact else None
        if unlike is not None:
            self.differing += 1
            if self.first is None:
                self.first = seq, t_ns, _name(*unlike)

    def _look(self, seq: int, t_ns: int, before: State, now: State) -> None:
        then, today = ({_pair_of(r): r.distance_mm for r in side.readings if r.role == "critical"} for side in (before, now))
        levels = [{key[1]: WORDS["alert"][said[-1].rank] for key, said in notes.open.items()} for notes in (self.before, self.now)]
        for pair in {**then, **today}:
            was, is_now = levels[0].get(pair, ""), levels[1].get(pair, "")
            if was or is_now or then.get(pair) != today.get(pair):
                self.looked.append(Looked(seq, t_ns, pair, then.get(pair), today.get(pair), was, is_now))

    def _take_states(self, seq: int, t_ns: int, before: State, now: State) -> None:
        then = {_pair_of(reading): reading.distance_mm for reading in before.readings}
        today = {_pair_of(reading): reading.distance_mm for reading in now.readings}
        for pair in {**then, **today}:
            self._pairs.setdefault(pair, _Pair()).take(seq, t_ns, then.get(pair), today.get(pair))

    def distances(self) -> tuple[PairDifference, ...]:
        """Pairs whose distance differs anywhere, the most first."""
        found = [PairDifference(pair, **vars(p)) for pair, p in self._pairs.items() if p.most_mm or p.unlike]
        return tuple(sorted(found, key=lambda p: (-p.most_mm, -p.unlike, p.pair)))

    def spells(self) -> tuple[tuple[Spell, ...], tuple[Spell, ...]]:
        """The warnings of both sides."""
        return self.before.close(), self.now.close()

    def changes(self) -> tuple[Change, ...]:
        """What of the warnings is not the same, the worst first."""
        return changes(*self.spells(), least_ms=0.0 if self.exact else CLOCK_MS)


class AgainstNow:
    """The fold of today beside the log that is being verified: `step` goes to `verify` as the fold, and this as its listener."""

    def __init__(self, log: Path, step: object, look: tuple[int, int] | None = None) -> None:
        self.sides = Sides(look=look)
        self._log = log
        self._step = step
        self._said: dict[int, Sequence[Message]] = {}

    def step(self, scene: object, memory: object, event: Event) -> Sequence[Message]:
        """One step of the fold, kept until it is compared."""
        messages: Sequence[Message] = self._step(scene, memory, event)  # type: ignore[operator]
        if messages:
            self._said[event.seq] = messages
        return messages

    def compared(self, seq: int, t_ns: int, logged: Sequence[tuple[str, bytes]] | None) -> None:
        """Hear of one comparison of `navtwin.record.replay.verify`."""
        now = [message.body for message in self._said.pop(seq, ())]
        before = now if logged is None else [decode(Record(OUTPUT + topic, seq, t_ns, body), self._log) for topic, body in logged]
        self.sides.take(seq, t_ns, before, now)


def _take_alerts(notes: SpellNotes, seq: int, said: Iterable[Output]) -> None:
    for body in said:
        if isinstance(body, AlertSet):
            notes.take(seq, body)


def _pair_of(reading: Reading) -> str:
    return f"{reading.structure}/{reading.instrument}/{reading.part}"


def _unlike(before: Sequence[Output], now: Sequence[Output]) -> tuple[list[Output], list[Output]] | None:
    """The outputs of the first kind that differs; that a state is missing on one side says nothing, for not all are logged."""
    for kind in dict.fromkeys(type(body) for body in (*before, *now)):
        then, today = ([body for body in side if isinstance(body, kind)] for side in (before, now))
        if then != today and not (kind is State and not (then and today)):
            return then, today
    return None


def _name(then: list[Output], today: list[Output]) -> Difference:
    topic = str((then or today)[0].__struct_config__.tag)
    if len(then) != len(today):
        return Difference(topic, f"{len(then)} of them", f"{len(today)} of them")
    a, b = next((a, b) for a, b in zip(then, today, strict=True) if a != b)
    return first_difference(json.loads(encode(a)), json.loads(encode(b)), topic) or Difference(topic, "these values", "the same in another notation")
