"""A case seen through a calibrated camera: silhouettes, planned paths and instruments as lines in the pixels of one picture. No drawing here.

Every point goes through the lens by itself, so that a straight line bends as the lens bends it. What has no image is left out, never moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Body, Part, RegistrationResult
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.augment_bone import Drilled, Hole, look_in, met_mm
from navtwin.scene.cover import Cover
from navtwin.scene.lens import Lens
from navtwin.scene.model import Plan, Scene, Structure
from navtwin.scene.removal_view import PlannedBone, RemovalMarks, removal_marks
from navtwin.scene.silhouette import Shell
from navtwin.scene.solids import capsule_mesh, surface_mesh
from navtwin.scene.spread import Spread, spread_at

F64 = npt.NDArray[np.float64]

#: Triangles of each critical structure, of each bone that is worked on, and of one that is drilled, whose finer form is looked at.
CRITICAL_TRIANGLES, BONE_TRIANGLES, CARVABLE_TRIANGLES = 4000, 2000, 8000
#: How smooth they are made: how often, and the pass band, which is narrower for bones: these only lead the eye.
SMOOTHINGS, CRITICAL_BAND, BONE_BAND = 40, 0.05, 0.02
#: No vertex is moved further by that, mm: a surface that was taken from voxels needs no more.
MOST_MOVED_MM = 0.6
#: Faces that lie further outside the picture than this are left out, px: the false rim where they are cut off lies outside too.
MARGIN_PX = 150.0
#: A loop shorter than this share of the picture's width is a speck.
SPECK = 1.0 / 32.0
#: So many points to either side tell how deep a line runs.
STEADY = 2
#: A planned path is continued so far out of the entry, mm, to aim along; and an instrument's axis so far ahead of its tip.
AIM_MM, AHEAD_MM = 60.0, 60.0
#: Points of a line that the lens may bend, and of a ring.
LINE_POINTS, RING_POINTS = 24, 48


class Loop(NamedTuple):
    """A closed line: (N, 2) px, and (N,) how deep under the bone's surface it runs there, mm; 0 where no bone is in front."""

    pixels: F64
    below_mm: F64


@dataclass(frozen=True, eq=False)
class Traced:
    """A structure's outline.

    Attributes
    ----------
    loops : filled by the nonzero-winding rule they give its silhouette
    away_mm : range of its nearest part from the eye
    seen_px, seen_below_mm : (N, 2) and (N,) points of the side that is turned to the eye, and how deep under the bone they lie
    spread : of the point of it that is nearest to the first plan's target (or to the picture's middle), with its segmentation's error
    """

    name: str
    color: str
    loops: tuple[Loop, ...]
    away_mm: float = 0.0
    seen_px: F64 = field(default_factory=lambda: np.zeros((0, 2)))
    seen_below_mm: F64 = field(default_factory=lambda: np.zeros(0))
    spread: Spread | None = None


@dataclass(frozen=True, eq=False)
class PathMarks:
    """A planned path: the hole's axis, the line to aim along before it, rings as wide as the hole at entry and target, and their spread."""

    name: str
    axis: F64
    aim: F64
    entry: F64
    target: F64
    target_px: F64
    spread: Spread | None


