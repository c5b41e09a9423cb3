"""The running core under faults of everything around it: source, operators, workers, disk."""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zmq

from navtwin.bus.topics import COMMAND_LIMIT_BYTES, FRAME_LIMIT_BYTES
from navtwin.nouns import Ack, AlertSet, Mark, Pose, Reply, Setup, State, TrackerFrame, decode_envelope
from navtwin.record import mcap_file
from tests.faults.live import BURR, PATIENCE_S, Session, alarm, log_in, session, sightings
from tests.twin.world import MS

MAX_AGE_MS = 100.0


def test_alert_reaches_the_operator_and_the_ack_comes_back() -> None:
    with session() as s:
        seen = s.until_alert("DANGER", 1.5)
        reply = s.reply(s.client.send(Ack(epoch=seen.epoch, alert=BURR, level="DANGER")))
        assert reply.ok, reply.reason
        acked = s.until(lambda a: any(x.id == BURR and x.acked_by == "nurse" for x in a.alerts), showing_mm=1.5, frames=True)
        assert next(x for x in acked.body.alerts if x.id == BURR).silenced  # type: ignore[union-attr]


def test_a_source_that_stops_delivering_is_stale_within_100_ms_of_max_age() -> None:
    with session() as s:
        s.until_alert("DANGER", 1.5)
        s.source.go_on.clear()  # its thread blocks inside read()
        last = s.show(1.5)
        s.source.items.queue.clear()
        newest = s.core.memory.last_capture_ns
        stale = s.until_alarm("SOURCE_STALE")
        found = alarm(stale.body, "SOURCE_STALE")
        # In the core's own time; how busy this machine is does not count.
        captured = s.core.memory.last_capture_ns
        assert captured is not None
        assert newest is not None
        assert captured <= last
        assert MAX_AGE_MS * MS <= found.since_ns - captured <= (MAX_AGE_MS + 100.0) * MS
        assert found.priority == "high", "the drill was at DANGER when it was last known"
        assert isinstance(stale.body, AlertSet)
        assert not any(a.known for a in stale.body.alerts)
        assert next(a for a in stale.body.alerts if a.id == BURR).level == "DANGER"
        assert all(a.distance_mm is None for a in stale.body.alerts)


def test_a_source_that_comes_back_is_known_again() -> None:
    with session() as s:
        s.until_alert("DANGER", 1.5)
        s.until_alarm("SOURCE_STALE")
        again = s.until_alert("DANGER", 1.5)
        assert alarm(again.body, "SOURCE_STALE") is None


def test_a_source_that_fails_is_told_of_with_its_reason() -> None:
    with session() as s:
        s.until_alert("DANGER", 1.5)
        s.source.items.put(OSError("the camera was unplugged"))
        failed = s.until_alarm("SOURCE_FAILED")
        found = alarm(failed.body, "SOURCE_FAILED")
        assert "the camera was unplugged" in found.text
        assert found.priority == "high", "at DANGER the loss of the tracker is a high alarm, whatever lost it"
        assert alarm(failed.body, "SOURCE_ENDED") is None, "a failure is not a polite end"
        assert any("the camera was unplugged" in line for line in s.said)


def test_after_a_source_has_failed_the_core_stays_and_nothing_stays_known() -> None:
    with session() as s:
        s.until_alert("DANGER", 1.5)
        s.source.items.put(OSError("the camera was unplugged"))
        s.until_alarm("SOURCE_FAILED")
        unknown = s.until(lambda a: not any(x.known for x in a.alerts))
        assert isinstance(unknown.body, AlertSet)
        assert next(a for a in unknown.body.alerts if a.id == BURR).level == "DANGER"
        s.listen(0.7)
        assert s.runs, "an operator must still be able to read why"
        assert s.reply(s.client.send(Mark(label="what now"))).ok
        assert not any(isinstance(e.body, Setup) and e.body.message == "session ended" for _, e in s.messages)


@pytest.mark.parametrize("bad", ["numpy number", "numpy pose", "text for a number", "nothing that is known"])
def test_a_source_that_hands_over_what_is_no_noun_is_told_of(bad: str) -> None:
    """A driver's commonest mistake costs its frames, never the core: nouns do not check types where they are made."""
    with session() as s:
        s.until_alert("DANGER", 1.5)
        now = time.monotonic_ns()
        ref, drill = sightings(1.5)
        assert drill.pose is not None
        good = TrackerFrame(source="hand", number=900, t_capture_ns=now - 15 * MS, t_arrival_ns=now, sightings=(ref, drill))
        moved = msgspec.structs.replace(drill, pose=Pose(q_wxyz=drill.pose.q_wxyz, t_mm=tuple(np.array(drill.pose.t_mm))))  # type: ignore[arg-type]
        items: dict[str, Any] = {
            "numpy number": msgspec.structs.replace(good, number=np.int64(900)),
            "numpy pose": msgspec.structs.replace(good, sightings=(ref, moved)),
            "text for a number": msgspec.structs.replace(good, number="nine hundred"),
            "nothing that is known": {"number": 900},
        }
        s.source.items.put(items[bad])
        failed = s.until_alarm("SOURCE_FAILED")
        assert alarm(failed.body, "SOURCE_FAILED").priority == "high"
        assert s.runs
        assert s.reply(s.client.send(Mark(label="still here"))).ok


