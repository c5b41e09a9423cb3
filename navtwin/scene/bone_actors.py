"""Drilled bone as VTK draws it: what was cut is coloured by the bone that is left, what is doubtful is striped, the rest is as the whole bone is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.scene import looks, palette
from navtwin.scene.bone_picture import CUT_DEPTH, NO_BAND_MM, BrickLook
from navtwin.scene.cutaway import Arrays
from navtwin.scene.model import Structure
from navtwin.scene.palette import BANDS_MM

if TYPE_CHECKING:
    import pyvista as pv

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]

#: How opaque a cut wall is: it is what the operator looks at, and what lies behind it still shows.
WALL_OPACITY: Final = 0.86
#: Stripes of what is doubtful, pixels of the picture.
STRIPE_PX: Final = 9.0
_WALL = "Wall"
#: Its place among the chunks.
_REST: Final = -1
_CUT: Final = {"low": CUT_DEPTH - 0.15, "high": CUT_DEPTH + 0.15}

_VERTEX_DEC = "//VTK::Normal::Dec\nin vec3 wallMC;\nout vec3 wallVS;\n"
_VERTEX = "//VTK::Normal::Impl\n  wallVS = wallMC;\n"
_FRAGMENT_DEC = "//VTK::Normal::Dec\nin vec3 wallVS;\n"
# Bands are told fragment by fragment, so that their borders are lines; a dark line marks each for who sees no colour.
_COLOR = """//VTK::Color::Impl
  float isCut = smoothstep({low:.2f}, {high:.2f}, wallVS.x);
  float left = wallVS.z;
  vec3 tone = {cut};
  {bands}
  float nearest = {nearest};
  tone *= mix(0.35, 1.0, smoothstep(0.4, 1.2, nearest / max(fwidth(left), 1e-4)));
  float isDoubtful = max(step(0.5, wallVS.y), isStale * isCut);
  float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / {stripe:.1f}));
  tone = mix(tone, mix({unknown}, 0.35 * {unknown}, stripe), isDoubtful);
  isCut = max(isCut, isDoubtful);
  diffuseColor = mix(diffuseColor, tone, isCut);
  ambientColor = mix(ambientColor, 0.2 * tone, isCut);
"""
_OPACITY = """
  fragOutput0.a = mix(fragOutput0.a, {opacity:.3f}, max(smoothstep({low:.2f}, {high:.2f}, wallVS.x), step(0.5, wallVS.y)));
"""


def arrays_of(mesh: pv.PolyData) -> Arrays:
    """What a mesh with normals holds, copied."""
    return Arrays(
        np.array(mesh.points, np.float64),
        np.array(mesh.point_data["Normals"], np.float32),
        np.array(mesh.regular_faces, np.int64).reshape(-1, 3),
        np.zeros(mesh.n_points, np.float32),
    )


def refill(mesh: Any, points_mm: F64, normals: F32, faces: npt.NDArray[np.integer], wall: F32) -> None:
    """Give a VTK mesh other contents, in place and copied. `wall` : (V, 3) depth, doubt and bone left.

    VTK destroys objects under a lock of its own. A mesh that is destroyed, or gives numpy's memory back, asks for Python's lock meanwhile: a thread
    that holds that one and makes something of VTK's would wait for the other for ever.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray

    if mesh.GetPoints() is None:
        mesh.SetPoints(vtkPoints())
        mesh.SetPolys(vtkCellArray())
    mesh.GetPoints().SetData(numpy_to_vtk(points_mm.astype(np.float32), deep=True))
    mesh.GetPolys().SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(faces, np.int64).reshape(-1), deep=True))
    for name, values in (("Normals", normals), (_WALL, wall)):
        array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
        array.SetName(name)
        mesh.GetPointData().AddArray(array)
    mesh.GetPointData().SetActiveNormals("Normals")
    mesh.GetPoints().Modified()
    mesh.GetPolys().Modified()
    mesh.Modified()


