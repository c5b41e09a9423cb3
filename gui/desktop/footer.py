"""The foot of the window in every place: the lamps, and the answers to alerts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from gui.alerts.lamps import Lamps
from gui.desktop.keys import words_of
from gui.link.board import Board, Meant, Moment, ordered
from navtwin.bus.words import duration_words, subject_words
from navtwin.nouns import Ack, Alert, AudioPause, Mark, Mute, Order, TechnicalAlarm

AUDIO_PAUSE_S = 30.0


class Footer(QWidget):
    """Lamps, and the buttons that answer.

    Parameters
    ----------
    order : where orders go
    silence_link : silences the alarm of a lost link, which no core can be asked to do
    """

    def __init__(self, board: Board, order: Callable[[Order], None], silence_link: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board, self._order, self._silence_link = board, order, silence_link
        self._meant = Meant()
        self._marks, self._scale = 0, 1.0
        self.setObjectName("footer")
        self.lamps = Lamps()
        self.mark = self._button("Mark", "mark", "put a mark into the log", self.put_mark)
        self.pause = self._button("Pause audio", "pause", "pause all alarm sounds for 30 s", self.pause_audio)
        self.mute = self._button("Mute caution", "mute", "mute the structure's CAUTION until it re-arms", self.mute_caution)
        self.acknowledge = self._button("Acknowledge", "acknowledge", "acknowledge the most pressing alert", self.acknowledge_meant)
        self.acknowledge.setObjectName("acknowledge")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 10, 0)
        row.setSpacing(8)
        row.addWidget(self.lamps)
        row.addStretch()
        for button in (self.mark, self.pause, self.mute, self.acknowledge):
            row.addWidget(button)

    def show_moment(self, moment: Moment, now_ns: int, pixels_ms: float | None = None) -> None:
        self.lamps.show_moment(moment, pixels_ms)
        up = not moment.link_lost
        waiting = [row for row in ordered(moment.alerts) if not row.acked_by and row.priority != "none"] if up else []
        self._meant.show(waiting[0] if waiting else None, now_ns)
        link_sounds = moment.link == "lost" and moment.audio == ""
        self.acknowledge.setEnabled(bool(waiting) or link_sounds)
        what = subject_words(waiting[0].id) if waiting else "LINK LOST" if link_sounds else ""
        room = self.acknowledge.width() - round(30 * self._scale)
        what = self.acknowledge.fontMetrics().elidedText(what, Qt.TextElideMode.ElideRight, room)
        self.acknowledge.setText(f"Acknowledge\n{what}" if what else "Acknowledge")
        self.mute.setEnabled(up and _mutable(moment) is not None)
        until_ns = moment.alerts.health.audio_paused_until_ns if moment.alerts else None
        self.pause.setText("Pause audio" if until_ns is None else f"Audio off  {duration_words(until_ns - moment.t_ns)}")
        self.pause.setEnabled(up)
        self.mark.setEnabled(up)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.lamps.set_scale(scale)
        self.setFixedHeight(round(66 * scale))
        self.acknowledge.setFixedSize(round(230 * scale), round(50 * scale))
        for button in (self.mark, self.pause, self.mute):
            button.setMinimumHeight(round(42 * scale))

    def acknowledge_row(self, row: Alert | TechnicalAlarm) -> None:
        """Names the level that was seen: the core refuses the order if it has risen since."""
        self._order(Ack(epoch=self._board.moment().epoch, alert=row.id, level=row.level if isinstance(row, Alert) else None))

    def acknowledge_meant(self) -> None:
        """Answer the alert that was on top when the hand began to move."""
        row = self._meant.pick(self._board.clock())
        if self._board.moment().link == "lost":
            self._silence_link()
        elif row is not None:
            self.acknowledge_row(row)

    def mute_caution(self) -> None:
        row = _mutable(self._board.moment())
        if row is not None:
            self._order(Mute(structure=row.structure))

    def pause_audio(self) -> None:
        alerts = self._board.moment().alerts
        paused = alerts is not None and alerts.health.audio_paused_until_ns is not None
        self._order(AudioPause(seconds=0.0 if paused else AUDIO_PAUSE_S))

    def put_mark(self) -> None:
        self._marks += 1
        self._order(Mark(label=f"mark {self._marks}"))

    def _button(self, text: str, name: str, does: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(f"{does[0].upper()}{does[1:]} ({words_of(name)})")
        # No focus: Space must never press another button than the one it stands for.
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _checked: act())
        return button


def _mutable(moment: Moment) -> Alert | None:
    rows = [row for row in ordered(moment.alerts) if isinstance(row, Alert) and row.level == "CAUTION" and not row.silenced]
    return rows[0] if rows else None
