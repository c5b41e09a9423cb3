"""`navtwin operator` as a process: in a pseudo-terminal, and with its output piped."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from navtwin.bus.server import Server
from navtwin.nouns import Ack, Audio, Command
from tests.bus.fake_core import FakeCore, S

RUN = "import typer; from navtwin.console.commands import operator; typer.run(operator)"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a POSIX thing")


@pytest.fixture
def core() -> Iterator[FakeCore]:
    """Six seconds into its lap, where the drill has just come to DANGER at the canal."""
    core = FakeCore(Server(pub_port=0, command_port=0, epoch="fake-1"), started_ns=time.monotonic_ns() - 6 * S, frame=360)
    yield core
    core.server.close()


def command_line(core: FakeCore, *options: str) -> list[str]:
    ports = ["--port", str(core.server.pub_port), "--command-port", str(core.server.command_port)]
    return [sys.executable, "-c", RUN, *ports, "--who", "ana", *options]


LONGEST_ESCAPE = 32


class Terminal:
    """A process in a pseudo-terminal of 120 x 30, and all that it has written."""

    def __init__(self, command: list[str]) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        self.mode_before = termios.tcgetattr(slave)[3]
        # No test is to be heard: with these, no system has a sound device.
        environment = {**os.environ, "TERM": "xterm-256color", "PULSE_SERVER": "unix:/nowhere", "ALSA_CONFIG_PATH": os.devnull}
        # The tests' workers name a size for their own output, which is not this terminal's.
        environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True)
        self.slave = slave
        self.text = self._plain = ""
        self._read = 0

    def read(self) -> None:
        while select.select([self.master], [], [], 0.0)[0]:
            self.text += os.read(self.master, 65536).decode("utf-8", "replace")

    def shows(self, pattern: str) -> bool:
        self.read()
        # Only what is new is stripped, without an escape that may be cut: the core beats in the same loop, and must not starve on a long text.
        escape = self.text.rfind("\x1b", max(self._read, len(self.text) - LONGEST_ESCAPE))
        end = len(self.text) if escape < 0 else escape
        self._plain += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text[self._read : end])
        self._read = end
        return re.search(pattern, self._plain) is not None

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def mode(self) -> int:
        import termios

        return int(termios.tcgetattr(self.slave)[3])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def until(condition: Callable[[], object], core: FakeCore | None, seen: list[Command], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "timed out"
        if core:
            seen += core.tick()
        time.sleep(0.005)


@posix_only
def test_alert_seen_acknowledged_and_link_lost_in_a_terminal(core: FakeCore) -> None:
    seen: list[Command] = []
    terminal = Terminal(command_line(core, "--no-sound"))
    try:
        until(lambda: terminal.shows(r"DANGER .*drill burr to spinal canal"), core, seen)
        assert "\a" in terminal.text
        # What has only just come or risen is not acknowledged by a key pressed in that moment, so this operator presses again, as he is told to.
        while not seen:
            # An arrow key is no command, though it ends in a capital letter.
            terminal.press("\x1b[Aa")
            pressed = time.monotonic()
            # Who does not read a terminal stops the program that writes to it.
            until(lambda pressed=pressed: (terminal.read(), seen or time.monotonic() - pressed > 0.5)[1], core, seen)
        assert seen[0].who == "ana"
        assert isinstance(seen[0].order, Ack)
        assert seen[0].order.epoch == "fake-1"
        assert seen[0].order.alert.startswith("spinal_canal/drill/")
        until(lambda: terminal.shows("acked by ana"), core, seen)
        assert not terminal.shows("LINK LOST")
        silent = time.monotonic()
        until(lambda: terminal.shows("LINK LOST.*nothing from the core"), None, seen)
        # 250 ms after the last set, by the console's own clock; what is above is this machine being busy.
        assert 0.2 <= time.monotonic() - silent < 1.5
        until(lambda: terminal.shows("LINK UP.*of silence"), core, seen)
        terminal.press("q")
        assert terminal.process.wait(5) == 0
        assert terminal.mode() == terminal.mode_before
    finally:
        terminal.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there can the sound system be taken away for one process")
def test_without_a_loudspeaker_the_bell_rings_and_the_core_is_told(core: FakeCore) -> None:
    seen: list[Command] = []
    terminal = Terminal(command_line(core))
    try:
        until(lambda: (terminal.read(), any(isinstance(command.order, Audio) and command.order.fault for command in seen))[1], core, seen)
        until(lambda: terminal.shows(r"audio \(bell\) BAD") and terminal.shows("NO SOUND .*bell rings instead"), core, seen)
        until(lambda: terminal.shows(r"DANGER .*drill burr to spinal canal") and "\a" in terminal.text, core, seen)
        assert "ALSA" not in terminal.text, "nothing but the console writes into its terminal"
    finally:
        terminal.close()


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_terminal_is_put_back_when_ended_by_a_signal(core: FakeCore, number: signal.Signals) -> None:
    terminal = Terminal(command_line(core, "--no-sound"))
    try:
        until(lambda: terminal.shows("NAVIGATION"), core, [])
        assert terminal.mode() != terminal.mode_before
        terminal.process.send_signal(number)
        assert terminal.process.wait(5) == 0
        assert terminal.mode() == terminal.mode_before
        terminal.read()
        assert "Traceback" not in terminal.text
    finally:
        terminal.close()


def test_piped_it_prints_plain_lines_reacts_and_leaves_with_the_session(core: FakeCore, tmp_path: Path) -> None:
    journal = tmp_path / "operator.jsonl"
    options = ("--auto-ack", "0.1", "--until-end", "--journal", str(journal))
    process = subprocess.Popen(command_line(core, *options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    seen: list[Command] = []
    until(lambda: sum(isinstance(command.order, Ack) for command in seen) >= 2, core, seen)
    until(lambda: all(alert.acked_by for alert in core.twin.alerts(time.monotonic_ns() - core.started_ns).alerts), core, seen)
    for _ in range(20):
        core.tick()
        time.sleep(0.005)
    core.end()
    output, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    lines = output.splitlines()
    assert all(text.isprintable() for text in lines)
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} high   RAISED       drill burr to spinal canal: DANGER, .* mm, .*", text) for text in lines)
    assert any("ACKED        drill burr to spinal canal at DANGER, by ana" in text for text in lines)
    assert lines[-1].endswith("session ended")
    records = [json.loads(text) for text in journal.read_text(encoding="utf-8").splitlines()]
    alerts = [record for record in records if record.get("topic") == "alerts"]
    assert alerts
    assert all(record["t_publish_ns"] <= record["t_received_ns"] for record in records if "topic" in record)
    assert {record["topic"] for record in records if "topic" in record} == {"alerts", "state", "setup", "reply"}
    sent = {record["sent"]: record for record in records if "sent" in record}
    replies = {record["reply"]["id"]: record for record in records if "reply" in record}
    assert set(replies) == set(sent)
    assert all(sent[ident]["t_sent_ns"] < replies[ident]["t_received_ns"] for ident in sent)


def test_unwritable_journal_is_refused(core: FakeCore, tmp_path: Path) -> None:
    done = subprocess.run(
        command_line(core, "--journal", str(tmp_path / "none" / "j")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode != 0
    assert "InputRefused" in done.stderr
    assert "cannot write the journal" in done.stderr.replace("\n", " ")
