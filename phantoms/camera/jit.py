"""The one way the camera's kernels are compiled: float arithmetic as written, cached beside the file, the interpreter lock released."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function`. Numba keys its cache on the file it stands in, so a kernel may call kernels of its own file only."""
    compiled: F = njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled
