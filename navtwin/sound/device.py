"""The loudspeaker: the system's default output through miniaudio, or in words why there is none."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import sys
from collections.abc import Callable, Generator
from functools import cache
from typing import Any, Final, Protocol

from navtwin.errors import NavtwinError
from navtwin.sound.pulses import RATE_HZ, Samples

#: Three blocks of 10 ms: what is heard is at most 30 ms (and the loudspeaker's own delay) behind what was asked for.
BLOCK_MS: Final = 10
BLOCKS: Final = 3
#: Outputs that swallow all sound: ALSA's `null`, PulseAudio's and PipeWire's stand-in where there is no card.
_SILENT: Final = ("discard all samples", "dummy output", "auto_null", "null output", "null playback")

Fill = Callable[[int], Samples]


class NoAudio(NavtwinError):
    """There is no loudspeaker."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, "plug in a loudspeaker or headphones, or check the system's sound settings")


class Device(Protocol):
    """An open output."""

    name: str

    def close(self) -> None: ...


class Speaker:
    """The default output, from now until closed. Asks `fill` for samples from a thread of its own.

    Parameters
    ----------
    fill : gives the next n samples, (n,) float32 at 48 kHz
    backend : "" for the system's sound; "null" for one that keeps time and is silent, to measure with

    Raises
    ------
    NoAudio : no output, or it cannot be opened
    """

    def __init__(self, fill: Fill, backend: str = "") -> None:
        try:
            miniaudio: Any = importlib.import_module("miniaudio")
        except ImportError as error:
            raise NoAudio(f"the audio library cannot be loaded ({error})") from error
        _hush_alsa()
        kinds = [miniaudio.Backend.NULL] if backend == "null" else _system_backends(miniaudio)
        try:
            self.name = "null" if backend == "null" else _default_output(miniaudio, kinds)
            self._device = miniaudio.PlaybackDevice(
                miniaudio.SampleFormat.FLOAT32, 1, RATE_HZ, BLOCK_MS, callback_periods=BLOCKS, backends=kinds, app_name="navtwin"
            )
        except miniaudio.MiniaudioError as error:
            raise NoAudio(f"the audio device cannot be opened ({_words(error)})") from error
        stream = _stream(fill)
        next(stream)
        try:
            self._device.start(stream)
        except miniaudio.MiniaudioError as error:
            self._device.close()
            raise NoAudio(f"the audio device does not start ({_words(error)})") from error

    def close(self) -> None:
        """Stop and let go of the output."""
        self._device.close()


def _stream(fill: Fill) -> Generator[bytes, int, None]:
    """What miniaudio asks: it sends how many samples it wants."""
    count = yield b""
    while True:
        count = yield fill(count).tobytes()


def _system_backends(miniaudio: Any) -> list[Any]:
    """All but those that play nothing, in miniaudio's own order of preference."""
    silent = (miniaudio.Backend.NULL, miniaudio.Backend.CUSTOM)
    return sorted((kind for kind in miniaudio.get_enabled_backends() if kind not in silent), key=lambda kind: int(kind.value))


def _default_output(miniaudio: Any, kinds: list[Any]) -> str:
    """The name of an output that can be heard."""
    names = [str(output["name"]) for output in miniaudio.Devices(kinds).get_playbacks()]
    audible = [name for name in names if not any(word in name.lower() for word in _SILENT)]
    if not audible:
        raise NoAudio("no audio device")
    return audible[0]


def _words(error: Exception) -> str:
    return " ".join(str(word) for word in error.args)


@cache
def _hush_alsa() -> Any:
    """ALSA writes its own complaints into the terminal, over whatever is drawn there. Returns what must not be freed."""
    name = ctypes.util.find_library("asound") if sys.platform.startswith("linux") else None
    if name is None:
        return None
    handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)(lambda *_: None)
    library = ctypes.CDLL(name)
    library.snd_lib_error_set_handler(handler)
    return handler, library
