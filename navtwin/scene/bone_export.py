"""Drilled bone for other programs: what is left as a mesh, and what is left and what is gone as labels on the voxels of the scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.kernels.bone.bricks import BRICK
from navtwin.meshes.write import write_mesh
from navtwin.scene.carvable import Carvable
from navtwin.volumes.volume import Affine, Volume, placed
from navtwin.volumes.write import write_metaimage, write_nifti, write_nrrd

LEFT: Final = 1
REMOVED: Final = 2
_WRITERS: Final[Mapping[str, Callable[[Volume, Path], None]]] = {
    ".nii.gz": write_nifti,
    ".nii": write_nifti,
    ".nrrd": write_nrrd,
    ".mha": write_metaimage,
}


def write_bone_mesh(bone: Carvable, to: Path) -> int:
    """Write the surface of what is left, LPS and mm, as STL, PLY, OBJ, VTK or VTP, as the name ends; returns the number of its triangles.

    Raises
    ------
    InputRefused : nothing is left; another ending, or the file cannot be written
    """
    surface = bone.surface()
    write_mesh(to, surface.vertices_mm, surface.faces)
    return len(surface.faces)


def write_bone_labels(whole: Carvable, left: Carvable, T_ct_from_ijk: Affine, shape_ijk: tuple[int, int, int], to: Path) -> tuple[int, int]:
    """Write a labelmap on the voxels of a scan as NIfTI, NRRD or MetaImage: 1 is bone that is left, 2 bone that was removed, by voxels' centres.

    Returns
    -------
    How many voxels are left, and how many were removed

    Raises
    ------
    InputRefused : `left` is not what is left of `whole`; no voxel of the scan lies in the bone; another ending, or the file cannot be written
    """
    ending = next((known for known in _WRITERS if to.name.lower().endswith(known)), None)
    if ending is None:
        raise InputRefused(f"cannot write labels as '{to.name}'", f"end the name with one of {', '.join(_WRITERS)}")
    labels = bone_labels(whole, left, T_ct_from_ijk, shape_ijk)
    counts = int(np.count_nonzero(labels == LEFT)), int(np.count_nonzero(labels == REMOVED))
    if counts == (0, 0):
        raise InputRefused("no voxel of the scan has its centre in the bone", "export on the scan that the bone was made from")
    _WRITERS[ending](placed(labels, np.array(T_ct_from_ijk), to), to)
    return counts


def bone_labels(whole: Carvable, left: Carvable, T_ct_from_ijk: Affine, shape_ijk: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """(nk, nj, ni) labels as `write_bone_labels` has them.

    Both are told by the same field, so that where nothing was drilled nothing is said to be gone.

    Raises
    ------
    InputRefused : `left` is on another grid than `whole`
    """
    if whole.bricks.table.shape != left.bricks.table.shape or whole.side_mm != left.side_mm or (whole.bricks.origin != left.bricks.origin).any():
        raise InputRefused("the drilled bone is not on the grid of the whole one", "make both from the same structure at the same spacing")
    ni, nj, nk = shape_ijk
    labels = np.zeros((nk, nj, ni), np.uint8)
    first, last = _voxels_of(whole, T_ct_from_ijk, shape_ijk)
    if (last < first).any():
        return labels
    i, j = np.meshgrid(np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1))
    for k in range(first[2], last[2] + 1):
        plane = np.stack((i.ravel(), j.ravel(), np.full(i.size, k)), axis=1) @ T_ct_from_ijk[:3, :3].T + T_ct_from_ijk[:3, 3]
        was, found = whole.values(plane) < 0.0, np.zeros(i.size, np.uint8)
        found[was] = np.where(left.values(plane[was]) < 0.0, LEFT, REMOVED)
        labels[k, first[1] : last[1] + 1, first[0] : last[0] + 1] = found.reshape(i.shape)
    return labels


def _voxels_of(bone: Carvable, T_ct_from_ijk: Affine, shape_ijk: tuple[int, int, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First and last voxel i, j, k of the box that holds the bone's grid, within the scan."""
    low = bone.bricks.origin
    high = low + bone.side_mm * BRICK * np.array(bone.bricks.table.shape[::-1])
    corners = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    T_ijk_from_ct = np.linalg.inv(T_ct_from_ijk)
    at = corners @ T_ijk_from_ct[:3, :3].T + T_ijk_from_ct[:3, 3]
    first = np.maximum(np.floor(at.min(axis=0)).astype(np.int64), 0)
    return first, np.minimum(np.ceil(at.max(axis=0)).astype(np.int64), np.array(shape_ijk) - 1)
