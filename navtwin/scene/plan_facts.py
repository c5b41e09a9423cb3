"""What a planned path means before anybody follows it: how long it is, how it lies in the patient, and how near it comes to what can warn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from navtwin.bus.words import ERROR_BAR_SD
from navtwin.nouns import Level
from navtwin.rigid import Vec3
from navtwin.scene.model import Plan, Structure


@dataclass(frozen=True)
class Clearance:
    """How near a path, as wide as it is drilled, comes to a critical structure.

    Attributes
    ----------
    clearance_mm : from the path's skin to the surface, least along the path; negative inside
    bound_mm : the same less the error bar of the structure's segmentation
    at_mm, path_mm : where, on the surface and on the path's axis, ct
    level : what the bound would raise with the structure's limits
    depth_is_bound : it goes at least so deep, perhaps deeper
    """

    structure: str
    clearance_mm: float
    bound_mm: float
    at_mm: Vec3
    path_mm: Vec3
    level: Level
    depth_is_bound: bool


@dataclass(frozen=True)
class PlanFacts:
    """A path's own figures; angles are None where it has no length.

    Attributes
    ----------
    length_mm : from entry to target
    to_sagittal_deg : between the path and the sagittal plane, positive where it runs to the patient's left
    to_axial_deg : between the path and the axial plane, positive where it runs to the head
    clearances : of critical structures, the most pressing first
    """

    length_mm: float
    to_sagittal_deg: float | None
    to_axial_deg: float | None
    clearances: tuple[Clearance, ...]


def plan_facts(plan: Plan, structures: Iterable[Structure]) -> PlanFacts:
    """Measure a path. Of a structure whose limits are not stated nothing is said."""
    run = np.subtract(plan.target_mm, plan.entry_mm)
    length = float(np.linalg.norm(run))
    sagittal, axial = (None, None) if length == 0.0 else (math.degrees(math.asin(v / length)) for v in (run[0], run[2]))
    found = [one for s in structures if s.role == "critical" and (one := _clearance(plan, s)) is not None]
    levels = ("CONTACT", "DANGER", "CAUTION", "CLEAR")
    return PlanFacts(length, sagittal, axial, tuple(sorted(found, key=lambda c: (levels.index(c.level), c.bound_mm))))


def _clearance(plan: Plan, structure: Structure) -> Clearance | None:
    if structure.caution_mm is None or structure.danger_mm is None:
        return None
    near = structure.surface.closest_to_capsule(plan.entry_mm, plan.target_mm, max(plan.diameter_mm, 0.0) / 2.0)
    bound = near.distance_mm - ERROR_BAR_SD * structure.sd_mm
    level: Level = "CLEAR"
    if near.distance_mm <= 0.0:
        level = "CONTACT"
    elif bound <= structure.danger_mm:
        level = "DANGER"
    elif bound <= structure.caution_mm:
        level = "CAUTION"
    return Clearance(structure.name, near.distance_mm, bound, _vec(near.point_mm), _vec(near.axis_point_mm), level, near.depth_is_bound)


def _vec(point: np.ndarray) -> Vec3:
    return (float(point[0]), float(point[1]), float(point[2]))
