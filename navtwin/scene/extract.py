"""From voxels to a closed surface: smooth round a label, or level with a threshold.

A surface is watertight and looks outwards whatever the handedness of the volume. Where the scan ends inside the structure it is closed
half a voxel beyond the last voxel centre, and the extraction says `capped`. Specks are left out (smallest first) as long as all of them
together are under `SPECK_SHARE` of the voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.volume import Volume

if TYPE_CHECKING:
    from navtwin.scene.surface import Surface

Mask = npt.NDArray[np.bool_]

SPECK_SHARE = 0.004
#: Share of all voxels from which a part that hangs together counts as large.
LARGE_PART = 0.05
#: Field values are kept at least this far from the level, so that no vertex falls on a voxel centre and no triangle is empty.
_CLEARANCE_HU = 0.5


@dataclass(frozen=True)
class Extraction:
    """A surface with what is known of its making.

    Attributes
    ----------
    surface : in ct, mm, outward
    capped : the structure reaches the edge of the scan and was closed there
    voxel_mm3 : volume of the voxels that it stands for, specks included
    dropped_mm3 : volume of the specks left out
    boundary_voxels : the farthest that the surface strays from the label's boundary, in voxels; None for a threshold
    """

    surface: Surface
    capped: bool
    voxel_mm3: float
    dropped_mm3: float
    boundary_voxels: float | None

    @property
    def volume_error(self) -> float:
        """Relative difference between the enclosed volume and that of the voxels."""
        return self.surface.volume_mm3 / self.voxel_mm3 - 1.0


def extract_surface(volume: Volume, *, threshold_hu: float | None = None, labels: int | Sequence[int] | None = None) -> Surface:
    """The surface of what lies at or above a threshold, or of the union of some labels.

    Parameters
    ----------
    volume : a CT for `threshold_hu`; a label volume (`read_labels`) for `labels`
    threshold_hu : HU of the level, interpolated between voxels
    labels : label numbers; the surface is smooth, within 0.5 voxel of the label's boundary, its volume within 1 % of the label's

    Raises
    ------
    InputRefused : both or neither of threshold and labels; no voxel there
    """
    return extract(volume, threshold_hu=threshold_hu, labels=labels).surface


def extract(volume: Volume, *, threshold_hu: float | None = None, labels: int | Sequence[int] | None = None) -> Extraction:
    """As `extract_surface`, with the figures."""
    if (threshold_hu is None) == (labels is None):
        raise InputRefused("extract_surface needs either threshold_hu or labels", "pass exactly one of the two")
    if labels is not None:
        wanted = [labels] if isinstance(labels, int) else list(labels)
        inside = volume.hu == wanted[0] if len(wanted) == 1 else np.isin(volume.hu, wanted)
        return extract_mask(volume, inside, f"label {', '.join(map(str, wanted))}")
    assert threshold_hu is not None
    return _extract_level(volume, threshold_hu)


def extract_mask(volume: Volume, inside: Mask, what: str) -> Extraction:
    """The smooth surface of a mask (nk, nj, ni) on the voxels of `volume`; `what` names it where it is empty."""
    from navtwin.scene.fairing import face_distances, fair

    box = _bounds(inside, what, volume)
    kept, dropped = without_specks(inside[box])
    boundary, faces = contour(np.pad(kept, 1).astype(np.float32), 0.5)
    vertices = fair(boundary, faces, kept)
    strays = float(face_distances(vertices, faces, kept).max())
    return _finish(volume, vertices, faces, box, _reaches_edge(kept, box, inside.shape), int(kept.sum()) + dropped, dropped, strays)


def _extract_level(volume: Volume, threshold_hu: float) -> Extraction:
    inside = volume.hu >= threshold_hu
    box = _bounds(inside, f"threshold of {threshold_hu:g} HU", volume)
    kept, dropped = without_specks(inside[box])
    grown = _grown(box, inside.shape)
    field = volume.hu[grown].astype(np.float32) - np.float32(threshold_hu)
    field = np.where(field >= 0.0, np.maximum(field, _CLEARANCE_HU), np.minimum(field, -_CLEARANCE_HU))
    # Beyond the scan the field is mirrored about the level, which closes the surface half a voxel out.
    beyond = [(1 - (s.start - g.start), 1 - (g.stop - s.stop)) for s, g in zip(box, grown, strict=True)]
    outer = -np.abs(np.pad(field, beyond, mode="edge"))
    field = np.where(np.pad(np.ones_like(field, dtype=bool), beyond), np.pad(field, beyond), outer)
    field[np.pad(inside[box] & ~kept, 1)] = -_CLEARANCE_HU
    vertices, faces = contour(field, 0.0)
    return _finish(volume, vertices, faces, box, _reaches_edge(kept, box, inside.shape), int(kept.sum()) + dropped, dropped, None)


Box = tuple[slice, slice, slice]


def _bounds(inside: Mask, what: str, volume: Volume) -> Box:
    """The smallest box of indices (k, j, i) that holds the mask."""
    spans = []
    for axis in range(3):
        used = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        if not used.size:
            raise InputRefused(f"no voxel of {volume.path} belongs to {what}", "check the label numbers, or lower the threshold")
        spans.append(slice(int(used[0]), int(used[-1]) + 1))
    return (spans[0], spans[1], spans[2])


def _grown(box: Box, shape: tuple[int, ...]) -> Box:
    k, j, i = (slice(max(s.start - 1, 0), min(s.stop + 1, n)) for s, n in zip(box, shape, strict=True))
    return (k, j, i)


def _reaches_edge(kept: Mask, box: Box, shape: tuple[int, ...]) -> bool:
    for axis, (span, count) in enumerate(zip(box, shape, strict=True)):
        first, last = kept.take(0, axis=axis), kept.take(-1, axis=axis)
        if (span.start == 0 and first.any()) or (span.stop == count and last.any()):
            return True
    return False


def without_specks(inside: Mask) -> tuple[Mask, int]:
    """The mask less its smallest components, and how many voxels went with them."""
    from scipy import ndimage

    numbered, count = ndimage.label(inside, structure=np.ones((3, 3, 3), dtype=bool))
    if count == 1:
        return inside, 0
    sizes = np.bincount(numbered.ravel())[1:]
    order = np.argsort(sizes, kind="stable")
    gone = order[np.cumsum(sizes[order]) <= SPECK_SHARE * sizes.sum()]
    kept: Mask = inside & ~np.isin(numbered, gone + 1)
    return kept, int(sizes[gone].sum())


def large_parts(inside: Mask) -> list[int]:
    """How many voxels each large part of a mask has (voxels joined by their faces), the largest first."""
    from scipy import ndimage

    numbered, _ = ndimage.label(inside)
    voxels = np.sort(np.bincount(numbered.ravel())[1:])[::-1]
    return [int(count) for count in voxels[voxels >= LARGE_PART * voxels.sum()]]


def contour(field: npt.NDArray[np.float32], level: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Vertices (V, 3) in indices of the field before it was padded by 1, and faces (F, 3) looking towards lower values.

    Flying edges (Schroeder et al., LDAV 2015).
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    nk, nj, ni = field.shape
    image = vtkImageData()
    image.SetDimensions(ni, nj, nk)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(field, dtype=np.float32).ravel(), deep=True))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, level)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    mesh = contour.GetOutput()
    vertices = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64) - 1.0
    faces = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
    return vertices, faces


def _finish(volume: Volume, vertices_ijk: npt.NDArray[np.float64], faces: npt.NDArray[np.int32], box: Box, capped: bool,
            voxels: int, dropped: int, boundary_voxels: float | None) -> Extraction:  # fmt: skip
    from navtwin.scene.surface import Surface

    T = volume.T_ct_from_ijk
    corner = np.array([box[2].start, box[1].start, box[0].start], dtype=np.float64)
    vertices_mm = (vertices_ijk + corner) @ T[:3, :3].T + T[:3, 3]
    determinant = float(np.linalg.det(T[:3, :3]))
    outward = faces if determinant > 0.0 else faces[:, ::-1]
    surface = Surface.from_arrays(vertices_mm, np.ascontiguousarray(outward))
    voxel_mm3 = abs(determinant)
    return Extraction(surface, capped, voxels * voxel_mm3, dropped * voxel_mm3, boundary_voxels)
