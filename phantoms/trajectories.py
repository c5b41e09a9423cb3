"""Where the script drills: worked out from the plans and the true anatomy, so that one script suits every patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Part, Tool
from phantoms.motion import Poses
from phantoms.path import Stance, frames, unit
from phantoms.shapes import Array
from phantoms.truth import AORTA, CANAL, TruePatient, nearest_distance, part_distances

if TYPE_CHECKING:
    from navtwin.scene.model import Plan, Scene

#: A part counts as surely clear where it is farther from a structure than its caution limit by this: about twice what an honest error bar
#: (0.9 mm, two standard deviations) allows.
SURELY_CLEAR_MM = 1.9
#: How near the drill comes, as a share of the danger limit.
NEAR_SHARE = 0.45
#: The neck is 50 mm long; the handpiece behind it has to stay off the bone.
DEEPEST_MM = 49.0
STEP_MM = 0.5
#: How far beside its plan the drill may enter where the script means to go wrong anyway.
FREE_HAND_MM = 2.0


@dataclass(frozen=True)
class Hole:
    """A straight hole: where the axis enters bone, which way it runs, how deep the tip goes."""

    entry_mm: Array
    axis: Array
    depth_mm: float

    def at(self, depth_mm: float) -> Stance:
        """The drill with its tip that deep; negative depths lie before the bone."""
        return Stance(self.entry_mm + depth_mm * self.axis, self.axis)

    @property
    def bottom(self) -> Stance:
        return self.at(self.depth_mm)


@dataclass(frozen=True)
class Levered:
    """A hole that was drilled straight, and the stance after the drill was levered in it."""

    hole: Hole
    end: Stance


@dataclass(frozen=True)
class Ground:
    """What a trajectory is judged by: the true patient, the limits, the drill."""

    patient: TruePatient
    caution_mm: Mapping[str, float]
    danger_mm: Mapping[str, float]
    drill: Tool

    @classmethod
    def of(cls, scene: Scene, patient: TruePatient, drill: Tool) -> Ground:
        critical = [s for s in scene.structures if s.role == "critical"]
        return cls(
            patient,
            {s.name: s.caution_mm for s in critical if s.caution_mm is not None},
            {s.name: s.danger_mm for s in critical if s.danger_mm is not None},
            drill,
        )

    def part(self, name: str) -> Part:
        return next(p for p in self.drill.part if p.name == name)

    def distance(self, structure: str, part: str, tips_mm: Array, axes: Array) -> Array:
        """True distance (N,), mm, of one part of the drill to one critical structure."""
        return part_distances(self.patient.critical[structure], self.part(part), _poses(tips_mm, axes))

    def headroom(self, tips_mm: Array, axes: Array, limits_mm: Mapping[str, float] | None = None) -> Array:
        """How far the drill is on the sure side of every caution limit, or of those given (N,), mm; negative where it is not."""
        rooms = [
            self.distance(structure, part.name, tips_mm, axes) - caution - SURELY_CLEAR_MM
            for structure, caution in (self.caution_mm if limits_mm is None else limits_mm).items()
            for part in self.drill.part
        ]
        return np.asarray(np.min(rooms, axis=0))

    def handpiece_is_free(self, stance: Stance) -> bool:
        """Whether the handpiece stays off every bone, with half a millimetre to spare."""
        pose = _poses(stance.tip_mm[None], stance.axis[None])
        return all(part_distances(bone, self.part("handpiece"), pose)[0] > 0.5 for bone in self.patient.work.values())

    def near_mm(self, structure: str) -> float:
        """How near the script comes to a structure: well past danger, short of contact."""
        return NEAR_SHARE * self.danger_mm[structure]


def _poses(tips_mm: Array, axes: Array) -> Poses:
    return Poses(frames(axes, _across(axes[0])), tips_mm)


def _across(axis: Array) -> Array:
    """A unit vector square to `axis`."""
    return unit(np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))]))


def plans_by_side(scene: Scene) -> tuple[Plan, Plan]:
    """The left and the right plan, told apart by where they enter: x of ct grows to the patient's left."""
    if len(scene.plans) < 2:
        problem = f"the rehearsal needs a left and a right plan, and case '{scene.name}' has {len(scene.plans)}"
        raise InputRefused(problem, "add them to case.toml as [[plan]]")
    ordered = sorted(scene.plans, key=lambda plan: plan.entry_mm[0])
    return ordered[-1], ordered[0]


