"""A tip pivoted in the running session: what to do, how long still, and the core's verdict on it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.controls import dim, key_button, said, size
from gui.calibrate.gauges import Ring
from gui.calibrate.guidance import GUIDANCE
from gui.calibrate.pivoting import DURATIONS_S, USUAL_S, Pivoting, PivotView
from gui.calibrate.sketch import Sketch
from gui.calibrate.steps import Step
from gui.calibrate.verdict_card import listed, table
from gui.calibrate.words import mm_words, pivot_figures, sd_mm
from gui.desktop.desk import Desk
from navtwin.nouns import Order, PivotResult

#: The clock of a pivot under way is looked at this often, also while another place is in front.
TURN_MS = 50
#: The drawn tool goes round once in so long, s.
ROUND_S = 6.0


class PivotPage(QWidget):
    """One tool at a time; a pivot that was started goes on while another place is in front."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.pivoting = Pivoting("")
        self.view: PivotView | None = None
        self.sketch, self.ring = Sketch("pivot"), Ring()
        self.headline, self.detail, self.figures = QLabel(), QLabel(), QLabel()
        self.gate, self.answer = said(), said("news")
        self.during, self.duration = QLabel("for"), QComboBox()
        self.duration.addItems([f"{seconds} s" for seconds in DURATIONS_S])
        self.duration.setCurrentIndex(DURATIONS_S.index(USUAL_S))
        self.duration.setToolTip("How long poses are collected; longer and wider is better")
        self.start = key_button("Start", "Return", "Count in, collect poses, and have them judged", self._start, primary=True)
        self.finish = key_button("Finish", "F", "That is enough: have it judged", self._finish)
        self.cancel = key_button("Cancel", "Escape", "Forget what was collected", self.cancel_pivot)
        self.accept = key_button("Accept", "A", "Take the tip into use in this session", self._accept, primary=True)
        self.changed = QCheckBox("The tool was exchanged or bent: its tip lies elsewhere than the one known")
        self.changed.setToolTip("Without it the core asks whether this is the right tool")
        self.changed.hide()
        self.reject = key_button("Reject", "X", "Drop the result", lambda: desk.order(self.pivoting.reject()))
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self._build()

    @property
    def buttons(self) -> list[QPushButton]:
        return [self.start, self.finish, self.cancel, self.accept, self.reject]

    def show_step(self, step: Step) -> None:
        """Take up a tool; one whose pivot is under way is not left for another."""
        if step.subject != self.pivoting.tool and not self.pivoting.under_way:
            self.pivoting = Pivoting(step.subject)
            self.view = None

    def show_now(self, now_ns: int) -> None:
        """What the core and the clock say now."""
        view = self.pivoting.view(self._desk.board.moment(), now_ns)
        if view.phase in ("counting in", "collecting"):
            self.sketch.turn(now_ns / 1e9 / ROUND_S)
        if view == self.view:
            return
        self.view = view
        self._say(self.headline, view.headline, "bad" if view.bad else "good" if view.phase == "deciding" else "")
        self.detail.setText(view.detail)
        self.detail.setVisible(bool(view.detail))
        self._show_ring(view)
        self._show_result(view.result)
        setup = self._desk.board.moment().setup
        self.changed.setVisible("accept" in view.may and setup is not None and self.pivoting.tool in setup.other_tips)
        shown = {"start": self.start, "finish": self.finish, "cancel": self.cancel, "accept": self.accept, "reject": self.reject}
        for name, button in shown.items():
            button.setVisible(name in view.may)
        self.start.setText("Start again" if view.phase in ("deciding", "in use") else "Start")
        theme.set_primary(self.start, primary="accept" not in view.may)
        for part in (self.during, self.duration):
            part.setVisible("start" in view.may)

    def cancel_pivot(self) -> None:
        """Forget a pivot that is under way."""
        self._send(self.pivoting.cancel())
        self._timer.stop()
        self.show_now(self._desk.clock())

    def set_scale(self, scale: float) -> None:
        size(self.headline, 24 * scale, 700)
        size(self.detail, 16 * scale, 400)
        self.sketch.set_scale(1.3 * scale)
        self.ring.set_scale(1.3 * scale)
        self.ring.setFixedWidth(round(190 * scale))
        for button in self.buttons:
            button.setMinimumHeight(round(42 * scale))
            button.setMinimumWidth(round(104 * scale))

    def release(self) -> None:
        """The window closes: a collection that nobody would end is given up."""
        self._timer.stop()
        if self.pivoting.collecting:
            self._send(self.pivoting.cancel())

    def _build(self) -> None:
        for label in (self.headline, self.detail, self.figures):
            label.setWordWrap(True)
        self.figures.setTextFormat(Qt.TextFormat.RichText)
        self.guide = QLabel(GUIDANCE["pivot"])
        self.guide.setWordWrap(True)
        drawn = QVBoxLayout()
        drawn.addWidget(self.sketch)
        drawn.addWidget(self.ring, 0, Qt.AlignmentFlag.AlignHCenter)
        drawn.addStretch()
        card = QFrame()
        card.setProperty("card", True)
        inside = QVBoxLayout(card)
        for part in (self.gate, self.figures, self.guide):
            inside.addWidget(part)
        inside.addWidget(dim("An accepted tip holds for this session. To keep it in rig.toml, calibrate from its recording, or from the camera."))
        words = QVBoxLayout()
        for widget in (self.headline, self.detail, card):
            words.addWidget(widget)
        words.addStretch()
        top = QHBoxLayout()
        top.setSpacing(22)
        top.addLayout(drawn)
        top.addLayout(words, 1)
        line = QHBoxLayout()
        for button in (self.start, self.finish, self.cancel):
            line.addWidget(button)
        line.addWidget(self.during)
        line.addWidget(self.duration)
        line.addStretch()
        for button in (self.reject, self.accept):
            line.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top, 1)
        column.addWidget(self.changed)
        column.addWidget(self.answer)
        column.addLayout(line)

    def _show_ring(self, view: PivotView) -> None:
        if view.seconds_left is not None:
            # Counting in ends with 1, collecting with 0 s.
            left = f"{view.seconds_left:.0f} s" if view.phase == "collecting" else f"{int(view.seconds_left) + 1}"
            self.ring.show_share(view.share, left, "get ready" if view.phase == "counting in" else f"{view.samples} poses")
        elif view.result is not None:
            self.ring.show_share(0.0, mm_words(sd_mm(view.result.covariance)), "mm (sd)")
        else:
            self.ring.show_share(view.share or 0.0, f"{view.samples}" if view.samples else "—", "poses")

    def _show_result(self, result: PivotResult | None) -> None:
        self.figures.setText(table(pivot_figures(result)) if result is not None else "")
        self.figures.setVisible(result is not None)
        self.guide.setVisible(result is None)
        theme.say(self.gate, listed(result.reasons) if result is not None and not result.accepted else "", "bad")

    def _start(self) -> None:
        self.pivoting.seconds = float(DURATIONS_S[self.duration.currentIndex()])
        self.pivoting.start(self._desk.clock())
        theme.say(self.answer, "")
        self._timer.start(TURN_MS)
        self.show_now(self._desk.clock())

    def _accept(self) -> None:
        self._desk.order(self.pivoting.accept(changed=self.changed.isVisible() and self.changed.isChecked()))
        self.changed.setChecked(False)

    def _finish(self) -> None:
        self._send(self.pivoting.finish(self._desk.clock()))
        self.show_now(self._desk.clock())

    def _turn(self) -> None:
        now_ns = self._desk.clock()
        self._send(self.pivoting.turn(self._desk.board.moment(), now_ns))
        self._show_refusal()
        if self.isVisible():
            self.show_now(now_ns)
        if not self.pivoting.under_way:
            self._timer.stop()

    def _show_refusal(self) -> None:
        """What the core answered to the last order, where it was not done."""
        words = self._desk.board.words
        if words and not words[-1].good and words[-1].at_ns >= self._desk.clock() - ROUND_S * 1e9:
            theme.say(self.answer, words[-1].text, "bad")

    def _send(self, order: Order | None) -> None:
        if order is not None:
            self._desk.order(order)

    def _say(self, label: QLabel, words: str, tone: str) -> None:
        label.setText(words[:1].upper() + words[1:])
        theme.set_tone(label, tone)
