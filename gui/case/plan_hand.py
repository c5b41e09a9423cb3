"""Plans by hand: which end of which path a press takes hold of, where it goes, and two clicks that make a new one. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from navtwin.nouns import Level
from navtwin.rigid import Vec3
from navtwin.scene.case import PlanEntry
from navtwin.scene.model import Plan
from navtwin.scene.plan_facts import Clearance, PlanFacts
from navtwin.scene.slices import ACROSS, RIGHT, UP, Plane, in_plane

End = Literal["entry", "target"]
#: An end is held by a press that is this near to it on the screen, and lies this near to the slice.
REACH_PX: Final = 11.0
NEAR_SLICE_MM: Final = 12.0
#: What a new plan has until somebody states other figures, mm.
FIRST_DIAMETER_MM, FIRST_TOLERANCE_MM = 3.0, 1.0
LEVEL_WORDS: Final[dict[Level, str]] = {
    "CLEAR": "clear of its limits", "CAUTION": "inside its caution limit", "DANGER": "inside its danger limit", "CONTACT": "the path cuts it",
}  # fmt: skip


@dataclass
class Hand:
    """What the mouse is about to do to the plans.

    Attributes
    ----------
    placing : the end that the next click sets; "" for none
    new : the plan to be made by two clicks; its entry is None until the first of them
    held : the plan and its end that are dragged now
    """

    placing: End | Literal[""] = ""
    new: bool = False
    new_entry_mm: Vec3 | None = None
    held: tuple[str, End] | None = None

    def begin(self) -> None:
        """Make a new plan: its entry first."""
        self.placing, self.new, self.new_entry_mm = "entry", True, None

    def stop(self) -> None:
        """Nothing more is placed."""
        self.placing, self.new, self.new_entry_mm, self.held = "", False, None, None

    @property
    def words(self) -> str:
        """What to do next, "" for nothing."""
        if not self.placing:
            return ""
        what = "where the path enters bone" if self.placing == "entry" else "where it ends"
        return f"Click {what}: in a slice, or on a surface in 3D"


def end_near(plans: Sequence[Plan], chosen: str, plane: Plane, at_mm: Vec3, mm_per_px: float, s: float = 1.0) -> tuple[str, End] | None:
    """The end that a press means: the nearest within reach, one of the chosen plan before all others."""
    found = []
    for plan in plans:
        for end, point in (("entry", plan.entry_mm), ("target", plan.target_mm)):
            away = float(np.linalg.norm(in_plane(np.subtract(point, at_mm), plane))) / mm_per_px
            if away <= REACH_PX * s and abs(point[ACROSS[plane]] - at_mm[ACROSS[plane]]) <= NEAR_SLICE_MM:
                found.append((plan.name != chosen, away, plan.name, end))
    if not found:
        return None
    _, _, name, end = min(found)
    return (name, "entry" if end == "entry" else "target")


def dragged_to(point_mm: Vec3, plane: Plane, at_mm: Vec3) -> Vec3:
    """An end that is dragged in a slice: it moves in that plane and keeps its place across it."""
    moved = list(point_mm)
    for axis in (RIGHT[plane], UP[plane][0]):
        moved[axis] = at_mm[axis]
    return rounded((moved[0], moved[1], moved[2]))


def new_plan(plans: Sequence[Plan | PlanEntry], entry_mm: Vec3, target_mm: Vec3) -> PlanEntry:
    """A plan between two clicked points, with a name that is free."""
    taken = {plan.name for plan in plans}
    name = next(name for n in range(1, len(taken) + 2) if (name := f"plan {n}") not in taken)
    # The figures of the last plan are more likely meant than any others.
    like = plans[-1] if plans else None
    return PlanEntry(
        name=name,
        entry_mm=rounded(entry_mm),
        target_mm=rounded(target_mm),
        diameter_mm=like.diameter_mm if like else FIRST_DIAMETER_MM,
        tolerance_mm=like.tolerance_mm if like else FIRST_TOLERANCE_MM,
    )


def along(plan: Plan, share: float) -> Vec3:
    """The point at a share of the way from entry to target."""
    x, y, z = (a + share * (b - a) for a, b in zip(plan.entry_mm, plan.target_mm, strict=True))
    return (x, y, z)


def share_of(plan: Plan, point_mm: Vec3) -> float:
    """How far along the path a point lies, 0 at the entry and 1 at the target."""
    run = np.subtract(plan.target_mm, plan.entry_mm)
    length = float(run @ run)
    return 0.0 if length == 0.0 else float(min(1.0, max(0.0, np.subtract(point_mm, plan.entry_mm) @ run / length)))


def crossing(plan: Plan, plane: Plane, at_mm: float) -> Vec3 | None:
    """Where the path passes through a slice; None where it does not."""
    a, b = plan.entry_mm[ACROSS[plane]], plan.target_mm[ACROSS[plane]]
    if a == b or not min(a, b) <= at_mm <= max(a, b):
        return None
    return along(plan, (at_mm - a) / (b - a))


def figures(facts: PlanFacts) -> tuple[tuple[str, str], ...]:
    """Length and angles in words."""
    sagittal, axial = facts.to_sagittal_deg, facts.to_axial_deg
    return (
        ("Length", f"{facts.length_mm:.1f} mm"),
        ("To the sagittal plane", _angle(sagittal, "to the left", "to the right")),
        ("To the axial plane", _angle(axial, "to the head", "to the feet")),
    )


def clearance_words(clearance: Clearance) -> str:
    """`1.9 mm clear, 1.3 mm with its error bar: inside its caution limit`."""
    if clearance.level == "CONTACT":
        least = "at least " if clearance.depth_is_bound else ""
        return f"{LEVEL_WORDS['CONTACT']}, {least}{-clearance.clearance_mm:.1f} mm deep"
    return f"{clearance.clearance_mm:.1f} mm, less its error bar {clearance.bound_mm:.1f} mm: {LEVEL_WORDS[clearance.level]}"


def _angle(degrees: float | None, positive: str, negative: str) -> str:
    if degrees is None:
        return "—"
    side = positive if degrees > 0.0 else negative
    return f"{abs(degrees):.1f}°" + (f" {side}" if abs(degrees) >= 0.05 else "")


def rounded(point_mm: Vec3) -> Vec3:
    """To a thousandth of a millimetre, as case.toml is read by people."""
    x, y, z = (round(v, 3) for v in point_mm)
    return (x, y, z)
