"""The latency benchmark's accounts cannot lie: whatever is lost, doubled, merged or late is told."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MS = 1_000_000


@pytest.fixture(autouse=True)
def _beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def _sound(frames: int = 20):  # type: ignore[no-untyped-def]
    """Notes and rows of a run in which nothing was lost: a frame each 10 ms, an alert set with every second one."""
    from latency_parts.core import Notes
    from latency_parts.receiver import ALERTS, STATE

    due = [1000 * MS + 10 * MS * n for n in range(frames)]
    notes = Notes(
        first=True,
        due_ns=due,
        handed_ns=[t + MS for t in due],
        stepped_ns=due,
        begun_ns=[t + 2 * MS for t in due],
        done_ns=[t + 5 * MS for t in due],
        alerts=[100 + n for n in range(0, frames, 2)],
        states=list(range(1, frames + 1)),
        silences=[],
    )
    rows = [(STATE, 100 + n, n + 1, t, t + 4 * MS, t + 4 * MS, t + 6 * MS, 0) for n, t in enumerate(due)]
    rows += [(ALERTS, 100 + n, 0, due[n], due[n] + 3 * MS, due[n] + 3 * MS, due[n] + 4 * MS, 0) for n in range(0, frames, 2)]
    # A set that repeats itself before the first frame is nobody's.
    rows.append((ALERTS, 99, 0, 0, 0, 0, 0, 0))
    return notes, np.array(rows)


def test_nothing_is_lost_where_nothing_is_lost() -> None:
    from latency_parts.accounts import accounts

    notes, rows = _sound()
    found = accounts(notes, rows, list(range(1, 21)))
    assert (found.lost, found.dropped) == ({}, 0)
    assert (found.emitted, found.stepped, found.published, found.received, found.logged) == (20, 20, 20, 20, 20)
    assert (found.alerts_published, found.alerts_received) == (10, 10)


@pytest.mark.parametrize("what", ["a state", "an alert set", "a state doubled", "one lost and one doubled"])
def test_a_receiver_that_loses_or_doubles_messages_is_reported(what: str) -> None:
    from latency_parts.accounts import accounts
    from latency_parts.receiver import ALERTS, TOPIC

    notes, rows = _sound()
    states, alerts = np.flatnonzero(rows[:, TOPIC] != ALERTS), np.flatnonzero(rows[:, TOPIC] == ALERTS)
    changed = {
        "a state": np.delete(rows, states[7], axis=0),
        "an alert set": np.delete(rows, alerts[3], axis=0),
        "a state doubled": np.vstack((rows, rows[states[7]])),
        "one lost and one doubled": np.vstack((np.delete(rows, states[7], axis=0), rows[states[3]])),
    }[what]
    found = accounts(notes, changed, list(range(1, 21)))
    assert found.dropped == (2 if what == "one lost and one doubled" else 1)
    assert any(cell.startswith("LOST") for cell, _ in found.rows)


@pytest.mark.parametrize(
    ("field", "value", "lost"),
    [
        ("stepped_ns", lambda ns: ns[:-1], "frames not stepped"),
        ("stepped_ns", lambda ns: [*ns[:-1], ns[-2]], "frames not stepped"),
        ("states", lambda numbers: numbers[:-2], "states not received"),
    ],
)
def test_a_frame_that_the_core_loses_or_merges_is_reported(field: str, value, lost: str) -> None:  # type: ignore[no-untyped-def]
    import msgspec
    from latency_parts.accounts import accounts

    notes, rows = _sound()
    found = accounts(msgspec.structs.replace(notes, **{field: value(getattr(notes, field))}), rows, None)
    assert found.dropped > 0
    assert any(what.startswith(lost) for what in found.lost)
    assert found.logged is None


def test_states_that_a_fast_source_s_core_does_not_publish_are_not_lost() -> None:
    import msgspec
    from latency_parts.accounts import accounts
    from latency_parts.receiver import FRAME, STATE, TOPIC

    notes, rows = _sound()
    published = list(range(1, 21, 3))
    heard = rows[(rows[:, TOPIC] != STATE) | np.isin(rows[:, FRAME], published)]
    assert accounts(msgspec.structs.replace(notes, states=published), heard, None).lost == {}
    assert accounts(msgspec.structs.replace(notes, states=published), heard[1:], None).dropped == 1


@pytest.mark.parametrize("numbers", [[*range(1, 20)], [*range(1, 21), 20], [*range(2, 21), 1]])
def test_a_log_that_lacks_a_frame_or_has_it_twice_or_elsewhere_is_reported(numbers: list[int]) -> None:
    from latency_parts.accounts import accounts

    notes, rows = _sound()
    assert accounts(notes, rows, numbers).dropped > 0


def test_each_stage_is_told_from_the_stamps_that_bound_it() -> None:
    from latency_parts.receiver import Acks
    from latency_parts.stages import BACK, TO_ALERT, TO_DONE, TO_STATE, samples

    notes, rows = _sound()
    begun = notes.due_ns[4]
    acks = Acks(done=[(notes.due_ns[6], notes.due_ns[6] + 4 * MS, notes.due_ns[6] + 5 * MS, notes.due_ns[6] + 13 * MS), (notes.due_ns[0], 0, 0, 0)])
    found = samples(notes, rows, acks, begun, notes.due_ns[-1] + 1)
    means = {name: (len(took), float(np.mean(took))) for name, took in found.items()}
    assert means == {
        "pose due -> handed over by the source": (16, 1.0),
        "handed over -> step begun": (16, 1.0),
        "step begun -> alerts judged": (8, 1.0),
        "alerts judged -> alert published": (8, 0.0),
        "alert published -> received": (8, 1.0),
        TO_ALERT: (8, 4.0),
        TO_STATE: (16, 6.0),
        "step begun -> frame done with": (16, 3.0),
        TO_DONE: (16, 5.0),
        "alert received -> acknowledged set received": (1, 9.0),
        BACK: (1, 13.0),
    }


def test_a_frame_so_late_that_no_alert_comes_of_it_is_counted_all_the_same() -> None:
    import msgspec
    from latency_parts.accounts import accounts
    from latency_parts.load import LOADS
    from latency_parts.measure import Measured
    from latency_parts.receiver import Acks, Heard
    from latency_parts.stages import samples
    from latency_parts.tell import tell

    notes, rows = _sound()
    notes = msgspec.structs.replace(notes, done_ns=[t + 200 * MS * (n in (3, 5)) for n, t in enumerate(notes.done_ns)])
    acks = Acks()
    found = samples(notes, rows, acks, notes.due_ns[0], notes.due_ns[-1] + 1)
    told = tell(Measured(LOADS["full"], found, accounts(notes, rows, None), Heard(rows, acks, 0, 0), notes, ()))
    assert {f.name: f.value for f in told.figures}["full: frames later than max_age"] == 2


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_a_subscriber_that_is_called_stalled_is_held_by_the_system() -> None:
    import multiprocessing

    from latency_parts.neighbours import Crowd, Subscribers, burn

    from navtwin.errors import NavtwinError

    start = multiprocessing.get_context("spawn")
    stop, (end, _) = start.Event(), start.Pipe()
    process = start.Process(target=burn, args=(stop,), daemon=True)
    process.start()
    try:
        group = Subscribers(1, process, end, stalled=True)
        with pytest.raises(NavtwinError, match="stalled runs"):
            Crowd([group], stop).check_stalled()
        os.kill(process.pid or 0, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid or 0, os.WSTOPPED | os.WNOWAIT)
        Crowd([group], stop).check_stalled()
    finally:
        stop.set()
        os.kill(process.pid or 0, signal.SIGCONT)
        process.join(10.0)


def test_a_silence_that_was_not_shown_is_no_sample_but_counted() -> None:
    from latency_parts.receiver import ALERTS
    from latency_parts.silence import lateness_ms

    notes, _ = _sound()
    silences = [(1000 * MS, 1400 * MS), (2000 * MS, 2400 * MS), (3000 * MS, 3400 * MS)]
    notes = type(notes)(**{**{n: getattr(notes, n) for n in notes.__struct_fields__}, "silences": silences})
    shown = [(ALERTS, 1, 0, 0, 0, 0, 1112 * MS, 1), (ALERTS, 2, 0, 0, 0, 0, 1150 * MS, 1), (ALERTS, 3, 0, 0, 0, 0, 2150 * MS, 0)]
    shown.append((ALERTS, 4, 0, 0, 0, 0, 3401 * MS, 1))
    assert lateness_ms(notes, np.array(shown), 100 * MS) == ([12.0], 2)


@pytest.mark.parametrize(("most", "expected"), [(10_000.0, 3000.0), (1100.0, 1000.0), (600.0, 500.0), (100.0, 0.0)])
def test_the_highest_rate_is_sought_upwards_and_else_downwards(most: float, expected: float) -> None:
    from latency_parts.ceiling import climb

    assert climb(1000.0, lambda rate_hz: rate_hz <= most) == expected


def test_numbers_that_went_to_a_file_come_back_in_their_order() -> None:
    from latency_parts.column import BLOCK, Column

    column = Column()
    for n in range(2 * BLOCK + 5):
        column.append(n * n)
    assert (len(column), column.last) == (2 * BLOCK + 5, (2 * BLOCK + 4) ** 2)
    assert column.tolist() == [n * n for n in range(2 * BLOCK + 5)]
