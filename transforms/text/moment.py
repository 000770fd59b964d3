"""A point in time as precisely as somebody gave it, and whether it can be true."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Optional

FIRST_YEAR = 1991
"""The first web page was published on 6 August 1991; what claims to be older is a mistake."""
_LEEWAY = timedelta(days=1)
"""A clock may be wrong, or a zone left out; more than a day ahead is a mistake or an embargo, and no date of news."""

Clock = tuple[int, int, Optional[int]]
"""Hour (24 is the end of the day, ISO 8601), minute, and second (60 is a leap second) if it is given."""


@dataclass(frozen=True)
class Moment:
    """A time as far as it is known: ISO 8601 with `Z` if its zone is known, and its precision."""

    iso: str
    precision: str
    """`year`, `month`, `day`, `minute` or `second`."""
    local_day: str = ""
    """The day as written, before any change to UTC."""

    def instant(self) -> datetime:
        """The earliest moment it may mean, in UTC; what has no zone is taken for UTC."""
        known = self.iso.removesuffix("Z")
        padded = known + "0001-01-01T00:00:00"[len(known) :]
        return datetime.fromisoformat(padded).replace(tzinfo=timezone.utc)


def moment_of(
    year: int, month: int, day: Optional[int] = None, clock: Optional[Clock] = None, offset: Optional[int] = None
) -> Optional[Moment]:
    """The moment of these parts, None if there is no such day or time.

    Args:
        offset: minutes east of UTC; without it the time stays local.
    """
    try:
        if day is None:
            return Moment(datetime(year, month, 1).date().isoformat()[:7], "month")
        written = datetime(year, month, day)
        local_day = written.date().isoformat()
        if clock is None:
            return Moment(local_day, "day", local_day)
        hour, minute, second = clock
        if hour > 24 or minute > 59 or (second or 0) > 60 or (hour == 24 and (minute or second)):
            return None
        moment = written + timedelta(hours=hour, minutes=minute, seconds=second or 0)
        if offset is not None:
            moment -= timedelta(minutes=offset)
    except (ValueError, OverflowError):
        return None
    precision = "minute" if second is None else "second"
    iso = moment.isoformat(timespec="minutes" if second is None else "seconds")
    return Moment(iso + ("" if offset is None else "Z"), precision, local_day)


def as_written(moment: Moment) -> Optional[str]:
    """The day of a time in its own zone (`2023-12-21`); None where the day is not known."""
    return None if moment.precision in ("year", "month") else moment.local_day or moment.iso[:10]


def doubt(moment: Moment, fetched_at: str) -> str:
    """Why a time cannot be true, for a person; empty if it can.

    Args:
        fetched_at: when it was read (ISO 8601); empty if that is not known.
    """
    instant = moment.instant()
    if instant.year < FIRST_YEAR:
        return f"{moment.iso} is before there was a web"
    if fetched_at and instant > _utc(fetched_at) + _LEEWAY:
        return f"{moment.iso} is more than a day after it was fetched ({fetched_at})"
    return ""


def sensible(moment: Optional[Moment], fetched_at: Optional[str]) -> bool:
    """Whether a date can be true: not before the web, not more than a day after the page was fetched."""
    if moment is None or int(moment.iso[:4]) < FIRST_YEAR:
        return False
    if not fetched_at:
        return int(moment.iso[:4]) < 2100
    limit = _utc(fetched_at) + _LEEWAY
    return moment.iso[:10] <= limit.strftime("%Y-%m-%d")


def _utc(time: str) -> datetime:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).replace(tzinfo=timezone.utc)
