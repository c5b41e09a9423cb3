"""Short sounds that tell how a touch goes while eyes are on the patient. They are information, not alarms, and must not be taken for one.

Alarms here are bursts of pulses with at least four harmonics, on a note held for 150 ms or more (modelled on IEC 60601-1-8). A cue is the opposite in
all of that: single pure tones that are struck and die away, quieter than any alarm, and never repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from navtwin.errors import NavtwinError
from navtwin.sound.device import Device, Fill, Speaker
from navtwin.sound.pulses import RATE_HZ, Samples

CueName = Literal["began", "taken", "refused"]
#: (onset s, frequency Hz, time in which it sinks to 1/e s) of each struck tone.
TONES: Final[dict[CueName, tuple[tuple[float, float, float], ...]]] = {
    "began": ((0.0, 1760.0, 0.012),),
    "taken": ((0.0, 1046.5, 0.05), (0.11, 1568.0, 0.07)),
    "refused": ((0.0, 523.3, 0.06), (0.14, 392.0, 0.1)),
}
#: Peak of a cue against full scale; alarms of low priority are louder.
LEVEL: Final = 0.16
#: A struck tone rises over this long, s: no click.
RISE_S: Final = 0.003
#: So many times its 1/e time a tone is heard; the rest is below a thousandth.
HEARD: Final = 7.0


@lru_cache(maxsize=8)
def samples(name: CueName) -> Samples:
    """One cue, (n,) float32 at 48 kHz; it begins and ends at zero."""
    tones = TONES[name]
    length = max(onset + HEARD * sink for onset, _, sink in tones)
    t_s = np.arange(round(length * RATE_HZ)) / RATE_HZ
    wave = np.zeros(t_s.size)
    for onset, hz, sink in tones:
        t = np.maximum(t_s - onset, 0.0)
        envelope = np.minimum(t / RISE_S, 1.0) * np.exp(-t / sink)
        wave += envelope * np.sin(2.0 * np.pi * hz * t)
    wave *= np.minimum((length - t_s) / RISE_S, 1.0)
    made: Samples = (LEVEL * wave / np.abs(wave).max()).astype(np.float32)
    made.flags.writeable = False
    return made


class Cues:
    """Plays cues on an output of its own, from `start` to `stop`; the newest breaks off the one before.

    Parameters
    ----------
    open_device : opens an output (a test may give another)

    Attributes
    ----------
    fault : why nothing can be heard, "" where it can, None while that is not known; set by a thread of this object's
    """

    def __init__(self, open_device: Callable[[Fill], Device] = Speaker) -> None:
        self.fault: str | None = None
        self._open = open_device
        self._device: Device | None = None
        self._lock = threading.Lock()
        self._wanted = False
        self._rest: Samples = np.zeros(0, np.float32)

    def start(self) -> None:
        """Open the output, in a thread: a sound server may take its time."""
        with self._lock:
            if self._wanted:
                return
            self._wanted = True
        threading.Thread(target=self._begin, name="navtwin-cues", daemon=True).start()

    def play(self, name: CueName) -> None:
        """From the next block on; nothing where there is no output."""
        self._rest = samples(name)

    def stop(self) -> None:
        """Fall silent and let go of the output."""
        with self._lock:
            self._wanted = False
            device, self._device = self._device, None
        if device is not None:
            device.close()

    def fill(self, count: int) -> Samples:
        """The next `count` samples, (count,) float32 at 48 kHz: called by the output."""
        rest = self._rest
        block = np.zeros(count, np.float32)
        block[: min(count, rest.size)] = rest[:count]
        if self._rest is rest:
            # Else another cue has come meanwhile, and begins with the next block.
            self._rest = rest[count:]
        return block

    def _begin(self) -> None:
        try:
            device = self._open(self.fill)
        except NavtwinError as error:
            self.fault = str(error)
            with self._lock:
                self._wanted = False
            return
        self.fault = ""
        with self._lock:
            if self._wanted and self._device is None:
                self._device = device
                return
        # Stopped meanwhile, or started twice.
        device.close()
