"""A scene and one moment of it, painted with VTK: what the window, the snapshots and the report share.

The anatomy is painted once; `Picture.show` then moves instruments and distance lines. Only what is known at that moment is drawn: an instrument
without a valid pose is taken out of the picture, because at its last place it would look as if it were there.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from navtwin.nouns import LEVELS, AlertSet, Level, Part, Reading, Rig, State, Tool
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.distances import reading_words
from navtwin.scene.model import Plan, Scene, Structure
from navtwin.scene.solids import capsule_mesh, surface_mesh
from navtwin.scene.views import VIEW_ANGLE_DEG, Standpoint, ViewName, check_view, nearest_critical, standpoint

if TYPE_CHECKING:
    import pyvista as pv

#: `light` is for software rendering, which manages about a million triangles a second.
Detail = Literal["full", "light"]
MOST_TRIANGLES: dict[Detail, int] = {"full": 400_000, "light": 100_000}
VEIL_OPACITY = 0.2
#: How opaque a shell is where it faces the viewer, at most, and at its rim.
SHELL_FACING, SHELL_EDGE = 0.48, 0.92
PLAN_RADIUS_MM = 0.4
#: Drawn where the rig names no capsules for an instrument.
UNKNOWN_TOOL_PART = Part(name="tip", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, -40.0), radius_mm=1.0)
THICK_MM = 3.0
#: Beyond this no line is drawn from an instrument to a structure that it does not threaten.
LINE_REACH_MM = 60.0
LINE_RADIUS_MM = 0.25
#: How far a label stands from its dot, as a share of the distance to the viewer.
LABEL_OFFSET = 0.014

# A see-through shell: clear where it faces the viewer, solid and light at its rim, as glass is. (Schlick-like falloff with the cosine to the viewer.)
_SHELL = """//VTK::Light::Impl
  float rim = 1.0 - abs(normalVCVSOutput.z);
  fragOutput0.rgb = min(1.15 * fragOutput0.rgb + {glow:.3f} * rim * rim * vec3({r:.3f}, {g:.3f}, {b:.3f}), vec3(1.0));
  fragOutput0.a = mix({facing:.3f}, {edge:.3f}, pow(rim, 1.5));
"""
# Depth without colour: of a shell only what lies nearest is then blended, whatever the order of its triangles.
# Zero alpha would be discarded together with its depth.
_DEPTH_ONLY = """//VTK::Light::Impl
  fragOutput0 = vec4(0.0, 0.0, 0.0, 0.002);
