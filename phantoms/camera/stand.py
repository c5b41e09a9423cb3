"""The cameras of the rendered device: their lenses, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Rig, RigCamera
from phantoms.camera.lens import Lens

Array = npt.NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 1920, 1080
#: The lens of the device's first camera, and how much each further one differs from the one before it.
FOCAL_PX, CENTRE_PX = (1402.6, 1399.1), (968.3, 533.7)
DISTORTION = (-0.118, 0.062, 0.0007, -0.0004, -0.011)
DIFFERS = (-6.4, 5.2, -8.1, 4.3)
#: Further cameras stand so far to the right of the one before, and all look at a point so far before the first.
BASELINE_MM, LOOKED_AT_MM = 300.0, 560.0


def own_lenses(count: int, height_px: int = HEIGHT_PX) -> tuple[Lens, ...]:
    """The device's lenses, which no rig knows: calibration has to find them. Other image sizes are the same lenses on fewer, larger pixels."""
    scale = height_px / HEIGHT_PX
    lenses = []
    for n in range(count):
        fx, fy, cx, cy = (value + n * step for value, step in zip((*FOCAL_PX, *CENTRE_PX), DIFFERS, strict=True))
        # Pixel (0, 0) is a centre, so the image's corner at (-0.5, -0.5) is what stays put.
        matrix = np.array(
            [[fx * scale, 0.0, (cx + 0.5) * scale - 0.5], [0.0, fy * scale, (cy + 0.5) * scale - 0.5], [0.0, 0.0, 1.0]],
        )
        lenses.append(Lens(matrix, np.array(DISTORTION) * (1.0 + 0.04 * n), round(WIDTH_PX * scale), height_px))
    return tuple(lenses)


def own_places(count: int) -> tuple[Array, ...]:
    """T_tracker_from_camera (4, 4) of each of the device's cameras, side by side and turned towards one point."""
    places = []
    for n in range(count):
        place = np.eye(4)
        place[0, 3] = n * BASELINE_MM
        forward = np.array([-place[0, 3], 0.0, LOOKED_AT_MM])
        forward /= np.linalg.norm(forward)
        right = np.array([forward[2], 0.0, -forward[0]])
        place[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
        places.append(place)
    return tuple(places)


def rig_lens(camera: RigCamera) -> Lens:
    """A lens that is exactly what a rig says of its camera."""
    (fx, fy), (cx, cy) = camera.focal_px, camera.centre_px
    matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    return Lens(matrix, np.array(camera.distortion), camera.width_px, camera.height_px)


def stood(rig: Rig | None, count: int | None, height_px: int, *, as_rig: bool) -> tuple[tuple[Lens, ...], tuple[Array, ...]]:
    """Lenses and places: the device's own, as many as the rig declares unless `count` says otherwise; or exactly the rig's."""
    cameras: Sequence[RigCamera] = rig.camera if rig is not None else ()
    if as_rig and cameras:
        given = [c.T_tracker_from_camera for c in cameras]
        places = tuple(np.eye(4) if T is None else T.rigid(target="tracker", source="camera").matrix() for T in given)
        return tuple(rig_lens(c) for c in cameras), places
    count = count or max(len(cameras), 1)
    return own_lenses(count, height_px), own_places(count)
