"""The thread that loads a case's scan and cuts its slices: each plane apart, and only the newest that was asked for."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from gui.slices.cutter import REST_SHARE, TURN_S
from gui.slices.painting import CRITICAL_WIDTH, DASHES, NO_SCAN, OTHER_WIDTH, flat_to_px
from gui.slices.scan import read_scan
from navtwin.nouns import Role
from navtwin.scene.crossings import Crossings
from navtwin.scene.looks import VEIL_OPACITY
from navtwin.scene.model import Scene, Structure
from navtwin.scene.reslice import Field, Reslicer
from navtwin.scene.slices import Plane

LOADING = "loading the scan …"
RIM = QColor(0, 0, 0, 110)


@dataclass(frozen=True)
class Look:
    """How a structure is drawn now, written to the case or not."""

    color: str
    opacity: float
    role: Role
    visible: bool


@dataclass(frozen=True)
class Request:
    """A slice to be cut: where (in pixels of the screen), through which grey window (centre, width, HU), with which outlines, how thick a line."""

    field: Field
    window_hu: tuple[float, float]
    looks: Mapping[str, Look]
    line_px: float


@dataclass(frozen=True)
class Slice:
    """A slice as cut."""

    request: Request
    image: QImage


def looks_of(scene: Scene) -> dict[str, Look]:
    """How the structures of a case are drawn as it is written; veils are hidden at first."""
    return {s.name: Look(s.color, s.opacity, s.role, s.role == "critical" or s.opacity >= VEIL_OPACITY) for s in scene.structures}


class CaseCutter(QObject):
    """Cuts slices in a thread of its own, of one case after another.

    Signals
    -------
    cut : Slice, when one is ready
    loaded : Volume, once the scan is read
    told : a line on what the scan is like: it is being loaded, has no HU, cannot be read; "" when all is well
    outlined : the outlines of one more structure can be cut
    """

    cut = Signal(object)
    loaded = Signal(object)
    told = Signal(str)
    outlined = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._change = threading.Condition()
        self._wanted: dict[Plane, Request] = {}
        self._scene: Scene | None = None
        self._opened: Scene | None = None
        self._over = False
        # These belong to the thread.
        self._scan_key: tuple[Path, int, int] | None = None
        self._reslicer: Reslicer | None = None
        self._crossings: dict[str, tuple[npt.NDArray[np.float64], Crossings]] = {}
        self._thread = threading.Thread(target=self._run, name="navtwin-case-slices", daemon=True)

    def open(self, scene: Scene | None) -> None:
        """Cut this case from now on; of what is loaded, all that is the same is kept."""
        with self._change:
            self._opened, self._wanted = scene, {}
            self._change.notify()
        if scene is not None and not self._thread.is_alive():
            sys.setswitchinterval(TURN_S)
            self._thread.start()

    def ask(self, request: Request) -> None:
        """Cut this slice as soon as may be, instead of any of its plane that was asked for before and is not begun."""
        with self._change:
            # A plane that waits keeps its place in the row: none starves while another is scrolled.
            self._wanted[request.field.plane] = request
            self._change.notify()

    def stop(self) -> None:
        """End the thread; what it has begun it finishes first."""
        with self._change:
            self._over = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._change:
                while not (self._over or self._wanted or self._opened is not self._scene or self._uncut()):
                    self._change.wait()
                if self._over:
                    return
                opened = self._opened
                request = self._wanted.pop(next(iter(self._wanted))) if self._wanted else None
            if opened is not self._scene:
                self._take(opened)
            if request is not None and self._scene is not None:
                self._cut(request)
            elif (structure := self._uncut()) is not None:
                surface = structure.surface
                self._crossings[structure.name] = (surface.vertices_mm, Crossings(surface.vertices_mm, surface.faces))
                self.outlined.emit()

    def _cut(self, request: Request) -> None:
        begun = time.perf_counter()
        crossings = {name: crossing for name, (_, crossing) in self._crossings.items()}
        self.cut.emit(Slice(request, paint(self._reslicer, crossings, request)))
        time.sleep(REST_SHARE * (time.perf_counter() - begun))

    def _take(self, scene: Scene | None) -> None:
        """Another case: load its scan unless it is the one that is loaded, and forget the outlines of surfaces that are not the same."""
        self._scene = scene
        if scene is None:
            self._scan_key, self._reslicer, self._crossings = None, None, {}
            return
        surfaces = {s.name: s.surface.vertices_mm for s in scene.structures}
        self._crossings = {
            name: kept for name, kept in self._crossings.items() if name in surfaces and np.array_equal(kept[0], surfaces[name])
        }  # fmt: skip
        key = _identity(scene.ct_path)
        if key is None or key != self._scan_key:
            self._scan_key, self._reslicer = key, None
            self._load(scene.ct_path)

    def _load(self, path: Path) -> None:
        self.told.emit(LOADING)
        volume, words = read_scan(path)
        if volume is not None:
            self._reslicer = Reslicer(volume)
            self.loaded.emit(volume)
        self.told.emit(words)

    def _uncut(self) -> Structure | None:
        """The next structure whose outlines cannot be cut yet: those that can warn first, the largest last."""
        left = [s for s in self._scene.structures if s.name not in self._crossings] if self._scene else []
        return min(left, key=lambda s: (s.role != "critical", len(s.surface.faces)), default=None)


def paint(reslicer: Reslicer | None, crossings: Mapping[str, Crossings], request: Request) -> QImage:
    """The image of a slice: the scan's grey and the outlines of the structures over it. Images only, no widget and no text."""
    field = request.field
    image = _grey(reslicer, field, request.window_hu)
    critical = [name for name, look in request.looks.items() if look.role == "critical"]
    reach_mm = max(field.width_px, field.height_px) * field.mm_per_px / 2.0 + 3.0
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # Critical outlines last: nothing else may lie over them.
    for name, look in sorted(request.looks.items(), key=lambda item: item[1].role == "critical"):
        if not look.visible or name not in crossings:
            continue
        dashes = DASHES[critical.index(name) % len(DASHES)] if name in critical else ()
        pen = outline_pen(look, dashes, request.line_px)
        lines = [
            QPolygonF([QPointF(x, y) for x, y in _one_to_a_pixel(flat_to_px(line, field)).tolist()])
            for line in crossings[name].lines(field.plane, field.at_mm, reach_mm)
        ]
        # Bone is drawn in the colour of bone: on white it needs a dark rim to be seen.
        for shade in (QPen(RIM, pen.widthF() + 1.6 * request.line_px), pen):
            painter.setPen(shade)
            for line in lines:
                painter.drawPolyline(line)
    painter.end()
    return image


