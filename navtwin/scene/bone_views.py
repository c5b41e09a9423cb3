"""Drilled bone for the report: before and after, against its plan, and by the bone that is left, all from one place; off screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from navtwin.scene import looks, palette
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene, Structure
from navtwin.scene.palette import BANDS_MM
from navtwin.scene.picture import open_plotter
from navtwin.scene.removal import WALL_DEPTH, Planned
from navtwin.scene.surface import Surface
from navtwin.scene.thickness import bone_left, critical_surfaces
from navtwin.scene.views import VIEW_ANGLE_DEG

if TYPE_CHECKING:
    import pyvista as pv

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

PICTURE_PX: Final = (900, 720)
#: Bone about what was drilled that is in the picture, mm.
MARGIN_MM: Final = 7.0
#: Off the planned wall by less than the first of these is as planned; the others part the bands, mm.
OFF_MM: Final = (0.5, 1.0, 2.0)
#: Bands beyond the plan and short of it, from slight to bad: apart in hue and lightness, also for who does not see red and green as others do.
OVER: Final = ("#f7b267", "#ee6c4d", "#b5121b")
UNDER: Final = ("#9ad1e3", "#4a90c2", "#1d4e89")
AS_PLANNED: Final = "#8fbf7f"
CUT: Final = palette.CUT_BONE
BANDS: Final = palette.BANDS
#: No bone between the wall and a structure within the first band, or the wall of a structure that was cut into.
BARE: Final = "#7b2d8b"
DOUBTFUL: Final = palette.UNKNOWN


@dataclass(frozen=True, eq=False)
class DrilledBone:
    """What the pictures are made from.

    Attributes
    ----------
    structure : the bone, with its whole surface
    surface : of what is left
    planned : None where no removal is planned
    """

    structure: Structure
    whole: Carvable
    left: Carvable
    surface: Surface
    planned: Planned | None


@dataclass(frozen=True)
class Place:
    """Where to look from, ct, mm."""

    eye_mm: Vec3
    focus_mm: Vec3
    up: Vec3


def bone_views(bone: DrilledBone, scene: Scene, size: tuple[int, int] = PICTURE_PX) -> dict[str, U8]:
    """(rows, columns, 3) pictures by name: `before`, `after`, `plan` where a removal is planned, and `thickness`.

    Raises
    ------
    RuntimeError : this machine cannot draw
    """
    place = place_of(bone, size[0] / size[1])
    cut, whole = _cut(bone), bone.whole.surface()
    colors: dict[str, tuple[Surface, U8]] = {
        "before": (whole, _plain(whole, bone.structure.color)),
        "after": (bone.surface, _cut_colors(bone, cut)),
    }
    if bone.planned is not None:
        colors["plan"] = (bone.surface, _plan_colors(bone, bone.planned, cut))
    colors["thickness"] = (bone.surface, thickness_colors(bone, scene))
    return {name: _draw(surface, color, bone, scene, place, size) for name, (surface, color) in colors.items()}


def place_of(bone: DrilledBone, aspect: float = 1.0) -> Place:
    """Before the opening that was drilled: along the mean normal of the surface that is gone; from the back where none is.

    Parameters
    ----------
    aspect : of the picture, its width over its height
    """
    removed, ways = _removed_outside(bone)
    wall = bone.surface.vertices_mm[_cut(bone)]
    points = [p for p in (removed, wall) if len(p)] or [bone.structure.surface.vertices_mm]
    if bone.planned is not None:
        points.append(bone.planned.wall.vertices_mm)
    every = np.concatenate(points)
    focus = (every.min(axis=0) + every.max(axis=0)) / 2.0
    way = ways.sum(axis=0)
    length = float(np.linalg.norm(way))
    direction = way / length if length > 0.1 * np.linalg.norm(ways, axis=1).sum() > 0.0 else np.array((0.0, 1.0, 0.0))
    up = np.array((0.0, 0.0, 1.0)) if abs(direction[2]) < 0.9 else np.array((0.0, 1.0, 0.0))
    right = np.cross(up, direction) / np.linalg.norm(np.cross(up, direction))
    axes = np.stack((right / aspect, np.cross(direction, right), direction))
    across, high, near = np.abs((every - focus) @ axes.T).max(axis=0)
    # So far off that all of it is in the picture, also what lies nearest to the eye.
    off_mm = (max(across, high) + MARGIN_MM) / np.tan(np.radians(VIEW_ANGLE_DEG / 2.0)) + near
    return Place(_vec(focus + direction * off_mm), _vec(focus), _vec(up))


def _removed_outside(bone: DrilledBone) -> tuple[F64, F64]:
    """Middles of the whole surface's triangles that are gone, and their normals, as long as their areas."""
    a, b, c = (bone.structure.surface.vertices_mm[bone.structure.surface.faces[:, n]] for n in range(3))
    middles = (a + b + c) / 3.0
    gone = bone.left.values(middles) > WALL_DEPTH * bone.whole.side_mm
    return np.asarray(middles[gone]), np.asarray(np.cross((b - a)[gone], (c - a)[gone]) / 2.0)


