"""A small world with known distances: a critical ball at the origin, a bone ball beside it, one drill and the patient's reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from navtwin.nouns import (
    AlertSet,
    AppliedFilter,
    Body,
    Command,
    Event,
    EventBody,
    Header,
    Message,
    Notice,
    Order,
    Part,
    Pose,
    RegistrationResult,
    Reply,
    Rig,
    Sighting,
    State,
    Tick,
    Tool,
    Tracker,
    TrackerFrame,
)
from navtwin.scene.model import Landmark, Patient, Plan, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.twin import Memory, new_memory, step
from navtwin.volumes.volume import VolumeBox

RADIUS_MM = 10.0
MS = 1_000_000
PERIOD_NS = 16 * MS
LATENCY_NS = 15 * MS
ZERO6 = (0.0,) * 21
ZERO3 = (0.0,) * 6


def ball(center: tuple[float, float, float], radius: float, rings: int = 24) -> Surface:
    """A closed UV sphere; its facets lie inside the true ball by less than 1 % of the radius."""
    lat, lon = np.linspace(0.0, np.pi, rings + 1)[1:-1], np.linspace(0.0, 2.0 * np.pi, 2 * rings, endpoint=False)
    body = np.array([[np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)] for a in lat for b in lon])
    vertices = np.vstack([body, [[0, 0, 1]], [[0, 0, -1]]]) * radius + np.array(center)
    n, top, bottom = 2 * rings, len(body), len(body) + 1
    faces = []
    for j in range(n):
        k = (j + 1) % n
        faces.append((top, j, k))
        faces.append((bottom, (rings - 2) * n + k, (rings - 2) * n + j))
        for i in range(rings - 2):
            a, b, c, d = i * n + j, i * n + k, (i + 1) * n + j, (i + 1) * n + k
            faces += [(a, c, b), (b, c, d)]
    return Surface.from_arrays(vertices, np.array(faces))


def small_rig(**tracker: float) -> Rig:
    # These poses have no noise: that nothing changes is no sign here that the source hangs.
    timing = {"rate_hz": 60.0, "latency_ms": 15.0, "output_delay_ms": 5.0, "max_age_ms": 100.0, "repeats_ms": 0.0, **tracker}
    return Rig(
        reference="ref",
        tracker=Tracker(name="test", **timing),
        body=(Body(name="ref", sd_mm=0.0, sd_rad=0.0), Body(name="drill", sd_mm=0.05, sd_rad=0.0), Body(name="pointer", sd_mm=0.05, sd_rad=0.0)),
        tool=(
            Tool(
                name="drill",
                body="drill",
                axis_in_marker=(0.0, 0.0, 1.0),
                axis_sd_rad=0.0,
                part=(
                    Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.5),
                    Part(name="neck", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, -50.0), radius_mm=1.2),
                ),
                tip_mm=(0.0, 0.0, 0.0),
                tip_covariance=ZERO3,
            ),
            Tool(
                name="pointer",
                body="pointer",
                axis_in_marker=(0.0, 0.0, 1.0),
                axis_sd_rad=0.0,
                part=(Part(name="tip", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=0.5),),
            ),
        ),
    )


def small_scene(*, danger_mm: float = 2.0, caution_mm: float = 4.0, critical: bool = True) -> Scene:
    canal = Structure(
        "canal",
        "critical" if critical else "context",
        "ref",
        ball((0.0, 0.0, 0.0), RADIUS_MM),
        caution_mm,
        danger_mm,
        0.1,
        15.0,
        "#ffcc00",
        1.0,
        False,
    )
    aorta = Structure(
        "aorta", "critical" if critical else "context", "ref", ball((0.0, 60.0, 0.0), RADIUS_MM), 6.0, 3.0, 0.1, 15.0, "#cc0000", 1.0, False
    )
    bone = Structure("bone", "work", "ref", ball((30.0, 0.0, 0.0), RADIUS_MM), None, None, 0.1, 15.0, "#eeeecc", 1.0, False)
    box = VolumeBox(np.array([[1.0, 0, 0, 200], [0, 1, 0, 200], [0, 0, 1, 200], [0, 0, 0, 1]]), (401, 401, 401))
    marks = tuple(Landmark(n, p) for n, p in (("a", (10.0, 0.0, 0.0)), ("b", (0.0, 10.0, 0.0)), ("c", (0.0, 0.0, 10.0))))
    return Scene(
        "balls", (canal, aorta, bone), marks, (Plan("p", (40.0, 0.0, 0.0), (20.0, 0.0, 0.0), 5.0, 1.0),), Patient(), box, Path("ct"), Path(), "hash"
    )


def registration(accepted: bool = True) -> RegistrationResult:
    return RegistrationResult(
        request="registration/1",
        accepted=accepted,
        reasons=() if accepted else ("too few landmarks",),
        pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0)),
        fre_mm=0.2,
        landmarks=("a",),
        residual_mm=(0.2,),
        covariance=ZERO6,
        centroid_mm=(0.0, 0.0, 0.0),
    )


HEADER = Header(
    session="test-session",
    version="0",
    utc_anchor_ns=0,
    monotonic_anchor_ns=0,
    case_path="",
    rig_path="",
    case_hash="hash",
    rig_hash="",
    code_hash="",
    source="test",
    speed=0.0,
    python="",
    machine="",
)


@dataclass
class World:
    """Drives the fold by hand. The drill points along -x at the canal: its tip is `gap` mm from the canal's surface, skin to skin.

    `beside_mm` moves it aside along y.
    """

    scene: Scene = field(default_factory=small_scene)
    rig: Rig = field(default_factory=small_rig)
    now_ns: int = 1_000 * MS
    seq: int = 0
    number: int = 0
    register: bool = True
    beside_mm: float = 0.0
    smoothing: AppliedFilter | None = None

    def __post_init__(self) -> None:
        self.memory: Memory = new_memory(self.scene, self.rig, HEADER)
        self.messages: list[Message] = []
        if self.register:
            self.feed(registration())
            from navtwin.nouns import Accept

            self.order(Accept(result="registration"))
            from navtwin.nouns import ToolSelect

            self.order(ToolSelect(tools=("drill",)))

    def feed(self, body: EventBody) -> list[Message]:
        self.seq += 1
        self.messages = step(self.scene, self.memory, Event(seq=self.seq, t_ns=self.now_ns, body=body))
        return self.messages

    def order(self, order: Order, who: str = "nurse") -> Reply:
        found = self.feed(Command(who=who, id=str(self.seq), order=order))
        return next(m.body for m in found if isinstance(m.body, Reply))

    def tick(self, ms: float = 10.0) -> None:
        self.now_ns += round(ms * MS)
        self.feed(Tick())

    def idle(self, ms: float) -> None:
        for _ in range(round(ms / 10.0)):
            self.tick()

    def sightings(self, gap_mm: float | None, *, ref: bool = True) -> tuple[Sighting, ...]:
        lost = Sighting(body="drill", status="OUT_OF_VIEW")
        # +z of the tip looks along -x: the neck points away from the canal.
        turn = (np.sqrt(0.5), 0.0, -np.sqrt(0.5), 0.0)
        pose = None if gap_mm is None else Pose(q_wxyz=tuple(map(float, turn)), t_mm=(RADIUS_MM + 1.5 + gap_mm, self.beside_mm, 0.0))  # type: ignore[arg-type]
        drill = lost if pose is None else Sighting(body="drill", status="OK", pose=pose)
        home = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
        seen = Sighting(body="ref", status="OK", pose=home) if ref else Sighting(body="ref", status="OUT_OF_VIEW")
        return (seen, drill)

    def frame(self, gap_mm: float | None, *, ref: bool = True, age_ms: float = 15.0, step_ms: float = 16.0) -> list[Message]:
        self.now_ns += round(step_ms * MS)
        self.number += 1
        t = self.now_ns - round(age_ms * MS)
        return self.feed(
            TrackerFrame(
                source="test",
                number=self.number,
                t_capture_ns=t,
                t_arrival_ns=self.now_ns,
                sightings=self.sightings(gap_mm, ref=ref),
                filter=self.smoothing,
            )
        )

    def hold(self, gap_mm: float | None, frames: int, **more: bool) -> None:
        for _ in range(frames):
            self.frame(gap_mm, **more)

    def notice(self, alarm: str, active: bool = True) -> None:
        self.feed(Notice(alarm=alarm, active=active))

    @property
    def alerts(self) -> AlertSet:
        """The set as it would be said now."""
        from navtwin.twin.publish import alert_set

        return alert_set(self.memory)

    @property
    def state(self) -> State:
        return next(m.body for m in self.messages if isinstance(m.body, State))

    def pair(self, id_: str):  # type: ignore[no-untyped-def]
        return next(p for p in self.alerts.pairs if p.id == id_)

    def alert(self, id_: str):  # type: ignore[no-untyped-def]
        return next((a for a in self.alerts.alerts if a.id == id_), None)

    def technical(self, alarm: str):  # type: ignore[no-untyped-def]
        return next((t for t in self.alerts.technical if t.alarm == alarm), None)
