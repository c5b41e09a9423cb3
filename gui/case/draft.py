"""What was changed in a case and is not written yet: shown at once, written on purpose, taken back step by step. No Qt."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import asdict, replace

from gui.case.cutting import Look
from navtwin.bus.words import name_words
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.case import CaseFile, LandmarkEntry, PlanEntry, StructureEntry
from navtwin.scene.landmarks import set_fault
from navtwin.scene.looks import VEIL_OPACITY
from navtwin.scene.model import Landmark, Plan, Structure
from navtwin.volumes.volume import VolumeBox

UNKNOWN: Final = "unknown"
#: Limits that a structure gets when it becomes critical, until somebody states them: caution and danger, mm.
FIRST_LIMITS_MM: Final = (3.0, 1.5)
_KEYS: Final = {
    "color": "colour", "opacity": "opacity", "role": "role", "caution_mm": "caution", "danger_mm": "danger", "sd_mm": "declared error",
    "entry_mm": "entry", "target_mm": "target", "diameter_mm": "diameter", "tolerance_mm": "tolerance", "name": "name",
    "position_mm": "position",
    "age": "age", "sex": "sex", "study": "study", "laterality": "side", "notes": "notes", "id": "patient number", "birth_date": "date of birth",
}  # fmt: skip


class CaseDraft:
    """A case as it is written, and as it would be.

    Parameters
    ----------
    folder, written : the case, and what its case.toml says

    Attributes
    ----------
    declared : structures whose error was declared anew
    """

    def __init__(self, folder: Path, written: CaseFile) -> None:
        self.folder, self.written = folder, written
        self.declared: set[str] = set()
        self._steps: list[CaseFile] = []
        self._gesture = ""

    @property
    def now(self) -> CaseFile:
        """The case with all changes."""
        return self._steps[-1] if self._steps else self.written

    @property
    def changed(self) -> bool:
        """Whether anything is not written."""
        return self.now != self.written

    def structure(self, name: str) -> StructureEntry:
        """The entry of a structure with its changes."""
        return next(entry for entry in self.now.structure if entry.name == name)

    def plan(self, name: str) -> PlanEntry | None:
        """A plan with its changes; None if there is none of that name."""
        return next((plan for plan in self.now.plan if plan.name == name), None)

    def alter_structure(self, name: str, /, gesture: str = "", **changes: Any) -> None:
        """Change fields of a structure. Steps of the same `gesture` (a slider that is dragged) are taken back as one."""
        entry = self.structure(name)
        role = changes.get("role", entry.role)
        if role != "critical":
            changes |= {"caution_mm": None, "danger_mm": None}
        elif entry.role != "critical":
            was = next(one for one in self.written.structure if one.name == name)
            first = (was.caution_mm, was.danger_mm) if was.role == "critical" else FIRST_LIMITS_MM
            changes = {"caution_mm": first[0], "danger_mm": first[1]} | changes
        if "sd_mm" in changes:
            self.declared.add(name)
        new = replace(entry, **changes)
        self._step(replace(self.now, structure=tuple(new if one.name == name else one for one in self.now.structure)), gesture)

    def add_plan(self, plan: PlanEntry) -> None:
        """One more plan.

        Raises
        ------
        InputRefused : its name is empty or taken
        """
        _refuse_name("plan", plan.name, self.now.plan)
        self._step(replace(self.now, plan=(*self.now.plan, plan)))

    def remove_plan(self, name: str) -> None:
        """Take a plan out."""
        self._step(replace(self.now, plan=tuple(one for one in self.now.plan if one.name != name)))

    def alter_plan(self, name: str, /, gesture: str = "", **changes: Any) -> None:
        """Change fields of a plan.

        Raises
        ------
        InputRefused : another plan has its new name; a diameter or tolerance that is not above 0
        """
        if "name" in changes and changes["name"] != name:
            _refuse_name("plan", changes["name"], self.now.plan)
        for key in ("diameter_mm", "tolerance_mm"):
            if key in changes and not changes[key] > 0.0:
                raise InputRefused(f"{_KEYS[key]} is {changes[key]:g} mm", "it is above 0")
        new = tuple(replace(one, **changes) if one.name == name else one for one in self.now.plan)
        self._step(replace(self.now, plan=new), gesture)

    def add_landmark(self, entry: LandmarkEntry, scanned: VolumeBox) -> None:
        """One more landmark.

        Raises
        ------
        InputRefused : its name is empty or taken; it lies outside the scan
        """
        _refuse_name("landmark", entry.name, self.now.landmark)
        _refuse_outside(entry.name, entry.position_mm, scanned)
        self._step(replace(self.now, landmark=(*self.now.landmark, entry)))

    def remove_landmark(self, name: str) -> None:
        """Take a landmark out."""
        self._step(replace(self.now, landmark=tuple(one for one in self.now.landmark if one.name != name)))

    def rename_landmark(self, name: str, new: str) -> None:
        """Call a landmark otherwise.

        Raises
        ------
        InputRefused : the new name is empty or taken
        """
        if new != name:
            _refuse_name("landmark", new, self.now.landmark)
            self._put_landmark(name, name=new)

    def move_landmark(self, name: str, position_mm: Vec3, scanned: VolumeBox, gesture: str = "") -> None:
        """Put a landmark elsewhere.

        Raises
        ------
        InputRefused : that is outside the scan
        """
        _refuse_outside(name, position_mm, scanned)
        self._put_landmark(name, gesture, position_mm=position_mm)

    def _put_landmark(self, name: str, /, gesture: str = "", **changes: Any) -> None:
        new = tuple(replace(one, **changes) if one.name == name else one for one in self.now.landmark)
        self._step(replace(self.now, landmark=new), gesture)

    def alter_patient(self, **changes: str | None) -> None:
        """Change facts of the patient; None, or nothing but blanks, for what is not known."""
        clean = {key: (text.strip() or None) if text is not None else None for key, text in changes.items()}
        self._step(replace(self.now, patient=replace(self.now.patient, **clean)))

    def rebase(self, written: CaseFile) -> None:
        """The case was changed by somebody else: what is not written stays, on what it says now. A change of what is gone is gone with it."""
        before, now = self.written, self.now
        altered = {one.name: _altered(asdict(old), asdict(one)) for old, one in zip(before.structure, now.structure, strict=True)}
        case = replace(written, structure=tuple(replace(one, **altered.get(one.name, {})) for one in written.structure))
        case = replace(case, patient=replace(case.patient, **_altered(asdict(before.patient), asdict(now.patient))))
        if now.plan != before.plan:
            case = replace(case, plan=now.plan)
        if now.landmark != before.landmark:
            case = replace(case, landmark=now.landmark)
        self.written, self._steps, self._gesture = written, [case] if case != written else [], ""

    def accept(self, written: CaseFile) -> None:
        """`written`, which this draft was a moment ago, is what case.toml says now; what was changed since stays a draft."""
        now = self.now
        self.written, self._steps, self._gesture = written, [now] if now != written else [], ""
        self.declared.clear()

    def settle(self) -> None:
        """A gesture has ended: the next one is a step of its own."""
        self._gesture = ""

    def take_back(self) -> None:
        """Undo the last step."""
        if self._steps:
            self._steps.pop()
        self._gesture = ""

    def drop(self) -> None:
        """Undo all of it."""
        self._steps, self._gesture = [], ""
        self.declared.clear()

    def faults(self) -> tuple[str, ...]:
        """What keeps the draft from being written, as far as it can be told without looking at files."""
        limits = tuple(words for entry in self.now.structure if (words := limits_fault(entry)))
        wrong = set_fault(self.now.landmark)
        return (*limits, ": ".join(wrong)) if wrong is not None else limits

    def words(self) -> tuple[str, ...]:
        """Each change in words: what it was, and what it is."""
        said = []
        for old, new in zip(self.written.structure, self.now.structure, strict=True):
            said += [f"{name_words(new.name)}: {words}" for words in _differences(asdict(old), asdict(new))]
        said += _changes_of("plan", self.written.plan, self.now.plan)
        said += _changes_of("landmark", self.written.landmark, self.now.landmark)
        said += [f"patient: {words}" for words in _differences(asdict(self.written.patient), asdict(self.now.patient), UNKNOWN)]
        return tuple(said)

    def unsaved_words(self) -> str:
        """`2 changes of case are not written`; "" where all is."""
        count = len(self.words())
        return f"{count} change{'s' if count != 1 else ''} of {self.folder.name} {'are' if count != 1 else 'is'} not written" if count else ""

    def _step(self, case: CaseFile, gesture: str = "") -> None:
        if case == self.now:
            return
        if gesture and gesture == self._gesture and self._steps:
            self._steps[-1] = case
        else:
            self._steps.append(case)
        self._gesture = gesture


def limits_fault(entry: StructureEntry) -> str:
    """What is wrong with the limits of a structure; "" if nothing is."""
    # What builds structures takes seconds to load: only once a case is open, which needs it too.
    from navtwin.scene.author.into_case import refuse_limits

    try:
        refuse_limits(entry.name, entry.role, entry.caution_mm, entry.danger_mm)
    except InputRefused as refused:
        return refused.problem
    return ""


def looks_in(case: CaseFile, visible: Mapping[str, bool]) -> dict[str, Look]:
    """How the structures are drawn; `visible` for those that were shown or hidden by hand, veils are hidden at first."""
    return {
        s.name: Look(s.color, s.opacity, s.role, visible.get(s.name, s.role == "critical" or s.opacity >= VEIL_OPACITY)) for s in case.structure
    }  # fmt: skip


def plans_in(case: CaseFile) -> tuple[Plan, ...]:
    """The plans of a case file."""
    return tuple(Plan(p.name, p.entry_mm, p.target_mm, p.diameter_mm, p.tolerance_mm) for p in case.plan)


def as_declared(structure: Structure, entry: StructureEntry) -> Structure:
    """A loaded structure with what a draft declares of it."""
    now = asdict(entry)
    return dataclasses.replace(structure, **{key: now[key] for key in ("role", "caution_mm", "danger_mm", "sd_mm", "color", "opacity")})


def landmarks_in(case: CaseFile) -> tuple[Landmark, ...]:
    """The landmarks of a case file."""
    return tuple(Landmark(m.name, m.position_mm) for m in case.landmark)


def _refuse_name(kind: str, name: str, others: Sequence[PlanEntry] | Sequence[LandmarkEntry]) -> None:
    if not name.strip():
        raise InputRefused(f"a {kind} needs a name", "write one")
    if name in {one.name for one in others}:
        raise InputRefused(f"there is a {kind} '{name}' already", "give it another name")


def _refuse_outside(name: str, position_mm: Vec3, scanned: VolumeBox) -> None:
    if not scanned.contains(position_mm):
        x, y, z = position_mm
        raise InputRefused(f"{x:g} {y:g} {z:g} mm lies outside the scan", f"place {name} on bone that was scanned")


def _changes_of(kind: str, before: Sequence[Any], now: Sequence[Any]) -> Iterator[str]:
    kept = {one.name: one for one in before}
    for one in now:
        old = kept.pop(one.name, None)
        if old is None:
            yield f"{_called(kind, one.name)}: new"
        else:
            yield from (f"{_called(kind, one.name)}: {words}" for words in _differences(asdict(old), asdict(one)))
    yield from (f"{_called(kind, name)}: removed" for name in kept)


def _called(kind: str, name: str) -> str:
    return name if name.startswith(kind) else f"{kind} {name}"


def _altered(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {key: now for key, now in new.items() if now != old[key]}


def _differences(old: dict[str, Any], new: dict[str, Any], none: str = "none") -> Iterator[str]:
    for key, now in _altered(old, new).items():
        was = old[key]
        what = _KEYS.get(key, key)
        if key in ("entry_mm", "target_mm", "position_mm"):
            yield f"{what} moved by {math.dist(was, now):.1f} mm"
        elif key == "notes":
            yield "notes changed"
        else:
            unit = " mm" if key.endswith("_mm") else ""
            yield f"{what} {_value(was, none)} → {_value(now, none)}{unit if now is not None else ''}"


def _value(value: object, none: str) -> str:
    if value is None:
        return none
    return f"{value:g}" if isinstance(value, float) else str(value)
