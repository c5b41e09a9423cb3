"""Dates of files as seconds of UTC, by arithmetic alone: the fold asks for the age of a calibration, and it may read no clock and no time zone."""

from __future__ import annotations

import re

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?")
DAY_S = 86_400


def utc_s_of(date: str) -> int:
    """Seconds since 1970-01-01 UTC of an ISO 8601 date or time: `2026-05-04`, `2026-05-04T10:30:00Z`, `2026-05-04 10:30+02:00`.

    A date alone is its first second, so that no calibration is taken for younger than it is; a time without a zone is taken as UTC.

    Raises
    ------
    ValueError : it is no such date
    """
    found = _DATE.fullmatch(date.strip())
    if found is None:
        raise ValueError("it is not written as year-month-day")
    year, month, day = (int(v) for v in found.group(1, 2, 3))
    hour, minute, second = (int(v or 0) for v in found.group(4, 5, 6))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        raise ValueError("there is no such day")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("there is no such time of day")
    before = year - 1
    days = 365 * before + before // 4 - before // 100 + before // 400 + sum(int(days) for days in lengths[: month - 1]) + day - 1 - 719_162
    zone = found.group(7) or "Z"
    offset = 0 if zone == "Z" else (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return days * DAY_S + hour * 3600 + minute * 60 + second - offset
