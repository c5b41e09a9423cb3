"""How far a calibration is: a ring for all of it, bars for each thing that is wanted, and a map of the tilts and distances that were shown."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from navtwin.nouns.calibration import Goal, ViewCoverage

#: Tilts beyond this stand at the map's edge, deg; tilts from here on tell focal length from distance.
MOST_TILT_DEG, TOLD_TILT_DEG = 60.0, 20.0
#: More bars than these are more than anybody reads.
MOST_GOALS = 8
_ALIGN = Qt.AlignmentFlag


class Gauge(QWidget):
    """A drawing of a fixed design size, in design pixels."""

    design = (240, 120)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(self.design[0] * self._scale), round(self.design[1] * self._scale))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(120 * self._scale), self.sizeHint().height())

    def begin(self) -> tuple[QPainter, float]:
        """A painter in design pixels, and how many of them the gauge is wide."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        return painter, self.width() / self._scale

    def write(self, painter: QPainter, box: QRectF, text: str, size: float, shade: str, align: Qt.AlignmentFlag, *, bold: bool = False) -> None:
        painter.setFont(theme.font(size, weight=QFont.Weight.DemiBold if bold else QFont.Weight.Normal))
        painter.setPen(QColor(shade))
        painter.drawText(box, align, text)


class Ring(Gauge):
    """How much of all is there. Where that cannot be known the ring is dashed, and only the count is told."""

    design = (240, 112)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.share: float | None = 0.0
        self.big, self.small = "", ""

    def show_share(self, share: float | None, big: str, small: str) -> None:
        """`big` stands in the ring, `small` below it."""
        if (share, big, small) != (self.share, self.big, self.small):
            self.share, self.big, self.small = share, big, small
            self.setAccessibleName(f"{big} {small}".replace("\n", " ").strip())
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, width = self.begin()
        ink = theme.ink()
        disc = QRectF(width / 2.0 - 50.0, 6.0, 100.0, 100.0)
        dashed = Qt.PenStyle.DotLine if self.share is None else Qt.PenStyle.SolidLine
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(ink.edge), 9.0, dashed, Qt.PenCapStyle.FlatCap))
        painter.drawEllipse(disc)
        if self.share:
            painter.setPen(QPen(QColor(ink.accent), 9.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawArc(disc, 90 * 16, -round(min(1.0, self.share) * 360 * 16))
        self.write(painter, QRectF(disc.left(), disc.top() + 18, disc.width(), 34), self.big, 26.0, ink.text, _ALIGN.AlignCenter, bold=True)
        low = QRectF(disc.left(), disc.top() + 52, disc.width(), 30)
        self.write(painter, low, self.small, 11.5, ink.dim, _ALIGN.AlignHCenter | _ALIGN.AlignTop)
        painter.end()


class Goals(Gauge):
    """A bar for each thing that is wanted; one that is reached has a tick."""

    row_height = 28.0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.goals: tuple[Goal, ...] = ()

    def show_goals(self, goals: tuple[Goal, ...]) -> None:
        """All but the count, which stands in the ring; where there are many, those that are not reached."""
        goals = tuple(goal for goal in goals if goal.name.rpartition(": ")[2] not in ("views", "poses"))
        if len(goals) > MOST_GOALS:
            goals = tuple(goal for goal in goals if goal.reached < goal.wanted)[:MOST_GOALS]
        if goals != self.goals:
            self.goals = goals
            self.setVisible(bool(goals))
            self.setAccessibleName("; ".join(f"{g.name} {goal_words(g)}" for g in goals))
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(self.design[0] * self._scale), round(self.row_height * len(self.goals) * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, width = self.begin()
        ink = theme.ink()
        for n, goal in enumerate(self.goals):
            top = n * self.row_height
            there = goal.reached >= goal.wanted
            words = ("✓ " if there else "") + goal_words(goal)
            self.write(painter, QRectF(0, top, width, 18), words, 12.5, ink.text, _ALIGN.AlignRight | _ALIGN.AlignVCenter, bold=there)
            room = width - painter.fontMetrics().horizontalAdvance(words) - 10.0
            painter.setFont(theme.font(12.5))
            name = painter.fontMetrics().elidedText(goal.name, Qt.TextElideMode.ElideRight, round(room))
            self.write(painter, QRectF(0, top, room, 18), name, 12.5, ink.dim, _ALIGN.AlignLeft | _ALIGN.AlignVCenter)
            share = 1.0 if goal.wanted <= 0.0 else min(1.0, max(0.0, goal.reached / goal.wanted))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ink.edge))
            painter.drawRoundedRect(QRectF(0, top + 20, width, 5), 2.5, 2.5)
            if share > 0.0:
                painter.setBrush(QColor(ink.accent))
                painter.drawRoundedRect(QRectF(0, top + 20, max(5.0, share * width), 5), 2.5, 2.5)
        painter.end()


class TiltMap(Gauge):
    """Each kept view by its tilt and its distance: who sees the dots in one heap sees what is missing."""

    design = (240, 112)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tilt_deg: tuple[float, ...] = ()
        self.distance_mm: tuple[float, ...] = ()

    def show_coverage(self, coverage: tuple[ViewCoverage, ...]) -> None:
        """Of all cameras together."""
        tilts = tuple(t for c in coverage for t in c.tilt_deg)
        distances = tuple(d for c in coverage for d in c.distance_mm)
        self.setVisible(bool(coverage))
        if (tilts, distances) != (self.tilt_deg, self.distance_mm) and len(tilts) == len(distances):
            self.tilt_deg, self.distance_mm = tilts, distances
            self.setAccessibleName(f"tilts and distances of {len(tilts)} views")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, width = self.begin()
        ink = theme.ink()
        box = QRectF(1, 19, width - 2, 62)
        told = box.left() + TOLD_TILT_DEG / MOST_TILT_DEG * box.width()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.raised))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QPen(QColor(ink.quiet), 1.0, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(told, box.top()), QPointF(told, box.bottom()))
        self.write(painter, QRectF(0, 0, width, 18), "Tilt and distance of the views", 12.5, ink.dim, _ALIGN.AlignLeft | _ALIGN.AlignVCenter)
        for text, x in (("0°", box.left() + 10), (f"{TOLD_TILT_DEG:.0f}°", told), (f"{MOST_TILT_DEG:.0f}°", box.right() - 12)):
            self.write(painter, QRectF(x - 20, box.bottom() + 1, 40, 16), text, 11.5, ink.dim, _ALIGN.AlignCenter)
        far = (0.0, 0.0) if not self.distance_mm else (min(self.distance_mm), max(self.distance_mm))
        words = f"{far[0] / 10:.0f} to {far[1] / 10:.0f} cm" if self.distance_mm else "no view yet"
        self.write(painter, QRectF(0, box.bottom() + 14, width, 16), words, 11.5, ink.dim, _ALIGN.AlignRight | _ALIGN.AlignVCenter)
        self.write(painter, QRectF(0, box.bottom() + 14, width, 16), "near below, far above", 11.5, ink.dim, _ALIGN.AlignLeft | _ALIGN.AlignVCenter)
        middle, span = (far[0] + far[1]) / 2.0, max(far[1] - far[0], 0.25 * far[1], 1.0)
        painter.setPen(QPen(QColor(ink.raised), 1.0))
        for tilt, distance in zip(self.tilt_deg, self.distance_mm, strict=True):
            x = box.left() + 6 + min(tilt, MOST_TILT_DEG) / MOST_TILT_DEG * (box.width() - 12)
            y = box.center().y() - (distance - middle) / span * (box.height() - 14)
            painter.setBrush(QColor(ink.accent if tilt >= TOLD_TILT_DEG else ink.quiet))
            painter.drawEllipse(QPointF(x, y), 4.0, 4.0)
        painter.end()


def goal_words(goal: Goal) -> str:
    """`12 of 20`, `14 of 20 deg`."""
    digits = 0 if goal.wanted >= 5.0 else 2
    unit = {"deg": "°"}.get(goal.unit, f" {goal.unit}" if goal.unit else "")
    return f"{goal.reached:.{digits}f} of {goal.wanted:.{digits}f}{unit}"
