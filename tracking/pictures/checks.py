"""Whether a rig can be tracked with at all, and whether a picture is one that its calibration holds for."""

from __future__ import annotations

from navtwin.errors import InputRefused
from navtwin.nouns import Rig
from tracking.detect.patterns import cells
from tracking.pictures.images import Picture


def check_cameras(rig: Rig) -> None:
    """Refuse a rig that no camera can be opened for."""
    if not rig.camera:
        raise InputRefused("the rig has no calibrated camera ([[camera]])", "calibrate one with `navtwin calibrate camera`")


def check_rig(rig: Rig) -> None:
    """Refuse a rig that no picture can be tracked with, and one of whose patterns is on two markers.

    A rig is read without dictionaries at hand, so it is here that 5X5_50 and 5X5_100 are seen to begin with the same patterns.
    """
    check_cameras(rig)
    if not any(body.marker for body in rig.body):
        raise InputRefused(
            "no body of the rig has printed markers ([[body.marker]])", "print some with `navtwin markers sheet`, which writes their rig too"
        )

    bearers = dict[bytes, str]()
    for body in rig.body:
        for marker in body.marker:
            pattern, name = cells(body.dictionary, marker.id).tobytes(), f"marker {marker.id} of {body.dictionary} on '{body.name}'"
            if pattern in bearers:
                raise InputRefused(f"{bearers[pattern]} and {name} are the same pattern", "print one of them with another number")
            bearers[pattern] = name


def check_size(rig: Rig, picture: Picture) -> None:
    """Refuse a picture that the camera's calibration does not hold for."""
    if not 0 <= picture.camera < len(rig.camera):
        raise InputRefused(
            f"there are pictures of camera {picture.camera}, and the rig has {len(rig.camera)} (counted from 0)",
            "calibrate that camera too, or open fewer",
        )
    camera, (height, width) = rig.camera[picture.camera], picture.grey.shape
    if (width, height) != (camera.width_px, camera.height_px):
        raise InputRefused(
            f"the pictures are {width} x {height} px, and camera '{camera.name}' is calibrated for {camera.width_px} x {camera.height_px} px",
            "set the camera to that size, or calibrate it at this one",
        )
