"""What a response's headers say about when to come again (RFC 9110 10.2.3, RFC 9111 4.2). Pure; times in seconds."""

import math
import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime

_DIGITS = re.compile(r"[0-9]{1,18}")


def http_date(text: str) -> float | None:
    """An HTTP date as seconds since 1970; None if it is none (`0`, `-1`, a date without sense)."""
    try:
        parsed = parsedate_to_datetime(text.strip())
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def seconds(text: str) -> float | None:
    """A delta-seconds value; None if it is none. Too many digits mean for ever, as RFC 9111 1.2.2 has it."""
    text = text.strip().strip('"')
    if _DIGITS.fullmatch(text):
        return float(text)
    return math.inf if re.fullmatch(r"[0-9]{19,200}", text) else None


def cache_control(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The directives of `Cache-Control`; of a repeated one the first."""
    found: dict[str, str] = {}
    for part in headers.get("cache-control", "")[:2000].split(","):
        name, _, value = part.strip().partition("=")
        found.setdefault(name.strip().lower(), value.strip())
    return found


def fresh_for(headers: Mapping[str, str], now: float) -> float:
    """How much longer the response says that it is fresh; 0 where it says nothing that can be read.

    Args:
        headers: names in lower case.
        now: seconds since 1970, only for a response without `Date`.
    """
    directives = cache_control(headers)
    if "no-cache" in directives or "no-store" in directives:
        return 0.0
    max_age = seconds(directives.get("max-age", ""))
    if max_age is not None:
        return max(0.0, max_age - (seconds(headers.get("age", "")) or 0.0))
    expires = http_date(headers.get("expires", ""))
    if expires is None:
        return 0.0
    date = http_date(headers.get("date", ""))
    return max(0.0, expires - (now if date is None else date) - (seconds(headers.get("age", "")) or 0.0))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `Retry-After` asks for, 0 for one that has passed or makes no sense; None if there is none."""
    text = headers.get("retry-after")
    if text is None:
        return None
    wait = seconds(text)
    if wait is not None:
        return wait
    until = http_date(text)
    if until is None:
        return 0.0
    date = http_date(headers.get("date", ""))
    return max(0.0, until - (now if date is None else date))
