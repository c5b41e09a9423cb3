"""When to paint the picture: newest moment only, never at the cost of the alerts, and at once where something shown is no longer known."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gui.link.board import MS, Moment
from gui.picture.delay import Delay
from navtwin.nouns import AlertSet, State
from navtwin.scene.views import ViewName

#: Share of the time that painting may take, so that the core and the alerts get their turn.
PAINT_SHARE = 0.6
#: After so long without a change the picture is painted once more, at its best.
STILL_NS = 400 * MS
#: How far a following view goes to its goal in one painting: calm in spite of the tracker's noise.
FOLLOW_SHARE = 0.2
#: States whose pixels may be on their way at the same time. Where a window lags by more, how late it is would not be known just then.
MOST_UNDER_WAY = 64


class Shows(Protocol):
    """What is asked of a picture that follows the instrument. None of it paints."""

    def show(self, state: State | None, alerts: AlertSet | None) -> None: ...

    def look(self, view: ViewName, state: State | None, share: float = 1.0) -> None: ...

    def set_visible(self, structure: str, visible: bool) -> None: ...


class Paintable(Protocol):
    """A picture that can be asked to be painted.

    Attributes
    ----------
    on_painted : called once the pixels of a state that was not shown before are on the screen
    """

    on_painted: Callable[[State], None]

    @property
    def picture(self) -> Shows: ...

    def paint(self, *, still: bool = False) -> None:
        """Ask for the picture to be painted soon. `still`: nothing moves, so it may take longer and be at its best."""

    def cost_s(self) -> float | None:
        """How long the last painting took; None while one is under way."""


@dataclass(frozen=True)
class Shown:
    """What a painting shows: which instruments, and of which moment of the screen's clock."""

    instruments: frozenset[str]
    at_ns: int


class Pace:
    """Asks a view for paintings.

    Parameters
    ----------
    view : what is painted
    least_ms : the least time between two paintings
    clock : that of the board whose moments are painted

    Attributes
    ----------
    delay : from the receipt of states to their pixels
    """

    def __init__(self, view: Paintable, least_ms: float, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._view = view
        self._clock = clock
        self.delay = Delay()
        self._received: deque[tuple[State, int]] = deque(maxlen=MOST_UNDER_WAY)
        view.on_painted = self._painted
        self._least_ns = least_ms * MS
        self._seen: tuple[object, ...] | None = None
        self._at_ns = 0
        self._polished = True
        self._asked = self._shown = Shown(frozenset(), 0)

    def turn(self, moment: Moment, now_ns: int, view_name: ViewName) -> None:
        """Paint if something has changed, the last painting is done, and it leaves time for the rest."""
        cost_s = self._view.cost_s()
        if cost_s is None:
            return
        self._shown = self._asked
        following = view_name == "tip" and bool(known_instruments(moment))
        seen = _visible(moment)
        if seen == self._seen and not following:
            self._polish(now_ns)
            return
        # What is no longer known must go at once; the rest can wait for its turn.
        gone = self._shown.instruments - known_instruments(moment)
        if not gone and now_ns - self._at_ns < max(self._least_ns, cost_s / PAINT_SHARE * 1e9):
            return
        self._seen, self._at_ns, self._polished = seen, now_ns, False
        if moment.state is not None:
            self._received.append((moment.state, moment.state_ns))
        self._view.picture.show(moment.state, moment.alerts)
        if following:
            self._view.picture.look("tip", moment.state, FOLLOW_SHARE)
        self._asked = Shown(known_instruments(moment), now_ns)
        self._view.paint()
        if self._view.cost_s() is not None:
            self._shown = self._asked

    def lateness(self, moment: Moment, now_ns: int) -> tuple[frozenset[str], int]:
        """Instruments that the picture still shows though they are no longer known, and how far it lags behind a painting that is under way, ns."""
        lag_ns = now_ns - self._shown.at_ns if moment.state is not None and self._shown != self._asked else 0
        return self._shown.instruments - known_instruments(moment), lag_ns

    def forget(self) -> None:
        """Paint at the next turn, whatever has been painted."""
        self._seen = None

    def p95_ms(self) -> float | None:
        """From the receipt of a state to its pixels, ms: what 95 of 100 paintings of the last 10 s did not exceed; None while too few are known."""
        return self.delay.p95_ms(self._clock())

    def _painted(self, state: State) -> None:
        for shown, received_ns in self._received:
            if shown is state and received_ns:
                self.delay.note(received_ns, self._clock())

    def _polish(self, now_ns: int) -> None:
        if not self._polished and now_ns - self._at_ns > STILL_NS:
            self._polished = True
            self._view.paint(still=True)


def _visible(moment: Moment) -> tuple[object, ...]:
    """What of a moment can be seen in a picture, to a tenth of a millimetre: the noise of a tool that lies still is not worth a painting."""
    if moment.state is None:
        return ()
    places = [
        (i.instrument, *(round(v, 1) for v in i.pose.t_mm), *(round(v, 3) for v in i.pose.q_wxyz))
        for i in moment.state.instruments
        if i.status == "OK" and i.pose is not None
    ]
    distances = [round(r.distance_mm, 1) for r in moment.state.readings if r.role == "critical" and r.distance_mm is not None]
    levels = [(a.id, a.level, a.known) for a in moment.alerts.alerts] if moment.alerts else []
    return (*places, *distances, *levels)


def known_instruments(moment: Moment) -> frozenset[str]:
    """The instruments that may be in the picture now."""
    return frozenset(i.instrument for i in (moment.state.instruments if moment.state else ()) if i.status == "OK")
