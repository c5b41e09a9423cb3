"""Square markers in an image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from tracking.detect.corners import refine_corners
from tracking.detect.patterns import dictionary_names, dictionary_of
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

#: Standard deviation per axis of a corner that nobody measured, px.
CORNER_SD_PX = 0.1


@dataclass(frozen=True, eq=False)
class Markers:
    """What was found in one image.

    Attributes
    ----------
    ids : (N,) marker numbers, ascending; a number may occur twice if the image shows it twice
    corners_px : (N, 4, 2) x and y, px: top left, top right, bottom right, bottom left of the upright marker. Pixel centres are whole numbers
    joint_covariance_px : (N, 8, 8) px^2, of a marker's eight numbers (x, y of the first corner, x, y of the second ...), as measured in the image.
        Two corners share the edge between them, so their errors go together, and a pose's error bar is honest only if that is counted. Corners
        that were not measured but typed or simulated are taken as independent, `CORNER_SD_PX` per axis
    """

    ids: npt.NDArray[np.int32]
    corners_px: Array
    joint_covariance_px: Array | None = None

    def __post_init__(self) -> None:
        ids, corners = np.array(self.ids, dtype=np.int32).ravel(), np.array(self.corners_px, dtype=np.float64)
        if corners.size == 0:
            corners = corners.reshape(0, 4, 2)
        if corners.shape != (len(ids), 4, 2):
            raise InputRefused(f"{len(ids)} marker(s) have corners of shape {corners.shape}", "pass (N, 4, 2), in pixels")
        given = self.joint_covariance_px
        joint = np.tile(np.eye(8) * CORNER_SD_PX**2, (len(ids), 1, 1)) if given is None else np.array(given, dtype=np.float64)
        if joint.shape != (len(ids), 8, 8):
            raise InputRefused(f"{len(ids)} marker(s) have covariances of shape {joint.shape}", "pass (N, 8, 8), in square pixels")
        for name, array in (("ids", ids), ("corners_px", corners), ("joint_covariance_px", joint)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def covariance_px(self) -> Array:
        """(N, 4, 2, 2) px^2: of each corner by itself."""
        assert self.joint_covariance_px is not None
        blocks = self.joint_covariance_px.reshape(-1, 4, 2, 4, 2)
        return np.asarray(np.moveaxis(blocks[:, range(4), :, range(4), :], 0, 1))

    @property
    def sd_px(self) -> Array:
        """(N, 4) px: one standard deviation per corner, the root mean square of its two axes."""
        return np.asarray(np.sqrt(np.trace(self.covariance_px, axis1=2, axis2=3) / 2.0))


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
    grey = grey_of(image)
    words = dictionary_of(dictionary)
    corners, ids, _ = _detector(words.number).detectMarkers(grey)
    if ids is None or len(ids) == 0:
        return Markers(np.zeros(0, np.int32), np.zeros((0, 4, 2)))
    numbers = np.asarray(ids).ravel()
    order = np.argsort(numbers, kind="stable")
    detected = np.reshape(corners, (-1, 4, 2)).astype(np.float64)[order]
    return Markers(numbers[order].astype(np.int32), *refine_corners(grey, detected, words.black[numbers[order]]))


def which_dictionary(image: npt.NDArray[np.uint8]) -> list[tuple[str, int]]:
    """Of which dictionaries markers are seen, and how many of each, most first: to say what is wrong when none of the expected ones is.

    Only patterns without a wrong cell count. Of dictionaries that contain each other (4X4_50, 4X4_100 ...), the smallest that has all markers seen is
    named. Looks for all dictionaries and takes several times as long as `detect_markers`: call it once, when nothing is found.
    """
    names = dictionary_names()
    largest = [dictionary_of(name) for name in sorted(names) if not any(name.endswith(count) for count in ("_50", "_100", "_250"))]
    settings = cv2.aruco.DetectorParameters()
    settings.errorCorrectionRate, settings.maxErroneousBitsInBorderRate = 0.0, 0.05
    search = cv2.aruco.ArucoDetector([cv2.aruco.getPredefinedDictionary(words.number) for words in largest], settings)
    _, ids, _, of = search.detectMarkersMultiDict(grey_of(image))
    if ids is None or len(ids) == 0:
        return []
    found = []
    for number, words in enumerate(largest):
        seen = np.asarray(ids).ravel()[np.asarray(of).ravel() == number]
        if len(seen):
            family = [f"{words.name.removesuffix('1000')}{count}" for count in (50, 100, 250)] if words.name.endswith("_1000") else []
            smaller = [name for name in family if seen.max() < len(dictionary_of(name).black)]
            found.append((smaller[0] if smaller else words.name, len(seen)))
    return sorted(found, key=lambda row: -row[1])


def grey_of(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(H, W) uint8, contiguous, of a grey or BGR picture; anything else is refused."""
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise InputRefused(f"the image has shape {pixels.shape} and type {pixels.dtype}", "pass 8-bit grey (H, W) or BGR (H, W, 3)")
    return np.ascontiguousarray(pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))


@cache
def _detector(dictionary: int) -> Any:
    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(dictionary), cv2.aruco.DetectorParameters())
