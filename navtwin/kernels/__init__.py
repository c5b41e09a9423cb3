"""Proximity kernels: arrays in, numbers out. They import nothing of navtwin and allocate nothing inside a query.

Kernels: `tree` and `normals` plant a `Forest`; `point`, `segment`, `ray` and `mesh_mesh` ask it; `frame` asks everything at once; `carve` drills.
"""

from __future__ import annotations

from navtwin.kernels.frame import DEPTH_IS_BOUND, KNOWN, frame_distances
from navtwin.kernels.mesh_mesh import closest_surfaces
from navtwin.kernels.normals import component_vertices, plant, signed_volume
from navtwin.kernels.point import closest_points
from navtwin.kernels.ray import first_hits
from navtwin.kernels.segment import capsule
from navtwin.kernels.tree import Forest, Workspace, join, workspace
from navtwin.kernels.warm import KERNELS, warm_up

__all__ = [
    "DEPTH_IS_BOUND", "KERNELS", "KNOWN", "Forest", "Workspace", "capsule", "closest_points", "closest_surfaces", "component_vertices", "first_hits",
    "frame_distances", "join", "plant", "signed_volume", "warm_up", "workspace",
]  # fmt: skip
