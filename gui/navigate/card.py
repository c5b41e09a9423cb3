"""One critical structure's card: its value in large type with its error bar, the bound, the speed, its level in words, and a scale."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.navigate.gauge import paint_gauge
from navtwin.bus.words import ERROR_BAR_SD, name_words, speed_words
from navtwin.nouns import Level
from navtwin.scene.distances import PairRow, StructureRow, signed
from navtwin.scene.model import Structure

MOST_OTHERS = 2
#: Heights of a card, in design pixels: with everything, and where many must share the strip.
TALL, SHORT = 208, 132
#: The value's type. ISO 9241-303 asks for capitals of 16 minutes of arc at the least, better 20. At 2 m, 20' are 2000 mm x tan(20') = 11.6 mm.
#: The window fills its screen: 800 design pixels on a 24-inch one of 16:10 are 323 mm, 0.40 mm each. Capitals are 0.72 of the size of their type:
#: 11.6 / 0.40 / 0.72 = 40.
VALUE_PX = 46
#: The error bar's: its figures have 17' at 1.2 m, from the other side of the table.
WORD_PX = 20


@dataclass(frozen=True)
class Card:
    """What a card says; the words stand apart from the painting so that they can be tested, and read aloud."""

    value: str
    unit: str
    title: str
    detail: str
    speed: str
    others: tuple[str, ...]
    known: bool


def card_words(row: StructureRow) -> Card:
    """Put one structure's row into words. A value that is not known is the word UNKNOWN, never a number."""
    lead = row.lead
    if lead is None:
        return Card("UNKNOWN", "", "", row.why, "", (), False)
    others = tuple(f"{pair.title}:  {_short(pair)}" for pair in row.pairs[1 : 1 + MOST_OTHERS])
    reading = lead.reading
    if reading is None or reading.distance_mm is None:
        return Card("UNKNOWN", "", lead.title, lead.unknown_words.removeprefix("UNKNOWN "), "", others, False)
    bar = f"± {ERROR_BAR_SD * reading.sd_mm:.1f} " if reading.sd_mm is not None else ""
    value = ("≥ " if reading.depth_is_bound and reading.distance_mm < 0.0 else "") + f"{abs(reading.distance_mm):.1f}"
    bound = f"bound {signed(reading.bound_mm)} mm" if reading.bound_mm is not None else ""
    return Card(value, f"{bar}mm{' inside' if reading.distance_mm < 0.0 else ''}", lead.title, bound, speed_words(reading.speed_mm_s), others, True)


