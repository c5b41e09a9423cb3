"""Proximity kernels: arrays in, numbers out. They import nothing of navtwin and allocate nothing inside a query.

`tree`, `build`, `adjacency`, `normals` and `slabs` plant a `Forest`. `point`, `segment`, `sweep`, `ray` and `mesh_mesh` ask it; `hull` and `clear`
spare most sweeps; `solids` and `frame` ask several things at once, `handle` one thing from Python. `winding` and `crossings` say where pseudonormals
cannot tell the side, `local` sums one where none are kept; `refit` and `regions` follow what moves; `bone` drills. Filters are written in `simd` and
`rough`; `triangle` and `triangles` are the referee.
"""

from __future__ import annotations

from navtwin.kernels.frame import DEPTH_IS_BOUND, FARTHER, KNOWN, Frame, ask_near, measure_frame, new_frame
from navtwin.kernels.mesh_mesh import closest_surfaces
from navtwin.kernels.normals import component_vertices, plant, signed_volume
from navtwin.kernels.point import closest_points
from navtwin.kernels.ray import first_hits
from navtwin.kernels.segment import capsule
from navtwin.kernels.tree import Forest, Workspace, join, workspace
from navtwin.kernels.warm import KERNELS, warm_up

__all__ = [
    "DEPTH_IS_BOUND", "FARTHER", "KERNELS", "KNOWN", "Forest", "Frame", "Workspace", "ask_near", "capsule", "closest_points", "closest_surfaces",
    "component_vertices", "first_hits", "join", "measure_frame", "new_frame", "plant", "signed_volume", "warm_up", "workspace",
]  # fmt: skip