def outline_pen(look: Look, dashes: tuple[float, ...], line_px: float) -> QPen:
    """How an outline is drawn: critical ones thick, each with dashes of its own."""
    pen = QPen(QColor(look.color), line_px * (CRITICAL_WIDTH if look.role == "critical" else OTHER_WIDTH))
    if dashes:
        pen.setDashPattern(list(dashes))
    return pen


def _grey(reslicer: Reslicer | None, field: Field, window_hu: tuple[float, float]) -> QImage:
    if reslicer is None:
        image = QImage(field.width_px, field.height_px, QImage.Format.Format_RGB32)
        image.fill(QColor(NO_SCAN))
        return image
    grey = reslicer.grey(field, *window_hu)
    # Converted at once: the image must not outlive the bytes that it looks at.
    whole = QImage(grey.tobytes(), field.width_px, field.height_px, field.width_px, QImage.Format.Format_Grayscale8)
    return whole.convertToFormat(QImage.Format.Format_RGB32)


def _one_to_a_pixel(line_px: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A line without the points that share a pixel with the one before; its ends stay."""
    pixel = np.floor(line_px)
    kept = np.concatenate(([True], (pixel[1:] != pixel[:-1]).any(axis=1)))
    kept[-1:] = True
    return line_px[kept]


def _identity(path: Path) -> tuple[Path, int, int] | None:
    """By what a file is known to be the same; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (path, found.st_mtime_ns, found.st_size)
