"""Whole bone on its grid, kept in the user's cache by what it is made of: filling a head takes seconds, reading it back a fraction of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from navtwin import kernels
from navtwin.kernels.bone.bricks import BRICK, Bricks
from navtwin.kernels.bone.fill import SPARE, empty_bricks
from navtwin.kernels.bone.fingerprint import rehash_all
from navtwin.scene.data import cache_folder

#: So many bones are kept, those that were made last.
MOST_KEPT = 8
#: What a reader of a damaged file may meet.
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@cache
def _how_it_is_made() -> bytes:
    """Hash of the kernels and of the grid: what earlier ones made is made anew."""
    folder = Path(str(kernels.__file__)).parent
    files = [*sorted(folder.rglob("*.py")), Path(__file__).with_name("bone_grid.py"), Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()


def kept_or_made(key: tuple[str, str, float], shape: tuple[int, int, int], make: Callable[[], Bricks]) -> Bricks:
    """Bricks from the cache, or from `make`, and then kept there if that can be done.

    Parameters
    ----------
    key : case hash, structure and side in mm: all that the bone depends on
    shape : bricks along k, j, i, as they must be
    """
    name = hashlib.sha256(repr(key).encode() + _how_it_is_made()).hexdigest()
    path = cache_folder("bone") / f"{name[:32]}.npz"
    with contextlib.suppress(*_DAMAGED):
        return _read(path, key[2], shape)
    bricks = make()
    with contextlib.suppress(OSError):  # made again next time
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        _write(partial, bricks)
        os.replace(partial, path)  # noqa: PTH105
        for old in sorted(path.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime)[:-MOST_KEPT]:
            old.unlink()
    return bricks


def _write(path: Path, bricks: Bricks) -> None:
    used = int(bricks.used[0])
    with path.open("wb") as file:
        np.savez_compressed(
            file, origin=bricks.origin, table=bricks.table, owner=bricks.owner[:used], cells=bricks.cells[:used], total=bricks.total,
        )  # fmt: skip


def _read(path: Path, side: float, shape: tuple[int, int, int]) -> Bricks:
    with np.load(path, allow_pickle=False) as held:
        origin, table, owner, cells, total = (held[name] for name in ("origin", "table", "owner", "cells", "total"))
    used = len(owner)
    if table.shape != shape or table.dtype != np.int32 or origin.shape != (3,) or owner.dtype != np.int32 or cells.dtype != np.int8:
        raise ValueError("not the arrays of this bone")
    places = table.reshape(-1)[owner] if used and owner.min() >= 0 and owner.max() < table.size else np.empty(0)
    if cells.shape != (used, BRICK, BRICK, BRICK) or not np.array_equal(places, np.arange(used)) or (table >= 0).sum() != used:
        raise ValueError("slots and owners do not belong together")
    bricks = empty_bricks(origin, side, np.ascontiguousarray(table), used + used // 2 + SPARE)
    bricks.cells[:used], bricks.owner[:used], bricks.used[0] = cells, owner, used
    rehash_all(bricks)
    if bricks.total[0] != total[0]:
        raise ValueError("the hash differs")
    return bricks
