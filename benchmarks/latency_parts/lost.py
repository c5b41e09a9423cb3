"""A core that is stopped, or killed: until the operator's terminal says so, and the desktop's link.

The operator is `navtwin operator --plain`, a process of its own whose line is read as it comes. The desktop is its own `Feed` and `Board` without a
window, asked as often as its window asks. Time counts from the last alert set that came: what was heard until then was true.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from results.model import Figure, Table, distribution

from latency_parts.core import Plan
from latency_parts.measure import Progress, Session, session
from latency_parts.tell import Told
from navtwin.bus.client import Client
from navtwin.errors import NavtwinError

ASKED_MS = 300.0
PATIENCE_S = 20.0
#: As often as the desktop's window looks at its link (gui/desktop/window.py), s.
LOOK_S = 0.033
#: A link stands for so long before it is cut again, s; a little different each time, so that the cut falls at any phase of what is said every 50 ms.
STANDS_S, PHASES = 0.6, 7


class Watchers:
    """An operator's terminal and a desktop's link at one core."""

    def __init__(self, ports: tuple[int, int]) -> None:
        from gui.link.board import Board
        from gui.link.feed import Feed

        client = Client(ports=ports, who="desktop")
        self.board = Board(client.link, time.monotonic_ns)
        self.feed = Feed(client, self.board)
        self.feed.start()
        words = [sys.executable, "-m", "navtwin", "operator", "--plain", "--no-sound", "--port", str(ports[0]), "--command-port", str(ports[1])]
        self.operator = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
        self.lines: queue.Queue[tuple[int, str]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.operator.stdout is not None
        for line in self.operator.stdout:
            self.lines.put((time.monotonic_ns(), line))

    def said(self, words: str) -> int:
        """When the terminal said it, ns; whatever it says before is passed over."""
        until = time.monotonic() + PATIENCE_S
        while (left := until - time.monotonic()) > 0.0:
            try:
                at_ns, line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if words in line:
                return at_ns
        raise NavtwinError(f"the operator's terminal never said '{words}'", "start `navtwin operator` by hand and look")

    def seen(self, link: str) -> int:
        """When the desktop's link is so, ns."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self.board.moment().link == link:
                return time.monotonic_ns()
            time.sleep(LOOK_S)
        raise NavtwinError(f"the desktop's link never was '{link}'", "look at gui/link/board.py")

    def cut(self, how: Callable[[], None]) -> tuple[float, float]:
        """Cut the link; ms from the last alert set to the terminal's line, and to the desktop's link."""
        how()
        desktop_ns = self.seen("lost")
        last_ns = self.board.link.heard_ns
        return (self.said("LINK LOST") - last_ns) * 1e-6, (desktop_ns - last_ns) * 1e-6

    def close(self) -> None:
        self.feed.stop()
        self.operator.kill()
        self.operator.wait()


@contextmanager
def watched(case: Path, folder: Path) -> Iterator[tuple[Session, Watchers]]:
    """A core with both, once both hear it."""
    with session(Plan(case, 60.0), None, folder) as running:
        watchers = Watchers(running.ports)
        try:
            watchers.seen("up")
            watchers.said("LINK UP")
            yield running, watchers
        finally:
            watchers.close()


def measure(case: Callable[[], Path], times: int, progress: Progress) -> Told:
    """So many stops and so many kills."""
    folder, found = case(), dict[str, list[tuple[float, float]]]()
    with tempfile.TemporaryDirectory(prefix="navtwin-link-") as where, watched(folder, Path(where)) as (running, watchers):
        for n in range(times):
            progress(f"stops the core, {n + 1} of {times}", 0.5 * n / times)
            time.sleep(STANDS_S + 0.05 * (n % PHASES) / PHASES)
            found.setdefault("stopped", []).append(watchers.cut(lambda: os.kill(running.core.pid or 0, signal.SIGSTOP)))
            os.kill(running.core.pid or 0, signal.SIGCONT)
            watchers.seen("up")
            watchers.said("LINK UP")
    for n in range(times):
        progress(f"kills the core, {n + 1} of {times}", 0.5 + 0.5 * n / times)
        with tempfile.TemporaryDirectory(prefix="navtwin-link-") as where, watched(folder, Path(where)) as (running, watchers):
            time.sleep(STANDS_S + 0.05 * (n % PHASES) / PHASES)
            found.setdefault("killed", []).append(watchers.cut(running.core.kill))
    series = {
        f"link: core {how} -> {who} says so": [pair[n] for pair in pairs]
        for how, pairs in found.items()
        for n, who in enumerate(("operator", "desktop"))
    }  # fmt: skip
    figures = tuple(Figure(name=f"{name}, most", value=max(took), unit="ms") for name, took in series.items())
    rows = tuple((name.removeprefix("link: "), str(len(took)), f"{min(took):.0f}", f"{max(took):.0f}") for name, took in series.items())
    table = Table(title="link: from the last alert set heard", columns=("", "times", "least, ms", "most, ms"), rows=rows)
    return Told(figures, tuple(distribution(name, "ms", took, ASKED_MS) for name, took in series.items()), (table,))
