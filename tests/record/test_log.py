"""The writer: what is read back, what it costs the loop, and what happens when the disk or the process fails."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader

from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import Event, Tick, encode
from navtwin.record import log as log_module
from navtwin.record import mcap_file
from navtwin.record.format import Record, Stamps, from_log_time, output_hash, to_log_time
from navtwin.record.log import BACKLOG_LIMIT, FLUSH_S, LogWriter
from navtwin.record.read import count, hashes, inputs, outputs, read_log, stamps, truths
from navtwin.record.read import header as read_header
from navtwin.record.recover import recover
from tests.record.logs import RIG, TRUE_SETUP, Case, events, frame, header, new_memory, step, truth, write_session


def test_everything_comes_back_as_it_was_written(session: Path) -> None:
    given_events = events(70)
    assert read_header(session) == header()
    assert list(inputs(session)) == given_events
    assert list(truths(session)) == [TRUE_SETUP]
    memory = new_memory(Case(), RIG, header())
    expected = {e.seq: [(m.topic, m.body) for m in step(Case(), memory, e)] for e in given_events}
    logged: dict[int, list[object]] = {}
    for item in outputs(session):
        logged.setdefault(item.seq, []).append((item.topic, item.body))
    assert logged == {seq: messages for seq, messages in expected.items() if messages}
    assert {h.seq: h.hash for h in hashes(session)} == {
        seq: output_hash((topic, encode(body)) for topic, body in messages) for seq, messages in expected.items() if messages
    }
    assert [s.seq for s in stamps(session)] == sorted(logged)
    assert not session.with_name(session.name + ".partial").exists()


def test_any_mcap_reader_opens_it(session: Path) -> None:
    with session.open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        read = [(channel.topic, message.sequence, message.log_time) for _, channel, message in reader.iter_messages(log_time_order=False)]
        summary = reader.get_summary()
    assert read == [(r.channel, r.seq, r.t_ns) for r in read_log(session)]
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.chunk_count > 10
    assert {s.encoding for s in summary.schemas.values()} == {"jsonschema"}


@given(st.integers(-(1 << 63), (1 << 63) - 1))
@settings(max_examples=100)
def test_log_time_keeps_negative_times(t_ns: int) -> None:
    assert 0 <= to_log_time(t_ns) < 1 << 64
    assert from_log_time(to_log_time(t_ns)) == t_ns


def test_times_before_the_clocks_zero_do_not_break_the_log(tmp_path: Path) -> None:
    path = tmp_path / "early.mcap"
    early = events(5, t0_ns=-40_000_000)
    write_session(path, early)
    assert list(inputs(path)) == early
    assert [r.t_ns for r in read_log(path, ("/input",))] == [e.t_ns for e in early]


@given(rate_hz=st.floats(20.0, 400.0), jitter=st.floats(0.0, 0.4), seed=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_states_are_thinned_to_60_hz_and_slower_streams_are_kept_whole(
    tmp_path_factory: pytest.TempPathFactory, rate_hz: float, jitter: float, seed: object
) -> None:
    path = tmp_path_factory.mktemp("thin") / "log.mcap"
    number = 80
    body = [("state", b"{}"), ("alerts", b"{}")]
    with LogWriter(path, live=False) as log:
        for n in range(number):
            t_ns = round((n + jitter * seed.uniform(-0.5, 0.5)) / rate_hz * 1e9)  # type: ignore[attr-defined]
            log.write_outputs(n, t_ns, body)  # type: ignore[arg-type]
    counts = count(path)
    assert counts["/output/alerts"] == counts["/hash"] == number
    if rate_hz <= 60.0:
        assert counts["/output/state"] == number
    else:
        assert counts["/output/state"] <= number / rate_hz * 60.0 + 3


def test_an_existing_recording_is_never_overwritten(session: Path, tmp_path: Path) -> None:
    before = session.read_bytes()
    with pytest.raises(InputRefused, match="already exists"):
        LogWriter(session)
    assert session.read_bytes() == before
    (tmp_path / "b.mcap.partial").write_bytes(b"something")
    with pytest.raises(InputRefused, match="not finished"):
        LogWriter(tmp_path / "b.mcap")
    assert (tmp_path / "b.mcap.partial").read_bytes() == b"something"
    with pytest.raises(InputRefused, match="Check the folder"):
        LogWriter(tmp_path / "no such folder" / "c.mcap")


def test_a_broken_session_leaves_a_partial_log_that_recovers(tmp_path: Path) -> None:
    path = tmp_path / "broken.mcap"
    with pytest.raises(ZeroDivisionError), LogWriter(path, live=False) as log:
        log.write_header(header())
        for event in events(10):
            log.write_event(event)
        raise ZeroDivisionError
    assert not path.exists()
    with pytest.raises(LogDamaged, match=r"not finished.*navtwin recover"):
        next(read_log(path.with_name("broken.mcap.partial")))
    rescue = recover(path.with_name("broken.mcap.partial"))
    assert rescue.inputs == len(events(10))
    assert list(inputs(rescue.out)) == events(10)


class _FullDisk(io.FileIO):
    """A file on a disk with room for `room` bytes."""

    room = 20_000

    def write(self, data: object) -> int:
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        if self.tell() + size > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.name)
        return super().write(data)  # type: ignore[arg-type]


def test_a_full_disk_is_an_oserror_in_the_loop_and_what_fitted_is_rescued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chunks: None
) -> None:
    monkeypatch.setattr(mcap_file, "_open", lambda path: io.BufferedWriter(_FullDisk(path, "xb"), 512))
    path = tmp_path / "full.mcap"
    log = LogWriter(path)
    log.write_header(header())
    with pytest.raises(OSError, match="No space left") as caught:
        for event in events(20_000):
            log.write_event(event)
            if event.seq % 50 == 0:
                time.sleep(0.005)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        log.write_event(Event(seq=1, t_ns=1, body=Tick()))
    with pytest.raises(LogDamaged, match=r"No space left.*navtwin recover"):
        log.finish()
    assert not path.exists()
    with pytest.raises(InputRefused, match="Name a place with space"):
        recover(log.partial)
    monkeypatch.undo()
    rescue = recover(log.partial)
    assert rescue.has_header
    assert rescue.inputs > 50
    assert list(inputs(rescue.out)) == events(20_000)[: rescue.inputs]


def test_a_disk_that_hangs_is_told_to_a_live_session_and_waited_for_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navtwin.record.log.BACKLOG_LIMIT", 50)
    monkeypatch.setattr(LogWriter, "_write", lambda self, item: time.sleep(0.002))
    tick = Event(seq=1, t_ns=1, body=Tick())
    live = LogWriter(tmp_path / "live.mcap")
    with pytest.raises(OSError, match="too slow"):
        for _ in range(1000):
            live.write_event(tick)
    live.abandon()
    patient = LogWriter(tmp_path / "patient.mcap", live=False)
    for _ in range(100):
        patient.write_event(tick)
    patient.finish()
    assert BACKLOG_LIMIT > 1000


_WRITER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.record.logs import header, frame
from navtwin.nouns import Event
from navtwin.record.log import LogWriter
log = LogWriter({path!r})
log.write_header(header())
start, n = time.monotonic(), 0
while True:
    log.write_event(Event(seq=n + 1, t_ns=time.monotonic_ns(), body=frame(n)))
    n += 1
    time.sleep(0.002)
    if n % 20 == 0:
        print(time.monotonic_ns(), flush=True)
"""


