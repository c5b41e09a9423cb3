"""The alarms of a window, played by a process of their own: a client of the bus that shows nothing.

Whatever holds Python's lock in a window's process, be it an import, a table being filled or a library's native call, holds up every thread beside it,
and a window that hangs or falls takes its threads with it. What is to be heard within 100 ms lives in no such process. (Rendering itself is innocent:
VTK 9.7 lets go of the lock.)

    python -m navtwin.sound.listener --host H --port P --command-port C --who NAME [--key NAME --server-key FILE]

writes why it cannot be heard, one line at each change, empty where it can. It reads `quiet`, which silences a lost link until it is up again, and
leaves when its input ends.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from navtwin.bus.client import Client
from navtwin.bus.keys import client_keys
from navtwin.bus.promptly import going_first, run_promptly
from navtwin.bus.words import printable
from navtwin.errors import BusRefused, NavtwinError
from navtwin.nouns import AlertSet, Envelope, Setup, Topic
from navtwin.sound.beside import QUIET
from navtwin.sound.choice import LINK_LOST, Wanted, wanted
from navtwin.sound.report import Report
from navtwin.sound.sounder import Sounder

#: A lost link is noticed this much later, ms.
TURN_MS = 20
#: The core's last words.
SESSION_ENDED = "session ended"


@dataclass
class Hearing:
    """What is to be heard, by what the core said: a fold over its messages."""

    epoch: str = ""
    alerts: AlertSet | None = None
    pause_began_ns: int | None = None
    ended: bool = False
    link_answered: bool = False
    report: Report = field(default_factory=Report)

    def take(self, topic: Topic, envelope: Envelope) -> None:
        """Note one message."""
        body = envelope.body
        if topic != "reply" and envelope.epoch != self.epoch:
            self.epoch, self.alerts, self.pause_began_ns, self.ended = envelope.epoch, None, None, False
            # Another core knows nothing of what the last one was told.
            self.report = Report()
        if isinstance(body, Setup):
            self.ended = body.message == SESSION_ENDED
        elif isinstance(body, AlertSet):
            self.alerts = body
            if body.health.audio_paused_until_ns is None:
                self.pause_began_ns = None
            elif self.pause_began_ns is None:
                self.pause_began_ns = body.t_ns

    def wanted(self, *, link_lost: bool) -> tuple[Wanted, ...]:
        """Everything that is to be heard now."""
        self.link_answered = self.link_answered and link_lost
        if self.alerts is None:
            return ()
        if link_lost:
            return () if self.ended or self.link_answered else LINK_LOST
        return wanted(self.alerts, self.pause_began_ns)


def listen(client: Client, sounder: Sounder, said: Callable[[str], None], over: threading.Event, quiet: threading.Event) -> None:
    """Play what the core says until `over`; `said` hears of each change of the sounder's fault. `quiet`, once set, silences a lost link."""
    hearing = Hearing()
    last: str | None = None
    while not over.is_set():
        for message in client.receive_newest(TURN_MS):
            hearing.take(*message)
        link_lost = client.link_lost()
        if quiet.is_set():
            quiet.clear()
            hearing.link_answered = True
        sounder.hear(hearing.wanted(link_lost=link_lost))
        fault = sounder.fault
        if fault is not None and fault != last:
            said(fault)
            last = fault
        order = None if link_lost or hearing.alerts is None else hearing.report.due(fault, time.monotonic_ns())
        if order is not None:
            try:
                client.send(order)
            except BusRefused as refusal:
                # It is due again in 2 s.
                print(refusal.problem, file=sys.stderr)


def main() -> None:
    """The process."""
    options = argparse.ArgumentParser()
    options.add_argument("--host", required=True)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--command-port", type=int, required=True)
    options.add_argument("--who", required=True)
    options.add_argument("--key", default="")
    options.add_argument("--server-key", type=Path)
    given = options.parse_args()
    # Ctrl-C is for the window, which ends this process's input when it leaves.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    over, quiet = threading.Event(), threading.Event()

    def obey() -> None:
        for line in sys.stdin:
            if line.strip() == QUIET:
                quiet.set()
        over.set()

    threading.Thread(target=obey, daemon=True).start()
    keys = client_keys(given.key, given.server_key) if given.server_key else None
    run_promptly()
    client = Client(given.host, (given.port, given.command_port), keys, given.who, topics=("alerts", "setup"))
    try:
        with Sounder() as sounder, going_first():
            listen(client, sounder, lambda fault: print(printable(fault), flush=True), over, quiet)
    finally:
        client.close()


if __name__ == "__main__":
    try:
        main()
    except NavtwinError as error:
        print(f"navtwin: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
