"""Poses that are none: at the borders they are refused by name, in the fold they make everything unknown and nothing safe."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import FrameMismatch, InputRefused
from navtwin.nouns import AlertSet, Pose, Sighting, State, TrackerFrame
from navtwin.rigid import Rigid
from tests.twin.world import LATENCY_NS, MS, World

I4 = np.eye(4)


def spoilt(**changes: float) -> npt.NDArray[np.float64]:
    matrix = I4.copy()
    for place, value in changes.items():
        matrix[int(place[1]), int(place[2])] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        (spoilt(m00=math.nan), "NaN"),
        (spoilt(m03=math.inf), "NaN or infinite"),
        (spoilt(m00=1.001), "not orthonormal"),
        (spoilt(m01=0.01), "not orthonormal"),
        (spoilt(m00=-1.0), "left-handed"),
        (-I4 + 2.0 * np.diag([0.0, 0.0, 0.0, 1.0]), "left-handed"),
        (np.zeros((4, 4)), "last row"),
        (spoilt(m30=1.0), "last row"),
        (spoilt(m33=2.0), "last row"),
        (np.eye(3), "shape"),
        (np.zeros((2, 4, 4)), "shape"),
    ],
)
def test_a_matrix_that_is_no_pose(matrix: npt.NDArray[np.float64], word: str) -> None:
    with pytest.raises(InputRefused, match=rf"T_ct_from_tip.*{word}") as refusal:
        Rigid.from_matrix(matrix, target="ct", source="tip")
    assert refusal.value.remedy


@pytest.mark.parametrize("q", [(0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 0.0, 0.0), (math.nan, 0.0, 0.0, 1.0), (0.5, 0.5, 0.5, 0.4)])
def test_a_quaternion_that_is_no_rotation(q: tuple[float, float, float, float]) -> None:
    with pytest.raises(InputRefused):
        Rigid.from_quaternion(q, (0.0, 0.0, 0.0), target="ct", source="tip")
    with pytest.raises(InputRefused):
        Pose(q_wxyz=q, t_mm=(0.0, 0.0, 0.0))


def test_frames_must_cancel() -> None:
    with pytest.raises(FrameMismatch, match=r"T_ct_from_ref @ T_tracker_from_tip does not cancel. Expected a transform into 'ref'"):
        Rigid.identity("ct", "ref") @ Rigid.identity("tracker", "tip")


@given(st.lists(st.floats(-1e6, 1e6), min_size=16, max_size=16))
@settings(max_examples=200)
def test_no_sixteen_numbers_make_an_unsound_pose(numbers: list[float]) -> None:
    """Either refused, or a rotation to the tolerance that is promised."""
    try:
        found = Rigid.from_matrix(np.reshape(numbers, (4, 4)), target="a", source="b")
    except InputRefused:
        return
    r = np.array(found.rotation)
    assert np.abs(r.T @ r - np.eye(3)).max() < 1e-5
    assert np.linalg.det(r) > 0.0


unit = (
    st.tuples(*[st.floats(-1.0, 1.0)] * 4)
    .filter(lambda q: sum(v * v for v in q) > 0.1)
    .map(lambda q: tuple(v / math.sqrt(sum(w * w for w in q)) for v in q))
)


@given(q=unit, t=st.tuples(*[st.floats(-1e3, 1e3)] * 3))
@settings(max_examples=100)
def test_a_pose_there_and_back_is_itself(q: tuple[float, float, float, float], t: tuple[float, float, float]) -> None:
    """Quaternion to matrix to quaternion, inverse of the inverse, product with the inverse: to rounding."""
    found = Rigid.from_quaternion(q, t, target="a", source="b")
    again = Rigid.from_quaternion(found.q_wxyz, found.t_mm, target="a", source="b")
    assert np.allclose(found.matrix(), again.matrix(), atol=1e-12)
    assert np.allclose((found @ found.inverse()).matrix(), np.eye(4), atol=1e-9)
    assert found.q_wxyz[0] >= 0.0
    assert np.allclose(Rigid.from_matrix(found.matrix(), target="a", source="b").matrix(), found.matrix(), atol=1e-12)


#: What one body may look like in a frame: seen somewhere, lost in every way, refused, absent, seen with an absurd covariance, or twice.
def _sighting(body: str) -> st.SearchStrategy[tuple[Sighting, ...]]:
    lost = st.sampled_from(["MISSING", "OUT_OF_VIEW", "OUT_OF_VOLUME", "REQ_TIMEOUT", "UNKNOWN", "INVALID", "SWITCH1_IS_ON"])
    pose = st.builds(Pose, q_wxyz=unit, t_mm=st.tuples(*[st.floats(-1e7, 1e7)] * 3))
    covariance = st.one_of(st.none(), st.tuples(*[st.floats(-1e3, 1e3)] * 21))
    seen = st.builds(
        Sighting, body=st.just(body), status=st.just("OK"), pose=pose, covariance=covariance, rms_mm=st.one_of(st.none(), st.floats(0.0, 1e3))
    )
    return st.one_of(lost.map(lambda word: (Sighting(body=body, status=word),)), st.just(()), seen.map(lambda s: (s,)), st.tuples(seen, seen))


@given(frames=st.lists(st.tuples(_sighting("ref"), _sighting("drill"), _sighting("nobody"), st.integers(-400, 400)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_frame_stops_the_fold_or_makes_the_unknown_safe(frames: list[tuple[tuple[Sighting, ...], ...]]) -> None:
    """Absurd poses, covariances that are none, stamps anywhere: the fold goes on, and a number is shown only where it is finite and known."""
    w = World()
    w.hold(1.5, 20)
    for n, (ref, drill, nobody, jump) in enumerate(frames):
        w.now_ns += 16 * MS
        captured = w.now_ns - LATENCY_NS + int(jump) * MS  # type: ignore[call-overload]
        w.feed(TrackerFrame(source="t", number=n, t_capture_ns=captured, t_arrival_ns=w.now_ns, sightings=(*ref, *drill, *nobody)))
        for message in w.messages:
            if isinstance(message.body, State):
                for reading in message.body.readings:
                    assert (reading.distance_mm is not None) == (reading.status == "OK")
                    assert reading.status != "OK" or (reading.sd_mm is not None and reading.sd_mm >= 0.0)
            if isinstance(message.body, AlertSet):
                for alert in message.body.alerts:
                    assert alert.known == (alert.distance_mm is not None) == (alert.status == "OK")
    w.hold(1.5, 30)
    assert w.alert("canal/drill/burr") is not None, "after the storm the danger is still there, and said"
