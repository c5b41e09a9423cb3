"""Building beside the window: in a thread where it is a matter of a moment, in a process of its own where it takes the voxels.

A thread that works through half a gigabyte holds the window up now and then and cannot be cut short; a process is ended, and the case is as it was.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QSettings, QTimer, Signal

from gui.case.tools.bone import BoneTool
from gui.case.tools.level import islands_of
from gui.case.tools.model import Bench, Workbench
from gui.case.tools.sheet import Fault
from gui.case.tools.work import Work
from gui.desktop.desk import Desk
from gui.desktop.jobs import Job
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.into_case import remove as take_out
from navtwin.volumes.volume import Volume

#: Called with what was said and "", or with () and what went wrong.
Done = Callable[[tuple[str, ...], str], None]
SETTINGS: Final = ("navtwin", "gui")
AUTHOR_KEY: Final = "tools/author"
#: What shows that work has begun is painted before a thread and the painting take turns at every stroke, ms.
BREATH_MS: Final = 30
_PROGRAM: Final = "navtwin: "
_CANCELLED: Final = "Cancelled. The draft is kept; the list shows what the case holds."


class Builder(QObject):
    """One thing at a time is built, looked for or taken out.

    Signals
    -------
    changed : it has begun or ended
    built : the name of a structure that has come into the case, or was changed
    removed : what was said of one that was taken out, and what went wrong
    found : where the largest island lies
    """

    changed = Signal()
    built = Signal(str)
    removed = Signal(tuple, str)
    found = Signal(object)

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._job: Job | None = None
        self._start: Callable[[], Job] | None = None

    @property
    def busy(self) -> bool:
        return self._start is not None or (self._job is not None and self._job.running)

    def make(self, workbench: Workbench, bench: Bench) -> None:
        """Build what a tool holds; what is missing becomes the faults of its bench, and nothing is begun."""
        if self.busy:
            return
        bench.faults = ()
        work: Work | None = None
        try:
            bench.tool.finish()
            work = workbench.work(bench.kind, date.today().isoformat())
            if work is not None:
                work.refuse_changed()
        except InputRefused as refused:
            bench.faults, work = (Fault("shape", str(refused)),), None
        if work is None:
            self.changed.emit()
            return
        QSettings(*SETTINGS).setValue(AUTHOR_KEY, work.author)
        name = work.declared.name if work.declared is not None else work.altered.name or work.name
        self._begin(lambda: build_beside(self._desk, work, lambda said, wrong: self._made(workbench, bench, name, said, wrong)))

    def remove(self, name: str) -> None:
        """Take a structure out of the case."""
        folder = self._desk.folder
        if folder is not None and not self.busy:
            self._begin(lambda: self._desk.beside(f"taking {name} out", lambda _report: take_out(folder, name), self._removed))

    def look_for_largest(self, bench: Bench, volume: Volume) -> None:
        """Have the tool keep the largest island only."""
        tool = bench.tool
        if self.busy or not isinstance(tool, BoneTool):
            return
        draft = tool.draft

        def ended(seed_mm: Vec3 | None, wrong: str) -> None:
            if seed_mm is not None:
                tool.keep_island_at(seed_mm)
                self.found.emit(seed_mm)
            elif wrong != "cancelled":
                bench.faults = (Fault("shape", wrong),)
            self.changed.emit()

        self._begin(lambda: self._desk.beside("looking for the largest island", lambda report: islands_of(draft, volume, report).largest(), ended))

    def _begin(self, start: Callable[[], Job]) -> None:
        self._start = start
        self.changed.emit()
        QTimer.singleShot(BREATH_MS, self, self._go)

    def _go(self) -> None:
        if self._start is not None:
            self._job, self._start = self._start(), None

    def _made(self, workbench: Workbench, bench: Bench, name: str, said: tuple[str, ...], wrong: str) -> None:
        if wrong:
            bench.faults = (Fault("shape", _CANCELLED if wrong == "cancelled" else wrong),)
        else:
            workbench.built(bench.kind, said)
            self.built.emit(name)
        self.changed.emit()
        if self._desk.folder == workbench.folder:
            # Also after a failure: whatever happened, what is shown is what the case holds.
            self._desk.reload_case()

    def _removed(self, said: tuple[str, ...] | None, wrong: str) -> None:
        self.changed.emit()
        self.removed.emit(said or (), wrong)
        self._desk.reload_case()


def build_beside(desk: Desk, work: Work, done: Done) -> Job:
    """Begin to build; `done` is called in the window's thread."""
    if not work.heavy:
        return desk.beside(work.title, work.run, lambda said, words: done(said or (), words))
    scratch = tempfile.TemporaryDirectory(prefix="navtwin-recipe-")
    recipe = Path(scratch.name) / "recipe.toml"
    recipe.write_text(work.recipe_text(), encoding="utf-8", newline="\n")
    lines: list[str] = []

    def ended(words: str) -> None:
        scratch.cleanup()
        done(() if words else (*lines, *work.assumed), words.removeprefix(_PROGRAM))

    job = desk.command(work.title, work.arguments(recipe), ended)
    job.line.connect(lines.append)
    return job
