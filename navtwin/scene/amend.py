"""Change a case that is there: all of it or nothing, checked before it counts, and no file of the case is written over.

What replaces a file comes under another name; the old one goes last, when the new one counts.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from navtwin.errors import InputRefused, nearest
from navtwin.scene.case import (
    CASE_FILE,
    MADE,
    SURFACES,
    CaseFile,
    LandmarkEntry,
    PlanEntry,
    StructureEntry,
    named_files,
    read_case_file,
    recipe_file,
    surface_file,
)
from navtwin.scene.case_text import amended_text
from navtwin.scene.lock import LOCK_FILE, RELOCK, changed_files, write_lock

if TYPE_CHECKING:
    from navtwin.scene.surface import Surface


@dataclass
class Draft:
    """A copy of a case that may be changed.

    Attributes
    ----------
    home : the case's own folder, which stays as it is until the draft has been checked
    folder : holds copies of the files that the case names; new ones are written here
    case : what case.toml says; assign a new one, or use the methods
    """

    home: Path
    folder: Path
    case: CaseFile

    def add_structure(self, entry: StructureEntry, surface: Surface, recipe: str = "") -> None:
        """Add a structure and its surface (ct, mm), and the text of its recipe if it was made by hand; the files get names that are free.

        Raises
        ------
        InputRefused : a structure of that name is there
        """
        self._refuse_taken("structure", entry.name)
        self.case = msgspec.structs.replace(self.case, structure=(*self.case.structure, self._stored(entry, surface, recipe)))

    def replace_structure(self, name: str, entry: StructureEntry, surface: Surface | None = None, recipe: str = "") -> None:
        """Put another entry in the place of the structure called `name`: with its own files, or, where the shape is the same, with the old ones.

        Raises
        ------
        InputRefused : no such structure; another one has the new name
        """
        at = self._place_of(name)
        if entry.name != name:
            self._refuse_taken("structure", entry.name)
        if surface is not None:
            entry = self._stored(entry, surface, recipe)
        structures = [entry if n == at else _following(other, name, entry.name) for n, other in enumerate(self.case.structure)]
        self.case = msgspec.structs.replace(self.case, structure=tuple(structures))

    def remove_structure(self, name: str) -> None:
        """Take a structure out; its files go with it."""
        at = self._place_of(name)
        self.case = msgspec.structs.replace(self.case, structure=(*self.case.structure[:at], *self.case.structure[at + 1 :]))

    def _place_of(self, name: str) -> int:
        names = [entry.name for entry in self.case.structure]
        if name not in names:
            raise InputRefused(f"{self.home} has no structure '{name}'", nearest(name, names) if names else "it has none at all")
        return names.index(name)

    def _stored(self, entry: StructureEntry, surface: Surface, recipe: str) -> StructureEntry:
        """The entry with the files that were written for it."""
        entry = msgspec.structs.replace(entry, file=surface_file(entry.name, self._taken(SURFACES)), made="")
        surface.write(self._new_file(entry.file))
        if recipe:
            entry = msgspec.structs.replace(entry, made=recipe_file(entry.name, self._taken(MADE)))
            self._new_file(entry.made).write_text(recipe, encoding="utf-8", newline="\n")
        return entry

    def _taken(self, kind: str) -> list[str]:
        return [f"{kind}/{path.name}" for folder in (self.home, self.folder) for path in (folder / kind).glob("*")]

    def _new_file(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        return path

    def add_landmark(self, entry: LandmarkEntry) -> None:
        """Add a landmark; refused where one of that name is there."""
        self._refuse_taken("landmark", entry.name)
        self.case = msgspec.structs.replace(self.case, landmark=(*self.case.landmark, entry))

    def remove_landmark(self, name: str) -> None:
        """Take a landmark out; refused where there is none of that name."""
        names = [entry.name for entry in self.case.landmark]
        if name not in names:
            raise InputRefused(f"{self.home} has no landmark '{name}'", nearest(name, names) if names else "it has none at all")
        self.case = msgspec.structs.replace(self.case, landmark=tuple(entry for entry in self.case.landmark if entry.name != name))

    def add_plan(self, entry: PlanEntry) -> None:
        """Add a plan; refused where one of that name is there."""
        self._refuse_taken("plan", entry.name)
        self.case = msgspec.structs.replace(self.case, plan=(*self.case.plan, entry))

    def add_note(self, text: str) -> None:
        """Add a line to the notes on the patient."""
        if not text.strip():
            raise InputRefused("the note is empty", "write what is to be noted")
        notes = "\n".join(line for line in (self.case.patient.notes, text.strip()) if line)
        self.case = msgspec.structs.replace(self.case, patient=msgspec.structs.replace(self.case.patient, notes=notes))

    def _refuse_taken(self, kind: str, name: str) -> None:
        if name in {entry.name for entry in getattr(self.case, kind)}:
            how = "first: navtwin structure remove" if kind == "structure" else "of case.toml"
            raise InputRefused(f"{self.home} already has a {kind} '{name}'", f"give the new one another name, or take the old one out {how}")


def _following(entry: StructureEntry, name: str, renamed: str) -> StructureEntry:
    """The entry with what it says of the structure that was called `name`."""
    return msgspec.structs.replace(entry, removal_of=renamed) if entry.removal_of == name else entry


@contextmanager
def amended(folder: Path) -> Iterator[Draft]:
    """A draft of the case at `folder`; when the block ends well and the draft has no fault, it becomes the case.

    New files come first, then case.toml, then the lock; whatever goes wrong on the way is taken back. Files that the case no longer names go last.

    Raises
    ------
    InputRefused : no case there; files that differ from its lock (they are not silently accepted); the draft has a fault, or writes over
        a file of the case; the folder cannot be written to
    """
    before = read_case_file(folder)
    changed = changed_files(folder, named_files(before))
    if changed:
        raise InputRefused(f"{folder}: {changed[0]}, so nothing is added to it", RELOCK)
    home = folder.resolve()
    try:
        with tempfile.TemporaryDirectory(prefix=f".{home.name}.", dir=home.parent) as scratch:
            draft = Draft(folder, Path(scratch), before)
            _copy(folder, draft.folder, (*named_files(before), LOCK_FILE))
            yield draft
            _settle(draft, before)
            _deliver(draft, before)
    except OSError as error:
        raise InputRefused(f"cannot add to {folder}: {error.strerror or error}", "check the folder, the right to write there and the disk") from error


def _copy(folder: Path, to: Path, names: Sequence[str]) -> None:
    for name in names:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, to / name)


def _settle(draft: Draft, before: CaseFile) -> None:
    """Write case.toml and the lock of the draft; refuse it where it has a fault or has written over what was there."""
    from navtwin.scene.check import check_case

    kept = [name for name in named_files(draft.case) if name != CASE_FILE and name in named_files(before)]
    taken = [name for name in named_files(draft.case) if name not in named_files(before) and (draft.home / name).exists()]
    for problem in (*changed_files(draft.folder, kept), *(f"file {name} is there already" for name in taken)):
        raise InputRefused(f"{draft.home}: {problem}", "give what comes in another name")
    path = draft.folder / CASE_FILE
    path.write_text(amended_text(path.read_text(encoding="utf-8"), before, draft.case), encoding="utf-8", newline="\n")
    write_lock(draft.folder, named_files(draft.case))
    faults = [f for f in check_case(draft.folder).findings if f.level == "fault"]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputRefused(f"{draft.home} would not be sound: {faults[0].problem}{more}", faults[0].remedy)


def _deliver(draft: Draft, before: CaseFile) -> None:
    """Move what is new into the case; on any failure the case is as it was."""
    changed = changed_files(draft.home, [CASE_FILE])
    if changed:
        raise InputRefused(f"{draft.home}: {changed[0]} meanwhile, so nothing is added to it", "run the command again")
    new = [name for name in named_files(draft.case) if name not in named_files(before)]
    old = {name: (draft.home / name).read_bytes() for name in (CASE_FILE, LOCK_FILE)}
    try:
        for name in (*new, CASE_FILE, LOCK_FILE):
            (draft.home / name).parent.mkdir(parents=True, exist_ok=True)
            (draft.folder / name).replace(draft.home / name)
    except BaseException:
        for name in new:
            (draft.home / name).unlink(missing_ok=True)
        for name, content in old.items():
            (draft.home / name).write_bytes(content)
        raise
    for name in {name for name in named_files(before) if name not in named_files(draft.case)}:
        # The change counts by now: a file that nobody names any more, and that cannot be removed, does no harm.
        with suppress(OSError):
            (draft.home / name).unlink()
