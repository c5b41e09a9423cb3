"""Mending a surface: only what can be mended without inventing a shape, and every change is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64
from navtwin.meshes.raw import welded
from navtwin.meshes.report import MeshReport, report_mesh
from navtwin.meshes.topology import areas_mm2, border_loops, edges_of, inverted_parts, parts_of, repeats_of, uncollapsed, used_by, volumes_mm3

#: A hole is closed where it is no wider than this, mm.
HOLE_MM = 10.0
#: ... and where the patch is at most this share of the part that it closes: a sheet has no inside that could be closed.
HOLE_SHARE = 0.5
#: A part is a speck where it is no wider than this, mm, and has at most this share of the largest part's area.
SPECK_MM, SPECK_SHARE = 1.0, 0.01
_ELSEWHERE = "mend it in the program that made it; without --repair it comes in as it is, not as a critical structure"


@dataclass(frozen=True)
class Mended:
    """A mended surface.

    Attributes
    ----------
    vertices : (V, 3), mm
    faces : (F, 3)
    done : whole sentences on what was changed, and on how much area and volume changed with it
    before, after : what the surface was and is
    """

    vertices: F64
    faces: I64
    done: tuple[str, ...]
    before: MeshReport
    after: MeshReport


def mend(vertices: F64, faces: I64, path: Path) -> Mended:
    """Join vertices, drop repeated faces and specks, turn faces alike and outwards, and close small holes.

    Parameters
    ----------
    vertices : (V, 3), mm
    faces : (F, 3), F > 0
    path : named in refusals

    Raises
    ------
    InputRefused : the surface has one side only, faces that meet in a way that nobody can tell apart, or is still open afterwards
    """
    before, done = report_mesh(vertices, faces), []
    vertices, index = welded(vertices)
    faces = uncollapsed(index[faces])
    if len(faces) == 0:
        raise InputRefused(f"{path} has no face with three different corners", _ELSEWHERE)
    if before.collapsed_faces:
        done.append(f"Dropped {before.collapsed_faces} faces that used a vertex twice.")
    faces = _without_repeats(faces, done)
    faces = _without_flaps(vertices, faces, done)
    faces = _without_specks(vertices, faces, done)
    faces = _turned_alike(faces, path, done)
    vertices, faces = _closed(vertices, faces, done)
    faces = _turned_outwards(vertices, faces, done)
    used = used_by(faces, len(vertices))
    vertices, faces = vertices[used], (np.cumsum(used) - 1)[faces]
    after = report_mesh(vertices, faces)
    _refuse_unmended(after, vertices, faces, path)
    if after.vertices < before.vertices:
        done.insert(0, f"{before.vertices} vertices became {after.vertices}: those in exactly the same place were joined, those of no face dropped.")
    return Mended(vertices, faces, (*done, _difference(before, after)) if done else (), before, after)


def _without_repeats(faces: I64, done: list[str]) -> I64:
    """Of faces between the same three vertices one stays; or none where they face opposite ways, if that leaves fewer edges open."""
    again = repeats_of(faces)
    if not again.any():
        return faces
    _, place = np.unique(np.sort(faces, axis=1), axis=0, return_inverse=True)
    k = faces.argmin(axis=1)
    rows = np.arange(len(faces))
    way = np.where(faces[rows, (k + 1) % 3] < faces[rows, (k + 2) % 3], 1, -1)
    balanced = (np.bincount(place.ravel(), weights=way) == 0.0)[place.ravel()]
    one, none = faces[~again], faces[~again & ~balanced]
    back_to_back = len(none) > 0 and _uneven(none) <= _uneven(one)
    kept: I64 = none if back_to_back else one
    done.append(f"Dropped {len(faces) - len(kept)} faces that repeated another one{' or lay back to back with it' if back_to_back else ''}.")
    return kept


def _uneven(faces: I64) -> int:
    """Along how many edges not as many faces run one way as the other."""
    return int((edges_of(faces).balance != 0).sum())


def _without_flaps(vertices: F64, faces: I64, done: list[str]) -> I64:
    """A face that continues in none of its neighbours, and ends in the open, encloses nothing."""
    kept = faces
    while True:
        edges = edges_of(kept)
        share = np.empty(kept.shape, dtype=np.int64)
        share.ravel()[edges.side] = edges.count[edges.edge]
        loose = (share != 2).all(axis=1) & (share == 1).any(axis=1)
        if not loose.any() or loose.all():
            break
        kept = kept[~loose]
    if len(kept) < len(faces):
        area = areas_mm2(vertices, faces).sum() - areas_mm2(vertices, kept).sum()
        done.append(f"Dropped {len(faces) - len(kept)} loose faces of {area:.3g} mm2 that continued in no other and enclosed nothing.")
    return kept


def _without_specks(vertices: F64, faces: I64, done: list[str]) -> I64:
    number, part = parts_of(faces, edges_of(faces))
    if number == 1:
        return faces
    order = np.argsort(part, kind="stable")
    starts = np.searchsorted(part[order], np.arange(number))
    corners = vertices[faces[order]]
    size = (np.maximum.reduceat(corners.max(axis=1), starts) - np.minimum.reduceat(corners.min(axis=1), starts)).max(axis=1)
    area = np.bincount(part, weights=areas_mm2(vertices, faces))
    speck = (size <= SPECK_MM) & (area <= SPECK_SHARE * area.max())
    if speck.any():
        done.append(f"Dropped {int(speck.sum())} of {number} parts as specks: the widest was {size[speck].max():.2g} mm wide "
                    f"({SPECK_MM:g} mm is the most), together {area[speck].sum():.3g} mm2.")  # fmt: skip
    kept: I64 = faces[~speck[part]]
    return kept


def _turned_alike(faces: I64, path: Path, done: list[str]) -> I64:
    """Neighbours run along their common edge in opposite directions; of each part, as few faces as possible are turned.

    Every face stands twice, as it is and turned. What agrees hangs together; a surface with one side only hangs together with itself turned.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges, n = edges_of(faces), len(faces)
    at = np.flatnonzero((edges.edge[1:] == edges.edge[:-1]) & (edges.count[edges.edge[1:]] == 2))
    f, g, disagree = edges.face[at], edges.face[at + 1], (edges.runs_up[at] == edges.runs_up[at + 1]).astype(np.int64)
    rows, columns = np.concatenate([f, f + n]), np.concatenate([g + n * disagree, g + n * (1 - disagree)])
    _, group = connected_components(coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(2 * n, 2 * n)), directed=False)
    if (group[:n] == group[n:]).any():
        raise InputRefused(f"{path} has one side only, as a Moebius strip has: it encloses nothing", _ELSEWHERE)
    lower = np.minimum(group[:n], group[n:])
    turned = group[:n] != lower
    turned ^= (2 * np.bincount(lower, weights=turned) > np.bincount(lower))[lower]
    if turned.any():
        done.append(f"Turned {int(turned.sum())} of {n} faces so that all of a part look the same way.")
    return np.asarray(np.where(turned[:, None], faces[:, ::-1], faces))


