"""A landmark in the picture: a ball on the bone, and its number beside it on the screen, never behind the bone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from navtwin.nouns import Part
from navtwin.rigid import Vec3
from navtwin.scene import looks, palette
from navtwin.scene.caption import font_file
from navtwin.scene.solids import capsule_mesh

if TYPE_CHECKING:
    import pyvista as pv

#: Radius of a landmark's ball, and of the one that is to be touched, mm; heights of their numbers, in design pixels.
BALL_MM, NEXT_BALL_MM = 1.5, 2.3
LABEL_PX, NEXT_LABEL_PX, LEAST_PX = 17, 26, 6
#: Where a number stands beside its ball, in design pixels.
BESIDE_PX = (9, 5)
#: A font from a file, in vtkTextProperty's numbers.
VTK_FONT_FILE = 4

MarkState = Literal["todo", "next", "touching", "touched"]


@dataclass(frozen=True)
class Mark:
    """A landmark as it is drawn: `wanted` is false where it is left out."""

    number: int
    place_mm: Vec3
    state: MarkState
    wanted: bool
    worst: bool

    @property
    def aimed(self) -> bool:
        """Whether a touch would take it now, or takes it."""
        return self.state in ("next", "touching")

    @property
    def color(self) -> str:
        if self.aimed:
            return palette.PLAN
        return palette.UNKNOWN if not self.wanted else palette.GOOD if self.state == "touched" else palette.TEXT

    @property
    def words(self) -> str:
        """Its number, and what sets it apart: never the colour alone."""
        sign = " out" if not self.wanted else " worst" if self.worst else " \N{CHECK MARK}" if self.state == "touched" else ""
        return f"{self.number}{sign}"


class Bead:
    """The actors of one mark, made once and changed as it does."""

    def __init__(self, plotter: pv.Plotter, mark: Mark) -> None:
        from vtkmodules.vtkRenderingCore import vtkCoordinate, vtkTextActor

        ball = Part(name="ball", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.0)
        self._ball: Any = looks.add_mesh(plotter, capsule_mesh(ball), mark.color, ambient=0.55, specular=0.2)
        self._ball.SetPosition(*mark.place_mm)
        self._label: Any = vtkTextActor()
        place = vtkCoordinate()
        place.SetCoordinateSystemToWorld()
        place.SetValue(*mark.place_mm)
        beside = self._label.GetPositionCoordinate()
        beside.SetCoordinateSystemToViewport()
        beside.SetReferenceCoordinate(place)
        text = self._label.GetTextProperty()
        text.SetFontFamily(VTK_FONT_FILE)
        text.SetFontFile(str(font_file(bold=True)))
        text.SetBackgroundColor(*_rgb(palette.BACKGROUND))
        text.SetBackgroundOpacity(0.72)
        plotter.add_actor(self._label, reset_camera=False, render=False, pickable=False)
        self.mark = mark
        self.show(mark)

    @property
    def actors(self) -> tuple[Any, Any]:
        return self._ball, self._label

    def show(self, mark: Mark) -> None:
        """The same landmark in another state."""
        self.mark = mark
        self._ball.SetScale(NEXT_BALL_MM if mark.aimed else BALL_MM)
        self._ball.prop.color = mark.color
        self._label.SetInput(mark.words)
        self._label.GetTextProperty().SetColor(*_rgb(mark.color))

    def fit(self, pixels: float) -> None:
        """`pixels` are painted for each design pixel."""
        size = NEXT_LABEL_PX if self.mark.aimed else LABEL_PX
        self._label.GetTextProperty().SetFontSize(max(LEAST_PX, round(size * pixels)))
        self._label.GetPositionCoordinate().SetValue(*(round(offset * pixels) for offset in BESIDE_PX))


def _rgb(color: str) -> tuple[float, float, float]:
    return (int(color[1:3], 16) / 255.0, int(color[3:5], 16) / 255.0, int(color[5:7], 16) / 255.0)
