"""What differs between two versions' warnings: by hand and by property."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from navtwin.report.changes import CONCERN, changes
from navtwin.report.spells import Said, Spell

MS = 1_000_000
PAIR = "canal/drill/burr"
OPPOSITE = {
    "vanished": "appeared", "lower": "higher", "unknown": "known", "later": "earlier", "shorter": "longer", "appeared": "vanished",
    "higher": "lower", "known": "unknown", "earlier": "later", "longer": "shorter", "bound": "bound",
}  # fmt: skip


def spell(ranks: tuple[int, ...] = (1, 1, 2), start: int = 100, bound: float = 3.0, ident: str = PAIR, *, ended: bool = True) -> Spell:
    """A set every 50 ms, input n at n ms."""
    said = tuple(Said(start + 50 * n, (start + 50 * n) * MS, rank, True, bound - n * 0.5, bound - n * 0.5 + 1.0) for n, rank in enumerate(ranks))
    return Spell("alert", ident, said, (start + 50 * len(ranks)) * MS if ended else None)


SPELLS = st.lists(
    st.builds(
        spell,
        st.lists(st.integers(1, 3), min_size=1, max_size=5).map(tuple),
        st.integers(0, 60).map(lambda n: 50 * n),
        st.floats(0.5, 9.0),
        st.sampled_from([PAIR, "aorta/drill/burr"]),
        ended=st.booleans(),
    ),
    max_size=5,
)


@given(SPELLS)
def test_nothing_changes_against_itself(spells: list[Spell]) -> None:
    assert changes(spells, spells) == ()


@given(SPELLS, SPELLS)
def test_seen_from_the_other_side_each_change_is_its_opposite(a: list[Spell], b: list[Spell]) -> None:
    there, back = changes(a, b), changes(b, a)
    assert sorted(OPPOSITE[c.what] for c in there) == sorted(c.what for c in back)


@given(SPELLS, SPELLS)
def test_the_gravest_comes_first_and_every_spell_is_accounted_for(a: list[Spell], b: list[Spell]) -> None:
    found = changes(a, b)
    assert [CONCERN.index(c.what) for c in found] == sorted(CONCERN.index(c.what) for c in found)
    vanished, appeared = (sum(c.what == what for c in found) for what in ("vanished", "appeared"))
    assert len(a) - vanished == len(b) - appeared


def test_a_warning_that_is_gone_is_named_where_it_was_worst() -> None:
    (change,) = changes([spell((1, 3, 2))], [])
    assert (change.what, change.before, change.now, change.seq, change.t_ns) == ("vanished", "CONTACT", "", 150, 150 * MS)


def test_later_by_so_much_though_the_beginning_is_the_same() -> None:
    (change,) = changes([spell((1, 2, 2, 2))], [spell((1, 1, 1, 2))])
    assert (change.what, change.later_ms, change.seq) == ("later", 100.0, 150)


def test_a_level_that_is_no_longer_reached_outweighs_that_it_comes_earlier() -> None:
    (change,) = changes([spell((1, 1, 3))], [spell((2, 2, 2))])
    assert (change.what, change.before, change.now, change.later_ms) == ("lower", "CONTACT", "DANGER", -100.0)


def test_a_bound_that_differs_is_told_where_it_differs_most() -> None:
    old = spell((1, 1, 1))
    off = (0.0, 0.4, -0.1)
    new = replace(old, said=tuple(s._replace(bound_mm=(s.bound_mm or 0.0) + mm) for s, mm in zip(old.said, off, strict=True)))
    (change,) = changes([old], [new])
    assert (change.what, change.seq) == ("bound", 150)
    assert change.bound_mm is not None
    assert abs(change.bound_mm - 0.4) < 1e-12


def test_what_was_known_and_is_not_is_graver_than_a_delay() -> None:
    old = spell((1, 2, 2))
    new = replace(old, said=tuple(s._replace(known=n == 0) for n, s in enumerate(old.said)))
    (change,) = changes([old], [new])
    assert (change.what, change.seq) == ("unknown", 150)


def test_spells_far_apart_are_not_one_and_the_same() -> None:
    found = changes([spell(start=0)], [spell(start=5000)])
    assert [c.what for c in found] == ["vanished", "appeared"]


def test_what_is_less_than_the_clock_tells_is_no_change() -> None:
    assert changes([spell(bound=3.0)], [spell(start=110, bound=3.5)], least_ms=60.0) == ()
    assert [c.what for c in changes([spell()], [spell(start=200)], least_ms=60.0)] == ["later"]
