"""Calibrate: the session on top, the steps at the left with what each waits for, and the step that is chosen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.controls import press, show_if
from gui.calibrate.results import Result, read_results
from gui.calibrate.rig_page import RigPage
from gui.calibrate.run_page import RunPage
from gui.calibrate.session_bar import SessionBar
from gui.calibrate.session_words import running_source
from gui.calibrate.source_field import Devices
from gui.calibrate.step_list import StepList
from gui.calibrate.steps import Known, Step, StepKind, next_step, steps_of
from gui.calibrate.tip_page import TipPage
from gui.desktop.desk import Desk
from gui.link.board import Moment
from navtwin.nouns import Setup

KEYS = ("Return", "Enter", "F", "Escape", "A", "X", "Backspace", "Z", "S", "E", "G", "C", "O", "D", "B", "I", "N", "L", "H", "W")
LIST_WIDTH = 292
Page = RigPage | RunPage | TipPage


class CalibratePlace(QWidget):
    """The place where a rig becomes one that can be believed."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.devices = Devices(desk)
        self.bar = SessionBar(desk, self.devices)
        self.list = StepList(self.choose)
        self.stack = QStackedWidget()
        self.pages = dict[StepKind, Page]()
        self.steps: tuple[Step, ...] = ()
        self.chosen = ""
        self._results = dict[tuple[str, str], Result]()
        self._facts: tuple[object, ...] = ()
        self._scale, self._front = 1.0, False
        self._build()
        self._keys()
        desk.rig_changed.connect(self._rig_changed)
        desk.session_changed.connect(self._session_changed)
        self._rig_changed()

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        """What the core says now, and what depends on the time."""
        self.bar.show_moment(moment)
        # While a calibration is watched, its picture has the room.
        show_if(self.bar, visible=moment.link == "up" or not any(page.running for page in self.pages.values()))
        self._read_steps(moment)
        page = self.stack.currentWidget()
        if isinstance(page, RigPage | RunPage | TipPage):
            page.show_now(now_ns)

    def choose(self, key: str) -> None:
        """Bring a step to the front."""
        self.chosen = key
        self._facts = ()
        self._look()
        self.list.reveal(key)

    def go_on(self) -> None:
        """To the step that is to be taken next."""
        first = next_step(self.steps)
        if first is not None:
            self.choose(first.key)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.bar.set_scale(scale)
        self.list.set_scale(scale)
        self.list.setFixedWidth(round(LIST_WIDTH * scale))
        for page in self.pages.values():
            page.set_scale(scale)

    def entered(self) -> None:
        """Come to the front: what to do next is chosen, unless something is under way."""
        self._front = True
        self._results = self._read_results()
        self._facts = ()
        self._look()
        if not any(page.running for page in self.pages.values()) and not self._settled():
            self.go_on()

    def left(self) -> None:
        """A calibration that was begun goes on."""
        self._front = False

    def release(self) -> None:
        """The window closes."""
        for page in self.pages.values():
            page.release()

    @property
    def unsaved(self) -> str:
        """What closing the window would cost."""
        return (
            "A calibration is under way. It ends with this window, and nothing of it is stored."
            if any(p.running for p in self.pages.values())
            else ""
        )

    @property
    def current(self) -> Step | None:
        """The step in front."""
        return next((step for step in self.steps if step.key == self.chosen), None)

    def _settled(self) -> bool:
        """Whether the user has chosen a step that can be worked at."""
        step = self.current
        return step is not None and step.state in ("todo", "ask")

    def _build(self) -> None:
        across = QHBoxLayout()
        across.setSpacing(14)
        across.addWidget(self.list)
        across.addWidget(self.stack, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 14, 10)
        column.setSpacing(10)
        column.addWidget(self.bar)
        column.addLayout(across, 1)

    def _keys(self) -> None:
        for key in KEYS:
            self._key(key, partial(self._press, "Return" if key == "Enter" else key))
        for key, by in (("Up", -1), ("Down", 1)):
            self._key(key, partial(self._step_by, by))

    def _key(self, key: str, act: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(key), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(act)
        # While there is work to cancel, the window's Escape cancels it too: whichever Qt asks, it is done.
        shortcut.activatedAmbiguously.connect(act)

    def _press(self, key: str) -> None:
        page = self.stack.currentWidget()
        buttons = page.buttons if isinstance(page, RigPage | RunPage | TipPage) else []
        press(key, [*buttons, *self.bar.buttons])

    def _step_by(self, by: int) -> None:
        keys = [step.key for step in self.steps]
        if keys:
            at = keys.index(self.chosen) + by if self.chosen in keys else 0
            self.choose(keys[max(0, min(len(keys) - 1, at))])

    def _rig_changed(self) -> None:
        self._results = self._read_results()
        self._facts = ()
        self._look()

    def _session_changed(self) -> None:
        self._facts = ()
        self._look()

    def _read_results(self) -> dict[tuple[str, str], Result]:
        path = self.desk.rig_path
        return read_results(path.parent) if path is not None else {}

    def _look(self) -> None:
        self.show_moment(self.desk.board.moment(), self.desk.clock())

    def _read_steps(self, moment: Moment) -> None:
        """The list and the page in front; made anew only where something that they tell has changed."""
        own = self.desk.session
        source = running_source(moment, own.source if own is not None and own.running else "")
        setup = moment.setup if moment.link == "up" else None
        today = datetime.now(UTC).date()
        facts = (self.desk.rig, self.desk.rig_path, len(self._results), _told(setup), source, today, self.chosen, self.desk.folder)
        if facts == self._facts:
            return
        self._facts = facts
        name = self.desk.rig_path.name if self.desk.rig_path is not None else "unnamed"
        self.steps = steps_of(Known(self.desk.rig, name if self.desk.rig else "", self._results, setup, source))
        first = next_step(self.steps)
        if self.current is None:
            self.chosen = first.key if first is not None else self.steps[0].key
        self.list.show_steps(self.steps, self.chosen, first.key if first is not None else "")
        theme.set_primary(self.bar.start, primary=first is None or (first.kind == "pivot" and not source and not self._by_camera()))
        step = self.current
        if step is not None:
            self._show_page(step)

    def _show_page(self, step: Step) -> None:
        if step.kind not in self.pages:
            page = self._make_page(step.kind)
            page.finished.connect(self._rig_changed)
            page.onward.connect(self.go_on)
            page.set_scale(self._scale)
            self.pages[step.kind] = page
            self.stack.addWidget(page)
        page = self.pages[step.kind]
        page.show_step(step, self._blocked(step))
        self.stack.setCurrentWidget(page)
        page.show_now(self.desk.clock())

    def _make_page(self, kind: StepKind) -> Page:
        if kind == "rig":
            return RigPage(self.desk)
        return TipPage(self.desk, self.devices) if kind == "pivot" else RunPage(self.desk, kind, self.devices)

    def _blocked(self, step: Step) -> str:
        """Why a step's command cannot be started now, "" where it can."""
        if self.desk.rig is None and step.kind != "rig":
            return "make or open a rig first"
        other = next((page for kind, page in self.pages.items() if kind != step.kind and page.running), None)
        if other is not None:
            return "another calibration is under way: finish or cancel it first"
        if step.state == "waiting" or (step.kind == "markers" and not step.subject):
            return step.why
        return ""

    def _by_camera(self) -> bool:
        return Known(self.desk.rig).by_camera


def _told(setup: Setup | None) -> tuple[object, ...] | None:
    """What the steps read of a setup; the rest changes many times a second."""
    return None if setup is None else (setup.calibrated, setup.pending, setup.pivots)
