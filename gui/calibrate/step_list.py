"""The steps down the left side: each with its state, told by shape and words, and why it is so."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.steps import Step, StepState

STATE_WORDS: dict[StepState, str] = {
    "done": "done",
    "ask": "a verdict waits",
    "doubtful": "doubtful",
    "todo": "to do",
    "waiting": "waits for another step",
    "optional": "if you like",
    "needless": "not needed",
}
DESIGN_HEIGHT = 52


class StepRow(QWidget):
    """One step."""

    def __init__(self, choose: Callable[[str], None]) -> None:
        super().__init__()
        self.step: Step | None = None
        self.chosen, self.next = False, False
        self._choose, self._scale = choose, 1.0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_step(self, step: Step, *, chosen: bool, first: bool) -> None:
        """`first` marks the step to take now."""
        if (step, chosen, first) != (self.step, self.chosen, self.next):
            self.step, self.chosen, self.next = step, chosen, first
            self.setAccessibleName(f"{step.title}: {STATE_WORDS[step.state]}, {step.why}")
            self.setToolTip(f"{step.title}: {STATE_WORDS[step.state]}\n{step.why}\n(Up and Down choose a step)")
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(240 * self._scale), round(DESIGN_HEIGHT * self._scale))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.step is not None:
            self._choose(self.step.key)

    def paintEvent(self, event: QPaintEvent) -> None:
        step, ink = self.step, theme.ink()
        if step is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        width = self.width() / self._scale
        box = QRectF(2, 2, width - 4, DESIGN_HEIGHT - 4)
        if self.chosen or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ink.selected if self.chosen else ink.hover))
            painter.drawRoundedRect(box, 6, 6)
        if self.chosen:
            painter.setBrush(QColor(ink.accent))
            painter.drawRoundedRect(QRectF(box.left(), box.top() + 8, 3.5, box.height() - 16), 1.7, 1.7)
        paint_state(painter, step.state, QPointF(23, DESIGN_HEIGHT / 2.0), 1.0)
        quiet = step.state in ("needless", "waiting")
        room = width - 54.0
        painter.setFont(theme.font(14.5, weight=QFont.Weight.DemiBold))
        painter.setPen(QColor(ink.dim if quiet else ink.text))
        title = painter.fontMetrics().elidedText(step.title, Qt.TextElideMode.ElideRight, round(room - (44 if self.next else 0)))
        painter.drawText(QRectF(44, 5, room, 22), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        if self.next:
            painter.setFont(theme.font(11.5, weight=QFont.Weight.Bold))
            painter.setPen(QColor(ink.accent))
            painter.drawText(QRectF(44, 5, room, 22), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "NEXT")
        painter.setFont(theme.font(12.5))
        painter.setPen(QColor(ink.warn if step.state in ("doubtful", "ask") else ink.dim))
        why = painter.fontMetrics().elidedText(step.why, Qt.TextElideMode.ElideRight, round(room))
        painter.drawText(QRectF(44, 26, room, 20), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, why)
        painter.end()

    def enterEvent(self, event: object) -> None:
        self.update()

    def leaveEvent(self, event: object) -> None:
        self.update()


def paint_state(painter: QPainter, state: StepState, middle: QPointF, scale: float) -> None:
    """A tick: done. A ring: to do; dotted where it waits or is optional. A dash: not needed. A triangle: doubtful, or a verdict waits (?)."""
    ink = theme.ink()
    x, y, r = middle.x(), middle.y(), 9.5 * scale
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state == "done":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.good))
        painter.drawEllipse(middle, r, r)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(ink.panel), 2.4 * scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline([QPointF(x - 0.42 * r, y), QPointF(x - 0.08 * r, y + 0.36 * r), QPointF(x + 0.46 * r, y - 0.36 * r)])
    elif state in ("doubtful", "ask"):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.warn))
        painter.drawPolygon(QPolygonF([QPointF(x, y - 1.1 * r), QPointF(x - 1.15 * r, y + 0.9 * r), QPointF(x + 1.15 * r, y + 0.9 * r)]))
        painter.setFont(theme.font(13.0 * scale, weight=QFont.Weight.Bold))
        painter.setPen(QColor(ink.panel))
        mark = "?" if state == "ask" else "!"
        painter.drawText(QRectF(x - r, y - 0.65 * r, 2 * r, 1.6 * r), Qt.AlignmentFlag.AlignCenter, mark)
    elif state == "needless":
        painter.setPen(QPen(QColor(ink.quiet), 2.4 * scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(x - 0.6 * r, y), QPointF(x + 0.6 * r, y))
    else:
        shade = {"todo": ink.accent, "optional": ink.quiet}.get(state, ink.quiet)
        line = Qt.PenStyle.SolidLine if state == "todo" else Qt.PenStyle.DotLine
        painter.setPen(QPen(QColor(shade), 2.4 * scale, line))
        painter.drawEllipse(middle, 0.85 * r, 0.85 * r)


class StepList(QScrollArea):
    """All steps; one is chosen."""

    def __init__(self, choose: Callable[[str], None]) -> None:
        super().__init__()
        self.rows: list[StepRow] = []
        self._choose, self._scale = choose, 1.0
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(2)
        self._column.addStretch()
        self.setWidget(inside)

    def show_steps(self, steps: tuple[Step, ...], chosen: str, first: str) -> None:
        """`chosen` and `first` are keys of steps."""
        while len(self.rows) < len(steps):
            row = StepRow(self._choose)
            row.set_scale(self._scale)
            self.rows.append(row)
            self._column.insertWidget(len(self.rows) - 1, row)
        for n, row in enumerate(self.rows):
            row.setVisible(n < len(steps))
            if n < len(steps):
                row.show_step(steps[n], chosen=steps[n].key == chosen, first=steps[n].key == first)

    def reveal(self, key: str) -> None:
        """Scroll to a step."""
        for row in self.rows:
            if row.step is not None and row.step.key == key:
                self.ensureWidgetVisible(row, 0, 8)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for row in self.rows:
            row.set_scale(scale)
