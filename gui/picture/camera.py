"""Turning, shifting and magnifying a picture by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from navtwin.scene.picture import Picture

TURN_DEG_PER_PX = 0.4


def turn(picture: Picture, right_px: float, down_px: float) -> None:
    """Go around the focus, as if what is seen were dragged."""
    camera = picture.plotter.camera
    camera.Azimuth(-TURN_DEG_PER_PX * right_px)
    camera.Elevation(TURN_DEG_PER_PX * down_px)
    camera.OrthogonalizeViewUp()
    picture.fit_depth()


def shift(picture: Picture, right_px: float, down_px: float, height_px: int) -> None:
    """Move camera and focus so that what is under the mouse stays under it."""
    camera = picture.plotter.camera
    mm_per_px = 2.0 * camera.distance * np.tan(np.radians(camera.view_angle / 2.0)) / max(1, height_px)
    up = np.array(camera.up)
    right = np.cross(np.array(camera.focal_point) - np.array(camera.position), up)
    step = mm_per_px * (down_px * up - right_px * right / np.linalg.norm(right))
    camera.position = tuple(np.array(camera.position) + step)
    camera.focal_point = tuple(np.array(camera.focal_point) + step)
    picture.fit_depth()


def magnify(picture: Picture, steps: float) -> None:
    """See more of less, a tenth with each step."""
    picture.plotter.camera.Zoom(1.1**steps)
    picture.fit_depth()
