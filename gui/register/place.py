"""The place where the patient is registered, and the registration is checked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui.desktop.desk import Desk
from gui.link.board import MS, Moment
from gui.picture.view3d import open_view
from gui.register.columns import Columns
from gui.register.controls import KEYS
from gui.register.heard import cue_between
from gui.register.model import Action, Course, Method, Wishes, course, order_of, pointers
from gui.register.obstacle import Obstacle, obstacle
from gui.register.rows import Touches
from gui.register.scene3d import OpenPicture
from navtwin.bus.words import order_words
from navtwin.nouns import Accept, Order, Reject, Setup, Undo
from navtwin.sound.cues import Cues

#: What became of an order is shown for so long.
ANSWER_LASTS_NS = 8_000 * MS


class RegisterPlace(QWidget):
    """Landmarks, sweep, verdict, and checks afterwards.

    Parameters
    ----------
    open_picture : makes the view (a test may give another)
    cues : plays the sounds of a touch (a test may give others)
    """

    #: What was touched is the core's, and stays there.
    unsaved = ""

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
        self.columns = Columns(desk, open_picture)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.columns)
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
            self.course, self._setup = None, None
            self.columns.show_obstacle(scene, self.obstacle or Obstacle("", ""))
            # No instrument is drawn where it is not certain that this is its anatomy.
            moment = replace(moment, state=None)
        else:
            self._hear(setup)
            self._touches.take(setup)
            self.course = course(scene, moment, setup, self.wishes)
            self.columns.show_course(scene, moment, setup, self.wishes, self.course, self._touches)
        self.columns.scene3d.show_moment(moment, now_ns)
        self._show_answer(now_ns)
        self.columns.show_silence(self._cues.fault)

    def ask(self, action: Action) -> None:
        """Do what a button or a key asks for, where it can be done now."""
        setup = self._desk.board.moment().setup
        if action == "calibrate":
            self._desk.place_wanted.emit("calibrate")
        elif self.course is not None and setup is not None and action in self.course.can:
            simple: dict[Action, Order] = {
                "undo": Undo(),
                "accept": Accept(result="registration", level=self.columns.result.chosen_level),
                "reject": Reject(result="registration"),
            }
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
        self.columns.set_scale(scale)

    def entered(self) -> None:
        self._in_front = True
        self.columns.scene3d.start()
        self._cues.start()

    def left(self) -> None:
        self._in_front = False
        self._cues.stop()

    def release(self) -> None:
        self._cues.stop()
        self.columns.scene3d.release()

    def _show_answer(self, now_ns: int) -> None:
        """A refusal of what was asked for here is said here."""
        words = ""
        if self._last is not None and now_ns - self._last[1] < ANSWER_LASTS_NS:
            order, at_ns = self._last
            mine = [w for w in self._desk.board.words if w.at_ns >= at_ns and order_words(order) in w.text]
            words = mine[-1].text if mine and not mine[-1].good else ""
        if words and words != self.columns.controls.answer.text():
            self._cues.play("refused")
        self.columns.controls.show_answer(words[:1].upper() + words[1:])

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
        """The next or the one before in the list; between its ends nothing is chosen."""
        names = ["", *(m.name for m in self._desk.scene.landmarks)] if self._desk.scene else [""]
        at = names.index(self.wishes.landmark) if self.wishes.landmark in names else 0
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
        self.columns.scene3d.set_scene(self._desk.scene)
        self._refresh()

    def _rig_changed(self) -> None:
        self.columns.scene3d.set_rig()
        self._refresh()

    def _connect(self) -> None:
        self._desk.case_changed.connect(self._case_changed)
        self._desk.rig_changed.connect(self._rig_changed)
        self.columns.way_out.clicked.connect(self._go_where_it_is_mended)
        self.columns.landmarks.chosen.connect(self.choose)
        self.columns.landmarks.wanted.connect(self.use)
        self.columns.controls.asked.connect(self.ask)
        self.columns.controls.pointer_chosen.connect(lambda name: self._wish(pointer=name))
        self.columns.controls.method_chosen.connect(self._set_method)
        self.columns.controls.dwell_chosen.connect(lambda seconds: self._wish(dwell_s=seconds))
        turns = {
            "G": self.columns.scene3d.map.toggle, "H": self.columns.scene3d.home, "Y": self._turn_method, "L": self._leave_out_chosen,
            "Down": partial(self._step_choice, 1), "Up": partial(self._step_choice, -1),
            **{key: partial(self.ask, action) for action, keys in KEYS.items() for key in keys},
        }  # fmt: skip
        for key, act in turns.items():
            # They hold while this is in front, wherever the focus is, and in no other place.
            QShortcut(QKeySequence(key), self).activated.connect(act)
