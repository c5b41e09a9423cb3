"""A core's drilled bone that is heard without a network, and what a core says of a drill."""

from __future__ import annotations

import math
import queue
from functools import cache
from typing import Any

import msgspec

from navtwin.bus.bone import BonePatch
from navtwin.nouns import AlertSet, BoneSummary, DrillState, Pose, State, Wall
from navtwin.nouns.bone_stream import BoneBricks
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene
from tests.gui.room import CLEAR_S, said, with_health

BONE, NERVE = "temporal bone", "facial nerve"


class Core:
    """The bone of a core, and its messages; `heard` is a port that gets them when the test says so."""

    def __init__(self, scene: Scene, epoch: str = "e1") -> None:
        self.scene, self.epoch = scene, epoch
        self.bone = Carvable.of(scene.structure(BONE), scene.case_hash)
        self.waiting: queue.SimpleQueue[BonePatch] = queue.SimpleQueue()
        self.closed = False
        self._ever: set[int] = set()

    def header(self, **changes: Any) -> BoneBricks:
        made = BoneBricks(
            epoch=self.epoch,
            t_publish_ns=0,
            case_hash=self.scene.case_hash,
            structure=BONE,
            side_mm=self.bone.side_mm,
            revision=self.bone.revision,
            hash=self.bone.hash,
            changed=len(self.bone.changed),
            doubtful=self.bone.doubtful,
        )
        return msgspec.structs.replace(made, **changes)

    def message(self, bricks: list[int] | None = None, **changes: Any) -> BonePatch:
        """Some bricks, or all that were ever touched."""
        self._ever.update(self.bone.touched.tolist())
        named = sorted(self._ever) if bricks is None else bricks
        return BonePatch(self.header(bricks=tuple(named), **changes), self.bone.cells(named), self.bone.doubts(named))

    def say(self, bricks: list[int] | None = None) -> None:
        self.waiting.put(self.message(bricks))

    def take(self, timeout_ms: int) -> list[BonePatch]:
        try:
            return [self.waiting.get(timeout=timeout_ms * 1e-3)]
        except queue.Empty:
            return []

    def close(self) -> None:
        self.closed = True


@cache
def calm() -> tuple[State, AlertSet]:
    return said(CLEAR_S)


def drill_state(status: Any = "CUTTING", **changes: Any) -> DrillState:
    walls = (Wall(structure=NERVE, status="OK", thickness_mm=1.74, from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0)),)
    return msgspec.structs.replace(DrillState(instrument="drill", status=status, by="spindle", stretch=7, walls=walls), **changes)


def summary(**changes: Any) -> BoneSummary:
    made = BoneSummary(structure=BONE, side_mm=0.5, removed_mm3=312.4, hash="0" * 16, changed=9)
    return msgspec.structs.replace(made, **changes)


def drilling(
    drill: DrillState | None = None, at_mm: tuple[float, float, float] = (0.0, 0.0, 2.0), bone: BoneSummary | None = None
) -> tuple[State, AlertSet]:
    """A state with a drill that points down at a place, and a calm alert set."""
    state, alerts = calm()
    # Its z axis, which runs from handle to tip, points down.
    pose = Pose(q_wxyz=(0.0, math.cos(0.3), math.sin(0.3), 0.0), t_mm=at_mm)
    seen = next(i for i in state.instruments if i.instrument == "drill")
    state = msgspec.structs.replace(
        state,
        instruments=(msgspec.structs.replace(seen, pose=pose, status="OK"),),
        readings=(),
        drills=(drill or drill_state(),),
        bones=(bone or summary(),),
    )
    return state, with_health(msgspec.structs.replace(alerts, alerts=(), pairs=(), technical=()), selected=("drill",))
