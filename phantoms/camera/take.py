"""A take: everything that a script films, worked out before the first exposure; and what is really so in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from navtwin.nouns import SourceItem
from phantoms.camera.lens import Lens
from phantoms.camera.optics import Optics, Twist
from phantoms.camera.render import Backdrop, Grey, render
from phantoms.camera.scene import Occluder, Placed
from phantoms.camera.sheets import Sheet
from phantoms.motion import Poses, quaternions
from phantoms.rig import MadeTool

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Track:
    """A body's way: T_tracker_from_body at each of N exposures, where it is there at all, and where nothing covers it."""

    poses: Poses
    present: Flags
    seen: Flags

    @classmethod
    def open(cls, poses: Poses) -> Track:
        """There and uncovered all the time."""
        return cls(poses, np.ones(len(poses), dtype=bool), np.ones(len(poses), dtype=bool))

    def motions(self, times_s: Array) -> Array:
        """(N, 6) angular velocity (rad/s, tracker axes, about the body's origin) and velocity (mm/s), from the exposures before and after."""
        count = len(self.poses)
        if count < 2:
            return np.zeros((count, 6))
        before, after = np.maximum(np.arange(count) - 1, 0), np.minimum(np.arange(count) + 1, count - 1)
        turned = np.matmul(self.poses.rotation[after], np.swapaxes(self.poses.rotation[before], 1, 2))
        q = quaternions(turned)
        axis, sine = q[:, 1:], np.linalg.norm(q[:, 1:], axis=1)
        angle = 2.0 * np.arctan2(sine, q[:, 0])
        vector = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0)[:, None] * axis
        shift = self.poses.t_mm[after] - self.poses.t_mm[before]
        motions = np.concatenate([vector, shift], axis=1) / (times_s[after] - times_s[before])[:, None]
        # What was not there before, or will not be after, is not known to move.
        motions[~(self.present[before] & self.present[after])] = 0.0
        return motions


@dataclass(frozen=True, eq=False)
class CameraTruth:
    """What calibrations of a take should find, and what poses should be.

    Attributes
    ----------
    lenses, T_tracker_from_camera : the cameras as they are; (4, 4) each, the first one's the identity
    corners_mm : by body, markers' numbers and their true corners (N, 4, 3), body axes
    tools : by tool, its true tip and axis in marker axes
    tracks : by body, its true poses; exposure `number` is row `number`
    """

    lenses: tuple[Lens, ...]
    T_tracker_from_camera: tuple[Array, ...]
    corners_mm: Mapping[str, tuple[tuple[int, ...], Array]]
    tools: Mapping[str, MadeTool]
    tracks: Mapping[str, Track]


@dataclass(frozen=True, eq=False)
class Take:
    """A script made ready to be filmed.

    Attributes
    ----------
    capture_ns, arrival_ns : (N,) instants of mid-exposure and of arrival, ns
    sheets : by body, what a camera sees of it
    items : plays the script: numbers of exposures, and the nouns that come between them, in order of arrival; None: every exposure, no nouns
    setup_ns : how long until a registration is accepted
    """

    name: str
    seed: int
    capture_ns: npt.NDArray[np.int64]
    arrival_ns: npt.NDArray[np.int64]
    sheets: Mapping[str, tuple[Sheet, ...]]
    truth: CameraTruth
    optics: Optics
    backdrops: tuple[Backdrop, ...]
    items: Callable[[], Iterator[int | SourceItem]] | None = None
    setup_ns: int = 0
    _motions: dict[str, Array] = field(default_factory=dict)

    def played(self) -> Iterator[int | SourceItem]:
        """Exposures and nouns in order of arrival."""
        return iter(range(len(self.capture_ns))) if self.items is None else self.items()

    def scene(self, camera: int, number: int) -> tuple[list[Placed], list[Occluder]]:
        """Bodies before one camera at one exposure, and what covers them."""
        from phantoms.camera.hands import drape
        from phantoms.camera.lens import project

        T_camera_from_tracker = np.linalg.inv(self.truth.T_tracker_from_camera[camera])
        bodies, covers = list[Placed](), list[Occluder]()
        for order, (name, track) in enumerate(self.truth.tracks.items()):
            if not track.present[number]:
                continue
            T = np.eye(4)
            T[:3, :3], T[:3, 3] = track.poses.rotation[number], track.poses.t_mm[number]
            T = T_camera_from_tracker @ T
            if name not in self._motions:
                self._motions[name] = track.motions(self.capture_ns / 1e9)
            moving = self._motions[name][number].reshape(2, 3) @ T_camera_from_tracker[:3, :3].T
            twist: Twist = tuple(moving.ravel().tolist())
            bodies.append(Placed(T, self.sheets[name], twist))
            if not track.seen[number]:
                points = np.concatenate([sheet.outline_mm for sheet in self.sheets[name]])
                pixels = project(self.truth.lenses[camera], points @ T[:3, :3].T + T[:3, 3])
                if np.isfinite(pixels).all():
                    covers.append(drape(pixels, np.random.default_rng([self.seed, 7, order])))
        return bodies, covers

    def picture(self, camera: int, number: int) -> Grey:
        """What one camera sees at one exposure; the same whenever it is asked for."""
        bodies, covers = self.scene(camera, number)
        rng = np.random.default_rng([self.seed, 8, camera, number])
        return render(self.truth.lenses[camera], bodies, self.optics, rng, self.backdrops[camera], covers)
