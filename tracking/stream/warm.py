"""Make all that tracking compiles or loads ready before the first picture that counts: it takes seconds, and no picture may wait for that."""

from __future__ import annotations

import numpy as np

from navtwin.nouns import Rig
from tracking.detect.patterns import cells
from tracking.pictures.images import Grey, Image
from tracking.stream.tracker import MarkerTracker

#: How large a marker is drawn, as a share of the picture's smaller side, and the grey of paper and ink.
SIZE_SHARE, PAPER, INK = 0.3, 220, 30
#: The first picture of a stream is searched whole, later ones around what was seen: both ways are gone, and twice more for good measure.
PICTURES = 4


def warm_up(rig: Rig) -> int:
    """Track a drawn marker of the rig a few times with a tracker of its own.

    Returns
    -------
    in how many of the pictures a body with that marker was found, or refused for its pose: for tests
    """
    tracker = MarkerTracker(rig)
    body = tracker.bodies[0]
    greys = [drawn(camera.width_px, camera.height_px, body.dictionary, body.marker[0].id) for camera in rig.camera]
    seen = 0
    for number in range(PICTURES):
        frame = tracker.track([Image(n, number, number, number, "assumed", grey) for n, grey in enumerate(greys)])
        seen += bool(frame.sightings[0].corners)
    return seen


def drawn(width_px: int, height_px: int, dictionary: str, number: int) -> Grey:
    """(H, W) uint8: one marker, upright, in the middle of the picture."""
    black = cells(dictionary, number)
    side_px = max(1, round(SIZE_SHARE * min(width_px, height_px) / len(black)))
    marker = np.kron(np.where(black, INK, PAPER), np.ones((side_px, side_px))).astype(np.uint8)
    grey = np.full((height_px, width_px), PAPER, np.uint8)
    top, left = (height_px - len(marker)) // 2, (width_px - len(marker)) // 2
    grey[top : top + len(marker), left : left + len(marker)] = marker
    return grey
