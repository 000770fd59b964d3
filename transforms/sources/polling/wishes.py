"""What a feed wishes of those who poll it, kept from one document to the next: an answer without a body (304) says
nothing of it, and what the last body said still holds.

`ttl`, `skipHours` and `skipDays` are those of RSS 2.0 (https://www.rssboard.org/rss-specification): hours and days are
UTC, and in those named "aggregators may not read the channel".
"""

import math
from dataclasses import dataclass
from datetime import datetime, timezone

HOUR_S = 3600.0
_WEEK_HOURS = 7 * 24
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Wishes:
    """Lower bounds on polling.

    Attributes:
        least_s: seconds between two polls at least; 0 where the feed says nothing.
        skip_hours: a bit for each hour of the day (UTC) to stay away in, 1 for midnight.
        skip_days: a bit for each weekday to stay away on, 1 for Monday.
    """

    least_s: float = 0.0
    skip_hours: int = 0
    skip_days: int = 0

    def as_text(self) -> str:
        """For `wishes_from`; empty if nothing is wished."""
        return f"{self.least_s!r} {self.skip_hours:x} {self.skip_days:x}" if self != Wishes() else ""


def wishes_from(text: str) -> Wishes:
    """What `as_text` wrote."""
    if not text:
        return Wishes()
    least, hours, days = text.split()
    return Wishes(float(least), int(hours, 16), int(days, 16))


def wishes_of(least_s: float, skip_hours: tuple[int, ...], skip_days: tuple[str, ...]) -> Wishes:
    """As a feed has them: hours 0 to 23, English names of days."""
    return Wishes(least_s, sum(1 << hour for hour in skip_hours), sum(1 << _DAYS.index(day) for day in skip_days))


def outside_skipped(at: float, wishes: Wishes, spread: float = 0.0) -> float:
    """`at` (seconds since 1970), or the first moment after it that is in no hour or day to be skipped.

    Args:
        spread: [0, 1): how far into the first hour that is open; feeds of one site open at the same moment.
    """
    if (not wishes.skip_hours and not wishes.skip_days) or not math.isfinite(at):
        return at
    hour = int(at // HOUR_S)
    for later in range(_WEEK_HOURS + 1):
        moment = datetime.fromtimestamp((hour + later) * HOUR_S, timezone.utc)
        if not wishes.skip_hours >> moment.hour & 1 and not wishes.skip_days >> moment.weekday() & 1:
            return (hour + later + spread) * HOUR_S if later else at
    return at  # all of the week: nobody can mean that
