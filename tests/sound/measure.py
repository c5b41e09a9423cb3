"""What an ear, or a meter, finds in samples: envelope, pulses, fundamental, harmonics. Knows nothing of how they were made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000


def envelope(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Amplitude over time: the analytic signal's, its harmonics' beats smoothed over 6 ms."""
    count = samples.size
    spectrum = np.fft.fft(samples.astype(float))
    spectrum[1 : (count + 1) // 2] *= 2.0
    spectrum[count // 2 + 1 :] = 0.0
    power = np.abs(np.fft.ifft(spectrum)) ** 2
    width = round(0.006 * RATE_HZ)
    return np.sqrt(np.convolve(power, np.hanning(width) / np.hanning(width).sum(), mode="same"))


def pulses(samples: NDArray[np.float32]) -> list[tuple[int, int]]:
    """(first, last + 1) of each stretch that is not silent; a crossing of zero within a pulse is no end of it."""
    sounding = np.convolve((samples != 0.0).astype(float), np.ones(96), mode="same") > 0.0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], sounding.astype(int), [0]))))
    found = []
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        inside = np.flatnonzero(samples[begin:end]) + begin
        found.append((int(inside[0]), int(inside[-1]) + 1))
    return found


def lines(samples: NDArray[np.float32], floor_db: float = -25.0) -> list[tuple[float, float]]:
    """(frequency Hz, level dB against the strongest) of the spectral lines of a steady tone above `floor_db`, by frequency."""
    size = 1 << 17
    spectrum = np.abs(np.fft.rfft(samples * np.blackman(samples.size), size))
    level_db = 20.0 * np.log10(np.maximum(spectrum / spectrum.max(), 1e-12))
    top = np.flatnonzero((level_db[1:-1] > level_db[:-2]) & (level_db[1:-1] >= level_db[2:]) & (level_db[1:-1] > floor_db)) + 1
    return [(float(n * RATE_HZ / size), float(level_db[n])) for n in top]


def rms(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))
