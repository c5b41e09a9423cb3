"""The temporal bone as a scan and as a case, made by the same steps as a real one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from phantoms.drilling import temporal_bone as bone
from phantoms.drilling.meshed import meshed
from phantoms.drilling.rig import drilling_rig
from phantoms.rig import write_rig
from phantoms.shapes import Shape, Union
from phantoms.volume import Grid, Tissue, rasterise, write_nifti, write_table

if TYPE_CHECKING:
    from navtwin.scene.build import Wanted

NAME = "phantom: mastoidectomy of a left temporal bone"
#: It reaches 90 mm out over the cortex, for what is known of a handpiece ends with the scan.
GRID = Grid(origin_mm=(-52.4, -38.4, -36.4), spacing_mm=(0.4, 0.4, 0.4), shape_ijk=(357, 182, 158))
CARVE_MM = 0.3
#: A surface from labels at this spacing lies within 0.05 mm (RMS) of the shape; this is what is admitted to.
SD_MM = 0.12

#: Label number, Hounsfield units and colour; the usual colours of anatomy models.
_LOOKS: dict[str, tuple[int, float, str]] = {
    bone.BONE: (1, 900.0, "#e6dccb"),
    bone.DURA: (2, 45.0, "#c79fb4"),
    bone.SINUS: (3, 260.0, "#0097ce"),
    bone.CAROTID: (4, 320.0, "#d8654f"),
    bone.NERVE: (5, 60.0, "#f2c14e"),
    bone.LABYRINTH: (6, 20.0, "#6fb8a2"),
    "ossicles": (7, 1400.0, "#d9c7a0"),
    "air": (8, -1000.0, "#ffffff"),
}
#: Caution and danger, mm: nothing that is thinned on purpose in a mastoidectomy can warn much earlier.
LIMITS = {bone.NERVE: (2.0, 1.0), bone.SINUS: (2.0, 1.0), bone.DURA: (2.0, 1.0), bone.LABYRINTH: (2.0, 1.0), bone.CAROTID: (3.0, 1.5)}
#: So that what lies beneath can be seen.
_OPACITY = {bone.DURA: 0.45, bone.SINUS: 0.9}


def tissues() -> list[Tissue]:
    """The structures in the order in which they are drawn: bone as if nothing ran through it, then all that does."""

    def tissue(name: str, shape: Shape, rim_hu: float = 0.0, rim_mm: float = 0.0) -> Tissue:
        label, hu, _ = _LOOKS[name]
        return Tissue(name, label, shape, hu, rim_hu, rim_mm)

    air = Union(tuple(bone.cavities().values()))
    return [
        tissue(bone.BONE, bone.outer_form(), 1500.0, 1.6),
        tissue("air", air),
        tissue("ossicles", bone.ossicles()),
        *(tissue(name, shape) for name, shape in bone.critical().items()),
    ]


def write_scan(folder: Path, grid: Grid = GRID) -> tuple[Path, Path, Path]:
    """Write CT, label map and table of labels in `folder`, as an archive would hand them over. Returns their paths."""
    drawn = tissues()
    hu, labels = rasterise(drawn, grid)
    paths = (folder / "ct.nii.gz", folder / "labels.nii.gz", folder / "structures.csv")
    noisy = hu + np.random.default_rng(1).normal(0.0, 25.0, hu.shape)
    write_nifti(paths[0], np.clip(np.rint(noisy), -1024, 3071).astype(np.int16), grid)
    write_nifti(paths[1], labels, grid)
    write_table(paths[2], drawn)
    return paths


def wanted_structures() -> tuple[Wanted, ...]:
    """Structures with their labels, roles and limits."""
    from navtwin.scene.build import Wanted

    def label(name: str) -> tuple[int, ...]:
        return (_LOOKS[name][0],)

    critical = (
        Wanted(name, "critical", label(name), *LIMITS[name], sd_mm=SD_MM, color=_LOOKS[name][2], opacity=_OPACITY.get(name, 1.0)) for name in LIMITS
    )
    return (
        Wanted(bone.BONE, "work", label(bone.BONE), sd_mm=SD_MM, color=_LOOKS[bone.BONE][2]),
        *critical,
        Wanted("ossicles", "context", label("ossicles"), sd_mm=0.2, color=_LOOKS["ossicles"][2]),
    )


def recipe_key(grid: Grid = GRID) -> str:
    """Hash of everything that the case is made from."""
    from navtwin.scene.build import cache_key

    recipe = (tissues(), wanted_structures(), grid, bone.planned_removal(), bone.landmarks(), CARVE_MM)
    return cache_key("temporal-bone", *(repr(part) for part in recipe))


def temporal_bone_case(folder: Path, report: Callable[[str], None] = lambda text: None, grid: Grid = GRID) -> None:
    """Build the temporal bone's case at `folder`, with the rig that drills it.

    Raises
    ------
    InputRefused : `folder` is taken; nothing is left behind
    """
    from navtwin.scene import read_ct, read_labels
    from navtwin.scene.build import Wanted, build_structures, deliver, structure_entry, write_case
    from navtwin.scene.case import CT_FILE, CaseFile, CaseSection, CtSection, LandmarkEntry, PatientSection

    def make(target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".phantom.") as scratch:
            report("CT of the phantom")
            ct, labels, _ = write_scan(Path(scratch), grid)
            volume = read_ct(ct)
            entries, surfaces = build_structures(read_labels(labels, volume), wanted_structures(), report)
            entries[0] = msgspec.structs.replace(entries[0], carve_mm=CARVE_MM)
            report("planned removal")
            planned = Wanted(bone.REMOVAL, "context", (), sd_mm=0.2, color="#9d7bea", opacity=0.25)
            surfaces[bone.REMOVAL] = meshed(bone.planned_removal(), 0.5)
            entry = structure_entry(planned, capped=False, taken=[e.file for e in entries])
            entries.append(msgspec.structs.replace(entry, removal_of=bone.BONE))
            case = CaseFile(
                case=CaseSection(name=NAME),
                patient=PatientSection(
                    study="Made of analytic shapes: every true distance is known",
                    laterality="left",
                    notes="No patient: the built-in temporal bone. Planned: cortical mastoidectomy with facial recess.",
                ),
                ct=CtSection(file=CT_FILE),
                structure=tuple(entries),
                landmark=tuple(LandmarkEntry(name=name, position_mm=p) for name, p in bone.landmarks().items()),
            )
            write_case(target, case, surfaces, ct)

    deliver(folder, recipe_key(grid), make)
    write_rig(folder, drilling_rig())
