"""A JSON-lines journal of what a console received and sent, with its own stamps: from it latency is measured."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import msgspec

from navtwin.errors import InputRefused
from navtwin.nouns import AlertSet, Envelope, Order, Reply, Topic

_encode = msgspec.json.Encoder().encode


class Journal:
    """One line for each message received and each order sent; every line is flushed, so that a killed console leaves whole lines.

    Received: `topic`, `epoch`, `seq`, the envelope's stamps and `t_received_ns`; alert sets add `alerts` (id, level, known), replies add `reply`.
    Sent: `sent` (the id), `order`, `t_sent_ns`. All stamps are host monotonic ns.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise InputRefused(
                f"cannot write the journal {path}: {error.strerror}", "pass --journal with a file in a folder that you may write to"
            ) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def received(self, topic: Topic, envelope: Envelope, now_ns: int) -> None:
        line: dict[str, object] = {"topic": topic}
        for name in ("epoch", "seq", "t_capture_ns", "t_arrival_ns", "t_step_ns", "t_publish_ns"):
            line[name] = getattr(envelope, name)
        line["t_received_ns"] = now_ns
        if isinstance(envelope.body, AlertSet):
            line["alerts"] = [(alert.id, alert.level, alert.known) for alert in envelope.body.alerts]
        elif isinstance(envelope.body, Reply):
            line["reply"] = envelope.body
        self._write(line)

    def sent(self, ident: str, order: Order, now_ns: int) -> None:
        self._write({"sent": ident, "order": order, "t_sent_ns": now_ns})

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(_encode(line) + b"\n")
        self._file.flush()
