"""Dates in lines for readers, in many languages, with their precision and only the zone they have."""

import re
from collections.abc import Iterator
from typing import Optional

from newsbeam.transforms.text.moment import FIRST_YEAR, Clock, Moment, moment_of
from newsbeam.transforms.text.months import month_number
from newsbeam.transforms.text.zones import zone_offset

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})(?:-(\d{1,2})(?:[T\s]{1,2}(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:]\d{1,9})?)?"
    r"\s?(?P<zone>[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d)|[A-Za-z]{2,4})?)?)?(?!\d)"
)
_SLASHED = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})(\.\s|[./-])(\d{1,2})\2((?:19|20)\d{2})(?!\d)")
_CLOCK_NEXT = r",?\s{1,2}\d{1,2}:\d\d(?!\d)"
_SHORT_YEAR = re.compile(rf"[.\s]\d\d{_CLOCK_NEXT}")
"""`15.04.25 09:56`, `3 Jan 12, 21:28`: two figures are a year only with the time of day behind them."""
# A month is a word looked up among hundreds of names: to try them one after the other takes ten times as long. Signs of
# vowels stand in names of Hindi.
_NAME = r"((?:كانون|تشرين)\s[^\W\d_]{3,10}|(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0963]){2,20})"
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:(?:st|nd|rd|th|er)(?![^\W\d_])|º|ª|\.)?,?[\s/-]{{0,2}}(?:de\s|of\s|d['’])?{_NAME}"
    r"\.?,?[\s/-]{0,2}(?:de\s|del\s)?((?:19|20)\d{2})(?!\d)",
    re.IGNORECASE,
)
_DAY_YEAR = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?(?:,\s?|\.?\s)((?:19|20)\d{2})(?!\d)", re.IGNORECASE)
_NAME_BEFORE = re.compile(rf"(?<![^\W_]){_NAME}\.?\s{{0,2}}$")
_LONGEST = 30
"""Characters of a name and what may stand between it and the day."""
_SHORT = re.compile(rf"(?<![\d.:/-])(\d{{1,2}})(?:\.(\d{{1,2}})\.|\s{_NAME}\.?\s)(\d\d)(?={_CLOCK_NEXT})")
_CJK = re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]?")
_CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2})[:.h](\d{2})(?::(\d{2}))?(?!\d)\s?(?P<half>[ap]\.?m\b\.?)?"
    r"\s?\(?(?P<zone>(?:GMT|UTC)?[+-]\d{2}:?\d{2}|[A-ZА-Я]{3,4}\b)?",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(?<![\d:.])(\d{1,2})\s?(?P<half>[ap]\.?m\b\.?)\s?(?P<zone>[A-Z]{3,4}\b)?", re.IGNORECASE)


def _clock_near(text: str, start: int, end: int) -> tuple[Optional[Clock], Optional[int]]:
    """The time of day that stands right behind a date, or right before it; none is made up."""
    behind = text[end : end + 40]
    match = _CLOCK.search(behind)
    if match is None or len(re.findall(r"[^\W\d_]+", behind[: match.start()])) > 2 or "|" in behind[: match.start()]:
        hour_only = _HOUR.search(behind)
        match = hour_only if hour_only and hour_only.start() < 12 else None
    if match is None:
        ahead = text[max(0, start - 30) : start]
        near = [clock for clock in _CLOCK.finditer(ahead) if len(ahead) - clock.end() <= 8]
        match = near[-1] if near else None
    if match is None:
        return None, None
    groups = match.groups()
    hour = int(groups[0])
    minute = int(groups[1]) if match.re is _CLOCK else 0
    second = int(groups[2]) if match.re is _CLOCK and groups[2] else None
    half = (match.group("half") or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            return None, None
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 24 or minute > 59 or (second or 0) > 59 or (hour == 24 and minute):
        return None, None
    return (hour, minute, second), zone_offset(match.group("zone"))


def read_dates(text: str) -> Iterator[Moment]:
    """The dates in a line for readers, in their order, in any of the languages of `months.tsv`."""
    return (moment for _, _, moment in dates_in(text))


def dates_in(text: str) -> Iterator[tuple[int, int, Moment]]:
    """The dates in a line for readers, each with where its day, month and year start and end.

    A purely numeric date is read day first (as most of the world writes it) unless its second number is above 12;
    12/05/2024 written by an American page is right in JSON-LD, which comes first.
    """
    text = text[:400]
    short_years = _SHORT_YEAR.search(text)
    if not short_years and not _YEAR.search(text):
        return
    spans: list[tuple[int, int, int, int, int]] = []
    for match in _ISO.finditer(text):
        if match.group(3):
            spans.append((match.start(), match.end(3), int(match.group(1)), int(match.group(2)), int(match.group(3))))
    for match in _CJK.finditer(text):
        spans.append((match.start(), match.end(), int(match.group(1)), int(match.group(2)), int(match.group(3))))
    for match in _SLASHED.finditer(text):
        spans.append((match.start(), match.end(), int(match.group(1)), int(match.group(2)), int(match.group(3))))
    for match in _DAY_FIRST.finditer(text):
        month = month_number(match.group(2))
        spans.append((match.start(), match.end(), int(match.group(3)), month, int(match.group(1))))
    for match in _DAY_YEAR.finditer(text):
        name = _NAME_BEFORE.search(text, max(0, match.start() - _LONGEST), match.start())
        if name:
            month = month_number(name.group(1))
            spans.append((name.start(), match.end(), int(match.group(2)), month, int(match.group(1))))
    for match in _NUMERIC.finditer(text):
        first, second, year = int(match.group(1)), int(match.group(3)), int(match.group(4))
        day, month = (second, first) if second > 12 >= first else (first, second)
        spans.append((match.start(), match.end(), year, month, day))
    for match in _SHORT.finditer(text) if short_years else ():
        year = int(match.group(4)) + (1900 if int(match.group(4)) > 90 else 2000)
        month = int(match.group(2)) if match.group(2) else month_number(match.group(3))
        spans.append((match.start(), match.end(), year, month, int(match.group(1))))
    last = -1
    for start, end, year, month, day in sorted(spans):
        if start < last or not month:
            continue
        clock, zone = _clock_near(text, start, end)
        moment = moment_of(year, month, day, clock, zone)
        if moment is not None and year >= FIRST_YEAR:
            last = end
            yield start, end, moment


def url_date(url: str) -> Optional[Moment]:
    """A date in the path of an address (`/2024/03/25/`, `/2024-03-25-`, `/20240325/`)."""
    match = re.search(r"/((?:19|20)\d{2})[/-]?(\d{2})[/-]?(\d{2})(?=[/\-_.]|$)", url) or re.search(
        r"[-_]((?:19|20)\d{2})-?(\d{2})-?(\d{2})(?=[/\-_.]|$)", url
    )
    if match is None or int(match.group(1)) < FIRST_YEAR:
        return None
    return moment_of(int(match.group(1)), int(match.group(2)), int(match.group(3)))
