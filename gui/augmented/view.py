"""The augmented view: the live picture, and over it the patient's anatomy, plan and instruments as that picture's own poses have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.augmented.controls import Controls
from gui.augmented.crop import MOST_ZOOM, WHOLE, ZOOMS, Sight, crop_of
from gui.augmented.depths import Depths
from gui.augmented.drawing import Prepared, can_drill
from gui.augmented.labels import paint_banner, paint_labels, paint_plate
from gui.augmented.legend import paint_legend
from gui.augmented.model import NO_PICTURE_NS, Context, Fade, Verdict, age_ns, differs, hidden_words, judge
from gui.augmented.painting import Label
from gui.augmented.reader import Look, PictureReader, Shown, VideoSource, fitted
from gui.desktop.desk import Desk
from gui.link.board import MS, Moment
from gui.link.shared_bone import SharedBone
from navtwin.bus.words import duration_words, printable
from navtwin.scene import palette

#: Of the picture's age only so many ms can be told apart by eye, and it is written anew as seldom.
AGE_STEP_MS = 10
#: Above the view's own rows lies that of whoever holds it, px at scale 1; its rows are so high.
HEAD_PX, ROW_PX = 46.0, 42.0
#: How much larger one step of the wheel makes the picture.
WHEEL = 1.25
#: Opacity of a label below which it is not written: half a word is worse than none.
LEGIBLE = 0.5


class AugmentedView(QWidget):
    """One camera's picture with its overlay.

    Parameters
    ----------
    desk : case and rig that are open
    open_video : called in a thread with a camera's name, "" for whichever there is; gives what pictures come from

    Attributes
    ----------
    why : why the patient is not drawn now, "" if he is
    words : what is written below the switches: what is not drawn, and why
    sight : which part of the picture is shown, and how large
    """

    def __init__(self, desk: Desk, open_video: Callable[[str], VideoSource], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._open = desk, open_video
        self.controls = Controls(self)
        self.controls.changed.connect(self._look_on)
        self.controls.changed.connect(self.update)
        self.controls.camera_wanted.connect(self._next_camera)
        self.controls.zoom_wanted.connect(self.zoom)
        self.why = self.words = self.age_words = self.trouble = ""
        self.fade, self.sight = Fade(), WHOLE
        self._camera = 0
        self._reader: PictureReader | None = None
        self._leaving = list[PictureReader]()
        self._prepared: Prepared | None = None
        self._preparing, self._unready = False, ""
        self._context: Context | None = None
        self._rigs: tuple[tuple[str, Path | None], bool] | None = None
        self._bone: SharedBone | None = None
        self._shown: Shown | None = None
        # The last picture over which the patient was drawn: what fades is its overlay.
        self._held: Shown | None = None
        self._since_ns, self._gap_ns = 0, 0
        self._top = self._frozen = False
        self._scale = 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(320, 220)
        self.setAccessibleName("Live picture with overlay")
        desk.case_changed.connect(self._opened_other)
        desk.rig_changed.connect(self._opened_other)

    def entered(self) -> None:
        """Begin to receive."""
        if self._reader is None:
            self._ask_drilling()
            self._prepare()
            self._begin()

    def left(self) -> None:
        """Receive no more; what was shown is forgotten, for it will be old."""
        if self._reader is not None:
            self._reader.came.disconnect(self._came)
            self._reader.told.disconnect(self._told)
            self._reader.stop()
            self._leaving = [*(reader for reader in self._leaving if not reader.over), self._reader]
            self._reader = None
        self._shown = self._held = None
        self.fade.step(self._desk.clock(), wanted=False, at_once=True)

    def release(self) -> None:
        """The window closes: wait for the threads."""
        self.left()
        for reader in self._leaving:
            reader.join()

    def show_moment(self, moment: Moment, now_ns: int, *, frozen: bool = False) -> None:
        """Judge what is shown by what is known now, and let the overlay come, stay or fade."""
        self._context = Context(moment, self._desk.scene, self._desk.rig, self._other_rig(moment))
        self._frozen = frozen
        self._look_on()
        shown = self._shown
        self._gap_ns = now_ns - (self._since_ns or now_ns)
        before = (self.why, self.words, self.age_words, self._top, self.fade.opacity)
        if shown is None:
            self._since_ns = self._since_ns or now_ns
            verdict = Verdict("no picture yet")
            self.age_words = ""
        else:
            verdict = judge(shown.frame, self._context)
            self.age_words = self._age_words(shown, moment)
            if self._gap_ns > NO_PICTURE_NS and not verdict.wrong:
                verdict = Verdict(verdict.why or "no new picture comes")
            if not verdict.why:
                verdict = replace(shown.verdict, why=self._unready) if self._unready else shown.verdict
        self.why = verdict.why
        # With the patient go the distances to him, which lie in the same layer as the instruments: these come again with the next picture.
        patient_was = shown is not None and shown.verdict.T_camera_from_ct is not None
        self._top = bool(verdict.tips) and not (self.why and patient_was)
        self.fade.step(now_ns, wanted=not self.why, at_once=verdict.wrong)
        if self.fade.opacity == 0.0:
            self._held = None
        words = self._told_words(verdict, moment)
        if words != self.words:
            self.words = words
            self.setAccessibleName(f"Live picture with overlay. {words}".strip())
        if before != (self.why, self.words, self.age_words, self._top, self.fade.opacity) or self._gap_ns > NO_PICTURE_NS:
            self.update()

    def set_bone(self, bone: SharedBone | None) -> None:
        """Draw this bone from now on: the window's mirror of what is drilled; None where it has none."""
        self._bone = bone
        self._look_on()

    def set_scale(self, scale: float) -> None:
        """Draw everything that much larger than designed."""
        self._scale = scale
        self.controls.set_scale(scale)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()
        self._look_on()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(palette.BACKGROUND))
        room = self._room()
        if self._shown is not None:
            painter.drawImage(room, self._shown.picture)
            self._paint_overlay(painter, self._shown, room)
        if self._shown is None or (self._gap_ns > NO_PICTURE_NS and not self._frozen):
            self._paint_no_picture(painter, room)
        self._paint_facts(painter)
        painter.end()

    def _paint_overlay(self, painter: QPainter, shown: Shown, room: QRectF) -> None:
        labels = list[Label]()
        held = self._held
        # What fades belongs to an older picture: of another part of it, it would lie elsewhere.
        if held is not None and held.patient is not None and held.crop == shown.crop and self.fade.opacity > 0.0:
            painter.setOpacity(self.fade.opacity * self.controls.opacity.value() / 100.0)
            painter.drawImage(room, held.patient)
            painter.setOpacity(1.0)
            if self.fade.opacity > LEGIBLE and not self.why:
                labels += held.patient_labels
        if self._top and shown.top is not None:
            painter.drawImage(room, shown.top)
            labels += shown.top_labels
        rows = 2.0 if self._depths() is None else 3.0
        free = room.intersected(QRectF(self.rect()).adjusted(0.0, (12.0 + HEAD_PX + rows * ROW_PX) * self._scale, 0.0, 0.0))
        paint_labels(painter, labels, room, free, self.devicePixelRatioF(), self._scale)

    def _paint_no_picture(self, painter: QPainter, room: QRectF) -> None:
        """Hatched: what is below, if anything, was a while ago."""
        painter.setOpacity(0.45 if self._shown is not None else 0.3)
        theme.hatch(painter, room.toRect(), 24.0 * self._scale)
        painter.setOpacity(1.0)
        paint_banner(painter, f"NO PICTURE  {duration_words(self._gap_ns)}", room.center(), palette.TEXT, self._scale)
        if self.trouble:
            painter.setFont(theme.font(14.0 * self._scale))
            painter.setPen(QColor(palette.TEXT))
            below = room.adjusted(30.0, room.height() / 2.0 + 40.0 * self._scale, -30.0, 0.0)
            painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), self.trouble)

    def _paint_facts(self, painter: QPainter) -> None:
        """Which camera, how large and how old its picture is, and what is not drawn and why."""
        s, gap = self._scale, 12.0 * self._scale
        left, top = gap, gap + (HEAD_PX + ROW_PX) * s
        if self._shown is not None:
            larger = f"{self.sight.zoom:g}×" if self.sight.zoom > 1.0 else ""
            age = "frozen" if self._frozen else self.age_words
            facts = "   ".join(fact for fact in (printable(self._shown.frame.camera), larger, age) if fact)
            left += paint_plate(painter, facts, 13.0, QPointF(left, top), self.width() - left - gap, s, dashed=False) + 6.0 * s
        if self.words:
            paint_plate(painter, self.words, 13.0, QPointF(left, top), self.width() - left - gap, s, dashed=True)
        depths = self._depths()
        if depths is not None:
            paint_legend(painter, depths, QPointF(gap, gap + (HEAD_PX + 2.0 * ROW_PX) * s), s)

    def _depths(self) -> Depths | None:
        """How depth is shown now; None where it is not."""
        return self._held.depths if self._held is not None and not self.why else None

    def _age_words(self, shown: Shown, moment: Moment) -> str:
        if moment.link_lost or shown.frame.epoch != moment.epoch:
            return ""
        passed = age_ns(shown.frame, moment)
        return duration_words(passed) if passed >= 1000 * MS else f"{max(0, passed) // MS // AGE_STEP_MS * AGE_STEP_MS} ms"

    def _told_words(self, verdict: Verdict, moment: Moment) -> str:
        off = f"overlay off: {verdict.why}" if verdict.why else ""
        selected = moment.alerts.health.selected if moment.alerts else ()
        bone = self._shown.bone_words if self._shown is not None and not verdict.why else ""
        return "     ".join(words for words in (off, bone, hidden_words(verdict, selected)) if words)

    def _room(self) -> QRectF:
        """Where the picture lies in the widget."""
        if self._shown is None:
            return QRectF(self.rect())
        crop = self._shown.crop
        width, height = fitted((crop.width_px, crop.height_px), (max(1, self.width()), max(1, self.height())))
        return QRectF((self.width() - width) // 2, (self.height() - height) // 2, width, height)

    def zoom(self) -> None:
        """Larger, about the planned path's target where it is in the picture; from the largest back to the whole."""
        self.sight = Sight(next((zoom for zoom in ZOOMS if zoom > self.sight.zoom), ZOOMS[0]), self._site_px())
        self._look_on()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Larger or smaller, what is below the pointer staying there."""
        if self._shown is None or not event.angleDelta().y():
            return
        crop, room = self._shown.crop, self._room()
        zoom = min(MOST_ZOOM, max(1.0, self.sight.zoom * WHEEL ** (1 if event.angleDelta().y() > 0 else -1)))
        x, y = (event.position().x() - room.left()) / room.width(), (event.position().y() - room.top()) / room.height()
        then = crop_of(self._shown.frame, Sight(zoom), (self.width(), self.height()))
        at = (crop.left_px + x * crop.width_px, crop.top_px + y * crop.height_px)
        self.sight = Sight(zoom, (at[0] + (0.5 - x) * then.width_px, at[1] + (0.5 - y) * then.height_px))
        self._look_on()
        event.accept()

    def _other_rig(self, moment: Moment) -> bool:
        # Asked of the disk only when either of the two is another one.
        paths = (moment.setup.rig_path if moment.setup else "", self._desk.rig_path)
        if self._rigs is None or self._rigs[0] != paths:
            self._rigs = (paths, differs(*paths))
        return self._rigs[1]

    def _site_px(self) -> tuple[float, float] | None:
        """Where the first plan's target was in the full picture that is shown; None where that is not known."""
        shown, prepared = self._shown, self._prepared
        T = shown.verdict.T_camera_from_ct if shown else None
        if shown is None or prepared is None or T is None or prepared.anatomy.focus_mm is None or shown.frame.camera not in prepared.lenses:
            return None
        x, y = prepared.lenses[shown.frame.camera].project(T.apply(prepared.anatomy.focus_mm)).tolist()
        return (x, y) if math.isfinite(x + y) else None

    def _look_on(self) -> None:
        if self._reader is not None and self._context is not None:
            ratio = self.devicePixelRatioF()
            size = (max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
            self._reader.look(Look(self._context, self._prepared, self.controls.wanted, size, self._scale * ratio, self.sight, self._bone))

    def _came(self, shown: Shown) -> None:
        if self._reader is not None:
            self._reader.taken()
        if self._frozen:
            return
        self.trouble = ""
        self._shown, self._since_ns = shown, self._desk.clock()
        if shown.verdict.T_camera_from_ct is not None:
            self._held = shown
        self.update()

    def _told(self, words: str) -> None:
        self.trouble = words
        self.update()

    def _begin(self) -> None:
        cameras = self._cameras()
        name = cameras[self._camera % len(cameras)] if cameras else ""
        self.controls.set_camera(name, len(cameras))
        self._place()
        self.trouble, self._since_ns = "", self._desk.clock()
        self._reader = PictureReader(partial(self._open, name))
        self._reader.came.connect(self._came, Qt.ConnectionType.QueuedConnection)
        self._reader.told.connect(self._told, Qt.ConnectionType.QueuedConnection)
        self._look_on()
        self._reader.start()

    def _next_camera(self) -> None:
        self._camera += 1
        self.sight = WHOLE
        if self._reader is not None:
            self.left()
            self._begin()

    def _cameras(self) -> tuple[str, ...]:
        return tuple(camera.name for camera in self._desk.rig.camera) if self._desk.rig else ()

    def _opened_other(self) -> None:
        """Another case or rig: nothing that was drawn holds for it."""
        self._prepared = self._held = None
        self._camera, self.sight = 0, WHOLE
        self._ask_drilling()
        if self._reader is not None:
            self.left()
            self.entered()

    def _ask_drilling(self) -> None:
        scene = self._desk.scene
        self.controls.set_drilling(can_drill(self._desk.rig) and scene is not None and scene.carvable is not None)
        self._place()

    def _prepare(self) -> None:
        scene, rig = self._desk.scene, self._desk.rig
        fits = self._prepared is not None and self._prepared.scene is scene and self._prepared.rig is rig
        if scene is None or rig is None or fits or self._preparing:
            return
        self._preparing, self._unready = True, ""
        self._desk.beside("preparing the overlay", lambda _report: Prepared.of(scene, rig), self._made_ready)

    def _made_ready(self, prepared: Prepared | None, words: str) -> None:
        self._preparing = False
        self._unready = f"it could not be made ready: {words}" if prepared is None else ""
        if prepared is None:
            return
        self._prepared = prepared
        # Another may have been opened meanwhile.
        if self._reader is not None:
            self._prepare()
            self._look_on()

    def _place(self) -> None:
        gap = round(12 * self._scale)
        self.controls.fit(self.width() - 2 * gap)
        self.controls.move(gap, gap + round(HEAD_PX * self._scale))
