"""Live sources with a known answer: the first tool of the rig swings through the limits of a critical structure, the others hang beside it.

A frame's arrival is the instant at which it was due, not when the source's thread got to it: what the thread is late counts as latency, and a machine
that stalls cannot hide frames behind its own stall. A frame is never left out: what is late is handed over late, one after the other.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable

import numpy as np

from latency_parts.column import Column
from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Rig, Sighting, SourceEnded, SourceItem, TrackerFrame
from navtwin.rigid import Quat, Vec3
from navtwin.scene.model import Scene, Structure

SWINGS_PER_S = 2.0
HIDDEN_EVERY = 4
#: The swing goes so far beyond the caution limit, mm; no tool's tip is wider than this.
BEYOND_MM, TOOL_MM = 6.0, 5.0
#: The first frame is due so long after the source was made.
FIRST_NS = 200_000_000


def swing(scene: Scene) -> tuple[Vec3, Vec3, float]:
    """A point outside the nearest critical structure, the direction away from it, and how far to swing along it (mm) to cross every limit."""
    watched = [s for s in scene.structures if s.role == "critical" and s.caution_mm]
    if not watched:
        raise InputRefused("the case has no critical structure with limits: there would be no warning to time", "take another --case")
    critical: Structure = min(
        watched,
        key=lambda s: s.surface.closest(np.array([centre(scene)])).distance_mm[0],
    )
    faces = critical.surface.vertices_mm[critical.surface.faces]
    normal = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    middle = faces.mean(axis=1)
    # A face that looks away from the body's middle: the way to it from outside is open. All of the way lies in the scan, or nothing would be judged.
    open_way = (normal * (middle - middle.mean(axis=0))).sum(axis=1)
    caution = float(critical.caution_mm or 0.0)
    far = middle + normal * (caution + BEYOND_MM + TOOL_MM)
    in_scan = scene.volume.contain(middle - normal) & scene.volume.contain(far)
    if not in_scan.any():
        raise InputRefused(f"no way to '{critical.name}' lies in the scan", "take a case whose critical structure lies inside its scan")
    best = int(np.argmax(np.where(in_scan, open_way, -np.inf)))
    return tuple(middle[best].tolist()), tuple(normal[best].tolist()), caution


def centre(scene: Scene) -> Vec3:
    """Middle of the planned work, or of the first structure."""
    if scene.plans:
        return scene.plans[0].target_mm
    return tuple(scene.structures[0].surface.vertices_mm.mean(axis=0).tolist())


def facing(axis: Vec3, way: Vec3) -> Quat:
    """The shortest turn that takes `axis` to `way`, as a unit quaternion."""
    a, b = np.array(axis), np.array(way)
    q = np.array([1.0 + a @ b, *np.cross(a, b)])
    if np.linalg.norm(q) < 1e-9:
        q = np.array([0.0, *np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])])
    w, x, y, z = (q / np.linalg.norm(q)).tolist()
    return (w, x, y, z)


class Swinging:
    """The source that every load is measured with. `due_ns` and `handed_ns` note each frame, first to last.

    Parameters
    ----------
    over : asked before each frame; once it says so the source ends in order, and what it has handed over is taken to the last frame
    """

    name = "benchmark"
    live = True
    setup_ns = 0

    def __init__(self, scene: Scene, rig: Rig, rate_hz: float, over: Callable[[], bool]) -> None:
        self._at, self._away, self._caution = swing(scene)
        self._rig, self._period_ns, self._over = rig, round(1e9 / rate_hz), over
        self._latency_ns = round(rig.tracker.latency_ms * 1e6)
        toward = (-self._away[0], -self._away[1], -self._away[2])
        self._turns = [facing(tool.axis_in_marker, toward) for tool in rig.tool]
        self._begun = time.monotonic_ns() + FIRST_NS
        self._done = threading.Event()
        self.due_ns, self.handed_ns = Column(), Column()

    def read(self, timeout_s: float) -> SourceItem | None:
        """Wait for the next frame's arrival and hand it over."""
        if self._over():
            raise SourceEnded(self.name)
        due = self._due(len(self.due_ns))
        left = due - time.monotonic_ns()
        if left > 0 and (self._done.wait(min(left * 1e-9, timeout_s)) or time.monotonic_ns() < due):
            return None
        frame = self.frame_at(due)
        self.handed_ns.append(time.monotonic_ns())
        return frame

    def _due(self, number: int) -> int:
        return self._begun + number * self._period_ns

    def frame_at(self, due: int) -> TrackerFrame:
        """The next frame, due then; counts it."""
        self.due_ns.append(due)
        number = len(self.due_ns)
        t_s = (due - self._begun) * 1e-9
        reach = self._caution + BEYOND_MM
        gap = 0.5 * reach * (1.0 - math.cos(2.0 * math.pi * SWINGS_PER_S * t_s)) - 0.5
        hidden = number % HIDDEN_EVERY == 0
        first = Sighting(body=self._rig.tool[0].body, status="MISSING") if hidden else self._tool(0, gap)
        reference = Sighting(body=self._rig.reference, status="OK", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0)), rms_mm=0.1)
        sightings = (reference, first, *(self._tool(n, gap) for n in range(1, len(self._rig.tool))))
        return TrackerFrame(source=self.name, number=number, t_capture_ns=due - self._latency_ns, t_arrival_ns=due, sightings=sightings)

    def _tool(self, n: int, gap_mm: float) -> Sighting:
        tool = self._rig.tool[n]
        clearance = gap_mm + tool.part[0].radius_mm + 30.0 * n
        x, y, z = (p + d * clearance for p, d in zip(self._at, self._away, strict=True))
        return Sighting(body=tool.body, status="OK", pose=Pose(q_wxyz=self._turns[n], t_mm=(x, y, z)), rms_mm=0.1)

    def close(self) -> None:
        self._done.set()


class Falling(Swinging):
    """Falls silent at random moments and speaks again; `silences` notes when the last frame before each was captured, and when it spoke again.

    Parameters
    ----------
    events : silences; then it ends
    silent_s : how long each lasts at least
    """

    def __init__(self, scene: Scene, rig: Rig, rate_hz: float, over: Callable[[], bool], *, events: int, silent_s: float, seed: int) -> None:
        super().__init__(scene, rig, rate_hz, over)
        self._chance, self._events, self._silent_ns = random.Random(seed), events, round(silent_s * 1e9)
        self.silences: list[tuple[int, int]] = []
        self._skipped_ns = 0
        self._speaks_until = self._next_silence(0)

    def _next_silence(self, number: int) -> int:
        """Number of the first frame that does not come: after 0.1 to 0.3 s of speaking, and at any phase of the core's ticks."""
        return number + max(3, round(self._chance.uniform(0.1, 0.3) * 1e9 / self._period_ns))

    def _due(self, number: int) -> int:
        return super()._due(number) + self._skipped_ns

    def read(self, timeout_s: float) -> SourceItem | None:
        number = len(self.due_ns)
        if number == self._speaks_until:
            if len(self.silences) == self._events:
                raise SourceEnded(self.name)
            gap = self._silent_ns + round(self._chance.uniform(0.0, 0.02) * 1e9)
            self._skipped_ns += gap
            self.silences.append((self.due_ns.last - self._latency_ns, self._due(number)))
            self._speaks_until = self._next_silence(number)
        return super().read(timeout_s)
