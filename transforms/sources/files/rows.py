"""Articles from JSON rows: what newsbeam wrote itself, or anybody's collection of texts."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Optional
from urllib.parse import urlsplit

from newsbeam.transforms.model.records import Article, Page
from newsbeam.transforms.text.machine_dates import machine_date
from newsbeam.transforms.text.moment import as_written

_PUBLISHED = ("published_at", "published", "date")


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
        **_updated(row),
        warnings=_unreadable_dates(row),
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
    """The first date of publication that can be read; what newsbeam wrote beside its own `published_at` is kept."""
    for key in _PUBLISHED:
        moment = machine_date(_told(row, key))
        if moment is not None:
            return {
                "published_at": moment.iso,
                "published_precision": moment.precision,
                "published_source": _text(row, "published_source") or "meta",
                "published_day": _text(row, "published_day") or as_written(moment),
            }
    return {}


def _updated(row: dict[str, Any]) -> dict[str, Any]:
    moment = machine_date(_told(row, "updated_at"))
    return {} if moment is None else {"updated_at": moment.iso, "updated_precision": moment.precision}


def _unreadable_dates(row: dict[str, Any]) -> tuple[str, ...]:
    """A warning for each date that the row gives and nobody can read."""
    told = [key for key in (*_PUBLISHED, "updated_at") if _told(row, key)]
    return tuple(f"{key}:unreadable" for key in told if machine_date(_told(row, key)) is None)


def _told(row: dict[str, Any], key: str) -> str:
    """A date as text; Unix seconds may stand there as a number."""
    value = row.get(key)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(row, key)


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value.strip("\r\n") if isinstance(value, str) else ""


def _texts(row: dict[str, Any], key: str) -> Sequence[str]:
    value: Optional[Any] = row.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
