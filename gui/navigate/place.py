"""The place where the instrument is watched: over the anatomy that the core works on, or over none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.desktop.desk import Desk
from gui.link.board import Moment
from gui.navigate.scenery import OpenPicture, Scenery
from gui.picture.live import open_live
from navtwin.scene.views import ViewName


class NavigatePlace(QWidget):
    """Follows the open case; without one it says how to come to one.

    Parameters
    ----------
    view : where to stand first
    open_picture : makes the view (a test may give another)
    """

    #: It shows what the core keeps.
    unsaved = ""

    def __init__(self, desk: Desk, parent: QWidget | None = None, *, view: ViewName = "posterior", open_picture: OpenPicture = open_live) -> None:
        super().__init__(parent)
        self._desk, self._view_name, self._open_picture = desk, view, open_picture
        self.scenery: Scenery | None = None
        self._scale = 1.0
        self._empty = QWidget()
        self._words = QLabel()
        self._words.setObjectName("detail")
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        to_case = QPushButton("Go to Case")
        to_case.setProperty("primary", True)
        to_case.setToolTip("Open a case, or make one (1)")
        to_case.clicked.connect(partial(desk.place_wanted.emit, "case"))
        middle = QVBoxLayout(self._empty)
        middle.addStretch()
        middle.addWidget(self._words)
        middle.addWidget(to_case, 0, Qt.AlignmentFlag.AlignHCenter)
        middle.addStretch()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._empty)
        desk.rig_changed.connect(self._rebuild)

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        """Nothing is drawn over anatomy that the core does not work on: an instrument in the wrong patient is worse than none."""
        works_on = moment.setup.case_hash if moment.setup is not None and not moment.link_lost else ""
        shown = self.scenery.scene if self.scenery is not None else None
        # While a session runs, its case stays in the picture as it was when it began.
        if shown is not self._desk.scene and not (shown is not None and works_on == shown.case_hash):
            self._rebuild()
        if self.scenery is None:
            opening = self._desk.opening and self._desk.folder is not None
            self._words.setText(f"Opening {self._desk.folder.name} …" if opening and self._desk.folder else "No case is open: nothing can be shown")
            return
        other = works_on not in ("", self.scenery.scene.case_hash)
        self.scenery.show_moment(
            replace(moment, state=None, alerts=None) if other else moment, now_ns, self._desk.runs_other(moment) if other else ""
        )

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        if self.scenery is not None:
            self.scenery.set_scale(scale)

    def entered(self) -> None:
        if self.scenery is not None:
            self.scenery.entered()

    def left(self) -> None:
        self._desk.pixels_ms = None
        if self.scenery is not None:
            self.scenery.left()

    def release(self) -> None:
        if self.scenery is not None:
            self.scenery.release()
            self.scenery.setParent(None)
            self.scenery.deleteLater()
            self.scenery = None

    def _rebuild(self) -> None:
        if self.scenery is not None:
            self._view_name = self.scenery.view_name
        self.release()
        scene = self._desk.scene
        self._empty.setVisible(scene is None)
        if scene is not None:
            self.scenery = Scenery(self._desk, scene, self._view_name, self._open_picture)
            self.scenery.set_scale(self._scale)
            self._row.addWidget(self.scenery, 1)
            self.scenery.show()
