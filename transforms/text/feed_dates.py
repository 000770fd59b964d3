"""Dates as feeds write them: RFC 822 and its many misreadings, W3CDTF and ISO 8601, Unix time.

Nothing is invented: a date without a time of day stays a date, and a time without a zone that is known stays local.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from unicodedata import combining, normalize

_LONGEST = 80
_FIRST_YEAR = 1991
"""The web's: nothing on it was published before."""
_LEEWAY = timedelta(days=1)
"""A clock may be wrong, or a zone left out; more than a day ahead is a mistake or an embargo, and no date of news."""

_MONTHS = {
    # The first letters of month names in the languages that feeds are found to have them in, accents removed: English,
    # French, Spanish, Italian, Portuguese, German, Dutch, Scandinavian.
    start: number
    for number, starts in enumerate(
        (
            ("jan", "ene", "gen"),
            ("feb", "fev"),
            ("mar", "mrt", "maa"),
            ("apr", "abr", "avr"),
            ("may", "mai", "mag", "mei", "maj"),
            ("jun", "juin", "giu"),
            ("jul", "juil", "lug"),
            ("aug", "aou", "ago"),
            ("sep", "set"),
            ("oct", "okt", "ott", "out"),
            ("nov",),
            ("dec", "dez", "dic", "des"),
        ),
        1,
    )
    for start in starts
}

_ZONES = {
    # RFC 822, section 5.1
    "ut": 0,
    "utc": 0,
    "gmt": 0,
    "z": 0,
    "est": -300,
    "edt": -240,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
    # Not in the standard, and not used for two places in news feeds. (IST is: India, Israel, Ireland.)
    "wet": 0,
    "west": 60,
    "bst": 60,
    "cet": 60,
    "cest": 120,
    "mez": 60,
    "mesz": 120,
    "eet": 120,
    "eest": 180,
    "msk": 180,
    "jst": 540,
    "kst": 540,
    "akst": -540,
    "akdt": -480,
    "hst": -600,
    "aest": 600,
    "aedt": 660,
    "nzst": 720,
    "nzdt": 780,
}

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


@dataclass(frozen=True)
class FeedDate:
    """A point in time, as precisely as it was given.

    `text` is ISO 8601: UTC with `Z` where the zone is known, without a suffix where it is not. `precision` is `year`,
    `month`, `day`, `minute` or `second`.
    """

    text: str
    precision: str

    def instant(self) -> datetime:
        """The earliest moment it may mean, in UTC; what has no zone is taken for UTC."""
        padded = self.text.removesuffix("Z") + "0001-01-01T00:00:00"[len(self.text.removesuffix("Z")) :]
        return datetime.fromisoformat(padded).replace(tzinfo=timezone.utc)


def parse_date(text: str) -> FeedDate | None:
    """Reads a date as feeds write them; None for what is no date. Never raises."""
    text = " ".join(_NOISE.sub(" ", text[:500]).split())
    if not text or len(text) > _LONGEST:
        return None
    if _UNIX.fullmatch(text):
        moment = datetime.fromtimestamp(int(text[:10]) if len(text) != 12 else int(text[:9]), timezone.utc)
        return FeedDate(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "second")
    for pattern in (_RFC_822, _ISO, _ISO_BASIC, _AMERICAN, _DOTTED, _ASCTIME):
        match = pattern.fullmatch(text)
        if match:
            return _read(match.groupdict())
    return None


def believable(date: FeedDate, fetched_at: str) -> str:
    """Empty for a date that can be true; else what is wrong with it, for a person."""
    instant = date.instant()
    if instant.year < _FIRST_YEAR:
        return f"{date.text} is before there was a web"
    fetched = parse_date(fetched_at)
    if fetched is not None and instant > fetched.instant() + _LEEWAY:
        return f"{date.text} is more than a day after it was fetched ({fetched_at})"
    return ""


def _read(parts: dict[str, str | None]) -> FeedDate | None:
    year_text, month_text, day_text = parts["year"] or "", parts.get("month"), parts.get("day")
    year = int(year_text)
    if len(year_text) == 2:
        year += 2000 if year < 50 else 1900  # RFC 2822, section 4.3
    name = parts.get("name")
    if name is not None:
        number = _month(name)
        if number is None:
            return None
        month_text = str(number)
    if month_text is None:
        return FeedDate(f"{year:04}", "year") if year else None
    try:
        if day_text is None:
            return FeedDate(datetime(year, int(month_text), 1).strftime("%Y-%m").rjust(7, "0"), "month")
        day = datetime(year, int(month_text), int(day_text))
        if parts.get("hour") is None:
            return FeedDate(day.date().isoformat(), "day")
        return _with_time(day, parts)
    except (ValueError, OverflowError):
        return None


def _month(name: str) -> int | None:
    plain = "".join(letter for letter in normalize("NFD", name.lower()) if not combining(letter))
    return _MONTHS.get(plain[:4]) or _MONTHS.get(plain[:3])


def _with_time(day: datetime, parts: dict[str, str | None]) -> FeedDate | None:
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    half = (parts.get("half") or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        return None
    moment = day + timedelta(hours=hour, minutes=minute, seconds=second)
    offset = _offset((parts.get("zone") or "").lower())
    if offset is not None:
        moment -= timedelta(minutes=offset)
    form, precision = ("%H:%M:%S", "second") if parts.get("second") is not None else ("%H:%M", "minute")
    return FeedDate(
        f"{moment.date().isoformat()}T{moment.strftime(form)}{'' if offset is None else 'Z'}",
        precision,
    )


def _offset(zone: str) -> int | None:
    """Minutes east of Greenwich; None for a zone that is not given, or could be several."""
    if not zone:
        return None
    zone = zone.removeprefix("gmt").removeprefix("utc") or "utc"
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        digits = digits.rjust(2, "0") + "00" if len(digits) < 3 else digits.rjust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        if minutes > 18 * 60:
            return None
        return minutes if zone[0] == "+" else -minutes
    return _ZONES.get(zone)
