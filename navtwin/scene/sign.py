"""Which side of a surface is its inside, and how that is told: by pseudonormals where they can be trusted, else by winding number.

The pseudonormal at the closest point tells the side at no cost, if the surface is the border of a solid: closed, consistently wound, nowhere
crossing or touching itself, each part with the solid behind it (Baerentzen & Aanaes 2005). Otherwise the winding number does (Jacobson 2013). It
is a whole number wherever a surface is closed; beside an opening it lies between two, and how far from the nearer one is the doubt. A point is
called inside from one half on, less what the number may be wrong by: of two errors, the one that raises an alarm is made.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin import kernels
from navtwin.kernels import Forest, workspace
from navtwin.kernels.adjacency import border_edges, welded
from navtwin.kernels.crossings import crossings
from navtwin.kernels.parts import largest_faces
from navtwin.kernels.simd import WIDTH
from navtwin.kernels.tree import WINDING
from navtwin.kernels.winding import signed_by_winding, winding_numbers
from navtwin.scene.batches import in_batches
from navtwin.scene.data import cache_folder

F64 = npt.NDArray[np.float64]

#: More pairs of crossing faces than this are not counted.
MOST_CROSSINGS = 1000
#: The number of crossings of a surface with fewer faces is found sooner than looked up.
REMEMBERED_FACES = 20_000
#: A part is looked at from so far in front of its largest face: a share of that face's size.
STEP = 1e-5


@dataclass(frozen=True)
class Sign:
    """How the inside of a surface is told.

    Attributes
    ----------
    rule : what tells it
    reasons : why pseudonormals cannot be trusted here; empty where they tell it
    open_edges : edges along which not as many faces run one way as the other; 0 where the surface is closed
    """

    rule: Literal["pseudonormal", "winding number"]
    reasons: tuple[str, ...] = ()
    open_edges: int = 0

    @property
    def is_certain(self) -> bool:
        """Whether the surface is closed, so that every point is either inside or outside; else `Surface.doubt` says how surely."""
        return self.open_edges == 0

    @property
    def why(self) -> str:
        """The reasons in one line, to follow "the surface is"."""
        return ", and ".join(self.reasons)


def judge(forest: Forest, open_edges: int) -> tuple[Sign, Forest]:
    """How to tell the inside of a surface, and its forest, which tells it so.

    Parameters
    ----------
    forest, open_edges : of one surface, as `kernels.plant` gave them
    """
    if open_edges == 0:
        reasons = (*_crossing_itself(forest), *_misplaced_parts(forest))
        return (Sign("winding number", reasons), with_far_field(forest)) if reasons else (Sign("pseudonormal"), forest)
    border = border_edges(welded(forest.vertices, forest.faces), len(forest.vertices))
    reason = f"open at {_counted(border, 'edge')}" if border else "sharing edges between more than two faces"
    return Sign("winding number", (reason,), border), with_far_field(forest)


def with_far_field(forest: Forest) -> Forest:
    """The forest of one surface, its inside told by winding number."""
    return forest if forest.sign_rule[0] == WINDING else signed_by_winding(forest)


def winding_of(forest: Forest, points: F64) -> F64:
    """(N,) winding numbers of one surface around points (N, 3), mm; NaN where a point is not finite."""
    around, winding = with_far_field(forest), np.empty(len(points))

    def ask(batch: slice) -> None:
        winding_numbers(around, 0, points[batch], winding[batch], workspace())

    in_batches(ask, len(points))
    return winding


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _crossing_itself(forest: Forest) -> list[str]:
    number = _remembered_crossings(forest) if len(forest.faces) >= REMEMBERED_FACES else _count_crossings(forest)
    if number == 0:
        return []
    return [f"crossing or touching itself in {_counted(number, 'pair')} of faces{' or more' if number == MOST_CROSSINGS else ''}"]


def _count_crossings(forest: Forest) -> int:
    counts: list[int] = []

    def find(batch: slice) -> None:
        counts.append(crossings(forest, batch.start, batch.stop, np.empty((MOST_CROSSINGS, 2), np.int32), workspace()))

    in_batches(find, len(forest.children) // WIDTH)
    return min(sum(counts), MOST_CROSSINGS)


@cache
def _how_they_are_found() -> bytes:
    """Hash of the kernels: what earlier ones found is not remembered."""
    folder = Path(str(kernels.__file__)).parent
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(folder.glob("*.py")))).digest()


def _remembered_crossings(forest: Forest) -> int:
    """The number of crossings, found once for each surface and kept by what it is made of: it takes a second for a million faces."""
    digest = hashlib.sha256(_how_they_are_found())
    digest.update(forest.vertices.data)
    digest.update(forest.faces.data)
    path = cache_folder("crossings") / digest.hexdigest()
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        number = _count_crossings(forest)
    with contextlib.suppress(OSError):  # found again next time
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.write_text(str(number), encoding="ascii")
        os.replace(partial, path)  # noqa: PTH105
    return number


def _misplaced_parts(forest: Forest) -> list[str]:
    """What is wrong with the parts of a closed surface: just in front of each, the winding number is 0 where the solid lies behind it."""
    front = largest_faces(forest.vertices, forest.faces, forest.mates)
    if len(front) == 1:
        return ["inside out"] if forest.sign_rule[0] == WINDING else []
    a, b, c = (forest.vertices[forest.faces[front, k]] for k in range(3))
    size = np.linalg.norm(np.cross(b - a, c - a), axis=1, keepdims=True) ** 0.5
    winding = winding_of(forest, (a + b + c) / 3.0 + STEP * size * forest.normals[front])
    turned, buried = int((winding < -0.5).sum()), int((winding > 0.5).sum())
    found = [(turned, "inside out"), (buried, "inside another that faces the same way")]
    return [f"in {number} of its {len(front)} parts {what}" for number, what in found if number]
