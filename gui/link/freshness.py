"""How fresh the registration is that a screen's distances rest on, in words. No Qt."""

from __future__ import annotations

from gui.link.board import Moment
from navtwin.bus.words import verified_words


def freshness(moment: Moment) -> tuple[str, bool]:
    """`verified 4 min ago`, and whether a check is due; nothing over a lost link, where it is not known what became of it."""
    if moment.alerts is None or moment.link_lost:
        return "", False
    due = any(alarm.alarm in ("VERIFY_DUE", "CHECK_FAILED") for alarm in moment.alerts.technical)
    return verified_words(moment.alerts.health, moment.t_ns), due