"""


@dataclass
class _Line:
    """From a structure to the part that is nearest to it: a line, a dot on the structure, a label."""

    mesh: pv.PolyData
    actors: tuple[Any, Any]
    label: Any


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
        self._detail = detail
        self._instruments: dict[str, dict[str, Any]] = {}
        self._known: set[str] = set()
        self._cut_mm: float | None = None
        plotter.background_color = pv.Color(palette.BACKGROUND)
        _light(plotter)
        shares = _triangle_shares(scene, MOST_TRIANGLES[detail])
        shells: list[tuple[Structure, pv.PolyData]] = []
        self._anatomy: dict[str, list[Any]] = {}
        for structure in scene.structures:
            mesh = surface_mesh(structure.surface.vertices_mm, structure.surface.faces, shares[structure.name])
            if is_solid(structure):
                self._anatomy[structure.name] = [self._add(mesh, structure.color, ambient=0.16, specular=0.22, specular_power=24.0)]
            else:
                shells.append((structure, mesh))
        for plan in scene.plans:
            self._add_plan(plan)
        for name in self._tools:
            self._add_instrument(name)
        self._lines = {s.name: self._add_line() for s in scene.structures if s.role == "critical"}
        # Shells come last: what is inside them has to be drawn before their depth is.
        for structure, mesh in sorted(shells, key=lambda s: is_veil(s[0])):
            self._anatomy[structure.name] = self._add_shell(mesh, structure)
            self.set_visible(structure.name, not is_veil(structure))
        _add_compass(plotter)
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
        self._show_lines(state, levels)
        self._fit_depth()

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
        self._fit_depth()

    def set_visible(self, structure: str, visible: bool) -> None:
        """Show or hide one structure. Veils are hidden at first."""
        for actor in self._anatomy[structure]:
            actor.SetVisibility(visible)

    @property
    def instruments_shown(self) -> frozenset[str]:
        """The instruments that are in the picture now."""
        return frozenset(self._known)

    def _fit_depth(self) -> None:
        """See from the nearest thing shown to the farthest, less what the view cuts away."""
        self.plotter.renderer.reset_camera_clipping_range()
        if self._cut_mm is not None:
            camera = self.plotter.camera
            camera.clipping_range = (camera.distance - self._cut_mm, camera.clipping_range[1])

    def _add(self, mesh: pv.PolyData, color: str, **options: Any) -> Any:
        return self.plotter.add_mesh(mesh, color=color, smooth_shading=True, reset_camera=False, render=False, pickable=False, **options)

    def _add_shell(self, mesh: pv.PolyData, structure: Structure) -> list[Any]:
        veil = is_veil(structure)
        depth = self._add(mesh, structure.color, culling="back")
        _replace_shader(depth, _DEPTH_ONLY)
        shell = self._add(mesh, structure.color, culling="back", opacity=0.5, ambient=0.2, specular=0.1 if veil else 0.3, specular_power=30.0)
        facing = structure.opacity * 0.25 if veil else min(SHELL_FACING, structure.opacity)
        r, g, b = shell.prop.color.float_rgb
        edge = structure.opacity * 2.0 if veil else SHELL_EDGE
        _replace_shader(shell, _SHELL.format(glow=0.1 if veil else 0.35, r=r, g=g, b=b, facing=facing, edge=edge))
        if veil:
            # A veil in front of bone must not hide it: no depth, and it is blended last.
            self.plotter.remove_actor(depth, reset_camera=False, render=False)
            return [shell]
        return [depth, shell]

    def _add_plan(self, plan: Plan) -> None:
        core = Part(name="axis", from_mm=plan.entry_mm, to_mm=plan.target_mm, radius_mm=PLAN_RADIUS_MM)
        self._add(capsule_mesh(core), palette.PLAN, ambient=0.5)
        start = self._add(
            capsule_mesh(Part(name="entry", from_mm=plan.entry_mm, to_mm=plan.entry_mm, radius_mm=3.0 * PLAN_RADIUS_MM)), palette.PLAN, ambient=0.5
        )
        start.prop.specular = 0.3

    def _add_instrument(self, name: str) -> None:
        parts = self._tools[name].part if name in self._tools else (UNKNOWN_TOOL_PART,)
        self._instruments[name] = {}
        for part in parts:
            actor = self._add_part(part)
            actor.SetVisibility(False)
            self._instruments[name][part.name] = actor

    def _add_part(self, part: Part) -> Any:
        """A thick part is drawn as glass: seen from behind, a handpiece must not hide the tip that it drives."""
        thick = part.radius_mm >= THICK_MM
        actor = self._add(
            capsule_mesh(part), palette.METAL, ambient=0.18, specular=0.6, specular_power=40.0, culling="back", opacity=0.5 if thick else 1.0
        )
        if thick:
            _replace_shader(actor, _SHELL.format(glow=0.2, r=1.0, g=1.0, b=1.0, facing=0.05, edge=0.55))
        return actor

    def _add_line(self) -> _Line:
        import pyvista as pv
        from vtkmodules.vtkRenderingCore import vtkTextActor

        mesh = _thread((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
        line = self._add(mesh, "white", lighting=False)
        dot = self._add(pv.Sphere(radius=0.7, theta_resolution=16, phi_resolution=16), "white", lighting=False)
        label = vtkTextActor()
        label.GetPositionCoordinate().SetCoordinateSystemToWorld()
        text = label.GetTextProperty()
        text.SetFontSize(19)
        text.BoldOn()
        text.SetBackgroundColor(*pv.Color(palette.BACKGROUND).float_rgb)
        text.SetBackgroundOpacity(0.72)
        text.SetVerticalJustificationToCentered()
        self.plotter.add_actor(label, reset_camera=False, render=False, pickable=False)
        drawn = _Line(mesh, (line, dot), label)
        _set_visible(drawn, False)
        return drawn

    def _show_lines(self, state: State | None, levels: dict[str, Level]) -> None:
        import pyvista as pv

        nearest = nearest_critical(state)
        shown = 0
        for structure, line in self._lines.items():
            reading = nearest_critical(state, structure)
            level: Level = levels.get(_pair(reading), "CLEAR") if reading else "CLEAR"
            if reading is None or reading.on_axis_mm is None or reading.on_structure_mm is None or not _worth_a_line(reading, nearest, level):
                _set_visible(line, False)
                continue
            _set_visible(line, True)
            line.mesh.copy_from(_thread(reading.on_axis_mm, reading.on_structure_mm))
            line.actors[1].position = reading.on_structure_mm
            color = pv.Color(palette.LEVEL_COLORS[level])
            for actor in line.actors:
                actor.prop.color = color
            line.label.SetInput(f"  {reading_words(reading, error_bar=False)}  ")
            line.label.GetTextProperty().SetColor(*color.float_rgb)
            self._put_label(line.label, reading.on_structure_mm, shown)
            shown += 1

    def _put_label(self, label: Any, p_mm: Vec3, place: int) -> None:
        """Beside the dot at `p_mm`: to its right and above, the next one to its left, further ones below, so that no two lie on each other."""
        camera = self.plotter.camera
        right = Standpoint(camera.position, camera.focal_point, camera.up).right()
        aside, above = (1.0, -1.0)[place % 2], (1.0, -1.0)[place // 2 % 2]
        x, y, z = np.array(p_mm) + LABEL_OFFSET * camera.distance * (aside * right + above * np.array(camera.up))
        label.GetPositionCoordinate().SetValue(float(x), float(y), float(z))
        text = label.GetTextProperty()
        if aside > 0.0:
            text.SetJustificationToLeft()
        else:
            text.SetJustificationToRight()


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


def save_png(picture: Picture, state: State | None, alerts: AlertSet | None, path: Path, view: ViewName) -> Path:
    """As `render_png`, with a picture that is painted already and off-screen."""
    from PIL import Image

    from navtwin.scene.caption import write_caption

    picture.plotter.enable_anti_aliasing("ssaa")
    picture.look(view, state)
    picture.show(state, alerts)
    picture.plotter.render()
    pixels = np.asarray(picture.plotter.screenshot(None, return_img=True))
    image = write_caption(Image.fromarray(pixels[:, :, :3]), picture.scene, state, alerts, view)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    image.save(part, format="PNG")
    part.replace(path)
    return path


def software_rendering() -> bool:
    """Whether pictures are drawn by the processor here (Mesa's llvmpipe or softpipe) and not by a graphics card. Opens a small window to find out."""
    plotter = open_plotter((16, 16))
    try:
        window = render_window(plotter)
        window.Render()
        capabilities = str(window.ReportCapabilities()).lower()
    finally:
        plotter.close()
    return any(word in capabilities for word in ("llvmpipe", "softpipe", "swrast", "software rasterizer"))


def is_solid(structure: Structure) -> bool:
    """Whether a structure is drawn opaque. What can warn always is; bone that is worked on never is, for what matters lies behind it."""
    return structure.role == "critical" or (structure.role == "context" and structure.opacity >= 1.0)


def is_veil(structure: Structure) -> bool:
    """Whether a structure is so faint that it is only drawn when asked for, and at its rim: the skin."""
    return structure.role != "critical" and structure.opacity < VEIL_OPACITY


def _worst(levels: dict[str, Level], instrument: str, part: str) -> Level:
    ours = [level for name, level in levels.items() if name.endswith(f"/{instrument}/{part}")]
    return max(ours, key=LEVELS.index, default="CLEAR")


def _between(a: Vec3, b: Vec3, share: float) -> Vec3:
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))


