"""Which scan a segmentation was drawn on: told by the frame of reference and the series, kept as hashes, which identify nobody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Scan:
    """What a CT is known by.

    Attributes
    ----------
    frame, series : `uid_hash` of the DICOM frame of reference and series; "" where they are not known
    """

    frame: str = ""
    series: str = ""


#: A CT that was no DICOM.
UNKNOWN: Final = Scan()


def uid_hash(uid: str) -> str:
    """16 hexadecimal digits that stand for a DICOM UID."""
    return hashlib.sha256(uid.strip("\0 ").encode()).hexdigest()[:16] if uid else ""
