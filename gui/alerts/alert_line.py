"""One alert or technical alarm on one line, and the label that cuts what has no room."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from gui import theme
from navtwin.nouns import Alert, TechnicalAlarm

Row = Alert | TechnicalAlarm
Acknowledge = Callable[[Row], None]

#: Of a line of words with its button, designed px.
LINE_HEIGHT = 34


class Line(QFrame):
    """One further alert, or one technical alarm: a flashing tab, its words, who has acknowledged it or a button to do so."""

    def __init__(self, acknowledge: Acknowledge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row: Row | None = None
        self._shade, self._scale = QColor(), 1.0
        self.words = Elided(self)
        self.button = QPushButton("Ack", self)
        self.button.setProperty("small", True)
        self.button.setToolTip("Acknowledge this one, at the level shown (Space: the most pressing)")
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.clicked.connect(lambda: self._row is not None and acknowledge(self._row))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 0, 6, 0)
        layout.setSpacing(8)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.button)

    def show_row(self, row: Row, words: str, *, lit: bool, can_answer: bool) -> None:
        self._row = row
        answered = f"   ✓ {row.acked_by}" if row.acked_by else "   (silenced)" if row.silenced else ""
        self.words.set_text(words + answered)
        self.button.setVisible(can_answer and not row.acked_by and row.priority != "none")
        color = theme.color(row.priority)
        shade = color if lit or row.acked_by else theme.sunk(color)
        if shade != self._shade:
            self._shade = shade
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedHeight(round(LINE_HEIGHT * scale))
        self.button.setFixedSize(round(64 * scale), round(32 * scale))
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(round(16 * scale), 0, round(5 * scale), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme.fill(painter, self.rect().adjusted(0, 1, 0, -1), theme.ink().raised)
        painter.fillRect(QRect(0, 1, round(6 * self._scale), self.height() - 2), self._shade)
        painter.end()


class Elided(QLabel):
    """A label that cuts its text with an ellipsis where there is no room, and tells it all in its tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_text(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().windowText().color())
        cut = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
        painter.end()
