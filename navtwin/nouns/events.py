"""The ordered inputs of the fold, what it emits, and the envelope that outputs travel in."""

from __future__ import annotations

from typing import Literal

import msgspec

from navtwin.nouns.alerts import AlertSet, Reply, State
from navtwin.nouns.base import Noun
from navtwin.nouns.commands import Command
from navtwin.nouns.drilling import BoneState, BoneUndone, Carved
from navtwin.nouns.setup import PivotRequest, PivotResult, RegistrationRequest, RegistrationResult, Setup, WorkFailed
from navtwin.nouns.tracking import TrackerFrame


class Tick(Noun, frozen=True, tag_field="kind", tag="tick"):
    """Time itself: every 10 ms, frame or no frame."""


class Notice(Noun, frozen=True, tag_field="kind", tag="notice"):
    """Something the impure loop noticed that the operator must know: a technical alarm that begins or ends."""

    alarm: str
    active: bool
    detail: str = ""


EventBody = TrackerFrame | Command | Tick | Notice | PivotResult | RegistrationResult | WorkFailed | BoneState


class Event(Noun, frozen=True):
    """One input of the fold: `seq` orders it, `t_ns` is the host monotonic time at which it entered."""

    seq: int
    t_ns: int
    body: EventBody


Output = State | AlertSet | Setup | Reply | PivotRequest | RegistrationRequest | Carved | BoneUndone
Topic = Literal["state", "alerts", "setup", "reply", "request", "carved"]


class Message(Noun, frozen=True):
    """What `step` emits. `reply` goes to one client, `request` to a worker, the rest to everybody."""

    topic: Topic
    body: Output


class Envelope(Noun, frozen=True):
    """An output on the wire.

    Attributes
    ----------
    epoch : the session; acknowledgements name it
    seq : of the input event that caused this output
    t_capture_ns : of the frame behind it; None where no frame is
    t_arrival_ns, t_step_ns, t_publish_ns : stage stamps, host monotonic: frame arrived, step finished, handed to the socket
    """

    epoch: str
    seq: int
    t_capture_ns: int | None
    t_arrival_ns: int | None
    t_step_ns: int
    t_publish_ns: int
    body: Output


class Header(Noun, frozen=True):
    """The first record of a log: what was run, and when UTC was.

    Attributes
    ----------
    session : derived from the other fields; the epoch of all messages
    utc_anchor_ns, monotonic_anchor_ns : the same instant on both clocks
    case_hash, rig_hash, code_hash : SHA-256 of the case lock, the rig and the package's sources
    speed : 1.0 for live pace; anything else means latency was not measured
    """

    session: str
    version: str
    utc_anchor_ns: int
    monotonic_anchor_ns: int
    case_path: str
    rig_path: str
    case_hash: str
    rig_hash: str
    code_hash: str
    source: str
    speed: float
    python: str
    machine: str


encode = msgspec.json.Encoder().encode
decode_envelope = msgspec.json.Decoder(Envelope).decode
decode_event = msgspec.json.Decoder(Event).decode
decode_command = msgspec.json.Decoder(Command).decode
