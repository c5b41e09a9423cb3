"""What may come between a scene and its camera: hands and cloths, as outlines in the image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phantoms.camera.scene import Occluder

Array = npt.NDArray[np.float64]

GLOVE_DN, CLOTH_DN = 150.0, 70.0


def hand(centre_px: tuple[float, float], size_px: float, angle_rad: float = 0.0, grey_dn: float = GLOVE_DN) -> Occluder:
    """A gloved hand with four fingers spread, seen from its back; `size_px` from wrist to fingertip, fingers towards `angle_rad` from image right."""
    around = np.linspace(-np.pi, np.pi, 180, endpoint=False)
    # In polar form about the palm: a round palm, four fingers, a wrist at the back.
    fingers = np.exp(-(((around[:, None] - (-0.62, -0.22, 0.18, 0.58)) / 0.11) ** 2)).sum(axis=1)
    wrist = np.exp(-(((np.abs(around) - np.pi) / 0.35) ** 2))
    radius = size_px * (0.24 + 0.34 * fingers + 0.18 * wrist)
    turned = around + angle_rad
    return Occluder(np.array(centre_px) + radius[:, None] * np.stack([np.cos(turned), np.sin(turned)], axis=1), grey_dn)


def drape(over_px: Array, rng: np.random.Generator, *, margin: float = 0.25, grey_dn: float = CLOTH_DN) -> Occluder:
    """A cloth over points (N, 2) px: all round them, and `margin` of their extent beyond, its hem wavy."""
    centre = (over_px.min(axis=0) + over_px.max(axis=0)) / 2.0
    reach = float(np.linalg.norm(over_px - centre, axis=1).max())
    around = np.linspace(0.0, 2.0 * np.pi, 120, endpoint=False)
    heights, phases = rng.uniform(0.2, 1.0, 3), rng.uniform(0.0, 2.0 * np.pi, 3)
    waves = (heights * np.sin(around[:, None] * (3.0, 5.0, 8.0) + phases)).mean(axis=1)
    radius = reach * (1.0 + margin * (1.0 + waves)) + 2.0
    return Occluder(centre + radius[:, None] * np.stack([np.cos(around), np.sin(around)], axis=1), grey_dn)
