"""The distances: one card for each critical structure, always in the same place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from navtwin.bus.words import ERROR_BAR_SD, name_words, speed_words
from navtwin.nouns import Reading
from navtwin.scene.caption import NOT_A_DEVICE
from navtwin.scene.distances import PairRow, StructureRow, signed
from navtwin.scene.model import Structure

#: From millimetres to pixels.
_Scale = Callable[[float], float]
#: The scale reaches this many caution limits beyond the surface, but at least so far, and a little inside.
GAUGE_CAUTIONS, GAUGE_LEAST_MM, GAUGE_INSIDE_MM = 4.0, 10.0, 1.0
MOST_OTHERS = 2


@dataclass(frozen=True)
class Card:
    """What a card says; the words stand apart from the painting so that they can be tested, and read aloud."""

    value: str
    unit: str
    title: str
    detail: str
    others: tuple[str, ...]
    known: bool


def card_words(row: StructureRow) -> Card:
    """Put one structure's row into words. A value that is not known is the word UNKNOWN, never a number."""
    lead = row.lead
    if lead is None:
        return Card("UNKNOWN", "", "", row.why, (), False)
    others = tuple(f"{pair.title}:  {_short(pair)}" for pair in row.pairs[1 : 1 + MOST_OTHERS])
    reading = lead.reading
    if reading is None or reading.distance_mm is None:
        return Card("UNKNOWN", "", lead.title, lead.unknown_words.removeprefix("UNKNOWN "), others, False)
    bar = f"± {ERROR_BAR_SD * reading.sd_mm:.1f} " if reading.sd_mm is not None else ""
    value = ("≥ " if reading.depth_is_bound and reading.distance_mm < 0.0 else "") + f"{abs(reading.distance_mm):.1f}"
    detail = [f"bound {signed(reading.bound_mm)} mm" if reading.bound_mm is not None else "", speed_words(reading.speed_mm_s)]
    return Card(value, f"{bar}mm{' inside' if reading.distance_mm < 0.0 else ''}", lead.title, ",  ".join(d for d in detail if d), others, True)


