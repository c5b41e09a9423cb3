"""The core: gives every input its number, feeds the fold, and hands on what it says. The clocks and sockets are passed in."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from navtwin.nouns import (
    AlertSet,
    BoneState,
    Envelope,
    Event,
    EventBody,
    Header,
    Message,
    Notice,
    PivotRequest,
    RegistrationRequest,
    Reply,
    Rig,
    State,
    Topic,
    TrackerFrame,
    TrueSetup,
    Truth,
    encode,
)
from navtwin.record.format import Stamps
from navtwin.record.log import LogWriter
from navtwin.scene.model import Scene
from navtwin.twin import new_memory, say
from navtwin.twin.publish import REPEAT_NS, signature

#: A state goes out no sooner than so after the one before: all of a tracker of 120 Hz, a part of a faster one's. No screen shows more, and ten
#: subscribers to all states of 400 Hz would fill a network, and keep a processor busy, on which warnings wait.
STATE_EVERY_NS = 7_000_000
#: The same while a recording plays flat out.
FLOOD_STATE_NS = 16_000_000

Publish = Callable[[Topic, bytes], None]


class Core:
    """One session of the fold with its log and its publisher.

    Parameters
    ----------
    publish : called with topic and encoded Envelope, alerts first
    answer : called with the encoded Envelope of a Reply and the sequence number of the command it answers
    log : None runs unrecorded
    drilled : the bone that the session begins with, its first input; None for whole bone
    state_every_ns : the least time between two states that are published; alerts know no such limit, and the log has what it has

    Attributes
    ----------
    flooding : inputs come faster than real time, so that what repeats itself is not published each time (it is logged all the same)
    recording_failure : why the session is no longer recorded, "" while it is
    """

    def __init__(
        self,
        scene: Scene,
        rig: Rig,
        header: Header,
        *,
        publish: Publish,
        answer: Callable[[int, bytes], None],
        log: LogWriter | None = None,
        drilled: BoneState | None = None,
        state_every_ns: int = STATE_EVERY_NS,
        host_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.scene, self.header = scene, header
        self.memory = new_memory(scene, rig, header)
        self.seq = 0
        self.last_ns: int | None = None
        self._publish, self._answer, self._log, self._host_ns = publish, answer, log, host_ns
        self._last_alerts: Envelope | None = None
        self.recording_failure = ""
        self.flooding = False
        self._state_every_ns = state_every_ns
        self._last_state_ns: int | None = None
        self._drilled = drilled
        if log is not None:
            log.write_header(header)

    def take(self, t_ns: int, body: EventBody) -> list[PivotRequest | RegistrationRequest]:
        """Feed one input; returns what the fold asks its workers for. Time never goes back: a late input enters at the last instant."""
        if self._drilled is not None:
            # At the time of what comes first, which of a recording lies in the past.
            drilled, self._drilled = self._drilled, None
            self.take(t_ns, drilled)
        t_ns = t_ns if self.last_ns is None else max(t_ns, self.last_ns)
        self.last_ns = t_ns
        self.seq += 1
        event = Event(seq=self.seq, t_ns=t_ns, body=body)
        frame = body if isinstance(body, TrackerFrame) else None
        arrived_ns = frame.t_arrival_ns if frame else None
        sent: list[tuple[Topic, bytes]] = []
        requests: list[PivotRequest | RegistrationRequest] = []
        stamps = Stamps(seq=self.seq, t_arrival_ns=arrived_ns, t_step_ns=0, t_publish_ns=0)
        # One by one: an alert is on its way before the state behind it is put together.
        for message in say(self.scene, self.memory, event):
            said_ns = self._host_ns()
            payload = encode(message.body)
            published_ns = self._send(message, payload, frame, said_ns)
            stamps = Stamps(seq=self.seq, t_arrival_ns=arrived_ns, t_step_ns=stamps.t_step_ns or said_ns, t_publish_ns=published_ns)
            sent.append((message.topic, payload))
            if isinstance(message.body, PivotRequest | RegistrationRequest):
                requests.append(message.body)
        self._record(event, sent, stamps)
        return requests

    def _send(self, message: Message, payload: bytes, frame: TrackerFrame | None, said_ns: int) -> int:
        """Hand one message on, and say when; `payload` is its body, encoded once for the wire and for the log."""
        now = self._host_ns()
        envelope = Envelope(
            epoch=self.header.session,
            seq=self.seq,
            t_capture_ns=frame.t_capture_ns if frame else None,
            t_arrival_ns=frame.t_arrival_ns if frame else None,
            t_step_ns=said_ns,
            t_publish_ns=now,
            body=message.body,
        )
        if isinstance(message.body, Reply):
            self._answer(self.seq, _around(envelope, payload))
        elif message.topic != "request" and not self._can_be_spared(message, now):
            self._publish(message.topic, _around(envelope, payload))
            if message.topic == "alerts":
                self._last_alerts = envelope
            elif message.topic == "state":
                self._last_state_ns = now
        return now

    def _can_be_spared(self, message: Message, now: int) -> bool:
        """Whether clients lose nothing without this message: they would be buried in frames that no eye can follow."""
        if isinstance(message.body, State):
            least = max(self._state_every_ns, FLOOD_STATE_NS if self.flooding else 0)
            return self._last_state_ns is not None and now - self._last_state_ns < least
        if self.flooding and isinstance(message.body, AlertSet) and self._last_alerts is not None and isinstance(self._last_alerts.body, AlertSet):
            return now - self._last_alerts.t_publish_ns < REPEAT_NS and signature(message.body) == signature(self._last_alerts.body)
        return False

    def repeat_if_silent(self) -> None:
        """Say the alert set again if nothing was said for 50 ms of the host's clock: session time can stand still while a recording waits."""
        now = self._host_ns()
        if self._last_alerts is not None and now - self._last_alerts.t_publish_ns >= REPEAT_NS:
            # Without the stamps of the frame behind it: a repetition says nothing of latency.
            self._last_alerts = msgspec.structs.replace(self._last_alerts, t_capture_ns=None, t_arrival_ns=None, t_step_ns=now, t_publish_ns=now)
            self._publish("alerts", encode(self._last_alerts))

    def _record(self, event: Event, sent: Sequence[tuple[Topic, bytes]], stamps: Stamps) -> None:
        if self._log is None:
            return
        try:
            self._log.write_event(event)
            self._log.write_outputs(event.seq, event.t_ns, sent, stamps)
        except OSError as error:
            # A session that can no longer be recorded goes on: the warnings matter more than the log. The operator is told.
            self._log, self.recording_failure = None, str(error)
            self.take(event.t_ns, Notice(alarm="DISK_FULL" if error.errno == errno.ENOSPC else "RECORDING_FAILED", active=True, detail=str(error)))

    @property
    def next_seq(self) -> int:
        """The number that the next input that is taken will have."""
        return self.seq + (1 if self._drilled is None else 2)

    @property
    def recording(self) -> bool:
        """Whether there is a log, and it can be written."""
        return self._log is not None

    def keep_bone(self, seq: int, t_ns: int, state: BoneState) -> None:
        """Drilled bone goes to the log now and then, so that a moment of the session is found soon; the fold neither says nor reads it."""
        if self._log is not None:
            with suppress(OSError):
                # A disk that has failed is told of by the next input.
                self._log.write_bone(seq, t_ns, state)

    def rest(self) -> None:
        """The loop has nothing to do for now: the log may be written, until `go_on`."""
        if self._log is not None:
            self._log.rest()

    def go_on(self) -> None:
        """The loop has something to do again."""
        if self._log is not None:
            self._log.go_on()

    def note_truth(self, item: Truth | TrueSetup) -> None:
        """Truth goes to the log and never into the fold."""
        if self._log is not None:
            with suppress(OSError):
                # A disk that has failed is told of by the next input.
                self._log.write_truth(item)


def _around(envelope: Envelope, payload: bytes) -> bytes:
    """The encoded envelope with a body that is encoded already."""
    return encode(msgspec.structs.replace(envelope, body=msgspec.Raw(payload)))
