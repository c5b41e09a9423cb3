"""Markers followed by regions: against the whole-frame detector and against what was drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from tests.tracking.rendered import drawn, exposed
from tracking import detect_markers
from tracking.detect.patterns import cells
from tracking.detect.regions import RegionDetector
from tracking.detect.sameness import unknown
from tracking.detect.search import SHARES
from tracking.opencv import cv2

VIDEOS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tracking" / "aruco"
NAME, HEIGHT, WIDTH = "APRILTAG_36h11", 480, 640


def square(x: float, y: float, side: float = 50.0, turn_deg: float = 15.0) -> np.ndarray:
    c, s = np.cos(np.deg2rad(turn_deg)) * side / 2.0, np.sin(np.deg2rad(turn_deg)) * side / 2.0
    return np.array([[x - c + s, y - s - c], [x + c + s, y + s - c], [x + c - s, y + s + c], [x - c - s, y - s + c]])


def scene(markers: list[tuple[str, int, np.ndarray]], seed: int = 0) -> np.ndarray:
    """Markers, each on its own piece of paper, on a dull ground."""
    levels = np.full((HEIGHT, WIDTH), 110.0)
    for name, number, corners in markers:
        low = np.maximum(corners.min(axis=0) - 20, 0).astype(int)
        high = np.minimum(corners.max(axis=0) + 20, [WIDTH, HEIGHT]).astype(int)
        part = drawn(cells(name, number), corners - low, (high[1] - low[1], high[0] - low[0]), 0.7, ground=110.0)
        levels[low[1] : high[1], low[0] : high[0]] = part
    return exposed(levels, 1.5, np.random.default_rng(seed))


def detector(ids: frozenset[int] = frozenset(range(10))) -> RegionDetector:
    return RegionDetector({NAME: ids}, WIDTH, HEIGHT)


EMPTY = scene([])


def test_a_moving_marker_is_followed_and_agrees_with_the_whole_frame() -> None:
    follow = detector()
    for step in range(6):
        image = scene([(NAME, 3, square(150 + 7 * step, 200 + 3 * step, turn_deg=10 + step))], step)
        found, whole = follow.detect(image)[NAME], detect_markers(image, NAME)
        assert found.ids.tolist() == whole.ids.tolist() == [3]
        assert np.abs(found.corners_px - whole.corners_px).max() < 0.05
        assert found.joint_covariance_px is not None
        assert 0.0 < found.sd_px.max() < 0.1


@pytest.mark.parametrize("place", [(60, 60), (580, 420), (320, 118), (320, 240), (320, 362)])
@pytest.mark.parametrize("side", [24.0, 60.0])
def test_a_new_marker_is_noticed_wherever_it_appears(place: tuple[int, int], side: float) -> None:
    follow = detector()
    follow.detect(EMPTY)
    image = scene([(NAME, 4, square(*place, side=side))])
    seen = [follow.detect(image)[NAME].ids.tolist() for _ in range(SHARES)]
    assert seen[-1] == [4]


def test_a_large_marker_is_noticed_too() -> None:
    follow = detector()
    follow.detect(EMPTY)
    image = scene([(NAME, 4, square(320, 240, side=300.0))])
    assert [follow.detect(image)[NAME].ids.tolist() for _ in range(SHARES)][-1] == [4]


def test_a_large_marker_is_followed_through_jumps_larger_than_its_edges_can_be_fitted_from() -> None:
    follow = detector()
    for step, (x, y) in enumerate([(250, 240), (310, 230), (260, 260), (330, 240), (270, 230)]):
        image = scene([(NAME, 4, square(x, y, side=300.0, turn_deg=5.0 * (step % 3)))], step)
        assert follow.detect(image)[NAME].ids.tolist() == [4]


def test_a_foreshortened_marker_beside_a_known_one_is_noticed() -> None:
    """Too narrow for the search of the whole image, which is at half size."""
    follow, known = detector(), (NAME, 5, square(300, 200, side=60.0, turn_deg=0.0))
    follow.detect(scene([known]))
    narrow = np.array([[366.0, 170.0], [380.0, 170.0], [380.0, 230.0], [366.0, 230.0]])
    image = scene([known, (NAME, 6, narrow)], 1)
    assert follow.detect(image)[NAME].ids.tolist() == [5, 6]


@given(turn=st.integers(0, 3), shift=st.floats(-4.0, 4.0))
def test_a_known_square_is_known_from_whichever_corner_it_begins(turn: int, shift: float) -> None:
    known = square(300, 200)[None]
    others = np.stack([np.roll(known[0], turn, axis=0) + shift, square(340, 200), square(300, 200, side=70.0)])
    assert unknown(others, known).tolist() == [False, True, True]


def test_a_lost_marker_is_missing_in_the_very_frame_and_found_again() -> None:
    follow, image = detector(), scene([(NAME, 5, square(300, 200))])
    assert follow.detect(image)[NAME].ids.tolist() == [5]
    assert follow.detect(EMPTY)[NAME].ids.tolist() == []
    assert follow.detect(image)[NAME].ids.tolist() == [5]


def test_another_marker_in_the_same_place_is_not_taken_for_the_last_one() -> None:
    follow = detector()
    follow.detect(scene([(NAME, 5, square(300, 200))]))
    assert follow.detect(scene([(NAME, 6, square(300, 200))]))[NAME].ids.tolist() == [6]


def test_a_marker_turned_by_a_right_angle_keeps_its_corners() -> None:
    follow = detector()
    for turn in (0.0, 90.0):
        corners = square(300, 200, turn_deg=turn + 15.0)
        found = follow.detect(scene([(NAME, 5, corners)]))[NAME]
        assert np.abs(found.corners_px[0] - corners).max() < 0.1


def test_a_number_seen_twice_is_reported_twice() -> None:
    follow, image = detector(), scene([(NAME, 2, square(150, 200)), (NAME, 2, square(450, 200))])
    for _ in range(3):
        assert follow.detect(image)[NAME].ids.tolist() == [2, 2]


def test_only_the_numbers_asked_for_are_reported() -> None:
    image = scene([(NAME, 2, square(150, 200)), (NAME, 7, square(450, 200))])
    assert detector(frozenset({7, 8})).detect(image)[NAME].ids.tolist() == [7]
    assert detector(frozenset()).detect(image)[NAME].ids.tolist() == []


def test_two_dictionaries_at_once() -> None:
    image = scene([(NAME, 2, square(150, 200)), ("4X4_50", 7, square(450, 200))])
    follow = RegionDetector({NAME: frozenset({2}), "DICT_4X4_50": frozenset({7, 9})}, WIDTH, HEIGHT)
    for _ in range(3):
        found = follow.detect(image)
        assert found[NAME].ids.tolist() == [2]
        assert found["DICT_4X4_50"].ids.tolist() == [7]


def test_predictions_are_believed_only_where_the_image_agrees() -> None:
    follow, corners = detector(), square(300, 200)
    follow.detect(EMPTY)
    nonsense = [
        np.full((4, 2), np.nan),
        np.full((4, 2), 1e300),
        np.full((4, 2), np.inf),
        np.zeros((4, 2)),
        np.zeros((3, 2)),
        corners[::-1],
        square(9, 9),
    ]
    assert follow.detect(EMPTY, [(NAME, 3, quad) for quad in nonsense])[NAME].ids.tolist() == []
    assert follow.detect(EMPTY, [(NAME, 999, corners), ("4X4_50", 0, corners)])[NAME].ids.tolist() == []
    found = follow.detect(scene([(NAME, 3, corners)]), [(NAME, 3, corners + 2.0)])[NAME]
    assert found.ids.tolist() == [3]
    assert np.abs(found.corners_px[0] - corners).max() < 0.1


@pytest.mark.parametrize(
    "image", [np.zeros((480, 640), np.uint8), np.full((480, 640), 255, np.uint8), np.zeros((1, 1), np.uint8), np.zeros((3, 9), np.uint8)]
)
def test_images_without_anything_have_no_markers(image: np.ndarray) -> None:
    follow = detector()
    for _ in range(SHARES + 1):
        assert follow.detect(image)[NAME].ids.tolist() == []


def test_an_image_of_another_size_begins_anew() -> None:
    follow, image = detector(), scene([(NAME, 5, square(300, 200))])
    follow.detect(image)
    assert follow.detect(image[100:400, 200:500])[NAME].ids.tolist() == [5]


def test_a_frozen_image_gives_the_same_answer() -> None:
    follow, image = detector(), scene([(NAME, 5, square(300, 200))])
    first = [follow.detect(image)[NAME] for _ in range(SHARES + 1)]
    assert all(np.abs(m.corners_px - first[0].corners_px).max() < 0.03 for m in first)


@pytest.mark.parametrize("image", [np.zeros((10, 10)), np.zeros((0, 5), np.uint8), np.zeros((5, 5, 3), np.uint8)])
def test_images_of_other_kinds_are_refused(image: np.ndarray) -> None:
    with pytest.raises(InputRefused, match="image has shape"):
        detector().detect(image)


def test_numbers_that_a_dictionary_does_not_have_are_refused() -> None:
    with pytest.raises(InputRefused, match="no marker 587"):
        RegionDetector({NAME: frozenset({3, 587})}, 640, 480)
    with pytest.raises(InputRefused, match="twice"):
        RegionDetector({NAME: frozenset({3}), "DICT_APRILTAG_36h11": frozenset({4})}, 640, 480)


@pytest.mark.skipif(not VIDEOS.is_dir(), reason="the public ArUco videos are not here")
@pytest.mark.parametrize(("video", "dictionary", "most"), [("12markers.avi", "6X6_250", 12), ("multipattern.avi", "ARUCO_ORIGINAL", 30)])
def test_real_videos_are_followed_as_the_whole_frame_would(video: str, dictionary: str, most: int) -> None:
    film, follow, seen, whole = cv2.VideoCapture(str(VIDEOS / video)), None, 0, 0
    for _ in range(30):
        more, image = film.read()
        if not more:
            break
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        follow = follow or RegionDetector({dictionary: frozenset(range(250 if "250" in dictionary else 1024))}, grey.shape[1], grey.shape[0])
        own = follow.detect(grey)[dictionary]
        assert len(own.ids) <= most
        seen, whole = seen + len(own.ids), whole + len(detect_markers(grey, dictionary).ids)
    assert seen >= 0.95 * whole > 0
