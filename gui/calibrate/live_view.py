"""A calibration under way: the live picture, the advice in large letters, and beside it how far it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.controls import size
from gui.calibrate.course import Course
from gui.calibrate.figures import figure_rows
from gui.calibrate.film import Shot
from gui.calibrate.gauges import Goals, Ring, TiltMap
from gui.calibrate.picture import LivePicture
from gui.calibrate.regions import wanted_region
from gui.calibrate.verdict_card import VerdictCard, table

PANEL_WIDTH, VERDICT_WIDTH = 248, 380


class LiveView(QWidget):
    """What is shown from Start to the end. `picture` keeps the live picture, and later the evidence."""

    def __init__(self) -> None:
        super().__init__()
        self.picture, self.ring, self.goals, self.tilts = LivePicture(), Ring(), Goals(), TiltMap()
        self.advice, self.figures, self.verdict = QLabel(), QLabel(), VerdictCard()
        self.advice.setWordWrap(True)
        self.advice.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self._said: tuple[str, bool] = ("", False)
        inside, self._panel = QWidget(), QScrollArea()
        self._panel.setWidget(inside)
        self._panel.setWidgetResizable(True)
        self._panel.setFrameShape(QFrame.Shape.NoFrame)
        self._panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(7)
        for widget in (self.ring, self.goals, self.tilts, self.figures):
            column.addWidget(widget)
        column.addStretch()
        across = QHBoxLayout()
        across.setSpacing(14)
        across.addWidget(self.picture, 1)
        across.addWidget(self._panel)
        across.addWidget(self.verdict)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addWidget(self.advice)
        whole.addLayout(across, 1)
        self.verdict.hide()

    def begin(self) -> None:
        """Forget what the last calibration showed."""
        self.picture.clear("waiting for a picture")
        self.verdict.hide()
        self._panel.show()
        self._said = ("", False)

    def show_shots(self, shots: list[Shot]) -> None:
        self.picture.show_shots(shots)

    def show_course(self, course: Course, now_ns: int) -> None:
        """Words, gauges and verdict as they are now."""
        words, bad = course.advice(now_ns)
        self._say(words, bad)
        self._show_picture(course, now_ns, words)
        count, wanted = course.count
        share = course.share
        big = f"{count}" if share is None else f"{100 * share:.0f} %"
        self.ring.show_share(
            share, big, course.unit if share is None else f"{count} of {wanted}\n{course.unit}" if wanted else f"{count}\n{course.unit}"
        )
        self.goals.show_goals(course.goals)
        self.tilts.show_coverage(course.coverage)
        self.picture.show_coverage(course.coverage)
        what = course.progress.what if course.progress is not None else "look"
        self._put(self.figures, table(figure_rows(what, course.figures)) if course.verdict is None else "")
        if course.verdict is not None and not self._panel.isHidden():
            self.verdict.show_verdict(course.verdict)
            self.verdict.show()
            self._panel.hide()

    def turn_larger(self) -> None:
        """Give the evidence all the room, or the verdict its own again."""
        self.verdict.setVisible(self.verdict.isHidden())

    def set_scale(self, scale: float) -> None:
        size(self.advice, 24 * scale, 700)
        self.advice.setMinimumHeight(round(58 * scale))
        self._panel.setFixedWidth(round(PANEL_WIDTH * scale))
        self.verdict.setFixedWidth(round(VERDICT_WIDTH * scale))
        for part in (self.picture, self.ring, self.goals, self.tilts):
            part.set_scale(scale)

    def _show_picture(self, course: Course, now_ns: int, words: str) -> None:
        missing = tuple(name for c in course.coverage for name in c.missing)
        wanted = wanted_region(words, missing) if course.phase == "collecting" else ""
        if not self.picture.shots:
            # A recording that is read flat out may have ended before the first picture could be fetched.
            self.picture.show_state("" if course.phase in ("computing", "deciding") else self._waiting(course), late=False, wanted="")
            return
        late = course.live and course.phase == "collecting" and course.picture_is_late(now_ns)
        still = course.phase in ("computing", "deciding", "leaving", "over")
        self.picture.show_state("NOT LIVE: the last picture that came" if late else "", late=late or still, wanted=wanted)

    def _waiting(self, course: Course) -> str:
        return "no picture" if course.phase == "over" else "waiting for a picture"

    def _say(self, words: str, bad: bool) -> None:
        if (words, bad) == self._said:
            return
        self._said = (words, bad)
        self.advice.setText(words[:1].upper() + words[1:])
        self.advice.setAccessibleName(words)
        theme.set_tone(self.advice, "bad" if bad else "")

    def _put(self, label: QLabel, text: str) -> None:
        if label.text() != text:
            label.setText(text)
