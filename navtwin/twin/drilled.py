"""What the fold remembers of drilling: the bone as it is now, each drill, and what can be taken back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from navtwin.errors import InputRefused
from navtwin.nouns import WALL, BoneSummary, Cutter, DrillStatus, PoseRows, Rig, Trespass, Wall
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.carvable import Carvable
from navtwin.scene.trespassed import Trespassed
from navtwin.twin.spindle_words import SpindleWords, Turning

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

#: A stretch ends when nothing has been cut for so long.
STRETCH_GAP_NS = 500_000_000
#: What a touch makes known reaches so far around it; a body that the twin has deeper in bone than this has not touched what it shows.
SETTLED_MM = 0.5
#: A structure farther from the cutter than this has no wall that matters yet.
REACH_MM = 15.0
#: Doubt is kept in blocks of 4 x 4 x 4 points: from a way through one, its middle is no farther than this, in sides.
BLOCK_SIDES = 3.5


@dataclass(slots=True)
class Drill:
    """One tool with a cutter.

    Attributes
    ----------
    number, part : of the tool in the rig, and of the cutter among all parts
    reach_mm : of the cutter's farthest point from the tip
    last, last_ns : the last known pose and when it was captured
    is_good : that pose was taken while the twin follows: a way may begin there
    is_away : it has not been seen for too long, and may have turned meanwhile; what it did is not known until it is seen again
    is_lost : it has been away for so long that the bone around that pose was put in doubt
    leapt : why the way to that pose was not followed, though it is known; else ""
    place_sd_mm : how uncertain the tip's place is along the worst axis; NaN where unknown
    cut_ns : when it last took something away (capture)
    frozen_ns : since when it has been frozen; None while it is not
    """

    tool: str
    number: int
    part: int
    cutter: Cutter
    reach_mm: float
    words: SpindleWords
    status: DrillStatus = "UNKNOWN"
    why: str = ""
    last: PoseRows | None = None
    last_ns: int = 0
    is_good: bool = False
    is_away: bool = False
    is_lost: bool = False
    leapt: str = ""
    place_sd_mm: float = math.nan
    cut_ns: int | None = None
    frozen_ns: int | None = None
    stretch: int = 0
    walls: tuple[Wall, ...] = ()

    @property
    def says(self) -> bool:
        """Whether it says that it turns; one that cuts by contact may turn at any time."""
        return self.cutter.cuts == "spindle"

    def turned(self, begin_ns: int, end_ns: int) -> Turning:
        return self.words.between(begin_ns, end_ns) if self.says else "on"

    def forget(self) -> None:
        """It is not known where it came from."""
        self.last, self.is_good, self.is_away, self.is_lost, self.leapt = None, False, False, False, ""


@dataclass(slots=True)
class ThinWall:
    """The alert of a wall that is thin, or that may be, between one drill and one critical structure.

    Attributes
    ----------
    since_ns : None: there is none
    doubt_ns : when the wall was last not known
    """

    id: str
    drill: int
    structure: int
    since_ns: int | None = None
    known: bool = False
    thickness_mm: float | None = None
    fall_since_ns: int | None = None
    doubt_ns: int | None = None
    acked_by: str = ""


@dataclass(slots=True)
class Violation:
    """A critical structure, and how much of it cutters have been in."""

    structure: int
    name: str
    volume: Trespassed
    volume_mm3: float = 0.0


@dataclass(slots=True)
class Drilled:
    """The bone that is drilled.

    Attributes
    ----------
    structure : its number in the scene
    stretch : number of the last stretch
    cut_ns : when anything was last taken away (capture)
    is_open, has_cut : a stretch of the bone's journal has been begun; and it holds something
    undoable : numbers of the stretches that can be taken back
    has_doubt : some bone may be in doubt; false: none is
    paused_by : who has stopped the twin from following; "" while it follows
    """

    structure: int
    name: str
    bone: Carvable
    drills: list[Drill]
    violations: list[Violation]
    thin_walls: list[ThinWall]
    stretch: int = 0
    undone: int = 0
    cut_ns: int = 0
    is_open: bool = False
    has_cut: bool = False
    paused_by: str = ""
    undoable: list[int] = field(default_factory=list)
    has_doubt: bool = False

    def nearest(self, point_mm: Vec3) -> tuple[float, Vec3] | None:
        """Signed distance of a point to the bone that is left, mm, and the place on it; None where nothing is left."""
        try:
            found = self.bone.closest([point_mm])
        except InputRefused:
            return None
        x, y, z = found.point_mm[0].tolist()
        return float(found.distance_mm[0]), (x, y, z)

    def outwards(self, point_mm: Vec3) -> Vec3:
        """Unit vector away from the bone at a point on its surface: where its distances grow."""
        x, y, z = point_mm
        h = 0.5 * self.bone.side_mm
        places = [(x + h, y, z), (x - h, y, z), (x, y + h, z), (x, y - h, z), (x, y, z + h), (x, y, z - h)]
        values: list[float] = self.bone.values(places).tolist()
        way = (values[0] - values[1], values[2] - values[3], values[4] - values[5])
        length = math.sqrt(way[0] * way[0] + way[1] * way[1] + way[2] * way[2])
        return (way[0] / length, way[1] / length, way[2] / length) if length > 0.0 else (0.0, 0.0, 1.0)

    def touched(self, scene: Scene, point_mm: Vec3, radius_mm: float) -> None:
        """A ball of `radius_mm` has met the bone at a point where the twin has it: there it is known again, and so is the wall behind.

        A cutter that had gone in there unseen, no farther aside than its own radius, would have taken the place that was touched.
        """
        self.bone.settle(point_mm, radius_mm + SETTLED_MM)
        around = max(min(drill.cutter.radius_mm for drill in self.drills), BLOCK_SIDES * self.bone.side_mm)
        for violation in self.violations:
            found = scene.structures[violation.structure].surface.closest(point_mm)
            length = float(found.distance_mm[0])
            if 0.0 < length <= REACH_MM:
                end: list[float] = found.point_mm[0].tolist()
                steps = math.ceil(2.0 * length / around)
                for n in range(steps + 1):
                    x, y, z = (a + (b - a) * n / steps for a, b in zip(point_mm, end, strict=True))
                    self.bone.settle((x, y, z), around)

    def trespasses(self) -> tuple[Trespass, ...]:
        return tuple(Trespass(structure=v.name, volume_mm3=v.volume_mm3) for v in self.violations if v.volume_mm3 > 0.0)

    def summary(self) -> BoneSummary:
        bone = self.bone
        doubtful = bone.doubtful
        self.has_doubt = doubtful > 0.0
        return BoneSummary(
            structure=self.name,
            side_mm=bone.side_mm,
            removed_mm3=bone.removed_mm3,
            hash=bone.hash,
            changed=len(bone.changed),
            undone=self.undone,
            doubtful=doubtful,
            trespasses=self.trespasses(),
            paused_by=self.paused_by,
        )


def carvable_of(scene: Scene, rig: Rig) -> int | None:
    """Number of the structure that is drilled in this scene with this rig; None where there is nothing to drill, or nothing to drill it with."""
    if not any(tool.cutter is not None for tool in rig.tool):
        return None
    return next((n for n, structure in enumerate(scene.structures) if structure.carve_mm is not None), None)


def new_drilled(scene: Scene, rig: Rig, structure: int) -> Drilled:
    """Whole bone, and drills of which nothing is known yet."""
    bone = Carvable.of(scene.structures[structure], scene.case_hash)
    _ = bone.forest  # planted now, which takes a second or two: no frame should
    critical = [n for n, s in enumerate(scene.structures) if s.role == "critical"]
    drills = []
    part = 0
    for number, tool in enumerate(rig.tool):
        if tool.cutter is not None:
            place = part + [p.name for p in tool.part].index(tool.cutter.part)
            words = SpindleWords(round(tool.cutter.spindle_timeout_ms * 1e6))
            drills.append(Drill(tool.name, number, place, tool.cutter, reach_mm(tool.cutter), words))
        part += len(tool.part)
    return Drilled(
        structure=structure,
        name=scene.structures[structure].name,
        bone=bone,
        drills=drills,
        violations=[Violation(n, scene.structures[n].name, Trespassed(scene.structures[n].surface, bone)) for n in critical],
        thin_walls=[ThinWall(f"{scene.structures[n].name}/{drill.tool}/{WALL}", d, n) for d, drill in enumerate(drills) for n in critical],
    )


def reach_mm(cutter: Cutter) -> float:
    """How far from the tip the cutter reaches."""
    if cutter.profile == "cylinder":
        half = 0.5 * cutter.length_mm
        return math.sqrt(cutter.radius_mm * cutter.radius_mm + half * half)
    return max(cutter.radius_mm, cutter.length_mm + cutter.neck_radius_mm)


def balls_of(cutter: Cutter) -> tuple[tuple[float, float], ...]:
    """Balls that lie within the cutter and fill it as well as a few can: each one's place on the tip's Z axis, and its radius; mm."""
    if cutter.profile == "sphere":
        return ((0.0, cutter.radius_mm),)
    if cutter.profile == "pear":
        middle = (-0.5 * cutter.length_mm, 0.5 * (cutter.radius_mm + cutter.neck_radius_mm))
        return ((0.0, cutter.radius_mm), middle, (-cutter.length_mm, cutter.neck_radius_mm))
    radius = min(cutter.radius_mm, 0.5 * cutter.length_mm)
    end = 0.5 * cutter.length_mm - radius
    return ((-end, radius), (0.0, radius), (end, radius))


def rows_of(T_ct_from_tip: Rigid) -> PoseRows:
    """Rotation and translation row by row, as kernels and messages have a pose."""
    (a, b, c), (d, e, f), (g, h, i) = T_ct_from_tip.rotation
    x, y, z = T_ct_from_tip.t_mm
    return (a, b, c, x, d, e, f, y, g, h, i, z)


def on_axis(pose: PoseRows, z_mm: float) -> Vec3:
    """The point of the tip's Z axis at `z_mm`, ct."""
    return (pose[2] * z_mm + pose[3], pose[6] * z_mm + pose[7], pose[10] * z_mm + pose[11])
