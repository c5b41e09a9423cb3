"""What a scan itself says of a threshold: where bone begins in it, and which islands it falls into. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import Threshold
from navtwin.scene.build import Report
from navtwin.volumes.volume import Volume

Mask = npt.NDArray[np.bool_]
#: Every so manieth voxel is enough to count them by their HU.
_SAMPLES: Final = 200_000
#: Below this there is air and fat, above it metal, HU.
_SOFT_HU, _METAL_HU, _BIN_HU = -50.0, 1950.0, 10.0
#: Voxels that are numbered at a time: small enough that nothing else waits for long.
_AT_A_TIME: Final = 1_000_000


def level_between(volume: Volume) -> float | None:
    """The HU that best parts what is denser than fat in two (Otsu 1979): soft tissue and bone. None where there are not two such parts."""
    every = max(1, int((volume.hu.size / _SAMPLES) ** (1.0 / 3.0)))
    hu = volume.hu[::every, ::every, ::every].astype(np.float64).ravel()
    counts, edges = np.histogram(hu, bins=np.arange(_SOFT_HU, _METAL_HU + _BIN_HU, _BIN_HU))
    total = float(counts.sum())
    if total < 100.0 or np.count_nonzero(counts) < 3:
        return None
    middle = (edges[:-1] + edges[1:]) / 2.0
    below = np.cumsum(counts) / total
    mean = np.cumsum(counts * middle) / total
    apart = below * (1.0 - below)
    between = np.where(apart > 0.0, (mean[-1] * below - mean) ** 2 / np.maximum(apart, 1e-12), 0.0)
    best = float(edges[1:][int(np.argmax(between))])
    return round(best / 10.0) * 10.0


@dataclass(frozen=True)
class Islands:
    """The islands of a threshold, numbered some slices at a time: nothing else waits for long, and nothing large is kept.

    Attributes
    ----------
    thick : so many slices at a time
    ends : of each such slab the number of its first part; parts count from 1 on through all slabs
    sizes, roots : of each part its voxels, and the least of the parts that make one island with it
    """

    edit: Threshold
    volume: Volume
    thick: int
    ends: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    roots: npt.NDArray[np.int64]

    def slab(self, n: int) -> tuple[int, npt.NDArray[np.int64]]:
        """The first slice of slab `n`, and the number of the part that each of its voxels belongs to, 0 for none."""
        first = n * self.thick
        numbered, _ = _label(_mask(self.edit, self.volume, first, min(self.volume.hu.shape[0], first + self.thick)))
        return first, np.where(numbered > 0, numbered + (self.ends[n] - 1), 0)

    def largest(self) -> Vec3:
        """A point well within the largest island."""
        largest = int(np.argmax(np.bincount(self.roots, weights=self.sizes)))
        part = int(np.argmax(np.where(self.roots == largest, self.sizes, -1)))
        first, numbered = self.slab(int(np.searchsorted(self.ends, part, side="right")) - 1)
        places = np.argwhere(numbered == part)
        at = places[int(np.argmin(np.linalg.norm(places - places.mean(axis=0), axis=1)))] + (first, 0, 0)
        x, y, z = self.volume.T_ct_from_ijk[:3, :3] @ at[::-1] + self.volume.T_ct_from_ijk[:3, 3]
        return (float(x), float(y), float(z))

    def picked(self) -> Mask:
        """(nk, nj, ni) the voxels of the islands that the threshold's seeds pick, as far as they lie in one or near one."""
        wanted = {root for seed in self.edit.seeds_mm if (root := self._root_at(seed))}
        kept = np.zeros(self.volume.hu.shape, dtype=bool)
        belongs = np.isin(self.roots, sorted(wanted)) & (self.roots > 0)
        for n in range(len(self.ends)):
            first, numbered = self.slab(n)
            kept[first : first + len(numbered)] = belongs[numbered]
        return kept

    def _root_at(self, seed_mm: Vec3) -> int:
        """The island that holds a point, or the nearest within reach on its slices; 0 where there is none."""
        T = np.linalg.inv(self.volume.T_ct_from_ijk)
        at = (T[:3, :3] @ np.array(seed_mm) + T[:3, 3])[::-1]
        k = int(np.clip(np.rint(at[0]), 0, self.volume.hu.shape[0] - 1))
        first, numbered = self.slab(k // self.thick)
        sides = np.array(self.volume.spacing_mm)[::-1]
        reach = np.maximum(self.edit.reach_mm / sides, 0.5)
        inner = at - (first, 0.0, 0.0)
        low = np.clip(np.ceil(inner - reach), 0, numbered.shape).astype(int)
        high = np.clip(np.floor(inner + reach) + 1, 0, numbered.shape).astype(int)
        window = numbered[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
        near = np.argwhere(window > 0)
        if not len(near):
            return 0
        best = near[int(np.argmin(np.linalg.norm((near + low - inner) * sides, axis=1)))]
        return int(self.roots[int(window[tuple(best)])])


def islands_of(edit: Threshold, volume: Volume, report: Report = lambda text: None) -> Islands:
    """Number the islands of a threshold, crop and cuts included.

    Raises
    ------
    InputRefused : no voxel belongs to it
    """
    nk, nj, ni = volume.hu.shape
    thick = max(1, _AT_A_TIME // (nj * ni))
    sizes: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
    joined: list[tuple[int, int]] = []
    ends: list[int] = []
    count, before = 0, None
    for k in range(0, nk, thick):
        report(f"looking at the islands: slice {k + 1} of {nk}")
        ends.append(count + 1)
        numbered, here = _label(_mask(edit, volume, k, min(nk, k + thick)))
        sizes.append(np.bincount(numbered.ravel(), minlength=here + 1)[1:])
        if before is not None:
            both = (before > 0) & (numbered[0] > 0)
            pairs = np.unique(np.stack([before[both], numbered[0][both] + count], axis=1), axis=0)
            joined += [(int(a), int(b)) for a, b in pairs]
        before = np.where(numbered[-1] > 0, numbered[-1] + count, 0)
        count += here
    if count == 0:
        raise InputRefused("no voxel of the scan belongs to this threshold", "lower it, or widen crop and cut")
    return Islands(edit, volume, thick, np.array(ends), np.concatenate(sizes), _roots(count, joined))


def _label(mask: Mask) -> tuple[npt.NDArray[np.int64], int]:
    from scipy import ndimage

    numbered, count = ndimage.label(mask)
    return np.asarray(numbered, dtype=np.int64), int(count)


def _roots(count: int, joined: list[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """For each number from 0 to `count` the least of those that it is joined to."""
    parent = list(range(count + 1))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for a, b in joined:
        one, other = sorted((root(a), root(b)))
        parent[other] = one
    return np.array([root(n) for n in range(count + 1)])


def _mask(edit: Threshold, volume: Volume, first: int, last: int) -> Mask:
    """(last - first, nj, ni) voxels of some slices that a threshold takes."""
    hu = volume.hu[first:last]
    mask: Mask = np.asarray(hu >= edit.hu)
    if edit.upper_hu is not None:
        mask &= hu <= edit.upper_hu
    if edit.crop_mm is None and not edit.cut:
        return mask
    T = volume.T_ct_from_ijk
    k, j, i = (np.arange(n, dtype=np.float64) for n in hu.shape)

    def along(way: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        per = way @ T[:3, :3]
        return np.asarray((per[2] * (k + first))[:, None, None] + (per[1] * j)[None, :, None] + per[0] * i + way @ T[:3, 3])

    if edit.crop_mm is not None:
        for axis in range(3):
            x = along(np.eye(3)[axis])
            mask &= (x >= edit.crop_mm[axis]) & (x <= edit.crop_mm[axis + 3])
    for cut in edit.cut:
        keep = np.array(cut.keep)
        mask &= along(keep) >= keep @ np.array(cut.point_mm)
    return mask
