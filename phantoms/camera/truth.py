"""What is really so in a rendered picture: where each marker's corners are, and which of them can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantoms.camera.lens import Lens
from phantoms.camera.optics import Optics
from phantoms.camera.order import hidden, inside
from phantoms.camera.raster import images_of
from phantoms.camera.scene import Occluder, Packed, Scene, bodies_of, pack

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrueMarker:
    """One marker whose front is turned to the camera.

    Attributes
    ----------
    body : index of its body in the scene
    id : its number
    corners_px : (4, 2) where its corners are at mid-exposure (with a rolling shutter: of the row that each is in)
    visible : (4,) inside the image and behind nothing
    """

    body: int
    id: int
    corners_px: Array
    visible: npt.NDArray[np.bool_]


def true_markers(lens: Lens, scene: Scene, optics: Optics | None = None, occluders: Sequence[Occluder] = ()) -> list[TrueMarker]:
    """The truth of what `render` draws from the same arguments, by body and then by sheet; markers seen from behind are left out."""
    optics = optics or Optics()
    bodies = bodies_of(scene)
    packed = pack(lens, bodies, optics)
    found = []
    for n, (b, s) in enumerate(packed.kept.tolist()):
        sheet = bodies[b].sheets[s]
        if packed.signs[n] < 0.0 or not sheet.ids:
            continue
        points = np.ascontiguousarray(sheet.marks_mm.reshape(-1, 3))
        pixels = images_of(lens.packed, packed.motions[b], optics.readout_ms / 1e3, 0.0, points)
        placed = points @ packed.motions[b, :9].reshape(3, 3).T + packed.motions[b, 9:12]
        visible = np.array([_visible(lens, packed, occluders, p, px) for p, px in zip(placed, pixels, strict=True)])
        for marker, number in enumerate(sheet.ids):
            rows = slice(4 * marker, 4 * marker + 4)
            found.append(TrueMarker(b, number, pixels[rows], visible[rows]))
    return found


def _visible(lens: Lens, packed: Packed, occluders: Sequence[Occluder], point_mm: Array, pixel: Array) -> bool:
    x, y = float(pixel[0]), float(pixel[1])
    if not (-0.5 <= x < lens.width_px - 0.5 and -0.5 <= y < lens.height_px - 0.5):
        return False
    ray = point_mm[:2] / point_mm[2]
    if float(np.hypot(*ray)) > lens.packed[12] or any(inside(np.ascontiguousarray(o.polygon_px), x, y) for o in occluders):
        return False
    return not hidden(ray[0], ray[1], float(point_mm[2]), packed.rays, packed.ray_starts, packed.planes)
