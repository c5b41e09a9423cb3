"""Distances and alerts as STRING (JSON) and STATUS messages. Every one is complete in itself: a receiver that missed the last needs only the next."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from navtwin.bus.words import alert_words, technical_words
from navtwin.igtl.message import write_message
from navtwin.igtl.words import STRING_BYTES, Status, write_status, write_string
from navtwin.nouns import LEVELS, AlertSet, Envelope, Reading, State

DISTANCES, ALERTS, WARNING = "NavtwinDistances", "NavtwinAlerts", "NavtwinWarning"
#: STATUS codes of the protocol that come nearest to what we have to say.
_OK, _ERROR, _PANIC, _TIMEOUT, _NOT_READY = 1, 2, 3, 7, 13
#: What a reading says to a program that only shows it.
_READING: Final = ("structure", "instrument", "part", "role", "status", "distance_mm", "bound_mm", "sd_mm", "speed_mm_s")
_encode = msgspec.json.Encoder().encode


class Verdict(NamedTuple):
    """The worst that is now, as a STATUS says it: `level` 0 CLEAR to 3 CONTACT, -1 unknown."""

    code: int
    level: int
    name: str
    words: str

    def message(self, stamp_ns: int) -> bytes:
        return write_message("STATUS", WARNING, write_status(Status(self.code, self.level, self.name, self.words)), stamp_ns)


def verdict(alerts: AlertSet | None, lost: str) -> Verdict:
    """DANGER and CONTACT that are known come first; then what is unknown, for unknown is not safe; then CAUTION; CLEAR is what is left."""
    if lost or alerts is None:
        return Verdict(_TIMEOUT, -1, "LINK LOST", f"{lost or 'no core has been heard yet'}: every distance is unknown")
    words = [alert_words(alert, alerts.t_ns) for alert in alerts.alerts]
    words += [technical_words(alarm, alerts.t_ns) for alarm in alerts.technical if alarm.priority != "none"]
    said = "; ".join(words)
    known = max((LEVELS.index(alert.level) for alert in alerts.alerts if alert.known), default=0)
    if known >= 2:
        return Verdict(_PANIC, known, LEVELS[known], said)
    if alerts.phase != "navigation":
        return Verdict(_NOT_READY, -1, "SETUP", said or "not registered yet: every distance is unknown")
    unknown = [pair.id for pair in alerts.pairs if not pair.known or pair.status != "OK"]
    if unknown or alerts.health.tracker != "ok":
        return Verdict(_NOT_READY, -1, "UNKNOWN", said or f"{len(unknown)} of {len(alerts.pairs)} distances are unknown")
    if known == 1:
        return Verdict(_ERROR, 1, "CAUTION", said)
    return Verdict(_OK, 0, "CLEAR", said)


def alerts_message(envelope: Envelope | None, lost: str, stamp_ns: int) -> bytes:
    """The complete active set as JSON: the bus's own alert set, with `epoch`, `seq` and `link`; where the link is lost, that and nothing else."""
    if lost or envelope is None or not isinstance(envelope.body, AlertSet):
        return _json(ALERTS, {"link": "lost", "reason": lost or "no core has been heard yet"}, stamp_ns)
    body = envelope.body
    said: dict[str, Any] = {"link": "up", "epoch": envelope.epoch, "seq": envelope.seq, **msgspec.to_builtins(body)}
    for alert, told in zip(body.alerts, said["alerts"], strict=True):
        told["words"] = alert_words(alert, body.t_ns)
    if len(_encode(said)) > STRING_BYTES:
        # Every active alert goes out; what is quiet can be left out of a list that is too long.
        said["pairs"] = []
    return _json(ALERTS, said, stamp_ns)


def distances_message(envelope: Envelope | None, lost: str, stamp_ns: int) -> bytes:
    """What every part is from every structure, as JSON; a distance that is not known is null and says why."""
    if lost or envelope is None or not isinstance(envelope.body, State):
        return _json(DISTANCES, {"link": "lost", "reason": lost or "no frame yet", "readings": []}, stamp_ns)
    state = envelope.body
    readings = sorted(state.readings, key=lambda reading: reading.role != "critical")
    said: dict[str, Any] = {"link": "up", "epoch": envelope.epoch, "seq": envelope.seq, "frame": state.frame, "phase": state.phase, "left_out": 0}
    said["readings"] = [_told(reading) for reading in readings]
    while len(_encode(said)) > STRING_BYTES:
        kept = len(said["readings"]) * 3 // 4
        said["readings"], said["left_out"] = said["readings"][:kept], len(readings) - kept
    return _json(DISTANCES, said, stamp_ns)


def _told(reading: Reading) -> dict[str, object]:
    values = {name: getattr(reading, name) for name in _READING}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def _json(device: str, said: dict[str, Any], stamp_ns: int) -> bytes:
    return write_message("STRING", device, write_string(_encode(said).decode()), stamp_ns)
