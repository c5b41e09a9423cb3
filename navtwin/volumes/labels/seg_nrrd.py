"""Slicer's segmentations (`.seg.nrrd`): an NRRD file of one or more layers of labels, with the segments named in its keys.

Keys `Segment{N}_Name`, `_ID`, `_Color` (r g b, 0..1), `_LabelValue`, `_Layer` (Slicer, vtkMRMLSegmentationStorageNode). Layers lie along an
axis that has no space direction. Files from before Slicer 4.11 have one layer a segment, in which its voxels are 1.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.header_text import Header
from navtwin.volumes.labels.segments import MOST_LABEL, Segment, Segmentation, label_counts
from navtwin.volumes.labels.tables import hex_color
from navtwin.volumes.nrrd import nrrd_affine, nrrd_header, nrrd_storage
from navtwin.volumes.storage import read_stored
from navtwin.volumes.volume import placed

_KEY: Final = re.compile(r"Segment(\d{1,6})_(\w+)")
_MOST_SEGMENTS: Final = 10_000


def names_segments(header: Header) -> bool:
    """Whether an NRRD file is a segmentation of Slicer's."""
    return any(_KEY.fullmatch(key) for key, _ in header.keys)


def read_seg_nrrd(path: Path, *, space: str | None = None, unit: str | None = None) -> Segmentation:
    """The segments of a Slicer segmentation.

    Raises
    ------
    InputRefused : damaged; no axes or place in space; fractions in place of labels; a segment whose layer or label is none
    """
    header = nrrd_header(path)
    if "fractional" in (dict(header.keys).get("Segmentation_MasterRepresentation") or "").lower():
        raise InputRefused(f"{path} holds fractions, not labels", "save it from Slicer as a binary label map")
    T_ct_from_ijk, spatial, _, _ = nrrd_affine(header, space, unit)
    layers = tuple(placed(values, T_ct_from_ijk, path) for values in _layers(header, spatial))
    segments = _segments(header, len(layers))
    there = [label_counts(layer) for layer in layers]
    empty = {one.name: f"it is empty: no voxel is {one.labels[0]}" for one in segments if one.labels[0] not in there[one.layer]}
    full = tuple(one for one in segments if one.labels[0] in there[one.layer])
    named = {one.name for one in full}
    return Segmentation(layers, full, (), {name: why for name, why in empty.items() if name not in named}, crops=True)


def _layers(header: Header, spatial: tuple[int, int, int]) -> list[npt.NDArray[Any]]:
    """The label volumes (nk, nj, ni), one a layer."""
    path, stored = header.what, nrrd_storage(header)
    beside = [n for n in range(len(stored.shape)) if n not in spatial]
    if len(beside) > 1 or min(stored.shape[n] for n in spatial) < 1:
        raise InputRefused(f"{path} has {' x '.join(map(str, stored.shape))} samples", "save it from Slicer as a segmentation (.seg.nrrd)")
    if stored.dtype.kind not in "iu":
        raise InputRefused(f"{path} holds values of type {stored.dtype}, not labels", "save it from Slicer as a binary label map")
    values = read_stored(stored)
    if not beside:
        return [values]
    by_layer = np.moveaxis(values, len(stored.shape) - 1 - beside[0], 0)
    return [np.ascontiguousarray(layer) for layer in by_layer]


def _segments(header: Header, layers: int) -> list[Segment]:
    path, table = header.what, dict[int, dict[str, str]]()
    for key, value in header.keys:
        if found := _KEY.fullmatch(key):
            table.setdefault(int(found[1]), {})[found[2]] = value.strip()
    if len(table) > _MOST_SEGMENTS:
        raise InputRefused(f"{path} names {len(table)} segments", "it is damaged: save it from Slicer again")
    one_layer_each = not any("LabelValue" in facts for facts in table.values())
    segments = []
    for number, facts in sorted(table.items()):
        name = facts.get("Name") or facts.get("ID") or f"segment_{number}"
        label = _whole(facts.get("LabelValue", "1"), f"label value of segment '{name}'", path)
        layer = _whole(facts.get("Layer", str(number if one_layer_each and layers > 1 else 0)), f"layer of segment '{name}'", path)
        if not 0 <= layer < layers or label == 0:
            raise InputRefused(
                f"segment '{name}' of {path} is label {label} of layer {layer}, and there are {layers} layers", "save it from Slicer again"
            )
        segments.append(Segment(name, (label,), _color(facts.get("Color", "")), layer))
    return segments


def _whole(text: str, what: str, path: Path) -> int:
    if not re.fullmatch(r"-?\d{1,8}", text) or abs(int(text)) > MOST_LABEL:
        raise InputRefused(f"the {what} in {path} is '{text[:40]}', not a whole number", "save it from Slicer again")
    return int(text)


def _color(text: str) -> str:
    """`#rrggbb` of three numbers 0..1; "" where they are none."""
    try:
        parts = [255.0 * float(word) for word in text.split()]
    except ValueError:
        return ""
    return hex_color(*parts) if len(parts) == 3 and np.isfinite(parts).all() else ""
