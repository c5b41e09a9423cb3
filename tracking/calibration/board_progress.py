"""What a screen is told while views of a board are gathered: what to do next, how much of it is done, and the board in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from navtwin.nouns.calibration import Figure, Goal, ViewCoverage
from tracking.calibration.coverage import (
    CELL_CORNERS,
    DEPTH_RATIO,
    ENOUGH_VIEWS,
    GUIDED_TILT_DEG,
    MIN_CELLS_SHARE,
    TILT_WAYS,
    Coverage,
    coverage,
    guessed_poses,
    tilts_deg,
)
from tracking.calibration.screen import Screen
from tracking.calibration.targets import BoardView
from tracking.detect.markers import Markers
from tracking.opencv import cv2
from tracking.pictures.images import Picture

#: Views from which on a fit is tried.
FIRST_FIT = 6
#: How each way of tilting is called in a list.
TILT_NAMES = {"left": "left edge away", "right": "right edge away", "up": "upper edge away", "down": "lower edge away"}


class BoardScreen:
    """Follows the gathering of views for a screen.

    Parameters
    ----------
    names : of the cameras
    live : whether sensors make the pictures now
    """

    def __init__(self, screen: Screen, names: Sequence[str], *, live: bool) -> None:
        self._screen, self._names, self._live = screen, tuple(names), live
        self._summed = -1
        self._known: dict[str, Any] = {}

    def idle(self) -> bool:
        """No picture came: True where no more are wanted."""
        return self._screen.attend(live=self._live)

    def saw(self, pictures: Sequence[Picture], views: dict[int, BoardView], kept: Sequence[dict[int, BoardView]], words: str) -> bool:
        """Show an exposure and tell how far it is; True where no more are wanted.

        Parameters
        ----------
        views : of the board in this exposure, by camera
        kept : the views kept so far
        words : what to do next
        """

        def found(picture: Picture) -> tuple[dict[str, Markers], list[tuple[float, float]]]:
            view = views.get(picture.camera)
            return {}, [] if view is None else [(float(x), float(y)) for x, y in view.seen_px]

        self._screen.show(pictures, self._names, found)
        if len(kept) != self._summed:
            self._summed, self._known = len(kept), summed(kept, self._names)
        self._screen.tell(words, **self._known)
        return self._screen.attend(live=self._live)


def summed(kept: Sequence[dict[int, BoardView]], names: Sequence[str]) -> dict[str, Any]:
    """How far the views of all cameras are, as fields of `Progress`."""
    maps, goals, figures = list[ViewCoverage](), list[Goal](), list[Figure]()
    for camera, name in enumerate(names):
        views = [exposure[camera] for exposure in kept if camera in exposure]
        seen = coverage(views, guessed_poses(views))
        maps.append(
            ViewCoverage(
                camera=name,
                cells_share=tuple(tuple(row) for row in np.minimum(seen.cells / CELL_CORNERS, 1.0).tolist()),
                missing=seen.missing,
                tilt_deg=tuple(seen.tilt_deg.round(1).tolist()),
                distance_mm=tuple(seen.distance_mm.round(1).tolist()),
            )
        )
        prefix = f"{name}: " if len(names) > 1 else ""
        goals += goals_of(seen, len(views), prefix)
        figures += quality_so_far(views, prefix)
    done = [min(max(goal.reached / goal.wanted, 0.0), 1.0) for goal in goals]
    return {
        "views": len(kept),
        "views_wanted": ENOUGH_VIEWS,
        "done_share": float(np.mean(done)) if done else 0.0,
        "goals": tuple(goals),
        "coverage": tuple(maps),
        "figures": tuple(figures),
    }


def goals_of(seen: Coverage, views: int, prefix: str = "") -> list[Goal]:
    """What one camera's views have reached of what the guidance asks for."""
    reached = tilts_deg(seen)
    ratio = float(seen.distance_mm.max() / seen.distance_mm.min()) if len(seen.distance_mm) and seen.distance_mm.min() > 0.0 else 0.0
    return [
        Goal(f"{prefix}views", views, ENOUGH_VIEWS),
        Goal(f"{prefix}picture covered", round(100.0 * seen.share, 1), 100.0 * MIN_CELLS_SHARE, "%"),
        *(Goal(f"{prefix}{TILT_NAMES[way]}", round(reached[way], 1), GUIDED_TILT_DEG, "deg") for way in TILT_WAYS),
        Goal(f"{prefix}farthest to nearest", round(ratio, 2), DEPTH_RATIO),
    ]


def quality_so_far(views: Sequence[BoardView], prefix: str = "") -> list[Figure]:
    """How well a plain lens fits one camera's views, after `FIRST_FIT` of them: a glance of some 20 ms, not the calibration."""
    if len(views) < FIRST_FIT:
        return []
    boards, pixels = ([np.float32(array) for array in arrays] for arrays in zip(*((v.board_mm, v.seen_px) for v in views), strict=True))
    size = (views[0].width_px, views[0].height_px)
    try:
        rms_px, matrix, *_ = cv2.calibrateCamera(boards, pixels, size, None, None, flags=cv2.CALIB_FIX_K3, criteria=(3, 20, 1e-6))
    except cv2.error:
        # Views that fix no lens: the goals say what they lack.
        return []
    if not (np.isfinite(rms_px) and np.isfinite(matrix).all()):
        return []
    return [Figure(f"{prefix}fit so far", round(float(rms_px), 3), "px"), Figure(f"{prefix}focal length so far", round(float(matrix[0, 0]), 1), "px")]
