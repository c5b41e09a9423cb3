"""The gateway between a core that is not there and clients that are; then the whole way: core, bus, gateway, OpenIGTLink, our own source."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from navtwin.bus.client import Client
from navtwin.bus.link import Link
from navtwin.bus.server import Server
from navtwin.errors import BusRefused, InputRefused
from navtwin.gateway import gateway as gating
from navtwin.gateway.command import checked
from navtwin.gateway.gateway import Gateway
from navtwin.gateway.server import IgtlServer
from navtwin.igtl.message import write_message
from navtwin.igtl.poses import read_transform
from navtwin.igtl.words import read_status, read_string, write_string
from navtwin.nouns import AlertSet, Body, Envelope, InstrumentState, Mark, Order, Part, Reply, Rig, Tool, Topic, Tracker
from tests.bus.fake_core import FakeCore, FakeTwin, tip_mm
from tests.gateway.saying import POSE, IgtlClient, alert, alert_set, envelope, state, text_of
from tracking.igtl.source import open_source

SEEN = InstrumentState(instrument="drill", status="OK", pose=POSE)


class MadeUpCore:
    """Stands in for the bus's client: says what it is given, keeps what it is told."""

    def __init__(self) -> None:
        self.link, self.trouble = Link(time.monotonic_ns()), ""
        self.says: list[Envelope] = []
        self.orders: list[Order] = []
        self.lost = True
        self.deaf = False

    def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]:
        said, self.says = self.says, []
        if any(isinstance(one.body, AlertSet) for one in said):
            self.lost, self.link.ever = False, True
        return [("state", one) for one in said]

    def send(self, order: Order) -> str:
        if self.deaf:
            raise BusRefused("the core is not connected", "give it again")
        self.orders.append(order)
        return f"igtl-{len(self.orders)}"

    def link_lost(self, now_ns: int | None = None) -> bool:
        return self.lost


class Setting:
    def __init__(self, *, setup: bool = False) -> None:
        self.core, self.said = MadeUpCore(), list[str]()
        self.server = IgtlServer("127.0.0.1", 0, None, self.said.append)
        self.gateway = Gateway(self.core, self.server, "RAS", self.said.append, setup=setup)
        self.client = IgtlClient(self.server.port)
        self.until(lambda: bool(self.server.peers))

    def until(self, done: object) -> None:
        assert callable(done)
        end = time.monotonic() + 5.0
        while not done():
            assert time.monotonic() < end, ([m.device for m in self.client.messages][-10:], self.said)
            self.gateway.turn(0)
            self.client.receive()

    def says(self, *bodies: object) -> None:
        self.core.says += [envelope(body) for body in bodies]  # type: ignore[arg-type]
        for _ in range(3):
            self.gateway.turn(0)
            self.client.receive()

    def ask(self, xml: str, uid: str = "1") -> None:
        self.client.socket.sendall(write_message("STRING", f"CMD_{uid}", write_string(xml), 0))

    def newest(self, device: str) -> str:
        return self.client.of(device)[-1].metadata["TransformValid"]


@pytest.fixture
def setting() -> Iterator[Setting]:
    made = Setting()
    yield made
    made.client.close()
    made.server.close()


def test_before_any_core_is_heard_the_link_is_lost(setting: Setting) -> None:
    setting.until(lambda: setting.client.of("NavtwinWarning"))
    status = read_status(setting.client.of("NavtwinWarning")[-1].content)
    assert (status.code, status.name) == (7, "LINK LOST")


def test_a_state_is_served_with_the_time_of_its_capture(setting: Setting) -> None:
    setting.says(alert_set(), state(SEEN, InstrumentState(instrument="pointer", status="HIDDEN")))
    setting.until(lambda: setting.client.of("NavtwinDistances"))
    assert (setting.newest("drillTipToRAS"), setting.newest("pointerTipToRAS")) == ("1", "0")
    stamp_ns = setting.client.of("drillTipToRAS")[-1].header.stamp_ns
    assert 20_000_000 < time.time_ns() - stamp_ns < 5_000_000_000
    assert read_status(setting.client.of("NavtwinWarning")[-1].content).name == "CLEAR"


def test_an_alert_is_served_as_status_and_json(setting: Setting) -> None:
    setting.says(alert_set())
    setting.says(alert_set(alert("DANGER")))
    setting.until(lambda: len(setting.client.of("NavtwinAlerts")) >= 2)
    assert text_of(setting.client.of("NavtwinAlerts")[-1])["alerts"]
    status = read_status(setting.client.of("NavtwinWarning")[-1].content)
    assert (status.code, status.subcode, status.name) == (3, 2, "DANGER")