@dataclass(frozen=True, eq=False)
class ToolMarks:
    """An instrument: the outline of each part, its axis from the tip to the handle and ahead of the tip, and the tip."""

    name: str
    parts: tuple[tuple[Loop, ...], ...]
    axis: F64
    ahead: F64
    tip_px: F64


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What of a case is drawn over a picture, made ready once: that takes a second.

    Attributes
    ----------
    bones : that are worked on, and not drilled in the twin
    carvable : the bone that is
    removals : planned of it
    focus_mm : what is looked at, None where nothing is planned
    """

    critical: tuple[tuple[Structure, Shell], ...]
    bones: tuple[Shell, ...]
    plans: tuple[Plan, ...]
    focus_mm: Vec3 | None
    carvable: tuple[Structure, Shell] | None = None
    removals: tuple[PlannedBone, ...] = ()

    @classmethod
    def of(cls, scene: Scene, *, drills: bool = True) -> Anatomy:
        """Critical structures and the bones that are worked on, with fewer triangles; never measured against.

        Parameters
        ----------
        drills : there is a tool that can drill; without one, bone that could be drilled stays as any other
        """
        critical = tuple((s, _light(s, CRITICAL_TRIANGLES, CRITICAL_BAND)) for s in scene.structures if s.role == "critical")
        work = [(s, _light(s, BONE_TRIANGLES if s.carve_mm is None else CARVABLE_TRIANGLES, BONE_BAND)) for s in scene.structures if s.role == "work"]
        carvable = next((one for one in work if drills and one[0].carve_mm is not None), None)
        wanted = [PlannedBone.of(s, carvable[0]) for s in scene.structures if carvable is not None and s.removal_of == carvable[0].name]
        removals = [planned for planned in wanted if planned.volume_mm3 > 0.0]
        focus = scene.plans[0].target_mm if scene.plans else next((planned.middle_mm for planned in removals), None)
        bones = tuple(shell for structure, shell in work if carvable is None or structure is not carvable[0])
        return cls(critical, bones, scene.plans, focus, carvable, tuple(removals))


@dataclass(frozen=True, eq=False)
class Eye:
    """The camera as it stood in one picture: its lens, where ct and the reference lay before it, and what is known of the error of both."""

    lens: Lens
    T_camera_from_ct: Rigid
    T_camera_from_ref: Rigid
    registration: RegistrationResult
    reference: Body

    def pixels(self, points_mm: npt.ArrayLike) -> F64:
        """Points of ct, (..., 3), in the picture."""
        return self.lens.project(self.T_camera_from_ct.apply(points_mm))

    def spread(self, point_mm: Vec3, more_sd_mm: float = 0.0) -> Spread | None:
        return spread_at(point_mm, self.lens, self.T_camera_from_ct, self.T_camera_from_ref, self.registration, self.reference, more_sd_mm)


@dataclass(frozen=True, eq=False)
class SceneMarks:
    """All that hangs on the patient: outlines of critical structures from back to front, of each bone, the planned paths, and what of drilling.

    Attributes
    ----------
    has_depths : how deep things lie under the bone is known; where it is not, everything is outlined as if it lay bare
    """

    structures: tuple[Traced, ...] = ()
    bones: tuple[tuple[Loop, ...], ...] = ()
    plans: tuple[PathMarks, ...] = ()
    removals: tuple[RemovalMarks, ...] = ()
    hole: Hole | None = None
    has_depths: bool = True


@dataclass(frozen=True, eq=False)
class _Seen:
    """A shell before the camera: its vertices in the picture, their ranges, its faces that are turned to the eye and in view; how long a speck is."""

    shell: Shell
    pixels: F64
    range_mm: F64
    faces: npt.NDArray[np.bool_]
    speck_px: float

    def loops(self, under: _Under | None) -> tuple[Loop, ...]:
        """The rim in the picture. Of the many specks that a rough surface shows inside its outline, none; the longest loop in any case."""
        found = self.shell.rim(self.faces)
        if not found:
            return ()
        every = np.concatenate(found)
        pixels = self.pixels[every]
        below = np.zeros(len(every)) if under is None else under.below_mm(self, every)
        starts = np.cumsum([0, *(len(loop) for loop in found)])
        step = np.hypot(*np.diff(pixels, axis=0, append=pixels[-1:]).T)
        step[starts[1:] - 1] = 0.0
        length = np.add.reduceat(step, starts[:-1])
        kept = np.flatnonzero((length > self.speck_px) | (length == length.max()))
        return tuple(Loop(pixels[a:b], _steadied(below[a:b])) for a, b in zip(starts[kept].tolist(), starts[kept + 1].tolist(), strict=True))


def _steadied(below_mm: F64) -> F64:
    """Depths along a loop, each the least of its neighbours': cells and teeth must not part a line, and nothing is told deeper than it is."""
    return np.asarray(np.minimum.reduce([np.roll(below_mm, shift) for shift in range(-STEADY, STEADY + 1)]))


@dataclass(frozen=True, eq=False)
class _Under:
    """How deep the vertices of shells in ct lie under the bone that the eye meets first."""

    cover: Cover | None
    drilled: Drilled | None
    eye_mm: Vec3

    def below_mm(self, seen: _Seen, vertices: npt.NDArray[np.int64]) -> F64:
        pixels, ranges = seen.pixels[vertices], seen.range_mm[vertices]
        below = np.zeros(len(vertices)) if self.cover is None else self.cover.below_mm(pixels, ranges)
        if self.drilled is not None:
            below = np.maximum(below, ranges - met_mm(self.drilled, self.eye_mm, seen.shell.vertices_mm[vertices]))
        return below


