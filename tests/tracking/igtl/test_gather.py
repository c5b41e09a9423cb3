"""From poses one by one to frames, on made-up clocks: every rule that `gather` states."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.nouns import Pose, Sighting, TrackerFrame
from tests.tracking.igtl.sender import rig
from tracking.igtl.gather import Gatherer
from tracking.igtl.sightings import Seen

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


def one(body: str, stamp_ns: int, x: float = 0.0) -> Seen:
    pose = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(x, 0.0, 0.0))
    return Seen(stamp_ns, {body: Sighting(body=body, status="OK", pose=pose)}, whole=False)


def whole(stamp_ns: int, **xs: float) -> Seen:
    return Seen(stamp_ns, {body: one(body, stamp_ns, x).sightings[body] for body, x in xs.items()}, whole=True)


def told(frame: TrackerFrame) -> dict[str, str]:
    return {s.body: s.status for s in frame.sightings}


def gatherer(*bodies: str, rate_hz: float = 60.0) -> Gatherer:
    return Gatherer(rig(*bodies or ("A", "B"), rate_hz=rate_hz), "igtl:test")


def test_a_complete_instant_is_handed_on_with_its_last_pose() -> None:
    g = gatherer()
    assert g.take(one("A", T0), 1000 * MS) == []
    assert g.due_ns == 1010 * MS
    (frame,) = g.take(one("B", T0), 1001 * MS)
    assert told(frame) == {"A": "OK", "B": "OK"}
    # Captured: when the first came, less the rig's 20 ms. Arrived: when the last came.
    assert (frame.t_capture_ns, frame.t_arrival_ns, frame.stamp, frame.t_device_ns) == (980 * MS, 1001 * MS, "assumed", T0)
    assert g.due_ns is None


def test_the_next_instant_ends_the_one_before() -> None:
    g = gatherer()
    g.take(one("A", T0), 0)
    (frame,) = g.take(one("A", T0 + 17 * MS), 2 * MS)
    assert told(frame) == {"A": "OK", "B": "MISSING"}
    assert frame.number == 1


def test_who_was_missing_three_times_is_not_waited_for_until_it_comes_again() -> None:
    g = gatherer()
    for n in range(3):
        assert g.take(one("A", T0 + n * 20 * MS), n * 20 * MS) == []
        assert told(g.hand_on())["B"] == "MISSING"
    assert [told(f) for f in g.take(one("A", T0 + 60 * MS), 60 * MS)] == [{"A": "OK", "B": "MISSING"}], "at once"
    # B comes late for that instant: dropped, and waited for from then on.
    assert g.take(one("B", T0 + 60 * MS), 61 * MS) == []
    assert g.late == 1
    assert g.take(one("A", T0 + 80 * MS), 80 * MS) == []
    assert [told(f) for f in g.take(one("B", T0 + 80 * MS), 81 * MS)] == [{"A": "OK", "B": "OK"}]


def test_stamps_that_lie_close_are_one_instant_and_far_ones_are_not() -> None:
    g = gatherer()
    g.take(one("A", T0), 0)
    assert len(g.take(one("B", T0 + 3 * MS), MS)) == 1
    assert g.apart_ns == 3 * MS
    g.take(one("A", T0 + 20 * MS), 20 * MS)
    (frame,) = g.take(one("B", T0 + 26 * MS), 21 * MS)
    assert told(frame) == {"A": "OK", "B": "MISSING"}
    assert g.due_ns is not None


def test_at_a_thousand_frames_a_second_the_neighbours_are_not_mixed() -> None:
    g = gatherer(rate_hz=1000.0)
    g.take(one("A", T0), 0)
    (frame,) = g.take(one("B", T0 + MS), MS)
    assert told(frame) == {"A": "OK", "B": "MISSING"}


def test_a_repeated_pose_with_the_same_stamp_is_no_news() -> None:
    g = gatherer("A")
    assert len(g.take(one("A", T0, 1.0), 0)) == 1
    for n in range(5):
        assert g.take(one("A", T0, 1.0), n * MS) == []
    assert g.repeats == 5
    assert len(g.take(one("A", T0 + 17 * MS, 1.0), 17 * MS)) == 1, "a tool that lies still is news, by its new stamp"
    assert g.repeats == 0
    assert len(g.take(one("A", T0 + 17 * MS, 2.0), 18 * MS)) == 1, "another pose is news, whatever its stamp says"


def test_a_repeat_within_an_open_instant_does_not_end_it() -> None:
    g = gatherer()
    g.take(one("A", T0, 1.0), 0)
    assert g.take(one("A", T0, 1.0), MS) == []
    assert len(g.take(one("B", T0, 1.0), 2 * MS)) == 1


def test_repeated_tracking_data_are_no_news() -> None:
    g = gatherer()
    assert len(g.take(whole(T0, A=1.0), 0)) == 1
    assert g.take(whole(T0, A=1.0), MS) == []
    assert len(g.take(whole(T0, A=1.0, B=2.0), 2 * MS)) == 1
    assert g.take(one("A", T0, 1.0), 3 * MS) == [], "the same pose once more as a TRANSFORM"


def test_without_stamps_a_repeat_cannot_be_told_from_a_still_tool() -> None:
    g = gatherer("A")
    assert [len(g.take(one("A", 0, 1.0), n * 17 * MS)) for n in range(3)] == [1, 1, 1]
    frame = g.take(one("A", 0, 1.0), 60 * MS)[0]
    assert frame.t_device_ns is None


def test_without_stamps_arrival_tells_late_from_new() -> None:
    g = gatherer()
    g.take(one("A", 0), 0)
    g.hand_on()
    assert g.take(one("B", 0), 2 * MS) == []
    assert g.late == 1
    assert g.take(one("B", 0), 40 * MS) == []
    assert g.due_ns is not None, "much later it is the beginning of the next"


def test_a_tool_left_out_of_tracking_data_is_out_of_view() -> None:
    g = gatherer()
    (frame,) = g.take(whole(T0, B=1.0), 5 * MS)
    assert told(frame) == {"A": "OUT_OF_VIEW", "B": "OK"}
    (empty,) = g.take(whole(T0 + 17 * MS), 20 * MS)
    assert told(empty) == {"A": "OUT_OF_VIEW", "B": "OUT_OF_VIEW"}


def test_tracking_data_end_an_open_instant() -> None:
    g = gatherer()
    g.take(one("A", T0), 0)
    assert [told(f)["B"] for f in g.take(whole(T0 + 17 * MS, A=1.0, B=1.0), 17 * MS)] == ["MISSING", "OK"]


def test_a_clock_that_goes_back_orders_nothing() -> None:
    g = gatherer("A")
    frames = [f for n, stamp in enumerate((T0, T0 - 3600 * 1000 * MS, T0 + MS)) for f in g.take(one("A", stamp), n * 17 * MS)]
    assert [f.number for f in frames] == [1, 2, 3]
    assert [f.t_capture_ns for f in frames] == sorted(f.t_capture_ns for f in frames)


def test_a_new_connection_begins_anew() -> None:
    g = gatherer()
    g.take(one("A", T0), 0)
    g.begin_anew()
    assert g.due_ns is None
    assert g.take(one("A", T0), MS) == []
    assert [f.number for f in g.take(one("B", T0), MS)] == [1]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 40), st.integers(0, 3), st.booleans()), max_size=40))
def test_whatever_comes_every_frame_has_every_body_and_times_do_not_go_back(steps: list[tuple[str, int, int, bool]]) -> None:
    g, frames, now = gatherer("A", "B", "C"), list[TrackerFrame](), 0
    for body, stamp_ms, x, is_whole in steps:
        now += 2 * MS
        frames += g.take(whole(T0 + stamp_ms * MS, **{body: float(x)}) if is_whole else one(body, T0 + stamp_ms * MS, x), now)
        if g.due_ns is not None and now >= g.due_ns:
            frames.append(g.hand_on())
    assert [f.number for f in frames] == list(range(1, len(frames) + 1))
    assert all([s.body for s in f.sightings] == ["A", "B", "C"] for f in frames)
    for earlier, later in pairwise(frames):
        assert earlier.t_arrival_ns <= later.t_arrival_ns
        assert earlier.t_capture_ns <= later.t_capture_ns


def _ages_ms(g: Gatherer, times: list[tuple[int, int]]) -> list[float]:
    """Age at arrival, less the rig's 20 ms, of one-body frames with (stamp, arrival), ms."""
    ages = []
    for n, (stamp_ms, arrival_ms) in enumerate(times):
        (frame,) = g.take(whole(T0 + stamp_ms * MS, A=float(n)), arrival_ms * MS)
        ages.append((frame.t_arrival_ns - frame.t_capture_ns) / MS - 20.0)
    return ages


