"""Whose pose, whether vouched for, and whether it is one: from single messages."""

from __future__ import annotations

import math
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.igtl.message import Message
from navtwin.igtl.poses import Matrix, QuaternionPose
from navtwin.igtl.reader import Reader
from navtwin.nouns import Sighting
from tests.tracking.igtl.sender import IDENTITY, message, rig, tdata, transform
from tracking.igtl.gather import Gatherer
from tracking.igtl.names import Names
from tracking.igtl.rotation import REACH_MM, NotAPose, pose_of_matrix, pose_of_quaternion
from tracking.igtl.sightings import NOT_REPORTED, POSES, Seen, read_poses


def read(data: bytes, names: Names | None = None) -> Seen:
    (item,) = Reader().feed(data)
    assert isinstance(item, Message)
    return read_poses(item, names or Names(rig(), "Tracker", plain=False))


def stylus(metadata: dict[str, str] | None) -> Sighting:
    return read(transform("Stylus", 7.0, metadata=metadata)).sightings["Stylus"]


# Validity


@pytest.mark.parametrize("metadata", [None, {}, {"Comment": "hello"}])
def test_validity_that_is_not_reported_is_said(metadata: dict[str, str] | None) -> None:
    sighting = stylus(metadata)
    assert (sighting.status, sighting.reason) == ("OK", NOT_REPORTED)
    assert sighting.pose is not None
    assert sighting.pose.t_mm == (7.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"TransformValid": "1"}, "OK"),
        ({"TransformStatus": "ok"}, "OK"),
        ({"Status": "OK"}, "OK"),
        ({"TransformValid": "0"}, "INVALID"),
        ({"TransformValid": "0", "TransformStatus": "OK"}, "INVALID"),
        ({"TransformValid": "1", "TransformStatus": "OUT_OF_VIEW"}, "OUT_OF_VIEW"),
        ({"TransformStatus": "Missing"}, "MISSING"),
        ({"TransformStatus": "FINE"}, "UNKNOWN"),
        ({"TransformValid": "true"}, "UNKNOWN"),
        ({"TransformValid": ""}, "UNKNOWN"),
    ],
)
def test_the_sender_is_believed_and_the_worse_of_two_words_holds(metadata: dict[str, str], status: str) -> None:
    sighting = stylus(metadata)
    assert sighting.status == status
    assert (sighting.pose is None) == (status != "OK")
    assert sighting.reason != NOT_REPORTED


def test_tools_of_tracking_data_have_a_status_each() -> None:
    seen = read(tdata({"Reference": 1.0, "Stylus": 2.0}, metadata={"StylusToTrackerStatus": "OUT_OF_VOLUME", "ReferenceToTrackerStatus": "OK"}))
    assert seen.whole
    assert {name: s.status for name, s in seen.sightings.items()} == {"Reference": "OK", "Stylus": "OUT_OF_VOLUME"}
    assert read(tdata({"Stylus": 2.0})).sightings["Stylus"].reason == NOT_REPORTED


def test_a_tool_that_is_listed_twice_is_refused() -> None:
    one = struct.pack(">20sBB12f", b"StylusToTracker", 2, 0, *IDENTITY, 1.0, 0.0, 0.0)
    sighting = read(message("TDATA", "T", one + one)).sightings["Stylus"]
    assert (sighting.status, sighting.reason) == ("INVALID", "it is in one message twice")


@pytest.mark.parametrize("kind", [3, 4])
def test_a_tool_without_all_six_degrees_is_no_pose(kind: int) -> None:
    sighting = read(message("TDATA", "T", struct.pack(">20sBB12f", b"StylusToTracker", kind, 0, *IDENTITY, 1.0, 0.0, 0.0))).sightings["Stylus"]
    assert (sighting.status, sighting.pose) == ("INVALID", None)
    assert "no full orientation" in sighting.reason


def test_quaternions_and_positions_are_poses_too() -> None:
    half = math.sqrt(0.5)
    q = read(message("QTDATA", "T", struct.pack(">20sBB7f", b"StylusToTracker", 2, 0, 1.0, 2.0, 3.0, half, 0.0, 0.0, half))).sightings["Stylus"]
    assert q.pose is not None
    assert q.pose.q_wxyz == pytest.approx((half, half, 0.0, 0.0))
    full = struct.pack(">7f", 1.0, 2.0, 3.0, half, 0.0, 0.0, half)
    for content in (full, full[:24]):
        p = read(message("POSITION", "StylusToTracker", content)).sightings["Stylus"]
        assert p.pose is not None
        assert p.pose.q_wxyz == pytest.approx((half, half, 0.0, 0.0))
    bare = read(message("POSITION", "StylusToTracker", full[:12])).sightings["Stylus"]
    assert (bare.status, bare.reason) == ("INVALID", "it has a position but no orientation")


