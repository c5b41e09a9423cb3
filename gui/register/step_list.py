"""The steps of a registration, one line each: how it stands, and in words why."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.register.model import Step, StepState

LINE, TITLE = 28, 112
#: What each state is called, for those who hear it.
STATE_WORDS: dict[StepState, str] = {"done": "done", "now": "next", "todo": "to do", "bad": "look here", "unused": "not used"}


class StepList(QWidget):
    """Painted: nothing here can be pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps: tuple[Step, ...] = ()
        self._scale = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_steps(self, steps: tuple[Step, ...]) -> None:
        if steps != self.steps:
            resize = len(steps) != len(self.steps)
            self.steps = steps
            self.setAccessibleName("; ".join(f"{s.title}: {STATE_WORDS[s.state]}, {s.words}" for s in steps))
            if resize:
                self.updateGeometry()
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(280 * self._scale), round((LINE * len(self.steps) + 12) * self._scale))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(200 * self._scale), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, s = theme.ink(), self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for n, step in enumerate(self.steps):
            line = QRect(0, round((6 + LINE * n) * s), self.width(), round(LINE * s))
            if step.state == "now":
                theme.fill(painter, line.adjusted(round(6 * s), round(s), -round(6 * s), -round(s)), ink.selected, 6.0 * s)
            _sign(painter, step.state, QPointF(line.left() + 23 * s, line.center().y() + 0.5), s)
            loud = step.state in ("now", "bad")
            painter.setFont(theme.font(14 * s, weight=QFont.Weight.DemiBold if loud else QFont.Weight.Normal))
            painter.setPen(QColor(ink.bad if step.state == "bad" else ink.text if step.state in ("now", "done") else ink.dim))
            painter.drawText(line.adjusted(round(42 * s), 0, 0, 0), middle, step.title)
            painter.setFont(theme.font(13 * s))
            painter.setPen(QColor(ink.text if loud else ink.dim))
            rest = line.adjusted(round((42 + TITLE) * s), 0, -round(12 * s), 0)
            painter.drawText(rest, middle, painter.fontMetrics().elidedText(step.words, Qt.TextElideMode.ElideRight, rest.width()))
        painter.end()


def _sign(painter: QPainter, state: StepState, at: QPointF, s: float) -> None:
    """A tick, a filled arrow, an empty ring, a cross or a dash: told by shape before colour."""
    ink, r = theme.ink(), 7.0 * s
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state == "done":
        painter.setPen(QPen(QColor(ink.good), 2.4 * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPolyline([at + QPointF(-0.8 * r, 0.1 * r), at + QPointF(-0.2 * r, 0.7 * r), at + QPointF(0.9 * r, -0.7 * r)])
    elif state == "now":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.accent))
        painter.drawPolygon([at + QPointF(-0.6 * r, -0.9 * r), at + QPointF(0.9 * r, 0.0), at + QPointF(-0.6 * r, 0.9 * r)])
    elif state == "bad":
        painter.setPen(QPen(QColor(ink.bad), 3.0 * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(at + QPointF(-0.7 * r, -0.7 * r), at + QPointF(0.7 * r, 0.7 * r))
        painter.drawLine(at + QPointF(-0.7 * r, 0.7 * r), at + QPointF(0.7 * r, -0.7 * r))
    elif state == "unused":
        painter.setPen(QPen(QColor(ink.disabled), 2.0 * s))
        painter.drawLine(at + QPointF(-0.7 * r, 0.0), at + QPointF(0.7 * r, 0.0))
    else:
        painter.setPen(QPen(QColor(ink.quiet), 1.6 * s))
        painter.drawEllipse(QRectF(at.x() - 0.75 * r, at.y() - 0.75 * r, 1.5 * r, 1.5 * r))
