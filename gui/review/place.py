"""The place where a session is looked back at: picture, readings, transport, timeline and plot around one playhead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.navigate.bone_legend import BoneLegend
from gui.navigate.stage import unknown_words
from gui.picture.live import LiveView, open_live
from gui.picture.pace import Pace
from gui.review.axis import Axis
from gui.review.notes import Note, add_note, read_notes
from gui.review.player import Player
from gui.review.plots import Plot
from gui.review.readout import AlertReadout, moment_of
from gui.review.session import Session
from gui.review.side import Side
from gui.review.timeline import Timeline
from gui.review.transport import Transport
from navtwin.errors import NavtwinError
from navtwin.nouns import Rig
from navtwin.scene.distances import structure_rows
from navtwin.scene.model import Scene
from navtwin.scene.views import ViewName

if TYPE_CHECKING:
    from gui.review.bone import BoneSought

TURN_MS = 33
#: What is shown before navigation began.
LEAD_NS = 1_000_000_000
OpenPicture = Callable[[Scene, Rig | None, QWidget], LiveView]


class Review(QWidget):
    """One session, and another one to compare it with.

    Parameters
    ----------
    say : called with words for the window's line, and whether they are bad news
    open_picture : makes the view (a test may give another)
    clock : monotonic, ns
    """

    def __init__(
        self,
        session: Session,
        say: Callable[[str, bool], None],
        open_picture: OpenPicture = open_live,
        clock: Callable[[], int] = time.monotonic_ns,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self._say, self._open_picture, self._clock = session, say, open_picture, clock
        self.player = Player(session.end_ns, session.navigation_ns)
        self.axis = Axis(0, session.end_ns)
        self.notes: tuple[Note, ...] = ()
        self.scene: Scene | None = None
        self.structure = session.structures[0] if session.structures else ""
        self.view: LiveView | None = None
        self.bone: BoneSought | None = None
        self._legend: BoneLegend | None = None
        self._pace: Pace | None = None
        self._view_name: ViewName = "posterior"
        self._scale = 1.0
        self._shown: tuple[object, ...] = ()
        self._build()
        self._read_notes()
        self._show_navigation()
        self.choose(self.structure)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.turn)
        self._timer.start(TURN_MS)

    def set_scene(self, scene: Scene, rig: Rig | None) -> None:
        """Give the session its anatomy."""
        self.scene = scene
        self.view = self._open_picture(scene, rig, self.stage)
        self._pace = Pace(self.view, TURN_MS)
        self.missing.hide()
        self.view.widget.setParent(self.stage)
        self.view.widget.lower()
        self.view.widget.show()
        self._begin_bone(scene, rig)
        self._place()
        self.side.set_scene(scene, self._scale)
        self.look(self._view_name)
        self.choose(self.structure)

    def _begin_bone(self, scene: Scene, rig: Rig | None) -> None:
        """Where the case has bone that can be drilled: the picture shows it as it was at the time under the playhead."""
        if self.view is None or scene.carvable is None:
            return
        # What asks where bone lies takes a second to load: only who drills needs it.
        from gui.review.bone import BoneSought

        self.bone = BoneSought.of(scene, self.session.path, rig)
        if self.bone is None:
            return
        self._legend = BoneLegend(self.stage)
        self._legend.set_scale(self._scale)
        self._legend.show()
        self.view.follow_bone(self.bone.dresser)
        self.bone.start()

    def look(self, view: ViewName) -> None:
        """Stand somewhere else."""
        self._view_name = view
        if self.view is not None and self._pace is not None:
            self.view.picture.look(view, self.session.state_at(self.player.at_ns))
            self._pace.forget()

    def seek(self, t_ns: int) -> None:
        """Put the playhead at a time."""
        self.player.seek(t_ns)
        self.axis.follow(self.player.at_ns)
        self._show()

    def choose(self, structure: str) -> None:
        """Plot another structure."""
        self.structure = structure
        case = next((s for s in self.scene.structures if s.name == structure), None) if self.scene else None
        known = case is not None and case.caution_mm is not None and case.danger_mm is not None
        limits = self.session.limits(structure, case.caution_mm, case.danger_mm) if case and known else ()  # type: ignore[arg-type]
        self.plot.choose(structure, limits)
        self._shown = ()
        self._show()

    def compare(self, other: Session | None, offset_ns: int) -> None:
        """Draw another session under this one."""
        self.timeline.compare(other, offset_ns)
        self._redraw()

    def act(self, name: str) -> None:
        """What a button or key asks for."""
        match name:
            case "play":
                self.player.pause() if self.player.playing else self.player.play(self._clock())
            case "back" | "on":
                self.player.pause()
                self.seek(self.session.step_from(self.player.at_ns, 1 if name == "on" else -1))
            case "last_alert" | "next_alert":
                found = self.session.alert_from(self.player.at_ns, 1 if name == "next_alert" else -1)
                if found is None:
                    self._say(f"there is no {'further' if name == 'next_alert' else 'earlier'} alert", False)
                else:
                    self.seek(found)
            case "slower" | "faster":
                self.player.change_speed(1 if name == "faster" else -1)
            case "first" | "last":
                self.seek(0 if name == "first" else self.session.end_ns)
            case "note":
                self.player.pause()
                self.transport.ask_note()
            case "whole":
                self.axis.show(0, self.session.end_ns)
                self._redraw()
            case "navigation":
                self._show_navigation()
                self._redraw()
        self.transport.show_player(self.player, self.session)

    def turn(self) -> None:
        """Let time pass."""
        if self.player.playing:
            self.player.turn(self._clock())
            self.axis.follow(self.player.at_ns)
        self._show()

    def release(self) -> None:
        """Give the graphics back."""
        self._timer.stop()
        if self.bone is not None:
            self.bone.stop()
        if self.view is not None:
            self.view.release()

    def _build(self) -> None:
        self.alert = AlertReadout(self)
        self.stage = QWidget(self)
        self.stage.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.stage.setMinimumHeight(120)
        self.missing = QLabel("Loading the case …", self.stage)
        self.missing.setWordWrap(True)
        self.missing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.unknown = QLabel(self.stage)
        self.unknown.setProperty("onpicture", True)
        self.bone_words = QLabel(self.stage)
        self.bone_words.setProperty("onpicture", True)
        self.bone_words.hide()
        self.side = Side(self.session, self.seek, self.compare, self)
        self.transport = Transport(self.act, self._write_note, self)
        self.timeline, self.plot = Timeline(self.session, self.axis, self), Plot(self.session, self.axis, self)
        for part in (self.timeline, self.plot):
            part.sought.connect(self.seek)
            part.moved.connect(self._redraw)
        self.timeline.chosen.connect(self.choose)
        left = QVBoxLayout()
        rows: tuple[tuple[QWidget, int], ...] = ((self.alert, 0), (self.stage, 6), (self.timeline, 0), (self.plot, 3))
        for widget, stretch in rows:
            left.addWidget(widget, stretch)
        row = QHBoxLayout()
        row.addLayout(left, 1)
        row.addWidget(self.side)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        column.addWidget(self.transport)
        for layout in (left, row, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)

    def set_scale(self, scale: float) -> None:
        """Draw everything that much larger."""
        self._scale = scale
        for part in (self.alert, self.side, self.transport, self.timeline, self.plot):
            part.set_scale(scale)
        if self._legend is not None:
            self._legend.set_scale(scale)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        QTimer.singleShot(0, self, self._place)

    def _place(self) -> None:
        self.missing.setGeometry(self.stage.rect().adjusted(40, 0, -40, 0))
        if self.view is not None and self.view.widget.geometry() != self.stage.rect():
            self.view.widget.setGeometry(self.stage.rect())
        self.unknown.adjustSize()
        self.unknown.move(10, self.stage.height() - self.unknown.height() - 10)
        self.bone_words.adjustSize()
        self.bone_words.move(10, 10)
        if self._legend is not None:
            self._legend.move(self.stage.width() - self._legend.width() - 10, 10)

    def _show(self) -> None:
        """Show the instant under the playhead, if it is not shown already."""
        at_ns = self.player.at_ns
        instant = (at_ns, self.notes, self.structure, self.scene is not None)
        state, alerts = self.session.state_at(at_ns), self.session.alerts_at(at_ns)
        moment = moment_of(state, alerts)
        if self._pace is not None:
            self._pace.turn(moment, self._clock(), self._view_name)
        self._seek_bone(at_ns)
        if instant == self._shown:
            return
        self._shown = instant
        self.alert.show_moment(moment)
        if self.scene is not None:
            self.side.show_rows(structure_rows(self.scene, moment.state, alerts, link_lost=alerts is None))
        words = unknown_words(moment)
        self.unknown.setText(words)
        self.unknown.setVisible(bool(words))
        self._place()
        self._redraw()

    def _seek_bone(self, at_ns: int) -> None:
        if self.bone is None:
            return
        self.bone.ask(at_ns)
        words = self.bone.words
        if words != self.bone_words.text():
            self.bone_words.setText(words)
            self.bone_words.setVisible(bool(words))
            self._place()

    def _redraw(self) -> None:
        self.timeline.show_at(self.player.at_ns, self.notes, self.structure)
        self.plot.show_at(self.player.at_ns)
        self.transport.show_player(self.player, self.session)

    def _show_navigation(self) -> None:
        self.axis.show(max(0, self.session.navigation_ns - LEAD_NS), self.session.end_ns)

    @property
    def _named(self) -> str:
        return self.session.header.session if self.session.header else ""

    def _read_notes(self) -> None:
        try:
            self.notes = read_notes(self.session.path, self._named)
        except NavtwinError as error:
            self._say(str(error), True)

    def _write_note(self, text: str) -> None:
        try:
            self.notes = add_note(self.session.path, self._named, Note(self.player.at_ns, text))
        except NavtwinError as error:
            self._say(str(error), True)
        self._show()
