"""The receiving thread: real sockets, hostile messages, orders both ways."""

from __future__ import annotations

import time
from collections.abc import Callable

import zmq

from gui.link.board import Board
from gui.link.feed import Feed
from navtwin.bus.client import Client
from navtwin.bus.link import Link
from navtwin.nouns import Mark, encode
from tests.bus.fake_core import SETUP
from tests.gui.room import DANGER_S, FakePort, envelope, said


def wait(until: Callable[[], bool], seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        time.sleep(0.01)
    return False


def test_malformed_messages_are_passed_over_and_the_next_good_one_is_shown():
    context = zmq.Context()
    publisher, router = context.socket(zmq.PUB), context.socket(zmq.ROUTER)
    ports = publisher.bind_to_random_port("tcp://127.0.0.1"), router.bind_to_random_port("tcp://127.0.0.1")
    client = Client(ports=ports)
    board = Board(client.link, time.monotonic_ns)
    feed = Feed(client, board, lambda: None)
    feed.start()
    try:
        _, alerts = said(DANGER_S)
        good = encode(envelope(alerts, time.monotonic_ns()))

        def publish() -> bool:
            for junk in (
                [b"alerts"],
                [b"alerts", b"{"],
                [b"alerts", b'{"epoch": NaN}'],
                [b"alerts", encode(envelope(SETUP, 0))],
                [b"alerts", b"", b""],
            ):
                publisher.send_multipart(junk)
            publisher.send_multipart([b"alerts", good])
            return client.link.malformed >= 5 and board.moment().alerts == alerts

        assert wait(publish)
        assert feed.is_alive()
        feed.order(Mark(label="here"))
        assert router.poll(3000)
        assert b'"label":"here"' in router.recv_multipart()[1]
    finally:
        feed.stop()
        publisher.close(linger=0)
        router.close(linger=0)
        context.term()


def test_an_order_that_cannot_leave_is_told_and_the_client_is_closed_at_the_end():
    port = FakePort([], Link(0))
    port.refuses = True
    board = Board(port.link, time.monotonic_ns)
    news: list[int] = []
    feed = Feed(port, board, lambda: news.append(1))
    feed.start()
    feed.order(Mark(label="here"))
    assert wait(lambda: bool(board.words))
    feed.stop()
    assert board.words[-1].text.startswith("not sent: here")
    assert news
    assert port.closed