@pytest.mark.parametrize("cause", ["link", "tracker", "silence"])
def test_a_pose_is_taken_back_when_it_is_not_known_any_more(setting: Setting, cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setting.says(alert_set(), state(SEEN))
    assert setting.newest("drillTipToRAS") == "1"
    if cause == "link":
        setting.core.lost = True
    elif cause == "tracker":
        setting.says(alert_set(tracker="bad"))
    else:
        monkeypatch.setattr(gating, "HARD_MAX_AGE_MS", 10.0)
        time.sleep(0.02)
    setting.until(lambda: setting.newest("drillTipToRAS") == "0")
    assert read_transform(setting.client.of("drillTipToRAS")[-1].content).t_mm[0] == 100_000.0
    assert text_of(setting.client.of("NavtwinDistances")[-1])["link"] == "lost"
    if cause == "link":
        assert text_of(setting.client.of("NavtwinAlerts")[-1])["link"] == "lost"
        assert read_status(setting.client.of("NavtwinWarning")[-1].content).name == "LINK LOST"
    else:
        assert text_of(setting.client.of("NavtwinAlerts")[-1])["link"] == "up"
    monkeypatch.setattr(gating, "HARD_MAX_AGE_MS", 250.0)
    setting.says(alert_set(), state(SEEN, frame=2))
    setting.until(lambda: setting.newest("drillTipToRAS") == "1")


def test_what_is_lost_is_said_again(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gating, "REPEAT_NS", 5_000_000)
    setting.says(alert_set(), state(SEEN))
    setting.core.lost = True
    setting.until(lambda: sum(m.metadata["TransformValid"] == "0" for m in setting.client.of("drillTipToRAS")) >= 3)


def test_tools_of_another_session_take_the_old_ones_away(setting: Setting) -> None:
    setting.says(alert_set(), state(SEEN))
    setting.says(state(InstrumentState(instrument="pointer", status="OK", pose=POSE), frame=2))
    setting.until(lambda: bool(setting.client.of("pointerTipToRAS")))
    assert (setting.newest("drillTipToRAS"), setting.newest("pointerTipToRAS")) == ("0", "1")


def test_a_command_becomes_an_order_and_the_reply_an_answer(setting: Setting) -> None:
    setting.ask('<Command Name="mark" Label="here"/>', "7")
    setting.until(lambda: setting.core.orders == [Mark(label="here")])
    assert not setting.client.of("ACK_7")
    setting.says(Reply(id="igtl-1", who="igtl", ok=False, reason="it has risen to CONTACT"))
    setting.until(lambda: setting.client.of("ACK_7"))
    assert 'Status="FAIL" Message="it has risen to CONTACT"' in read_string(setting.client.of("ACK_7")[0].content)


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ('<Command Name="accept" Result="registration"/>', "--setup-commands"),
        ('<Command Name="StopRecording"/>', "by itself"),
        ('<Command Name="mork" Label="x"/>', "Did you mean &apos;mark&apos;|Did you mean 'mark'"),
        ("<Command", "not well-formed"),
    ],
)
def test_what_is_refused_never_becomes_an_order(setting: Setting, xml: str, said: str) -> None:
    setting.ask(xml, "9")
    setting.until(lambda: setting.client.of("ACK_9"))
    reply = read_string(setting.client.of("ACK_9")[0].content)
    assert 'Status="FAIL"' in reply
    assert re.search(said, reply)
    assert setting.core.orders == []


