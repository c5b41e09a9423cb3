"""A small operation with a known answer: a drill held a millimetre from a spinal canal, a pointer beside, a reference on the patient.

A fault is put into its stream while the drill is nearer than the danger limit, so that CLEAR would be a lie.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from navtwin.nouns import Body, Part, Pose, RegistrationResult, Rig, Role, Sighting, Tool, Tracker, TrackerFrame
from navtwin.rigid import Rigid
from navtwin.scene.model import Landmark, Patient, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import VolumeBox
from phantoms.motion import turns
from phantoms.path import minimum_jerk, unit
from phantoms.shapes import Array

CANAL_MM, BURR_MM, NECK_MM, TIP_MM = 8.0, 1.5, 1.2, 0.5
CAUTION_MM, DANGER_MM = 4.0, 2.0
#: From a tool's marker body to its tip.
SHAFT_MM = 150.0
RATE_HZ, LATENCY_MS, MAX_AGE_MS = 60.0, 15.0, 100.0
SD_MM, SD_RAD = 0.05, 0.0002
CALIBRATED = "2020-01-01"
#: How far the drill is put away where nobody drills meanwhile.
AWAY_MM = 25.0
#: Where the pointer's tip is while it does nothing, ct.
REST_MM = np.array([45.0, 55.0, -60.0])
#: The pair that a fault could hide.
BURR, NECK = "canal/drill/burr", "canal/drill/neck"
LANDMARKS = {"notch": (0.0, 40.0, 30.0), "process": (30.0, 40.0, -30.0), "facet": (-30.0, 40.0, -20.0), "lamina": (10.0, 52.0, 10.0)}


def tube(start_mm: Array, end_mm: Array, radius_mm: float, rings: int = 16) -> Surface:
    """A closed capsule along z between two points that differ in z alone."""
    lat, lon = np.linspace(0.0, np.pi, 2 * rings)[1:-1], np.linspace(0.0, 2.0 * np.pi, 4 * rings, endpoint=False)
    outwards = np.array([(np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)) for a in lat for b in lon])
    body = np.where(outwards[:, 2:] > 1e-9, end_mm, start_mm) + radius_mm * outwards
    n, rows = len(lon), len(lat)
    top = np.array([0.0, 0.0, radius_mm])
    faces = list[tuple[int, int, int]]()
    for j in range(n):
        k = (j + 1) % n
        faces += [(rows * n, j, k), (rows * n + 1, (rows - 1) * n + k, (rows - 1) * n + j)]
        for i in range(rows - 1):
            a, b, c, d = i * n + j, i * n + k, (i + 1) * n + j, (i + 1) * n + k
            faces += [(a, c, b), (b, c, d)]
    return Surface.from_arrays(np.vstack([body, end_mm + top, start_mm - top]), np.array(faces))


def theatre_scene() -> Scene:
    """A canal along z with the bone of a process behind it, and an aorta in front."""

    def made(name: str, role: Role, surface: Surface, caution_mm: float | None = None, danger_mm: float | None = None) -> Structure:
        return Structure(name, role, "ref", surface, caution_mm, danger_mm, 0.05, 15.0, "#ffcc00", 1.0, False)

    z = np.array([0.0, 0.0, 40.0])
    canal = made("canal", "critical", tube(-z, z, CANAL_MM), CAUTION_MM, DANGER_MM)
    front = np.array([0.0, -60.0, 0.0])
    aorta = made("aorta", "critical", tube(front - z, front + z, 9.0), 6.0, 3.0)
    behind = np.array([0.0, 30.0, 0.0])
    bone = made("bone", "work", tube(behind - z, behind + z, 10.0))
    box = VolumeBox(((1.0, 0.0, 0.0, 200.0), (0.0, 1.0, 0.0, 200.0), (0.0, 0.0, 1.0, 200.0), (0.0, 0.0, 0.0, 1.0)), (401, 401, 401))
    landmarks = tuple(Landmark(name, place) for name, place in LANDMARKS.items())
    return Scene("theatre", (canal, aorta, bone), landmarks, (), Patient(), box, Path("ct"), Path(), "theatre")


def theatre_rig() -> Rig:
    """Drill, pointer and reference, each seen with the noise that is put into it."""

    def body(name: str) -> Body:
        return Body(name=name, sd_mm=SD_MM, sd_rad=SD_RAD)

    def tool(name: str, *parts: Part) -> Tool:
        tip = {"tip_mm": (0.0, 0.0, SHAFT_MM), "tip_covariance": (1e-4, 0.0, 0.0, 1e-4, 0.0, 1e-4), "calibrated": CALIBRATED}
        return Tool(name=name, body=name, axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.0, part=parts, **tip)  # type: ignore[arg-type]

    o = (0.0, 0.0, 0.0)
    burr, neck = Part(name="burr", from_mm=o, to_mm=o, radius_mm=BURR_MM), Part(name="neck", from_mm=o, to_mm=(0.0, 0.0, -50.0), radius_mm=NECK_MM)
    return Rig(
        reference="ref",
        # As good as fresh for ever: what is not the fault must not be alarmed.
        calibration_max_age_days=36_500.0,
        tracker=Tracker(name="theatre", rate_hz=RATE_HZ, latency_ms=LATENCY_MS, output_delay_ms=5.0, max_age_ms=MAX_AGE_MS),
        body=(body("ref"), body("drill"), body("pointer")),
        tool=(tool("drill", burr, neck), tool("pointer", Part(name="tip", from_mm=o, to_mm=o, radius_mm=TIP_MM))),
    )


def _frame(x: Array, z: Array, origin_mm: Array, target: str, source: str) -> Rigid:
    """The frame with these x and z axes (unit, at right angles) at a place of `target`."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    matrix[:3, 3] = origin_mm
    return Rigid.from_matrix(matrix, target=target, source=source)


