"""The bullseye: the planned path seen from its entry, the tip's offset from it, where the axis would land, angle and depth. Drawn in 2D."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.link.board import Moment
from gui.navigate.bullseye_words import AimCard, aim_card
from navtwin.bus.words import name_words
from navtwin.nouns import Rig
from navtwin.scene import palette
from navtwin.scene.aim import Aim, Pair, path_axes, picture_letters
from navtwin.scene.model import Scene

DESIGN_SIZE = (216, 292)
#: The disc shows this many tolerances around the path, and at least so many mm; the widest that is needed of these.
REACHES = (4.0, 10.0, 30.0)
LEAST_REACH_MM = 4.0
#: The depth bar begins so far above the entry, mm.
ABOVE_MM = 10.0


class Bullseye(QWidget):
    """One instrument against one planned path; hidden where the case has none."""

    def __init__(self, scene: Scene, rig: Rig | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card: AimCard | None = None
        self.wanted = True
        self._scene, self._rig, self._scale = scene, rig, 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_moment(self, moment: Moment) -> None:
        """Measure anew; the plan stays until another is clearly nearer."""
        card = aim_card(self._scene, self._rig, moment, self.card.plan if self.card else None)
        self.setVisible(card is not None and self.wanted)
        if card != self.card:
            self.card = card
            if card is not None:
                told = ", ".join(" ".join(line) for line in card.lines)
                self.setAccessibleName(f"{name_words(card.plan.name)}: {card.verdict[1]}. {told}")
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedSize(round(DESIGN_SIZE[0] * scale), round(DESIGN_SIZE[1] * scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        card = self.card
        if card is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        width, height = DESIGN_SIZE
        back = QColor(palette.PANEL)
        back.setAlpha(238)
        painter.setPen(QPen(QColor(palette.EDGE), 1.0))
        painter.setBrush(back)
        painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, height - 1), 8, 8)
        self._write(painter, QRect(12, 6, width - 24, 20), name_words(card.plan.name), 13.5, palette.TEXT, bold=True)
        disc, bar = QRectF(10, 50, 152, 152), QRectF(182, 54, 13, 132)
        self._paint_verdict(painter, card, QRect(12, 26, width - 24, 20))
        self._paint_disc(painter, card, disc)
        self._paint_depth(painter, card, bar)
        self._paint_lines(painter, card, QRect(12, 208, width - 18, 80))
        painter.end()

    def _paint_verdict(self, painter: QPainter, card: AimCard, box: QRect) -> None:
        symbol, words = card.verdict
        shade = shade_of(card)
        if symbol == "✓":
            theme.fill(painter, QRect(box.left(), box.top(), 128, 20), palette.GOOD, 5.0)
            shade = QColor(palette.BACKGROUND)
        self._write(painter, box.adjusted(6 if symbol == "✓" else 0, 0, 0, 0), f"{symbol}  {words}".strip(), 14.0, shade, bold=True)
        self._write(painter, box, name_words(card.instrument), 12.0, palette.DIM, right=True)

    def _paint_disc(self, painter: QPainter, card: AimCard, disc: QRectF) -> None:
        painter.setPen(QPen(QColor(palette.EDGE), 1.2))
        painter.setBrush(QColor("#0c1013"))
        painter.drawEllipse(disc)
        middle = disc.center()
        reach = reach_mm(card)
        px = disc.width() / 2.0 / reach
        painter.setPen(QPen(QColor(255, 255, 255, 60), 1.0))
        painter.drawLine(QPointF(disc.left(), middle.y()), QPointF(disc.right(), middle.y()))
        painter.drawLine(QPointF(middle.x(), disc.top()), QPointF(middle.x(), disc.bottom()))
        self._paint_letters(painter, card, disc)
        painter.setPen(QPen(QColor(255, 255, 255, 50), 1.0, Qt.PenStyle.DotLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, reach / 2.0 * px, reach / 2.0 * px)
        radius = card.plan.tolerance_mm * px
        inside = card.aim is not None and card.aim.verdict == "inside"
        painter.setPen(QPen(QColor(palette.GOOD if inside else palette.PLAN), 3.5 if inside else 2.0))
        painter.setBrush(QColor(76, 195, 138, 70) if inside else QColor(95, 227, 192, 22))
        painter.drawEllipse(middle, radius, radius)
        if card.aim is None:
            self._paint_unknown(painter, card, disc)
            return
        self._paint_marks(painter, card.aim, disc, px)
        self._write(painter, QRect(round(disc.left()), round(disc.bottom()) - 12, 60, 14), f"{reach / 2.0:g} mm ┄", 10.5, palette.DIM)

    def _paint_marks(self, painter: QPainter, aim: Aim, disc: QRectF, px: float) -> None:
        """The tip: a disc as wide as the path, with its error bar; the landing: a cross, joined to it."""
        tip, far = self._place(aim.offset_mm, disc, px)
        white = QColor("#ffffff")
        if aim.landing_mm is not None:
            landing, landing_far = self._place(aim.landing_mm, disc, px)
            painter.setPen(QPen(white, 1.3, Qt.PenStyle.DashLine))
            painter.drawLine(tip, landing)
            if not landing_far:
                painter.setPen(QPen(white, 2.0))
                for a, b in (((-5, -5), (5, 5)), ((-5, 5), (5, -5))):
                    painter.drawLine(landing + QPointF(*a), landing + QPointF(*b))
        if far:
            self._paint_arrow(painter, tip, disc.center())
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if aim.error_mm is not None:
            painter.setPen(QPen(QColor(255, 255, 255, 190), 1.4, Qt.PenStyle.DashLine))
            painter.drawEllipse(tip, aim.error_mm * px, aim.error_mm * px)
        painter.setPen(QPen(QColor("#000000"), 4.0))
        painter.drawEllipse(tip, 5.5, 5.5)
        painter.setPen(QPen(white, 2.2))
        painter.drawEllipse(tip, 5.5, 5.5)
        painter.setBrush(white)
        painter.drawEllipse(tip, 1.2, 1.2)

    def _paint_arrow(self, painter: QPainter, tip: QPointF, middle: QPointF) -> None:
        """Beyond the disc: an arrow at its rim towards where the tip is."""
        turn = math.atan2(tip.y() - middle.y(), tip.x() - middle.x())
        ahead, aside = QPointF(math.cos(turn), math.sin(turn)), QPointF(-math.sin(turn), math.cos(turn))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#ffffff"))
        painter.drawPolygon(QPolygonF([tip, tip + ahead * -14.0 + aside * 8.0, tip + ahead * -14.0 + aside * -8.0]))

    def _paint_unknown(self, painter: QPainter, card: AimCard, disc: QRectF) -> None:
        band = QRect(round(disc.left()), round(disc.center().y()) - 20, round(disc.width()), 40)
        theme.hatch(painter, band, 10.0)
        self._write(painter, band, "UNKNOWN", 20.0, palette.TEXT, bold=True, centre=True)
        self._write(painter, band.translated(0, 36), card.why, 12.5, palette.TEXT, centre=True)

    def _paint_letters(self, painter: QPainter, card: AimCard, disc: QRectF) -> None:
        left, right, low, high = picture_letters(path_axes(card.plan))
        m, r = disc.center(), disc.width() / 2.0 - 9.0
        for letter, x, y in ((left, -r, 0.0), (right, r, 0.0), (low, 0.0, r), (high, 0.0, -r)):
            box = QRect(round(m.x() + x) - 9, round(m.y() + y) - 9, 18, 18)
            self._write(painter, box, letter, 12.5, palette.TEXT, bold=True, centre=True)

    def _paint_depth(self, painter: QPainter, card: AimCard, bar: QRectF) -> None:
        """From above the entry down to the target and a little past it: filled as far as the tip is."""
        length = math.dist(card.plan.entry_mm, card.plan.target_mm)
        painter.setPen(QPen(QColor(palette.EDGE), 1.0))
        painter.setBrush(QColor("#0c1013"))
        painter.drawRect(bar)
        if card.aim is None:
            theme.hatch(painter, bar.toRect(), 8.0)
            return
        low, high = -ABOVE_MM, length + 0.15 * length

        def y(depth_mm: float) -> float:
            return bar.top() + (min(max(depth_mm, low), high) - low) / (high - low) * bar.height()

        painter.fillRect(QRectF(bar.left() + 3, y(0.0), bar.width() - 6, max(0.0, y(card.aim.depth_mm) - y(0.0))), QColor(palette.PLAN))
        for depth, width in ((0.0, 1.4), (length, 2.6)):
            painter.setPen(QPen(QColor(palette.PLAN), width))
            painter.drawLine(QPointF(bar.left() - 4, y(depth)), QPointF(bar.right() + 4, y(depth)))
        at = y(card.aim.depth_mm)
        painter.setPen(QPen(QColor("#000000"), 1.0))
        painter.setBrush(QColor("#ffffff"))
        painter.drawPolygon(QPolygonF([QPointF(bar.left() + 1, at), QPointF(bar.left() - 9, at - 6), QPointF(bar.left() - 9, at + 6)]))
        self._write(painter, QRect(round(bar.left()) - 24, round(bar.bottom()) + 1, 62, 14), "depth", 10.5, palette.DIM, centre=True)

    def _paint_lines(self, painter: QPainter, card: AimCard, box: QRect) -> None:
        known = card.aim is not None
        for n, (name, value, unit) in enumerate(card.lines):
            row = QRect(box.left(), box.top() + 26 * n, box.width(), 26)
            self._write(painter, row, name, 11.5, palette.DIM)
            self._write(
                painter, QRect(row.left() + 52, row.top(), 56, 26), value, 20.0, palette.TEXT if known else palette.UNKNOWN, bold=True, right=True
            )
            self._write(painter, row.adjusted(111, 2, 0, 0), unit, 11.5, palette.TEXT)

    def _place(self, at_mm: Pair, disc: QRectF, px: float) -> tuple[QPointF, bool]:
        """In the disc, drawn to its rim where it is beyond it; and whether it is."""
        away = math.hypot(*at_mm) * px
        most = disc.width() / 2.0 - 4.0
        share = px if away <= most else px * most / away
        return disc.center() + QPointF(at_mm[0] * share, -at_mm[1] * share), away > most

    def _write(
        self,
        painter: QPainter,
        box: QRect,
        text: str,
        size: float,
        color: str | QColor,
        *,
        bold: bool = False,
        right: bool = False,
        centre: bool = False,
    ) -> None:
        painter.setFont(theme.font(size, weight=QFont.Weight.Bold if bold else QFont.Weight.Normal))
        painter.setPen(QColor(color))
        across = Qt.AlignmentFlag.AlignHCenter if centre else Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(
            box, across | Qt.AlignmentFlag.AlignVCenter, painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        )


def shade_of(card: AimCard) -> QColor:
    """Green inside by the bound; white for all else that is known: alert colours belong to alerts."""
    if card.aim is None:
        return QColor(palette.UNKNOWN).lighter(125)
    return QColor(palette.GOOD if card.aim.verdict == "inside" else palette.TEXT)


def reach_mm(card: AimCard) -> float:
    """How far the disc reaches from the path: as near as shows the tip, in three steps."""
    steps = [max(LEAST_REACH_MM, card.plan.tolerance_mm * reach) for reach in REACHES]
    off = card.aim.off_mm if card.aim else 0.0
    return next((step for step in steps if off <= 0.9 * step), steps[-1])
