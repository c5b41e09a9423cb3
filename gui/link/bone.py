"""The thread that mirrors drilled bone: it lays the core's bricks over a whole bone of its own, and says whether what it has is what the core has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gui.link.board import MS
from gui.link.shared_bone import SharedBone, Standing
from navtwin.bus.bone import BonePatch
from navtwin.errors import InputRefused, NavtwinError
from navtwin.scene.carvable import Carvable

#: The core speaks of its bone every 50 ms. After so long without a word, or with bricks missing, what is shown may be out of date.
STALE_NS, PARTIAL_NS = 1000 * MS, 250 * MS
TURN_MS = 100


class BonePort(Protocol):
    """The part of `navtwin.bus.bone.BoneClient` that a mirror needs."""

    def take(self, timeout_ms: int) -> list[BonePatch]: ...

    def close(self) -> None: ...


class Mirror:
    """Takes in messages, and judges what is shown by them.

    Parameters
    ----------
    shared : whose bone is there already
    """

    def __init__(self, shared: SharedBone, bone: Carvable) -> None:
        self._shared, self._bone = shared, bone
        self._heard_ns: int | None = None
        self._matched_ns = 0
        self._stranger = ""

    def take(self, patch: BonePatch, now_ns: int) -> None:
        """Lay the bricks of one message over the bone, unless they are of another bone."""
        self._heard_ns = now_ns
        self._stranger = self._why_other(patch)
        if not self._stranger:
            self._lay_over(patch, now_ns)
        self.turn(now_ns)

    def turn(self, now_ns: int) -> None:
        """Judge anew."""
        if self._stranger:
            self._shared.say(Standing("other", self._stranger))
        elif self._heard_ns is None:
            self._shared.say(Standing("waiting"))
        elif now_ns - self._heard_ns > STALE_NS:
            self._shared.say(Standing("stale"))
        elif self._heard_ns > self._matched_ns and now_ns - self._matched_ns > PARTIAL_NS:
            self._shared.say(Standing("partial"))
        else:
            self._shared.say(Standing("whole"))

    def _lay_over(self, patch: BonePatch, now_ns: int) -> None:
        header, news = patch.header, list[int]()
        if header.epoch != self._shared.epoch:
            self._begin_anew(header.epoch, now_ns)
        with self._shared.lock:
            try:
                news = self._lay(np.array(header.bricks, np.int64), patch.cells, patch.doubts)
            except InputRefused as refusal:
                self._stranger = refusal.problem
            if (self._bone.hash, self._bone.doubtful) == (header.hash, header.doubtful):
                self._matched_ns = now_ns
        if news:
            self._shared.changed(news)

    def _lay(self, bricks: npt.NDArray[np.int64], cells: npt.NDArray[np.int8], doubts: npt.NDArray[np.uint64]) -> list[int]:
        """Those that differ from what is there; most have only come again, for who has joined late."""
        if not len(bricks):
            return []
        differs = (self._bone.cells(bricks) != cells).any(axis=(1, 2, 3)) | (self._bone.doubts(bricks) != doubts)
        if differs.any():
            self._bone.put(bricks[differs], cells[differs], doubts[differs])
        news: list[int] = bricks[differs].tolist()
        return news

    def _begin_anew(self, epoch: str, now_ns: int) -> None:
        """Another session: whatever the last one drilled is whole again until this one says otherwise."""
        self._matched_ns = now_ns - PARTIAL_NS - 1
        with self._shared.lock:
            touched, changed = self._bone.touched, self._bone.changed
            self._bone.put(changed, self._bone.whole_cells(changed))
            self._bone.put(touched, self._bone.cells(touched), np.zeros(len(touched), np.uint64))
            self._shared.epoch = epoch
        self._shared.changed(touched.tolist())

    def _why_other(self, patch: BonePatch) -> str:
        header, ours = patch.header, self._shared.structure
        if header.case_hash != self._shared.scene.case_hash:
            return "another case"
        if header.structure != ours.name:
            return f"{header.structure}, not {ours.name}"
        if header.side_mm != self._bone.side_mm:
            return f"on a grid of {header.side_mm:g} mm, not {self._bone.side_mm:g} mm"
        grid = self._shared.grid
        beyond = grid is not None and header.bricks and header.bricks[-1] >= grid.bricks
        return "on a grid of another size" if beyond else ""


class BoneMirror(threading.Thread):
    """Mirrors until it is stopped.

    Parameters
    ----------
    shared : what is brought up to date
    make : makes the whole bone; takes seconds where it was not made before
    connect : opens the receiver; used and closed by this thread alone
    """

    def __init__(
        self, shared: SharedBone, make: Callable[[], Carvable], connect: Callable[[], BonePort], clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        super().__init__(name="navtwin-bone", daemon=True)
        self._shared, self._make, self._connect, self._clock = shared, make, connect, clock
        self._over = threading.Event()

    def stop(self) -> None:
        """Leave the bus. A bone that is being made is finished first, but nobody waits for it."""
        self._over.set()
        if self._shared.bone is not None:
            self.join(timeout=2.0)

    def run(self) -> None:
        try:
            bone = self._make()
            if self._over.is_set():
                return
            port = self._connect()
        except NavtwinError as refusal:
            self._shared.say(Standing("failed", str(refusal)))
            return
        self._shared.begin(bone)
        mirror = Mirror(self._shared, bone)
        try:
            while not self._over.is_set():
                for patch in port.take(TURN_MS):
                    mirror.take(patch, self._clock())
                mirror.turn(self._clock())
        finally:
            port.close()
