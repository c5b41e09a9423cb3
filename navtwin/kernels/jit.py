"""The one way kernels are compiled: IEEE float64 with no fastmath, cached, the interpreter lock released."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` so that it gives the same bits on every CPU: no fastmath, no contraction, no parallel reduction."""
    compiled: F = njit(cache=True, nogil=True, error_model="numpy", fastmath=False)(function)
    return compiled