def _pair(reading: Reading) -> str:
    return f"{reading.structure}/{reading.instrument}/{reading.part}"


def _thread(a_mm: Vec3, b_mm: Vec3) -> pv.PolyData:
    return capsule_mesh(Part(name="line", from_mm=a_mm, to_mm=b_mm, radius_mm=LINE_RADIUS_MM))


def _worth_a_line(reading: Reading, nearest: Reading | None, level: Level) -> bool:
    return level != "CLEAR" or (reading is nearest and reading.distance_mm is not None and reading.distance_mm < LINE_REACH_MM)


def _set_visible(line: _Line, visible: bool) -> None:
    for actor in (*line.actors, line.label):
        actor.SetVisibility(visible)


def _triangle_shares(scene: Scene, most: int) -> dict[str, int]:
    """How many triangles each structure may keep: by its size, but a critical one counts triple and a veil a fifth."""
    weights = {s.name: len(s.surface.faces) ** 0.75 * (3.0 if s.role == "critical" else 0.2 if is_veil(s) else 1.0) for s in scene.structures}
    total = sum(weights.values())
    return {name: max(2_000, int(most * weight / total)) for name, weight in weights.items()}


def _replace_shader(actor: Any, code: str) -> None:
    actor.GetShaderProperty().AddFragmentShaderReplacement("//VTK::Light::Impl", True, code, False)


def _light(plotter: pv.Plotter) -> None:
    """A key light over the viewer's right shoulder and a cool one from the left, both fixed to the camera."""
    import pyvista as pv

    plotter.remove_all_lights()
    for position, intensity, color in (((0.35, 0.55, 1.0), 0.85, "#ffffff"), ((-1.0, -0.15, 0.5), 0.35, "#eef3ff")):
        light = pv.Light(light_type="camera light", intensity=intensity, color=color)
        light.position, light.focal_point = position, (0.0, 0.0, 0.0)
        plotter.add_light(light)


def _add_compass(plotter: pv.Plotter) -> None:
    """A small cube in the corner with the patient's sides as letters."""
    import pyvista as pv
    from vtkmodules.vtkRenderingAnnotation import vtkAnnotatedCubeActor

    cube = vtkAnnotatedCubeActor()
    cube.SetXPlusFaceText("L")
    cube.SetXMinusFaceText("R")
    cube.SetYPlusFaceText("P")
    cube.SetYMinusFaceText("A")
    cube.SetZPlusFaceText("S")
    cube.SetZMinusFaceText("I")
    cube.SetFaceTextScale(0.6)
    cube.SetZFaceTextRotation(-90.0)
    cube.GetTextEdgesProperty().SetOpacity(0.0)
    cube.GetCubeProperty().SetColor(*pv.Color(palette.EDGE).float_rgb)
    for face in (
        cube.GetXPlusFaceProperty,
        cube.GetXMinusFaceProperty,
        cube.GetYPlusFaceProperty,
        cube.GetYMinusFaceProperty,
        cube.GetZPlusFaceProperty,
        cube.GetZMinusFaceProperty,
    ):
        face().SetColor(*pv.Color(palette.TEXT).float_rgb)
        face().SetInterpolationToFlat()
    plotter.add_orientation_widget(cube, interactive=False, viewport=(0.86, 0.0, 1.0, 0.2))
