"""The receiving process: an operator's end that stamps what it is handed, and answers.

It is `navtwin.bus.client.Client`, what operators and windows use. It acknowledges alerts as an operator would, one at a time, and notes when the set
that shows the acknowledgement is back.
"""

from __future__ import annotations

import gc
import signal
import time
from array import array
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as Flag
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.bus.client import Client
from navtwin.bus.keys import ClientKeys
from navtwin.bus.promptly import going_first, run_promptly
from navtwin.errors import BusRefused
from navtwin.nouns import Ack, AlertSet, Envelope, Reply, State

WHO: Final = "receiver"
#: Columns of what was received; `frame` is 0 for alert sets, `arrival` where no frame stands behind the message, `stale` tells a source called stale.
TOPIC, SEQ, FRAME, ARRIVAL, STEP, PUBLISH, RECEIVED, STALE = range(8)
COLUMNS: Final = 8
ALERTS, STATE = 0, 1
#: Acknowledgements follow each other by no less: an operator has one hand.
ACK_EVERY_NS: Final = 50_000_000
#: An acknowledgement that nothing was heard of counts as lost after so long, ns.
ACK_LOST_NS: Final = 2_000_000_000

Rows = npt.NDArray[np.int64]


@dataclass(slots=True)
class Acks:
    """Acknowledgements, one under way at a time.

    Attributes
    ----------
    done : of each, ns: arrival of the frame that raised the alert, when the alert was received, when the ack left, when the set with it came back
    refused : told so by the core: the alert had risen meanwhile, or was gone
    ended : taken, but over before a set could show it: the alert rose or fell within that time
    lost : nothing was heard of it
    """

    done: list[tuple[int, int, int, int]] = field(default_factory=list)
    sent: int = 0
    refused: int = 0
    ended: int = 0
    lost: int = 0
    _under_way: tuple[str, str, int, int, int] | None = None
    _taken_seq: int | None = None
    _next_ns: int = 0

    def hear(self, client: Client, envelope: Envelope, now_ns: int) -> None:
        """Look whether what is under way has come back; acknowledge what is new."""
        body = envelope.body
        if isinstance(body, Reply):
            self._answered(body, envelope.seq)
        elif isinstance(body, AlertSet):
            self._look(body, envelope.seq, now_ns)
            if self._under_way is None and now_ns >= self._next_ns:
                self._acknowledge(client, envelope, body, now_ns)

    def _answered(self, reply: Reply, seq: int) -> None:
        if self._under_way is None or reply.id != self._under_way[1]:
            return
        if reply.ok:
            self._taken_seq = seq
        else:
            self.refused += 1
            self._under_way = None

    def _look(self, alerts: AlertSet, seq: int, now_ns: int) -> None:
        if self._under_way is None:
            return
        alert, _, arrival, seen, sent = self._under_way
        found = next((a for a in alerts.alerts if a.id == alert), None)
        if found is not None and found.acked_by == WHO:
            self.done.append((arrival, seen, sent, now_ns))
        elif self._taken_seq is not None and seq > self._taken_seq:
            # This set was made after the core had taken it, and does not show it any more.
            self.ended += 1
        elif now_ns - sent > ACK_LOST_NS:
            self.lost += 1
        else:
            return
        self._under_way = None

    def _acknowledge(self, client: Client, envelope: Envelope, alerts: AlertSet, now_ns: int) -> None:
        alert = next((a for a in alerts.alerts if a.known and not a.acked_by), None)
        if alert is None or envelope.t_arrival_ns is None:
            return
        sent_ns = time.monotonic_ns()
        try:
            ident = client.send(Ack(epoch=envelope.epoch, alert=alert.id, level=alert.level))
        except BusRefused:
            self.lost += 1
            return
        self.sent += 1
        self._under_way, self._taken_seq, self._next_ns = (alert.id, ident, envelope.t_arrival_ns, now_ns, sent_ns), None, now_ns + ACK_EVERY_NS


@dataclass(frozen=True, slots=True)
class Heard:
    """What the receiver heard: (N, 8) rows in the order of their coming, its acknowledgements, and what its link counted."""

    rows: Rows
    acks: Acks
    late_alerts: int
    malformed: int


def receiver_process(ports: tuple[int, int], keys: ClientKeys | None, results: Connection, stop: Flag, beat_s: float = 0.0) -> None:
    """Listen until told to stop, and until nothing comes any more; with `beat_s`, tell (frames, p50, p99, max of pose to state, ms) that often."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run_promptly()
    client = Client(ports=ports, keys=keys, who=WHO, topics=("alerts", "state"))
    table, acks, told_ns, told_rows = array("q"), Acks(), time.monotonic_ns(), 0
    gc.collect()
    gc.freeze()
    results.send("listening")
    with going_first():
        while True:
            message = client.receive(50)
            now = time.monotonic_ns()
            if message is not None:
                topic, e = message
                if topic != "reply":
                    table.extend(row_of(e, now))
                if not stop.is_set():
                    acks.hear(client, e, now)
            elif stop.is_set():
                break
            if beat_s and now - told_ns >= beat_s * 1e9:
                results.send(beat(rows_of(table[told_rows:])))
                told_ns, told_rows = now, len(table)
    heard = Heard(rows_of(table), acks, client.link.late_alerts, client.link.malformed)
    client.close()
    results.send(heard)


def row_of(envelope: Envelope, now_ns: int) -> tuple[int, ...]:
    body = envelope.body
    topic, frame = (STATE, body.frame) if isinstance(body, State) else (ALERTS, 0)
    stale = int(isinstance(body, AlertSet) and any(alarm.alarm == "SOURCE_STALE" for alarm in body.technical))
    return (topic, envelope.seq, frame, envelope.t_arrival_ns or 0, envelope.t_step_ns, envelope.t_publish_ns, now_ns, stale)


def rows_of(table: array[int]) -> Rows:
    return np.array(table, dtype=np.int64).reshape(-1, COLUMNS)


def beat(rows: Rows) -> tuple[int, float, float, float]:
    """Frames and the percentiles of pose to state, ms, of the last stretch; NaN of nothing."""
    states = rows[rows[:, TOPIC] == STATE]
    took = (states[:, RECEIVED] - states[:, ARRIVAL]) * 1e-6
    if not len(took):
        return 0, float("nan"), float("nan"), float("nan")
    p50, p99 = np.percentile(took, (50.0, 99.0))
    return len(took), float(p50), float(p99), float(took.max())
