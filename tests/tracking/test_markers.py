"""Marker detection: rendered images with known corners, and real videos."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from tests.tracking.rendered import CAMERA, picture, placed, seen
from tracking import Camera, MarkerBody, Markers, detect_markers, estimate_pose
from tracking.opencv import cv2

VIDEOS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tracking" / "aruco"
needs_videos = pytest.mark.skipif(not VIDEOS.is_dir(), reason="the public ArUco videos are not here")


def frames(name: str) -> list[np.ndarray]:
    video, found = cv2.VideoCapture(str(VIDEOS / name)), []
    while True:
        more, image = video.read()
        if not more:
            return found
        found.append(image)


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (0.5, 0.2, 0.3), (-0.3, 0.6, -2.0)])
def test_corners_of_a_rendered_marker(turn: tuple[float, float, float]) -> None:
    pose = placed(turn, (20.0, -15.0, 400.0))
    found = detect_markers(picture(7, 50.0, pose, cv2.aruco.DICT_APRILTAG_36h11, 8))
    assert found.ids.tolist() == [7]
    assert found.corners_px.dtype == np.float64
    expected = seen(MarkerBody.square(7, 50.0), pose, CAMERA).corners_px
    assert np.abs(found.corners_px - expected).max() < 0.08


def test_pose_of_a_rendered_marker() -> None:
    pose = placed((0.5, 0.3, 0.4), (20.0, -15.0, 400.0))
    found = estimate_pose(detect_markers(picture(7, 50.0, pose, cv2.aruco.DICT_APRILTAG_36h11, 8)), MarkerBody.square(7, 50.0), CAMERA)
    assert found.status == "OK", found.reason
    assert found.T_camera_from_body is not None
    assert np.linalg.norm(np.subtract(found.T_camera_from_body.t_mm, pose.t_mm)) < 1.0
    turned = np.array(found.T_camera_from_body.rotation) @ np.array(pose.rotation).T
    assert np.degrees(np.arccos((np.trace(turned) - 1.0) / 2.0)) < 1.0


def test_colour_and_grey_agree_and_dictionaries_have_short_and_long_names() -> None:
    grey = picture(3, 50.0, placed((0.3, 0.0, 0.0), (0.0, 0.0, 400.0)), cv2.aruco.DICT_4X4_50, 6)
    one, two = detect_markers(np.dstack([grey] * 3), "DICT_4X4_50"), detect_markers(grey, "4x4_50")
    assert one.ids.tolist() == two.ids.tolist() == [3]
    np.testing.assert_allclose(one.corners_px, two.corners_px, atol=0.05)


def test_an_empty_image_has_no_markers() -> None:
    found = detect_markers(np.zeros((100, 120), np.uint8))
    assert found.ids.shape == (0,)
    assert found.corners_px.shape == (0, 4, 2)


@pytest.mark.parametrize("image", [np.zeros((10, 10)), np.zeros((0, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros(5, np.uint8)])
def test_images_of_other_kinds_are_refused(image: np.ndarray) -> None:
    with pytest.raises(InputRefused, match="image has shape"):
        detect_markers(image)


def test_an_unknown_dictionary_names_the_nearest() -> None:
    with pytest.raises(InputRefused, match="APRILTAG_36h11"):
        detect_markers(np.zeros((10, 10), np.uint8), "APRILTAG_36h1")


def test_markers_check_their_shapes() -> None:
    with pytest.raises(InputRefused, match="shape"):
        Markers(np.array([1, 2]), np.zeros((1, 4, 2)))


@needs_videos
@pytest.mark.parametrize(
    ("video", "dictionary", "expected"),
    [("12markers.avi", "6X6_250", 12), ("multipattern.avi", "ARUCO_ORIGINAL", 15), ("output.avi", "4X4_50", 1)],
)
def test_real_videos(video: str, dictionary: str, expected: int) -> None:
    counts = [len(detect_markers(image, dictionary).ids) for image in frames(video)]
    assert np.median(counts) >= expected


@needs_videos
def test_pose_in_a_real_video() -> None:
    """Twelve markers of a printed board: their mutual layout is a check that no single marker gives."""
    rows = np.loadtxt(VIDEOS / "reference.txt")
    board = MarkerBody(rows[:, 0].astype(np.int32), rows[:, 4:].reshape(-1, 4, 3))
    numbers = np.loadtxt(VIDEOS / "calibration.txt", max_rows=3)
    camera = Camera(numbers, np.zeros(5), 640, 480)
    found = [estimate_pose(detect_markers(image, "ARUCO_ORIGINAL"), board, camera) for image in frames("multipattern.avi")]
    sound = [p for p in found if p.status == "OK"]
    assert len(sound) >= 0.8 * len(found), [p.reason for p in found]
    for pose in sound:
        assert pose.T_camera_from_body is not None
        assert pose.T_camera_from_body.t_mm[2] > 50.0
        assert pose.rms_px is not None
        assert pose.rms_px < 2.0


def test_opencv_leaves_qts_environment_alone() -> None:
    code = (
        "import os; os.environ['QT_QPA_FONTDIR'] = 'mine'; import tracking.detect.markers;"
        "assert os.environ['QT_QPA_FONTDIR'] == 'mine'; assert 'QT_QPA_PLATFORM_PLUGIN_PATH' not in os.environ"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("QT_QPA")}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0
