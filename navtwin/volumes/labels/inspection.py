"""What a segmentation is, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.files.formats import Inspection, Options
from navtwin.volumes.inspection import volume_facts
from navtwin.volumes.labels.dicom_file import STRUCTURE_SET, decoding, read_object
from navtwin.volumes.labels.read import read_segmentation

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: So many structures are listed.
_MOST_LISTED = 150
_MOST_NAMED = 8


def inspect_segmentation(kind: str, path: Path, options: Options) -> Inspection:
    """Grid and structures of a segmentation that has a grid of its own.

    Raises
    ------
    InputRefused : as `read_segmentation`
    """
    found = read_segmentation(path, ct=None, names=Path(options.names) if options.names else None, space=options.space, unit=options.unit)
    millilitres = [f"{count * _voxel_ml(found.volume.spacing_mm):.3g} ml" for count in found.counts()]
    listed = [
        (f"structure {n}", ", ".join((f"'{one.name}'", f"label {one.labels[0]}", size, *([one.color] if one.color else []))))
        for n, (one, size) in enumerate(zip(found.segments, millilitres, strict=True), 1)
    ]
    layers = [("layers", f"{len(found.layers)}: structures overlap")] if len(found.layers) > 1 else []
    doubts = [*(f"Whether it belongs to a CT is checked when it is brought in: {said}." for said in found.remarks if "could not be told" in said)]
    doubts += [f"{said[0].upper()}{said[1:]}." for said in found.remarks if "could not be told" not in said]
    doubts += _repeated([one.name for one in found.segments])
    absent = [("named without voxels", _several(list(found.unusable)))] if found.unusable else []
    if found.segments and all(one.name == f"label_{one.labels[0]}" for one in found.segments):
        doubts.append("Its labels have no names: pass a table of them with --names, or name them by number (name=7:role).")
    return Inspection(kind, (*volume_facts(found.volume), *layers, *_cut(listed), *absent), tuple(doubts))


def inspect_contours(kind: str, path: Path) -> Inspection:
    """The structures of a structure set, and what they were drawn on.

    Raises
    ------
    InputRefused : damaged, or no structure set
    """
    found = read_object(path, STRUCTURE_SET, "structure set")
    with decoding(path):
        frames = sorted({str(one.FrameOfReferenceUID) for one in found.get("ReferencedFrameOfReferenceSequence", ())})
        named = {int(one.ROINumber): str(one.get("ROIName", "")) for one in found.get("StructureSetROISequence", ())}
        listed, doubts = list[tuple[str, str]](), list[str]()
        for n, roi in enumerate(found.get("ROIContourSequence", ()), 1):
            name = named.get(int(roi.ReferencedROINumber), "")
            drawn = roi.get("ContourSequence", ())
            kinds = Counter(str(one.get("ContourGeometricType", "")) for one in drawn)
            words = ", ".join(f"{count} {what}" for what, count in kinds.items()) or "no contours"
            listed.append((f"structure {n}", f"'{name}', {words}, {_heights(drawn)}"))
            if set(kinds) != {"CLOSED_PLANAR"}:
                doubts.append(f"Structure '{name}' has contours that are not closed and planar, or none: it cannot become voxels.")
        doubts += _repeated(list(named.values()))
        if not frames:
            doubts.append("It names no frame of reference: whether it was drawn on a CT cannot be told.")
    facts = (("axes", "LPS"), ("units", "mm"), ("frame of reference", ", ".join(frames) or "not stated"), *_cut(listed))
    return Inspection(kind, facts, tuple(doubts))


def _heights(drawn: Iterable[Dataset]) -> str:
    heights = sorted({round(float(z), 3) for one in drawn for z in (one.get("ContourData") or ())[2::3]})
    return f"z {heights[0]:g} to {heights[-1]:g} mm" if heights else "nowhere"


def _repeated(names: list[str]) -> list[str]:
    return [f"{count} structures are called '{name}': name their labels." for name, count in Counter(names).items() if count > 1]


def _several(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")


def _cut(listed: list[tuple[str, str]]) -> list[tuple[str, str]]:
    more = len(listed) - _MOST_LISTED
    return [*listed[:_MOST_LISTED], *([("more structures", str(more))] if more > 0 else [])]


def _voxel_ml(spacing_mm: tuple[float, float, float]) -> float:
    return spacing_mm[0] * spacing_mm[1] * spacing_mm[2] / 1000.0
