"""Dates as programs write them, in feeds, attributes and rows: RFC 822 and its misreadings, ISO 8601, Unix time.

Nothing is invented: a date without a time of day stays a date, and a time without a zone that is known stays local.
"""

import re
from datetime import datetime, timezone

from newsbeam.transforms.text.dates import read_dates
from newsbeam.transforms.text.moment import Clock, Moment, moment_of
from newsbeam.transforms.text.months import month_number
from newsbeam.transforms.text.zones import zone_offset

_LONGEST_RAW, _LONGEST = 500, 100
"""Characters of a date with the markup around it, and without."""
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?(?:\s?(?P<half>[ap]\.?m\.?))?"
    r"(?:\s*(?P<zone>(?:gmt|utc)?[+-]\d{1,2}(?::?\d{2})?|[a-z]{1,5})(?:\s*\([^)]{0,40}\))?)?"
)
_ISO = re.compile(
    r"(?P<year>\d{4})(?:[-/.](?P<month>\d{1,2})(?:[-/.](?P<day>\d{1,2})(?:(?:\s*t\s*|\s+)" + _TIME + r")?)?)?",
    re.IGNORECASE,
)
_ISO_BASIC = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
    r"(?:t?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?(?P<zone>z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_RFC_822 = re.compile(
    r"(?:[^\W\d]{2,12}(?:\.,?|,|\s)\s*)?(?P<day>\d{1,2})(?:[\s./-]{1,3}|\sde\s)(?P<name>[^\W\d_]{3,10})\.?,?(?:[\s./-]{1,3}|\sde\s)(?P<year>\d{4}|\d{2})"
    r"(?:(?:\s*,\s*|\s+)(?:at\s+)?" + _TIME + r")?",
    re.IGNORECASE,
)
_AMERICAN = re.compile(
    r"(?:[^\W\d]{2,12}(?:\.,?|,|\s)\s*)?(?P<name>[^\W\d_]{3,10})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})"
    r"(?:(?:\s*,\s*|\s+)(?:at\s+)?" + _TIME + r")?",
    re.IGNORECASE,
)
_DOTTED = re.compile(
    r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?:(?:\s*,\s*|\s+)" + _TIME + r")?", re.IGNORECASE
)
_ASCTIME = re.compile(
    r"[a-z]{3}\s+(?P<name>[a-z]{3})\s+(?P<day>\d{1,2})\s+(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})"
    r"(?:\s+(?P<zone>[a-z]{1,5}))?\s+(?P<year>\d{4})",
    re.IGNORECASE,
)
_UNIX = re.compile(r"\d{9,10}(?:\d{3})?")
_NOISE = re.compile(r"<[^<>]*>|<!\[CDATA\[|\]\]>")


def machine_date(text: str) -> Moment | None:
    """Reads a date of a feed, an attribute, JSON-LD or a row; None for what is no date. Never raises.

    Its forms are tried first; what is none of them is read as readers read it, the first date that it has.
    """
    text = " ".join(_NOISE.sub(" ", text[:_LONGEST_RAW]).split())[:_LONGEST]
    if _UNIX.fullmatch(text):
        seconds = int(text[:-3]) if len(text) > 10 else int(text)
        moment = datetime.fromtimestamp(seconds, timezone.utc)
        return Moment(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "second", moment.strftime("%Y-%m-%d"))
    for pattern in (_RFC_822, _ISO, _ISO_BASIC, _AMERICAN, _DOTTED, _ASCTIME):
        match = pattern.fullmatch(text)
        if match:
            return _read(match.groupdict())
    return next(read_dates(text), None)


def _read(parts: dict[str, str | None]) -> Moment | None:
    year_text, month_text, day_text, name = (parts.get(key) for key in ("year", "month", "day", "name"))
    year = int(year_text or 0)
    if len(year_text or "") == 2:
        year += 2000 if year < 50 else 1900  # RFC 2822, section 4.3
    if name is None and month_text is None:
        return Moment(f"{year:04}", "year") if year else None
    month = month_number(name) if name is not None else int(month_text or 0)
    day = int(day_text) if day_text is not None else None
    offset = zone_offset(parts.get("zone"))
    return moment_of(year, month, day, _clock(parts), offset)


def _clock(parts: dict[str, str | None]) -> Clock | None:
    if parts.get("hour") is None:
        return None
    hour, minute = (int(parts.get(name) or 0) for name in ("hour", "minute"))
    half = (parts.get("half") or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    second = parts.get("second")
    return hour, minute, None if second is None else int(second)
