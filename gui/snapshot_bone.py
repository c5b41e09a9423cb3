"""The drilled bone of pictures that are saved: mirrored from the core while the session drills, and dressed whenever a picture is due."""

from __future__ import annotations

import time
from collections.abc import Callable

from gui.link.board import MS, Moment
from gui.link.bone import BoneMirror, BonePort
from gui.link.shared_bone import SharedBone
from gui.picture.bone import BoneDresser
from gui.picture.bone_painting import BonePainting
from navtwin.scene.model import Scene
from navtwin.scene.picture import Picture

#: A picture that waited for longer than this before it was painted says so, if the bone was drilled meanwhile.
LATE_NS = 250 * MS


class SnapshotBone:
    """What was drilled of one bone. Nothing is heard nor made before the core says that there is bone to drill in its session.

    Parameters
    ----------
    connect : opens the receiver, once there is something to receive
    """

    def __init__(self, shared: SharedBone, connect: Callable[[], BonePort], clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._shared, self._clock = shared, clock
        self._dresser = BoneDresser(shared)
        self._painting = BonePainting(self._dresser)
        self._mirror = BoneMirror(shared, shared.whole, connect)
        self._begun = False

    @classmethod
    def of(cls, scene: Scene, connect: Callable[[], BonePort]) -> SnapshotBone | None:
        """None where nothing in the case can be drilled."""
        shared = SharedBone.of(scene)
        return cls(shared, connect) if shared is not None else None

    def follow(self, moment: Moment) -> None:
        """Begin to mirror as soon as a state names drilled bone."""
        if not self._begun and moment.state is not None and moment.state.bones:
            self._begun = True
            self._mirror.start()

    def paint(self, picture: Picture, moment: Moment, due_ns: int) -> str:
        """Take all that is known of it into the picture; returns what has to be said of it, "" where it is as the core has it.

        Parameters
        ----------
        due_ns : when the moment was that is to be painted, by this one's clock
        """
        if not self._begun:
            return ""
        self._take(picture)
        if self._dresser.dressed.rest is None:
            # The painting has only now told from which mesh the drilled part is to be cut.
            self._take(picture)
        standing = self._dresser.dressed.standing
        return standing.words if not standing.is_known else self._since(moment, self._clock() - due_ns)

    def stop(self) -> None:
        """Leave the bus."""
        if self._begun:
            self._mirror.stop()

    def _take(self, picture: Picture) -> None:
        self._dresser.catch_up()
        self._painting.take(picture)

    def _since(self, moment: Moment, late_ns: int) -> str:
        """What to say where the bone that is painted is newer than all else in the picture."""
        with self._shared.lock:
            painted = self._shared.bone.hash if self._shared.bone is not None else ""
        then = {bone.hash for bone in moment.state.bones} if moment.state is not None else {painted}
        return "" if painted in then or late_ns <= LATE_NS else f"the bone is shown as it was {late_ns * 1e-9:.1f} s later than all else"
