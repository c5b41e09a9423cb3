"""Many clients over real sockets: slow ones, hostile ones, unwelcome ones. None disturbs another."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from navtwin.errors import BusRefused
from navtwin.gateway import server as serving
from navtwin.gateway.server import IgtlServer, Served
from navtwin.igtl.message import write_message
from navtwin.igtl.words import read_string, write_string
from tests.gateway.saying import IgtlClient


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def server(said: list[str]) -> Iterator[IgtlServer]:
    made = IgtlServer("127.0.0.1", 0, None, said.append)
    yield made
    made.close()


def text(slot: str, words: str, rank: int = 1) -> Served:
    return Served(slot, rank, write_message("STRING", slot, write_string(words), 0))


def client_of(server: IgtlServer, receive_bytes: int | None = None) -> IgtlClient:
    there = len(server.peers)
    client = IgtlClient(server.port, receive_bytes)
    end = time.monotonic() + 5.0
    while len(server.peers) == there and time.monotonic() < end:
        server.turn()
    return client


def test_everyone_gets_everything_and_who_comes_late_gets_the_present(server: IgtlServer) -> None:
    first = client_of(server)
    server.serve(text("a", "one"))
    server.turn()
    server.serve(text("a", "two"))
    server.serve(text("b", "three"))
    server.turn()
    second = client_of(server)
    server.turn()
    first.wait_for(lambda: len(first.messages) == 3)
    second.wait_for(lambda: len(second.messages) == 2)
    assert [read_string(m.content) for m in first.messages] == ["one", "two", "three"]
    assert [read_string(m.content) for m in second.messages] == ["two", "three"]


def test_a_client_that_reads_nothing_delays_nobody_and_gets_the_newest(server: IgtlServer) -> None:
    slow, quick = client_of(server, 4096), client_of(server)
    for n in range(100):
        server.serve(text("pose", f"{n} " + "x" * 20_000))
        server.serve(text("alert", f"alert {n}", rank=0))
        server.turn()
        quick.wait_for(lambda n=n: len(quick.messages) == 2 * (n + 1))  # type: ignore[misc]
        assert read_string(quick.messages[-1].content).startswith(f"{n} ")
    waiting = next(peer.waiting for peer in server.peers if peer.waiting)
    assert set(waiting) == {"pose", "alert"}, "one place for each, however long it stands still"
    while not slow.of("alert") or read_string(slow.of("alert")[-1].content) != "alert 99":
        slow.receive()
        server.turn()
    poses = [int(read_string(m.content).split()[0]) for m in slow.of("pose")]
    slow.wait_for(lambda: server.turn() == [] and read_string(slow.of("pose")[-1].content).startswith("99 "))
    assert poses == sorted(poses)
    assert len(slow.of("pose")) < 60


def test_alerts_overtake_what_waits(server: IgtlServer) -> None:
    client = client_of(server)
    for n in range(5):
        server.serve(text(f"pose{n}", "x"))
    server.serve(text("alert", "now", rank=0))
    server.turn()
    client.wait_for(lambda: len(client.messages) == 6)
    assert client.messages[0].device == "alert"


def test_a_client_that_stands_still_for_long_is_let_go(server: IgtlServer, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(server, 4096)
    monkeypatch.setattr(serving, "STUCK_NS", 20_000_000)
    end = time.monotonic() + 5.0
    while server.peers and time.monotonic() < end:
        server.serve(text("pose", "x" * 60_000))
        server.turn()
    assert not server.peers
    assert any("has read nothing" in line for line in said)
    client.close()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n" * 8, b"\0\1STRING" + b"\0" * 34 + b"\x00\x00\x01\x00" + b"\0" * 12])
def test_a_client_that_talks_nonsense_is_let_go_and_the_other_stays(server: IgtlServer, said: list[str], data: bytes) -> None:
    good, bad = client_of(server), client_of(server)
    bad.socket.sendall(data)
    end = time.monotonic() + 5.0
    while len(server.peers) > 1 and time.monotonic() < end:
        server.turn()
    server.serve(text("a", "still here"))
    server.turn()
    good.wait_for(lambda: len(good.messages) == 1)
    assert any("has gone: " in line for line in said)


def test_who_is_not_on_the_list_is_turned_away(said: list[str]) -> None:
    server = IgtlServer("127.0.0.1", 0, frozenset(("10.1.2.3",)), said.append)
    client = IgtlClient(server.port)
    end = time.monotonic() + 5.0
    while not said and time.monotonic() < end:
        server.turn()
    assert said == ["turned away: 127.0.0.1"]
    assert not server.peers
    client.wait_for(lambda: not client.receive())
    server.close()


def test_there_is_room_for_so_many(server: IgtlServer, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_PEERS", 2)
    clients = [client_of(server) for _ in range(2)] + [IgtlClient(server.port)]
    clients[2].wait_for(lambda: server.turn() == [] and not clients[2].receive())
    assert len(server.peers) == 2
    assert any("2 clients are there already" in line for line in said)


def test_who_asks_and_never_reads_is_let_go(server: IgtlServer, said: list[str]) -> None:
    client_of(server)
    (peer,) = server.peers
    for _ in range(serving.MOST_ANSWERS + 1):
        server.answer(peer, b"x")
    assert not server.peers
    server.answer(peer, b"x")
    assert "does not read the answers" in said[-1]


def test_a_flood_is_acted_on_a_little_at_a_time_and_loses_nothing(server: IgtlServer) -> None:
    flooding, other = client_of(server), client_of(server)
    flooding.socket.sendall(b"".join(write_message("STRING", f"CMD_{n}", write_string("x"), 0) for n in range(300)))
    other.socket.sendall(write_message("STRING", "CMD_other", write_string("x"), 0))
    turns, heard, end = [], list[str](), time.monotonic() + 5.0
    while len(heard) < 301 and time.monotonic() < end:
        turns.append([message.device for _, message in server.turn()])
        heard += turns[-1]
    assert max(len(turn) for turn in turns) <= serving.MOST_MESSAGES + 1
    assert [device for device in heard if device != "CMD_other"] == [f"CMD_{n}" for n in range(300)]
    assert heard.index("CMD_other") < 3 * serving.MOST_MESSAGES


def test_damaged_messages_are_told_a_few_times(server: IgtlServer, said: list[str]) -> None:
    client = client_of(server)
    bad = bytearray(write_message("STRING", "x", write_string("abc"), 0))
    bad[-1] ^= 1
    client.socket.sendall(bytes(bad) * 50)
    end = time.monotonic() + 5.0
    while sum("wrong checksum" in line for line in said) < serving.MOST_TOLD and time.monotonic() < end:
        server.turn()
    server.turn()
    assert sum("wrong checksum" in line for line in said) == serving.MOST_TOLD
    assert server.peers


def test_a_port_that_is_taken_is_refused(server: IgtlServer) -> None:
    with pytest.raises(BusRefused, match="cannot listen"):
        IgtlServer("127.0.0.1", server.port, None, print)
