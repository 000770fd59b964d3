"""Dates as pages write them, for machines and for readers, with their precision and only the zone they have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Optional

FIRST_YEAR = 1991
"""The first web page was published on 6 August 1991; what claims to be older is a mistake."""

# Abbreviations with one meaning in news (RFC 5322 names the American ones); IST, CST and the like are left out.
_ZONES = {
    "z": 0, "gmt": 0, "utc": 0, "ut": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "cest": 120, "mez": 60,
    "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "мск": 180, "est": -300, "edt": -240, "cdt": -300, "mst":
    -420, "mdt": -360, "pst": -480, "pdt": -420, "jst": 540, "kst": 540, "hkt": 480, "sgt": 480, "aest": 600,
    "aedt": 660, "nzst": 720, "nzdt": 780, "akst": -540, "akdt": -480, "hst": -600, "wib": 420,
}  # fmt: skip

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})(?:-(\d{1,2})(?:[T\s]{1,2}(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:]\d{1,9})?)?"
    r"\s?(?P<zone>[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d)|[A-Za-z]{2,4})?)?)?(?!\d)"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?(?P<zone>Z)?$")
_SLASHED = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_EPOCH = re.compile(r"(1\d{9})(?:\d{3})?$")
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


@dataclass(frozen=True)
class Moment:
    """A time as far as it is known: ISO 8601 with `Z` if its zone is known, and its precision."""

    iso: str
    precision: str
    """`year`, `month`, `day`, `minute` or `second`."""
    local_day: str = ""
    """The day as written, before any change to UTC."""


def as_written(moment: Moment) -> Optional[str]:
    """The day of a time in its own zone (`2023-12-21`); None where the day is not known."""
    return None if moment.precision in ("year", "month") else moment.local_day or moment.iso[:10]


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for line in (Path(__file__).parent / "months.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            for month, forms in enumerate(line.split("\t")[1:], start=1):
                for form in forms.split("|"):
                    # Languages agree but for hr and cs `listopad`/`srpen`; the first to name a month keeps it.
                    names.setdefault(_caseless(form), month)
    return names


def _caseless(name: str) -> str:
    """A name as it is looked up; the capitals of `kasım` and `haziran` are `KASIM` and `HAZİRAN`."""
    return name.casefold().replace("i\u0307", "i").replace("ı", "i")


def _month(name: str) -> int:
    """The number of a month; 0, which no date has, for any other word."""
    return _months().get(_caseless(name), 0)


def _offset(zone: Optional[str]) -> Optional[int]:
    """Minutes east of UTC, None where the zone is unknown or absent."""
    if not zone:
        return None
    zone = zone.strip().lower()
    if zone in _ZONES:
        return _ZONES[zone]
    found = re.fullmatch(r"(?:gmt|utc)?([+-])(\d{2}):?(\d{2})?", zone)
    if not found:
        return None
    minutes = int(found.group(2)) * 60 + int(found.group(3) or 0)
    return (minutes if found.group(1) == "+" else -minutes) if minutes <= 14 * 60 else None


def _moment(
    year: int, month: int, day: Optional[int], clock: Optional[tuple[int, int, Optional[int]]], zone: Optional[int]
) -> Optional[Moment]:
    try:
        if day is None:
            datetime(year, month, 1)
            return Moment(f"{year:04d}-{month:02d}", "month") if year >= FIRST_YEAR else None
        hour, minute, second = clock or (0, 0, None)
        value = datetime(year, month, day, hour, minute, second or 0)
        written = value.strftime("%Y-%m-%d")
        if year < FIRST_YEAR:
            return None
        if clock is None:
            return Moment(written, "day", written)
        if zone is not None:
            value = (value.replace(tzinfo=timezone.utc) - timedelta(minutes=zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    iso = value.isoformat(timespec="minutes" if second is None else "seconds")
    return Moment(iso + ("Z" if zone is not None else ""), "minute" if second is None else "second", written)


def machine_date(text: str) -> Optional[Moment]:
    """A date from an attribute or JSON-LD: ISO 8601 in its variants, seconds since 1970, else as readers see it."""
    text = text.strip()[:100]
    found = _ISO.match(text)
    if found:
        _, _, day, hour, minute, second = (int(part) if part else None for part in found.groups()[:6])
        clock = (hour, minute, second) if hour is not None and minute is not None else None
        if clock is None and day is not None and len(text) > found.end() + 3:
            shown = next(read_dates(text), None)
            if shown is not None:
                return shown
        return _moment(int(found.group(1)), int(found.group(2)), day, clock, _offset(found.group("zone")))
    found = _COMPACT.match(text)
    if found and 1990 < int(found.group(1)) < 2100:
        year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups()[:6])
        clock = (hour, minute, second) if hour is not None and minute is not None else None
        return _moment(year or 0, month or 0, day, clock, _offset(found.group("zone")))
    found = _EPOCH.match(text)
    if found:
        value = datetime(1970, 1, 1) + timedelta(seconds=int(found.group(1)))
        return Moment(value.isoformat(timespec="seconds") + "Z", "second", value.strftime("%Y-%m-%d"))
    return next(read_dates(text), None)


def _clock_near(text: str, start: int, end: int) -> tuple[Optional[tuple[int, int, Optional[int]]], Optional[int]]:
    """The time of day that stands right behind a date, or right before it; none is made up."""
    behind = text[end : end + 40]
    found = _CLOCK.search(behind)
    if found is None or len(re.findall(r"[^\W\d_]+", behind[: found.start()])) > 2 or "|" in behind[: found.start()]:
        hour_only = _HOUR.search(behind)
        found = hour_only if hour_only and hour_only.start() < 12 else None
    if found is None:
        ahead = text[max(0, start - 30) : start]
        near = [clock for clock in _CLOCK.finditer(ahead) if len(ahead) - clock.end() <= 8]
        found = near[-1] if near else None
    if found is None:
        return None, None
    groups = found.groups()
    hour = int(groups[0])
    minute = int(groups[1]) if found.re is _CLOCK else 0
    second = int(groups[2]) if found.re is _CLOCK and groups[2] else None
    half = (found.group("half") or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            return None, None
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59 or (second or 0) > 59:
        return None, None
    return (hour, minute, second), _offset(found.group("zone"))


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
    for found in _ISO.finditer(text):
        if found.group(3):
            spans.append((found.start(), found.end(3), int(found.group(1)), int(found.group(2)), int(found.group(3))))
    for found in _CJK.finditer(text):
        spans.append((found.start(), found.end(), int(found.group(1)), int(found.group(2)), int(found.group(3))))
    for found in _SLASHED.finditer(text):
        spans.append((found.start(), found.end(), int(found.group(1)), int(found.group(2)), int(found.group(3))))
    for found in _DAY_FIRST.finditer(text):
        spans.append((found.start(), found.end(), int(found.group(3)), _month(found.group(2)), int(found.group(1))))
    for found in _DAY_YEAR.finditer(text):
        name = _NAME_BEFORE.search(text, max(0, found.start() - _LONGEST), found.start())
        if name:
            spans.append((name.start(), found.end(), int(found.group(2)), _month(name.group(1)), int(found.group(1))))
    for found in _NUMERIC.finditer(text):
        first, second, year = int(found.group(1)), int(found.group(3)), int(found.group(4))
        day, month = (second, first) if second > 12 >= first else (first, second)
        spans.append((found.start(), found.end(), year, month, day))
    for found in _SHORT.finditer(text) if short_years else ():
        year = int(found.group(4)) + (1900 if int(found.group(4)) > 90 else 2000)
        month = int(found.group(2)) if found.group(2) else _month(found.group(3))
        spans.append((found.start(), found.end(), year, month, int(found.group(1))))
    last = -1
    for start, end, year, month, day in sorted(spans):
        if start < last or not month:
            continue
        clock, zone = _clock_near(text, start, end)
        moment = _moment(year, month, day, clock, zone)
        if moment is not None:
            last = end
            yield start, end, moment


def url_date(url: str) -> Optional[Moment]:
    """A date in the path of an address (`/2024/03/25/`, `/2024-03-25-`, `/20240325/`)."""
    found = re.search(r"/((?:19|20)\d{2})[/-]?(\d{2})[/-]?(\d{2})(?=[/\-_.]|$)", url) or re.search(
        r"[-_]((?:19|20)\d{2})-?(\d{2})-?(\d{2})(?=[/\-_.]|$)", url
    )
    return _moment(int(found.group(1)), int(found.group(2)), int(found.group(3)), None, None) if found else None


def sensible(moment: Optional[Moment], fetched_at: Optional[str]) -> bool:
    """Whether a date can be true: not before the web, not more than a day after the page was fetched."""
    if moment is None or int(moment.iso[:4]) < FIRST_YEAR:
        return False
    if not fetched_at:
        return int(moment.iso[:4]) < 2100
    limit = datetime.fromisoformat(fetched_at.replace("Z", "+00:00")).replace(tzinfo=None) + timedelta(days=1)
    return moment.iso[:10] <= limit.strftime("%Y-%m-%d")
