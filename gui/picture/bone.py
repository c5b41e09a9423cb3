"""Makes what is painted of drilled bone, beside the painting: looks of the bricks that changed, their chunks, and the rest of the bone without them.

Nothing of VTK's is made here: what it destroys in the painting thread could stop both (see `refill` in `bone_actors`).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from gui.link.shared_bone import SharedBone, Standing
from gui.picture.meshes import be_nice
from navtwin.scene.bone_picture import BrickLook, Grid, brick_look, doubtful_at, joined, shown_exactly
from navtwin.scene.cutaway import Arrays, cut_away, near
from navtwin.scene.surface import Surface
from navtwin.scene.thickness import critical_surfaces

#: The core, the alerts and the painting come first.
NICE: Final = 4
#: Looked at in one go, while the bone is held: so many bricks take some 20 ms.
BRICKS_AT_ONCE: Final = 24
#: From one picture of changed bone to the next at the least, s; and how long nothing need be heard before it is asked whether to end.
LEAST_S, TURN_S = 0.04, 0.5


@dataclass(frozen=True)
class Dressed:
    """Drilled bone ready to be painted; never changed once made.

    Attributes
    ----------
    number : rises from one to the next
    looks : by brick, of all bricks that are shown exactly
    chunks : by chunk, since which number it is so, and its bricks joined
    vague : bricks in which bone that is shown may be gone
    rest : the whole bone at the level of detail that was asked for, without the exact bricks; and that whole mesh; None where none was asked for
    """

    number: int
    standing: Standing
    looks: Mapping[int, BrickLook] = field(default_factory=dict)
    chunks: Mapping[int, tuple[int, BrickLook]] = field(default_factory=dict)
    rest: tuple[Arrays, Arrays] | None = None
    vague: frozenset[int] = frozenset()


class BoneDresser(threading.Thread):
    """Dresses one bone for one picture, until it is stopped."""

    def __init__(self, shared: SharedBone) -> None:
        super().__init__(name="navtwin-bone-looks", daemon=True)
        self._shared = shared
        self._over = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._whole: Arrays | None = None
        self._seen = 0
        self._due: set[int] = set()
        self._doubts = b""
        self._exact: npt.NDArray[np.bool_] | None = None
        self.dressed = Dressed(0, shared.standing)

    @property
    def structure(self) -> str:
        return self._shared.structure.name

    @property
    def grid(self) -> Grid | None:
        """None until the bone is on its grid."""
        return self._shared.grid

    @property
    def side_mm(self) -> float:
        return self._shared.structure.carve_mm or 0.0

    def values(self, points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(N,) signed clamped distances of points to what is left, mm; for any thread, once there is a grid."""
        with self._shared.lock:
            assert self._shared.bone is not None
            return self._shared.bone.values(points_mm)

    def doubtful(self, points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """(N,) bool: where bone that is shown may be gone; as `values`."""
        with self._shared.lock:
            assert self._shared.bone is not None and self._shared.grid is not None
            return doubtful_at(self._shared.bone, points_mm, self._shared.grid)

    def listen(self, ready: Callable[[], None]) -> None:
        """Call this from the thread whenever there is something new in `dressed`."""
        self._listeners.append(ready)

    def ask(self, whole: Arrays) -> None:
        """Another level of detail of the whole bone is to be painted."""
        self._whole = whole
        self._shared.changed(())

    def stop(self) -> None:
        self._over.set()
        self._shared.changed(())
        if self.ident is not None:
            self.join(timeout=2.0)

    def run(self) -> None:
        be_nice(NICE)
        critical = self._critical
        rested_s = 0.0
        while not self._over.is_set():
            self._seen, bricks = self._shared.news(self._seen, 0.0 if self._due else TURN_S)
            grid = self._shared.grid
            if grid is not None:
                self._note(bricks, grid)
                self._dress(grid, critical)
            else:
                self._stand()
            time.sleep(max(0.0, LEAST_S - (time.monotonic() - rested_s)))
            rested_s = time.monotonic()

    def catch_up(self) -> None:
        """Dress all that is due in the caller's thread, where a picture is painted only now and then. Not for a dresser that was started."""
        self._seen, bricks = self._shared.news(self._seen)
        grid = self._shared.grid
        if grid is None:
            self._stand()
            return
        self._note(bricks, grid)
        # All in one go: the rest is cut anew after each.
        self._dress(grid, self._critical, len(self._due))

    @cached_property
    def _critical(self) -> tuple[Surface, ...]:
        return critical_surfaces(self._shared.scene, near=self._shared.structure.surface)

    def _stand(self) -> None:
        """Tell how far the bone can be believed, where it is not on its grid yet."""
        if self.dressed.standing != self._shared.standing:
            self._publish(Dressed(self.dressed.number + 1, self._shared.standing))

    def _note(self, bricks: frozenset[int], grid: Grid) -> None:
        """Which bricks must be looked at again: what changed, and all around it, as far as it is shown exactly."""
        if self._exact is None or bricks:
            with self._shared.lock:
                assert self._shared.bone is not None
                self._exact = shown_exactly(self._shared.bone, grid)
            shown = frozenset(np.flatnonzero(self._exact).tolist())
            around = frozenset(np.flatnonzero(grid.around(bricks)).tolist())
            self._due = (self._due | around | (shown - self.dressed.looks.keys())) & (shown | self.dressed.looks.keys())

    def _dress(self, grid: Grid, critical: tuple[Surface, ...], most: int = BRICKS_AT_ONCE) -> None:
        before = self.dressed
        batch = sorted(self._due)[:most]
        self._due.difference_update(batch)
        looks = dict(before.looks)
        assert self._exact is not None
        with self._shared.lock:
            assert self._shared.bone is not None
            for brick in batch:
                if self._exact.flat[brick]:
                    looks[brick] = brick_look(self._shared.bone, brick, grid, self._shared.structure.surface, critical, looks.get(brick))
                else:
                    looks.pop(brick, None)
        number, chunks = before.number + 1, dict(before.chunks)
        of_chunk: dict[int, list[BrickLook]] = defaultdict(list)
        for brick, look in looks.items():
            of_chunk[grid.chunk(brick)].append(look)
        for chunk in {grid.chunk(brick) for brick in batch}:
            chunks[chunk] = (number, joined(of_chunk[chunk]))
        doubts, vague = self._doubt()
        rest = self._rest(grid, looks, vague, same=doubts == self._doubts)
        if batch or rest is not before.rest or doubts != self._doubts or self._shared.standing != before.standing:
            self._doubts = doubts
            self._publish(Dressed(number, self._shared.standing, looks, chunks, rest, vague))

    def _doubt(self) -> tuple[bytes, frozenset[int]]:
        """What is doubtful, to be compared; and the bricks that it is in."""
        with self._shared.lock:
            assert self._shared.bone is not None
            touched = self._shared.bone.touched
            doubts = self._shared.bone.doubts(touched)
        vague = touched[doubts != 0]
        return np.stack((vague.astype(np.uint64), doubts[doubts != 0])).tobytes(), frozenset(vague.tolist())

    def _rest(self, grid: Grid, looks: Mapping[int, BrickLook], vague: frozenset[int], *, same: bool) -> tuple[Arrays, Arrays] | None:
        """The whole bone without the bricks that have looks. `same` : nothing else is doubtful than before."""
        whole, before = self._whole, self.dressed
        if whole is None or (before.rest is not None and before.rest[1] is whole and same and before.looks.keys() == looks.keys()):
            return before.rest
        # A coarse triangle tells no blocks apart: all of it is doubtful where it may lie in a brick with doubt.
        marked = whole._replace(doubtful=near(whole, grid, grid.mask(vague)).astype(np.float32)) if vague else whole
        return cut_away(marked, grid, grid.mask(looks)) if looks else marked, whole

    def _publish(self, dressed: Dressed) -> None:
        self.dressed = dressed
        for ready in self._listeners:
            ready()
