"""A small patient with a bone and a vessel, as NIfTI files and as a case: what the tests of this room start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
THORAX = SHARED / "ct" / "chest_labelled"

#: Left-handed, like many real CTs: RAS affine of 1 x 1 x 2 mm voxels.
RAS = np.array([[-1.0, 0.0, 0.0, 30.0], [0.0, 1.0, 0.0, -25.0], [0.0, 0.0, 2.0, -40.0], [0.0, 0.0, 0.0, 1.0]])
SHAPE_IJK = (44, 40, 24)
BONE, VESSEL = 1, 2


def labels_ijk() -> npt.NDArray[np.uint8]:
    """(ni, nj, nk): a bone (ellipsoid) and a vessel (upright cylinder that leaves the scan) 4 mm apart."""
    i, j, k = np.meshgrid(*(np.arange(n) for n in SHAPE_IJK), indexing="ij")
    labels = np.zeros(SHAPE_IJK, dtype=np.uint8)
    labels[((i - 16) / 10.0) ** 2 + ((j - 20) / 12.0) ** 2 + ((k - 12) / 7.0) ** 2 < 1.0] = BONE
    labels[(i - 35.0) ** 2 + (j - 20.0) ** 2 < 5.0**2] = VESSEL
    return labels


def write_nifti(path: Path, values_ijk: npt.NDArray[Any], affine_ras: npt.NDArray[np.float64] = RAS) -> Path:
    image = nib.Nifti1Image(values_ijk, affine_ras)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def write_patient(folder: Path) -> tuple[Path, Path]:
    """CT and label volume."""
    labels = labels_ijk()
    hu = np.where(labels == BONE, 700, np.where(labels == VESSEL, 250, 40)).astype(np.int16)
    return write_nifti(folder / "scan.nii.gz", hu), write_nifti(folder / "labels.nii.gz", labels)


def at_ijk(i: float, j: float, k: float) -> tuple[float, float, float]:
    """The LPS position (mm) of a voxel index."""
    x, y, z = (RAS @ (i, j, k, 1.0))[:3]
    return (-float(x), -float(y), float(z))
