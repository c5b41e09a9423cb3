"""Everything that can be wrong with a case, all of it at once.

A *fault* makes a case unusable: `load_scene` refuses it. A *warning* is a case that can be loaded and should be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import Noun
from navtwin.scene.author.watch import made_warnings
from navtwin.scene.case import CaseFile, LandmarkEntry, PlanEntry, StructureEntry, named_files, scanned_box
from navtwin.scene.check_carving import carving_faults, carving_warnings, surface_faults
from navtwin.scene.findings import Finding, fault, read_leniently, warning
from navtwin.scene.landmarks import set_fault
from navtwin.scene.lock import RELOCK, changed_files, write_lock
from navtwin.scene.sign import Sign
from navtwin.scene.surface import Surface
from navtwin.scene.whereabouts import body_middle_x_mm, bones_of, misplaced, on_the_wrong_side, share_inside
from navtwin.volumes.read import read_ct
from navtwin.volumes.volume import VolumeBox

#: A landmark further from all bone than this was not meant for it, mm.
FAR_FROM_BONE_MM = 5.0
MEND_SURFACE = "extract it again (navtwin case new), or mend it where it was made"


class PlanClearance(Noun, frozen=True):
    """How near a planned path, as wide as it is drilled, comes to a critical structure; mm."""

    plan: str
    structure: str
    clearance_mm: float
    caution_mm: float
    danger_mm: float


class CaseReport(Noun, frozen=True):
    """What `navtwin case check` found."""

    folder: str
    findings: tuple[Finding, ...]
    clearances: tuple[PlanClearance, ...] = ()


def check_case(folder: Path) -> CaseReport:
    """All faults and warnings of the case at `folder`. Raises InputRefused only where there is no readable case.toml at all."""
    case, faults = read_leniently(folder)
    surfaces: dict[str, Surface] = {}
    clearances: tuple[PlanClearance, ...] = ()
    warnings: list[Finding] = []
    if case is not None:
        faults += faults_of(folder, case, surfaces)
        clearances = tuple(plan_clearances(case, surfaces))
        warnings = [*_origin_warnings(case), *_empty_warnings(case), *_sign_warnings(case, surfaces)]
        warnings += [*_landmark_warnings(case, surfaces), *_clearance_warnings(case, clearances)]
        faults += _whereabouts(folder, case, surfaces)
        warnings += [*carving_warnings(case.structure, surfaces), *made_warnings(folder, case, surfaces)]
    return CaseReport(folder=str(folder), findings=(*faults, *warnings), clearances=clearances)


def _whereabouts(folder: Path, case: CaseFile, surfaces: Mapping[str, Surface]) -> Iterator[Finding]:
    """Whether the surfaces lie where the scan has them. Asked here and by an import, not at each start: it reads the whole CT."""
    if case.ct.is_label_volume or not (folder / case.ct.file).is_file():
        return
    try:
        volume = read_ct(folder / case.ct.file)
    except NavtwinError:
        return  # what is wrong with it is said already
    for name, surface in surfaces.items():
        if share_inside(surface, volume) == 0.0:
            yield fault(f"structure '{name}' lies outside the CT", "check its axes (LPS), its unit and whose patient it is")
    for name, surface in bones_of([(s.name, s.role) for s in case.structure], surfaces):
        yield from misplaced(name, surface, volume)
    named = [("structure", name, float(surface.bounds_mm[:, 0].mean())) for name, surface in surfaces.items()]
    named += [("plan", plan.name, plan.target_mm[0]) for plan in case.plan]
    yield from on_the_wrong_side(named, body_middle_x_mm(volume), case.patient.laterality)


def relock(folder: Path) -> CaseReport:
    """Check the case but for its lock and, if nothing is at fault, write the lock anew; the report of the check that follows."""
    case, faults = read_leniently(folder)
    if case is not None and not faults and not _content_faults(folder, case, {}):
        missing = [name for name in named_files(case) if not (folder / name).is_file()]
        if not missing:
            write_lock(folder, named_files(case))
    return check_case(folder)


def faults_of(folder: Path, case: CaseFile, surfaces: dict[str, Surface]) -> list[Finding]:
    """Faults of a decoded case. The surfaces that could be read are put into `surfaces`."""
    return [*_content_faults(folder, case, surfaces), *_lock_faults(folder, case)]


def _content_faults(folder: Path, case: CaseFile, surfaces: dict[str, Surface]) -> list[Finding]:
    """Everything but the lock."""
    found = [*_structure_faults(case.structure), *carving_faults(case.structure), *_plan_faults(case.plan), *_repeated(case)]
    box, box_faults = _box(folder, case)
    found += box_faults
    found += _landmark_faults(case.landmark, box)
    if box is not None:
        ends = ((p.name, what, at) for p in case.plan for what, at in (("entry", p.entry_mm), ("target", p.target_mm)))
        found += [fault(f"the {what} of plan '{name}' lies outside the CT") for name, what, at in ends if not box.contains(at)]
    for entry in case.structure:
        found += _surface_faults(folder, entry, surfaces)
    return found


def plan_clearances(case: CaseFile, surfaces: dict[str, Surface]) -> Iterator[PlanClearance]:
    """Clearance of every plan to every critical structure with limits."""
    for plan in case.plan:
        for s in case.structure:
            if s.name in surfaces and s.caution_mm is not None and s.danger_mm is not None:
                clearance = surfaces[s.name].closest_to_capsule(plan.entry_mm, plan.target_mm, max(plan.diameter_mm, 0.0) / 2.0).distance_mm
                yield PlanClearance(plan=plan.name, structure=s.name, clearance_mm=clearance, caution_mm=s.caution_mm, danger_mm=s.danger_mm)


def _structure_faults(structures: Sequence[StructureEntry]) -> Iterator[Finding]:
    for s in structures:
        name = f"structure '{s.name}'"
        if s.role == "critical" and (s.caution_mm is None or s.danger_mm is None):
            yield fault(f"{name} is critical and has no caution_mm and danger_mm", "state both limits, or give it the role context")
        if s.role != "critical" and (s.caution_mm is not None or s.danger_mm is not None):
            yield fault(f"{name} is {s.role} and has limits", "only critical structures have limits: remove them or change the role")
        for key, limit in (("caution_mm", s.caution_mm), ("danger_mm", s.danger_mm)):
            if limit is not None and limit <= 0.0:
                yield fault(f"{name} has {key} = {limit:g}", "limits are above 0")
        if s.caution_mm is not None and s.danger_mm is not None and s.danger_mm > s.caution_mm:
            yield fault(f"{name} has danger {s.danger_mm:g} mm above caution {s.caution_mm:g} mm", "caution comes first, farther out")
        if s.sd_mm < 0.0 or s.correlation_mm <= 0.0:
            yield fault(f"{name} has sd_mm = {s.sd_mm:g} and correlation_mm = {s.correlation_mm:g}", "sd_mm is 0 or more, correlation_mm above 0")
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", s.color) or not 0.0 <= s.opacity <= 1.0:
            yield fault(f"{name} has color '{s.color}' and opacity {s.opacity:g}", "color is #rrggbb, opacity 0 to 1")


def _plan_faults(plans: Sequence[PlanEntry]) -> Iterator[Finding]:
    for p in plans:
        if p.diameter_mm <= 0.0 or p.tolerance_mm <= 0.0:
            yield fault(f"plan '{p.name}' has diameter_mm = {p.diameter_mm:g} and tolerance_mm = {p.tolerance_mm:g}", "both are above 0")
        if p.entry_mm == p.target_mm:
            yield fault(f"plan '{p.name}' ends where it begins", "state entry_mm and target_mm")


def _repeated(case: CaseFile) -> Iterator[Finding]:
    for kind, names in (
        ("structures", [s.name for s in case.structure]),
        ("landmarks", [m.name for m in case.landmark]),
        ("plans", [p.name for p in case.plan]),
    ):
        for name in sorted({n for n in names if names.count(n) > 1}):
            yield fault(f"two {kind} are called '{name}'", "give each its own name")


def _lock_faults(folder: Path, case: CaseFile) -> list[Finding]:
    try:
        return [fault(problem, RELOCK) for problem in changed_files(folder, named_files(case))]
    except InputRefused as refused:
        missing = [fault(f"file {name} is missing", "restore it") for name in named_files(case) if not (folder / name).is_file()]
        return [fault(refused.problem, refused.remedy), *missing]


def _box(folder: Path, case: CaseFile) -> tuple[VolumeBox | None, list[Finding]]:
    if not (folder / case.ct.file).is_file():
        return None, []  # the lock says so
    try:
        return scanned_box(folder, case), []
    except InputRefused as refused:
        return None, [fault(refused.problem, refused.remedy)]


def _landmark_faults(landmarks: Sequence[LandmarkEntry], box: VolumeBox | None) -> Iterator[Finding]:
    if box is not None:
        for mark in landmarks:
            if not box.contains(mark.position_mm):
                x, y, z = mark.position_mm
                yield fault(f"landmark '{mark.name}' at {x:g} {y:g} {z:g} mm lies outside the CT", "check its axes (LPS) and its sign")
    wrong = set_fault(landmarks)
    if wrong is not None:
        yield fault(*wrong)


def _surface_faults(folder: Path, entry: StructureEntry, surfaces: dict[str, Surface]) -> Iterator[Finding]:
    if not (folder / entry.file).is_file():
        return  # the lock says so
    try:
        surface = Surface.read(folder / entry.file)
    except NavtwinError as refused:
        yield fault(f"structure '{entry.name}': {refused.problem}", refused.remedy)
        return
    surfaces[entry.name] = surface
    if _is_unusable(entry, surface.sign):
        yield fault(f"structure '{entry.name}' is critical, and its surface is {surface.sign.why}: its inside is doubtful there", MEND_SURFACE)
    yield from surface_faults(entry, surface)


def _is_unusable(entry: StructureEntry, sign: Sign) -> bool:
    """Beside an opening nobody can say which side is the inside, and nothing unknown may be shown as safe."""
    return entry.role == "critical" and not sign.is_certain


def _sign_warnings(case: CaseFile, surfaces: Mapping[str, Surface]) -> Iterator[Finding]:
    """Surfaces whose normals do not tell the inside."""
    for entry in case.structure:
        sign = surfaces[entry.name].sign if entry.name in surfaces else None
        if sign is not None and sign.reasons and not _is_unusable(entry, sign):
            side = "is certain but takes longer" if sign.is_certain else "is doubtful beside its openings"
            yield warning(f"the surface of structure '{entry.name}' is {sign.why}: its inside comes from the {sign.rule}, which {side}", MEND_SURFACE)


def _origin_warnings(case: CaseFile) -> Iterator[Finding]:
    """What was assumed when the case was made."""
    for doubt in case.case.doubts:
        yield warning(doubt, "look at it, then take it out of doubts in case.toml")
    if case.ct.is_label_volume:
        yield warning("there is no CT: a label volume stands for the scanned volume, and its values are not HU", "rehearse only what needs no CT")


def _empty_warnings(case: CaseFile) -> Iterator[Finding]:
    if not any(s.role == "critical" for s in case.structure):
        yield warning("no structure is critical: nothing is being watched", "give one the role critical, with limits")
    if not case.landmark:
        yield warning("there are no landmarks: the patient cannot be registered", "place three or more: in Case, or with navtwin case landmark")


def _landmark_warnings(case: CaseFile, surfaces: Mapping[str, Surface]) -> Iterator[Finding]:
    """A landmark is touched on bone: one far from all bone was placed in other axes, or on another case."""
    bones = [surfaces[s.name] for s in case.structure if s.role == "work" and s.name in surfaces]
    for mark in case.landmark if bones else ():
        nearest_mm = min(abs(float(bone.closest([mark.position_mm]).distance_mm[0])) for bone in bones)
        if nearest_mm > FAR_FROM_BONE_MM:
            far = f"landmark '{mark.name}' is {nearest_mm:.0f} mm from any structure with role work"
            yield warning(far, "check its axes (LPS), its sign and the case")


def _clearance_warnings(case: CaseFile, clearances: Sequence[PlanClearance]) -> Iterator[Finding]:
    sd_mm = {s.name: s.sd_mm for s in case.structure}
    for c in clearances:
        path = f"plan '{c.plan}' passes '{c.structure}' at {c.clearance_mm:.2f} mm"
        bar = 2.0 * sd_mm[c.structure]
        for level, limit in (("danger", c.danger_mm), ("caution", c.caution_mm)):
            if c.clearance_mm <= limit:
                yield warning(
                    f"{path}, inside its own {level} limit of {limit:g} mm", "move the plan or the limit: following it would raise an alert"
                )
                break
        else:
            if c.clearance_mm - bar <= c.caution_mm:
                yield warning(f"{path}; less the segmentation's own error bar of {bar:g} mm that is inside caution ({c.caution_mm:g} mm)",
                              "following the plan may raise CAUTION")  # fmt: skip
        if bar >= c.danger_mm:
            yield warning(f"the segmentation of '{c.structure}' is as uncertain ({bar:g} mm) as its danger limit ({c.danger_mm:g} mm)",
                          "widen the limit")  # fmt: skip
