"""Marker poses: exact on exact corners, honest about noise, silent rather than flipped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.rigid import Rigid
from tests.tracking.rendered import CAMERA, LENS, placed, seen
from tracking import Camera, MarkerBody, Markers, estimate_pose
from tracking.detect.markers import CORNER_SD_PX
from tracking.opencv import cv2

TAG = MarkerBody.square(0, 50.0)


def board(flat: bool) -> MarkerBody:
    """Three markers in a row; unless flat, the outer two are folded back by 40 deg."""
    corners = []
    for n, side in enumerate((-1.0, 0.0, 1.0)):
        fold = cv2.Rodrigues(np.array((0.0, 0.0 if flat else 0.7 * side, 0.0)))[0]
        corners.append(MarkerBody.square(n, 30.0).corners_mm[0] @ fold.T + (36.0 * side, 0.0, 0.0 if flat else -8.0 * abs(side)))
    return MarkerBody(np.arange(3), np.array(corners))


def turn_between(one: Rigid, other: Rigid) -> np.ndarray:
    return np.asarray(cv2.Rodrigues(np.array(one.rotation) @ np.array(other.rotation).T)[0]).ravel()


@pytest.mark.parametrize("body", [TAG, board(flat=True), board(flat=False)], ids=["one marker", "flat board", "folded board"])
@pytest.mark.parametrize("camera", [CAMERA, LENS], ids=["pinhole", "lens"])
@given(tilt=st.tuples(*[st.floats(-0.9, 0.9)] * 2), spin=st.floats(-3.0, 3.0), x=st.floats(-100, 100), y=st.floats(-60, 60), z=st.floats(250, 450))
@settings(max_examples=25, deadline=None)
def test_exact_corners_give_the_exact_pose(
    body: MarkerBody, camera: Camera, tilt: tuple[float, float], spin: float, x: float, y: float, z: float
) -> None:
    pose = placed((0.0, 0.0, spin), (0.0, 0.0, 0.0))
    matrix = pose.matrix()
    matrix[:3, :3] = cv2.Rodrigues(np.array((*tilt, 0.0)))[0] @ matrix[:3, :3]
    matrix[:3, 3] = (x, y, z)
    truth = Rigid.from_matrix(matrix, target="camera", source="body")
    found = estimate_pose(seen(body, truth, camera), body, camera)
    if found.status != "OK":  # a view in which the second pose is not told apart
        assert found.ambiguity > 0.5
        assert found.T_camera_from_body is None
        return
    assert found.T_camera_from_body is not None
    assert (found.T_camera_from_body.target, found.T_camera_from_body.source) == ("camera", "body")
    np.testing.assert_allclose(found.T_camera_from_body.matrix(), matrix, atol=1e-3)
    assert found.rms_px is not None
    assert found.rms_px < 1e-3


@pytest.mark.parametrize(("body", "turn"), [(TAG, (0.6, 0.3, 0.2)), (board(flat=False), (0.2, -0.3, 1.0))], ids=["one marker", "folded board"])
def test_covariance_matches_the_scatter(body: MarkerBody, turn: tuple[float, float, float]) -> None:
    truth, rng, lengths = placed(turn, (30.0, 10.0, 320.0)), np.random.default_rng(0), []
    for _ in range(200):
        found = estimate_pose(seen(body, truth, CAMERA, rng, CORNER_SD_PX), body, CAMERA)
        assert found.status == "OK", found.reason
        assert found.T_camera_from_body is not None
        assert found.covariance is not None
        error = np.concatenate([turn_between(found.T_camera_from_body, truth), np.subtract(found.T_camera_from_body.t_mm, truth.t_mm)])
        lengths.append(error @ np.linalg.solve(found.covariance, error))
    assert np.mean(lengths) == pytest.approx(6.0, rel=0.25)


def test_a_small_far_marker_is_never_given_flipped() -> None:
    """Whatever is called OK lies near the truth; what cannot be told apart is said to be so."""
    tag, rng, refused = MarkerBody.square(0, 20.0), np.random.default_rng(1), 0
    for _ in range(150):
        truth = placed(tuple(rng.uniform(-0.5, 0.5, 3)), (0.0, 0.0, 700.0))
        found = estimate_pose(seen(tag, truth, CAMERA, rng, CORNER_SD_PX), tag, CAMERA)
        if found.T_camera_from_body is None:
            refused += 1
            assert found.status == "INVALID"
            assert "two poses" in found.reason or "deg only" in found.reason
            continue
        assert found.covariance is not None
        error = turn_between(found.T_camera_from_body, truth)
        assert error @ np.linalg.solve(found.covariance[:3, :3], error) < 30.0
    assert refused > 75


def test_one_wrong_corner_of_a_board_is_left_out() -> None:
    body, truth = board(flat=False), placed((0.2, 0.1, 0.0), (0.0, 0.0, 300.0))
    markers = seen(body, truth, CAMERA)
    spoilt = markers.corners_px.copy()
    spoilt[0, 2] += (4.0, -2.0)
    found = estimate_pose(Markers(markers.ids, spoilt), body, CAMERA)
    assert found.status == "OK", found.reason
    assert found.T_camera_from_body is not None
    np.testing.assert_allclose(found.T_camera_from_body.matrix(), truth.matrix(), atol=1e-6)
    assert (found.left_out, found.corners) == ((), 11)


def test_a_wrong_body_is_refused() -> None:
    truth = placed((0.2, 0.1, 0.0), (0.0, 0.0, 300.0))
    other = MarkerBody(np.arange(3), board(flat=False).corners_mm[[0, 2, 1]])
    found = estimate_pose(seen(board(flat=False), truth, CAMERA), other, CAMERA)
    assert found.status == "INVALID"
    assert found.T_camera_from_body is None
    assert found.reason


def test_nothing_seen() -> None:
    found = estimate_pose(Markers(np.array([5]), np.ones((1, 4, 2))), TAG, CAMERA)
    assert (found.status, found.T_camera_from_body, found.covariance) == ("OUT_OF_VIEW", None, None)
    assert "none of the body's markers" in found.reason


def test_a_marker_seen_twice_is_not_used() -> None:
    corners = seen(TAG, placed((0.4, 0.0, 0.0), (0.0, 0.0, 300.0)), CAMERA).corners_px
    found = estimate_pose(Markers(np.array([0, 0]), np.concatenate([corners, corners + 200.0])), TAG, CAMERA)
    assert found.status == "OUT_OF_VIEW"
    assert "more than once" in found.reason


@pytest.mark.parametrize("corners", [*(np.full((1, 4, 2), value) for value in (np.nan, np.inf, 0.0, 1e300)), np.arange(8.0).reshape(1, 4, 2)])
def test_corners_that_are_no_marker(corners: np.ndarray) -> None:
    found = estimate_pose(Markers(np.array([0]), corners), TAG, CAMERA)
    assert found.status != "OK"
    assert found.T_camera_from_body is None


@pytest.mark.parametrize(
    ("ids", "corners", "words"),
    [
        ([], np.zeros((0, 4, 3)), "at least one"),
        ([1, 1], np.concatenate([TAG.corners_mm] * 2), "marker 1 is on the body twice"),
        ([1], np.zeros((1, 4, 3)), "do not go round a square"),
        ([1], TAG.corners_mm[:, [0, 2, 1, 3]], "do not go round a square"),
        ([1], np.full((1, 4, 3), np.nan), "NaN"),
        ([1.5], TAG.corners_mm, "whole number"),
        ([1], np.zeros((1, 4, 2)), "shape"),
    ],
)
def test_bodies_that_are_none(ids: list[float], corners: np.ndarray, words: str) -> None:
    with pytest.raises(InputRefused, match=f"(?i){words}"):
        MarkerBody(np.array(ids), corners)


def test_a_square_needs_a_side() -> None:
    with pytest.raises(InputRefused, match="side"):
        MarkerBody.square(0, 0.0)


@pytest.mark.parametrize(
    ("matrix", "distortion", "size", "words"),
    [
        (np.eye(3)[:2], np.zeros(5), (10, 10), "shape"),
        (-np.eye(3), np.zeros(5), (10, 10), "not a camera matrix"),
        (CAMERA.matrix, np.zeros(3), (1280, 720), "3 distortion coefficients"),
        (CAMERA.matrix, np.full(5, np.nan), (1280, 720), "NaN"),
        (CAMERA.matrix, np.zeros(5), (0, 720), "0 x 720"),
        (CAMERA.matrix, np.zeros(5), (640, 360), "principal point"),
    ],
)
def test_cameras_that_are_none(matrix: np.ndarray, distortion: np.ndarray, size: tuple[int, int], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        Camera(matrix, distortion, *size)


#: Six markers round the edge of a large board, a lens that bends what they span, and corners known to a twentieth of a pixel.
BOARD = MarkerBody(
    np.arange(6), np.array([MarkerBody.square(0, 32.0).corners_mm[0] + (64.0 * (n % 3 - 1), 46.0 - 92.0 * (n // 3), 0.0) for n in range(6)])
)
BARREL = Camera(CAMERA.matrix, np.array([-0.5, 0.0, 0.0, 0.0]), CAMERA.width_px, CAMERA.height_px)
WELL_MEASURED = np.tile(np.eye(8) * 0.05**2, (6, 1, 1))


def test_a_body_that_hardly_fits_is_told_though_it_has_a_pose() -> None:
    """A calibration of another lens: the pose stands, and what is wrong with it is said."""
    seen_by_another = Markers(
        np.arange(6), seen(BOARD, placed((0.2, 0.1, 0.0), (0.0, 0.0, 420.0)), BARREL).corners_px, joint_covariance_px=WELL_MEASURED
    )
    assert estimate_pose(seen_by_another, BOARD, BARREL).reason == ""
    found = estimate_pose(seen_by_another, BOARD, CAMERA)
    assert found.status == "OK"
    assert "times their noise: check the body's corners and the camera's calibration" in found.reason
