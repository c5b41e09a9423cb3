"""What `navtwin case check` says of structures that were made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.scene.author.recipe import read_recipe
from navtwin.scene.case import CaseFile, StructureEntry, scanned_box
from navtwin.scene.findings import Finding, warning
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import VolumeBox


def made_warnings(folder: Path, case: CaseFile, surfaces: Mapping[str, Surface]) -> Iterator[Finding]:
    """Recipes that cannot be read, errors that are not those declared, and critical structures that leave what was scanned."""
    made = [entry for entry in case.structure if entry.made and (folder / entry.made).is_file()]
    box = _box(folder, case) if made else None
    for entry in made:
        try:
            recipe = read_recipe(folder / entry.made)
        except InputRefused as refused:
            yield warning(f"structure '{entry.name}' cannot be changed any more: {refused.problem}", "restore its recipe")
            continue
        if entry.sd_mm < recipe.sd_mm:
            yield warning(
                f"structure '{entry.name}' counts with an error of {entry.sd_mm:g} mm, and who made it declared {recipe.sd_mm:g} mm",
                "change both: navtwin structure edit --sd",
            )
        if box is not None and entry.role == "critical" and entry.name in surfaces:
            yield from _edge(entry, surfaces[entry.name], box)


def _edge(entry: StructureEntry, surface: Surface, box: VolumeBox) -> Iterator[Finding]:
    T = np.array(box.T_ijk_from_ct)
    index = surface.vertices_mm @ T[:3, :3].T + T[:3, 3]
    out = float(((index < -0.5) | (index > np.array(box.shape_ijk) - 0.5)).any(axis=1).mean())
    if out > 0.0:
        yield warning(
            f"{out:.0%} of critical structure '{entry.name}' lie outside the scan, where nothing is known", "look whether it is where it should be"
        )
    elif box.reached_by(surface.vertices_mm):
        yield warning(
            f"critical structure '{entry.name}' touches the edge of the scan: it may go on beyond, unwatched",
            "stay off that edge, or scan more",
        )


def _box(folder: Path, case: CaseFile) -> VolumeBox | None:
    try:
        return scanned_box(folder, case)
    except InputRefused:
        return None  # a fault of its own
