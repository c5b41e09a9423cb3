"""What a scan itself says of a threshold: where bone begins in it, and which of its islands is the largest. No Qt."""

from __future__ import annotations

from typing import Any, Final

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


def largest_island(edit: Threshold, volume: Volume, report: Report) -> Vec3:
    """A point well within the largest island of a threshold, crop and cuts included; whatever islands are picked already is not looked at.

    Raises
    ------
    InputRefused : no voxel belongs to it
    """
    from scipy import ndimage

    nk, nj, ni = volume.hu.shape
    thick = max(1, _AT_A_TIME // (nj * ni))
    sizes: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
    joined: list[tuple[int, int]] = []
    count, before = 0, None
    for k in range(0, nk, thick):
        report(f"looking for the largest island: slice {k + 1} of {nk}")
        numbered, here = ndimage.label(_mask(edit, volume, k, min(nk, k + thick)))
        sizes.append(np.bincount(numbered.ravel(), minlength=here + 1)[1:])
        if before is not None:
            both = (before > 0) & (numbered[0] > 0)
            pairs = np.unique(np.stack([before[both], numbered[0][both].astype(np.int64) + count], axis=1), axis=0)
            joined += [(int(a), int(b)) for a, b in pairs]
        before = np.where(numbered[-1] > 0, numbered[-1].astype(np.int64) + count, 0)
        count += here
    if count == 0:
        raise InputRefused("no voxel of the scan belongs to this threshold", "lower it, or widen crop and cut")
    every = np.concatenate(sizes)
    roots = _roots(count, joined)
    whole = np.bincount(roots, weights=every)
    largest = int(np.argmax(whole))
    part = int(np.argmax(np.where(roots == largest, every, -1)))
    return _within(edit, volume, part, np.cumsum([len(one) for one in sizes]), thick)


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


def _within(edit: Threshold, volume: Volume, part: int, ends: npt.NDArray[Any], thick: int) -> Vec3:
    """The voxel of a numbered part that lies nearest to its middle."""
    from scipy import ndimage

    slab = int(np.searchsorted(ends, part, side="right")) - 1
    first = slab * thick
    numbered, _ = ndimage.label(_mask(edit, volume, first, min(volume.hu.shape[0], first + thick)))
    places = np.argwhere(numbered == part - int(ends[slab]) + 1)
    at = places[int(np.argmin(np.linalg.norm(places - places.mean(axis=0), axis=1)))] + (first, 0, 0)
    x, y, z = volume.T_ct_from_ijk[:3, :3] @ at[::-1] + volume.T_ct_from_ijk[:3, 3]
    return (float(x), float(y), float(z))


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
