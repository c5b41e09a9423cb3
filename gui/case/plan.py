"""The plans of the case: made by two clicks, moved by their ends, and measured against everything that is watched."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QSlider, QVBoxLayout, QWidget

from gui import theme
from gui.case.draft import as_declared
from gui.case.editing import Editing
from gui.case.parts import NumberBox, PointField, add_row, button, rows, scrolled, words
from gui.case.path_view import PathView
from gui.case.plan_clearances import Clearances
from gui.case.plan_hand import End, Hand, along, dragged_to, end_near, figures, new_plan, share_of
from gui.case.plan_paint import draw_plans, draw_point
from gui.case.slices import CaseSlices
from navtwin.rigid import Vec3
from navtwin.scene.model import Plan
from navtwin.scene.plan_facts import PlanFacts, plan_facts
from navtwin.scene.reslice import Field
from navtwin.scene.slices import Plane

NO_PLANS = "No path is planned. Add one: click where it enters bone, then where it ends."
WALK_STEPS = 200
LINE_PX, MOST_LINES = 35, 4


class PlanPage(QWidget):
    """List, fields and figures of the plans; the slices' mouse while an end is placed or held.

    Signals
    -------
    shown : the plans, or which of them is chosen, are other than before
    """

    shown = Signal()

    def __init__(self, editing: Editing, slices: CaseSlices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing, self._slices = editing, slices
        self._scale = 1.0
        self.chosen = ""
        self.hand = Hand()
        self.facts: PlanFacts | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("plans")
        self.add = button("Add plan", "Make a plan by two clicks: entry, then target", self.begin, key="N")
        self.remove = button("Remove", "Take the chosen plan out of the case", self._remove)
        self.note, self.prompt = words(NO_PLANS, dim=True), words(tone="news")
        self.name = QLineEdit()
        self.name.setAccessibleName("name of the plan")
        self.place_entry = button("Place entry", "Then click where the path enters bone", partial(self.place, "entry"), key="E")
        self.place_target = button("Place target", "Then click where the path ends", partial(self.place, "target"), key="G")
        self.at: dict[End, PointField] = {"entry": PointField("entry"), "target": PointField("target")}
        self.diameter, self.tolerance = NumberBox("diameter", 0.1, 50.0, 0.5), NumberBox("tolerance", 0.1, 20.0, 0.1)
        self.walk = QSlider(Qt.Orientation.Horizontal)
        self.walk.setRange(0, WALK_STEPS)
        self.walk.setAccessibleName("walk along the path")
        self.walk.setToolTip("Walk along the path: the slices go from its entry to its target (comma and full stop)")
        self.along = PathView()
        self.figures = words()
        self.clearances = Clearances(slices.go_to)
        self._build()
        slices.set_painters([self._paint], "plan")
        editing.changed.connect(self.refresh)
        editing.opened.connect(self._opened)

    @property
    def plan(self) -> Plan | None:
        """The chosen plan, as the draft has it."""
        return next((plan for plan in self._editing.plans if plan.name == self.chosen), None)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for one in (self.add, self.remove, self.place_entry, self.place_target):
            one.setFixedHeight(round(40 * scale))
        for box in (*self.at.values(), self.diameter, self.tolerance, self.name):
            box.setFixedHeight(round(34 * scale))
        self._fit_list()
        self.clearances.set_scale(scale)
        self.along.set_scale(scale)

    def begin(self) -> None:
        """The next two clicks make a plan."""
        if self._editing.draft is not None:
            self.hand.begin()
            self._show_hand()

    def place(self, end: End) -> None:
        """The next click sets an end of the chosen plan; asked for again, it does not."""
        if self.hand.placing == end or self.plan is None:
            self.stop()
            return
        self.hand.stop()
        self.hand.placing = end
        self._show_hand()

    def stop(self) -> None:
        """No click sets anything any more."""
        self.hand.stop()
        self._show_hand()

    def pointed(self, point_mm: Vec3) -> bool:
        """A point of ct was clicked, in a slice or on a surface; True where it was taken."""
        if not self.hand.placing:
            return False
        end = self.hand.placing
        if not self.hand.new:
            self._set_end(self.chosen, end, point_mm)
            self.stop()
        elif end == "entry":
            self.hand.new_entry_mm, self.hand.placing = point_mm, "target"
            self._show_hand()
        elif self.hand.new_entry_mm is not None:
            made = new_plan(self._editing.plans, self.hand.new_entry_mm, point_mm)
            self.chosen = made.name
            self._editing.alter(lambda draft: draft.add_plan(made))
            self.stop()
        return True

    def take(self, what: str, plane: Plane, point_mm: Vec3) -> bool:
        """The left button in a slice; True where it sets or holds an end."""
        if what == "press":
            if self.pointed(point_mm):
                return True
            field = self._slices.field(plane)
            self.hand.held = end_near(self._editing.plans, self.chosen, plane, point_mm, field.mm_per_px, self._scale) if field is not None else None
            if self.hand.held is not None:
                self.choose(self.hand.held[0])
            return self.hand.held is not None
        if what == "drag" and self.hand.held is not None and self.plan is not None:
            name, end = self.hand.held
            at = self.plan.entry_mm if end == "entry" else self.plan.target_mm
            self._set_end(name, end, dragged_to(at, plane, point_mm), f"{end} {name}")
        elif what == "release":
            self.hand.held = None
            self._editing.settle()
        return True

    def choose(self, name: str) -> None:
        """Choose a plan."""
        if name != self.chosen:
            self.chosen = name
            self.refresh()

    def step(self, steps: int) -> None:
        """Walk along the chosen path."""
        self.walk.setValue(self.walk.value() + steps)

    def refresh(self) -> None:
        """Show the draft."""
        plans = self._editing.plans
        names = [plan.name for plan in plans]
        if self.chosen not in names:
            self.chosen = names[0] if names else ""
        self.list.blockSignals(True)
        if [self.list.item(n).text() for n in range(self.list.count())] != names:
            self.list.clear()
            self.list.addItems(names)
            self._fit_list()
        self.list.setCurrentRow(names.index(self.chosen) if names else -1)
        self.list.blockSignals(False)
        plan = self.plan
        self.facts = self._measured(plan) if plan is not None else None
        for widget in (self._fields, self.list, self.remove):
            widget.setVisible(plan is not None)
        theme.say(self.note, "" if plans else NO_PLANS)
        if plan is not None and self.facts is not None:
            self._show_fields(plan)
            self.figures.setText("\n".join(f"{name}\n{value}" for name, value in figures(self.facts)))
            watched = self._editing.case is not None and any(s.role == "critical" for s in self._editing.case.structure)
            self.clearances.show_clearances(self.facts.clearances, watched)
        self._slices.repaint_overlays()
        self.shown.emit()

    def _fit_list(self) -> None:
        self.list.setFixedHeight(round((8 + LINE_PX * min(MOST_LINES, max(1, self.list.count()))) * self._scale))

    def _measured(self, plan: Plan) -> PlanFacts:
        """Against the structures as the draft has them: their shapes are those of the loaded case."""
        scene, case = self._editing.scene, self._editing.case
        declared = {entry.name: entry for entry in case.structure} if case is not None else {}
        structures = [as_declared(s, declared[s.name]) for s in (scene.structures if scene is not None else ()) if s.name in declared]
        self.along.show_path(plan, [s for s in structures if s.role == "critical"])
        return plan_facts(plan, structures)

    def _set_end(self, name: str, end: End, point_mm: Vec3, gesture: str = "") -> None:
        x, y, z = (round(v, 3) for v in point_mm)
        self._editing.plan(name, gesture, **{f"{end}_mm": (x, y, z)})

    def _renamed(self) -> None:
        name, old = self.name.text().strip(), self.chosen
        if name == old or not old:
            return
        self.chosen = name
        if not self._editing.plan(old, name=name):
            self.choose(old)

    def _remove(self) -> None:
        name = self.chosen
        self._editing.alter(lambda draft: draft.remove_plan(name))

    def _opened(self) -> None:
        self.hand.stop()
        self._show_hand()

    def _show_fields(self, plan: Plan) -> None:
        if not self.name.hasFocus():
            self.name.setText(plan.name)
        self.at["entry"].show_point(plan.entry_mm)
        self.at["target"].show_point(plan.target_mm)
        self.diameter.show_number(plan.diameter_mm)
        self.tolerance.show_number(plan.tolerance_mm)
        if self._slices.cursor_mm is not None:
            self.show_cursor(self._slices.cursor_mm)

    def show_cursor(self, point_mm: Vec3) -> None:
        """The slices have gone somewhere: how far along the path that is."""
        if self.plan is not None:
            self.walk.blockSignals(True)
            share = share_of(self.plan, point_mm)
            self.walk.setValue(round(WALK_STEPS * share))
            self.walk.blockSignals(False)
            if self._slices.sights is not None:
                self.along.look(along(self.plan, share), self._slices.volume, self._slices.sights.window_hu)

    def _walked(self, steps: int) -> None:
        if self.plan is not None:
            self._slices.go_to(along(self.plan, steps / WALK_STEPS))

    def _show_hand(self) -> None:
        theme.say(self.prompt, self.hand.words)
        self.place_entry.setChecked(self.hand.placing == "entry" and not self.hand.new)
        self.place_target.setChecked(self.hand.placing == "target" and not self.hand.new)
        self.add.setChecked(self.hand.new)
        self._slices.point_at(bool(self.hand.placing))
        self._slices.repaint_overlays()

    def _paint(self, painter: QPainter, field: Field) -> None:
        draw_plans(painter, field, self._editing.plans, self.chosen, self.facts.clearances if self.facts else (), self._scale)
        if self.hand.new_entry_mm is not None:
            draw_point(painter, field, self.hand.new_entry_mm, "entry", self._scale)

    def _build(self) -> None:
        for one in (self.place_entry, self.place_target, self.add):
            one.setCheckable(True)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 10, 0)
        column.setSpacing(8)
        top = QHBoxLayout()
        top.addWidget(self.add, 1)
        top.addWidget(self.remove)
        self._fields = QWidget()
        inside = QVBoxLayout(self._fields)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(8)
        table, grid = rows()
        for title, field in (("Drilled width", self.diameter), ("May go off by", self.tolerance), ("Name", self.name)):
            add_row(grid, title, field)
        for end, point in self.at.items():
            add_row(grid, end.capitalize(), point)
            point.entered.connect(lambda at, end=end: self._set_end(self.chosen, end, at))
            point.wrong.connect(self._editing.refused)
        walk, grid = rows()
        add_row(grid, "Walk along", self.walk)
        places = QHBoxLayout()
        places.addWidget(self.place_entry, 1)
        places.addWidget(self.place_target, 1)
        inside.addLayout(places)
        seen = QHBoxLayout()
        seen.setSpacing(10)
        seen.addWidget(self.along, 0, Qt.AlignmentFlag.AlignTop)
        seen.addWidget(self.figures, 1)
        inside.addWidget(self.clearances)
        inside.addWidget(walk)
        inside.addLayout(seen)
        inside.addWidget(table)
        for above in (self.list, top, self.prompt, self.note, self._fields):
            column.addWidget(above) if isinstance(above, QWidget) else column.addLayout(above)
        column.addStretch()
        scrolled(inner, self)
        self.prompt.hide()
        self.list.currentTextChanged.connect(self.choose)
        self.name.editingFinished.connect(self._renamed)
        self.diameter.entered.connect(lambda mm: self._editing.plan(self.chosen, diameter_mm=mm))
        self.tolerance.entered.connect(lambda mm: self._editing.plan(self.chosen, tolerance_mm=mm))
        self.walk.valueChanged.connect(self._walked)
