"""What a set of landmarks has to be before a patient can be registered by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from navtwin.rigid import Vec3

FEWEST_LANDMARKS: Final = 3
#: RMS distance (mm) of the landmarks from the best line through them below which they leave the turn about that line open.
COLLINEAR_MM: Final = 2.0


class Placed(Protocol):
    """A landmark, or its entry in a case."""

    @property
    def name(self) -> str: ...

    @property
    def position_mm(self) -> Vec3: ...


def off_line_mm(landmarks: Sequence[Placed]) -> float:
    """RMS distance (mm) of two landmarks or more from the best line through them."""
    points = np.array([mark.position_mm for mark in landmarks])
    return float(np.linalg.norm(np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[1:]) / np.sqrt(len(points)))


def set_fault(landmarks: Sequence[Placed]) -> tuple[str, str] | None:
    """Why no case may hold just these landmarks, and the remedy; None if it may. A case without any is sound: it cannot be registered yet."""
    if not landmarks:
        return None
    if len(landmarks) < FEWEST_LANDMARKS:
        return f"there are {len(landmarks)} landmarks", f"registration needs {FEWEST_LANDMARKS} or more, not in a line"
    across = off_line_mm(landmarks)
    if across < COLLINEAR_MM:
        return f"the landmarks lie in a line (to {across:.2g} mm)", "add one well off that line: the turn about it would stay open"
    return None
