"""One compiled call a frame: every instrument part against every structure."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import kernel
from navtwin.kernels.segment import capsule
from navtwin.kernels.tree import F64, I32, Forest, Workspace

#: Bits of `flags`.
KNOWN = 1
DEPTH_IS_BOUND = 2


@kernel
def frame_distances(
    forest: Forest,
    capsules: F64,
    hints: I32,
    distance: F64,
    on_structure: F64,
    on_axis: F64,
    face: I32,
    flags: npt.NDArray[np.uint8],
    work: Workspace,
) -> None:
    """Signed distances of P capsules to S structures. Allocates nothing.

    Parameters
    ----------
    forest : the S structures
    capsules : (P, 7) float64, mm: ax ay az bx by bz radius, in the structures' frame; a == b is a ball.
        One that is not finite, or whose radius is negative, is unknown.
    hints : (P, S) int32, in and out; face found in the last frame, -1 for none. They save time and cannot change a bit of the answer.
    distance : (P, S) float64, out; from the capsule's skin, mm, negative inside, NaN where unknown
    on_structure, on_axis : (P, S, 3) float64, out; the closest points, NaN where unknown
    face : (P, S) int32, out; face of the closest point, -1 where unknown
    flags : (P, S) uint8, out; KNOWN, and DEPTH_IS_BOUND where the depth is at least what is shown
    work : scratch memory of this thread
    """
    for p in range(capsules.shape[0]):
        known = capsules[p, 6] >= 0.0
        for i in range(7):
            known = known and math.isfinite(capsules[p, i])
        for s in range(forest.roots.shape[0]):
            if not known:
                distance[p, s], face[p, s], flags[p, s] = np.nan, -1, 0
                on_structure[p, s] = np.nan
                on_axis[p, s] = np.nan
                continue
            c = capsules[p]
            hit = capsule(forest, s, c[0], c[1], c[2], c[3], c[4], c[5], c[6], hints[p, s], work)
            hints[p, s] = hit.hint
            distance[p, s], face[p, s] = hit.distance, forest.face[hit.slot]
            flags[p, s] = KNOWN | DEPTH_IS_BOUND if hit.depth_is_bound else KNOWN
            on_structure[p, s, 0], on_structure[p, s, 1], on_structure[p, s, 2] = hit.x, hit.y, hit.z
            on_axis[p, s, 0], on_axis[p, s, 1], on_axis[p, s, 2] = hit.axis_x, hit.axis_y, hit.axis_z
