"""Three slices through the tip: axial, coronal and sagittal, in a column beside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.link.board import Moment
from gui.slices import marks
from gui.slices.cutter import SliceCutter, SlicePictures
from gui.slices.model import Sight, SlicesModel
from gui.slices.painting import field_of
from navtwin.bus.words import name_words
from navtwin.nouns import Part, Rig
from navtwin.scene import palette
from navtwin.scene.model import Scene
from navtwin.scene.picture import UNKNOWN_TOOL_PART
from navtwin.scene.slices import PLANES, Plane

if TYPE_CHECKING:
    from gui.picture.bone import BoneDresser

#: How dark a slice becomes whose place is not that of an instrument now.
VEIL = 110
#: How narrow and how broad the column may be, in design pixels.
LEAST_WIDTH, MOST_WIDTH = 180, 560


class SlicePane(QWidget):
    """One slice. What it says stands apart from the painting: `words` over it, "" where the instrument is shown."""

    #: Steps of the wheel, and whether it was turned with Ctrl.
    turned = Signal(int, bool)

    def __init__(self, plane: Plane, scene: Scene, rig: Rig | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.plane = plane
        self.words, self.why = "UNKNOWN", ""
        self._scene, self._scale = scene, 1.0
        self._parts: dict[str, tuple[Part, ...]] = {t.name: t.part for t in rig.tool} if rig else {}
        self._looks = {s.name: (name_words(s.name), QColor(s.color)) for s in scene.structures}
        self._pictures: SlicePictures | None = None
        self._note = ""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(120, 100)

    def show_pictures(self, pictures: SlicePictures) -> None:
        self._pictures = pictures
        self.update()

    def say(self, words: str, why: str, note: str) -> None:
        """`words` and `why` over a hatched slice, `note` in its head."""
        if (words, why, note) != (self.words, self.why, self._note):
            self.words, self.why, self._note = words, why, note
            self.setAccessibleName(f"{self.plane} slice {words} {why} {note}".strip())
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(palette.BACKGROUND))
        if self._pictures is not None and self.plane in self._pictures.images:
            self._paint_slice(painter, self._pictures)
        if self.words:
            self._paint_unknown(painter)
        marks.draw_head(painter, self.width(), self.plane.capitalize(), self._note, self._scale)
        painter.setPen(QColor(palette.EDGE))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y()
        if steps:
            self.turned.emit(1 if steps > 0 else -1, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        event.accept()

    def _paint_slice(self, painter: QPainter, pictures: SlicePictures) -> None:
        request = pictures.request
        field = field_of(request, self.plane)
        painter.save()
        painter.scale(self.width() / field.width_px, self.height() / field.height_px)
        painter.drawImage(0, 0, pictures.images[self.plane])
        s = request.line_px
        for plan in self._scene.plans:
            marks.draw_plan(painter, plan, field, s)
        if not self.words and request.sight.known and request.sight.T_ct_from_tip is not None:
            marks.draw_crosshair(painter, field, s)
            parts = self._parts.get(request.sight.instrument, (UNKNOWN_TOOL_PART,))
            marks.draw_instrument(painter, request.sight.T_ct_from_tip, parts, field, s)
            marks.draw_names(painter, {name: (*self._looks[name], place) for name, place in pictures.names_px[self.plane].items()}, field, s)
        marks.draw_letters(painter, field, s)
        marks.draw_scale_bar(painter, field, s)
        painter.restore()

    def _paint_unknown(self, painter: QPainter) -> None:
        """A grey veil, a hatched band and the words: what lies below is a place of before."""
        s = self._scale
        painter.fillRect(self.rect(), QColor(28, 33, 37, VEIL))
        band = QRect(0, self.height() // 2 - round(25 * s), self.width(), round(50 * s))
        painter.setOpacity(0.9)
        theme.hatch(painter, band, 11.0 * s)
        painter.setOpacity(0.3)
        theme.hatch(painter, QRect(0, 0, self.width(), band.top()), 22.0 * s)
        theme.hatch(painter, QRect(0, band.bottom(), self.width(), self.height() - band.bottom()), 22.0 * s)
        painter.setOpacity(1.0)
        middle = band.center().toPointF()
        marks.write(painter, self.words, middle, 21.0 * s, palette.TEXT)
        if self.why:
            middle.setY(band.bottom() + 14.0 * s)
            marks.write(painter, self.why, middle, 13.0 * s, palette.TEXT, QFont.Weight.Medium)


class SlicesView(QWidget):
    """The column of slices, with the thread that cuts them."""

    def __init__(self, scene: Scene, rig: Rig | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = SlicesModel(scene)
        self.cutter = SliceCutter(scene)
        self.panes = {plane: SlicePane(plane, scene, rig, self) for plane in PLANES}
        self.scan_words = "loading the scan …"
        self.frozen = False
        self._pictures: SlicePictures | None = None
        self._scale, self._now_ns = 1.0, 0
        self._dresser: BoneDresser | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for pane in self.panes.values():
            pane.setToolTip("Slices through the tip: wheel or W changes the grey window, Ctrl and wheel, + or - the magnification, S hides them")
            pane.turned.connect(self._turned)
            layout.addWidget(pane, 1)
        self.cutter.cut.connect(self._came, Qt.ConnectionType.QueuedConnection)
        self.cutter.told.connect(self._told, Qt.ConnectionType.QueuedConnection)

    def follow_bone(self, dresser: BoneDresser) -> None:
        """Show drilled bone as it is dressed; to be called before the cutter starts."""
        self._dresser = dresser
        self.cutter.follow_bone(dresser)

    def show_moment(self, moment: Moment, now_ns: int, *, frozen: bool) -> None:
        """Follow the instrument, or say that it is not known. Cuts nothing itself: asks for it."""
        self.frozen, self._now_ns = frozen, now_ns
        if frozen or not self.isVisible():
            self._pictures = None
            self.model.forget()
            self._say(Sight("FROZEN", "not where the instrument is now", "", None) if frozen else self.model.look(moment))
            return
        sight = self.model.look(moment)
        if self._dresser is not None:
            self.model.bone = self._dresser.dressed.number
        if not sight.known:
            # When the instrument is known again, what was cut before is not where it is then.
            self._pictures = None
        request = self.model.wanted(self._sizes(), self._scale * self.devicePixelRatioF(), now_ns)
        if request is not None:
            self.cutter.ask(request)
        shown = self._pictures.request.sight if self._pictures else None
        if sight.known and shown is None:
            sight = Sight("LOADING", "", "", None)
        elif sight.known and shown is not None and (not shown.known or shown.instrument != sight.instrument or self.model.late(now_ns)):
            sight = Sight("LATE", "the slices lag behind the instrument", "", None)
        self._say(sight)

    def turn_window(self, steps: int = 1) -> None:
        """Another grey window."""
        self.model.choose_window(steps)

    def zoom(self, steps: int) -> None:
        """Nearer (positive) or farther."""
        self.model.zoom(steps)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setMinimumWidth(round(LEAST_WIDTH * scale))
        self.setMaximumWidth(round(MOST_WIDTH * scale))
        for pane in self.panes.values():
            pane.set_scale(scale)

    def sizeHint(self) -> QSize:
        return QSize(round(250 * self._scale), round(600 * self._scale))

    def _sizes(self) -> dict[Plane, tuple[int, int]]:
        ratio = self.devicePixelRatioF()
        return {plane: (max(16, round(p.width() * ratio)), max(16, round(p.height() * ratio))) for plane, p in self.panes.items()}

    def _say(self, sight: Sight) -> None:
        instrument = f"{name_words(sight.instrument)}: " if sight.instrument and sight.why else ""
        for plane, pane in self.panes.items():
            pane.say(sight.words, f"{instrument}{sight.why}", self._note(plane))

    def _note(self, plane: Plane) -> str:
        return self.scan_words or (f"{self.model.window} window" if plane == PLANES[0] else "")

    def _came(self, pictures: SlicePictures) -> None:
        self._pictures = pictures if not self.frozen else self._pictures
        self.model.came(pictures.request, self._now_ns)
        if not self.frozen:
            for pane in self.panes.values():
                pane.show_pictures(pictures)

    def _told(self, words: str) -> None:
        self.scan_words = words

    def _turned(self, steps: int, zooms: bool) -> None:
        if zooms:
            self.zoom(steps)
        else:
            self.turn_window(steps)
