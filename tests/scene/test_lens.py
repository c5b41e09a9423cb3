"""The lens against OpenCV, whose model it is, and against its own limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.nouns import RigCamera
from navtwin.scene.lens import Lens
from tracking.opencv import cv2

FOCAL, CENTRE = (935.1, 932.7), (645.4, 355.6)
#: One of each length: of a webcam, and every further term at a size that moves points by whole pixels.
COEFFICIENTS = (
    (),
    (-0.118, 0.062, 7e-4, -4e-4),
    (-0.118, 0.062, 7e-4, -4e-4, -0.011),
    (0.21, -0.08, 7e-4, -4e-4, 0.004, 0.31, -0.05, 0.002),
    (0.21, -0.08, 7e-4, -4e-4, 0.004, 0.31, -0.05, 0.002, 1e-3, -4e-4, -8e-4, 3e-4),
    (0.21, -0.08, 7e-4, -4e-4, 0.004, 0.31, -0.05, 0.002, 1e-3, -4e-4, -8e-4, 3e-4, 0.021, -0.013),
)


def camera(distortion: tuple[float, ...] = ()) -> RigCamera:
    return RigCamera(name="webcam", width_px=1280, height_px=720, focal_px=FOCAL, centre_px=CENTRE, distortion=distortion)


def opencv(points: np.ndarray, distortion: tuple[float, ...]) -> np.ndarray:
    matrix = np.array([[FOCAL[0], 0.0, CENTRE[0]], [0.0, FOCAL[1], CENTRE[1]], [0.0, 0.0, 1.0]])
    return np.asarray(cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, np.array(distortion))[0]).reshape(-1, 2)


def in_view(rng: np.random.Generator, count: int = 500) -> np.ndarray:
    """Points whose pinhole images fill the picture and a little more."""
    depth = rng.uniform(150.0, 1500.0, count)
    return np.stack((rng.uniform(-0.75, 0.75, count) * depth, rng.uniform(-0.45, 0.45, count) * depth, depth), axis=1)


@pytest.mark.parametrize("distortion", COEFFICIENTS, ids=lambda d: f"{len(d)} coefficients")
def test_points_fall_where_opencv_has_them(distortion: tuple[float, ...]) -> None:
    points = in_view(np.random.default_rng(3))
    lens = Lens.of(camera(distortion))
    assert lens.limit > 0.88
    assert np.abs(lens.project(points) - opencv(points, distortion)).max() < 1e-6


@pytest.mark.parametrize("distortion", COEFFICIENTS, ids=lambda d: f"{len(d)} coefficients")
def test_the_gradient_is_opencvs(distortion: tuple[float, ...]) -> None:
    points = in_view(np.random.default_rng(4), 40)
    gradient = Lens.of(camera(distortion)).gradient(points)
    for axis, step in enumerate(1e-3 * np.eye(3)):
        moved = (opencv(points + step, distortion) - opencv(points - step, distortion)) / 2e-3
        assert np.abs(gradient[:, :, axis] - moved).max() < 1e-5


def test_what_is_behind_the_camera_has_no_image() -> None:
    lens = Lens.of(camera(COEFFICIENTS[2]))
    points = np.array([(0.0, 0.0, -500.0), (10.0, 5.0, 0.0), (1e9, 0.0, 1e-9), (0.0, 0.0, 500.0)])
    pixels = lens.project(points)
    assert np.isnan(pixels[:3]).all()
    assert np.allclose(pixels[3], CENTRE)
    assert np.isnan(lens.gradient(points)[:3]).all() and np.isfinite(lens.gradient(points)[3]).all()


def test_what_the_polynomial_folds_back_is_not_drawn_inside() -> None:
    """k1 alone, -0.2: r (1 + k1 r^2) turns at r = sqrt(1 / 0.6), and at r = sqrt(5) is back in the middle of the picture."""
    distortion = (-0.2, 0.0, 0.0, 0.0)
    lens = Lens.of(camera(distortion))
    assert lens.limit == pytest.approx(np.sqrt(1.0 / 0.6), rel=2e-3)
    far = np.array([(np.sqrt(5.0) * 300.0, 0.0, 300.0)])
    assert np.allclose(opencv(far, distortion), CENTRE)
    assert np.isnan(lens.project(far)).all()


def test_a_pole_of_the_rational_model_is_a_limit_too() -> None:
    lens = Lens.of(camera((0.0, 0.0, 0.0, 0.0, 0.0, -0.5, 0.0, 0.0)))
    assert lens.limit == pytest.approx(np.sqrt(2.0), rel=2e-3)


def test_a_lens_without_distortion_sees_as_wide_as_is_asked_for() -> None:
    assert Lens.of(camera()).limit == 10.0


@settings(max_examples=40)
@given(
    k1=st.floats(-0.6, 0.6), k2=st.floats(-0.4, 0.4), k3=st.floats(-0.3, 0.3), p1=st.floats(-0.02, 0.02),
    turn=st.floats(0.0, 6.3), share=st.floats(0.01, 0.98),
)  # fmt: skip
def test_further_out_is_further_out_in_the_picture(k1: float, k2: float, k3: float, p1: float, turn: float, share: float) -> None:
    lens = Lens.of(camera((k1, k2, p1, 0.0, k3)))
    radius = lens.limit * np.array((share, share + 0.01))
    rays = np.stack((radius * np.cos(turn), radius * np.sin(turn), np.ones(2)), axis=1) * 400.0
    (inner, outer) = (lens.project(rays) - CENTRE) / FOCAL
    assert (outer - inner) @ (np.cos(turn), np.sin(turn)) > 0.0


def test_a_part_of_the_picture_has_the_same_lens() -> None:
    whole, points = Lens.of(camera(COEFFICIENTS[2])), in_view(np.random.default_rng(5), 50)
    part = whole.cropped(200.0, 120.5, 640, 360)
    assert part.project(points) == pytest.approx(whole.project(points) - (200.0, 120.5))
    assert (part.width_px, part.height_px, part.limit) == (640, 360, whole.limit)


def test_a_list_of_seven_coefficients_is_refused() -> None:
    with pytest.raises(InputRefused, match="'webcam' of the rig has 7 distortion coefficients"):
        Lens.of(camera((0.1,) * 7))
