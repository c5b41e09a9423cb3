"""Three slices of the case on one cursor, and a place for the picture beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.case.cutting import LOADING, CaseCutter, Look, Request, Slice, looks_of
from gui.case.pane import CasePane, Painter
from gui.case.sights import WINDOW_NAMES, WINDOWS, Sights, hu_at
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene
from navtwin.scene.reslice import Field
from navtwin.scene.slices import PLANES, Plane
from navtwin.volumes.volume import Volume

SETTINGS = ("navtwin", "gui")
TIP = (
    "{plane} slice. Wheel or arrow keys: slice by slice (Shift: five). Ctrl and wheel, + and -: magnify. Right or middle button: move. "
    "W or Alt and drag: grey window. Home: all of it. X or double click: this one alone. O: outlines."
)
#: Row and column of each pane; the picture has the fourth place.
PLACES: dict[Plane, tuple[int, int]] = {"axial": (0, 0), "coronal": (1, 0), "sagittal": (1, 1)}
#: Asked first where the left button goes down, and then as it moves and is let go; True where it was taken.
Taker = Callable[[str, Plane, Vec3], bool]


class CaseSlices(QWidget):
    """Axial, coronal and sagittal slices of the open case.

    A left press or drag moves the cursor; after `grab_mouse(True)` it does nothing of itself, and whoever listens to `pressed` has it.

    Signals
    -------
    pressed, dragged, released : the left button: (plane, point in ct (x, y, z) mm, Qt.KeyboardModifiers)
    hovered : the mouse without a button: (plane, point in ct, or None when it has left)
    cursor_moved : the cursor: a point in ct
    volume_loaded : the scan is there: `volume` is not None from now on
    window_changed : the grey window, in words
    """

    pressed = Signal(str, object, object)
    dragged = Signal(str, object, object)
    released = Signal(str, object, object)
    hovered = Signal(str, object)
    cursor_moved = Signal(object)
    volume_loaded = Signal(object)
    window_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sights: Sights | None = None
        self.volume: Volume | None = None
        self.scan_words = ""
        self.looks: dict[str, Look] = {}
        self.outlines = True
        self.taker: Taker | None = None
        self.cutter = CaseCutter()
        self.panes = {plane: CasePane(plane, self) for plane in PLANES}
        self.alone: QWidget | None = None
        self._scene: Scene | None = None
        self._grabbed = False
        self._taken = False
        self._painters: dict[str, tuple[Painter, ...]] = {}
        self._asked: dict[Plane, Request] = {}
        self._scale = 1.0
        self._fourth: QWidget | None = None
        self._mouse: tuple[Plane, Vec3] | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        for plane, pane in self.panes.items():
            self._grid.addWidget(pane, *PLACES[plane])
            pane.setToolTip(TIP.format(plane=plane.capitalize()))
            pane.pressed.connect(self._press)
            pane.dragged.connect(self._drag)
            pane.released.connect(self._release)
            pane.hovered.connect(self._hover)
            pane.doubled.connect(lambda plane, _point: self._doubled(plane))
            pane.changed.connect(self._changed)
        # Several changes within one turn of the window's loop are cut once.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._ask)
        self.cutter.cut.connect(self._came, Qt.ConnectionType.QueuedConnection)
        self.cutter.told.connect(self._told, Qt.ConnectionType.QueuedConnection)
        self.cutter.loaded.connect(self._loaded, Qt.ConnectionType.QueuedConnection)
        self.cutter.outlined.connect(self._again, Qt.ConnectionType.QueuedConnection)

    def set_scene(self, scene: Scene | None) -> None:
        """Show another case, or the same one with other contents: then the view stays where it is."""
        same = scene is not None and self._scene is not None and self._scene.ct_path == scene.ct_path and self._scene.volume == scene.volume
        self._scene = scene
        self.looks = looks_of(scene) if scene is not None else {}
        if not same:
            kept = str(QSettings(*SETTINGS).value("case/window", WINDOW_NAMES[0]))
            window = next((WINDOWS[name] for name in WINDOW_NAMES if name == kept), WINDOWS[WINDOW_NAMES[0]])
            self.volume = None
            self.sights = Sights(scene.volume, window_hu=window) if scene is not None else None
            self.scan_words = LOADING if scene is not None else ""
            for pane in self.panes.values():
                pane.sights = self.sights
                pane.show_slice(None)
                if self.sights is not None:
                    self.sights.resize(pane.plane, pane.width(), pane.height())
        self.cutter.open(scene)
        self._changed(True)
        if self.sights is not None and not same:
            self.cursor_moved.emit(self.sights.cursor_mm)

    def set_looks(self, looks: Mapping[str, Look]) -> None:
        """Draw the outlines otherwise than the case says: a draft."""
        if looks != self.looks:
            self.looks = dict(looks)
            self._again()

    def set_painters(self, painters: Sequence[Painter], whose: str = "tool") -> None:
        """What draws over every pane, in pixels of its `Field`; replaces what the same owner had set."""
        self._painters[whose] = tuple(painters)
        for pane in self.panes.values():
            pane.overlays = tuple(paint for owner in sorted(self._painters) for paint in self._painters[owner])
            pane.update()

    def repaint_overlays(self) -> None:
        """What the painters draw has changed."""
        for pane in self.panes.values():
            pane.update()

    def grab_mouse(self, on: bool) -> None:
        """Whether left presses are a tool's, and not the cursor's."""
        self._grabbed = on
        self.point_at(on)

    @property
    def cursor_mm(self) -> Vec3 | None:
        """The point that the planes share, ct; None without a case."""
        return None if self.sights is None else self.sights.cursor_mm

    def field(self, plane: Plane) -> Field | None:
        """What a pane shows now, in its own pixels; None without a case."""
        return None if self.sights is None else self.sights.field(plane)

    def point_at(self, on: bool) -> None:
        """Show by the mouse's form that a click sets a point."""
        for pane in self.panes.values():
            pane.setCursor(Qt.CursorShape.CrossCursor) if on or self._grabbed else pane.unsetCursor()

    def go_to(self, point_mm: Vec3) -> None:
        """Bring all planes to a point of ct."""
        if self.sights is not None:
            self.sights.go_to(point_mm)
            self._changed(True)

    def turn_window(self, steps: int = 1) -> None:
        """Another grey window."""
        if self.sights is not None:
            self.sights.turn_window(steps)
            QSettings(*SETTINGS).setValue("case/window", self.sights.window_name)
            self._changed(True)

    def fit(self) -> None:
        """See the whole scan in every pane."""
        if self.sights is not None:
            self.sights.fit()
            self._changed(True)

    def show_outlines(self, visible: bool) -> None:
        """With or without the outlines of structures: to see what the scan itself shows."""
        self.outlines = visible
        self._again()

    def set_fourth(self, widget: QWidget) -> None:
        """Put the picture into the fourth place."""
        if self._fourth is not None:
            self._grid.removeWidget(self._fourth)
        self._fourth = widget
        self._grid.addWidget(widget, 0, 1)
        self.show_alone(self.alone)

    def show_alone(self, widget: QWidget | None) -> None:
        """One of the four over all of the place; None for all four."""
        self.alone = widget
        for one in (*self.panes.values(), self._fourth):
            if one is not None:
                one.setVisible(widget is None or one is widget)
        for n in (0, 1):
            row, column = self._cell(widget)
            self._grid.setRowStretch(n, 1 if widget is None or row == n else 0)
            self._grid.setColumnStretch(n, 1 if widget is None or column == n else 0)

    def turn_alone(self) -> None:
        """The pane with the focus, or under the mouse, alone; or all four again."""
        if self.alone is not None:
            self.show_alone(None)
            return
        four = [*self.panes.values(), *([self._fourth] if self._fourth is not None else [])]
        self.show_alone(next((one for one in four if one.underMouse()), next((one for one in four if one.hasFocus()), four[0])))

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for pane in self.panes.values():
            pane.set_scale(scale)
        self._again()

    def release(self) -> None:
        """The window closes."""
        self.cutter.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._again()

    def _cell(self, widget: QWidget | None) -> tuple[int, int]:
        return next((PLACES[plane] for plane, pane in self.panes.items() if pane is widget), (0, 1))

    def _changed(self, everywhere: bool) -> None:
        if everywhere and self.sights is not None:
            self.cursor_moved.emit(self.sights.cursor_mm)
            self.window_changed.emit(self.sights.window_words)
        for pane in self.panes.values():
            pane.update()
        self._say()
        self._soon.start()

    def _again(self) -> None:
        """Cut all once more, whatever was asked for."""
        self._asked = {}
        self._soon.start()

    def _ask(self) -> None:
        if self.sights is None:
            return
        ratio = self.devicePixelRatioF()
        looks = self.looks if self.outlines else {}
        for plane, pane in self.panes.items():
            if not pane.isVisible():
                continue
            field = self.sights.field(plane)
            fine = replace(
                field, mm_per_px=field.mm_per_px / ratio, width_px=round(field.width_px * ratio), height_px=round(field.height_px * ratio)
            )  # fmt: skip
            request = Request(fine, self.sights.window_hu, dict(looks), self._scale * ratio)
            if request != self._asked.get(plane):
                self._asked[plane] = request
                self.cutter.ask(request)

    def _came(self, cut: Slice) -> None:
        # What was asked for before another case was opened may come late.
        if self.sights is not None and cut.request.field.plane in self._asked:
            self.panes[cut.request.field.plane].show_slice(cut)

    def _told(self, words: str) -> None:
        self.scan_words = words
        self._say()

    def _loaded(self, volume: Volume) -> None:
        if self._scene is not None and volume.path == self._scene.ct_path:
            self.volume = volume
            self._again()
            self.volume_loaded.emit(volume)

    def _say(self) -> None:
        if self.sights is None:
            return
        for plane, pane in self.panes.items():
            number, count = self.sights.slice_number(plane)
            words = [self.scan_words] if self.scan_words else [self.sights.window_words] if plane == PLANES[0] else []
            if self._mouse is not None and self._mouse[0] == plane and self.volume is not None:
                hu = hu_at(self.volume, self._mouse[1])
                words.insert(0, "— HU" if hu is None else f"{hu:.0f} HU")
            pane.say("   ".join([*words, f"{number}/{count}", self.sights.place_words(plane)]))

    def _press(self, plane: Plane, point: Vec3, modifiers: Qt.KeyboardModifier) -> None:
        self._taken = not self._grabbed and self.taker is not None and self.taker("press", plane, point)
        if not self._grabbed and not self._taken:
            self.go_to(point)
        self.pressed.emit(plane, point, modifiers)

    def _drag(self, plane: Plane, point: Vec3, modifiers: Qt.KeyboardModifier) -> None:
        self._mouse = (plane, point)
        if self._taken and self.taker is not None:
            self.taker("drag", plane, point)
        elif not self._grabbed:
            self.go_to(point)
        self.dragged.emit(plane, point, modifiers)

    def _release(self, plane: Plane, point: Vec3, modifiers: Qt.KeyboardModifier) -> None:
        if self._taken and self.taker is not None:
            self.taker("release", plane, point)
        self._taken = False
        self.released.emit(plane, point, modifiers)

    def _hover(self, plane: Plane, point: Vec3 | None) -> None:
        self._mouse = None if point is None else (plane, point)
        self._say()
        self.hovered.emit(plane, point)

    def _doubled(self, plane: Plane) -> None:
        if not self._grabbed and not self._taken:
            self.show_alone(None if self.alone is not None else self.panes[plane])
