"""Landmarks by hand: what the next click does, which one a press takes hold of, and whether a patient could be registered by them. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gui.case.plan_hand import NEAR_SLICE_MM, REACH_PX
from gui.case.sights import SIDES
from navtwin.rigid import Vec3
from navtwin.scene.landmarks import FEWEST_LANDMARKS, off_line_mm
from navtwin.scene.model import Landmark, Structure
from navtwin.scene.slices import ACROSS, Plane, in_plane

#: So many are good, mm (RMS) off a line below which the turn about it is poorly held, and mm off the bone that no pointer can bridge.
GOOD_COUNT: Final = 4
POOR_SPREAD_MM: Final = 5.0
OFF_BONE_MM: Final = 3.0


@dataclass
class LandmarkHand:
    """What the mouse is about to do to the landmarks.

    Attributes
    ----------
    adding : the next click makes one
    moving : the name of the one that the next click moves; "" for none
    held : the one that is dragged now
    """

    adding: bool = False
    moving: str = ""
    held: str = ""

    def add(self) -> None:
        """The next click makes a landmark."""
        self.adding, self.moving, self.held = True, "", ""

    def move(self, name: str) -> None:
        """The next click moves this one."""
        self.adding, self.moving, self.held = False, name, ""

    def stop(self) -> None:
        """No click sets anything any more."""
        self.adding, self.moving, self.held = False, "", ""

    @property
    def placing(self) -> bool:
        """Whether the next click sets a point."""
        return self.adding or bool(self.moving)

    @property
    def words(self) -> str:
        """What to do next, "" for nothing."""
        if not self.placing:
            return ""
        what = "where the landmark is" if self.adding else f"where {self.moving} is"
        return f"Click {what}: on the bone in 3D, or in a slice"


def free_name(landmarks: Sequence[Landmark]) -> str:
    """`landmark 1`, or the first such name that no other has."""
    taken = {mark.name for mark in landmarks}
    return next(name for n in range(1, len(taken) + 2) if (name := f"landmark {n}") not in taken)


def mark_near(landmarks: Sequence[Landmark], chosen: str, plane: Plane, at_mm: Vec3, mm_per_px: float, s: float = 1.0) -> str:
    """The landmark that a press means: the nearest within reach, the chosen one before all others; "" for none."""
    found = []
    for mark in landmarks:
        away = float(np.linalg.norm(in_plane(np.subtract(mark.position_mm, at_mm), plane))) / mm_per_px
        if away <= REACH_PX * s and abs(mark.position_mm[ACROSS[plane]] - at_mm[ACROSS[plane]]) <= NEAR_SLICE_MM:
            found.append((mark.name != chosen, away, mark.name))
    return min(found)[2] if found else ""


def side_words(point_mm: Vec3) -> str:
    """`L 12.3 P 75.9 I 228.3`: by the patient's sides, mm from the origin of ct."""
    return " ".join(f"{SIDES[axis][int(mm >= 0.0)]} {abs(mm):.1f}" for axis, mm in enumerate(point_mm))


def off_bone_mm(structures: Sequence[Structure], points: Sequence[Vec3]) -> dict[Vec3, float]:
    """How far each point is from the nearest surface that may be cut, outside it or inside; {} where there is none. May run beside the window."""
    bones = [s for s in structures if s.role == "work"]
    if not bones or not points:
        return {}
    nearest = np.min([np.abs(bone.surface.closest(points).distance_mm) for bone in bones], axis=0)
    return dict(zip(points, (float(mm) for mm in nearest), strict=True))


def bone_words(off_mm: float | None) -> str:
    """`on bone`, `12 mm off`; a dash while that is not known."""
    if off_mm is None:
        return "to bone: —"
    return f"{off_mm:.0f} mm off" if off_mm > OFF_BONE_MM else "on bone"


def warnings(landmarks: Sequence[Landmark], off_mm: Mapping[Vec3, float], has_bone: bool) -> tuple[str, ...]:
    """Why a patient could not be registered well by these; () where nothing speaks against them."""
    said = []
    count = len(landmarks)
    if 0 < count < FEWEST_LANDMARKS:
        missing = FEWEST_LANDMARKS - count
        said.append(f"A registration needs {FEWEST_LANDMARKS}, better {GOOD_COUNT} or more: place {missing} more. Until then they cannot be written.")
    elif count and (across := off_line_mm(landmarks)) < POOR_SPREAD_MM:
        said.append(f"They lie nearly on a line, {across:.1f} mm off it: the turn about it is not held. Add one 10 mm or more off that line.")
    for mark in landmarks:
        off = off_mm.get(mark.position_mm)
        if off is not None and off > OFF_BONE_MM:
            said.append(f"{mark.name} is {off:.0f} mm off the bone: a pointer cannot touch it there.")
    if count and not has_bone:
        said.append("No structure may be cut: whether they lie on bone is not known. Make bone in Tools.")
    return tuple(said)
