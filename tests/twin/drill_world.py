"""A block of bone with a nerve inside, one drill that says whether it turns and one pointer: drives the fold by hand, place by place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from navtwin.nouns import (
    Accept,
    AlertSet,
    BoneSummary,
    BoneUndone,
    Carved,
    Collect,
    Command,
    Cutter,
    DrillState,
    Event,
    EventBody,
    Message,
    Order,
    Part,
    Pose,
    RegistrationResult,
    Reply,
    Rig,
    Sighting,
    Spindle,
    State,
    Tick,
    ToolSelect,
    TrackerFrame,
    Wall,
)
from navtwin.rigid import Vec3
from navtwin.scene.model import Patient, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.twin import Memory, new_memory, step
from navtwin.twin.publish import alert_set
from navtwin.volumes.volume import VolumeBox
from tests.twin.world import HEADER, MS, ZERO3, ball, registration, small_rig

#: Top of the bone at z = 0; the nerve's top, in it, at z = -8.
BONE_MM = ((-15.0, -15.0, -20.0), (15.0, 15.0, 0.0))
NERVE_MM: Vec3 = (0.0, 0.0, -11.0)
NERVE_RADIUS_MM = 3.0
SIDE_MM = 0.5
BURR_MM = 2.0
AIR: Vec3 = (0.0, 0.0, 30.0)
HOME = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))


def box(low: Vec3, high: Vec3) -> Surface:
    """A closed box, outward normals."""
    corners = np.array([[(low, high)[i >> n & 1][n] for n in range(3)] for i in range(8)], float)
    quads = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))
    return Surface.from_arrays(corners, np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))]))


def bone_scene(*, carve_mm: float | None = SIDE_MM, caution_mm: float = 2.0, danger_mm: float = 1.0, more: tuple[Structure, ...] = ()) -> Scene:
    bone = Structure("bone", "work", "ref", box(*BONE_MM), None, None, 0.1, 15.0, "#eeeecc", 1.0, False, carve_mm)
    nerve = Structure("nerve", "critical", "ref", ball(NERVE_MM, NERVE_RADIUS_MM), caution_mm, danger_mm, 0.0, 15.0, "#ffcc00", 1.0, False)
    scan = VolumeBox(((1.0, 0.0, 0.0, 200.0), (0.0, 1.0, 0.0, 200.0), (0.0, 0.0, 1.0, 200.0), (0.0, 0.0, 0.0, 1.0)), (401, 401, 401))
    return Scene("block", (nerve, bone, *more), (), (), Patient(), scan, Path("ct"), Path(), "block")


def drill_rig(sd_mm: float = 0.0, **cutter: Any) -> Rig:
    """A ball of 2 mm on the drill's tip; poses without error but for `sd_mm` of the drill's marker."""
    rig = small_rig()
    burr = Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=BURR_MM)
    values: dict[str, Any] = {"part": "burr", "profile": "sphere", "radius_mm": BURR_MM, "spindle_timeout_ms": 500.0, **cutter}
    drill = msgspec.structs.replace(rig.tool[0], part=(burr,), cutter=msgspec.convert(values, Cutter))
    pointer = msgspec.structs.replace(rig.tool[1], tip_mm=(0.0, 0.0, 0.0), tip_covariance=ZERO3)
    bodies = tuple(msgspec.structs.replace(body, sd_mm=sd_mm if body.name == "drill" else 0.0) for body in rig.body)
    return msgspec.structs.replace(rig, body=bodies, tool=(drill, pointer))


@dataclass
class DrillWorld:
    """In navigation, with the drill in use.

    Attributes
    ----------
    spindle : what the drill's pedal says again every 200 ms; None: nothing
    """

    scene: Scene = field(default_factory=bone_scene)
    rig: Rig = field(default_factory=drill_rig)
    now_ns: int = 1_000 * MS
    seq: int = 0
    number: int = 0
    spindle: bool | None = None
    register: bool = True
    result: RegistrationResult = field(default_factory=registration)

    def __post_init__(self) -> None:
        self.memory: Memory = new_memory(self.scene, self.rig, HEADER)
        self.messages: list[Message] = []
        self.events: list[Event] = []
        self.carved: list[Carved | BoneUndone] = []
        self._said_ns = -(10**12)
        if self.register:
            self.feed(self.result)
            assert self.order(Accept(result="registration")).ok
            assert self.order(ToolSelect(tools=("drill",))).ok

    def feed(self, body: EventBody) -> list[Message]:
        self.seq += 1
        self.events.append(Event(seq=self.seq, t_ns=self.now_ns, body=body))
        self.messages = step(self.scene, self.memory, self.events[-1])
        self.carved += [m.body for m in self.messages if isinstance(m.body, Carved | BoneUndone)]
        return self.messages

    def order(self, order: Order, who: str = "nurse") -> Reply:
        found = self.feed(Command(who=who, id=str(self.seq), order=order))
        return next(m.body for m in found if isinstance(m.body, Reply))

    def pedal(self, on: bool | None) -> None:
        """The pedal's word changes, and is said at once."""
        self.spindle, self._said_ns = on, -(10**12)
        self._repeat()

    def _repeat(self) -> None:
        if self.spindle is not None and self.now_ns - self._said_ns >= 200 * MS:
            self._said_ns = self.now_ns
            assert self.order(Spindle(on=self.spindle, tool="drill")).ok

    def frame(self, at: Vec3 | None, *, pointer: Vec3 | None = None, ref: bool = True, age_ms: float = 2.0, step_ms: float = 16.0) -> list[Message]:
        """The next frame, with the drill's tip at a place, ct."""
        self.now_ns += round(step_ms * MS)
        self._repeat()
        self.number += 1
        seen = [("ref", HOME if ref else None)]
        seen += [(name, None if place is None else Pose(q_wxyz=HOME.q_wxyz, t_mm=place)) for name, place in (("drill", at), ("pointer", pointer))]
        sightings = tuple(Sighting(body=body, status="OK" if pose else "OUT_OF_VIEW", pose=pose) for body, pose in seen)
        t = self.now_ns - round(age_ms * MS)
        return self.feed(TrackerFrame(source="test", number=self.number, t_capture_ns=t, t_arrival_ns=self.now_ns, sightings=sightings))

    def hold(self, at: Vec3 | None, frames: int, **more: object) -> None:
        for _ in range(frames):
            self.frame(at, **more)  # type: ignore[arg-type]

    def go(self, begin: Vec3, end: Vec3, frames: int = 20) -> None:
        """Move the drill straight on."""
        for n in range(frames + 1):
            self.frame(tuple(a + (b - a) * n / frames for a, b in zip(begin, end, strict=True)))  # type: ignore[arg-type]

    def drill_cuts(self) -> bool:
        """Whether a drill that turns takes anything away."""
        self.pedal(True)
        self.go((0.0, 0.0, 3.0), (0.0, 0.0, 0.0))
        return self.bone.removed_mm3 > 0.0

    def idle(self, ms: float) -> None:
        """Time passes, and no frame comes; the pedal goes on."""
        for _ in range(round(ms / 10.0)):
            self.now_ns += 10 * MS
            self._repeat()
            self.feed(Tick())

    def touch(self, at: Vec3, drill: Vec3 | None = None) -> None:
        """Check the bone with the pointer, its ball's centre at a place."""
        assert self.order(Collect(what="check", tool="pointer", action="start", dwell_s=0.5)).ok
        for _ in range(60):
            self.frame(drill, pointer=at)
            if self.memory.collection is None:
                return
        raise AssertionError("the check was not taken")

    @property
    def alerts(self) -> AlertSet:
        return alert_set(self.memory)

    @property
    def state(self) -> State:
        return next(m.body for m in self.messages if isinstance(m.body, State))

    @property
    def drill(self) -> DrillState:
        return self.state.drills[0]

    @property
    def bone(self) -> BoneSummary:
        return self.state.bones[0]

    @property
    def status(self) -> str:
        return self.drill.status

    @property
    def wall_status(self) -> str:
        return self.wall.status

    @property
    def wall(self) -> Wall:
        return next(w for w in self.drill.walls if w.structure == "nerve")

    def alert(self, id_: str):  # type: ignore[no-untyped-def]
        return next((a for a in self.alerts.alerts if a.id == id_), None)

    def technical(self, alarm: str):  # type: ignore[no-untyped-def]
        return next((t for t in self.alerts.technical if t.alarm == alarm), None)
