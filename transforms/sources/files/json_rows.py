"""One row of JSON as a page: `{"url", "html" or "text", "fetched_at", "headers"}`, whoever hands it in."""

import json
from typing import Any, Optional
from urllib.parse import urlsplit

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Entry, Origin, Page
from newsbeam.transforms.model.serialization import safe_text
from newsbeam.transforms.text.times import FIRST_YEAR, LAST_YEAR, recorded_time

ROW = "application/x-newsbeam-row+json"
"""Media type of a page whose body is one JSON row with a text in it: an article, already extracted."""

_LONGEST_ID = 100
_LONGEST_TOLD = 60
_TIMES = ("fetched_at", "first_seen_at")
_LOOSE_TIME = "timestamp"
"""Other programs' name for many things; it is taken where it is a time, and left where it is not."""


def parse_row(line: bytes, name: str) -> dict[str, Any]:
    """The JSON object that `line` holds; `name` tells a person where it stands.

    Raises:
        Rejected: `bad_json`; `unknown_form` if it is no object.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Rejected("bad_json", f"{name}: not a line of JSON ({error})") from error
    if not isinstance(row, dict):
        raise Rejected("unknown_form", f'{name}: a row needs "html" or "text", as a string')
    return row


def has_page(row: dict[str, Any]) -> bool:
    """Whether a row holds a page or a text itself."""
    return isinstance(row.get("html"), str) or isinstance(row.get("text"), str)


def row_time(row: dict[str, Any], name: str) -> str:
    """When a row says it was fetched (UTC, `...Z`); empty if it does not.

    Raises:
        Rejected: `bad_time`: it says something that is no time, or a year outside `FIRST_YEAR` to `LAST_YEAR`. Without
            its time a row would stand at another place in the order of all articles.
    """
    for key in _TIMES:
        told = row.get(key)
        if told is None or told == "":
            continue
        time = recorded_time(told)
        if time is None:
            right = f"an ISO 8601 time or Unix seconds, of the years {FIRST_YEAR} to {LAST_YEAR}"
            raise Rejected("bad_time", f"{name}: {key} is {str(told)[:_LONGEST_TOLD]!r}; right would be {right}")
        return time
    return recorded_time(row.get(_LOOSE_TIME)) or ""


def check_url(url: str, name: str) -> None:
    """Raises `Rejected` (`bad_url`) if a page's address, which may be empty, cannot be taken apart."""
    try:
        urlsplit(url).port  # noqa: B018 - reads all parts, of which each may raise
    except ValueError as error:
        raise Rejected("bad_url", f"{name}: {url[:200]!r} is no address of a page ({error})") from None


def row_order(row: dict[str, Any], digest: str) -> str:
    """What orders rows of one time: the id that a row gives itself, then what it holds."""
    own = row.get("id")
    if own and isinstance(own, (str, int)):
        told = str(own)[:_LONGEST_ID].encode("utf-8", "replace").decode()
        return f"{told} {digest}"
    return digest


def page_of_row(row: dict[str, Any], line: bytes, where: Origin, fetched_at: Optional[str]) -> Page:
    """The page of a row that has one (`has_page`); `line` is the same row as it was read."""
    url = row_text(row, "url")
    if not isinstance(row.get("html"), str):
        is_article = "title" in row or "schema_version" in row
        if is_article:
            return Page(url=url, body=line, content_type=ROW, charset="utf-8", fetched_at=fetched_at, origin=where)
        body, media_type = row["text"], "text/plain"
    else:
        body, media_type = row["html"], "text/html"
    headers = {str(k).lower(): v for k, v in row["headers"].items()} if isinstance(row.get("headers"), dict) else {}
    return Page(
        url=url,
        body=body.encode("utf-8", "surrogatepass"),
        url_final=row_text(row, "url_final"),
        content_type=media_type,
        charset="utf-8",
        robots=row_text(headers, "x-robots-tag"),
        fetched_at=fetched_at,
        entry=_entry(row, url),
        origin=where,
    )


def _entry(row: dict[str, Any], url: str) -> Optional[Entry]:
    """What the row says of the page beside the page itself, as a feed would."""
    title = row_text(row, "title")
    return Entry(feed_url="", url=url, identity=url, title=title) if title else None


def row_text(row: dict[str, Any], key: str) -> str:
    """A text of a row, safe for every database; empty if there is none."""
    value = row.get(key)
    return safe_text(value) if isinstance(value, str) else ""
