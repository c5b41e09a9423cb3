"""Shapes become a CT: Hounsfield units with partial volumes, a label map, and the NIfTI files and table that an archive would hand over."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from phantoms.shapes import Array, Shape, Union

Block = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Tissue:
    """One structure of a phantom: its shape, its label and what it looks like in CT.

    Attributes
    ----------
    name, label : as the table of structures states them; label 0 is drawn in the CT but not labelled
    hu : Hounsfield units inside
    rim_hu, rim_mm : those of the outermost `rim_mm` (cortical bone), where `rim_mm` > 0
    """

    name: str
    label: int
    shape: Shape
    hu: float
    rim_hu: float = 0.0
    rim_mm: float = 0.0


@dataclass(frozen=True)
class Grid:
    """Voxel centres: `origin_mm + spacing_mm * (i, j, k)`, along the axes of ct (LPS)."""

    origin_mm: Vec3
    spacing_mm: Vec3
    shape_ijk: tuple[int, int, int]

    def block(self, low_mm: Array, high_mm: Array) -> tuple[Block, Array] | None:
        """The index block whose voxels reach into a box, and its voxel centres (N, 3), mm; None where they do not meet."""
        origin, spacing = np.array(self.origin_mm), np.array(self.spacing_mm)
        first = np.maximum(np.floor((low_mm - origin) / spacing).astype(int) - 1, 0)
        last = np.minimum(np.ceil((high_mm - origin) / spacing).astype(int) + 2, self.shape_ijk)
        if (first >= last).any():
            return None
        axes = [origin[d] + spacing[d] * np.arange(first[d], last[d]) for d in range(3)]
        i, j, k = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        return (i, j, k), np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def rasterise(tissues: Sequence[Tissue], grid: Grid, *, air_hu: float = -1000.0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Draw tissues in order, later over earlier.

    Returns
    -------
    hu : (I, J, K) float32. A voxel that a boundary cuts is mixed by the share of it that lies inside, taken as linear in the signed distance over the
        voxel's mean width: what a scanner's partial volume does to first order.
    labels : (I, J, K) uint8, the label of the last tissue that holds the voxel's centre
    """
    hu = np.full(grid.shape_ijk, air_hu, dtype=np.float32)
    labels = np.zeros(grid.shape_ijk, dtype=np.uint8)
    width = float(np.prod(grid.spacing_mm) ** (1.0 / 3.0))
    for tissue in tissues:
        found = _distances(tissue.shape, grid)
        if found is None:
            continue
        where, distance = found
        share = np.clip(0.5 - distance / width, 0.0, 1.0)
        core = np.clip(0.5 - (distance + tissue.rim_mm) / width, 0.0, 1.0) if tissue.rim_mm > 0.0 else share
        inside_hu = tissue.hu * core + tissue.rim_hu * (share - core)
        hu[where] = (hu[where] * (1.0 - share) + inside_hu).astype(np.float32)
        if tissue.label:
            labels[where][distance <= 0.0] = tissue.label
    return hu, labels


def _distances(shape: Shape, grid: Grid) -> tuple[Block, Array] | None:
    """Signed distances of a block of voxels that holds the shape. Members of a union are asked only near themselves: farther off it is +inf."""
    found = grid.block(*shape.bounds_mm())
    if found is None:
        return None
    where, centres = found
    size = tuple(s.stop - s.start for s in where)
    if not isinstance(shape, Union):
        return where, shape.distance_mm(centres).reshape(size)
    distance = np.full(size, np.inf)
    for member in shape.members:
        part = _distances(member, grid)
        if part is not None:
            inner = tuple(slice(p.start - w.start, p.stop - w.start) for p, w in zip(part[0], where, strict=True))
            distance[inner] = np.minimum(distance[inner], part[1])
    return where, distance


def write_nifti(path: Path, values: npt.NDArray[np.generic], grid: Grid) -> None:
    """Write an (I, J, K) array as NIfTI. The file's axes are RAS: x and y of LPS change sign in the affine, not in the data."""
    import nibabel as nib

    affine = np.diag([*(np.array(grid.spacing_mm) * (-1.0, -1.0, 1.0)), 1.0])
    affine[:3, 3] = np.array(grid.origin_mm) * (-1.0, -1.0, 1.0)
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    temporary = path.with_name(f".{path.name.removesuffix('.nii.gz')}.partial.nii.gz")
    nib.save(image, temporary)
    temporary.replace(path)


def write_table(path: Path, tissues: Sequence[Tissue]) -> None:
    """Write the labelled tissues as `group,original_idx,structure,id`, the form in which the public chest CT names its labels."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("group", "original_idx", "structure", "id"))
        rows.writerows(("phantom", n, t.name, t.label) for n, t in enumerate((t for t in tissues if t.label), start=1))
    temporary.replace(path)
