"""The twin's source `igtl:HOST:PORT`: poses that another program sends by OpenIGTLink. And `igtl:listen:PORT`, where others connect to us."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final

from navtwin.errors import InputRefused
from navtwin.igtl.message import Message, write_message
from navtwin.igtl.poses import write_start_tdata
from navtwin.igtl.reader import Damaged, Reader
from navtwin.igtl.words import STATUS_WORDS, read_status
from navtwin.nouns import Rig, Sighting, TrackerFrame
from tracking.igtl.address import IgtlAddress, parse
from tracking.igtl.gather import Gatherer
from tracking.igtl.link import Link
from tracking.igtl.names import Names
from tracking.igtl.sightings import POSES, read_poses

#: A sender that has given no new pose for this long is said to be silent.
SILENT_NS: Final = 1_000_000_000
#: Remarks kept; a hostile sender could provoke any number.
MOST_NOTES: Final = 100


class IgtlSource:
    """A live source.

    OpenIGTLink has no clock that we share: a frame's capture is its arrival less the rig's declared latency, marked `assumed`, and the sender's own
    stamp is kept beside it. Tool poses are in the tracker's own axes, so nothing is converted. While there is no connection, or nothing new comes,
    one frame says why; then there is silence, which the twin alarms.
    """

    live, setup_ns = True, 0

    def __init__(self, address: IgtlAddress, rig: Rig) -> None:
        self._link = Link(address)
        self.name = f"igtl:{f'listen:{self._link.port}' if address.listens else address.where}"
        self.notes: tuple[str, ...] = ()
        self._address, self._bodies = address, tuple(body.name for body in rig.body)
        self._names = Names(rig, address.tracker, plain=address.plain)
        self._gatherer = Gatherer(rig, self.name, address.wait_ns)
        self._reader = Reader(check_crc=address.check_crc)
        self._connection = self._remarks_told = 0
        self._ready: deque[TrackerFrame] = deque()
        self._fresh_ns = time.monotonic_ns()
        self._trouble_told = ""

    @property
    def port(self) -> int:
        """The port that is connected to or listened at."""
        return self._link.port

    def read(self, timeout_s: float) -> TrackerFrame | None:
        """The next frame; None if none came in time."""
        end_ns = time.monotonic_ns() + round(timeout_s * 1e9)
        while not self._ready:
            now_ns, due_ns = time.monotonic_ns(), self._gatherer.due_ns
            if due_ns is not None and now_ns >= due_ns:
                # What lies in the socket may complete it: then it is only we who are late.
                self._listen(0.0)
                if self._gatherer.due_ns == due_ns:
                    self._ready.append(self._gatherer.hand_on())
                continue
            if now_ns >= end_ns:
                return self._trouble()
            self._listen((min(end_ns, due_ns or end_ns) - now_ns) * 1e-9)
        self._fresh_ns, self._trouble_told = time.monotonic_ns(), ""
        self._tell_remarks()
        return self._ready.popleft()

    def close(self) -> None:
        """Stop what was asked for, and leave."""
        if self._address.start_ms is not None:
            self._link.send(write_message("STP_TDATA", "", b"", time.time_ns(), version=1))
        self._link.close()

    def _listen(self, timeout_s: float) -> None:
        data = self._link.receive(timeout_s)
        arrival_ns = time.monotonic_ns()
        if self._link.connected and self._link.connections != self._connection:
            self._begin()
        if not data:
            return
        for item in self._reader.feed(data):
            if isinstance(item, Damaged):
                self._note(item.reason)
            else:
                self._take(item, arrival_ns)
        if self._reader.broken is not None:
            self._note(str(self._reader.broken))
            self._link.drop(self._reader.broken.problem)

    def _begin(self) -> None:
        """A new connection: nothing of the one before can be continued."""
        self._connection = self._link.connections
        self._reader = Reader(check_crc=self._address.check_crc)
        self._gatherer.begin_anew()
        self._fresh_ns = time.monotonic_ns()
        self._note(f"connected ({self._address.where})" if self._connection == 1 else f"connected again ({self._address.where})")
        if self._address.start_ms is not None:
            self._link.send(write_message("STT_TDATA", "", write_start_tdata(self._address.start_ms), time.time_ns(), version=1))

    def _take(self, message: Message, arrival_ns: int) -> None:
        try:
            if message.kind in POSES:
                self._ready += self._gatherer.take(read_poses(message, self._names), arrival_ns)
            elif message.kind == "STATUS":
                status = read_status(message.content)
                if status.code != 1:
                    word = STATUS_WORDS[status.code] if status.code < len(STATUS_WORDS) else "unknown code"
                    self._note(
                        f"the sender says: {_printable(f'{status.name} {status.message}'.strip() or '(nothing)')} (status {status.code}: {word})"
                    )
            elif message.kind == "RTS_TDATA" and message.content[:1] == b"\1":
                self._note("the sender refuses to send tracking data (RTS_TDATA: error)")
        except InputRefused as refused:
            self._note(f"{message.kind} '{_printable(message.device)}' was dropped: {refused.problem}")

    def _trouble(self) -> TrackerFrame | None:
        """Why nothing comes, told once for each reason in a frame without poses."""
        self._tell_remarks()
        trouble = self._link.trouble
        if not trouble and time.monotonic_ns() - self._fresh_ns > SILENT_NS:
            repeats = self._gatherer.repeats > 0
            said = (
                "repeats the same poses with the same time stamp" if repeats else f"has sent no pose of a body of the rig for {SILENT_NS * 1e-9:g} s"
            )
            trouble = f"the sender at {self._address.where} {said}"
        if not trouble or trouble == self._trouble_told:
            return None
        self._trouble_told = trouble
        now_ns = time.monotonic_ns()
        return TrackerFrame(
            source=self.name,
            number=self._gatherer.number,
            t_capture_ns=now_ns,
            t_arrival_ns=now_ns,
            sightings=tuple(Sighting(body=body, status="REQ_TIMEOUT", reason=trouble) for body in self._bodies),
            stamp="assumed",
        )

    def _tell_remarks(self) -> None:
        for remark in self._names.remarks[self._remarks_told :]:
            self._note(remark)
        self._remarks_told = len(self._names.remarks)
        if self._gatherer.late:
            self._note("poses came after their instant was handed on, and were dropped: if tools flicker, lengthen wait=MS")
        if self._gatherer.delay.late:
            self._note("poses came late: they waited at the sender or on the way, and count as that much older")
        if self._gatherer.delay.set_back:
            self._note("the sender's clock was set back: how late its poses come is measured anew")
        if self._gatherer.apart_ns:
            self._note("the sender stamps its tools one by one: poses up to 5 ms, or half a period, apart are taken for one instant")

    def _note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes = (*self.notes, text)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])


def open_source(address: str, case: Any = None, rig: Rig | None = None) -> IgtlSource:
    """The source `igtl:ADDRESS`, as `tracking.igtl.address.parse` reads it. It opens also while the server is not there yet, and says so.

    Raises
    ------
    InputRefused : an address that cannot be used, a port that is taken, or no rig
    """
    if rig is None:
        raise InputRefused("an OpenIGTLink source cannot be read without a rig", "pass --rig FILE: it names the bodies")
    return IgtlSource(parse(address), rig)
