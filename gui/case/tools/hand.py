"""The tool in the hand: presses in the slices and in the picture reach it, and the slices go to what it holds."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from gui.case.scene3d import CaseScene3d
from gui.case.slices import CaseSlices
from gui.case.tools.bone import LEAST_CROP_MM, BoneTool, Box
from gui.case.tools.kept import Kept, kept_of, question
from gui.case.tools.model import Bench, Workbench
from gui.case.tools.newest import Newest
from gui.case.tools.overlay import Overlay
from gui.case.tools.paint import NORMALS, PaintTool
from gui.case.tools.sheet import Fault
from gui.case.tools.sphere import SphereTool
from gui.case.tools.touch import Touch
from gui.case.tools.tube import TubeTool
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.painted import Slices, slices_of
from navtwin.scene.author.recipe import Painted, Threshold
from navtwin.scene.reslice import Reslicer
from navtwin.scene.slices import ACROSS, PLANES, RIGHT, UP, Plane
from navtwin.volumes.volume import Volume

#: What lies within so many pixels of the mouse is meant.
REACH_PX = 9.0
#: Of what a slice shows, the share that a crop box begins with.
CROP_SHARE = 0.8
#: A threshold that has not changed for so long is looked through for its islands, ms.
STILL_MS = 250


class Hand(QObject):
    """Between the slices and the workbench.

    Attributes
    ----------
    workbench : of the open case; None without one
    free : whether it may take the mouse: the place is in front, and nothing is being built
    between_words : why what is painted cannot be built as it is; "" where it can

    Signals
    -------
    changed : the draft, or what is wrong with it
    moved : the draft, while it is being dragged
    """

    changed = Signal()
    moved = Signal()

    def __init__(self, slices: CaseSlices, scene3d: CaseScene3d | None, parent: QObject) -> None:
        super().__init__(parent)
        self._slices = slices
        self.workbench: Workbench | None = None
        self.free = True
        self.overlay = Overlay()
        self.overlay.bench = lambda: self.bench
        self.between_words = ""
        self._between = Newest(slices_of, self)
        self._between_of: Painted | None = None
        self._between.came.connect(self._came_between, Qt.ConnectionType.QueuedConnection)
        self._kept = Newest(kept_of, self)
        self._kept_of: Threshold | None = None
        self._kept.came.connect(self._came_kept, Qt.ConnectionType.QueuedConnection)
        # While a slider is dragged islands are not looked for at each of its steps.
        self._still = QTimer(self, singleShot=True, interval=STILL_MS)
        self._still.timeout.connect(self._look_for_islands)
        self._refused = False
        slices.set_painters([self.overlay.paint])
        slices.pressed.connect(lambda plane, at, keys: self._touched("press", plane, at, keys))
        slices.dragged.connect(lambda plane, at, keys: self._touched("drag", plane, at, keys))
        slices.released.connect(lambda plane, at, keys: self._touched("release", plane, at, keys))
        if scene3d is not None:
            scene3d.picked.connect(self.picked)

    @property
    def bench(self) -> Bench | None:
        """What the tool holds; None where no tool is in the hand."""
        return self.workbench.bench if self.workbench is not None else None

    @property
    def mouse(self) -> bool:
        """Whether a press in a slice is the tool's."""
        return self.workbench is not None and self.workbench.mouse and self.free

    def release(self) -> None:
        """The window closes."""
        self._between.stop()
        self._kept.stop()

    @property
    def looking(self) -> bool:
        """Islands are picked, and which voxels they hold is not known yet: the overlay shows all above the threshold."""
        tool = self.bench.tool if self.bench is not None else None
        wanted = question(tool.draft) if isinstance(tool, BoneTool) and self.overlay.reslicer is not None else None
        return wanted is not None and (self.overlay.kept is None or self.overlay.kept.edit != wanted)

    def look(self) -> None:
        """Take or give back the mouse, and draw what the tool holds now."""
        self._slices.grab_mouse(self.mouse)
        bench = self.bench
        if bench is not None and isinstance(bench.tool, PaintTool):
            self._ask_between(bench.tool)
        elif bench is not None and isinstance(bench.tool, BoneTool) and question(bench.tool.draft) != self._kept_of:
            self._still.start()
        self._slices.repaint_overlays()

    def set_volume(self, volume: Volume) -> None:
        """The scan is there."""
        self.overlay.reslicer = Reslicer(volume)
        self._kept_of = self.overlay.kept = None
        self._slices.repaint_overlays()

    def run(self, change: Callable[[], object], *, light: bool = False) -> None:
        """Change the draft. A refusal is kept as what is wrong with it, and the draft is as it was."""
        bench = self.bench
        if bench is None:
            return
        bench.faults = tuple(one for one in bench.faults if one.field != "shape")
        try:
            change()
        except InputRefused as refused:
            bench.faults = (Fault("shape", str(refused)), *bench.faults)
            light = False
        if light:
            self._slices.repaint_overlays()
        (self.moved if light else self.changed).emit()

    def step(self, way: str) -> None:
        """ "undo" or "redo"."""
        if (bench := self.bench) is not None:
            self.run(getattr(bench.tool.history, way))

    def delete(self) -> None:
        """Take out what is chosen, or came last."""
        if (bench := self.bench) is not None:
            self.run(bench.tool.delete)

    def finish(self) -> None:
        """Close what is open."""
        if (bench := self.bench) is not None:
            self.run(bench.tool.finish)

    def picked(self, at_mm: Vec3) -> None:
        """A click in the picture: an island of bone, or the centre of a sphere."""
        tool = self.bench.tool if self.bench is not None else None
        if self.free and (isinstance(tool, SphereTool) or (isinstance(tool, BoneTool) and tool.doing == "island")):
            touch = Touch(None, at_mm)
            self._slices.go_to(at_mm)
            self.run(lambda: tool.press(touch))
            self.run(lambda: tool.release(touch))

    def begin_crop(self) -> None:
        """A box around most of what the slices show, within the scan."""
        tool = self.bench.tool if self.bench is not None else None
        if isinstance(tool, BoneTool) and self._slices.sights is not None:
            box = seen_box(self._slices)
            self.run(lambda: tool.set_crop(box))

    def step_place(self, way: int) -> None:
        """To the next point of a tube, or the next painted slice."""
        bench, at = self.bench, self._slices.cursor_mm
        if bench is None or at is None:
            return
        tool = bench.tool
        if isinstance(tool, TubeTool) and tool.draft.points_mm:
            last = len(tool.draft.points_mm) - 1
            n = min(last, max(0, (last if tool.draft.chosen is None else tool.draft.chosen) + way))
            self._slices.go_to(tool.draft.points_mm[n])
            self.run(lambda: tool.choose(n))
        elif isinstance(tool, PaintTool) and tool.draft.plane is not None:
            here = at[ACROSS[tool.draft.plane]]
            beyond = [h for h in tool.draft.heights_mm if (h - here) * way > 0.01]
            if beyond:
                self.go_to_height(min(beyond, key=lambda h: abs(h - here)))
        else:
            self.go_to_draft()

    def go_to_height(self, height_mm: float) -> None:
        """To a painted slice."""
        tool, at = self.bench.tool if self.bench is not None else None, self._slices.cursor_mm
        if at is not None and isinstance(tool, PaintTool) and tool.draft.plane is not None:
            there = list(at)
            there[ACROSS[tool.draft.plane]] = height_mm
            self._slices.go_to((there[0], there[1], there[2]))

    def go_to_draft(self) -> None:
        """Show what the tool holds."""
        match self.bench.tool if self.bench is not None else None:
            case TubeTool() as tool if tool.draft.points_mm:
                self._slices.go_to(tool.draft.points_mm[tool.draft.chosen or 0])
            case SphereTool() as tool if tool.draft.centre_mm is not None:
                self._slices.go_to(tool.draft.centre_mm)
            case PaintTool() as tool if tool.draft.outline:
                points = tool.draft.outline[len(tool.draft.outline) // 2].points_mm
                x, y, z = (sum(v) / len(points) for v in zip(*points, strict=True))
                self._slices.go_to((x, y, z))
            case BoneTool() as tool if tool.draft.seeds_mm:
                self._slices.go_to(tool.draft.seeds_mm[0])

    def clear_slice(self) -> None:
        """Take out the outlines of the slice in view."""
        height, tool = self.height_mm, self.bench.tool if self.bench is not None else None
        if height is not None and isinstance(tool, PaintTool):
            self.run(lambda: tool.clear_slice(height))

    @property
    def height_mm(self) -> float | None:
        """Where the slice in view lies across the plane that is painted on."""
        tool, at = self.bench.tool if self.bench is not None else None, self._slices.cursor_mm
        painted = at is not None and isinstance(tool, PaintTool) and tool.draft.plane is not None
        return at[ACROSS[tool.draft.plane]] if painted else None  # type: ignore[index, union-attr]

    def _touched(self, what: str, plane: Plane, at_mm: Vec3, keys: Qt.KeyboardModifier) -> None:
        bench, workbench, sights = self.bench, self.workbench, self._slices.sights
        if bench is None or workbench is None or sights is None or not self.mouse:
            return
        reach_mm = REACH_PX * self.overlay.scale * sights.mm_per_px[plane]
        touch = Touch(plane, at_mm, reach_mm, bool(keys & Qt.KeyboardModifier.ControlModifier))

        def act() -> None:
            self._refused = True
            if what == "press" and not isinstance(bench.tool, BoneTool):
                workbench.refuse_outside(touch)
            getattr(bench.tool, what)(touch)
            self._refused = False

        # Of a stroke that was refused the rest is not looked at: what was wrong stays to be read.
        if what == "press" or not self._refused:
            self.run(act, light=what == "drag")

    def _look_for_islands(self) -> None:
        tool = self.bench.tool if self.bench is not None else None
        if isinstance(tool, BoneTool) and self._slices.volume is not None and question(tool.draft) != self._kept_of:
            self._kept_of = question(tool.draft)
            if self._kept_of is not None:
                self._kept.ask((self._kept_of, self._slices.volume))

    def _came_kept(self, asked: tuple[Threshold, Volume], found: Kept | None, _wrong: str) -> None:
        # What is wrong with it is said when it is built.
        if found is not None and asked[0] == self._kept_of and asked[1] is self._slices.volume:
            self.overlay.kept = found
            self.changed.emit()

    def _ask_between(self, tool: PaintTool) -> None:
        """Have what lies between the painted slices worked out anew, where they have changed."""
        draft = tool.draft
        edit = Painted(draft.outline, NORMALS[draft.plane], draft.thickness_mm) if draft.outline and draft.plane is not None else None
        if edit == self._between_of:
            return
        self._between_of, self.between_words = edit, ""
        if edit is None or (len(draft.heights_mm) == 1 and draft.thickness_mm is None):
            self.overlay.between = None
        else:
            self._between.ask(edit)

    def _came_between(self, edit: Painted, found: Slices | None, wrong: str) -> None:
        if edit == self._between_of:
            self.overlay.between = (edit, found) if found is not None else None
            self.between_words = wrong
            self.changed.emit()


def seen_box(slices: CaseSlices) -> Box:
    """Most of what the slices show, and no more than was scanned, as a box along the axes of ct."""
    sights = slices.sights
    assert sights is not None
    low, high = (list(v) for v in sights.box.bounds_mm())
    for plane in PLANES:
        field = sights.field(plane)
        for axis, size in ((RIGHT[plane], field.width_px), (UP[plane][0], field.height_px)):
            half = CROP_SHARE * size * field.mm_per_px / 2.0
            low[axis], high[axis] = max(low[axis], field.at_mm[axis] - half), min(high[axis], field.at_mm[axis] + half)
    for axis in range(3):
        if high[axis] - low[axis] < LEAST_CROP_MM:  # the slices show nothing of the scan
            low[axis], high[axis] = (float(v[axis]) for v in sights.box.bounds_mm())
    x0, y0, z0, x1, y1, z1 = (float(v) for v in (*low, *high))
    return (x0, y0, z0, x1, y1, z1)
