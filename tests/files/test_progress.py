"""Long work that is asked to end leaves nothing half made behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORK = """
import sys, tempfile, time
from navtwin.files.progress import progress
with progress():
    with tempfile.TemporaryDirectory(dir=sys.argv[1]):
        print("at work", flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to be caught")
def test_what_is_half_made_goes_when_the_process_is_asked_to_end(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WORK, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as work:
        assert work.stdout is not None and work.stdout.readline() == "at work\n"
        assert len(list(tmp_path.iterdir())) == 1
        work.send_signal(signal.SIGTERM)
        assert work.wait(timeout=30) != 0
    assert list(tmp_path.iterdir()) == []


def test_in_a_thread_signals_are_left_alone() -> None:
    import threading

    from navtwin.files.progress import progress

    before, met = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with progress() as report:
            report("[at] work")
            met.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert met == [before]
