"""The place of the case: its column on the left, three slices and the picture on the right; a card while no case is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui.case.cover import Cover, note_recent
from gui.case.draft_bar import DraftBar
from gui.case.editing import Editing
from gui.case.facts import FactsPage
from gui.case.header import CaseHeader
from gui.case.landmarks import LandmarksPage
from gui.case.parts import Choice, button
from gui.case.plan import PlanPage
from gui.case.scene3d import SIDES, Anatomy, CaseScene3d
from gui.case.slices import CaseSlices
from gui.case.structures import StructuresPage
from gui.desktop.desk import Desk
from gui.link.board import Moment
from navtwin.rigid import Vec3
from navtwin.scene.slices import Plane
from navtwin.volumes.volume import Volume

if TYPE_CHECKING:
    from gui.case.tools.panel import ToolsPanel

COLUMN_PX = 360
PAGES: Final = {
    "structures": ("Structures", "What is in the case, how it is shown, and what is watched (Ctrl+1)"),
    "plan": ("Plan", "Planned paths: entry, target, and how near they come (Ctrl+2)"),
    "landmarks": ("Landmarks", "Points on bone that are touched to register the patient (Ctrl+3)"),
    "patient": ("Patient", "What is known of the patient, and where the case comes from (Ctrl+4)"),
    "tools": ("Tools", "Make structures from a scan that has none (Ctrl+5)"),
}


class CasePlace(QWidget):
    """One case: looked at, changed, and written on purpose."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._scale = 1.0
        self._begun = self._in_front = False
        self._folder: Path | None = None
        self._unseen = True
        self.editing = Editing(desk, self)
        self.slices = CaseSlices()
        self.scene3d = CaseScene3d(desk)
        self.slices.set_fourth(self.scene3d)
        self.cover = Cover(desk)
        self.header = CaseHeader(desk)
        self.structures, self.plans = StructuresPage(self.editing), PlanPage(self.editing, self.slices)
        self.landmarks, self.facts = LandmarksPage(desk, self.editing, self.slices), FactsPage(self.editing)
        # In the order of PAGES.
        self._own_pages: dict[str, StructuresPage | PlanPage | LandmarksPage | FactsPage] = {
            "structures": self.structures, "plan": self.plans, "landmarks": self.landmarks, "patient": self.facts,
        }  # fmt: skip
        self._tools: ToolsPanel | None = None
        self.bar = DraftBar(self.editing)
        self.segments = Choice(((name, title, tip) for name, (title, tip) in PAGES.items()), "flat")
        self.pages = QStackedWidget()
        self.window_button = button(
            "Window", "Another grey window; with Alt drag in a slice to set one of your own", self.slices.turn_window, "flat", "W"
        )
        self.outlines = button("Outlines", "With or without outlines: to see what the scan itself shows", self._turn_outlines, "flat", "O")
        self.watched = button("Only watched", "Hide all that is not watched, or show it again", self._turn_watched, "flat", "Y")
        self._not_with_tools: list[QShortcut] = []
        self._build()
        self._connect()
        self._add_keys()
        self.setAcceptDrops(True)
        self.show_page("structures")
        self._follow_case()

    @property
    def unsaved(self) -> str:
        """What would be lost if the window closed now, in words; "" for nothing."""
        drafts = (self.editing.draft, self.editing.left_behind)
        said = [f"{draft.unsaved_words()} to its case.toml." for draft in drafts if draft is not None and draft.changed]
        held = self._tools.unsaved if self._tools is not None else ""
        return "\n".join([*said, *([held] if held else [])])

    @property
    def tools(self) -> ToolsPanel:
        """Made when it is first needed: what it builds with takes seconds to load, and an open case has loaded it already."""
        if self._tools is None:
            from gui.case.tools.panel import ToolsPanel

            self._tools = ToolsPanel(self._desk, self.slices, self.scene3d, self)
            self._tools.set_scale(self._scale)
            self._tools.tool_changed.connect(self._tool_taken)
            self._tools.built.connect(self.structures.choose)
            self.pages.addWidget(self._tools)
        return self._tools

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        self.editing.follow(moment)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self._column.setFixedWidth(round(COLUMN_PX * scale))
        for part in (self.slices, self.scene3d, self.cover, self.header, *self._own_pages.values(), self.bar, self._tools):
            if part is not None:
                part.set_scale(scale)
        # Five words share the column.
        self.segments.setStyleSheet(f"QPushButton {{ padding-left: {round(2 * scale)}px; padding-right: {round(2 * scale)}px; }}")
        for one in self.segments.buttons.values():
            one.setFixedHeight(round(38 * scale))
        for one in self._viewing:
            one.setFixedHeight(round(32 * scale))

    def entered(self) -> None:
        self._in_front = True
        self._begin()
        self._share_mouse()

    def left(self) -> None:
        self._in_front = False
        self.bar.remind()
        if self.unsaved:
            self._desk.say(f"{self.unsaved} What is not written stays in Case.")
        self.plans.stop()
        self.landmarks.stop()
        if self._tools is not None:
            self._tools.left()

    def release(self) -> None:
        self.tools.release()
        if self._tools is not None:
            self._tools.release()
        self.slices.release()
        self.scene3d.release()

    def show_page(self, name: str) -> None:
        """Bring a page of the column to the front."""
        self.segments.show_chosen(name)
        self.pages.setCurrentWidget(self.tools if name == "tools" else self._own_pages[name])
        for page in (self.plans, self.landmarks):
            # One that places nothing would take the pointing hand from the other.
            if self._own_pages.get(name) is not page and page.hand.placing:
                page.stop()
        self._share_mouse()
        self._refresh()

    @property
    def page(self) -> str:
        """The page of the column that is in front."""
        # The tools are the last: they come later than the others.
        return list(PAGES)[self.pages.currentIndex()]

    def open_case(self, folder: Path) -> None:
        """Open a case that was asked for here."""
        self.cover.say("")
        self._desk.open_case(folder)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        local = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            self._show_cover(True)
            self.cover.offer(local[0])

    def _begin(self) -> None:
        """What is heavy begins once the place is seen."""
        if not self._begun and self._desk.scene is not None:
            self._begun = True
            self.scene3d.start()

    def _follow_case(self) -> None:
        scene = self._desk.scene
        self._share_mouse()
        self.editing.open(scene)
        self.header.set_scene(scene)
        self.slices.set_scene(scene)
        self.scene3d.set_scene(scene)
        self._refresh()
        if self.slices.volume is not None:
            self.header.show_volume(self.slices.volume)
        if scene is not None and scene.folder != self._folder:
            self._unseen = True
            note_recent(scene.folder)
            self.show_page("structures" if scene.structures else "tools")
        self._folder = scene.folder if scene is not None else None
        self.cover.refresh()
        self._show_cover(scene is None)
        if self._in_front:
            self._begin()

    def _refresh(self) -> None:
        """Show the draft in the pictures."""
        looks = self.editing.looks
        self.slices.set_looks(looks)
        self.scene3d.set_looks(looks)
        self.scene3d.set_plans(self.editing.plans, self.plans.chosen)
        self.scene3d.set_landmarks(self.editing.landmarks, self.landmarks.chosen if self.page == "landmarks" else "")

    def _show_cover(self, visible: bool) -> None:
        self.cover.setVisible(visible)
        self._working.setVisible(not visible)
        if visible:
            self.cover.refresh()

    def _share_mouse(self) -> None:
        """The tools have the mouse while their page is in front, landmarks on theirs, and plans otherwise."""
        in_front = self.page == "tools"
        # Their keys take a tool in the hand from any page, so they are there as soon as a case is.
        tools = self.tools if self._desk.scene is not None else self._tools
        if tools is not None:
            tools.entered() if in_front and self._in_front else tools.left()
        for key in self._not_with_tools:
            key.setEnabled(not in_front)

    def _picked(self, point_mm: Vec3) -> None:
        placed = self.landmarks if self.page == "landmarks" else self.plans
        if not placed.pointed(point_mm):
            self.slices.go_to(point_mm)

    def _take(self, what: str, plane: Plane, point_mm: Vec3) -> bool:
        placed = self.landmarks if self.page == "landmarks" else self.plans
        return placed.take(what, plane, point_mm)

    def _moved(self, point_mm: Vec3) -> None:
        self.scene3d.show_cursor(point_mm)
        self.plans.show_cursor(point_mm)

    def _anatomy_ready(self, anatomy: Anatomy) -> None:
        self.editing.measured({name: one.volume_ml for name, one in anatomy.prepared.items()})
        if self._unseen:
            # What the rehearsal is about, and not the middle of the scan.
            self._unseen = False
            self.slices.go_to(anatomy.middle_mm)

    def _seek(self, name: str) -> None:
        """Bring the slices to the middle of a structure."""
        found = self.scene3d.structure_bounds_mm(name)
        if found is not None:
            x, y, z = (found[0] + found[1]) / 2.0
            self.slices.go_to((float(x), float(y), float(z)))

    def _tool_taken(self, tool: str) -> None:
        if tool and self.page != "tools":
            self.show_page("tools")

    def _volume_loaded(self, volume: Volume) -> None:
        self.header.show_volume(volume)

    def _told(self, words: str, bad: bool) -> None:
        # What keeps a case from being opened stands where one was asked for.
        if bad and self._desk.scene is None:
            self.cover.say(words)

    def _new_case(self) -> None:
        self._show_cover(True)
        self.cover.begin_new()

    def _connect(self) -> None:
        desk, slices = self._desk, self.slices
        desk.case_changed.connect(self._follow_case)
        desk.said.connect(self._told)
        self.cover.wanted.connect(self.open_case)
        self.cover.closed.connect(lambda: self._show_cover(False))
        self.cover.form.closed.connect(lambda: self._show_cover(desk.scene is None))
        self.editing.changed.connect(self._refresh)
        self.plans.shown.connect(self._refresh)
        self.landmarks.shown.connect(self._refresh)
        slices.taker = self._take
        slices.cursor_moved.connect(self._moved)
        slices.volume_loaded.connect(self._volume_loaded)
        slices.window_changed.connect(lambda words: self.window_button.setText(f"Window: {words}"))
        self.scene3d.picked.connect(self._picked)
        self.scene3d.ready.connect(self._anatomy_ready)
        self.scene3d.met.connect(self.structures.choose)
        self.structures.sought.connect(self._seek)
        self.structures.tools_wanted.connect(partial(self.show_page, "tools"))
        self.segments.chosen.connect(self.show_page)

    def _add_keys(self) -> None:
        acts: dict[str, Callable[[], object]] = {
            "W": self.slices.turn_window,
            "Home": self.slices.fit,
            "O": self.outlines.click,
            "Y": self.watched.click,
            "X": self.slices.turn_alone,
            "F": lambda: self.scene3d.show_solid(not self.scene3d.solid.isChecked()),
            "Ctrl+S": self.editing.write,
            "Ctrl+N": self._new_case,
            "Ctrl+L": self.editing.tell_session,
            "Ctrl+F": self.header.verdict.click,
            **{f"Ctrl+{n}": partial(self.show_page, name) for n, name in enumerate(PAGES, start=1)},
            **{f"Shift+{side}": partial(self.scene3d.look_from, side) for side in SIDES},
        }
        others: dict[str, Callable[[], object]] = {
            "Ctrl+Z": self.editing.take_back,
            "E": lambda: self._placing_key(partial(self.plans.place, "entry"), self.landmarks.move_by_click),
            "G": lambda: self._placing_key(partial(self.plans.place, "target"), self.landmarks.go_to_chosen),
            "N": lambda: self._placing_key(self.plans.begin, self.landmarks.begin),
            "Delete": self._delete_key,
            ",": partial(self.plans.step, -4),
            ".": partial(self.plans.step, 4),
            "Escape": self._stop_placing,
        }
        for key, act in acts.items():
            self._shortcut(key, act)
        self._not_with_tools = [self._shortcut(key, act) for key, act in others.items()]

    def _placing_key(self, of_plans: Callable[[], None], of_landmarks: Callable[[], None]) -> None:
        if self.page == "landmarks":
            of_landmarks()
        else:
            self.show_page("plan")
            of_plans()

    def _delete_key(self) -> None:
        if self.page == "landmarks":
            self.landmarks.remove_chosen()

    def _stop_placing(self) -> None:
        self.plans.stop()
        self.landmarks.stop()

    def _shortcut(self, key: str, act: Callable[[], object]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)
        return shortcut

    def _build(self) -> None:
        for page in self._own_pages.values():
            self.pages.addWidget(page)
        self._column = QFrame()
        self._column.setObjectName("strip")
        column = QVBoxLayout(self._column)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        upper = QVBoxLayout()
        upper.setContentsMargins(12, 8, 12, 6)
        upper.setSpacing(6)
        upper.addWidget(self.header)
        upper.addWidget(self.segments)
        upper.addWidget(self.pages, 1)
        column.addLayout(upper, 1)
        column.addWidget(self.bar)
        self.window_button = button(
            "Window", "Another grey window; with Alt drag in a slice to set one of your own", self.slices.turn_window, "flat", "W"
        )
        whole = button("All of it", "See the whole scan in every slice", self.slices.fit, "flat", "Home")
        self.outlines.setCheckable(True)
        self.outlines.setChecked(True)
        self.watched.setCheckable(True)
        alone = button("One view", "The view under the mouse alone, or all four", self.slices.turn_alone, "flat", "X")
        other = button("Other case …", "Open another case, or make one", partial(self._show_cover, True), "flat")
        self._viewing: tuple[QPushButton, ...] = (self.window_button, whole, self.outlines, self.watched, alone, other)
        line = QHBoxLayout()
        line.setContentsMargins(6, 3, 6, 3)
        line.setSpacing(4)
        for one in self._viewing[:-1]:
            line.addWidget(one)
        line.addStretch()
        line.addWidget(other)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addLayout(line)
        right.addWidget(self.slices, 1)
        self._working = QWidget()
        across = QHBoxLayout(self._working)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self._column)
        across.addLayout(right, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._working)
        outer.addWidget(self.cover)

    def _turn_outlines(self) -> None:
        self.slices.show_outlines(self.outlines.isChecked())

    def _turn_watched(self) -> None:
        self.editing.only_watched(self.watched.isChecked())
