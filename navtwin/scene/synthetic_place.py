"""Where a rig's camera stands before the patient: in a session at a moment, or where somebody puts it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Pose, RegistrationResult, Rig, RigCamera, TrackerFrame
from navtwin.record.read import inputs
from navtwin.rigid import Rigid, Vec3

#: The reference must have been seen within this time before the moment asked for.
LONGEST_AGO_NS: Final = 250_000_000


def camera_called(rig: Rig, name: str) -> RigCamera:
    """A camera of the rig; "" is the first.

    Raises
    ------
    InputRefused : the rig has no camera, or none of that name
    """
    if not rig.camera:
        raise InputRefused("the rig has no calibrated camera", "calibrate one: `navtwin calibrate camera`")
    if not name:
        return rig.camera[0]
    for camera in rig.camera:
        if camera.name == name:
            return camera
    raise InputRefused(f"the rig has no camera '{name}'", nearest(name, (c.name for c in rig.camera)))


def place_in_session(log: Path, rig: Rig, camera: RigCamera, t_ns: int | None = None) -> Rigid:
    """T_camera_from_ct at a moment of a session: by the registration in force, and the patient's reference as it was seen last.

    Parameters
    ----------
    t_ns : on the log's clock, as `Event.t_ns`; by default the last moment at which the reference was seen

    Raises
    ------
    InputRefused : not registered by then, or the reference not seen shortly before
    LogDamaged : the log cannot be read
    """
    registration: RegistrationResult | None = None
    seen: tuple[int, Pose] | None = None
    for event in inputs(log):
        if t_ns is not None and event.t_ns > t_ns:
            break
        if isinstance(event.body, RegistrationResult) and event.body.accepted:
            registration = event.body
        elif isinstance(event.body, TrackerFrame):
            for sighting in event.body.sightings:
                if sighting.body == rig.reference and sighting.pose is not None:
                    seen = (event.t_ns, sighting.pose)
    if registration is None:
        raise InputRefused(f"{log.name} has no registration by then: where the patient lay before the camera is not known", "name a later moment")
    if seen is None or (t_ns is not None and t_ns - seen[0] > LONGEST_AGO_NS):
        raise InputRefused(f"the reference '{rig.reference}' was not seen in {log.name} then", "name a moment at which it was")
    T_camera_from_tracker = tracker_place(camera).inverse()
    T_tracker_from_ref = seen[1].rigid(target="tracker", source="ref")
    return T_camera_from_tracker @ T_tracker_from_ref @ registration.pose.rigid(target="ct", source="ref").inverse()


def tracker_place(camera: RigCamera) -> Rigid:
    """T_tracker_from_camera; the first camera's axes are the tracker's."""
    if camera.T_tracker_from_camera is None:
        return Rigid.identity("tracker", "camera")
    return camera.T_tracker_from_camera.rigid(target="tracker", source="camera")


def place_looking(eye_mm: Vec3, towards_mm: Vec3, up: Vec3) -> Rigid:
    """T_camera_from_ct of a camera at a point of ct that looks at another, with `up` upwards in the picture.

    Raises
    ------
    InputRefused : the two points are one, or `up` runs along the way between them
    """
    forward = np.subtract(towards_mm, eye_mm)
    right = np.cross(forward, up)
    if not (np.linalg.norm(forward) > 0.0 and np.linalg.norm(right) > 1e-9 * np.linalg.norm(forward) * np.linalg.norm(up)):
        raise InputRefused("the eye, what it looks at and the way up do not make a view", "name two points apart, and an --up that is not along them")
    forward = forward / np.linalg.norm(forward)
    right = right / np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack((right, np.cross(forward, right), forward), axis=1)
    matrix[:3, 3] = eye_mm
    return Rigid.from_matrix(matrix, target="ct", source="camera").inverse()
