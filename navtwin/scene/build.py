"""Build a case folder: surfaces from labels, case.toml, lock. A folder appears whole or not at all, and a second build is a copy."""

from __future__ import annotations

import hashlib
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.nouns import Role
from navtwin.scene.case import CASE_FILE, CaseFile, StructureEntry, named_files, read_case_file, surface_file
from navtwin.scene.case_text import case_text
from navtwin.scene.data import cache_folder
from navtwin.scene.extract import extract
from navtwin.scene.lock import changed_files, file_hash, write_lock
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume
from navtwin.volumes.write import write_nifti

#: What a case is made by: a change in any of these makes earlier cases stale.
_RECIPE_FILES = (
    "build.py", "case.py", "case_text.py", "extract.py", "fairing.py", "labelled.py", "new_case.py", "pedicle.py", "scan.py", "skin.py",
    "thorax.py", "../kernels/voxels.py", "../meshes/axes.py", "../meshes/ply.py", "../meshes/write.py",
)  # fmt: skip
_VOLUMES = Path(__file__).parent.parent / "volumes"
RECIPE_VERSION = hashlib.sha256(
    "".join(file_hash(path) for path in (*(Path(__file__).parent / name for name in _RECIPE_FILES), *sorted(_VOLUMES.rglob("*.py")))).encode()
).hexdigest()[:16]
#: Segmentation error that is assumed where nobody states one: one standard deviation, mm.
ASSUMED_SD_MM = 0.5
#: The usual colours of anatomy models, by role.
COLORS: Mapping[Role, str] = {"work": "#e6dccb", "critical": "#d8654f", "context": "#b1a08f"}

Report = Callable[[str], None]


def assumed_sd_mm(spacing_mm: Sequence[float]) -> float:
    """What is assumed of a surface that comes from voxels with these sides: a boundary that is known to a voxel is off by its side / sqrt(12), one
    standard deviation, and by no less than `ASSUMED_SD_MM`."""
    return max(ASSUMED_SD_MM, round(max(spacing_mm) / math.sqrt(12.0), 2))


@dataclass(frozen=True)
class Wanted:
    """A structure to be built.

    Attributes
    ----------
    labels : label numbers whose union it is; () for the structure of this name in the segmentation
    threshold_hu : it is all of the CT at or above this, in place of labels
    color : `#rrggbb`; "" for the segmentation's own, or the usual one of its role
    """

    name: str
    role: Role
    labels: tuple[int, ...] = ()
    caution_mm: float | None = None
    danger_mm: float | None = None
    sd_mm: float = ASSUMED_SD_MM
    color: str = ""
    opacity: float = 1.0
    threshold_hu: float | None = None


def read_names(path: Path) -> dict[str, int]:
    """Structure name -> label number, from a table of any kind that `navtwin.volumes.labels.tables` knows."""
    from navtwin.volumes.labels.tables import read_table

    return {one.name: one.labels[0] for one in read_table(path)}


_STRUCTURE = re.compile(
    r"(?P<name>.+?)(?:=(?P<labels>\d{1,8}(?:\+\d{1,8})*)|@(?P<hu>-?\d{1,5}(?:\.\d+)?))?"
    r":(?P<role>work|critical|context)(?::(?P<caution>[^:]+):(?P<danger>[^:]+))?"
)


def parse_structure(text: str) -> Wanted:
    """`name:role[:caution:danger]`, where `name=31+32` names labels and `name@300` all of the CT at or above 300 HU."""
    found = _STRUCTURE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        caution, danger = (float(found[limit]) if found[limit] else None for limit in ("caution", "danger"))
    except ValueError:
        form = "write name:work, name:context or name:critical:CAUTION:DANGER, in mm; name=31+32 names labels, name@300 is bone by its HU"
        raise InputRefused(f"--structure {text} is not understood", form) from None
    role: Role = found["role"]  # type: ignore[assignment]
    labels = tuple(int(n) for n in found["labels"].split("+")) if found["labels"] else ()
    return Wanted(found["name"], role, labels, caution, danger, threshold_hu=float(found["hu"]) if found["hu"] else None)


