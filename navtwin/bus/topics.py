"""The one table of what travels on the bus, on which port, how large, and how it is coded.

A message is two frames: the topic's name, and an `Envelope` as JSON. A command is one frame: a `Command` as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import Literal

import msgspec

from navtwin.errors import InputRefused, NavtwinError, nearest
from navtwin.nouns import (
    AlertSet,
    BoneUndone,
    Carved,
    Command,
    Envelope,
    Order,
    Output,
    Reply,
    Setup,
    State,
    Topic,
    decode_command,
    decode_envelope,
)

PUB_PORT = 5810
COMMAND_PORT = 5811
#: Live pictures have a port, and sockets, of their own (`navtwin.bus.video`).
VIDEO_PORT = 5812
#: So has drilled bone (`navtwin.bus.bone`).
BONE_PORT = 5813

#: A command above this is answered with a refusal.
COMMAND_LIMIT_BYTES = 64 * 1024
#: A frame above this is not even read: the sender is disconnected.
FRAME_LIMIT_BYTES = 4 * 1024 * 1024
#: Longest name, label or id in a command.
WORD_LIMIT = 200
#: Messages kept for one slow subscriber; what comes after is dropped for that one only.
PUB_HIGH_WATER = 128

ALERT_PERIOD_MS = 50
#: This long without a fresh `alerts` message, by the receiver's own clock, and the link is lost: early enough to be shown within 300 ms.
LINK_LOST_MS = 250


@dataclass(frozen=True)
class Row:
    """One topic: what its body is, the socket it leaves by, its priority at the receiver (0 first) and when it is published."""

    name: Topic
    body: type[Output] | UnionType
    socket: Literal["pub", "router"]
    priority: int
    when: str


TOPICS: dict[str, Row] = {
    row.name: row
    for row in (
        Row("alerts", AlertSet, "pub", 0, "on every change and every 50 ms, frame or no frame"),
        Row("reply", Reply, "router", 0, "once per command, to its sender alone"),
        Row("setup", Setup, "pub", 1, "on change, and again when a client joins"),
        Row("state", State, "pub", 2, "after each tracker frame, at most 60 a second"),
        Row("carved", Carved | BoneUndone, "pub", 2, "after each stroke that took bone away, and when a stretch is taken back"),
    )
}


class Malformed(Exception):
    """A message that does not follow the table; the text says how."""


def unpack(frames: list[bytes]) -> tuple[Topic, Envelope]:
    """The topic and envelope of a received message.

    Raises
    ------
    Malformed : wrong number of frames, unknown topic, undecodable JSON, or a body that is not the topic's
    """
    if len(frames) != 2:
        raise Malformed(f"a message of {len(frames)} frames, not 2")
    row = TOPICS.get(frames[0].decode("ascii", "replace"))
    if row is None:
        raise Malformed(f"unknown topic {frames[0][:40]!r}")
    try:
        envelope = decode_envelope(frames[1])
    except (msgspec.MsgspecError, NavtwinError, ValueError, RecursionError) as error:
        raise Malformed(f"{row.name}: {error}") from error
    if not isinstance(envelope.body, row.body):
        raise Malformed(f"{row.name} carries a {type(envelope.body).__name__}")
    return row.name, envelope


def read_command(payload: bytes) -> Command:
    """Decode one command from outside.

    Raises
    ------
    InputRefused : oversized, malformed, unknown, or holding text that a terminal should not be shown
    """
    if len(payload) > COMMAND_LIMIT_BYTES:
        raise InputRefused(f"the command has {len(payload)} bytes", f"at most {COMMAND_LIMIT_BYTES} are read")
    try:
        command = decode_command(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputRefused(f"not a command: {error}", _known_orders(payload)) from error
    words = [command.who, command.id]
    for value in msgspec.structs.asdict(command.order).values():
        words += [value] if isinstance(value, str) else [v for v in value if isinstance(v, str)] if isinstance(value, tuple) else []
    if not all(_word(word) == word for word in words):
        raise InputRefused("a text in the command is too long or not printable", f"use at most {WORD_LIMIT} printable characters")
    if not (command.who and command.id):
        raise InputRefused("the command lacks its sender's name or id", "fill in who and id")
    return command


def sender_of(payload: bytes) -> tuple[str, str]:
    """`who` and `id` of a command that was refused, as far as they can be read, so that the answer can name it."""
    try:
        raw = msgspec.json.decode(payload[:COMMAND_LIMIT_BYTES])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "", ""
    if not isinstance(raw, dict):
        return "", ""
    return _word(raw.get("who")), _word(raw.get("id"))


def _word(value: object) -> str:
    """`value` where it is text fit for a log and a terminal, else ""."""
    return value if isinstance(value, str) and len(value) <= WORD_LIMIT and value.isprintable() else ""


def _known_orders(payload: bytes) -> str:
    """The remedy: the nearest known order where the order itself is unknown."""
    tags = [str(kind.__struct_config__.tag) for kind in Order.__args__]
    try:
        asked = msgspec.json.decode(payload)["order"]["do"]
    except (msgspec.MsgspecError, ValueError, RecursionError, TypeError, LookupError):
        return "send one Command as JSON"
    return "check its fields" if asked in tags else f"{nearest(str(asked)[:40], tags)}"
