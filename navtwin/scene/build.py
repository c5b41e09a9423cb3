"""Build a case folder: surfaces from labels, case.toml, lock. A folder appears whole or not at all, and a second build is a copy."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Role
from navtwin.scene.case import CASE_FILE, CT_FILE, CaseFile, CaseSection, CtSection, StructureEntry, named_files, read_case_file, surface_file
from navtwin.scene.case_text import case_text
from navtwin.scene.data import cache_folder
from navtwin.scene.extract import extract
from navtwin.scene.lock import changed_files, file_hash, write_lock
from navtwin.scene.surface import Surface
from navtwin.volumes.read import read_ct, read_labels
from navtwin.volumes.volume import Volume

#: What a case is made by: a change in any of these makes earlier cases stale.
_RECIPE_FILES = (
    "build.py", "case.py", "case_text.py", "extract.py", "fairing.py", "pedicle.py", "skin.py", "thorax.py",
    "../kernels/voxels.py", "../meshes/axes.py", "../meshes/ply.py", "../meshes/write.py",
    "../volumes/nifti.py", "../volumes/read.py", "../volumes/volume.py",
)  # fmt: skip
RECIPE_VERSION = hashlib.sha256("".join(file_hash(Path(__file__).parent / name) for name in _RECIPE_FILES).encode()).hexdigest()[:16]
#: Segmentation error that is assumed where nobody states one: one standard deviation, mm.
ASSUMED_SD_MM = 0.5
#: The usual colours of anatomy models, by role.
COLORS: Mapping[Role, str] = {"work": "#e6dccb", "critical": "#d8654f", "context": "#b1a08f"}

Report = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """A structure to be built from labels."""

    name: str
    role: Role
    labels: tuple[int, ...]
    caution_mm: float | None = None
    danger_mm: float | None = None
    sd_mm: float = ASSUMED_SD_MM
    color: str = ""
    opacity: float = 1.0


def read_names(path: Path) -> dict[str, int]:
    """Structure name -> label number, from a CSV table with columns `structure` (or `name`) and `id` (or `label`)."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(f"cannot read the table {path}: {error}", "check the path") from error
    columns = rows[0].keys() if rows else ()
    name = next((c for c in ("structure", "name") if c in columns), None)
    label = next((c for c in ("id", "label") if c in columns), None)
    if name is None or label is None:
        raise InputRefused(f"the table {path} has no columns for names and labels", "it needs a header line with `structure` and `id`")
    try:
        return {row[name]: int(row[label]) for row in rows if row[name]}
    except (TypeError, ValueError) as error:
        raise InputRefused(f"the table {path} holds a label that is not a whole number ({error})", "mend that line") from error


def parse_structure(text: str, names: Mapping[str, int]) -> Wanted:
    """`name:role[:caution:danger]`; the name is looked up in `names`, or carries its labels: `name=31+32:role`."""
    parts = text.split(":")
    name, _, numbers = parts[0].partition("=")
    form = "write name:role, or name:critical:CAUTION:DANGER in mm; name=31+32 names labels"
    if len(parts) not in (2, 4) or parts[1] not in COLORS or not name:
        raise InputRefused(f"--structure {text} is not understood", form)
    if not numbers and name not in names:
        raise InputRefused(
            f"there is no label for structure '{name}'", nearest(name, names) if names else "pass --names TABLE, or write name=LABEL:role"
        )
    try:
        labels = tuple(int(n) for n in numbers.split("+")) if numbers else (names[name],)
        caution, danger = (float(v) for v in parts[2:]) if len(parts) == 4 else (None, None)
    except ValueError as error:
        raise InputRefused(f"--structure {text} is not understood: {error}", form) from error
    role: Role = parts[1]  # type: ignore[assignment]
    return Wanted(name, role, labels, caution, danger)


def structure_entry(wanted: Wanted, capped: bool) -> StructureEntry:
    """What case.toml will say of it."""
    return StructureEntry(
        name=wanted.name, file=surface_file(wanted.name), role=wanted.role, sd_mm=wanted.sd_mm, labels=wanted.labels,
        caution_mm=wanted.caution_mm, danger_mm=wanted.danger_mm, color=wanted.color or COLORS[wanted.role], opacity=wanted.opacity, capped=capped,
    )  # fmt: skip


def build_structures(labels: Volume, wanted: Sequence[Wanted], report: Report) -> tuple[list[StructureEntry], dict[str, Surface]]:
    """Extract each structure; `report` is told its name first."""
    entries, surfaces = [], {}
    for one in wanted:
        report(f"surface of {one.name}")
        extraction = extract(labels, labels=one.labels)
        entries.append(structure_entry(one, extraction.capped))
        surfaces[one.name] = extraction.surface
    return entries, surfaces


def build_case(folder: Path, *, name: str, ct: Path, labels: Path, wanted: Sequence[Wanted], report: Report = lambda text: None) -> None:
    """Build a case without landmarks and plans: they are added to case.toml by hand, then accepted with `case check --lock`.

    Raises
    ------
    InputRefused : whatever is wrong with CT, labels, a structure or its limits; nothing is left behind
    """
    refuse_bad_limits(wanted)

    def make(target: Path) -> None:
        report("CT")
        volume = read_ct(ct)
        entries, surfaces = build_structures(read_labels(labels, volume), wanted, report)
        write_case(target, CaseFile(case=CaseSection(name=name), ct=CtSection(file=CT_FILE), structure=tuple(entries)), surfaces, ct)

    deliver(folder, cache_key("case", name, file_hash_of_input(ct), file_hash_of_input(labels), *(repr(w) for w in wanted)), make)


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


def write_case(folder: Path, case: CaseFile, surfaces: Mapping[str, Surface], ct: Path) -> None:
    """Write all files of a case into an empty folder, and lock them."""
    for entry in case.structure:
        path = folder / entry.file
        path.parent.mkdir(parents=True, exist_ok=True)
        surfaces[entry.name].write(path)
    shutil.copyfile(ct, folder / case.ct.file)
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
