"""The picture of the bone to be touched: landmarks, the live tip, checks, and the predicted error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from gui.desktop.desk import Desk
from gui.desktop.jobs import Job, Report
from gui.link.board import MS, Moment
from gui.picture.graphics import load_graphics
from gui.picture.view3d import GLView, View, open_view
from gui.register.bead import Mark
from gui.register.legend import Legend
from gui.register.picture3d import MOST_BY_CARD, MOST_TRIANGLES, RegisterPicture, painted, prepare
from gui.register.ring import DwellRing
from gui.register.standpoint import standpoint_of
from navtwin.nouns import Check, RegistrationResult, Rig
from navtwin.rigid import Vec3
from navtwin.scene.model import Patient, Scene
from navtwin.scene.tre_map import tre_mm
from navtwin.scene.views import VIEW_ANGLE_DEG
from navtwin.volumes.volume import volume_box

OpenPicture = Callable[[Scene, Rig | None, QWidget], View]
#: What the view is opened with: light, compass and camera, and nobody in it. The anatomy of this place is its own.
NOBODY = Scene("", (), (), (), Patient(), volume_box(np.eye(4), (2, 2, 2)), Path(), Path(), "")
#: Paintings are this far apart at least, unless an instrument has to go; after so long without a change one more is made, at its best. In ns.
LEAST_NS, STILL_NS = 33 * MS, 400 * MS
PREPARING = "preparing the picture …"


class RegisterScene(QWidget):
    """The 3D picture with its legend. It is opened when the place is first seen."""

    def __init__(self, desk: Desk, parent: QWidget | None = None, open_picture: OpenPicture = open_view) -> None:
        super().__init__(parent)
        self._desk, self._open_picture = desk, open_picture
        self._scene: Scene | None = None
        self._view: View | None = None
        self._picture: RegisterPicture | None = None
        self._seen: tuple[tuple[object, ...], ...] | None = None
        self._known = frozenset[str]()
        self._painted_ns, self._polished = 0, True
        self._meshes: dict[str, Any] = {}
        self._shown: tuple[tuple[Mark, ...], tuple[Check, ...]] = ((), ())
        self._result: RegistrationResult | None = None
        self._painted_for = ""
        self._opening: Job | None = None
        self._meshing: Job | None = None
        self._scale = 1.0
        self._words = QLabel("", self)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words.setProperty("onpicture", True)
        self._words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.addWidget(self._words, 0, 0)
        self.legend, self.ring = Legend(self), DwellRing(self)
        self.map = self._button("Error map", "Paint the predicted error of the registration on the bone (G)", checkable=True)
        self.map.toggled.connect(lambda _on: self._update_map())
        look = "Look at all landmarks again (H). Drag: turn. Middle button: move. Wheel: magnify"
        self.home_button = self._button("All landmarks", look, checkable=False)
        self.home_button.clicked.connect(self.home)
        self.setAccessibleName("3D picture of the bone with its landmarks")
        self.setStyleSheet("RegisterScene { background: #11161a; }")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumSize(220, 200)
        for over in (self.legend, self.ring):
            over.hide()

    @property
    def view(self) -> View | None:
        """None until the picture is open."""
        return self._view

    @property
    def has_map(self) -> bool:
        """Whether the predicted error is on the bone."""
        return bool(self._painted_for)

    def set_scene(self, scene: Scene | None) -> None:
        """Another case, or the same one with other contents."""
        self._scene, self._meshes, self._painted_for = scene, {}, ""
        self._shown = ((), ())
        self._prepare()

    def set_rig(self) -> None:
        """Other instruments: the picture is opened again with their shapes."""
        if self._view is not None:
            self.release()
            self._open(None, "")

    def start(self) -> None:
        """Open the picture; what graphics need is loaded beside the window."""
        if self._view is None and (self._opening is None or not self._opening.running):
            self._say(PREPARING)
            self._opening = self._desk.beside("opening the picture", _load_graphics, self._open)

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        """The live tip: painted when it has moved, and at once when it is no longer known."""
        if self._view is None or (cost_s := self._view.cost_s()) is None:
            return
        seen = _visible(moment)
        if seen == self._seen:
            if not self._polished and now_ns - self._painted_ns > STILL_NS:
                self._polished = True
                self._view.paint(still=True)
            return
        known = frozenset(str(item[0]) for item in seen)
        if not self._known - known and now_ns - self._painted_ns < max(LEAST_NS, 2e9 * cost_s):
            return
        self._seen, self._known, self._painted_ns, self._polished = seen, known, now_ns, False
        self._view.picture.show(moment.state, moment.alerts)
        self._view.paint()

    def show_marks(self, marks: Sequence[Mark], checks: Sequence[Check]) -> None:
        """Landmarks, and where checks were touched."""
        if (tuple(marks), tuple(checks)) != self._shown and self._meshes:
            self._shown = (tuple(marks), tuple(checks))
            self._do(partial(RegisterPicture.show_found, marks=tuple(marks), checks=tuple(checks)))

    def show_result(self, result: RegistrationResult | None, tip_mm: Vec3 | None) -> None:
        """The registration whose error is painted; None where there is none to paint."""
        self.map.setEnabled(result is not None)
        here = None if result is None or tip_mm is None else float(tre_mm(result.covariance, result.centroid_mm, [tip_mm])[0])
        self.legend.show_here(None if here is None else round(here, 2))
        if result is None or self._result is None or result.request != self._result.request:
            changed = result is not self._result
            self._result = result
            if changed:
                self._update_map()

    def show_dwell(self, share: float | None, big: str, small: str, *, trouble: bool = False, collecting: bool = False) -> None:
        """The countdown, over the picture, while something is collected."""
        self.ring.show_dwell(share, big, small, trouble=trouble)
        self.ring.setVisible(collecting)

    def home(self) -> None:
        """Stand where all landmarks are seen from the side that they lie on."""
        if self._scene is None or self._view is None:
            return
        focus, way, up, radius = standpoint_of(self._scene)

        def stand(picture: RegisterPicture) -> None:
            picture.stand(focus, way, up, radius / math.sin(math.radians(VIEW_ANGLE_DEG / 2.0)), VIEW_ANGLE_DEG)

        self._do(stand)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.legend.set_scale(scale)
        self.ring.set_scale(scale)
        for button in (self.map, self.home_button):
            button.setFixedHeight(round(34 * scale))
            button.adjustSize()
        self._lay_over()
        # The new size may have been painted already, with type of the old one.
        self._do(lambda picture: setattr(picture.beads, "scale", scale))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_over()

    def release(self) -> None:
        """Give the graphics back."""
        if self._view is not None:
            self._view.release()
            self._view.widget.setParent(None)
            self._view.widget.deleteLater()
            self._view, self._picture, self._seen = None, None, None

    def _say(self, words: str) -> None:
        """Words in the middle of the picture, "" for none."""
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._words.raise_()

    def _do(self, act: Callable[[RegisterPicture], object]) -> None:
        """Change the picture, and have it painted."""
        if self._picture is not None:
            act(self._picture)
            self._seen = None

    def _open(self, _done: object, words: str) -> None:
        if words or self._view is not None:
            self._say(f"no picture: {words}")
            return
        self._say("")
        self._view = self._open_picture(NOBODY, self._desk.rig, self)
        self._picture = RegisterPicture(self._view.picture.plotter)
        self._picture.beads.scale = self._scale
        self._grid.addWidget(self._view.widget, 0, 0)
        self._lay_over()
        self._prepare()

    def _prepare(self) -> None:
        """Make the meshes of the case beside the window."""
        self._do(lambda picture: picture.set_case({}, ()))
        if self._view is None or self._scene is None:
            return
        if self._meshing is not None and self._meshing.running:
            self._meshing.cancel()
        self._say(PREPARING)
        most = MOST_BY_CARD if isinstance(self._view, GLView) else MOST_TRIANGLES
        self._meshing = self._desk.beside("preparing the picture", partial(_meshes_of, self._scene, most), self._prepared)

    def _prepared(self, meshes: dict[str, Any] | None, words: str) -> None:
        if words == "cancelled":
            # Others are on their way.
            return
        if meshes is None or self._scene is None:
            self._say(f"no picture: {words}" if words else "")
            return
        self._meshes = meshes
        self._say("")
        structures = self._scene.structures
        self._do(lambda picture: picture.set_case(meshes, structures))
        self.home()
        self._update_map()

    def _update_map(self) -> None:
        """Paint the error of the registration shown, or take it off the bone."""
        wanted = self._result is not None and self.map.isChecked() and self.map.isEnabled()
        self.legend.setVisible(wanted)
        if not wanted or self._result is None or self._scene is None or not self._meshes:
            if self._painted_for:
                self._painted_for = ""
                self._do(lambda picture: picture.show_map(None))
            return
        bones = [s.name for s in self._scene.structures if s.role == "work"]
        done = partial(self._map_painted, self._result.request)
        self._desk.beside("painting the error", partial(_painted, self._meshes, bones, self._result), done)

    def _map_painted(self, request: str, meshes: dict[str, Any] | None, words: str) -> None:
        current = self._result is not None and self._result.request == request and self.map.isChecked()
        if meshes is None or not current or not set(meshes) <= set(self._meshes):
            return
        self._painted_for = request
        self._do(lambda picture: picture.show_map(meshes))

    def _lay_over(self) -> None:
        """Keep what lies over the picture in its place."""
        gap = round(10 * self._scale)
        self.map.move(gap, gap)
        self.home_button.move(self.map.geometry().right() + gap, gap)
        self.legend.move(gap, self.height() - self.legend.height() - gap)
        self.ring.move(self.width() - self.ring.width() - gap, gap)
        height = max(1, self.height())
        if self._picture is not None and self._picture.beads.height_px != height:
            self._do(lambda picture: setattr(picture.beads, "height_px", height))
        for over in (self.legend, self.ring, self.map, self.home_button):
            over.raise_()

    def _button(self, text: str, tip: str, *, checkable: bool) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("onpicture", True)
        button.setCheckable(checkable)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button


def _visible(moment: Moment) -> tuple[tuple[object, ...], ...]:
    """What of a moment can be seen here, one item for each instrument; the noise of one that lies still is not worth a painting."""
    return tuple(
        (i.instrument, *(round(v, 1) for v in i.pose.t_mm), *(round(v, 3) for v in i.pose.q_wxyz))
        for i in (moment.state.instruments if moment.state else ())
        if i.status == "OK" and i.pose is not None
    )


def _meshes_of(scene: Scene, most: int, report: Report) -> dict[str, Any]:
    report("meshes for the picture")
    return prepare(scene, most)


def _painted(meshes: dict[str, Any], bones: list[str], result: RegistrationResult, report: Report) -> dict[str, Any]:
    report("the predicted error at every point")
    return painted(meshes, bones, result)


def _load_graphics(report: Report) -> None:
    """Import what the picture needs: seconds, where it is for the first time."""
    report("loading graphics")
    load_graphics()
