"""A scene and one moment of it, painted with VTK: what the window, the snapshots and the report share.

The anatomy is painted once; `Picture.show` then moves instruments and distance lines. Only what is known at that moment is drawn: an instrument
without a valid pose is taken out of the picture, because at its last place it would look as if it were there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from navtwin.nouns import LEVELS, AlertSet, Level, Part, Rig, State, Tool
from navtwin.rigid import Vec3
from navtwin.scene import looks, palette
from navtwin.scene.detail import Detail, Drawn, draw_level
from navtwin.scene.lines import DistanceLines
from navtwin.scene.model import Scene, Structure
from navtwin.scene.views import VIEW_ANGLE_DEG, ViewName, check_view, standpoint

if TYPE_CHECKING:
    import pyvista as pv

    from navtwin.scene.bone_actors import BoneActors
    from navtwin.scene.bone_picture import BrickLook
    from navtwin.scene.cutaway import Arrays

#: Drawn where the rig names no capsules for an instrument.
UNKNOWN_TOOL_PART = Part(name="tip", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, -40.0), radius_mm=1.0)


class Picture:
    """A scene painted into a pyvista plotter.

    Parameters
    ----------
    plotter : any pyvista plotter, on or off screen; the picture owns its contents
    scene : the case
    rig : where the shapes of the instruments come from; None draws each as a plain rod
    detail : level of detail of the anatomy
    """

    def __init__(self, plotter: pv.Plotter, scene: Scene, rig: Rig | None, detail: Detail = "full") -> None:
        import pyvista as pv

        self.plotter = plotter
        self.scene = scene
        self._tools: dict[str, Tool] = {t.name: t for t in rig.tool} if rig else {}
        self._instruments: dict[str, dict[str, Any]] = {}
        self._known: set[str] = set()
        self._cut_mm: float | None = None
        self._drilled: dict[str, BoneActors] = {}
        plotter.background_color = pv.Color(palette.BACKGROUND)
        looks.light(plotter)
        # Its way of drawing what is seen through copies the depth of only one sample of each pixel, and would leave holes in the bone.
        plotter.renderer.SetUseOIT(False)
        drawn = draw_level(scene, detail)
        shells: list[tuple[Structure, pv.PolyData]] = []
        self._anatomy: dict[str, list[Any]] = {}
        for structure in scene.structures:
            mesh = drawn[structure.name].mesh
            if looks.is_solid(structure):
                self._anatomy[structure.name] = looks.add_solid(plotter, mesh, structure)
            else:
                shells.append((structure, mesh))
        for plan in scene.plans:
            looks.add_plan(plotter, plan)
        for name in self._tools:
            self._add_instrument(name)
        self._lines = DistanceLines(plotter, (s.name for s in scene.structures if s.role == "critical"))
        # Shells come last: what is inside them has to be drawn before their depth is.
        for structure, mesh in sorted(shells, key=lambda s: looks.is_veil(s[0])):
            self._anatomy[structure.name] = looks.add_shell(plotter, mesh, structure)
            self.set_visible(structure.name, not looks.is_veil(structure))
        looks.add_compass(plotter)
        plotter.camera.view_angle = VIEW_ANGLE_DEG
        self.look("posterior", None)

    def show(self, state: State | None, alerts: AlertSet | None) -> None:
        """Move everything to `state`; nothing that moves is drawn without one. Does not render."""
        levels: dict[str, Level] = {a.id: a.level for a in alerts.alerts if a.known} if alerts else {}
        poses = {i.instrument: i.pose for i in (state.instruments if state else ()) if i.status == "OK" and i.pose is not None}
        for name in poses:
            if name not in self._instruments:
                self._add_instrument(name)
        self._known = set(poses)
        for name, parts in self._instruments.items():
            pose = poses.get(name)
            for part, actor in parts.items():
                actor.SetVisibility(pose is not None)
                if pose is not None:
                    actor.user_matrix = pose.rigid(target="ct", source="tip").matrix()
                    actor.prop.color = palette.METAL if (level := _worst(levels, name, part)) == "CLEAR" else palette.LEVEL_COLORS[level]
        self._lines.show(_confirmed(state, alerts), levels)
        self.fit_depth()

    def look(self, view: ViewName, state: State | None, share: float = 1.0) -> None:
        """Stand where `view` says, or go a `share` of the way there; stays put if it follows a tip that is not known."""
        stand = standpoint(view, self.scene, state)
        if stand is None:
            return
        camera = self.plotter.camera
        camera.position = _between(camera.position, stand.position_mm, share)
        camera.focal_point = _between(camera.focal_point, stand.focus_mm, share)
        camera.up = stand.up
        self._cut_mm = stand.cut_mm
        self.fit_depth()

    def redraw(self, drawn: Mapping[str, Drawn]) -> None:
        """Take another level of detail of the anatomy. Does not render."""
        for name, one in drawn.items():
            for actor in self._anatomy[name]:
                actor.mapper.dataset = one.mesh

    def mesh(self, structure: str) -> pv.PolyData:
        """What is drawn of a structure now."""
        mesh: pv.PolyData = self._anatomy[structure][0].mapper.dataset
        return mesh

    def show_drilled(self, structure: str, chunks: Mapping[int, BrickLook], rest: Arrays | None, *, stale: bool) -> None:
        """Take chunks of drilled bone (see `bone_actors`), those that changed. Does not render.

        Parameters
        ----------
        rest : the structure without what is drawn in chunks; None where it has not changed
        stale : what is drawn may have been drilled further since
        """
        # It asks where bone lies, which takes a second to load: only who drills needs it.
        from navtwin.scene.bone_actors import BoneActors

        if structure not in self._drilled:
            is_shown = bool(self._anatomy[structure][0].GetVisibility())
            self._drilled[structure] = BoneActors(self.plotter, self.scene.structure(structure))
            self._drilled[structure].set_visible(is_shown)
        self._drilled[structure].show(chunks)
        self._drilled[structure].set_stale(stale)
        if rest is not None:
            self._drilled[structure].show_rest(rest)
            for actor in self._anatomy[structure]:
                actor.SetVisibility(False)

    def set_visible(self, structure: str, visible: bool) -> None:
        """Show or hide one structure. Veils are hidden at first."""
        if structure in self._drilled:
            self._drilled[structure].set_visible(visible)
            return
        for actor in self._anatomy[structure]:
            actor.SetVisibility(visible)

    def set_pixel_scale(self, scale: float) -> None:
        """Pixels painted for each pixel that is seen."""
        self._lines.set_pixel_scale(scale)

    @property
    def instruments_shown(self) -> frozenset[str]:
        """The instruments that are in the picture now."""
        return frozenset(self._known)

    def fit_depth(self) -> None:
        """See from the nearest thing shown to the farthest, less what the view cuts away."""
        self.plotter.renderer.reset_camera_clipping_range()
        if self._cut_mm is not None:
            camera = self.plotter.camera
            camera.clipping_range = (camera.distance - self._cut_mm, camera.clipping_range[1])

    def _add_instrument(self, name: str) -> None:
        parts = self._tools[name].part if name in self._tools else (UNKNOWN_TOOL_PART,)
        self._instruments[name] = {}
        for part in parts:
            actor = looks.add_part(self.plotter, part)
            actor.SetVisibility(False)
            self._instruments[name][part.name] = actor


def open_plotter(size: tuple[int, int]) -> pv.Plotter:
    """An off-screen plotter that also works where there is no display."""
    import pyvista as pv

    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        # VTK would first try, and complain about, an X server that is not there.
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    plotter = pv.Plotter(off_screen=True, window_size=list(size), lighting=None)
    render_window(plotter).SetMultiSamples(0)
    return plotter


def render_window(plotter: pv.Plotter) -> Any:
    """VTK's own window of an open plotter."""
    window = plotter.render_window
    assert window is not None, "the plotter is closed"
    return window


