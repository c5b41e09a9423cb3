"""How each kind of thing is drawn: solid structures, see-through shells, faint veils, glass and metal; the lights, and the compass in the corner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from navtwin.nouns import Part
from navtwin.scene import palette
from navtwin.scene.model import Plan, Structure
from navtwin.scene.solids import capsule_mesh

if TYPE_CHECKING:
    import pyvista as pv

#: A structure fainter than this is a veil.
VEIL_OPACITY = 0.2
#: How opaque a shell is where it faces the viewer, at most, and at its rim.
SHELL_FACING, SHELL_EDGE = 0.48, 0.92
#: From this radius on a part of an instrument is drawn as glass.
THICK_MM = 3.0
PLAN_RADIUS_MM, ENTRY_RADIUS_MM = 0.4, 1.2

# A see-through shell: clear where it faces the viewer, solid and light at its rim, as glass is.
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


def is_solid(structure: Structure) -> bool:
    """Whether a structure is drawn opaque. What can warn always is; bone that is worked on never is, for what matters lies behind it."""
    return structure.role == "critical" or (structure.role == "context" and structure.opacity >= 1.0)


def is_veil(structure: Structure) -> bool:
    """Whether a structure is so faint that it is only drawn when asked for, and at its rim: the skin."""
    return structure.role != "critical" and structure.opacity < VEIL_OPACITY


def add_mesh(plotter: pv.Plotter, mesh: pv.PolyData, color: str, **options: Any) -> Any:
    """Put a mesh with normals into the picture without rendering or moving the camera; returns its actor."""
    return plotter.add_mesh(mesh, color=color, smooth_shading=True, reset_camera=False, render=False, pickable=False, **options)


def add_solid(plotter: pv.Plotter, mesh: pv.PolyData, structure: Structure) -> list[Any]:
    """An opaque structure."""
    return [add_mesh(plotter, mesh, structure.color, ambient=0.16, specular=0.22, specular_power=24.0)]


def add_shell(plotter: pv.Plotter, mesh: pv.PolyData, structure: Structure, more: str = "") -> list[Any]:
    """A see-through structure. To be added after everything that is seen through it: its depth would hide what is drawn later.

    `more` : lines of the shader that follow the shell's own
    """
    actors = []
    # What is planned to be removed encloses the walls that the drill leaves: it may hide them no more than a veil may.
    veil = is_veil(structure) or bool(structure.removal_of)
    if not veil:
        # A veil has no depth: it must not hide the bone behind it.
        actors.append(add_mesh(plotter, mesh, structure.color, culling="back"))
        _replace_shader(actors[0], _DEPTH_ONLY)
    shell = add_mesh(plotter, mesh, structure.color, culling="back", opacity=0.5, ambient=0.2, specular=0.1 if veil else 0.3, specular_power=30.0)
    r, g, b = shell.prop.color.float_rgb
    facing = structure.opacity * 0.25 if veil else min(SHELL_FACING, structure.opacity)
    edge = structure.opacity * 2.0 if veil else SHELL_EDGE
    _replace_shader(shell, _SHELL.format(glow=0.1 if veil else 0.35, r=r, g=g, b=b, facing=facing, edge=edge) + more)
    return [*actors, shell]


def add_part(plotter: pv.Plotter, part: Part) -> Any:
    """A part of an instrument in tip axes: metal, or glass if it is thick; seen from behind, a handpiece must not hide the tip that it drives."""
    shine = {"ambient": 0.18, "specular": 0.6, "specular_power": 40.0, "culling": "back"}
    if part.radius_mm < THICK_MM:
        return add_mesh(plotter, capsule_mesh(part), palette.METAL, **shine)
    actor = add_mesh(plotter, capsule_mesh(part), palette.METAL, opacity=0.5, **shine)
    _replace_shader(actor, _SHELL.format(glow=0.2, r=1.0, g=1.0, b=1.0, facing=0.05, edge=0.55))
    return actor


def add_plan(plotter: pv.Plotter, plan: Plan) -> None:
    """A planned path: a thin rod to the target, with a bead where it enters bone."""
    rod = Part(name="axis", from_mm=plan.entry_mm, to_mm=plan.target_mm, radius_mm=PLAN_RADIUS_MM)
    bead = Part(name="entry", from_mm=plan.entry_mm, to_mm=plan.entry_mm, radius_mm=ENTRY_RADIUS_MM)
    for part in (rod, bead):
        add_mesh(plotter, capsule_mesh(part), palette.PLAN, ambient=0.5, specular=0.2)


def light(plotter: pv.Plotter) -> None:
    """A key light over the viewer's right shoulder and a weaker one from the left, both fixed to the camera."""
    import pyvista as pv

    plotter.remove_all_lights()
    for position, intensity, color in (((0.35, 0.55, 1.0), 0.85, "#ffffff"), ((-1.0, -0.15, 0.5), 0.35, "#eef3ff")):
        lamp = pv.Light(light_type="camera light", intensity=intensity, color=color)
        lamp.position, lamp.focal_point = position, (0.0, 0.0, 0.0)
        plotter.add_light(lamp)


def add_compass(plotter: pv.Plotter) -> None:
    """A small cube in the corner with the patient's sides (LPS) as letters."""
    import pyvista as pv
    from vtkmodules.vtkRenderingAnnotation import vtkAnnotatedCubeActor

    cube = vtkAnnotatedCubeActor()
    for name, letter in (("XPlus", "L"), ("XMinus", "R"), ("YPlus", "P"), ("YMinus", "A"), ("ZPlus", "S"), ("ZMinus", "I")):
        getattr(cube, f"Set{name}FaceText")(letter)
        face = getattr(cube, f"Get{name}FaceProperty")()
        face.SetColor(*pv.Color(palette.TEXT).float_rgb)
        face.SetInterpolationToFlat()
    cube.SetFaceTextScale(0.6)
    # Upright from the head and from the feet when the back is up, as in the axial view.
    cube.SetZFaceTextRotation(-90.0)
    cube.GetTextEdgesProperty().SetOpacity(0.0)
    cube.GetCubeProperty().SetColor(*pv.Color(palette.EDGE).float_rgb)
    widget = plotter.add_orientation_widget(cube, interactive=False, viewport=(0.88, 0.0, 1.0, 0.18))
    widget.SetZoom(0.85)


def _replace_shader(actor: Any, code: str) -> None:
    actor.GetShaderProperty().AddFragmentShaderReplacement("//VTK::Light::Impl", True, code, False)
