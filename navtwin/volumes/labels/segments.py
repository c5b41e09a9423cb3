"""A segmentation: which voxels are which structure, on a grid of its own; structures may overlap, and each stays whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from navtwin.volumes.volume import Affine, Volume, placed

Mask = npt.NDArray[np.bool_]

#: Label numbers beyond this are not counted: such a volume is no label volume.
MOST_LABEL: Final = 2**24


@dataclass(frozen=True)
class Segment:
    """One structure of a segmentation.

    Attributes
    ----------
    name : as the file calls it; `label_7` where it has a number only
    labels : the values of its voxels
    color : `#rrggbb`, "" where the file states none
    layer : which of the segmentation's layers holds its voxels
    tags : key and value of what else is to be written of it
    """

    name: str
    labels: tuple[int, ...]
    color: str = ""
    layer: int = 0
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Segmentation:
    """Structures on one grid.

    Attributes
    ----------
    layers : label volumes on the same grid; one, unless structures overlap
    segments : in the file's order
    remarks : whole sentences on what was assumed in reading it
    unusable : name of a structure -> why it cannot be used; it is refused only when it is asked for
    crops : the grid is cut to what is labelled (its edge says nothing of where the scan ends)
    """

    layers: tuple[Volume, ...]
    segments: tuple[Segment, ...]
    remarks: tuple[str, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)
    crops: bool = False

    @property
    def volume(self) -> Volume:
        """The first layer; the grid of all."""
        return self.layers[0]

    @property
    def path(self) -> Path:
        return self.layers[0].path

    def segment(self, name: str) -> Segment:
        """The structure called `name`.

        Raises
        ------
        InputRefused : none is, several are, or it cannot be used
        """
        if name in self.unusable:
            raise InputRefused(
                f"structure '{name}' of {self.path} cannot be used: {self.unusable[name]}", "mend it where it was drawn, or leave it out"
            )
        found = [one for one in self.segments if one.name == name]
        if not found:
            hint = nearest(name, (one.name for one in self.segments)) if self.segments else "it has none at all"
            raise InputRefused(f"{self.path} has no structure '{name}'", hint)
        if len(found) > 1:
            raise InputRefused(f"{len(found)} structures of {self.path} are called '{name}'", _tell_apart(found))
        return found[0]

    def mask(self, labels: Sequence[int]) -> Mask:
        """The voxels (nk, nj, ni) that have one of some labels.

        Raises
        ------
        InputRefused : a label that means different structures in different layers
        """
        layers_of = {label: {one.layer for one in self.segments if label in one.labels} for label in labels}
        found = np.zeros(self.volume.hu.shape, dtype=bool)
        for label, layers in layers_of.items():
            if len(layers) > 1:
                raise InputRefused(f"label {label} is a structure in {len(layers)} layers of {self.path}", "name the structure, not its label")
            for layer in layers:
                found |= self.layers[layer].hu == label
        return found

    def mask_of(self, one: Segment) -> Mask:
        """The voxels (nk, nj, ni) of a structure."""
        return np.isin(self.layers[one.layer].hu, one.labels)

    def counts(self) -> tuple[int, ...]:
        """How many voxels each segment has."""
        histograms = [label_counts(layer) for layer in self.layers]
        return tuple(sum(histograms[one.layer].get(label, 0) for label in one.labels) for one in self.segments)


def _tell_apart(found: list[Segment]) -> str:
    if len({one.layer for one in found}) > 1:
        return "give each its own name where they were drawn"
    labels = [str(label) for one in found for label in one.labels]
    return f"name their labels: {found[0].name}={labels[0]}:role for one, {found[0].name}={'+'.join(labels)}:role for all"


def label_counts(volume: Volume) -> dict[int, int]:
    """Label -> number of its voxels, for all labels but 0."""
    if volume.hu.size == 0 or volume.hu.max() > MOST_LABEL or volume.hu.min() < -MOST_LABEL:
        raise InputRefused(f"{volume.path} holds values beyond {MOST_LABEL}", "pass a label volume, not a CT")
    low = min(int(volume.hu.min()), 0)
    counts = np.zeros(int(volume.hu.max()) - low + 1, dtype=np.int64)
    for plane in volume.hu:
        counts += np.bincount(plane.ravel().astype(np.int64) - low, minlength=len(counts))
    return {int(n) + low: int(counts[n]) for n in np.flatnonzero(counts) if n + low != 0}


class Layers:
    """Packs structures into as few label volumes as they need: one, as long as none overlaps another."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape
        self._layers: list[npt.NDArray[Any]] = []
        self._segments: list[Segment] = []

    def add(self, name: str, color: str, mask: Mask, tags: tuple[tuple[str, str], ...] = ()) -> None:
        """Add a structure with its voxels (nk, nj, ni)."""
        spans = tuple(slice(*_extent(mask, axis)) for axis in range(3))
        inner = mask[spans]
        layer = next((n for n, values in enumerate(self._layers) if not values[spans][inner].any()), len(self._layers))
        if layer == len(self._layers):
            self._layers.append(np.zeros(self._shape, dtype=np.uint16))
        label = len(self._segments) + 1
        if label > np.iinfo(np.uint16).max:
            raise InputRefused(f"more than {np.iinfo(np.uint16).max} structures", "leave out those that are not needed")
        self._layers[layer][spans][inner] = label
        self._segments.append(Segment(name, (label,), color, layer, tags))

    def segmentation(
        self, T_ct_from_ijk: Affine, path: Path, remarks: Sequence[str] = (), unusable: Mapping[str, str] | None = None, *, crops: bool = False
    ) -> Segmentation:
        """What was packed, placed in space."""
        volumes = self._layers or [np.zeros(self._shape, dtype=np.uint16)]
        layers = tuple(placed(values, T_ct_from_ijk, path) for values in volumes)
        return Segmentation(layers, tuple(self._segments), tuple(remarks), dict(unusable or {}), crops)


def _extent(mask: Mask, axis: int) -> tuple[int, int]:
    used = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
    return (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