def test_a_killed_process_loses_at_most_a_second(tmp_path: Path) -> None:
    path, root = tmp_path / "killed.mcap", Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", _WRITER.format(root=str(root), path=str(path))], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last_ns, until = 0, None
        while until is None or time.monotonic() < until:
            last_ns = int(process.stdout.readline())
            until = until or time.monotonic() + 2.5 * FLUSH_S
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    rescue = recover(path.with_name("killed.mcap.partial"))
    kept = list(inputs(rescue.out))
    assert [e.seq for e in kept] == list(range(1, len(kept) + 1))
    assert (last_ns - kept[-1].t_ns) * 1e-9 < 1.0


def test_the_loop_pays_little(tmp_path: Path) -> None:
    """The law is 50 us a frame; the bound here leaves room for a busy machine."""
    memory, spans = new_memory(Case(), RIG, header()), []
    with LogWriter(tmp_path / "cost.mcap") as log:
        log.write_header(header())
        for event in events(300):
            out = [(m.topic, encode(m.body) * 1) for m in step(Case(), memory, event)]
            payload = encode(event)
            begin = time.perf_counter_ns()
            log.write_event(event, payload)
            log.write_outputs(event.seq, event.t_ns, out, Stamps(seq=event.seq, t_arrival_ns=1, t_step_ns=2, t_publish_ns=3))
            spans.append(time.perf_counter_ns() - begin)
            time.sleep(0.0005)
    assert sorted(spans)[len(spans) // 2] < 50_000


def test_hours_of_a_fast_session_leave_little_in_memory(tmp_path: Path) -> None:
    """The writer keeps an entry of about 1 kB for every chunk until the end: 64 KiB chunks of 5 MB a second were 150 MiB an hour."""
    megabytes = 16
    with LogWriter(tmp_path / "s.mcap", live=False) as log:
        log.write_header(header())
        for n in range(megabytes * 64):
            log.write_outputs(n + 1, n, [("alerts", b'"' + os.urandom(8_000).hex().encode() + b'"')])
    with (tmp_path / "s.mcap").open("rb") as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    # Half a second ends a chunk too, on a slow machine.
    assert len(summary.chunk_indexes) < 4 * megabytes


def test_truth_stands_where_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "truth.mcap"
    with LogWriter(path, live=False) as log:
        log.write_header(header())
        log.write_truth(TRUE_SETUP)
        for n in range(3):
            log.write_event(Event(seq=n + 1, t_ns=frame(n).t_arrival_ns, body=frame(n)))
            log.write_truth(truth(n))
    assert list(truths(path)) == [TRUE_SETUP, truth(0), truth(1), truth(2)]
    assert [r.channel for r in read_log(path)] == ["/header", "/truth"] + ["/input", "/truth"] * 3


class Written:
    """A recorder with records handed over, and what its thread has written of them."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, poll_s: float, goes_on_after: int = 0) -> None:
        monkeypatch.setattr(log_module, "POLL_S", poll_s)
        self.count, self.log = 0, LogWriter(path)
        add = self.log._file.add

        def noted(record: Record) -> None:
            add(record)
            self.count += 1
            if self.count == goes_on_after:
                self.log.go_on()

        monkeypatch.setattr(self.log._file, "add", noted)

    def hand_over(self, first: int, count: int) -> None:
        for seq in range(first, first + count):
            self.log.write_event(Event(seq=seq, t_ns=seq, body=Tick()))

    def comes_to(self, count: int) -> bool:
        """Whether so many are written before long."""
        until = time.monotonic() + 5.0
        while self.count < count and time.monotonic() < until:
            time.sleep(0.002)
        return self.count == count


def test_the_log_is_written_while_the_loop_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written(tmp_path / "s.mcap", monkeypatch, poll_s=30.0)
    written.hand_over(1, 5)
    time.sleep(0.05)
    assert written.count == 0, "the loop is at work"
    written.log.rest()
    assert written.comes_to(5)
    written.log.go_on()
    written.hand_over(6, 5)
    time.sleep(0.05)
    assert written.count == 5
    written.log.finish()
    assert [event.seq for event in inputs(tmp_path / "s.mcap")] == list(range(1, 11))


def test_the_log_stops_between_two_records_when_the_loop_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written(tmp_path / "s.mcap", monkeypatch, poll_s=30.0, goes_on_after=2)
    written.hand_over(1, 5)
    written.log.rest()
    assert written.comes_to(2)
    time.sleep(0.05)
    assert written.count == 2
    written.log.rest()
    assert written.comes_to(5)
    written.log.finish()


@pytest.mark.parametrize("rests", [False, True])
def test_a_loop_that_never_rests_or_never_for_long_is_recorded_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rests: bool) -> None:
    written = Written(tmp_path / "s.mcap", monkeypatch, poll_s=0.01)
    until = time.monotonic() + 5.0
    written.hand_over(1, 100)
    while written.count < 100 and time.monotonic() < until:
        if rests:
            written.log.rest()
            written.log.go_on()
    assert written.count == 100
    written.log.finish()