def test_a_source_that_ends_is_no_failure() -> None:
    with session() as s:
        s.until_alert("CAUTION", 3.0)
        s.source.end()
        ended = s.until_alarm("SOURCE_ENDED")
        assert alarm(ended.body, "SOURCE_ENDED").priority == "low"
        s.thread.join(PATIENCE_S)
        assert not s.runs


def test_an_arrival_stamp_from_the_future_cannot_stop_the_clock() -> None:
    """A driver that stamps with another clock: session time must go on, or nothing would ever be stale again."""
    with session() as s:
        s.until_alert("DANGER", 1.5)
        s.show(1.5, arrival_ns=time.monotonic_ns() + 3600 * 1000 * MS)
        s.until_alarm("SOURCE_STALE")
        s.until_alert("DANGER", 1.5)
        assert s.core.last_ns is not None
        assert s.core.last_ns <= time.monotonic_ns()


def test_stamps_that_repeat_go_back_or_jump_are_told_of_and_not_used() -> None:
    with session() as s:
        s.until_alert("CAUTION", 3.0)
        used = s.core.memory.last_capture_ns
        s.show(20.0, age_ms=500.0)
        fault = s.until_alarm("TIME_FAULT")
        assert isinstance(fault.body, AlertSet)
        assert s.core.memory.last_capture_ns == used, "the frame was not used"
        assert next(a for a in fault.body.alerts if a.id == BURR).level == "CAUTION"
        s.until_alert("CAUTION", 3.0)


def test_a_hidden_drill_is_unknown_never_clear() -> None:
    with session() as s:
        s.until_alert("DANGER", 1.5)
        lost = s.until(lambda a: any(t.alarm == "TRACKING_LOST" for t in a.technical), showing_mm=None, frames=True)
        assert alarm(lost.body, "TRACKING_LOST").priority == "high"
        assert isinstance(lost.body, AlertSet)
        held = next(a for a in lost.body.alerts if a.id == BURR)
        assert (held.level, held.known, held.distance_mm) == ("DANGER", False, None)


def _raw_dealer(context: zmq.Context[zmq.Socket[bytes]], s: Session) -> zmq.Socket[bytes]:
    sock = context.socket(zmq.DEALER)
    sock.connect(f"tcp://127.0.0.1:{s.server.command_port}")
    return sock


def _answer(sock: zmq.Socket[bytes]) -> Reply:
    assert sock.poll(round(PATIENCE_S * 1e3)), "no answer"
    _, payload = sock.recv_multipart()
    body = decode_envelope(payload).body
    assert isinstance(body, Reply)
    return body


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "not a command"),
        (b"\x00\xff\xfe", "not a command"),
        (b"{" * 3000, "not a command"),
        (b'{"kind":"command","who":"eve","id":"1","order":{"do":"muted","structure":"canal"}}', "did you mean 'mute'"),
        (b'{"kind":"command","who":"eve","id":"1","order":{"do":"mute","structure":"canal","for_ever":true}}', "for_ever"),
        (
            b'{"kind":"command","who":"eve","id":"1","order":{"do":"ack","epoch":"old","alert":"canal/drill/burr","level":"DANGER"}}',
            "another session",
        ),
        (b'{"kind":"command","who":"eve","id":"1","order":{"do":"limits","structure":"canal","caution_mm":1,"danger_mm":2}}', "danger 2 mm"),
        (b'{"kind":"command","who":"eve","id":"1","order":{"do":"limits","structure":"bone","caution_mm":2,"danger_mm":1}}', "no critical structure"),
        (b'{"kind":"command","who":"eve","id":"1","order":{"do":"audio-pause","seconds":1e300}}', "0 to 120"),
        (b'{"kind":"command","who":"eve","id":"1","order":{"do":"accept","result":"registration"}}', "pending"),
        (b'{"kind":"command","who":"eve","id":"1","order":{"do":"collect","what":"pivot","tool":"saw","action":"start"}}', "no tool 'saw'"),
        (b'"' + b"x" * COMMAND_LIMIT_BYTES + b'"', "at most"),
    ],
)
def test_a_bad_command_is_answered_and_the_core_goes_on(running: Session, payload: bytes, words: str) -> None:
    limits = running.core.memory.limits.tolist()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        sock = _raw_dealer(context, running)
        sock.send(payload)
        reply = _answer(sock)
        assert not reply.ok
        assert words.lower() in reply.reason.lower()
        assert "\n" not in reply.reason
    finally:
        context.destroy(linger=0)
    assert running.runs
    assert running.core.memory.limits.tolist() == limits
    assert running.reply(running.client.send(Mark(label="still here"))).ok


