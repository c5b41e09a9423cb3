"""Whether a rig can be tracked with at all, and whether a picture is one that its calibration holds for."""

from __future__ import annotations

from navtwin.errors import InputRefused
from navtwin.nouns import Rig
from tracking.pictures.images import Picture


def check_rig(rig: Rig) -> None:
    """Refuse a rig that no picture can be tracked with."""
    if not rig.camera:
        raise InputRefused("the rig has no calibrated camera ([[camera]])", "calibrate one with `navtwin calibrate camera`")
    if not any(body.marker for body in rig.body):
        raise InputRefused(
            "no body of the rig has printed markers ([[body.marker]])", "print some with `navtwin markers sheet`, which writes their rig too"
        )


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
