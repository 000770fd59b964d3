"""Times as records carry them: ISO 8601 text, in UTC with `Z`."""

from datetime import datetime, timezone
from typing import Any, Optional


def utc_text(moment: datetime) -> str:
    """An aware or UTC-naive moment as `2024-03-25T19:08:00Z` (whole seconds)."""
    aware = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ")


def recorded_time(value: Any) -> Optional[str]:
    """The time a row says it was fetched: Unix seconds or ISO 8601; one without a zone was recorded in UTC.

    Returns None for what is no time or lies outside the years 1990 to 2200.
    """
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, timezone.utc)
        elif isinstance(value, str) and value:
            moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        else:
            return None
        return utc_text(moment) if 1990 <= moment.year < 2200 else None
    except (ValueError, OverflowError, OSError):
        return None