@dataclass(eq=False)
class Theatre:
    """Where everything is at any time, and what the tracker says of it. Seeds vary the room, the hand's way and the noise.

    Parameters
    ----------
    rng : everything random comes of it; the same one gives the same stream
    away_mm : the burr's mean distance from the canal; None takes one within the danger limit
    range_mm : how far the camera stands away
    held : T_ct_from_marker by time (s) of tools that do something else than they do by themselves
    """

    rng: np.random.Generator
    away_mm: float | None = None
    scene: Scene = field(default_factory=theatre_scene)
    rig: Rig = field(default_factory=theatre_rig)
    range_mm: float = 1300.0
    held: dict[str, Callable[[float], Rigid]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = self.rng
        self.gap_mm = float(rng.uniform(0.6, 1.2)) if self.away_mm is None else self.away_mm
        self._waves = [(rng.uniform(0.3, 2.0), rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.02, 0.06)) for _ in range(3)]
        around, tilt = rng.uniform(1.2, 1.9), rng.uniform(0.25, 0.45)
        # The marker bodies look up from the patient, and the camera stands towards the drill's handle: what makes a flat marker ambiguous.
        self._facing = np.array([0.0, np.sin(around), np.cos(around)])
        camera = np.cos(tilt) * self._facing + np.array([np.sin(tilt), 0.0, 0.0])
        z = -camera
        x = unit(np.cross(np.array([0.0, 0.0, 1.0]), z))
        self.T_tracker_from_ct = _frame(x, z, self.range_mm * camera + rng.normal(0.0, 30.0, 3), "ct", "tracker").inverse()
        side = unit(np.cross(self._facing, np.array([1.0, 0.0, 0.0])))
        self.T_ct_from_ref = _frame(self._facing, side, np.array([40.0, 70.0, 60.0]) + rng.normal(0.0, 5.0, 3), "ct", "ref")
        self._number = 0

    @property
    def registration(self) -> RegistrationResult:
        """The registration of this patient, as its worker would find it."""
        small = (1e-7, 0.0, 0.0, 0.0, 0.0, 0.0, 1e-7, 0.0, 0.0, 0.0, 0.0, 1e-7, 0.0, 0.0, 0.0, 1e-3, 0.0, 0.0, 1e-3, 0.0, 1e-3)
        names = tuple(LANDMARKS)
        return RegistrationResult(
            request="registration/1",
            accepted=True,
            reasons=(),
            pose=Pose.from_rigid(self.T_ct_from_ref),
            fre_mm=0.2,
            landmarks=names,
            residual_mm=(0.2,) * len(names),
            covariance=small,
            centroid_mm=(0.0, 40.0, 0.0),
        )

    def burr_mm(self, t_s: float) -> Array:
        """The burr's centre in ct."""
        sway = [a * math.sin(2.0 * math.pi * f * t_s + p) for f, p, a in self._waves]
        return np.array([CANAL_MM + BURR_MM + self.gap_mm + sum(sway), 0.0, 5.0 * sway[0] + 3.0 * sway[1]])

    def truth_mm(self, t_s: float) -> dict[str, float]:
        """The true distances of the parts that are near, by pair."""
        to_canal = float(np.hypot(*self.burr_mm(t_s)[:2])) - CANAL_MM
        return {BURR: to_canal - BURR_MM, NECK: to_canal - NECK_MM}

    def T_ct_from_marker(self, body: str, t_s: float) -> Rigid:
        """Where a body really is."""
        if body in self.held:
            return self.held[body](t_s)
        if body == "ref":
            return self.T_ct_from_ref
        if body == "drill":
            return self._aimed(body, self.burr_mm(t_s))
        return self._aimed(body, REST_MM + self.burr_mm(t_s) - self.burr_mm(0.0))

    def _aimed(self, tool: str, tip_mm: Array) -> Rigid:
        """A tool's marker with its tip at a place of ct: the drill from the side, the pointer from behind the patient."""
        across = np.array([1.0, 0.0, 0.0])
        x, z = (self._facing, -across) if tool == "drill" else (across, -self._facing)
        return _frame(x, z, tip_mm - SHAFT_MM * z, "ct", f"marker/{tool}")

    def move(self, tool: str, from_mm: Array, to_mm: Array, begin_s: float, over_s: float = 0.5) -> None:
        """Take a tool's tip from one place to another, as a hand does, and hold it there."""

        def at(t_s: float) -> Rigid:
            share = float(minimum_jerk(np.array([(t_s - begin_s) / over_s]))[0])
            return self._aimed(tool, from_mm + share * (to_mm - from_mm))

        self.held[tool] = at

    def pivot(self, tool: str, tip_in_marker_mm: Array, seat_mm: Array) -> None:
        """Turn a tool about its tip, which sits in a hole; `tip_in_marker_mm` is where the tip really is on it."""
        upright = self._aimed(tool, seat_mm)

        def at(t_s: float) -> Rigid:
            lean = 0.5 * np.array([np.sin(1.9 * t_s), np.cos(1.3 * t_s), 0.6 * np.sin(0.7 * t_s)])
            matrix = upright.matrix()
            matrix[:3, :3] = turns(lean[None])[0] @ matrix[:3, :3]
            matrix[:3, 3] = seat_mm - matrix[:3, :3] @ tip_in_marker_mm
            return Rigid.from_matrix(matrix, target="ct", source=upright.source)

        self.held[tool] = at

    def sightings(self, t_s: float) -> tuple[Sighting, ...]:
        """All bodies at an instant, with the tracker's noise."""
        seen = list[Sighting]()
        for body in self.rig.body:
            true = self.T_tracker_from_ct @ self.T_ct_from_marker(body.name, t_s)
            matrix = true.matrix()
            matrix[:3, :3] = turns(self.rng.normal(0.0, SD_RAD, (1, 3)))[0] @ matrix[:3, :3]
            matrix[:3, 3] += self.rng.normal(0.0, SD_MM, 3)
            seen.append(Sighting(body=body.name, status="OK", pose=Pose.from_rigid(Rigid.from_matrix(matrix, target="tracker", source=true.source))))
        return tuple(seen)

    def frame(self, t_capture_ns: int) -> TrackerFrame:
        """The next frame, captured then and arriving as much later as the tracker takes."""
        self._number += 1
        return TrackerFrame(
            source="theatre",
            number=self._number,
            t_capture_ns=t_capture_ns,
            t_arrival_ns=t_capture_ns + round(LATENCY_MS * 1e6),
            sightings=self.sightings(t_capture_ns * 1e-9),
        )
