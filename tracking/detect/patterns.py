"""The printed patterns of marker dictionaries: which cells of a marker are black."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from tracking.opencv import cv2

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Dictionary:
    """A marker dictionary.

    Attributes
    ----------
    name : OpenCV's, without the prefix DICT_
    number : OpenCV's constant
    size : cells across a marker, its black border of one cell included
    black : (K, size, size) cells of each marker, True where black, as seen upright
    correctable : wrong cells up to which a pattern can belong to no other marker of the dictionary
    """

    name: str
    number: int
    size: int
    black: Bits
    correctable: int


@cache
def dictionary_names() -> dict[str, str]:
    """OpenCV's dictionaries, short names by short names in capitals. Of two spellings of one dictionary the mixed one is kept."""
    short = sorted(word.removeprefix("DICT_") for word in dir(cv2.aruco) if word.startswith("DICT_"))
    return {word.upper(): word for word in short}


def dictionary_of(name: str) -> Dictionary:
    """The dictionary of that name; capitals do not matter and the prefix DICT_ may be left out.

    Raises
    ------
    InputRefused : unknown names; the nearest known one is told
    """
    known = dictionary_names()
    wanted = name.upper().removeprefix("DICT_")
    if wanted not in known:
        raise InputRefused(f"there is no marker dictionary '{name}'", nearest(name, known.values()))
    return _loaded(known[wanted])


@cache
def _loaded(name: str) -> Dictionary:
    number = int(getattr(cv2.aruco, f"DICT_{name}"))
    words = cv2.aruco.getPredefinedDictionary(number)
    inner = int(words.markerSize)
    black = np.ones((len(words.bytesList), inner + 2, inner + 2), dtype=np.bool_)
    for marker, code in enumerate(words.bytesList):
        black[marker, 1:-1, 1:-1] = cv2.aruco.Dictionary.getBitsFromByteList(code[None], inner) == 0
    black.setflags(write=False)
    return Dictionary(name, number, inner + 2, black, int(words.maxCorrectionBits))


def cells(dictionary: str, id: int) -> Bits:
    """The cells of one marker.

    Parameters
    ----------
    dictionary : "APRILTAG_36h11", "4X4_50", "ARUCO_MIP_36h12" ... (OpenCV's names)
    id : number of the marker

    Returns
    -------
    (n, n) bool, True where black, the black border of one cell included; row 0 is the top of the upright marker

    Raises
    ------
    InputRefused : an unknown dictionary, or one that has no such marker
    """
    words = dictionary_of(dictionary)
    if not 0 <= id < len(words.black):
        raise InputRefused(f"dictionary {words.name} has no marker {id}", f"its markers are 0 to {len(words.black) - 1}")
    pattern: Bits = words.black[id]
    return pattern
