"""What a frame of drilling costs: the cut, the surface and the tree of what it touched, and the distance to what is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from proximity_parts.rows import Row
from results.model import percentile_figures

from drilling_parts.bones import RADIUS_MM, moves
from navtwin import kernels
from navtwin.scene.carvable import Carvable

WHOLE = "whole frame"


def frame_row(name: str, carvable: Carvable, strokes: int, clock: Callable[[], int]) -> Row:
    """A 4 mm burr that moves through bone: p50 and p99 of the frames in which it took any."""
    frame, work = kernels.new_frame(np.array([(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, RADIUS_MM)]), 1), kernels.workspace()
    pose = np.eye(3, 4)
    parts: dict[str, list[float]] = {"cut": [], "surface and tree": [], "distance": [], WHOLE: []}
    for n, (start, end) in enumerate(moves(carvable, strokes + 1, 5)):
        revision, begun = carvable.revision, clock()
        carvable.carve(start, end, RADIUS_MM)
        cut = clock()
        forest = carvable.forest
        laid = clock()
        pose[:, 3] = end
        frame.earlier[:], frame.now[:] = frame.now, pose.reshape(-1)
        kernels.measure_frame(forest, frame, work)
        done = clock()
        if carvable.revision > revision and n >= strokes:  # a first stroke's worth of frames warms everything up
            for part, took in zip(parts, (cut - begun, laid - cut, done - laid, done - begun), strict=True):
                parts[part].append(took / 1e3)
    times = {part: {"p50": float(np.median(took)), "p99": float(np.percentile(took, 99))} for part, took in parts.items()}
    figures = list(percentile_figures("took", "ms", np.array(parts[WHOLE]) / 1e3))
    return Row(name, figures, times, note=f"{len(parts[WHOLE])} frames that took bone, burr 4 mm, {carvable.side_mm:g} mm")
