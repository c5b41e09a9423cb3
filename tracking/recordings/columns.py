"""The fields of a recording, gathered in columns while its file is read: each batch becomes numbers, or one piece of text, before the next comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
#: Makes of a batch's frame numbers and texts what the column keeps: an array with a row each, or their texts joined.
Settle = Callable[[list[int], list[bytes]], Any]
#: Readers take NUL characters out of texts, so that one can stand between them.
_BETWEEN: Final = b"\0"


def as_text(rows: list[int], values: list[bytes]) -> bytes:
    """The texts of lines, without the blanks around them."""
    return _BETWEEN.join([value.strip() for value in values])


def as_it_is(rows: list[int], values: list[bytes]) -> bytes:
    """The texts of cells."""
    return _BETWEEN.join(values)


class Column:
    """One field through the frames. `rows` and `values` are the batch that is being read, one item for each mention.

    Attributes
    ----------
    glued : the first value follows its equals sign without a space
    """

    __slots__ = ("_chunks", "_settle", "glued", "name", "rows", "values")

    def __init__(self, name: str, settle: Settle, glued: bool) -> None:
        self.name = name
        self.glued = glued
        self.rows: list[int] = []
        self.values: list[bytes] = []
        self._settle = settle
        self._chunks: list[tuple[Ints, Any]] = []

    @property
    def is_text(self) -> bool:
        return self._settle in (as_text, as_it_is)

    def settle(self) -> None:
        """Turn the batch into what is kept."""
        if self.rows:
            self._chunks.append((np.array(self.rows, dtype=np.int64), self._settle(self.rows, self.values)))
            self.rows, self.values = [], []

    def frames(self) -> Ints:
        """The frames that mention the field, in the order of the file."""
        return np.concatenate([rows for rows, _ in self._chunks])

    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """What was made of the values, one array for each that `settle` gives, in the order of `frames`."""
        found = [made if isinstance(made, tuple) else (made,) for _, made in self._chunks]
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))

    def texts(self, count: int) -> Iterator[str | None]:
        """Of a column of text: the text of each of `count` frames, None where there is none."""
        in_order = (np.diff(self.frames()) > 0).all()
        said = self._said() if in_order else iter(sorted(self._said(), key=lambda one: one[0]))
        at, text = next(said, (count, ""))
        for row in range(count):
            if row == at:
                yield text
                at, text = next(said, (count, ""))
            else:
                yield None

    def _said(self) -> Iterator[tuple[int, str]]:
        for rows, joined in self._chunks:
            for row, value in zip(rows.tolist(), joined.split(_BETWEEN), strict=True):
                yield row, value.decode("utf-8", errors="replace")
