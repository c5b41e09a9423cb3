"""Markers followed from frame to frame: known ones looked for where they should be, new ones all over the image, a share of it each frame.

Nothing is carried over but where to look: a marker's number and corners are proven anew from the pixels of every frame, or it is not reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from tracking.detect.corners import fitted_squares, near_corners
from tracking.detect.decoding import codes_of, read_squares
from tracking.detect.markers import Markers
from tracking.detect.patterns import Dictionary, dictionary_of
from tracking.detect.sameness import same, unknown
from tracking.detect.search import FINE, SHARES, squares_in_region, squares_in_share

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Grey = npt.NDArray[np.uint8]
#: Dictionary, number and corners (4, 2) of a marker as it is expected in the image.
Predicted = tuple[str, int, Array]

#: Of the wrong cells that a dictionary can correct, how many are let pass (OpenCV's rule).
CORRECTED_SHARE = 0.6
#: A marker that was lost is looked for where it was for this many frames more; then the search of the whole image is left to find it.
FRAMES_REMEMBERED = 4
#: Most of the image that is searched again for markers that were not where they should be.
SECOND_LOOK_SHARE = 0.15
#: Most pixels that are searched beside the markers known, if more than one region; and those of a region that is searched at half size, px.
MOST_BESIDE_PX, LARGE_BESIDE_PX = 40_000, 160_000
#: Room about a marker, in its sides: that it may have moved, and that its neighbour may take.
SECOND_LOOK_SIDES, BESIDE_SIDES = 0.5, 1.0
#: Corners further out than this are no prediction, px.
FARTHEST_PX = 1e5


@dataclass(frozen=True, eq=False)
class _Found:
    """Markers of all dictionaries: index of the dictionary, row in its list of numbers, corners (N, 4, 2) and their covariances (N, 8, 8)."""

    of: Numbers
    row: Numbers
    corners_px: Array
    covariance_px: Array

    @staticmethod
    def joined(parts: Sequence[_Found]) -> _Found:
        """All of them, each marker once: what comes first stays."""
        of, row = np.concatenate([p.of for p in parts]), np.concatenate([p.row for p in parts])
        corners, covariance = np.concatenate([p.corners_px for p in parts]), np.concatenate([p.covariance_px for p in parts])
        again = np.triu(same(of, row, corners, of, row, corners), 1).any(axis=0)
        return _Found(of[~again], row[~again], corners[~again], covariance[~again])


@dataclass(frozen=True, eq=False)
class _Memory:
    """Where to look: markers as last seen, their corners' motion per frame, and for how many frames each has not been seen."""

    of: Numbers
    row: Numbers
    corners_px: Array
    motion_px: Array
    unseen: Numbers

    @staticmethod
    def empty() -> _Memory:
        none = np.zeros(0, np.int64)
        return _Memory(none, none, np.zeros((0, 4, 2)), np.zeros((0, 4, 2)), none)

    def expected(self) -> Array:
        return self.corners_px + self.motion_px * (self.unseen[:, None, None] + 1)

    def after(self, found: _Found) -> _Memory:
        """What to look for in the next frame: the markers of this one, and for a while those lost."""
        expected = self.expected()
        distance = np.abs(expected[None] - found.corners_px[:, None]).max(axis=(2, 3))
        distance[(self.of != found.of[:, None]) | (self.row != found.row[:, None])] = np.inf
        motion, kept = np.zeros_like(found.corners_px), self.unseen < FRAMES_REMEMBERED
        for new in range(len(found.of)) if len(self.of) else ():
            old = int(np.argmin(distance[new]))
            if np.isfinite(distance[new, old]):
                motion[new] = (found.corners_px[new] - self.corners_px[old]) / (self.unseen[old] + 1)
                kept[old], distance[:, old] = False, np.inf
        return _Memory(
            np.concatenate([found.of, self.of[kept]]),
            np.concatenate([found.row, self.row[kept]]),
            np.concatenate([found.corners_px, self.corners_px[kept]]),
            np.concatenate([motion, self.motion_px[kept]]),
            np.concatenate([np.zeros_like(found.of), self.unseen[kept] + 1]),
        )


