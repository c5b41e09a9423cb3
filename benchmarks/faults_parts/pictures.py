"""Faults of a camera: rendered pictures of the theatre, through the twin's real source with its detecting process."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from faults_parts.outcome import Outcome
from faults_parts.session import phase_s, session
from faults_parts.streams import await_warning, judged
from navtwin.nouns import Body, Rig, RigCamera, SquareMarker
from navtwin.rigid import Vec3
from phantoms.camera.bodies import make_body
from phantoms.camera.optics import Optics
from phantoms.camera.render import render
from phantoms.camera.scene import Placed
from phantoms.camera.stand import rig_lens
from phantoms.faults.fault import Fault
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import CALIBRATED, Theatre, theatre_rig
from phantoms.motion import turns
from tracking.pictures.images import Image
from tracking.stream.live import PictureTracking

#: So wide that the reference is in the picture wherever the camera stands.
WIDTH_PX, HEIGHT_PX, FOCAL_PX = 1280, 960, 800.0
SIDE_MM, APART_MM, LEANT_RAD = 50.0, 32.0, 0.4
RANGE_MM, RATE_HZ, MAX_AGE_MS = 500.0, 20.0, 200.0
#: So many pictures are rendered, and shown again and again: never twice the same one after another.
PICTURES = 12
OPTICS = Optics(blur_px=0.6, noise_dn=1.0)


def _square(number: int, side: float) -> SquareMarker:
    """A marker that looks along the body's x, leant outwards by `side` (-1 or 1): a body that is not flat has one pose only."""
    h = SIDE_MM / 2.0
    turn = turns(np.array([[0.0, 0.0, side * LEANT_RAD]]))[0]
    corners = [turn @ np.array(c) + (0.0, side * APART_MM, 0.0) for c in ((0.0, -h, h), (0.0, h, h), (0.0, h, -h), (0.0, -h, -h))]
    a, b, c, d = (_vec3(corner) for corner in corners)
    return SquareMarker(id=number, corners_mm=(a, b, c, d))


def _vec3(p: npt.NDArray[np.float64]) -> Vec3:
    x, y, z = p.tolist()
    return (x, y, z)


def camera_rig() -> Rig:
    """The theatre's rig with printed markers on reference and drill, and a calibrated camera."""
    rig = theatre_rig()
    numbers = {"ref": 1, "drill": 3}

    def printed(body: Body) -> Body:
        n = numbers[body.name]
        return Body(name=body.name, sd_mm=0.1, sd_rad=0.001, dictionary="APRILTAG_36h11", marker=(_square(n, -1.0), _square(n + 1, 1.0)))

    bodies = tuple(printed(b) for b in rig.body if b.name in numbers)
    camera = RigCamera(
        name="camera",
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        focal_px=(FOCAL_PX, FOCAL_PX),
        centre_px=(WIDTH_PX / 2.0, HEIGHT_PX / 2.0),
        calibrated=CALIBRATED,
    )
    tracker = msgspec.structs.replace(rig.tracker, rate_hz=RATE_HZ, max_age_ms=MAX_AGE_MS)
    tools = tuple(t for t in rig.tool if t.body in numbers)
    return Rig(reference="ref", tracker=tracker, body=bodies, tool=tools, camera=(camera,), calibration_max_age_days=rig.calibration_max_age_days)


@dataclass(eq=False)
class LivePictures:
    """A camera that films the theatre, as it comes.

    Attributes
    ----------
    frozen_ns, gone_ns : from when to when its picture stands, or none comes
    """

    theatre: Theatre
    seed: int
    frozen_ns: tuple[int, int] = (0, 0)
    gone_ns: tuple[int, int] = (0, 0)
    name: str = "camera:theatre"
    live: bool = True
    setup_ns: int = 0
    cameras: int = 1
    trouble: str = ""
    _reel: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    _number: int = 0
    _next_ns: int = 0
    _shown: int = 0

    def __post_init__(self) -> None:
        lens = rig_lens(self.theatre.rig.camera[0])
        sheets = {body.name: make_body(body).sheets for body in self.theatre.rig.body}
        for n in range(PICTURES):
            rng = np.random.default_rng([self.seed, n])
            poses = {name: (self.theatre.T_tracker_from_ct @ self.theatre.T_ct_from_marker(name, n / RATE_HZ)).matrix() for name in sheets}
            self._reel.append(render(lens, [Placed(poses[name], sheets[name]) for name in sheets], OPTICS, rng))

    def read(self, timeout_s: float) -> tuple[Image, ...] | None:
        now_ns = time.monotonic_ns()
        wait_s = (self._next_ns - now_ns) * 1e-9
        if wait_s > timeout_s:
            time.sleep(timeout_s)
            return None
        time.sleep(max(0.0, wait_s))
        t_ns = time.monotonic_ns()
        self._next_ns = max(self._next_ns, now_ns) + round(1e9 / RATE_HZ)
        if self.gone_ns[0] <= t_ns < self.gone_ns[1]:
            return None
        self._number += 1
        if not self.frozen_ns[0] <= t_ns < self.frozen_ns[1]:
            self._shown = self._number % PICTURES
        return (Image(0, self._number, t_ns, t_ns, "host", self._reel[self._shown]),)

    def close(self) -> None:
        """Nothing is held."""


def camera_fault(fault: Fault, seed: int) -> Outcome:
    """The picture stands still, or no picture comes, for a while."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng, rig=camera_rig(), range_mm=RANGE_MM)
    pictures = LivePictures(theatre, seed)
    with session(theatre, PictureTracking(pictures, theatre.rig)) as s:
        await_warning(s.operator)
        time.sleep(phase_s(rng))
        begin_ns = time.monotonic_ns()
        ended_ns = begin_ns + round(fault.lasts_s * float(rng.uniform(1.0, 1.3)) * 1e9)
        if fault.name == "camera-frozen":
            pictures.frozen_ns = (begin_ns, ended_ns)
        else:
            pictures.gone_ns = (begin_ns, ended_ns)
        return judged(s.operator, fault, seed, begin_ns, ended_ns, theatre)
