"""How kernels are compiled: so that they give the same bits on every CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from navtwin.jit import compiled

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` so that it gives the same bits on every CPU: no fastmath, no contraction, no parallel reduction."""
    return compiled(function)


def query(function: F) -> F:
    """A kernel that allocates nothing: one that tries does not compile. Without Numba's run-time it counts no references to arrays either."""
    return compiled(function, _nrt=False)


def inlined(function: F) -> F:
    """A query too small to be called: its code is laid into its callers, so that vectors and tuples stay in registers."""
    return compiled(function, _nrt=False, forceinline=True)


@inlined
def plain(number: int) -> int:
    """The same number, not as a literal: Numba compiles a function once more for every literal that it is called with."""
    return 0 + number
