"""The loop between the bus and OpenIGTLink's clients: it owns both sockets and the clock, and remembers only what was last said."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from navtwin.bus.link import Link
from navtwin.errors import BusRefused, InputRefused
from navtwin.gateway.orders import Request, answer, order_of, request_of
from navtwin.gateway.poses import Space, device_names, transform_message
from navtwin.gateway.server import IgtlServer, Peer, Served
from navtwin.gateway.warnings import Verdict, alerts_message, distances_message, verdict
from navtwin.igtl.message import Message, write_message
from navtwin.nouns import AlertSet, Envelope, InstrumentState, Order, Reply, State, Topic
from navtwin.nouns.rig import HARD_MAX_AGE_MS

#: The longest that a client's command waits to be read; what the bus says wakes the loop at once.
TURN_MS: Final = 5
#: What has not changed is said again this often.
REPEAT_NS: Final = 1_000_000_000
#: An order that the core has not answered by then is answered for it.
ANSWER_WITHIN_NS: Final = 1_000_000_000
#: Orders that wait for the core's answer; a client that asks more is told to wait.
MOST_PENDING: Final = 64
LINK_LOST: Final = "the link to the core is lost"
STALE: Final = "no frame has come from the tracker"


class Port(Protocol):
    """The part of `navtwin.bus.client.Client` that the gateway needs."""

    link: Link
    trouble: str

    def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]: ...

    def send(self, order: Order) -> str: ...

    def link_lost(self, now_ns: int | None = None) -> bool: ...


class Gateway:
    """Serves what the core says, and passes on what clients ask.

    Parameters
    ----------
    space : of the patient's side of the poses
    setup : whether clients may change calibration, registration and limits
    """

    def __init__(self, client: Port, server: IgtlServer, space: Space, say: Callable[[str], None], *, setup: bool = False) -> None:
        self._client, self._server, self._space, self._say, self._setup = client, server, space, say, setup
        self._names: dict[str, tuple[str, str]] = {}
        self._state: Envelope | None = None
        self._alerts: Envelope | None = None
        self._state_ns = time.monotonic_ns()
        self._lost = "no core has been heard yet"
        self._lost_told_ns = 0
        self._verdict: Verdict | None = None
        self._verdict_told_ns = 0
        self._pending: dict[str, tuple[Peer, Request, int]] = {}
        self._told = set[str]()

    def turn(self, timeout_ms: int = TURN_MS) -> None:
        """Hear the core, serve what is new, hear the clients."""
        for _, envelope in self._client.receive_newest(timeout_ms):
            self._hear(envelope)
        now_ns = time.monotonic_ns()
        self._judge_link(now_ns)
        self._tell_verdict(now_ns)
        for peer, message in self._server.turn():
            self._act(peer, message, now_ns)
        for ident, (peer, request, since_ns) in list(self._pending.items()):
            if now_ns - since_ns > ANSWER_WITHIN_NS:
                del self._pending[ident]
                self._answer(peer, request, "the core has not answered: look at the alerts before you ask again")
        if self._client.trouble and self._client.trouble not in self._told:
            self._told.add(self._client.trouble)
            self._say(self._client.trouble)

    def _hear(self, envelope: Envelope) -> None:
        body, stamp_ns = envelope.body, _captured_utc_ns(envelope)
        if isinstance(body, Reply):
            self._hear_reply(body)
        elif isinstance(body, AlertSet):
            self._alerts = envelope
            self._server.serve(Served("alerts", 0, alerts_message(envelope, "", stamp_ns)))
        elif isinstance(body, State):
            self._state, self._state_ns = envelope, time.monotonic_ns()
            if not self._why_lost(self._state_ns):
                self._serve_state(envelope, stamp_ns)

    def _hear_reply(self, reply: Reply) -> None:
        peer, request, _ = self._pending.pop(reply.id, (None, None, 0))
        if peer is not None and request is not None:
            self._answer(peer, request, reply.reason, ok=reply.ok)

    def _serve_state(self, envelope: Envelope, stamp_ns: int) -> None:
        assert isinstance(envelope.body, State)
        instruments = envelope.body.instruments
        if {state.instrument for state in instruments} != self._names.keys():
            # Another session, with other tools: what is not there any more must not stay where it was.
            for tool in self._names:
                self._serve_pose(InstrumentState(instrument=tool, status="STALE"), stamp_ns, "another session")
            self._names = device_names([state.instrument for state in instruments], self._space)
            told = ", ".join(f"{tool} as {device}" for tool, (device, _) in self._names.items())
            self._say(f"serving {told}")
        for state in instruments:
            self._serve_pose(state, stamp_ns, "")
        self._server.serve(Served("distances", 2, distances_message(envelope, "", stamp_ns)))

    def _serve_pose(self, state: InstrumentState, stamp_ns: int, lost: str) -> None:
        names = self._names[state.instrument]
        self._server.serve(Served(f"pose {names[0]}", 1, transform_message(names, state, self._space, stamp_ns, lost)))

    def _why_lost(self, now_ns: int) -> str:
        """Why nothing that was said is true any more; "" while it is."""
        if self._client.link_lost(now_ns):
            return LINK_LOST if self._client.link.ever else "no core has been heard yet"
        alerts = self._alerts.body if self._alerts is not None else None
        is_stale = isinstance(alerts, AlertSet) and alerts.health.tracker == "bad"
        return STALE if is_stale or now_ns - self._state_ns > HARD_MAX_AGE_MS * 1e6 else ""

    def _judge_link(self, now_ns: int) -> None:
        """Take back what is not known any more: at once when it happens, and again every second."""
        lost = self._why_lost(now_ns)
        is_news, self._lost = lost != self._lost, lost
        if not lost or not (is_news or now_ns - self._lost_told_ns > REPEAT_NS):
            return
        self._lost_told_ns, stamp_ns = now_ns, time.time_ns()
        for tool in self._names:
            self._serve_pose(InstrumentState(instrument=tool, status="STALE"), stamp_ns, lost)
        self._server.serve(Served("distances", 2, distances_message(None, lost, stamp_ns)))
        if self._client.link_lost(now_ns):
            self._server.serve(Served("alerts", 0, alerts_message(None, lost, stamp_ns)))

    def _tell_verdict(self, now_ns: int) -> None:
        alerts = self._alerts.body if self._alerts is not None else None
        is_link_lost = self._client.link_lost(now_ns)
        new = verdict(alerts if isinstance(alerts, AlertSet) else None, self._lost if is_link_lost else "")
        is_news = self._verdict is None or new[:3] != self._verdict[:3]
        if is_news or now_ns - self._verdict_told_ns > REPEAT_NS:
            self._verdict, self._verdict_told_ns = new, now_ns
            self._server.serve(Served("warning", 0, new.message(time.time_ns())))

    def _act(self, peer: Peer, message: Message, now_ns: int) -> None:
        """Do what a client asks, or say why not."""
        if message.kind == "GET_STATUS" and self._verdict is not None:
            self._server.answer(peer, self._verdict.message(time.time_ns()))
            return
        if message.kind == "STT_TDATA":
            # Poses come as TRANSFORMs, with their validity; a TDATA could not say it to a receiver of version 1.
            self._server.answer(peer, write_message("RTS_TDATA", message.device, b"\1", time.time_ns(), version=1))
            return
        try:
            request = request_of(message)
        except InputRefused as refused:
            self._say(f"client {peer.where}: {message.kind} was not read: {refused.problem}")
            return
        if request is None:
            self._say_once(f"client {peer.where} sends {message.kind}s, which are passed over" + _HINTS.get(message.kind, ""))
            return
        try:
            if len(self._pending) >= MOST_PENDING:
                raise InputRefused("too many commands wait for the core's answer", "send them more slowly")
            ident = self._client.send(order_of(request, setup=self._setup))
        except (InputRefused, BusRefused) as refused:
            self._answer(peer, request, str(refused))
        else:
            self._pending[ident] = (peer, request, now_ns)

    def _answer(self, peer: Peer, request: Request, words: str, *, ok: bool = False) -> None:
        if peer in self._server.peers:
            self._server.answer(peer, answer(request, ok=ok, words=words, stamp_ns=time.time_ns()))

    def _say_once(self, text: str) -> None:
        if text not in self._told and len(self._told) < 1000:
            self._told.add(text)
            self._say(text)


_HINTS: Final = {"TRANSFORM": ": a tracker's poses are taken by `navtwin run --source igtl:listen:PORT`"}


def _captured_utc_ns(envelope: Envelope) -> int:
    """UTC of the frame behind a message. Only differences of the core's own clock are used, for its host may be another."""
    age_ns = envelope.t_publish_ns - envelope.t_capture_ns if envelope.t_capture_ns is not None else 0
    return time.time_ns() - max(0, age_ns)
