"""The picture that follows the instrument: painted beside the window, or by a graphics card, as fine as there is time for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.picture.graphics import load_graphics
from gui.picture.image import ImagePane
from gui.picture.meshes import Mesher
from gui.picture.pace import Paintable, Shows
from gui.picture.quality import LADDER, START, Quality
from gui.picture.renderer import Ask, Frame, Renderer
from gui.picture.view3d import GLView, has_gl_widgets
from gui.picture.wishes import Act, Wishes
from navtwin.nouns import Rig, State
from navtwin.scene.detail import DETAILS, Detail, Drawn, triangle_shares
from navtwin.scene.model import Scene

if TYPE_CHECKING:
    from gui.picture.bone import BoneDresser
    from gui.picture.bone_painting import BonePainting


class LiveView(Paintable, Protocol):
    """A picture that never keeps the window waiting."""

    widget: QWidget

    def follow_bone(self, dresser: BoneDresser) -> None:
        """Show drilled bone as it is dressed."""

    def release(self) -> None:
        """Give thread and graphics back. Must come before the window is torn down."""


def open_live(scene: Scene, rig: Rig | None, parent: QWidget) -> LiveView:
    """A picture of a case that is there at once, empty, and fills as soon as it can."""
    return LivePane(scene, rig, parent)


class LivePane(ImagePane):
    """Painted off-screen by a thread of its own. Where that finds a graphics card, the card paints into the widget instead."""

    _delivered = Signal(object)
    _failed = Signal(str)
    _card_found = Signal()

    def __init__(self, scene: Scene, rig: Rig | None, parent: QWidget) -> None:
        self._wishes = Wishes()
        super().__init__(self._move, parent)
        self._scene, self._rig = scene, rig
        self.widget: QWidget = self
        self.on_painted: Callable[[State], None] = lambda _state: None
        self.frame: Frame | None = None
        self._fresh: State | None = None
        self._card: CardPane | None = None
        self._dresser: BoneDresser | None = None
        self._over = False
        self._asked = 0
        self._delivered.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._failed.connect(self._say_failed, Qt.ConnectionType.QueuedConnection)
        self._card_found.connect(self._go_to_card, Qt.ConnectionType.QueuedConnection)
        hardware = self._has_card if has_gl_widgets() else lambda _card: False
        self._renderer = Renderer(scene, rig, self._wishes, self._delivered.emit, self._failed.emit, hardware)
        self._renderer.start()

    @property
    def picture(self) -> Shows:
        return self._wishes

    def paint(self, *, still: bool = False) -> None:
        # What is hidden is painted when it is shown again.
        if self._over or not self.isVisible():
            return
        if self._card is not None:
            self._card.paint()
        else:
            size = self.size_px()
            self._asked += 1
            # Lines and figures in the picture grow with the window's type.
            type_scale = theme.scale_for(self.window().width(), self.window().height())
            self._renderer.ask(Ask(self._asked, (size.width(), size.height()), self.devicePixelRatioF() * type_scale, still))

    def cost_s(self) -> float | None:
        if self._card is not None:
            return self._card.cost_s()
        if self._renderer.busy:
            return None
        return self.frame.cost_s if self.frame is not None else 0.0

    @property
    def settled(self) -> bool:
        """Whether what was last asked for has been painted as fine as it may be, and is on the widget."""
        frame, finest = self.frame, self._renderer.quality.rung.detail
        return frame is not None and (frame.number, frame.detail) == (self._asked, finest) and self._fresh is None and not self._renderer.busy

    def follow_bone(self, dresser: BoneDresser) -> None:
        self._dresser = dresser
        if self._card is not None:
            self._card.follow_bone(dresser)
        else:
            self._renderer.follow_bone(dresser)

    def release(self) -> None:
        if not self._over:
            self._over = True
            self._renderer.stop()
            if self._card is not None:
                self._card.release()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._card is not None:
            self._card.widget.setGeometry(self.rect())
        self.paint(still=True)

    def showEvent(self, event: QShowEvent) -> None:
        self.paint(still=True)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._fresh is not None:
            state, self._fresh = self._fresh, None
            self._say_painted(state)

    def _move(self, act: Act) -> None:
        self._wishes.move(act)
        self.paint()

    def _take(self, frame: Frame) -> None:
        if not self._over:
            self.frame = frame
            self._fresh = frame.state or self._fresh
            self.set_pixels(frame.pixels)

    def _say_painted(self, state: State) -> None:
        self.on_painted(state)

    def _say_failed(self, fault: str) -> None:
        # Nothing is painted any more: what was painted last would soon be untrue.
        self.show_words(f"no 3D picture: {fault}\ndistances and alerts go on; open the case again to have it back")

    def _has_card(self, card: bool) -> bool:
        """Called by the thread that paints off-screen."""
        if card:
            # Takes a second, for which the window's thread has no time.
            load_graphics()
            self._card_found.emit()
        return card

    def _go_to_card(self) -> None:
        if not self._over:
            self._card = CardPane(self._scene, self._rig, self._wishes, self._say_painted, self)
            if self._dresser is not None:
                self._card.follow_bone(self._dresser)
            self._card.widget.setGeometry(self.rect())
            self._card.widget.show()
            self.paint()


class CardPane(QObject):
    """Painted by a graphics card, in the window's thread; it begins with few triangles and takes more as long as paintings are quick."""

    _made = Signal(str, object)
    _dressed = Signal()

    def __init__(self, scene: Scene, rig: Rig | None, wishes: Wishes, painted: Callable[[State], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._wishes, self._painted = wishes, painted
        self._view = GLView(scene, rig, "first", parent)
        self.widget = self._view.widget
        self._view.swapped.connect(self._swapped)
        self._state: State | None = None
        self._meshes: dict[Detail, Mapping[str, Drawn]] = {}
        self._drawn: Detail = "first"
        self._bone: BonePainting | None = None
        whole_pixels = LADDER[START:]
        self.quality = Quality({detail: sum(triangle_shares(scene, detail).values()) for detail in DETAILS}, whole_pixels, 0)
        self._dressed.connect(self.paint, Qt.ConnectionType.QueuedConnection)
        self._made.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._mesher = Mesher(scene, self._made.emit)
        self._mesher.start()
        self._mesher.ask("light")

    def paint(self) -> None:
        wanted = self.quality.rung.detail
        if wanted in self._meshes and wanted != self._drawn:
            drawn = self._meshes[wanted]
            self._view.picture.redraw(self._bone.level(drawn) if self._bone is not None else drawn)
            self._drawn = wanted
        if self._bone is not None:
            self._bone.take(self._view.picture)
        self._state = self._wishes.carry_out(self._view.picture) or self._state
        self._view.paint()

    def follow_bone(self, dresser: BoneDresser) -> None:
        """As `LiveView.follow_bone`."""
        from gui.picture.bone_painting import BonePainting

        self._bone = BonePainting(dresser)
        dresser.listen(self._dressed.emit)
        self.paint()

    def cost_s(self) -> float | None:
        return self._view.cost_s()

    def release(self) -> None:
        self._mesher.stop()
        self._mesher.join(1.0)
        self._view.release()

    def _swapped(self) -> None:
        cost_s = self._view.cost_s()
        if cost_s is None:
            return
        self.quality.painted(cost_s, time.monotonic_ns(), calm=not self._wishes.alerted, ready=self._meshes)
        if self.quality.wanted:
            self._mesher.ask(self.quality.wanted)
        if self._state is not None:
            state, self._state = self._state, None
            self._painted(state)

    def _take(self, detail: Detail, drawn: Mapping[str, Drawn]) -> None:
        self._meshes[detail] = drawn
        self.paint()
