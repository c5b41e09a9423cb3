"""The sounder with a loudspeaker of the test's, in injected time; and with the library's silent one, in its own threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from navtwin.sound.choice import wanted
from navtwin.sound.device import Fill, NoAudio, Speaker
from navtwin.sound.mixer import FADE_S
from navtwin.sound.pulses import RATE_HZ, burst
from navtwin.sound.sounder import Sounder
from navtwin.sound.voices import TECHNICAL
from tests.console.test_model import alert
from tests.sound.test_mixer import VOICES, alert_set

MS = 1_000_000


class Room:
    """A room with a loudspeaker that can be unplugged, and a clock."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.plugged = True
        self.works = True
        self.opened = 0
        self.playing: list[Plugged] = []
        self.sounder = Sounder(self.open, lambda: self.now_ns)

    def open(self, fill: Fill) -> Plugged:
        if not self.plugged:
            raise NoAudio("no audio device")
        self.opened += 1
        self.playing = [Plugged(self, fill)]
        return self.playing[0]

    def play(self, ms: int) -> np.ndarray:
        """What is heard over so long; the client goes on saying the same, the sounder looks after things every 100 ms."""
        blocks = []
        for n in range(ms // 10):
            if n % 10 == 0:
                self.sounder.tend()
            self.now_ns += 10 * MS
            works = self.works and self.plugged and self.playing
            blocks.append(self.playing[0].fill(480) if works else np.zeros(480, np.float32))
        return np.concatenate(blocks)

    def hear(self, *alerts: Any) -> None:
        self.sounder.hear(wanted(alert_set(*alerts), None))


class Plugged:
    name = "made up"

    def __init__(self, room: Room, fill: Fill) -> None:
        self.room, self.fill = room, fill

    def close(self) -> None:
        self.room.playing = []


@pytest.fixture
def room() -> Room:
    return Room()


def test_the_newest_alerts_win(room: Room) -> None:
    room.sounder.tend()
    room.hear(alert("canal", "CAUTION"))
    room.hear(alert("canal", "CAUTION"), alert("aorta"))
    room.hear(alert("canal"))
    one = burst("high", VOICES["canal"])
    assert np.array_equal(room.play(200), one[: 200 * 48])


def test_an_acknowledgement_stops_it_within_one_pulse(room: Room) -> None:
    room.sounder.tend()
    room.hear(alert("canal"))
    assert room.play(80).any()
    room.hear(alert("canal", acked_by="ana"))
    assert not room.play(1000)[round(FADE_S * RATE_HZ) :].any()


def test_without_a_device_there_is_a_fault_until_one_is_plugged_in(room: Room) -> None:
    assert room.sounder.fault is None
    room.plugged = False
    room.hear(alert("canal"))
    room.play(1000)
    assert room.sounder.fault == "no audio device"
    room.plugged = True
    room.hear(alert("canal"))
    room.play(1900)
    assert room.sounder.fault == ""
    assert room.opened == 1


def test_a_device_pulled_out_is_noticed_and_found_again(room: Room) -> None:
    room.hear(alert("canal"))
    room.play(500)
    assert room.sounder.fault == ""
    room.plugged = False
    for _ in range(3):
        room.hear(alert("canal"))
        room.play(1000)
    assert room.sounder.fault == "no audio device"
    room.plugged = True
    for _ in range(21):
        room.hear(alert("canal"))
        if (heard := room.play(100)).any():
            break
    assert room.sounder.fault == ""
    assert np.array_equal(heard, burst("high", VOICES["canal"])[: heard.size]), "from its first pulse on: nobody heard the others"


def test_a_device_that_hangs_is_noticed_and_opened_anew(room: Room) -> None:
    room.hear(alert("canal"))
    room.play(500)
    room.works = False
    room.play(1000)
    assert room.sounder.fault == ""
    room.play(200)
    assert room.sounder.fault == "the audio device takes no sound any more"
    room.works = True
    room.hear(alert("canal"))
    room.play(1900)
    assert (room.sounder.fault, room.opened) == ("", 2)


def test_a_client_that_hangs_sounds_like_a_lost_link(room: Room) -> None:
    room.sounder.tend()
    room.hear()
    assert not room.play(1900).any()
    heard = room.play(1000)
    first = int(np.flatnonzero(heard)[0])
    assert np.array_equal(heard[first - 1 :], burst("high", TECHNICAL)[: heard.size - first + 1])
    room.hear()
    assert not room.play(1000)[round(FADE_S * RATE_HZ) :].any()


def test_a_sounder_that_was_never_told_anything_is_silent(room: Room) -> None:
    assert not room.play(5000).any()


def _patient(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it becomes true in good time; the machine may be busy."""
    waiting = threading.Event()
    return any(condition() or waiting.wait(0.02) for _ in range(round(seconds / 0.02)))


def test_its_own_threads_play_to_the_library_s_silent_device() -> None:
    pytest.importorskip("miniaudio")
    heard: list[np.ndarray] = []

    def tapped(fill: Fill) -> Speaker:
        def tap(count: int) -> np.ndarray:
            heard.append(fill(count))
            return heard[-1]

        return Speaker(tap, "null")

    with Sounder(tapped) as sounder:
        assert _patient(lambda: sounder.fault == "" and bool(heard))
        assert not np.concatenate(heard).any()
        sounder.hear(wanted(alert_set(alert("canal")), None))
        assert _patient(lambda: any(block.any() for block in heard))
        sounder.close()
        count = len(heard)
        assert not threading.Event().wait(0.1)
        assert len(heard) == count, "closed is silent"
    whole = np.concatenate(heard)
    first = int(np.flatnonzero(whole)[0])
    one = burst("high", VOICES["canal"])
    assert np.array_equal(whole[first - 1 :][: one.size], one[: whole.size - first + 1])


def test_a_missing_library_is_a_fault_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    sounder = Sounder()
    sounder.tend()
    assert sounder.fault is not None
    assert "library" in sounder.fault
    assert "miniaudio" in sounder.fault


ALSA = Path("/usr/share/alsa/alsa.conf")
#: A sound card that is a file. It keeps no time, so seconds of sound are written in a moment.
CARD = """<{alsa}>
pcm.!default {{ type file  file "{file}"  format "raw"  slave.pcm "null"  hint {{ show on  description "A file" }} }}
"""
PLAYS = """
import os, sys, time
from navtwin.sound.choice import LINK_LOST
from navtwin.sound.sounder import Sounder
sounder = Sounder()
sounder.hear(LINK_LOST)
sounder.tend()
assert sounder.fault == "", sounder.fault
while os.path.getsize(sys.argv[1]) < 4 * 11 * 48_000:
    time.sleep(0.005)
sounder._device.close()
"""


@pytest.mark.skipif(not ALSA.exists(), reason="there is no ALSA here")
def test_the_system_s_own_sound_gets_every_pulse(tmp_path: Path) -> None:
    """Through the library and ALSA as with a card: what comes out is the burst, and after 7 s the next."""
    (tmp_path / "asound.conf").write_text(CARD.format(alsa=ALSA, file=tmp_path / "heard.raw"), encoding="utf-8")
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf"), "PULSE_SERVER": "unix:/nowhere"}
    subprocess.run([sys.executable, "-c", PLAYS, str(tmp_path / "heard.raw")], env=environment, check=True, timeout=60)
    with (tmp_path / "heard.raw").open("rb") as file:
        heard = np.frombuffer(file.read(4 * 11 * RATE_HZ), "<f4")
    one = burst("high", TECHNICAL)
    assert np.abs(heard[: one.size] - one).max() < 1e-6
    again = heard[7 * RATE_HZ :][: one.size]
    assert np.abs(again - one[: again.size]).max() < 1e-6
