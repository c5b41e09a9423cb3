"""Bone on many straight ways at once: asked one by one, calling would cost ten times what measuring does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.kernels.bone.bricks import U64, Bricks
from navtwin.kernels.bone.way import bone_on_way
from navtwin.kernels.jit import query
from navtwin.kernels.tree import F64


@query
def bone_on_ways(bricks: Bricks, blocks: U64, starts: F64, ends: F64, bone_mm: F64, doubtful: npt.NDArray[np.bool_]) -> None:
    """Write what `bone_on_way` says of each way from a row of `starts` (N, 3) to the same of `ends`, mm, into `bone_mm` and `doubtful` (N,)."""
    for n in range(len(starts)):
        start, end = (starts[n, 0], starts[n, 1], starts[n, 2]), (ends[n, 0], ends[n, 1], ends[n, 2])
        bone_mm[n], doubtful[n] = bone_on_way(bricks, blocks, start, end)
