"""The landmarks of the case: which is next, how each was touched, how well it agrees with the others, and whether it is used."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.register.rows import LandmarkRow, bar_scale_mm
from navtwin.bus.words import name_words

#: Heights of a row, in design pixels: without errors, and with the bars of them.
PLAIN, WITH_BARS = 46, 74
NUMBER, USE = 44, 74
LEFT_OUT_TIP = (
    "How far this landmark lies from where the others alone put it. A better sign of a bad touch than its residual: "
    "a fit leans towards its own points, most towards the worst"
)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LandmarkLine(QWidget):
    """One landmark.

    Signals
    -------
    pressed : it was clicked
    wanted : whether it is to be used by the next registration
    """

    pressed = Signal()
    wanted = Signal(bool)

    def __init__(self, row: LandmarkRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row, self.chosen = row, False
        self._scale, self._scale_mm = 1.0, 1.0
        self.use = QCheckBox("use", self)
        self.use.setToolTip("Use this landmark in the next registration, or leave it out (L for the chosen one)")
        self.use.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.use.setChecked(True)
        self.use.clicked.connect(self.wanted.emit)
        self.setToolTip(f"Choose it, to touch it, touch it again or check it (Up, Down). Left out: {LEFT_OUT_TIP}")

    @property
    def has_bars(self) -> bool:
        return self.row.residual_mm is not None or self.row.left_out_mm is not None

    def show_row(self, row: LandmarkRow, scale_mm: float, *, chosen: bool) -> None:
        """`scale_mm` is what the longest bar of the list stands for."""
        if (row, scale_mm, chosen) == (self.row, self._scale_mm, self.chosen):
            return
        self.row, self._scale_mm, self.chosen = row, scale_mm, chosen
        self.use.setChecked(row.wanted)
        self.use.setAccessibleName(f"use {name_words(row.name)}")
        told = [f"{row.number}, {name_words(row.name)}", row.state, row.touch]
        told += [f"residual {row.residual_mm:.2f} mm"] if row.residual_mm is not None else []
        told += [f"left out {row.left_out_mm:.2f} mm"] if row.left_out_mm is not None else []
        self.setAccessibleName(", ".join(word for word in [*told, "the worst" if row.worst else ""] if word))
        self._fit()
        self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place_box()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, s, row = theme.ink(), self._scale, self.row
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().adjusted(round(4 * s), round(2 * s), -round(4 * s), -round(2 * s))
        aimed = row.state in ("next", "touching")
        if aimed or self.chosen:
            theme.fill(painter, box, ink.selected, 6.0 * s)
        if self.chosen:
            painter.setPen(QPen(QColor(ink.accent), 2.0 * s))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 6.0 * s, 6.0 * s)
        self._paint_number(painter, box)
        left, right = box.left() + round(NUMBER * s), box.right() - round(USE * s)
        name = QRect(left, box.top() + round(4 * s), right - left, round(20 * s))
        painter.setFont(theme.font(14 * s, weight=QFont.Weight.DemiBold))
        painter.setPen(QColor(ink.text if row.wanted else ink.disabled))
        painter.drawText(name, _LEFT, painter.fontMetrics().elidedText(name_words(row.name), Qt.TextElideMode.ElideRight, name.width()))
        below = QRect(left, name.bottom(), right - left + round(USE * s), round(17 * s))
        painter.setFont(theme.font(12 * s))
        painter.setPen(QColor(ink.dim))
        words = "hold still" if row.state == "touching" else row.touch or ("next: touch it" if row.state == "next" else "not touched yet")
        painter.drawText(below, _LEFT, words)
        if self.has_bars:
            self._paint_bars(painter, QRect(left, below.bottom() + round(3 * s), box.right() - round(8 * s) - left, round(25 * s)))
        painter.end()

    def _paint_number(self, painter: QPainter, box: QRect) -> None:
        ink, s, row = theme.ink(), self._scale, self.row
        disc = QRectF(box.left() + 8 * s, box.top() + 7 * s, 28 * s, 28 * s)
        aimed, touched = row.state in ("next", "touching"), row.state == "touched"
        painter.setPen(QPen(QColor(ink.accent if aimed else ink.good if touched else ink.quiet), 2.0 * s))
        painter.setBrush(QColor(ink.accent) if aimed else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(disc)
        painter.setPen(QColor(ink.on_accent if aimed else ink.text))
        painter.setFont(theme.font(14 * s, weight=QFont.Weight.Bold))
        painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(row.number))
        if row.touch:
            badge = QRectF(disc.right() - 9 * s, disc.bottom() - 10 * s, 14 * s, 14 * s)
            theme.fill(painter, badge.toRect(), ink.good, 7.0 * s)
            painter.setPen(QPen(QColor(ink.background), 2.0 * s))
            left, low, right = QPointF(3.5, 7.2), QPointF(6.0, 10.0), QPointF(10.5, 4.2)
            painter.drawPolyline([badge.topLeft() + corner * s for corner in (left, low, right)])

    def _paint_bars(self, painter: QPainter, area: QRect) -> None:
        ink, s, row = theme.ink(), self._scale, self.row
        bad = ink.bound if row.worst else ink.accent
        half = area.height() // 2
        lines = (("left out", row.left_out_mm, bad, "worst" if row.worst else ""), ("residual", row.residual_mm, ink.quiet, ""))
        painter.setFont(theme.font(11.5 * s))
        for n, (title, value, shade, tag) in enumerate(lines):
            line = QRect(area.left(), area.top() + n * half, area.width(), half)
            painter.setPen(QColor(ink.dim))
            painter.drawText(line, _LEFT, title)
            bar = QRectF(line.left() + 52 * s, line.center().y() - 2.5 * s, line.width() - 148 * s, 6.0 * s)
            theme.fill(painter, bar.toRect(), ink.raised, 3.0 * s)
            if value is not None:
                filled = QRectF(bar.left(), bar.top(), bar.width() * min(1.0, value / self._scale_mm), bar.height())
                theme.fill(painter, filled.toRect(), shade, 3.0 * s)
            told = "—" if value is None else f"{value:.2f} mm"
            painter.setPen(QColor(bad if tag else ink.text))
            painter.drawText(line, _RIGHT, f"{tag}  {told}" if tag else told)

    def _fit(self) -> None:
        self.setFixedHeight(round((WITH_BARS if self.has_bars else PLAIN) * self._scale))
        self._place_box()

    def _place_box(self) -> None:
        hint = self.use.sizeHint()
        self.use.setGeometry(self.width() - hint.width() - round(12 * self._scale), round(6 * self._scale), hint.width(), hint.height())


class LandmarkList(QScrollArea):
    """All landmarks.

    Signals
    -------
    chosen : the name of the landmark that was pressed
    wanted : a landmark's name, and whether it is to be used
    """

    chosen = Signal(str)
    wanted = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: list[LandmarkLine] = []
        self._scale = 1.0
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch()
        self.setWidget(self._inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_rows(self, rows: tuple[LandmarkRow, ...], chosen: str) -> None:
        """`chosen` is the landmark that was picked by hand, "" if none was."""
        if [line.row.name for line in self.lines] != [row.name for row in rows]:
            self._rebuild(rows)
        scale_mm = bar_scale_mm(rows)
        for line, row in zip(self.lines, rows, strict=True):
            moved = row.state in ("next", "touching") and line.row.state not in ("next", "touching")
            line.show_row(row, scale_mm, chosen=row.name == chosen)
            if moved:
                self.ensureWidgetVisible(line)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for line in self.lines:
            line.set_scale(scale)

    def _rebuild(self, rows: tuple[LandmarkRow, ...]) -> None:
        for line in self.lines:
            line.setParent(None)
            line.deleteLater()
        self.lines = []
        for n, row in enumerate(rows):
            line = LandmarkLine(row)
            line.set_scale(self._scale)
            line.pressed.connect(lambda name=row.name: self.chosen.emit(name))
            line.wanted.connect(lambda on, name=row.name: self.wanted.emit(name, on))
            self._column.insertWidget(n, line)
            self.lines.append(line)
