"""The core's end of the bus on real sockets: refusals, hostile commands, stalled subscribers."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest
import zmq

from navtwin.bus.endpoint import is_loopback
from navtwin.bus.server import COMMANDS_PER_POLL, Server
from navtwin.bus.topics import COMMAND_LIMIT_BYTES, FRAME_LIMIT_BYTES, TOPICS
from navtwin.errors import BusRefused
from navtwin.nouns import Command, Envelope, Mark, Reply, Setup, decode_envelope, encode
from tests.bus.fake_core import SETUP, FakeCore


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(pub_port=0, command_port=0, epoch="e1")
    yield server
    server.close()


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


def dealer(context: zmq.Context[zmq.Socket[bytes]], server: Server) -> zmq.Socket[bytes]:
    sock = context.socket(zmq.DEALER)
    sock.connect(f"tcp://127.0.0.1:{server.command_port}")
    return sock


def polled(server: Server, want: int = 1, timeout_s: float = 2.0) -> list[tuple[bytes, Command]]:
    """Poll until `want` good commands have come."""
    taken: list[tuple[bytes, Command]] = []
    until = time.monotonic() + timeout_s
    while len(taken) < want and time.monotonic() < until:
        taken += server.poll_commands()
        time.sleep(0.002)
    return taken


def answer(server: Server, sock: zmq.Socket[bytes], timeout_s: float = 2.0) -> Reply:
    """The server's own answer to what `sock` has sent; nothing may be handed to the core meanwhile."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        assert server.poll_commands() == []
        if sock.poll(5):
            topic, payload = sock.recv_multipart()
            envelope = decode_envelope(payload)
            assert topic == b"reply"
            assert envelope.epoch == "e1"
            assert isinstance(envelope.body, Reply)
            return envelope.body
    raise AssertionError("no answer")


GOOD = encode(Command(who="ana", id="ana-1", order=Mark(label="here")))


def test_command_reaches_the_core_and_its_reply_comes_back(server: Server, context: zmq.Context[zmq.Socket[bytes]]) -> None:
    sock = dealer(context, server)
    sock.send(GOOD)
    [(client, command)] = polled(server)
    assert command == Command(who="ana", id="ana-1", order=Mark(label="here"))
    reply = Reply(id=command.id, who=command.who, ok=True)
    server.reply(client, encode(Envelope(epoch="e1", seq=7, t_capture_ns=None, t_arrival_ns=None, t_step_ns=1, t_publish_ns=2, body=reply)))
    assert sock.poll(2000)
    topic, payload = sock.recv_multipart()
    assert (topic, decode_envelope(payload).body) == (b"reply", reply)


@pytest.mark.parametrize(
    ("payload", "words", "ident"),
    [
        (b"", "not a command", ""),
        (b"\xff\x00junk", "not a command", ""),
        (b"[" * 5000, "not a command", ""),
        (b'{"kind":"command","who":"ana","id":"7","order":{"do":"mutes","structure":"x"}}', "did you mean 'mute'?", "7"),
        (b'{"kind":"command","who":"ana","id":"8","order":{"do":"undo","extra":1}}', "unknown field `extra`", "8"),
        (b'{"kind":"command","who":"ana","id":"9","order":{"do":"audio-pause","seconds":NaN}}', "not a command", ""),
        (b'{"kind":"command","who":"ana","id":"9","order":{"do":"audio-pause","seconds":"x"}}', "Expected `float`", "9"),
        (b'{"kind":"tick"}', "not a command", ""),
        (b'{"kind":"command","who":"","id":"1","order":{"do":"undo"}}', "lacks its sender's name", "1"),
        (b'{"kind":"command","who":"a\\u001b[2J","id":"1","order":{"do":"undo"}}', "not printable", "1"),
        (b'{"kind":"command","who":"ana","id":"1","order":{"do":"mark","label":"a\\nb"}}', "not printable", "1"),
        (b'{"kind":"command","who":"ana","id":"1","order":{"do":"tool-select","tools":["\\u0007"]}}', "not printable", "1"),
        (b'{"kind":"command","who":"ana","id":["deep"],"order":3}', "not a command", ""),
        (b'"' + b"x" * COMMAND_LIMIT_BYTES + b'"', f"at most {COMMAND_LIMIT_BYTES}", ""),
    ],
)
def test_bad_command_is_answered_and_never_obeyed(
    server: Server, context: zmq.Context[zmq.Socket[bytes]], payload: bytes, words: str, ident: str
) -> None:
    sock = dealer(context, server)
    sock.send(payload)
    reply = answer(server, sock)
    assert not reply.ok
    assert words.lower() in reply.reason.lower()
    assert reply.id == ident
    sock.send(GOOD)
    assert len(polled(server)) == 1


def test_command_of_several_frames_is_refused(server: Server, context: zmq.Context[zmq.Socket[bytes]]) -> None:
    sock = dealer(context, server)
    sock.send_multipart([GOOD, GOOD])
    assert "one frame" in answer(server, sock).reason


def test_frame_above_the_hard_limit_disconnects_its_sender_only(server: Server, context: zmq.Context[zmq.Socket[bytes]]) -> None:
    hostile, honest = dealer(context, server), dealer(context, server)
    hostile.send(b"x" * (FRAME_LIMIT_BYTES + 1))
    honest.send(GOOD)
    assert len(polled(server)) == 1
    assert polled(server, want=1, timeout_s=0.2) == []