# Names


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("StylusToReference", "no pose in the tracker's axes"),
        ("Stylus", "does not say in which axes"),
        ("StylusToTrackerToX", "more than once"),
        ("ProbeToTracker", "no body 'Probe'"),
        ("ABCDEFGHIJToTrackerBa", "cut to 20"),
    ],
)
def test_a_name_that_is_no_bodys_is_ignored_and_told_once(device: str, said: str) -> None:
    names = Names(rig(), "Tracker", plain=False)
    for _ in range(3):
        assert read(message("TRANSFORM", device[:20], struct.pack(">12f", *IDENTITY, 0, 0, 0)), names).sightings == {}
    (remark,) = names.remarks
    assert said in remark


def test_names_may_differ_in_case_and_the_tracker_may_have_another() -> None:
    assert list(read(transform("sTYLUS", 1.0)).sightings) == ["Stylus"]
    names = Names(rig(), "Polaris", plain=False)
    assert list(read(message("TRANSFORM", "StylusToPolaris", struct.pack(">12f", *IDENTITY, 0, 0, 0)), names).sightings) == ["Stylus"]


def test_plain_names_are_bodies_where_the_user_says_so() -> None:
    data = message("TRANSFORM", "Stylus", struct.pack(">12f", *IDENTITY, 0, 0, 0))
    assert list(read(data, Names(rig(), "Tracker", plain=True)).sightings) == ["Stylus"]


def test_a_cut_name_is_whole_in_the_metadata() -> None:
    names = Names(rig("Reference", "VeryLongStylusName"), "Tracker", plain=False)
    full = "VeryLongStylusNameToTracker"
    cut = message("TRANSFORM", full[:20], struct.pack(">12f", *IDENTITY, 0, 0, 0), metadata={"IGTL_DEVICE_NAME": full})
    assert list(read(cut, names).sightings) == ["VeryLongStylusName"]
    tool = struct.pack(">20sBB12f", full[:20].encode(), 2, 0, *IDENTITY, 0, 0, 0)
    assert list(read(message("TDATA", "T", tool, metadata={f"{full}Status": "OK"}), names).sightings) == ["VeryLongStylusName"]
    assert read(message("TDATA", "T", tool), names).sightings == {}
    two = {f"{full}Status": "OK", f"{full}2Status": "OK"}
    assert read(message("TDATA", "T", tool, metadata=two), names).sightings == {}, "two full names begin like this one"


def test_a_sender_that_invents_names_takes_no_memory() -> None:
    names = Names(rig(), "Tracker", plain=False)
    for n in range(5000):
        names.body(f"Tool{n}ToTracker", {})
    assert len(names.remarks) <= 32
    assert len(names._known) <= 1001


# Rotations


def turn(angles: tuple[float, float, float]) -> np.ndarray:
    a, b, c = angles
    rx = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    ry = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    rz = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def rows(matrix: np.ndarray) -> Matrix:
    a, b, c = (tuple(map(float, row)) for row in matrix)
    return Matrix((a, b, c), (1.0, 2.0, 3.0))  # type: ignore[arg-type]


ANGLES = st.tuples(*[st.floats(-3.1, 3.1)] * 3)


@settings(max_examples=60)
@given(ANGLES)
def test_float32_gives_the_rotation_back(angles: tuple[float, float, float]) -> None:
    true = turn(angles)
    pose = pose_of_matrix(rows(true.astype(np.float32)))
    got = pose.rigid(target="a", source="b").matrix()[:3, :3]
    assert np.abs(got - true).max() < 2e-7
    assert sum(q * q for q in pose.q_wxyz) == pytest.approx(1.0, abs=1e-14)