class DistanceCard(QWidget):
    """One critical structure: its value in large type, and a scale with its limits, the error bar and the bound."""

    def __init__(self, structure: Structure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.structure = structure
        self.row = StructureRow(structure, (), "")
        self.card = card_words(self.row)
        self._scale = 1.0

    def show_row(self, row: StructureRow) -> None:
        if row != self.row:
            self.row, self.card = row, card_words(row)
            self.setAccessibleName(f"{name_words(self.structure.name)}: {self.card.value} {self.card.unit} {self.card.detail}")
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedHeight(round(200 * scale))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().adjusted(0, 0, -1, -round(8 * self._scale))
        theme.fill(painter, box, theme.ink().raised, 8.0 * self._scale)
        level = self.row.lead.level if self.row.lead else "CLEAR"
        shade = QColor(theme.ink().level(level))
        if level != "CLEAR":
            painter.setPen(QPen(shade, 2.0 * self._scale, Qt.PenStyle.SolidLine if self.card.known else Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 8.0 * self._scale, 8.0 * self._scale)
        self._paint_head(painter, box)
        self._paint_value(painter, box, shade)
        self._paint_gauge(painter, self._box(box, 110, 34))
        self._paint_others(painter, box)
        painter.end()

    def _box(self, box: QRect, top: float, height: float, left: float = 14, right: float = 14) -> QRect:
        """A part of the card, given in design pixels."""
        s = self._scale
        return QRect(box.left() + round(left * s), box.top() + round(top * s), box.width() - round((left + right) * s), round(height * s))

    def _paint_head(self, painter: QPainter, box: QRect) -> None:
        s = self._scale
        theme.fill(painter, self._box(box, 16, 10, right=0).adjusted(0, 0, -box.width() + round(24 * s), 0), self.structure.color, 5.0 * s)
        bold = theme.font(16 * s, weight=QFont.Weight.Bold)
        _write(painter, self._box(box, 8, 26, left=34, right=140), name_words(self.structure.name), bold, theme.ink().text)
        _write(painter, self._box(box, 8, 26, left=230), self.card.title, theme.font(14 * s), theme.ink().text, right=True)

    def _paint_value(self, painter: QPainter, box: QRect, shade: QColor) -> None:
        s, card = self._scale, self.card
        large = theme.font((44 if card.known else 30) * s, weight=QFont.Weight.Bold)
        area = self._box(box, 34, 52)
        _write(painter, area, card.value, large, shade if card.known else QColor(theme.ink().unknown))
        painter.setFont(large)
        beside = area.adjusted(painter.fontMetrics().horizontalAdvance(card.value) + round(9 * s), round(10 * s) if card.known else 0, 0, 0)
        _write(painter, beside, card.unit, theme.font(17 * s), theme.ink().text)
        _write(painter, self._box(box, 84, 22), card.detail, theme.font(13 * s), theme.ink().dim if card.known else theme.ink().text)

    def _paint_others(self, painter: QPainter, box: QRect) -> None:
        small = theme.font(12.5 * self._scale)
        limits = f"caution {self.structure.caution_mm:g} mm     danger {self.structure.danger_mm:g} mm"
        if self.structure.capped:
            limits += "     cut by the scan's edge"
        _write(painter, self._box(box, 144, 18), limits, small, theme.ink().dim)
        _write(painter, self._box(box, 164, 18), "     ".join(self.card.others), small, theme.ink().dim)

    def _paint_gauge(self, painter: QPainter, area: QRect) -> None:
        """From a little inside the structure (left) outwards: the danger and caution bands, the measured distance, its error bar, the bound below."""
        s = self._scale
        bar = QRect(area.left(), area.top() + round(7 * s), area.width(), round(10 * s))
        if not self.card.known:
            theme.hatch(painter, bar, ink=theme.ink())
            return
        caution, danger = self.structure.caution_mm or 0.0, self.structure.danger_mm or 0.0
        reach = max(GAUGE_LEAST_MM, GAUGE_CAUTIONS * caution)

        def x(mm: float) -> float:
            share = (min(max(mm, -GAUGE_INSIDE_MM), reach) + GAUGE_INSIDE_MM) / (reach + GAUGE_INSIDE_MM)
            return bar.left() + share * bar.width()

        red, yellow, calm = theme.color("high"), theme.color("medium"), QColor(theme.ink().quiet)
        for low, high, color, strength in (
            (-GAUGE_INSIDE_MM, 0.0, red, 210), (0.0, danger, red, 120), (danger, caution, yellow, 110), (caution, reach, calm, 120),
        ):  # fmt: skip
            color.setAlpha(strength)
            painter.fillRect(QRectF(x(low), bar.top(), x(high) - x(low), bar.height()), color)
        small = theme.font(10.5 * s)
        for mm in (0.0, danger, caution, reach):
            label = QRect(round(x(mm)) - round(20 * s), bar.bottom() + round(3 * s), round(40 * s), round(14 * s))
            if mm == reach:
                label.moveRight(bar.right())
            painter.setFont(small)
            painter.setPen(QColor(theme.ink().dim))
            painter.drawText(label, Qt.AlignmentFlag.AlignRight if mm == reach else Qt.AlignmentFlag.AlignHCenter, f"{mm:g}")
        reading = self.row.lead.reading if self.row.lead else None
        if reading is not None and reading.distance_mm is not None:
            self._paint_marks(painter, bar, reading, reading.distance_mm, x, reach)

    def _paint_marks(self, painter: QPainter, bar: QRect, reading: Reading, distance_mm: float, x: _Scale, reach: float) -> None:
        s, middle, shade = self._scale, bar.center().y() + 0.5, QColor(theme.ink().text)
        if distance_mm > reach:
            painter.setPen(QPen(shade, 2.0 * s))
            for step in (0.0, 5.0 * s):
                tip = bar.right() - 4.0 * s - step
                painter.drawPolyline(QPolygonF([QPointF(tip - 4 * s, middle - 4 * s), QPointF(tip, middle), QPointF(tip - 4 * s, middle + 4 * s)]))
            return
        if reading.sd_mm is not None:
            low, high = x(distance_mm - ERROR_BAR_SD * reading.sd_mm), x(distance_mm + ERROR_BAR_SD * reading.sd_mm)
            painter.setPen(QPen(shade, 1.6 * s))
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for end in (low, high):
                painter.drawLine(QPointF(end, middle - 4 * s), QPointF(end, middle + 4 * s))
        painter.setPen(QPen(shade, 3.2 * s))
        painter.drawLine(QPointF(x(distance_mm), bar.top() - 2 * s), QPointF(x(distance_mm), bar.bottom() + 4 * s))
        if reading.bound_mm is not None:
            at, low = x(reading.bound_mm), bar.top() - 2.0 * s
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.drawPolygon(QPolygonF([QPointF(at, low), QPointF(at - 4.5 * s, low - 7 * s), QPointF(at + 4.5 * s, low - 7 * s)]))


class Strip(QFrame):
    """The cards under each other; more than fit can be scrolled to."""

    def __init__(self, structures: tuple[Structure, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.cards = {s.name: DistanceCard(s) for s in structures}
        inner = QWidget()
        inner.setObjectName("cards")
        column = QVBoxLayout(inner)
        column.setContentsMargins(12, 12, 12, 4)
        column.setSpacing(2)
        for card in self.cards.values():
            column.addWidget(card)
        column.addStretch()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        legend = QLabel("┃  measured ± 2 sd        ▾  bound: the worst that it may be")
        legend.setProperty("dim", True)
        legend.setContentsMargins(14, 0, 12, 0)
        notice = QLabel(NOT_A_DEVICE)
        notice.setProperty("dim", True)
        notice.setContentsMargins(14, 0, 12, 10)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area, 1)
        layout.addWidget(legend)
        layout.addWidget(notice)

    def show_rows(self, rows: tuple[StructureRow, ...]) -> None:
        for row in rows:
            self.cards[row.structure.name].show_row(row)

    def set_scale(self, scale: float) -> None:
        self.setFixedWidth(round(400 * scale))
        for card in self.cards.values():
            card.set_scale(scale)


def _short(pair: PairRow) -> str:
    if pair.reading is None or pair.reading.distance_mm is None:
        return pair.unknown_words
    return f"{signed(pair.reading.distance_mm)} mm"


def _write(painter: QPainter, area: QRect, text: str, font: QFont, color: str | QColor, *, right: bool = False) -> None:
    painter.setFont(font)
    painter.setPen(QColor(color))
    text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, text)
