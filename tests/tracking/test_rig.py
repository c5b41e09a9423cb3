"""The rig's cameras and marker bodies as the solvers get them."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Body, Pose, RigCamera, SquareMarker
from tracking.rig import T_tracker_from_camera, camera_of, marker_body

SQUARE = ((-5.0, 5.0, 0.0), (5.0, 5.0, 0.0), (5.0, -5.0, 0.0), (-5.0, -5.0, 0.0))


def rig_camera(**changes: object) -> RigCamera:
    stated = {"name": "left", "width_px": 1280, "height_px": 720, "focal_px": (900.0, 910.0), "centre_px": (640.5, 360.25)}
    return RigCamera(**(stated | changes))  # type: ignore[arg-type]


def test_a_camera_keeps_its_numbers() -> None:
    camera = camera_of(rig_camera(distortion=(0.1, 0.2, 0.0, 0.0, 0.3)))
    assert camera.matrix.tolist() == [[900.0, 0.0, 640.5], [0.0, 910.0, 360.25], [0.0, 0.0, 1.0]]
    assert camera.distortion.tolist() == [0.1, 0.2, 0.0, 0.0, 0.3]
    assert (camera.width_px, camera.height_px) == (1280, 720)


def test_a_camera_that_is_none_is_named() -> None:
    with pytest.raises(InputRefused, match=r"camera 'left' of the rig.*3 distortion"):
        camera_of(rig_camera(distortion=(0.1, 0.2, 0.3)))


def test_the_first_camera_is_the_tracker() -> None:
    first = T_tracker_from_camera(rig_camera())
    assert (first.target, first.source) == ("tracker", "camera/left")
    np.testing.assert_array_equal(first.matrix(), np.eye(4))
    pose = Pose(q_wxyz=(0.0, 1.0, 0.0, 0.0), t_mm=(300.0, 0.0, 10.0))
    second = T_tracker_from_camera(rig_camera(T_tracker_from_camera=pose))
    assert second.point((0.0, 1.0, 1.0)) == (300.0, -1.0, 9.0)


def test_a_body_keeps_its_markers() -> None:
    body = marker_body(Body(name="ref", sd_mm=0.1, sd_rad=0.001, dictionary="APRILTAG_36h11", marker=(SquareMarker(7, SQUARE),)))
    assert body.ids.tolist() == [7]
    np.testing.assert_array_equal(body.corners_mm[0], SQUARE)


@pytest.mark.parametrize(
    ("markers", "words"),
    [
        ((), "body 'ref' of the rig has no printed markers"),
        ((SquareMarker(7, (SQUARE[0],) * 4),), "body 'ref' of the rig: .*do not go round a square"),
    ],
)
def test_a_body_that_is_none_is_named(markers: tuple[SquareMarker, ...], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        marker_body(Body(name="ref", sd_mm=0.1, sd_rad=0.001, dictionary="APRILTAG_36h11" if markers else "", marker=markers))
