"""Who may connect: the allow-list's answers to ZeroMQ's authentication questions (ZAP, rfc.zeromq.org/spec/27).

pyzmq's own authenticator runs on asyncio, which needs a further library on Windows; the protocol is one question and one answer.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

import zmq
from zmq.utils import z85

ENDPOINT = "inproc://zeromq.zap.01"


def guard(context: zmq.Context[zmq.Socket[bytes]], allowed: Collection[str]) -> None:
    """Let only the `allowed` public keys (Z85) connect to the CURVE sockets of `context`, until it is terminated.

    To be called before any of them is bound: while nobody answers, libzmq lets every key in.
    """
    socket = context.socket(zmq.REP)
    socket.set(zmq.LINGER, 0)
    socket.bind(ENDPOINT)
    threading.Thread(target=_answer, args=(socket, frozenset(allowed)), name="zap", daemon=True).start()


def _answer(socket: zmq.Socket[bytes], allowed: frozenset[str]) -> None:
    try:
        while True:
            socket.send_multipart(verdict(socket.recv_multipart(), allowed))
    except zmq.ContextTerminated:
        socket.close()


def verdict(question: list[bytes], allowed: frozenset[str]) -> list[bytes]:
    """The answer's frames: version, request id, status, reason, user id (the public key in Z85), metadata."""
    version, request, _domain, _address, _identity, mechanism, *credentials = question
    key = z85.encode(credentials[0]).decode() if mechanism == b"CURVE" and len(credentials) == 1 and len(credentials[0]) == 32 else ""
    if key in allowed:
        return [version, request, b"200", b"OK", key.encode(), b""]
    return [version, request, b"400", b"not on the allow-list", b"", b""]
