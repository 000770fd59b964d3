"""Articles from JSON rows: what newsbeam wrote itself, or anybody's collection of texts."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Optional
from urllib.parse import urlsplit

from newsbeam.transforms.model.records import Article, Page
from newsbeam.transforms.text.dates import as_written, machine_date


def article_from_row(page: Page) -> Article:
    """The article that a row of JSON holds (`page.body`, an object with `text`).

    Takes what describes the article (title, text, authors, times, section, keywords); what the pipeline decides itself
    (identity, language, duplicates, topics, stories) is decided anew.
    """
    row: dict[str, Any] = json.loads(page.body)
    origin = page.origin
    return Article(
        id="",
        url=page.url,
        guid=_text(row, "guid"),
        domain=_text(row, "host") or (urlsplit(page.url).hostname or ""),
        publisher=_text(row, "publisher"),
        feed_url=_text(row, "feed_url"),
        discovered_via=_text(row, "discovered_via") or origin.discovered_via,
        url_canonical=_text(row, "url_canonical"),
        title=_text(row, "title"),
        title_feed=_text(row, "title_feed"),
        description=_text(row, "description"),
        text=_text(row, "text"),
        authors=_texts(row, "authors"),
        **_published(row),
        updated_at=_text(row, "updated_at") or None,
        updated_precision=_text(row, "updated_precision") or None,
        first_seen_at=origin.seen_at or None,
        fetched_at=page.fetched_at,
        image_url=_text(row, "image_url") or None,
        section=_text(row, "section") or None,
        keywords=_texts(row, "keywords"),
        extractor=_text(row, "extractor") or "row",
        raw_ref=_text(row, "raw_ref") or origin.raw_ref,
        language_declared=_text(row, "language_declared"),
        origin=replace(origin, language_hint=origin.language_hint or _text(row, "lang")),
    )


def _published(row: dict[str, Any]) -> dict[str, Any]:
    """As newsbeam wrote it, or from the `published` or `date` of anybody else's collection."""
    if _text(row, "published_at"):
        names = ("published_at", "published_precision", "published_source", "published_day")
        return {name: _text(row, name) or None for name in names}
    for key in ("published", "date"):
        found = machine_date(_text(row, key))
        if found is not None:
            return {
                "published_at": found.iso,
                "published_precision": found.precision,
                "published_source": "meta",
                "published_day": as_written(found),
            }
    return {}


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value.strip("\r\n") if isinstance(value, str) else ""


def _texts(row: dict[str, Any], key: str) -> Sequence[str]:
    value: Optional[Any] = row.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
