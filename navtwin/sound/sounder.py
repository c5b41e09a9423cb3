"""The alarm sounds of one client: takes what is to be heard now, and sees from a thread of its own that a loudspeaker plays it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from navtwin.nouns import Priority
from navtwin.sound.choice import LINK_LOST, Choice, Wanted
from navtwin.sound.device import Device, Fill, NoAudio, Speaker
from navtwin.sound.mixer import Mixer
from navtwin.sound.pulses import Samples, burst
from navtwin.sound.voices import VOICES

MS: Final = 1_000_000
TURN_S: Final = 0.1
#: A device that has asked for no samples for so long is gone, whatever it says of itself.
DEAD_NS: Final = 1000 * MS
#: Without a device, look for one this often.
LOOK_NS: Final = 2000 * MS
#: A client that has said nothing for so long hangs: nobody tells us what is to be heard, which sounds like a lost link.
DEAF_NS: Final = 2000 * MS

Open = Callable[[Fill], Device]
PRIORITIES: Final[tuple[Priority, ...]] = ("high", "medium", "low")


class Sounder:
    """Plays the alarm that is to be heard, until closed.

    Parameters
    ----------
    open_device : opens the loudspeaker; raises NoAudio where there is none
    clock : monotonic time, ns

    Attributes
    ----------
    fault : why nothing can be heard, in words; "" while a device plays, None until one was looked for. A device is looked after ten times a second,
        a missing one sought every 2 s
    """

    def __init__(self, open_device: Open = Speaker, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.fault: str | None = None
        self._open, self._clock = open_device, clock
        self._mixer, self._choice = Mixer(), Choice()
        self._lock = threading.Lock()
        self._device: Device | None = None
        self._looked_ns: int | None = None
        self._filled_ns = 0
        self._told_ns: int | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="navtwin-sound", daemon=True)

    def __enter__(self) -> Sounder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hear(self, wanted: tuple[Wanted, ...]) -> None:
        """Everything that is to be heard from now on: empty is silence. To be said again at least every 2 s. Never waits for the device."""
        with self._lock:
            self._told_ns = self._clock()
            self._mixer.play(self._choice.take(wanted))

    def close(self) -> None:
        """Fall silent; returns when the device is closed."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3.0)

    def tend(self) -> None:
        """Look after device and client once."""
        now_ns = self._clock()
        if self._device is not None and now_ns - self._filled_ns > DEAD_NS:
            self._lose("the audio device takes no sound any more")
        elif self._device is None and (self._looked_ns is None or now_ns - self._looked_ns >= LOOK_NS):
            self._look(now_ns)
        with self._lock:
            if self._told_ns is not None and now_ns - self._told_ns > DEAF_NS:
                self._mixer.play(self._choice.take(LINK_LOST))

    def _run(self) -> None:
        # Before the first alarm: making a burst takes milliseconds, which the device's thread does not have.
        for voice in VOICES.values():
            for priority in PRIORITIES:
                burst(priority, voice)
        while not self._over.is_set():
            self.tend()
            self._over.wait(TURN_S)
        if self._device is not None:
            self._device.close()

    def _look(self, now_ns: int) -> None:
        self._looked_ns = now_ns
        # What was played to a device that is gone was not heard.
        self._mixer.begin_again()
        try:
            self._device = self._open(self._fill)
        except NoAudio as missing:
            self.fault = missing.problem
        else:
            # Opening may have taken its time, and a device is not dead before it has begun.
            self._filled_ns = self._clock()
            self.fault = ""

    def _lose(self, why: str) -> None:
        assert self._device is not None
        self.fault, device, self._device = why, self._device, None
        device.close()

    def _fill(self, count: int) -> Samples:
        self._filled_ns = self._clock()
        return self._mixer.fill(count)
