"""One connection to a sender, made and made again: as a client, or by listening for one. Never blocks longer than it is asked to."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from typing import Any, Final

from navtwin.errors import InputRefused
from tracking.igtl.address import IgtlAddress

RETRY_NS: Final = 1_000_000_000
#: A server that has not answered by then is tried at its next address, or again.
CONNECT_NS: Final = 2_000_000_000
#: A listening port takes another sender only once the present one has been silent for this long.
SILENT_NS: Final = 1_000_000_000
CHUNK_BYTES: Final = 1 << 18


class Link:
    """A connection that comes and goes.

    Attributes
    ----------
    trouble : why nothing can come now, "" while connected
    connections : how many have been made; a new one begins a new stream
    port : the port, also where 0 asked for a free one
    """

    def __init__(self, address: IgtlAddress) -> None:
        self.trouble = ""
        self.connections = 0
        self.port = address.port
        self._address = address
        self._socket: socket.socket | None = None
        self._connecting_since_ns: int | None = None
        self._retry_ns = 0
        self._heard_ns = 0
        self._tried = 0
        self._selector = selectors.DefaultSelector()
        self._listener = self._listen() if address.listens else None
        if self._listener is not None:
            self.trouble = f"nobody has connected to {address.where} yet"

    @property
    def connected(self) -> bool:
        return self._socket is not None and self._connecting_since_ns is None

    def receive(self, timeout_s: float) -> bytes:
        """What has come, at most `CHUNK_BYTES`; empty if nothing has within `timeout_s`. Connects where there is no connection."""
        if self._socket is None and self._listener is None and not self._begin(timeout_s):
            return b""
        for key, _ in self._selector.select(max(0.0, timeout_s)):
            if key.fileobj is self._listener:
                self._accept()
            elif self._connecting_since_ns is not None:
                self._finish()
            else:
                return self._read()
        if self._connecting_since_ns is not None and time.monotonic_ns() - self._connecting_since_ns > CONNECT_NS:
            self._lose(f"{self._address.where} does not answer")
        return b""

    def send(self, data: bytes) -> None:
        """Send a few bytes; a connection that does not take them is lost."""
        if self._socket is None or not self.connected:
            return
        try:
            taken = self._socket.send(data)
        except OSError as error:
            self._lose(f"the connection to {self._address.where} broke ({error.strerror})")
            return
        if taken < len(data):
            self._lose(f"{self._address.where} does not read what it is sent")

    def drop(self, reason: str) -> None:
        """Close the connection and try again in a while."""
        self._lose(reason)

    def close(self) -> None:
        self._let_go()
        if self._listener is not None:
            self._listener.close()
        self._selector.close()

    def _begin(self, timeout_s: float) -> bool:
        """Begin to connect; False while it is too early to try again, having slept."""
        early_ns = self._retry_ns - time.monotonic_ns()
        if early_ns > 0:
            time.sleep(min(timeout_s, early_ns * 1e-9))
            return False
        family, place = self._address.places[self._tried % len(self._address.places)]
        self._tried += 1
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._connecting_since_ns = time.monotonic_ns()
        self._selector.register(self._socket, selectors.EVENT_WRITE)
        # The answer comes by select, success and failure alike.
        self._socket.connect_ex(place)
        return True

    def _finish(self) -> None:
        assert self._socket is not None
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._lose(f"nothing answers at {self._address.where} ({os.strerror(error)})")
            return
        self._connecting_since_ns = None
        self._selector.modify(self._socket, selectors.EVENT_READ)
        self._greet()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            peer, place = self._listener.accept()
        except OSError:
            return  # it has gone again
        silent = time.monotonic_ns() - self._heard_ns > SILENT_NS
        if not self._is_allowed(place[0]) or (self._socket is not None and not silent):
            peer.close()
            return
        self._let_go()
        peer.setblocking(False)
        self._socket = peer
        self._selector.register(peer, selectors.EVENT_READ)
        self._greet()

    def _greet(self) -> None:
        assert self._socket is not None
        self.trouble = ""
        self.connections += 1
        self._heard_ns = time.monotonic_ns()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A cable that is pulled closes no connection: only the system's probes notice.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 3), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def _read(self) -> bytes:
        assert self._socket is not None
        try:
            data = self._socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._lose(f"the connection to {self._address.where} broke ({error.strerror})")
            return b""
        if not data:
            self._lose(f"the sender at {self._address.where} closed the connection")
        self._heard_ns = time.monotonic_ns()
        return data

    def _lose(self, reason: str) -> None:
        self._let_go()
        again = "it is waited for" if self._listener is not None else "it is tried again every second"
        self.trouble = f"{reason}; {again}"
        # The next address of the same host is tried at once.
        if self._tried % len(self._address.places) == 0:
            self._retry_ns = time.monotonic_ns() + RETRY_NS

    def _let_go(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(self._socket)
            self._socket.close()
        self._socket = self._connecting_since_ns = None

    def _listen(self) -> socket.socket:
        family, place = self._address.places[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(4)
        except OSError as error:
            listener.close()
            raise InputRefused(
                f"cannot listen on {self._address.where}: {error.strerror}", "end the program that holds the port, or name another"
            ) from error
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    def _is_allowed(self, host: Any) -> bool:
        return not self._address.allowed or str(host).removeprefix("::ffff:").partition("%")[0] in self._address.allowed
