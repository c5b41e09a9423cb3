"""The bone that is drilled in a case, as one screen follows it: the thread that hears of it, and the one that makes it ready to be painted."""

from __future__ import annotations

from collections.abc import Callable

from gui.link.bone import BoneMirror, BonePort
from gui.link.shared_bone import SharedBone
from gui.picture.bone import BoneDresser
from navtwin.scene.model import Scene


class Drilling:
    """Both threads around one bone.

    Attributes
    ----------
    shared : the bone itself, and how far it can be believed
    dresser : what pictures and slices are painted from
    """

    def __init__(self, shared: SharedBone, connect: Callable[[], BonePort]) -> None:
        self.shared = shared
        self.dresser = BoneDresser(shared)
        self._mirror = BoneMirror(shared, shared.whole, connect)

    @classmethod
    def of(cls, scene: Scene, connect: Callable[[], BonePort]) -> Drilling | None:
        """None where nothing in the case can be drilled."""
        shared = SharedBone.of(scene)
        return cls(shared, connect) if shared is not None else None

    @property
    def words(self) -> str:
        """What of the bone is not known, "" where it is as the core has it."""
        return self.shared.standing.words

    def start(self) -> None:
        self._mirror.start()
        self.dresser.start()

    def stop(self) -> None:
        """End both threads."""
        self._mirror.stop()
        self.dresser.stop()
