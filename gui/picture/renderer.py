"""The thread that paints off-screen: neither the alerts nor anything else in the window ever waits for a painting. No Qt.

All of VTK's objects of one picture are made, changed and given back in this thread alone.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gui.picture.graphics import load_graphics
from gui.picture.meshes import Mesher, be_nice
from gui.picture.quality import Quality
from gui.picture.wishes import Wishes
from navtwin.nouns import Rig, State
from navtwin.scene.detail import DETAILS, Detail, Drawn, triangle_shares
from navtwin.scene.model import Scene

if TYPE_CHECKING:
    from gui.picture.bone import BoneDresser
    from gui.picture.bone_painting import BonePainting
    from navtwin.scene.picture import Picture

#: The core and the window's own thread come first where there are few processors.
NICE = 3
FIRST_SIZE_PX = (640, 480)
LEAST_PX = 64


@dataclass(frozen=True)
class Frame:
    """A painted picture.

    Attributes
    ----------
    number : of the ask
    pixels : (rows, columns, 3) uint8, the first row on top
    state : the message whose state it is the first to show, None where that is no new one
    cost_s : how long the painting took
    detail, scale : how fine it is
    """

    number: int
    pixels: npt.NDArray[np.uint8]
    state: State | None
    cost_s: float
    detail: Detail
    scale: float


@dataclass(frozen=True)
class Ask:
    """`size_px` : of the widget, in pixels of the screen; `ratio` : such pixels for each of the design's; `still` : as in `LiveView.paint`."""

    number: int
    size_px: tuple[int, int]
    ratio: float
    still: bool


class Renderer(threading.Thread):
    """Paints a picture when asked, the newest ask only.

    Parameters
    ----------
    wishes : what the picture is to show
    deliver : called from this thread with each painted picture
    failed : called from this thread where it ends for a fault, with what it is
    hardware : called once from this thread, with whether a graphics card draws; where it returns true this thread leaves the picture to others
    """

    def __init__(
        self,
        scene: Scene,
        rig: Rig | None,
        wishes: Wishes,
        deliver: Callable[[Frame], None],
        failed: Callable[[str], None],
        hardware: Callable[[bool], bool] = lambda _card: False,
    ) -> None:
        super().__init__(name="navtwin-picture", daemon=True)
        self._scene, self._rig, self._wishes = scene, rig, wishes
        self._deliver, self._failed, self._hardware = deliver, failed, hardware
        self._there = threading.Condition()
        self._ask: Ask | None = None
        self._painting = False
        self._over = False
        self._last: Ask | None = None
        self._size_px = (0, 0)
        self._meshes: dict[Detail, Mapping[str, Drawn]] = {}
        self._drawn: Detail = "first"
        self._bone: BonePainting | None = None
        self._mesher = Mesher(scene, self._meshes_ready)
        self.quality = Quality({detail: sum(triangle_shares(scene, detail).values()) for detail in DETAILS})

    @property
    def busy(self) -> bool:
        """Whether a painting is asked for, or under way."""
        with self._there:
            return self._painting or self._ask is not None

    def ask(self, ask: Ask) -> None:
        """Paint soon."""
        with self._there:
            self._ask = ask
            self._there.notify()

    def follow_bone(self, dresser: BoneDresser) -> None:
        """Paint drilled bone as it is dressed."""
        from gui.picture.bone_painting import BonePainting

        self._bone = BonePainting(dresser)
        dresser.listen(self._paint_again)
        self._paint_again()

    def stop(self, patience_s: float = 3.0) -> None:
        """Give the graphics back; returns when that is done."""
        with self._there:
            self._over = True
            self._there.notify()
        self._mesher.stop()
        self.join(patience_s)
        if self._mesher.ident is not None:
            self._mesher.join(patience_s)

    def run(self) -> None:
        be_nice(NICE)
        try:
            self._run()
        except Exception as error:
            self._failed(f"{type(error).__name__}: {error}")
            raise
        finally:
            give_memory_back()

    def _run(self) -> None:
        load_graphics(qt=False)
        from navtwin.scene.picture import Picture, draws_by_processor, open_plotter, render_window

        plotter = open_plotter(FIRST_SIZE_PX)
        try:
            if self._over or self._hardware(not draws_by_processor(plotter)):
                return
            picture = Picture(plotter, self._scene, self._rig, "first")
            self._mesher.start()
            self._mesher.ask("light")
            window = render_window(plotter)
            for smooth in (True, False):
                # The first painting of each kind builds programs for the graphics: it says nothing of what the next will cost.
                plotter.renderer.SetUseFXAA(smooth)
                window.Render()
            while (ask := self._next()) is not None:
                self._paint(picture, window, ask)
        finally:
            plotter.close()

    def _next(self) -> Ask | None:
        """Wait for an ask; None at the end."""
        with self._there:
            self._there.wait_for(lambda: self._over or self._ask is not None)
            if self._over:
                return None
            ask, self._ask, self._painting = self._ask, None, True
            self._last = ask
            return ask

    def _paint(self, picture: Picture, window: Any, ask: Ask) -> None:
        begun = time.perf_counter()
        detail = self._take_meshes(picture)
        if self._bone is not None:
            self._bone.take(picture)
        state = self._wishes.carry_out(picture)
        scale = self.quality.still_scale() if ask.still else self.quality.rung.scale
        self._fit(picture, ask, scale)
        picture.plotter.renderer.SetUseFXAA(ask.still)
        window.Render()
        pixels = front_pixels(window)
        cost_s = time.perf_counter() - begun
        if not ask.still:
            self.quality.painted(cost_s, time.monotonic_ns(), calm=not self._wishes.alerted, ready=self._meshes)
            if self.quality.wanted:
                self._mesher.ask(self.quality.wanted)
        with self._there:
            self._painting = False
        self._deliver(Frame(ask.number, pixels, state, cost_s, detail, scale))

    def _fit(self, picture: Picture, ask: Ask, scale: float) -> None:
        """Set the size of what is painted."""
        if ask.size_px != self._size_px:
            self._size_px = ask.size_px
            self.quality.forget()
        width, height = (max(LEAST_PX, round(scale * side)) for side in ask.size_px)
        if tuple(picture.plotter.window_size) != (width, height):
            picture.plotter.window_size = [width, height]
            picture.set_pixel_scale(ask.ratio * scale)

    def _take_meshes(self, picture: Picture) -> Detail:
        """Draw the level of detail that the quality asks for, or the finest below it that is ready."""
        below = DETAILS[: DETAILS.index(self.quality.rung.detail) + 1]
        finest: Detail = next((detail for detail in reversed(below) if detail in self._meshes), "first")
        if finest != self._drawn:
            drawn = self._meshes[finest]
            picture.redraw(self._bone.level(drawn) if self._bone is not None else drawn)
            self._drawn = finest
        return self._drawn

    def _meshes_ready(self, detail: Detail, drawn: Mapping[str, Drawn]) -> None:
        self._meshes[detail] = drawn
        self._paint_again()

    def _paint_again(self) -> None:
        """What is shown is painted anew, also where nothing moves."""
        with self._there:
            self._ask = self._ask or self._last
            self._there.notify()


def give_memory_back() -> None:
    """Return to the system what its allocator keeps for threads that are gone: each case that is opened would leave twenty megabytes."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def front_pixels(window: Any) -> npt.NDArray[np.uint8]:
    """The front buffer of a VTK window, (rows, columns, 3), the first row on top."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

    width, height = window.GetSize()
    raw = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, width - 1, height - 1, 1, raw, 0)
    return np.ascontiguousarray(vtk_to_numpy(raw).reshape(height, width, 3)[::-1])
