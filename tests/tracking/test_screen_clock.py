"""The clock that a camera reads: every time is read back, two times at once are not, and the latency is what the pictures were made with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from tracking.calibration.screen_clock import DIAL_MS, DICTIONARY, faces_at, judge_latency, numbers_at, read_dial_ms
from tracking.detect.markers import Markers, detect_markers

MS = 1_000_000


def markers(numbers: list[int]) -> Markers:
    return Markers(np.array(numbers), np.zeros((len(numbers), 4, 2)))


@given(st.integers(0, 10**15))
def test_every_time_is_read_back(t_ns: int) -> None:
    assert read_dial_ms(markers(sorted(numbers_at(t_ns)))) == t_ns // MS % DIAL_MS


@given(st.integers(0, 10**15), st.integers(1, 40), st.integers(0, 3))
def test_one_marker_of_another_time_is_not_read_as_a_third_time(t_ns: int, later_ms: int, place: int) -> None:
    now, later = numbers_at(t_ns), numbers_at(t_ns + later_ms * MS)
    mixed = [*now[:place], later[place], *now[place + 1 :]]
    assert read_dial_ms(markers(mixed)) in (None, t_ns // MS % DIAL_MS, (t_ns // MS + later_ms) % DIAL_MS)


@pytest.mark.parametrize("numbers", [[], [1, 251, 501], [1, 251, 501, 751, 2], [1, 2, 501, 751], [150, 251, 501, 751]])
def test_what_is_no_dial_is_not_read(numbers: list[int]) -> None:
    assert read_dial_ms(markers(numbers)) is None


def test_a_picture_of_the_clock_is_read() -> None:
    t_ns = 123_456_789 * MS
    picture = np.full((440, 440), 255, dtype=np.uint8)
    for place, cells in enumerate(faces_at(t_ns)):
        top, left = 30 + 210 * (place // 2), 30 + 210 * (place % 2)
        picture[top : top + 23 * len(cells), left : left + 23 * len(cells)] = np.where(np.kron(cells, np.ones((23, 23))), 0, 255)
    assert read_dial_ms(detect_markers(picture, DICTIONARY)) == t_ns // MS % DIAL_MS


def filmed(latency_ms: float, count: int = 600, jitter_ms: float = 2.0, camera_ns: int = 33_388_889) -> tuple[list[int | None], list[int], list[int]]:
    """A camera before a screen at 60 Hz; stamps are 5 ms late. In 600 pictures at this rate the phase between them goes round twice."""
    dice = np.random.default_rng(1)
    light_ns = (10**12 + np.arange(count) * camera_ns).astype(np.int64)
    drawn_ns = (light_ns // 16_666_667) * 16_666_667
    arrival = light_ns + (latency_ms * MS + dice.normal(0.0, jitter_ms * MS, count)).astype(np.int64)
    return [int(t) // MS % DIAL_MS for t in drawn_ns], (light_ns + 5 * MS).tolist(), arrival.tolist()


@pytest.mark.parametrize("latency_ms", [5.0, 48.0, 210.0])
def test_the_latency_is_found_and_so_is_what_the_stamps_are_off(latency_ms: float) -> None:
    shown, capture, arrival = filmed(latency_ms)
    shown[7] = None
    found = judge_latency(shown, capture, arrival)
    assert found.accepted, found.reasons
    assert found.latency_ms == pytest.approx(latency_ms, abs=1.0)
    assert found.stamp_error_ms == pytest.approx(5.0, abs=1.0)
    assert found.unread == 1
    assert judge_latency(shown, capture, arrival, display_ms=4.0).latency_ms == pytest.approx(found.latency_ms - 4.0)


def test_a_camera_in_step_with_the_screen_knows_its_latency_less_well() -> None:
    found = judge_latency(*filmed(50.0, jitter_ms=0.5, camera_ns=33_333_334))
    assert found.mean_sd_ms > 4.0
    assert abs(found.latency_ms - 50.0) < 2.5 * found.mean_sd_ms
    assert judge_latency(*filmed(50.0, jitter_ms=0.5)).mean_sd_ms < 1.0


def test_queued_pictures_a_strange_clock_and_too_few_are_refused() -> None:
    shown, capture, arrival = filmed(60.0, jitter_ms=40.0)
    assert "queued" in " ".join(judge_latency(shown, capture, arrival).reasons)
    strange = judge_latency([(t + 400_000) % DIAL_MS if t is not None else None for t in shown], capture, arrival)
    assert "not of this machine's clock" in " ".join(strange.reasons)
    few = judge_latency(*(x[:20] for x in filmed(60.0)))
    assert "only 20 pictures" in " ".join(few.reasons)
    with pytest.raises(InputRefused, match="no picture shows the clock"):
        judge_latency([None, None], [0, 0], [1, 1])
    with pytest.raises(InputRefused, match="screen rate"):
        judge_latency([1], [0], [0], screen_hz=0.0)
