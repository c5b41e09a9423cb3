"""Marker patterns against OpenCV's own drawing of them."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.errors import InputRefused
from tracking.detect.patterns import cells, dictionary_names, dictionary_of
from tracking.opencv import cv2


@pytest.mark.parametrize("name", sorted(dictionary_names().values()))
def test_cells_are_those_that_opencv_draws(name: str) -> None:
    words = dictionary_of(name)
    drawing = cv2.aruco.getPredefinedDictionary(words.number)
    for marker in (0, len(words.black) // 2, len(words.black) - 1):
        drawn = cv2.aruco.generateImageMarker(drawing, marker, words.size)
        np.testing.assert_array_equal(cells(name, marker), drawn == 0)


def test_the_dictionaries_in_common_use_are_there() -> None:
    for name, size, count in (("APRILTAG_36h11", 8, 587), ("DICT_ARUCO_MIP_36h12", 8, 250), ("aruco_original", 7, 1024), ("4X4_50", 6, 50)):
        words = dictionary_of(name)
        assert (words.size, len(words.black)) == (size, count)


@pytest.mark.parametrize("marker", [-1, 587])
def test_a_marker_that_is_not_in_the_dictionary_is_refused(marker: int) -> None:
    with pytest.raises(InputRefused, match="0 to 586"):
        cells("APRILTAG_36h11", marker)


def test_an_unknown_dictionary_names_the_nearest() -> None:
    with pytest.raises(InputRefused, match="APRILTAG_36h11"):
        cells("APRILTAG_36h1", 0)
