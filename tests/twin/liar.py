"""A hand that moves two bodies smoothly, seen with a tracker's noise, and the lies that may be told of it: for the gate in front of the chain."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from navtwin.nouns import Pose, Rig, Sighting, TrackerFrame
from navtwin.rigid import Quat, Vec3
from navtwin.twin.plausible import Plausible

MS = 1_000_000
NOISE_MM, NOISE_RAD = 0.25, math.radians(0.3)


def turn(axis: Vec3, angle_rad: float) -> Quat:
    length = math.sqrt(sum(v * v for v in axis))
    s = math.sin(angle_rad / 2.0) / length
    return (math.cos(angle_rad / 2.0), axis[0] * s, axis[1] * s, axis[2] * s)


def then(a: Quat, b: Quat) -> Quat:
    """First b, then a."""
    (aw, ax, ay, az), (bw, bx, by, bz) = a, b
    q = (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )
    length = math.sqrt(sum(v * v for v in q))
    return (q[0] / length, q[1] / length, q[2] / length, q[3] / length)


def angle_deg(a: Quat, b: Quat) -> float:
    dot = min(1.0, abs(sum(p * q for p, q in zip(a, b, strict=True))))
    return math.degrees(2.0 * math.acos(dot))


def seen(body: str, at: Vec3, q: Quat) -> Sighting:
    return Sighting(body=body, status="OK", pose=Pose(q_wxyz=q, t_mm=at))


def lost(body: str) -> Sighting:
    return Sighting(body=body, status="OUT_OF_VIEW")


@dataclass(frozen=True)
class Hand:
    """Sways along one axis and about another, each at a frequency and up to a peak speed."""

    home: Vec3
    along: Vec3
    about: Vec3
    hertz: float
    speed_mm_s: float
    turn_deg_s: float

    def at(self, t_ns: int) -> tuple[Vec3, Quat]:
        w = 2.0 * math.pi * self.hertz
        s = math.sin(w * t_ns * 1e-9)
        length = math.sqrt(sum(v * v for v in self.along))
        far = self.speed_mm_s / w * s / length
        x, y, z = (h + far * a for h, a in zip(self.home, self.along, strict=True))
        return (x, y, z), turn(self.about, math.radians(self.turn_deg_s) / w * s)

    def seen_at(self, body: str, t_ns: int, chance: random.Random) -> Sighting:
        (x, y, z), q = self.at(t_ns)
        at = (x + chance.gauss(0.0, NOISE_MM), y + chance.gauss(0.0, NOISE_MM), z + chance.gauss(0.0, NOISE_MM))
        small = (1.0, *(chance.gauss(0.0, NOISE_RAD / 2.0) for _ in range(3)))
        return seen(body, at, then(q, then(small, (1.0, 0.0, 0.0, 0.0))))  # type: ignore[arg-type]


def frame(t_ns: int, *sightings: Sighting) -> TrackerFrame:
    return TrackerFrame(source="t", number=t_ns // MS, t_capture_ns=t_ns, t_arrival_ns=t_ns, sightings=sightings)


@dataclass
class Gate:
    """Feeds the gate and says which bodies of the last frame were believed."""

    rig: Rig

    def __post_init__(self) -> None:
        self.gate = Plausible(self.rig)
        self.why: dict[str, str] = {}

    def judge(self, t_ns: int, *sightings: Sighting) -> set[str]:
        judged = self.gate.judge(frame(t_ns, *sightings), t_ns).sightings
        self.why = {s.body: s.reason for s in judged}
        assert [s.body for s in judged] == [s.body for s in sightings]
        return {s.body for s in judged if s.pose is not None}
