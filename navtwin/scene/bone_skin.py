"""The surface of bone as it is now: a tree that lives, planted when it is first asked for and renewed where something changed since."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin import kernels
from navtwin.errors import InputRefused
from navtwin.kernels import Forest
from navtwin.kernels.adjacency import welded
from navtwin.kernels.bone.branch import PARKING
from navtwin.kernels.bone.bricks import Bricks
from navtwin.kernels.bone.growth import Canopy, patch, plant, renew
from navtwin.scene.answers import ClosestPoints
from navtwin.scene.batches import in_batches
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


class BoneSkin:
    """What `Carvable` says of its surface; it is told the bricks each time, as they may have moved."""

    def __init__(self) -> None:
        self._canopy: Canopy | None = None
        self._made: tuple[int, Surface] | None = None

    def _grown(self, bricks: Bricks) -> Canopy:
        if self._canopy is None:
            self._canopy = plant(bricks)
        elif bricks.queued[0] > 0:
            renew(bricks, self._canopy)
        return self._canopy

    def _some(self, bricks: Bricks) -> Forest:
        canopy = self._grown(bricks)
        if canopy.triangles == 0:
            raise InputRefused("nothing is left of the structure", "start again from the volume")
        return canopy.forest

    def forest(self, bricks: Bricks) -> Forest:
        return self._grown(bricks).forest

    def closest(self, bricks: Bricks, points_mm: npt.ArrayLike) -> ClosestPoints:
        """Signed distances of (N, 3) points, mm."""
        forest, points = self._some(bricks), np.ascontiguousarray(points_mm, np.float64).reshape(-1, 3)
        distance, on_surface, face = np.empty(len(points)), np.empty(points.shape), np.empty(len(points), np.int32)

        def ask(part: slice) -> None:
            kernels.closest_points(forest, 0, points[part], np.inf, distance[part], on_surface[part], face[part], kernels.workspace())

        in_batches(ask, len(points))
        return ClosestPoints(distance, on_surface, face)

    def surface(self, bricks: Bricks, revision: int) -> Surface:
        """All of it as a mesh; vertices that bricks repeat along their borders become one."""
        if self._made is None or self._made[0] != revision:
            forest = self._some(bricks)
            faces = welded(forest.vertices, np.ascontiguousarray(forest.faces[forest.faces[:, 0] != PARKING]))
            rows, corners = np.unique(faces, return_inverse=True)
            self._made = revision, Surface.from_arrays(forest.vertices[rows], corners.reshape(-1, 3).astype(np.int32))
        return self._made[1]

    def patch(self, bricks: Bricks, brick: int) -> tuple[F64, I32]:
        return patch(self._grown(bricks), brick)
