"""A clock that a camera can read: the time on a screen as four square markers, and what filming it says of the camera's latency.

Three markers are digits of the milliseconds, the fourth checks them: a picture of two times at once (the screen changed in the midst of the exposure,
or of its read-out) does not check, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from tracking.detect.markers import Markers
from tracking.detect.patterns import cells

Array = npt.NDArray[np.float64]

DICTIONARY = "5X5_1000"
#: Digits have this base; each of the four places has this many numbers of the dictionary to itself, so that a number tells its place.
BASE, PLACE = 100, 250
#: The clock's dial goes round in this many ms.
DIAL_MS = BASE**3
#: Fewest readings, and how much they may scatter: more, and pictures are queued or dropped on the way.
FEWEST, WIDEST_SD_MS = 60, 25.0
#: No camera that could be navigated by is slower.
LONGEST_MS = 2_000.0


def numbers_at(t_ns: int) -> tuple[int, int, int, int]:
    """The four markers' numbers at a time of the host's monotonic clock."""
    t_ms = t_ns // 1_000_000 % DIAL_MS
    digits = (t_ms // BASE**2, t_ms // BASE % BASE, t_ms % BASE)
    first, second, third, check = (place * PLACE + digit for place, digit in enumerate((*digits, _check(*digits))))
    return first, second, third, check


def _check(first: int, second: int, third: int) -> int:
    """Changes whenever one digit changes."""
    return (7 * first + 3 * second + third) % BASE


def faces_at(t_ns: int) -> list[npt.NDArray[np.bool_]]:
    """The four markers as cells (True black, border included): top left, top right, bottom left, bottom right."""
    return [cells(DICTIONARY, number) for number in numbers_at(t_ns)]


def read_dial_ms(markers: Markers) -> int | None:
    """The time that a picture shows, ms within DIAL_MS; None where it shows none, or two."""
    digits = {number // PLACE: number % PLACE for number in markers.ids.tolist()}
    if len(markers.ids) != 4 or sorted(digits) != [0, 1, 2, 3] or max(digits.values()) >= BASE:
        return None
    first, second, third, check = (digits[place] for place in range(4))
    return (first * BASE + second) * BASE + third if check == _check(first, second, third) else None


@dataclass(frozen=True)
class Latency:
    """What filming the clock says.

    Attributes
    ----------
    latency_ms : from what the screen showed to the picture's arrival, the screen's own delay taken off as far as it was stated
    sd_ms : standard deviation of one picture's
    mean_sd_ms : of the mean: from the scatter, and from camera and screen keeping step, which hides a part of the screen's period
    stamp_error_ms : how much later than the truth the stamps of mid-exposure are (negative: earlier)
    readings_ms : (N,) each picture's
    unread : pictures without a legible time
    """

    latency_ms: float
    sd_ms: float
    mean_sd_ms: float
    stamp_error_ms: float
    readings_ms: Array
    unread: int
    accepted: bool
    reasons: tuple[str, ...]


def judge_latency(
    shown_ms: list[int | None], t_capture_ns: list[int], t_arrival_ns: list[int], *, screen_hz: float = 60.0, display_ms: float = 0.0
) -> Latency:
    """The camera's latency from pictures of the clock.

    A screen shows each time for a whole period, so what a picture shows is on average half a period old: that is taken off, and so is `display_ms`,
    what the screen takes from drawing to light. Where it is not known (0), the latency comes out too long by it: the safe side.

    Parameters
    ----------
    shown_ms : what `read_dial_ms` says of each picture
    screen_hz : how often the screen is drawn anew

    Raises
    ------
    InputRefused : no picture with a legible time, a rate that is not above 0
    """
    if not screen_hz > 0.0:
        raise InputRefused(f"a screen rate of {screen_hz:g} Hz", "state the screen's refresh rate, usually 60")
    kept = [k for k, shown in enumerate(shown_ms) if shown is not None]
    if not kept:
        raise InputRefused("no picture shows the clock", "open it with `navtwin clock`, fill the camera's view with it, and mind glare and focus")
    dial = np.array([shown_ms[k] for k in kept], dtype=np.float64)
    arrival = np.array([t_arrival_ns[k] for k in kept], dtype=np.int64)
    capture = np.array([t_capture_ns[k] for k in kept], dtype=np.int64)
    period = 1e3 / screen_hz
    # The time nearest to the arrival that looks like the dial; reckoned in whole ns, for floats of this size would round.
    dial_ns, half = (dial * 1e6).astype(np.int64), DIAL_MS * 500_000
    age = ((arrival - dial_ns + half) % (2 * half) - half) / 1e6
    # The dial shows whole ms, on average half a one less than it was.
    latency = age - 0.5 - period / 2.0 - display_ms
    # Where camera and screen keep step, every picture shows the same part of the period, and which one is not known.
    in_step = float(np.abs(np.exp(2j * np.pi * age / period).mean()))
    reasons = []
    if len(kept) < FEWEST:
        reasons.append(f"only {len(kept)} pictures show a time: film the clock for some seconds, {FEWEST} are needed")
    if np.median(latency) > LONGEST_MS or np.median(latency) < -period:
        reasons.append("the times shown are not of this machine's clock: show the clock and film it on the same machine")
    if latency.std() > WIDEST_SD_MS:
        reasons.append(f"the latency varies by {latency.std():.0f} ms (sd): pictures are queued; lower the rate or the size, or close other programs")
    return Latency(
        latency_ms=float(latency.mean()),
        sd_ms=float(latency.std()),
        mean_sd_ms=float(np.hypot(latency.std() / np.sqrt(len(kept)), in_step * period / np.sqrt(12.0))),
        stamp_error_ms=float((latency - (arrival - capture) / 1e6).mean()),
        readings_ms=latency,
        unread=len(shown_ms) - len(kept),
        accepted=not reasons,
        reasons=tuple(reasons),
    )