def test_a_frame_above_the_hard_limit_costs_its_sender_the_line_and_nobody_else(running: Session) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        _raw_dealer(context, running).send(b"x" * (FRAME_LIMIT_BYTES + 1))
        assert running.reply(running.client.send(Mark(label="after the flood"))).ok
    finally:
        context.destroy(linger=0)
    assert running.runs


@pytest.fixture(scope="module")
def running():  # type: ignore[no-untyped-def]
    """One core for all bad commands: it must survive every one of them."""
    with session() as s:
        yield s


def test_a_stalled_subscriber_delays_no_alert_while_the_core_runs_flat_out() -> None:
    with session() as s:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            stalled = context.socket(zmq.SUB)
            stalled.set(zmq.RCVHWM, 1)
            stalled.set(zmq.RCVBUF, 4096)
            stalled.subscribe("")
            stalled.connect(f"tcp://127.0.0.1:{s.server.pub_port}")
            end, n, waits = time.monotonic() + 2.5, 0, []
            while time.monotonic() < end:
                for _ in range(8):
                    n += 1
                    # In and out of DANGER's distance, as fast as the core takes it.
                    s.show(1.5 if (n // 40) % 2 else 20.0, age_ms=0.0)
                message = s.client.receive(5)
                now = time.monotonic_ns()
                while message is not None:
                    if isinstance(message[1].body, AlertSet):
                        waits.append((now - message[1].t_publish_ns) / MS)
                    s.messages.append(message)
                    message = s.client.receive(0)
                    now = time.monotonic_ns()
            assert stalled.poll(1000), "it was connected all along"
        finally:
            context.destroy(linger=0)
        states = [e for _, e in s.messages if isinstance(e.body, State)]
        assert len(states) > 300, "the core ran fast"
        waits.sort()
        assert waits[len(waits) // 2] < 25.0
        # Not the worst of them: that is this machine's doing, and a stalled subscriber would delay them all.
        assert waits[len(waits) * 95 // 100] < 300.0, "an operator would have called the link lost"
        assert not s.client.link_lost()


class _Disk:
    """Stands for the log's file; full once `full` is set."""

    def __init__(self, stream: object) -> None:
        self._stream, self.full = stream, False

    def write(self, data: bytes) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._stream.write(data)  # type: ignore[attr-defined, no-any-return]

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def test_a_full_disk_ends_the_recording_and_not_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks: list[_Disk] = []

    def opened(path: Path) -> _Disk:
        disks.append(_Disk(path.open("xb")))
        return disks[-1]

    monkeypatch.setattr(mcap_file, "_open", opened)
    with session(log=log_in(tmp_path)) as s:
        s.until_alert("DANGER", 1.5)
        s.show_for(1.0, 1.5)
        disks[0].full = True
        told = s.until(lambda a: any(t.alarm == "DISK_FULL" for t in a.technical), showing_mm=1.5, frames=True)
        assert isinstance(told.body, AlertSet)
        assert alarm(told.body, "DISK_FULL").priority == "high"
        assert told.body.health.recording == "bad"
        # Warnings go on, and so does the answering.
        s.until_alert("CONTACT", -0.5)
        assert s.reply(s.client.send(Mark(label="unrecorded"))).ok
        assert s.runs
    assert not (tmp_path / "session.mcap").exists(), "a log that was not recorded to its end never gets a finished log's name"
    assert (tmp_path / "session.mcap.partial").exists()


def test_state_and_alerts_of_one_frame_agree() -> None:
    """What the alert set says of a pair and what the state of the same input says of it are one number."""
    with session() as s:
        s.until_alert("DANGER", 1.5)
        s.show_for(0.6, 1.5)
        by_seq: dict[int, dict[str, object]] = {}
        for topic, envelope in s.messages:
            by_seq.setdefault(envelope.seq, {})[topic] = envelope.body
        both = [v for v in by_seq.values() if {"state", "alerts"} <= set(v)]
        assert len(both) >= 3
        for pair in both:
            reading = next(r for r in pair["state"].readings if (r.structure, r.part) == ("canal", "burr"))  # type: ignore[attr-defined]
            found = next((a for a in pair["alerts"].alerts if a.id == BURR), None)  # type: ignore[attr-defined]
            if found is not None and found.known:
                assert (found.distance_mm, found.bound_mm) == (reading.distance_mm, reading.bound_mm)


def test_messages_on_the_wire_are_plain_json() -> None:
    """Any language can read an alert: no NaN, no tuples, names as in the nouns."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with session() as s:
        try:
            sock = context.socket(zmq.SUB)
            sock.subscribe("alerts")
            sock.connect(f"tcp://127.0.0.1:{s.server.pub_port}")
            s.until_alert("DANGER", 1.5)
            assert sock.poll(5000)
            topic, payload = sock.recv_multipart()
        finally:
            context.destroy(linger=0)
    assert topic == b"alerts"

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} on the wire")

    read = json.loads(payload, parse_constant=refuse)
    assert {"epoch", "seq", "t_capture_ns", "t_arrival_ns", "t_step_ns", "t_publish_ns", "body"} == set(read)
    assert {"kind", "phase", "t_ns", "alerts", "technical", "pairs", "health"} == set(read["body"])
