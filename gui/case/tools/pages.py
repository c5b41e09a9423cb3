"""What can be set of each tool beside the slices. A page shows a tool and hands on what is asked of it; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QListWidget, QVBoxLayout, QWidget

from gui.case.parts import NumberBox, button, words
from gui.case.sights import SIDES
from gui.case.tools.paint import PaintTool
from gui.case.tools.sphere import SphereTool
from gui.case.tools.tube import TubeTool
from navtwin.scene.author.recipe import THICKEST_MM, THINNEST_MM
from navtwin.scene.slices import ACROSS, Plane

#: Runs a change of a tool, and shows what became of it.
Do = Callable[[Callable[[], object]], None]


class TubePage(QWidget):
    """Radius, for all points or each; curve or straight pieces; from point to point.

    Signals
    -------
    stepped : to another point: +1 or -1
    """

    stepped = Signal(int)

    def __init__(self, do: Do) -> None:
        super().__init__()
        self.tool = TubeTool()
        self.radius = NumberBox("radius", THINNEST_MM, THICKEST_MM, 0.1, 2)
        self.radius.setToolTip("Of the tube; with a radius for each point, of the chosen one")
        self.each = QCheckBox("radius per point")
        self.each.setToolTip("Choose a point and set its radius; in between it changes evenly")
        self.straight = QCheckBox("straight")
        self.straight.setToolTip("Straight from point to point; else a curve through all of them")
        self.of = QLabel("Radius")
        self.before = button("‹ point", "The point before: the slices go there", lambda: self.stepped.emit(-1), "small", ",")
        self.after = button("point ›", "The next point: the slices go there", lambda: self.stepped.emit(1), "small", ".")
        self.radius.entered.connect(lambda radius: do(lambda: self.tool.set_radius(radius)))
        self.each.clicked.connect(lambda on: do(lambda: self.tool.set_each(on)))
        self.straight.clicked.connect(lambda on: do(lambda: self.tool.set_straight(on)))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.of, 0, 0)
        grid.addWidget(self.radius, 0, 1)
        for n, (one, other) in enumerate(((self.each, self.straight), (self.before, self.after)), 1):
            row = QHBoxLayout()
            row.addWidget(one, 1)
            row.addWidget(other, 1)
            grid.addLayout(row, n, 0, 1, 2)

    def show_tool(self, tool: TubeTool) -> None:
        self.tool = tool
        draft = tool.draft
        self.radius.show_number(draft.radius_mm(draft.chosen))
        self.of.setText(f"Radius of {(draft.chosen or 0) + 1}" if draft.each else "Radius")
        self.each.setChecked(draft.each)
        self.each.setEnabled(len(draft.points_mm) > 1)
        self.straight.setChecked(draft.straight)
        for one in (self.before, self.after):
            one.setEnabled(bool(draft.points_mm))

    def set_scale(self, scale: float) -> None:
        for one in (self.before, self.after):
            one.setMinimumHeight(round(32 * scale))


class SpherePage(QWidget):
    """The radius; the centre is the slices'.

    Signals
    -------
    sought : the slices are to go to the centre
    """

    sought = Signal()

    def __init__(self, do: Do) -> None:
        super().__init__()
        self.tool = SphereTool()
        self.radius = NumberBox("radius", THINNEST_MM, THICKEST_MM, 0.5, 2)
        self.to_centre = button("Go to centre", "The slices go to the centre", self.sought.emit, "small", ".")
        self.radius.entered.connect(lambda radius: do(lambda: self.tool.set_radius(radius)))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(QLabel("Radius"), 0, 0)
        grid.addWidget(self.radius, 0, 1)
        grid.addWidget(self.to_centre, 1, 1)

    def show_tool(self, tool: SphereTool) -> None:
        self.tool = tool
        self.radius.show_number(tool.draft.radius_mm)
        self.to_centre.setEnabled(not tool.empty)

    def set_scale(self, scale: float) -> None:
        self.to_centre.setMinimumHeight(round(32 * scale))


class PaintPage(QWidget):
    """The painted slices as a list; their thickness.

    Signals
    -------
    stepped : to the next painted slice: +1, or the one before: -1
    sought : the height of a painted slice to go to
    cleared : the outlines of the slice in view are to go
    """

    stepped = Signal(int)
    sought = Signal(float)
    cleared = Signal()

    def __init__(self, do: Do) -> None:
        super().__init__()
        self.tool = PaintTool()
        self._heights: tuple[float, ...] = ()
        self.slices = QListWidget()
        self.slices.setAccessibleName("painted slices")
        self.slices.setToolTip("Painted slices: click one to go there")
        self.slices.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slices.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.thickness = NumberBox("thickness of a slice", 0.0, 50.0, 0.5, 2)
        self.thickness.setSpecialValueText("as far as to the next painted")
        self.thickness.setToolTip("The shape ends half of this beyond the first and the last painted slice; a single slice needs it")
        self.before = button("‹ slice", "The painted slice before", lambda: self.stepped.emit(-1), "small", ",")
        self.after = button("slice ›", "The next painted slice", lambda: self.stepped.emit(1), "small", ".")
        self.clear = button("Clear slice", "Take the outlines of the slice in view out", self.cleared.emit, "small")
        self.none = words("no slice is painted yet", dim=True)
        self.thickness.entered.connect(lambda mm: do(lambda: self.tool.set_thickness(mm if mm > 0.0 else None)))
        self.slices.itemClicked.connect(lambda item: self.sought.emit(self._heights[self.slices.row(item)]))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        for one in (self.before, self.after, self.clear):
            row.addWidget(one)
        thick = QHBoxLayout()
        thick.addWidget(QLabel("Thickness"))
        thick.addWidget(self.thickness, 1)
        column.addWidget(self.none)
        column.addWidget(self.slices)
        column.addLayout(row)
        column.addLayout(thick)

    def show_tool(self, tool: PaintTool) -> None:
        self.tool = tool
        draft = tool.draft
        if draft.heights_mm != self._heights or self.slices.count() != len(self._heights):
            self._heights = draft.heights_mm
            self.slices.clear()
            for n, height in enumerate(self._heights, 1):
                count = len(draft.on_slice(height))
                self.slices.addItem(f"{n}   {_height_words(height, draft.plane)}" + (f"   {count} outlines" if count > 1 else ""))
        self.none.setVisible(not self._heights)
        self.slices.setVisible(bool(self._heights))
        self.thickness.show_number(draft.thickness_mm or 0.0)
        for one in (self.before, self.after, self.clear):
            one.setEnabled(bool(self._heights))

    def show_height(self, height_mm: float) -> None:
        """Which of the painted slices is in view."""
        at = next((n for n, height in enumerate(self._heights) if self.tool.draft.on_slice(height_mm) and abs(height - height_mm) < 0.5), -1)
        self.slices.setCurrentRow(at)

    def set_scale(self, scale: float) -> None:
        self.slices.setFixedHeight(round(108 * scale))
        for one in (self.before, self.after, self.clear):
            one.setMinimumHeight(round(32 * scale))


def _height_words(height_mm: float, plane: Plane | None) -> str:
    """As the slices say it: towards which side of the patient, and how far."""
    letters = SIDES[ACROSS[plane]] if plane is not None else "  "
    return f"{letters[height_mm >= 0.0]} {abs(height_mm):.1f} mm"
