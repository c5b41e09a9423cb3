"""Technical alarms: the one table of what can be wrong with the system itself, how urgent it is and what to do.

They stand apart from proximity alerts and cannot be hidden. `docs/alarms.md` is checked against this table by a test.
"""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.nouns import Priority, TechnicalAlarm


@dataclass(frozen=True, slots=True)
class AlarmKind:
    """`raises_to_high`: high where a critical structure was near when knowledge was lost (DESIGN section 5)."""

    priority: Priority
    text: str
    remedy: str
    raises_to_high: bool = False


ALARMS: dict[str, AlarmKind] = {
    "SOURCE_STALE": AlarmKind("medium", "no frame from the tracker: every distance is unknown", "stop; check the tracker and its cable", True),
    "SOURCE_SLOW": AlarmKind("medium", "frames arrive too late to navigate by", "stop; lower the tracker's load or rate", True),
    "SOURCE_ENDED": AlarmKind("low", "the source has ended", "start it again to go on"),
    "SOURCE_FAILED": AlarmKind("medium", "the source has failed: every distance is unknown", "stop; check the tracker and its cable", True),
    "SOURCE_FROZEN": AlarmKind(
        "medium",
        "the tracker sends the same poses again and again: every distance is unknown",
        "stop; restart the tracker or its driver (one that is simulated without noise needs repeats_ms = 0 in rig.toml)",
        True,
    ),
    "TIME_FAULT": AlarmKind(
        "medium", "time stamps repeat, go back or lie in the future (such frames are not used), or drift", "check the tracker's clock", True
    ),
    "REFERENCE_LOST": AlarmKind(
        "medium", "the patient reference is not seen: every distance is unknown", "clear the line of sight to the reference", True
    ),
    "TRACKING_LOST": AlarmKind("medium", "the instrument is not seen: its distances are unknown", "hold still; clear the line of sight", True),
    "POSE_REFUSED": AlarmKind(
        "medium",
        "the tracker sent a pose that cannot be true; it is not used",
        "check marker body and source; to be believed where it is now, hide it for a second and show its markers squarely",
        True,
    ),
    "BODIES_EXCHANGED": AlarmKind(
        "medium",
        "two marker bodies have exchanged places at once: their names are not believed",
        "hide both for a second, then show them apart; see that each is what the screen calls it",
        True,
    ),
    "OUT_OF_SCAN": AlarmKind("low", "the instrument is outside the scanned volume: nothing is known there", "bring it back into the volume"),
    "NOT_CALIBRATED": AlarmKind("low", "the instrument's tip is not calibrated", "pivot it and accept the result"),
    "NOT_REGISTERED": AlarmKind("low", "the patient is not registered: no distance is known", "touch the landmarks, register and accept"),
    "NOTHING_WATCHED": AlarmKind("medium", "the case has no critical structure: nothing is being watched", "add one with role critical to case.toml"),
    "DISK_FULL": AlarmKind("high", "the disk is full: the session is no longer recorded", "free space, or stop"),
    "RECORDING_FAILED": AlarmKind("high", "the session is no longer recorded", "check the disk, or stop"),
    "AUDIO_MISSING": AlarmKind(
        "medium", "a client's alarms cannot be heard", "plug in a loudspeaker there and check the sound settings; watch the screen"
    ),
    "CHECK_FAILED": AlarmKind(
        "medium",
        "a known point is not where the registration puts it: every distance may be wrong",
        "stop; see whether the patient reference has moved; check again, or register again",
        True,
    ),
    "VERIFY_DUE": AlarmKind(
        "low",
        "nobody has verified the registration for long: the patient reference may have moved unseen",
        "touch a landmark of the case, as a check",
    ),
    "LEVEL_UNCONFIRMED": AlarmKind(
        "medium",
        "the touches fit another level as well, and no check has told them apart",
        "touch a point, as a check, that another level would not have there; count, or take an X-ray image",
        True,
    ),
    "CALIBRATION_OLD": AlarmKind("medium", "a stored calibration is too old to be relied on, or undated", "calibrate it again and store it"),
    "CALIBRATION_FUTURE": AlarmKind(
        "medium",
        "a stored calibration is dated in the future: this computer's clock is wrong, or the date is",
        "set the clock, or calibrate again; until then no age of a calibration can be judged",
    ),
    "SPINDLE_LOST": AlarmKind(
        "medium", "the drill does not say whether it turns: its bone is not cut in the twin", "stop; check the pedal's link to the twin", True
    ),
    "CARVING_FROZEN": AlarmKind(
        "medium",
        "the twin does not follow the drill: bone that it shows may be gone",
        "stop drilling until it follows again; then touch the walls to make them known",
    ),
    "LANDMARK_REFUSED": AlarmKind("low", "the touch was not taken", "hold the tip still on it, pointer and reference in view, and collect again"),
    "WORKER_FAILED": AlarmKind("medium", "calibration or registration could not be computed", "collect again"),
}


@dataclass(slots=True)
class ActiveAlarm:
    """What is remembered of an active technical alarm."""

    alarm: str
    subject: str
    priority: Priority
    since_ns: int
    detail: str = ""
    acked_by: str = ""

    @property
    def id(self) -> str:
        return f"{self.alarm}/{self.subject}"

    def noun(self, *, paused: bool) -> TechnicalAlarm:
        kind = ALARMS[self.alarm]
        return TechnicalAlarm(
            id=self.id,
            alarm=self.alarm,
            subject=self.subject,
            priority=self.priority,
            since_ns=self.since_ns,
            text=f"{kind.text} ({self.detail})" if self.detail else kind.text,
            remedy=kind.remedy,
            silenced=bool(self.acked_by) or paused,
            acked_by=self.acked_by,
        )
