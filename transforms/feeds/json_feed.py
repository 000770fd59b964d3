"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import json
from typing import Any

from newsbeam.transforms.feeds.document import PollHints
from newsbeam.transforms.feeds.draft import Draft, DraftEntry
from newsbeam.transforms.feeds.text import as_markup, clean_spaces
from newsbeam.transforms.model.errors import Rejected


def read_json_feed(text: str) -> Draft:
    """Reads a decoded JSON document. Raises `Rejected`: `malformed`, `truncated`, or `not_a_feed` for other JSON."""
    try:
        feed = json.loads(text, parse_constant=lambda _: None)
    except RecursionError as error:
        raise Rejected("malformed", "the JSON is nested too deeply") from error
    except ValueError as error:
        position = getattr(error, "pos", 0)
        reason = "truncated" if position >= len(text.rstrip()) else "malformed"
        raise Rejected(reason, f"is not JSON: {error}") from error
    if not isinstance(feed, dict) or "jsonfeed.org/version/" not in _text(feed.get("version")):
        raise Rejected("not_a_feed", f'is JSON, but no JSON Feed: it has no "version" of that name: {text[:100]!r}')
    items = feed.get("items")
    warnings: tuple[str, ...] = ()
    if not isinstance(items, list):
        items, warnings = [], ('"items" should be a list',)
    others = sum(not isinstance(item, dict) for item in items)
    if others:
        warnings = (f"{others} of {len(items)} items are no objects",)
    hubs = feed.get("hubs")
    hub = next((_text(hub.get("url")) for hub in hubs if isinstance(hub, dict)), "") if isinstance(hubs, list) else ""
    return Draft(
        format="json",
        title=clean_spaces(_text(feed.get("title"))),
        language=_text(feed.get("language")),
        link_base=_text(feed.get("home_page_url")),
        entries=tuple(_entry(item, _names(feed)) for item in items if isinstance(item, dict)),
        hints=PollHints(hub=hub, self_url=_text(feed.get("feed_url"))),
        warnings=warnings,
    )


def _entry(item: dict[str, Any], feed_authors: tuple[str, ...]) -> DraftEntry:
    content = _text(item.get("content_html")) or as_markup(_text(item.get("content_text")))
    tags = item.get("tags")
    return DraftEntry(
        links=(_text(item.get("url")), _text(item.get("external_url"))),
        guid=_text(item.get("id")),
        guid_is_link=_text(item.get("id")).startswith(("http://", "https://")),
        title=_text(item.get("title")),
        title_is_plain=True,
        summary=_text(item.get("summary")),
        summary_is_plain=True,
        content=content,
        published=_text(item.get("date_published")),
        updated=_text(item.get("date_modified")),
        authors=_names(item) or feed_authors,
        categories=tuple(_text(tag) for tag in tags) if isinstance(tags, list) else (),
        images=(_text(item.get("image")), _text(item.get("banner_image"))),
        language=_text(item.get("language")),
    )


def _text(value: object) -> str:
    """Identifiers may be numbers: "id … if a publisher gives a number, it should be coerced to a string"."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, (int, float)):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _names(holder: dict[str, Any]) -> tuple[str, ...]:
    """Names of `authors` (1.1) or `author` (1.0)."""
    authors = holder.get("authors")
    listed = authors if isinstance(authors, list) else [holder.get("author")]
    names = (clean_spaces(_text(author.get("name"))) for author in listed if isinstance(author, dict))
    return tuple(name for name in names if name)