class DistanceCard(QWidget):
    """One critical structure."""

    def __init__(self, structure: Structure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.structure = structure
        self.row = StructureRow(structure, (), "")
        self.card = card_words(self.row)
        self._scale, self._tall = 1.0, True

    def show_row(self, row: StructureRow) -> None:
        if row != self.row:
            self.row, self.card = row, card_words(row)
            told = (self.card.value, self.card.unit, self.card.detail, self.card.speed, "" if self.level == "CLEAR" else self.level)
            self.setAccessibleName(f"{name_words(self.structure.name)}: {' '.join(word for word in told if word)}")
            self.update()

    @property
    def level(self) -> Level:
        """The level of the pair that matters most; the last one known where it is unknown now."""
        return self.row.lead.level if self.row.lead else "CLEAR"

    def set_scale(self, scale: float, *, tall: bool = True) -> None:
        self._scale, self._tall = scale, tall
        self.setFixedHeight(round((TALL if tall else SHORT) * scale))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().adjusted(0, 0, -1, -round(8 * self._scale))
        theme.fill(painter, box, theme.ink().raised, 8.0 * self._scale)
        if self.level != "CLEAR":
            shade = QColor(theme.ink().level(self.level))
            painter.setPen(QPen(shade, 2.5 * self._scale, Qt.PenStyle.SolidLine if self.card.known else Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 8.0 * self._scale, 8.0 * self._scale)
        self._paint_head(painter, box)
        self._paint_value(painter, box)
        self._paint_details(painter, box)
        reading = self.row.lead.reading if self.row.lead and self.card.known else None
        limits = (self.structure.caution_mm or 0.0, self.structure.danger_mm or 0.0)
        paint_gauge(painter, self._box(box, 116 if self._tall else 82, 36), limits, reading, self._scale)
        if self._tall:
            self._paint_foot(painter, box)
        painter.end()

    def _box(self, box: QRect, top: float, height: float, left: float = 14, right: float = 14) -> QRect:
        """A part of the card, given in design pixels."""
        s = self._scale
        return QRect(box.left() + round(left * s), box.top() + round(top * s), box.width() - round((left + right) * s), round(height * s))

    def _paint_head(self, painter: QPainter, box: QRect) -> None:
        s, ink = self._scale, theme.ink()
        swatch = self._box(box, 14, 14)
        swatch.setWidth(swatch.height())
        theme.fill(painter, swatch, self.structure.color, 7.0 * s)
        taken = self._paint_level(painter, box) if self.level != "CLEAR" else 0.0
        name = theme.font(18 * s, weight=QFont.Weight.Bold)
        _write(painter, self._box(box, 8, 26, left=36, right=20 + taken), name_words(self.structure.name), name, ink.text)

    def _paint_level(self, painter: QPainter, box: QRect) -> float:
        """The level in words, filled while it is known; returns the room it takes, in design pixels."""
        s, ink, word = self._scale, theme.ink(), self.level if self.card.known else f"was {self.level}"
        painter.setFont(theme.font(16 * s, weight=QFont.Weight.Bold))
        wide = painter.fontMetrics().horizontalAdvance(word) / s + 18
        tag = self._box(box, 8, 26, left=box.width() / s - wide - 9, right=9)
        if self.card.known:
            theme.fill(painter, tag, theme.level_color(self.level), 5.0 * s)
        painter.setPen(QColor(ink.on_signal if self.card.known else ink.level(self.level)))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, word)
        return wide

    def _paint_value(self, painter: QPainter, box: QRect) -> None:
        s, card, ink = self._scale, self.card, theme.ink()
        size = VALUE_PX if card.known else 34
        large = theme.font(size * s, weight=QFont.Weight.Bold)
        area = self._box(box, 36, 50)
        _write(painter, area, card.value, large, ink.level(self.level) if card.known else ink.unknown)
        painter.setFont(large)
        beside = area.adjusted(painter.fontMetrics().horizontalAdvance(card.value) + round(9 * s), round(10 * s), 0, 0)
        _write(painter, beside, card.unit, theme.font(WORD_PX * s, weight=QFont.Weight.Medium), ink.text)
        painter.setFont(theme.font(WORD_PX * s, weight=QFont.Weight.Medium))
        left = beside.adjusted(painter.fontMetrics().horizontalAdvance(card.unit) + round(10 * s), 0, 0, 0)
        if self._tall:
            _write(painter, left, card.title, theme.font(14 * s), ink.dim, right=True)
        else:
            half = left.height() // 2
            _write(painter, left.adjusted(0, -round(4 * s), 0, -half), card.detail, theme.font(15 * s), ink.text, right=True)
            _write(painter, left.adjusted(0, half - round(3 * s), 0, 0), card.speed, theme.font(15 * s), ink.text, right=True)

    def _paint_details(self, painter: QPainter, box: QRect) -> None:
        if not self._tall:
            return
        font, ink = theme.font(17 * self._scale), theme.ink()
        area = self._box(box, 86, 26)
        _write(painter, area, self.card.detail, font, ink.text)
        _write(painter, area, self.card.speed, font, ink.text, right=True)

    def _paint_foot(self, painter: QPainter, box: QRect) -> None:
        small, ink = theme.font(13 * self._scale), theme.ink()
        limits = f"caution {self.structure.caution_mm:g} mm     danger {self.structure.danger_mm:g} mm"
        if self.structure.capped:
            limits += "     cut by the scan's edge"
        _write(painter, self._box(box, 158, 18), limits, small, ink.dim)
        _write(painter, self._box(box, 177, 18), "     ".join(self.card.others), small, ink.dim)


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
