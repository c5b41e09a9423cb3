"""The bar on top: which session runs, and on what source the next one is started."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSettings, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.controls import key_button, said, size
from gui.calibrate.prepare import SETTINGS
from gui.calibrate.session_words import SessionView, other_rig, session_view
from gui.calibrate.source_field import Devices, SourceField
from gui.calibrate.sources import SESSION_KINDS, needs_camera
from gui.desktop.desk import Desk
from gui.link.board import Moment
from navtwin.bus.words import name_words
from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import Lamp

KEY = "calibrate/session"


class Light(QWidget):
    """Whether a session runs: a disc runs, a ring does not, a half disc starts, a cross has failed."""

    def __init__(self) -> None:
        super().__init__()
        self.lamp: Lamp = "off"

    def show_lamp(self, lamp: Lamp) -> None:
        if lamp != self.lamp:
            self.lamp = lamp
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = QColor(theme.ink().lamp(self.lamp))
        middle, r = QPointF(self.width() / 2.0, self.height() / 2.0), 0.3 * min(self.width(), self.height())
        painter.setPen(QPen(shade, 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        if self.lamp == "bad":
            painter.drawLine(middle + QPointF(-r, -r), middle + QPointF(r, r))
            painter.drawLine(middle + QPointF(-r, r), middle + QPointF(r, -r))
            return
        painter.drawEllipse(middle, r, r)
        painter.setBrush(shade)
        if self.lamp == "ok":
            painter.drawEllipse(middle, r, r)
        elif self.lamp == "warn":
            painter.drawPie(round(middle.x() - r), round(middle.y() - r), round(2 * r), round(2 * r), 90 * 16, 180 * 16)


class SessionBar(QFrame):
    """What runs at the left; at the right what to start, or the end."""

    def __init__(self, desk: Desk, devices: Devices) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._desk = desk
        self.view: SessionView | None = None
        self.light, self.headline, self.detail = Light(), QLabel(), QLabel()
        self.detail.setWordWrap(True)
        self.refusal = said("bad")
        self.source = SourceField(SESSION_KINDS, devices, lambda: theme.say(self.refusal, ""))
        kept = QSettings(*SETTINGS).value(KEY, "")
        if kept:
            self.source.show_address(str(kept))
        self.start = key_button("Start session", "S", "Start a core on the open case and this source; it outlives the window", self._start)
        self.end = key_button("End session", "E", "End the session; what it recorded is finished first", desk.end_session)
        self._build()

    @property
    def buttons(self) -> list[QPushButton]:
        return [self.start, self.end, self.source.browse]

    def show_moment(self, moment: Moment) -> None:
        """What runs now."""
        own = self._desk.session
        case = name_words(self._desk.scene.name) if self._desk.scene else ""
        running = own is not None and own.running
        source, lines, words = (own.source, tuple(own.lines), own.words) if own is not None else ("", (), "")
        view = session_view(moment, source, running, lines, words, case, other_rig(moment, self._desk.rig_path))
        if view == self.view:
            return
        self.view = view
        self.light.show_lamp(view.lamp)
        self.headline.setText(view.headline)
        self.detail.setText(view.detail)
        theme.set_tone(self.detail, "warn" if view.bad and view.lamp == "warn" else "")
        self.setAccessibleName(f"{view.headline}: {view.detail}")
        for widget in (self.source, self.start):
            widget.setVisible(view.may_start)
        self.end.setVisible(view.may_end)

    def set_scale(self, scale: float) -> None:
        self.light.setFixedSize(round(34 * scale), round(34 * scale))
        size(self.headline, 15.5 * scale)
        self.source.setMaximumWidth(round(520 * scale))
        for button in (self.start, self.end):
            button.setMinimumHeight(round(40 * scale))
        self.light.update()

    def _build(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.headline)
        words.addWidget(self.detail)
        self.detail.setProperty("dim", True)
        line = QHBoxLayout()
        line.addWidget(self.light)
        line.addLayout(words, 1)
        line.addWidget(self.source)
        line.addWidget(self.start)
        line.addWidget(self.end)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 10, 6)
        column.addLayout(line)
        column.addWidget(self.refusal)
        for widget in (self.source, self.start, self.end):
            widget.hide()

    def _start(self) -> None:
        try:
            source = self.source.address()
            if self._desk.rig is None:
                raise InputRefused("there is no rig, and a session needs one", "make or open one in the first step below")
            if needs_camera(source) and not self._desk.rig.camera:
                raise InputRefused("this rig has no calibrated camera", "calibrate it in the step Camera below, or choose another source")
            self._desk.start_session(source)
        except NavtwinError as error:
            theme.say(self.refusal, str(error))
            return
        theme.say(self.refusal, "")
        QSettings(*SETTINGS).setValue(KEY, source)