def scene_marks(anatomy: Anatomy, eye: Eye, drilled: Drilled | None = None) -> SceneMarks:
    """What hangs on the patient, for one picture; `drilled` is the bone as it is now, None where that is not known."""
    others = [_seen(shell, eye.lens, eye.T_camera_from_ct) for shell in anatomy.bones]
    bones = others if anatomy.carvable is None else [*others, _seen(anatomy.carvable[1], eye.lens, eye.T_camera_from_ct)]
    has_depths = anatomy.carvable is None or drilled is not None
    cover = _cover(others, eye.lens)
    under = _Under(cover, drilled, eye.T_camera_from_ct.inverse().t_mm) if has_depths else None
    traced = [_traced(structure, _seen(shell, eye.lens, eye.T_camera_from_ct), under, anatomy, eye) for structure, shell in anatomy.critical]
    removals = (removal_marks(left, eye.lens, eye.T_camera_from_ct) for left in (drilled.left if drilled else ()))
    return SceneMarks(
        structures=tuple(sorted((t for t in traced if t.loops), key=lambda t: -t.away_mm)),
        bones=tuple(bone.loops(None) for bone in bones),
        plans=tuple(_path_marks(plan, eye) for plan in anatomy.plans),
        removals=tuple(marks for marks in removals if marks is not None),
        hole=None if drilled is None else look_in(drilled, eye.lens, eye.T_camera_from_ct, cover),
        has_depths=has_depths,
    )


def tool_marks(name: str, shells: Sequence[Shell], parts: Sequence[Part], lens: Lens, T_camera_from_tip: Rigid) -> ToolMarks:
    """An instrument, for one picture; `shells` are those of its `parts` (see `part_shells`)."""
    back_mm = max((-z for part in parts for z in (part.from_mm[2], part.to_mm[2])), default=0.0)
    line = [_straight((0.0, 0.0, a), (0.0, 0.0, b)) for a, b in ((0.0, -back_mm), (0.0, AHEAD_MM))]
    axis, ahead = (_whole(lens.project(T_camera_from_tip.apply(points))) for points in line)
    outlines = tuple(_seen(shell, lens, T_camera_from_tip).loops(None) for shell in shells)
    return ToolMarks(name, outlines, axis, ahead, lens.project(np.array(T_camera_from_tip.t_mm)))


def part_shells(parts: Iterable[Part]) -> tuple[Shell, ...]:
    """The capsules of an instrument in tip axes, made ready to be outlined."""
    return tuple(_welded(mesh.points, mesh.regular_faces) for mesh in (capsule_mesh(part).triangulate() for part in parts))


def _welded(points_mm: npt.ArrayLike, faces: npt.ArrayLike) -> Shell:
    """Points that lie on each other as one: a capsule's poles, and where its ends join, have many, which would part its outline."""
    points, inverse = np.unique(np.round(np.asarray(points_mm, dtype=np.float64), 6), axis=0, return_inverse=True)
    corners = inverse.ravel()[np.asarray(faces, dtype=np.int64)]
    whole = (corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2]) & (corners[:, 2] != corners[:, 0])
    return Shell.of(points, corners[whole])


def _light(structure: Structure, triangles: int, pass_band: float) -> Shell:
    """Smoothed, then with fewer triangles: steps as high as a voxel would fill the silhouette's inside with specks.

    A windowed sinc (Taubin, Zhang and Golub, ECCV 1996) keeps volumes. As drawn, the demonstration's critical structures have 95 of 100 points within
    0.32 mm of the surface, which is what the segmentation itself may be off, and 99 within 0.45 mm; its bones within 0.45 mm and 0.6 mm.
    """
    import pyvista as pv

    surface = structure.surface
    mesh = pv.PolyData.from_regular_faces(np.array(surface.vertices_mm, dtype=np.float64), np.asarray(surface.faces, dtype=int))
    smooth = mesh.smooth_taubin(n_iter=SMOOTHINGS, pass_band=pass_band)
    # Where triangles are larger than the structure is thick, smoothing would draw it in to nothing.
    moved = np.asarray(smooth.points, dtype=np.float64) - mesh.points
    share = np.minimum(1.0, MOST_MOVED_MM / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9))
    light = surface_mesh(mesh.points + share * moved, smooth.regular_faces, triangles)
    return Shell.of(light.points, light.regular_faces)


