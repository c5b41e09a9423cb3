"""Poses from several cameras, with a last pose, with spoilt corners; and the lens, against OpenCV's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.stats import chi2

from navtwin.errors import InputRefused
from navtwin.rigid import Rigid
from tests.tracking.rendered import CAMERA, LENS, placed, seen
from tests.tracking.test_pose import TAG, board, turn_between
from tracking import Camera, MarkerBody, Markers, estimate_pose
from tracking.kit.bodies import dodecahedron
from tracking.opencv import cv2
from tracking.pose.ambiguity import RECENT_NS, VOUCHED_NS, Continuity
from tracking.pose.estimate import PoseEstimate, View, estimate_pose_views
from tracking.pose.lens import pixels, rays

TRACKER = Rigid.identity("tracker", "camera")


def right_camera() -> Rigid:
    """T_tracker_from_camera of a second camera, 30 cm to the right and turned in."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.from_rotvec((0.0, -0.6, 0.0)).as_matrix(), (300.0, 0.0, 20.0)
    return Rigid.from_matrix(matrix, target="tracker", source="camera")


def two_views(body: MarkerBody, truth: Rigid, rng: np.random.Generator | None = None, sd_px: float = 0.0) -> list[View]:
    return [View(seen(body, stand.inverse() @ truth, LENS, rng, sd_px), LENS, stand) for stand in (TRACKER, right_camera())]


def in_tracker(pose: Rigid) -> Rigid:
    return pose.between("tracker", pose.source)


def test_one_view_in_the_tracker_is_the_camera_itself() -> None:
    truth = placed((0.3, 0.4, 1.0), (10.0, 20.0, 350.0))
    markers = seen(board(flat=False), truth, LENS)
    alone, views = estimate_pose(markers, board(flat=False), LENS), estimate_pose_views([View(markers, LENS, TRACKER)], board(flat=False))
    assert alone.T_camera_from_body is not None
    assert views.T_camera_from_body == in_tracker(alone.T_camera_from_body)
    assert (alone.corners, views.corners) == (12, 12)


@given(tilt=st.floats(-0.7, 0.7), spin=st.floats(-3.0, 3.0), x=st.floats(-40, 40), z=st.floats(350, 500))
@settings(max_examples=20, deadline=None)
def test_two_views_give_the_exact_pose_of_one_marker(tilt: float, spin: float, x: float, z: float) -> None:
    """Squarely before one camera it is ambiguous there; the other camera tells."""
    truth = in_tracker(placed((tilt, 0.0, spin), (x, 0.0, z)))
    found = estimate_pose_views(two_views(TAG, truth), TAG)
    assert found.status == "OK", found.reason
    assert found.T_camera_from_body is not None
    assert (found.T_camera_from_body.target, found.T_camera_from_body.source) == ("tracker", "body")
    np.testing.assert_allclose(found.T_camera_from_body.matrix(), truth.matrix(), atol=1e-2)
    assert found.corners == 8


def test_a_camera_that_sees_nothing_does_not_hinder() -> None:
    body, truth = board(flat=False), placed((0.3, 0.2, 0.0), (0.0, 0.0, 350.0))
    blind = View(Markers(np.zeros(0, np.int32), np.zeros((0, 4, 2))), LENS, right_camera())
    found = estimate_pose_views([blind, View(seen(body, truth, LENS), LENS, TRACKER)], body)
    assert found.T_camera_from_body is not None
    np.testing.assert_allclose(found.T_camera_from_body.matrix(), truth.matrix(), atol=1e-3)


def test_no_views() -> None:
    assert estimate_pose_views([], TAG).status == "OUT_OF_VIEW"


def test_a_view_needs_a_place_in_the_tracker() -> None:
    with pytest.raises(InputRefused, match="T_tracker_from_camera"):
        estimate_pose_views([View(seen(TAG, placed((0.4, 0.0, 0.0), (0.0, 0.0, 300.0)), CAMERA), CAMERA, Rigid.identity("ct", "camera"))], TAG)


