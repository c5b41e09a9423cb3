"""Names of marker dictionaries: OpenCV's, which a rig uses, and those of the ArUco library, which PLUS uses."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused, nearest

#: OpenCV's, without the prefix DICT_.
KNOWN: Final = (
    *(f"{bits}X{bits}_{count}" for bits in (4, 5, 6, 7) for count in (50, 100, 250, 1000)),
    *("APRILTAG_16h5", "APRILTAG_25h9", "APRILTAG_36h10", "APRILTAG_36h11", "ARUCO_MIP_36h12", "ARUCO_ORIGINAL"),
)
#: The ArUco library's names for the same patterns.
_ARUCO_LIBRARY: Final = {"ARUCO": "ARUCO_ORIGINAL", "TAG16H5": "APRILTAG_16h5", "TAG25H9": "APRILTAG_25h9", "TAG36H10": "APRILTAG_36h10",
                         "TAG36H11": "APRILTAG_36h11"}  # fmt: skip


def dictionary_named(word: str, path: Path) -> str:
    """OpenCV's name of a dictionary.

    Raises
    ------
    InputRefused : a dictionary that OpenCV does not have
    """
    wanted = word.strip().upper().removeprefix("DICT_")
    found = _ARUCO_LIBRARY.get(wanted) or next((name for name in KNOWN if name.upper() == wanted), None)
    if found is None:
        raise InputRefused(f"{path}: there is no marker dictionary '{word.strip()[:40]}'", nearest(wanted, KNOWN))
    return found
