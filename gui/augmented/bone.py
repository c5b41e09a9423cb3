"""What pictures show of the bone that is drilled: the mirror's bone, judged, and what is still to be removed of it."""

from __future__ import annotations

import time

from gui.augmented.drawing import Prepared
from gui.link.shared_bone import SharedBone
from navtwin.scene.augment_bone import Bone, Drilled, box_of
from navtwin.scene.removal_view import Left

#: What is still to be removed is laid anew no more often than this, s: it takes some hundredths, and the eye asks no more.
LEAST_S = 0.2
NO_MIRROR = "the core does not speak of its bone"
DOUBTFUL = "bone that is shown may be gone in places"


class BoneSight:
    """Drilled bone for one picture after another; used by the thread that paints them, and by no other."""

    def __init__(self) -> None:
        self._left: tuple[Left, ...] = ()
        self._left_of: tuple[Prepared, int] | None = None
        self._laid_s = 0.0

    def now(self, shared: SharedBone | None, prepared: Prepared, epoch: str) -> tuple[Drilled | None, str]:
        """The bone as it is now, None where that is not known or nothing can be drilled; and what has to be said of it, "" where nothing has.

        Parameters
        ----------
        epoch : of the picture: bone of another session is not drawn on it
        """
        if prepared.anatomy.carvable is None:
            return None, ""
        structure, _ = prepared.anatomy.carvable
        if shared is None or shared.scene is not prepared.scene:
            return None, _not_drawn(NO_MIRROR)
        bone, grid, why = shared.bone, shared.grid, shared.standing.words
        if why or bone is None or grid is None:
            return None, _not_drawn(why or NO_MIRROR)
        if shared.epoch != epoch:
            return None, _not_drawn("it is another session's")
        with shared.lock:
            changed = box_of(grid, bone.changed)
            said = DOUBTFUL if bone.doubtful > 0.0 else ""
            self._lay(bone, prepared)
        return Drilled(structure, bone, changed, self._left, shared.lock), said

    def _lay(self, bone: Bone, prepared: Prepared) -> None:
        """Lay what is still to be removed anew, where the bone has changed and the last time is long enough ago."""
        wanted, now_s = (prepared, bone.revision), time.monotonic()
        if self._left_of is not None and (self._left_of == wanted or (self._left_of[0] is prepared and now_s - self._laid_s < LEAST_S)):
            return
        self._left = tuple(planned.left(bone) for planned in prepared.anatomy.removals)
        self._left_of, self._laid_s = wanted, now_s


def _not_drawn(why: str) -> str:
    return f"drilling not drawn, depths not known: {why}"