class BoneActors:
    """One bone that is drilled in a picture: its exact chunks, and the rest.

    Parameters
    ----------
    plotter : everything that is seen through the bone is in it already
    structure : the bone
    """

    def __init__(self, plotter: pv.Plotter, structure: Structure) -> None:
        self._plotter, self._structure = plotter, structure
        self._chunks: dict[int, list[Any]] = {}
        self._meshes: dict[int, pv.PolyData] = {}
        self._visible, self._stale = True, False

    def show(self, chunks: Mapping[int, BrickLook]) -> None:
        """Take chunks in place of what was shown of them. Does not render."""
        import pyvista as pv

        for chunk, look in chunks.items():
            if chunk not in self._meshes:
                self._meshes[chunk] = pv.PolyData()
            wall = np.stack((look.depth, look.doubtful, look.bone_mm), axis=-1).astype(np.float32)
            refill(self._meshes[chunk], look.vertices_mm, look.normals, look.faces, wall)
            if chunk not in self._chunks:
                self._chunks[chunk] = self._added(self._meshes[chunk])

    def show_rest(self, rest: Arrays) -> None:
        """Take what is not shown in chunks. Does not render."""
        import pyvista as pv

        if _REST not in self._meshes:
            self._meshes[_REST] = pv.PolyData()
        wall = np.zeros((len(rest.points_mm), 3), np.float32)
        wall[:, 1], wall[:, 2] = rest.doubtful, NO_BAND_MM
        refill(self._meshes[_REST], rest.points_mm, rest.normals, rest.faces, wall)
        if _REST not in self._chunks:
            self._chunks[_REST] = self._added(self._meshes[_REST])

    def set_visible(self, visible: bool) -> None:
        self._visible = visible
        for actors in self._chunks.values():
            for actor in actors:
                actor.SetVisibility(visible)

    def set_stale(self, stale: bool) -> None:
        """Stripe every cut wall: it may have been cut further since."""
        self._stale = stale
        for actors in self._chunks.values():
            _set_stale(actors[-1], stale)

    def _added(self, mesh: pv.PolyData) -> list[Any]:
        from vtkmodules.vtkCommonDataModel import vtkDataObject
        from vtkmodules.vtkRenderingCore import vtkPolyDataMapper

        actors = looks.add_shell(self._plotter, mesh, self._structure, _OPACITY.format(opacity=WALL_OPACITY, **_CUT))
        shell = actors[-1]
        # The plotter's own mapper hides the one that knows of attributes.
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(mesh)
        mapper.ScalarVisibilityOff()
        mapper.MapDataArrayToVertexAttribute("wallMC", _WALL, vtkDataObject.FIELD_ASSOCIATION_POINTS, -1)
        shell.SetMapper(mapper)
        shader = shell.GetShaderProperty()
        shader.AddVertexShaderReplacement("//VTK::Normal::Dec", True, _VERTEX_DEC, False)
        shader.AddVertexShaderReplacement("//VTK::Normal::Impl", True, _VERTEX, False)
        shader.AddFragmentShaderReplacement("//VTK::Normal::Dec", True, _FRAGMENT_DEC, False)
        shader.AddFragmentShaderReplacement("//VTK::Color::Impl", True, _color_code(), False)
        _set_stale(shell, self._stale)
        for actor in actors:
            actor.SetVisibility(self._visible)
        return actors


def _set_stale(shell: Any, stale: bool) -> None:
    shell.GetShaderProperty().GetFragmentCustomUniforms().SetUniformf("isStale", float(stale))


def _color_code() -> str:
    bands = zip(reversed(BANDS_MM), reversed(palette.BANDS), strict=True)
    steps = "\n  ".join(f"if (left <= {limit:.1f}) tone = {_vec3(color)};" for limit, color in bands)
    nearest = f"abs(left - {BANDS_MM[0]:.1f})"
    for limit in BANDS_MM[1:]:
        nearest = f"min({nearest}, abs(left - {limit:.1f}))"
    return _COLOR.format(cut=_vec3(palette.CUT_BONE), bands=steps, nearest=nearest, stripe=STRIPE_PX, **_CUT, unknown=_vec3(palette.UNKNOWN))


def _vec3(color: str) -> str:
    import pyvista as pv

    r, g, b = pv.Color(color).float_rgb
    return f"vec3({r:.4f}, {g:.4f}, {b:.4f})"
