"""Drilled bone over real sockets: checked, sent to nobody but those who look; hostile bytes; stalled subscribers."""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq

from navtwin.bus.bone import (
    CELLS,
    CELLS_LIMIT_BYTES,
    DOUBTS,
    HEADER_LIMIT_BYTES,
    MOST_BRICKS,
    WAITING,
    BoneClient,
    BonePatch,
    BoneServer,
    unpack_bone,
    unpacked,
)
from navtwin.bus.keys import allow, client_keys, new_keys, server_keys
from navtwin.bus.topics import Malformed
from navtwin.errors import BusRefused, InputRefused
from navtwin.nouns import encode
from navtwin.nouns.bone_stream import BoneBricks


def header(*bricks: int, revision: int = 1, epoch: str = "e1") -> BoneBricks:
    return BoneBricks(
        epoch=epoch,
        t_publish_ns=5,
        case_hash="case",
        structure="temporal bone",
        side_mm=0.3,
        revision=revision,
        hash="00000000000000ff",
        changed=7,
        bricks=bricks,
    )


def plain(bricks: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, bricks * (CELLS + DOUBTS), dtype=np.uint8).tobytes()


def packed(bricks: int, seed: int = 1) -> bytes:
    return zlib.compress(plain(bricks, seed), 1)


@pytest.fixture
def server() -> Iterator[BoneServer]:
    server = BoneServer(port=0)
    yield server
    server.close()


def until_watched(server: BoneServer, wanted: bool = True) -> None:
    end = time.monotonic() + 5.0
    while server.watched != wanted:
        assert time.monotonic() < end, "nobody has subscribed"
        time.sleep(0.002)


def test_bricks_arrive_as_they_were_sent_and_in_order(server: BoneServer) -> None:
    assert not server.watched
    client = BoneClient(port=server.port)
    try:
        until_watched(server)
        size = server.publish(header(3, 8), packed(2))
        server.publish(header(revision=2), packed(0))
        patches = list[BonePatch]()
        while len(patches) < 2:
            found = client.take(3000)
            assert found
            patches += found
        assert [patch.header for patch in patches] == [header(3, 8), header(revision=2)]
        assert patches[0].cells.tobytes() + patches[0].doubts.tobytes() == plain(2)
        assert patches[0].cells.shape == (2, 16, 16, 16)
        assert patches[0].doubts.shape == (2,)
        assert not patches[0].cells.flags.writeable
        assert patches[1].cells.shape == (0, 16, 16, 16)
        assert size == len(encode(header(3, 8))) + len(packed(2))
        assert client.take(0) == []
    finally:
        client.close()
    until_watched(server, wanted=False)


def test_as_many_bricks_as_are_allowed_go_through_though_they_cannot_be_made_smaller(server: BoneServer) -> None:
    client = BoneClient(port=server.port)
    try:
        until_watched(server)
        server.publish(header(*range(MOST_BRICKS)), packed(MOST_BRICKS))
        (patch,) = client.take(5000)
        assert patch.cells.tobytes() == plain(MOST_BRICKS)[: MOST_BRICKS * CELLS]
    finally:
        client.close()


def test_a_stalled_subscriber_holds_up_nobody(server: BoneServer) -> None:
    stalled = BoneClient(port=server.port)
    client = BoneClient(port=server.port)
    try:
        until_watched(server)
        large = packed(40)
        seen = set[int]()
        for revision in range(200):
            # Never waits, though the stalled one has taken nothing of 33 MB.
            server.publish(header(*range(40), revision=revision), large)
            seen |= {patch.header.revision for patch in client.take(2)}
        assert len(seen) > 20
        waited = 0
        while late := stalled.take(50):
            waited += len(late)
        assert 0 < waited < 3 * WAITING
    finally:
        client.close()
        stalled.close()


def test_a_flood_of_subscriptions_is_looked_at_a_little_at_a_time(server: BoneServer) -> None:
    context = zmq.Context()
    socket = context.socket(zmq.XSUB)
    socket.set(zmq.SNDHWM, 0)
    socket.connect(f"tcp://127.0.0.1:{server.port}")
    try:
        for number in range(5000):
            socket.send(b"\x01" + b"bone" + str(number).encode())
        socket.send(b"\x01bone")
        until_watched(server)
        server.publish(header(3), packed(1))
        assert socket.poll(3000)
    finally:
        context.destroy(linger=0)


def test_closing_ends_a_wait_in_another_thread(server: BoneServer) -> None:
    client = BoneClient(port=server.port)
    results = list[object]()
    thread = threading.Thread(target=lambda: results.append(client.take(60_000)))
    thread.start()
    client.close()
    thread.join(5.0)
    assert results == [[]]
    assert client.take(10) == []
    client.close()


def test_a_taken_port_and_an_open_address_are_refused_with_the_remedy(server: BoneServer) -> None:
    with pytest.raises(BusRefused, match=rf"port {server.port} on 127.0.0.1 is in use.*--bone-port N"):
        BoneServer(port=server.port)
    with pytest.raises(BusRefused, match="navtwin keys new"):
        BoneServer("0.0.0.0", 0)
    with pytest.raises(BusRefused, match="no key is given"):
        BoneClient("192.0.2.1")


