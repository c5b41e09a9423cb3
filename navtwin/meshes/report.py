"""What is wrong with a surface, and what that means for signed distances to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navtwin.meshes.axes import F64, I64
from navtwin.meshes.raw import welded
from navtwin.meshes.topology import areas_mm2, border_loops, edges_of, inverted_parts, parts_of, repeats_of, uncollapsed, used_by, volumes_mm3

#: More pairs of faces that cross are not counted.
MOST_CROSSINGS = 1000


@dataclass(frozen=True)
class MeshReport:
    """A surface in figures; vertices in exactly the same place count as one.

    Attributes
    ----------
    triangles, vertices : as they are stored
    extra_vertices : stored ones that stand where another one does, or that no face uses
    collapsed_faces : faces that use a place twice
    duplicate_faces : faces between the same three places as another one
    flat_faces : faces of no area between three places
    parts : what hangs together by edges
    open_edges : edges of one face
    holes : ways around them
    crowded_edges : edges of more than two faces
    unbalanced_edges : those of them along which not as many faces run one way as the other
    turned_edges : edges of two faces that run the same way along it
    inside_out : closed parts whose normals point inwards, hollows of others not counted
    crossings : pairs of faces that cross or touch without sharing a corner; None where they were not looked for
    area_mm2 : of all faces
    volume_mm3 : enclosed, signed; means nothing unless the surface is closed
    low_mm, high_mm : corners of the box around the faces
    """

    triangles: int
    vertices: int
    extra_vertices: int
    collapsed_faces: int
    duplicate_faces: int
    flat_faces: int
    parts: int
    open_edges: int
    holes: int
    crowded_edges: int
    unbalanced_edges: int
    turned_edges: int
    inside_out: int
    crossings: int | None
    area_mm2: float
    volume_mm3: float
    low_mm: tuple[float, ...]
    high_mm: tuple[float, ...]

    @property
    def is_closed(self) -> bool:
        """Whether every point is either inside or outside."""
        return not (self.open_edges or self.unbalanced_edges or self.turned_edges)

    @property
    def is_sound(self) -> bool:
        """Whether the surface is the border of a solid, so that the nearest face tells the side."""
        return self.is_closed and not (self.crowded_edges or self.inside_out or self.crossings)


def report_mesh(vertices: F64, faces: I64, *, crossings: bool = False) -> MeshReport:
    """Look at a surface.

    Parameters
    ----------
    vertices : (V, 3), mm
    faces : (F, 3), F > 0
    crossings : look for faces that cross, too; this compiles kernels, and takes a second for a million faces
    """
    places, index = welded(vertices)
    kept = uncollapsed(index[faces])
    edges = edges_of(kept)
    parts, part = parts_of(kept, edges) if len(kept) else (0, np.empty(0, np.int64))
    sound = np.ones(parts, dtype=bool)
    sound[part[edges.face[(edges.count != 2)[edges.edge] | (edges.balance != 0)[edges.edge]]]] = False
    inside_out, _ = inverted_parts(places, kept, part, np.flatnonzero(sound)) if sound.any() else (np.empty(0), None)
    areas = areas_mm2(places, kept)
    crowded = edges.count > 2
    used = vertices[used_by(faces, len(vertices))]
    return MeshReport(
        triangles=len(faces),
        vertices=len(vertices),
        extra_vertices=len(vertices) - int(used_by(index[faces], len(places)).sum()),
        collapsed_faces=len(faces) - len(kept),
        duplicate_faces=int(repeats_of(kept).sum()),
        flat_faces=int((areas == 0.0).sum()),
        parts=parts,
        open_edges=int((edges.count == 1).sum()),
        holes=len(border_loops(kept, edges)),
        crowded_edges=int(crowded.sum()),
        unbalanced_edges=int((crowded & (edges.balance != 0)).sum()),
        turned_edges=int(((edges.count == 2) & (edges.balance != 0)).sum()),
        inside_out=len(inside_out),
        crossings=count_crossings(places, kept) if crossings and len(kept) else None,
        area_mm2=float(areas.sum()),
        volume_mm3=float(volumes_mm3(places, kept).sum()) if len(kept) else 0.0,
        low_mm=tuple(used.min(axis=0).tolist()),
        high_mm=tuple(used.max(axis=0).tolist()),
    )


def count_crossings(vertices: F64, faces: I64) -> int:
    """Pairs of faces that cross or touch without sharing a corner, at most `MOST_CROSSINGS`."""
    from navtwin import kernels
    from navtwin.kernels.crossings import crossings
    from navtwin.kernels.simd import WIDTH

    forest, _ = kernels.plant(np.ascontiguousarray(vertices), np.ascontiguousarray(faces, dtype=np.int32))
    found = crossings(forest, 0, len(forest.children) // WIDTH, np.empty((MOST_CROSSINGS, 2), np.int32), kernels.workspace())
    return min(int(found), MOST_CROSSINGS)


def findings(report: MeshReport) -> tuple[str, ...]:
    """What is wrong, whole sentences, each with what it means for signed distance; empty for the border of a solid."""
    r, found = report, []
    if r.open_edges:
        found.append(
            f"{_counted(r.open_edges, 'edge is', 'edges are')} open, around {_counted(r.holes, 'hole', 'holes')}: distance is right, but beside them "
            "inside and outside are not defined; the sign is the more probable one, and a critical structure is refused. --repair closes small holes."
        )
    if r.turned_edges:
        found.append(
            f"Along {_counted(r.turned_edges, 'edge', 'edges')} neighbours look opposite ways: the sign cannot be trusted, least of all near them; "
            "a point inside may be called outside. --repair turns the faces alike."
        )
    if r.crowded_edges:
        sure = "not defined near them" if r.unbalanced_edges else "certain, but takes longer to tell"
        found.append(f"{_counted(r.crowded_edges, 'edge is', 'edges are')} shared by more than two faces: which side is inside is {sure}.")
    if r.inside_out:
        found.append(
            f"{_counted(r.inside_out, 'closed part has', 'closed parts have')} normals that point inwards: distance and sign are right, told by "
            "winding number, which takes longer; where such a part overlaps another one, the two cancel out. --repair turns them."
        )
    if r.crossings:
        more = " or more" if r.crossings == MOST_CROSSINGS else ""
        found.append(
            f"{_counted(r.crossings, 'pair of faces crosses', 'pairs of faces cross')}{more} or touch each other: the sign comes from the winding "
            "number, which takes longer; depth inside is to the nearest face, even one that lies buried. This is not mended."
        )
    if r.parts > 1:
        found.append(f"There are {r.parts} separate parts: the distance is to the nearest of them. --repair drops isolated specks.")
    if r.collapsed_faces or r.duplicate_faces:
        found.append(
            f"{_counted(r.collapsed_faces, 'face uses', 'faces use')} a vertex twice, {_counted(r.duplicate_faces, 'repeats', 'repeat')} another: "
            "distance is unchanged, but no side is told by a face that is there twice. --repair drops them."
        )
    if r.flat_faces:
        found.append(f"{_counted(r.flat_faces, 'face has', 'faces have')} no area: they have no normal and tell no side; distance is unchanged.")
    return tuple(found)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
