"""A tool's tip, by either way: pivoted in the running session, or from a camera or recording by a command that stores it in the rig."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui.calibrate.controls import key_button, show_if
from gui.calibrate.pivot_page import PivotPage
from gui.calibrate.run_page import RunPage
from gui.calibrate.session_words import recording_of
from gui.calibrate.source_field import Devices
from gui.calibrate.steps import Known, Step
from gui.desktop.desk import Desk


class TipPage(QWidget):
    """Two pages for one step. The session's is in front while a session runs, until another is chosen."""

    finished = Signal()
    onward = Signal()

    def __init__(self, desk: Desk, devices: Devices) -> None:
        super().__init__()
        self._desk = desk
        self.session, self.command = PivotPage(desk), RunPage(desk, "pivot", devices)
        self.command.finished.connect(self.finished)
        self.command.onward.connect(self.onward)
        self._chosen: bool | None = None
        self.by_session = key_button("In the running session", "G", "Pivot it in the running session", lambda: self._choose(True))
        self.by_command = key_button(
            "From camera or recording", "C", "Pivot it before a camera, or from a recording; stored in the rig", lambda: self._choose(False)
        )
        self.stack = QStackedWidget()
        for page in (self.session, self.command):
            self.stack.addWidget(page)
        for button in (self.by_session, self.by_command):
            button.setCheckable(True)
            button.setProperty("flat", True)
        line = QHBoxLayout()
        for button in (self.by_session, self.by_command):
            line.addWidget(button)
        line.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(line)
        column.addWidget(self.stack, 1)

    @property
    def buttons(self) -> list[QPushButton]:
        return [self.by_session, self.by_command, *(self.session.buttons if self.in_session else self.command.buttons)]

    @property
    def in_session(self) -> bool:
        """Whether the session's page is in front."""
        return self.stack.currentWidget() is self.session

    @property
    def running(self) -> bool:
        """Whether a command is under way."""
        return self.command.running

    def show_step(self, step: Step, blocked: str) -> None:
        own = self._desk.session
        self.command.prepare.offer_recording("" if own is None or own.running else recording_of(own.lines))
        self.session.show_step(step)
        self.command.show_step(step, blocked)

    def show_now(self, now_ns: int) -> None:
        wanted = self._session_first() if self._chosen is None else self._chosen
        if self.session.pivoting.under_way:
            wanted = True
        elif self.command.running:
            wanted = False
        self.stack.setCurrentWidget(self.session if wanted else self.command)
        for button in (self.by_session, self.by_command):
            show_if(button, visible=not self.command.running)
        self.by_session.setChecked(wanted)
        self.by_command.setChecked(not wanted)
        (self.session if wanted else self.command).show_now(now_ns)

    def set_scale(self, scale: float) -> None:
        self.session.set_scale(scale)
        self.command.set_scale(scale)
        for button in (self.by_session, self.by_command):
            button.setMinimumHeight(round(34 * scale))

    def release(self) -> None:
        self.session.release()
        self.command.release()

    def _session_first(self) -> bool:
        """Where no camera is needed a session is the usual way, whether it runs yet or not."""
        return not self._desk.board.moment().link_lost or not Known(self._desk.rig).by_camera

    def _choose(self, session: bool) -> None:
        self._chosen = session
        self.show_now(self._desk.clock())
