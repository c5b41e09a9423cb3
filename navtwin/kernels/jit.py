"""The one way kernels are compiled: IEEE float64 with no fastmath, cached, the interpreter lock released.

Numba keys its cache on the file a kernel stands in, not on the files of the kernels it calls: a changed helper would leave its callers stale.
So a file's cache folder is named after a hash of the file and of the kernel files that it imports, and any change starts a fresh one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import platformdirs
from numba import __version__ as numba_version
from numba import config, njit

F = TypeVar("F", bound=Callable[..., object])


def _sources(file: Path, found: dict[Path, bytes]) -> dict[Path, bytes]:
    """`file` and the kernel files that it imports, directly or not, with their contents."""
    if file not in found:
        found[file] = file.read_bytes()
        for name in re.findall(rb"^from navtwin\.kernels\.(\w+) import", found[file], re.MULTILINE):
            _sources(Path(__file__).with_name(f"{name.decode()}.py"), found)
    return found


@cache
def _cache_folder(file: Path) -> str:
    digest = hashlib.sha256(numba_version.encode())
    for _, content in sorted(_sources(file, {}).items()):
        digest.update(content)
    root = Path(config.CACHE_DIR) if config.CACHE_DIR else platformdirs.user_cache_path("navtwin") / "kernels"
    return str(root / f"{file.stem}-{digest.hexdigest()[:16]}")


def _compiled(function: F, **how: bool) -> F:
    outer = config.CACHE_DIR
    config.CACHE_DIR = _cache_folder(Path(function.__code__.co_filename))  # read by Numba while it decorates, and put back for everybody else
    try:
        compiled: F = njit(cache=True, nogil=True, error_model="numpy", fastmath=False, **how)(function)
    finally:
        config.CACHE_DIR = outer
    return compiled


def kernel(function: F) -> F:
    """Compile `function` so that it gives the same bits on every CPU: no fastmath, no contraction, no parallel reduction."""
    return _compiled(function)


def query(function: F) -> F:
    """A kernel that allocates nothing: one that tries does not compile. Without Numba's run-time it counts no references to arrays either."""
    return _compiled(function, _nrt=False)


def inlined(function: F) -> F:
    """A query too small to be called: its code is laid into its callers, so that vectors and tuples stay in registers."""
    return _compiled(function, _nrt=False, forceinline=True)


@inlined
def plain(number: int) -> int:
    """The same number, not as a literal: Numba compiles a function once more for every literal that it is called with."""
    return 0 + number
