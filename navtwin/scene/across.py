"""What lies square to a planned path: the scan's grey and the outlines of structures, as somebody sees them who looks along it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from navtwin.scene.aim import PathAxes, path_axes
from navtwin.scene.model import Plan, Structure
from navtwin.scene.slices import outline
from navtwin.volumes.volume import Volume

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A square picture: `side_px` pixels of `mm_per_px`, its middle on the path."""

    side_px: int
    mm_per_px: float

    @property
    def reach_mm(self) -> float:
        """From its middle to a corner."""
        return self.side_px * self.mm_per_px / math.sqrt(2.0)


class Across:
    """A path that is looked along.

    Parameters
    ----------
    plan : of some length
    structures : whose outlines are wanted
    """

    def __init__(self, plan: Plan, structures: Iterable[Structure], window: Window) -> None:
        self.plan, self.window = plan, window
        self.axes: PathAxes = path_axes(plan)
        turn = np.stack((self.axes.right, self.axes.up, self.axes.along))
        self._near: dict[str, tuple[F64, npt.NDArray[np.int64]]] = {}
        for one in structures:
            self._near[one.name] = self._around(np.asarray(one.surface.vertices_mm), np.asarray(one.surface.faces), turn)

    def hu(self, volume: Volume, at_mm: Vec3) -> npt.NDArray[np.float32]:
        """(side, side) HU in the plane through a point of the path, first row uppermost; by trilinear interpolation, NaN beyond the scan."""
        from scipy.ndimage import map_coordinates

        steps = (np.arange(self.window.side_px) - (self.window.side_px - 1) / 2.0) * self.window.mm_per_px
        points = np.array(at_mm) + steps[None, :, None] * self.axes.right - steps[:, None, None] * self.axes.up
        T_ijk_from_ct = np.linalg.inv(volume.T_ct_from_ijk)
        ijk = points @ T_ijk_from_ct[:3, :3].T + T_ijk_from_ct[:3, 3]
        sampled: npt.NDArray[np.float32] = map_coordinates(
            volume.hu, np.moveaxis(ijk[..., ::-1], -1, 0), output=np.float32, order=1, mode="constant", cval=np.nan, prefilter=False
        )
        return sampled

    def outlines(self, at_mm: Vec3) -> dict[str, F64]:
        """Where each structure crosses that plane: line pieces, (N, 2, 2) mm to the right and up of the path."""
        depth = float(np.subtract(at_mm, self.plan.entry_mm) @ self.axes.along)
        return {name: self._pieces(vertices, faces, depth) for name, (vertices, faces) in self._near.items()}

    def _around(self, vertices: F64, faces: npt.NDArray[np.integer], turn: F64) -> tuple[F64, npt.NDArray[np.int64]]:
        """What of a surface may be seen from anywhere on the path, in the path's own axes from its entry."""
        length = float(np.linalg.norm(np.subtract(self.plan.target_mm, self.plan.entry_mm)))
        inside = (vertices - self.plan.entry_mm) @ turn.T
        aside = np.linalg.norm(inside[:, :2], axis=1)
        seen = (aside <= self.window.reach_mm) & (inside[:, 2] > -1.0) & (inside[:, 2] < length + 1.0)
        return inside, faces[seen[faces].any(axis=1)].astype(np.int64)

    def _pieces(self, vertices: F64, faces: npt.NDArray[np.int64], depth: float) -> F64:
        # `outline` looks at axial slices from the feet: up is against its second axis.
        pieces: F64 = outline(vertices, faces, "axial", (0.0, 0.0, depth)) * np.array((1.0, -1.0))
        return pieces
