"""What markers and boards look like. Whoever knows their codes says so through the entry points `navtwin.patterns`: this room has none of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]

GROUP = "navtwin.patterns"


class BoardSquare(Protocol):
    """One print of the calibration board, or the paper under it (the first one)."""

    @property
    def corners_mm(self) -> Array: ...
    @property
    def cells(self) -> Cells: ...
    @property
    def marker(self) -> int | None: ...


@cache
def _loaded(name: str) -> Callable[..., Any]:
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        raise InputRefused(f"nothing says what a {name} marker looks like (entry point {GROUP}: {name})", "install navtwin whole")
    loaded: Callable[..., Any] = found[0].load()
    return loaded


def cells(dictionary: str, marker: int) -> Cells:
    """(n, n) cells of a printed marker, True where black, border included."""
    return np.asarray(_loaded("printed")(dictionary, marker), dtype=bool)


def board() -> Sequence[BoardSquare]:
    """Everything printed on the calibration board, the paper first; origin at its centre, x right, y up, z towards the reader."""
    squares: Sequence[BoardSquare] = _loaded("board")()
    return squares
