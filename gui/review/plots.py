"""Distance and bound of one structure over time, above its limit bands; a gap where nothing was known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.review.axis import Axis, time_words
from gui.review.session import STATE_HOLDS_NS, Floats, Session, Times
from gui.review.timeline import GUTTER
from navtwin.bus.words import name_words
from navtwin.scene.distances import signed

#: Reaches this many caution limits above the surface, but at least so far, and this far inside.
REACH_CAUTIONS, REACH_LEAST_MM, INSIDE_MM = 3.0, 10.0, 2.0


@dataclass(frozen=True)
class Series:
    """One pair: times and values with NaN wherever nothing was known, so that no line crosses a gap."""

    title: str
    t_ns: Times
    distance_mm: Floats
    bound_mm: Floats

    def at(self, t_ns: int) -> tuple[float, float] | None:
        """Distance and bound (NaN if it has none) that held at `t_ns`; None where unknown."""
        n = int(np.searchsorted(self.t_ns, t_ns, side="right")) - 1
        if n < 0 or t_ns - self.t_ns[n] > STATE_HOLDS_NS or not np.isfinite(self.distance_mm[n]):
            return None
        return float(self.distance_mm[n]), float(self.bound_mm[n])


def series_of(session: Session, structure: str) -> tuple[Series, ...]:
    """The pairs of a structure that were ever known, the one that came nearest first."""
    found = []
    for n, pair in enumerate(session.pairs):
        known = session.known[:, n]
        if pair.structure == structure and known.any():
            distance, bound = (np.where(known, column[:, n], np.nan) for column in (session.distance_mm, session.bound_mm))
            found.append(Series(f"{name_words(pair.instrument)} {name_words(pair.part)}", session.t_ns, distance, bound))
    return tuple(sorted(found, key=lambda series: float(np.nanmin(series.distance_mm))))


def pieces(t_ns: Times, values: Floats, start_ns: int, end_ns: int, columns: int) -> list[tuple[Times, Floats]]:
    """The unbroken stretches between two times. Where there are more samples than columns of pixels, each column keeps its least and its greatest."""
    low, high = np.searchsorted(t_ns, (start_ns, end_ns))
    part = slice(max(0, int(low) - 1), int(high) + 1)
    t, v = t_ns[part], values[part]
    if len(t) > 4 * columns:
        # Cut only between columns, so that a gap inside one still breaks the line there.
        edges = np.linspace(0, len(t), columns + 1).astype(np.int64)[:-1]
        lost = np.logical_or.reduceat(~np.isfinite(v), edges)
        least, most = np.fmin.reduceat(v, edges), np.fmax.reduceat(v, edges)
        t = np.stack((t[edges], t[edges], t[edges]), axis=1).ravel()
        v = np.stack((least, most, np.where(lost, np.nan, most)), axis=1).ravel()
        holds = max(STATE_HOLDS_NS, 2 * (end_ns - start_ns) // columns)
    else:
        holds = STATE_HOLDS_NS
    good = np.isfinite(v)
    cuts = np.flatnonzero((np.diff(t) > holds) | (good[1:] != good[:-1])) + 1
    return [(a, b) for a, b in zip(np.split(t, cuts), np.split(v, cuts), strict=True) if len(b) and np.isfinite(b[0])]


class Plot(QWidget):
    """The chosen structure's distances, on the timeline's axis."""

    sought = Signal(int)
    moved = Signal()

    def __init__(self, session: Session, axis: Axis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.axis = session, axis
        self.structure, self.at_ns, self._scale = "", 0, 1.0
        self.series: tuple[Series, ...] = ()
        self._limits: tuple[tuple[int, float, float], ...] = ()
        self._reach_mm = REACH_LEAST_MM
        self._hover_x: float | None = None
        self.setMouseTracking(True)
        self.setMinimumHeight(96)
        self.setAccessibleName("distances over time")

    def choose(self, structure: str, limits: tuple[tuple[int, float, float], ...]) -> None:
        """Show a structure; `limits` are steps (since, caution, danger), none where the case is not known."""
        self.structure, self._limits = structure, limits
        self.series = series_of(self.session, structure)
        self._reach_mm = max([REACH_LEAST_MM, *(REACH_CAUTIONS * caution for _, caution, _ in limits)])
        self.update()

    def show_at(self, t_ns: int) -> None:
        self.at_ns = t_ns
        self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.update()

    def words_at(self, t_ns: int) -> list[str]:
        """What is known at a time, a line for each pair."""
        lines = [time_words(t_ns, 10_000_000)]
        for series in self.series:
            value = series.at(t_ns)
            if value is None:
                lines.append(f"{series.title}: UNKNOWN")
            else:
                bound = f", bound {signed(value[1])} mm" if np.isfinite(value[1]) else ""
                lines.append(f"{series.title}: {signed(value[0])} mm{bound}")
        return lines

    def paintEvent(self, event: QPaintEvent) -> None:
        s, axis = self._scale, self.axis
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.ink().panel))
        area = QRectF(axis.left_px, 8 * s, axis.right_px - axis.left_px, self.height() - 16 * s)
        painter.fillRect(area, QColor(theme.ink().background))
        self._paint_names(painter, area)
        painter.setClipRect(area)
        self._paint_limits(painter, area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for series in reversed(self.series[1:]):
            self._paint_line(painter, area, series.t_ns, series.distance_mm, QPen(QColor(theme.ink().quiet), 1.1 * s))
        for series in self.series[:1]:
            self._paint_line(painter, area, series.t_ns, series.bound_mm, QPen(QColor(theme.ink().bound), 1.3 * s, Qt.PenStyle.DashLine))
            self._paint_line(painter, area, series.t_ns, series.distance_mm, QPen(QColor(theme.ink().text), 2.0 * s))
        painter.setPen(QPen(QColor(theme.ink().text), 1.4 * s))
        painter.drawLine(QPointF(axis.x(self.at_ns), area.top()), QPointF(axis.x(self.at_ns), area.bottom()))
        self._paint_hover(painter, area)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.position().x() >= self.axis.left_px:
            self.sought.emit(self.axis.time(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_x = event.position().x()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(self.axis.time(self._hover_x))
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._hover_x = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.axis.zoom(0.8 ** (event.angleDelta().y() / 120.0), event.position().x())
        self.moved.emit()

    def _y(self, area: QRectF, mm: float) -> float:
        share = (min(max(mm, -2 * INSIDE_MM), self._reach_mm * 1.2) + INSIDE_MM) / (self._reach_mm + INSIDE_MM)
        return area.bottom() - share * area.height()

    def _paint_names(self, painter: QPainter, area: QRectF) -> None:
        s = self._scale
        room = QRectF(14 * s, area.top(), (GUTTER - 50) * s, 18 * s)
        rows = [(name_words(self.structure), theme.ink().text, True)]
        if self.series:
            rows += [(self.series[0].title, theme.ink().dim, False), ("━ distance", theme.ink().text, False), ("╍ bound", theme.ink().bound, False)]
            rows += [("─ other parts", theme.ink().dim, False)] if len(self.series) > 1 else []
        else:
            rows += [("never known", theme.ink().dim, False)]
        for n, (words, color, bold) in enumerate(rows):
            painter.setPen(QColor(color))
            painter.setFont(theme.font((13 if bold else 12) * s, weight=QFont.Weight.Bold if bold else QFont.Weight.Normal))
            cut = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, round(room.width()))
            painter.drawText(room.translated(0, n * 16 * s), Qt.AlignmentFlag.AlignVCenter, cut)
        painter.setFont(theme.font(11 * s))
        painter.setPen(QColor(theme.ink().dim))
        for mm in np.arange(0.0, self._reach_mm + 0.1, 2.5 if self._reach_mm <= 12.0 else 5.0 if self._reach_mm <= 30.0 else 10.0):
            box = QRectF(area.left() - 44 * s, self._y(area, float(mm)) - 8 * s, 38 * s, 16 * s)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{mm:g} mm" if mm == 0.0 else f"{mm:g}")

    def _paint_limits(self, painter: QPainter, area: QRectF) -> None:
        s, n = self._scale, 0
        for n, (since, caution, danger) in enumerate(self._limits, start=1):
            until = self._limits[n][0] if n < len(self._limits) else self.axis.last_ns
            left, width = self.axis.x(since), self.axis.x(until) - self.axis.x(since)
            for low, high, priority, alpha in ((-2 * INSIDE_MM, 0.0, "high", 110), (0.0, danger, "high", 65), (danger, caution, "medium", 75)):
                color = theme.color(priority)  # type: ignore[arg-type]
                color.setAlpha(alpha)
                painter.fillRect(QRectF(left, self._y(area, high), width, self._y(area, low) - self._y(area, high)), color)
        if n:
            _, caution, danger = self._limits[-1]
            painter.setFont(theme.font(11 * s))
            painter.setPen(QColor(theme.ink().dim))
            words = QRectF(area.right() - 260 * s, self._y(area, caution) - 16 * s, 254 * s, 15 * s)
            painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, f"caution {caution:g} mm   danger {danger:g} mm")
        painter.setPen(QPen(QColor(theme.ink().dim), 1))
        painter.drawLine(QPointF(area.left(), self._y(area, 0.0)), QPointF(area.right(), self._y(area, 0.0)))

    def _paint_line(self, painter: QPainter, area: QRectF, t_ns: Times, values: Floats, pen: QPen) -> None:
        painter.setPen(pen)
        for times, mms in pieces(t_ns, values, self.axis.start_ns, self.axis.end_ns, max(1, round(area.width()))):
            points = [QPointF(self.axis.x(t), self._y(area, mm)) for t, mm in zip(times.tolist(), mms.tolist(), strict=True)]
            if len(points) == 1:
                painter.drawPoint(points[0])
            painter.drawPolyline(QPolygonF(points))

    def _paint_hover(self, painter: QPainter, area: QRectF) -> None:
        if self._hover_x is None or not area.left() <= self._hover_x <= area.right():
            return
        s, lines = self._scale, self.words_at(self.axis.time(self._hover_x))
        painter.setFont(theme.font(12 * s))
        width = max(painter.fontMetrics().horizontalAdvance(line) for line in lines) + 16 * s
        left = self._hover_x + 12 * s if self._hover_x + width + 14 * s < area.right() else self._hover_x - width - 12 * s
        box = QRectF(left, area.top() + 4 * s, width, (len(lines) * 16 + 10) * s)
        theme.fill(painter, box.toRect(), theme.ink().raised, 5 * s)
        painter.setPen(QColor(theme.ink().text))
        for n, line in enumerate(lines):
            painter.drawText(box.adjusted(8 * s, (5 + 16 * n) * s, 0, 0), Qt.AlignmentFlag.AlignTop, line)
