"""From a message to its pixels: the figure that the latency lamp tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gui.link.board import MS, Moment
from gui.picture.delay import LEAST, WINDOW_NS, Delay
from gui.picture.pace import Pace
from navtwin.nouns import State
from tests.gui.room import DANGER_S, Clock, said


@given(st.lists(st.integers(0, 500 * MS), min_size=LEAST, max_size=200))
def test_p95_is_the_nearest_rank(took_ns: list[int]):
    delay = Delay()
    for n, took in enumerate(took_ns):
        delay.note(n * MS - took, n * MS)
    assert delay.p95_ms(len(took_ns) * MS) == np.percentile(took_ns, 95, method="inverted_cdf") / MS


def test_nothing_is_told_of_too_few_and_what_is_old_is_forgotten():
    delay = Delay()
    for n in range(LEAST - 1):
        delay.note(n * MS, (n + 50) * MS)
    assert delay.p95_ms(100 * MS) is None
    delay.note(0, 100 * MS)
    assert delay.p95_ms(100 * MS) == 50.0
    assert delay.p95_ms(100 * MS + WINDOW_NS) is None


class SlowView:
    """A view whose pixels are there when the test says so."""

    def __init__(self) -> None:
        self.on_painted: Callable[[State], None] = lambda _state: None
        self.picture: Any = self
        self.shown: list[State | None] = []

    def show(self, state: State | None, _alerts: object) -> None:
        self.shown.append(state)

    def look(self, *_: Any) -> None: ...

    def set_visible(self, *_: Any) -> None: ...

    def paint(self, *, still: bool = False) -> None: ...

    def cost_s(self) -> float | None:
        return 0.0


def test_the_pace_measures_from_the_receipt_of_a_state_to_its_own_pixels_and_no_other_ones():
    view, clock = SlowView(), Clock()
    pace = Pace(view, 0.0, clock)
    state, alerts = said(DANGER_S)
    for n in range(LEAST):
        clock.ns += 100 * MS
        new = msgspec.structs.replace(state, frame=n, readings=state.readings[: n % 2])
        pace.turn(Moment("up", 0, "e1", alerts, 0, new, None, state_ns=clock.ns - 7 * MS), clock.ns, "left")
        clock.ns += 23 * MS
        assert view.shown[-1] is new
        view.on_painted(msgspec.structs.replace(new))
        view.on_painted(new)
    assert pace.p95_ms() == 30.0
