"""What a volume file is, in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from navtwin.files.formats import Inspection
from navtwin.volumes.axes import directions, handedness
from navtwin.volumes.layout import Layout
from navtwin.volumes.read import layout_of, read_ct
from navtwin.volumes.volume import Volume


def inspect_volume(kind: str, path: Path, space: str | None = None, unit: str | None = None) -> Inspection:
    """What a NIfTI, NRRD or MetaImage volume is; all of it is read, so that damage anywhere is found.

    Raises
    ------
    InputRefused : as `navtwin.volumes.read.read_ct`
    """
    header = layout_of(path, space=space, unit=unit)
    volume = read_ct(path, space=space, unit=unit)
    low, high = volume.hu.min(), volume.hu.max()
    stored = f"{header.storage.dtype.name}{'' if header.storage.packing == 'none' else ', packed'}"
    facts = (
        ("format", f"{header.format}, {stored}"),
        *volume_facts(volume),
        ("values", f"{low:g} to {high:g}{'' if volume.hu.dtype == np.int16 else ' (not all whole numbers of 16 bits)'}"),
        *header.stated,
    )
    return Inspection(kind, facts, _doubts(header, volume))


def volume_facts(volume: Volume) -> Iterable[tuple[str, str]]:
    """Axes, size and place of a volume, for any format that holds one."""
    sides = np.array(volume.spacing_mm)
    extent = sides * volume.shape_ijk
    middle = volume.T_ct_from_ijk @ np.array([*(np.array(volume.shape_ijk) - 1) / 2.0, 1.0])
    yield "axes", f"{directions(volume.T_ct_from_ijk)} ({handedness(volume.T_ct_from_ijk)})"
    yield "voxels", " x ".join(map(str, volume.shape_ijk))
    yield "voxel sides", f"{_by(sides)} mm"
    yield "extent", f"{_by(extent)} mm"
    yield "middle", f"{', '.join(f'{v:.1f}' for v in middle[:3])} mm (LPS)"


def _doubts(header: Layout, volume: Volume) -> tuple[str, ...]:
    """Whole sentences on what is assumed or suspicious about a CT from a volume file."""
    if volume.hu.min() < 0:
        return header.doubts
    return (*header.doubts, "No value is below 0: air is, in Hounsfield units. Check the values before any threshold is trusted.")


def _by(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return " x ".join(f"{value:.4g}" for value in values)
