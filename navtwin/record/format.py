"""The log's format: which channels there are, what each holds, how times and output hashes are written.

A log is an MCAP file (profile `navtwin-1`) of JSON messages in zstd chunks, so that any MCAP viewer opens it. Channel ids are part of the format,
given in the order of `CHANNELS`, so that a chunk can be read even when the chunk that declared its channels is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from navtwin.nouns import (
    AlertSet,
    BoneState,
    BoneUndone,
    Carved,
    Event,
    Header,
    Noun,
    PivotRequest,
    RegistrationRequest,
    Reply,
    Setup,
    State,
    TrueSetup,
    Truth,
)

#: Raised by one whenever an old reader would misread a new log.
FORMAT: Final = 1
PROFILE: Final = f"navtwin-{FORMAT}"
#: What an MCAP file begins with.
MCAP_MARK: Final = b"\x89MCAP0\r\n"
#: An unfinished log carries this behind its name until `finish()`.
PARTIAL: Final = ".partial"
#: State bodies are logged at this rate at most; the hash covers every one.
STATE_RATE_HZ: Final = 60.0


class Stamps(Noun, frozen=True):
    """When an input passed each stage: host monotonic clock, ns.

    Attributes
    ----------
    seq : of the input event
    t_arrival_ns : the frame came in; None where no frame is behind the outputs
    t_step_ns : the step was finished
    t_publish_ns : the outputs were handed to the socket
    """

    seq: int
    t_arrival_ns: int | None
    t_step_ns: int
    t_publish_ns: int


class OutputHash(Noun, frozen=True):
    """`output_hash` of all that the step emitted for input `seq`."""

    seq: int
    hash: str


#: Channel -> what its messages are, in the order of their ids (from 1).
CHANNELS: Final[dict[str, Any]] = {
    "/header": Header,
    "/input": Event,
    "/output/state": State,
    "/output/alerts": AlertSet,
    "/output/setup": Setup,
    "/output/reply": Reply,
    "/output/request": PivotRequest | RegistrationRequest,
    "/stamps": Stamps,
    "/hash": OutputHash,
    "/truth": TrueSetup | Truth,
    "/output/carved": Carved | BoneUndone,
    # Not said by the fold, which says by what strokes it came about: the bone itself, now and then, so that a moment is found soon.
    "/bone": BoneState,
}
CHANNEL_IDS: Final = {name: number for number, name in enumerate(CHANNELS, start=1)}
CHANNEL_NAMES: Final = {number: name for name, number in CHANNEL_IDS.items()}
OUTPUT: Final = "/output/"


class Record(NamedTuple):
    """One message of a log: `data` is JSON text as it was written."""

    channel: str
    seq: int
    t_ns: int
    data: bytes


def is_log(head: bytes) -> bool:
    """Whether a file that begins so is an MCAP file; whose it is, and whether it is whole, `read_log` finds out."""
    return head.startswith(MCAP_MARK)


def output_hash(outputs: Iterable[tuple[str, bytes]]) -> str:
    """BLAKE2b-128, hex, over `topic \\0 body \\n` of each output in order; `body` is `navtwin.nouns.encode` of the message's body."""
    digest = hashlib.blake2b(digest_size=16)
    for topic, body in outputs:
        digest.update(topic.encode())
        digest.update(b"\0")
        digest.update(body)
        digest.update(b"\n")
    return digest.hexdigest()


def to_log_time(t_ns: int) -> int:
    """MCAP's unsigned log time. Times before the clock's zero are kept exactly, as two's complement; viewers show those far in the future."""
    return t_ns & 0xFFFF_FFFF_FFFF_FFFF


def from_log_time(log_time: int) -> int:
    """Inverse of `to_log_time`."""
    return log_time - (1 << 64) if log_time >> 63 else log_time
