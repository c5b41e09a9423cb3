"""Square markers in an image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from tracking.corners import refine_corners
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Markers:
    """What was found in one image.

    Attributes
    ----------
    ids : (N,) marker numbers, ascending; a number may occur twice if the image shows it twice
    corners_px : (N, 4, 2) x and y, px: top left, top right, bottom right, bottom left of the upright marker. Pixel centres are whole numbers
    """

    ids: npt.NDArray[np.int32]
    corners_px: Array

    def __post_init__(self) -> None:
        ids, corners = np.array(self.ids, dtype=np.int32).ravel(), np.array(self.corners_px, dtype=np.float64)
        if corners.size == 0:
            corners = corners.reshape(0, 4, 2)
        if corners.shape != (len(ids), 4, 2):
            raise InputRefused(f"{len(ids)} marker(s) have corners of shape {corners.shape}", "pass (N, 4, 2), in pixels")
        for name, array in (("ids", ids), ("corners_px", corners)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)


def detect_markers(image: npt.NDArray[np.uint8], dictionary: str = "APRILTAG_36h11") -> Markers:
    """Find the markers of one dictionary, their corners refined to a fraction of a pixel (`refine_corners`).

    Garrido-Jurado et al., Pattern Recognition 2014;47:2280, as OpenCV's `ArucoDetector` has it.

    Parameters
    ----------
    image : (H, W) grey or (H, W, 3) BGR, 8 bit
    dictionary : "APRILTAG_36h11", "4X4_50", "6X6_250", "ARUCO_ORIGINAL" ... (OpenCV's names; the prefix DICT_ may be left out)

    Raises
    ------
    InputRefused : an image of other shape or type, an unknown dictionary
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise InputRefused(f"the image has shape {pixels.shape} and type {pixels.dtype}", "pass 8-bit grey (H, W) or BGR (H, W, 3)")
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    grey = np.ascontiguousarray(grey)
    detector, cells = _detector(_dictionary_number(dictionary))
    corners, ids, _ = detector.detectMarkers(grey)
    if ids is None or len(ids) == 0:
        return Markers(np.zeros(0, np.int32), np.zeros((0, 4, 2)))
    numbers = np.asarray(ids).ravel()
    order = np.argsort(numbers, kind="stable")
    detected = np.reshape(corners, (-1, 4, 2)).astype(np.float64)[order]
    return Markers(numbers[order].astype(np.int32), refine_corners(grey, detected, cells))


def _dictionary_number(name: str) -> int:
    known = {word.removeprefix("DICT_"): word for word in dir(cv2.aruco) if word.startswith("DICT_")}
    by_upper = {short.upper(): word for short, word in known.items()}
    wanted = name.upper().removeprefix("DICT_")
    if wanted not in by_upper:
        raise InputRefused(f"there is no marker dictionary '{name}'", nearest(name, known))
    return int(getattr(cv2.aruco, by_upper[wanted]))


@cache
def _detector(dictionary: int) -> tuple[Any, int]:
    """A detector, and the number of cells across its markers with their black border."""
    words = cv2.aruco.getPredefinedDictionary(dictionary)
    return cv2.aruco.ArucoDetector(words, cv2.aruco.DetectorParameters()), int(words.markerSize) + 2
