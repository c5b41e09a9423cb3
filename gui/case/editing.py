"""The draft of the open case as the place's parts share it: they change it here, and hear of every change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal

from gui.case.cutting import Look
from gui.case.draft import CaseDraft, landmarks_in, looks_in, plans_in
from gui.case.session_limits import SessionLimits
from gui.desktop.desk import Desk
from gui.desktop.jobs import Job, Report
from gui.link.board import Moment
from navtwin.errors import NavtwinError
from navtwin.scene.case import CaseFile, read_case_file
from navtwin.scene.model import Landmark, Plan, Scene

SETTINGS = ("navtwin", "gui")
#: Who changes cases, as it was stated last: here, or with the tools.
AUTHOR = "tools/author"


class Editing(QObject):
    """What is open, and what is changed in it.

    Signals
    -------
    opened : another case, or the same one read again
    changed : the draft, what is shown or hidden, or what is known of a running session is other than before
    refused : why a change was not taken, or the case could not be written; "" where all is well again
    """

    opened = Signal()
    changed = Signal()
    refused = Signal(str)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.scene: Scene | None = None
        self.draft: CaseDraft | None = None
        self.left_behind: CaseDraft | None = None
        self.visible: dict[str, bool] = {}
        self.volumes_ml: dict[str, float | None] = {}
        self.session = SessionLimits()
        self._writing: Job | None = None

    def open(self, scene: Scene | None) -> None:
        """Take a case that was loaded. What is not written of the same one stays; of another one it waits to be written or dropped."""
        old = self.draft
        if old is not None and old.changed and (scene is None or scene.folder != old.folder):
            self.left_behind = old
        if scene is None or self.scene is None or scene.folder != self.scene.folder:
            self.visible = {}
        self.volumes_ml = {}
        self.scene, self.draft = scene, None
        if scene is not None:
            try:
                written = read_case_file(scene.folder)
            except NavtwinError as refusal:
                self.refused.emit(str(refusal))
            else:
                self.draft = self._draft_of(scene, written, old)
        self.opened.emit()
        self.changed.emit()

    def follow(self, moment: Moment) -> None:
        """Take in what the core says."""
        scene, draft = self.scene, self.draft
        if self.session.follow(moment, scene.folder if scene else None, scene.case_hash if scene else "", draft.written if draft else None):
            self.changed.emit()

    @property
    def case(self) -> CaseFile | None:
        """The case with all changes."""
        return self.draft.now if self.draft is not None else None

    @property
    def looks(self) -> dict[str, Look]:
        return looks_in(self.draft.now, self.visible) if self.draft is not None else {}

    @property
    def plans(self) -> tuple[Plan, ...]:
        return plans_in(self.draft.now) if self.draft is not None else ()

    @property
    def landmarks(self) -> tuple[Landmark, ...]:
        return landmarks_in(self.draft.now) if self.draft is not None else ()

    @property
    def writing(self) -> bool:
        """Whether the draft is being written now."""
        return self._writing is not None and self._writing.running

    @property
    def author(self) -> str:
        """Who changes cases here: as stated last, or the name of the account."""
        from gui.case.tools.sheet import login_name

        return str(QSettings(*SETTINGS).value(AUTHOR, "")) or login_name()

    def structure(self, name: str, /, gesture: str = "", **changes: Any) -> bool:
        """Change a structure; False where that is refused."""
        return self._act(lambda draft: draft.alter_structure(name, gesture, **changes))

    def plan(self, name: str, /, gesture: str = "", **changes: Any) -> bool:
        """Change a plan; False where that is refused."""
        return self._act(lambda draft: draft.alter_plan(name, gesture, **changes))

    def patient(self, **changes: str | None) -> bool:
        """Change facts of the patient."""
        return self._act(lambda draft: draft.alter_patient(**changes))

    def alter(self, act: Callable[[CaseDraft], object]) -> bool:
        """Any other change of the draft; False where it is refused."""
        return self._act(act)

    def settle(self) -> None:
        """A gesture has ended: what comes next is taken back by itself."""
        if self.draft is not None:
            self.draft.settle()

    def measured(self, volumes_ml: dict[str, float | None]) -> None:
        """How large the structures are, None where a surface is not closed."""
        self.volumes_ml = volumes_ml
        self.changed.emit()

    def turn(self, name: str) -> None:
        """Show a structure that is hidden, hide one that is shown. The case does not keep that."""
        self.visible[name] = not self.looks[name].visible
        self.changed.emit()

    def only_watched(self, on: bool) -> None:
        """Hide all that is not watched; or show again what is shown at first."""
        case = self.case
        self.visible = {one.name: one.role == "critical" for one in case.structure} if on and case is not None else {}
        self.changed.emit()

    def take_back(self) -> None:
        """Undo the last change."""
        self._act(lambda draft: draft.take_back())

    def drop(self) -> None:
        """Undo all changes."""
        self._act(lambda draft: draft.drop())

    def write(self, draft: CaseDraft | None = None) -> None:
        """Write the draft to its case.toml, beside the window."""
        draft = draft or self.draft
        if draft is None or not draft.changed or self.writing:
            return
        self.refused.emit("")
        work = partial(_write, draft, draft.written, draft.now, self.author, frozenset(draft.declared))
        self._writing = self._desk.beside(f"writing {draft.folder.name}", work, partial(self._written, draft, draft.now))
        self.changed.emit()

    def drop_left_behind(self) -> None:
        """Forget what was not written of the case that was open before."""
        self.left_behind = None
        self.changed.emit()

    def tell_session(self) -> None:
        """Give a running session the limits of the draft."""
        if self.draft is None:
            return
        for order in self.session.missing(self.draft.now):
            self._desk.order(order)
            self.session.told(order)
        self.changed.emit()

    def _act(self, act: Callable[[CaseDraft], object]) -> bool:
        if self.draft is None:
            return False
        try:
            act(self.draft)
        except NavtwinError as refusal:
            self.refused.emit(str(refusal))
            # The field that held it shows again what holds.
            self.changed.emit()
            return False
        self.refused.emit("")
        self.changed.emit()
        return True

    def _draft_of(self, scene: Scene, written: CaseFile, old: CaseDraft | None) -> CaseDraft:
        waiting = self.left_behind if self.left_behind is not None and self.left_behind.folder == scene.folder else None
        draft = old if old is not None and old.folder == scene.folder else waiting
        if draft is None:
            return CaseDraft(scene.folder, written)
        if draft is waiting:
            self.left_behind = None
        if draft.written != written:
            draft.rebase(written)
        return draft

    def _written(self, draft: CaseDraft, written: CaseFile, _result: object, words: str) -> None:
        if words:
            self.refused.emit("" if words == "cancelled" else f"Not written: {words}")
        else:
            draft.accept(written)
            if draft is self.left_behind:
                self.left_behind = None
            if self.scene is not None and draft.folder == self.scene.folder:
                self._desk.reload_case()
        self.changed.emit()


def _write(draft: CaseDraft, before: CaseFile, after: CaseFile, author: str, declared: frozenset[str], report: Report) -> None:
    from navtwin.scene.amend_facts import write_facts

    report("checking and writing")
    write_facts(draft.folder, before, after, author, date.today().isoformat(), declared)
