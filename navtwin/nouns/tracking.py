"""What a tracker says."""

from __future__ import annotations

from typing import Literal

from navtwin.errors import InputRefused
from navtwin.nouns.base import Covariance6, Noun, Pose

#: PLUS status words (reference: PlusLib igsioCommon); only OK carries a pose.
TrackerStatus = Literal[
    "OK", "MISSING", "OUT_OF_VIEW", "OUT_OF_VOLUME", "SWITCH1_IS_ON", "SWITCH2_IS_ON", "SWITCH3_IS_ON",
    "REQ_TIMEOUT", "INVALID", "PATH_NOT_FOUND", "UNKNOWN",
]  # fmt: skip


class Sighting(Noun, frozen=True):
    """One marker body in one frame.

    Attributes
    ----------
    body : name of the marker body, as in the rig
    status : PLUS status word; a pose is present exactly when it is OK
    pose : T_tracker_from_marker/<body>
    covariance : of the pose, in tracker axes, rotation taken about the body's origin; None where the source does not
        measure it (the rig's value is used then)
    rms_mm : how badly the markers fit the body, mm
    reason : why a pose was refused, in words
    rms_px : RMS distance between corners seen and corners predicted, px; cameras only
    corners : how many corners the pose rests on
    ambiguity : 0 (one pose only) to 1 (two different poses fit alike)
    """

    body: str
    status: TrackerStatus
    pose: Pose | None = None
    covariance: Covariance6 | None = None
    rms_mm: float | None = None
    reason: str = ""
    rms_px: float | None = None
    corners: int | None = None
    ambiguity: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.status == "OK") != (self.pose is not None):
            with_or_without = "with" if self.pose else "without"
            raise InputRefused(f"sighting of '{self.body}' has status {self.status} {with_or_without} a pose", "only OK carries a pose")


class AppliedFilter(Noun, frozen=True):
    """What has smoothed the poses of a frame, and by how much they lag because of it."""

    name: str
    delay_ms: float


class Stages(Noun, frozen=True):
    """When the stages between exposure and pose ended, host monotonic clock, ns: image in memory, markers found, poses solved."""

    t_image_ns: int
    t_detected_ns: int
    t_posed_ns: int


class TrackerFrame(Noun, frozen=True, tag_field="kind", tag="frame"):
    """All that one exposure of the tracker saw.

    Attributes
    ----------
    source : the source's own words for itself (`phantom:thorax`, `log:FILE` ...)
    number : the device's frame counter; gaps are dropped frames
    t_capture_ns, t_arrival_ns : host monotonic clock, ns; capture is the middle of the exposure
    stamp : `host` if captured with a host clock, `assumed` if arrival minus a declared latency
    filter : what has smoothed the poses; None if nothing has
    stages : for sources that make the poses themselves
    t_device_ns : the time stamp that the device or the sender gave the frame, on its own clock, which never orders anything; None if it gave none
    fields : what else came with the frame, (name, value) as text, kept to be handed on and never interpreted; a name that begins with `file:`,
        on the first frame of a recording, was said once of the whole of it
    """

    source: str
    number: int
    t_capture_ns: int
    t_arrival_ns: int
    sightings: tuple[Sighting, ...]
    stamp: Literal["host", "assumed"] = "host"
    filter: AppliedFilter | None = None
    stages: Stages | None = None
    t_device_ns: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
