"""The thread that loads the scan once the window is up, and then cuts the slices: not in the window's own thread, and only the newest asked for."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui.slices.model import Request
from gui.slices.painting import Cuts, paint_slice
from gui.slices.scan import read_scan
from navtwin.scene.crossings import Crossings
from navtwin.scene.model import Scene
from navtwin.scene.slices import Plane

if TYPE_CHECKING:
    from gui.picture.bone import BoneDresser

#: Between two cuts the thread rests for this share of the time that they took: the alerts' thread shares the processor with it.
REST_SHARE = 0.5
#: Python's threads take turns of 5 ms unless told: too long for a window's thread that waits for its turn at every stroke that it draws.
TURN_S = 0.0005


@dataclass(frozen=True)
class SlicePictures:
    """Slices as cut: for what they were asked, their images, and where the names of outlines belong, in pixels."""

    request: Request
    images: dict[Plane, QImage]
    names_px: dict[Plane, dict[str, tuple[float, float]]]


class SliceCutter(QObject):
    """Cuts slices in a thread of its own.

    Signals
    -------
    cut : SlicePictures, when slices are ready
    told : a line on what the scan is like: it is being loaded, has no HU, cannot be read; "" when all is well
    """

    cut = Signal(object)
    told = Signal(str)

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self._scene = scene
        self._wanted: Request | None = None
        self._change = threading.Condition()
        self._over = False
        self._drilled: BoneDresser | None = None
        self._thread = threading.Thread(target=self._run, name="navtwin-slices", daemon=True)

    def follow_bone(self, dresser: BoneDresser) -> None:
        """Show drilled bone as it is dressed; to be called before `start`."""
        self._drilled = dresser

    def start(self) -> None:
        """Begin to load."""
        if not self._thread.is_alive():
            sys.setswitchinterval(TURN_S)
            self._thread.start()

    def ask(self, request: Request) -> None:
        """Cut these slices as soon as may be, instead of any that were asked for before and are not begun."""
        with self._change:
            self._wanted = request
            self._change.notify()

    def stop(self) -> None:
        """End the thread; what it has begun it finishes first."""
        with self._change:
            self._over = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        self.told.emit("loading the scan …")
        crossings = {}
        for structure in self._scene.structures:
            if self._over:
                return
            crossings[structure.name] = Crossings(structure.surface.vertices_mm, structure.surface.faces)
        cuts = Cuts(self._scene, crossings, drilled=self._drilled)
        volume, words = read_scan(self._scene.ct_path)
        if volume is not None:
            cuts.load(volume)
        self.told.emit(words)
        while (request := self._next()) is not None:
            begun = time.perf_counter()
            pictures = SlicePictures(request, {}, {})
            for plane in request.sizes_px:
                pictures.images[plane], pictures.names_px[plane] = paint_slice(cuts, request, plane)
            self.cut.emit(pictures)
            time.sleep(REST_SHARE * (time.perf_counter() - begun))

    def _next(self) -> Request | None:
        with self._change:
            while self._wanted is None and not self._over:
                self._change.wait()
            request, self._wanted = self._wanted, None
            return None if self._over else request
