"""The case folder: what case.toml may say, and how a folder becomes a Scene."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from navtwin.errors import InputRefused
from navtwin.nouns import Noun, Role, read_toml
from navtwin.rigid import Vec3
from navtwin.scene.lock import lock_hash
from navtwin.scene.model import DEFAULT_CORRELATION_MM, Landmark, Patient, Plan, Scene, Structure
from navtwin.volumes.volume import Row4, VolumeBox

if TYPE_CHECKING:
    from navtwin.scene.surface import Surface

CASE_FILE = "case.toml"
CT_FILE = "ct.nii.gz"
SURFACES = "surfaces"
MADE = "made"
#: Letters of a structure's name that its file keeps: file systems end at 255 bytes.
_LONGEST_NAME = 80


def _refuse_outside(file: str) -> None:
    """A case names only files of its own folder."""
    if Path(file).is_absolute() or ".." in Path(file).parts or "\\" in file or not file:
        raise InputRefused(f"file '{file}' is not inside the case's folder", "copy it there and name it without ..")


class CaseSection(Noun, frozen=True):
    """`doubts`: whole sentences on what was assumed in making the case; `case check` repeats them until they are taken out."""

    name: str
    citation: str = ""
    doubts: tuple[str, ...] = ()


class PatientSection(Noun, frozen=True):
    """Who the patient is (`name`, `id`, `birth_date`) is kept only where that was asked for."""

    age: str | None = None
    sex: str | None = None
    study: str | None = None
    laterality: str | None = None
    notes: str | None = None
    name: str | None = None
    id: str | None = None
    birth_date: str | None = None


class ScannedSection(Noun, frozen=True):
    """[ct.scanned]: where the scan reached, if not all of the volume (a tilted stack on a square grid): `VolumeBox`'s affine and voxels."""

    T_ijk_from_ct: tuple[Row4, Row4, Row4, Row4]
    shape_ijk: tuple[int, int, int]


class CtSection(Noun, frozen=True):
    """`is_label_volume`: there was no CT, a label volume stands for the scanned volume. `frame` and `series`: hashes of the DICOM UIDs of the
    frame of reference and the series, by which a segmentation that is added later is known to belong to it."""

    file: str
    is_label_volume: bool = False
    frame: str = ""
    series: str = ""
    scanned: ScannedSection | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_outside(self.file)


class StructureEntry(Noun, frozen=True):
    """One [[structure]]. `labels`, `threshold_hu` and `capped` tell where the surface came from; `body` "ref" is the patient's reference.

    `made`: the recipe of a structure that was made by hand, a file of its own (`navtwin.scene.author`); "" for any other.
    `carve_mm`: bone that can be drilled, at that spacing. `removal_of`: of that bone, what lies inside this surface is planned to be removed.
    """

    name: str
    file: str
    role: Role
    sd_mm: float
    body: str = "ref"
    labels: tuple[int, ...] = ()
    threshold_hu: float | None = None
    caution_mm: float | None = None
    danger_mm: float | None = None
    correlation_mm: float = DEFAULT_CORRELATION_MM
    color: str = "#c8c8c8"
    opacity: float = 1.0
    capped: bool = False
    made: str = ""
    carve_mm: float | None = None
    removal_of: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_outside(self.file)
        if self.made:
            _refuse_outside(self.made)


class LandmarkEntry(Noun, frozen=True):
    name: str
    position_mm: Vec3


class PlanEntry(Noun, frozen=True):
    name: str
    entry_mm: Vec3
    target_mm: Vec3
    diameter_mm: float
    tolerance_mm: float


class CaseFile(Noun, frozen=True):
    """All of case.toml."""

    case: CaseSection
    ct: CtSection
    structure: tuple[StructureEntry, ...] = ()
    patient: PatientSection = PatientSection()
    landmark: tuple[LandmarkEntry, ...] = ()
    plan: tuple[PlanEntry, ...] = ()


def read_case_file(folder: Path) -> CaseFile:
    """Decode case.toml strictly; the first fault is refused (`navtwin case check` names them all)."""
    return read_toml(folder / CASE_FILE, CaseFile)


def load_scene(folder: str | Path) -> Scene:
    """Load a case.

    Raises
    ------
    InputRefused : no case there, a file that is missing or was changed since the lock was written, or any fault in case.toml; it names
        the first one and how many more there are
    """
    from navtwin.scene.check import faults_of

    folder = Path(folder)
    case = read_case_file(folder)
    surfaces: dict[str, Surface] = {}
    faults = faults_of(folder, case, surfaces)
    if faults:
        more = f" ({len(faults) - 1} more: run navtwin case check {folder})" if len(faults) > 1 else ""
        raise InputRefused(f"case {folder}: {faults[0].problem}{more}", faults[0].remedy)
    return scene_of(folder, case, surfaces)


def scene_of(folder: Path, case: CaseFile, surfaces: dict[str, Surface]) -> Scene:
    """The Scene of a case that has been checked."""
    return Scene(
        name=case.case.name,
        structures=tuple(_structure(entry, surfaces[entry.name]) for entry in case.structure),
        landmarks=tuple(Landmark(m.name, m.position_mm) for m in case.landmark),
        plans=tuple(Plan(p.name, p.entry_mm, p.target_mm, p.diameter_mm, p.tolerance_mm) for p in case.plan),
        patient=Patient(**msgspec.structs.asdict(case.patient)),
        volume=scanned_box(folder, case),
        ct_path=folder / case.ct.file,
        folder=folder,
        case_hash=lock_hash(folder),
        citation=case.case.citation,
    )


def _structure(s: StructureEntry, surface: Surface) -> Structure:
    told = (s.caution_mm, s.danger_mm, s.sd_mm, s.correlation_mm, s.color, s.opacity, s.capped, s.carve_mm, s.removal_of)
    return Structure(s.name, s.role, s.body, surface, *told)


def scanned_box(folder: Path, case: CaseFile) -> VolumeBox:
    """Where in ct the patient was scanned."""
    from navtwin.volumes.read import read_box

    if case.ct.scanned is not None:
        return VolumeBox(case.ct.scanned.T_ijk_from_ct, case.ct.scanned.shape_ijk)
    return read_box(folder / case.ct.file)


def named_files(case: CaseFile) -> tuple[str, ...]:
    """The files that a case names, relative to its folder, case.toml first."""
    return (CASE_FILE, case.ct.file, *(s.file for s in case.structure), *(s.made for s in case.structure if s.made))


def surface_file(name: str, taken: Iterable[str] = ()) -> str:
    """Where the surface of a structure is kept; two names that look alike to a file system never share a file."""
    return _file_of(SURFACES, name, ".ply", taken)


def recipe_file(name: str, taken: Iterable[str] = ()) -> str:
    """Where the recipe of a structure that was made by hand is kept."""
    return _file_of(MADE, name, ".toml", taken)


def _file_of(folder: str, name: str, ending: str, taken: Iterable[str]) -> str:
    plain = f"{folder}/{re.sub(r'[^A-Za-z0-9_.-]', '_', name)[:_LONGEST_NAME]}"
    used = {file.lower() for file in taken}
    return next(file for n in itertools.count(1) if (file := f"{plain}{'' if n == 1 else f'-{n}'}{ending}").lower() not in used)
