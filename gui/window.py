"""The window: picture, distances, alerts, lamps and buttons, over one board. It shows what the core says, or that it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMessageBox, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.alerts.banner import AlertBanner, TechnicalRow
from gui.alerts.lamps import Lamps
from gui.link.board import Board, Meant, Moment, ordered
from gui.navigate.bullseye import Bullseye
from gui.navigate.stage import Stage
from gui.navigate.strip import Strip
from gui.picture.pace import Pace
from gui.picture.view3d import View, open_view
from gui.slices.view import SlicesView
from navtwin import __version__
from navtwin.bus.words import duration_words, name_words, subject_words
from navtwin.nouns import Ack, Alert, AudioPause, Freeze, Mark, Mute, Order, Rig, TechnicalAlarm
from navtwin.scene.distances import structure_rows
from navtwin.scene.looks import is_veil
from navtwin.scene.model import Scene
from navtwin.scene.views import ViewName

#: The screen is looked after 30 times a second, and the picture painted at most as often.
TURN_MS = 33
AUDIO_PAUSE_S = 30.0
#: Where the window's own layout is remembered.
SETTINGS = ("navtwin", "gui")

ABOUT = """<h3>navtwin {version}</h3>
<p><b>Research and rehearsal software, not a medical device.</b></p>
<p>It must not be used for the diagnosis or treatment of patients. It claims conformity with no standard.</p>
<p>Case: {case}<br>{citation}</p>
<p>Keys: A acknowledge, M mute caution, P pause audio, K mark, F freeze picture, 1-4 views,
S slices, W grey window of the slices, + and - their magnification, B bullseye.</p>"""


class Window(QMainWindow):
    """One screen.

    Parameters
    ----------
    board : what may be shown
    order : where orders go
    where : the core's address, in words
    until_end : close when the core has ended the session
    open_picture : makes the view (a test may give another)
    trouble : why the core does not let this client in, "" if it does
    silence_link : silences the alarm of a lost link, which no core can be asked to do
    """

    news = Signal()

    def __init__(
        self,
        scene: Scene,
        rig: Rig | None,
        board: Board,
        order: Callable[[Order], None],
        where: str,
        view: ViewName = "posterior",
        *,
        until_end: bool = False,
        open_picture: Callable[[Scene, Rig | None, QWidget], View] = open_view,
        trouble: Callable[[], str] = lambda: "",
        silence_link: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._scene, self._board, self._order, self._where, self._trouble = scene, board, order, where, trouble
        self._until_end, self._silence_link = until_end, silence_link
        self._closed = False
        self._view_name: ViewName = view
        self._meant = Meant()
        self._frozen_ns: int | None = None
        self._marks = 0
        self._scale = 0.0
        self.setWindowTitle(f"navtwin · {name_words(scene.name)}")
        self.banner, self.technical = AlertBanner(self._acknowledge), TechnicalRow(self._acknowledge)
        self.strip = Strip(tuple(s for s in scene.structures if s.role == "critical"))
        self.lamps = Lamps()
        self.stage = Stage(self.choose_view, self._show_skin, self._about, self._show_slices)
        self.slices, self.bullseye = SlicesView(scene, rig), Bullseye(scene, rig)
        self.stage.set_corner(self.bullseye)
        self._build()
        self._slice_keys()
        self.view = open_picture(scene, rig, self.stage)
        self._pace = Pace(self.view, TURN_MS)
        self.stage.set_picture(self.view.widget)
        self.choose_view(view)
        self.news.connect(self.refresh, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(TURN_MS)
        # The first turn of the window's loop: it is up by then.
        QTimer.singleShot(0, self, self.slices.cutter.start)

    def refresh(self) -> None:
        """Show this moment: words first, the picture when there is time for it."""
        if self._closed:
            return
        moment, now_ns = self._board.moment(), self._board.clock()
        self.banner.show_moment(moment, now_ns)
        self.technical.show_moment(moment, now_ns)
        self.lamps.show_moment(moment)
        self.strip.show_rows(structure_rows(self._scene, moment.state, moment.alerts, link_lost=moment.link_lost))
        word = self._board.words[-1] if self._board.words else None
        self.stage.show_moment(moment, self._frozen_ns, word, now_ns, self._where, self._trouble())
        self._show_buttons(moment, now_ns)
        self.slices.show_moment(moment, now_ns, frozen=self._frozen_ns is not None)
        self.bullseye.show_moment(moment)
        if self._frozen_ns is None:
            self._pace.turn(moment, now_ns, self._view_name)
            self.stage.show_lateness(*self._pace.lateness(moment, now_ns))
        if self._until_end and moment.link == "ended":
            self.close()

    def choose_view(self, view: ViewName) -> None:
        """Stand somewhere else."""
        self._view_name = view
        self.stage.choose(view)
        self.view.picture.look(view, self._board.moment().state)
        self.view.paint()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self._closed = True
        self.slices.cutter.stop()
        self.view.release()
        super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        scale = theme.scale_for(self.width(), self.height())
        if scale != self._scale:
            self._scale = scale
            self.setStyleSheet(theme.style_sheet(scale))
            for part in (self.banner, self.technical, self.strip, self.lamps, self.slices, self.bullseye, self.stage):
                part.set_scale(scale)
            self.acknowledge.setFixedSize(round(250 * scale), round(50 * scale))
            self._footer.setFixedHeight(round(66 * scale))

    def _build(self) -> None:
        self.acknowledge = self._button("Acknowledge", "A", self._acknowledge_meant)
        self.acknowledge.setObjectName("acknowledge")
        self.mute = self._button("Mute caution", "M", self._mute)
        self.pause = self._button("Pause audio", "P", self._pause)
        self.mark = self._button("Mark", "K", self._mark)
        self.freeze = self._button("Freeze picture", "F", self._freeze)
        self.freeze.setCheckable(True)
        self._footer = QWidget()
        self._footer.setObjectName("footer")
        row = QHBoxLayout(self._footer)
        row.setContentsMargins(12, 0, 10, 0)
        row.setSpacing(8)
        row.addWidget(self.lamps)
        row.addStretch()
        for button in (self.mark, self.freeze, self.pause, self.mute, self.acknowledge):
            row.addWidget(button)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.stage, 1)
        middle.addWidget(self.slices)
        middle.addWidget(self.strip)
        body = QWidget()
        body.setObjectName("body")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.technical)
        column.addLayout(middle, 1)
        column.addWidget(self._footer)
        self.setCentralWidget(body)
        self.setMinimumSize(1100, 680)

    def _slice_keys(self) -> None:
        kept = QSettings(*SETTINGS)
        self.stage.slices.setChecked(kept.value("slices", True, type=bool) is True)
        self.slices.setVisible(self.stage.slices.isChecked())
        self.bullseye.wanted = kept.value("bullseye", True, type=bool) is True
        turns: dict[str, Callable[[], None]] = {
            "W": self.slices.turn_window, "+": partial(self.slices.zoom, 1), "-": partial(self.slices.zoom, -1), "B": self._show_bullseye,
        }  # fmt: skip
        for key, act in turns.items():
            QShortcut(QKeySequence(key), self).activated.connect(act)

    def _show_slices(self, visible: bool) -> None:
        self.slices.setVisible(visible)
        QSettings(*SETTINGS).setValue("slices", visible)

    def _show_bullseye(self) -> None:
        self.bullseye.wanted = not self.bullseye.wanted
        QSettings(*SETTINGS).setValue("bullseye", self.bullseye.wanted)

    def _button(self, text: str, key: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setShortcut(key)
        button.setToolTip(f"{text} ({key})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _checked: act())
        return button

    def _show_buttons(self, moment: Moment, now_ns: int) -> None:
        up = not moment.link_lost
        waiting = [row for row in ordered(moment.alerts) if not row.acked_by and row.priority != "none"] if up else []
        self._meant.show(waiting[0] if waiting else None, now_ns)
        link_sounds = moment.link == "lost" and moment.audio == ""
        self.acknowledge.setEnabled(bool(waiting) or link_sounds)
        what = subject_words(waiting[0].id) if waiting else "LINK LOST" if link_sounds else ""
        room = self.acknowledge.width() - round(30 * self._scale)
        what = self.acknowledge.fontMetrics().elidedText(what, Qt.TextElideMode.ElideRight, room)
        _set_text(self.acknowledge, f"Acknowledge\n{what}" if what else "Acknowledge")
        self.mute.setEnabled(up and self._mutable(moment) is not None)
        until_ns = moment.alerts.health.audio_paused_until_ns if moment.alerts else None
        _set_text(self.pause, "Pause audio" if until_ns is None else f"Audio off  {duration_words(until_ns - moment.t_ns)}")
        self.pause.setEnabled(up)
        self.mark.setEnabled(up)
        self.freeze.setChecked(self._frozen_ns is not None)

    def _acknowledge_meant(self) -> None:
        row = self._meant.pick(self._board.clock())
        if self._board.moment().link == "lost":
            self._silence_link()
        elif row is not None:
            self._acknowledge(row)

    def _acknowledge(self, row: Alert | TechnicalAlarm) -> None:
        """Names the level that was seen: the core refuses the order if it has risen since."""
        self._order(Ack(epoch=self._board.moment().epoch, alert=row.id, level=row.level if isinstance(row, Alert) else None))

    def _mutable(self, moment: Moment) -> Alert | None:
        rows = [row for row in ordered(moment.alerts) if isinstance(row, Alert) and row.level == "CAUTION" and not row.silenced]
        return rows[0] if rows else None

    def _mute(self) -> None:
        row = self._mutable(self._board.moment())
        if row is not None:
            self._order(Mute(structure=row.structure))

    def _pause(self) -> None:
        alerts = self._board.moment().alerts
        paused = alerts is not None and alerts.health.audio_paused_until_ns is not None
        self._order(AudioPause(seconds=0.0 if paused else AUDIO_PAUSE_S))

    def _mark(self) -> None:
        self._marks += 1
        self._order(Mark(label=f"mark {self._marks}"))

    def _freeze(self) -> None:
        """Stops this picture and nothing else; the core only notes it."""
        self._frozen_ns = self._board.clock() if self._frozen_ns is None else None
        self._pace.forget()
        if not self._board.moment().link_lost:
            self._order(Freeze(on=self._frozen_ns is not None))
        self.refresh()

    def _show_skin(self, visible: bool) -> None:
        for structure in self._scene.structures:
            if is_veil(structure):
                self.view.picture.set_visible(structure.name, visible)
        self.view.paint()

    def _about(self) -> None:
        box = QMessageBox(self)
        box.setWindowTitle("About navtwin")
        box.setTextFormat(Qt.TextFormat.RichText)
        box.setText(ABOUT.format(version=__version__, case=name_words(self._scene.name), citation=self._scene.citation))
        box.open()


def _set_text(button: QPushButton, text: str) -> None:
    # Setting the text of a button drops its shortcut, so it is only done where the text is new, and the shortcut put back.
    if button.text() != text:
        key = button.shortcut()
        button.setText(text)
        button.setShortcut(key)
