"""The landmarks of the case: placed by a click, moved, named, and judged by whether a pointer can touch them and a registration use them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QVBoxLayout, QWidget

from gui import theme
from gui.case.editing import Editing
from gui.case.landmark_hand import OFF_BONE_MM, LandmarkHand, bone_words, free_name, mark_near, off_bone_mm, side_words, warnings
from gui.case.landmark_paint import draw_landmarks
from gui.case.parts import PointField, add_row, button, rows, scrolled, words
from gui.case.plan_hand import dragged_to, rounded
from gui.case.slices import CaseSlices
from gui.desktop.desk import Desk
from gui.desktop.jobs import Job, Report
from navtwin.rigid import Vec3
from navtwin.scene.case import LandmarkEntry
from navtwin.scene.model import Landmark, Structure
from navtwin.scene.reslice import Field
from navtwin.scene.slices import Plane

HINT = (
    "The points on bone that you will touch to register the patient, in this order. Three is the least; four or more, well spread, are good. "
    "Choose edges and tips of bone that a pointer finds again."
)
LINE_PX, MOST_LINES = 44, 4
#: A point that is dragged is measured when it rests.
REST_MS = 150


class LandmarksPage(QWidget):
    """List, name and place of the landmarks; the slices' mouse while the page is in front.

    Signals
    -------
    shown : the landmarks, or which of them is chosen, are other than before
    """

    shown = Signal()

    def __init__(self, desk: Desk, editing: Editing, slices: CaseSlices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._editing, self._slices = desk, editing, slices
        self._scale = 1.0
        self._measured_on: tuple[Structure, ...] = ()
        self._off_mm: dict[Vec3, float] = {}
        self._measuring: Job | None = None
        self.chosen = ""
        self.hand = LandmarkHand()
        self.list = QListWidget()
        self.list.setAccessibleName("landmarks")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.add = button("Add landmark", "Then click on the bone in 3D, or in a slice", self.begin, key="N")
        self.move_chosen = button("Move", "Then click where the chosen landmark is", self.move_by_click, key="E")
        self.seek = button("Go", "Bring the slices to the chosen landmark", self.go_to_chosen, key="G")
        self.remove = button("Delete", "Take the chosen landmark out of the case", self.remove_chosen, key="Delete")
        self.hint, self.prompt, self.doubts = words(HINT, dim=True), words(tone="news"), words(tone="warn")
        self.name = QLineEdit()
        self.name.setAccessibleName("name of the landmark")
        self.at = PointField("position")
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._measure)
        self._build()
        slices.set_painters([self._paint], "landmarks")
        editing.changed.connect(self.refresh)
        editing.opened.connect(self.stop)

    @property
    def landmark(self) -> Landmark | None:
        """The chosen landmark, as the draft has it."""
        return next((mark for mark in self._editing.landmarks if mark.name == self.chosen), None)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for one in (self.add, self.move_chosen, self.seek, self.remove):
            one.setFixedHeight(round(40 * scale))
        for box in (self.name, self.at):
            box.setFixedHeight(round(34 * scale))
        self.refresh()

    def begin(self) -> None:
        """The next click makes a landmark; asked for again, it does not."""
        if self.hand.adding or self._editing.draft is None:
            self.stop()
            return
        self.hand.add()
        self._show_hand()

    def move_by_click(self) -> None:
        """The next click moves the chosen landmark; asked for again, it does not."""
        if self.hand.moving or self.landmark is None:
            self.stop()
            return
        self.hand.move(self.chosen)
        self._show_hand()

    def stop(self) -> None:
        """No click sets anything any more."""
        self.hand.stop()
        self._show_hand()

    def pointed(self, point_mm: Vec3) -> bool:
        """A point of ct was clicked, in a slice or on a surface; True where it was taken. One that is refused can be clicked anew."""
        if not self.hand.placing:
            return False
        if self.hand.adding:
            self._add_at(rounded(point_mm))
        elif self._put(self.hand.moving, rounded(point_mm)):
            self.stop()
        return True

    def take(self, what: str, plane: Plane, point_mm: Vec3) -> bool:
        """The left button in a slice; True where it sets or holds a landmark."""
        if what == "press":
            if self.pointed(point_mm):
                return True
            field = self._slices.field(plane)
            self.hand.held = (
                mark_near(self._editing.landmarks, self.chosen, plane, point_mm, field.mm_per_px, self._scale) if field is not None else ""
            )
            if self.hand.held:
                self.choose(self.hand.held)
            return bool(self.hand.held)
        if what == "drag" and self.hand.held and self.landmark is not None:
            self._put(self.hand.held, dragged_to(self.landmark.position_mm, plane, point_mm), f"landmark {self.hand.held}")
        elif what == "release":
            self.hand.held = ""
            self._editing.settle()
        return True

    def choose(self, name: str) -> None:
        """Choose a landmark."""
        if name != self.chosen:
            self.chosen = name
            self.refresh()

    def go_to_chosen(self) -> None:
        """Bring the slices to the chosen landmark."""
        if self.landmark is not None:
            self._slices.go_to(self.landmark.position_mm)

    def remove_chosen(self) -> None:
        """Take the chosen landmark out; the next one is chosen then."""
        marks = self._editing.landmarks
        at = next((n for n, mark in enumerate(marks) if mark.name == self.chosen), None)
        if at is not None:
            gone, left = self.chosen, [*marks[at + 1 : at + 2], *marks[max(0, at - 1) : at]]
            self.chosen = left[0].name if left else ""
            self._editing.alter(lambda draft: draft.remove_landmark(gone))

    def refresh(self) -> None:
        """Show the draft."""
        marks = self._editing.landmarks
        names = [mark.name for mark in marks]
        if self.chosen not in names:
            self.chosen = names[0] if names else ""
        bones = self._bones()
        if bones != self._measured_on:
            self._measured_on, self._off_mm = bones, {}
        self._show_list(marks)
        mark = self.landmark
        for widget in (self._fields, self.list, self.move_chosen, self.seek, self.remove):
            widget.setVisible(mark is not None)
        if mark is not None:
            if not (self.name.hasFocus() and self.name.isModified()):
                self.name.setText(mark.name)
            self.at.show_point(mark.position_mm)
        theme.say(self.doubts, "\n".join(warnings(marks, self._off_mm, bool(bones))))
        if bones and any(one.position_mm not in self._off_mm for one in marks):
            self._rest.start()
        self._slices.repaint_overlays()
        self.shown.emit()

    def _show_list(self, marks: tuple[Landmark, ...]) -> None:
        self.list.blockSignals(True)
        while self.list.count() > len(marks):
            self.list.takeItem(self.list.count() - 1)
        while self.list.count() < len(marks):
            self.list.addItem("")
        for n, mark in enumerate(marks):
            off = self._off_mm.get(mark.position_mm)
            item = self.list.item(n)
            item.setText(f"{n + 1}   {mark.name}\n      {side_words(mark.position_mm)}   {bone_words(off)}")
            ink = theme.ink()
            item.setForeground(QColor(ink.warn if off is not None and off > OFF_BONE_MM else ink.text))
        self.list.setCurrentRow(next((n for n, mark in enumerate(marks) if mark.name == self.chosen), -1))
        self.list.setFixedHeight(round((8 + LINE_PX * min(MOST_LINES, max(1, len(marks)))) * self._scale))
        self.list.blockSignals(False)

    def _bones(self) -> tuple[Structure, ...]:
        """What may be cut, as the draft declares it."""
        scene, case = self._editing.scene, self._editing.case
        work = {entry.name for entry in case.structure if entry.role == "work"} if case is not None else set()
        return tuple(s for s in scene.structures if s.name in work) if scene is not None else ()

    def _measure(self) -> None:
        """Beside the window: the first question to a surface plants its tree."""
        if self._measuring is not None and self._measuring.running:
            self._rest.start()
            return
        points = [mark.position_mm for mark in self._editing.landmarks if mark.position_mm not in self._off_mm]
        if points and self._measured_on:
            bones = self._measured_on
            self._measuring = self._desk.beside(
                "measuring landmarks", partial(_measure, bones, points), partial(self._take_measured, bones), shown=False
            )  # fmt: skip

    def _take_measured(self, bones: tuple[Structure, ...], off_mm: dict[Vec3, float] | None, _words: str) -> None:
        # What could not be measured keeps its dash.
        if off_mm is not None and bones == self._measured_on:
            self._off_mm |= off_mm
            self.refresh()

    def _add_at(self, point_mm: Vec3) -> None:
        scene, name = self._editing.scene, free_name(self._editing.landmarks)
        entry = LandmarkEntry(name=name, position_mm=point_mm)
        before, self.chosen = self.chosen, name
        if scene is None or not self._editing.alter(lambda draft: draft.add_landmark(entry, scene.volume)):
            self.choose(before)
            return
        self.stop()
        # Its name is asked for where it will stand; Return, or anything else, keeps it.
        self.name.setText(name)
        self.name.setFocus()
        self.name.selectAll()

    def _put(self, name: str, point_mm: Vec3, gesture: str = "") -> bool:
        scene = self._editing.scene
        return scene is not None and self._editing.alter(lambda draft: draft.move_landmark(name, point_mm, scene.volume, gesture))

    def _renamed(self) -> None:
        name, old = self.name.text().strip(), self.chosen
        self.name.setModified(False)
        if name == old or not old:
            return
        self.chosen = name
        if not self._editing.alter(lambda draft: draft.rename_landmark(old, name)):
            self.choose(old)

    def _typed(self, point_mm: Vec3) -> None:
        self._put(self.chosen, point_mm)

    def _row_chosen(self, row: int) -> None:
        marks = self._editing.landmarks
        if 0 <= row < len(marks):
            self.choose(marks[row].name)

    def _show_hand(self) -> None:
        theme.say(self.prompt, self.hand.words)
        self.add.setChecked(self.hand.adding)
        self.move_chosen.setChecked(bool(self.hand.moving))
        self._slices.point_at(self.hand.placing)

    def _paint(self, painter: QPainter, field: Field) -> None:
        draw_landmarks(painter, field, self._editing.landmarks, self.chosen if self.isVisible() else "", self._scale)

    def _build(self) -> None:
        self.add.setCheckable(True)
        self.move_chosen.setCheckable(True)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 10, 0)
        column.setSpacing(8)
        acts = QHBoxLayout()
        for one in (self.move_chosen, self.seek, self.remove):
            acts.addWidget(one, 1)
        self._fields, grid = rows()
        add_row(grid, "Name", self.name)
        add_row(grid, "Position", self.at)
        for part in (self.add, self.prompt, self.doubts, self.list, self._fields, acts, self.hint):
            column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
        column.addStretch()
        scrolled(inner, self)
        self.prompt.hide()
        self.list.currentRowChanged.connect(self._row_chosen)
        self.list.itemDoubleClicked.connect(lambda _item: self.go_to_chosen())
        self.name.editingFinished.connect(self._renamed)
        self.name.returnPressed.connect(self.list.setFocus)
        self.at.entered.connect(self._typed)
        self.at.wrong.connect(self._editing.refused)


def _measure(bones: tuple[Structure, ...], points: list[Vec3], report: Report) -> dict[Vec3, float]:
    report("measuring")
    return off_bone_mm(bones, points)
