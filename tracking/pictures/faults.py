"""Pictures that show nothing of the present: frozen ones and black ones. A pose from either would look as good as any."""

from __future__ import annotations

import numpy as np

from tracking.pictures.images import Grey, Picture

#: So many pictures in a row, equal to the last bit, are a frozen camera: a sensor's noise never repeats. (Drivers do hand out one picture twice.)
FROZEN_PICTURES = 3
#: A picture whose brightest pixels (this share of them left out as defects) are darker than this is black.
BLACK_LEVEL, BLACK_SHARE = 12, 0.001
#: Every so-manyth pixel each way is enough to see that a picture is black.
BLACK_STEP = 7


class PictureCheck:
    """Judges the pictures of one camera one after the other.

    Parameters
    ----------
    noisy : whether a sensor made them just now; only then does a picture that repeats mean that the camera has stopped
    """

    def __init__(self, *, noisy: bool) -> None:
        self._noisy = noisy
        self._last: Grey | None = None
        self._equal = 1

    def fault(self, picture: Picture) -> str:
        """What is wrong with this picture in words, "" if nothing is."""
        if self._noisy:
            self._equal = self._equal + 1 if self._last is not None and _same(self._last, picture.grey) else 1
            self._last = picture.grey
        if is_black(picture.grey):
            return "the camera's picture is black: take off the lens cap, add light or lengthen the exposure"
        return "the camera's picture is frozen: unplug the camera and plug it in again" if self._equal >= FROZEN_PICTURES else ""


def _same(one: Grey, other: Grey) -> bool:
    """Bit by bit; every 16th row first, for those nearly always tell."""
    return np.array_equal(one[::16], other[::16]) and np.array_equal(one, other)


def is_black(grey: Grey) -> bool:
    """Whether a picture, (H, W) uint8, holds no light worth the name."""
    sample = grey[::BLACK_STEP, ::BLACK_STEP]
    return bool(np.count_nonzero(sample > BLACK_LEVEL) <= BLACK_SHARE * sample.size)
