"""Cameras of this machine, with a driver made of wood in place of V4L2: settings, stamps, unplugging, pairing, refusals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Rig
from navtwin.rigid import Rigid
from tests.tracking.printed import printed_rig, rig_camera
from tracking.opencv import cv2
from tracking.pictures import camera as camera_room
from tracking.pictures.camera import CameraSource, Timing, capture_time, open_camera
from tracking.pictures.devices import cameras_there, exposure_ns_of, listed, open_capture
from tracking.pictures.images import Image

WIDTH, HEIGHT = 1280, 720


class Wooden:
    """Behaves as `cv2.VideoCapture`. `deaf` settings are not obeyed; `stamped` pictures carry the monotonic clock, in ms."""

    def __init__(self, *, deaf: tuple[int, ...] = (), stamped: bool = True, period_s: float = 0.005, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.settings = {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0, cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_EXPOSURE: 100.0}
        self.deaf, self.stamped, self.period_s, self.size = deaf, stamped, period_s, size
        self.opened, self.plugged, self.released, self.count = True, True, False, 0

    def isOpened(self) -> bool:
        return self.opened

    def set(self, key: int, value: float) -> bool:
        if key not in self.deaf:
            self.settings[key] = value
        return key not in self.deaf

    def get(self, key: int) -> float:
        if key == cv2.CAP_PROP_POS_MSEC:
            return time.monotonic_ns() * 1e-6 - 3.0 if self.stamped else 0.0
        return self.settings.get(key, 0.0)

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(self.period_s)
        if not self.plugged or self.released:
            return False, None
        self.count += 1
        return True, np.full((self.size[1], self.size[0], 3), self.count % 250, np.uint8)

    def release(self) -> None:
        self.released = True


def opened(address: str, rig: Rig, *drivers: Wooden) -> CameraSource:
    by_number = dict(enumerate(drivers))
    return open_camera(address, rig, lambda number: by_number[number])


def read_for(source: CameraSource, seconds: float, enough: Callable[[list[tuple[Image, ...]]], bool]) -> list[tuple[Image, ...]]:
    """Exposures until there are enough, or the time is over (which the assertion behind it then tells)."""
    read, end = list[tuple[Image, ...]](), time.monotonic() + seconds
    while time.monotonic() < end and not enough(read):
        pictures = source.read(0.05)
        if pictures is not None:
            read.append(pictures)
    return read


# Stamps


def test_a_drivers_stamp_is_moved_to_the_middle_of_the_exposure() -> None:
    timing = Timing(latency_ns=None, measured_ns=20_000_000, readout_ns=16_000_000)
    arrival = 1_000_000_000_000
    # First row read out 25 ms ago; the middle row 8 ms later, exposed for 10 ms before that.
    t_ns, stamp = capture_time(arrival, (arrival - 25_000_000) * 1e-6, 10_000_000, 33_000_000, timing)
    assert stamp == "host"
    assert t_ns == pytest.approx(arrival - 25_000_000 + 8_000_000 - 5_000_000, abs=200)


@pytest.mark.parametrize("driver_ms", [0.0, 1_000_010_000.0, 123.0])
def test_without_a_believable_stamp_the_arrival_less_what_is_declared_is_assumed(driver_ms: float) -> None:
    arrival = 1_000_000_000_000_000
    declared = Timing(latency_ns=12_000_000, measured_ns=20_000_000, readout_ns=0)
    assert capture_time(arrival, driver_ms, 10_000_000, 33_000_000, declared) == (arrival - 17_000_000, "assumed")
    assert capture_time(arrival, driver_ms, 10_000_000, 33_000_000, Timing(None, 20_000_000, 0)) == (arrival - 20_000_000, "assumed")


@pytest.mark.parametrize(
    ("value", "v4l2", "expected"),
    [(156.0, True, 15_600_000), (0.0, True, None), (-6.0, True, None), (-6.0, False, 15_625_000), (0.0, False, 1_000_000_000), (np.nan, True, None)],
)
def test_exposure_in_the_drivers_units(value: float, v4l2: bool, expected: int | None) -> None:
    assert exposure_ns_of(value, v4l2=v4l2) == expected


# Settings


def test_settings_are_made_and_those_not_obeyed_are_told() -> None:
    driver = Wooden(deaf=(cv2.CAP_PROP_GAIN, cv2.CAP_PROP_FPS))
    source = opened("0?exposure=156&gain=4&rate=60", printed_rig(), driver)
    source.close()
    assert driver.settings[cv2.CAP_PROP_FRAME_WIDTH] == WIDTH
    assert driver.settings[cv2.CAP_PROP_EXPOSURE] == 156.0
    assert "camera 0: gain 4 was asked for, the driver gives 0" in source.notes
    assert "camera 0: rate 60 was asked for, the driver gives 30" in source.notes
    assert not any("exposure" in note for note in source.notes)
    assert driver.released


def test_an_automatic_exposure_is_told() -> None:
    source = opened("0", printed_rig(), Wooden())
    source.close()
    assert any("exposure is automatic" in note for note in source.notes)


def test_another_rate_than_the_rigs_is_told() -> None:
    slow = Wooden()
    slow.settings[cv2.CAP_PROP_FPS] = 15.0
    source = opened("0", printed_rig(), slow)
    source.close()
    assert "camera 0 runs at 15 pictures a second, the rig states 30" in source.notes


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("0?expsure=3", "Did you mean 'exposure'"),
        ("0?width=640&height=480", r"640 x 480 px is asked for, and 'webcam' is calibrated for 1280 x 720"),
        ("0?rate=fast", "not a number"),
        ("0?gap=-1", "not above 0"),
        ("0,1", "2 cameras are asked for, and the rig has 1"),
        ("0x", "not a camera's number"),
    ],
)
def test_addresses_that_cannot_be_meant_are_refused_and_no_camera_is_kept(address: str, message: str) -> None:
    driver = Wooden()
    with pytest.raises(InputRefused, match=message):
        opened(address, printed_rig(), driver).close()
    assert driver.released or driver.count == 0


def test_a_busy_camera_is_refused_naming_what_is_there() -> None:
    busy, silent = Wooden(), Wooden()
    busy.opened, silent.plugged = False, False
    for driver in (busy, silent):
        with pytest.raises(InputRefused, match=r"another program may have it.*(there is camera:|this machine has no camera)"):
            opened("0", printed_rig(), driver)
        assert driver.released


def test_a_driver_that_gives_another_size_is_refused_at_the_first_picture() -> None:
    source = opened("0", printed_rig(), Wooden(size=(640, 480)))
    with pytest.raises(InputRefused, match=r"640 x 480 px, and camera 'webcam' is calibrated for 1280 x 720"):
        read_for(source, 2.0, bool)
    source.close()


def test_cameras_are_listed_as_the_kernel_names_them(tmp_path: Path) -> None:
    for number, name in ((2, "Integrated Camera"), (10, "Microscope")):
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "name").write_text(name + "\n")
    there = cameras_there(tmp_path)
    assert listed(there) == "there is camera:2 (Integrated Camera), camera:10 (Microscope)"
    assert listed(cameras_there(tmp_path / "absent")) == "this machine has no camera"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux has device files")
def test_an_absent_camera_is_refused() -> None:
    with pytest.raises(InputRefused, match="there is no camera 97"):
        open_capture(97)


# Pictures


def test_the_newest_picture_comes_and_gaps_count_what_was_dropped() -> None:
    source = opened("0?exposure=100", printed_rig(), driver := Wooden())
    first = read_for(source, 2.0, bool)[0]
    seen = driver.count
    while driver.count < seen + 6:
        time.sleep(0.005)
    second = read_for(source, 2.0, bool)[0]
    source.close()
    assert second[0].number - first[0].number >= 5
    assert (first[0].stamp, first[0].grey.shape) == ("host", (HEIGHT, WIDTH))
    assert second[0].t_capture_ns > first[0].t_capture_ns
    assert 0 <= second[0].t_arrival_ns - second[0].t_capture_ns < 1_000_000_000


def test_an_unplugged_camera_is_told_tried_again_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_room, "RETRY_S", 0.02)
    drivers = [Wooden(), Wooden(), Wooden()]
    drivers[1].opened = False
    queue = list(drivers)
    source = open_camera("0", printed_rig(), lambda _: queue.pop(0) if len(queue) > 1 else queue[0])
    assert read_for(source, 2.0, bool)
    assert source.trouble == ""
    drivers[0].plugged = False
    end = time.monotonic() + 2.0
    while not source.trouble and time.monotonic() < end:
        source.read(0.01)
    assert "camera 0" in source.trouble
    assert drivers[0].released
    read_for(source, 2.0, lambda read: drivers[2].count > 3 and len(read) > 3)
    assert drivers[2].count > 3
    assert source.trouble == ""
    source.close()


def _pair_rig() -> Rig:
    return printed_rig((rig_camera("left"), rig_camera("right", Rigid.identity("tracker", "camera/right"))))


def test_two_cameras_give_joint_exposures_that_are_never_further_apart_than_the_gap() -> None:
    source = opened("0,1?gap=3&exposure=100", _pair_rig(), Wooden(period_s=0.004), Wooden(period_s=0.004))
    read = read_for(source, 2.0, lambda read: sum(len(group) == 2 for group in read) >= 5)
    source.close()
    assert sum(len(group) == 2 for group in read) >= 5
    for group in read:
        times = [p.t_capture_ns for p in group]
        assert max(times) - min(times) <= 3_000_000
        assert [p.camera for p in group] == sorted({p.camera for p in group})
        assert len({p.number for p in group}) == 1
    newest = [max(p.t_capture_ns for p in group) for group in read]
    assert newest == sorted(newest)
    numbers = [group[0].number for group in read]
    assert all(a < b for a, b in pairwise(numbers))
    assert any("up to 3.0 ms apart" in note for note in source.notes)


def test_the_other_camera_goes_on_alone() -> None:
    left, right = Wooden(), Wooden()
    source = opened("0,1", _pair_rig(), left, right)
    assert read_for(source, 2.0, bool)
    left.plugged = False
    alone = read_for(source, 2.0, lambda read: sum([p.camera for p in g] == [1] for g in read) >= 3)
    assert sum([p.camera for p in g] == [1] for g in alone) >= 3
    assert any("camera 0 gives no picture" in note for note in source.notes)
    threads = [t for t in threading.enumerate() if t.name.startswith("camera:")]
    source.close()
    assert not any(t.is_alive() for t in threads)
