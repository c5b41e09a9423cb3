"""The timeline: bookmarks, technical alarms, and one band for each structure whose height, pattern and letter tell the level as its colour does."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.review.axis import Axis
from gui.review.notes import Note
from gui.review.session import KNOWN, UNKNOWN, Band, Session, Span
from navtwin.bus.words import name_words, subject_words
from navtwin.nouns import Level

#: Room at the left for names, in design pixels; the plot keeps the same.
GUTTER, MARGIN = 140.0, 14.0
RULER, FLAGS, ALARM, BAND, HEADING = 20.0, 20.0, 11.0, 30.0, 20.0
MOST_ALARM_ROWS = 3
#: Share of a band's height, and letter: so the level can be read without its colour.
HEIGHTS: dict[Level, float] = {"CLEAR": 0.16, "CAUTION": 0.45, "DANGER": 0.72, "CONTACT": 1.0}
LETTERS: dict[Level, str] = {"CLEAR": "", "CAUTION": "C", "DANGER": "D", "CONTACT": "X"}


class Timeline(QWidget):
    """What happened when. Click or drag to seek, wheel to zoom, middle button or Shift and wheel to move along."""

    sought = Signal(int)
    chosen = Signal(str)
    moved = Signal()

    def __init__(self, session: Session, axis: Axis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.axis = session, axis
        self.other: Session | None = None
        self.offset_ns = 0
        self.notes: tuple[Note, ...] = ()
        self.at_ns, self.structure, self._scale = 0, "", 1.0
        self._bands = {name: session.bands(name) for name in session.structures}
        self._other_bands: dict[str, tuple[Band, ...]] = {}
        self._alarm_rows = stacked(session.technical)
        self._dragged_x: float | None = None
        self.setMouseTracking(True)
        self.setToolTip("Click to seek, wheel to zoom, Shift and wheel to move along. C caution, D danger, X contact; hatched: unknown")
        self.setAccessibleName("timeline")

    def show_at(self, t_ns: int, notes: tuple[Note, ...], structure: str) -> None:
        """Move the playhead."""
        self.at_ns, self.notes, self.structure = t_ns, notes, structure
        self.update()

    def compare(self, other: Session | None, offset_ns: int) -> None:
        """Draw another session's bands below, `offset_ns` later than its own time."""
        self.other, self.offset_ns = other, offset_ns
        self._other_bands = {name: other.bands(name) for name in other.structures} if other else {}
        self.set_scale(self._scale)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        rows = len(self._bands) + len(self._other_bands)
        height = RULER + FLAGS + ALARM * max(1, len(self._alarm_rows)) + BAND * rows + (HEADING if self.other else 0.0) + 8.0
        self.setFixedHeight(round(height * scale))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        s, axis = self._scale, self.axis
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.ink().panel))
        self._paint_ruler(painter)
        top = (RULER + FLAGS) * s
        self._name(painter, top, ALARM * s * max(1, len(self._alarm_rows)), "technical", theme.ink().dim)
        painter.setClipRect(QRectF(axis.left_px, 0, axis.right_px - axis.left_px, self.height()))
        for row in self._alarm_rows:
            for span in row:
                self._paint_alarm(painter, span, top)
            top += ALARM * s
        top = (RULER + FLAGS + ALARM * max(1, len(self._alarm_rows))) * s
        for name, bands in self._bands.items():
            top = self._paint_row(painter, name, bands, top, 0)
        if self.other is not None:
            painter.setClipping(False)
            self._name(painter, top, HEADING * s, f"compared with {self.other.path.name}", theme.ink().dim, wide=True)
            top += HEADING * s
            for name, bands in self._other_bands.items():
                top = self._paint_row(painter, name, bands, top, self.offset_ns)
        painter.setClipRect(QRectF(axis.left_px, 0, axis.right_px - axis.left_px, self.height()))
        for hole in self.session.holes:
            box = QRectF(axis.x(hole.start_ns), RULER * s, max(2.0, axis.x(hole.end_ns) - axis.x(hole.start_ns)), self.height())
            painter.fillRect(box, QBrush(QColor(theme.ink().background)))
            painter.fillRect(box, QBrush(QColor(theme.ink().edge), Qt.BrushStyle.DiagCrossPattern))
        self._paint_flags(painter)
        self._paint_playhead(painter)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        x, y = event.position().x(), event.position().y()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._dragged_x = x
        elif x < self.axis.left_px:
            self._choose(y)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._choose(y)
            self.sought.emit(self.axis.time(x))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if event.buttons() & Qt.MouseButton.LeftButton and x >= self.axis.left_px:
            self.sought.emit(self.axis.time(x))
        elif event.buttons() & Qt.MouseButton.MiddleButton and self._dragged_x is not None:
            self._slide(self._dragged_x - x)
            self._dragged_x = x

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._slide(-0.5 * turned)
            return
        self.axis.zoom(0.8 ** (turned / 120.0), event.position().x())
        self.moved.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.axis.left_px, self.axis.right_px = GUTTER * self._scale, self.width() - MARGIN * self._scale

    def _slide(self, px: float) -> None:
        by = round(px / max(1.0, self.axis.right_px - self.axis.left_px) * (self.axis.end_ns - self.axis.start_ns))
        self.axis.show(self.axis.start_ns + by, self.axis.end_ns + by)
        self.moved.emit()

    def _choose(self, y: float) -> None:
        top = (RULER + FLAGS + ALARM * max(1, len(self._alarm_rows))) * self._scale
        row = int((y - top) // (BAND * self._scale))
        if y >= top and row < len(self._bands):
            self.chosen.emit(list(self._bands)[row])

    def _paint_ruler(self, painter: QPainter) -> None:
        s, axis = self._scale, self.axis
        begun = axis.x(self.session.navigation_ns)
        if begun > axis.left_px:
            setup = QRectF(axis.left_px, 0, min(begun, axis.right_px) - axis.left_px, RULER * s)
            painter.fillRect(setup, QColor(theme.ink().raised))
        painter.setFont(theme.font(11.5 * s))
        for t_ns, words in axis.ticks(s):
            x = axis.x(t_ns)
            painter.setPen(QColor(theme.ink().edge))
            painter.drawLine(QPointF(x, RULER * s - 4 * s), QPointF(x, self.height()))
            painter.setPen(QColor(theme.ink().dim))
            painter.drawText(QRectF(x + 4 * s, 0, 90 * s, RULER * s), Qt.AlignmentFlag.AlignVCenter, words)

    def _name(self, painter: QPainter, top: float, height: float, words: str, color: str, *, wide: bool = False, bold: bool = False) -> None:
        painter.setPen(QColor(color))
        painter.setFont(theme.font(13 * self._scale, weight=QFont.Weight.Bold if bold else QFont.Weight.Normal))
        width = self.width() - 28 * self._scale if wide else (GUTTER - 22.0) * self._scale
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, round(width))
        painter.drawText(QRectF(14 * self._scale, top, width, height), Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_row(self, painter: QPainter, name: str, bands: tuple[Band, ...], top: float, offset_ns: int) -> float:
        s, axis = self._scale, self.axis
        painter.setClipping(False)
        chosen = name == self.structure and not offset_ns
        if chosen:
            painter.fillRect(QRectF(0, top, 4 * s, BAND * s - 2 * s), QColor(theme.ink().text))
        self._name(painter, top, BAND * s, name_words(name), theme.ink().text if chosen else theme.ink().dim, bold=chosen)
        painter.setClipRect(QRectF(axis.left_px, 0, axis.right_px - axis.left_px, self.height()))
        room = QRectF(axis.left_px, top + 3 * s, axis.right_px - axis.left_px, (BAND - 6) * s)
        for band in bands:
            left, right = axis.x(band.start_ns + offset_ns), axis.x(band.end_ns + offset_ns)
            if right > room.left() and left < room.right():
                paint_band(painter, QRectF(left, room.top(), max(1.5, right - left), room.height()), band, s)
        painter.setPen(QColor(theme.ink().edge))
        painter.drawLine(QPointF(axis.left_px, room.bottom()), QPointF(axis.right_px, room.bottom()))
        return top + BAND * s

    def _paint_alarm(self, painter: QPainter, span: Span, top: float) -> None:
        s, axis = self._scale, self.axis
        box = QRectF(axis.x(span.start_ns), top + s, max(2.0, axis.x(span.end_ns) - axis.x(span.start_ns)), (ALARM - 2) * s)
        painter.fillRect(box, theme.color(span.priority))
        painter.setFont(theme.font(9.0 * s))
        painter.setPen(QColor(theme.ink().on_signal))
        words = subject_words(span.id)
        seen = box.intersected(QRectF(axis.left_px, top, axis.right_px - axis.left_px, ALARM * s)).adjusted(3 * s, 0, 0, 0)
        if seen.width() > painter.fontMetrics().horizontalAdvance(words):
            painter.drawText(seen, Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_flags(self, painter: QPainter) -> None:
        s = self._scale
        flags = [(t, label, theme.ink().text) for t, label in self.session.marks] + [
            (note.t_ns, note.text, theme.ink().accent) for note in self.notes
        ]
        painter.setFont(theme.font(12 * s))
        flags.sort()
        places = [self.axis.x(t) for t, _, _ in flags]
        for (_, label, color), x, after in zip(flags, places, [*places, float(self.width())][1:], strict=True):
            painter.setPen(QPen(QColor(color), s))
            painter.drawLine(QPointF(x, RULER * s), QPointF(x, self.height()))
            painter.setBrush(QColor(color))
            top = (RULER + 5) * s
            painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x + 9 * s, top + 4 * s), QPointF(x, top + 9 * s)]))
            words = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, max(0, round(min(220 * s, after - x - 18 * s))))
            painter.drawText(QRectF(x + 13 * s, RULER * s, 230 * s, (FLAGS - 2) * s), Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_playhead(self, painter: QPainter) -> None:
        s, x = self._scale, self.axis.x(self.at_ns)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.ink().text), 1.6 * s))
        painter.drawLine(QPointF(x, 6 * s), QPointF(x, self.height()))
        painter.setBrush(QColor(theme.ink().text))
        painter.drawPolygon(QPolygonF([QPointF(x - 6 * s, 0), QPointF(x + 6 * s, 0), QPointF(x, 10 * s)]))


