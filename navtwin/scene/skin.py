"""The patient's outline from the CT alone: for orientation in pictures, coarse on purpose."""

from __future__ import annotations

import numpy as np

from navtwin.errors import InputRefused
from navtwin.scene.extract import Extraction, extract_mask
from navtwin.volumes.volume import Volume

AIR_HU = -300.0
COARSE_MM = 4.5
#: Half the thickness of a table or line that is cut off the body (mm).
OPENING_MM = 9.0


def extract_skin(volume: Volume) -> Extraction:
    """The outside of the body: everything denser than air, less table and lines, its cavities filled."""
    from scipy import ndimage

    factor = tuple(max(1, round(COARSE_MM / side)) for side in reversed(volume.spacing_mm))
    coarse = _block_means(volume, factor)
    solid = coarse.hu > AIR_HU
    for k in range(len(solid)):  # slice by slice: lungs and airway are open at the ends of the scan
        solid[k] = ndimage.binary_fill_holes(solid[k])
    # Opening cuts the thin table away; the largest part that is left grows back to where it was solid.
    spacing_kji = coarse.spacing_mm[::-1]
    depth = ndimage.distance_transform_edt(np.pad(solid, 1, mode="edge"), sampling=spacing_kji)[1:-1, 1:-1, 1:-1]
    parts, count = ndimage.label(depth > OPENING_MM)
    if count == 0:
        raise InputRefused(f"{volume.path} shows no body above {AIR_HU:g} HU", "check that the CT is in Hounsfield units")
    core = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    body = solid & (ndimage.distance_transform_edt(~core, sampling=spacing_kji) <= OPENING_MM + COARSE_MM)
    return extract_mask(coarse, body, "the body")


def _block_means(volume: Volume, factor: tuple[int, ...]) -> Volume:
    """The volume on coarser voxels: means of blocks of `factor` (k, j, i); what does not fill a block at the far ends is left out."""
    nk, nj, ni = (n // f for n, f in zip(volume.hu.shape, factor, strict=True))
    fk, fj, fi = factor
    blocks = volume.hu[: nk * fk, : nj * fj, : ni * fi].reshape(nk, fk, nj, fj, ni, fi)
    means = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    scale = np.array((fi, fj, fk), dtype=np.float64)
    T = volume.T_ct_from_ijk.copy()
    T[:3, 3] += T[:3, :3] @ ((scale - 1.0) / 2.0)
    T[:3, :3] *= scale
    i, j, k = (side * s for side, s in zip(volume.spacing_mm, scale, strict=True))
    return Volume(means, T, (float(i), float(j), float(k)), volume.path)