def _cut(bone: DrilledBone) -> npt.NDArray[np.bool_]:
    """(V,) which vertices of what is left the drill laid bare."""
    return np.asarray(bone.whole.values(bone.surface.vertices_mm) < -WALL_DEPTH * bone.whole.side_mm)


def _plain(surface: Surface, color: str) -> U8:
    return np.tile(_rgb(color), (len(surface.vertices_mm), 1))


def _cut_colors(bone: DrilledBone, cut: npt.NDArray[np.bool_]) -> U8:
    colors = _plain(bone.surface, bone.structure.color)
    colors[cut] = _rgb(CUT)
    return colors


def _plan_colors(bone: DrilledBone, planned: Planned, cut: npt.NDArray[np.bool_]) -> U8:
    """What was cut by how far it is off the planned wall, and what was left standing within the plan by how far it reaches."""
    colors = _plain(bone.surface, bone.structure.color)
    vertices = bone.surface.vertices_mm
    within = planned.distance_mm(vertices) < 0.0
    judged = np.flatnonzero(cut | within)
    if len(judged):
        off = planned.deviation_mm(vertices[judged])
        bands = [AS_PLANNED, *OVER], [AS_PLANNED, *UNDER]
        step = np.searchsorted(np.array(OFF_MM), np.abs(off))
        table = np.array([[_rgb(color) for color in row] for row in bands])
        colors[judged] = table[(off < 0.0).astype(int), step]
    return colors


def thickness_colors(bone: DrilledBone, scene: Scene) -> U8:
    """(V, 3) colours of the vertices of what is left: the drilled wall by the bone behind it."""
    cut = _cut(bone)
    colors = _cut_colors(bone, cut)
    wall = np.flatnonzero(cut)
    critical = critical_surfaces(scene, near=bone.surface)
    if not len(wall) or not critical:
        return colors
    found = bone_left(bone.surface.vertices_mm[wall], bone.left, critical)
    table = np.array([_rgb(color) for color in (*BANDS, CUT)])
    colors[wall] = table[found.band]
    bare = found.bone_mm <= 0.0
    for surface in critical:
        bare |= np.isinf(found.bone_mm) & (surface.closest(bone.surface.vertices_mm[wall], within_mm=BANDS_MM[0]).distance_mm < BANDS_MM[0])
    colors[wall[bare]] = _rgb(BARE)
    colors[wall[found.doubtful]] = _rgb(DOUBTFUL)
    return colors


def _draw(surface: Surface, colors: U8, bone: DrilledBone, scene: Scene, place: Place, size: tuple[int, int]) -> U8:
    import pyvista as pv

    plotter = open_plotter(size)
    try:
        plotter.background_color = pv.Color(palette.BACKGROUND)
        looks.light(plotter)
        looks.add_compass(plotter)
        mesh = _mesh(surface, {"rgb": colors})
        plotter.add_mesh(mesh, scalars="rgb", rgb=True, smooth_shading=True, ambient=0.18, specular=0.15, reset_camera=False, render=False)
        for structure in scene.structures:
            if structure.role == "critical":
                looks.add_solid(plotter, _mesh(structure.surface, {}), structure)
        camera = plotter.camera
        camera.view_angle, camera.position, camera.focal_point, camera.up = VIEW_ANGLE_DEG, place.eye_mm, place.focus_mm, place.up
        plotter.enable_anti_aliasing("ssaa")
        plotter.renderer.reset_camera_clipping_range()
        plotter.render()
        return np.asarray(plotter.screenshot(None, return_img=True), dtype=np.uint8)[:, :, :3]
    finally:
        plotter.close()


def _mesh(surface: Surface, data: Mapping[str, U8]) -> pv.PolyData:
    import pyvista as pv

    mesh: pv.PolyData = pv.PolyData.from_regular_faces(np.array(surface.vertices_mm), np.asarray(surface.faces, dtype=int))
    for name, values in data.items():
        mesh.point_data[name] = values
    shaded: pv.PolyData = mesh.compute_normals(cell_normals=False, split_vertices=False, consistent_normals=False, auto_orient_normals=False)
    return shaded


def _rgb(color: str) -> U8:
    import pyvista as pv

    return np.array(pv.Color(color).int_rgb, dtype=np.uint8)


def _vec(v: F64) -> Vec3:
    return (float(v[0]), float(v[1]), float(v[2]))
