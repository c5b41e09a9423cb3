"""What can be wrong with what a case says of drilling: `carve_mm` on the bone, `removal_of` on the surface that is planned to be removed from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from navtwin.errors import InputRefused, nearest
from navtwin.scene.bone_grid import grid_around
from navtwin.scene.case import StructureEntry
from navtwin.scene.findings import Finding, fault, warning
from navtwin.scene.surface import Surface

#: Sides of the grid that are accepted, mm: finer takes more memory than bone is worth, coarser loses thin walls.
FINEST_MM, COARSEST_MM = 0.1, 1.0
#: Sides that a burr is well followed at.
ADVISED_MM = (0.2, 0.5)
MEND = "close it where it was made, or extract it again"


def carving_faults(structures: Sequence[StructureEntry]) -> Iterator[Finding]:
    """What needs no surface to be seen."""
    carvable = [s.name for s in structures if s.carve_mm is not None]
    if len(carvable) > 1:
        named = " and ".join(f"'{name}'" for name in carvable)
        yield fault(f"structures {named} have carve_mm", "one of them can be drilled: remove it from the others, or make them one structure")
    for s in structures:
        if s.carve_mm is not None:
            if s.role != "work":
                yield fault(f"structure '{s.name}' is {s.role} and has carve_mm", "only structures with role work are drilled: remove it")
            if not FINEST_MM <= s.carve_mm <= COARSEST_MM:
                yield fault(f"structure '{s.name}' has carve_mm = {s.carve_mm:g}", f"state {FINEST_MM:g} to {COARSEST_MM:g} mm, best {_advised()}")
        if s.removal_of:
            yield from _removal_faults(s, structures, carvable)


def _removal_faults(s: StructureEntry, structures: Sequence[StructureEntry], carvable: Sequence[str]) -> Iterator[Finding]:
    if s.role != "context":
        yield fault(f"structure '{s.name}' is {s.role} and has removal_of", "what is planned to be removed is drawn on a structure with role context")
    if s.removal_of not in carvable:
        there = s.removal_of in {other.name for other in structures}
        problem = f"structure '{s.name}' is planned to be removed of '{s.removal_of}', which {'has no carve_mm' if there else 'is not in the case'}"
        yield fault(problem, nearest(s.removal_of, carvable) if carvable else "give carve_mm to the bone that is drilled")


def surface_faults(entry: StructureEntry, surface: Surface) -> Iterator[Finding]:
    """Bone is drilled from its surface inwards, which must be the border of a solid, on a grid for which there is memory; what is removed is measured
    inside a surface that is closed."""
    if entry.carve_mm is not None and not surface.sign_is_trusted:
        yield fault(f"structure '{entry.name}' has carve_mm, and its surface is {surface.sign.why or 'no border of a solid'}", MEND)
    elif entry.carve_mm is not None and FINEST_MM <= entry.carve_mm <= COARSEST_MM:
        try:
            grid_around(surface, entry.carve_mm)
        except InputRefused as refused:
            yield fault(f"structure '{entry.name}' cannot be drilled: {refused.problem}", refused.remedy)
    if entry.removal_of and not surface.sign.is_certain:
        yield fault(f"structure '{entry.name}' has removal_of, and its surface is {surface.sign.why}", MEND)


def carving_warnings(structures: Sequence[StructureEntry], surfaces: Mapping[str, Surface]) -> Iterator[Finding]:
    """A grid that is not good for drilling though it can be used, and a plan that has nothing of its bone in it."""
    for s in structures:
        if s.carve_mm is not None and not ADVISED_MM[0] <= s.carve_mm <= ADVISED_MM[1]:
            effect = "takes much memory" if s.carve_mm < ADVISED_MM[0] else "follows a burr roughly"
            yield warning(f"structure '{s.name}' has carve_mm = {s.carve_mm:g}, which {effect}", f"state {_advised()}")
        if s.removal_of in surfaces and s.name in surfaces:
            (low, high), (bone_low, bone_high) = surfaces[s.name].bounds_mm, surfaces[s.removal_of].bounds_mm
            if (high < bone_low).any() or (low > bone_high).any():
                yield warning(
                    f"structure '{s.name}' lies wholly off '{s.removal_of}', of which it is to be removed", "check its place, and its axes (LPS)"
                )


def _advised() -> str:
    return f"{ADVISED_MM[0]:g} to {ADVISED_MM[1]:g} mm"
