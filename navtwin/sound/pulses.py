"""The samples of an alarm: pulses, and the bursts that they make. Pure functions, the same to the last bit each time.

Modelled on IEC 60601-1-8:2006+A1, clause 6.3.3 (pulse duration, rise and fall, order of loudness); when pulses begin is in
`navtwin.bus.signals`. A model of it, no claim to meet it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Priority
from navtwin.sound.voices import Voice

Samples = NDArray[np.float32]

RATE_HZ: Final = 48_000
#: Harmonics above this are left out.
HIGHEST_HZ: Final = 4000.0


@dataclass(frozen=True)
class Shape:
    """The pulse of one priority.

    Attributes
    ----------
    width_ms : between the points of half amplitude
    edge_ms : the whole of the rise, and of the fall: half a cosine each. From 10 % to 90 % of the amplitude takes 0.59 of it
    rms : loudness of its steady part, full scale 1: with equal rms no voice is louder than another of its priority
    """

    width_ms: float
    edge_ms: float
    rms: float


#: The duration lies within the standard's range by any of its measures: from first to last sample, between half or between 90 % of the amplitude.
SHAPES: Final[dict[Priority, Shape]] = {"high": Shape(150.0, 40.0, 0.25), "medium": Shape(200.0, 45.0, 0.17), "low": Shape(200.0, 45.0, 0.12)}


@lru_cache(maxsize=256)
def pulse(priority: Priority, note_hz: float, levels_db: tuple[tuple[int, float], ...]) -> Samples:
    """One pulse, full scale 1, (n,) float32 at 48 kHz; it begins and ends at zero.

    Parameters
    ----------
    note_hz : fundamental
    levels_db : level of each harmonic by its number
    """
    shape = SHAPES[priority]
    count = _samples(shape.width_ms + shape.edge_ms)
    t_s = np.arange(count) / RATE_HZ
    harmonics = [(number, 10.0 ** (level_db / 20.0)) for number, level_db in levels_db if number * note_hz <= HIGHEST_HZ]
    wave = np.zeros(count)
    for n, (number, amplitude) in enumerate(harmonics):
        # Schroeder's phases (IEEE Trans. Inf. Theory 16, 85, 1970) keep the peaks of a sum of harmonics low.
        wave += amplitude * np.sin(2.0 * np.pi * number * note_hz * t_s - np.pi * n * n / len(harmonics))
    wave *= shape.rms / np.sqrt(sum(amplitude**2 for _, amplitude in harmonics) / 2.0)
    made = (wave * _envelope(count, _samples(shape.edge_ms))).astype(np.float32)
    made.flags.writeable = False
    return made


def _envelope(count: int, edge: int) -> NDArray[np.float64]:
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)
    return np.concatenate((rise, np.ones(count - 2 * edge), rise[::-1]))


@lru_cache(maxsize=64)
def burst(priority: Priority, voice: Voice) -> Samples:
    """One burst from its first pulse to the end of its last, (n,) float32 at 48 kHz; empty where a priority has no sound."""
    onsets = [_samples(ms) for ms in SIGNALS[priority].pulses_ms]
    made = [pulse(priority, note_hz, voice.levels_db) for note_hz in voice.notes_hz(priority)]
    whole = np.zeros(onsets[-1] + made[-1].size if onsets else 0, np.float32)
    for at, one in zip(onsets, made, strict=True):
        whole[at : at + one.size] = one
    whole.flags.writeable = False
    return whole


def period(priority: Priority) -> int:
    """Samples from the begin of one burst to the begin of the next."""
    return _samples(SIGNALS[priority].repeat_ms)


def _samples(ms: float) -> int:
    return round(ms * RATE_HZ / 1000.0)
