"""The place where the patient is registered, and the registration is checked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui.desktop.desk import Desk
from gui.link.board import MS, Moment
from gui.picture.view3d import open_view
from gui.register.bead import Mark
from gui.register.card import ResultView
from gui.register.check_list import CheckList
from gui.register.controls import KEYS, Controls
from gui.register.heard import cue_between
from gui.register.landmark_list import LandmarkList
from gui.register.model import Action, Course, Method, Wishes, course, is_in_use, number_of, order_of, pointers
from gui.register.obstacle import Obstacle, obstacle
from gui.register.rows import Touches, check_rows, landmark_rows, result_card
from gui.register.scene3d import OpenPicture, RegisterScene
from gui.register.sentence import Sentence
from gui.register.step_list import StepList
from navtwin.bus.words import order_words
from navtwin.nouns import Accept, Order, Reject, Setup, Undo
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene
from navtwin.sound.cues import Cues

#: What became of an order is shown for so long.
ANSWER_LASTS_NS = 8_000 * MS
#: Checks whose places are drawn in the picture.
DRAWN_CHECKS = 6
LEFT, RIGHT = 336, 312


class RegisterPlace(QWidget):
    """Landmarks, sweep, verdict, and checks afterwards.

    Parameters
    ----------
    open_picture : makes the view (a test may give another)
    cues : plays the sounds of a touch (a test may give others)
    """

    def __init__(self, desk: Desk, parent: QWidget | None = None, *, open_picture: OpenPicture = open_view, cues: Cues | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._cues = cues or Cues()
        self.wishes = Wishes()
        self.course: Course | None = None
        self.obstacle: Obstacle | None = None
        self._touches = Touches()
        self._setup: Setup | None = None
        self._epoch = ""
        self._last: tuple[Order, int] | None = None
        self._in_front = False
        self.steps, self.landmarks = StepList(), LandmarkList()
        self.controls, self.result, self.checks = Controls(), ResultView(), CheckList()
        self.scene3d = RegisterScene(desk, open_picture=open_picture)
        self.sentence, self.silent = Sentence(), QLabel()
        self.way_out = QPushButton()
        self._lay_out()
        self._connect()
        self._case_changed()

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        scene, setup = self._desk.scene, moment.setup
        if moment.epoch != self._epoch:
            self._epoch, self._setup, self._touches, self._last = moment.epoch, None, Touches(), None
            self._wish(landmark="", without=frozenset())
        self.obstacle = obstacle(scene, moment, opening=self._desk.opening)
        self._choose_pointer(setup)
        if self.obstacle is not None or scene is None or setup is None:
            self._show_obstacle(scene, self.obstacle or Obstacle("", ""))
        else:
            self._hear(setup)
            self._show_course(scene, moment, setup)
        self.scene3d.show_moment(moment, now_ns)
        self._show_answer(now_ns)
        fault = self._cues.fault
        self.silent.setText("No sound here: watch the ring" if fault else "")
        self.silent.setToolTip(fault or "")
        self.silent.setVisible(bool(fault))

    def ask(self, action: Action) -> None:
        """Do what a button or a key asks for, where it can be done now."""
        setup = self._desk.board.moment().setup
        if action == "calibrate":
            self._desk.place_wanted.emit("calibrate")
        elif self.course is not None and setup is not None and action in self.course.can:
            simple: dict[Action, Order] = {"undo": Undo(), "accept": Accept(result="registration"), "reject": Reject(result="registration")}
            order = simple.get(action) or order_of(action, self.course, setup, self.wishes)
            if order is not None:
                self._last = (order, self._desk.clock())
                self._desk.order(order)
                # What was chosen by hand has been touched: what is next is next again.
                if action == "touch":
                    self._wish(landmark="")

    def choose(self, landmark: str) -> None:
        """Take a landmark as the one to touch or check; the same one again takes none."""
        self._wish(landmark="" if landmark == self.wishes.landmark else landmark)
        self._refresh()

    def use(self, landmark: str, on: bool) -> None:
        """Use a landmark in the next registration, or leave it out."""
        self._wish(without=self.wishes.without - {landmark} if on else self.wishes.without | {landmark})
        self._refresh()

    def set_scale(self, scale: float) -> None:
        for part in (self.sentence, self.steps, self.landmarks, self.controls, self.result, self.checks, self.scene3d):
            part.set_scale(scale)
        self._left.setFixedWidth(round(LEFT * scale))
        self._right.setFixedWidth(round(RIGHT * scale))
        self.way_out.setMinimumHeight(round(40 * scale))

    def entered(self) -> None:
        self._in_front = True
        self.scene3d.start()
        self._cues.start()

    def left(self) -> None:
        self._in_front = False
        self._cues.stop()

    def release(self) -> None:
        self._cues.stop()
        self.scene3d.release()

    def _show_obstacle(self, scene: Scene | None, found: Obstacle) -> None:
        self.course = None
        self._setup = None
        self.sentence.say(found.headline, found.detail)
        self.way_out.setText({"case": "Go to Case", "calibrate": "Go to Calibrate"}.get(found.place, ""))
        self.way_out.setToolTip({"case": "Go to Case (1)", "calibrate": "Go to Calibrate (2)"}.get(found.place, ""))
        self.way_out.setVisible(bool(found.place))
        self.steps.show_steps(())
        self.landmarks.show_rows((), "")
        self.controls.setVisible(False)
        self.result.show_card(None)
        self.checks.show_rows(())
        self.scene3d.show_result(None, None)
        self.scene3d.show_marks([Mark(n, m.position_mm, "todo", True, False) for n, m in enumerate(scene.landmarks, 1)] if scene else (), ())

    def _show_course(self, scene: Scene, moment: Moment, setup: Setup) -> None:
        found = self.course = course(scene, moment, setup, self.wishes)
        self._touches.take(setup)
        rows = landmark_rows(scene, setup, self.wishes, found, self._touches)
        self.sentence.say(found.headline, found.detail)
        self.way_out.setVisible(False)
        self.steps.show_steps(found.steps)
        self.landmarks.show_rows(rows, self.wishes.landmark)
        self.controls.setVisible(True)
        self.controls.show_course(found)
        self.controls.show_pointers(pointers(self._desk.rig, setup), self.wishes.pointer)
        self.controls.show_method(self.wishes.method)
        self._show_ring(scene, setup, found)
        self.result.show_card(result_card(scene, moment, setup))
        self.checks.show_rows(check_rows(setup, moment.t_ns))
        marks = [Mark(row.number, m.position_mm, row.state, row.wanted, row.worst) for row, m in zip(rows, scene.landmarks, strict=True)]
        self.scene3d.show_marks(marks, setup.checks[-DRAWN_CHECKS:])
        known = is_in_use(moment) or "registration" in setup.pending
        self.scene3d.show_result(setup.registration if known else None, _tip_of(moment, self.wishes.pointer))

    def _show_ring(self, scene: Scene, setup: Setup, found: Course) -> None:
        number = number_of(scene, found.target)
        big = str(number) if number else "bone" if found.touching == "check" else ""
        if found.touching in ("landmark", "check"):
            trouble = bool(setup.message) and not found.share
            words = "hold still" if not trouble else setup.message.partition(": ")[2].partition(";")[0] or setup.message
            self.controls.ring.show_dwell(found.share, big, words, trouble=trouble)
        elif found.touching == "sweep":
            self.controls.ring.show_dwell(None, str(setup.samples), "points, sweeping")
        else:
            self.controls.ring.show_dwell(None, big, "is next" if big else "")

    def _show_answer(self, now_ns: int) -> None:
        """A refusal of what was asked for here is said here."""
        words = ""
        if self._last is not None and now_ns - self._last[1] < ANSWER_LASTS_NS:
            order, at_ns = self._last
            mine = [w for w in self._desk.board.words if w.at_ns >= at_ns and order_words(order) in w.text]
            words = mine[-1].text if mine and not mine[-1].good else ""
        if words and words != self.controls.answer.text():
            self._cues.play("refused")
        self.controls.show_answer(words[:1].upper() + words[1:])

    def _hear(self, setup: Setup) -> None:
        if setup is self._setup:
            return
        cue = cue_between(self._setup, setup)
        self._setup = setup
        if cue is not None:
            self._cues.play(cue)

    def _choose_pointer(self, setup: Setup | None) -> None:
        names = pointers(self._desk.rig, setup)
        if self.wishes.pointer not in names:
            self._wish(pointer=names[0] if names else "")

    def _step_choice(self, by: int) -> None:
        """The next or the one before in the list."""
        names = [m.name for m in self._desk.scene.landmarks] if self._desk.scene else []
        if names:
            at = names.index(self.wishes.landmark) if self.wishes.landmark in names else -1 if by > 0 else 0
            self._wish(landmark=names[(at + by) % len(names)])
            self._refresh()

    def _leave_out_chosen(self) -> None:
        if self.wishes.landmark:
            self.use(self.wishes.landmark, self.wishes.landmark in self.wishes.without)

    def _set_method(self, method: str) -> None:
        self._wish(method=cast(Method, method))
        self._refresh()

    def _turn_method(self) -> None:
        self._set_method("landmarks" if self.wishes.method == "landmarks+surface" else "landmarks+surface")

    def _wish(self, **changes: Any) -> None:
        self.wishes = replace(self.wishes, **changes)

    def _refresh(self) -> None:
        if self._in_front:
            self.show_moment(self._desk.board.moment(), self._desk.clock())

    def _go_where_it_is_mended(self) -> None:
        if self.obstacle is not None and self.obstacle.place:
            self._desk.place_wanted.emit(self.obstacle.place)

    def _case_changed(self) -> None:
        self._wish(landmark="", without=frozenset())
        self.scene3d.set_scene(self._desk.scene)
        self._refresh()

    def _rig_changed(self) -> None:
        self.scene3d.set_rig()
        self._refresh()

    def _lay_out(self) -> None:
        self.silent.setProperty("dim", True)
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

    def _connect(self) -> None:
        self._desk.case_changed.connect(self._case_changed)
        self._desk.rig_changed.connect(self._rig_changed)
        self.way_out.clicked.connect(self._go_where_it_is_mended)
        self.landmarks.chosen.connect(self.choose)
        self.landmarks.wanted.connect(self.use)
        self.controls.asked.connect(self.ask)
        self.controls.pointer_chosen.connect(lambda name: self._wish(pointer=name))
        self.controls.method_chosen.connect(self._set_method)
        self.controls.dwell_chosen.connect(lambda seconds: self._wish(dwell_s=seconds))
        turns = {
            "G": self.scene3d.map.toggle, "H": self.scene3d.home, "Y": self._turn_method, "L": self._leave_out_chosen,
            "Down": partial(self._step_choice, 1), "Up": partial(self._step_choice, -1),
            **{key: partial(self.ask, action) for action, keys in KEYS.items() for key in keys},
        }  # fmt: skip
        for key, act in turns.items():
            # They hold while this is in front, wherever the focus is, and in no other place.
            QShortcut(QKeySequence(key), self).activated.connect(act)


def _tip_of(moment: Moment, tool: str) -> Vec3 | None:
    """Where a tool's tip is in ct, None where that is not known."""
    for instrument in moment.state.instruments if moment.state is not None else ():
        if instrument.instrument == tool and instrument.status == "OK" and instrument.pose is not None:
            return instrument.pose.t_mm
    return None
