"""What a feed's head says about polling it: `ttl`, `skipHours`, `skipDays` (RSS 2.0), `sy:*` (RSS 1.0 syndication
module, https://web.resource.org/rss/1.0/modules/syndication/), WebSub, and where the feed has gone.
"""

import html
import re
from urllib.parse import urljoin

from newsbeam.transforms.feeds.document import PollHints

_HEAD = 65536
_LONGEST_SECONDS = 30 * 86400
"""A wish for less than one poll a month is a mistake."""
_FIRST_ITEM = re.compile(r"<(?:\w{1,20}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_ELEMENT = re.compile(
    r"<(?:[\w.-]{1,40}:)?(ttl|updatePeriod|updateFrequency|newLocation|new-feed-url|hour|day)\b[^<>]{0,200}>"
    r"(?:\s{0,100}<!\[CDATA\[)?([^<]{1,2100})",
    re.IGNORECASE,
)
_LINK = re.compile(r"<(?:[\w.-]{1,40}:)?link\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]{1,40})\s*=\s*(?:"([^"<>]{0,3000})"|'([^'<>]{0,3000})')""")

_PERIODS = {
    "hourly": 3600,
    "daily": 86400,
    "weekly": 7 * 86400,
    "monthly": 30 * 86400,
    "yearly": 365 * 86400,
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def poll_hints(text: str, base: str) -> PollHints:
    """Reads the part of a syndication feed before its first entry; links are resolved against `base`.

    Values that are no number, not positive or absurd are ignored, and so is a wish never to be polled.
    """
    head = text[:_HEAD]
    first = _FIRST_ITEM.search(head)
    if first:
        head = head[: first.start()]
    values: dict[str, list[str]] = {}
    for name, value in _ELEMENT.findall(head):
        value = html.unescape(value).replace("]]>", "").strip()
        values.setdefault(name.lower(), []).append(value)
    links = _links(head, base)
    moved = values.get("new-feed-url", []) + values.get("newlocation", [])
    hours = sorted({int(value) for value in values.get("hour", []) if value.isdecimal() and len(value) < 3})
    # RSS 2.0 counts hours from 0 to 23; RSS 0.91 from 1 to 24.
    hours = sorted({hour % 24 for hour in hours if hour <= 24} if 0 not in hours else {h for h in hours if h < 24})
    if (
        hours == [0]
        and "0" not in values.get("hour", [])
        and "24" in values.get("hour", [])
        and len(values["hour"]) > 1
    ):
        hours = []  # a lone 24 among values that make no sense
    days = {value.lower() for value in values.get("day", [])} & set(_DAYS)
    return PollHints(
        min_interval_seconds=_longest(_ttl(values.get("ttl")), _syndication(values)),
        skip_hours=tuple(hours) if len(hours) < 24 else (),
        skip_days=tuple(day.capitalize() for day in _DAYS if day in days) if len(days) < 7 else (),
        hub=links.get("hub", ""),
        self_url=links.get("self", ""),
        moved_to=_absolute(moved[0], base) if moved else "",
    )


def _links(head: str, base: str) -> dict[str, str]:
    """The first address of each relation."""
    found: dict[str, str] = {}
    for text in _LINK.findall(head):
        attributes = {
            name.lower(): html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text)
        }
        if attributes.get("href"):
            found.setdefault(attributes.get("rel", "").lower(), _absolute(attributes["href"].strip(), base))
    return found


def _absolute(link: str, base: str) -> str:
    """An http(s) address, or empty."""
    try:
        url = urljoin(base, link)
    except ValueError:
        return ""
    return url if url.lower().startswith(("http://", "https://")) else ""


def _ttl(values: list[str] | None) -> int | None:
    """Minutes, as RSS 2.0 says."""
    number = _positive((values or [""])[0])
    return None if number is None else round(number * 60)


def _syndication(values: dict[str, list[str]]) -> int | None:
    period = _PERIODS.get(values.get("updateperiod", [""])[0].lower())
    if period is None:
        return None
    frequency = _positive(values.get("updatefrequency", ["1"])[0])
    return None if frequency is None else round(period / frequency)


def _positive(text: str) -> float | None:
    if not re.fullmatch(r"\+?\d{1,9}(\.\d{1,6})?", text):
        return None
    return float(text) or None


def _longest(*seconds: int | None) -> int | None:
    known = [value for value in seconds if value is not None and 0 < value <= _LONGEST_SECONDS]
    return max(known, default=None)
