"""Which warnings differ between two versions of the fold on the same inputs, how, by how much, and where to look.

Spells of one warning are paired by the time that they share, else by beginnings that are near; every pair that differs, and every spell without a
partner, is one `Change`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Literal

from navtwin.nouns import Noun
from navtwin.report.spells import WORDS, Kind, Said, Spell

What = Literal["vanished", "lower", "unknown", "later", "shorter", "appeared", "higher", "known", "earlier", "longer", "bound"]
#: The order of concern: first what may leave a person without a warning, then what warns more than before, then figures.
CONCERN: Final[tuple[What, ...]] = (
    "vanished", "lower", "unknown", "later", "shorter", "appeared", "higher", "known", "earlier", "longer", "bound",
)  # fmt: skip
#: Two spells of one warning that do not overlap are one and the same if no more lies between them.
NEAR_NS: Final = 1_000_000_000


class Change(Noun, frozen=True):
    """One warning that is not what it was.

    Attributes
    ----------
    what : the gravest of what differs
    kind, id : as of `Spell`
    before, now : the highest level on each side, "" where there was none
    later_ms : how much later (negative: earlier) a level was reached that both reached; the greatest shift of them. None where there is no pair
    ends_later_ms : how much later it was over; None where it was not on one side
    bound_mm : now less before, where published sets of the same input differ most; None where none can be compared
    seq, t_ns : the input to look at, and its time on the clock of the first side
    """

    what: What
    kind: Kind
    id: str
    before: str
    now: str
    later_ms: float | None
    ends_later_ms: float | None
    bound_mm: float | None
    seq: int
    t_ns: int

    @property
    def gravity(self) -> tuple[int, int, float]:
        """Sorts the worst first: what, the level that it is about, by how much."""
        ranks = [WORDS[self.kind].index(word) for word in (self.before, self.now) if word]
        sizes = {
            "later": self.later_ms,
            "earlier": self.later_ms,
            "shorter": self.ends_later_ms,
            "longer": self.ends_later_ms,
            "bound": self.bound_mm,
        }
        return CONCERN.index(self.what), -max(ranks), -abs(sizes.get(self.what) or 0.0)


def changes(before: Sequence[Spell], now: Sequence[Spell], least_ms: float = 0.0) -> tuple[Change, ...]:
    """All changes, the worst first.

    Parameters
    ----------
    least_ms : above 0 where the two did not run on the same instants: shifts up to it, and bounds, are then the clock's and no change
    """
    found: list[Change] = []
    sides: dict[tuple[Kind, str], tuple[list[Spell], list[Spell]]] = defaultdict(lambda: ([], []))
    for side, spells in enumerate((before, now)):
        for spell in spells:
            sides[spell.kind, spell.id][side].append(spell)
    for old, new in sides.values():
        pairs, vanished, appeared = _pair(old, new)
        found += [_alone(spell, "vanished") for spell in vanished]
        found += [_alone(spell, "appeared") for spell in appeared]
        found += [change for a, b in pairs if (change := _difference(a, b, least_ms)) is not None]
    return tuple(sorted(found, key=lambda c: (*c.gravity, c.t_ns, c.id)))


def _pair(old: list[Spell], new: list[Spell]) -> tuple[list[tuple[Spell, Spell]], list[Spell], list[Spell]]:
    """Pairs, and what has no partner on either side: those that share most time first."""
    candidates = sorted(
        (
            (-_shared_ns(a, b), abs(a.begun.t_ns - b.begun.t_ns), i, k)
            for i, a in enumerate(old)
            for k, b in enumerate(new)
            if _shared_ns(a, b) > -NEAR_NS
        )
    )
    left, right, pairs = set(range(len(old))), set(range(len(new))), list[tuple[Spell, Spell]]()
    for _, _, i, k in candidates:
        if i in left and k in right:
            left.remove(i)
            right.remove(k)
            pairs.append((old[i], new[k]))
    return pairs, [old[i] for i in sorted(left)], [new[k] for k in sorted(right)]


def _shared_ns(a: Spell, b: Spell) -> int:
    """How long both lasted at once; negative: how much lies between them."""
    ends = [spell.ended_ns if spell.ended_ns is not None else spell.said[-1].t_ns for spell in (a, b)]
    return min(ends) - max(a.begun.t_ns, b.begun.t_ns)


def _alone(spell: Spell, what: Literal["vanished", "appeared"]) -> Change:
    top = spell.reached(spell.rank) or spell.begun
    gone = what == "vanished"
    return Change(what, spell.kind, spell.id, spell.word if gone else "", "" if gone else spell.word, None, None, None, top.seq, top.t_ns)


def _difference(a: Spell, b: Spell, least_ms: float) -> Change | None:
    if a == b:
        return None
    shift_ns, shifted_at = _shift(a, b)
    ends_ns = None if a.ended_ns is None or b.ended_ns is None else b.ended_ns - a.ended_ns
    then = {} if least_ms else {said.seq: said for said in a.said}
    bound_mm, bound_at = _bound(then, b)
    unlike = next((said for said in b.said if said.seq in then and then[said.seq].known != said.known), None)
    last = a.said[-1]
    what: What
    if a.rank != b.rank:
        what, at = ("lower", a.reached(a.rank)) if b.rank < a.rank else ("higher", b.reached(b.rank))
    elif unlike is not None:
        what, at = "known" if unlike.known else "unknown", unlike
    elif abs(shift_ns) > least_ms * 1e6:
        what, at = "later" if shift_ns > 0 else "earlier", shifted_at
    elif abs(ends_ns or 0) > least_ms * 1e6 or (a.ended_ns is None) != (b.ended_ns is None):
        shorter = b.ended_ns is not None and (a.ended_ns is None or b.ended_ns < a.ended_ns)
        what, at = "shorter" if shorter else "longer", last
    elif bound_mm:
        what, at = "bound", bound_at
    else:
        return None
    at = at or a.begun
    later_ms = shift_ns * 1e-6
    return Change(what, a.kind, a.id, a.word, b.word, later_ms, None if ends_ns is None else ends_ns * 1e-6, bound_mm, at.seq, at.t_ns)


def _shift(a: Spell, b: Spell) -> tuple[int, Said]:
    """By how much the beginning, or a level that both reached, comes later in `b`: the greatest such shift, and where it was before."""
    shifts = [(was, now.t_ns - was.t_ns) for rank in range(1, len(WORDS[a.kind])) if (was := a.reached(rank)) and (now := b.reached(rank))]
    shifts.append((a.begun, b.begun.t_ns - a.begun.t_ns))
    at, shift_ns = max(shifts, key=lambda entry: abs(entry[1]))
    return shift_ns, at


def _bound(then: dict[int, Said], b: Spell) -> tuple[float | None, Said | None]:
    """Where the bounds of the same input differ most, and by how much now is more than before."""
    found: tuple[float | None, Said | None] = None, None
    for said in b.said:
        was = then.get(said.seq)
        if was is None or was.bound_mm is None or said.bound_mm is None:
            continue
        differs = said.bound_mm - was.bound_mm
        if found[0] is None or abs(differs) > abs(found[0]):
            found = differs, was
    return found
