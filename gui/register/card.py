"""What is known of a registration: the gate's verdict with its reasons, residuals for what they are, and the error to expect where it matters."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.register.rows import ErrorRow, ResultCard
from navtwin.bus.words import name_words

ROW = 40
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ErrorTable(QWidget):
    """Predicted error at each critical structure, against that structure's danger limit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[ErrorRow, ...] = ()
        self._scale = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("RMS error of the registration that is predicted at the point of each critical structure that the plan comes nearest to")

    def show_rows(self, rows: tuple[ErrorRow, ...]) -> None:
        if rows != self.rows:
            self.rows = rows
            self.setAccessibleName("; ".join(f"predicted error at {name_words(r.name)} {r.tre_mm:.2f} mm" for r in rows))
            self.updateGeometry()
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(round(220 * self._scale), round(ROW * len(self.rows) * self._scale))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(120 * self._scale), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, s = theme.ink(), self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for n, row in enumerate(self.rows):
            line = QRect(0, round(n * ROW * s), self.width(), round(ROW * s))
            swatch = QRect(line.left(), line.top() + round(7 * s), round(10 * s), round(10 * s))
            theme.fill(painter, swatch, row.color, 5.0 * s)
            words = line.adjusted(round(18 * s), 0, 0, -round(16 * s))
            painter.setFont(theme.font(14 * s))
            painter.setPen(QColor(ink.text))
            painter.drawText(words, _LEFT, name_words(row.name))
            painter.setFont(theme.font(16 * s, weight=QFont.Weight.Bold))
            painter.drawText(words, _RIGHT, f"{row.tre_mm:.2f} mm")
            self._paint_bar(painter, row, line)
        painter.end()

    def _paint_bar(self, painter: QPainter, row: ErrorRow, line: QRect) -> None:
        """How much of the danger limit the error takes up; none where there is no limit."""
        if not row.danger_mm:
            return
        ink, s = theme.ink(), self._scale
        note = f"of {row.danger_mm:g} mm danger"
        painter.setFont(theme.font(11.5 * s))
        painter.setPen(QColor(ink.dim))
        area = line.adjusted(round(18 * s), round(21 * s), 0, 0)
        painter.drawText(area, _RIGHT, note)
        room = area.width() - painter.fontMetrics().horizontalAdvance(note) - round(10 * s)
        bar = QRectF(area.left(), area.center().y() - 2 * s, room, 5 * s)
        theme.fill(painter, bar.toRect(), ink.raised, 2.5 * s)
        bar.setWidth(room * min(1.0, row.tre_mm / row.danger_mm))
        theme.fill(painter, bar.toRect(), ink.accent if 2.0 * row.tre_mm < row.danger_mm else ink.bound, 2.5 * s)


class ResultView(QFrame):
    """The registration that waits, or else the one in use."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card: ResultCard | None = None
        self.setProperty("card", True)
        self.verdict, self.reasons = QLabel(), QLabel()
        self.figures, self.caveat, self.worst = QLabel(), QLabel(), QLabel()
        self.question, self.level = QLabel(), QComboBox()
        theme.set_tone(self.question, "warn")
        self.level.setToolTip("Vertebrae are alike: count, or take an X-ray image. Accept takes the registration into use for this level")
        self.level.setAccessibleName("level that was touched")
        self.title = QLabel("Predicted error, RMS")
        self.table = ErrorTable()
        self.caveat.setText("Residuals say how well the points fit, not how accurate it is.")
        for label in (self.caveat, self.title):
            label.setProperty("dim", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(6)
        for part in (self.verdict, self.reasons, self.question, self.level, self.title, self.table, self.figures, self.caveat, self.worst):
            if isinstance(part, QLabel):
                part.setWordWrap(True)
            column.addWidget(part)
        self.hide()

    def show_card(self, card: ResultCard | None) -> None:
        """None: there is no result."""
        if card == self.card:
            return
        self.card = card
        self.setVisible(card is not None)
        if card is None:
            return
        standing = "waits for you" if card.pending else "is in use"
        self.verdict.setText(f"Accepted by the gate: {standing}" if card.accepted else "Refused by the gate")
        theme.set_tone(self.verdict, "good" if card.accepted else "bad")
        self.reasons.setText("\n".join(f"\N{BULLET} {reason}" for reason in card.reasons))
        self.reasons.setVisible(bool(card.reasons))
        theme.say(self.question, card.question)
        self.level.setVisible(bool(card.question))
        self.level.clear()
        self.level.addItem("which level was touched?", "")
        for name in card.levels:
            self.level.addItem(name_words(name), name)
        self.table.show_rows(card.errors)
        self.title.setText("Predicted error, RMS" if card.errors else "Predicted error: nothing is watched")
        lines = [f"Residual of the landmarks: {card.residual}"]
        lines += [f"Residual of the surface: {card.surface}"] if card.surface else []
        lines += [f"Left out: {', '.join(map(name_words, card.without))}"] if card.without else []
        self.figures.setText("\n".join(lines))
        self.worst.setText(f"Left one out: {card.worst}")
        self.worst.setVisible(bool(card.worst))

    @property
    def chosen_level(self) -> str:
        """What was answered, "" where nothing was asked or answered yet."""
        return str(self.level.currentData() or "") if self.card is not None and self.card.question else ""

    def set_scale(self, scale: float) -> None:
        self.table.set_scale(scale)
        self.table.update()
