"""One case as it is navigated: picture, bullseye, slices and strip."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from gui.desktop.desk import Desk
from gui.link.board import Moment
from gui.link.freshness import freshness
from gui.navigate.bone_legend import BoneLegend
from gui.navigate.bullseye import Bullseye
from gui.navigate.drill_card import DrillPanel
from gui.navigate.stage import Stage
from gui.navigate.strip import Strip
from gui.picture.live import LiveView
from gui.picture.pace import Pace, known_instruments
from gui.slices.view import SlicesView
from navtwin.nouns import Freeze, Rig
from navtwin.scene.distances import structure_rows
from navtwin.scene.looks import is_veil
from navtwin.scene.model import Scene
from navtwin.scene.views import ViewName

if TYPE_CHECKING:
    from gui.augmented.view import AugmentedView
    from gui.link.bone import BonePort
    from gui.navigate.drilling import Drilling

OpenPicture = Callable[[Scene, Rig | None, QWidget], LiveView]
#: The picture is painted at most 30 times a second.
LEAST_MS = 33
#: The bullseye is drawn anew no sooner than this.
AIM_NS = 80_000_000
#: Kinds of sources that look through a camera.
FILMING = ("camera", "video", "images")
#: Where the place's own layout is remembered.
SETTINGS = ("navtwin", "navigate")
#: Of the column of slices, in design pixels, until someone drags it wider.
SLICES_WIDTH = 250.0


class Scenery(QWidget):
    """What is shown of one case; another case gets another one.

    Parameters
    ----------
    open_picture : makes the view (a test may give another)
    """

    def __init__(self, desk: Desk, scene: Scene, view: ViewName, open_picture: OpenPicture, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self.scene = desk, scene
        self.view_name: ViewName = view
        self.frozen_ns: int | None = None
        self._scale = 1.0
        self._augmented: AugmentedView | None = None
        self._aimed: tuple[int, frozenset[str]] = (-AIM_NS, frozenset())
        self._slices_width = SLICES_WIDTH
        self.legend: BoneLegend | None = None
        self.strip = Strip(tuple(s for s in scene.structures if s.role == "critical"))
        self.stage = Stage(self.choose_view, self._show_skin, self.freeze, self._show_slices, self.show_augmented, desk.place_wanted.emit)
        self.slices, self.bullseye = SlicesView(scene, desk.rig), Bullseye(scene, desk.rig)
        self.stage.set_corner(self.bullseye)
        self.drill = DrillPanel(desk.order)
        self.drilling = _drilling_of(scene, desk.open_bone)
        self._lay_out()
        self._keys()
        self.view = open_picture(scene, desk.rig, self.stage)
        self._pace = Pace(self.view, LEAST_MS, desk.clock)
        self.stage.set_picture(self.view.widget)
        self._begin_drilling()
        self.choose_view(view)
        # The first turn of the window's loop: it is up by then.
        QTimer.singleShot(0, self, self.slices.cutter.start)

    def show_moment(self, moment: Moment, now_ns: int, other: str = "") -> None:
        """Words first, the picture when there is time for it. `other`: why this is not the anatomy that the core works on."""
        fresh, due = freshness(moment)
        self.strip.show_verified(fresh, due=due)
        self.strip.show_rows(structure_rows(self.scene, moment.state, moment.alerts, link_lost=moment.link_lost))
        # Before the stage, which makes room for it.
        self._show_drilling(moment)
        words = self._desk.board.words
        self.stage.show_moment(moment, self.frozen_ns, words[-1] if words else None, now_ns, self._desk.where, self._desk.trouble(), other)
        self.slices.show_moment(moment, now_ns, frozen=self.frozen_ns is not None)
        self._aim(moment, now_ns)
        if self._augmented is not None:
            self._augmented.show_moment(moment, now_ns, frozen=self.frozen_ns is not None)
        elif self.frozen_ns is None:
            self._pace.turn(moment, now_ns, self.view_name)
            self.stage.show_lateness(*self._pace.lateness(moment, now_ns))
        self._desk.pixels_ms = self._pace.p95_ms() if self._augmented is None else None
        self.stage.allow_camera(_films(moment))

    def _begin_drilling(self) -> None:
        """Where the case has bone that can be drilled: picture and slices follow it."""
        if self.drilling is None:
            return
        self.legend = BoneLegend()
        self.stage.set_drilling(self.drill, self.legend)
        self.view.follow_bone(self.drilling.dresser)
        self.slices.follow_bone(self.drilling.dresser)
        self.drilling.start()

    def _show_drilling(self, moment: Moment) -> None:
        if self.drilling is not None:
            self.drill.show_moment(moment)
            # The live picture says itself what of the bone it does not draw.
            self.stage.show_bone("" if moment.link_lost or self._augmented is not None else self.drilling.words)

    def _aim(self, moment: Moment, now_ns: int) -> None:
        """The bullseye costs as much to draw as all the rest: it follows as often as an eye does, and at once where something is no longer known."""
        known = known_instruments(moment)
        if known != self._aimed[1] or not 0 <= now_ns - self._aimed[0] < AIM_NS:
            self._aimed = (now_ns, known)
            self.bullseye.show_moment(moment)

    def show_augmented(self, wanted: bool) -> None:
        """The live picture with the case projected into it, in place of the one from the case alone."""
        if wanted and self._augmented is None:
            from gui.augmented.view import AugmentedView

            self._augmented = AugmentedView(self._desk, self._desk.open_video, self.stage)
            self._augmented.set_bone(self.drilling.shared if self.drilling is not None else None)
            self.stage.set_picture(self._augmented)
            self._augmented.show()
            self._augmented.entered()
            self.view.widget.hide()
            self.stage.show_lateness(frozenset(), 0)
        elif not wanted and self._augmented is not None:
            self._augmented.release()
            self._augmented.deleteLater()
            self._augmented = None
            self.view.widget.show()
            self.stage.set_picture(self.view.widget)
            self._pace.forget()
        if self.legend is not None:
            # Its colours are not in the live picture.
            self.legend.setVisible(self._augmented is None)
        self.set_scale(self._scale)

    def entered(self) -> None:
        """It is in front again."""
        if self._augmented is not None:
            self._augmented.entered()

    def left(self) -> None:
        """It is no longer in front: no picture is asked for."""
        if self._augmented is not None:
            self._augmented.left()

    def choose_view(self, view: ViewName) -> None:
        """Stand somewhere else."""
        self.view_name = view
        self.stage.choose(view)
        self.view.picture.look(view, self._desk.board.moment().state)
        self.view.paint()

    def freeze(self) -> None:
        """Stop this picture, or let it go on, and nothing else; the core only notes it."""
        self.frozen_ns = self._desk.clock() if self.frozen_ns is None else None
        self._pace.forget()
        moment = self._desk.board.moment()
        if not moment.link_lost:
            self._desk.order(Freeze(on=self.frozen_ns is not None))
        self.show_moment(moment, self._desk.clock())

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for part in (self.strip, self.slices, self.bullseye, self.drill, self.stage):
            part.set_scale(scale)
        if self.legend is not None:
            self.legend.set_scale(scale)
        if self._augmented is not None:
            self._augmented.set_scale(scale)
        self._share_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_out()

    def release(self) -> None:
        """Give the thread that cuts slices, and the graphics, back."""
        QSettings(*SETTINGS).setValue("slices width", self._slices_width)
        if self.drilling is not None:
            self.drilling.stop()
        self.slices.cutter.stop()
        if self._augmented is not None:
            self._augmented.release()
        self.view.release()

    def _lay_out(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        for n, (part, stretch) in enumerate(((self.stage, 1), (self.slices, 0), (self.strip, 0))):
            self._splitter.addWidget(part)
            self._splitter.setStretchFactor(n, stretch)
        self._splitter.splitterMoved.connect(self._dragged)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._splitter)

    def _share_out(self) -> None:
        """Strip and slices have their widths, the picture has the rest: left to itself a splitter keeps the pixels of the screen it was on before."""
        slices, strip = round(self._slices_width * self._scale), self.strip.width()
        self._splitter.setSizes([max(1, self.width() - slices - strip), slices, strip])

    def _dragged(self) -> None:
        self._slices_width = self.slices.width() / self._scale

    def _keys(self) -> None:
        kept = QSettings(*SETTINGS)
        self.stage.slices.setChecked(kept.value("slices", True, type=bool) is True)
        self.slices.setVisible(self.stage.slices.isChecked())
        self.bullseye.wanted = kept.value("bullseye", True, type=bool) is True
        self._slices_width = float(str(kept.value("slices width", SLICES_WIDTH)))
        turns: dict[str, Callable[[], None]] = {
            "W": self.slices.turn_window, "+": partial(self.slices.zoom, 1), "-": partial(self.slices.zoom, -1), "B": self._show_bullseye,
        }  # fmt: skip
        for key, act in turns.items():
            # They hold for as long as this is in front: wherever the focus is, and in no other place.
            QShortcut(QKeySequence(key), self).activated.connect(act)

    def _show_slices(self, visible: bool) -> None:
        self.slices.setVisible(visible)
        QSettings(*SETTINGS).setValue("slices", visible)

    def _show_bullseye(self) -> None:
        self.bullseye.wanted = not self.bullseye.wanted
        self._aimed = (-AIM_NS, frozenset())
        QSettings(*SETTINGS).setValue("bullseye", self.bullseye.wanted)

    def _show_skin(self, visible: bool) -> None:
        for structure in self.scene.structures:
            if is_veil(structure):
                self.view.picture.set_visible(structure.name, visible)
        self.view.paint()


def _drilling_of(scene: Scene, connect: Callable[[], BonePort]) -> Drilling | None:
    if scene.carvable is None:
        return None
    # What asks where bone lies takes a second to load: only who drills needs it.
    from gui.navigate.drilling import Drilling

    return Drilling.of(scene, connect)


def _films(moment: Moment) -> bool:
    """Whether the session's source may have live pictures; where that is not known, it may."""
    return moment.setup is None or moment.setup.source.split(":", maxsplit=1)[0] in ("", *FILMING)