def test_poses_that_waited_in_a_queue_are_as_old_as_they_are() -> None:
    """A sender that falls behind delivers at its usual rate poses of seconds ago: they must not pass for new."""
    steady = [(n * 20, n * 20 + 3 * (n % 2)) for n in range(20)]
    queued = [(400 + n * 20, 2400 + n * 20) for n in range(20)]
    ages = _ages_ms(gatherer("A"), steady + queued)
    assert ages[:20] == [0.0] * 20, "jitter is part of the declared latency"
    assert all(1995.0 < age <= 2000.0 for age in ages[20:])


def test_a_queue_that_stands_for_an_hour_is_not_forgotten() -> None:
    ages = _ages_ms(gatherer("A"), [(n * 1000, n * 1000) for n in range(5)] + [(n * 1000, n * 1000 + 400) for n in range(5, 3600)])
    assert all(398.0 < age <= 400.0 for age in ages[5:])


def test_a_burst_after_a_stall_is_old_until_its_end() -> None:
    steady = [(n * 20, n * 20) for n in range(10)]
    burst = [(200 + n * 20, 1000) for n in range(41)]
    ages = _ages_ms(gatherer("A"), steady + burst)
    assert ages[10] > 799.0 and ages[-1] == 0.0
    assert ages[10:] == sorted(ages[10:], reverse=True)


def test_clocks_that_drift_or_are_set_make_no_pose_old_for_good() -> None:
    hour = 3_600_000
    drifting = [(n * 1000, n * 1000 + n // 10) for n in range(3600)]  # 100 ppm for an hour
    assert _ages_ms(gatherer("A"), drifting) == [0.0] * 3600
    before, after = [(n * 20, n * 20) for n in range(5)], range(5, 10)
    assert _ages_ms(gatherer("A"), before + [(n * 20 - hour, n * 20) for n in after]) == [0.0] * 10
    assert _ages_ms(gatherer("A"), before + [(n * 20 + hour, n * 20) for n in after]) == [0.0] * 10
    g = gatherer("A")
    _ages_ms(g, before + [(n * 20 - hour, n * 20) for n in after])
    assert (g.delay.set_back, g.delay.late) == (1, 0)


def test_a_new_connection_measures_delay_anew() -> None:
    g = gatherer("A")
    assert _ages_ms(g, [(0, 0), (20, 20)]) == [0.0, 0.0]
    g.begin_anew()
    assert _ages_ms(g, [(40, 5000), (60, 5020)]) == [0.0, 0.0]
