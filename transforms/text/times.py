"""Times as records carry them: ISO 8601 text, in UTC with `Z`."""

from datetime import datetime, timezone
from typing import Any, Optional

from newsbeam.transforms.text.machine_dates import machine_date

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Times count from 1970 (POSIX); what lies further out than these is a clock or a field gone wrong."""


def is_plausible(moment: datetime) -> bool:
    """Whether something may have been fetched at `moment`."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def utc_text(moment: datetime) -> str:
    """An aware or UTC-naive moment as `2024-03-25T19:08:00Z` (whole seconds)."""
    aware = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    return aware.replace(microsecond=0, tzinfo=None).isoformat() + "Z"  # strftime writes the year 1 as "1"


def recorded_time(value: Any) -> Optional[str]:
    """The time a row says it was fetched: Unix seconds, or a text that `machine_date` reads; without a zone it is UTC.

    Returns None for what is no time, tells no day, or lies outside `FIRST_YEAR` to `LAST_YEAR`.
    """
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, timezone.utc)
        else:
            told = machine_date(value) if isinstance(value, str) else None
            if told is None or told.precision in ("year", "month"):
                return None
            moment = told.instant()
        return utc_text(moment) if is_plausible(moment) else None
    except (ValueError, OverflowError, OSError):
        return None
