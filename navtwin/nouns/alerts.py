"""What the twin says: state of every pair, alerts, technical alarms, replies."""

from __future__ import annotations

import math
from typing import Literal

from navtwin.nouns.base import Noun, Pose, Words
from navtwin.nouns.drilling import BoneSummary, DrillState
from navtwin.rigid import Vec3

Level = Literal["CLEAR", "CAUTION", "DANGER", "CONTACT"]
LEVELS: tuple[Level, ...] = ("CLEAR", "CAUTION", "DANGER", "CONTACT")
#: Why a distance is or is not known. Everything but OK means: unknown, and unknown is not safe.
DistanceStatus = Literal["OK", "STALE", "HIDDEN", "UNREGISTERED", "UNCALIBRATED", "OUT_OF_SCAN", "INVALID"]
Priority = Literal["none", "low", "medium", "high"]
Phase = Literal["setup", "navigation"]
Lamp = Literal["ok", "warn", "bad", "off"]
Role = Literal["work", "critical", "context"]


class InstrumentState(Noun, frozen=True):
    """Where one instrument is: T_ct_from_tip/<tool>, or None with the reason."""

    instrument: str
    status: DistanceStatus
    pose: Pose | None = None


class Reading(Noun, frozen=True):
    """One instrument part against one structure, in one frame.

    Attributes
    ----------
    distance_mm : signed distance from the part's skin (negative: inside), None unless status is OK
    bound_mm : the distance less its error and the approach expected meanwhile (DESIGN section 5)
    sd_mm : one standard deviation of the distance along its own direction
    speed_mm_s : approach speed, positive towards the structure
    on_structure_mm, on_axis_mm : closest points in ct
    depth_is_bound : where inside, the depth is at least what is shown
    """

    structure: str
    instrument: str
    part: str
    role: Role
    status: DistanceStatus
    distance_mm: float | None = None
    bound_mm: float | None = None
    sd_mm: float | None = None
    speed_mm_s: float | None = None
    on_structure_mm: Vec3 | None = None
    on_axis_mm: Vec3 | None = None
    depth_is_bound: bool = False

    def __post_init__(self) -> None:
        if not self._is_plainly_finite():
            super().__post_init__()

    def _is_plainly_finite(self) -> bool:
        """The usual cases, which a frame asks ninety times here and at every receiver: no number is there, or all and their sum is finite."""
        d, b, s, v, on, axis = self.distance_mm, self.bound_mm, self.sd_mm, self.speed_mm_s, self.on_structure_mm, self.on_axis_mm
        if d is None and b is None and s is None and v is None and on is None and axis is None:
            return True
        if d is None or b is None or s is None or v is None or on is None or axis is None:
            return False
        return math.isfinite(d + b + s + v + on[0] + on[1] + on[2] + axis[0] + axis[1] + axis[2])


class Passing(Noun, frozen=True):
    """A part that, since the frame before, passed nearer to a critical structure than it was then and is now.

    Attributes
    ----------
    clearance_mm : the least distance on the way from the part's skin, never over-stated; 0 or less where it touched
    at_ns : when that was, on the clock of the frames' `t_capture_ns`
    """

    structure: str
    instrument: str
    part: str
    clearance_mm: float
    at_ns: int


class State(Noun, frozen=True, tag_field="kind", tag="state"):
    """The twin after one tracker frame (topic `state`).

    Attributes
    ----------
    drills : one for each tool with a cutter, where the case has a structure that can be drilled
    bones : what can be drilled, as it is after this frame
    """

    phase: Phase
    frame: int
    instruments: tuple[InstrumentState, ...]
    readings: tuple[Reading, ...]
    passings: tuple[Passing, ...] = ()
    drills: tuple[DrillState, ...] = ()
    bones: tuple[BoneSummary, ...] = ()


class Alert(Noun, frozen=True):
    """A critical structure and an instrument part that are too near, or were when they were last known.

    Attributes
    ----------
    id : `structure/instrument/part`
    level : the level now, or the last known one where `known` is false ("unknown, was DANGER")
    since_ns : when this level began (logical time)
    limit_mm : the limit that this level stands on
    passed_mm : where this level stands on how near the part came between two frames, that least clearance
    silenced : acknowledged, muted or paused: no sound, but shown all the same
    acked_by : who acknowledged it at this level, "" if nobody
    """

    id: str
    structure: str
    instrument: str
    part: str
    level: Level
    known: bool
    status: DistanceStatus
    priority: Priority
    since_ns: int
    limit_mm: float
    distance_mm: float | None = None
    bound_mm: float | None = None
    sd_mm: float | None = None
    speed_mm_s: float | None = None
    passed_mm: float | None = None
    silenced: bool = False
    acked_by: str = ""


class TechnicalAlarm(Noun, frozen=True):
    """Something about the system itself that the operator must know; shown apart from alerts and never hidden."""

    id: str
    alarm: str
    subject: str
    priority: Priority
    since_ns: int
    text: str
    remedy: str
    silenced: bool = False
    acked_by: str = ""


class PairSummary(Words, frozen=True):
    """The state of one watched (part, structure) pair; level None: never known since the start."""

    id: str
    level: Level | None
    known: bool
    status: DistanceStatus
    since_ns: int


class Health(Noun, frozen=True):
    """The lamps and switches that an operator's screen shows. `watched` counts the (part, critical structure) pairs.

    Attributes
    ----------
    registered_ns : when the registration in use was accepted, logical time; None without one
    verified_ns : when a touch of a landmark last found it good; None: not since it was accepted
    """

    tracker: Lamp
    reference: Lamp
    registration: Lamp
    latency: Lamp
    recording: Lamp
    frame_age_ms: float | None
    watched: int
    audio_paused_until_ns: int | None = None
    muted: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    spindle_on: bool = False
    registered_ns: int | None = None
    verified_ns: int | None = None


class AlertSet(Noun, frozen=True, tag_field="kind", tag="alerts"):
    """The complete active set: published on every change and every 50 ms, frame or no frame (topic `alerts`)."""

    phase: Phase
    t_ns: int
    alerts: tuple[Alert, ...]
    technical: tuple[TechnicalAlarm, ...]
    pairs: tuple[PairSummary, ...]
    health: Health


class Reply(Noun, frozen=True, tag_field="kind", tag="reply"):
    """The answer to one command; `reason` says why it was refused."""

    id: str
    who: str
    ok: bool
    reason: str = ""
