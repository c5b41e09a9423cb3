"""Cameras of this machine: which there are, opening one, and asking it for a setting and being told what it made of it."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navtwin.errors import InputRefused
from navtwin.nouns import RigCamera
from tracking.opencv import cv2
from tracking.pictures.address import Address

#: Settings that an address may ask for, and OpenCV's names for them. `focus` turns the autofocus off: it would change the calibration.
SETTINGS = {
    "width": cv2.CAP_PROP_FRAME_WIDTH,
    "height": cv2.CAP_PROP_FRAME_HEIGHT,
    "rate": cv2.CAP_PROP_FPS,
    "exposure": cv2.CAP_PROP_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
    "focus": cv2.CAP_PROP_FOCUS,
}
#: A driver whose answer is within this share of what was asked has obeyed.
OBEYED = 0.02
#: Manual exposure in the words of V4L2 and of the other backends.
LINUX = sys.platform.startswith("linux")
MANUAL_EXPOSURE = 1.0 if LINUX else 0.25
#: Pictures above this size need compression to come at full rate over USB 2.
COMPRESSED_ABOVE_PX = 640 * 480
VIDEO_CLASS = Path("/sys/class/video4linux")

#: Something that behaves as `cv2.VideoCapture` does: `read`, `get`, `set`, `isOpened`, `release`.
Capture = Any
OpenCapture = Callable[[int], Capture]


@dataclass(frozen=True, slots=True)
class Opened:
    """A camera that delivers.

    Attributes
    ----------
    exposure_ns : how long each picture is exposed; None where the driver does not say
    rate_hz : as the driver states it; None where it does not
    notes : what it did not obey, in sentences
    """

    capture: Capture
    exposure_ns: int | None
    rate_hz: float | None
    notes: tuple[str, ...]


def cameras_there(folder: Path = VIDEO_CLASS) -> dict[int, str]:
    """Names of the video devices that the kernel lists, by number. (A camera may have a second one, which gives no pictures.)"""
    found = dict[int, str]()
    for entry in sorted(folder.glob("video*")) if folder.is_dir() else []:
        number = entry.name.removeprefix("video")
        if number.isdigit():
            name = entry / "name"
            found[int(number)] = name.read_text(encoding="utf-8", errors="replace").strip() if name.is_file() else "unnamed"
    return dict(sorted(found.items()))


def listed(there: dict[int, str]) -> str:
    """What there is, in words."""
    return "there is " + ", ".join(f"camera:{n} ({name})" for n, name in there.items()) if there else "this machine has no camera"


def open_capture(number: int) -> Capture:
    """OpenCV's capture of a device. On Linux it must be there: OpenCV would try every backend and tell none of it."""
    if not LINUX:
        return cv2.VideoCapture(number)
    node = Path(f"/dev/video{number}")
    if not node.exists():
        raise InputRefused(f"there is no camera {number}: {listed(cameras_there())}", "plug it in, or name one that is there")
    if not os.access(node, os.R_OK | os.W_OK):
        raise InputRefused(f"camera {number} ({node}) may not be opened by this user", "join the group that owns it (often `video`) and log in again")
    return cv2.VideoCapture(number, cv2.CAP_V4L2)


def open_device(number: int, asked: Address, calibrated: RigCamera, opener: OpenCapture = open_capture) -> Opened:
    """Open a camera at the size of its calibration, with the settings that the address asks for, and take one picture.

    Raises
    ------
    InputRefused : absent or busy (naming what is there), or asked for another size than the calibration's
    """
    width, height = asked.positive("width") or calibrated.width_px, asked.positive("height") or calibrated.height_px
    if (width, height) != (calibrated.width_px, calibrated.height_px):
        raise InputRefused(
            f"{width:g} x {height:g} px is asked for, and '{calibrated.name}' is calibrated for {calibrated.width_px} x {calibrated.height_px} px",
            "leave width and height out, or calibrate at that size",
        )
    exposure = asked.number("exposure")
    if LINUX and exposure is not None and exposure <= 0.0:
        raise InputRefused(f"option exposure={exposure:g} is no exposure", "state it in the driver's units, of 0.1 ms, or leave it out")
    capture = opener(number)
    try:
        if not capture.isOpened():
            raise InputRefused(
                f"camera {number} does not open: another program may have it; {listed(cameras_there())}", "close the other program, or name another"
            )
        notes = _configure(capture, number, asked, width, height)
        if not capture.read()[0]:
            raise InputRefused(
                f"camera {number} opens but gives no picture: another program may have it, or it is no camera; {listed(cameras_there())}",
                "close the other program, plug it in again, or name another",
            )
    except BaseException:
        capture.release()
        raise
    rate_hz = float(capture.get(cv2.CAP_PROP_FPS))
    exposure_ns = exposure_ns_of(float(capture.get(cv2.CAP_PROP_EXPOSURE)), v4l2=LINUX) if "exposure" in asked.options else None
    return Opened(capture, exposure_ns, rate_hz if 0.0 < rate_hz < 1e4 else None, notes)


def _configure(capture: Capture, number: int, asked: Address, width: float, height: float) -> tuple[str, ...]:
    """Set everything, then read back: one setting may change another."""
    if width * height > COMPRESSED_ABOVE_PX:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    # Old pictures in the driver's queue would be late ones.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    wanted = {"width": width, "height": height}
    wanted |= {key: value for key in SETTINGS.keys() - wanted.keys() if (value := asked.number(key)) is not None}
    if "exposure" in wanted:
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL_EXPOSURE)
    if "focus" in wanted:
        capture.set(cv2.CAP_PROP_AUTOFOCUS, 0)
    for key, value in wanted.items():
        capture.set(SETTINGS[key], value)
    notes = []
    for key, value in wanted.items():
        got = float(capture.get(SETTINGS[key]))
        if not math.isclose(got, value, rel_tol=OBEYED, abs_tol=1e-9):
            notes.append(f"camera {number}: {key} {value:g} was asked for, the driver gives {got:g}")
    if "exposure" not in wanted:
        notes.append(f"camera {number}: its exposure is automatic and of unknown length; pass exposure=VALUE for sharp pictures and true stamps")
    return tuple(notes)


def exposure_ns_of(value: float, *, v4l2: bool) -> int | None:
    """A driver's exposure as a time: V4L2 counts 100 us, DirectShow and Media Foundation give a power of two of a second. None if it is neither."""
    if not math.isfinite(value) or (value <= 0.0 if v4l2 else not -30.0 < value <= 2.0):
        return None
    return round((value * 1e-4 if v4l2 else 2.0**value) * 1e9)