@pytest.mark.parametrize("sd_px", [0.02, 0.2])
@pytest.mark.parametrize("stereo", [False, True], ids=["one camera", "two cameras"])
@pytest.mark.parametrize("correlated", [False, True], ids=["independent corners", "correlated corners"])
def test_the_covariance_is_honest(sd_px: float, stereo: bool, correlated: bool) -> None:
    made = dodecahedron("tool", "APRILTAG_36h11", 10, 0).marker_body()
    body = MarkerBody(made.ids[[1, 2, 5, 6, 7]], made.corners_mm[[1, 2, 5, 6, 7]])
    truth, rng, squares = in_tracker(placed((0.3, 0.2, 0.4), (20.0, 10.0, 450.0))), np.random.default_rng(2), []
    mixing = np.eye(8) if not correlated else np.eye(8) + 0.8 * np.eye(8, k=2) + 0.3 * np.eye(8, k=-1)
    covariance = np.tile(sd_px**2 * mixing @ mixing.T, (5, 1, 1))
    exact = two_views(body, truth)[: 2 if stereo else 1]
    for _ in range(300):
        views = []
        for view in exact:
            noise = sd_px * (rng.standard_normal((5, 8)) @ mixing.T).reshape(5, 4, 2)
            views.append(replace(view, markers=Markers(body.ids, view.markers.corners_px + noise, covariance)))
        found = estimate_pose_views(views, body)
        assert found.T_camera_from_body is not None, found.reason
        off = np.concatenate([turn_between(found.T_camera_from_body, truth), np.subtract(found.T_camera_from_body.t_mm, truth.t_mm)])
        squares.append(off @ np.linalg.solve(found.covariance, off))
    assert 0.8 < np.mean(squares) / 6.0 < 1.25
    assert 0.90 < np.mean(np.array(squares) < chi2.ppf(0.95, 6)) < 0.985


def test_larger_residuals_widen_the_covariance_and_smaller_ones_do_not_narrow_it() -> None:
    body, truth, rng = board(flat=False), placed((0.3, 0.2, 0.4), (20.0, 10.0, 350.0)), np.random.default_rng(5)
    exact, noisy = seen(body, truth, CAMERA), seen(body, truth, CAMERA, rng, 0.4)
    one, other = estimate_pose(exact, body, CAMERA), estimate_pose(noisy, body, CAMERA)
    assert one.orientation_sd_rad is not None
    assert other.orientation_sd_rad is not None
    assert 2.5 < other.orientation_sd_rad / one.orientation_sd_rad < 8.0  # noise four times what is claimed


def test_wrong_numbers_are_left_out() -> None:
    """Two of eleven markers swapped; most agree without them."""
    made = dodecahedron("tool", "APRILTAG_36h11", 10, 0).marker_body()
    front = MarkerBody(made.ids[1:6], made.corners_mm[1:6])
    truth = placed((0.2, -0.1, 0.5), (0.0, 0.0, 400.0))
    markers = seen(front, truth, LENS)
    swapped = markers.ids.copy()
    swapped[1] = 9
    found = estimate_pose(Markers(swapped, markers.corners_px), made, LENS)
    assert found.T_camera_from_body is not None, found.reason
    np.testing.assert_allclose(found.T_camera_from_body.matrix(), truth.matrix(), atol=1e-4)
    assert (found.left_out, found.corners) == ((9,), 16)


def test_two_markers_that_disagree_are_no_pose() -> None:
    body, truth = board(flat=False), placed((0.2, 0.1, 0.0), (0.0, 0.0, 300.0))
    markers = seen(body, truth, CAMERA)
    wrong = markers.corners_px.copy()
    wrong[1] += (25.0, 10.0)
    found = estimate_pose(Markers(markers.ids[:2], wrong[:2]), body, CAMERA)
    assert found.status == "INVALID"
    assert "miss the body" in found.reason
    assert found.rms_px is not None
    assert found.rms_px > 2.0
    assert found.corners >= 7


def test_a_corner_that_is_not_finite_costs_its_marker_only() -> None:
    body, truth = board(flat=False), placed((0.2, 0.1, 0.0), (0.0, 0.0, 300.0))
    markers = seen(body, truth, CAMERA)
    spoilt = markers.corners_px.copy()
    spoilt[1, 2, 0] = np.nan
    found = estimate_pose(Markers(markers.ids, spoilt), body, CAMERA)
    assert found.T_camera_from_body is not None, found.reason
    assert found.corners == 8
    assert estimate_pose(Markers(markers.ids[1:2], spoilt[1:2]), body, CAMERA).reason == "a corner is not finite"


def test_corners_outside_the_image() -> None:
    markers = seen(TAG, placed((0.4, 0.0, 0.0), (0.0, 0.0, 300.0)), CAMERA)
    found = estimate_pose(Markers(markers.ids, markers.corners_px + 3000.0), TAG, CAMERA)
    assert (found.status, found.reason) == ("OUT_OF_VIEW", "a corner lies outside the image")


# A small marker far away, seen so that its two poses fit alike.
FAR, FAR_TRUTH = MarkerBody.square(0, 20.0), placed((0.35, 0.0, 0.0), (0.0, 0.0, 700.0))


