"""Alerts, alarms, orders and durations in words, for every client alike."""

from __future__ import annotations

from typing import assert_never

from navtwin.nouns import (
    WALL,
    Accept,
    Ack,
    Alert,
    Audio,
    AudioPause,
    Collect,
    DistanceStatus,
    Drilling,
    Freeze,
    Health,
    Mark,
    Mute,
    Order,
    Register,
    Reject,
    SetLimits,
    Spindle,
    TechnicalAlarm,
    ToolSelect,
    Undo,
)

STATUS_WORDS: dict[DistanceStatus, str] = {
    "OK": "not yet confirmed",
    "STALE": "too old",
    "HIDDEN": "hidden",
    "UNREGISTERED": "not registered",
    "UNCALIBRATED": "not calibrated",
    "OUT_OF_SCAN": "outside the scan",
    "INVALID": "no valid pose",
}
#: The status that a receiver gives to everything once its link is lost.
LINK_LOST_WORDS = "link lost"
#: An error bar is this many standard deviations, as the bound's is (DESIGN section 5).
ERROR_BAR_SD = 2.0
#: A level younger than this has just begun.
JUST_NOW_NS = 100_000_000
#: Below this a part neither closes in nor recedes.
STEADY_MM_S = 0.5


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal replaced."""
    return "".join(c if c.isprintable() else "?" for c in text)


def name_words(name: str) -> str:
    """`spinal_canal` as `spinal canal`."""
    return printable(name).replace("_", " ")


def duration_words(duration_ns: int) -> str:
    """Cut, not rounded, so that no more time is claimed than has passed: 1.2 s, 34 s, 2 min 05 s, 1 h 03 min."""
    tenths = max(0, duration_ns) // 100_000_000
    seconds = tenths // 10
    if seconds < 10:
        return f"{seconds}.{tenths % 10} s"
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds // 60 % 60:02d} min"


def verified_words(health: Health, now_ns: int) -> str:
    """How fresh the registration is: `verified 4 min ago`, `not verified since registering, 12 min`; "" without one. `now_ns` is logical time."""
    if health.registered_ns is None:
        return ""
    failed = "a check has failed; " if health.registration == "bad" else ""
    if health.verified_ns is None:
        return f"{failed}not verified since registering, {_minutes(now_ns - health.registered_ns)}"
    return f"{failed}verified {_minutes(now_ns - health.verified_ns)} ago"


def _minutes(duration_ns: int) -> str:
    """Whole minutes once there is one, so that a line which stands always does not count seconds before one's eyes."""
    minutes = max(0, duration_ns) // 60_000_000_000
    return f"{minutes} min" if minutes else "less than 1 min"


def subject_words(alert_id: str) -> str:
    """An alert's id in words: `drill neck to spinal canal`, `bone between drill and facial nerve`; a technical alarm's: `TRACKING LOST, drill`."""
    pieces = [name_words(piece) for piece in alert_id.split("/")]
    if len(pieces) == 3 and pieces[2] == WALL:
        return f"bone between {pieces[1]} and {pieces[0]}"
    if len(pieces) == 3:
        return f"{pieces[1]} {pieces[2]} to {pieces[0]}"
    return ", ".join(piece for piece in pieces if piece)


def distance_words(distance_mm: float | None, sd_mm: float | None) -> str:
    """`1.3 ± 0.7 mm`, or `0.3 ± 0.7 mm inside` for a negative distance; the error bar is two standard deviations."""
    if distance_mm is None:
        return "distance unknown"
    bar = "" if sd_mm is None else f" ± {ERROR_BAR_SD * sd_mm:.1f}"
    return f"{abs(distance_mm):.1f}{bar} mm{' inside' if distance_mm < 0.0 else ''}"


def passing_words(passed_mm: float | None) -> str:
    """`came within 1.0 mm`, or `went through`, of a part that was nearest between two frames; nothing for any other."""
    if passed_mm is None:
        return ""
    return "went through" if passed_mm <= 0.0 else f"came within {passed_mm:.1f} mm"


def speed_words(speed_mm_s: float | None) -> str:
    """`closing at 4 mm/s`, `receding at 4 mm/s`, `steady`; nothing where the speed is unknown."""
    if speed_mm_s is None:
        return ""
    if abs(speed_mm_s) < STEADY_MM_S:
        return "steady"
    return f"{'closing' if speed_mm_s > 0.0 else 'receding'} at {max(1.0, abs(speed_mm_s)):.0f} mm/s"


