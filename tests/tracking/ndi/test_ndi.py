"""The source `ndi:` against a simulated tracker on a pseudo-terminal, through the real library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import TrackerFrame
from phantoms.rig import demo_rig
from tracking.ndi.address import NdiTool, parse
from tracking.ndi.device import pose_of
from tracking.ndi.source import NdiSource, open_source

from .simulator import DISABLED, MISSING, SimulatedPolaris, SimulatedTool, turned

needs_library = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
RIG = demo_rig()


@pytest.fixture
def rom(tmp_path: Path) -> Path:
    path = tmp_path / "ref.rom"
    path.write_bytes(b"NDI\0" + bytes(range(248)) + bytes(500))
    return path


@pytest.fixture
def polaris() -> Iterator[SimulatedPolaris]:
    pytest.importorskip("ndicapy", reason="the extra `ndi` is not installed")
    simulated = SimulatedPolaris({3: SimulatedTool(numbers=turned(0.5))})
    yield simulated
    simulated.close()


@pytest.fixture
def source(polaris: SimulatedPolaris, rom: Path) -> Iterator[NdiSource]:
    opened = open_source(f"{polaris.path}?ref={rom}&pointer=port:1", None, RIG)
    yield opened
    opened.close()


def frame_where(source: NdiSource, wanted: Callable[[TrackerFrame], bool], within_s: float = 10.0) -> TrackerFrame:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        frame = source.read(0.2)
        if frame is not None and wanted(frame):
            return frame
    raise AssertionError("no such frame came")


@needs_library
def test_poses_arrive_as_the_tracker_has_them(source: NdiSource) -> None:
    frame = frame_where(source, lambda f: True)
    ref, pointer = frame.sightings
    assert (ref.body, ref.status, pointer.body, pointer.status) == ("ref", "OK", "pointer", "OK")
    assert ref.pose is not None and pointer.pose is not None
    assert ref.pose.t_mm == (10.0, 20.0, -1500.0)
    assert ref.rms_mm == pytest.approx(0.12, abs=1e-7)
    assert pointer.pose.q_wxyz == pytest.approx(turned(0.5)[:4], abs=1e-7)
    assert frame.stamp == "assumed"
    assert frame.t_arrival_ns - frame.t_capture_ns == round(RIG.tracker.latency_ms * 1e6)


@needs_library
def test_frames_are_the_tracker_s_and_come_once_each(source: NdiSource, polaris: SimulatedPolaris) -> None:
    numbers = [frame_where(source, lambda f: True).number for _ in range(50)]
    assert numbers == sorted(set(numbers))
    polaris.step = 0
    time.sleep(0.1)
    while source.read(0.05) is not None:
        pass
    assert source.read(0.1) is None, "a frame that repeats is no new frame"


@needs_library
def test_the_tool_definition_reaches_the_tracker_whole(source: NdiSource, polaris: SimulatedPolaris, rom: Path) -> None:
    assert bytes(polaris.tools[0x0A].rom[:752]) == rom.read_bytes()


@needs_library
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"state": MISSING}, "OUT_OF_VIEW"),
        ({"state": DISABLED}, "MISSING"),
        ({"port_status": 0x71}, "OUT_OF_VOLUME"),
        ({"numbers": (0.7, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 0.1)}, "INVALID"),
        ({"numbers": (float("nan"), 0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 0.1)}, "INVALID"),
    ],
)
def test_a_tool_that_is_not_seen_has_no_pose(source: NdiSource, polaris: SimulatedPolaris, change: dict[str, object], status: str) -> None:
    for name, value in change.items():
        setattr(polaris.tools[0x0A], name, value)
    frame = frame_where(source, lambda f: f.sightings[0].status != "OK")
    assert (frame.sightings[0].status, frame.sightings[0].pose) == (status, None)
    assert frame.sightings[1].status == "OK", "one tool never takes another with it"


@needs_library
@pytest.mark.heavy
def test_a_garbled_line_is_told_and_the_tracker_is_sought_again(source: NdiSource, polaris: SimulatedPolaris) -> None:
    polaris.garbled = True
    told = frame_where(source, lambda f: f.sightings[0].status == "REQ_TIMEOUT")
    assert "CRC" in told.sightings[0].reason
    polaris.garbled = False
    frame_where(source, lambda f: f.sightings[0].status == "OK")


@needs_library
@pytest.mark.heavy
def test_a_child_that_dies_is_replaced_once(source: NdiSource, polaris: SimulatedPolaris) -> None:
    os.kill(source._child.pid, signal.SIGKILL)
    lost = frame_where(source, lambda f: f.sightings[0].status == "INVALID")
    assert "started again" in lost.sightings[0].reason
    frame_where(source, lambda f: f.sightings[0].status == "OK")
    os.kill(source._child.pid, signal.SIGKILL)
    with pytest.raises(NavtwinError, match="second time"):
        frame_where(source, lambda f: f.sightings[0].status == "INVALID")


@needs_library
def test_it_stops_tracking_when_it_is_closed(polaris: SimulatedPolaris, rom: Path) -> None:
    open_source(f"{polaris.path}?ref={rom}", None, RIG).close()
    assert polaris.heard[-1] == "TSTOP"


@needs_library
def test_a_refused_tool_and_an_empty_port_are_named(polaris: SimulatedPolaris, rom: Path) -> None:
    with pytest.raises(InputRefused, match=r"nothing is plugged into port 02 .* 'pointer' should be.*Occupied: 01"):
        open_source(f"{polaris.path}?pointer=port:2", None, RIG)
    polaris.refuses["PVWR"] = "ERROR0B"
    with pytest.raises(InputRefused, match=r"does not take ref\.rom for 'ref'"):
        open_source(f"{polaris.path}?ref={rom}", None, RIG)


def test_absent_hardware_is_a_clear_message(rom: Path, tmp_path: Path) -> None:
    pytest.importorskip("ndicapy", reason="the extra `ndi` is not installed")
    with pytest.raises(InputRefused, match=r"no NDI tracker at .*nothing.*Serial ports here"):
        open_source(f"{tmp_path / 'nothing'}?ref={rom}", None, RIG)


def test_without_the_library_the_extra_is_named(rom: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['ndicapy'] = None\n"
        "from tracking.ndi.device import library\n"
        "from navtwin.errors import InputRefused\n"
        "try: library()\nexcept InputRefused as refused: print(refused)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "navtwin[ndi]" in said.stdout


def test_addresses(rom: Path) -> None:
    assert parse(f"/dev/ttyUSB0?ref={rom}&pointer=port:2", RIG).tools == (NdiTool("ref", rom=str(rom)), NdiTool("pointer", port="02"))
    networked = parse(f"192.168.2.17:8765?ref={rom}", RIG)
    assert (networked.device, networked.tcp_port) == ("192.168.2.17", 8765)
    assert parse("COM3?ref=port:1", RIG).tcp_port is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "names no device"),
        ("/dev/ttyUSB0", "names no tool"),
        ("/dev/ttyUSB0?refs=port:1", "no body 'refs'.*'ref'"),
        ("/dev/ttyUSB0?ref=port:123", "no port"),
        ("/dev/ttyUSB0?ref=nowhere.rom", "no file nowhere.rom"),
    ],
)
def test_bad_addresses(address: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        parse(address, RIG)


def test_a_file_that_is_no_tool_definition(tmp_path: Path) -> None:
    (tmp_path / "a.rom").write_bytes(b"PNG" * 100)
    with pytest.raises(InputRefused, match="no NDI tool definition"):
        parse(f"/dev/ttyUSB0?ref={tmp_path / 'a.rom'}", RIG)
    with pytest.raises(InputRefused, match="needs a rig"):
        parse("/dev/ttyUSB0?ref=port:1", None)


def test_numbers_that_are_nearly_a_pose_are_one() -> None:
    sighting = pose_of("ref", (1.0004, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 0.1), partly_out=True)
    assert sighting.pose is not None and sighting.pose.q_wxyz == (1.0, 0.0, 0.0, 0.0)
    assert "partly outside" in sighting.reason
