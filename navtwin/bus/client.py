"""A receiver's end of the bus: it trusts no message, and no clock but its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import get_args

import zmq
from zmq.utils.monitor import recv_monitor_message

from navtwin.bus.endpoint import as_client, remote_address
from navtwin.bus.keys import ClientKeys
from navtwin.bus.link import Link
from navtwin.bus.topics import COMMAND_PORT, FRAME_LIMIT_BYTES, PUB_HIGH_WATER, PUB_PORT, TOPICS, Malformed, unpack
from navtwin.errors import BusRefused, InputRefused, nearest
from navtwin.nouns import Command, Envelope, Order, Topic, encode

#: Messages looked at in one call, so that a flood of bad ones cannot hold the caller.
MESSAGES_PER_CALL = 256
#: What the command socket's monitor reports: how handshakes went.
HANDSHAKES = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
#: How long `send` may wait for a connection that is just being made.
SEND_WAIT_MS = 50


class Client:
    """Subscribes to the core and gives it orders. Reconnects by itself; use it from one thread.

    Alerts and state come over separate connections, so that a heavy state stream can neither delay an alert nor push it out of a queue.

    Parameters
    ----------
    ports : (publish port, command port)
    keys : needed for a host beyond this machine
    who : the operator's name, logged with each order
    clock : this receiver's own monotonic time, ns
    topics : what to subscribe to

    Attributes
    ----------
    link : what is known of the link: lost or not, epoch, ages, counts (`Link`)
    trouble : why the core does not let this client in, "" if it does
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        ports: tuple[int, int] = (PUB_PORT, COMMAND_PORT),
        keys: ClientKeys | None = None,
        who: str = "operator",
        clock: Callable[[], int] = time.monotonic_ns,
        *,
        topics: Iterable[Topic] = ("alerts", "setup", "state"),
    ) -> None:
        address = remote_address(host, keys)
        wanted = tuple(topics)
        for topic in wanted:
            if topic not in get_args(Topic):
                raise InputRefused(f"unknown topic '{topic}'", nearest(topic, get_args(Topic)))
        self.who = who
        self.trouble = ""
        self._clock = clock
        self.link = Link(clock())
        self._sent = 0
        self._context = zmq.Context()
        self._commands = self._open(zmq.DEALER, keys)
        # An order is for now: it must not wait in a queue for a core that comes back a minute later.
        self._commands.set(zmq.IMMEDIATE, 1)
        self._commands.set(zmq.SNDTIMEO, SEND_WAIT_MS)
        self._monitor = self._commands.get_monitor_socket(HANDSHAKES)
        self._has_keys = keys is not None
        self._urgent = self._open(zmq.SUB, keys)
        self._state = self._open(zmq.SUB, keys)
        for topic in wanted:
            (self._state if topic == "state" else self._urgent).subscribe(topic)
        self._inputs = (self._commands, self._urgent, self._state)
        self._poller = zmq.Poller()
        for socket in (*self._inputs, self._monitor):
            self._poller.register(socket, zmq.POLLIN)
        try:
            for socket, port in zip(self._inputs, (ports[1], ports[0], ports[0]), strict=True):
                _connect(socket, f"{address}:{port}")
        except BusRefused:
            self.close()
            raise

    def receive(self, timeout_ms: int) -> tuple[Topic, Envelope] | None:
        """The next message, replies and alerts before state; None if none came in time. Malformed ones are counted in `link` and passed over."""
        ready = self._wait(timeout_ms)
        for socket in self._inputs:
            if socket not in ready:
                continue
            for _ in range(MESSAGES_PER_CALL):
                frames = _next(socket)
                if frames is None:
                    break
                message = self._read(frames)
                if message is not None:
                    return message
        return None

    def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]:
        """Every waiting reply, alert set and setup in order, then only the newest state: what a drawing client wants each frame."""
        self._wait(timeout_ms)
        messages: list[tuple[Topic, Envelope]] = []
        for socket in (self._commands, self._urgent):
            waiting = _all(socket)
            messages += [message for frames in waiting if (message := self._read(frames))]
        states = _all(self._state)
        self.link.skipped += max(0, len(states) - 1)
        for frames in states[-1:]:
            message = self._read(frames)
            if message is not None:
                messages.append(message)
        return messages

    def send(self, order: Order) -> str:
        """Give an order. Returns its id, which the reply will carry.

        Raises
        ------
        BusRefused : the core is not connected; the order was not sent and will not be sent later
        """
        self._sent += 1
        ident = f"{self.who}-{self._sent}"
        try:
            self._commands.send(encode(Command(who=self.who, id=ident, order=order)))
        except zmq.Again as error:
            raise BusRefused("the core is not connected: the order was not sent", "give it again when the link is back") from error
        return ident

    def link_lost(self, now_ns: int | None = None) -> bool:
        """True when no fresh alert set has come for 300 ms, by this receiver's clock."""
        return self.link.lost(self._clock() if now_ns is None else now_ns)

    def close(self) -> None:
        """Leave the bus. May be called twice."""
        if self._context.closed:
            return
        self._commands.disable_monitor()
        for socket in (self._monitor, *self._inputs):
            socket.close()
        self._context.term()

    def _open(self, kind: int, keys: ClientKeys | None) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.MAXMSGSIZE, FRAME_LIMIT_BYTES),
            (zmq.RCVHWM, PUB_HIGH_WATER),
            (zmq.SNDHWM, PUB_HIGH_WATER),
            (zmq.RECONNECT_IVL, 50),
            (zmq.RECONNECT_IVL_MAX, 500),
            # A cable that is pulled closes no connection: only the system's probes notice. Not ZeroMQ's own heartbeats: with a full queue behind
            # them libzmq 4.3.5 can abort the process of a client that does not read.
            (zmq.TCP_KEEPALIVE, 1),
            (zmq.TCP_KEEPALIVE_IDLE, 3),
            (zmq.TCP_KEEPALIVE_INTVL, 1),
            (zmq.TCP_KEEPALIVE_CNT, 3),
            (zmq.IPV6, 1),
        ):
            socket.set(option, value)
        as_client(socket, keys)
        return socket

    def _wait(self, timeout_ms: int) -> set[zmq.Socket[bytes]]:
        """The sockets that have something to be read, once one has or the time is over."""
        ready = {socket for socket, _ in self._poller.poll(timeout_ms)}
        while self._monitor in ready and self._monitor.poll(0):
            self.trouble = _trouble(recv_monitor_message(self._monitor)["event"], has_keys=self._has_keys)
        return ready

    def _read(self, frames: list[bytes]) -> tuple[Topic, Envelope] | None:
        now_ns = self._clock()
        try:
            topic, envelope = unpack(frames)
        except Malformed as fault:
            self.link.malformed += 1
            self.link.last_fault = str(fault)
            return None
        if TOPICS[topic].socket == "pub":
            self.link.heard(envelope, now_ns)
        return topic, envelope


def _connect(socket: zmq.Socket[bytes], endpoint: str) -> None:
    try:
        socket.connect(endpoint)
    except zmq.ZMQError as error:
        raise BusRefused(f"cannot connect to {endpoint}: {error.strerror}", "check the host's name and the ports") from error


def _trouble(event: int, *, has_keys: bool) -> str:
    """Why a handshake failed, and what to do; "" where it did not."""
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        return "the core does not allow this key: its owner must run `navtwin keys allow` with your .pub file and start the core again, then you this"
    if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return "the core at these ports uses no keys" if has_keys else "the core asks for keys: pass `--key NAME --server-key FILE`"
    if event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL and has_keys:
        return "the core does not prove that it owns the key in --server-key: is that its present .pub file?"
    return ""


def _next(socket: zmq.Socket[bytes]) -> list[bytes] | None:
    try:
        return socket.recv_multipart(zmq.NOBLOCK)
    except zmq.Again:
        return None


def _all(socket: zmq.Socket[bytes]) -> list[list[bytes]]:
    waiting: list[list[bytes]] = []
    while len(waiting) < MESSAGES_PER_CALL and (frames := _next(socket)) is not None:
        waiting.append(frames)
    return waiting
