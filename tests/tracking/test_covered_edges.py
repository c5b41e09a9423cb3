"""Markers with something laid along an edge: one marker's corners cannot betray it, so its cells must, or the last pose.

The pictures in `covered` are cut from frames of `benchmarks/poses.py --rows hostile` in which a wrong pose was once accepted, and are named after
film, frame and marker: strips and other sheets as light as the paper, and glare, over an edge.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from navtwin.rigid import Rigid
from tests.tracking.rendered import drawn, placed, seen
from tracking import Camera, MarkerBody, Markers, detect_markers, estimate_pose
from tracking.detect.corners import UNSUPPORTED_PX, fitted_squares
from tracking.detect.patterns import cells
from tracking.opencv import cv2
from tracking.pose.estimate import PoseEstimate

FOLDER = Path(__file__).parent / "covered"
CAMERA = Camera(np.array([[1400.0, 0.0, 955.3], [0.0, 1402.0, 543.8], [0.0, 0.0, 1.0]]), np.array([-0.10, 0.04, 6e-4, -4e-4, 0.0]), 1920, 1080)
Shown = tuple[str, float, tuple[int, int], tuple[float, float, float], tuple[float, float, float]]
#: Picture, side in mm, where in the frame it was cut, and the true pose of the marker: rotation vector, and place in mm.
SHIFTED: tuple[Shown, ...] = (
    ("1000225-13-18", 33.5, (589, 534), (-2.2237, -2.0659, -0.2166), (-131.88, 25.02, 616.46)),
    ("2000204-3-12", 25.0, (391, 632), (-2.9519, -0.1017, 0.6512), (-167.81, 51.48, 455.18)),
    ("2000370-9-7", 25.0, (500, 737), (-1.7259, 2.2164, 0.4363), (-150.85, 98.25, 539.97)),
    ("2000258-7-24", 32.0, (1025, 718), (-0.7803, -2.4839, -1.1378), (51.44, 72.72, 424.03)),
    ("1000188-13-23", 32.0, (1367, 416), (-2.8176, -0.4671, -0.7316), (219.85, -27.15, 642.63)),
    ("1000016-4-22", 32.0, (351, 681), (-2.6334, -0.7264, -0.744), (-220.0, 86.36, 578.42)),
)
UNMEASURED: tuple[Shown, ...] = (
    ("1000249-9-17", 33.5, (123, 394), (-2.2568, 1.6894, -0.6215), (-351.92, -36.39, 634.41)),
    ("2000185-6-18", 33.5, (697, 880), (2.28, 1.6725, -0.5507), (-67.31, 156.22, 517.31)),
    ("2000197-24-23", 32.0, (932, 774), (1.8443, -2.1392, -0.3742), (17.54, 81.32, 349.26)),
    ("1000054-8-22", 32.0, (242, 414), (2.7972, 1.0172, 0.3096), (-249.05, -18.81, 545.45)),
)
#: As in the benchmark: turned too far, or so far off that the covariance does not admit it.
WRONG_DEG, WRONG_SQUARE = 10.0, 100.0


def pose_of(shown: Shown) -> Rigid:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.from_rotvec(shown[3]).as_matrix(), shown[4]
    return Rigid.from_matrix(matrix, target="camera", source="body")


def estimated(shown: Shown, previous: Rigid | None = None) -> PoseEstimate:
    name, side_mm, (x, y), _, _ = shown
    cut = np.asarray(cv2.imread(str(FOLDER / f"{name}.png"), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    frame = np.full((1080, 1920), 128, np.uint8)
    frame[y : y + cut.shape[0], x : x + cut.shape[1]] = cut
    return estimate_pose(detect_markers(frame), MarkerBody.square(int(name.split("-")[2]), side_mm), CAMERA, previous)


@pytest.mark.parametrize("shown", SHIFTED, ids=lambda shown: shown[0])
def test_the_covariance_admits_what_lies_along_an_edge(shown: Shown) -> None:
    found, truth = estimated(shown), pose_of(shown)
    assert found.T_camera_from_body is not None
    assert found.covariance is not None
    off = found.T_camera_from_body.matrix()
    turn = Rotation.from_matrix(off[:3, :3] @ np.array(truth.rotation).T).as_rotvec()
    error = np.concatenate([turn, np.subtract(found.T_camera_from_body.t_mm, truth.t_mm)])
    assert np.degrees(np.linalg.norm(turn)) < WRONG_DEG
    assert error @ np.linalg.solve(found.covariance, error) < WRONG_SQUARE


@pytest.mark.parametrize("shown", UNMEASURED, ids=lambda shown: shown[0])
def test_a_pose_on_nothing_measured_is_refused(shown: Shown) -> None:
    """By itself, and after the true pose, from which it is too far."""
    for previous in (None, pose_of(shown)):
        found = estimated(shown, previous)
        assert found.T_camera_from_body is None
        assert "covered or blurred" in found.reason


BODY, POSE = MarkerBody.square(3, 30.0), placed((0.6, 0.3, 0.2), (20.0, -10.0, 400.0))


@pytest.mark.parametrize(("turn_rad", "given"), [(0.0, True), (0.1, True), (0.15, False)])
def test_what_was_not_measured_may_continue_the_last_pose_a_little(turn_rad: float, given: bool) -> None:
    """And vouches for no further one: it counts as decided by the last pose."""
    markers = Markers(BODY.ids, seen(BODY, POSE, CAMERA).corners_px, np.eye(8)[None] * UNSUPPORTED_PX**2)
    last = placed((0.6 + turn_rad, 0.3, 0.2), (20.0, -10.0, 400.0))
    found = estimate_pose(markers, BODY, CAMERA, last)
    assert (found.status == "OK") is given
    assert found.continued is given
    assert estimate_pose(markers, BODY, CAMERA).status == "INVALID"


def fitted(shift_cells: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True corners, found ones and their sds: a marker of cells of 10 px, its top edge covered by that much in the paper's grey."""
    rng, black = np.random.default_rng(2), cells("APRILTAG_36h11", 5)
    corners = np.array([[41.3, 40.2], [121.9, 44.6], [118.4, 124.7], [38.8, 121.1]])
    levels = drawn(black, corners, (165, 165), 0.8, ink=(40.0, 200.0))
    down = (corners[3] - corners[0] + corners[2] - corners[1]) / 2.0 / len(black)
    strip = np.array([corners[0] - 1.5 * down, corners[1] - 1.5 * down, corners[1] + shift_cells * down, corners[0] + shift_cells * down])
    if shift_cells:
        over = np.zeros(levels.shape, np.uint8)
        cv2.fillConvexPoly(over, np.round(strip * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
        share = cv2.GaussianBlur(over, (0, 0), 0.8) / 255.0
        levels = levels * (1.0 - share) + 200.0 * share
    image = np.clip(np.round(levels + 2.0 * rng.normal(size=levels.shape)), 0, 255).astype(np.uint8)
    squares = fitted_squares(image, corners[None], black[None])
    variance = squares.joint_covariance_px[0].diagonal().reshape(4, 2).sum(axis=1)
    return corners, squares.corners_px[0], np.sqrt(variance)


def test_cells_that_agree_leave_corners_as_they_are_known() -> None:
    corners, found, sds = fitted(0.0)
    assert np.linalg.norm(found - corners, axis=1).max() < 0.1
    assert sds.max() < 0.1


@pytest.mark.parametrize("shift_cells", [0.12, 0.17])
def test_cells_betray_an_edge_that_is_not_where_it_seems(shift_cells: float) -> None:
    corners, found, sds = fitted(shift_cells)
    off = np.linalg.norm(found - corners, axis=1)
    assert off[:2].min() > 0.7
    assert (off[:2] < 3.0 * sds[:2]).all()
    assert sds[2:].max() < 0.1
