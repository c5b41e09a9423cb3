"""Sounds as a meter sees them: the ranges of IEC 60601-1-8:2006+A1, clause 6.3.3."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Priority
from navtwin.sound.pulses import RATE_HZ, burst, period
from navtwin.sound.voices import STRUCTURE_VOICES, TECHNICAL, VOICES, Voice, voices_for
from tests.sound.measure import envelope, lines, pulses, rms

EVERY = [(priority, voice) for priority in ("high", "medium", "low") for voice in VOICES.values()]
every = pytest.mark.parametrize(("priority", "voice"), EVERY, ids=[f"{priority}-{voice.name}" for priority, voice in EVERY])
DURATION_MS = {"high": (75.0, 200.0), "medium": (125.0, 250.0), "low": (125.0, 250.0)}


def steady(samples: np.ndarray) -> np.ndarray:
    """The middle of a pulse, without rise and fall."""
    return samples[round(0.047 * RATE_HZ) : -round(0.047 * RATE_HZ)]


@every
def test_each_pulse_s_spectrum(priority: Priority, voice: Voice) -> None:
    made = burst(priority, voice)
    for (begin, end), note_hz in zip(pulses(made), voice.notes_hz(priority), strict=True):
        found = lines(steady(made[begin:end]))
        # The fundamental is what all lines are multiples of; the lowest line is it.
        fundamental_hz = found[0][0]
        assert fundamental_hz == pytest.approx(note_hz, rel=0.01)
        assert 150.0 <= fundamental_hz <= 1000.0
        assert all(hz / fundamental_hz == pytest.approx(round(hz / fundamental_hz), abs=0.06) for hz, _ in found)
        harmonics = [level_db for hz, level_db in found[1:] if 300.0 <= hz <= 4000.0]
        assert len(harmonics) >= 4
        assert max(level_db for _, level_db in found) - min(*harmonics, found[0][1]) <= 15.0
        assert found[-1][0] <= 4010.0


@every
def test_each_pulse_s_length_rise_and_fall(priority: Priority, voice: Voice) -> None:
    made = burst(priority, voice)
    least_ms, most_ms = DURATION_MS[priority]
    for begin, end in pulses(made):
        one = np.concatenate((np.zeros(480), made[begin:end], np.zeros(480))).astype(np.float32)
        shape = envelope(one)
        top = float(np.median(shape[round(0.055 * RATE_HZ) : -round(0.055 * RATE_HZ)]))

        def span_ms(share: float, shape: np.ndarray = shape, top: float = top) -> tuple[float, float]:
            above = np.flatnonzero(shape >= share * top)
            return above[0] * 1000.0 / RATE_HZ, above[-1] * 1000.0 / RATE_HZ

        (t10, u10), (t50, u50), (t90, u90) = span_ms(0.1), span_ms(0.5), span_ms(0.9)
        for duration_ms in (u90 - t90, u50 - t50, (end - begin) * 1000.0 / RATE_HZ):
            assert least_ms <= duration_ms <= most_ms
            assert 0.1 <= (t90 - t10) / duration_ms <= 0.4
        assert u10 - u90 <= 50.0


@every
def test_pulses_are_spaced_as_signals_say_and_do_not_touch(priority: Priority, voice: Voice) -> None:
    made = burst(priority, voice)
    found = pulses(made)
    onsets_ms = [begin * 1000.0 / RATE_HZ for begin, _ in found]
    assert onsets_ms == pytest.approx(SIGNALS[priority].pulses_ms, abs=0.2)
    assert all(begin - end > 0.04 * RATE_HZ for (_, end), (begin, _) in itertools.pairwise(found))
    assert period(priority) == SIGNALS[priority].repeat_ms * RATE_HZ // 1000
    silence_s = (period(priority) - made.size) / RATE_HZ
    assert {"high": 2.5 <= silence_s <= 15.0, "medium": 2.5 <= silence_s <= 30.0, "low": silence_s > 15.0}[priority]


def test_number_of_pulses() -> None:
    assert [len(pulses(burst(priority, TECHNICAL))) for priority in ("high", "medium", "low")] == [10, 3, 1]
    assert burst("none", TECHNICAL).size == 0


@every
def test_no_click_and_no_clipping(priority: Priority, voice: Voice) -> None:
    made = burst(priority, voice)
    assert np.abs(made).max() <= 0.9
    # A tone's steepest step: each of its harmonics at once at its steepest. A click is far steeper.
    steepest = sum(10 ** (db / 20) * number for number, db in voice.levels_db) * 2 * np.pi * max(voice.notes_hz(priority)) / RATE_HZ
    loudest = np.abs(made).max() / (0.4 * sum(10 ** (db / 20) for _, db in voice.levels_db))
    assert np.abs(np.diff(made, prepend=0.0, append=0.0)).max() <= steepest * loudest
    power = np.abs(np.fft.rfft(made)) ** 2
    hz = np.fft.rfftfreq(made.size, 1.0 / RATE_HZ)
    assert power[hz > 5000.0].sum() < 1e-6 * power.sum()


def test_more_urgent_is_never_softer_and_no_voice_drowns_another() -> None:
    level = {(priority, voice.name): rms(steady(burst(priority, voice)[slice(*pulses(burst(priority, voice))[0])])) for priority, voice in EVERY}
    for voice in VOICES:
        assert level["high", voice] > level["medium", voice] > level["low", voice]
    for priority in ("high", "medium", "low"):
        of_one = [level[priority, voice] for voice in VOICES]
        assert max(of_one) / min(of_one) < 1.15
    assert min(level.values()) / max(level.values()) > 0.25, "even the least is no more than 12 dB below the loudest"


def test_voices_are_told_apart_by_one_pulse() -> None:
    """First notes lie a minor third apart at least, and where the ear takes pitch relatively, timbre or melody differs."""
    first_hz = sorted(lines(steady(burst("low", voice)))[0][0] for voice in VOICES.values())
    assert all(b / a >= 2 ** (2.9 / 12) for a, b in itertools.pairwise(first_hz))
    melodies = {voice.name: (voice.high, voice.medium) for voice in VOICES.values()}
    assert len({high for high, _ in melodies.values()}) == len(VOICES) == len({medium for _, medium in melodies.values()})


def test_voices_are_told_apart_by_their_spectra() -> None:
    """Distance of normalised third-octave spectra: 0 is the same sound, 1 is nothing in common."""
    edges_hz = 100.0 * 2.0 ** (np.arange(18) / 3.0)

    def bands(voice: Voice) -> np.ndarray:
        made = burst("medium", voice)
        power = np.abs(np.fft.rfft(made)) ** 2
        sums, _ = np.histogram(np.fft.rfftfreq(made.size, 1.0 / RATE_HZ), edges_hz, weights=power)
        return np.sqrt(sums / sums.sum())

    spectra = {voice.name: bands(voice) for voice in VOICES.values()}
    distance = {(a, b): 1.0 - float(spectra[a] @ spectra[b]) for a, b in itertools.combinations(spectra, 2)}
    assert min(distance.values()) > 0.1, min(distance, key=distance.__getitem__)


def test_only_technical_alarms_sound_hollow() -> None:
    """Odd harmonics alone: no structure's voice has that."""
    for voice in VOICES.values():
        found = lines(steady(burst("low", voice)))
        numbers = {round(hz / found[0][0]) for hz, _ in found}
        assert (numbers == {n for n in numbers if n % 2}) == (voice is TECHNICAL)
    assert TECHNICAL not in STRUCTURE_VOICES


def test_same_samples_in_another_process() -> None:
    """To the last bit, though hashes of strings differ between processes."""
    code = (
        "import zlib; from navtwin.sound.pulses import burst; from navtwin.sound.voices import VOICES, voices_for;"
        "print(zlib.crc32(b''.join(burst(p, v).tobytes() for p in ('high', 'medium', 'low') for v in VOICES.values())),"
        "*(v.name for _, v in sorted(voices_for(frozenset(('aorta', 'spinal_canal', 'dura'))).items())))"
    )
    told = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(told) == 1


def test_each_structure_of_a_case_has_a_voice_of_its_own() -> None:
    names = ["spinal_canal", "aorta", "left_facial_nerve", "dura", "vena cava", "T8 root"]
    for count in range(1, len(names) + 1):
        given = voices_for(frozenset(names[:count]))
        assert len({voice.name for voice in given.values()}) == count
    assert voices_for(frozenset(names)) == voices_for(frozenset(reversed(names)))
    crowded = voices_for(frozenset(f"structure {n}" for n in range(20)))
    assert len(crowded) == 20
    assert {voice.name for voice in crowded.values()} == {voice.name for voice in STRUCTURE_VOICES}