class RegionDetector:
    """Detects the markers of some bodies in a stream of images, at a fraction of the cost of searching every image.

    A marker seen in the last frame, or predicted by the caller, is first sought by fitting its edges from there and reading its cells; if that
    fails, by looking for squares in the region around it. Besides, each frame searches for markers not followed yet: beside those known, at full
    size, and in a share of the image, all of it within SHARES frames. The first frame is searched as a whole.

    Parameters
    ----------
    dictionaries : dictionary names, and of each the numbers that are looked for; others are not reported
    width_px, height_px : size of the images; one of another size is taken as the beginning of a new stream

    Raises
    ------
    InputRefused : an unknown dictionary, one named twice, or a number that it does not have
    """

    def __init__(self, dictionaries: Mapping[str, frozenset[int]], width_px: int, height_px: int) -> None:
        self._names = list(dictionaries)
        self._words = [dictionary_of(name) for name in self._names]
        self._index = {words.name: of for of, words in enumerate(self._words)}
        if len(self._index) != len(self._names):
            raise InputRefused(f"a dictionary is named twice among {', '.join(self._names)}", "give its numbers once")
        self._ids = [np.array(sorted(ids), dtype=np.int64) for ids in dictionaries.values()]
        for words, ids in zip(self._words, self._ids, strict=True):
            if len(ids) and not 0 <= ids[0] <= ids[-1] < len(words.black):
                raise InputRefused(f"dictionary {words.name} has no marker {ids[0 if ids[0] < 0 else -1]}", f"its are 0 to {len(words.black) - 1}")
        self._codes = [codes_of(words, ids) for words, ids in zip(self._words, self._ids, strict=True)]
        self._rows = [{int(number): row for row, number in enumerate(ids)} for ids in self._ids]
        self._shape = (height_px, width_px)
        self._memory = _Memory.empty()
        self._frames = 0

    def detect(self, grey: Grey, predicted: Sequence[Predicted] = ()) -> dict[str, Markers]:
        """The markers in this image, by dictionary name; every dictionary has its entry.

        Parameters
        ----------
        grey : (H, W) uint8
        predicted : where the caller expects markers; those of numbers that are not looked for, or with corners that are not finite or not in the
            image, are ignored

        Raises
        ------
        InputRefused : an image of other shape or type
        """
        if grey.dtype != np.uint8 or grey.ndim != 2 or 0 in grey.shape:
            raise InputRefused(f"the image has shape {grey.shape} and type {grey.dtype}", "pass 8-bit grey (H, W)")
        grey = np.ascontiguousarray(grey)
        if grey.shape != self._shape:
            self._shape, self._memory, self._frames = (grey.shape[0], grey.shape[1]), _Memory.empty(), 0
        if min(grey.shape) < 2:
            return self._markers(self._nothing())
        of, row, places = self._expected(predicted)
        found = self._where_expected(grey, of, row, places)
        missed = ~same(of, row, places, found.of, found.row, found.corners_px).any(axis=1)
        if missed.any():
            found = self._with(grey, found, self._squares_near(grey, places[missed]))
        if self._frames == 0:
            found = self._with(grey, found, squares_in_region(grey, 0, 0, grey.shape[1], grey.shape[0]))
        else:
            share = squares_in_share(grey, self._frames % SHARES, found.corners_px)
            found = self._with(grey, found, np.concatenate([share, self._squares_beside(grey, found.corners_px)]))
        self._frames += 1
        self._memory = self._memory.after(found)
        return self._markers(found)

    @staticmethod
    def _nothing() -> _Found:
        none = np.zeros(0, np.int64)
        return _Found(none, none, np.zeros((0, 4, 2)), np.zeros((0, 8, 8)))

    def _expected(self, predicted: Sequence[Predicted]) -> tuple[Numbers, Numbers, Array]:
        """What the caller predicts, and the markers of the last frames that it does not speak of."""
        keys, corners = list[tuple[int, int]](), list[Array]()
        for name, number, place in predicted:
            of = self._index.get(dictionary_of(name).name, -1)
            row = self._rows[of].get(int(number), -1) if of >= 0 else -1
            if row >= 0 and np.shape(place) == (4, 2):
                quad = np.asarray(place, dtype=np.float64)
                if (np.abs(quad) < FARTHEST_PX).all():  # NaN is not below anything
                    keys.append((of, row))
                    corners.append(quad)
        key, told = np.array(keys, dtype=np.int64).reshape(-1, 2), np.array(corners).reshape(-1, 4, 2)
        own, memory = self._memory.expected(), self._memory
        unsaid = ~same(memory.of, memory.row, own, key[:, 0], key[:, 1], told).any(axis=1)
        all_of, all_rows = np.concatenate([key[:, 0], memory.of[unsaid]]), np.concatenate([key[:, 1], memory.row[unsaid]])
        places = np.concatenate([told, own[unsaid]])
        sound = _in_image(places, self._shape)
        return all_of[sound], all_rows[sound], places[sound]

    def _where_expected(self, grey: Grey, of: Numbers, row: Numbers, places: Array) -> _Found:
        """Those whose four edges and cells are where they are expected."""
        found = [self._nothing()]
        for index in range(len(self._words)):
            here = of == index
            if here.any():
                found.append(self._proven(grey, index, row[here], places[here], edges=4))
        return _Found.joined(found)

    def _squares_near(self, grey: Grey, places: Array) -> Array:
        """What may be a marker around where markers should have been."""
        found, budget = [np.zeros((0, 4, 2))], SECOND_LOOK_SHARE * grey.size
        for box in _regions(places, self._shape, SECOND_LOOK_SIDES):
            area = (box[2] - box[0]) * (box[3] - box[1])
            # A region of its own size is one of large markers, which are found at half size too: it must not go unsearched.
            scale = 1 if area <= budget else FINE
            budget -= area / scale**2
            if budget < 0.0 and len(found) > 1:
                break
            found.append(squares_in_region(grey, *box, scale))
        return np.concatenate(found)

    def _squares_beside(self, grey: Grey, known: Array) -> Array:
        """What may be a marker beside those known, at full size: a body that turns shows its next one there, foreshortened.

        One region a frame, at half size if it is large, and further ones as long as they are small.
        """
        found, budget = [np.zeros((0, 4, 2))], MOST_BESIDE_PX
        boxes = _regions(known, self._shape, BESIDE_SIDES)
        for k in range(len(boxes)):
            box = boxes[(self._frames + k) % len(boxes)]
            area = (box[2] - box[0]) * (box[3] - box[1])
            scale = 1 if area <= LARGE_BESIDE_PX else FINE
            budget -= area // scale**2
            if budget < 0 and k > 0:
                break
            found.append(squares_in_region(grey, *box, scale, known))
        return np.concatenate(found)

    def _with(self, grey: Grey, found: _Found, squares: Array) -> _Found:
        """What is found already, and what squares (N, 4, 2) show besides."""
        fresh = squares[unknown(squares, found.corners_px)]
        return _Found.joined([found, self._read(grey, fresh)]) if len(fresh) else found

    def _read(self, grey: Grey, squares: Array) -> _Found:
        """The markers that squares (N, 4, 2) show, their corners fitted."""
        found = [self._nothing()]
        for index, words in enumerate(self._words):
            # A square found in a reduced image lies a pixel off: it is brought near before its cells are read.
            likely = squares[self._shown(grey, index, squares, words.size**2)[0] >= 0]
            if len(likely) == 0:
                continue
            near = near_corners(grey, likely, words.size)
            row, first = self._shown(grey, index, near, self._correctable(words))
            shown = row >= 0
            upright = near[shown][np.arange(shown.sum())[:, None], (first[shown, None] + np.arange(4)) % 4]
            if len(upright):
                found.append(self._proven(grey, index, row[shown], upright, edges=2))
        return _Found.joined(found)

    def _proven(self, grey: Grey, of: int, row: Numbers, corners: Array, edges: int) -> _Found:
        """Fit the edges, then read what is within them.

        `edges` : how many must be supported by the image: all, where the corners come from another image; where they were found in this one, one
        may be covered or overexposed.
        """
        squares = fitted_squares(grey, corners, self._words[of].black[self._ids[of][row]])
        shown, first = self._shown(grey, of, squares.corners_px, self._correctable(self._words[of]))
        sound = (shown == row) & (first == 0) & (squares.supported.sum(axis=1) >= edges)
        return _Found(np.full(int(sound.sum()), of), row[sound], squares.corners_px[sound], squares.joint_covariance_px[sound])

    def _shown(self, grey: Grey, of: int, squares: Array, correctable: int) -> tuple[Numbers, Numbers]:
        which, first = np.zeros(len(squares), np.int64), np.zeros(len(squares), np.int64)
        read_squares(grey, np.ascontiguousarray(squares), self._words[of].size, self._codes[of], correctable, which, first)
        return which, first

    @staticmethod
    def _correctable(words: Dictionary) -> int:
        return int(CORRECTED_SHARE * words.correctable)

    def _markers(self, found: _Found) -> dict[str, Markers]:
        result = {}
        for of, name in enumerate(self._names):
            own = np.flatnonzero(found.of == of)
            own = own[np.lexsort((found.corners_px[own, 0, 0], found.row[own]))]
            result[name] = Markers(self._ids[of][found.row[own]].astype(np.int32), found.corners_px[own], found.covariance_px[own])
        return result


