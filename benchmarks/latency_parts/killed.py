"""`kill -9` of a recording `navtwin run`, at random moments: how much of the log is lost, and that what is left verifies.

The real command on the built-in patient's scripted rehearsal, then the real `navtwin recover` and `navtwin verify`. Session time runs on the host's
monotonic clock, so what is lost is the time from the last input that was rescued to the kill.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from navigating import navigates
from results.model import Figure, Table
from rich.console import Console

from latency_parts.measure import Progress
from latency_parts.tell import Told
from navtwin.errors import NavtwinError
from navtwin.record.read import inputs

ASKED_MS = 1000.0
#: The kill comes so long after navigation has begun, s.
EARLIEST_S, LATEST_S = 0.5, 6.0


def measure(times: int, seed: int, progress: Progress) -> Told:
    """So many kills, each of a session of its own."""
    from phantoms.cases import phantom_patient

    case, chance, rows = phantom_patient(Console(stderr=True)), random.Random(seed), []
    for n in range(times):
        progress(f"{n + 1} of {times}", n / times)
        with tempfile.TemporaryDirectory(prefix="navtwin-kill-") as folder:
            log, after_s = Path(folder) / "session.mcap", chance.uniform(EARLIEST_S, LATEST_S)
            killed_ns = kill_one(case, log, seed + n, after_s)
            rows.append((after_s, *rescued(log, killed_ns)))
    lost = [row[1] for row in rows]
    figures = (
        Figure(name="kill: log lost, most", value=max(lost), unit="ms"),
        Figure(name="kill: logs that do not verify", value=sum(not row[3] for row in rows), unit=""),
    )
    cells = tuple((f"{s:.2f}", f"{ms:.0f}", str(kept), "verifies" if good else "DIFFERS") for s, ms, kept, good in rows)
    title = f"kill: phantom:pedicle on the built-in patient, killed {EARLIEST_S:g} to {LATEST_S:g} s after navigation began"
    return Told(figures, (), (Table(title=title, columns=("killed after, s", "lost, ms", "inputs rescued", ""), rows=cells),))


def kill_one(case: Path, log: Path, seed: int, after_s: float) -> int:
    """Start a session, kill it so long after navigation began; when that was, monotonic ns."""
    words = ["run", str(case), "--source", f"phantom:pedicle:{seed}", "--log", str(log), "--port", "0", "--command-port", "0"]
    process = subprocess.Popen([sys.executable, "-m", "navtwin", *words], stderr=subprocess.PIPE, text=True)
    try:
        if not navigates(process):
            raise NavtwinError(f"the session did not begin (exit code {process.wait()})", "start it by hand: navtwin " + " ".join(words))
        time.sleep(after_s)
        process.kill()
        killed_ns = time.monotonic_ns()
    finally:
        process.kill()
        process.wait()
    return killed_ns


def rescued(log: Path, killed_ns: int) -> tuple[float, int, bool]:
    """Rescue what a killed session left: ms of it lost, inputs kept, and whether they replay to the bit."""
    kept = log.with_name("kept.mcap")
    # 1: something was wrong with the log, which is what it is rescued for.
    ended = subprocess.run(
        [sys.executable, "-m", "navtwin", "recover", f"{log}.partial", "--out", str(kept)], capture_output=True, text=True, check=False
    )
    if not kept.is_file():
        raise NavtwinError(f"nothing was rescued (exit code {ended.returncode})", ended.stderr.strip())
    count, last_ns = 0, 0
    for event in inputs(kept):
        count, last_ns = count + 1, event.t_ns
    verdict = subprocess.run([sys.executable, "-m", "navtwin", "verify", str(kept), "--json"], capture_output=True, text=True, check=False)
    identical = verdict.returncode == 0 and bool(json.loads(verdict.stdout)["identical"])
    return (killed_ns - last_ns) * 1e-6, count, identical