def _closed(vertices: F64, faces: I64, done: list[str]) -> tuple[F64, I64]:
    """Close holes that are small, each with a fan around its middle."""
    edges = edges_of(faces)
    if not (edges.count == 1).any():
        return vertices, faces
    _, part = parts_of(faces, edges)
    area = np.bincount(part, weights=areas_mm2(vertices, faces))
    part_of_vertex = np.empty(len(vertices), dtype=np.int64)
    part_of_vertex[faces.ravel()] = np.repeat(part, 3)
    points, patches, widths, added = [vertices], [faces], [], 0.0
    for loop in border_loops(faces, edges):
        width = float(np.ptp(vertices[loop], axis=0).max())
        corners = np.concatenate([vertices[loop], vertices[loop].mean(axis=0, keepdims=True)])
        ring, middle = np.arange(len(loop)), np.full(len(loop), len(loop))
        fan = np.stack([ring, np.roll(ring, -1), middle], axis=1)
        patch = float(areas_mm2(corners, fan).sum())
        if width > HOLE_MM or patch > HOLE_SHARE * area[part_of_vertex[loop[0]]]:
            continue
        if len(loop) == 3:
            patches.append(loop[None])
        else:
            patches.append(np.append(loop, sum(map(len, points)))[fan])
            points.append(corners[-1:])
        widths.append(width)
        added += patch
    if widths:
        done.append(f"Closed {len(widths)} holes, the widest {max(widths):.2g} mm wide ({HOLE_MM:g} mm is the most), "
                    f"with {added:.3g} mm2 of new surface, which nobody has scanned.")  # fmt: skip
    return np.concatenate(points), np.concatenate(patches)


def _turned_outwards(vertices: F64, faces: I64, done: list[str]) -> I64:
    edges = edges_of(faces)
    number, part = parts_of(faces, edges)
    if not edges.balance.any() and volumes_mm3(vertices, faces).sum() < 0.0:
        faces = faces[:, ::-1]
        done.append("Turned the whole surface: it was inside out.")
    open_parts = np.unique(part[edges.face[(edges.balance != 0)[edges.edge]]])
    inside_out, _ = inverted_parts(vertices, faces, part, np.setdiff1d(np.arange(number), open_parts))
    if len(inside_out) == 0:
        return faces
    done.append(f"Turned {len(inside_out)} of {number} parts that were inside out.")
    return np.asarray(np.where(np.isin(part, inside_out)[:, None], faces[:, ::-1], faces))


def _refuse_unmended(after: MeshReport, vertices: F64, faces: I64, path: Path) -> None:
    if after.unbalanced_edges:
        raise InputRefused(f"{path} cannot be mended: at {after.unbalanced_edges} edges faces meet of which nobody can tell the inside", _ELSEWHERE)
    if after.open_edges:
        widths = [np.ptp(vertices[loop], axis=0).max() for loop in border_loops(faces, edges_of(faces))]
        wide = f"{max(widths):.3g} mm wide" if widths else "of no way around"
        raise InputRefused(
            f"{path} cannot be mended: {after.holes} holes are left, the widest {wide}; up to {HOLE_MM:g} mm are closed, if that doubles no sheet",
            _ELSEWHERE,
        )


def _difference(before: MeshReport, after: MeshReport) -> str:
    area = after.area_mm2 - before.area_mm2
    volume = (
        f"the volume from {before.volume_mm3:.6g} to {after.volume_mm3:.6g} mm3"
        if before.is_closed
        else f"the volume is now {after.volume_mm3:.6g} mm3"
    )
    return f"The area changed by {area:+.3g} mm2 ({100.0 * area / max(before.area_mm2, 1e-300):+.2g} %), {volume}."
