"""The surfaces of a case as a segmentation: voxels of the CT whose centres lie inside, named and coloured, for 3D Slicer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.formats import Report
from navtwin.scene.author.recipe import read_recipe
from navtwin.scene.case import StructureEntry, load_scene, read_case_file
from navtwin.scene.surface import Surface
from navtwin.volumes.labels.segments import Layers
from navtwin.volumes.labels.write import write_seg_nrrd
from navtwin.volumes.read import layout_of

Mask = npt.NDArray[np.bool_]


def write_segmentation(folder: Path, to: Path, report: Report, name: str | None = None) -> tuple[str, ...]:
    """Write the structures of a case, or the one called `name`, as `.seg.nrrd` on the voxels of its CT; sentences on what could not be.

    Raises
    ------
    InputRefused : as `load_scene`; no such structure; none whose inside is certain
    """
    scene = load_scene(folder)
    grid = layout_of(scene.ct_path)
    ni, nj, nk = grid.shape_ijk
    layers, said = Layers((nk, nj, ni)), list[str]()
    tags = {entry.name: _tags(folder, entry) for entry in read_case_file(folder).structure}
    written = 0
    for one in scene.structures if name is None else (scene.structure(name),):
        if not one.surface.sign.is_certain:
            said.append(f"'{one.name}' is left out: its surface is {one.surface.sign.why}, and its inside is doubtful")
            continue
        report(f"voxels of {one.name}")
        mask = voxels_inside(one.surface, grid.T_ct_from_ijk, (nk, nj, ni))
        if not mask.any():
            said.append(f"'{one.name}' is left out: it holds no voxel's centre of the CT")
            continue
        layers.add(one.name, one.color, mask, tags[one.name])
        written += 1
    if not written:
        raise InputRefused(f"{folder} has no structure that can be written as voxels", "; ".join(said) or "add one first")
    found = layers.segmentation(grid.T_ct_from_ijk, scene.ct_path)
    write_seg_nrrd(found, to)
    return (f"{written} structures written to {to} on {ni} x {nj} x {nk} voxels, names and colours kept; surfaces come back to within a voxel", *said)


def _tags(folder: Path, entry: StructureEntry) -> tuple[tuple[str, str], ...]:
    """What a structure's error is declared as, and who made it, if it was made by hand: Slicer keeps both."""
    error = ("navtwin.sd_mm", f"{entry.sd_mm:g}")
    if not entry.made:
        return (error,)
    recipe = read_recipe(folder / entry.made)
    by = recipe.author if not recipe.changed_by else f"{recipe.author}, changed by {recipe.changed_by}"
    return (error, ("navtwin.author", by), ("navtwin.made", recipe.changed or recipe.made))


def voxels_inside(surface: Surface, T_ct_from_ijk: npt.NDArray[np.float64], shape_kji: tuple[int, int, int]) -> Mask:
    """The voxels (nk, nj, ni) whose centres a closed surface holds; what lies outside the grid is left out."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

    T_ijk_from_ct = np.linalg.inv(T_ct_from_ijk)
    at_ijk = surface.vertices_mm @ T_ijk_from_ct[:3, :3].T + T_ijk_from_ct[:3, 3]
    mask = np.zeros(shape_kji, dtype=bool)
    first = np.maximum(np.floor(at_ijk.min(axis=0)).astype(int), 0)
    last = np.minimum(np.ceil(at_ijk.max(axis=0)).astype(int), np.array(shape_kji[::-1]) - 1)
    if (last < first).any():
        return mask
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(at_ijk), deep=True))
    cells = vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(surface.faces, dtype=np.int64).ravel(), deep=True))
    mesh = vtkPolyData()
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(mesh)
    stencil.SetTolerance(0.0)
    stencil.SetOutputWholeExtent(*(int(n) for pair in zip(first, last, strict=True) for n in pair))
    image = vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetOutputScalarTypeToUnsignedChar()
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.Update()
    (ni, nj, nk) = last - first + 1
    inside = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(nk, nj, ni)
    mask[first[2] : last[2] + 1, first[1] : last[1] + 1, first[0] : last[0] + 1] = inside != 0
    return mask
