"""The window: alerts on top, the rail, one of five places, and the answers below. It shows what the core says, or that it says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from gui import theme
from gui.alerts.banner import AlertBanner, TechnicalRow
from gui.desktop.desk import Desk
from gui.desktop.farewell import Farewell
from gui.desktop.footer import Footer
from gui.desktop.head import Head
from gui.desktop.help import Help
from gui.desktop.keys import EVERYWHERE, PLACES, PlaceName
from gui.desktop.notice import Notice
from gui.desktop.places import Maker
from gui.desktop.rail import Rail
from gui.desktop.readiness import Facts, Ready, readiness
from gui.desktop.turns import Turns
from gui.link.board import Moment
from navtwin.bus.words import name_words

#: Where the window's own layout is remembered.
SETTINGS = ("navtwin", "desktop")


class Window(QMainWindow):
    """One screen.

    Parameters
    ----------
    makers : makes each place when it is first entered
    silence_link : silences the alarm of a lost link, which no core can be asked to do
    pedal : a further key that acknowledges, as Qt spells it; "" for none
    until_end : close when the core has ended the session
    """

    news = Signal()

    def __init__(
        self,
        desk: Desk,
        makers: Mapping[PlaceName, Maker],
        *,
        silence_link: Callable[[], None] = lambda: None,
        pedal: str = "",
        until_end: bool = False,
    ) -> None:
        super().__init__()
        self.desk, self._makers, self._until_end = desk, makers, until_end
        self.places: dict[PlaceName, Any] = {}
        self.place: PlaceName = "case"
        self.standings: dict[PlaceName, Ready] = {}
        self._closed, self._scale = False, 0.0
        self.footer = Footer(desk.board, desk.order, silence_link)
        self.banner, self.technical = AlertBanner(self.footer.acknowledge_row), TechnicalRow(self.footer.acknowledge_row)
        self.rail = Rail(self.go, self.turn_theme, self.turn_help)
        self.head, self.notice, self.help, self.stack = Head(), Notice(), Help(), QStackedWidget()
        self._farewell = Farewell(self)
        self._build()
        self._keys(pedal)
        desk.said.connect(lambda words, bad: self.notice.say(words, bad=bad))
        desk.working.connect(self._follow)
        desk.place_wanted.connect(self.go)
        desk.case_changed.connect(self._show_title)
        self._show_title()
        self._turns = Turns(self.refresh, self)
        self.news.connect(self._turns.hear, Qt.ConnectionType.QueuedConnection)

    def refresh(self) -> None:
        """Show this moment: alerts first, then the place in front."""
        if self._closed:
            return
        moment, now_ns = self.desk.board.moment(), self.desk.clock()
        self.banner.show_moment(moment, now_ns)
        self.technical.show_moment(moment, now_ns)
        self.footer.show_moment(moment, now_ns, self.desk.pixels_ms)
        self._show_standings(moment)
        if self.place in self.places:
            self.places[self.place].show_moment(moment, now_ns)
        if self._until_end and moment.link == "ended":
            self.leave()

    def go(self, place: PlaceName) -> None:
        """Bring a place to the front."""
        if self.place in self.places and place != self.place:
            self.places[self.place].left()
        self.place = place
        self.rail.choose(place)
        if place not in self.places:
            widget = self._makers[place](self.desk)
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.places[place] = widget
            self.stack.addWidget(widget)
            self.places[place].set_scale(self._scale or 1.0)
        self.stack.setCurrentWidget(self.places[place])
        self.places[place].setFocus()
        self.places[place].entered()
        self.refresh()

    def turn_theme(self) -> None:
        """From dark to light, or back."""
        self.choose_theme("light" if theme.ink().name == "dark" else "dark")

    def choose_theme(self, name: str) -> None:
        theme.choose(name)
        QSettings(*SETTINGS).setValue("theme", name)
        self._restyle()

    def turn_help(self) -> None:
        """Open the help at the place in front, or close it."""
        self.help.setVisible(not self.help.isVisible())
        self.refresh()

    def leave(self) -> None:
        """Close without asking: a session that runs goes on."""
        self._farewell.answered = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._farewell.may_close(self.desk, self.places.values()):
            event.ignore()
            return
        self._turns.stop()
        self._closed = True
        kept = QSettings(*SETTINGS)
        kept.setValue("geometry", self.saveGeometry())
        kept.setValue("help", self.help.isVisible())
        for place in self.places.values():
            place.release()
        self.desk.release()
        super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        scale = theme.scale_for(self.width(), self.height())
        if scale != self._scale:
            self._scale = scale
            self._restyle()

    def _restyle(self) -> None:
        scale = self._scale or 1.0
        self.setStyleSheet(theme.style_sheet(scale))
        for part in (self.banner, self.technical, self.rail, self.head, self.notice, self.help, self.footer, *self.places.values()):
            part.set_scale(scale)
        self.rail.theme.setText("Light" if theme.ink().name == "dark" else "Dark")
        # Painted parts ask for their colours when they paint.
        for widget in self.findChildren(QWidget):
            widget.update()

    def _build(self) -> None:
        middle = QVBoxLayout()
        middle.addWidget(self.head)
        middle.addWidget(self.notice)
        middle.addWidget(self.stack, 1)
        across = QHBoxLayout()
        across.addWidget(self.rail)
        across.addLayout(middle, 1)
        across.addWidget(self.help)
        body = QWidget()
        body.setObjectName("body")
        column = QVBoxLayout(body)
        column.addWidget(self.banner)
        column.addWidget(self.technical)
        column.addLayout(across, 1)
        column.addWidget(self.footer)
        for layout in (middle, across, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        self.setCentralWidget(body)
        self.setMinimumSize(1100, 680)
        self.help.setVisible(QSettings(*SETTINGS).value("help", False, type=bool) is True)

    def _keys(self, pedal: str) -> None:
        acts: dict[str, Callable[[], object]] = {
            **{place: partial(self.go, place) for place in PLACES},
            "acknowledge": self.footer.acknowledge_meant,
            "mute": self.footer.mute_caution,
            "pause": self.footer.pause_audio,
            "mark": self.footer.put_mark,
            "open": self._ask_case,
            "theme": self.turn_theme,
            "help": self.turn_help,
            "full": self._turn_full_screen,
            "cancel": self.notice.cancel_job,
            "quit": self.close,
        }
        for key in EVERYWHERE:
            for keys in (*key.keys, *([pedal] if pedal and key.name == "acknowledge" else [])):
                shortcut = QShortcut(QKeySequence(keys), self)
                # A key that is held down is one answer, not thirty a second.
                shortcut.setAutoRepeat(False)
                shortcut.activated.connect(acts[key.name])
                if key.name == "cancel":
                    self._cancel = shortcut
        self._cancel.setEnabled(False)

    def _show_standings(self, moment: Moment) -> None:
        desk = self.desk
        self.standings = readiness(Facts(desk.scene, desk.rig, moment, desk.opening, desk.runs_other(moment)))
        self.rail.show_ready(self.standings)
        self.head.show_place(self.place, self.standings[self.place], name_words(desk.scene.name) if desk.scene else "")
        self.help.show_place(self.place, self.standings[self.place], desk.scene.citation if desk.scene else "")
        # Escape belongs to the place in front, except while there is work to cancel.
        self._cancel.setEnabled(self.notice.busy)

    def _follow(self, job: Any) -> None:
        self.notice.follow(job)

    def _show_title(self) -> None:
        self.setWindowTitle(f"navtwin · {name_words(self.desk.scene.name)}" if self.desk.scene else "navtwin")

    def _turn_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _ask_case(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "The case folder")
        if name:
            self.desk.open_case(Path(name))
            self.go("case")
