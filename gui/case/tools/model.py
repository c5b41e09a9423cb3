"""The four tools on their bench: which one is in the hand, what each holds, and where it goes. No Qt.

A draft stays until it is made or discarded on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from gui.case.tools.bone import BoneTool
from gui.case.tools.paint import PaintTool, paint_tool
from gui.case.tools.sheet import Fault, Kind, Sheet, altered, declared, faults, first_sheet, sheet_of
from gui.case.tools.sphere import SphereTool, sphere_tool
from gui.case.tools.touch import Touch
from gui.case.tools.tube import TubeTool, tube_tool
from gui.case.tools.work import Work
from navtwin.errors import InputRefused
from navtwin.scene.author.into_case import Altered, Listed
from navtwin.scene.author.recipe import Edit, Painted, Recipe, Sphere, Threshold, Tube
from navtwin.volumes.volume import VolumeBox

KINDS: Final[tuple[Kind, ...]] = ("bone", "tube", "sphere", "paint")
KIND_WORDS: Final[dict[Kind, str]] = {"bone": "Bone", "tube": "Tube", "sphere": "Sphere", "paint": "Paint"}
Tool = BoneTool | TubeTool | SphereTool | PaintTool
Way = Literal["new", "into", "out of"]
_NEW: Final[dict[Kind, Callable[[], Tool]]] = {"bone": BoneTool, "tube": TubeTool, "sphere": SphereTool, "paint": PaintTool}


@dataclass(frozen=True)
class Subject:
    """A structure of the case that a draft changes.

    Attributes
    ----------
    step : which of its steps is in the tool's hands, from 0 on
    sheet : what is declared of it
    """

    name: str
    recipe: Recipe
    step: int
    sheet: Sheet


@dataclass
class Bench:
    """One tool with what it holds.

    Attributes
    ----------
    subject : the structure that is being changed; None for a new one
    way, other : a new structure, or a step more of the one called `other`
    faults : what was wrong when it was to be built
    """

    kind: Kind
    tool: Tool
    sheet: Sheet
    subject: Subject | None = None
    way: Way = "new"
    other: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing would be lost."""
        return self.tool.empty and self.subject is None and self.sheet == first_sheet(self.kind, self.sheet.author)

    @property
    def own(self) -> bool:
        """It makes or changes a structure of its own, whose form counts; otherwise it adds a step to another one."""
        return self.subject is not None or self.way == "new"

    @property
    def changed(self) -> bool:
        """Whether a structure that is being changed would become another one."""
        if self.subject is None:
            return not self.tool.empty
        kept = replace(self.sheet, author="") != replace(self.subject.sheet, author="")
        try:
            return kept or self.edit() != self.subject.recipe.edit[self.subject.step]
        except InputRefused:
            return True

    def edit(self) -> Edit:
        """The step that the tool holds.

        Raises
        ------
        InputRefused : it is not whole
        """
        subtract = self.subject.recipe.edit[self.subject.step].subtract if self.subject is not None else self.way == "out of"
        draft = self.tool.draft
        if isinstance(draft, Threshold):
            from msgspec.structs import replace as with_fields

            return with_fields(draft, subtract=subtract)
        return draft.edit(subtract)


