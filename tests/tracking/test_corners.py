"""Corner refinement against exactly drawn markers: how far corners are off, and whether the stated covariance says so."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tracking.rendered import drawn, exposed, tilted
from tracking import detect_markers
from tracking.detect.corners import UNSUPPORTED_PX, fitted_squares, refine_corners
from tracking.detect.patterns import cells

DICTIONARY = "APRILTAG_36h11"


def scatter(
    side: float, tilt: float, blur: float, noise: float, markers: int = 5, exposures: int = 10, **scene: float
) -> tuple[np.ndarray, np.ndarray]:
    """(K, 8) errors of the corners, and (K, 8, 8) stated covariances, from starts half a pixel off."""
    rng = np.random.default_rng(7)
    errors, stated, size = [], [], int(side * 1.5 + 40)
    for number in range(markers):
        black = cells(DICTIONARY, number)
        corners = tilted(
            side, tilt, 90.0 * number + rng.uniform(5.0, 40.0), (size / 2 + rng.uniform(-0.5, 0.5), size / 2 + rng.uniform(-0.5, 0.5)), rng
        )
        levels = drawn(black, corners, (size, size), blur, **scene)
        for _ in range(exposures):
            found, covariance = refine_corners(exposed(levels, noise, rng), (corners + rng.normal(size=(4, 2)) * 0.5)[None], black[None])
            errors.append((found[0] - corners).ravel())
            stated.append(covariance[0])
    return np.array(errors), np.array(stated)


@pytest.mark.parametrize(
    ("side", "tilt", "blur", "noise"),
    [(20, 0, 0.7, 2), (30, 20, 1.0, 2), (60, 60, 0.7, 2), (60, 30, 2.0, 3), (100, 30, 1.0, 6), (60, 0, 0.5, 1)],
)
def test_errors_are_as_large_as_stated(side: float, tilt: float, blur: float, noise: float) -> None:
    errors, stated = scatter(side, tilt, blur, noise)
    sd = np.sqrt(np.diagonal(stated, axis1=1, axis2=2))
    assert 0.65 < np.mean((errors / sd) ** 2) < 1.45  # 50 exposures of 5 markers tell it to about a fifth
    joint = np.mean([e @ np.linalg.solve(c, e) for e, c in zip(errors, stated, strict=True)]) / 8.0
    assert 0.65 < joint < 1.45
    assert np.abs(errors.mean()) < 0.02


def test_little_noise_leaves_little_error() -> None:
    errors, _ = scatter(80, 35, 0.7, 0.5, exposures=2)
    assert np.abs(errors).max() < 0.05
    assert np.sqrt((errors**2).mean()) < 0.015


def test_edges_do_not_move_outwards_where_a_narrow_margin_ends_in_dark_ground() -> None:
    size, black = 120, cells(DICTIONARY, 3)
    corners = tilted(50.0, 0.0, 20.0, (60.0, 60.0), np.random.default_rng(1))
    image = exposed(drawn(black, corners, (size, size), 1.0, ground=20.0), 0.5, np.random.default_rng(2))
    found = refine_corners(image, corners[None], black[None])[0][0]
    outward = ((found - corners) * (corners - corners.mean(axis=0))).sum(axis=1) / np.linalg.norm(corners - corners.mean(axis=0), axis=1)
    assert np.abs(outward.mean()) < 0.03


def test_the_start_does_not_matter() -> None:
    rng, size, black = np.random.default_rng(3), 160, cells(DICTIONARY, 5)
    corners = tilted(70.0, 40.0, 15.0, (80.0, 80.0), rng)
    image = exposed(drawn(black, corners, (size, size), 0.8), 2.0, rng)
    starts = corners + rng.uniform(-1.5, 1.5, (20, 4, 2))
    found, _ = refine_corners(image, starts, np.repeat(black[None], 20, axis=0))
    assert np.abs(found - found.mean(axis=0)).max() < 0.03


@pytest.mark.parametrize(("squeeze", "turn_deg"), [(0.35, 0.0), (0.25, 20.0)])
def test_the_start_does_not_matter_for_a_marker_seen_edge_on(squeeze: float, turn_deg: float) -> None:
    """Cells of 2.6 to 1.9 px across: whether one pixel more counts or not must not decide where the edge is."""
    rng, size, black = np.random.default_rng(9), 120, cells(DICTIONARY, 7)
    turn = np.deg2rad(turn_deg)
    flat = np.array([[-30.0, -30.0], [30.0, -30.0], [30.0, 30.0], [-30.0, 30.0]]) * [1.0, squeeze]
    corners = flat @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + [60.2, 59.7]
    image = exposed(drawn(black, corners, (size, size), 0.6), 2.0, rng)
    starts = corners + rng.uniform(-0.5, 0.5, (20, 4, 2)) + rng.uniform(-0.5, 0.5, (20, 1, 2))
    found, covariance = refine_corners(image, starts, np.repeat(black[None], 20, axis=0))
    assert np.abs(found - np.median(found, axis=0)).max() < 0.05
    errors = (found - corners).reshape(20, 8)
    assert np.mean([e @ np.linalg.solve(c, e) for e, c in zip(errors, covariance, strict=True)]) / 8.0 < 2.5


def test_a_partly_covered_edge_says_so_and_does_not_pull() -> None:
    rng, size, black = np.random.default_rng(4), 160, cells(DICTIONARY, 5)
    corners = tilted(80.0, 10.0, 5.0, (80.0, 80.0), rng)
    clear = exposed(drawn(black, corners, (size, size), 0.8), 2.0, rng)
    covered = clear.copy()
    middle = corners[:2].mean(axis=0).astype(int)
    covered[: middle[1] + 5, middle[0] : middle[0] + 22] = 90
    plain, hidden = refine_corners(clear, corners[None], black[None]), refine_corners(covered, corners[None], black[None])
    error = (hidden[0][0] - corners).ravel()
    assert np.abs(error).max() < 0.25
    assert hidden[1][0].trace() > plain[1][0].trace()


def test_an_edge_lost_in_glare_is_not_supported() -> None:
    rng, size, black = np.random.default_rng(5), 160, cells(DICTIONARY, 5)
    corners = tilted(80.0, 0.0, 0.0, (80.0, 80.0), rng)
    levels = drawn(black, corners, (size, size), 0.8)
    levels[:60] = 255.0
    squares = fitted_squares(exposed(levels, 2.0, rng), corners[None], black[None])
    top = int(np.argmin((corners + np.roll(corners, -1, axis=0))[:, 1]))
    assert not squares.supported[0, top]
    assert squares.supported[0].sum() >= 1
    assert squares.joint_covariance_px[0].diagonal().max() > 0.5 * UNSUPPORTED_PX**2


def test_saturated_paper_does_not_move_the_edge() -> None:
    rng, size, black = np.random.default_rng(6), 160, cells(DICTIONARY, 9)
    corners = tilted(80.0, 20.0, 33.0, (80.0, 80.0), rng)
    image = exposed(drawn(black, corners, (size, size), 0.8, ink=(60.0, 300.0)), 1.0, rng)
    assert np.abs(refine_corners(image, corners[None], black[None])[0][0] - corners).max() < 0.06


def test_straight_edges_bent_by_a_lens_keep_their_corners() -> None:
    """A bow of 0.4 px in the middle of each edge: what a wide lens does to a marker of 120 px."""
    rng, size, black = np.random.default_rng(8), 240, cells(DICTIONARY, 2)
    corners = tilted(120.0, 0.0, 10.0, (120.0, 120.0), rng)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    from tracking.opencv import cv2

    k, focal = -0.09, 150.0
    u, v = (x - 120.0) / focal, (y - 120.0) / focal
    ideal = 1.0 + k * (u * u + v * v)
    image = exposed(drawn(black, corners, (size, size), 0.6), 0.0, rng)
    bent = cv2.remap(image, (u / ideal * focal + 120.0).astype(np.float32), (v / ideal * focal + 120.0).astype(np.float32), cv2.INTER_CUBIC)
    # A bent image's pixel p shows the ideal image's pixel p / ideal(p): solve for where the corners went.
    where = corners.copy()
    for _ in range(50):
        off = (where - 120.0) / focal
        where = (corners - 120.0) * (1.0 + k * (off * off).sum(axis=1, keepdims=True)) + 120.0
    found = refine_corners(bent, where[None], black[None])[0][0]
    assert np.abs(found - where).max() < 0.08


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_even_image_supports_nothing(value: int) -> None:
    corners = np.array([[20.0, 20.0], [60.0, 20.0], [60.0, 60.0], [20.0, 60.0]])
    squares = fitted_squares(np.full((80, 80), value, np.uint8), corners[None], cells(DICTIONARY, 0)[None])
    assert not squares.supported.any()
    np.testing.assert_array_equal(squares.corners_px[0], corners)


def test_nonsense_corners_stay_what_they_are() -> None:
    image = np.zeros((50, 50), np.uint8)
    nonsense = np.array([[[np.nan] * 2] * 4, [[1e12] * 2] * 4, [[5.0, 5.0]] * 4, [[0.0, 0.0], [0.0, 30.0], [30.0, 30.0], [30.0, 0.0]]])
    squares = fitted_squares(image, nonsense, np.repeat(cells(DICTIONARY, 0)[None], 4, axis=0))
    assert not squares.supported.any()
    assert squares.joint_covariance_px.shape == (4, 8, 8)


@pytest.mark.parametrize("grey", [60.0, 128.0, 200.0])
@pytest.mark.parametrize("covered_cells", [0.5, 0.7])
def test_an_edge_that_lies_across_a_marker_is_not_taken_for_its_own(grey: float, covered_cells: float) -> None:
    """A strip laid along one side has an edge as straight and as sharp as the marker's; its corners must not be called well known."""
    side, left, top = 90.0, 60.0, 60.0
    cell = side / 10.0
    corners = np.array([[left, top], [left + side, top], [left + side, top + side], [left, top + side]])
    levels = drawn(cells("APRILTAG_36h11", 7), corners, (220, 220), 0.8)
    levels[: round(top + covered_cells * cell), :] = grey
    image = exposed(levels, 1.5, np.random.default_rng(3))
    found = detect_markers(image)
    for marker, sd in zip(found.corners_px, found.sd_px, strict=True):
        off = np.linalg.norm(marker - corners, axis=1)
        assert (off < 8.0 * np.maximum(sd, 0.05)).all()
