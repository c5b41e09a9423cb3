"""Takes drilled bone into a picture: only what has changed since it was last taken. In the thread that paints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gui.picture.bone import BoneDresser, Dressed
from navtwin.scene.bone_actors import arrays_of
from navtwin.scene.detail import Drawn

if TYPE_CHECKING:
    from navtwin.scene.picture import Picture


class BonePainting:
    """The drilled bone of one picture."""

    def __init__(self, dresser: BoneDresser) -> None:
        self.dresser = dresser
        self._taken: Dressed | None = None

    def take(self, picture: Picture) -> None:
        """Show what is new."""
        dressed, before = self.dresser.dressed, self._taken
        if before is None:
            self.dresser.ask(arrays_of(picture.mesh(self.dresser.structure)))
        if dressed is before:
            return
        since = before.number if before is not None else -1
        rest = dressed.rest[0] if dressed.rest is not None and (before is None or dressed.rest is not before.rest) else None
        chunks = {chunk: look for chunk, (number, look) in dressed.chunks.items() if number > since}
        picture.show_drilled(self.dresser.structure, chunks, rest, stale=not dressed.standing.is_known)
        self._taken = dressed

    def level(self, drawn: Mapping[str, Drawn]) -> dict[str, Drawn]:
        """A level of detail but for the bone, which comes once what was drilled is cut from it: never is it seen whole again meanwhile."""
        self.dresser.ask(arrays_of(drawn[self.dresser.structure].mesh))
        return {name: one for name, one in drawn.items() if name != self.dresser.structure}
