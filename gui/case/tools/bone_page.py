"""What can be set of bone beside the slices. A page shows a tool and hands on what is asked of it; it decides nothing."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QWidget

from gui.case.parts import Choice, NumberBox, button
from gui.case.tools.bone import USUAL_HU, BoneTool, Doing
from gui.case.tools.pages import Do

#: Of the slider; a number beyond can be typed.
LOW_HU, HIGH_HU = -200, 1500
MOST_FILL_MM3 = 5000.0
DOINGS: tuple[tuple[Doing, str, str], ...] = (
    ("island", "Islands", "Click on the bone to keep; Ctrl+click keeps another one as well"),
    ("crop", "Crop", "A box to keep to: drag its edges in the slices"),
    ("cut", "Cut", "A plane through a line that you click in a slice, upright on it; a third click says which side stays"),
)


class BonePage(QWidget):
    """Threshold, islands, crop, cuts, cavities.

    Signals
    -------
    largest : only the largest island is to be kept
    crop_begun : there is to be a crop box
    """

    largest = Signal()
    crop_begun = Signal()

    def __init__(self, do: Do) -> None:
        super().__init__()
        self.tool = BoneTool()
        self._do = do
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(LOW_HU, HIGH_HU)
        self.slider.setPageStep(50)
        self.slider.setSingleStep(5)
        self.slider.setAccessibleName("threshold")
        self.slider.setToolTip("All of the scan at or above this: watch the overlay in the slices")
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hu = NumberBox("threshold", -1000.0, 4000.0, 10.0, 0, " HU")
        self.upper = NumberBox("upper threshold", -1000.0, 4000.0, 10.0, 0, " HU")
        self.upper.setSpecialValueText("no upper limit")
        self.upper.setToolTip("And at or below this: leaves out metal, or teeth")
        self.fill = NumberBox("fill cavities", 0.0, MOST_FILL_MM3, 50.0, 0, " mm³")
        self.fill.setSpecialValueText("no cavities")
        self.fill.setToolTip("Cavities closed on all sides, up to this volume each, become solid")
        self.usual = QWidget()
        self._usual = QHBoxLayout(self.usual)
        self._usual.setContentsMargins(0, 0, 0, 0)
        self._usual.setSpacing(4)
        self.doing = Choice([("", "Look", "The mouse moves the cursor"), *DOINGS], "small")
        self.keep_largest = button("Largest only", "Keep the largest island", self.largest.emit, "small")
        self.all_islands = button("All islands", "Keep all islands again, but specks", lambda: do(self.tool.forget_islands), "small")
        self.no_crop = button("No crop", "Take the crop box away", lambda: do(self._uncrop), "small")
        self.no_cuts = button("No cuts", "Take all cut planes away", lambda: do(self.tool.forget_cuts), "small")
        self.slider.valueChanged.connect(lambda hu: do(lambda: self.tool.set_hu(float(hu))))
        self.slider.sliderReleased.connect(self._let_go)
        self.hu.entered.connect(lambda hu: do(lambda: self.tool.set_hu(hu)))
        self.upper.entered.connect(lambda hu: do(lambda: self.tool.set_upper(hu if hu > self.upper.minimum() else None)))
        self.fill.entered.connect(lambda volume: do(lambda: self.tool.set_fill(volume)))
        self.doing.chosen.connect(self._choose)
        self.show_levels(None)
        self._lay_out()

    def show_levels(self, own_hu: float | None) -> None:
        """Thresholds to begin with; the scan's own first, where it has one."""
        while (item := self._usual.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if own_hu is not None:
            tip = f"{own_hu:g} HU parts this scan best into soft tissue and bone (Otsu). A place to begin: look at the overlay"
            self._usual.addWidget(self._level(own_hu, f"this scan: {own_hu:g}", tip))
        for hu in USUAL_HU:
            self._usual.addWidget(self._level(hu, f"{hu:g}", f"{hu:g} HU"))
        self._usual.addStretch(1)

    def show_tool(self, tool: BoneTool) -> None:
        self.tool = tool
        draft = tool.draft
        self.slider.blockSignals(True)
        self.slider.setValue(round(draft.hu))
        self.slider.blockSignals(False)
        self.hu.show_number(draft.hu)
        self.upper.show_number(self.upper.minimum() if draft.upper_hu is None else draft.upper_hu)
        self.fill.show_number(draft.fill_mm3)
        self.doing.show_chosen(tool.doing)
        self.all_islands.setEnabled(bool(draft.seeds_mm))
        self.no_crop.setEnabled(draft.crop_mm is not None)
        self.no_cuts.setEnabled(bool(draft.cut or tool.line))

    def set_scale(self, scale: float) -> None:
        for one in self.doing.buttons.values():
            one.setMinimumHeight(round(32 * scale))

    def _level(self, hu: float, text: str, tip: str) -> QWidget:
        def choose() -> None:
            self.tool.history.lift()
            self._do(lambda: self.tool.set_hu(hu))

        return button(text, tip, choose, "small")

    def _let_go(self) -> None:
        self.tool.history.lift()

    def _choose(self, doing: str) -> None:
        self._do(lambda: self.tool.do(cast(Doing, doing)))
        if doing == "crop" and self.tool.draft.crop_mm is None:
            self.crop_begun.emit()

    def _uncrop(self) -> None:
        self.tool.set_crop(None)
        if self.tool.doing == "crop":
            self.tool.do("")

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (("Threshold", self.hu), ("", self.slider), ("", self.usual), ("Up to", self.upper))
        for n, (title, widget) in enumerate((*rows, ("Fill", self.fill))):
            if title:
                grid.addWidget(QLabel(title), n, 0)
                grid.addWidget(widget, n, 1)
            else:
                grid.addWidget(widget, n, 0, 1, 2)
        grid.addWidget(self.doing, 6, 0, 1, 2)
        away = QWidget()
        row = QGridLayout(away)
        row.setContentsMargins(0, 0, 0, 0)
        for n, one in enumerate((self.keep_largest, self.all_islands, self.no_crop, self.no_cuts)):
            row.addWidget(one, n // 2, n % 2)
        grid.addWidget(away, 7, 0, 1, 2)
