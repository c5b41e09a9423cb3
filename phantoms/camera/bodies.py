"""Bodies as a printer and a pair of scissors make them from the rig's plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import Body
from phantoms.camera.patterns import cells
from phantoms.camera.sheets import PAPER_DN, Sheet, plain, printed
from phantoms.motion import turns

Array = npt.NDArray[np.float64]

#: Markers whose planes differ by less lie on one sheet of paper.
SAME_PLANE_MM, SAME_NORMAL = 0.05, 1.0 - 1e-6
#: The core of a solid body lies so much inside its faces, as a share of its size: more than any face is off its plan.
CORE_INSIDE = 0.04


@dataclass(frozen=True)
class PrintError:
    """How far a print is from its plan: sd of its scale, RMS length by which faces are off, sd of their turns about each axis."""

    scale: float = 0.002
    face_mm: float = 0.2
    face_deg: float = 0.3


@dataclass(frozen=True, eq=False)
class MadeBody:
    """A body as it really is.

    Attributes
    ----------
    ids : (N,) numbers of its markers, in the plan's order
    corners_mm : (N, 4, 3) their true corners in body axes
    sheets : what a camera sees of it
    """

    ids: tuple[int, ...]
    corners_mm: Array
    sheets: tuple[Sheet, ...]


def make_body(body: Body, error: PrintError | None = None, rng: np.random.Generator | None = None) -> MadeBody:
    """Print, cut and fold a body of the rig; with an `error`, not quite as planned.

    Where the plan's axes lie in a body that is not as planned is a matter of taste: here, where the plan's corners fit the true ones best.

    Raises
    ------
    InputRefused : a body without printed markers
    """
    if not body.marker:
        raise InputRefused(f"body '{body.name}' has no printed markers to be filmed", "add [[body.marker]] tables (navtwin markers sheet makes them)")
    ids = tuple(marker.id for marker in body.marker)
    plan = np.array([marker.corners_mm for marker in body.marker], dtype=np.float64)
    faces = _faces(plan)
    true = plan.copy()
    if error is not None and rng is not None:
        for face in faces:
            centre = plan[face].reshape(-1, 3).mean(axis=0)
            turn = turns(np.radians(error.face_deg) * rng.standard_normal((1, 3)))[0]
            true[face] = (plan[face] - centre) @ turn.T + centre + error.face_mm / np.sqrt(3.0) * rng.standard_normal(3)
        true = _fitted(true * (1.0 + error.scale * rng.standard_normal()), plan)
    black = [cells(body.dictionary, number) for number in ids]
    sheets = [_face_sheet(true, face, black, ids) for face in faces]
    core = _core(sheets)
    if core:
        sheets = [replace(sheet, back_dn=None) for sheet in sheets]
    return MadeBody(ids, true, (*core, *sheets))


def _faces(corners: Array) -> list[list[int]]:
    """Markers (N, 4, 3) by the plane they lie in."""
    normals = np.cross(corners[:, 3] - corners[:, 0], corners[:, 1] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    faces = list[list[int]]()
    for n, (normal, own) in enumerate(zip(normals, corners, strict=True)):
        for face in faces:
            if normals[face[0]] @ normal > SAME_NORMAL and abs(normal @ (corners[face[0], 0] - own[0])) < SAME_PLANE_MM:
                face.append(n)
                break
        else:
            faces.append([n])
    return faces


def _fitted(true: Array, plan: Array) -> Array:
    """`true` moved rigidly so that it fits `plan` best (Kabsch, Acta Cryst. A 32, 1976)."""
    a, b = true.reshape(-1, 3), plan.reshape(-1, 3)
    left, _, right = np.linalg.svd((b - b.mean(axis=0)).T @ (a - a.mean(axis=0)))
    turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    return np.asarray(((a - a.mean(axis=0)) @ turn.T + b.mean(axis=0)).reshape(true.shape))


def _face_sheet(corners: Array, face: Sequence[int], black: Sequence[npt.NDArray[np.bool_]], ids: Sequence[int]) -> Sheet:
    """One face: paper one cell beyond its markers' hull, and its markers."""
    from scipy.spatial import ConvexHull

    paper = []
    for n in face:
        middle = corners[n].mean(axis=0)
        paper.append(middle + (corners[n] - middle) * (1.0 + 2.0 / len(black[n])))
    points = np.concatenate(paper)
    first = corners[face[0]]
    right, down = first[1] - first[0], first[3] - first[0]
    right = right / np.linalg.norm(right)
    down = down - (down @ right) * right
    flat = np.stack([(points - first[0]) @ right, (points - first[0]) @ down / np.linalg.norm(down)], axis=1)
    # The hull goes round counter-clockwise where y is up; here it is down, so as seen it goes clockwise.
    return printed(points[ConvexHull(flat).vertices], [(corners[n], black[n], ids[n]) for n in face])


def _core(sheets: Sequence[Sheet]) -> list[Sheet]:
    """What a solid body's faces are glued to: the hull of their paper, a little smaller. A flat body has none."""
    from scipy.spatial import ConvexHull

    points = np.concatenate([sheet.outline_mm for sheet in sheets])
    middle = points.mean(axis=0)
    if np.linalg.svd(points - middle, compute_uv=False)[2] < 1e-3 * np.linalg.norm(np.ptp(points, axis=0)) or len(sheets) < 3:
        return []
    points = middle + (1.0 - CORE_INSIDE) * (points - middle)
    hull = ConvexHull(points)
    panels = list[Sheet]()
    # Qhull gives triangles; those of one plane are one panel.
    planes = np.unique(np.round(hull.equations, 6), axis=0)
    for plane in planes:
        on_it = points[np.abs(points @ plane[:3] + plane[3]) < 1e-3]
        out = on_it - on_it.mean(axis=0)
        x = out[0] / np.linalg.norm(out[0])
        round_it = np.arctan2(out @ np.cross(plane[:3], x), out @ x)
        panels.append(plain(on_it[np.argsort(-round_it)], PAPER_DN, closed=True))
    return panels
