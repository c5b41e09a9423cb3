"""A rendered film of three marker bodies that move before a cluttered background, in steps of 1/30 s."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from poses_parts.world import kit
from scipy.spatial.transform import Rotation

from phantoms.camera import Lens, Optics, Placed, TrueMarker, render, true_markers
from phantoms.camera.background import cluttered
from tracking import Camera

Array = npt.NDArray[np.float64]

BODIES = ("reference", "dodecahedron", "cube")
RATE_HZ, EXPOSURE_MS = 30.0, 4.0
#: Where the bodies move about, mm before the camera, and how far.
PLACES_MM = ((-110.0, 20.0, 560.0), (120.0, -30.0, 480.0), (20.0, 60.0, 420.0))
SWAY_MM, SWAY_RAD = 35.0, 0.5
#: A body leaves the picture for this many frames out of that many, and comes back elsewhere.
AWAY_FRAMES, EVERY_FRAMES = 6, 45


@dataclass(frozen=True, eq=False)
class Frame:
    grey: npt.NDArray[np.uint8]
    truth: list[TrueMarker]


def lens_of(height_px: int) -> Lens:
    """A webcam of 69 degrees with mild distortion."""
    scale = height_px / 1080.0
    matrix = np.array([[1400.0 * scale, 0.0, 960.0 * scale - 0.5], [0.0, 1400.0 * scale, 540.0 * scale - 0.5], [0.0, 0.0, 1.0]])
    return Lens(matrix, np.array([-0.1, 0.03, 5e-4, -3e-4]), round(1920 * scale), height_px)


def camera_of(lens: Lens) -> Camera:
    return Camera(lens.matrix, lens.distortion[:5], lens.width_px, lens.height_px)


def film(frames: int, height_px: int, seed: int, noise_dn: float = 2.0, blur_px: float = 0.7) -> Iterator[Frame]:
    """Frames with their truth. The bodies sway like held things, turn, and one after the other leave the picture for a moment."""
    rng, lens = np.random.default_rng(seed), lens_of(height_px)
    backdrop, sheets = cluttered(lens, rng), [kit()[name].sheets for name in BODIES]
    optics = Optics(blur_px=blur_px * height_px / 1080.0, noise_dn=noise_dn, exposure_ms=EXPOSURE_MS)
    phases, speeds = rng.uniform(0.0, 2.0 * np.pi, (3, 6)), rng.uniform(1.5, 3.5, (3, 6))
    for number in range(frames):
        scene = []
        for n, (own, middle) in enumerate(zip(sheets, PLACES_MM, strict=True)):
            if (number + n * EVERY_FRAMES // 3) % EVERY_FRAMES >= EVERY_FRAMES - AWAY_FRAMES:
                continue
            phases_now = speeds[n] * number / RATE_HZ + phases[n]
            sway, speed = np.sin(phases_now), speeds[n] * np.cos(phases_now)
            shift, velocity = SWAY_MM * sway[3:], SWAY_MM * speed[3:]
            turn = Rotation.from_rotvec(SWAY_RAD * sway[:3]) * Rotation.from_rotvec([np.pi, 0.0, 0.0])
            T = np.eye(4)
            T[:3, :3], T[:3, 3] = turn.as_matrix(), middle + shift
            scene.append(Placed(T, own, (*SWAY_RAD * speed[:3], *velocity)))
        yield Frame(render(lens, scene, optics, rng, backdrop), true_markers(lens, scene, optics))
