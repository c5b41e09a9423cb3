"""Compile every kernel (or load it from the cache) before the first frame, on a tetrahedron."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from navtwin.kernels.carve import carve, fill, mark_near
from navtwin.kernels.frame import frame_distances
from navtwin.kernels.mesh_mesh import closest_surfaces
from navtwin.kernels.normals import component_vertices, plant, signed_volume
from navtwin.kernels.point import closest_points
from navtwin.kernels.ray import first_hits
from navtwin.kernels.segment import capsule
from navtwin.kernels.tree import Forest, workspace

_CORNERS = np.array(((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
_FACES = np.array(((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)), np.int32)


def _forest() -> Forest:
    return plant(_CORNERS, _FACES)[0]


def _plant() -> None:
    component_vertices(_FACES, len(_CORNERS))
    signed_volume(_CORNERS, _FACES)
    _forest()


def _points() -> None:
    closest_points(_forest(), 0, _CORNERS + 2.0, np.empty(4), np.empty((4, 3)), np.empty(4, np.int32), workspace())


def _capsules() -> None:
    capsule(_forest(), 0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 0.5, -1, workspace())


def _rays() -> None:
    first_hits(_forest(), 0, _CORNERS + 2.0, _CORNERS - 2.0, np.empty(4), np.empty(4, np.int32), workspace())


def _meshes() -> None:
    closest_surfaces(_forest(), _forest(), np.eye(4), np.empty((4, 9)), workspace())


def _frames() -> None:
    shape = (1, 1)
    hints, face = np.full(shape, -1, np.int32), np.empty(shape, np.int32)
    out = np.empty(shape), np.empty((1, 1, 3)), np.empty((1, 1, 3))
    frame_distances(_forest(), np.ones((1, 7)), hints, *out, face, np.empty(shape, np.uint8), workspace())


def _drill() -> None:
    near, field, origin = np.ones((2, 2, 2), np.bool_), np.empty((2, 2, 2), np.int8), np.zeros(3)
    mark_near(_forest().corners, origin, 1.0, near)
    fill(_forest(), origin, 1.0, near, field, workspace())
    carve(field, origin, 1.0, origin, origin, 1.0)


#: What `warm_up` compiles, in order: each needs what stands before it.
KERNELS: dict[str, Callable[[], None]] = {
    "tree and normals": _plant,
    "closest point": _points,
    "capsule": _capsules,
    "ray": _rays,
    "surface to surface": _meshes,
    "frame": _frames,
    "drilling": _drill,
}


def warm_up(progress: Callable[[str], None] | None = None) -> None:
    """Compile every kernel, so that none compiles inside a frame: some 30 s the first time on a machine, less than 1 s from the cache.

    Parameters
    ----------
    progress : called with the name of each group of kernels before it is compiled
    """
    for name, compile_it in KERNELS.items():
        if progress is not None:
            progress(name)
        compile_it()
