"""What a core says, made by hand; and a client of the gateway made of sockets and the codec."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import msgspec

from navtwin.igtl.message import Message
from navtwin.igtl.reader import Reader
from navtwin.nouns import Alert, AlertSet, Envelope, Health, InstrumentState, Level, Output, PairSummary, Pose, Reading, State, TechnicalAlarm

IDENT = "canal/drill/burr"
#: Left 10, behind 20, up 30: in RAS this is -10, -20, 30.
POSE = Pose(q_wxyz=(0.5, 0.5, 0.5, 0.5), t_mm=(10.0, 20.0, 30.0))


def health(tracker: str = "ok") -> Health:
    lamps = dict.fromkeys(("reference", "registration", "latency", "recording"), "ok")
    return Health(tracker=tracker, **lamps, frame_age_ms=20.0, watched=1)  # type: ignore[arg-type]


def alert(level: Level = "DANGER", *, known: bool = True) -> Alert:
    return Alert(
        id=IDENT,
        structure="canal",
        instrument="drill",
        part="burr",
        level=level,
        known=known,
        status="OK" if known else "HIDDEN",
        priority="high",
        since_ns=0,
        limit_mm=2.0,
        distance_mm=1.5 if known else None,
    )


def alert_set(
    *alerts: Alert, known: bool = True, tracker: str = "ok", phase: str = "navigation", technical: tuple[TechnicalAlarm, ...] = ()
) -> AlertSet:
    pair = PairSummary(id=IDENT, level="CLEAR", known=known, status="OK" if known else "HIDDEN", since_ns=0)
    return AlertSet(phase=phase, t_ns=10**9, alerts=alerts, technical=technical, pairs=(pair,), health=health(tracker))  # type: ignore[arg-type]


def state(*instruments: InstrumentState, frame: int = 1, readings: int = 1) -> State:
    made = tuple(
        Reading(structure=f"s{n}", instrument="drill", part="burr", role="context" if n % 2 else "critical", status="OK", distance_mm=1.0 / 3.0)
        for n in range(readings)
    )
    return State(phase="navigation", frame=frame, instruments=instruments, readings=made)


def envelope(body: Output, *, epoch: str = "e1", seq: int = 1, age_ns: int = 30_000_000) -> Envelope:
    now = time.monotonic_ns()
    return Envelope(epoch=epoch, seq=seq, t_capture_ns=now - age_ns, t_arrival_ns=now, t_step_ns=now, t_publish_ns=now, body=body)


def text_of(message: Message) -> dict[str, object]:
    from navtwin.igtl.words import read_string

    decoded: dict[str, object] = msgspec.json.decode(read_string(message.content))
    return decoded


class IgtlClient:
    """Connects and keeps every message that came."""

    def __init__(self, port: int, receive_bytes: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(0.02)
        self.messages: list[Message] = []
        self._reader = Reader()

    def receive(self) -> bool:
        """Take what has come; False where the connection is closed."""
        try:
            data = self.socket.recv(1 << 20)
        except TimeoutError:
            return True
        except OSError:
            return False
        for item in self._reader.feed(data):
            assert isinstance(item, Message), item
            self.messages.append(item)
        return bool(data)

    def of(self, device: str) -> list[Message]:
        return [message for message in self.messages if message.device == device]

    def wait_for(self, done: Callable[[], bool], seconds: float = 5.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, [message.device for message in self.messages[-20:]]
            self.receive()

    def close(self) -> None:
        self.socket.close()