def test_only_allowed_keys_see_bone(tmp_path: Path) -> None:
    for name in ("core", "screen", "stranger"):
        new_keys(name, tmp_path)
    allow(tmp_path / "screen.pub", folder=tmp_path)
    server = BoneServer(port=0, keys=server_keys("core", tmp_path))
    let_in = BoneClient(port=server.port, keys=client_keys("screen", tmp_path / "core.pub", tmp_path))
    kept_out = BoneClient(port=server.port, keys=client_keys("stranger", tmp_path / "core.pub", tmp_path))
    plain_one = BoneClient(port=server.port)
    try:
        until_watched(server)
        server.publish(header(7), packed(1))
        (patch,) = let_in.take(3000)
        assert patch.header.bricks == (7,)
        assert kept_out.take(100) == []
        assert plain_one.take(100) == []
    finally:
        for client in (let_in, kept_out, plain_one):
            client.close()
        server.close()


# What a receiver does not believe


def good() -> list[bytes]:
    return [b"bone", encode(header(3, 8)), packed(2)]


@pytest.mark.parametrize(
    ("frames", "word"),
    [
        ([], "empty"),
        (good()[:2], "2 frames"),
        ([*good(), b"x"], "4 frames"),
        ([b"bones", *good()[1:]], "not 3 on"),
        ([b"bone", b"[]", packed(2)], "bone: "),
        ([b"bone", b"{" * 50_000, packed(2)], "bone: "),
        ([b"bone", b" " * (HEADER_LIMIT_BYTES + 1), packed(2)], "above"),
        ([b"bone", encode(header(3, 8)), bytes(CELLS_LIMIT_BYTES + 1)], "above"),
        ([b"bone", encode(header(*range(MOST_BRICKS + 1))), packed(2)], "513 bricks"),
        ([b"bone", encode(header(3, 8)), packed(1)], "has not the cells of 2 bricks"),
        ([b"bone", encode(header(3, 8)), packed(3)], "has not the cells of 2 bricks"),
        ([b"bone", encode(header(3, 8)), packed(2)[:-1]], "has not the cells of 2 bricks"),
        ([b"bone", encode(header(3, 8)), packed(2) + b"x"], "has not the cells of 2 bricks"),
        ([b"bone", encode(header(3, 8)), b"junk"], "cannot be unpacked"),
        ([b"bone", encode(header(3, 8)), b""], "has not the cells of 2 bricks"),
        ([b"bone", encode(header(3, 8)).replace(b"[3,8]", b"[8,3]"), packed(2)], "out of order"),
        ([b"bone", encode(header(3, 8)).replace(b"[3,8]", b"[3,3]"), packed(2)], "out of order"),
        ([b"bone", encode(header(3, 8)).replace(b"[3,8]", b"[-3,8]"), packed(2)], "negative"),
        ([b"bone", encode(header(3, 8)).replace(b"0.3", b"-0.3"), packed(2)], "without size"),
        ([b"bone", encode(header(3, 8)).replace(b"0.3", b"1e999"), packed(2)], "bone: "),
        ([b"bone", encode(header(3, 8)).replace(b'"changed":7', b'"changed":7,"smuggled":2'), packed(2)], "smuggled"),
    ],
)
def test_what_does_not_follow_the_table_is_refused(frames: list[bytes], word: str) -> None:
    with pytest.raises(Malformed, match=word):
        unpack_bone(frames)


def test_what_swells_is_not_unpacked_beyond_what_its_bricks_need() -> None:
    bomb = zlib.compress(bytes(200_000_000), 1)
    assert len(bomb) < CELLS_LIMIT_BYTES
    with pytest.raises(Malformed, match="has not the cells of 1 bricks"):
        unpacked(bomb, 1)


def test_bytes_at_random_are_refused_and_never_more_than_that() -> None:
    rng, refused = random.Random(3), 0
    for _ in range(1500):
        frames = good()
        spoilt = bytearray(frames[which := rng.randrange(1, 3)])
        for _ in range(rng.randrange(1, 6)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        frames[which] = bytes(spoilt[: rng.randrange(len(spoilt) + 1)]) if rng.random() < 0.3 else bytes(spoilt)
        try:
            patch = unpack_bone(frames)
        except Malformed:
            refused += 1
            continue
        assert len(patch.cells) == len(patch.doubts) == len(patch.header.bricks)
    assert refused > 500


def test_a_client_counts_what_it_refuses_and_takes_what_is_good() -> None:
    context = zmq.Context()
    socket = context.socket(zmq.XPUB)
    client = BoneClient(port=socket.bind_to_random_port("tcp://127.0.0.1"))
    try:
        assert socket.recv() == b"\x01bone"
        socket.send_multipart([b"bone", b"{}", b"junk"])
        socket.send_multipart(good())
        patches = client.take(3000) or client.take(3000)
        assert [patch.header for patch in patches] == [header(3, 8)]
        assert client.malformed == 1
        assert "bone" in client.last_fault
    finally:
        client.close()
        context.destroy(linger=0)


def test_a_sender_does_not_send_what_nobody_would_take(server: BoneServer) -> None:
    with pytest.raises(BusRefused, match="fewer bricks"):
        server.publish(header(*range(MOST_BRICKS + 1)), packed(1))
    with pytest.raises(InputRefused, match="ascending"):
        header(4, 4)
