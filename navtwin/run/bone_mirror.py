"""Drilled bone as the thread beside the loop has it: what it was handed, what of it goes out next, and as it is kept in the log."""

from __future__ import annotations

import math
import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.bus.bone import MOST_BRICKS, PERIOD_S, WHOLE_S
from navtwin.nouns import BoneState, BoneSummary

#: Of zlib: as quick as it goes on the wire; in the log, where a recording is kept for years, a little smaller.
ON_THE_WIRE, IN_THE_LOG = 1, 6


class Keep(NamedTuple):
    """The bone as it is when this is handed over is to be kept: as it was after input `seq`."""

    seq: int
    t_ns: int
    bone: BoneSummary
    stretch: int


class Copied(NamedTuple):
    """What the loop hands over: N bricks as they are now, and what is said of the bone.

    Attributes
    ----------
    bricks : (N,) int64
    cells : (N, 16, 16, 16) int8
    doubts : (N,) uint64
    is_kept : (N,) bool, which of them are not as they were before any drilling, or doubtful
    changed : how many are not as they were, in all
    """

    revision: int
    hash: str
    changed: int
    doubtful: float
    bricks: npt.NDArray[np.int64]
    cells: npt.NDArray[np.int8]
    doubts: npt.NDArray[np.uint64]
    is_kept: npt.NDArray[np.bool_]
    keep: Keep | None


class _Brick(NamedTuple):
    cells: bytes
    doubts: bytes
    is_kept: bool


class Mirror:
    """Every brick that was ever drilled, as it was last handed over."""

    def __init__(self) -> None:
        self._bricks = dict[int, _Brick]()
        self._fresh = set[int]()
        self._turn = list[int]()

    def take(self, copied: Copied) -> None:
        """Note what was handed over; it goes out next."""
        for n, brick in enumerate(copied.bricks.tolist()):
            self._bricks[brick] = _Brick(copied.cells[n].tobytes(), copied.doubts[n].astype("<u8").tobytes(), bool(copied.is_kept[n]))
            self._fresh.add(brick)

    def next_bricks(self) -> list[int]:
        """What goes out now, ascending: what is new, and a share of all, in turn, so that who came late has all of them in `WHOLE_S`."""
        out = set(sorted(self._fresh)[:MOST_BRICKS])
        self._fresh -= out
        for _ in range(min(math.ceil(len(self._bricks) * PERIOD_S / WHOLE_S), MOST_BRICKS - len(out))):
            self._turn = self._turn or sorted(self._bricks, reverse=True)
            out.add(self._turn.pop())
        return sorted(out)

    def packed(self, bricks: list[int], level: int = ON_THE_WIRE) -> bytes:
        """Cells of these bricks, and behind them their doubts, zlib."""
        held = [self._bricks[brick] for brick in bricks]
        return zlib.compress(b"".join([b.cells for b in held] + [b.doubts for b in held]), level)

    def state(self, keep: Keep, case_hash: str, session: str) -> BoneState:
        """The bone to be kept, from all that was handed over until then."""
        bricks = sorted(brick for brick, held in self._bricks.items() if held.is_kept)
        return BoneState(
            case_hash=case_hash,
            structure=keep.bone.structure,
            side_mm=keep.bone.side_mm,
            bricks=tuple(bricks),
            cells=self.packed(bricks, IN_THE_LOG),
            removed_mm3=keep.bone.removed_mm3,
            hash=keep.bone.hash,
            session=session,
            stretch=keep.stretch,
            undone=keep.bone.undone,
            trespasses=keep.bone.trespasses,
        )