def test_an_order_that_is_not_sent_or_not_answered_is_told(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    setting.core.deaf = True
    setting.ask('<Command Name="mark" Label="x"/>', "1")
    setting.until(lambda: setting.client.of("ACK_1"))
    assert "not connected" in read_string(setting.client.of("ACK_1")[0].content)
    setting.core.deaf = False
    monkeypatch.setattr(gating, "ANSWER_WITHIN_NS", 10_000_000)
    setting.ask('<Command Name="mark" Label="x"/>', "2")
    setting.until(lambda: setting.client.of("ACK_2"))
    assert "has not answered" in read_string(setting.client.of("ACK_2")[0].content)


def test_too_many_commands_are_told_to_wait(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gating, "MOST_PENDING", 2)
    for uid in "123":
        setting.ask('<Command Name="mark" Label="x"/>', uid)
    setting.until(lambda: setting.client.of("ACK_3"))
    assert len(setting.core.orders) == 2


def test_other_questions(setting: Setting) -> None:
    setting.client.socket.sendall(write_message("GET_STATUS", "", b"", 0) + write_message("STT_TDATA", "T", b"\0" * 36, 0, version=1))
    setting.client.socket.sendall(write_message("TRANSFORM", "StylusToTracker", b"\0" * 48, 0) * 3)
    setting.until(lambda: any(m.kind == "RTS_TDATA" for m in setting.client.messages))
    assert next(m for m in setting.client.messages if m.kind == "RTS_TDATA").content == b"\1"
    setting.until(lambda: sum("sends TRANSFORMs, which are passed over" in line for line in setting.said) == 1)
    assert setting.core.orders == []


# The whole way


def test_from_the_core_to_our_own_source_and_back() -> None:
    core = FakeCore(Server(pub_port=0, command_port=0, epoch="fake-1"), FakeTwin(), started_ns=time.monotonic_ns() - 5_000_000_000)
    server = IgtlServer("127.0.0.1", 0, None, lambda _: None)
    bus = Client("127.0.0.1", (core.server.pub_port, core.server.command_port), None, "igtl", topics=("alerts", "state"))
    gateway, over = Gateway(bus, server, "RAS", lambda _: None), threading.Event()
    ended = threading.Event()

    def run_core() -> None:
        while not over.is_set() and not ended.is_set():
            core.tick()
            time.sleep(0.005)
        core.end()

    def run_gateway() -> None:
        while not over.is_set():
            gateway.turn()

    threads = [threading.Thread(target=run_core), threading.Thread(target=run_gateway)]
    for thread in threads:
        thread.start()
    client = IgtlClient(server.port)
    part = Part(name="p", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.0)
    tool = Tool(name="drill", body="drillTip", axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.0, part=(part,))
    bodies = tuple(Body(name=name, sd_mm=0.1, sd_rad=0.001) for name in ("drillTip", "pointerTip"))
    rig = Rig(reference="drillTip", tracker=Tracker(name="t", rate_hz=60.0, latency_ms=20.0), body=bodies, tool=(tool,))
    source = open_source(f"127.0.0.1:{server.port}?tracker=RAS", None, rig)
    try:
        end = time.monotonic() + 5.0
        frame = None
        while frame is None or frame.sightings[0].pose is None:
            frame = source.read(0.1) or frame
            assert time.monotonic() < end
        # Where the fake drill was at some time since the start, x and y negated.
        way = [tip_mm(4.9 + n / 200.0) for n in range(round((time.monotonic_ns() - core.started_ns) / 5e6) - 970)]
        assert min(math.dist(frame.sightings[0].pose.t_mm, (-x, -y, z)) for x, y, z in way) < 0.2
        assert (frame.sightings[1].status, frame.sightings[1].pose) == ("OUT_OF_VIEW", None)
        client.wait_for(lambda: bool(client.of("NavtwinAlerts")) and bool(text_of(client.of("NavtwinAlerts")[-1]).get("alerts")))
        for uid in ("5", "6", "7"):
            # Asked again where the level has risen meanwhile, as an operator would.
            told = text_of(client.of("NavtwinAlerts")[-1])
            one = told["alerts"][0]  # type: ignore[index]
            xml = f'<Command Name="ack" Epoch="{told["epoch"]}" Alert="{one["id"]}" Level="{one["level"]}"/>'
            client.socket.sendall(write_message("STRING", f"CMD_{uid}", write_string(xml), 0))
            client.wait_for(lambda uid=uid: bool(client.of(f"ACK_{uid}")))  # type: ignore[misc]
            if "SUCCESS" in read_string(client.of(f"ACK_{uid}")[0].content):
                break
        client.wait_for(lambda: any(alert["acked_by"] == "igtl" for alert in text_of(client.of("NavtwinAlerts")[-1])["alerts"]))  # type: ignore[attr-defined]
        ended.set()
        client.wait_for(lambda: read_status(client.of("NavtwinWarning")[-1].content).name == "LINK LOST")
        client.wait_for(lambda: client.of("drillTipToRAS")[-1].metadata["TransformValid"] == "0")
    finally:
        over.set()
        for thread in threads:
            thread.join(5.0)
        source.close()
        client.close()
        server.close()
        bus.close()


# The command


def test_listening_to_the_network_needs_to_say_to_whom() -> None:
    assert checked("127.0.0.1", []) is None
    assert checked("localhost", []) is None
    assert checked("0.0.0.0", ["10.0.0.7"]) == {"10.0.0.7"}
    with pytest.raises(BusRefused, match="no passwords"):
        checked("0.0.0.0", [])
    with pytest.raises(InputRefused, match="numeric"):
        checked("0.0.0.0", ["slicer-pc"])


def test_the_command_refuses_before_it_listens() -> None:
    import typer

    from navtwin.gateway.command import gateway as command

    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["--igtl", "0", "--bind", "0.0.0.0"])
    assert isinstance(result.exception, BusRefused)
    assert CliRunner().invoke(app, ["--igtl", "0", "--key", "me"]).exception is not None
    assert CliRunner().invoke(app, ["--igtl", "99999"]).exit_code == 2
