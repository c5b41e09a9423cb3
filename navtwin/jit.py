"""The one way that anything is compiled here: IEEE float64 with no fastmath, cached, the interpreter lock released.

Two things of Numba's cache are mended. It keys a kernel's cache on the file that the kernel stands in, not on the files of the kernels it calls: a
changed helper would leave its callers stale. So a file's cache folder is named after a hash of the file and of the kernel files that it imports.
And it numbers the files of a kernel's signatures by what its index says at that moment: two processes that compile for different signatures at once
can take the same number, and a third then runs code for the wrong types. So a signature's file is named after the signature.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import platformdirs
from numba import __version__ as numba_version
from numba import config, njit
from numba.core.caching import IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., object])

_ROOT = Path(__file__).parent.parent
_IMPORT = re.compile(rb"^from ((?:navtwin|tracking|phantoms)\.[\w.]+) import", re.MULTILINE)
#: A file with kernels in it imports one of the names by which they are compiled.
_HAS_KERNELS = re.compile(rb"^from [\w.]*\bjit import", re.MULTILINE)


class NamedBySignature(IndexDataCacheFile):  # type: ignore[misc]
    """Numba's cache of one kernel, in which no two signatures can ever share a file.

    An index that two processes write at once loses an entry, which is then compiled again; it never names another one's code.
    """

    def save(self, key: object, data: object) -> None:
        """Keep the code compiled for `key`."""
        name = self._data_name(int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:8], "big"))
        # The code first: an index never names what is not there yet.
        self._save_data(name, data)
        self._save_index(self._load_index() | {key: name})


def _sources(file: Path, found: dict[Path, bytes]) -> dict[Path, bytes]:
    """`file` and the kernel files that it imports, directly or not, with their contents."""
    if file not in found:
        found[file] = file.read_bytes()
        for name in _IMPORT.findall(found[file]):
            imported = _ROOT / f"{name.decode().replace('.', '/')}.py"
            if imported.is_file() and _HAS_KERNELS.search(imported.read_bytes()):
                _sources(imported, found)
    return found


@cache
def _cache_folder(file: Path) -> str:
    digest = hashlib.sha256(numba_version.encode())
    for _, content in sorted(_sources(file, {}).items()):
        digest.update(content)
    root = Path(config.CACHE_DIR) if config.CACHE_DIR else platformdirs.user_cache_path("navtwin") / "kernels"
    return str(root / f"{file.stem}-{digest.hexdigest()[:16]}")


def compiled(function: F, **how: bool) -> F:
    """Compile `function` when it is first called; `how` goes to Numba."""
    outer = config.CACHE_DIR
    config.CACHE_DIR = _cache_folder(Path(function.__code__.co_filename))  # read by Numba while it decorates, and put back for everybody else
    try:
        kernel = cast(Any, njit(cache=True, nogil=True, error_model="numpy", fastmath=False, **how)(function))
    finally:
        config.CACHE_DIR = outer
    kernel._cache._cache_file.__class__ = NamedBySignature
    return cast(F, kernel)


def is_kept(kernel: Callable[..., object]) -> bool:
    """Whether the cache holds code of this kernel, for some signature."""
    return Path(cast(Any, kernel)._cache._cache_file._index_path).is_file()


@contextmanager
def another_process(code: str) -> Iterator[None]:
    """Has another process run `code` where there is a processor for it (threads that compile take turns), and waits for it at the end.

    Nothing may depend on it: it may fail, or not be.
    """
    silent = subprocess.DEVNULL
    with ExitStack() as stack:
        if (os.cpu_count() or 1) > 1:
            with suppress(OSError):
                stack.enter_context(subprocess.Popen([sys.executable, "-c", code], stdin=silent, stdout=silent, stderr=silent))
        yield
