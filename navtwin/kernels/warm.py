"""Compile every kernel (or load it from the cache) before the first frame, on a tetrahedron; the first time in two processes, as threads cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext

import numpy as np

from navtwin.jit import another_process, is_kept
from navtwin.kernels.adjacency import border_edges
from navtwin.kernels.bone.cut import bricks_in_reach, cut, cut_on_way, way_of
from navtwin.kernels.bone.doubt import change_doubt, doubt_differences, no_doubt
from navtwin.kernels.bone.fill import bricks_of
from navtwin.kernels.bone.growth import plant as plant_bone
from navtwin.kernels.bone.growth import renew
from navtwin.kernels.bone.journal import new_journal, with_room, write_cells
from navtwin.kernels.bone.profile import CYLINDER, SPHERE, Solid, Stroke
from navtwin.kernels.bone.way import bone_on_way, values
from navtwin.kernels.crossings import crossings
from navtwin.kernels.errorbar import warm_up as _error_bars
from navtwin.kernels.frame import ask_near, measure_frame, new_frame
from navtwin.kernels.handle import ANSWER, Handle, ask_capsule, ask_point, ask_solids
from navtwin.kernels.known import warm_up as _limits
from navtwin.kernels.normals import component_vertices, plant, signed_volume
from navtwin.kernels.parts import largest_faces
from navtwin.kernels.point import closest_points
from navtwin.kernels.ray import first_hits
from navtwin.kernels.segment import capsule
from navtwin.kernels.simd import WIDTH
from navtwin.kernels.solids import closest_solids
from navtwin.kernels.tree import Forest, workspace
from navtwin.kernels.winding import signed_by_winding, winding_numbers

_CORNERS = np.array(((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
_FACES = np.array(((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)), np.int32)


def _forest() -> Forest:
    return plant(_CORNERS, _FACES)[0]


def _plant() -> None:
    component_vertices(_FACES, len(_CORNERS))
    signed_volume(_CORNERS, _FACES)
    _forest()


def _signs() -> None:
    forest = _forest()
    border_edges(_FACES, len(_CORNERS))
    largest_faces(_CORNERS, _FACES, forest.mates)
    crossings(forest, 0, len(forest.children) // WIDTH, np.empty((1, 2), np.int32), workspace())
    winding_numbers(signed_by_winding(forest), 0, _CORNERS + 2.0, np.empty(4), workspace())


def _points() -> None:
    closest_points(_forest(), 0, _CORNERS + 2.0, np.inf, np.empty(4), np.empty((4, 3)), np.empty(4, np.int32), workspace())


def _capsules() -> None:
    capsule(_forest(), 0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 0.5, -1, np.inf, workspace())


def _probes() -> None:
    handle, answer = Handle(_forest()), np.full(ANSWER, -1.0)
    table = handle.table
    ask_point(table, answer, 2.0, 2.0, 2.0)
    ask_capsule(table, answer, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 0.5, np.inf)
    ask_solids(table, _CORNERS[:1], table, _CORNERS[:1], np.eye(4), answer, np.inf)


def _rays() -> None:
    first_hits(_forest(), 0, _CORNERS + 2.0, _CORNERS - 2.0, np.empty(4), np.empty(4, np.int32), workspace())


def _meshes() -> None:
    closest_solids(_forest(), _CORNERS[:1], _forest(), _CORNERS[:1], np.eye(4), -1, -1, np.inf, workspace())


def _frames() -> None:
    frame = new_frame(np.ones((1, 7)), 1)
    ask_near(frame, np.zeros(1))
    measure_frame(_forest(), frame, workspace())


def _drill() -> None:
    bricks = bricks_of(_forest(), np.full(3, -4.0), 0.5, (2, 2, 2))
    canopy, first, stretch, doubt = plant_bone(bricks), new_journal(8), new_journal(8), no_doubt(8)
    ball, origin, pose = Solid(SPHERE, 1.0, 0.0, 0.0), (0.0, 0.0, 0.0), np.eye(4)[:3].ravel()
    bricks_in_reach(bricks, origin, origin, 2.0)
    cut(bricks, first, stretch, ball, Stroke(origin, (0.0, 0.0, -1.0), origin))
    rod = Solid(CYLINDER, 1.0, 2.0, 0.0)
    way_of(rod, pose, pose)
    cut_on_way(bricks, first, with_room(stretch, 8), rod, pose, pose)
    write_cells(bricks, first, first.bricks[:1], first.cells[:1])
    renew(bricks, canopy)
    change_doubt(bricks, doubt, origin, origin, 1.0, True, False)
    doubt_differences(doubt, 0, bricks.cells[0], first.cells[0])
    bone_on_way(bricks, doubt.blocks, origin, (1.0, 1.0, 1.0))
    values(bricks, _CORNERS, np.empty(4))


#: What `warm_up` compiles, in order: all need the first.
KERNELS: dict[str, Callable[[], None]] = {
    "tree and normals": _plant,
    "closest point": _points,
    "ray": _rays,
    "which side is inside": _signs,
    "capsule": _capsules,
    "ways between frames": _frames,
    "error bars": _error_bars,
    "limits": _limits,
    "surface to surface": _meshes,
    "single questions": _probes,
    "drilling": _drill,
}


#: What takes as long as all others together: a second process compiles it where nothing is compiled yet.
BESIDE = ("capsule", "ways between frames", "surface to surface", "single questions")

#: What a running session and its workers ask.
SESSION = ("tree and normals", "closest point", "which side is inside", "ways between frames", "error bars", "limits")


def warm_up(progress: Callable[[str], None] | None = None, groups: Iterable[str] = KERNELS) -> None:
    """Compile kernels, so that none compiles inside a frame: the better part of a minute the first time on a machine, less than 1 s from the cache.

    Parameters
    ----------
    progress : called with the name of each group of kernels before it is compiled
    groups : which of KERNELS; all need the first of them
    """
    first, *others = groups
    tell = progress or _nobody
    tell(first)
    KERNELS[first]()
    beside = [] if is_kept(measure_frame) else [name for name in others if name in BESIDE]
    with another_process(_code((first, *beside))) if beside else nullcontext():
        for name in others:
            if name not in beside:
                tell(name)
                KERNELS[name]()
        for name in beside:
            tell(name)
    for name in beside:
        KERNELS[name]()


def _nobody(name: str) -> None:
    """To whom progress is told where nobody asks."""


def _code(groups: tuple[str, ...]) -> str:
    return f"from navtwin.kernels.warm import KERNELS\nfor name in {groups!r}: KERNELS[name]()"
