"""Whether a segmentation lies where its CT does: labels of another scan, or in mirrored axes, look as good as the right ones on a screen."""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.labels.segments import Segmentation
from navtwin.volumes.volume import GEOMETRY_TOLERANCE, Volume

F64 = npt.NDArray[np.float64]

#: Less than this share of the labelled voxels inside the CT, and the segmentation is of something else.
LEAST_INSIDE: Final = 0.5
#: From this share on nothing needs to be said.
_ALL: Final = 0.9999
#: A labelled voxel counts as inside up to this many voxels of the CT beyond its edge.
_SLACK: Final = 1.0
_MOST_SAMPLES: Final = 200_000
_MIRRORS: Final = {"x and y": (-1.0, -1.0, 1.0), "x": (-1.0, 1.0, 1.0), "y": (1.0, -1.0, 1.0), "z": (1.0, 1.0, -1.0)}


def refuse_elsewhere(found: Segmentation, ct: Volume) -> tuple[str, ...]:
    """Refuse a segmentation that does not lie in the CT; returns sentences on what should be looked at.

    A segmentation of as many voxels of the same size as the CT was made on it: it must lie on it. Any other grid is sampled where it is
    labelled.

    Raises
    ------
    InputRefused : another place, with how far; mirrored axes, named; no labelled voxel
    """
    _refuse_moved_grid(found.volume, ct)
    labelled = _labelled_mm(found)
    inside = _inside(labelled, ct)
    mirror = None if inside >= _ALL else next((words for words, signs in _MIRRORS.items() if _inside(labelled * signs, ct) >= _ALL), None)
    if inside < LEAST_INSIDE or mirror:
        apart = np.linalg.norm(labelled.mean(axis=0) - _centre(ct))
        problem = f"{100.0 * inside:.0f} % of the labelled voxels of {found.path} lie in the CT {ct.path}: its labels are at {_span(labelled)}"
        problem += f", the CT at {_span(_corners(ct))}, their middles {apart:.0f} mm apart"
        if mirror:
            raise InputRefused(f"{problem}; with {mirror} negated all of them would lie in it", "its axes are stated wrongly: export it again")
        raise InputRefused(problem, "pass the segmentation that was made from this CT")
    said = []
    if inside < _ALL:
        said.append(f"{100.0 * (1.0 - inside):.1f} % of the labelled voxels of {found.path.name} lie outside the CT: nothing is known there")
    if not found.crops and not _same_voxels(found.volume, ct):
        said.append(f"{found.path.name} is on a grid of its own: {_grid(found.volume)}, the CT has {_grid(ct)}; look whether it was made from it")
    return tuple(said)


def _refuse_moved_grid(labels: Volume, ct: Volume) -> None:
    if not _same_voxels(labels, ct):
        return
    theirs, ours = _corners(labels), _corners(ct)
    apart = float(np.linalg.norm(theirs[:, None] - ours[None], axis=2).min(axis=1).max())
    if apart > GEOMETRY_TOLERANCE * min(ct.spacing_mm):
        where = f"up to {apart:.3g} mm away from it: at {_span(theirs)}, not {_span(ours)}"
        raise InputRefused(f"{labels.path} has the voxels of {ct.path} but lies {where}", "pass the one that was made from this CT, in its axes")


def _same_voxels(one: Volume, other: Volume) -> bool:
    """As many voxels of the same size, in whatever order of axes."""
    return sorted(one.shape_ijk) == sorted(other.shape_ijk) and np.allclose(sorted(one.spacing_mm), sorted(other.spacing_mm), rtol=1e-3)


def _grid(volume: Volume) -> str:
    return f"{' x '.join(map(str, volume.shape_ijk))} voxels of {' x '.join(f'{side:.3g}' for side in volume.spacing_mm)} mm"


def _corners(volume: Volume) -> F64:
    """The outer corners (8, 3) of a volume in ct, mm."""
    ijk = np.array(list(product(*((-0.5, n - 0.5) for n in volume.shape_ijk))))
    corners: F64 = ijk @ volume.T_ct_from_ijk[:3, :3].T + volume.T_ct_from_ijk[:3, 3]
    return corners


def _centre(volume: Volume) -> F64:
    centre: F64 = _corners(volume).mean(axis=0)
    return centre


def _labelled_mm(found: Segmentation) -> F64:
    """Places in ct (mm) of labelled voxels, at most so many, evenly over all of them."""
    places = []
    for layer in found.layers:
        flat = np.flatnonzero(layer.hu)
        k, j, i = np.unravel_index(flat[:: 1 + len(flat) // _MOST_SAMPLES], layer.hu.shape)
        places.append(np.column_stack([i, j, k]) @ layer.T_ct_from_ijk[:3, :3].T + layer.T_ct_from_ijk[:3, 3])
    labelled: F64 = np.concatenate(places)
    if not len(labelled):
        raise InputRefused(f"{found.path} has no labelled voxel", "check that it is the right file")
    return labelled


def _inside(places_mm: F64, ct: Volume) -> float:
    """The share of places that lie in the CT."""
    T_ijk_from_ct = np.linalg.inv(ct.T_ct_from_ijk)
    ijk = places_mm @ T_ijk_from_ct[:3, :3].T + T_ijk_from_ct[:3, 3]
    within = (ijk >= -0.5 - _SLACK) & (ijk <= np.array(ct.shape_ijk) - 0.5 + _SLACK)
    return float(within.all(axis=1).mean())


def _span(places_mm: F64) -> str:
    low, high = places_mm.min(axis=0), places_mm.max(axis=0)
    return ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("xyz", low, high, strict=True)) + " mm"
