"""The process that plays a window's alarms: what it makes of messages, what it tells the core, and that it leaves with its window."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from navtwin.bus.client import Client
from navtwin.bus.server import Server
from navtwin.nouns import Alert, Audio, Command, Envelope, Output
from navtwin.sound.beside import Beside
from navtwin.sound.device import Fill, Speaker
from navtwin.sound.listener import SESSION_ENDED, Hearing, listen
from navtwin.sound.report import Report
from navtwin.sound.sounder import Sounder
from tests.bus.fake_core import FakeCore
from tests.console.test_model import LOST, SETUP, S, alert
from tests.sound.test_mixer import alert_set


def said(body: Output, epoch: str = "e1") -> tuple[str, Envelope]:
    return type(body).__name__, Envelope(epoch=epoch, seq=1, t_capture_ns=None, t_arrival_ns=None, t_step_ns=0, t_publish_ns=0, body=body)


class Ear(Hearing):
    def hears(self, body: Output, epoch: str = "e1", *, link_lost: bool = False) -> list[str]:
        self.take(*said(body, epoch))  # type: ignore[arg-type]
        return [one.key[0] for one in self.wanted(link_lost=link_lost)]


def paused(*alerts: Alert, t_s: float) -> Output:
    quiet = tuple(msgspec.structs.replace(one, silenced=True) for one in alerts)
    alerts_then = alert_set(*quiet, t_s=t_s)
    return msgspec.structs.replace(alerts_then, health=msgspec.structs.replace(alerts_then.health, audio_paused_until_ns=100 * S))


def test_before_the_first_word_and_after_the_last_nothing_sounds() -> None:
    ear = Ear()
    assert ear.wanted(link_lost=True) == ()
    assert ear.hears(alert_set(alert("canal"))) == ["canal/drill/neck"]
    assert ear.hears(msgspec.structs.replace(SETUP, message=SESSION_ENDED), link_lost=True) == []


def test_a_link_that_is_lost_in_a_session_sounds_instead_of_all_else() -> None:
    assert Ear().hears(alert_set(alert("canal"), technical=(LOST,)), link_lost=True) == ["LINK_LOST/core"]


def test_a_lost_link_is_silenced_until_it_is_up_and_lost_again() -> None:
    ear = Ear()
    ear.hears(alert_set(alert("canal")))
    ear.link_answered = True
    assert ear.wanted(link_lost=True) == ()
    assert ear.hears(alert_set(alert("canal"))) == ["canal/drill/neck"]
    assert [one.key[0] for one in ear.wanted(link_lost=True)] == ["LINK_LOST/core"]


def test_only_a_contact_newer_than_the_pause_breaks_through_it() -> None:
    ear = Ear()
    old, new = alert("aorta", "CONTACT", since_ns=1 * S), alert("canal", "CONTACT", since_ns=5 * S)
    assert ear.hears(alert_set(old, t_s=1.0)) == ["aorta/drill/neck"]
    assert ear.hears(paused(old, t_s=2.0)) == []
    assert ear.hears(paused(old, new, t_s=5.0)) == ["canal/drill/neck"]
    assert ear.hears(alert_set(old, t_s=6.0)) == ["aorta/drill/neck"]
    assert ear.hears(paused(old, new, t_s=7.0)) == [], "a second pause has a beginning of its own"


def test_a_new_session_forgets_the_last_one() -> None:
    ear = Ear()
    ear.hears(paused(alert("canal", "CONTACT"), t_s=2.0))
    ear.report.due("no audio device", 0)
    assert ear.hears(SETUP, epoch="e2") == []
    assert (ear.pause_began_ns, ear.alerts, ear.report.fault) == (None, None, "")


def test_a_fault_is_reported_at_once_and_every_two_seconds_and_its_end_once() -> None:
    report = Report()
    told = {t_ms: order for t_ms in range(0, 5000, 100) if (order := report.due("no audio device", t_ms * 1_000_000))}
    assert told == dict.fromkeys((0, 2000, 4000), Audio(fault="no audio device"))
    assert report.due("another", 4_950_000_000) == Audio(fault="another")
    assert [report.due("", 5_000_000_000 + n) for n in range(3)] == [Audio(fault=""), None, None]
    assert [Report().due(fault, 0) for fault in ("", None)] == [None, None], "who can be heard has nothing to say"


@pytest.fixture
def core() -> Iterator[FakeCore]:
    """Six seconds into its lap: DANGER at the canal."""
    core = FakeCore(Server(pub_port=0, command_port=0, epoch="fake-1"), started_ns=time.monotonic_ns() - 6 * S, frame=360)
    yield core
    core.server.close()


def until(condition: Callable[[], object], core: FakeCore | None = None, timeout_s: float = 15.0) -> list[Command]:
    end, seen = time.monotonic() + timeout_s, []
    while not condition():
        assert time.monotonic() < end, "timed out"
        seen += core.tick() if core else []
        time.sleep(0.005)
    return seen


def test_it_plays_what_a_core_says_over_the_bus(core: FakeCore) -> None:
    pytest.importorskip("miniaudio")
    heard: list[np.ndarray] = []

    def tapped(fill: Fill) -> Speaker:
        def tap(count: int) -> np.ndarray:
            heard.append(fill(count))
            return heard[-1]

        return Speaker(tap, "null")

    over = threading.Event()
    told: list[str] = []

    def play() -> None:
        client = Client(ports=(core.server.pub_port, core.server.command_port), topics=("alerts", "setup"))
        with Sounder(tapped) as sounder:
            listen(client, sounder, told.append, over, threading.Event())
        client.close()

    thread = threading.Thread(target=play)
    thread.start()
    try:
        until(lambda: any(block.any() for block in heard[-5:]), core)
    finally:
        over.set()
        thread.join()
    assert told == [""]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there can the sound system be taken away for one process")
def test_without_a_device_it_says_so_tells_the_core_and_leaves_with_its_window(core: FakeCore) -> None:
    ports = ["--host", "127.0.0.1", "--port", str(core.server.pub_port), "--command-port", str(core.server.command_port), "--who", "ana"]
    environment = {**os.environ, "PULSE_SERVER": "unix:/nowhere", "ALSA_CONFIG_PATH": os.devnull}
    process = subprocess.Popen(
        [sys.executable, "-m", "navtwin.sound.listener", *ports], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdin and process.stdout
    try:
        until(lambda: "ana" in core.twin.audio_faults, core)
        assert core.twin.audio_faults["ana"]
        process.stdin.close()
        assert process.stdout.read().strip() == core.twin.audio_faults["ana"]
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()


#: Says a line, and ends when its input does, or at once if its argument says so.
STANDIN = "import sys; print('no audio device', flush=True); sys.argv[1:] == ['fall'] or [print('told:', line, flush=True) for line in sys.stdin]"


def test_a_listener_that_has_ended_is_told_of_and_started_again() -> None:
    told: list[str] = []
    beside = Beside(["fall"], told.append, (sys.executable, "-c", STANDIN), again_s=0.05)
    beside.start()
    until(lambda: len(told) >= 4)
    beside.stop()
    assert told[:4] == ["no audio device", "the process that plays the alarms has ended"] * 2
    assert not beside.is_alive()


def test_a_listener_is_told_to_be_quiet_and_leaves_when_it_is_stopped(tmp_path: Path) -> None:
    told: list[str] = []
    beside = Beside([], told.append, (sys.executable, "-c", STANDIN))
    beside.start()
    until(lambda: told)
    beside.silence_link()
    until(lambda: "told: quiet" in (line.strip() for line in told))
    beside.stop()
    assert not beside.is_alive()
    beside.silence_link()
    assert "the process that plays the alarms has ended" not in told
