"""What `rig.toml` states about cameras and printed markers, as the solvers want it."""

from __future__ import annotations

import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Body, RigCamera
from navtwin.rigid import Rigid
from tracking.body import MarkerBody
from tracking.camera_model import Camera


def camera_of(camera: RigCamera) -> Camera:
    """The lens model of a calibrated camera of the rig.

    Raises
    ------
    InputRefused : numbers that are no calibration; the message names the camera
    """
    (fx, fy), (cx, cy) = camera.focal_px, camera.centre_px
    matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    try:
        return Camera(matrix, np.array(camera.distortion), camera.width_px, camera.height_px)
    except InputRefused as refused:
        raise InputRefused(f"camera '{camera.name}' of the rig: {refused.problem}", refused.remedy) from refused


def marker_body(body: Body) -> MarkerBody:
    """The printed markers of a body of the rig, in body axes, mm.

    Raises
    ------
    InputRefused : a body without printed markers, or with markers that are no squares; the message names the body
    """
    if not body.marker:
        raise InputRefused(f"body '{body.name}' of the rig has no printed markers", "add [[body.marker]] tables and its dictionary to rig.toml")
    ids = np.array([marker.id for marker in body.marker], dtype=np.int32)
    try:
        return MarkerBody(ids, np.array([marker.corners_mm for marker in body.marker]))
    except InputRefused as refused:
        raise InputRefused(f"body '{body.name}' of the rig: {refused.problem}", refused.remedy) from refused


def T_tracker_from_camera(camera: RigCamera) -> Rigid:
    """Where a camera of the rig stands; the first one's axes are the tracker's."""
    source = f"camera/{camera.name}"
    if camera.T_tracker_from_camera is None:
        return Rigid.identity("tracker", source)
    return camera.T_tracker_from_camera.rigid(target="tracker", source=source)