def test_random_bytes_are_never_obeyed(server: Server, context: zmq.Context[zmq.Socket[bytes]]) -> None:
    rng = random.Random(3)
    sock = dealer(context, server)
    for _ in range(200):
        junk = bytearray(GOOD)
        for _ in range(rng.randint(1, 4)):
            junk[rng.randrange(len(junk))] = rng.randrange(256)
        sock.send(bytes(junk))
    answered = 0
    obeyed: list[Command] = []
    until = time.monotonic() + 2.0
    while answered + len(obeyed) < 200 and time.monotonic() < until:
        obeyed += [command for _, command in server.poll_commands()]
        while sock.poll(0):
            answered += not json.loads(sock.recv_multipart()[1])["body"]["ok"]
        time.sleep(0.001)
    assert answered + len(obeyed) == 200
    # A flipped letter inside a label or name still is a command; its fields must hold.
    assert all(isinstance(command.order, Mark) and command.who.isprintable() for command in obeyed)


def test_flood_of_commands_does_not_hold_the_loop(server: Server, context: zmq.Context[zmq.Socket[bytes]]) -> None:
    sock = dealer(context, server)
    for _ in range(500):
        sock.send(GOOD)
    time.sleep(0.1)
    assert len(server.poll_commands()) == COMMANDS_PER_POLL


def test_reply_to_a_client_that_left_is_dropped(server: Server) -> None:
    server.reply(b"nobody", GOOD)


def test_port_in_use_names_port_and_flag(server: Server) -> None:
    with pytest.raises(BusRefused, match=rf"port {server.pub_port} .* in use.*--port N") as refusal:
        Server(pub_port=server.pub_port, command_port=0)
    assert refusal.value.exit_code == 2
    with pytest.raises(BusRefused, match=rf"port {server.command_port} .* in use.*--command-port N"):
        Server(pub_port=0, command_port=server.command_port)


def test_refused_server_frees_what_it_had_bound(server: Server) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with pytest.raises(BusRefused):
        Server(pub_port=free, command_port=server.command_port)
    Server(pub_port=free, command_port=0).close()


@pytest.mark.parametrize("bind", ["0.0.0.0", "192.168.1.5", "*", "::", "example"])
def test_open_bind_without_keys_is_refused(bind: str) -> None:
    assert not is_loopback(bind)
    with pytest.raises(BusRefused, match="navtwin keys new"):
        Server(bind=bind, pub_port=0, command_port=0)


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_needs_no_keys(bind: str) -> None:
    Server(bind=bind, pub_port=0, command_port=0).close()


def test_unknown_topic_and_oversized_message_are_refused(server: Server) -> None:
    with pytest.raises(BusRefused, match="not a published topic"):
        server.publish("reply", b"")
    with pytest.raises(BusRefused, match="At most"):
        server.publish("state", b"x" * (FRAME_LIMIT_BYTES + 1))


def test_stalled_subscriber_slows_nobody_and_memory_stays_bounded(server: Server, context: zmq.Context[zmq.Socket[bytes]]) -> None:
    def subscriber(queue: int) -> zmq.Socket[bytes]:
        sock = context.socket(zmq.SUB)
        sock.set(zmq.RCVHWM, queue)
        sock.subscribe("state")
        sock.connect(f"tcp://127.0.0.1:{server.pub_port}")
        return sock

    stalled, reader = subscriber(1), subscriber(1000)
    payload = b"x" * 100_000
    until = time.monotonic() + 2.0
    while not reader.poll(5) and time.monotonic() < until:
        server.publish("state", payload)
        server.poll_commands()
    while reader.poll(20):
        reader.recv_multipart()
    resource = pytest.importorskip("resource", reason="peak memory is read the POSIX way")
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    slowest, received = 0.0, 0
    for _ in range(1500):
        begun = time.perf_counter()
        server.publish("state", payload)
        slowest = max(slowest, time.perf_counter() - begun)
        if reader.poll(1000):
            reader.recv_multipart()
            received += 1
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    assert received == 1500, "the reader must lose nothing to the stalled one"
    assert slowest < 0.5
    # It was there all along, and holds what its queue holds.
    assert stalled.poll(1000)
    # 1500 messages of 100 kB are 143 MiB; the high-water mark allows a tenth of that, and the kernel's buffers are not ours.
    assert grown_mib < 60


def test_late_joiner_gets_the_last_setup(server: Server, context: zmq.Context[zmq.Socket[bytes]]) -> None:
    FakeCore(server).send("setup", SETUP, None)
    sock = context.socket(zmq.SUB)
    sock.subscribe("setup")
    sock.connect(f"tcp://127.0.0.1:{server.pub_port}")
    until = time.monotonic() + 2.0
    while not sock.poll(5) and time.monotonic() < until:
        server.poll_commands()
    topic, payload = sock.recv_multipart(zmq.NOBLOCK)
    assert topic == b"setup"
    assert decode_envelope(payload).body == SETUP


def test_topics_cover_all_that_is_published() -> None:
    assert {row.body for row in TOPICS.values()} >= {Setup, Reply}
    assert all(issubclass(body, msgspec.Struct) for row in TOPICS.values() for body in get_args(row.body) or (row.body,))
