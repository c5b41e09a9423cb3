"""Surfaces of the structures that are wanted: by name or label from a segmentation, or from the CT by a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import Role
from navtwin.scene.build import ASSUMED_SD_MM, Report, Wanted, assumed_sd_mm, structure_entry
from navtwin.scene.case import StructureEntry
from navtwin.scene.extract import Extraction, extract, extract_mask, large_parts
from navtwin.scene.surface import Surface
from navtwin.volumes.labels.segments import Segmentation
from navtwin.volumes.volume import Volume

Mask = npt.NDArray[np.bool_]


def surfaces_of(
    wanted: Sequence[Wanted], labels: Segmentation | None, ct: Volume | None, report: Report
) -> tuple[list[StructureEntry], dict[str, Surface]]:
    """Entry and surface of each structure that is wanted; `report` is told its name first.

    Parameters
    ----------
    labels : None where there is no segmentation
    ct : None where there is no CT, only a label volume in its place

    Raises
    ------
    InputRefused : a structure that is not there, is empty or cannot be used; labels or HU where there are none
    """
    entries: list[StructureEntry] = []
    surfaces = {}
    for asked in wanted:
        report(f"surface of {asked.name}")
        one, extraction = _extracted(asked, labels, ct)
        grid = labels.volume if one.threshold_hu is None and labels is not None else ct
        if one.sd_mm == ASSUMED_SD_MM and grid is not None:
            one = replace(one, sd_mm=assumed_sd_mm(grid.spacing_mm))
        # A surface that ends where the slices end was cut there, also where the grid goes on.
        cut = ct is not None and ct.scanned is not None and ct.scanned.reached_by(extraction.surface.vertices_mm)
        entries.append(structure_entry(one, extraction.capped or cut, [entry.file for entry in entries]))
        surfaces[one.name] = extraction.surface
    return entries, surfaces


def all_of(labels: Segmentation, role: Role = "context", caution_mm: float | None = None, danger_mm: float | None = None) -> list[Wanted]:
    """Every structure of a segmentation, all with one role."""
    return [Wanted(one.name, role, caution_mm=caution_mm, danger_mm=danger_mm) for one in labels.segments]


def _extracted(one: Wanted, labels: Segmentation | None, ct: Volume | None) -> tuple[Wanted, Extraction]:
    if one.threshold_hu is not None:
        if ct is None:
            raise InputRefused(f"structure '{one.name}' is wanted by its HU, and there is no CT", "pass --ct CT, or name its label")
        return one, extract(ct, threshold_hu=one.threshold_hu)
    if labels is None:
        raise InputRefused(f"structure '{one.name}' is wanted by its label, and there are no labels",
                           f"pass --labels, or write {one.name}@300:{one.role} to take it from the CT by its HU")  # fmt: skip
    if one.labels:
        mask, what = labels.mask(one.labels), f"structure '{one.name}' (label {', '.join(map(str, one.labels))})"
    else:
        segment = labels.segment(one.name)
        mask, what = labels.mask_of(segment), f"structure '{one.name}'"
        one = replace(one, labels=segment.labels, color=one.color or segment.color)
    found = extract_mask(labels.volume, mask, what)
    capped = found.capped and not (labels.crops and ct is not None and _ends_inside(mask, labels.volume, ct))
    return one, replace(found, capped=capped)


def doubts_of_thresholds(wanted: Sequence[Wanted], ct: Volume | None) -> tuple[str, ...]:
    """A threshold takes all that is as dense as bone, the table and a head holder too: what falls into large parts is told."""
    said = []
    for one in wanted:
        if one.threshold_hu is None or ct is None:
            continue
        large = large_parts(ct.hu >= one.threshold_hu)
        if len(large) > 1:
            ml = float(np.prod(ct.spacing_mm)) / 1000.0
            sizes = " and ".join(f"{count * ml:.0f}" for count in large)
            said.append(f"'{one.name}' falls into {len(large)} large parts (of {sizes} ml): the table or a head holder may be one of them")
    return tuple(said)


def _ends_inside(mask: Mask, labels: Volume, ct: Volume) -> bool:
    """Whether the CT goes on beyond all voxels at the edge of a grid that was cut to what is labelled: the structure ends there, not the scan."""
    beyond: list[npt.NDArray[Any]] = []
    for axis, count in enumerate(mask.shape):
        for side, outside in ((0, -1), (count - 1, count)):
            at = np.argwhere(mask.take(side, axis=axis))
            beyond.append(np.insert(at, axis, outside, axis=1))
    kji = np.concatenate(beyond)
    T_ct_index = np.linalg.inv(ct.T_ct_from_ijk) @ labels.T_ct_from_ijk
    index = kji[:, ::-1] @ T_ct_index[:3, :3].T + T_ct_index[:3, 3]
    return bool(((index >= -0.5) & (index <= np.array(ct.shape_ijk) - 0.5)).all())
