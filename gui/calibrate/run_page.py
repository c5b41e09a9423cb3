"""A step that a command takes: asked before, watched while it goes on, and decided at its end."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.controls import key_button, said, show_if, size
from gui.calibrate.course import SOUGHT, Course
from gui.calibrate.film import Film, queued
from gui.calibrate.forms import arguments
from gui.calibrate.live_view import LiveView
from gui.calibrate.prepare import Prepare
from gui.calibrate.session_words import running_source
from gui.calibrate.source_field import Devices
from gui.calibrate.sources import is_device
from gui.calibrate.steps import Step, StepKind
from gui.desktop.desk import Desk
from gui.desktop.jobs import CommandJob, ThreadJob
from navtwin.bus.words import name_words
from navtwin.errors import InputRefused

#: A child that was told to leave has this long, ms; then it is ended.
LEAVING_MS = 3000


class RunPage(QWidget):
    """All steps of one kind, one at a time.

    Signals
    -------
    finished : a calibration has ended; what it left in the rig and beside it may be new
    onward : on to what is to be done next
    """

    finished = Signal()
    onward = Signal()

    def __init__(self, desk: Desk, kind: StepKind, devices: Devices) -> None:
        super().__init__()
        self.kind, self._desk = kind, desk
        self.step: Step | None = None
        self.course = Course()
        self._job: CommandJob | None = None
        self._film: Film | None = None
        self._reading: ThreadJob | None = None
        self._running_step = self._running_key = ""
        self.title, self.state, self.refusal = QLabel(), said(), said("bad")
        self.prepare = Prepare(kind, devices, lambda: theme.say(self.refusal, ""), self._show_clock)
        self.live = LiveView()
        self.stack = QStackedWidget()
        for view in (self.prepare, self.live):
            self.stack.addWidget(view)
        self.start = key_button("Start", "Return", "Start", self._start, primary=True)
        self.finish = key_button("Finish", "F", "That is enough: compute the result", partial(self._order, "finish"))
        self.cancel = key_button("Cancel", "Escape", "Leave it; nothing is stored", self._cancel)
        self.accept = key_button("Accept", "A", "Store the result in rig.toml", partial(self._order, "accept"), primary=True)
        self.reject = key_button("Reject", "X", "Drop the result; rig.toml stays as it is", partial(self._order, "reject"))
        self.again = key_button("Back", "Backspace", "Back to what is asked", self._back)
        self.next = key_button("Next step", "N", "On to what is to be done next", self.onward.emit, primary=True)
        self.larger = key_button("Larger picture", "Z", "Give the evidence all the room, or the verdict its own again", self._turn_larger)
        self._build()

    @property
    def buttons(self) -> list[QPushButton]:
        return [self.start, self.finish, self.cancel, self.accept, self.reject, self.again, self.larger, self.next, *self.prepare.buttons]

    @property
    def running(self) -> bool:
        """Whether a calibration is under way here."""
        return self.course.running

    def show_step(self, step: Step, blocked: str) -> None:
        """Show a step, and why it cannot be started now ("" where it can)."""
        changed = self.step is None or self.step.key != step.key
        self.step = step
        if changed and not self.running:
            self.course = Course()
            self.stack.setCurrentWidget(self.prepare)
            theme.say(self.refusal, "")
        self.title.setText(step.title)
        tone = {"done": "good", "doubtful": "warn", "ask": "warn", "waiting": "warn"}.get(step.state, "news")
        words = (
            f"{name_words(self._running_step)} is being calibrated" if self.running and self._running_step != step.subject else blocked or step.why
        )
        theme.say(self.state, words[:1].upper() + words[1:], "warn" if blocked else tone)
        self.prepare.show_step(step, self._desk.rig)
        self._blocked = blocked
        self._show_buttons()

    def show_now(self, now_ns: int) -> None:
        """Words that depend on the time."""
        if self.course.phase != "idle":
            self.live.show_course(self.course, now_ns)
        self._show_buttons()

    def set_scale(self, scale: float) -> None:
        size(self.title, 20 * scale)
        for button in self.buttons:
            button.setMinimumHeight(round(42 * scale))
            button.setMinimumWidth(round(104 * scale))
        self.prepare.set_scale(scale)
        self.live.set_scale(scale)

    def release(self) -> None:
        """The window closes. The child is ended by whoever runs it."""
        self._stop_film()

    def _build(self) -> None:
        self._blocked = ""
        line = QHBoxLayout()
        for button in (self.start, self.finish, self.cancel, self.again):
            line.addWidget(button)
        line.addStretch()
        line.addWidget(self.larger)
        for button in (self.reject, self.accept, self.next):
            line.addWidget(button)
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.title)
        head.addSpacing(12)
        head.addWidget(self.state, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._head)
        column.addWidget(self.stack, 1)
        column.addWidget(self.refusal)
        column.addLayout(line)

    def _start(self) -> None:
        step, desk = self.step, self._desk
        try:
            if step is None or desk.rig is None or desk.rig_path is None:
                raise InputRefused("there is no rig", "make or open one in the first step")
            form = self.prepare.form()
            own = desk.session
            running = running_source(desk.board.moment(), own.source if own is not None and own.running else "")
            if is_device(form.source) and is_device(running):
                raise InputRefused("the running session holds the camera", "end it first (E), or use a film or recording")
            given = arguments(self.kind, step.subject, form, desk.rig, desk.rig_path)
        except InputRefused as error:
            theme.say(self.refusal, str(error), "bad")
            return
        theme.say(self.refusal, "")
        self.prepare.remember(form)
        live = is_device(form.source)
        self._running_step, self._running_key = step.subject or step.title, step.key
        self.course = Course.begun(SOUGHT.get(self.kind, name_words(self._running_step)), live=live, now_ns=desk.clock())
        self.live.begin()
        self.stack.setCurrentWidget(self.live)
        self._job = desk.command(f"calibrating: {step.title}", given, self._ended, shown=False)
        self._job.line.connect(self._take_line)
        self.show_now(desk.clock())

    def _take_line(self, line: str) -> None:
        before = self.course.verdict
        self.course.take_line(line)
        progress = self.course.progress
        if progress is not None and progress.video_port and self._film is None and self.course.running:
            self._film = Film(progress.video_port, self)
            queued(self._film, self._take_pictures, lambda words: theme.say(self.refusal, words, "bad"))
        if self.course.verdict is not None and before is None:
            self._show_evidence(self.course.verdict.picture)
        self.show_now(self._desk.clock())

    def _take_pictures(self) -> None:
        if self._film is None:
            return
        shots = self._film.take()
        for shot in shots:
            self.course.saw(shot.found, self._desk.clock())
        if self.course.phase in ("opening", "collecting"):
            self.live.show_shots(shots)

    def _order(self, order: str) -> None:
        if self._job is not None and self._job.running:
            self._job.write(order)
            self.course.asked(order)
            self.show_now(self._desk.clock())

    def _cancel(self) -> None:
        job = self._job
        self._order("cancel")
        if job is not None:
            QTimer.singleShot(LEAVING_MS, self, lambda: job.cancel() if job.running else None)

    def _back(self) -> None:
        self.course = Course()
        self.stack.setCurrentWidget(self.prepare)
        self._show_buttons()

    def _ended(self, words: str) -> None:
        self.course.child_ended(words)
        self._stop_film()
        stored = self.course.ended is not None and self.course.ended.stored
        if stored and self._desk.rig_path is not None:
            try:
                self._desk.open_rig(self._desk.rig_path)
            except InputRefused as error:
                theme.say(self.refusal, str(error), "bad")
        if self.course.never_began:
            # What is wrong is among the answers: they are shown again, with the reason.
            told, bad = self.course.advice(self._desk.clock())
            self._back()
            theme.say(self.refusal, told[:1].upper() + told[1:], "bad" if bad else "news")
        self.show_now(self._desk.clock())
        self.finished.emit()

    def _stop_film(self) -> None:
        if self._film is not None:
            self._film.stop()
            self._film = None

    def _show_evidence(self, path: str) -> None:
        if path:
            self._reading = ThreadJob("reading the evidence", lambda _report: QImage(path), self)
            self._reading.ended.connect(lambda image, _words: self.live.picture.show_evidence(image) if image and not image.isNull() else None)

    def _turn_larger(self) -> None:
        self.live.turn_larger()
        self._show_buttons()

    def _show_clock(self) -> None:
        self._desk.command("the clock", ["clock"])

    def _show_buttons(self) -> None:
        may, phase = self.course.may, self.course.phase
        before, over = phase == "idle", phase == "over"
        stored = over and self.course.ended is not None and self.course.ended.stored
        for name, button in (("finish", self.finish), ("cancel", self.cancel), ("accept", self.accept), ("reject", self.reject)):
            deciding = name in ("accept", "reject")
            show_if(button, visible=self.running and deciding == (phase == "deciding"))
            button.setEnabled(name in may)
        show_if(self.start, visible=before or over)
        self.start.setText("Start" if before else "Start again")
        self.start.setEnabled(not self._blocked)
        show_if(self.again, visible=over)
        show_if(self.next, visible=stored)
        show_if(self.larger, visible=self.live.picture.evidence is not None and not before)
        self.larger.setText("Verdict" if self.live.verdict.isHidden() else "Larger picture")
        theme.set_primary(self.start, primary=self.step is not None and self.step.state in ("todo", "doubtful") and not stored)
        theme.set_primary(self.finish, primary=self.course.share is not None and self.course.share >= 1.0)
        # While it runs the advice stands in the head's place.
        show_if(self._head, visible=before or (self.running and self.step is not None and self._running_key != self.step.key))
