"""A session of the real fold, led by hand: a pointer that goes where it is told, over a bone whose place is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.accuracy_parts.trials import LANDMARKS_MM, phantom_bone
from navtwin.nouns import (
    Accept,
    AlertSet,
    Collect,
    Command,
    Event,
    EventBody,
    Order,
    Output,
    PivotResult,
    Pose,
    Register,
    RegistrationRequest,
    Reply,
    Rig,
    Setup,
    Sighting,
    State,
    Tick,
    Topic,
    TrackerFrame,
)
from navtwin.register.touch import ball_centres
from navtwin.register.worker import answer
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.model import Landmark, Scene
from navtwin.twin import new_memory, step
from navtwin.twin.publish import alert_set
from tests.register.test_worker import scene as worker_scene
from tests.twin.world import HEADER, MS, PERIOD_NS, small_rig, small_scene

NAMES = ("left transverse", "right transverse", "spinous", "base", "left facet", "right facet")
BALL_MM = 0.5
#: Where the patient's reference really is: what a registration should find.
TRUTH = Rigid.from_quaternion((0.9, 0.2, -0.3, 0.2449489742783178), (40.0, -25.0, 110.0), target="ct", source="ref")


@cache
def scene() -> Scene:
    """One vertebra with six landmarks, a canal inside it."""
    found = worker_scene()
    bone, centre = phantom_bone()
    on_bone = bone.closest(centre + LANDMARKS_MM).point_mm
    structures = tuple(replace(s, color={"work": "#f1d691", "critical": "#f4d631"}.get(s.role, "#8b979f")) for s in found.structures)
    marks = tuple(Landmark(name, _vec(p)) for name, p in zip(NAMES, on_bone, strict=True))
    return replace(
        small_scene(), name="vertebra", structures=structures, landmarks=marks, plans=found.plans, folder=Path("vertebra"), case_hash="hash"
    )


def rig() -> Rig:
    """The pointer's tip is to be calibrated; the drill's is known."""
    return small_rig()


class Session:
    """The fold, and a hand that holds the pointer.

    Parameters
    ----------
    hear : called with each message that is published
    """

    def __init__(self, hear: Callable[[Topic, Any], None], of: Scene | None = None, with_rig: Rig | None = None, **header: str) -> None:
        self.scene, self.rig = of or scene(), with_rig or rig()
        header = {"case_hash": self.scene.case_hash, "case_path": str(self.scene.folder.resolve()), **header}
        self.memory = new_memory(self.scene, self.rig, msgspec.structs.replace(HEADER, **header))
        self.hear = hear
        self.now_ns, self.seq, self.number = 1_000 * MS, 0, 0
        self.tip_ct: Vec3 | None = None
        self.turn = np.eye(3)
        self.shift_ct = np.zeros(3)

    def feed(self, body: EventBody) -> list[Output]:
        """One input; what is asked of the workers is answered by `work`."""
        self.seq += 1
        messages = step(self.scene, self.memory, Event(seq=self.seq, t_ns=self.now_ns, body=body))
        for message in messages:
            if message.topic not in ("request", "reply"):
                self.hear(message.topic, message.body)
        self._asked = [m.body for m in messages if isinstance(m.body, RegistrationRequest)]
        return [m.body for m in messages]

    def order(self, order: Order) -> Reply:
        """Give an order; a registration that it asks for is waited for."""
        said = self.feed(Command(who="anna", id=str(self.seq), order=order))
        for request in self._asked:
            self.feed(answer(request, self.scene))
        return next(body for body in said if isinstance(body, Reply))

    def calibrate(self) -> None:
        """The pointer's tip, as if pivoted."""
        covariance = (1e-4, 0.0, 0.0, 1e-4, 0.0, 1e-4)
        found = PivotResult(
            request="pivot/pointer/1", tool="pointer", accepted=True, reasons=(), tip_mm=(0.0, 0.0, 0.0), covariance=covariance,
            rms_mm=0.1, samples=200,
        )  # fmt: skip
        self.feed(found)
        assert self.order(Accept(result="pivot/pointer")).ok

    def frames(self, count: int, tip_ct: Vec3 | None, wobble_mm: float = 0.0) -> None:
        """Hold the tip at a place of the true patient, or hide the pointer."""
        for n in range(count):
            self.now_ns += PERIOD_NS
            self.number += 1
            self.feed(
                TrackerFrame(
                    source="hand", number=self.number, t_capture_ns=self.now_ns - 15 * MS, t_arrival_ns=self.now_ns,
                    sightings=self.sightings(tip_ct, wobble_mm * (n % 2)),
                )
            )  # fmt: skip

    def sightings(self, tip_ct: Vec3 | None, off_mm: float = 0.0) -> tuple[Sighting, ...]:
        """The reference at home, the pointer with its tip at a place of the true patient. `shift_ct`: so far the reference has been knocked."""
        home = Sighting(body="ref", status="OK", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0)))
        if tip_ct is None:
            return (home, Sighting(body="pointer", status="MISSING"))
        x, y, z = TRUTH.inverse().point(_vec(np.asarray(tip_ct) + self.shift_ct))
        rotation = np.eye(4)
        rotation[:3, :3] = self.turn
        q = Rigid.from_matrix(rotation, target="tracker", source="marker").q_wxyz
        return (home, Sighting(body="pointer", status="OK", pose=Pose(q_wxyz=q, t_mm=(x + off_mm, y, z))))

    def knock(self, by_ct: Vec3) -> None:
        """Move the patient's reference on the bone: what was registered is not so any more."""
        self.shift_ct = self.shift_ct + np.array(by_ct)

    def touch(self, name: str, off_mm: Sequence[float] = (0.0, 0.0, 0.0)) -> None:
        """Dwell on a landmark, `off_mm` beside where its ball belongs."""
        assert self.order(Collect(what="landmark", tool="pointer", landmark=name, action="start", dwell_s=0.5)).ok
        self.frames(40, self.at(name, off_mm))

    def check(self, name: str = "", off_mm: Sequence[float] = (0.0, 0.0, 0.0), at: str = "") -> None:
        """Dwell on a landmark, or on the bone beside the landmark `at`, to check."""
        assert self.order(Collect(what="check", tool="pointer", landmark=name, action="start", dwell_s=0.5)).ok
        self.frames(40, self.at(name or at, off_mm))

    def at(self, name: str, off_mm: Sequence[float] = (0.0, 0.0, 0.0)) -> Vec3:
        """Where the ball's centre is when it touches a landmark."""
        place = next(m.position_mm for m in self.scene.landmarks if m.name == name)
        bone = next(s.surface for s in self.scene.structures if s.role == "work")
        return _vec(ball_centres(bone, np.array([place]), BALL_MM)[0] + np.asarray(off_mm))  # type: ignore[arg-type]

    def touch_all(self, noise_mm: float = 0.25, seed: int = 3) -> None:
        rng = np.random.default_rng(seed)
        for mark in self.scene.landmarks:
            self.touch(mark.name, rng.normal(size=3) * noise_mm)

    def register(self, **how: Any) -> None:
        assert self.order(Register(method="landmarks", **how)).ok

    def accept(self) -> None:
        assert self.order(Accept(result="registration")).ok

    def tick(self) -> None:
        self.feed(Tick())

    @property
    def setup(self) -> Setup:
        """Progress as it would be said now."""
        self.memory.setup_changed = True
        return next(body for body in self.feed(Tick()) if isinstance(body, Setup))

    @property
    def alerts(self) -> AlertSet:
        return alert_set(self.memory)


class Ear:
    """Keeps the newest of each message."""

    def __init__(self) -> None:
        self.setup: Setup | None = None
        self.state: State | None = None
        self.alerts: AlertSet | None = None
        self.setups: list[Setup] = []

    def __call__(self, _topic: Topic, body: Any) -> None:
        if isinstance(body, Setup):
            self.setup = body
            self.setups.append(body)
        elif isinstance(body, State):
            self.state = body
        elif isinstance(body, AlertSet):
            self.alerts = body


def _vec(v: Any) -> Vec3:
    return (float(v[0]), float(v[1]), float(v[2]))