def planned_hole(plan: Plan, ground: Ground, farthest_mm: float) -> Hole:
    """The plan's own hole; where the drill would come near the canal in it, moved aside from the canal by no more than `farthest_mm`.

    Plans are made on the segmented surfaces, and the true ones differ: a hand that stays within the plan's tolerance has this much freedom.
    """
    entry, target = np.array(plan.entry_mm), np.array(plan.target_mm)
    axis, length = unit(target - entry), float(np.linalg.norm(target - entry))
    near = ground.patient.critical[CANAL].closest_to_capsule(entry, target, 0.0)
    away = near.axis_point_mm - near.point_mm
    aside = unit(away - (away @ axis) * axis)
    depths = np.arange(-10.0, min(length, DEEPEST_MM) + 1e-9, STEP_MM)
    best = Hole(entry, axis, 0.0)
    for shift_mm in np.arange(0.0, farthest_mm + 1e-9, 0.2):
        moved = entry + shift_mm * aside
        room = ground.headroom(moved + depths[:, None] * axis, np.tile(axis, (len(depths), 1)))
        clear = len(depths) if (room > 0.0).all() else int(np.argmax(room <= 0.0))
        if clear and depths[clear - 1] > best.depth_mm:
            best = Hole(moved, axis, float(depths[clear - 1]))
        if clear == len(depths):
            break
    if best.depth_mm < 20.0:
        problem = f"plan '{plan.name}' leaves the drill less than {SURELY_CLEAR_MM:g} mm outside a caution limit"
        raise InputRefused(problem, "choose limits or a plan that leave it clear (`navtwin case check`)")
    return best


def levered_neck(plan: Plan, ground: Ground) -> Levered:
    """Down the plan until the tip lies in the body, then too far medially: the drill turns about its entry until its *neck* is near the canal."""
    hole = planned_hole(plan, ground, FREE_HAND_MM)
    near = ground.patient.critical[CANAL].closest_to_capsule(hole.entry_mm, hole.bottom.tip_mm, 0.0)
    towards = near.point_mm - near.axis_point_mm
    aim = unit(towards - (towards @ hole.axis) * hole.axis)
    low, high = 0.0, np.radians(25.0)
    for _ in range(30):
        middle = 0.5 * (low + high)
        axis = np.cos(middle) * hole.axis + np.sin(middle) * aim
        distance = ground.distance(CANAL, "neck", (hole.entry_mm + hole.depth_mm * axis)[None], axis[None])[0]
        low, high = (middle, high) if distance > ground.near_mm(CANAL) else (low, middle)
    axis = np.cos(low) * hole.axis + np.sin(low) * aim
    return Levered(hole, Stance(hole.entry_mm + hole.depth_mm * axis, axis))


def too_deep_hole(scene: Scene, ground: Ground) -> Hole:
    """A hole that runs clear of the canal through a body and its anterior cortex, and stops with the burr short of the aorta.

    A fan of directions about each plan is tried, then entries beside the planned ones; the best leaves the canal room and meets the aorta head on.
    """
    for offsets in (np.zeros((1, 3)), _entry_offsets(scene)):
        found = [
            candidate
            for plan in plans_by_side(scene)
            for offset in offsets
            for candidate in _fan(np.array(plan.entry_mm) + offset, unit(np.array(plan.target_mm) - np.array(plan.entry_mm)), ground)
        ]
        if found:
            return max(found, key=lambda candidate: candidate[0])[1]
    problem = f"no way through a vertebra of case '{scene.name}' leads to the aorta within {DEEPEST_MM:g} mm"
    raise InputRefused(problem, "plan at a level that the aorta runs beside")


def _entry_offsets(scene: Scene) -> Array:
    left, right = plans_by_side(scene)
    lateral = unit(np.array(left.entry_mm) - np.array(right.entry_mm))
    steps = np.arange(-6.0, 6.1, 3.0)
    return np.array([u * lateral + np.array((0.0, 0.0, w)) for u in steps for w in steps])


def _fan(entry_mm: Array, axis: Array, ground: Ground) -> list[tuple[float, Hole]]:
    """Holes from one entry that end near the aorta, each with how well it suits."""
    u = _across(axis)
    v = np.cross(axis, u)
    tilts = np.radians(np.arange(-18.0, 18.1, 3.0))
    axes = unit(np.array([axis + np.tan(a) * u + np.tan(b) * v for a in tilts for b in tilts]))
    depths = np.arange(15.0, DEEPEST_MM, STEP_MM)
    tips = entry_mm + depths[None, :, None] * axes[:, None, :]
    aorta = ground.distance(AORTA, "burr", tips.reshape(-1, 3), np.repeat(axes, len(depths), axis=0)).reshape(len(axes), len(depths))
    bone = list(ground.patient.work.values())
    found = []
    for direction, distance in zip(axes, aorta, strict=True):
        n = int(np.argmax(distance <= ground.near_mm(AORTA)))
        if distance[n] > ground.near_mm(AORTA) or n < 4:
            continue
        inner, outer = depths[n - 1], depths[n]
        depth = float(np.interp(-ground.near_mm(AORTA), -distance[n - 1 : n + 1], (inner, outer)))
        hole = Hole(entry_mm, direction, depth)
        others = {name: limit for name, limit in ground.caution_mm.items() if name != AORTA}
        spare = float(ground.headroom(hole.bottom.tip_mm[None], direction[None], others)[0])
        head_on = float(distance[n - 4] - distance[n]) / (4.0 * STEP_MM)
        drilled = nearest_distance(bone, hole.entry_mm + np.arange(0.0, depth, 1.0)[:, None] * direction) < 0.0
        if spare > 0.0 and head_on > 0.4 and drilled.sum() >= 20 and ground.handpiece_is_free(hole.bottom):
            found.append((min(spare, 1.5) + 2.0 * head_on - 0.02 * depth, hole))
    return found