@settings(max_examples=40)
@given(ANGLES, st.lists(st.floats(-2e-4, 2e-4), min_size=9, max_size=9))
def test_rounding_is_mended_by_the_nearest_rotation(angles: tuple[float, float, float], off: list[float]) -> None:
    rounded = turn(angles) + np.array(off).reshape(3, 3)
    left, _, right = np.linalg.svd(rounded)
    got = pose_of_matrix(rows(rounded)).rigid(target="a", source="b").matrix()[:3, :3]
    assert np.abs(got - left @ right).max() < 1e-12


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.diag([1.0, 1.0, -1.0]), "a mirror"),
        (np.eye(3) * 1.01, "scaled or sheared"),
        (np.eye(3) + np.array([[0, 0.01, 0], [0, 0, 0], [0, 0, 0]]), "scaled or sheared"),
        (np.zeros((3, 3)), "scaled or sheared"),
        (np.full((3, 3), np.nan), "NaN"),
        (np.diag([1.0, np.inf, 1.0]), "infinite"),
        (np.full((3, 3), 3e38), "scaled or sheared"),
    ],
)
def test_what_is_no_rotation_is_no_pose(matrix: np.ndarray, said: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotAPose, match=said):
            pose_of_matrix(rows(matrix))


@pytest.mark.parametrize("t_mm", [(math.nan, 0.0, 0.0), (0.0, math.inf, 0.0), (0.0, 0.0, 1e7)])
def test_a_place_out_of_reach_is_no_pose(t_mm: tuple[float, float, float]) -> None:
    with pytest.raises(NotAPose, match="reach"):
        pose_of_matrix(Matrix(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), t_mm))
    with pytest.raises(NotAPose, match="reach"):
        pose_of_quaternion(QuaternionPose(t_mm, (1.0, 0.0, 0.0, 0.0)))


@pytest.mark.parametrize("q_wxyz", [(0.0, 0.0, 0.0, 0.0), (1.01, 0.0, 0.0, 0.0), (math.nan, 0.0, 0.0, 0.0), (3e38, 3e38, 0.0, 0.0)])
def test_a_quaternion_of_another_length_is_no_pose(q_wxyz: tuple[float, float, float, float]) -> None:
    with pytest.raises(NotAPose, match="length"):
        pose_of_quaternion(QuaternionPose((0.0, 0.0, 0.0), q_wxyz))


@settings(max_examples=100)
@given(st.sampled_from(["TRANSFORM", "TDATA", "QTDATA", "POSITION"]), st.binary(min_size=48, max_size=48), st.sampled_from([None, {"Status": "OK"}]))
def test_any_numbers_are_a_pose_or_a_reason(kind: str, numbers: bytes, metadata: dict[str, str] | None) -> None:
    content = {
        "TRANSFORM": numbers,
        "TDATA": b"StylusToTracker\0\0\0\0\0\x02\0" + numbers,
        "QTDATA": b"StylusToTracker\0\0\0\0\0\x02\0" + numbers[:28],
        "POSITION": numbers[:28],
    }[kind]
    sighting = read(message(kind, "StylusToTracker", content, metadata=metadata)).sightings["Stylus"]
    assert sighting.pose is not None or sighting.reason


STREAM = b"".join(
    (
        transform("Reference", 1.0, 10**18, {"TransformValid": "1"}),
        transform("Stylus", 2.0, 10**18, {"TransformStatus": "OUT_OF_VIEW"}),
        tdata({"Reference": 1.0, "Stylus": 2.0}, 2 * 10**18, {"StylusToTrackerStatus": "OK"}),
        message("POSITION", "StylusToTracker", struct.pack(">7f", 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0), 3 * 10**18),
        message("QTDATA", "Q", struct.pack(">20sBB7f", b"StylusToTracker", 2, 0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0), 4 * 10**18),
    )
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(STREAM) - 1), st.integers(0, 255)), min_size=1, max_size=10))
def test_a_hostile_stream_gives_frames_or_refusals_and_never_a_false_pose(changes: list[tuple[int, int]]) -> None:
    mutated = bytearray(STREAM)
    for at, value in changes:
        mutated[at] = value
    reader, names, gatherer = Reader(check_crc=False), Names(rig(), "Tracker", plain=False), Gatherer(rig(), "igtl:test")
    for item in reader.feed(bytes(mutated)):
        if isinstance(item, Message) and item.kind in POSES:
            try:
                frames = gatherer.take(read_poses(item, names), 0)
            except InputRefused as refused:
                assert refused.remedy
                continue
            for sighting in (s for frame in frames for s in frame.sightings if s.pose is not None):
                assert sighting.pose is not None
                assert all(abs(value) <= REACH_MM for value in sighting.pose.t_mm)
                assert sum(q * q for q in sighting.pose.q_wxyz) == pytest.approx(1.0, abs=1e-12)
