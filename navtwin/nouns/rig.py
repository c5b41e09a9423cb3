"""The rig: tracker, marker bodies and tools, as `rig.toml` states them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from navtwin.errors import InputRefused, nearest
from navtwin.nouns.base import Covariance3, Noun, Pose
from navtwin.nouns.dates import utc_s_of
from navtwin.nouns.drilling import WALL, Cutter
from navtwin.nouns.tables import read_toml
from navtwin.rigid import Vec3

#: DESIGN section 4: beyond this the source is too slow to navigate.
HARD_MAX_AGE_MS = 250.0


class Smoothing(Noun, frozen=True):
    """A filter that the user asked for. Every frame that it has touched says so, and what delay it adds.

    Attributes
    ----------
    kind : `one-euro` (Casiez et al., CHI 2012) or `kalman` (constant velocity on SE(3))
    min_cutoff_hz, beta : One-Euro's: cut-off at rest, and how fast it opens with speed (beta in s/mm)
    acceleration_sd_mm_s2 : Kalman's: how hard the hand is taken to accelerate, mm/s^2
    """

    kind: Literal["one-euro", "kalman"]
    min_cutoff_hz: float = 1.0
    beta: float = 0.02
    acceleration_sd_mm_s2: float = 1000.0


class Tracker(Noun, frozen=True):
    """The tracker's measured timing, and what of its poses is believed.

    Attributes
    ----------
    output_delay_ms : declared: from publish to the operator's eye or ear
    most_speed_mm_s, most_turn_deg_s : a body that moves or turns faster since its last pose is not believed; 0: any speed is
    repeats_ms : poses that have not changed by a bit for so long are not believed; 0: not judged
    """

    name: str
    rate_hz: float
    latency_ms: float
    output_delay_ms: float = 5.0
    max_age_ms: float = 100.0
    smoothing: Smoothing | None = None
    most_speed_mm_s: float = 3000.0
    most_turn_deg_s: float = 650.0
    repeats_ms: float = 300.0


class RigCamera(Noun, frozen=True):
    """A calibrated camera: pinhole with lens distortion. Pixel (0, 0) is the centre of the first pixel; camera axes x right, y down, z forward.

    Attributes
    ----------
    name : of the calibration; the first camera of a rig is the one that `tracker` axes belong to
    focal_px, centre_px : focal lengths and principal point (x, y)
    distortion : OpenCV's coefficients k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4 [tx ty]]]]
    intrinsics_sd : standard deviations of fx, fy, cx, cy and then of the coefficients, as the calibration found them
    rms_px, held_out_px : RMS reprojection error on the views used, and on views kept out of the fit
    T_tracker_from_camera : where further cameras stand; None for the first
    readout_ms : time from the first row's exposure to the last one's; 0 for a global shutter
    calibrated : date, ISO 8601
    """

    name: str
    width_px: int
    height_px: int
    focal_px: tuple[float, float]
    centre_px: tuple[float, float]
    distortion: tuple[float, ...] = ()
    intrinsics_sd: tuple[float, ...] = ()
    rms_px: float | None = None
    held_out_px: float | None = None
    T_tracker_from_camera: Pose | None = None
    readout_ms: float = 0.0
    calibrated: str = ""


class SquareMarker(Noun, frozen=True):
    """A printed square marker on a body: its number, and its corners in body axes: top left, top right, bottom right, bottom left."""

    id: int
    corners_mm: tuple[Vec3, Vec3, Vec3, Vec3]


class Body(Noun, frozen=True):
    """A marker body and the noise of its pose where the source does not state it: sd per axis.

    Attributes
    ----------
    markers_mm : reflecting spheres in body axes
    dictionary, marker : printed square markers and the dictionary that they are of
    calibrated : date on which its markers were measured, ISO 8601; "" for a drawing
    """

    name: str
    sd_mm: float
    sd_rad: float
    markers_mm: tuple[Vec3, ...] = ()
    dictionary: str = ""
    marker: tuple[SquareMarker, ...] = ()
    calibrated: str = ""


class Part(Noun, frozen=True):
    """A capsule of the tool in tip axes: origin at the tip (the burr's centre), -Z towards the marker. A burr has from == to."""

    name: str
    from_mm: Vec3
    to_mm: Vec3
    radius_mm: float


class Tool(Noun, frozen=True):
    """An instrument.

    Attributes
    ----------
    body : the marker body it carries
    axis_in_marker : unit vector, marker axes, from the handle out through the tip (the tip's +Z)
    axis_sd_rad : how well that axis is known
    tip_mm, tip_covariance : a stored pivot calibration; absent until one is accepted
    cutter : the end of it that takes bone away
    calibrated : date of `tip_mm`, ISO 8601
    """

    name: str
    body: str
    axis_in_marker: Vec3
    axis_sd_rad: float
    part: tuple[Part, ...]
    tip_mm: Vec3 | None = None
    tip_covariance: Covariance3 | None = None
    cutter: Cutter | None = None
    calibrated: str = ""


class Rig(Noun, frozen=True):
    """Everything that `rig.toml` states.

    Attributes
    ----------
    reference : the patient's marker body
    verify_every_min : a registration that was not verified for so long, by a touch of a landmark, is alarmed
    calibration_max_age_days : a stored calibration older than this is alarmed
    """

    reference: str
    tracker: Tracker
    body: tuple[Body, ...]
    tool: tuple[Tool, ...]
    camera: tuple[RigCamera, ...] = ()
    verify_every_min: float = 20.0
    calibration_max_age_days: float = 30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_cameras()
        self._check_markers()
        bodies = {b.name for b in self.body}
        if len(bodies) != len(self.body) or len({t.name for t in self.tool}) != len(self.tool):
            raise InputRefused("two bodies or two tools of the rig share a name", "give each its own")
        for name in (self.reference, *(t.body for t in self.tool)):
            if name not in bodies:
                raise InputRefused(f"the rig has no marker body '{name}'", f"declare it with [[body]]; known: {', '.join(sorted(bodies))}")
        for key, value in self._not_negative():
            if value < 0.0:
                raise InputRefused(f"{key} = {value:g} is negative", "correct it in rig.toml")
        for name, dated in self._dates():
            try:
                utc_s_of(dated)
            except ValueError as error:
                raise InputRefused(f"calibrated = '{dated}' of {name} is no date: {error}", "write 2026-05-04, or 2026-05-04T10:30:00Z") from error
        for key in ("verify_every_min", "calibration_max_age_days"):
            if getattr(self, key) <= 0.0:
                raise InputRefused(f"{key} = {getattr(self, key):g} is not above 0", "correct it in rig.toml")
        for key in ("rate_hz", "max_age_ms"):
            if getattr(self.tracker, key) <= 0.0:
                raise InputRefused(f"tracker.{key} = {getattr(self.tracker, key):g} is not above 0", "correct it in rig.toml")
        if self.tracker.max_age_ms > HARD_MAX_AGE_MS:
            raise InputRefused(f"max_age_ms = {self.tracker.max_age_ms:g} is above {HARD_MAX_AGE_MS:g}", "a source that slow cannot be navigated by")
        for tool in self.tool:
            if abs(math.dist(tool.axis_in_marker, (0.0, 0.0, 0.0)) - 1.0) > 1e-6:
                raise InputRefused(f"axis_in_marker of '{tool.name}' is not a unit vector", "divide it by its length")
            if len({p.name for p in tool.part}) != len(tool.part):
                raise InputRefused(f"two parts of tool '{tool.name}' share a name", "give each its own: alerts are told apart by it")
            if not tool.part or any(p.radius_mm <= 0.0 for p in tool.part):
                raise InputRefused(f"tool '{tool.name}' has no part, or one without a positive radius_mm", "add [[tool.part]] capsules")
            if tool.cutter is not None:
                _check_cutter(tool, tool.cutter)

    def _check_cameras(self) -> None:
        names = [c.name for c in self.camera]
        if len(set(names)) != len(names):
            raise InputRefused("two cameras of the rig share a name", "give each its own")
        for number, camera in enumerate(self.camera):
            if (camera.T_tracker_from_camera is None) != (number == 0):
                where = "must not state" if number == 0 else "does not state"
                raise InputRefused(
                    f"camera '{camera.name}' {where} T_tracker_from_camera",
                    "the first camera's axes are the tracker's; calibrate the others against it",
                )

    def _check_markers(self) -> None:
        """A marker that two bodies claim would pull one of them to where the other is."""
        owners = dict[tuple[str, int], str]()
        for body in self.body:
            if bool(body.dictionary) != bool(body.marker):
                raise InputRefused(f"body '{body.name}' needs both a dictionary and [[body.marker]] tables, or neither", "add what is missing")
            for marker in body.marker:
                key = (body.dictionary.upper().removeprefix("DICT_"), marker.id)
                if key in owners:
                    raise InputRefused(
                        f"marker {marker.id} of {body.dictionary} is on '{owners[key]}' and on '{body.name}'", "give each marker a number of its own"
                    )
                owners[key] = body.name

    def _dates(self) -> Iterator[tuple[str, str]]:
        """What bears a date, and the date."""
        for what, dated in (("camera", self.camera), ("body", self.body), ("tool", self.tool)):
            for one in dated:
                if one.calibrated:
                    yield f"{what} '{one.name}'", one.calibrated

    def _not_negative(self) -> Iterator[tuple[str, float]]:
        """What would make the error bar too small, or the bound too large, if it were negative."""
        yield "tracker.latency_ms", self.tracker.latency_ms
        yield "tracker.output_delay_ms", self.tracker.output_delay_ms
        yield "tracker.most_speed_mm_s", self.tracker.most_speed_mm_s
        yield "tracker.most_turn_deg_s", self.tracker.most_turn_deg_s
        yield "tracker.repeats_ms", self.tracker.repeats_ms
        for camera in self.camera:
            yield f"readout_ms of camera '{camera.name}'", camera.readout_ms
        for body in self.body:
            yield f"sd_mm of body '{body.name}'", body.sd_mm
            yield f"sd_rad of body '{body.name}'", body.sd_rad
        for tool in self.tool:
            yield f"axis_sd_rad of tool '{tool.name}'", tool.axis_sd_rad
            if tool.tip_covariance is not None:
                yield f"a variance in tip_covariance of tool '{tool.name}'", min(tool.tip_covariance[i] for i in (0, 3, 5))


def _check_cutter(tool: Tool, cutter: Cutter) -> None:
    """A cutter is a body that its profile describes, and no wider than the part whose distances are judged for it."""
    name = f"the cutter of tool '{tool.name}'"
    part = next((p for p in tool.part if p.name == cutter.part), None)
    if part is None:
        raise InputRefused(f"{name} is its part '{cutter.part}', which it has not", nearest(cutter.part, (p.name for p in tool.part)))
    if any(p.name == WALL for p in tool.part):
        raise InputRefused(
            f"a part of tool '{tool.name}' is called '{WALL}'", "call it otherwise: that is the bone between the cutter and a structure"
        )
    for key in ("radius_mm", "spindle_timeout_ms", "fastest_mm_s", "contact_mm_s", "most_sd_mm", "thin_wall_mm"):
        if getattr(cutter, key) <= 0.0:
            raise InputRefused(f"{name} has {key} = {getattr(cutter, key):g}, which is not above 0", "correct it in rig.toml")
    if cutter.radius_mm > part.radius_mm:
        raise InputRefused(
            f"{name} is wider ({cutter.radius_mm:g} mm) than its part '{part.name}' ({part.radius_mm:g} mm)",
            "make the part as wide: distances are judged from the part",
        )
    has_length, has_neck = cutter.profile != "sphere", cutter.profile == "pear"
    if has_length != (cutter.length_mm > 0.0) or cutter.length_mm < 0.0:
        raise InputRefused(
            f"{name} is a {cutter.profile} with length_mm = {cutter.length_mm:g}", "a cylinder and a pear have one above 0, a sphere none"
        )
    if has_neck != (0.0 < cutter.neck_radius_mm <= cutter.radius_mm) or (not has_neck and cutter.neck_radius_mm != 0.0):
        raise InputRefused(
            f"{name} is a {cutter.profile} with neck_radius_mm = {cutter.neck_radius_mm:g}",
            "a pear has one above 0 and not above radius_mm, others none",
        )


def read_rig(path: str | Path) -> Rig:
    """Read and check `rig.toml`. Unknown keys are refused, naming the nearest known one."""
    return read_toml(Path(path), Rig)
