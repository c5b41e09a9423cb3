"""Bone, or anything that the CT's own numbers tell apart: threshold, crop, cut planes, islands and closed cavities, as a field between voxels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.grid import F32, F64, Grid, corners
from navtwin.scene.author.recipe import Threshold
from navtwin.scene.extract import large_parts, without_specks
from navtwin.volumes.volume import Volume

Mask = npt.NDArray[np.bool_]
Lattice = npt.NDArray[np.int64]

#: What counts as one mm where a level meets a plane; only where they meet does it matter.
_HU_PER_MM: Final = 100.0
#: Values are kept this far from 0, so that no vertex falls on a voxel's centre.
_CLEARANCE: Final = 0.005
_FAR: Final = 100.0


@dataclass(frozen=True)
class Level:
    """A field on voxels of the CT.

    Attributes
    ----------
    values : (nk, nj, ni) below 0 inside, one node beyond the structure on every side
    start : (3,) index (i, j, k) in the CT of its first node
    capped : the structure reaches the edge of the scan
    said : what was decided on the way
    """

    values: F32
    start: Lattice
    T_ct_from_ijk: F64
    capped: bool
    said: tuple[str, ...]

    @property
    def grid(self) -> Grid:
        T = self.T_ct_from_ijk.copy()
        T[:3, 3] += T[:3, :3] @ self.start
        return Grid(T, self.values.shape)

    def sample(self, grid: Grid) -> F32:
        """The field at the nodes of another grid, linear between voxels."""
        from scipy import ndimage

        step = (np.linalg.inv(self.grid.T_ct_from_index) @ grid.T_ct_from_index)[:3]
        matrix, offset = step[::-1, 2::-1], step[::-1, 3]
        found: F32 = ndimage.affine_transform(self.values, matrix, offset, grid.shape, order=1, mode="constant", cval=_FAR, output=np.float32)
        return found


def level_of(edit: Threshold, volume: Volume) -> Level:
    """The field of a threshold.

    Raises
    ------
    InputRefused : nothing is left, the crop box lies outside the scan, or a seed lies in no island and near none
    """
    first, last = _crop_span(edit, volume)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    field = _field(edit, volume, (k, j, i), first)
    inside = field <= 0.0
    if not inside.any():
        raise InputRefused(f"no voxel of the CT belongs to {_words(edit)}", "lower the threshold, or widen crop and cut")
    kept, said = _islands(edit, inside, volume, first)
    field = np.where(field <= 0.0, np.minimum(field, np.float32(-_CLEARANCE)), np.maximum(field, np.float32(_CLEARANCE)))
    field[inside & ~kept] = _CLEARANCE
    filled = _fill(edit, kept, field, abs(float(np.linalg.det(volume.T_ct_from_ijk[:3, :3]))))
    spans = [np.flatnonzero(kept.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    low, high = np.array([s[0] for s in spans]), np.array([s[-1] + 1 for s in spans])
    grown = tuple(slice(max(int(a) - 1, 0), min(int(b) + 1, n)) for a, b, n in zip(low, high, kept.shape, strict=True))
    # Beyond the scan the field is mirrored about the level, which closes the surface half a voxel out.
    ahead = [(1 - (int(a) - s.start), 1 - (s.stop - int(b))) for a, b, s in zip(low, high, grown, strict=True)]
    values = np.pad(field[grown], ahead, mode="edge")
    rim = np.pad(np.ones(field[grown].shape, dtype=bool), ahead)
    values[~rim] = np.abs(values[~rim])
    start_kji = low - 1
    at_kji, end_kji = low + first[::-1], high + first[::-1]
    capped = bool((at_kji == 0).any() or (end_kji == volume.hu.shape).any())
    return Level(values, start_kji[::-1] + first, volume.T_ct_from_ijk, capped, (*said, *filled))


def _words(edit: Threshold) -> str:
    upper = "" if edit.upper_hu is None else f" to {edit.upper_hu:g}"
    within = " within crop and cut" if edit.crop_mm is not None or edit.cut else ""
    return f"the threshold of {edit.hu:g}{upper} HU{within}"


def _crop_span(edit: Threshold, volume: Volume) -> tuple[Lattice, Lattice]:
    """First and beyond-last index (i, j, k) of the voxels that a crop box may touch."""
    shape = np.array(volume.shape_ijk)
    if edit.crop_mm is None:
        return np.zeros(3, dtype=np.int64), shape
    T = np.linalg.inv(volume.T_ct_from_ijk)
    at = corners(np.array(edit.crop_mm[:3]), np.array(edit.crop_mm[3:])) @ T[:3, :3].T + T[:3, 3]
    low, high = np.clip(at.min(axis=0), -1.0, shape), np.clip(at.max(axis=0), -1.0, shape)
    first, last = np.maximum(np.floor(low).astype(int) - 1, 0), np.minimum(np.ceil(high).astype(int) + 2, shape)
    if (high < -0.5).any() or (low > shape - 0.5).any() or (last <= first).any():
        raise InputRefused("the crop box lies outside the CT", "state it in ct (LPS, mm): lowest corner, then highest")
    return first, last


def _field(edit: Threshold, volume: Volume, span: tuple[slice, slice, slice], first: Lattice) -> F32:
    hu = volume.hu[span].astype(np.float32)
    field = (np.float32(edit.hu) - hu) / np.float32(_HU_PER_MM)
    if edit.upper_hu is not None:
        np.maximum(field, (hu - np.float32(edit.upper_hu)) / np.float32(_HU_PER_MM), out=field)
    if edit.crop_mm is not None:
        for axis in range(3):
            x = _linear(volume, np.eye(3)[axis], hu.shape, first)
            np.maximum(field, np.maximum(edit.crop_mm[axis] - x, x - edit.crop_mm[axis + 3]), out=field)
    for cut in edit.cut:
        keep = np.array(cut.keep) / np.linalg.norm(cut.keep)
        np.maximum(field, float(keep @ np.array(cut.point_mm)) - _linear(volume, keep, hu.shape, first), out=field)
    return field


def _linear(volume: Volume, way: F64, shape: tuple[int, ...], first: Lattice) -> F32:
    """How far each voxel lies along a direction of ct, mm."""
    T = volume.T_ct_from_ijk
    per_index, nk_nj_ni = way @ T[:3, :3], shape
    k, j, i = (per_index[axis] * (np.arange(n) + first[axis]) for axis, n in zip((2, 1, 0), nk_nj_ni, strict=True))
    return np.asarray(k[:, None, None] + j[None, :, None] + i[None, None, :] + way @ T[:3, 3], dtype=np.float32)


def _islands(edit: Threshold, inside: Mask, volume: Volume, first: Lattice) -> tuple[Mask, tuple[str, ...]]:
    """The islands that hold the seeds; without seeds all but specks."""
    from scipy import ndimage

    if not edit.seeds_mm:
        kept, dropped = without_specks(inside)
        specks = (f"{dropped} voxels of specks were left out",) if dropped else ()
        return kept, (*specks, *_large_parts(kept, volume))
    numbered, count = ndimage.label(inside)
    wanted, said = set[int](), list[str]()
    for n, seed in enumerate(edit.seeds_mm, 1):
        island, away_mm, there = _island_at(numbered, seed, volume, first, edit.reach_mm)
        if island == 0:
            nearest = f"the nearest is {away_mm:.1f} mm away, at {_place(there)}" if there else "none is near"
            raise InputRefused(
                f"seed {n} at {_place(seed)} lies in no island of {_words(edit)}: {nearest}", "place it on the structure, or lower the threshold"
            )
        wanted.add(island)
        if away_mm > 0.0:
            said.append(f"seed {n} lies beside the structure: the island {away_mm:.1f} mm away was taken")
    said.append(f"{len(wanted)} of {count} islands kept")
    return np.isin(numbered, sorted(wanted)), tuple(said)


def _large_parts(kept: Mask, volume: Volume) -> Iterator[str]:
    """Say where more than one large part is kept: a head holder or a table is as dense as bone."""
    large, voxel_ml = large_parts(kept), float(np.prod(volume.spacing_mm)) / 1000.0
    if len(large) > 1:
        sizes = " and ".join(f"{count * voxel_ml:.0f}" for count in large)
        yield f"it falls into {len(large)} large parts (of {sizes} ml), one of which may be a table or a head holder: pick the right ones by a seed"


def _island_at(numbered: npt.NDArray[Any], seed: Vec3, volume: Volume, first: Lattice, reach_mm: float) -> tuple[int, float, Vec3 | None]:
    """The island that holds a point, else the nearest within reach, 0 if none is; how far away the nearest is, and where."""
    T = np.linalg.inv(volume.T_ct_from_ijk)
    at = (T[:3, :3] @ np.array(seed) + T[:3, 3] - first)[::-1]
    nearest = np.rint(at).astype(int)
    if (nearest >= 0).all() and (nearest < numbered.shape).all() and numbered[tuple(nearest)]:
        return int(numbered[tuple(nearest)]), 0.0, seed
    # What lies farther than this is not worth a number.
    look_mm = max(2.0 * reach_mm, 20.0)
    sides = np.array(volume.spacing_mm)[::-1]
    low = np.clip(np.floor(at - look_mm / sides).astype(int), 0, numbered.shape)
    high = np.clip(np.ceil(at + look_mm / sides).astype(int) + 1, 0, numbered.shape)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    there = np.argwhere(numbered[k, j, i]) + low
    if not len(there):
        return 0, np.inf, None
    away = np.linalg.norm((there - at) * sides, axis=1)
    best = int(np.argmin(away))
    x, y, z = volume.T_ct_from_ijk[:3, :3] @ (there[best][::-1] + first) + volume.T_ct_from_ijk[:3, 3]
    island = int(numbered[tuple(there[best])]) if away[best] <= reach_mm else 0
    return island, float(away[best]), (float(x), float(y), float(z))


def _fill(edit: Threshold, kept: Mask, field: F32, voxel_mm3: float) -> tuple[str, ...]:
    """Make closed cavities solid, in place, and say so."""
    from scipy import ndimage

    if edit.fill_mm3 <= 0.0:
        return ()
    numbered, _ = ndimage.label(ndimage.binary_fill_holes(kept) & ~kept)
    sizes = np.bincount(numbered.ravel())
    small = np.flatnonzero((sizes > 0) & (sizes * voxel_mm3 <= edit.fill_mm3))
    small = small[small > 0]
    holes = np.isin(numbered, small)
    kept |= holes
    field[holes] = -np.abs(field[holes])
    return (f"closed cavities filled: {len(small)}, {int(sizes[small].sum()) * voxel_mm3:.0f} mm3 in all",)


def _place(p_mm: Vec3) -> str:
    return " ".join(f"{v:.1f}" for v in p_mm)
