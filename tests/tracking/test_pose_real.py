"""Poses in real videos (scikit-surgeryarucotracker's): continuous, without flips, and where its own regression test has them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.tracking.test_pose import turn_between
from tracking import Camera, MarkerBody, PoseEstimate, detect_markers, estimate_pose
from tracking.opencv import cv2
from tracking.pose.ambiguity import Continuity

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tracking" / "aruco"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the data pack with the ArUco videos is not here")

#: The calibration that the videos' own tests use.
MATRIX = np.array([[608.67179504, 0.0, 323.12263928], [0.0, 606.13421375, 231.29247171], [0.0, 0.0, 1.0]])
CAMERA = Camera(MATRIX, np.array([-0.02191634, -0.14300148, -0.00395124, -0.00044941, 0.19656551]), 640, 480)
PERIOD_NS = 40_000_000


def body(name: str) -> MarkerBody:
    rows = np.loadtxt(DATA / name, ndmin=2)
    return MarkerBody(rows[:, 0].astype(np.int32), rows[:, 4:].reshape(-1, 4, 3))


def film(name: str) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(DATA / name)), []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


def followed(name: str, dictionary: str, bodies: list[MarkerBody]) -> list[list[PoseEstimate]]:
    """Poses of each body, frame by frame."""
    memories, found = [Continuity() for _ in bodies], [list[PoseEstimate]() for _ in bodies]
    for number, picture in enumerate(film(name)):
        markers = detect_markers(picture, dictionary)
        for own, memory, poses in zip(bodies, memories, found, strict=True):
            poses.append(estimate_pose(markers, own, CAMERA, memory.at(number * PERIOD_NS)))
            memory.took(number * PERIOD_NS, poses[-1])
    return found


def check_continuous(poses: list[PoseEstimate], least: int) -> None:
    given = [p.T_camera_from_body for p in poses if p.T_camera_from_body is not None]
    assert len(given) >= least, [p.reason for p in poses]
    for before, after in pairwise(given):
        assert np.degrees(np.linalg.norm(turn_between(after, before))) < 3.0
        assert np.linalg.norm(np.subtract(after.t_mm, before.t_mm)) < 5.0


def test_single_tag() -> None:
    (poses,) = followed("output.avi", "4X4_50", [body("tag_0.txt")])
    assert len(poses) == 10
    check_continuous(poses, 10)


def test_board_and_pointer() -> None:
    board, pointer = followed("multipattern.avi", "ARUCO_ORIGINAL", [body("reference.txt"), body("pointer.txt")])
    assert len(board) == 10
    check_continuous(board, 10)
    check_continuous(pointer, 10)
    assert all(p.rms_px is not None and p.rms_px < 1.05 for p in (*board, *pointer))


def test_the_board_is_where_its_regression_test_has_it() -> None:
    """tests/test_arucotracker_vs_solvepnp.py there: first frame, unrefined corners, least squares that miss by 1.5 px; within our error bar."""
    turn = np.array([[-0.85007277, 0.51807849, -0.09471516], [-0.46167221, -0.64647658, 0.60739345], [0.25344635, 0.56005599, 0.78873458]])
    found = estimate_pose(detect_markers(film("multipattern.avi")[0], "ARUCO_ORIGINAL"), body("reference.txt"), CAMERA)
    assert found.T_camera_from_body is not None
    assert found.covariance is not None
    off_mm = np.subtract(found.T_camera_from_body.t_mm, (-80.6235428, 50.7177658, 250.268387))
    assert (np.abs(off_mm) < 3.0 * np.sqrt(np.diag(found.covariance)[3:])).all()
    assert np.linalg.norm(off_mm) < 3.0
    assert np.degrees(np.linalg.norm(cv2.Rodrigues(np.array(found.T_camera_from_body.rotation) @ turn.T)[0])) < 1.5


def test_twelve_markers() -> None:
    """A drawn sheet, squarely seen: twelve bodies of one marker each, all at one distance and turned alike."""
    poses = [p[0] for p in followed("12markers.avi", "6X6_250", [MarkerBody.square(n, 50.0) for n in range(1, 13)])]
    given = [p.T_camera_from_body for p in poses]
    assert all(pose is not None for pose in given), [p.reason for p in poses]
    depths = [pose.t_mm[2] for pose in given if pose is not None]
    assert np.ptp(depths) < 0.02 * np.mean(depths)
