"""How the kernels of pose estimation are compiled: IEEE float64, cached, the interpreter lock released.

Numba keys its cache on the file that a kernel stands in: kernels compiled by this call only kernels of their own file, so that none is ever stale.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a kernel when it is first called."""
    kernel: F = njit(cache=True, nogil=True, error_model="numpy")(function)
    return kernel
