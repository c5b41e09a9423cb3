"""Many independent queries on all cores: kernels release the interpreter's lock, so threads do."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

#: Fewer queries than this are not worth a thread.
LEAST_BATCH = 4096


def in_batches(ask: Callable[[slice], None], count: int) -> None:
    """Call `ask` for consecutive batches of 0 .. count, side by side where that pays. No answer may depend on where a batch begins."""
    batches = max(1, min(os.cpu_count() or 1, count // LEAST_BATCH))
    bounds = [count * k // batches for k in range(batches + 1)]
    slices = [slice(low, high) for low, high in itertools.pairwise(bounds)]
    if batches == 1:
        ask(slices[0])
        return
    with ThreadPoolExecutor(batches) as pool:
        list(pool.map(ask, slices))


def walk_order(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int64] | None:
    """An order of (N, 3) points in which neighbours are near each other; None where they already are, or are too few to matter.

    By the interleaved bits of their coordinates (Morton 1966); what is not finite comes anywhere.
    """
    if len(points) < LEAST_BATCH:
        return None
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    size = float((high - low).max())
    apart = float(np.nanmean(np.abs(np.diff(points, axis=0))))
    if not 0.0 < size < np.inf or apart < size / len(points) ** (1.0 / 3.0):
        return None
    cells = np.nan_to_num((points - low) * (1023.0 / size), posinf=0.0, neginf=0.0).astype(np.uint32)
    for shift, mask in ((16, 0x30000FF), (8, 0x300F00F), (4, 0x30C30C3), (2, 0x9249249)):
        cells = (cells | (cells << np.uint32(shift))) & np.uint32(mask)
    code = cells[:, 0] | (cells[:, 1] << np.uint32(1)) | (cells[:, 2] << np.uint32(2))
    return np.argsort(code, kind="stable")
