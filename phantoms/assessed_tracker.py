"""An assessment before the simulated tracker: the stepped block and its reference put to the extremes of the tracker's volume, as tracker frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np

from navtwin.assess.artefact import Artefact
from navtwin.assess.plan import Touch
from navtwin.nouns import Pose, Rig, Sighting, TrackerFrame
from navtwin.rigid import Rigid
from phantoms.assessed import block, pivoting, stands, touching
from phantoms.measuring_volume import MeasuringVolume
from phantoms.motion import Poses, quaternions
from phantoms.path import frames, unit
from phantoms.rig import FACING, MARKERS, MadeTool, demo_rig, make_tools
from phantoms.shapes import Array
from phantoms.tracker import Fits, observe

POINTER, REFERENCE = "pointer", "ref"
#: Where the block's foot is put, tracker axes, mm: the pointer stands 300 mm above it. y is down.
PLACES_MM = {
    "middle": (0.0, 150.0, 1500.0),
    "near": (0.0, 150.0, 1180.0),
    "far": (0.0, 150.0, 2220.0),
    "left": (-330.0, 150.0, 1700.0),
    "right": (370.0, 150.0, 1700.0),
    "top": (0.0, -70.0, 1700.0),
    "bottom": (0.0, 370.0, 1700.0),
}
#: The reference is fixed beside the block, its markers looking out of the front; where, in the block's axes.
REFERENCE_AT_MM = (-140.0, -20.0, 80.0)
PIVOT_S, RATE_HZ, TILT_DEG = 15.0, 60.0, 10.0
_GAP_NS = 2_000_000_000


@dataclass
class AssessedTracker:
    """A tracker of which all is known.

    Attributes
    ----------
    seed : of the tools as made, the hand and the noise
    """

    volume: MeasuringVolume = field(default_factory=MeasuringVolume)
    seed: int = 1
    artefact: Artefact = field(default_factory=block)
    _stood: dict[str, Poses] = field(default_factory=dict)
    _now_ns: int = 0
    _number: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng([self.seed, 11])
        rig = demo_rig()
        self.rig: Rig = msgspec.structs.replace(
            rig, body=tuple(b for b in rig.body if b.name in (REFERENCE, POINTER)), tool=tuple(t for t in rig.tool if t.name == POINTER)
        )
        self._made: MadeTool = make_tools(self.rig, np.random.default_rng([self.seed, 2, 2]))[POINTER]

    @property
    def T_ref_from_artefact(self) -> Rigid:
        """Where the block truly stands on its reference."""
        matrix = np.eye(4)
        # Columns: the reference's x, y, z in the block's axes.
        matrix[:3, :3] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
        matrix[:3, 3] = REFERENCE_AT_MM
        return Rigid.from_matrix(matrix, target="artefact", source="ref").inverse()

    def pivot(self) -> list[TrackerFrame]:
        """The pointer pivoted on the block's top, in the middle of the volume."""
        stood = stands("middle", PLACES_MM, TILT_DEG, self._rng)
        times = np.arange(int(PIVOT_S * RATE_HZ)) / RATE_HZ
        centre = self.artefact.positions_mm((self.artefact.centre,))[0]
        return list(self._seen(stood, times, pivoting(centre, times, _towards(stood))))

    def touched(self, touch: Touch, held_s: float) -> Iterator[TrackerFrame]:
        """One touch: the tip set down from above, held for so long, and lifted again. Whoever did not take it asks for it again."""
        if touch.place not in self._stood:
            self._stood[touch.place] = stands(touch.place, PLACES_MM, TILT_DEG, self._rng)
        stood = self._stood[touch.place]
        hand = touching(self.artefact, [touch], RATE_HZ, held_s, _towards(stood), self._rng)
        return self._seen(stood, hand.times_s, hand.T_artefact_from_tip)

    def _seen(self, stood: Poses, times_s: Array, tips: Poses) -> Iterator[TrackerFrame]:
        count = len(times_s)
        T_tracker_from_artefact = Poses(np.tile(stood.rotation, (count, 1, 1)), np.tile(stood.t_mm, (count, 1)))
        inner = Poses(np.tile(frames(self._made.axis[None], np.array(FACING)), (count, 1, 1)), np.tile(self._made.tip_mm, (count, 1)))
        T_artefact_from_ref = self.T_ref_from_artefact.inverse()
        fixed = Poses(np.tile(np.array(T_artefact_from_ref.rotation), (count, 1, 1)), np.tile(np.array(T_artefact_from_ref.t_mm), (count, 1)))
        true = {POINTER: T_tracker_from_artefact.then(tips).then(inner.inverse()), REFERENCE: T_tracker_from_artefact.then(fixed)}
        fits = {name: self._observed(name, poses) for name, poses in true.items()}
        for n in range(count):
            self._number += 1
            capture = self._now_ns + int(times_s[n] * 1e9)
            yield TrackerFrame(
                source="assessed",
                number=self._number,
                t_capture_ns=capture,
                t_arrival_ns=capture + int(self.rig.tracker.latency_ms * 1e6),
                sightings=tuple(_sighting(name, fit, n) for name, fit in fits.items()),
            )
        self._now_ns += int(times_s[-1] * 1e9) + _GAP_NS

    def _observed(self, name: str, true: Poses) -> Fits:
        # Within one place the distance hardly changes, so neither does the noise.
        noise = self.volume.noise_at(float(true.t_mm[:, 2].mean()))
        return observe(true, MARKERS[name], noise, self._rng, self.volume.bias_mm)


def _towards(stood: Poses) -> Array:
    """The tracker's direction in the artefact's axes."""
    return unit(-stood.rotation[0].T @ stood.t_mm[0])


def _sighting(body: str, fits: Fits, n: int) -> Sighting:
    q = quaternions(fits.poses.rotation[n : n + 1])[0]
    upper = fits.covariance[n][np.triu_indices(6)]
    return Sighting(
        body=body,
        status="OK",
        pose=Pose(q_wxyz=tuple(q.tolist()), t_mm=tuple(fits.poses.t_mm[n].tolist())),
        covariance=tuple(upper.tolist()),
        rms_mm=float(fits.rms_mm[n]),
    )
