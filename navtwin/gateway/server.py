"""The TCP side: any number of OpenIGTLink clients, none of which can hold up another.

Everything that is served is complete in itself, so a client that reads too slowly needs only the newest of each: its queue has one place for each
device and kind, and what is newer takes the place of what is older. Alerts go first; none is ever dropped, only replaced by the set that came after
it. A client that takes nothing for 5 s while something waits is let go.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from navtwin.errors import BusRefused
from navtwin.igtl.message import Message
from navtwin.igtl.reader import Damaged, Reader

MOST_PEERS: Final = 32
STUCK_NS: Final = 5_000_000_000
#: Bytes read of one client in one turn, and messages acted on: a flood must not hold the others. What is over waits, and no more is read meanwhile.
READ_BYTES: Final = 1 << 16
MOST_MESSAGES: Final = 16
#: Damaged messages of one client that are told.
MOST_TOLD: Final = 5
#: Answers that wait for a client; one that asks more and reads none is let go.
MOST_ANSWERS: Final = 64
#: The less the system holds for a slow client, the less old poses it reads before the newest.
SEND_BUFFER_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Served:
    """A message to send, its place in the queues, and its rank: 0 goes first."""

    slot: str
    rank: int
    data: bytes


@dataclass(slots=True, eq=False)
class Peer:
    """One client."""

    socket: socket.socket
    where: str
    waiting: dict[str, Served]
    reader: Reader = field(default_factory=Reader)
    heard: deque[Message] = field(default_factory=deque)
    sending: memoryview = field(default_factory=lambda: memoryview(b""))
    progress_ns: int = 0
    answers: int = 0
    damaged: int = 0


class IgtlServer:
    """Listens, serves and hears; `turn` does all that can be done without waiting.

    Parameters
    ----------
    host, port : where to listen; port 0 takes a free one
    allowed : numeric addresses that may connect; None for any that can reach the address
    say : tells a person who comes and goes
    """

    def __init__(self, host: str, port: int, allowed: frozenset[str] | None, say: Callable[[str], None]) -> None:
        self._say, self._allowed = say, allowed
        self._peers: list[Peer] = []
        self._current: dict[str, Served] = {}
        self._turned_away: set[str] = set()
        self._selector = selectors.DefaultSelector()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port))
            self._listener.listen(8)
        except OSError as error:
            self._listener.close()
            raise BusRefused(
                f"cannot listen on {host}:{port}: {error.strerror}", "end the program that holds the port, or pass another --igtl"
            ) from error
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)

    @property
    def peers(self) -> tuple[Peer, ...]:
        return tuple(self._peers)

    def serve(self, served: Served) -> None:
        """Put a message into every client's queue, in the place of an older one. Who comes later gets it first thing."""
        self._current[served.slot] = served
        for peer in self._peers:
            peer.waiting[served.slot] = served

    def answer(self, peer: Peer, data: bytes) -> None:
        """Put an answer into one client's queue."""
        peer.answers += 1
        peer.waiting[f"answer {peer.answers}"] = Served(f"answer {peer.answers}", 0, data)
        if sum(served.slot.startswith("answer ") for served in peer.waiting.values()) > MOST_ANSWERS:
            self._let_go(peer, "it asks and does not read the answers")

    def turn(self) -> list[tuple[Peer, Message]]:
        """Take who comes, hear what they say, send what can be sent. Never waits."""
        heard = list[tuple[Peer, Message]]()
        for key, events in self._selector.select(0):
            if key.fileobj is self._listener:
                self._accept()
            elif events & selectors.EVENT_READ and not key.data.heard:
                self._hear(key.data)
        for peer in self.peers:
            heard += [(peer, peer.heard.popleft()) for _ in range(min(MOST_MESSAGES, len(peer.heard)))]
            self._send(peer)
        return heard

    def close(self) -> None:
        for peer in self.peers:
            self._let_go(peer, "")
        self._listener.close()
        self._selector.close()

    def _accept(self) -> None:
        try:
            connection, place = self._listener.accept()
        except OSError:
            return  # it has gone again
        host = str(place[0]).removeprefix("::ffff:").partition("%")[0]
        if (self._allowed is not None and host not in self._allowed) or len(self._peers) >= MOST_PEERS:
            if host not in self._turned_away and len(self._turned_away) < MOST_PEERS:
                # Once: who is turned away may try again for ever.
                self._turned_away.add(host)
                self._say(f"turned away: {host}{'' if len(self._peers) < MOST_PEERS else f' ({MOST_PEERS} clients are there already)'}")
            connection.close()
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        peer = Peer(connection, f"{host}:{place[1]}", dict(self._current), progress_ns=time.monotonic_ns())
        self._peers.append(peer)
        self._selector.register(connection, selectors.EVENT_READ, peer)
        self._say(f"client {peer.where} has come")

    def _hear(self, peer: Peer) -> None:
        try:
            data = peer.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._let_go(peer, str(error.strerror))
            return
        if not data:
            self._let_go(peer, "it closed the connection")
            return
        items = peer.reader.feed(data)
        if peer.reader.broken is not None:
            self._let_go(peer, peer.reader.broken.problem)
            return
        for item in items:
            if isinstance(item, Damaged) and peer.damaged < MOST_TOLD:
                peer.damaged += 1
                self._say(f"client {peer.where}: {item.reason}")
        peer.heard += [item for item in items if isinstance(item, Message)]

    def _send(self, peer: Peer) -> None:
        try:
            while peer.sending or peer.waiting:
                if not peer.sending:
                    served = min(peer.waiting.values(), key=lambda one: one.rank)
                    del peer.waiting[served.slot]
                    peer.sending, peer.progress_ns = memoryview(served.data), time.monotonic_ns()
                taken = peer.socket.send(peer.sending)
                peer.sending, peer.progress_ns = peer.sending[taken:], time.monotonic_ns()
        except BlockingIOError:
            if time.monotonic_ns() - peer.progress_ns > STUCK_NS:
                self._let_go(peer, f"it has read nothing for {STUCK_NS * 1e-9:g} s")
        except OSError as error:
            self._let_go(peer, str(error.strerror))

    def _let_go(self, peer: Peer, why: str) -> None:
        if peer not in self._peers:
            return
        self._peers.remove(peer)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(peer.socket)
        peer.socket.close()
        if why:
            self._say(f"client {peer.where} has gone: {why}")
