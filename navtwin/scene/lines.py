"""The distance lines of a picture: from each critical structure that is threatened, or is nearest of all, to the part that is nearest to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Level, Part, Reading, State
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.distances import reading_words
from navtwin.scene.looks import add_mesh
from navtwin.scene.solids import capsule_mesh
from navtwin.scene.views import Standpoint, nearest_critical

if TYPE_CHECKING:
    import pyvista as pv

#: Beyond this no line is drawn to a structure that is not threatened.
REACH_MM = 60.0
LINE_RADIUS_MM, DOT_RADIUS_MM = 0.25, 0.7
LINE_SIDES = 10
LABEL_PX = 19
#: How far a label stands from its dot, as a share of the distance to the viewer.
LABEL_OFFSET = 0.014


class DistanceLine:
    """A line, a dot on the structure, and a label in millimetres; hidden until it is shown."""

    def __init__(self, plotter: pv.Plotter) -> None:
        import pyvista as pv
        from vtkmodules.vtkRenderingCore import vtkTextActor

        self._plotter = plotter
        rod = pv.Cylinder(center=(0.0, 0.0, 0.5), direction=(0.0, 0.0, 1.0), radius=LINE_RADIUS_MM, height=1.0, resolution=LINE_SIDES, capping=False)
        self._line = add_mesh(plotter, rod, "white", lighting=False)
        ball = Part(name="dot", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=DOT_RADIUS_MM)
        self._dot = add_mesh(plotter, capsule_mesh(ball), "white", lighting=False)
        self._label = vtkTextActor()
        self._label.GetPositionCoordinate().SetCoordinateSystemToWorld()
        text = self._label.GetTextProperty()
        text.SetFontSize(LABEL_PX)
        text.BoldOn()
        text.SetBackgroundColor(*pv.Color(palette.BACKGROUND).float_rgb)
        text.SetBackgroundOpacity(0.72)
        text.SetVerticalJustificationToCentered()
        plotter.add_actor(self._label, reset_camera=False, render=False, pickable=False)
        self.hide()

    def hide(self) -> None:
        self._set_visible(False)

    def set_label_px(self, size_px: float) -> None:
        self._label.GetTextProperty().SetFontSize(max(6, round(size_px)))

    def show(self, reading: Reading, on_axis_mm: Vec3, on_structure_mm: Vec3, level: Level, place: int) -> None:
        """Draw a reading. `place` counts the labels that are shown already, so that no two lie on each other."""
        import pyvista as pv

        color = pv.Color(palette.LEVEL_COLORS[level])
        self._line.user_matrix = _stretched(on_axis_mm, on_structure_mm)
        self._dot.position = on_structure_mm
        self._line.prop.color = self._dot.prop.color = color
        self._label.SetInput(f"  {reading_words(reading)}  ")
        self._label.GetTextProperty().SetColor(*color.float_rgb)
        self._put_label(on_structure_mm, place)
        self._set_visible(True)

    def _put_label(self, p_mm: Vec3, place: int) -> None:
        """To the right of the dot and above, the next one to the left, further ones below."""
        camera = self._plotter.camera
        right = Standpoint(camera.position, camera.focal_point, camera.up).right()
        aside, above = (1.0, -1.0)[place % 2], (1.0, -1.0)[place // 2 % 2]
        x, y, z = np.array(p_mm) + LABEL_OFFSET * camera.distance * (aside * right + above * np.array(camera.up))
        self._label.GetPositionCoordinate().SetValue(float(x), float(y), float(z))
        text = self._label.GetTextProperty()
        if aside > 0.0:
            text.SetJustificationToLeft()
        else:
            text.SetJustificationToRight()

    def _set_visible(self, visible: bool) -> None:
        for actor in (self._line, self._dot, self._label):
            actor.SetVisibility(visible)


class DistanceLines:
    """One line for each of the critical structures named."""

    def __init__(self, plotter: pv.Plotter, structures: Iterable[str]) -> None:
        self._lines = {name: DistanceLine(plotter) for name in structures}

    def set_pixel_scale(self, scale: float) -> None:
        """Pixels painted for each pixel that is seen: labels keep their size where a picture is painted small and shown large."""
        for line in self._lines.values():
            line.set_label_px(LABEL_PX * scale)

    def show(self, state: State | None, levels: dict[str, Level]) -> None:
        """Draw what `state` knows; `levels` by pair id tells which lines are alerts."""
        nearest = nearest_critical(state)
        shown = 0
        for structure, line in self._lines.items():
            reading = nearest_critical(state, structure)
            level = _level(reading, levels)
            if reading and reading.on_axis_mm and reading.on_structure_mm and (level != "CLEAR" or (reading is nearest and _within_reach(reading))):
                line.show(reading, reading.on_axis_mm, reading.on_structure_mm, level, shown)
                shown += 1
            else:
                line.hide()


def _level(reading: Reading | None, levels: dict[str, Level]) -> Level:
    return "CLEAR" if reading is None else levels.get(f"{reading.structure}/{reading.instrument}/{reading.part}", "CLEAR")


def _within_reach(reading: Reading) -> bool:
    return reading.distance_mm is not None and reading.distance_mm < REACH_MM


def _stretched(a_mm: Vec3, b_mm: Vec3) -> npt.NDArray[np.float64]:
    """(4, 4) that takes the rod from 0 to 1 along z to one from `a_mm` to `b_mm`: moving it costs less than drawing another one."""
    along = np.subtract(b_mm, a_mm)
    length = float(np.linalg.norm(along))
    z = along / length if length > 0.0 else np.array((0.0, 0.0, 1.0))
    x = np.cross(z, np.eye(3)[int(np.argmin(np.abs(z)))])
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack((x, np.cross(z, x), along))
    matrix[:3, 3] = a_mm
    return matrix
