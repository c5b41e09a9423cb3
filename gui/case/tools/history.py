"""What a tool draws, step by step: undone and done again."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

D = TypeVar("D")
#: More steps than anybody takes back.
MOST_STEPS: Final = 500


class History(Generic[D]):
    """Drafts that are never changed in place, the newest in front.

    Attributes
    ----------
    now : the draft as it is
    """

    def __init__(self, first: D) -> None:
        self.now = first
        self._past: list[D] = []
        self._future: list[D] = []
        self._stroke = ""

    def put(self, draft: D, stroke: str = "") -> None:
        """Take another draft.

        Parameters
        ----------
        stroke : changes that follow each other under one name are undone together, until `lift`
        """
        if draft == self.now:
            return
        if not stroke or stroke != self._stroke:
            self._past = [*self._past, self.now][-MOST_STEPS:]
        self._stroke = stroke
        self._future.clear()
        self.now = draft

    def lift(self) -> None:
        """A stroke ends; one that came back to where it began leaves no step."""
        if self._stroke and self._past and self._past[-1] == self.now:
            self._past.pop()
        self._stroke = ""

    def undo(self) -> bool:
        """One step back; False where there is none."""
        return self._step(self._past, self._future)

    def redo(self) -> bool:
        """One step forth again; False where there is none."""
        return self._step(self._future, self._past)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def _step(self, taken: list[D], left: list[D]) -> bool:
        self.lift()
        if not taken:
            return False
        left.append(self.now)
        self.now = taken.pop()
        return True
