"""The sounds of a touch: told apart from each other, and never taken for an alarm."""

from __future__ import annotations

import threading
from itertools import product
from typing import get_args

import numpy as np
import pytest

from navtwin.nouns import Priority
from navtwin.sound.cues import CueName, Cues, samples
from navtwin.sound.device import Fill, NoAudio
from navtwin.sound.pulses import RATE_HZ, Samples, burst
from navtwin.sound.voices import VOICES

NAMES: tuple[CueName, ...] = get_args(CueName)
PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")


def strongest_hz(wave: Samples, count: int) -> list[float]:
    """The frequencies of the strongest peaks, the strongest first."""
    power = np.abs(np.fft.rfft(wave * np.hanning(wave.size), 1 << 17))
    frequencies = np.fft.rfftfreq(1 << 17, 1.0 / RATE_HZ)
    found: list[float] = []
    for _ in range(count):
        at = int(power.argmax())
        found.append(float(frequencies[at]))
        power[np.abs(frequencies - frequencies[at]) < 120.0] = 0.0
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_cue_begins_and_ends_in_silence_and_is_quieter_than_any_alarm(name: CueName) -> None:
    wave = samples(name)
    assert abs(wave[0]) < 1e-4
    assert abs(wave[-1]) < 1e-4
    assert np.abs(np.diff(wave)).max() < 0.06
    assert wave.size < 0.9 * RATE_HZ
    loudest = max(float(np.abs(wave).max()) for wave in map(samples, NAMES))
    quietest_alarm = min(float(np.abs(burst(priority, voice)).max()) for priority, voice in product(PRIORITIES, VOICES.values()))
    assert loudest < 0.8 * quietest_alarm


@pytest.mark.parametrize(("name", "tones"), [("began", (1760.0,)), ("taken", (1046.5, 1568.0)), ("refused", (523.3, 392.0))])
def test_a_cue_is_pure_tones(name: CueName, tones: tuple[float, ...]) -> None:
    """No harmonics: the power lies at the tones. An alarm has at least four harmonics."""
    assert sorted(strongest_hz(samples(name), len(tones))) == pytest.approx(sorted(tones), abs=25.0)
    power = np.abs(np.fft.rfft(samples(name).astype(np.float64))) ** 2
    frequencies = np.fft.rfftfreq(samples(name).size, 1.0 / RATE_HZ)
    near = np.zeros(power.size, np.bool_)
    for hz in tones:
        near |= np.abs(frequencies - hz) < 130.0
    assert power[near].sum() > 0.97 * power.sum()


def test_what_was_taken_rises_and_what_was_refused_falls() -> None:
    def halves(name: CueName, at_s: float) -> tuple[float, float]:
        wave, cut = samples(name), round(at_s * RATE_HZ)
        return strongest_hz(wave[:cut], 1)[0], strongest_hz(wave[cut:], 1)[0]

    first, second = halves("taken", 0.11)
    assert second > 1.3 * first
    first, second = halves("refused", 0.14)
    assert second < 0.85 * first


def test_no_cue_lies_where_alarms_sound() -> None:
    """The lowest tone of what is heard most, and of what is heard first, is above the fundamental of every alarm."""
    highest_alarm_hz = max(hz for voice in VOICES.values() for priority in PRIORITIES for hz in voice.notes_hz(priority))
    assert min(strongest_hz(samples("began"), 1)[0], *strongest_hz(samples("taken"), 2)) > 2.0 * highest_alarm_hz


class Loudspeaker:
    """An output that plays when it is told to."""

    name = "made up"

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.closed = threading.Event()
        self.fill: Fill | None = None

    def __call__(self, fill: Fill) -> Loudspeaker:
        self.fill = fill
        self.opened.set()
        return self

    def close(self) -> None:
        self.closed.set()


def test_the_newest_cue_is_played_to_its_end_once() -> None:
    cues = Cues(Loudspeaker())
    cues.play("refused")
    cues.fill(480)
    cues.play("began")
    played = np.concatenate([cues.fill(480) for _ in range(20)])
    np.testing.assert_array_equal(played[: samples("began").size], samples("began"))
    assert not played[samples("began").size :].any()


def test_an_output_is_held_only_while_it_is_wanted() -> None:
    speaker = Loudspeaker()
    cues = Cues(speaker)
    assert cues.fault is None
    cues.start()
    cues.start()
    assert speaker.opened.wait(5.0)
    for thread in threading.enumerate():
        if thread.name == "navtwin-cues":
            thread.join(5.0)
    assert cues.fault == ""
    assert not speaker.closed.is_set()
    cues.stop()
    assert speaker.closed.is_set()


def test_where_there_is_no_loudspeaker_it_says_so_and_plays_on_in_silence() -> None:
    def none(_fill: Fill) -> Loudspeaker:
        raise NoAudio("no audio device")

    cues = Cues(none)
    cues.start()
    for thread in threading.enumerate():
        if thread.name == "navtwin-cues":
            thread.join(5.0)
    assert cues.fault is not None
    assert "no audio device" in cues.fault
    cues.play("taken")
    cues.stop()
