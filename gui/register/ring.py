"""The countdown of a dwell, large enough to be read with the eyes half on the patient."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.ink import DARK

#: The core tells of a dwell in tenths: so many pieces has the ring, and none is ever drawn that has not passed.
PIECES = 10
SIZE, THICK, MARGIN = 168.0, 16.0, 10.0
GAP_DEG = 5.0
#: Qt counts angles in sixteenths of a degree, from three o'clock, counter-clockwise.
_SIXTEENTHS = 16


class DwellRing(QWidget):
    """A ring of ten pieces around a landmark's number. It lies over the picture, and keeps its dark colours in both themes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.share: float | None = None
        self.big, self.small, self.trouble = "", "", False
        self._scale = 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_dwell(self, share: float | None, big: str, small: str, *, trouble: bool = False) -> None:
        """`share` has passed, None where no dwell runs; `big` and `small` stand in the middle. `trouble`: something keeps it from completing."""
        if (share, big, small, trouble) != (self.share, self.big, self.small, self.trouble):
            self.share, self.big, self.small, self.trouble = share, big, small, trouble
            self.setAccessibleName(f"{big} {small}" + ("" if share is None else f", {self.pieces} of {PIECES}"))
            self.update()

    @property
    def pieces(self) -> int:
        """How many pieces are filled. The core's tenths come as floats: a hundredth below one counts as it."""
        return 0 if self.share is None else min(PIECES, int(self.share * PIECES + 0.01))

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round((SIZE + 2 * MARGIN) * self._scale), round((SIZE + 2 * MARGIN) * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, s = DARK, self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = SIZE * s
        ring = QRectF((self.width() - side) / 2.0, (self.height() - side) / 2.0, side, side)
        ground = QColor(ink.background)
        ground.setAlpha(225)
        theme.fill(painter, self.rect(), ground, self.width() / 2.0)
        inside = THICK * s / 2.0
        arc = ring.adjusted(inside, inside, -inside, -inside)
        each = 360.0 / PIECES
        for n in range(PIECES):
            filled = n < self.pieces
            shade = ink.accent if filled else ink.warn if self.trouble else ink.quiet if self.share is not None else ink.edge
            painter.setPen(QPen(QColor(shade), (THICK if filled else 0.4 * THICK) * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            start = 90.0 - n * each - GAP_DEG / 2.0
            painter.drawArc(arc, round(start * _SIXTEENTHS), round(-(each - GAP_DEG) * _SIXTEENTHS))
        painter.setPen(QColor(ink.text))
        painter.setFont(theme.font(46 * s, weight=QFont.Weight.Bold))
        middle = ring.adjusted(24 * s, 26 * s, -24 * s, -66 * s)
        painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, self.big)
        painter.setPen(QColor(ink.warn if self.trouble else ink.dim))
        painter.setFont(theme.font(13 * s, weight=QFont.Weight.DemiBold if self.trouble else QFont.Weight.Normal))
        below = ring.adjusted(26 * s, 98 * s, -26 * s, -22 * s)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), self.small)
        painter.end()
