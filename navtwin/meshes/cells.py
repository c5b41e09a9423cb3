"""Polygons and strips as VTK stores them, and the faces that they make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64, Stated
from navtwin.meshes.polygons import split_polygons, split_strips
from navtwin.meshes.raw import RawMesh, checked


@dataclass(frozen=True)
class Cells:
    """Cells of one kind: `counts` (C,) corners each, and all `corners` one after another."""

    counts: I64
    corners: I64


NONE = Cells(np.empty(0, np.int64), np.empty(0, np.int64))


def from_offsets(offsets: I64, corners: I64, path: Path) -> Cells:
    """Cells whose ends are given: cell i has the corners offsets[i] .. offsets[i + 1], the first offset being 0."""
    counts = np.diff(offsets)
    if len(offsets) == 0 or offsets[0] != 0 or (counts < 0).any() or offsets[-1] != len(corners):
        raise InputRefused(f"{path} has offsets of cells that do not fit its {len(corners)} corners", "the file is damaged: export the mesh again")
    return Cells(counts, corners)


def from_rows(rows: I64, count: int, path: Path) -> Cells:
    """Cells that each begin with the number of their corners."""
    wrong = InputRefused(f"{path} has {len(rows)} numbers in {count} cells, which do not fit", "the file is damaged: export the mesh again")
    if count == 0:
        if len(rows):
            raise wrong
        return NONE
    if len(rows) == 0:
        raise wrong
    n = int(rows[0])
    if n >= 0 and len(rows) == count * (n + 1) and (rows[:: n + 1] == n).all():
        return Cells(np.full(count, n, dtype=np.int64), rows.reshape(count, n + 1)[:, 1:].ravel())
    at, starts, numbers = 0, [], rows.tolist()
    for _ in range(count):
        if at >= len(numbers) or numbers[at] < 0:
            raise wrong
        starts.append(at)
        at += numbers[at] + 1
    if at != len(numbers):
        raise wrong
    is_corner = np.ones(len(rows), dtype=bool)
    is_corner[starts] = False
    return Cells(rows[starts], rows[is_corner])


def mesh_of_cells(points: F64, polygons: Cells, strips: Cells, others: int, stated: Stated, path: Path) -> RawMesh:
    """The triangles of polygons, then those of strips.

    Parameters
    ----------
    others : number of single vertices and lines, which are left out and told of

    Raises
    ------
    InputRefused : no triangles, or cells that are none
    """
    faces, notes = split_polygons(points, polygons.corners, polygons.counts, path)
    if len(strips.counts):
        faces = np.concatenate([faces, split_strips(strips.corners, strips.counts)])
        notes = (*notes, f"{len(strips.counts)} strips were taken apart into triangles.")
    if others:
        notes = (*notes, f"{others} single vertices and lines were left out: they are no surface.")
    return checked(points, faces, stated, path, notes)
