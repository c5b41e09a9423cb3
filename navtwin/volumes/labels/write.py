"""Write a segmentation as 3D Slicer does (`.seg.nrrd`): overlapping structures in layers, names and colours in keys."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Final

import numpy as np

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from navtwin.volumes.labels.segments import Segment, Segmentation

_LEVEL: Final = 4
_TYPES: Final = {"u1": "unsigned char", "u2": "unsigned short"}
_GREY: Final = "#808080"


def write_seg_nrrd(found: Segmentation, path: Path) -> None:
    """Write a segmentation; reading it back gives the same voxels, names, colours and place, to the last bit.

    Raises
    ------
    InputRefused : no space to write to; labels that are no small numbers above 0
    """
    most = max((label for one in found.segments for label in one.labels), default=0)
    if most > np.iinfo(np.uint16).max or any(layer.hu.min() < 0 for layer in found.layers):
        raise InputRefused(f"{path} cannot hold labels below 0 or beyond {np.iinfo(np.uint16).max}", "number them anew")
    kind = "u1" if most <= np.iinfo(np.uint8).max else "u2"
    with whole_file(path) as partial, partial.open("wb") as stream:
        stream.write(_header(found, kind).encode())
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=stream, mtime=0) as packed:
            for planes in zip(*(layer.hu for layer in found.layers), strict=True):
                # The layers of a voxel lie next to each other: their axis is the fastest.
                packed.write(np.ascontiguousarray(np.stack(planes, axis=-1)).astype(f"<{kind}").tobytes())


def _header(found: Segmentation, kind: str) -> str:
    volume, layered = found.volume, len(found.layers) > 1
    T = volume.T_ct_from_ijk.tolist()
    directions = [f"({','.join(repr(T[row][column]) for row in range(3))})" for column in range(3)]
    fields = {
        "type": _TYPES[kind],
        "dimension": 4 if layered else 3,
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, ([len(found.layers)] if layered else []) + list(volume.shape_ijk))),
        "space directions": " ".join([*(["none"] if layered else []), *directions]),
        "kinds": " ".join([*(["list"] if layered else []), "domain", "domain", "domain"]),
        "endian": "little",
        "encoding": "gzip",
        "space origin": f"({','.join(repr(T[row][3]) for row in range(3))})",
        "space units": '"mm" "mm" "mm"',
    }
    keys = {
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    extent = " ".join(f"0 {count - 1}" for count in volume.shape_ijk)
    for number, one in enumerate(found.segments):
        facts = {"ID": f"Segment_{number + 1}", "Name": _escaped(one.name), "Color": _fractions(one), "LabelValue": one.labels[0], "Layer": one.layer}
        keys |= {f"Segment{number}_{what}": str(value) for what, value in (facts | {"Extent": extent, "Tags": _tags(one)}).items()}
    lines = ["NRRD0004", *(f"{name}: {value}" for name, value in fields.items()), *(f"{name}:={value}" for name, value in keys.items())]
    return "\n".join([*lines, "", ""])


def _escaped(text: str) -> str:
    """As the format has it: a backslash twice, a line's end as \\n."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _tags(one: Segment) -> str:
    """As Slicer writes them: `key:value|` each, in which neither sign may stand."""
    return "".join(f"{key}:{_escaped(re.sub(r'[|:]', ' ', value))}|" for key, value in one.tags) or "|"


def _fractions(one: Segment) -> str:
    color = one.color or _GREY
    return " ".join(repr(int(color[at : at + 2], 16) / 255.0) for at in (1, 3, 5))
