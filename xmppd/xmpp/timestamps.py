"""Dates and times as text (XEP-0082): written in UTC, read with any offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

_DATE: Final = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_TIME: Final = r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
_ZONE: Final = r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})"
_DATETIME: Final = re.compile(f"{_DATE}T{_TIME}{_ZONE}")
_OFFSET: Final = re.compile(_ZONE)
_BLANK: Final = " \t\r\n"


def format_datetime(moment: datetime | float) -> str:
    """The moment in UTC, such as `2002-09-10T23:08:25Z` (XEP-0082 3.2).

    A number means seconds since 1970. Fractions of a second appear, with six digits, where there are any, so that
    reading the text gives the moment back. `ValueError` for a datetime without a time zone: nobody knows when it is.
    """
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    elif moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; make it with datetime.now(UTC)")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_datetime(text: str) -> datetime:
    """The moment, in UTC, that a DateTime of XEP-0082 3.2 names; fractions beyond a microsecond are cut off.

    `ValueError` where the text has another form, no time zone, or names no moment of the years 1 to 9999.
    """
    match = _DATETIME.fullmatch(text.strip(_BLANK))
    if match is None:
        raise ValueError(f"{_excerpt(text)} is no date and time; write it like 2002-09-10T23:08:25Z")
    micros = (match["fraction"] or "0")[:6].ljust(6, "0")
    try:
        local = datetime.fromisoformat(f"{match['date']}T{match['time']}.{micros}")
        return local.replace(tzinfo=timezone(parse_offset(match["zone"]))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{_excerpt(text)} is no date and time: {error}") from None


def format_date(day: date) -> str:
    """The day, such as `1776-07-04` (XEP-0082 3.1)."""
    return f"{day.year:04}-{day.month:02}-{day.day:02}"


def parse_date(text: str) -> date:
    """The day that a Date of XEP-0082 3.1 names; `ValueError` where the text has another form or names no day."""
    text = text.strip(_BLANK)
    if not re.fullmatch(_DATE, text):
        raise ValueError(f"{_excerpt(text)} is no date; write it like 1776-07-04")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{_excerpt(text)} is no date: {error}") from None


def format_offset(offset: timedelta) -> str:
    """An offset from UTC in whole minutes: `Z`, `+05:30`, `-07:00` (XEP-0082 2; the `<tzo/>` of XEP-0202)."""
    minutes = offset // timedelta(minutes=1)
    if not minutes:
        return "Z"
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def parse_offset(text: str) -> timedelta:
    """The offset that `Z`, `+05:30` or `-07:00` stands for; `ValueError` for anything else."""
    match = _OFFSET.fullmatch(text)
    hours, minutes = (0, 0) if text == "Z" or match is None else (int(text[1:3]), int(text[4:6]))
    if match is None or hours > 23 or minutes > 59:
        raise ValueError(f"{_excerpt(text)} is no offset from UTC; write it like +05:30 or Z")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text[0] == "-" else offset


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
