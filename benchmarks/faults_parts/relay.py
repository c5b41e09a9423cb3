"""A line between core and operator that can be cut: TCP relays that swallow what comes, and close nothing."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress

CHUNK = 1 << 16


class Relay:
    """Forwards a port of this machine to another one, until closed; while `cut` is set nothing passes, and nothing is closed."""

    def __init__(self, target: int) -> None:
        self.cut = threading.Event()
        self._target = target
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._other: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            if self.cut.wait(0.0):
                # As a pulled cable: what is sent piles up at its sender.
                self._over.wait(0.005)
                continue
            for key, _ in self._selector.select(0.02):
                if key.fileobj is self._listener:
                    self._join(self._listener.accept()[0])
                elif isinstance(key.fileobj, socket.socket):
                    self._pass_on(key.fileobj)

    def _join(self, near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", self._target))
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._other[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, one: socket.socket) -> None:
        other = self._other.get(one)
        if other is None:
            return
        try:
            data = one.recv(CHUNK)
            if data:
                other.sendall(data)
                return
        except OSError:
            # A reset ends the connection as an end of file does.
            data = b""
        for end in (one, other):
            self._other.pop(end, None)
            with suppress(KeyError):
                self._selector.unregister(end)
            end.close()

    def close(self) -> None:
        self._over.set()
        self._thread.join(2.0)
        for end in (*self._other, self._listener):
            end.close()
        self._selector.close()
