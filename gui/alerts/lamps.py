"""The lamps: is each link of the chain well? Told by shape and word as well as by colour."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui import theme
from gui.link.board import Moment
from navtwin.bus.words import verified_words
from navtwin.nouns import Health, Lamp

LAMPS = ("tracker", "reference", "registration", "link", "latency", "audio", "recording")
LAMP_WORDS: dict[Lamp, str] = {"ok": "ok", "warn": "warning", "bad": "bad", "off": "unknown"}
#: The type of the line below a name.
NOTE_PX = 11.5


class LampLight(QWidget):
    """One lamp: a disc is well, a triangle is a warning, a cross is bad, a ring is off or unknown."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.note, self._reason = name, "", ""
        self.lamp: Lamp = "off"
        self._scale = 1.0

    def show_lamp(self, lamp: Lamp, note: str = "", reason: str = "") -> None:
        """`note` stands below the name; `reason`, which may be long, is told to who points at the lamp."""
        if (lamp, note, reason) != (self.lamp, self.note, self._reason):
            self.lamp, self.note, self._reason = lamp, note, reason
            self.setAccessibleName(f"{self.name}: {LAMP_WORDS[lamp]} {reason or note}".strip())
            self.setToolTip(self.accessibleName())
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        name = QFontMetrics(theme.font(12.5 * self._scale, weight=QFont.Weight.Medium)).horizontalAdvance(self.name)
        below = QFontMetrics(theme.font(NOTE_PX * self._scale))
        widest_notes = {"latency": _latency(88.0, 88.0)[0], "registration": "not verified"}
        words = (*LAMP_WORDS.values(), widest_notes.get(self.name, ""))
        widest = max(name, *(below.horizontalAdvance(word) for word in words))
        return QSize(round(24 * self._scale) + widest, round(40 * self._scale))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        s, ink = self._scale, theme.ink()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(ink.lamp(self.lamp))
        middle, r = QPointF(9 * s, self.height() / 2.0), 6.0 * s
        if self.lamp == "ok":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(middle, r, r)
        elif self.lamp == "warn":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            x, y = middle.x(), middle.y()
            painter.drawPolygon(QPolygonF([QPointF(x, y - 1.2 * r), QPointF(x - 1.2 * r, y + r), QPointF(x + 1.2 * r, y + r)]))
        elif self.lamp == "bad":
            painter.setPen(QPen(color, 3.0 * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(middle + QPointF(-r, -r), middle + QPointF(r, r))
            painter.drawLine(middle + QPointF(-r, r), middle + QPointF(r, -r))
        else:
            painter.setPen(QPen(color, 1.8 * s))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(middle.x() - r, middle.y() - r, 2 * r, 2 * r))
        calm = self.lamp == "ok"
        painter.setPen(QColor(ink.text) if calm else color)
        text = QRect(round(20 * s), 0, self.width() - round(20 * s), self.height())
        note = self.note or ("" if calm else LAMP_WORDS[self.lamp])
        if note:
            half = self.height() // 2
            painter.setFont(theme.font(12.5 * s, weight=QFont.Weight.Medium))
            painter.drawText(text.adjusted(0, 2, 0, -half), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, self.name)
            painter.setFont(theme.font(NOTE_PX * s))
            painter.setPen(QColor(ink.dim))
            painter.drawText(text.adjusted(0, half, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, note)
        else:
            painter.setFont(theme.font(12.5 * s, weight=QFont.Weight.Medium))
            painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.name)
        painter.end()


class Lamps(QWidget):
    """All lamps in a row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lights = {name: LampLight(name, self) for name in LAMPS}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        for light in self.lights.values():
            layout.addWidget(light)

    def show_moment(self, moment: Moment, pixels_ms: float | None = None) -> None:
        """`pixels_ms`: from a message to the picture in front, as measured; None where no picture follows the instrument."""
        health = moment.alerts.health if moment.alerts and not moment.link_lost else None
        for name, light in self.lights.items():
            if name == "link":
                light.show_lamp("ok" if moment.link == "up" else "off" if moment.link in ("waiting", "ended") else "bad")
            elif name == "audio":
                # This screen's own, whatever the link to the core is like.
                light.show_lamp(
                    "off" if moment.audio is None else "bad" if moment.audio else "ok", "silent" if moment.audio else "", moment.audio or ""
                )
            elif health is None:
                light.show_lamp("off")
            elif name == "registration":
                light.show_lamp(health.registration, _verified(health), verified_words(health, moment.t_ns))
            else:
                light.show_lamp(getattr(health, name), *(_latency(health.frame_age_ms, pixels_ms) if name == "latency" else ()))

    def set_scale(self, scale: float) -> None:
        for light in self.lights.values():
            light.set_scale(scale)


def _verified(health: Health) -> str:
    """The little that has room below a lamp; the whole stands where it matters."""
    return "" if health.registered_ns is None or health.registration != "ok" else "verified" if health.verified_ns is not None else "not verified"


def _latency(age_ms: float | None, pixels_ms: float | None) -> tuple[str, str]:
    """How old what is known is, and how much later it is seen: in figures, and in words."""
    if age_ms is None:
        return "", ""
    if pixels_ms is None:
        return f"{age_ms:.0f} ms", f"the newest frame is {age_ms:.0f} ms old"
    words = f"the newest frame is {age_ms:.0f} ms old; the picture shows what is heard within {pixels_ms:.0f} ms (95 of 100, last 10 s)"
    return f"{age_ms:.0f} + {pixels_ms:.0f} ms", words
