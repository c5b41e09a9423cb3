"""The live picture on the wire: what stands beside the JPEG of one exposure of one camera."""

from __future__ import annotations

from collections.abc import Sequence

from navtwin.errors import InputRefused
from navtwin.nouns.base import Noun, Pose
from navtwin.nouns.tracking import Sighting, TrackerStatus
from navtwin.rigid import Rigid

Pixel = tuple[float, float]


class VideoMarker(Noun, frozen=True):
    """A marker that was found in the picture.

    Attributes
    ----------
    corners_px : in the order of the dictionary, (x, y) in the full picture
    """

    id: int
    dictionary: str
    corners_px: tuple[Pixel, Pixel, Pixel, Pixel]


class VideoBody(Noun, frozen=True):
    """What tracking made of a marker body in this very picture.

    Attributes
    ----------
    status : PLUS status word; a pose is present exactly when it is OK
    pose : T_camera_from_marker/<body>, camera axes as OpenCV has them (x right, y down, z away from the lens), mm
    reason : why a pose was refused, in words
    """

    body: str
    status: TrackerStatus
    pose: Pose | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.status == "OK") != (self.pose is not None):
            raise InputRefused(f"'{self.body}' has status {self.status} {'with' if self.pose else 'without'} a pose", "only OK carries a pose")


class VideoFrame(Noun, frozen=True, tag_field="kind", tag="video"):
    """One exposure of one camera (topic `video`; the JPEG is the message's last frame).

    Pixels are of the full picture, as the camera's calibration counts them: whole at a pixel's centre. In the JPEG the same place is
    (x + 0.5) * width_px / full_width_px - 0.5, and likewise down.

    Attributes
    ----------
    epoch : the session that the picture belongs to, or the calibration's own
    camera : its name in the rig
    number : of the exposure; in a session, that of the `TrackerFrame` whose sightings these are
    t_capture_ns, t_arrival_ns, t_publish_ns : session time (the host's monotonic clock; of a recording, moved onto it); capture is mid-exposure
    width_px, height_px : of the JPEG
    full_width_px, full_height_px : of the picture it was made from
    markers : found in it
    points_px : corners of a calibration board that were found in it
    """

    epoch: str
    camera: str
    number: int
    t_capture_ns: int
    t_arrival_ns: int
    t_publish_ns: int
    width_px: int
    height_px: int
    full_width_px: int
    full_height_px: int
    bodies: tuple[VideoBody, ...] = ()
    markers: tuple[VideoMarker, ...] = ()
    points_px: tuple[Pixel, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.width_px, self.height_px) < 1 or self.full_width_px < self.width_px or self.full_height_px < self.height_px:
            raise InputRefused(
                f"a picture of {self.width_px} x {self.height_px} px made from {self.full_width_px} x {self.full_height_px}",
                "send a picture that is as large as the camera's, or smaller",
            )


def bodies_of(sightings: Sequence[Sighting], T_camera_from_tracker: Rigid) -> tuple[VideoBody, ...]:
    """The sightings of a frame as one of its cameras has them."""
    return tuple(
        VideoBody(
            body=s.body,
            status=s.status,
            pose=None if s.pose is None else Pose.from_rigid(T_camera_from_tracker @ s.pose.rigid(target="tracker", source=f"marker/{s.body}")),
            reason=s.reason,
        )
        for s in sightings
    )
