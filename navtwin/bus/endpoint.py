"""Where sockets listen and connect, and with which keys: the same rules for every port of the bus."""

from __future__ import annotations

import ipaddress

import zmq

from navtwin.bus.keys import ClientKeys, ServerKeys
from navtwin.errors import BusRefused


def is_loopback(host: str) -> bool:
    """True for `localhost` and for addresses that never leave this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening_address(bind: str, keys: ServerKeys | None) -> str:
    """The address as ZeroMQ wants it; refuses to listen to the outside without keys."""
    if not is_loopback(bind):
        if keys is None:
            raise BusRefused(
                f"listening on {bind} would let anyone on the network give orders",
                "make a key with `navtwin keys new core`, allow each client's with `navtwin keys allow FILE`, then pass `--key core`",
            )
        if not keys.allowed:
            raise BusRefused(
                f"listening on {bind} with an empty allow-list would let nobody in", "allow a client's key with `navtwin keys allow FILE`"
            )
    address = "127.0.0.1" if bind == "localhost" else bind
    return f"[{address}]" if ":" in address else address


def bind_port(socket: zmq.Socket[bytes], address: str, port: int, flag: str) -> int:
    """Listen on a port, 0 for any free one; returns the port. `flag` is the option that names another."""
    try:
        socket.bind(f"tcp://{address}:{port or '*'}")
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            raise BusRefused(f"port {port} on {address} is in use", f"end the program that holds it, or pass another with `{flag} N`") from error
        raise BusRefused(f"cannot listen on {address}:{port}: {error.strerror}", "check the address (--bind) and the port") from error
    endpoint = socket.get(zmq.LAST_ENDPOINT)
    return int(bytes(endpoint).rstrip(b"\0").rsplit(b":", 1)[1])


def remote_address(host: str, keys: ClientKeys | None) -> str:
    """Where to connect, without the port; refuses to go beyond this machine without keys."""
    if keys is None and not is_loopback(host):
        raise BusRefused(
            f"{host} is not this machine and no key is given", "pass `--key NAME --server-key FILE` (make one with `navtwin keys new NAME`)"
        )
    return f"tcp://{f'[{host}]' if ':' in host else '127.0.0.1' if host == 'localhost' else host}"


def as_server(socket: zmq.Socket[bytes], keys: ServerKeys | None) -> None:
    """Let a socket prove who it is, and ask its clients."""
    if keys:
        socket.set(zmq.CURVE_SERVER, 1)
        socket.set(zmq.CURVE_SECRETKEY, keys.secret.encode())


def as_client(socket: zmq.Socket[bytes], keys: ClientKeys | None) -> None:
    """Let a socket prove who it is, and ask its server."""
    if keys:
        socket.set(zmq.CURVE_PUBLICKEY, keys.public.encode())
        socket.set(zmq.CURVE_SECRETKEY, keys.secret.encode())
        socket.set(zmq.CURVE_SERVERKEY, keys.server_public.encode())