def _seen(shell: Shell, lens: Lens, T_camera_from_own: Rigid) -> _Seen:
    placed = T_camera_from_own.apply(shell.vertices_mm)
    pixels = lens.project(placed)
    x, y = pixels[:, 0], pixels[:, 1]
    # NaN compares as outside.
    near = (x > -MARGIN_PX) & (x < lens.width_px + MARGIN_PX) & (y > -MARGIN_PX) & (y < lens.height_px + MARGIN_PX)
    faces = shell.facing(T_camera_from_own.inverse().t_mm) & near[shell.faces].all(axis=1)
    return _Seen(shell, pixels, np.sqrt(np.einsum("ij,ij->i", placed, placed)), faces, SPECK * lens.width_px)


def _cover(bones: Sequence[_Seen], lens: Lens) -> Cover | None:
    """The bones' surface as the eye meets it, from the middles of its faces."""
    faces = [bone.shell.faces[bone.faces] for bone in bones]
    if not sum(map(len, faces)):
        return None
    pixels = np.concatenate([_middles(bone.pixels, f) for bone, f in zip(bones, faces, strict=True)])
    ranges = np.concatenate([_middles(bone.range_mm, f) for bone, f in zip(bones, faces, strict=True)])
    sides = np.concatenate([bone.pixels[f[:, 0]] - bone.pixels[f[:, 1]] for bone, f in zip(bones, faces, strict=True)])
    return Cover.of(pixels, ranges, (lens.width_px, lens.height_px), float(np.hypot(sides[:, 0], sides[:, 1]).mean()))


def _middles(values: F64, faces: npt.NDArray[np.int64]) -> F64:
    """Of each face, the mean of its three corners' values."""
    # Written out: a mean over an axis of three costs many times as much.
    return np.asarray((values[faces[:, 0]] + values[faces[:, 1]] + values[faces[:, 2]]) / 3.0)


def _traced(structure: Structure, seen: _Seen, under: _Under | None, anatomy: Anatomy, eye: Eye) -> Traced:
    if not seen.faces.any():
        return Traced(structure.name, structure.color, ())
    # One corner of each face: as good as every vertex, and cheaper.
    shown = seen.shell.faces[seen.faces, 0]
    at = seen.shell.vertices_mm[shown]
    if anatomy.focus_mm is not None:
        off = np.linalg.norm(at - anatomy.focus_mm, axis=1)
    else:
        off = np.linalg.norm(seen.pixels[shown] - (eye.lens.width_px / 2.0, eye.lens.height_px / 2.0), axis=1)
    x, y, z = at[np.argmin(off)].tolist()
    ranges = seen.range_mm[shown]
    below = np.zeros(len(shown)) if under is None else under.below_mm(seen, shown)
    spread = eye.spread((x, y, z), structure.sd_mm)
    return Traced(structure.name, structure.color, seen.loops(under), float(ranges.min()), seen.pixels[shown], below, spread)


def _path_marks(plan: Plan, eye: Eye) -> PathMarks:
    entry, target = np.array(plan.entry_mm), np.array(plan.target_mm)
    along = (target - entry) / max(float(np.linalg.norm(target - entry)), 1e-9)
    across = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    across /= max(float(np.linalg.norm(across)), 1e-9)
    turn = np.arange(RING_POINTS) * (2.0 * np.pi / RING_POINTS)
    ring = plan.diameter_mm / 2.0 * (np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * np.cross(along, across))
    lines = [_straight(entry, target), _straight(entry, entry - AIM_MM * along), entry + ring, target + ring]
    axis, aim, entry_ring, target_ring = (_whole(eye.pixels(line)) for line in lines)
    return PathMarks(plan.name, axis, aim, entry_ring, target_ring, eye.pixels(target), eye.spread(plan.target_mm))


def _straight(a_mm: npt.ArrayLike, b_mm: npt.ArrayLike) -> F64:
    return np.linspace(np.asarray(a_mm, dtype=np.float64), np.asarray(b_mm, dtype=np.float64), LINE_POINTS)


def _whole(pixels: F64) -> F64:
    """The first unbroken piece of a line: what has no image ends it."""
    lost = np.flatnonzero(~np.isfinite(pixels).all(axis=1))
    return pixels[: lost[0]] if len(lost) else pixels