def structure_entry(wanted: Wanted, capped: bool, taken: Iterable[str] = ()) -> StructureEntry:
    """What case.toml will say of it; `taken` are the files of the structures before it."""
    return StructureEntry(
        name=wanted.name, file=surface_file(wanted.name, taken), role=wanted.role, sd_mm=wanted.sd_mm, labels=wanted.labels,
        threshold_hu=wanted.threshold_hu, caution_mm=wanted.caution_mm, danger_mm=wanted.danger_mm,
        color=wanted.color or COLORS[wanted.role], opacity=wanted.opacity, capped=capped,
    )  # fmt: skip


def build_structures(labels: Volume, wanted: Sequence[Wanted], report: Report) -> tuple[list[StructureEntry], dict[str, Surface]]:
    """Extract each structure; `report` is told its name first."""
    entries: list[StructureEntry] = []
    surfaces = {}
    for one in wanted:
        report(f"surface of {one.name}")
        extraction = extract(labels, labels=one.labels)
        entries.append(structure_entry(one, extraction.capped, [entry.file for entry in entries]))
        surfaces[one.name] = extraction.surface
    return entries, surfaces


def refuse_bad_limits(wanted: Sequence[Wanted]) -> None:
    """Limits are checked before anything is computed."""
    for n, one in enumerate(wanted):
        if one.name in {w.name for w in wanted[:n]}:
            raise InputRefused(f"structure '{one.name}' is named twice", "name each once")
        if one.role != "critical":
            if one.caution_mm is not None:
                raise InputRefused(f"structure '{one.name}' is {one.role} and has limits", "only critical structures have limits")
        elif one.caution_mm is None or one.danger_mm is None:
            raise InputRefused(f"critical structure '{one.name}' has no limits", f"write {one.name}:critical:CAUTION:DANGER, in mm")
        elif not 0.0 < one.danger_mm <= one.caution_mm:
            raise InputRefused(f"structure '{one.name}': danger {one.danger_mm:g} mm is not between 0 and caution {one.caution_mm:g} mm",
                               "caution comes first, farther out; danger lies inside it")  # fmt: skip


def write_case(folder: Path, case: CaseFile, surfaces: Mapping[str, Surface], ct: Path | Volume) -> None:
    """Write all files of a case into an empty folder, and lock them; a CT that is a file is copied as it is."""
    for entry in case.structure:
        path = folder / entry.file
        path.parent.mkdir(parents=True, exist_ok=True)
        surfaces[entry.name].write(path)
    if isinstance(ct, Path):
        shutil.copyfile(ct, folder / case.ct.file)
    else:
        write_nifti(ct, folder / case.ct.file)
    (folder / CASE_FILE).write_text(case_text(case), encoding="utf-8", newline="\n")
    write_lock(folder, named_files(read_case_file(folder)))


def cache_key(*parts: str) -> str:
    """Hash of everything that a case is made from."""
    return hashlib.sha256("\0".join((RECIPE_VERSION, *parts)).encode()).hexdigest()[:24]


def file_hash_of_input(path: Path) -> str:
    try:
        return file_hash(path)
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "check the path") from error


def deliver(folder: Path, key: str, make: Callable[[Path], None]) -> None:
    """Put the case that `make` writes at `folder`: from the cache where it was made before, else made now and kept."""
    kept = cache_folder("cases") / key
    with whole(folder) as target:
        if not is_sound(kept):
            shutil.rmtree(kept, ignore_errors=True)
            with whole(kept) as fresh:
                make(fresh)
        shutil.copytree(kept, target, dirs_exist_ok=True)


def is_sound(folder: Path) -> bool:
    """Whether the case at `folder` is there with all its files as they were locked."""
    try:
        return not changed_files(folder, named_files(read_case_file(folder)))
    except InputRefused:
        return False


def refuse_taken(folder: Path) -> None:
    """Nothing is ever written over."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputRefused(f"{folder} is already there", "name a new folder, or remove this one")


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """An empty folder to fill; it becomes `folder` when the block ends well, and vanishes otherwise."""
    refuse_taken(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise InputRefused(f"cannot write {folder}: {error.strerror}", "name a folder that you may write to") from error
    try:
        yield partial
        partial.chmod(0o755)
        try:
            if folder.exists():
                folder.rmdir()
            os.replace(partial, folder)  # noqa: PTH105
        except OSError as error:
            # Another process was faster. Its files are as whole as ours; who needs them sound checks that.
            if not folder.is_dir() or not any(folder.iterdir()):
                raise InputRefused(f"cannot put the case at {folder}: {error.strerror}", "name a folder that you may write to") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
