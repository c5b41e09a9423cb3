"""What follows `igtl:` on the command line: a server to connect to, or a port to listen at, and options."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Any, Final

from navtwin.errors import InputRefused
from tracking.igtl.gather import WAIT_NS
from tracking.pictures.address import Address, parse_address

DEFAULT_PORT: Final = 18944
OPTIONS: Final = ("tracker", "plain", "wait", "crc", "start", "bind", "allow")
#: Options that mean something only to a port that listens, and only to a client.
_LISTENING, _CONNECTING = ("bind", "allow"), ("start",)


@dataclass(frozen=True, slots=True)
class IgtlAddress:
    """Attributes
    ----------
    host, port : of the server; of the interface to listen at where `listens`
    places : what the host's name stands for: (address family, socket address)
    allowed : who may connect to a listening port; empty for this machine alone
    tracker : the sender's name of the tracker's frame
    plain : names without `To` are bodies in tracker axes
    wait_ns : how long an incomplete instant waits
    check_crc : whether messages with a wrong checksum are dropped
    start_ms : ask for tracking data (STT_TDATA) at this interval once connected; None does not ask
    """

    host: str
    port: int
    listens: bool
    places: tuple[tuple[int, Any], ...]
    allowed: frozenset[str] = frozenset()
    tracker: str = "Tracker"
    plain: bool = False
    wait_ns: int = WAIT_NS
    check_crc: bool = True
    start_ms: int | None = None

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


def parse(address: str) -> IgtlAddress:
    """Read `HOST[:PORT]`, `[IPV6]:PORT` or `listen:PORT`, with options `?KEY=VALUE&...`.

    Options: `tracker=NAME` (the sender's name of the tracker's frame, default Tracker), `plain=1` (names without `To` are bodies, in tracker axes),
    `wait=MS` (how long an incomplete instant waits), `crc=0` (checksums are not looked at), `start=MS` (ask for tracking data every MS ms; 0: all);
    with `listen`: `bind=ADDRESS` and `allow=ADDRESS,ADDRESS`.

    Raises
    ------
    InputRefused : anything else; a host that has no address; listening to the network without saying to whom
    """
    given = parse_address(address, OPTIONS)
    if len(given.names) > 1:
        raise InputRefused(f"'{address}' names more than one sender", "name one; several would need several trackers in the rig")
    place, options = given.names[0], given.options
    listens = place.startswith("listen:")
    for key in _CONNECTING if listens else _LISTENING:
        if key in options:
            raise InputRefused(f"option {key} says nothing to igtl:{'listen:' if listens else 'HOST:'}PORT", "leave it out")
    if listens:
        host, port = options.get("bind", "127.0.0.1"), _port(place.removeprefix("listen:"), lowest=0)
    else:
        host, port = _host_and_port(place)
    allowed = frozenset(_numeric(word) for word in options.get("allow", "").split(",") if word)
    places = _places(host, port)
    if listens and not allowed and not all(ipaddress.ip_address(socket_address[0]).is_loopback for _, socket_address in places):
        raise InputRefused(
            f"listening on {host} would take poses from anyone on the network: OpenIGTLink knows no passwords",
            "name the senders: allow=ADDRESS,ADDRESS",
        )
    tracker = options.get("tracker", "Tracker")
    if not re.fullmatch(r"[A-Za-z0-9_.\-]{1,64}", tracker):
        raise InputRefused(f"'{tracker}' is no name of a frame", "write tracker=NAME as the sender has it, without 'To'")
    wait_ms = _at_least_0(given, "wait")
    start_ms = _at_least_0(given, "start")
    return IgtlAddress(
        host,
        port,
        listens,
        places,
        allowed,
        tracker,
        plain=given.yes("plain"),
        wait_ns=WAIT_NS if wait_ms is None else round(wait_ms * 1e6),
        check_crc="crc" not in options or given.yes("crc"),
        start_ms=None if start_ms is None else round(start_ms),
    )


def _at_least_0(given: Address, key: str) -> float | None:
    value = given.number(key)
    if value is not None and not 0.0 <= value <= 10_000.0:
        raise InputRefused(f"option {key}={value:g} is not from 0 to 10000 ms", "correct it, or leave it out")
    return value


def _host_and_port(place: str) -> tuple[str, int]:
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(.*))?", place)
    if bracketed:
        return bracketed[1], _port(bracketed[2]) if bracketed[2] is not None else DEFAULT_PORT
    host, colon, port = place.partition(":")
    if not host or ":" in port:
        raise InputRefused(f"'{place}' is no HOST:PORT", f"write igtl:HOST:PORT, with an IPv6 address in brackets; the usual port is {DEFAULT_PORT}")
    return host, _port(port) if colon else DEFAULT_PORT


def _port(text: str, lowest: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and lowest <= int(text[:6]) <= 65535):
        raise InputRefused(f"'{text}' is no port", f"write a number from {lowest} to 65535; the usual one is {DEFAULT_PORT}")
    return int(text)


def _places(host: str, port: int) -> tuple[tuple[int, Any], ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InputRefused(f"'{host}' has no address ({error})", "check the host's name and the network") from error
    return tuple((int(family), place) for family, _, _, _, place in found if family in (socket.AF_INET, socket.AF_INET6))


def _numeric(word: str) -> str:
    try:
        return str(ipaddress.ip_address(word))
    except ValueError as error:
        raise InputRefused(f"'{word}' is no IP address", "name senders by their numeric addresses") from error
