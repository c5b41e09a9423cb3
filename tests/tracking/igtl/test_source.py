"""The source against a sender over a real socket: live, dropped, hostile, absent."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from navtwin.errors import InputRefused
from navtwin.igtl.poses import read_start_tdata
from navtwin.igtl.reader import Reader
from navtwin.nouns import TrackerFrame
from tests.tracking.igtl.sender import Sender, frames_until, message, rig, tdata, transform
from tracking.igtl.address import parse
from tracking.igtl.source import IgtlSource, open_source

T0 = 1_700_000_000_000_000_000
MS = 1_000_000


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.igtl.link.RETRY_NS", 100 * MS)


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    yield made
    made.close()


def connected(sender: Sender, options: str = "", *bodies: str) -> IgtlSource:
    source = open_source(f"127.0.0.1:{sender.port}{options}", None, rig(*bodies))
    frames_until(source, lambda _: bool(source.notes))
    return source


def statuses(frame: TrackerFrame) -> dict[str, str]:
    return {s.body: s.status for s in frame.sightings}


def test_poses_come_as_frames_of_every_body(sender: Sender) -> None:
    source = connected(sender)
    before = time.monotonic_ns()
    for n in range(3):
        stamp = T0 + n * 17 * MS
        sender.peer().sendall(
            transform("Reference", 1.0 * n, stamp, {"TransformValid": "1"}) + transform("Stylus", 2.0 * n, stamp, {"TransformValid": "0"})
        )
        (frame,) = frames_until(source, lambda frames: len(frames) == 1)
        assert statuses(frame) == {"Reference": "OK", "Stylus": "INVALID"}
        assert frame.sightings[0].pose is not None
        assert frame.sightings[0].pose.t_mm == (1.0 * n, 0.0, 0.0)
        assert (frame.number, frame.stamp, frame.t_device_ns) == (n + 1, "assumed", stamp)
        assert before <= frame.t_arrival_ns <= time.monotonic_ns()
        assert frame.t_arrival_ns - frame.t_capture_ns >= 20 * MS
    source.close()
    assert source.notes == (f"connected (127.0.0.1:{sender.port})",)


def test_a_missing_body_is_waited_for_only_so_long(sender: Sender) -> None:
    source = connected(sender)
    sender.peer().sendall(transform("Reference", 1.0, T0))
    (frame,) = frames_until(source, lambda frames: len(frames) == 1)
    assert statuses(frame) == {"Reference": "OK", "Stylus": "MISSING"}
    source.close()


def test_a_pose_that_waits_in_the_socket_was_not_late_only_we_were(sender: Sender) -> None:
    source = connected(sender)
    sender.peer().sendall(transform("Reference", 1.0, T0))
    assert source.read(0.001) is None
    sender.peer().sendall(transform("Stylus", 2.0, T0))
    time.sleep(0.03)
    (frame,) = frames_until(source, lambda frames: len(frames) == 1)
    assert statuses(frame) == {"Reference": "OK", "Stylus": "OK"}
    source.close()


def test_unknown_messages_and_damaged_ones_do_not_disturb(sender: Sender) -> None:
    source = connected(sender, "", "Stylus")
    damaged = bytearray(transform("Stylus", 9.0, T0))
    damaged[-1] ^= 1
    sender.peer().sendall(message("POLYDATA", "mesh", b"x" * 100_000) + bytes(damaged) + message("TRANSFORM", "StylusToTracker", b"short"))
    sender.peer().sendall(message("STATUS", "PLUS", struct.pack(">Hq20s", 13, 0, b"NotReady") + b"warming up\0"))
    sender.peer().sendall(transform("Stylus", 5.0, T0))
    (frame,) = frames_until(source, lambda frames: len(frames) == 1)
    assert frame.sightings[0].pose is not None
    assert frame.sightings[0].pose.t_mm[0] == 5.0
    notes = "\n".join(source.notes)
    for said in ("wrong checksum", "a TRANSFORM of 5 bytes", "NotReady warming up (status 13: not ready)"):
        assert said in notes
    source.close()


def test_checksums_can_be_left_alone(sender: Sender) -> None:
    source = connected(sender, "?crc=0", "Stylus")
    unsummed = bytearray(transform("Stylus", 5.0, T0))
    unsummed[50:58] = bytes(8)
    sender.peer().sendall(bytes(unsummed))
    assert len(frames_until(source, lambda frames: len(frames) == 1)) == 1
    source.close()


@pytest.mark.parametrize(
    "data", [message("IMAGE", "us", b"")[:42] + struct.pack(">QQ", 1 << 40, 0), b"HTTP/1.1 400 Bad Request\r\n" * 4], ids=["2^40 bytes", "HTTP"]
)
def test_a_stream_that_cannot_be_followed_is_dropped_with_its_reason_and_tried_again(sender: Sender, data: bytes) -> None:
    source = connected(sender, "", "Stylus")
    sender.peer().sendall(data)
    (told,) = frames_until(source, lambda frames: len(frames) == 1)
    assert told.sightings[0].status == "REQ_TIMEOUT"
    assert "1099511627776 bytes" in told.sightings[0].reason or "no OpenIGTLink" in told.sightings[0].reason
    frames_until(source, lambda _: len(sender.peers) > 1)
    sender.peer(1).sendall(transform("Stylus", 5.0, T0))
    assert statuses(frames_until(source, lambda frames: len(frames) == 1)[0]) == {"Stylus": "OK"}
    source.close()


def test_a_server_that_goes_is_told_once_and_found_again() -> None:
    first = Sender()
    source = connected(first, "", "Stylus")
    first.peer().sendall(transform("Stylus", 1.0, T0))
    frames_until(source, lambda frames: len(frames) == 1)
    first.close()
    told = frames_until(source, lambda frames: bool(frames) and "nothing answers" in frames[-1].sightings[0].reason)
    assert {s.status for frame in told for s in frame.sightings} == {"REQ_TIMEOUT"}
    assert [source.read(0.02) for _ in range(3)] == [None] * 3, "then silence, which the twin alarms"
    second = Sender(first.port)
    frames_until(source, lambda _: bool(second.peers))
    second.peer().sendall(transform("Stylus", 2.0, T0))
    (frame,) = frames_until(source, lambda frames: len(frames) == 1)
    assert (statuses(frame), frame.number) == ({"Stylus": "OK"}, 2)
    assert any("connected again" in note for note in source.notes)
    source.close()
    second.close()


def test_a_server_that_is_not_there_yet_is_told_and_closing_does_not_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    source = open_source(f"127.0.0.1:{port}", None, rig())
    (told,) = frames_until(source, lambda frames: len(frames) == 1)
    assert "nothing answers" in told.sightings[0].reason
    assert "tried again every second" in told.sightings[0].reason
    closing = threading.Thread(target=source.close)
    closing.start()
    closing.join(2.0)
    assert not closing.is_alive()


def test_a_sender_that_stands_still_is_told(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.igtl.source.SILENT_NS", 100 * MS)
    source = connected(sender, "", "Stylus")
    for _ in range(4):
        sender.peer().sendall(transform("Stylus", 1.0, T0))
    frames = frames_until(source, lambda frames: len(frames) == 2)
    assert [statuses(f)["Stylus"] for f in frames] == ["OK", "REQ_TIMEOUT"]
    assert "repeats the same poses" in frames[1].sightings[0].reason
    source.close()


def test_a_sender_without_a_body_of_the_rig_is_told(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.igtl.source.SILENT_NS", 100 * MS)
    source = connected(sender, "", "Stylus")
    sender.peer().sendall(transform("Probe", 1.0, T0))
    (told,) = frames_until(source, lambda frames: len(frames) == 1)
    assert "no pose of a body of the rig" in told.sightings[0].reason
    assert any("no body 'Probe'" in note for note in source.notes)
    source.close()


def test_tracking_data_are_asked_for_and_stopped(sender: Sender) -> None:
    source = connected(sender, "?start=20", "Stylus", "Probe")
    reader = Reader()
    (asked,) = reader.feed(sender.peer().recv(1000))
    assert (asked.header.kind, read_start_tdata(asked.content)) == ("STT_TDATA", (20, ""))  # type: ignore[union-attr]
    sender.peer().sendall(tdata({"Stylus": 1.0}, T0))
    (frame,) = frames_until(source, lambda frames: len(frames) == 1)
    assert statuses(frame) == {"Stylus": "OK", "Probe": "OUT_OF_VIEW"}
    source.close()
    (stopped,) = reader.feed(sender.peer().recv(1000))
    assert stopped.header.kind == "STP_TDATA"


# Others connect to us


def test_a_sender_may_connect_to_us() -> None:
    source = open_source("listen:0", None, rig("Stylus"))
    (told,) = frames_until(source, lambda frames: len(frames) == 1)
    assert "nobody has connected" in told.sightings[0].reason
    for n in range(2):
        with socket.create_connection(("127.0.0.1", source.port)) as pushing:
            pushing.sendall(transform("Stylus", 1.0, T0 + n * 20 * MS))
            frames = frames_until(source, lambda frames: any(f.sightings[0].status == "OK" for f in frames))
        assert frames[-1].number == n + 1
        frames_until(source, lambda frames: bool(frames) and "closed the connection" in frames[-1].sightings[0].reason)
    source.close()


def test_a_second_sender_is_turned_away_while_the_first_one_sends() -> None:
    source = open_source("listen:0", None, rig("Stylus"))
    with socket.create_connection(("127.0.0.1", source.port)) as first, socket.create_connection(("127.0.0.1", source.port)) as second:
        first.sendall(transform("Stylus", 1.0, T0))
        frames_until(source, lambda frames: any(f.sightings[0].status == "OK" for f in frames))
        source.read(0.05)
        second.settimeout(2.0)
        assert second.recv(10) == b""
    source.close()


def test_a_port_that_is_taken_is_refused(sender: Sender) -> None:
    with pytest.raises(InputRefused, match="cannot listen"):
        open_source(f"listen:{sender.port}", None, rig())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "names nothing"),
        ("localhost:0", "no port"),
        ("localhost:99999", "no port"),
        ("localhost:x", "no port"),
        (":1", "no HOST:PORT"),
        ("a,b", "more than one sender"),
        ("no such host:1", "has no address"),
        ("localhost:1?wat=1", "Did you mean 'wait'|no option"),
        ("localhost:1?wait=-1", "from 0 to 10000"),
        ("localhost:1?tracker=a b", "no name of a frame"),
        ("localhost:1?allow=127.0.0.1", "says nothing"),
        ("listen:1?start=5", "says nothing"),
        ("listen:0?bind=0.0.0.0", "no passwords"),
        ("listen:0?bind=0.0.0.0&allow=me", "no IP address"),
        ("listen:x", "no port"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(address: str, said: str) -> None:
    with pytest.raises(InputRefused, match=said):
        parse(address)


def test_addresses() -> None:
    assert parse("127.0.0.1").port == 18944
    assert parse("[::1]:5").where == "::1:5"
    listening = parse("listen:7?bind=0.0.0.0&allow=10.0.0.1,10.0.0.2&tracker=Polaris&plain=1&wait=2.5&crc=0")
    assert (listening.listens, listening.port, listening.allowed) == (True, 7, frozenset(("10.0.0.1", "10.0.0.2")))
    assert (listening.tracker, listening.plain, listening.wait_ns, listening.check_crc) == ("Polaris", True, 2_500_000, False)


def test_no_rig_is_refused() -> None:
    with pytest.raises(InputRefused, match="without a rig"):
        open_source("localhost:1")
