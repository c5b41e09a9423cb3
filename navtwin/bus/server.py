"""The core's end of the bus: it publishes without ever waiting, and reads commands without ever trusting one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import zmq

from navtwin.bus.endpoint import as_server, bind_port, listening_address
from navtwin.bus.keys import ServerKeys
from navtwin.bus.topics import COMMAND_PORT, FRAME_LIMIT_BYTES, PUB_HIGH_WATER, PUB_PORT, TOPICS, read_command, sender_of
from navtwin.bus.zap import guard
from navtwin.errors import BusRefused, InputRefused
from navtwin.nouns import Command, Envelope, Reply, Topic, encode

#: Commands read in one poll, so that a flood of them cannot hold up the loop: the fold takes each, and a frame may wait behind them. With 64 a client
#: that floods made every distance stale on a busy machine.
COMMANDS_PER_POLL = 8
#: How long closing may wait for the last messages to leave.
LINGER_MS = 500


class Server:
    """Two sockets: one that publishes the topics, one that takes commands and answers them.

    Parameters
    ----------
    bind : address to listen on; anything but loopback is refused without `keys`
    pub_port, command_port : 0 takes any free port; read back from the attributes of the same name
    keys : own key pair and the allow-list; without, the wire is plain
    epoch : the session, named in the replies that the server itself gives
    clock : host monotonic time, ns
    """

    def __init__(
        self,
        bind: str = "127.0.0.1",
        pub_port: int = PUB_PORT,
        command_port: int = COMMAND_PORT,
        keys: ServerKeys | None = None,
        *,
        epoch: str = "",
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        address = listening_address(bind, keys)
        self.epoch = epoch
        self._clock = clock
        self._names = dict(keys.allowed) if keys else None
        self._last_setup: bytes | None = None
        self._context = zmq.Context()
        self._sockets: list[zmq.Socket[bytes]] = []
        try:
            if keys:
                guard(self._context, keys.allowed)
            # XPUB is PUB that also hears who subscribes, so that a late joiner can be given the last `setup`.
            self._pub = self._open(zmq.XPUB, keys)
            self._pub.set(zmq.XPUB_VERBOSE, 1)
            self._pub.set(zmq.SNDHWM, PUB_HIGH_WATER)
            self._commands = self._open(zmq.ROUTER, keys)
            self.pub_port = bind_port(self._pub, address, pub_port, "--port")
            self.command_port = bind_port(self._commands, address, command_port, "--command-port")
        except BaseException:
            self.close()
            raise

    def publish(self, topic: Topic, payload: bytes) -> None:
        """Send an encoded Envelope to every subscriber of `topic`. Never waits: a subscriber that lags loses messages, alone.

        Raises
        ------
        BusRefused : unknown topic, or a payload that no receiver would accept
        """
        row = TOPICS.get(topic)
        if row is None or row.socket != "pub":
            raise BusRefused(f"'{topic}' is not a published topic", f"known: {', '.join(r.name for r in TOPICS.values() if r.socket == 'pub')}")
        if len(payload) > FRAME_LIMIT_BYTES:
            raise BusRefused(f"a message of {len(payload)} bytes on '{topic}'", f"at most {FRAME_LIMIT_BYTES} are accepted by receivers")
        if topic == "setup":
            self._last_setup = payload
        self._pub.send_multipart([topic.encode(), payload], zmq.NOBLOCK)

    def poll_commands(self) -> list[tuple[bytes, Command]]:
        """The well-formed commands that have come, each with its client's identity; the others are answered here and dropped."""
        self._greet_joiners()
        taken: list[tuple[bytes, Command]] = []
        for _ in range(COMMANDS_PER_POLL):
            try:
                frames = self._commands.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            client, *rest = (bytes(frame.buffer) for frame in frames)
            try:
                if len(rest) != 1:
                    raise InputRefused(f"a command of {len(rest)} frames", "send one frame from a DEALER socket")
                command = read_command(rest[0])
                self._check_sender(command, frames[-1])
            except InputRefused as refusal:
                who, ident = sender_of(rest[0]) if rest else ("", "")
                self.reply(client, self._refusal(who, ident, str(refusal)))
            else:
                taken.append((client, command))
        return taken

    def reply(self, client: bytes, payload: bytes) -> None:
        """Send an encoded Envelope with a Reply to one client. A client that has left, or does not read, is not waited for."""
        with contextlib.suppress(zmq.Again):
            self._commands.send_multipart([client, b"reply", payload], zmq.NOBLOCK)

    def close(self) -> None:
        """Let the last messages leave (at most half a second) and free the ports. May be called twice."""
        for socket in self._sockets:
            socket.close()
        self._context.term()

    def _open(self, kind: int, keys: ServerKeys | None) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        self._sockets.append(socket)
        socket.set(zmq.LINGER, LINGER_MS)
        socket.set(zmq.MAXMSGSIZE, FRAME_LIMIT_BYTES)
        socket.set(zmq.IPV6, 1)
        as_server(socket, keys)
        return socket

    def _greet_joiners(self) -> None:
        """Publish the last `setup` again when somebody has subscribed to it; the others see it twice, which is harmless."""
        joined = False
        for _ in range(COMMANDS_PER_POLL):
            try:
                joined |= self._pub.recv(zmq.NOBLOCK) == b"\x01setup"
            except zmq.Again:
                break
        if joined and self._last_setup is not None:
            self.publish("setup", self._last_setup)

    def _check_sender(self, command: Command, frame: zmq.Frame) -> None:
        """Under keys, `who` is the name that the key is allowed under: nobody can act in another's name."""
        if self._names is None:
            return
        name = self._names.get(str(frame.get("User-Id")), "")
        if command.who != name:
            raise InputRefused(f"this key is allowed as '{name}', not as '{command.who}'", f"send who = '{name}'")

    def _refusal(self, who: str, ident: str, reason: str) -> bytes:
        now_ns = self._clock()
        body = Reply(id=ident, who=who, ok=False, reason=reason)
        return encode(Envelope(epoch=self.epoch, seq=0, t_capture_ns=None, t_arrival_ns=None, t_step_ns=now_ns, t_publish_ns=now_ns, body=body))