def _in_image(corners: Array, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(N,) clockwise and with the middle in the image."""
    one, other = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    middle, area = corners.mean(axis=1), one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return np.asarray((area > 0.0) & (middle >= 0.0).all(axis=1) & (middle < [shape[1], shape[0]]).all(axis=1))


def _sides(corners: Array) -> Array:
    """(N,) side of the square whose longer diagonal it has."""
    diagonals = corners[:, :2] - corners[:, 2:]
    return np.asarray(np.sqrt((diagonals * diagonals).sum(axis=2).max(axis=1) / 2.0))


def _regions(places: Array, shape: tuple[int, int], sides: float) -> list[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom) around corners (N, 4, 2) with room of so many sides; those that overlap are joined."""
    boxes = list[tuple[int, int, int, int]]()
    room = sides * _sides(places)[:, None] + 8.0
    low = np.maximum(np.floor(places.min(axis=1) - room), 0.0).astype(int).tolist()
    high = np.minimum(np.ceil(places.max(axis=1) + room) + 1.0, [shape[1], shape[0]]).astype(int).tolist()
    for (left, top), (right, bottom) in zip(low, high, strict=True):
        box, crossing = (left, top, right, bottom), [(left, top, right, bottom)]
        while crossing:
            crossing = [b for b in boxes if box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3]]
            boxes = [b for b in boxes if b not in crossing]
            box = (min([box[0], *(b[0] for b in crossing)]), min([box[1], *(b[1] for b in crossing)]),
                   max([box[2], *(b[2] for b in crossing)]), max([box[3], *(b[3] for b in crossing)]))  # fmt: skip
        boxes.append(box)
    return boxes
