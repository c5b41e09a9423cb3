"""The tools that make structures of a scan that has no labels: bone, tube, sphere and painted slices, drawn in the slices beside this panel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSettings, Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.case.parts import Choice, button, words
from gui.case.scene3d import CaseScene3d
from gui.case.slices import CaseSlices
from gui.case.tools.bone_page import BonePage
from gui.case.tools.building import AUTHOR_KEY, SETTINGS, Builder
from gui.case.tools.form import SheetForm
from gui.case.tools.hand import Hand
from gui.case.tools.keys import AFTER, BEFORE, DELETE, FINISH, LAY_DOWN, LETTERS, MAKE, REDO, UNDO, add_keys
from gui.case.tools.level import level_between
from gui.case.tools.listed import listed_of
from gui.case.tools.made import MadeList
from gui.case.tools.model import KIND_WORDS, KINDS, Bench, Way, Workbench
from gui.case.tools.pages import PaintPage, SpherePage, TubePage
from gui.case.tools.sheet import Kind, Sheet, login_name
from gui.case.tools.work import doubtful
from gui.desktop.desk import Desk
from navtwin.bus.words import name_words
from navtwin.errors import InputRefused
from navtwin.volumes.volume import Volume

ABOUT: Final[dict[Kind, str]] = {
    "bone": "All of the scan above a threshold: what is drilled",
    "tube": "A vessel, nerve or canal: a clicked centre line and a radius",
    "sphere": "A ball: a cyst, an aneurysm, a place to stay away from",
    "paint": "Outlines on some slices, in between interpolated",
}
INTRO: Final = (
    "A scan has no labels: of itself nothing is watched. Make what is drilled as bone, and what must be spared as a tube (nerve, vessel), "
    "a sphere, or painted slices."
)
#: By then a box of words that has come up has its place.
LAID_OUT_MS: Final = 40


class ToolsPanel(QWidget):
    """The tools' column.

    Parameters
    ----------
    slices : the tool in the hand takes their left button, and draws over them
    scene3d : a click there picks an island of bone, or a centre
    parent : the place; the tools' keys act in all of it

    Signals
    -------
    tool_changed : the tool that is in the hand: its word, "" for none
    built : the name of a structure that has come into the case, or was changed, once the case is loaded with it
    """

    tool_changed = Signal(str)
    built = Signal(str)

    def __init__(self, desk: Desk, slices: CaseSlices, scene3d: CaseScene3d | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._slices = desk, slices
        self._benches: dict[Path, Workbench] = {}
        self._in_front = True
        self._chosen = self._awaited = ""
        self._trouble = ""
        self._ways: list[tuple[Way, str]] = [("new", "")]
        self.hand = Hand(slices, scene3d, self)
        self.builder = Builder(desk, self)
        self.tools = Choice([(kind, KIND_WORDS[kind], f"{ABOUT[kind]} ({LETTERS[kind]})") for kind in KINDS])
        self.intro = words(INTRO, dim=True)
        self.made = MadeList()
        self.heading = words("")
        self.hint = words("", "news")
        self.fault = words("", "bad")
        self.so_far = words("", dim=True)
        self.undo = button("Undo", "Take the last stroke back", lambda: self.hand.step("undo"), "small", "Ctrl+Z")
        self.redo = button("Redo", "Do it again", lambda: self.hand.step("redo"), "small", "Ctrl+Shift+Z")
        self.discard = button("Discard", "Throw this draft away", self._discard, "small")
        self.bone = BonePage(self._set)
        self.tube, self.sphere, self.paint = TubePage(self._set), SpherePage(self._set), PaintPage(self._set)
        self.goes = QComboBox()
        self.goes.setAccessibleName("where it goes")
        self.goes.setToolTip("A structure of its own, or a step more of one that was made here")
        self.form = SheetForm()
        self.make = button("Make structure", "Build it and put it into the case", self.start_making, "primary", "Ctrl+Return")
        self.said, self.doubts = words("", "good"), words("", "warn")
        self._tell(())
        self._lay_out()
        self._connect()
        letters = {letter: partial(self.take, kind) for kind, letter in LETTERS.items()}
        add_keys(parent or self, letters)
        self._keys = add_keys(parent or self, {
            LAY_DOWN: partial(self.take, None), UNDO: partial(self.hand.step, "undo"), REDO: partial(self.hand.step, "redo"),
            DELETE: self.hand.delete, FINISH: self.hand.finish, BEFORE: partial(self.hand.step_place, -1),
            AFTER: partial(self.hand.step_place, 1), MAKE: self.start_making,
        })  # fmt: skip
        if slices.volume is not None:
            self._take_volume(slices.volume)
        self._follow_case()

    @property
    def workbench(self) -> Workbench | None:
        """Of the open case."""
        return self.hand.workbench

    @property
    def bench(self) -> Bench | None:
        """What the tool in the hand holds."""
        return self.hand.bench

    @property
    def unsaved(self) -> str:
        """What would be lost if the window closed now, in words; "" for nothing."""
        return "\n".join(words for workbench in self._benches.values() for words in workbench.unsaved())

    def take(self, kind: Kind | None) -> None:
        """Take a tool in the hand; None lays it down, and its draft stays."""
        if self.workbench is not None:
            self._trouble = ""
            self.workbench.take(kind)
            self._scroll.verticalScrollBar().setValue(0)
            self._refresh()
            self.tool_changed.emit(kind or "")

    def edit(self, name: str, step: int = 0) -> None:
        """Take a structure that was made by hand back into its tool; what hinders it is said in the panel."""
        if self.workbench is None:
            return
        try:
            kind = self.workbench.load(name, step)
        except InputRefused as refused:
            self._trouble = str(refused)
            self._refresh()
            return
        self.take(kind)
        self.hand.go_to_draft()

    def start_making(self) -> None:
        """Build what the tool in the hand holds; what is missing is said where it is missing."""
        bench, workbench = self.bench, self.workbench
        if bench is not None and workbench is not None:
            self.builder.make(workbench, bench)
            if bench.faults and bench.faults[0].field != "shape":
                words_of_it = self.form.go_to(bench.faults[0].field)
                QTimer.singleShot(LAID_OUT_MS, words_of_it, lambda: self._scroll.ensureWidgetVisible(words_of_it))

    def set_scale(self, scale: float) -> None:
        """Draw everything that much larger than designed."""
        self.hand.overlay.scale = scale
        for page in (self.bone, self.tube, self.sphere, self.paint, self.form, self.made):
            page.set_scale(scale)
        for tall in (*self.tools.buttons.values(), self.make):
            tall.setMinimumHeight(round(40 * scale))
        for small in (self.undo, self.redo, self.discard):
            small.setMinimumHeight(round(32 * scale))
        self._slices.repaint_overlays()

    def entered(self) -> None:
        """The place has come to the front: the tool has the mouse again."""
        self._in_front = True
        self._refresh()

    def left(self) -> None:
        """The place is left: drafts stay."""
        self._in_front = False
        self._refresh()

    def release(self) -> None:
        """The window closes."""
        self.hand.release()

    def _follow_case(self) -> None:
        scene, folder = self._desk.scene, self._desk.folder
        if scene is None or folder is None:
            self.hand.workbench = None
            self._refresh()
            return
        found = self._benches.get(folder)
        if found is None:
            author = str(QSettings(*SETTINGS).value(AUTHOR_KEY, "")) or login_name()
            found = self._benches[folder] = Workbench(folder, scene.volume, author)
        if self.hand.workbench is not found:
            self._trouble = ""
        found.box, self.hand.workbench = scene.volume, found
        try:
            found.relist(listed_of(scene, folder), {s.name: s.color for s in scene.structures})
        except InputRefused as refused:
            self._trouble = str(refused)
        self.made.show_made(found.made, found.colors)
        self.made.choose(self._chosen)
        self._show_ways()
        if self._awaited in {one.name for one in found.listed}:
            self.built.emit(self._awaited)
            self._awaited = ""

    def _refresh(self) -> None:
        """Show the bench as it is."""
        bench, busy = self.bench, self.builder.busy
        self.hand.free = self._in_front and not busy
        self.hand.look()
        self.tools.show_chosen(bench.kind if bench is not None else "")
        self.tools.setEnabled(self.workbench is not None)
        self.intro.setVisible(bench is None)
        self._tell(self.workbench.said if self.workbench is not None else ())
        self.made.set_busy(busy)
        for kind, page in self._pages.items():
            page.setVisible(bench is not None and bench.kind == kind)
        for widget in self._in_hand:
            widget.setVisible(bench is not None)
        for key in self._keys.values():
            key.setEnabled(bench is not None and self._in_front)
        if bench is None:
            for label in (self.heading, self.hint):
                theme.say(label, "")
            theme.say(self.fault, self._trouble, "bad")
            return
        self._show_bench(bench, busy)

    def _show_bench(self, bench: Bench, busy: bool) -> None:
        subject, tool = bench.subject, bench.tool
        step = f", step {subject.step + 1} of {len(subject.recipe.edit)}" if subject is not None and len(subject.recipe.edit) > 1 else ""
        theme.say(self.heading, f"Changing {name_words(subject.name)}{step}" if subject is not None else "")
        page = self._pages[bench.kind]
        page.show_tool(tool)  # type: ignore[attr-defined]
        theme.say(self.hint, self._hint(bench))
        wrong = "\n".join(one.words for one in bench.faults if one.field == "shape")
        between = self.hand.between_words if bench.kind == "paint" else ""
        theme.say(self.fault, wrong or self._trouble or between, "bad" if wrong or self._trouble else "warn")
        theme.say(self.so_far, f"{tool.words()}; looking for its islands …" if self.hand.looking else tool.words())
        self.undo.setEnabled(tool.history.can_undo and not busy)
        self.redo.setEnabled(tool.history.can_redo and not busy)
        self.discard.setEnabled(not bench.empty and not busy)
        self.discard.setText("Leave unchanged" if subject is not None else "Discard")
        self.goes.setCurrentIndex(self._ways.index((bench.way, bench.other)))
        self.goes.setVisible(subject is None and self.goes.count() > 1)
        self.form.show_sheet(bench.sheet, bench.faults, own=bench.own)
        self._show_height()
        for widget in (page, self.form, self.goes):
            widget.setEnabled(not busy)
        self.make.setText("Building …" if busy else "Rebuild" if subject is not None else "Make structure" if bench.way == "new" else "Add the step")
        self.make.setEnabled(not busy)

    def _tell(self, said: Sequence[str]) -> None:
        """What was done; apart from it, what is to be looked at."""
        theme.say(self.said, "\n".join(one for one in said if not doubtful(one)), "good")
        theme.say(self.doubts, "\n".join(one for one in said if doubtful(one)), "warn")

    def _hint(self, bench: Bench) -> str:
        if bench.kind == "bone" and self.hand.overlay.reslicer is None:
            return f"A threshold needs the scan's HU: {self._slices.scan_words or 'this case has none'}."
        return bench.tool.hint

    def _show_ways(self) -> None:
        """Where the next shape may go."""
        self.goes.clear()
        self._ways = [("new", "")]
        self.goes.addItem("A structure of its own")
        for one in self.workbench.made if self.workbench is not None else ():
            self._ways += [("into", one.name), ("out of", one.name)]
            self.goes.addItems([f"Add to {name_words(one.name)}", f"Take out of {name_words(one.name)}"])
        self._refresh()

    def _set(self, change: object) -> None:
        """A page asks for a change."""
        self.hand.run(change)  # type: ignore[arg-type]
        bench = self.bench
        if bench is not None and not self.bone.slider.isSliderDown():
            bench.tool.history.lift()

    def _moved(self) -> None:
        bench = self.bench
        if bench is not None:
            self.so_far.setText(bench.tool.words())
            self._pages[bench.kind].show_tool(bench.tool)  # type: ignore[attr-defined]

    def _discard(self) -> None:
        bench = self.bench
        if bench is not None and self.workbench is not None and not self.builder.busy:
            self.workbench.discard(bench.kind)
            self._show_ways()

    def _edit_sheet(self, sheet: Sheet) -> None:
        bench = self.bench
        if bench is None:
            return
        # What is being mended is not called wrong meanwhile.
        kept = [one for one in bench.faults if one.field == "shape" or getattr(sheet, one.field) == getattr(bench.sheet, one.field)]
        bench.faults = tuple(kept) if sheet.role == bench.sheet.role else ()
        bench.sheet = sheet
        self._refresh()

    def _choose_way(self, row: int) -> None:
        bench = self.bench
        if bench is not None:
            bench.way, bench.other = self._ways[row]
            bench.faults = ()
            self._refresh()

    def _take_volume(self, volume: Volume) -> None:
        self.hand.set_volume(volume)
        self.bone.show_levels(level_between(volume))
        self._refresh()

    def _keep_largest(self) -> None:
        if self.bench is not None and self._slices.volume is not None:
            self.builder.look_for_largest(self.bench, self._slices.volume)

    def _built(self, name: str) -> None:
        self._chosen = self._awaited = name
        self.tool_changed.emit("")
        self._scroll.verticalScrollBar().setValue(0)

    def _removed(self, said: tuple[str, ...], wrong: str) -> None:
        self._trouble = wrong
        if self.workbench is not None:
            self.workbench.said = said
        self._refresh()

    def _show_height(self) -> None:
        height = self.hand.height_mm
        if height is not None:
            self.paint.show_height(height)

    def _connect(self) -> None:
        self._desk.case_changed.connect(self._follow_case)
        self._slices.volume_loaded.connect(self._take_volume)
        self._slices.cursor_moved.connect(lambda _at: self._show_height())
        self.hand.changed.connect(self._refresh)
        self.hand.moved.connect(self._moved)
        self.builder.changed.connect(self._refresh)
        self.builder.built.connect(self._built)
        self.builder.removed.connect(self._removed)
        self.builder.found.connect(self._slices.go_to)
        self.tools.chosen.connect(lambda kind: self.take(None if self.bench is not None and self.bench.kind == kind else kind))
        self.form.edited.connect(self._edit_sheet)
        self.goes.activated.connect(self._choose_way)
        self.made.changed.connect(self.edit)
        self.made.removed.connect(self.builder.remove)
        self.bone.largest.connect(self._keep_largest)
        self.bone.crop_begun.connect(self.hand.begin_crop)
        self.tube.stepped.connect(self.hand.step_place)
        self.paint.stepped.connect(self.hand.step_place)
        self.sphere.sought.connect(self.hand.go_to_draft)
        self.paint.sought.connect(self.hand.go_to_height)
        self.paint.cleared.connect(self.hand.clear_slice)

    def _lay_out(self) -> None:
        self._pages: dict[Kind, QWidget] = {"bone": self.bone, "tube": self.tube, "sphere": self.sphere, "paint": self.paint}
        steps = QWidget()
        row = QHBoxLayout(steps)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.undo)
        row.addWidget(self.redo)
        row.addStretch(1)
        row.addWidget(self.discard)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        head = (self.heading, self.said, self.doubts, self.intro, self.hint)
        for widget in (*head, *self._pages.values(), self.so_far, steps, self.goes, self.form, self.made):
            column.addWidget(widget)
        column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 4, 0, 4)
        whole.setSpacing(8)
        whole.addWidget(self.tools)
        whole.addWidget(self._scroll, 1)
        for widget in (self.fault, self.make):
            whole.addWidget(widget)
        self._in_hand = (self.so_far, steps, self.goes, self.form, self.make)
