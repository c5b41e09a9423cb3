"""Where a drilling script takes place: the true patient, what is to be removed, and how the surgeon looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from phantoms.drilling.felt import Felt
from phantoms.drilling.hand import Hand
from phantoms.drilling.solids import length
from phantoms.drilling.truth import Anatomy
from phantoms.path import unit
from phantoms.shapes import Array, Shape
from phantoms.touch import Approach

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

#: Landmarks of a case are those of the phantom where they agree to this.
SAME_MM = 0.01
#: A ball that takes less than this is not moved there.
WORTH_MM = 0.6


@dataclass(frozen=True)
class Site:
    """A place to drill at.

    Attributes
    ----------
    script : the name that it is played by
    bone : name of the structure that is drilled
    every_bone : all that a pointer can rest on
    room : where the burr may go to remove what is to be removed, over the bone and in it
    view : the surgeon's view of it; its `back` points out of the bone
    extent_mm : how far the layers may reach from the view's middle to either side, to head and feet, outwards, and inwards
    touched : points (3,) far out, mm, from which the pointer comes down on the drilled wall
    """

    script: str
    bone: str
    anatomy: Anatomy
    every_bone: Shape
    room: Shape
    view: Approach
    extent_mm: tuple[float, float, float, float]
    act: Callable[[Site, Hand], None]
    touched: tuple[Array, ...]
    landmarks: dict[str, tuple[float, float, float]]

    @property
    def felt(self) -> Felt:
        """The bone as the pointer feels it before anything was drilled."""
        low, high = self.every_bone.bounds_mm()
        corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
        return Felt(self.every_bone.distance_mm, np.concatenate([corners, np.array(list(self.landmarks.values()))]))

    def refuse_other_case(self, scene: Scene) -> None:
        """The true bone is known for the phantom's own case only.

        Raises
        ------
        InputRefused : the case is another
        """
        there = {mark.name: mark.position_mm for mark in scene.landmarks}
        same = all(name in there and np.abs(np.subtract(there[name], p)).max() < SAME_MM for name, p in self.landmarks.items())
        if not same or self.bone not in {s.name for s in scene.structures}:
            problem = f"phantom:{self.script} drills the built-in phantom's {self.bone}, and case '{scene.name}' is another"
            raise InputRefused(problem, "make its case with `navtwin demo drill --case-only DIR` (mastoid) or use the built-in spine's (lamina)")


def beside(shape: Shape, start_mm: npt.ArrayLike, way: npt.ArrayLike, away_mm: float) -> Array:
    """The point (3,) on a ray at which a shape is `away_mm` away, mm: sphere tracing from farther off.

    Raises
    ------
    ValueError : the ray never comes so near
    """
    p, step = np.array(start_mm, dtype=np.float64), unit(np.array(way, dtype=np.float64))
    for _ in range(300):
        room = float(shape.distance_mm(p)[0]) - away_mm
        if abs(room) < 1e-4:
            return p
        p = p + room * step
        if float(length(p - np.array(start_mm))) > 100.0:
            break
    raise ValueError(f"the ray from {start_mm!r} never comes within {away_mm} mm")


def layers(site: Site, radius_mm: float, layer_mm: float, row_mm: float, sample_mm: float = 0.7) -> list[list[tuple[Array, Array]]]:
    """Rows of each layer, outermost first, along which a burr clears the room for it: its ball stays inside, and meets bone.

    Rows run from side to side, to and fro; each is the longest stretch at its height.
    """
    view, (left, head, out, deep) = site.view, site.extent_mm
    across = np.arange(-left, left + 1e-9, sample_mm)
    heights = np.arange(head, -head - 1e-9, -row_mm)
    found: list[list[tuple[Array, Array]]] = []
    for depth in np.arange(out, -deep, -layer_mm):
        p = view.out(float(depth)) + heights[:, None, None] * view.head + across[None, :, None] * view.left
        flat = p.reshape(-1, 3)
        inside = (site.room.distance_mm(flat) <= -radius_mm) & (site.anatomy.bone.distance_mm(flat) < radius_mm - WORTH_MM)
        rows: list[tuple[Array, Array]] = []
        for row, kept in zip(p, inside.reshape(p.shape[:2]), strict=True):
            run = _longest_run(kept)
            if run is not None:
                ends = (row[run[0]], row[run[1]])
                rows.append(ends if len(rows) % 2 == 0 else ends[::-1])
        if rows:
            found.append(rows)
    return found


def _longest_run(kept: npt.NDArray[np.bool_]) -> tuple[int, int] | None:
    """First and last index of the longest stretch that is kept, None where it is but a point."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2] - 1
    best = int(np.argmax(ends - starts))
    return (int(starts[best]), int(ends[best])) if ends[best] > starts[best] else None
