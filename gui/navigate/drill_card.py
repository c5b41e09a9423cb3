"""The drill's card over the picture: whether the twin cuts along, how much bone is left before each critical structure, and what can be ordered."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from gui import theme
from gui.link.board import Moment
from gui.navigate.drill_words import DrillCard, WallRow, drill_card
from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Drilling, DrillStatus, Order
from navtwin.scene import palette
from navtwin.scene.palette import BANDS_MM

#: The card's width and head, one wall, one line below the walls, the words of what to do, and the buttons, in design pixels.
WIDTH, HEAD, ROW, LINE, REMEDY, FOOT = 304, 104, 42, 19, 54, 50
#: Walls that have room; the rest are counted.
MOST_WALLS = 4
#: A wall's bar reaches so far, mm.
BAR_MM = 4.0
#: To take a stretch back the button is pressed twice within this time, ms.
SURE_MS = 4000
_FILLS: dict[DrillStatus, str] = {"CUTTING": palette.TEXT, "FROZEN": SIGNALS["medium"].rgb}


class DrillPanel(QWidget):
    """Hidden where nothing is drilled.

    Parameters
    ----------
    order : sends an order
    """

    def __init__(self, order: Callable[[Order], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card: DrillCard | None = None
        self._order, self._scale = order, 1.0
        self.undo = self._button("Undo stretch", "Put back the bone of the last stretch, in the twin: press twice", self._undo)
        self.pause = self._button("Pause", "Stop the twin from following the drill", lambda: order(Drilling(action="pause")))
        self.resume = self._button("Resume", "Let the twin follow the drill again", lambda: order(Drilling(action="resume")))
        self._row = QHBoxLayout()
        for button in (self.undo, self.pause, self.resume):
            self._row.addWidget(button)
        self._row.addStretch()
        self.setLayout(self._row)
        self._sure = QTimer(self)
        self._sure.setSingleShot(True)
        self._sure.timeout.connect(self._ask_less)
        self.hide()

    def show_moment(self, moment: Moment) -> None:
        """Say what is so now."""
        card = drill_card(moment, self.card)
        self.setVisible(card is not None)
        if card is None or card == self.card:
            return
        self.card = card
        for button, can in ((self.undo, card.can_undo), (self.pause, card.can_pause), (self.resume, card.can_resume)):
            button.setEnabled(can)
        self.setAccessibleName(card.told)
        self._fit()
        self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        card = self.card
        if card is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        height = self._height(card)
        back = QColor(palette.PANEL)
        back.setAlpha(240)
        painter.setPen(QPen(QColor(palette.EDGE), 1.0))
        painter.setBrush(back)
        painter.drawRoundedRect(QRectF(0.5, 0.5, WIDTH - 1, height - 1), 8, 8)
        self._paint_status(painter, card)
        top = HEAD
        if card.remedy:
            _write(painter, QRect(12, top - 4, WIDTH - 24, REMEDY), card.remedy, 13.0, palette.TEXT, wrap=True)
            top += REMEDY
        for row in card.walls[:MOST_WALLS]:
            _paint_wall(painter, row, top)
            top += ROW
        for words, shade in _last_lines(card):
            _write(painter, QRect(12, top - 2, WIDTH - 24, LINE), words, 12.5, shade)
            top += LINE
        painter.end()

    def _paint_status(self, painter: QPainter, card: DrillCard) -> None:
        block = QRect(12, 12, 136, 36)
        if card.status in (None, "UNKNOWN"):
            theme.hatch(painter, block, 9.0)
        elif card.status in _FILLS:
            theme.fill(painter, block, _FILLS[card.status], 6.0)
        else:
            painter.setPen(QPen(QColor(palette.TEXT if card.status == "READY" else palette.EDGE), 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(block, 6.0, 6.0)
        shade = palette.BACKGROUND if card.status in _FILLS else palette.DIM if card.status == "OFF" else palette.TEXT
        _write(painter, block, card.status or "UNKNOWN", 24.0, shade, bold=True, centre=True)
        _write(painter, QRect(158, 10, WIDTH - 170, 20), card.instrument, 15.0, palette.TEXT, bold=True)
        # A fallback is told in the colour of a caution: it knows less than the drill does.
        by = SIGNALS["medium"].rgb if card.fallback else palette.DIM
        _write(painter, QRect(158, 30, WIDTH - 170, 18), card.by, 12.5, by, bold=card.fallback)
        _write(painter, QRect(12, 52, WIDTH - 24, 20), card.why, 14.5, palette.TEXT)
        _write(painter, QRect(12, 74, WIDTH - 24, 18), "   ".join(word for word in (card.removed, card.stretch) if word), 13.0, palette.DIM)

    def _height(self, card: DrillCard) -> int:
        return HEAD + REMEDY * bool(card.remedy) + ROW * min(len(card.walls), MOST_WALLS) + LINE * len(_last_lines(card)) + FOOT

    def _fit(self) -> None:
        s = self._scale
        height = self._height(self.card) if self.card is not None else HEAD + FOOT
        self.setFixedSize(round(WIDTH * s), round(height * s))
        self._row.setContentsMargins(round(12 * s), round((height - FOOT) * s), round(12 * s), round(8 * s))
        self._row.setSpacing(round(6 * s))

    def _undo(self) -> None:
        if self._sure.isActive():
            self._ask_less()
            self._order(Drilling(action="undo"))
        else:
            self.undo.setText("Sure? Undo it")
            theme.set_primary(self.undo, primary=True)
            self._sure.start(SURE_MS)

    def _ask_less(self) -> None:
        self._sure.stop()
        self.undo.setText("Undo stretch")
        theme.set_primary(self.undo, primary=False)

    def _button(self, text: str, does: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("flat", True)
        button.setProperty("onpicture", True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setToolTip(does)
        button.setEnabled(False)
        button.clicked.connect(lambda _checked: act())
        return button


def _last_lines(card: DrillCard) -> list[tuple[str, str]]:
    """Walls that have no room, and what is far: words and their colour."""
    more = len(card.walls) - MOST_WALLS
    lines = [(f"and {more} more within reach", palette.TEXT)] if more > 0 else []
    return [*lines, (card.far, palette.DIM)] if card.far else lines


def _paint_wall(painter: QPainter, row: WallRow, top: int) -> None:
    """Name and figure, and below them the bar: bands that are lower the thicker the wall, and a mark where it is."""
    _write(painter, QRect(12, top, 116 if row.unknown else 150, 24), row.structure, 15.0, palette.TEXT, bold=True)
    known = row.thickness_mm is not None
    figure = QRect(128, top - 2, WIDTH - 140, 26)
    _write(painter, figure, row.words, 23.0 if known else 14.0, palette.TEXT, bold=known or row.unknown, right=True)
    bar = QRect(12, top + 26, WIDTH - 24, 9)
    if row.unknown:
        theme.hatch(painter, bar, 8.0)
        return
    px, low = bar.width() / BAR_MM, 0.0
    for n, (limit, shade) in enumerate(zip((*BANDS_MM, BAR_MM), (*palette.BANDS, palette.EDGE), strict=True)):
        height = bar.height() * (1.0 - 0.22 * n)
        band = QColor(shade)
        band.setAlphaF(1.0 if known else 0.35)
        painter.fillRect(QRectF(bar.left() + low * px, bar.bottom() + 1 - height, (limit - low) * px - 1.0, height), band)
        low = limit
    if row.thickness_mm is not None:
        x = bar.left() + min(row.thickness_mm, BAR_MM) * px
        painter.setPen(QPen(QColor("#000000"), 1.0))
        painter.setBrush(QColor("#ffffff"))
        painter.drawPolygon(QPolygonF([QPointF(x, bar.bottom() - 3), QPointF(x - 6, bar.top() - 4), QPointF(x + 6, bar.top() - 4)]))


def _write(
    painter: QPainter,
    box: QRect,
    text: str,
    size: float,
    color: str,
    *,
    bold: bool = False,
    right: bool = False,
    centre: bool = False,
    wrap: bool = False,
) -> None:
    painter.setFont(theme.font(size, weight=QFont.Weight.Bold if bold else QFont.Weight.Normal))
    painter.setPen(QColor(color))
    if wrap:
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), text)
        return
    side = Qt.AlignmentFlag.AlignHCenter if centre else Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    words = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, words)
