"""Whether a volume holds label numbers or scanned values. NIfTI, NRRD and MetaImage say it nowhere that programs heed: its voxels do."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import NavtwinError
from navtwin.volumes.read import storage_of
from navtwin.volumes.storage import Storage, stored_chunks

#: More different values than any table of labels has.
MOST_LABELS: Final = 4096
#: With more different values than this, labels also have to lie in patches: an unsigned CT of 12 bits has no more than 4096 values either.
_FEW_LABELS: Final = 256
#: Share of voxels (not 0) that equal their neighbour: noise leaves a few hundredths of a CT's, patches leave most.
_PATCHES: Final = 0.4
_SAMPLES: Final = 2**20


def looks_like_labels(path: Path) -> bool:
    """Whether all values of a volume are whole and not negative, and few of them differ. Never raises: what cannot be read holds no labels.

    All voxels are looked at, up to the first that shows a scan (air is negative in HU); differing values are counted in a million of them.
    """
    try:
        state = path.stat()
    except OSError:
        return False
    return _guess(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _guess(path: Path, changed_ns: int, size: int) -> bool:
    """Every format of the door asks this of the same file; the answer holds as long as the file is the same."""
    try:
        return _are_labels(storage_of(path))
    except NavtwinError:
        return False


def _are_labels(storage: Storage) -> bool:
    step = max(1, math.prod(storage.shape) // _SAMPLES)
    seen: set[float] = set()
    alike, compared = 0, 0
    for chunk in stored_chunks(storage):
        values = _values(np.frombuffer(chunk, dtype=storage.dtype), storage)
        if not (values.dtype.kind in "iu" or (values == np.rint(values)).all()) or values.min() < 0:
            return False
        seen.update(np.unique(values[::step]).tolist())
        if len(seen) > MOST_LABELS:
            return False
        inside = values[1:] != 0
        alike += int(((values[1:] == values[:-1]) & inside).sum())
        compared += int(inside.sum())
    return len(seen) <= _FEW_LABELS or alike >= _PATCHES * compared


def _values(stored: npt.NDArray[Any], storage: Storage) -> npt.NDArray[Any]:
    if (storage.slope, storage.intercept) == (1.0, 0.0):
        return stored
    values: npt.NDArray[np.float64] = stored.astype(np.float64) * storage.slope + storage.intercept
    return values
