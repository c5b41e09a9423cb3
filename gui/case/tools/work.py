"""What a draft asks of the case: a new structure, or a change of one that is there. In a thread, or as a command of its own. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from navtwin.errors import InputRefused
from navtwin.scene.author.into_case import Altered, Declared, add_made, change_made, entry_of
from navtwin.scene.author.recipe import Edit, Recipe, Threshold, read_recipe, recipe_text
from navtwin.scene.build import ASSUMED_SD_MM, Report
from navtwin.scene.case import read_case_file

#: Of what a build says, what is to be looked at.
_DOUBTS = (
    "the scan ends inside", "large parts", "is assumed", "lies beside the structure", "nothing is being watched", "adds nothing", "takes nothing",
)  # fmt: skip


def doubtful(sentence: str) -> bool:
    """Whether a sentence of a build is a warning."""
    return any(words in sentence for words in _DOUBTS)


@dataclass(frozen=True)
class Work:
    """One structure to be made, or made anew.

    Attributes
    ----------
    name : of the structure: the new one, or the one that is there
    edits : all steps of it
    declared : of a new one; None for one that is there
    altered : what is declared anew of one that is there
    before : its recipe as it was when its draft was begun
    author, day : who makes it, and when (YYYY-MM-DD)
    """

    folder: Path
    name: str
    edits: tuple[Edit, ...]
    declared: Declared | None
    altered: Altered
    before: Recipe | None
    author: str
    day: str

    @property
    def title(self) -> str:
        return f"making {self.name}" if self.declared is not None else f"rebuilding {self.name}"

    @property
    def heavy(self) -> bool:
        """It needs the voxels of the scan: seconds, in which nothing else of Python may run for long, and that only ending a process cuts short."""
        return any(isinstance(edit, Threshold) for edit in self.edits)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What is said of an error that nobody declares; as a command, a recipe declares it."""
        guess = self.declared is not None and self.declared.sd_mm is None
        return (f"nobody declared its error: one standard deviation of {ASSUMED_SD_MM:g} mm is assumed",) if guess else ()

    def refuse_changed(self) -> None:
        """Refuse to build over a structure that somebody else has changed or taken out since.

        Raises
        ------
        InputRefused : so
        """
        if self.before is None:
            return
        made = entry_of(read_case_file(self.folder), self.name).made
        if not made or read_recipe(self.folder / made) != self.before:
            raise InputRefused(f"'{self.name}' has been changed meanwhile", "choose it again in the list; what you drew stays until you discard it")

    def run(self, report: Report) -> tuple[str, ...]:
        """Do it here; sentences on what was done and decided.

        Raises
        ------
        InputRefused : as `add_made` and `change_made`
        """
        if self.declared is not None:
            return add_made(self.folder, self.declared, self.edits, self.author, self.day, report)
        return change_made(self.folder, self.name, lambda recipe: replace(recipe, edit=self.edits), self.altered, self.author, self.day, report)

    def recipe_text(self) -> str:
        """The steps as the file that `arguments` names."""
        return recipe_text(Recipe(self.author, self.day, ASSUMED_SD_MM, self.edits))

    def arguments(self, recipe: Path) -> list[str]:
        """The same as words behind `navtwin`, its steps in a file."""
        words = ["structure", "make", str(self.folder), str(recipe), f"--author={self.author}"]
        if self.declared is not None:
            one = self.declared
            options = {"role": one.role, "caution": one.caution_mm, "danger": one.danger_mm, "sd": one.sd_mm, "color": one.color or None}
            words += [f"--name={one.name}"]
        else:
            new = self.altered
            options = {"role": new.role, "caution": new.caution_mm, "danger": new.danger_mm, "sd": new.sd_mm, "color": new.color, "rename": new.name}
            words += [f"--again={self.name}"]
        # As one word each: a name may begin with a dash.
        return [*words, *(f"--{key}={value}" for key, value in options.items() if value is not None)]
