"""An operator on the bus: a real client in a thread of its own, that keeps all it hears and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from navtwin.bus.client import Client
from navtwin.nouns import Alert, AlertSet, Command, Envelope, Order, Reply, Setup, State, TechnicalAlarm, Topic, encode

#: How long anything is waited for that must come, s: far more than any deadline, so that what is late is measured and not given up.
PATIENCE_S = 15.0
TURN_MS = 10
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Heard:
    """One message, and when it was received: host monotonic, ns."""

    t_ns: int
    topic: Topic
    envelope: Envelope


class Operator:
    """Listens from now until closed. Orders are sent by its thread, which alone may use the client.

    Attributes
    ----------
    heard : everything, in order
    lost : (t_ns, whether the link is lost) at each change
    """

    def __init__(self, ports: tuple[int, int], who: str = "operator", clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.heard: list[Heard] = []
        self.lost: list[tuple[int, bool]] = []
        self._client = Client(ports=ports, who=who, clock=clock)
        self._over = threading.Event()
        self._orders: list[tuple[Order, list[str]]] = []
        self._thread = threading.Thread(target=self._listen, name="operator", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        lost = False
        while not self._over.is_set():
            while self._orders:
                order, ident = self._orders.pop(0)
                ident.append(self._client.send(order))
            for topic, envelope in self._client.receive_newest(TURN_MS):
                self.heard.append(Heard(time.monotonic_ns(), topic, envelope))
            if self._client.link_lost() != lost:
                lost = not lost
                self.lost.append((time.monotonic_ns(), lost))
        self._client.close()

    def order(self, order: Order, since_s: float = PATIENCE_S) -> Reply:
        """Give an order and wait for its answer."""
        ident = list[str]()
        self._orders.append((order, ident))
        found = self.wait(
            lambda: next((h.envelope.body for h in self.heard if isinstance(h.envelope.body, Reply) and h.envelope.body.id in ident), None), since_s
        )
        if not isinstance(found, Reply):
            raise TimeoutError(f"no answer to {encode(Command(who='', id='', order=order)).decode()}")
        return found

    def alerts_since(self, t_ns: int) -> list[tuple[int, AlertSet, Envelope]]:
        """Alert sets received at or after an instant."""
        return [(h.t_ns, h.envelope.body, h.envelope) for h in self.heard if h.t_ns >= t_ns and isinstance(h.envelope.body, AlertSet)]

    def states_since(self, t_ns: int) -> list[tuple[State, Envelope]]:
        return [(h.envelope.body, h.envelope) for h in self.heard if h.t_ns >= t_ns and isinstance(h.envelope.body, State)]

    def setups(self) -> list[Setup]:
        """How far calibration and registration had come, newest last."""
        return [h.envelope.body for h in self.heard if isinstance(h.envelope.body, Setup)]

    def wait(self, found: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T | None:
        """What `found` returns once it is something; None after the patience."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            result = found()
            if result:
                return result
            time.sleep(0.005)
        return None

    def close(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)


def alarm_in(alerts: AlertSet, names: tuple[str, ...], words: tuple[str, ...]) -> TechnicalAlarm | None:
    """An alarm of one of these names whose text has all the words."""
    for alarm in alerts.technical:
        if alarm.alarm in names and all(word.lower() in alarm.text.lower() for word in words):
            return alarm
    return None


def pair_in(alerts: AlertSet, pair: str) -> tuple[str | None, bool]:
    """Level of a watched pair, and whether it is known."""
    return next(((p.level, p.known) for p in alerts.pairs if p.id == pair), (None, False))


def alert_in(alerts: AlertSet, pair: str) -> Alert | None:
    return next((a for a in alerts.alerts if a.id == pair), None)
