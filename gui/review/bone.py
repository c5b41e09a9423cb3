"""The bone as it was drilled at the time under the playhead: sought in a thread, where the last time asked for wins."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

import numpy as np

from gui.link.shared_bone import SharedBone, Standing
from gui.picture.bone import BoneDresser
from navtwin.errors import NavtwinError
from navtwin.nouns import Rig
from navtwin.record.drilled import DrilledLog
from navtwin.record.seek import Seeker, Stopped, cutters_of
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene

#: A search that has not ended after so long is told of, s; and is left for a newer one after so long.
TOLD_S: Final = 0.15
LEFT_S: Final = 0.5


class BoneSought:
    """The drilled bone of one log, with the thread that seeks it and the one that makes it ready to be painted.

    Attributes
    ----------
    dresser : what pictures are painted from
    """

    def __init__(self, shared: SharedBone, log: Path, rig: Rig | None) -> None:
        self._shared, self._path, self._rig = shared, log, rig
        self.dresser = BoneDresser(shared)
        self._there = threading.Condition()
        self._asked: tuple[int, float] | None = None
        self._newest_ns: int | None = None
        self._over = False
        self._thread = threading.Thread(target=self._run, name="navtwin-bone-seek", daemon=True)

    @classmethod
    def of(cls, scene: Scene, log: Path, rig: Rig | None) -> BoneSought | None:
        """None where nothing in the case can be drilled."""
        shared = SharedBone.of(scene)
        return cls(shared, log, rig) if shared is not None else None

    @property
    def words(self) -> str:
        """Why the bone of this time is not shown, "" where it is."""
        return self._shared.standing.words

    def start(self) -> None:
        self._thread.start()
        self.dresser.start()

    def ask(self, at_ns: int) -> None:
        """Seek the bone of a time since the session's first input."""
        with self._there:
            if at_ns != self._newest_ns:
                self._newest_ns = at_ns
                # Of several that follow on each other quickly the first one's age counts: how long nothing right has been shown.
                self._asked = at_ns, self._asked[1] if self._asked else time.monotonic()
                self._there.notify()
            late = self._asked is not None and time.monotonic() - self._asked[1] > TOLD_S
        if late and self._shared.standing.is_known:
            self._shared.say(Standing("seeking"))

    def stop(self) -> None:
        """End both threads; a bone that is being made is finished first, but nobody waits for it."""
        with self._there:
            self._over = True
            self._there.notify()
        if self._shared.bone is not None:
            self._thread.join(timeout=3.0)
        self.dresser.stop()

    def _run(self) -> None:
        try:
            log = DrilledLog.read(self._path)
            bone = self._shared.whole()
            seeker = Seeker(log, bone, bone.state(), cutters_of(self._rig) if self._rig is not None else {})
        except NavtwinError as refusal:
            self._shared.say(Standing("failed", str(refusal)))
            return
        self._shared.begin(bone)
        while (at_ns := self._next()) is not None:
            self._seek(seeker, bone, log.at_seconds(at_ns * 1e-9), at_ns)

    def _next(self) -> int | None:
        with self._there:
            self._there.wait_for(lambda: self._over or self._asked is not None)
            return None if self._over or self._asked is None else self._asked[0]

    def _seek(self, seeker: Seeker, bone: Carvable, t_ns: int, at_ns: int) -> None:
        """Go there, and tell what is another than before. The bone is held meanwhile: what lies on the way is never painted."""
        begun = time.monotonic()

        def go_on() -> bool:
            newer = self._asked is not None and self._asked[0] != at_ns
            return not self._over and not (newer and time.monotonic() - begun > LEFT_S)

        said = Standing("whole")
        with self._shared.lock:
            before = bone.touched
            cells, doubts = bone.cells(before), bone.doubts(before)
            try:
                seeker.seek(t_ns, go_on)
            except Stopped:
                said = Standing("seeking")
            except NavtwinError as refusal:
                said = Standing("failed", str(refusal))
            same = (bone.cells(before) == cells).all(axis=(1, 2, 3)) & (bone.doubts(before) == doubts)
            news = np.union1d(before[~same], np.setdiff1d(bone.touched, before))
        with self._there:
            if self._asked is not None and self._asked[0] == at_ns:
                self._asked = None
        self._shared.changed(news.tolist())
        self._shared.say(said)
