"""Drilled bone of a session, beside the loop: the loop copies the few bricks that changed, and a thread of its own compresses and sends them.

The same copies make the bone that is kept in the log every half minute, so that the loop never compresses that either. Nothing is copied while nobody
looks and nothing is recorded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from navtwin.bus.bone import PERIOD_S, BoneServer
from navtwin.errors import BusRefused
from navtwin.kernels.bone.bricks import Bricks
from navtwin.nouns import BoneState
from navtwin.nouns.bone_stream import BoneBricks
from navtwin.run.bone_mirror import Copied, Keep, Mirror
from navtwin.run.core import Core
from navtwin.twin.drilled import Drilled

PERIOD_NS = round(PERIOD_S * 1e9)
#: Bricks copied in one turn of the loop: 250 kB. A stroke changes a few; what is left of a larger change follows in the next turns.
MOST_COPIED = 60
#: Hand-overs that may wait for the thread; while so many do, nothing more is copied.
BACKLOG = 40
#: Session time between two records of the bone in the log.
KEEP_NS = 30_000_000_000

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


class BoneWatch:
    """Shows the bone that a core drills, and keeps it in its log.

    Parameters
    ----------
    server : used by this alone, closed by who opened it
    core : of a session in which something can be drilled
    say : is told, once, of bone that cannot be sent: warnings do not rest on it
    """

    def __init__(self, server: BoneServer, core: Core, drilled: Drilled, say: Callable[[str], None]) -> None:
        self._server, self._core, self._drilled, self._say = server, core, drilled, say
        # The loop's: what was handed over, and of every brick what it held then.
        size = drilled.bone.bricks.table.size
        self._next_ns = 0
        self._is_known: npt.NDArray[np.bool_] = np.zeros(size, np.bool_)
        self._is_handed: npt.NDArray[np.bool_] = np.zeros(size, np.bool_)
        self._hashes: U64 = np.zeros(size, np.uint64)
        self._doubts: U64 = np.zeros(size, np.uint64)
        self._revision = -1
        self._kept_revision = drilled.bone.revision
        self._kept_ns: int | None = None
        # Between the two: appended by one, taken by the other.
        self._handed: deque[Copied] = deque()
        self._kept: deque[tuple[Keep, BoneState]] = deque()
        self._is_watched = False
        # The thread's.
        self._mirror = Mirror()
        self._last: Copied | None = None
        self._is_refused = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bone", daemon=True)

    def begin(self) -> int:
        """Show bone from now on; returns the port."""
        self._thread.start()
        return self._server.port

    def look(self) -> None:
        """In every turn of the loop: copy what changed, at most every 50 ms."""
        now_ns = time.monotonic_ns()
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + PERIOD_NS
        self._deliver()
        if (self._is_watched or self._core.recording) and len(self._handed) < BACKLOG:
            self._hand_over(MOST_COPIED, is_due=self._is_due())

    def finish(self) -> None:
        """The session is over: hand over all that is left, end the thread, and leave the bone as it is at last in the log."""
        if self._core.recording:
            self._hand_over(self._doubts.size, is_due=True)
        self.close()
        self._deliver()

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _hand_over(self, most: int, *, is_due: bool) -> None:
        """Copy the bricks that are not as they were when they were handed over, so many at most; with all of them, the bone may be kept."""
        bone = self._drilled.bone
        touched = bone.touched
        self._is_known[touched] = True
        known = np.flatnonzero(self._is_known)
        hashes, doubts = _hashes(bone.bricks, known), bone.doubts(known)
        moved = np.flatnonzero(~self._is_handed[known] | (hashes != self._hashes[known]) | (doubts != self._doubts[known]))
        if not len(moved) and bone.revision == self._revision and not is_due:
            return
        rows = moved[:most]
        bricks = known[rows]
        is_all = len(rows) == len(moved)
        keep = self._keep() if is_due and is_all and (bone.revision or len(touched)) else None
        doubtful = float(np.bitwise_count(doubts).sum()) / (64.0 * len(touched)) if len(touched) else 0.0
        is_kept = np.isin(bricks, touched, assume_unique=True)
        self._handed.append(Copied(bone.revision, bone.hash, len(bone.changed), doubtful, bricks, bone.cells(bricks), doubts[rows], is_kept, keep))
        self._revision, self._is_handed[bricks], self._hashes[bricks], self._doubts[bricks] = bone.revision, True, hashes[rows], doubts[rows]

    def _is_due(self) -> bool:
        """Whether it is time to keep the bone in the log."""
        core = self._core
        if self._kept_ns is None:
            self._kept_ns = core.last_ns
        if core.last_ns is None or self._kept_ns is None or not core.recording:
            return False
        return self._drilled.bone.revision != self._kept_revision and core.last_ns - self._kept_ns >= KEEP_NS

    def _keep(self) -> Keep:
        core = self._core
        self._kept_revision, self._kept_ns = self._drilled.bone.revision, core.last_ns
        return Keep(core.seq, core.last_ns or 0, self._drilled.summary(), self._drilled.stretch)

    def _deliver(self) -> None:
        while self._kept:
            keep, state = self._kept.popleft()
            self._core.keep_bone(keep.seq, keep.t_ns, state)

    # The thread's.

    def _run(self) -> None:
        while not self._ending.wait(PERIOD_S):
            self._is_watched = self._server.watched
            self._take()
            if self._is_watched and self._last is not None:
                self._publish(self._last)
        self._take()

    def _take(self) -> None:
        while self._handed:
            copied = self._handed.popleft()
            self._mirror.take(copied)
            self._last = copied
            if copied.keep is not None:
                self._kept.append((copied.keep, self._mirror.state(copied.keep, self._core.scene.case_hash, self._core.header.session)))

    def _publish(self, last: Copied) -> None:
        bricks = self._mirror.next_bricks()
        header = BoneBricks(
            epoch=self._core.header.session,
            t_publish_ns=time.monotonic_ns(),
            case_hash=self._core.scene.case_hash,
            structure=self._drilled.name,
            side_mm=self._drilled.bone.side_mm,
            revision=last.revision,
            hash=last.hash,
            changed=last.changed,
            doubtful=last.doubtful,
            bricks=tuple(bricks),
        )
        try:
            self._server.publish(header, self._mirror.packed(bricks))
        except BusRefused as refused:
            if not self._is_refused:
                self._say(f"note: {refused}")
            self._is_refused = True


def _hashes(bricks: Bricks, numbers: I64) -> U64:
    """(N,) uint64, hashes of bricks; 0 of those that are wholly inside."""
    slots = bricks.table.reshape(-1)[numbers]
    found: U64 = np.where(slots >= 0, bricks.hashes[slots], np.uint64(0))
    return found
