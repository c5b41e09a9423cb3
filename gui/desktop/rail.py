"""The rail at the left: the five places, each with a sign of how it stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.desktop.icons import paint_icon
from gui.desktop.keys import PLACES, TITLES, PlaceName, words_of
from gui.desktop.readiness import Ready, Standing

WIDTH, HEIGHT = 92, 84


class RailButton(QAbstractButton):
    """A place: its sign, its name, its key, and how it stands, told by shape as well as by colour."""

    def __init__(self, place: PlaceName, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place, self._number, self._scale = place, number, 1.0
        self.ready = Ready("blocked", "")
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setText(TITLES[place])

    def show_ready(self, ready: Ready) -> None:
        if ready != self.ready:
            self.ready = ready
            self.setToolTip(f"{TITLES[self._place]} ({words_of(self._place)}): {ready.words}")
            self.setAccessibleName(f"{TITLES[self._place]}: {ready.words}")
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(round(WIDTH * self._scale), round(HEIGHT * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, s = theme.ink(), self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.underMouse():
            painter.fillRect(self.rect(), QColor(ink.raised if self.isChecked() else ink.hover))
        if self.isChecked():
            painter.fillRect(QRect(0, 0, round(4 * s), self.height()), QColor(ink.accent))
        shade = QColor(ink.text if self.isChecked() else ink.dim)
        paint_icon(painter, self._place, QRectF(self.width() / 2 - 15 * s, 13 * s, 30 * s, 30 * s), shade, s)
        painter.setPen(shade)
        painter.setFont(theme.font(13 * s, weight=QFont.Weight.DemiBold if self.isChecked() else QFont.Weight.Medium))
        painter.drawText(QRect(0, round(48 * s), self.width(), round(20 * s)), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.setPen(QColor(ink.dim))
        painter.setFont(theme.font(11 * s))
        painter.drawText(QRect(round(9 * s), round(6 * s), round(20 * s), round(14 * s)), Qt.AlignmentFlag.AlignLeft, str(self._number))
        paint_standing(painter, self.ready.standing, QPointF(self.width() - 15 * s, 15 * s), s)
        painter.end()


def paint_standing(painter: QPainter, standing: Standing, middle: QPointF, s: float) -> None:
    """A tick, a ring to be filled, a bar that blocks, or a triangle to look at."""
    ink, r = theme.ink(), 5.5 * s
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if standing == "done":
        painter.setPen(QPen(QColor(ink.good), 2.4 * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline([middle + QPointF(-r, 0), middle + QPointF(-0.2 * r, 0.8 * r), middle + QPointF(r, -0.8 * r)])
    elif standing == "next":
        painter.setPen(QPen(QColor(ink.accent), 2.2 * s))
        painter.drawEllipse(middle, 0.8 * r, 0.8 * r)
    elif standing == "blocked":
        painter.setPen(QPen(QColor(ink.unknown), 2.2 * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(middle + QPointF(-0.7 * r, 0), middle + QPointF(0.7 * r, 0))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.warn))
        painter.drawPolygon([middle + QPointF(0, -1.1 * r), middle + QPointF(-1.1 * r, 0.9 * r), middle + QPointF(1.1 * r, 0.9 * r)])
    painter.restore()


class Rail(QWidget):
    """The five buttons, and below them what belongs to no place.

    Parameters
    ----------
    chosen : called with the place that was pressed
    turn_theme, help_asked : called when their buttons are pressed
    """

    def __init__(self, chosen: Callable[[PlaceName], None], turn_theme: Callable[[], None], help_asked: Callable[[], None]) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 6)
        column.setSpacing(0)
        self.buttons: dict[PlaceName, RailButton] = {}
        for number, place in enumerate(PLACES, start=1):
            button = RailButton(place, number, self)
            button.clicked.connect(lambda _checked, place=place: chosen(place))
            column.addWidget(button)
            self.buttons[place] = button
        column.addStretch()
        self.theme = self._small("Light", "theme", "dark or light", turn_theme)
        self.help = self._small("Help", "help", "help for this place, and about navtwin", help_asked)
        for small in (self.theme, self.help):
            column.addWidget(small, 0, Qt.AlignmentFlag.AlignHCenter)
            column.addSpacing(4)

    def show_ready(self, standings: dict[PlaceName, Ready]) -> None:
        for place, button in self.buttons.items():
            button.show_ready(standings[place])

    def choose(self, place: PlaceName) -> None:
        self.buttons[place].setChecked(True)

    def set_scale(self, scale: float) -> None:
        self.setFixedWidth(round(WIDTH * scale))
        for button in self.buttons.values():
            button.set_scale(scale)
        for small in (self.theme, self.help):
            small.setFixedSize(round(76 * scale), round(36 * scale))

    def _small(self, text: str, name: str, does: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("flat", True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setToolTip(f"{does[0].upper()}{does[1:]} ({words_of(name)})")
        button.clicked.connect(lambda _checked: act())
        return button
