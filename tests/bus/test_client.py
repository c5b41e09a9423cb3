"""The client against a fake core on real sockets, with its own clock injected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from navtwin.bus.client import Client
from navtwin.bus.server import Server
from navtwin.errors import BusRefused, InputRefused
from navtwin.nouns import Ack, AlertSet, Mark, Reply, State
from tests.bus.fake_core import FakeCore, FakeTwin, S

MS = 1_000_000


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def core() -> Iterator[FakeCore]:
    core = FakeCore(Server(pub_port=0, command_port=0, epoch="fake-1"), started_ns=time.monotonic_ns() - 6 * S, frame=360)
    yield core
    core.server.close()


@pytest.fixture
def connect(core: FakeCore) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(**options: object) -> Client:
        clients.append(Client(ports=(core.server.pub_port, core.server.command_port), who="ana", **options))  # type: ignore[arg-type]
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def until(condition: Callable[[], object], core: FakeCore, timeout_s: float = 3.0) -> None:
    """Run the core until `condition` holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "timed out"
        core.tick()
        time.sleep(0.005)


def test_alert_arrives_and_its_acknowledgement_comes_back(core: FakeCore, connect: Callable[..., Client]) -> None:
    client = connect()
    seen: list[tuple[str, object]] = []

    def alert() -> object:
        message = client.receive(0)
        if message:
            seen.append((message[0], message[1].body))
        return next((body.alerts[0] for _, body in seen if isinstance(body, AlertSet) and body.alerts), None)

    until(alert, core)
    first = alert()
    assert first is not None
    ident = client.send(Ack(epoch=client.link.epoch, alert=first.id, level=first.level))  # type: ignore[attr-defined]
    until(lambda: alert() and any(isinstance(body, Reply) for _, body in seen), core)
    reply = next(body for _, body in seen if isinstance(body, Reply))
    assert (reply.id, reply.ok, reply.who) == (ident, True, "ana")
    seen.clear()
    until(lambda: alert() and any(isinstance(b, AlertSet) and any(a.acked_by == "ana" for a in b.alerts) for _, b in seen), core)


def test_link_lost_by_the_receivers_clock(core: FakeCore, connect: Callable[..., Client]) -> None:
    hand = Hand()
    client = connect(clock=hand)
    assert not client.link_lost()
    until(lambda: client.receive(0) and client.link.ever, core)
    while client.receive(50):
        pass
    heard_ns = client.link.heard_ns
    hand.now_ns = heard_ns + 249 * MS
    assert not client.link_lost()
    hand.now_ns = heard_ns + 250 * MS
    assert client.link_lost()
    core.next_alerts_ns = 0
    until(lambda: (client.receive(0), not client.link_lost())[1], core)


def test_order_without_a_core_is_refused_not_kept() -> None:
    server = Server(pub_port=0, command_port=0)
    ports = (server.pub_port, server.command_port)
    server.close()
    client = Client(ports=ports)
    with pytest.raises(BusRefused, match="not sent"):
        client.send(Mark(label="x"))
    server = Server(pub_port=ports[0], command_port=ports[1])
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        assert server.poll_commands() == []
        time.sleep(0.02)
    client.close()
    server.close()


def test_reconnects_to_a_new_core_and_notices_its_epoch(core: FakeCore, connect: Callable[..., Client]) -> None:
    client = connect()
    until(lambda: client.receive(0) and client.link.ever, core)
    ports = (core.server.pub_port, core.server.command_port)
    core.server.close()
    core.server = Server(pub_port=ports[0], command_port=ports[1])
    core.twin = FakeTwin(epoch="fake-2")
    until(lambda: client.receive(0) and client.link.epoch == "fake-2", core)
    assert client.link.epochs == 2


def test_malformed_data_is_counted_and_passed_over(core: FakeCore, connect: Callable[..., Client]) -> None:
    client = connect()
    until(lambda: client.receive(0) and client.link.ever, core)
    core.server.publish("alerts", b"{not json")
    core.server.publish("alerts", core.wrap(core.twin.state(0, 1), None))
    core.server.publish("state", b"\xff" * 100)
    core.server.publish("state", b"[" * 100_000)
    seen: list[object] = []
    until(lambda: (seen.append(client.receive(0)), client.link.malformed == 4)[1], core)
    until(lambda: client.receive(0), core)


def test_newest_state_only_but_every_alert(core: FakeCore, connect: Callable[..., Client]) -> None:
    client = connect()
    until(lambda: client.receive(0) and client.link.ever, core)
    while client.receive(30):
        pass
    for frame in range(1, 11):
        core.send("state", core.twin.state(6 * S, 1000 + frame), None)
        core.send("alerts", core.twin.alerts(6 * S), None)
    time.sleep(0.1)
    bodies = [envelope.body for _, envelope in client.receive_newest(100)]
    assert [body.frame for body in bodies if isinstance(body, State)] == [1010]
    assert sum(isinstance(body, AlertSet) for body in bodies) == 10
    assert client.link.skipped == 9


def test_alerts_come_before_state(core: FakeCore, connect: Callable[..., Client]) -> None:
    client = connect()
    until(lambda: client.receive(0) and client.link.ever, core)
    while client.receive(30):
        pass
    for frame in range(50):
        core.send("state", core.twin.state(6 * S, 2000 + frame), None)
    core.send("alerts", core.twin.alerts(6 * S), None)
    time.sleep(0.1)
    message = client.receive(0)
    assert message is not None
    assert message[0] == "alerts"


def test_host_beyond_this_machine_needs_keys() -> None:
    with pytest.raises(BusRefused, match="--key NAME"):
        Client(host="192.168.1.9")


def test_closing_twice_is_harmless() -> None:
    client = Client()
    client.close()
    client.close()
    with pytest.raises(BusRefused, match="cannot connect"):
        Client(host="::1", ports=(-1, -1))


def test_unknown_topic_is_refused() -> None:
    with pytest.raises(InputRefused, match="Did you mean 'alerts'"):
        Client(topics=("alert",))  # type: ignore[arg-type]
