"""A client that floods the core with orders: it is read a few at a time, and the others between."""

from __future__ import annotations

import time

import zmq

from navtwin.bus.server import Server
from navtwin.nouns import Command, Mark, encode

#: So many orders may stand before a frame: each costs the fold up to a millisecond on a slow machine, and max_age is 100.
MOST_BEFORE_A_FRAME = 10


def test_a_flood_is_read_a_few_at_a_time_and_another_client_is_heard_between() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    server = Server(pub_port=0, command_port=0, epoch="e1")
    try:
        flood, nurse = (context.socket(zmq.DEALER) for _ in range(2))
        for sock in (flood, nurse):
            sock.connect(f"tcp://127.0.0.1:{server.command_port}")
        # Connected before the flood, as an operator is.
        nurse.send(encode(Command(who="nurse", id="1", order=Mark(label="here"))))
        assert [command.who for _, command in _next(server)] == ["nurse"]
        for n in range(300):
            flood.send(encode(Command(who="flood", id=str(n), order=Mark(label="flood"))))
        assert len(_next(server)) <= MOST_BEFORE_A_FRAME
        nurse.send(encode(Command(who="nurse", id="2", order=Mark(label="and now"))))
        time.sleep(0.2)
        # ZeroMQ looks for clients that have something new once in 100 messages.
        polls = [_next(server) for _ in range(20)]
        assert all(len(taken) <= MOST_BEFORE_A_FRAME for taken in polls)
        assert "nurse" in {command.who for taken in polls for _, command in taken}, "clients take turns"
    finally:
        context.destroy(linger=0)
        server.close()


def _next(server: Server) -> list[tuple[bytes, Command]]:
    """The next commands that come."""
    end = time.monotonic() + 10.0
    while time.monotonic() < end:
        if taken := server.poll_commands():
            return taken
        time.sleep(0.01)
    raise AssertionError("no command came")
