"""A topic with a port, and sockets, of its own: what is large, and comes again, never stands in a warning's way.

Each end has a ZeroMQ context of its own, and with it a thread of its own for its sockets. A message is the topic's name and what goes with it.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress

import zmq

from navtwin.bus.endpoint import as_client, as_server, bind_port, listening_address, remote_address
from navtwin.bus.keys import ClientKeys, ServerKeys
from navtwin.bus.zap import guard
from navtwin.errors import BusRefused

#: What the system may hold of a connection's messages: a subscriber that stalled is shown few old ones.
SYSTEM_BUFFER_BYTES = 256 * 1024
#: Messages looked at in one call, so that a flood cannot hold the caller; and the longest that closing waits for a call.
MESSAGES_PER_CALL, TURN_MS = 64, 50


class SidePublisher:
    """The core's end. To be used by one thread, which never waits here.

    Parameters
    ----------
    bind : address to listen on; anything but loopback is refused without `keys`
    port : 0 takes any free one; read it back from the attribute
    waiting : messages kept for a subscriber that lags; what comes after is dropped for that one only
    flag : the option that names another port

    Raises
    ------
    BusRefused : a port that is taken, an address that needs keys
    """

    def __init__(self, topic: bytes, bind: str, port: int, keys: ServerKeys | None, *, waiting: int, flag: str) -> None:
        address = listening_address(bind, keys)
        self._topic = topic
        self._asked = set[bytes]()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.XPUB)
        try:
            if keys:
                guard(self._context, keys.allowed)
            for option, value in ((zmq.LINGER, 0), (zmq.SNDHWM, waiting), (zmq.SNDBUF, SYSTEM_BUFFER_BYTES), (zmq.IPV6, 1)):
                self._socket.set(option, value)
            # Nobody has to send us more than a subscription.
            self._socket.set(zmq.MAXMSGSIZE, 1024)
            as_server(self._socket, keys)
            self.port = bind_port(self._socket, address, port, flag)
        except BaseException:
            self.close()
            raise

    @property
    def watched(self) -> bool:
        """Whether anybody subscribes, as of now: nothing need be made for nobody."""
        with suppress(zmq.Again):
            for _ in range(MESSAGES_PER_CALL):
                change = self._socket.recv(zmq.NOBLOCK)
                if self._topic.startswith(change[1:]):
                    (self._asked.add if change[:1] == b"\x01" else self._asked.discard)(change[1:])
        return bool(self._asked)

    def send(self, *frames: bytes) -> None:
        """Send a message to every subscriber."""
        self._socket.send_multipart([self._topic, *frames], zmq.NOBLOCK)

    def close(self) -> None:
        """Free the port. May be called twice."""
        self._socket.close()
        self._context.term()


class SideSubscriber:
    """A client's end. `take` and `close` may be called from different threads.

    Parameters
    ----------
    keys : needed for a host beyond this machine
    waiting : messages kept until they are taken; what comes after is dropped
    most_bytes : of a frame; who sends a larger one is disconnected
    """

    def __init__(self, topic: bytes, host: str, port: int, keys: ClientKeys | None, *, waiting: int, most_bytes: int) -> None:
        address = remote_address(host, keys)
        self._leaving = threading.Event()
        self._in_use = threading.Lock()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        try:
            for option, value in (
                (zmq.LINGER, 0),
                (zmq.RCVHWM, waiting),
                (zmq.RCVBUF, SYSTEM_BUFFER_BYTES),
                (zmq.MAXMSGSIZE, most_bytes),
                (zmq.RECONNECT_IVL, 50),
                (zmq.RECONNECT_IVL_MAX, 500),
                (zmq.IPV6, 1),
            ):
                self._socket.set(option, value)
            as_client(self._socket, keys)
            self._socket.subscribe(topic)
            try:
                self._socket.connect(f"{address}:{port}")
            except zmq.ZMQError as error:
                raise BusRefused(f"cannot connect to {address}:{port}: {error.strerror}", "check the host's name and the port") from error
        except BaseException:
            self.close()
            raise

    @property
    def left(self) -> bool:
        """Whether it was closed."""
        return self._leaving.is_set()

    def take(self, timeout_ms: float) -> list[list[bytes]]:
        """The messages that are there, unchecked, in their order; waits for one if there is none. Empty if none came in time, or once closed."""
        until = time.monotonic() + timeout_ms * 1e-3
        with self._in_use:
            while not self.left:
                found = self._there()
                left_ms = (until - time.monotonic()) * 1e3
                if found or left_ms <= 0.0:
                    return found
                self._socket.poll(math.ceil(min(left_ms, TURN_MS)))
        return []

    def close(self) -> None:
        """Leave. May be called twice, and while another thread waits in `take`, which then returns nothing."""
        self._leaving.set()
        with self._in_use:
            self._socket.close()
            self._context.term()

    def _there(self) -> list[list[bytes]]:
        found = []
        for _ in range(MESSAGES_PER_CALL):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            found.append(frames)
        return found
