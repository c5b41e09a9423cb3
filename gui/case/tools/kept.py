"""The islands that a threshold keeps, ready to be looked up in any slice. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from gui.case.tools.level import Mask, islands_of
from navtwin.scene.author.recipe import Threshold
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS, RIGHT, UP
from navtwin.volumes.volume import Affine, Volume


@dataclass(frozen=True, eq=False)
class Kept:
    """What the seeds of a threshold keep.

    Attributes
    ----------
    edit : the threshold, as `question` has it
    mask : (nk, nj, ni) the islands and the voxels beside them: between voxels the level lies a little farther out
    """

    edit: Threshold
    mask: Mask
    T_ijk_from_ct: Affine

    def at(self, field: Field) -> Mask:
        """Which pixels of a slice lie in what is kept, by their nearest voxels."""
        rows_mm, columns_mm = field.rows_and_columns()
        across, right, up = ACROSS[field.plane], RIGHT[field.plane], UP[field.plane][0]
        inside = np.ones((field.height_px, field.width_px), dtype=bool)
        flat = np.zeros(inside.shape, dtype=np.int64)
        stride = 1
        for row, count in zip(self.T_ijk_from_ct[:3], self.mask.shape[::-1], strict=True):
            along = (row[up] * rows_mm + row[across] * field.at_mm[across] + row[3] + 0.5)[:, None] + (row[right] * columns_mm)[None, :]
            index = np.floor(along).astype(np.int64)
            inside &= (index >= 0) & (index < count)
            flat += stride * np.clip(index, 0, count - 1)
            stride *= count
        return np.asarray(inside & self.mask.reshape(-1)[flat])


def question(edit: Threshold) -> Threshold | None:
    """What decides about islands in a threshold; None where all are kept."""
    return replace(edit, fill_mm3=0.0, subtract=False) if edit.seeds_mm else None


def kept_of(asked: tuple[Threshold, Volume]) -> Kept:
    """The islands that a threshold keeps of a scan.

    Raises
    ------
    InputRefused : no voxel belongs to it
    """
    edit, volume = asked
    picked = islands_of(edit, volume).picked()
    for axis in range(3):
        ahead, behind = (tuple(part if n == axis else slice(None) for n in range(3)) for part in (slice(1, None), slice(None, -1)))
        before = picked.copy()
        picked[ahead] |= before[behind]
        picked[behind] |= before[ahead]
    return Kept(edit, picked, np.asarray(np.linalg.inv(volume.T_ct_from_ijk)))
