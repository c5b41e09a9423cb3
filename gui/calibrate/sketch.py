"""Small line drawings of what the hands do in each step."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.calibrate.steps import StepKind

DESIGN = (210, 150)


class Sketch(QWidget):
    """The drawing of a step. `tilt_deg` turns the tool of a pivot, for a drawing that moves."""

    def __init__(self, kind: StepKind) -> None:
        super().__init__()
        self.kind, self._scale, self._tilt_rad = kind, 1.0, math.radians(24.0)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedSize(self.sizeHint())
        self.update()

    def turn(self, phase: float) -> None:
        """Tilt the drawn tool as a hand would: `phase` counts turns round the cone."""
        tilt = math.radians(28.0) * math.sin(2.0 * math.pi * phase)
        if abs(tilt - self._tilt_rad) > 0.01:
            self._tilt_rad = tilt
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(DESIGN[0] * self._scale), round(DESIGN[1] * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        {
            "rig": _sheet, "camera": _board, "cameras": _two_boards, "markers": _cube, "pivot": self._pivot, "axis": _spin, "latency": _clock,
        }[self.kind](painter)  # fmt: skip
        painter.end()

    def _pivot(self, painter: QPainter) -> None:
        ink = theme.ink()
        tip = QPointF(105, 122)
        _pen(painter, ink.quiet, 2.0)
        painter.drawPolyline([QPointF(20, 122), QPointF(97, 122), tip + QPointF(0, 8), QPointF(113, 122), QPointF(190, 122)])
        _pen(painter, ink.dim, 1.4, Qt.PenStyle.DashLine)
        painter.drawEllipse(QPointF(105, 34), 46.0, 12.0)
        for side in (-1, 1):
            painter.drawLine(tip, QPointF(105 + side * 46, 34))
        painter.save()
        painter.translate(tip)
        painter.rotate(math.degrees(self._tilt_rad))
        _pen(painter, ink.text, 3.0)
        painter.drawLine(QPointF(0, 6), QPointF(0, -66))
        painter.setBrush(QColor(ink.raised))
        _pen(painter, ink.text, 2.0)
        painter.drawRoundedRect(QRectF(-6, -104, 12, 42), 5, 5)
        painter.setBrush(QColor(ink.accent))
        _pen(painter, ink.accent, 1.0)
        for x, y in ((-20, -92), (20, -96), (0, -116)):
            painter.drawEllipse(QPointF(x, y), 5.0, 5.0)
        painter.restore()


def _pen(painter: QPainter, shade: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> None:
    painter.setPen(QPen(QColor(shade), width, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))


def _chequer(painter: QPainter, corners: list[QPointF], columns: int, rows: int) -> None:
    """A board as seen from aside: its corners from the top left, clockwise."""
    ink = theme.ink()

    def at(u: float, v: float) -> QPointF:
        top = corners[0] * (1 - u) + corners[1] * u
        return top * (1 - v) + (corners[3] * (1 - u) + corners[2] * u) * v

    painter.setBrush(QColor("#f4f6f7"))
    _pen(painter, ink.text, 1.6)
    painter.drawPolygon(QPolygonF(corners))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#20272c"))
    for r in range(rows):
        for c in range(columns):
            if (r + c) % 2 == 0:
                square = [(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)]
                painter.drawPolygon(QPolygonF([at(0.05 + 0.9 * x / columns, 0.06 + 0.88 * y / rows) for x, y in square]))


def _lens(painter: QPainter, at: QPointF, aim: float) -> None:
    ink = theme.ink()
    painter.save()
    painter.translate(at)
    painter.rotate(aim)
    painter.setBrush(QColor(ink.raised))
    _pen(painter, ink.text, 2.0)
    painter.drawRoundedRect(QRectF(-16, -11, 24, 22), 4, 4)
    painter.drawRect(QRectF(8, -7, 8, 14))
    painter.restore()


def _turning(painter: QPainter, box: QRectF, start: int, span: int) -> None:
    """An arc with a head at its end: something is turned."""
    ink = theme.ink()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _pen(painter, ink.accent, 2.6)
    path = QPainterPath()
    path.arcMoveTo(box, start)
    path.arcTo(box, start, span)
    painter.drawPath(path)
    end, before = path.pointAtPercent(1.0), path.pointAtPercent(0.94)
    turn = math.atan2(end.y() - before.y(), end.x() - before.x())
    ahead, aside = QPointF(math.cos(turn), math.sin(turn)), QPointF(-math.sin(turn), math.cos(turn))
    painter.setBrush(QColor(ink.accent))
    painter.drawPolygon(QPolygonF([end + ahead * 7, end - ahead * 4 + aside * 6, end - ahead * 4 - aside * 6]))


def _board(painter: QPainter) -> None:
    _lens(painter, QPointF(28, 88), -8)
    _chequer(painter, [QPointF(96, 34), QPointF(182, 20), QPointF(190, 118), QPointF(98, 106)], 7, 5)
    _turning(painter, QRectF(66, 30, 40, 84), 110, 140)


def _two_boards(painter: QPainter) -> None:
    _lens(painter, QPointF(26, 46), 12)
    _lens(painter, QPointF(26, 112), -12)
    _pen(painter, theme.ink().quiet, 2.0)
    painter.drawLine(QPointF(18, 62), QPointF(18, 98))
    _chequer(painter, [QPointF(100, 38), QPointF(186, 26), QPointF(192, 118), QPointF(102, 110)], 7, 5)


def _cube(painter: QPainter) -> None:
    ink = theme.ink()
    a, b, c, d = QPointF(70, 54), QPointF(122, 70), QPointF(122, 126), QPointF(70, 108)
    e, f, g = QPointF(164, 48), QPointF(164, 102), QPointF(112, 34)
    for face, mark in (([a, b, c, d], 0.26), ([b, e, f, c], 0.26), ([a, g, e, b], 0.26)):
        painter.setBrush(QColor("#f4f6f7"))
        _pen(painter, ink.text, 1.8)
        painter.drawPolygon(QPolygonF(face))
        middle = (face[0] + face[1] + face[2] + face[3]) / 4.0
        painter.setBrush(QColor("#20272c"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(QPolygonF([p + (middle - p) * mark for p in face]))
    _turning(painter, QRectF(44, 18, 140, 124), 200, 130)


def _spin(painter: QPainter) -> None:
    ink = theme.ink()
    painter.setBrush(QColor(ink.raised))
    _pen(painter, ink.quiet, 2.0)
    painter.drawPolygon(
        QPolygonF([QPointF(56, 96), QPointF(80, 96), QPointF(105, 116), QPointF(130, 96), QPointF(154, 96), QPointF(154, 136), QPointF(56, 136)])
    )
    painter.setBrush(QColor(ink.panel))
    _pen(painter, ink.text, 2.4)
    painter.drawEllipse(QPointF(105, 86), 27.0, 27.0)
    painter.setBrush(QColor(ink.accent))
    _pen(painter, ink.accent, 1.0)
    painter.drawEllipse(QPointF(105, 86), 3.0, 3.0)
    for angle in (-60.0, -120.0):
        at = QPointF(105 + 44 * math.cos(math.radians(angle)), 86 + 44 * math.sin(math.radians(angle)))
        painter.drawEllipse(at, 5.0, 5.0)
    _turning(painter, QRectF(45, 26, 120, 120), 150, -120)


def _clock(painter: QPainter) -> None:
    ink = theme.ink()
    painter.setBrush(QColor(ink.raised))
    _pen(painter, ink.text, 2.0)
    painter.drawRoundedRect(QRectF(92, 24, 104, 74), 5, 5)
    painter.drawLine(QPointF(144, 98), QPointF(144, 116))
    painter.drawLine(QPointF(118, 118), QPointF(170, 118))
    painter.setBrush(QColor("#f4f6f7"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRect(QRectF(100, 32, 88, 58))
    painter.setBrush(QColor("#20272c"))
    for x, y in ((106, 38), (162, 38), (106, 66), (162, 66)):
        painter.drawRect(QRectF(x, y, 20, 18))
    _lens(painter, QPointF(32, 64), 0)
    _pen(painter, ink.accent, 1.6, Qt.PenStyle.DashLine)
    painter.drawLine(QPointF(52, 60), QPointF(90, 42))
    painter.drawLine(QPointF(52, 68), QPointF(90, 84))


def _sheet(painter: QPainter) -> None:
    _chequer(painter, [QPointF(50, 20), QPointF(160, 20), QPointF(160, 130), QPointF(50, 130)], 6, 6)
