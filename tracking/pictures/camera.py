"""`camera:N` and `camera:N,M`: cameras of this machine, each read by a thread of its own, the newest exposure first.

A camera that stops is closed and tried again every second; meanwhile its pictures stop, which the twin alarms.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, RigCamera
from tracking.opencv import cv2
from tracking.pictures.address import Address, parse_address
from tracking.pictures.checks import check_cameras, check_size
from tracking.pictures.devices import SETTINGS, OpenCapture, Opened, cameras_there, listed, open_capture, open_device
from tracking.pictures.images import Image, Stamp
from tracking.pictures.pairing import half_period_ns
from tracking.pictures.video import RATE_TOLERANCE, grey_of

RETRY_S = 1.0
#: A camera that has given nothing for this long is said to have stopped.
SILENT_NS = 1_000_000_000
#: A driver's time stamp is believed if it lies this close before the arrival.
DRIVER_STAMP_NS = 1_000_000_000
OPTIONS = {*SETTINGS, "latency", "gap"}


@dataclass(frozen=True, slots=True)
class Timing:
    """What a picture's stamp is reckoned with.

    Attributes
    ----------
    latency_ns : from the end of the exposure to the arrival, as the address declares it; None where it does not
    measured_ns : from the middle of the exposure to the arrival, as the rig has it
    """

    latency_ns: int | None
    measured_ns: int
    readout_ns: int


def capture_time(arrival_ns: int, driver_ms: float, exposure_ns: int | None, period_ns: int, timing: Timing) -> tuple[int, Stamp]:
    """The middle of an exposure, and how it is known.

    A driver stamps when the first row comes, on the monotonic clock: the middle row was exposed half a readout later, and its exposure's middle lies
    half an exposure before that. Without such a stamp: the arrival less what is declared. An exposure of unknown length is taken as half a period.
    """
    half_ns = (period_ns // 2 if exposure_ns is None else exposure_ns) // 2
    driver_ns = round(driver_ms * 1e6)
    if 0 <= arrival_ns - driver_ns < DRIVER_STAMP_NS:
        return min(driver_ns + timing.readout_ns // 2 - half_ns, arrival_ns), "host"
    return arrival_ns - (timing.measured_ns if timing.latency_ns is None else timing.latency_ns + half_ns), "assumed"


class Device:
    """One camera and the thread that reads it. `trouble` says what is wrong with it now, "" if nothing is."""

    def __init__(self, number: int, asked: Address, calibrated: RigCamera, timing: Timing, rate_hz: float, opener: OpenCapture) -> None:
        self.number, self.trouble = number, ""
        self.opened = open_device(number, asked, calibrated, opener)
        self._reopen: Callable[[], Opened] = lambda: open_device(number, asked, calibrated, opener)
        self._timing, self._period_ns = timing, round(1e9 / (self.opened.rate_hz or rate_hz))
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, camera: int, sink: Callable[[Image], None]) -> None:
        self._thread = threading.Thread(target=self._run, args=(camera, sink), name=f"camera:{self.number}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)
        else:
            self.opened.capture.release()

    def _run(self, camera: int, sink: Callable[[Image], None]) -> None:
        number = 0
        while not self._stop.is_set():
            capture = self.opened.capture
            more, pixels = capture.read()
            arrival_ns = time.monotonic_ns()
            if not more:
                self._wait_for_it()
                continue
            self.trouble = ""
            t_ns, stamp = capture_time(arrival_ns, float(capture.get(cv2.CAP_PROP_POS_MSEC)), self.opened.exposure_ns, self._period_ns, self._timing)
            sink(Image(camera, number, t_ns, arrival_ns, stamp, grey_of(pixels)))
            number += 1
        self.opened.capture.release()

    def _wait_for_it(self) -> None:
        """Unplugged, or taken away: let go of it and try again until it is back."""
        self.opened.capture.release()
        self.trouble = f"camera {self.number} gives no picture any more: check its plug; it is tried again every second"
        while not self._stop.wait(RETRY_S):
            try:
                self.opened = self._reopen()
            except InputRefused as refused:
                self.trouble = refused.problem
                continue
            return


class CameraSource:
    """The newest exposure of the cameras. Those that were not taken in time are dropped; gaps in the numbers tell how many."""

    live = True
    setup_ns = 0

    def __init__(self, devices: list[Device], rig: Rig, gap_ns: int, name: str) -> None:
        self.name, self.cameras = name, len(devices)
        self._devices, self._rig, self._gap_ns = devices, rig, gap_ns
        self._fresh: dict[int, Image] = {}
        self._news = threading.Condition()
        self._number = self._dropped = self._told_ns = 0
        self._last_ns = time.monotonic_ns()
        for camera, device in enumerate(devices):
            device.start(camera, self._take)

    @property
    def notes(self) -> tuple[str, ...]:
        said = [note for device in self._devices for note in device.opened.notes]
        for device in self._devices:
            stated_hz, rig_hz = device.opened.rate_hz, self._rig.tracker.rate_hz
            if stated_hz is not None and abs(stated_hz / rig_hz - 1.0) > RATE_TOLERANCE:
                said.append(f"camera {device.number} runs at {stated_hz:g} pictures a second, the rig states {rig_hz:g}")
        if len(self._devices) > 1:
            gap_ms = self._gap_ns * 1e-6
            said.append(f"pictures of the cameras up to {gap_ms:.1f} ms apart are solved together ({gap_ms * 0.05:.2f} mm at 50 mm/s); others alone")
        return (*said, *(device.trouble for device in self._devices if device.trouble))

    @property
    def trouble(self) -> str:
        """Why there are no pictures now, "" if there are."""
        said = [device.trouble for device in self._devices if device.trouble]
        silent = time.monotonic_ns() - self._last_ns > SILENT_NS
        return "; ".join(said) if said else f"{self.name} has given no picture for {SILENT_NS * 1e-9:g} s" if silent else ""

    def read(self, timeout_s: float) -> tuple[Image, ...] | None:
        """The newest exposure, once: of all cameras if theirs are simultaneous, else of the one that has waited longest."""
        deadline_ns = time.monotonic_ns() + round(timeout_s * 1e9)
        with self._news:
            while True:
                if not self._news.wait_for(lambda: self._fresh, max(0.0, (deadline_ns - time.monotonic_ns()) * 1e-9)):
                    return None
                chosen = self._choose()
                number, self._number, self._dropped = self._number + self._dropped, self._number + self._dropped + 1, 0
                if chosen[-1].t_capture_ns > self._told_ns:
                    self._told_ns = chosen[-1].t_capture_ns
                    break
                # A camera whose pictures take longer to come: the twin's time does not go back.
        for image in chosen:
            check_size(self._rig, image)
        return tuple(replace(image, number=number) for image in sorted(chosen, key=lambda image: image.camera))

    def _choose(self) -> list[Image]:
        """Take out the pictures to solve together, in order of time."""
        # Exposures of the same instant by the others come at most this much later; a camera that has stopped is not waited for.
        self._news.wait_for(lambda: len(self._fresh) >= sum(not d.trouble for d in self._devices), self._gap_ns * 1e-9)
        waiting = sorted(self._fresh.values(), key=lambda image: image.t_capture_ns)
        together = waiting[-1].t_capture_ns - waiting[0].t_capture_ns <= self._gap_ns
        chosen = waiting if together else waiting[:1]
        for image in chosen:
            del self._fresh[image.camera]
        return chosen

    def close(self) -> None:
        """Let go of the cameras."""
        for device in self._devices:
            device.close()

    def _take(self, image: Image) -> None:
        with self._news:
            # One dropped of several cameras is one exposure less; it is the first camera's that are counted.
            self._dropped += image.camera == 0 and 0 in self._fresh
            self._fresh[image.camera], self._last_ns = image, time.monotonic_ns()
            self._news.notify_all()


def open_camera(address: str, rig: Rig, opener: OpenCapture = open_capture) -> CameraSource:
    """Open `N`, or `N,M` in the order of the rig's cameras.

    Options: `exposure`, `gain`, `focus` in the driver's own units, `rate` in pictures a second, `width` and `height` as calibrated; `latency` in ms
    from the end of the exposure to the arrival, for drivers that do not stamp; `gap`: how far apart, in ms, pictures are still solved together.

    Parameters
    ----------
    opener : what opens device N, in tests

    Raises
    ------
    InputRefused : a camera that is busy or absent (naming what is there), a rig without a camera, another size than calibrated
    """
    asked = parse_address(address, OPTIONS)
    check_cameras(rig)
    if len(asked.names) > len(rig.camera):
        raise InputRefused(f"{len(asked.names)} cameras are asked for, and the rig has {len(rig.camera)}", "calibrate the others too, or open fewer")
    rate_hz = asked.rate_hz() or rig.tracker.rate_hz
    declared_ms, gap_ms = asked.latency_ms(), asked.positive("gap")
    devices = list[Device]()
    try:
        for name, calibrated in zip(asked.names, rig.camera, strict=False):
            if not (name.isascii() and name.isdigit()):
                raise InputRefused(f"'{name}' is not a camera's number: {listed(cameras_there())}", "write camera:NUMBER")
            latency_ns = None if declared_ms is None else round(declared_ms * 1e6)
            timing = Timing(latency_ns, round(rig.tracker.latency_ms * 1e6), round(calibrated.readout_ms * 1e6))
            devices.append(Device(int(name), asked, calibrated, timing, rate_hz, opener))
    except BaseException:
        for device in devices:
            device.close()
        raise
    widest_ns = half_period_ns(rate_hz)
    return CameraSource(devices, rig, min(widest_ns, round(gap_ms * 1e6)) if gap_ms else widest_ns, f"camera:{','.join(asked.names)}")
