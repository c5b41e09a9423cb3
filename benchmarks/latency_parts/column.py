"""Numbers noted one after the other over a long run, without memory that grows: they go to a temporary file, a block at a time."""

from __future__ import annotations

import tempfile
from array import array

#: Numbers kept in memory before they are written.
BLOCK = 4096


class Column:
    """Whole numbers of 64 bits in the order in which they were noted."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the column
        self._block, self._written, self._last = array("q"), 0, 0

    def append(self, value: int) -> None:
        self._block.append(value)
        self._last = value
        if len(self._block) == BLOCK:
            self._block.tofile(self._file)
            self._written += BLOCK
            del self._block[:]

    def __len__(self) -> int:
        return self._written + len(self._block)

    @property
    def last(self) -> int:
        """The newest of them."""
        if not len(self):
            raise IndexError("nothing was noted yet")
        return self._last

    def tolist(self) -> list[int]:
        """All of them."""
        self._file.seek(0)
        found = array("q")
        found.fromfile(self._file, self._written)
        return [*found, *self._block]
