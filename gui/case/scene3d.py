"""The case in 3D: structures as they are drawn now, plans, landmarks, the cursor of the slices; a click on a surface is a point of the patient."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from gui.case.cutting import Look, looks_of
from gui.case.picture3d import CasePicture, Prepared, prepare
from gui.case.ray import Eye, first_met, ray
from gui.desktop.desk import Desk
from gui.desktop.jobs import Job, Report
from gui.picture.graphics import load_graphics
from gui.picture.view3d import GLView, View, open_view
from navtwin.nouns import Rig
from navtwin.rigid import Vec3
from navtwin.scene.detail import Detail
from navtwin.scene.model import Landmark, Patient, Plan, Scene
from navtwin.scene.views import VIEW_ANGLE_DEG, region
from navtwin.volumes.volume import volume_box

#: For each side of the patient to look from: direction from him to the viewer, what points up, and what the button says.
SIDES: Final[dict[str, tuple[Vec3, Vec3, str]]] = {
    "A": ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0), "from the front"),
    "P": ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), "from the back"),
    "L": ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), "from his left"),
    "R": ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), "from his right"),
    "S": ((0.0, 0.0, 1.0), (0.0, -1.0, 0.0), "from the head"),
    "I": ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), "from the feet"),
}
#: A press that moves farther than this turns the picture, and picks nothing.
STILL_PX = 4.0
PAINT_MS, POLISH_MS = 30, 250
NEAREST_MM = 20.0
WAITING = "preparing the picture …"
#: What the view is opened with: light, compass and camera, and nobody in it.
BARE_SCENE = Scene("", (), (), (), Patient(), volume_box(np.eye(4), (2, 2, 2)), Path(), Path(), "")
BARE = "no structures yet: the edges of the scan\na CT has no labels: make structures with the tools"


@dataclass(frozen=True)
class Anatomy:
    """The structures of a case, ready to be drawn, and where they are: middle and radius (mm, ct) of what the rehearsal is about."""

    prepared: Mapping[str, Prepared]
    middle_mm: Vec3
    radius_mm: float


class CaseScene3d(QWidget):
    """The 3D picture of the open case.

    Signals
    -------
    picked : where a click met a surface that is seen: a point of ct (x, y, z) mm
    met : the name of the structure that it met
    ready : the Anatomy of the open case, once it can be drawn
    """

    picked = Signal(object)
    met = Signal(str)
    ready = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None, open_picture: Callable[[Scene, Rig | None, QWidget], View] = open_view) -> None:
        super().__init__(parent)
        self._desk, self._open_picture = desk, open_picture
        self._scene: Scene | None = None
        self._looks: dict[str, Look] = {}
        self._plans: tuple[Plan, ...] = ()
        self._chosen, self._plans_moved = "", False
        self._landmarks: tuple[Landmark, ...] = ()
        self._chosen_landmark, self._landmarks_moved = "", False
        self._scale = 1.0
        self._anatomy: Anatomy | None = None
        self._job: Job | None = None
        self._view: View | None = None
        self._picture: CasePicture | None = None
        self._pressed_at: QPointF | None = None
        self._looked = False
        self._words = QLabel("", self)
        self._words.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        self._words.setContentsMargins(0, 0, 0, 14)
        self._words.setProperty("dim", True)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.addWidget(self._words, 0, 0)
        self._bar = self._side_bar()
        self.setAccessibleName("3D picture of the case")
        self.setStyleSheet("CaseScene3d { background: #11161a; }")
        self.setMinimumSize(160, 120)
        self._soon = QTimer(self, singleShot=True, interval=PAINT_MS)
        self._soon.timeout.connect(self._paint)
        self._still = QTimer(self, singleShot=True, interval=POLISH_MS)
        self._still.timeout.connect(self._polish)

    @property
    def view(self) -> View | None:
        """None until the picture is open."""
        return self._view

    def set_scene(self, scene: Scene | None) -> None:
        """Show another case, or the same one with other contents: then the viewer stays where he is."""
        same = scene is not None and self._scene is not None and scene.folder == self._scene.folder
        if same and scene is not None and self._scene is not None and bool(scene.structures) != bool(self._scene.structures):
            # The first structure has been made, or the last one taken out.
            same = False
        self._looked = self._looked and same
        self._scene = scene
        self._looks, self._plans = (looks_of(scene), scene.plans) if scene is not None else ({}, ())
        self._prepare()

    def set_looks(self, looks: Mapping[str, Look]) -> None:
        """Draw the structures otherwise than the case says: a draft."""
        if looks != self._looks:
            self._looks = dict(looks)
            self._show()

    def set_plans(self, plans: Sequence[Plan], chosen: str) -> None:
        """Draw these plans, one of them as chosen."""
        if (tuple(plans), chosen) != (self._plans, self._chosen):
            self._plans, self._chosen, self._plans_moved = tuple(plans), chosen, True
            self.repaint_soon()

    def set_landmarks(self, landmarks: Sequence[Landmark], chosen: str) -> None:
        """Draw these landmarks, one of them as chosen; "" for none."""
        if (tuple(landmarks), chosen) != (self._landmarks, self._chosen_landmark):
            self._landmarks, self._chosen_landmark, self._landmarks_moved = tuple(landmarks), chosen, True
            self.repaint_soon()

    def show_cursor(self, point_mm: Vec3 | None) -> None:
        """Where the slices cross."""
        if self._picture is not None:
            self._picture.show_cursor(point_mm)
            self.repaint_soon()

    def show_solid(self, solid: bool) -> None:
        """Bone opaque, to see its surface; or seen through, to see what lies behind it."""
        self.solid.setChecked(solid)
        self._show()

    def look_from(self, side: str) -> None:
        """Stand at a side of the patient, all that is seen in view."""
        if self._view is None or self._scene is None:
            return
        bounds = self._picture.bounds_mm(self._looks) if self._picture else None
        low, high = bounds if bounds is not None else self._scene.volume.bounds_mm()
        self._stand(side, (low + high) / 2.0, float(np.linalg.norm(high - low)) / 2.0)

    def structure_bounds_mm(self, name: str) -> tuple[Any, Any] | None:
        """Lowest and highest corner of a structure, (3,) each, ct; None while it cannot be drawn."""
        return self._kept[name].bounds_mm if name in self._kept else None

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for button in self._bar.findChildren(QPushButton):
            button.setFixedHeight(round(32 * scale))
            button.setMinimumWidth(round(32 * scale))
        self._bar.adjustSize()

    def start(self) -> None:
        """Open the picture: not before the place is seen, and what graphics need is loaded beside the window."""
        if self._view is None and (self._job is None or not self._job.running):
            self._words.setText(WAITING)
            self._job = self._desk.beside("opening the picture", _load_graphics, self._open)

    def release(self) -> None:
        """The window closes."""
        if self._view is not None:
            self._view.release()
            self._view, self._picture = None, None

    def showEvent(self, event: QShowEvent) -> None:
        # What has changed while it was hidden was not painted.
        self.repaint_soon()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The view turns its picture by itself; what is seen here is a click that does not turn it."""
        if isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton:
            if event.type() == QEvent.Type.MouseButtonPress:
                self._pressed_at = event.position()
            elif event.type() == QEvent.Type.MouseButtonRelease and self._pressed_at is not None:
                moved = event.position() - self._pressed_at
                self._pressed_at = None
                if math.hypot(moved.x(), moved.y()) < STILL_PX:
                    self.pick(event.position().x(), event.position().y())
        if event.type() in (QEvent.Type.MouseButtonRelease, QEvent.Type.Wheel):
            self._still.start()
        return False

    def pick(self, x_px: float, y_px: float) -> None:
        """Find what is seen at a pixel of the picture; where a surface is, `picked` and `met` say it."""
        if self._view is None or self._picture is None:
            return
        widget, camera = self._view.widget, self._view.picture.plotter.camera
        eye = Eye(_vec(camera.position), _vec(camera.focal_point), _vec(camera.up), float(camera.view_angle))
        way = ray(eye, x_px / widget.width(), y_px / widget.height(), widget.width() / widget.height())
        found = first_met(self._picture.reachable(self._looks), eye.position_mm, way)
        if found is not None:
            self.met.emit(found[0])
            self.picked.emit(found[1])

    def repaint_soon(self) -> None:
        """Several changes are painted once."""
        if self._view is not None and not self._soon.isActive():
            self._soon.start()

    def _open(self, _done: object, words: str) -> None:
        if words or self._view is not None:
            self._words.setText(f"no picture: {words}")
            return
        self._view = self._open_picture(BARE_SCENE, None, self)
        self._picture = CasePicture(self._view.picture.plotter)
        widget = self._view.widget
        widget.installEventFilter(self)
        widget.setToolTip("Click: a point on the surface. Drag: turn. Middle button: move. Wheel: magnify. F: solid bone. X: this picture alone")
        self._grid.addWidget(widget, 0, 0)
        self._bar.raise_()
        self._words.raise_()
        self._words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._prepare()

    def _prepare(self) -> None:
        """Make the meshes of the case beside the window."""
        if self._view is None:
            return
        if self._job is not None and self._job.running:
            self._job.cancel()
        if self._scene is None:
            self._anatomy = None
            self._words.setText("")
            self._take_anatomy()
            return
        self._words.setText(WAITING if self._scene.structures else BARE)
        detail: Detail = "full" if isinstance(self._view, GLView) else "fine"
        self._job = self._desk.beside("preparing the picture", partial(_anatomy, self._scene, detail, self._kept), self._ready)

    @property
    def _kept(self) -> Mapping[str, Prepared]:
        return self._anatomy.prepared if self._anatomy is not None else {}

    def _ready(self, anatomy: Anatomy | None, words: str) -> None:
        if words == "cancelled":
            return
        if anatomy is None:
            self._words.setText(f"no picture: {words}")
            return
        self._anatomy = anatomy
        self._words.setText("" if anatomy.prepared else BARE)
        self._take_anatomy()
        self.ready.emit(anatomy)

    def _take_anatomy(self) -> None:
        if self._picture is None:
            return
        self._picture.set_case(self._kept, self._scene.volume if self._scene is not None else None)
        self._picture.show_plans(self._plans, self._chosen)
        self._picture.show_landmarks(self._landmarks, self._chosen_landmark)
        if self._scene is None:
            self._picture.show_cursor(None)
        self._show()
        if self._anatomy is not None and not self._looked:
            self._looked = True
            self._stand("P", np.array(self._anatomy.middle_mm), self._anatomy.radius_mm)

    def _show(self) -> None:
        if self._picture is not None:
            self._picture.show(self._looks, solid_bone=self.solid.isChecked())
            self.repaint_soon()

    def _stand(self, side: str, middle: np.ndarray, radius_mm: float) -> None:
        assert self._view is not None
        direction, up, _ = SIDES[side]
        camera = self._view.picture.plotter.camera
        camera.view_angle = VIEW_ANGLE_DEG
        away = max(radius_mm, NEAREST_MM) / math.sin(math.radians(VIEW_ANGLE_DEG / 2.0))
        camera.position = tuple(np.asarray(middle) + away * np.array(direction))
        camera.focal_point = tuple(np.asarray(middle))
        camera.up = up
        self.repaint_soon()

    def _paint(self) -> None:
        if self._view is not None and self._picture is not None and self.isVisible():
            if self._plans_moved:
                # Once for a painting: an end that is dragged moves oftener than that.
                self._plans_moved = False
                self._picture.show_plans(self._plans, self._chosen)
            if self._landmarks_moved:
                self._landmarks_moved = False
                self._picture.show_landmarks(self._landmarks, self._chosen_landmark)
            self._picture.beads.height_px, self._picture.beads.scale = self._view.widget.height(), self._scale
            self._view.picture.plotter.renderer.reset_camera_clipping_range()
            self._view.paint()
            self._still.start()

    def _polish(self) -> None:
        if self._view is not None and self.isVisible():
            self._view.paint(still=True)

    def _side_bar(self) -> QWidget:
        bar = QWidget(self)
        row = QHBoxLayout(bar)
        row.setContentsMargins(6, 6, 0, 0)
        row.setSpacing(4)
        for side, (_, _, words) in SIDES.items():
            button = QPushButton(side, bar)
            button.setProperty("onpicture", True)
            button.setToolTip(f"Look {words} (Shift+{side})")
            button.setAccessibleName(f"look {words}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(partial(self.look_from, side))
            row.addWidget(button)
        self.solid = QPushButton("Solid bone", bar)
        self.solid.setProperty("onpicture", True)
        self.solid.setCheckable(True)
        self.solid.setToolTip("Bone opaque, to see its surface, or seen through, to see what lies behind it (F)")
        self.solid.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.solid.clicked.connect(lambda _checked: self._show())
        row.addWidget(self.solid)
        bar.adjustSize()
        return bar


def _anatomy(scene: Scene, detail: Detail, kept: Mapping[str, Prepared], report: Report) -> Anatomy:
    report("meshes for the picture")
    prepared = prepare(scene, detail, kept)
    middle, radius = region(scene)
    return Anatomy(prepared, _vec(middle), radius)


def _load_graphics(report: Report) -> None:
    report("loading graphics")
    load_graphics()


def _vec(point: Sequence[float] | np.ndarray) -> Vec3:
    return (float(point[0]), float(point[1]), float(point[2]))
