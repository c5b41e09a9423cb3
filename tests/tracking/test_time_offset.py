"""Time offset between two streams: against simulated truth, and what has to make it refuse."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibration_cases import TwoStreams, rigid, smooth_motion, two_streams
from navtwin.calibrate import TimeOffset, time_offset
from navtwin.errors import InputRefused


def found_in(s: TwoStreams, widest_s: float = 1.0) -> TimeOffset:
    return time_offset(s.t_first_ns, s.x_first, s.t_second_ns, s.x_second, widest_s)


@pytest.mark.parametrize(("kind", "count"), [("poses", 6), ("points", 10), ("speeds", 10)])
def test_within_two_milliseconds_and_four_sd(kind: str, count: int) -> None:
    for seed in range(count):
        s = two_streams(np.random.default_rng(seed), kind, 60.0, 30.0, seconds=10.0)
        found = found_in(s)
        assert found.accepted, found.reasons
        assert abs(found.offset_ns - s.offset_ns) < 2e6
        assert abs(found.offset_ns - s.offset_ns) < 4.0 * found.sd_ns
        assert found.sd_ns < 1.5e6


def test_swapping_the_streams_changes_the_sign_only() -> None:
    s = two_streams(np.random.default_rng(3), "points", 60.0, 30.0)
    there, back = found_in(s), time_offset(s.t_second_ns, s.x_second, s.t_first_ns, s.x_first, 1.0)
    assert there.offset_ns == pytest.approx(-back.offset_ns, abs=2000)


def test_poses_that_one_stream_states_the_other_way_round() -> None:
    """One tracker says where the body is for it, the other where it is for the body."""
    s = two_streams(np.random.default_rng(4), "poses", 60.0, 30.0)
    found = time_offset(s.t_first_ns, s.x_first, s.t_second_ns, np.linalg.inv(s.x_second), 1.0)
    assert found.accepted, found.reasons
    assert abs(found.offset_ns - s.offset_ns) < 2e6


def test_a_gap_in_a_stream_is_borne() -> None:
    s = two_streams(np.random.default_rng(5), "points", 60.0, 30.0)
    keep = (s.t_first_ns < s.t_first_ns[300]) | (s.t_first_ns > s.t_first_ns[400])
    found = time_offset(s.t_first_ns[keep], s.x_first[keep], s.t_second_ns, s.x_second, 1.0)
    assert found.accepted, found.reasons
    assert abs(found.offset_ns - s.offset_ns) < 2e6


def _faulty(kind: str) -> TwoStreams:
    rng, t = np.random.default_rng(6), np.arange(0.0, 12.0, 1.0 / 40.0)
    t_ns = np.round(t * 1e9).astype(np.int64)
    motion, other = smooth_motion(rng), smooth_motion(rng)
    if kind == "periodic":
        x = np.sin(2.0 * np.pi * 1.5 * t)
        return TwoStreams(t_ns, x + 0.02 * rng.normal(size=len(t)), t_ns, x + 0.02 * rng.normal(size=len(t)), 0.0)
    if kind == "still":
        x = rigid(1e-3 * rng.normal(size=(len(t), 3)), 0.1 * rng.normal(size=(len(t), 3)))
        return TwoStreams(t_ns, x, t_ns, x, 0.0)
    if kind == "strangers":
        return TwoStreams(t_ns, motion(t)[:, :1], t_ns, other(t)[:, :1], 0.0)
    x = motion(t)[:, :3]
    return TwoStreams(t_ns, x, t_ns + 1_000_000_000, x, 0.0)


@pytest.mark.parametrize(
    ("kind", "words"), [("periodic", "repeats itself"), ("still", "hardly moves"), ("strangers", "share no motion"), ("far", "search wider")]
)
def test_refusals_say_why(kind: str, words: str) -> None:
    found = found_in(_faulty(kind), 0.5 if kind == "far" else 1.0)
    assert not found.accepted
    assert any(words in reason for reason in found.reasons), found.reasons


def test_streams_that_never_overlap() -> None:
    s = two_streams(np.random.default_rng(7), "points", 60.0, 30.0)
    with pytest.raises(InputRefused, match="do not overlap"):
        time_offset(s.t_first_ns, s.x_first, s.t_second_ns + 60_000_000_000, s.x_second)


@pytest.mark.parametrize(("kind", "words"), [("nan", "sample 9"), ("order", "time 5"), ("short", "20 samples"), ("lengths", "one value or pose")])
def test_streams_that_are_none(kind: str, words: str) -> None:
    s = two_streams(np.random.default_rng(8), "points", 60.0, 30.0)
    t, x = s.t_first_ns.copy(), s.x_first.copy()
    if kind == "nan":
        x[9, 1] = np.nan
    elif kind == "order":
        t[5] = t[4]
    elif kind == "short":
        t, x = t[:20], x[:20]
    else:
        x = x[:-1]
    with pytest.raises(InputRefused, match=words):
        time_offset(t, x, s.t_second_ns, s.x_second)
