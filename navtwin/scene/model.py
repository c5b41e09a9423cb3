"""What a case is once it is loaded: structures with their limits, landmarks, plans and the volume that was scanned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Role
from navtwin.rigid import Vec3
from navtwin.volumes.volume import VolumeBox

if TYPE_CHECKING:
    from navtwin.scene.surface import Surface

#: How far the segmentation error of one structure stays alike along its surface, where a case does not say.
DEFAULT_CORRELATION_MM = 15.0


@dataclass(frozen=True)
class Structure:
    """One anatomical structure.

    Attributes
    ----------
    name : as in case.toml
    role : `work` (may be cut, no alarm of its own), `critical`, or `context`
    body : the tracked body that it hangs on; `ref` is the patient's reference
    surface : in ct, mm
    caution_mm, danger_mm : limits on the distance to it; both present exactly when it is critical
    sd_mm, correlation_mm : standard deviation of the segmentation error along the surface normal, and its correlation length
    color, opacity : `#rrggbb` and 0..1, for pictures only
    capped : the scan ends inside the structure, and its surface was closed there
    carve_mm : side of the grid on which the twin drills it away; None where it cannot be drilled
    removal_of : name of the structure that is planned to be removed as far as it lies inside this one, "" for none
    """

    name: str
    role: Role
    body: str
    surface: Surface
    caution_mm: float | None
    danger_mm: float | None
    sd_mm: float
    correlation_mm: float
    color: str
    opacity: float
    capped: bool
    carve_mm: float | None = None
    removal_of: str = ""


@dataclass(frozen=True)
class Landmark:
    """A point on bone that can be touched with a pointer; `position_mm` in ct."""

    name: str
    position_mm: Vec3


@dataclass(frozen=True)
class Plan:
    """A straight planned path in ct: where the burr enters bone, where it stops, how wide the implant is, how far off it may go."""

    name: str
    entry_mm: Vec3
    target_mm: Vec3
    diameter_mm: float
    tolerance_mm: float


@dataclass(frozen=True)
class Patient:
    """What is known of the patient; None where it is not. Nothing here is ever guessed; `name`, `id` and `birth_date` only where asked for."""

    age: str | None = None
    sex: str | None = None
    study: str | None = None
    laterality: str | None = None
    notes: str | None = None
    name: str | None = None
    id: str | None = None
    birth_date: str | None = None


@dataclass(frozen=True)
class Scene:
    """A loaded case, checked against its lock.

    Attributes
    ----------
    case_hash : SHA-256 of the lock, hence of every file that the lock names
    citation : whom to cite for the images, "" if nobody
    """

    name: str
    structures: tuple[Structure, ...]
    landmarks: tuple[Landmark, ...]
    plans: tuple[Plan, ...]
    patient: Patient
    volume: VolumeBox
    ct_path: Path
    folder: Path
    case_hash: str
    citation: str = ""

    @property
    def carvable(self) -> Structure | None:
        """The structure that can be drilled; None where none can be."""
        return next((structure for structure in self.structures if structure.carve_mm is not None), None)

    def structure(self, name: str) -> Structure:
        """The structure called `name`; InputRefused names the nearest one otherwise."""
        for structure in self.structures:
            if structure.name == name:
                return structure
        raise InputRefused(f"the case has no structure '{name}'", nearest(name, (s.name for s in self.structures)))