def render_png(
    scene: Scene,
    rig: Rig | None,
    state: State | None,
    alerts: AlertSet | None,
    path: Path,
    size: tuple[int, int] = (1280, 800),
    view: ViewName = "posterior",
) -> Path:
    """Paint one moment off-screen, with a caption that says in words what is known and what is not, and save it as PNG.

    Raises
    ------
    InputRefused : unknown view
    """
    check_view(view)
    plotter = open_plotter(size)
    try:
        return save_png(Picture(plotter, scene, rig), state, alerts, path, view)
    finally:
        plotter.close()


def save_png(picture: Picture, state: State | None, alerts: AlertSet | None, path: Path, view: ViewName, bone: str = "") -> Path:
    """As `render_png`, with a picture that is painted already and off-screen.

    Parameters
    ----------
    bone : what of the drilled bone in it is not known, "" where all is
    """
    from PIL import Image

    from navtwin.scene.caption import write_caption

    pixels = picture_pixels(picture, state, alerts, view)
    image = write_caption(Image.fromarray(pixels), picture.scene, state, alerts, view, bone)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    image.save(part, format="PNG")
    part.replace(path)
    return path


def picture_pixels(picture: Picture, state: State | None, alerts: AlertSet | None, view: ViewName) -> npt.NDArray[np.uint8]:
    """One moment of a picture that is off-screen, smoothed, (rows, columns, 3)."""
    picture.plotter.enable_anti_aliasing("ssaa")
    picture.look(view, state)
    picture.show(state, alerts)
    picture.plotter.render()
    return np.asarray(picture.plotter.screenshot(None, return_img=True), dtype=np.uint8)[:, :, :3]


def software_rendering() -> bool:
    """Whether pictures are drawn by the processor here (Mesa's llvmpipe or softpipe) and not by a graphics card. Opens a small window to find out."""
    plotter = open_plotter((16, 16))
    try:
        return draws_by_processor(plotter)
    finally:
        plotter.close()


def draws_by_processor(plotter: pv.Plotter) -> bool:
    """As `software_rendering`, of an open plotter."""
    window = render_window(plotter)
    window.Render()
    capabilities = str(window.ReportCapabilities()).lower()
    return any(word in capabilities for word in ("llvmpipe", "softpipe", "swrast", "software rasterizer"))


def _confirmed(state: State | None, alerts: AlertSet | None) -> State | None:
    """The state without the readings that the alert set takes back."""
    if state is None or alerts is None:
        return state
    doubted = {pair.id for pair in alerts.pairs if not pair.known}
    readings = tuple(r for r in state.readings if f"{r.structure}/{r.instrument}/{r.part}" not in doubted)
    return msgspec.structs.replace(state, readings=readings)


def _worst(levels: dict[str, Level], instrument: str, part: str) -> Level:
    ours = [level for name, level in levels.items() if name.endswith(f"/{instrument}/{part}")]
    return max(ours, key=LEVELS.index, default="CLEAR")


def _between(a: Vec3, b: Vec3, share: float) -> Vec3:
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))
