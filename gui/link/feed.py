"""The thread that talks with the core: receives without ever waiting for a picture, and sends orders."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from gui.link.board import Board
from navtwin.bus.link import Link
from navtwin.errors import BusRefused
from navtwin.nouns import Envelope, Order, Topic

#: The longest that an order waits for the receiver to look up.
TURN_MS = 10


class Port(Protocol):
    """The part of `navtwin.bus.client.Client` that a screen needs."""

    link: Link
    trouble: str

    def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]: ...

    def send(self, order: Order) -> str: ...

    def close(self) -> None: ...


class Feed(threading.Thread):
    """Feeds a board from a client, and the client with orders, until stopped.

    Parameters
    ----------
    client : used by this thread alone from now on, and closed by it
    board : where messages go

    Attributes
    ----------
    news : called from this thread after each turn that brought an alert set or an answer; may be set while the thread runs
    """

    def __init__(self, client: Port, board: Board, news: Callable[[], None] = lambda: None) -> None:
        super().__init__(name="navtwin-feed", daemon=True)
        self._client = client
        self._board = board
        self.news = news
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._over = threading.Event()

    @property
    def trouble(self) -> str:
        """Why the core does not let this client in, "" if it does."""
        return self._client.trouble

    def order(self, order: Order) -> None:
        """Send an order soon; what becomes of it is said on the board."""
        self._orders.put(order)

    def stop(self) -> None:
        """Leave the bus; returns when it is done."""
        self._over.set()
        self.join(timeout=2.0)

    def run(self) -> None:
        try:
            while not self._over.is_set():
                self._turn()
        finally:
            self._client.close()

    def _turn(self) -> None:
        messages = self._client.receive_newest(TURN_MS)
        for topic, envelope in messages:
            self._board.take(topic, envelope)
        sent = False
        while not self._orders.empty():
            self._send(self._orders.get())
            sent = True
        if sent or any(topic in ("alerts", "reply") for topic, _ in messages):
            self.news()

    def _send(self, order: Order) -> None:
        try:
            self._board.sent(self._client.send(order), order)
        except BusRefused as refusal:
            self._board.not_sent(order, refusal.problem)
