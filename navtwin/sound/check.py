"""The signals one after the other, to be listened to: through the loudspeaker, or as a WAV file."""

from __future__ import annotations

import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from navtwin.errors import NavtwinError
from navtwin.files.write import whole_file
from navtwin.nouns import Priority
from navtwin.sound.device import Device, Fill
from navtwin.sound.pulses import RATE_HZ, Samples, burst
from navtwin.sound.sounder import PRIORITIES
from navtwin.sound.voices import STRUCTURE_VOICES, VOICES, Voice

#: Silence between two signals, and at the end, s: the device's blocks are to be played out.
BETWEEN_S: Final = 0.8
#: A device that has not played a signal this long after it should have ended plays nothing.
PATIENCE_S: Final = 3.0


def programme(voice: Voice | None) -> Iterator[tuple[Priority, Voice]]:
    """What is played: the three priorities of `voice`; without one, of the first voice, and then every other voice at high priority."""
    yield from ((priority, voice or STRUCTURE_VOICES[0]) for priority in PRIORITIES)
    if voice is None:
        yield from (("high", other) for other in VOICES.values() if other is not STRUCTURE_VOICES[0])


def with_silence(priority: Priority, voice: Voice) -> Samples:
    """One burst and the silence after it, (n,) float32 at 48 kHz."""
    return np.concatenate((burst(priority, voice), np.zeros(round(BETWEEN_S * RATE_HZ), np.float32)))


def write_wav(path: Path, samples: Samples) -> None:
    """Write `samples`, full scale 1, as 16-bit mono.

    Raises
    ------
    InputRefused : the file cannot be written
    """
    with whole_file(path) as partial, wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes())


class Player:
    """Plays arrays to the end, one at a time, on a device of its own, until closed.

    Raises
    ------
    NoAudio : there is no loudspeaker
    """

    def __init__(self, open_device: Callable[[Fill], Device]) -> None:
        self._rest: Samples = np.zeros(0, np.float32)
        self._done = threading.Event()
        self._device = open_device(self._fill)

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self._device.close()

    def play(self, samples: Samples) -> None:
        """Returns when the device has taken all of it.

        Raises
        ------
        NavtwinError : it does not
        """
        self._done.clear()
        self._rest = samples
        if not self._done.wait(samples.size / RATE_HZ + PATIENCE_S):
            raise NavtwinError("the audio device takes no sound", "check the system's sound settings")

    def _fill(self, count: int) -> Samples:
        block = np.zeros(count, np.float32)
        some, self._rest = self._rest[:count], self._rest[count:]
        block[: some.size] = some
        if not self._rest.size:
            self._done.set()
        return block