def paint_band(painter: QPainter, box: QRectF, band: Band, scale: float) -> None:
    """One stretch: from the bottom up to the height of its level; hatched where unknown, with the outline of the level it last had."""
    color = theme.level_color(band.level)
    height = HEIGHTS[band.level] * box.height()
    bar = QRectF(box.left(), box.bottom() - height, box.width(), height)
    if band.knowledge == KNOWN:
        painter.fillRect(bar, color)
    else:
        whole = box if band.knowledge == UNKNOWN else QRectF(box.left(), box.center().y(), box.width(), box.height() / 2.0)
        painter.fillRect(whole, QColor(theme.ink().raised))
        painter.fillRect(whole, QBrush(QColor(theme.ink().unknown), Qt.BrushStyle.BDiagPattern))
        if band.level != "CLEAR":
            painter.setPen(QPen(QColor(theme.ink().level(band.level)), 1.6 * scale))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(bar)
    if band.level == "CONTACT":
        painter.fillRect(QRectF(bar.left(), bar.top(), bar.width(), 3 * scale), QColor(theme.ink().text))
    letter = LETTERS[band.level] if band.knowledge == KNOWN else "?" + LETTERS[band.level]
    painter.setFont(theme.font(11.5 * scale, weight=QFont.Weight.Bold))
    if letter and box.width() > painter.fontMetrics().horizontalAdvance(letter) + 4 * scale:
        painter.setPen(QColor(theme.ink().on_signal) if band.knowledge == KNOWN else QColor(theme.ink().text))
        painter.drawText(bar if band.knowledge == KNOWN else box, Qt.AlignmentFlag.AlignCenter, letter)


def stacked(spans: tuple[Span, ...]) -> list[list[Span]]:
    """Spans in as few rows as hold them without overlap; the last row takes what has no room."""
    rows: list[list[Span]] = []
    for span in spans:
        free = next((row for row in rows if row[-1].end_ns <= span.start_ns), None)
        if free is None and len(rows) < MOST_ALARM_ROWS:
            rows.append(free := [])
        (rows[-1] if free is None else free).append(span)
    return rows