@dataclass
class Workbench:
    """The tools of one case.

    Attributes
    ----------
    folder, box : of the case
    author : who works here, by default
    listed : the structures of the case, as far as known
    in_hand : the tool that the mouse belongs to; None for none
    said : what was said when the last one was built or taken out, until a tool is taken again
    """

    folder: Path
    box: VolumeBox
    author: str
    listed: tuple[Listed, ...] = ()
    colors: dict[str, str] = field(default_factory=dict)
    in_hand: Kind | None = None
    said: tuple[str, ...] = ()
    benches: dict[Kind, Bench] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in KINDS:
            self.benches.setdefault(kind, Bench(kind, _NEW[kind](), first_sheet(kind, self.author)))

    @property
    def bench(self) -> Bench | None:
        """What the tool in the hand holds."""
        return None if self.in_hand is None else self.benches[self.in_hand]

    @property
    def made(self) -> tuple[Listed, ...]:
        """The structures that were made by hand."""
        return tuple(one for one in self.listed if one.recipe is not None)

    @property
    def mouse(self) -> bool:
        """Whether a press in a slice is the tool's."""
        bench = self.bench
        return bench is not None and not (isinstance(bench.tool, BoneTool) and not bench.tool.doing)

    def take(self, kind: Kind | None) -> None:
        """Take a tool, or lay down the one in hand: what it holds stays."""
        self.in_hand = kind
        if kind is not None:
            self.said = ()

    def refuse_outside(self, touch: Touch) -> None:
        """Refuse a point where nothing was scanned."""
        if not self.box.contains(touch.at_mm):
            raise InputRefused("that place lies outside the scan", "place it where the slice shows the patient")

    def discard(self, kind: Kind) -> None:
        """Throw away what a tool holds, on purpose."""
        self.benches[kind] = Bench(kind, _NEW[kind](), first_sheet(kind, self.author))

    def load(self, name: str, step: int = 0) -> Kind:
        """Take a structure that was made by hand back into its tool.

        Raises
        ------
        InputRefused : no recipe of that name; outlines that no slice here shows; the tool holds a draft of something else
        """
        found = next((one for one in self.made if one.name == name), None)
        if found is None or found.recipe is None:
            raise InputRefused(f"'{name}' was not made by hand", "make it anew, or mend it where it was made")
        kind, tool = _tool_of(found.recipe.edit[step])
        bench = self.benches[kind]
        if not bench.empty and bench.changed:
            what = f"the change of '{bench.subject.name}'" if bench.subject else f"a draft ({bench.tool.words()})"
            raise InputRefused(f"the {KIND_WORDS[kind]} tool still holds {what}", "make it or discard it first")
        sheet = sheet_of(found, self.colors.get(name, ""), self.author)
        self.benches[kind] = Bench(kind, tool, sheet, Subject(name, found.recipe, step, sheet))
        self.in_hand = kind
        return kind

    def relist(self, listed: Sequence[Listed], colors: dict[str, str]) -> None:
        """Other structures in the case."""
        self.listed, self.colors = tuple(listed), colors
        names = {one.name for one in self.made}
        for bench in self.benches.values():
            if bench.way != "new" and bench.other not in names:
                bench.way, bench.other = "new", ""

    def unsaved(self) -> Iterator[str]:
        """Each draft that is neither made nor discarded, in words."""
        for bench in self.benches.values():
            if bench.subject is not None and bench.changed:
                yield f"The change of '{bench.subject.name}' in {self.folder.name} is not built yet."
            elif bench.subject is None and not bench.tool.empty:
                yield f"A draft of the {KIND_WORDS[bench.kind]} tool in {self.folder.name} ({bench.tool.words()}) is not made yet."

    def work(self, kind: Kind, day: str) -> Work | None:
        """What is to be done for the draft of a tool; None where something is missing: `faults` of its bench says what."""
        bench = self.benches[kind]
        subject = bench.subject
        taken = {one.name for one in self.listed if subject is None or one.name != subject.name}
        found = list(faults(bench.sheet, taken, named=bench.own))
        edit: Edit | None = None
        try:
            edit = bench.edit()
        except InputRefused as refused:
            found.insert(0, Fault("shape", str(refused)))
        if subject is not None and edit is not None and not bench.changed:
            found.append(Fault("shape", f"Nothing of '{subject.name}' has changed yet."))
        bench.faults = tuple(found)
        if found or edit is None:
            return None
        author = bench.sheet.author.strip()
        if subject is not None:
            edits = (*subject.recipe.edit[: subject.step], edit, *subject.recipe.edit[subject.step + 1 :])
            return Work(self.folder, subject.name, edits, None, altered(bench.sheet, subject.sheet), subject.recipe, author, day)
        if bench.way == "new":
            return Work(self.folder, bench.sheet.name.strip(), (edit,), declared(bench.sheet), Altered(), None, author, day)
        other = next(one for one in self.made if one.name == bench.other)
        assert other.recipe is not None
        return Work(self.folder, other.name, (*other.recipe.edit, edit), None, Altered(), other.recipe, author, day)

    def built(self, kind: Kind, said: tuple[str, ...]) -> None:
        """A draft has become a structure: its tool is empty again and is laid down."""
        self.author = self.benches[kind].sheet.author.strip() or self.author
        self.discard(kind)
        self.said = said
        if self.in_hand == kind:
            self.in_hand = None


def _tool_of(edit: Edit) -> tuple[Kind, Tool]:
    match edit:
        case Threshold():
            return "bone", BoneTool(edit)
        case Tube():
            return "tube", tube_tool(edit)
        case Sphere():
            return "sphere", sphere_tool(edit)
        case Painted():
            return "paint", paint_tool(edit)
