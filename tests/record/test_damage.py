"""Cut and altered logs: always named, never wrong data, and everything that is whole is rescued."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, LogDamaged
from navtwin.record import format as log_format
from navtwin.record import mcap_file
from navtwin.record.chunks import check, records_of
from navtwin.record.format import Record
from navtwin.record.log import LogWriter
from navtwin.record.read import decode, read_log
from navtwin.record.read import header as read_header
from navtwin.record.recover import recover
from tests.record.logs import events, header, write_session

Altered = Callable[[bytes], Path]


@pytest.fixture
def session(tmp_path: Path, small_chunks: None) -> Path:
    path = tmp_path / "session.mcap"
    write_session(path, events(36))
    return path


def _records_per_chunk(session: Path) -> list[tuple[int, int]]:
    """Where each chunk ends, and how many records it has."""
    data = memoryview(session.read_bytes())
    return [(chunk.end, len(list(records_of(data, chunk)))) for chunk in check(data)]


def _rescued(path: Path) -> list[Record]:
    out = path.with_name("rescued.mcap")
    out.unlink(missing_ok=True)
    recover(path, out)
    return list(read_log(out))


def test_a_log_cut_anywhere_is_named_and_rescued_up_to_the_cut(session: Path, records: list[Record], altered: Altered) -> None:
    data, dice = session.read_bytes(), random.Random(1)
    per_chunk = _records_per_chunk(session)
    cuts = sorted({*range(12), *(dice.randrange(len(data)) for _ in range(200)), *range(len(data) - 12, len(data))})
    for cut in cuts:
        path = altered(data[:cut])
        with pytest.raises(LogDamaged, match=r"altered\.mcap is "):
            next(read_log(path))
        whole = sum(number for end, number in per_chunk if end <= cut)
        if whole:
            assert _rescued(path) == records[:whole]
        else:
            with pytest.raises(LogDamaged, match="nothing to rescue"):
                recover(path, path.with_name("rescued.mcap"))


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_anywhere_is_detected_and_the_rest_rescued(session: Path, records: list[Record], altered: Altered, data: st.DataObject) -> None:
    bits = bytearray(session.read_bytes())
    at = data.draw(st.integers(0, len(bits) * 8 - 1))
    bits[at // 8] ^= 1 << (at % 8)
    _assert_detected(bytes(bits), records, altered)


def test_a_flipped_bit_in_the_head_of_a_chunk_costs_that_chunk_at_most(session: Path, records: list[Record], altered: Altered) -> None:
    """Its two sizes among the rest: a false one must not hide the chunks that it claims to cover."""
    whole = session.read_bytes()
    chunk = check(memoryview(whole))[0]
    # A low bit of each byte and its highest: sizes that are a little and far too large.
    for at in (8 * byte + bit for byte in range(chunk.start, chunk.start + 60) for bit in (1, 7)):
        bits = bytearray(whole)
        bits[at // 8] ^= 1 << (at % 8)
        _assert_detected(bytes(bits), records, altered)


def test_flipped_bits_at_random_are_detected(session: Path, records: list[Record], altered: Altered) -> None:
    dice, whole = random.Random(2), session.read_bytes()
    for _ in range(100):
        bits = bytearray(whole)
        at = dice.randrange(len(bits))
        bits[at] ^= 1 << dice.randrange(8)
        _assert_detected(bytes(bits), records, altered)


def _assert_detected(data: bytes, records: list[Record], altered: Altered) -> None:
    path = altered(data)
    with pytest.raises(LogDamaged):
        next(read_log(path))
    try:
        rescued = _rescued(path)
    except LogDamaged as refused:
        # A flip in the profile's number makes a log of another version of it.
        assert "log format" in str(refused)
        return
    # One chunk at most is lost, and nothing that was not written comes back.
    remaining = iter(records)
    assert all(record in remaining for record in rescued)
    assert len(rescued) > len(records) * 0.5


def test_garbage_and_overwritten_stretches_cost_only_their_own_chunks(session: Path, records: list[Record], altered: Altered) -> None:
    data, dice = bytearray(session.read_bytes()), random.Random(3)
    chunks = check(memoryview(bytes(data)))
    victim = chunks[len(chunks) // 2]
    data[victim.start - 5 : victim.start + 200] = dice.randbytes(205)
    path = altered(bytes(data))
    rescue = recover(path)
    lost = len(records) - rescue.records
    assert 0 < lost < len(records) / 5
    assert rescue.unreadable_bytes > 200
    assert rescue.has_header
    assert sum(gap.inputs for gap in rescue.gaps) == sum(r.channel == "/input" for r in records) - rescue.inputs
    assert path.read_bytes() == bytes(data)


def test_a_lost_first_chunk_takes_only_the_header_with_it(session: Path, altered: Altered) -> None:
    data = bytearray(session.read_bytes())
    first = check(memoryview(bytes(data)))[0]
    data[first.start + 60] ^= 0xFF
    rescue = recover(altered(bytes(data)))
    assert not rescue.has_header
    assert rescue.inputs > 50
    with pytest.raises(LogDamaged, match="no header"):
        read_header(rescue.out)


def test_a_whole_log_is_rescued_whole(session: Path, records: list[Record]) -> None:
    rescue = recover(session)
    assert (rescue.was, rescue.gaps, rescue.unreadable_bytes, rescue.end_lost_s) == ("", (), 0, 0.0)
    assert list(read_log(rescue.out)) == records
    with pytest.raises(InputRefused, match="already exists"):
        recover(session)


def test_recover_never_overwrites_its_source(session: Path) -> None:
    before = session.read_bytes()
    with pytest.raises(InputRefused, match="damaged log itself"):
        recover(session, session)
    unfinished = session.rename(session.with_name("s.mcap.partial"))
    with pytest.raises(InputRefused, match="damaged log itself"):
        recover(unfinished, unfinished.with_name("s.mcap"))
    assert unfinished.read_bytes() == before


def test_what_the_cut_took_is_reported(session: Path, altered: Altered) -> None:
    data = session.read_bytes()
    torn = check(memoryview(data))[-3]
    rescue = recover(altered(data[: torn.start + 60]))
    assert rescue.unreadable_bytes == 60
    assert rescue.end_lost_s is not None
    assert 0.0 < rescue.end_lost_s < 1.0


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"hello, this is not a log at all", "not a navtwin log"), (b"\x89MCAP0\r\n", "is cut")],
)
def test_what_is_not_a_log_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.mcap"
    path.write_bytes(content)
    with pytest.raises(LogDamaged, match=said):
        next(read_log(path))
    with pytest.raises(LogDamaged, match="nothing to rescue"):
        recover(path)


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="No such file"):
        next(read_log(tmp_path / "none.mcap"))


def test_another_version_and_another_program_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for profile, said in (("navtwin-2", "log format 'navtwin-2'"), ("ros2", "not a navtwin log")):
        path = tmp_path / f"{profile}.mcap"
        monkeypatch.setattr(mcap_file, "PROFILE", profile)
        with LogWriter(path, live=False) as log:
            log.write_header(header())
        with pytest.raises(LogDamaged, match=said):
            next(read_log(path))
    with pytest.raises(LogDamaged, match="log format 'navtwin-2'"):
        recover(tmp_path / "navtwin-2.mcap")
    assert log_format.PROFILE == "navtwin-1"


def test_a_record_of_another_schema_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "odd.mcap"
    with LogWriter(path, live=False) as log:
        log.write_event(events(1)[0], b'{"seq":1,"t_ns":2,"body":{"kind":"tick"},"novelty":3}')
    record = next(read_log(path))
    with pytest.raises(LogDamaged, match=r"record 1 of /input.*novelty"):
        decode(record, path)