def far_view(rng: np.random.Generator) -> Markers:
    return seen(FAR, FAR_TRUTH, CAMERA, rng, 0.1)


def test_the_last_pose_decides_between_two_that_fit_alike() -> None:
    rng, decided = np.random.default_rng(4), 0
    for _ in range(60):
        markers = far_view(rng)
        if estimate_pose(markers, FAR, CAMERA).status == "OK":
            continue
        found = estimate_pose(markers, FAR, CAMERA, previous=FAR_TRUTH)
        if found.T_camera_from_body is not None:
            decided += found.continued
            assert np.linalg.norm(turn_between(found.T_camera_from_body, FAR_TRUTH)) < 0.3
    assert decided > 20


def test_a_last_pose_elsewhere_decides_nothing() -> None:
    rng = np.random.default_rng(4)
    sideways = placed((0.35, 1.2, 0.0), (0.0, 0.0, 700.0))
    for _ in range(30):
        markers = far_view(rng)
        alone, found = estimate_pose(markers, FAR, CAMERA), estimate_pose(markers, FAR, CAMERA, previous=sideways)
        assert found.status == alone.status
        assert not found.continued


def test_a_jump_is_flagged() -> None:
    body, truth = board(flat=False), placed((0.2, 0.1, 0.0), (0.0, 0.0, 300.0))
    found = estimate_pose(seen(body, truth, CAMERA), body, CAMERA, previous=placed((0.2, 0.1, 0.0), (150.0, 0.0, 300.0)))
    assert found.status == "OK"
    assert found.reason == "jumped by 150 mm and 0 deg since the last pose"
    assert estimate_pose(seen(body, truth, CAMERA), body, CAMERA, previous=truth).reason == ""


def taken(sd_rad: float, continued: bool) -> PoseEstimate:
    return PoseEstimate(FAR_TRUTH, np.diag([sd_rad**2] * 3 + [1.0] * 3), 0.1, 0.0, "OK", "", 4, (), continued)


def test_memory_is_short_and_does_not_feed_on_itself() -> None:
    memory, step = Continuity(), 30_000_000
    assert memory.at(0) is None
    memory.took(0, taken(0.2, False))  # too uncertain to vouch for the next
    assert memory.at(step - VOUCHED_NS) is None
    memory.reset()
    memory.took(10**12, taken(0.01, False))
    assert memory.at(10**12 + RECENT_NS) == FAR_TRUTH
    assert memory.at(10**12 + RECENT_NS + 1) is None
    memory.took(10**12, taken(0.01, False))
    now = 10**12
    while now - 10**12 <= VOUCHED_NS:
        assert memory.at(now) == FAR_TRUTH
        memory.took(now, taken(0.01, True))
        now += step
    assert memory.at(now) is None


@pytest.mark.parametrize("length", [0, 4, 5, 8, 12, 14])
def test_rays_and_pixels_are_opencvs(length: int) -> None:
    rng = np.random.default_rng(length)
    coefficients = np.array([-0.2, 0.08, 1e-3, -2e-3, 0.01, 0.05, -0.02, 0.003, 1e-3, -5e-4, 2e-3, 1e-4, 0.02, -0.03])[:length]
    camera = Camera(CAMERA.matrix, coefficients, 1280, 720)
    plane = np.column_stack([rng.uniform(-0.65, 0.65, (50, 2)) * (1.0, 0.6), np.ones(50)])
    expected = cv2.projectPoints(plane, np.zeros(3), np.zeros(3), camera.matrix, coefficients if length else None)[0].reshape(-1, 2)
    np.testing.assert_allclose(pixels(plane[:, :2].copy(), camera.lens), expected, atol=1e-9)
    found, slopes = rays(expected.copy(), camera.lens)
    np.testing.assert_allclose(found, plane[:, :2], atol=1e-11)
    for axis in range(2):
        step = np.zeros(2)
        step[axis] = 1e-6
        numeric = (pixels(found + step, camera.lens) - pixels(found - step, camera.lens)) / 2e-6
        np.testing.assert_allclose(slopes[:, :, axis], numeric, rtol=1e-5, atol=1e-3)


def test_a_pixel_that_no_ray_hits() -> None:
    """A strong barrel lens has an outermost circle."""
    lens = Camera(CAMERA.matrix, np.array([-0.4, 0.0, 0.0, 0.0]), 1280, 720).lens
    found, _ = rays(np.array([[640.0, 360.0], [5000.0, 360.0], [np.nan, 0.0]]), lens)
    assert np.isfinite(found).tolist() == [[True, True], [False, False], [False, False]]