def level_words(alert: Alert, *, link_lost: bool = False) -> str:
    """`DANGER`, or `UNKNOWN (hidden), was DANGER`. Over a lost link nothing is known."""
    if alert.known and not link_lost:
        return alert.level
    return f"UNKNOWN ({LINK_LOST_WORDS if link_lost else STATUS_WORDS[alert.status]}), was {alert.level}"


def alert_words(alert: Alert, now_ns: int, *, link_lost: bool = False) -> str:
    """One alert as a sentence, at `now_ns` of the twin's logical time; a level that has only just begun says no duration.

    `drill neck to spinal canal: DANGER, 1.3 ± 0.7 mm, closing at 4 mm/s, since 1.2 s`
    `drill burr to spinal canal: CONTACT, went through, 18.5 ± 0.7 mm, closing at 900 mm/s`
    `drill neck to spinal canal: UNKNOWN (hidden), was DANGER since 1.2 s`
    """
    since = f"since {duration_words(now_ns - alert.since_ns)}" if now_ns - alert.since_ns >= JUST_NOW_NS else ""
    level = f"{subject_words(alert.id)}: {level_words(alert, link_lost=link_lost)}"
    if link_lost or not alert.known:
        return f"{level} {since}".rstrip()
    distance, passing = distance_words(alert.distance_mm, alert.sd_mm), passing_words(alert.passed_mm)
    return ", ".join(piece for piece in (level, passing, distance, speed_words(alert.speed_mm_s), since) if piece)


def technical_words(alarm: TechnicalAlarm, now_ns: int) -> str:
    """`TRACKING LOST, drill: hidden from the tracker; clear the line of sight (since 0.4 s)`."""
    remedy = f"; {printable(alarm.remedy)}" if alarm.remedy else ""
    return f"{subject_words(alarm.id)}: {printable(alarm.text)}{remedy} (since {duration_words(now_ns - alarm.since_ns)})"


def order_words(order: Order) -> str:
    """What an order asks, for the line that shows its answer."""
    match order:
        case Ack(alert=alert, level=level):
            return f"acknowledge {subject_words(alert)}" + (f" at {level}" if level else "")
        case Mute(structure=structure):
            return f"mute CAUTION at {name_words(structure)}"
        case AudioPause(seconds=seconds):
            return f"audio pause {seconds:g} s" if seconds else "end the audio pause"
        case Audio(fault=fault):
            return f"report no sound: {printable(fault)}" if fault else "report that sound can be heard"
        case Mark(label=label):
            return printable(label)
        case Freeze(on=on):
            return "freeze the picture" if on else "unfreeze the picture"
        case Collect(what=what, tool=tool, action=action, landmark=landmark, dwell_s=dwell_s):
            by = f", by a dwell of {dwell_s:g} s" if dwell_s else ""
            if what == "check":
                return f"{action} checking {name_words(landmark) or 'the bone'} with {name_words(tool)}{by}"
            return f"{action} collecting {what} {name_words(landmark)}".rstrip() + f" with {name_words(tool)}{by}"
        case Register(method=method, without=without):
            return f"register by {method}" + (f" without {', '.join(map(name_words, without))}" if without else "")
        case Accept(result=result, level=level, changed_tool=changed):
            said = f" at {name_words(level)}" if level else ", of a tool that was changed" if changed else ""
            return f"accept {printable(result)}{said}"
        case Reject(result=result):
            return f"reject {printable(result)}"
        case SetLimits(structure=structure, caution_mm=caution_mm, danger_mm=danger_mm):
            return f"limits of {name_words(structure)}: caution {caution_mm:g} mm, danger {danger_mm:g} mm"
        case Spindle(on=on, tool=tool):
            return f"spindle {'on' if on else 'off'}{f', {name_words(tool)}' if tool else ''}"
        case Drilling(action=action):
            return {"undo": "take back the last stretch drilled", "pause": "stop following the drill", "resume": "follow the drill again"}[action]
        case ToolSelect(tools=tools):
            return f"in use: {', '.join(name_words(tool) for tool in tools) or 'no tool'}"
        case Undo():
            return "undo"
    assert_never(order)
