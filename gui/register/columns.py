"""The three columns of the place: how far it is, the picture with what to do now above it, and what can be pressed with what came of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.desktop.desk import Desk
from gui.link.board import Moment
from gui.link.freshness import freshness
from gui.register.bead import Mark
from gui.register.card import ResultView
from gui.register.check_list import CheckList
from gui.register.controls import Controls
from gui.register.landmark_list import LandmarkList
from gui.register.model import Course, Wishes, is_in_use, last_word, pointers, ring_words, sight
from gui.register.obstacle import Obstacle
from gui.register.rows import Touches, check_rows, landmark_rows, result_card
from gui.register.scene3d import OpenPicture, RegisterScene
from gui.register.sentence import Sentence
from gui.register.step_list import StepList
from navtwin.nouns import Setup
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene

#: Checks whose places are drawn in the picture.
DRAWN_CHECKS = 6
LEFT, RIGHT = 336, 312
WAYS_OUT = {"case": ("Go to Case", "Go to Case (1)"), "calibrate": ("Go to Calibrate", "Go to Calibrate (2)")}


class Columns(QWidget):
    """Shows; what is pressed is told by its parts."""

    def __init__(self, desk: Desk, open_picture: OpenPicture, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.steps, self.landmarks = StepList(), LandmarkList()
        self.controls, self.result, self.checks = Controls(), ResultView(), CheckList()
        self.scene3d = RegisterScene(desk, open_picture=open_picture)
        self.sentence, self.silent = Sentence(), QLabel()
        self.verified = QLabel()
        self.way_out = QPushButton()
        self._lay_out()

    def show_obstacle(self, scene: Scene | None, found: Obstacle) -> None:
        """Nothing can be done: why, and where it is mended. No number of the session is shown."""
        self.sentence.say(found.headline, found.detail)
        words, tip = WAYS_OUT.get(found.place, ("", ""))
        self.way_out.setText(words)
        self.way_out.setToolTip(tip)
        self.way_out.setVisible(bool(words))
        self.steps.show_steps(())
        self.landmarks.show_rows((), "")
        self.controls.setVisible(False)
        self.result.show_card(None)
        self.checks.show_rows(())
        theme.say(self.verified, "")
        self.scene3d.show_dwell(None, "", "")
        self.scene3d.show_result(None, None)
        self.scene3d.show_marks([Mark(n, m.position_mm, "todo", True, False) for n, m in enumerate(scene.landmarks, 1)] if scene else (), ())

    def show_course(self, scene: Scene, moment: Moment, setup: Setup, wishes: Wishes, found: Course, touches: Touches) -> None:
        """How far it is, what comes next, and what came of it so far."""
        rows = landmark_rows(scene, setup, wishes, found, touches)
        self.sentence.say(found.headline, found.detail)
        self.way_out.setVisible(False)
        self.steps.show_steps(found.steps)
        self.landmarks.show_rows(rows, wishes.landmark)
        self.controls.setVisible(True)
        self.controls.show_course(found)
        self.controls.show_pointers(pointers(self._desk.rig, setup), wishes.pointer)
        self.controls.show_method(wishes.method)
        self.controls.show_word(*last_word(moment, setup, found))
        self.controls.show_sight(*sight(moment, wishes.pointer))
        big, small, trouble = ring_words(scene, setup, found)
        self.scene3d.show_dwell(found.share, big, small, trouble=trouble, collecting=bool(found.touching))
        card = result_card(scene, moment, setup)
        self.result.show_card(card)
        self.checks.show_rows(check_rows(setup, moment.t_ns))
        words, due = freshness(moment)
        theme.say(self.verified, words[:1].upper() + words[1:], "warn" if due else "")
        # In the picture the worst is named only where something is wrong: one landmark always is the worst.
        doubted = card is not None and not card.accepted
        marks = [Mark(row.number, m.position_mm, row.state, row.wanted, row.worst and doubted) for row, m in zip(rows, scene.landmarks, strict=True)]
        self.scene3d.show_marks(marks, setup.checks[-DRAWN_CHECKS:])
        known = is_in_use(moment) or "registration" in setup.pending
        self.scene3d.show_result(setup.registration if known else None, _tip_of(moment, wishes.pointer))

    def show_silence(self, fault: str | None) -> None:
        """That a touch cannot be heard here, and why; None or "" where it can."""
        self.silent.setText("No sound here: watch the ring" if fault else "")
        self.silent.setToolTip(fault or "")
        self.silent.setVisible(bool(fault))

    def set_scale(self, scale: float) -> None:
        for part in (self.sentence, self.steps, self.landmarks, self.controls, self.result, self.checks, self.scene3d):
            part.set_scale(scale)
        self._left.setFixedWidth(round(LEFT * scale))
        self._right.setFixedWidth(round(RIGHT * scale))
        self.way_out.setMinimumHeight(round(40 * scale))

    def _lay_out(self) -> None:
        self.silent.setProperty("dim", True)
        self.verified.setWordWrap(True)
        self.silent.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.way_out.setProperty("primary", True)
        self._left, self._right = QFrame(), QFrame()
        left = QVBoxLayout(self._left)
        left.setContentsMargins(8, 8, 0, 8)
        left.addWidget(self.steps)
        left.addWidget(self.landmarks, 1)
        told = QVBoxLayout()
        told.setContentsMargins(0, 0, 0, 6)
        told.addWidget(self.sentence)
        told.addWidget(self.way_out, 0, Qt.AlignmentFlag.AlignLeft)
        middle = QVBoxLayout()
        middle.setContentsMargins(8, 12, 8, 8)
        middle.addLayout(told)
        middle.addWidget(self.scene3d, 1)
        inside = QWidget()
        below = QVBoxLayout(inside)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.verified)
        below.addWidget(self.checks)
        below.addWidget(self.result)
        below.addStretch()
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 8, 8, 8)
        right.addWidget(self.controls)
        right.addWidget(self.silent)
        right.addWidget(scroll, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._left)
        row.addLayout(middle, 1)
        row.addWidget(self._right)


def _tip_of(moment: Moment, tool: str) -> Vec3 | None:
    """Where a tool's tip is in ct, None where that is not known."""
    for instrument in moment.state.instruments if moment.state is not None else ():
        if instrument.instrument == tool and instrument.status == "OK" and instrument.pose is not None:
            return instrument.pose.t_mm
    return None
