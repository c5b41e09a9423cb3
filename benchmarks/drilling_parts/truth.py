"""Where the drilled surface is, against what was cut, by formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from proximity_parts.rows import Row, figure
from scipy.spatial.transform import Rotation

from drilling_parts.bones import RADIUS_MM
from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]

HALF_MM = np.array((22.0, 19.0, 14.0))
STROKES = 60
_QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def block(rotation: F64) -> tuple[Surface, Callable[[F64], F64]]:
    """A box that stands askew, and its signed distance."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * HALF_MM
    faces = np.array([face for a, b, c, d in _QUADS for face in ((a, b, c), (a, c, d))])

    def distance(points: F64) -> F64:
        beyond = np.abs(points @ rotation) - HALF_MM
        return np.asarray(np.linalg.norm(np.maximum(beyond, 0.0), axis=1) + np.minimum(beyond.max(axis=1), 0.0))

    return Surface.from_arrays(corners @ rotation.T, faces), distance


def to_capsule(points: F64, a: F64, b: F64) -> F64:
    """Signed distances."""
    t = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - a - t[:, None] * (b - a), axis=1) - RADIUS_MM)


def truth_row(side_mm: float) -> Row:
    """A block with grooves of a 4 mm burr: how far its vertices are from the truth, by whether a crease is within a side of the grid."""
    rng = np.random.default_rng(2)
    rotation = Rotation.random(random_state=3).as_matrix()
    surface, distance = block(rotation)
    carvable, grooves = Carvable(surface, side_mm), []
    for _ in range(STROKES):
        start = rng.uniform(-1.0, 1.0, 3) * HALF_MM
        start[rng.integers(3)] *= 1e9
        a = np.clip(start, -HALF_MM, HALF_MM) @ rotation.T
        b = a + rng.normal(0.0, 6.0, 3)
        carvable.carve(a, b, RADIUS_MM)
        grooves.append((a, b))
    forest = carvable.forest
    vertices = forest.vertices[np.unique(forest.faces)[1:]]
    each = np.sort([distance(vertices), *(-to_capsule(vertices, a, b) for a, b in grooves)], axis=0)
    # A bound of the distance to the crease: where the two nearest walls of what was cut are both within a side.
    off, is_crease = np.abs(each[-1]), each[-1] - each[-2] < side_mm
    diagonal = side_mm * np.sqrt(3.0)
    figures = [
        figure("mean", float(off.mean()), "mm"),
        figure("p99 away from creases", float(np.percentile(off[~is_crease], 99) / diagonal), "voxel diagonals"),
        figure("p99 within a voxel of one", float(np.percentile(off[is_crease], 99) / diagonal), "voxel diagonals"),
        figure("worst", float(off.max()), "mm"),
    ]
    return Row(f"drilled block against analytic truth, {side_mm:g} mm", figures, note=f"{len(vertices)} vertices, {STROKES} strokes")
