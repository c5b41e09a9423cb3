"""Pictures over real sockets: newest only, checked, made for nobody but those who look; hostile bytes; stalled subscribers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from navtwin.bus.keys import allow, client_keys, new_keys, server_keys
from navtwin.bus.topics import Malformed
from navtwin.bus.video import HEADER_LIMIT_BYTES, LONGEST_SIDE_PX, PICTURE_LIMIT_BYTES, VideoClient, VideoServer, jpeg_size, unpack_video
from navtwin.errors import BusRefused, InputRefused
from navtwin.nouns import Pose, encode
from navtwin.nouns.video import VideoBody, VideoFrame, VideoMarker

SQUARE = ((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 4.0))
POSE = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(1.0, 2.0, 300.0))


def jpeg(width: int, height: int, filling: int = 20) -> bytes:
    """What a JPEG states of its size, in the order of the standard, with no picture in it."""
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\x00"
    tables = b"\xff\xdb" + (filling + 2).to_bytes(2, "big") + bytes(filling)
    return b"\xff\xd8\xff\xe0\x00\x06JFIF" + tables + b"\xff\xc0" + (len(frame) + 2).to_bytes(2, "big") + frame + b"\xff\xd9"


def frame(number: int = 1, *, camera: str = "left", epoch: str = "e1", size: tuple[int, int] = (64, 48)) -> VideoFrame:
    return VideoFrame(
        epoch=epoch,
        camera=camera,
        number=number,
        t_capture_ns=10,
        t_arrival_ns=20,
        t_publish_ns=30,
        width_px=size[0],
        height_px=size[1],
        full_width_px=2 * size[0],
        full_height_px=2 * size[1],
        bodies=(VideoBody(body="drill", status="OK", pose=POSE), VideoBody(body="ref", status="OUT_OF_VIEW", reason="hidden")),
        markers=(VideoMarker(id=3, dictionary="APRILTAG_36h11", corners_px=SQUARE),),
    )


@pytest.fixture
def server() -> Iterator[VideoServer]:
    server = VideoServer(port=0)
    yield server
    server.close()


def until_watched(server: VideoServer, wanted: bool = True) -> None:
    end = time.monotonic() + 5.0
    while server.watched != wanted:
        assert time.monotonic() < end, "nobody has subscribed"
        time.sleep(0.002)


def received(server: VideoServer, client: VideoClient, sent: VideoFrame) -> VideoFrame:
    """What comes of one picture that is sent."""
    server.publish(sent, jpeg(sent.width_px, sent.height_px))
    picture = client.newest(3000)
    assert picture is not None
    return picture.frame


def test_a_picture_arrives_as_it_was_sent(server: VideoServer) -> None:
    client = VideoClient(port=server.port)
    try:
        until_watched(server)
        assert received(server, client, frame()) == frame()
        assert client.newest(0) is None
        server.publish(frame(2), jpeg(64, 48, 333))
        picture = client.newest(3000)
        assert picture is not None
        assert picture.jpeg == jpeg(64, 48, 333)
    finally:
        client.close()


def test_nobody_looks_before_one_subscribes_and_after_he_leaves(server: VideoServer) -> None:
    assert not server.watched
    client = VideoClient(port=server.port)
    until_watched(server)
    client.close()
    until_watched(server, wanted=False)


def test_only_the_newest_of_what_waits_is_handed_out(server: VideoServer) -> None:
    client = VideoClient(port=server.port)
    try:
        until_watched(server)
        numbers = []
        # Reading begins when all have had time to arrive; the last of a flood may be dropped for this client, so it is sent again until it is there.
        for number in range(1, 6):
            server.publish(frame(number), jpeg(64, 48))
        end = time.monotonic() + 5.0
        while 99 not in numbers and time.monotonic() < end:
            server.publish(frame(99), jpeg(64, 48))
            time.sleep(0.02)
            picture = client.newest(100)
            numbers += [picture.frame.number] if picture else []
        assert numbers[-1] == 99
        assert len(numbers) < 5
    finally:
        client.close()


def test_one_cameras_pictures_can_be_asked_for() -> None:
    server = VideoServer(port=0, cameras=2)
    client = VideoClient(port=server.port, camera="right")
    try:
        until_watched(server)
        server.publish(frame(1, camera="right"), jpeg(64, 48))
        server.publish(frame(1, camera="left"), jpeg(64, 48))
        picture = client.newest(3000)
        assert picture is not None
        assert picture.frame.camera == "right"
    finally:
        client.close()
        server.close()


def test_a_new_session_is_told_by_its_epoch() -> None:
    first = VideoServer(port=0)
    client = VideoClient(port=first.port)
    try:
        until_watched(first)
        assert received(first, client, frame(900)).epoch == "e1"
        first.close()
        second = VideoServer(port=first.port)
        try:
            # A client that reads subscribes again by itself.
            end = time.monotonic() + 5.0
            while not second.watched and time.monotonic() < end:
                assert client.newest(10) is None
            later = received(second, client, frame(1, epoch="e2"))
            assert (later.epoch, later.number) == ("e2", 1)
        finally:
            second.close()
    finally:
        client.close()
        first.close()


def test_a_stalled_subscriber_holds_up_nobody(server: VideoServer) -> None:
    stalled = VideoClient(port=server.port)
    client = VideoClient(port=server.port)
    try:
        until_watched(server)
        picture = jpeg(64, 48, 60_000)
        seen = set[int]()
        for number in range(200):
            # Never waits, though the stalled one has taken nothing of 12 MB.
            server.publish(frame(number), picture)
            if (got := client.newest(2)) is not None:
                seen.add(got.frame.number)
        assert len(seen) > 5
        # He who comes back is shown a picture, and soon the newest: no more than a few had waited for him.
        waited = 0
        while (late := stalled.newest(50)) is not None:
            waited += 1
            assert late.frame.epoch == "e1"
        assert 0 < waited < 60
    finally:
        client.close()
        stalled.close()


def test_closing_ends_a_wait_in_another_thread(server: VideoServer) -> None:
    client = VideoClient(port=server.port)
    results = list[object]()
    thread = threading.Thread(target=lambda: results.append(client.newest(60_000)))
    thread.start()
    client.close()
    thread.join(5.0)
    assert results == [None]
    assert client.newest(10) is None
    client.close()


def test_a_taken_port_and_an_open_address_are_refused_with_the_remedy(server: VideoServer) -> None:
    with pytest.raises(BusRefused, match=rf"port {server.port} on 127.0.0.1 is in use.*--video-port N"):
        VideoServer(port=server.port)
    with pytest.raises(BusRefused, match="navtwin keys new"):
        VideoServer("0.0.0.0", 0)
    with pytest.raises(BusRefused, match="no key is given"):
        VideoClient("192.0.2.1")


def test_only_allowed_keys_see_pictures(tmp_path: Path) -> None:
    for name in ("core", "screen", "stranger"):
        new_keys(name, tmp_path)
    allow(tmp_path / "screen.pub", folder=tmp_path)
    server = VideoServer(port=0, keys=server_keys("core", tmp_path))
    let_in = VideoClient(port=server.port, keys=client_keys("screen", tmp_path / "core.pub", tmp_path))
    kept_out = VideoClient(port=server.port, keys=client_keys("stranger", tmp_path / "core.pub", tmp_path))
    plain = VideoClient(port=server.port)
    try:
        until_watched(server)
        assert received(server, let_in, frame(7)).number == 7
        assert kept_out.newest(100) is None
        assert plain.newest(100) is None
    finally:
        for client in (let_in, kept_out, plain):
            client.close()
        server.close()


# What a receiver does not believe


def good() -> list[bytes]:
    return [b"video", encode(frame()), jpeg(64, 48)]


@pytest.mark.parametrize(
    ("frames", "word"),
    [
        ([], "empty"),
        (good()[:2], "2 frames"),
        ([*good(), b"x"], "4 frames"),
        ([b"videos", *good()[1:]], "not 3 on"),
        ([b"video", b"[]", jpeg(64, 48)], "video"),
        ([b"video", b"{" * 100_000, jpeg(64, 48)], "video"),
        ([b"video", b" " * (HEADER_LIMIT_BYTES + 1), jpeg(64, 48)], "above"),
        ([b"video", encode(frame()), b"\xff\xd8" + bytes(PICTURE_LIMIT_BYTES)], "above"),
        ([b"video", encode(frame()), jpeg(64, 47)], "64 x 47 px, 64 x 48 in its header"),
        ([b"video", encode(frame()), jpeg(65535, 65535)], "65535 x 65535"),
        ([b"video", encode(frame()), b""], "no JPEG"),
        ([b"video", encode(frame()), jpeg(64, 48)[:-2]], "no JPEG"),
        ([b"video", encode(frame(size=(LONGEST_SIDE_PX + 1, 48))), jpeg(LONGEST_SIDE_PX + 1, 48)], "above 1280"),
        ([b"video", encode(frame()).replace(b'"number":1', b'"number":1,"smuggled":2'), jpeg(64, 48)], "smuggled"),
        ([b"video", encode(frame()).replace(b'"height_px":48', b'"height_px":0'), jpeg(64, 48)], "64 x 0"),
        ([b"video", encode(frame()).replace(b"300.0", b"1e999"), jpeg(64, 48)], "video"),
    ],
)
def test_what_does_not_follow_the_table_is_refused(frames: list[bytes], word: str) -> None:
    with pytest.raises(Malformed, match=word):
        unpack_video(frames)


def test_bytes_at_random_are_refused_and_never_more_than_that() -> None:
    rng, refused = random.Random(3), 0
    for _ in range(3000):
        frames = good()
        spoilt = bytearray(frames[which := rng.randrange(1, 3)])
        for _ in range(rng.randrange(1, 6)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        frames[which] = bytes(spoilt[: rng.randrange(len(spoilt) + 1)]) if rng.random() < 0.3 else bytes(spoilt)
        try:
            picture = unpack_video(frames)
        except Malformed:
            refused += 1
            continue
        assert jpeg_size(picture.jpeg) == (picture.frame.width_px, picture.frame.height_px)
    assert refused > 1000


def test_a_client_counts_what_it_refuses_and_shows_what_is_good() -> None:
    context = zmq.Context()
    socket = context.socket(zmq.XPUB)
    client = VideoClient(port=socket.bind_to_random_port("tcp://127.0.0.1"))
    try:
        assert socket.recv() == b"\x01video"
        socket.send_multipart([b"video", b"{}", b"junk"])
        socket.send_multipart(good())
        picture = client.newest(3000)
        assert picture is not None or (picture := client.newest(3000)) is not None
        assert picture.frame == frame()
        assert client.malformed == 1
        assert "video" in client.last_fault
    finally:
        client.close()
        context.destroy(linger=0)


def test_a_sender_does_not_send_what_nobody_would_take(server: VideoServer) -> None:
    with pytest.raises(BusRefused, match="cannot be sent"):
        server.publish(frame(), jpeg(63, 48))


def test_a_frame_says_no_pose_where_there_is_none() -> None:
    with pytest.raises(InputRefused, match="Only OK carries a pose"):
        VideoBody(body="drill", status="OK")
    with pytest.raises(InputRefused, match="as large as the camera's"):
        msgspec.structs.replace(frame(), full_width_px=63)
