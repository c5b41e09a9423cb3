"""One slice of the case: painted from what was cut, with the cursor, and turned into points of ct where the mouse is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.case.cutting import Slice
from gui.case.sights import Sights
from gui.slices import marks
from gui.slices.painting import to_px
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS, Plane

Painter = Callable[[QPainter, Field], None]
#: A notch of a wheel turns by this much.
NOTCH = 120
#: With Shift the wheel and the arrow keys go so many slices at once.
LEAP = 5

Doing = Literal["", "point", "pan", "window"]


class CasePane(QWidget):
    """One slice.

    Signals
    -------
    pressed, dragged, released : the left button, where a point was: (plane, point in ct, modifiers)
    hovered : the mouse, without a button: (plane, point in ct), (plane, None) when it leaves
    changed : what is seen has changed (scrolled, moved, magnified, other grey window); True where the other planes change with it
    doubled : a double click: (plane, point in ct)
    """

    pressed = Signal(str, object, object)
    dragged = Signal(str, object, object)
    released = Signal(str, object, object)
    hovered = Signal(str, object)
    doubled = Signal(str, object)
    changed = Signal(bool)

    def __init__(self, plane: Plane, parent: QWidget) -> None:
        super().__init__(parent)
        self.plane: Plane = plane
        self.sights: Sights | None = None
        self.overlays: Sequence[Painter] = ()
        self.note = ""
        self.crosshair = True
        self._slice: Slice | None = None
        self._scale = 1.0
        self._doing: Doing = ""
        self._at = QPoint()
        self._turned = 0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 90)
        self.setAccessibleName(f"{plane} slice")
        self.setToolTipDuration(4000)

    def show_slice(self, cut: Slice | None) -> None:
        self._slice = cut
        self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.update()

    def say(self, note: str) -> None:
        """A line in the pane's head."""
        if note != self.note:
            self.note = note
            self.setAccessibleDescription(note)
            self.update(0, 0, self.width(), round((marks.HEAD_PX + 1) * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(palette.BACKGROUND))
        if self.sights is not None:
            field = self.sights.field(self.plane)
            if self._slice is not None:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(_place(self._slice.request.field, field), self._slice.image)
            for paint in self.overlays:
                painter.save()
                paint(painter, field)
                painter.restore()
            if self.crosshair:
                draw_cursor(painter, self.sights.cursor_mm, field, self._scale)
            marks.draw_letters(painter, field, self._scale)
            marks.draw_scale_bar(painter, field, self._scale)
        marks.draw_head(painter, self.width(), self.plane.capitalize(), self.note, self._scale, elide=Qt.TextElideMode.ElideLeft)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(palette.PLAN if self.hasFocus() else palette.EDGE), 1.0))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.sights is not None:
            self.sights.resize(self.plane, self.width(), self.height())
            self.changed.emit(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        turned = event.angleDelta().y() or event.angleDelta().x()
        if self.sights is None or not turned:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.sights.zoom(self.plane, turned / NOTCH, event.position().x(), event.position().y())
            self.changed.emit(False)
            return
        # A touch pad turns by less than a notch at a time.
        self._turned += turned
        notches = int(self._turned / NOTCH)
        self._turned -= notches * NOTCH
        if notches:
            self.step(notches * (LEAP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1))

    def step(self, slices: int) -> None:
        """Go so many slices away from the viewer."""
        if self.sights is not None:
            self.sights.scroll(self.plane, slices)
            self.changed.emit(True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._at = event.position().toPoint()
        if self.sights is None or self._doing:
            return
        if event.button() == Qt.MouseButton.LeftButton:
            if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._doing = "window"
            else:
                self._doing = "point"
                self.pressed.emit(self.plane, self._point(event), event.modifiers())
        elif event.button() in (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton):
            self._doing = "pan"
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        moved = event.position().toPoint() - self._at
        self._at = event.position().toPoint()
        if self.sights is None:
            return
        if self._doing == "point":
            self.dragged.emit(self.plane, self._point(event), event.modifiers())
        elif self._doing == "pan":
            self.sights.pan(self.plane, moved.x(), moved.y())
            self.changed.emit(False)
        elif self._doing == "window":
            self.sights.drag_window(moved.x(), moved.y())
            self.changed.emit(True)
        else:
            self.hovered.emit(self.plane, self._point(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        # The button that began it ends it.
        ended, left = self._doing, event.button() == Qt.MouseButton.LeftButton
        if not ended or left != (ended != "pan"):
            return
        self._doing = ""
        self.unsetCursor()
        if ended == "point" and self.sights is not None:
            self.released.emit(self.plane, self._point(event), event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # The second click of two quick ones is a click too: whoever places points must not lose it.
        self.mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.sights is not None:
            self.doubled.emit(self.plane, self._point(event))

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(self.plane, None)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._turned = 0

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = LEAP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        slices = {Qt.Key.Key_Up: step, Qt.Key.Key_Down: -step, Qt.Key.Key_PageUp: LEAP, Qt.Key.Key_PageDown: -LEAP}.get(Qt.Key(event.key()))
        zooms = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}.get(Qt.Key(event.key()))
        if self.sights is None or (slices is None and zooms is None):
            super().keyPressEvent(event)
        elif slices is not None:
            self.step(slices)
        elif zooms is not None:
            self.sights.zoom(self.plane, zooms)
            self.changed.emit(False)

    def _point(self, event: QMouseEvent) -> Vec3:
        assert self.sights is not None
        return self.sights.point_at(self.plane, event.position().x(), event.position().y())


def draw_cursor(painter: QPainter, cursor_mm: Vec3, field: Field, s: float) -> None:
    """Lines through the point that all planes share, open where it is."""
    px = to_px(cursor_mm, field)
    x, y, gap = float(px[0]), float(px[1]), 9.0 * s
    painter.setPen(QPen(QColor(255, 255, 255, 120), 1.0 * s))
    for a, b in (((0.0, y), (x - gap, y)), ((x + gap, y), (field.width_px, y)), ((x, 0.0), (x, y - gap)), ((x, y + gap), (x, field.height_px))):
        if (b[0] - a[0]) + (b[1] - a[1]) > 0.0:
            painter.drawLine(QPointF(*a), QPointF(*b))


def _place(cut: Field, shown: Field) -> QRectF:
    """Where the image of a slice lies in a picture that has moved or been magnified since it was cut; an older slice lies as if it were this one."""
    across = ACROSS[cut.plane]
    at = list(cut.at_mm)
    at[across] = shown.at_mm[across]
    middle = to_px(at, shown)
    share = cut.mm_per_px / shown.mm_per_px
    wide, high = cut.width_px * share, cut.height_px * share
    return QRectF(float(middle[0]) - wide / 2.0, float(middle[1]) - high / 2.0, wide, high)
