"""Drilled bone as this screen has it: one thread brings it up to date, others paint from it. No Qt."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from navtwin.scene.bone_picture import Grid, grid_of
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene, Structure

#: `making`: the whole bone is being put on its grid; `waiting`: of what was drilled nothing is heard yet; `partial`: some of it has not come;
#: `whole`: it is as the core has it; `stale`: nothing was heard of it lately; `seeking`: what is shown is of another time of the log; `other`: it is
#: another case's, or on another grid; `failed`: no bone.
StandingKind = Literal["making", "waiting", "partial", "whole", "stale", "seeking", "other", "failed"]
_WORDS: dict[StandingKind, str] = {
    "making": "the bone is being prepared",
    "waiting": "what was drilled is not known yet",
    "partial": "some of what was drilled is not known yet",
    "whole": "",
    "stale": "what was drilled lately is not known",
    "seeking": "the bone of this time is being sought",
    "other": "the session drills other bone than is shown",
    "failed": "no drilled bone",
}


@dataclass(frozen=True)
class Standing:
    """How far the bone that is shown can be believed; `why` says more, "" where there is no more to say."""

    kind: StandingKind
    why: str = ""

    @property
    def is_known(self) -> bool:
        """Whether it is as the core has it."""
        return self.kind == "whole"

    @property
    def words(self) -> str:
        """What the operator is told, "" where all is well."""
        return _WORDS[self.kind] + (f": {self.why}" if self.why else "")


class SharedBone:
    """A structure that is drilled.

    Attributes
    ----------
    structure : as it was before any drilling
    bone : None until its grid is filled; to be touched only while `lock` is held
    standing : may be read at any time
    epoch : the session whose bone it is, "" before one is heard of
    """

    def __init__(self, scene: Scene, structure: Structure) -> None:
        self.scene, self.structure = scene, structure
        self.lock = threading.Lock()
        self.bone: Carvable | None = None
        self.grid: Grid | None = None
        self.standing = Standing("making")
        self.epoch = ""
        self._news = threading.Condition()
        self._count = 0
        self._changed_at: dict[int, int] = {}

    @classmethod
    def of(cls, scene: Scene) -> SharedBone | None:
        """None where nothing in the case can be drilled."""
        return cls(scene, scene.carvable) if scene.carvable is not None else None

    def whole(self) -> Carvable:
        """Another one, as it was before any drilling; raises as `Carvable.of`."""
        return Carvable.of(self.structure, self.scene.case_hash)

    def begin(self, bone: Carvable) -> None:
        """The whole bone is there."""
        with self.lock:
            self.bone, self.grid = bone, grid_of(bone)
        self.say(Standing("waiting"))

    def say(self, standing: Standing) -> None:
        """Tell how far it can be believed."""
        if standing != self.standing:
            self.standing = standing
            self.changed(())

    def changed(self, bricks: Iterable[int]) -> None:
        """Tell readers that something is new: these bricks, or how far they can be believed."""
        with self._news:
            self._count += 1
            self._changed_at.update(dict.fromkeys(bricks, self._count))
            self._news.notify_all()

    def news(self, seen: int, timeout_s: float = 0.0) -> tuple[int, frozenset[int]]:
        """What changed after the news numbered `seen`, waiting for it if there is none: the newest number, and the bricks."""
        with self._news:
            self._news.wait_for(lambda: self._count > seen, timeout_s)
            return self._count, frozenset(brick for brick, at in self._changed_at.items() if at > seen)
