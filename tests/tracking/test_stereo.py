"""Where several cameras stand: against known places, and what has to make it refuse."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibration_boards import DISTORTION, MATRIX, exposures_of
from benchmarks.calibration_cases import rigid
from navtwin.calibrate.poses import vectors_of
from navtwin.errors import InputRefused
from tracking.calibration.stereo import calibrate_cameras
from tracking.camera_model import Camera
from tracking.opencv import cv2

CAMERA = Camera(MATRIX, DISTORTION, 1280, 720)
#: The second camera stands 80 mm to the right, turned inwards.
PLACE = rigid(np.array([0.02, -0.25, 0.01]), np.array([80.0, 2.0, 5.0]))
SECOND_FROM_FIRST = np.linalg.inv(PLACE)


def off(found) -> np.ndarray:  # type: ignore[no-untyped-def]
    matrix = found.T_tracker_from_camera[0].matrix()
    return np.concatenate([vectors_of((matrix[:3, :3] @ PLACE[:3, :3].T)[None])[0], matrix[:3, 3] - PLACE[:3, 3]])


def test_exact_corners_give_the_exact_place() -> None:
    found = calibrate_cameras(exposures_of(np.random.default_rng(0), 12, SECOND_FROM_FIRST, 0.0), [CAMERA, CAMERA])
    np.testing.assert_allclose(off(found), 0.0, atol=1e-6)
    assert found.accepted, found.reasons
    assert found.epipolar_px < 1e-4


def test_truth_lies_in_the_stated_interval_and_opencv_agrees() -> None:
    z = []
    for seed in range(3):
        exposures = exposures_of(np.random.default_rng(seed), 20, SECOND_FROM_FIRST, 0.1)
        found = calibrate_cameras(exposures, [CAMERA, CAMERA])
        z.append(off(found) / np.sqrt(np.diag(found.covariance[0])))
        assert found.accepted, found.reasons
        assert found.held_out_px < 0.2
    assert (np.abs(z) < 1.96).mean() > 0.75
    assert np.abs(z).max() < 4.0
    both = [e for e in exposures if len(e) == 2]
    shared = [np.intersect1d(e[0].ids, e[1].ids, return_indices=True) for e in both]
    board = [e[0].board_mm[a].astype(np.float32) for e, (_, a, _) in zip(both, shared, strict=True) if len(a) > 11]
    pixels = [[e[c].seen_px[s[1 + c]].astype(np.float32) for e, s in zip(both, shared, strict=True) if len(s[0]) > 11] for c in (0, 1)]
    _, _, _, _, _, R, t, *_ = cv2.stereoCalibrate(board, *pixels, MATRIX, DISTORTION, MATRIX, DISTORTION, (1280, 720), flags=cv2.CALIB_FIX_INTRINSIC)
    theirs = np.eye(4)
    theirs[:3, :3], theirs[:3, 3] = R, t.ravel()
    ours = found.T_tracker_from_camera[0].matrix()
    assert np.linalg.norm(np.linalg.inv(theirs)[:3, 3] - ours[:3, 3]) < 0.2


def test_intrinsics_can_be_refined_along() -> None:
    off_by = Camera(MATRIX + np.diag((3.0, 3.0, 0.0)), DISTORTION, 1280, 720)
    found = calibrate_cameras(exposures_of(np.random.default_rng(1), 18, SECOND_FROM_FIRST, 0.1), [off_by, off_by], refine_intrinsics=True)
    assert found.accepted, found.reasons
    assert abs(found.cameras[1].matrix[0, 0] - MATRIX[0, 0]) < 1.0


def test_a_board_printed_at_a_wrong_scale_is_found_by_the_baseline() -> None:
    stated = float(np.linalg.norm(PLACE[:3, 3]))
    right = calibrate_cameras(exposures_of(np.random.default_rng(2), 16, SECOND_FROM_FIRST, 0.1), [CAMERA, CAMERA], baseline_mm=stated)
    assert right.accepted, right.reasons
    wrong = calibrate_cameras(exposures_of(np.random.default_rng(2), 16, SECOND_FROM_FIRST, 0.1, scale=0.97), [CAMERA, CAMERA], baseline_mm=stated)
    assert not wrong.accepted
    assert any("smaller than it says" in reason for reason in wrong.reasons), wrong.reasons


def test_views_that_were_not_simultaneous_are_left_out_or_refused() -> None:
    exposures = exposures_of(np.random.default_rng(3), 15, SECOND_FROM_FIRST, 0.1)
    moved = {n: dict(e) for n, e in enumerate(exposures)}
    both = [n for n, e in moved.items() if len(e) == 2]
    one, other = both[2], both[7]
    moved[one][1], moved[other][1] = moved[other][1], moved[one][1]
    found = calibrate_cameras(list(moved.values()), [CAMERA, CAMERA])
    assert len(found.rejected) == 2
    np.testing.assert_allclose(off(found)[3:], 0.0, atol=1.0)
    for left, right in zip(both[::2], both[1::2], strict=False):
        moved[left][1], moved[right][1] = exposures[right][1], exposures[left][1]
    assert not calibrate_cameras(list(moved.values()), [CAMERA, CAMERA]).accepted


def test_too_few_views_and_other_cameras_calibration() -> None:
    exposures = exposures_of(np.random.default_rng(4), 12, SECOND_FROM_FIRST, 0.1)
    few = calibrate_cameras([e for e in exposures if len(e) == 2][:5], [CAMERA, CAMERA])
    assert any("views in common" in reason for reason in few.reasons)
    with pytest.raises(InputRefused, match="1280 x 720 and the calibration of camera 1 holds for 640 x 480"):
        calibrate_cameras(exposures, [CAMERA, Camera(np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]), np.zeros(5), 640, 480)])
    with pytest.raises(InputRefused, match="no board together"):
        calibrate_cameras([{0: e[0]} for e in exposures if 0 in e], [CAMERA, CAMERA])
    zoomed = Camera(np.array([[1300.0, 0, 640], [0, 1300, 360], [0, 0, 1]]), np.zeros(5), 1280, 720)
    assert not calibrate_cameras(exposures, [CAMERA, zoomed]).accepted
