"""What others push onto a topic, read: a page, a text, or an address to fetch."""

from dataclasses import dataclass
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import DeadLetter, Entry, Origin, Page
from newsbeam.transforms.sources.feed_source import FeedSource
from newsbeam.transforms.sources.files.documents import MAX_DOCUMENT_BYTES, digest
from newsbeam.transforms.sources.files.json_rows import (
    check_url,
    has_page,
    page_of_row,
    parse_row,
    row_order,
    row_text,
    row_time,
)
from newsbeam.transforms.sources.polling.feed_shard import Discovery
from newsbeam.transforms.text.machine_dates import machine_date

STAGE = "queue"

_LONGEST_URL = 8_000


@dataclass(frozen=True)
class Message:
    """One message of a topic. `value` is None where a key was deleted (a tombstone)."""

    topic: str
    partition: int
    offset: int
    value: Optional[bytes]

    @property
    def name(self) -> str:
        """For people and records: `topic/partition#offset`."""
        return f"{self.topic}/{self.partition}#{self.offset}"

    @property
    def digest(self) -> str:
        """What it holds."""
        return digest(self.value or b"")

    @property
    def unit(self) -> str:
        """The ledger's name for it. The place alone will not do: a topic that was deleted and made again begins at 0
        again, and its messages would pass for those that were read before."""
        return f"kafka:{self.topic}/{self.partition}/{self.offset}:{self.digest}"


Taken = Union[Message, DeadLetter]
"""What a look at a topic brings: messages, and what became of those that the broker no longer has."""


def read_message(message: Message, source: FeedSource, seen_at: str) -> Union[Page, Discovery]:
    """The page that a message holds, or the entry whose page is to be fetched.

    A message is one JSON object: `{"url", "html"}` or `{"url", "text"}`, with `fetched_at`, `headers`, `title` and all
    else that a row of a replay may have; or `{"url"}`, with `title`, `published_at`, `language`, to be fetched.

    Args:
        source: the queue's: its address without secrets as `url`, and what the configuration says of it.
        seen_at: when newsbeam first saw the message (UTC, `...Z`).

    Raises:
        Rejected: `empty`, `too_large`, `bad_json`, `unknown_form`, `bad_time`, `bad_url`; the message names topic,
            partition and offset.
    """
    value, name = message.value, message.name
    if not value or not value.strip():
        raise Rejected("empty", f'{name}: an empty message; a page is pushed as {{"url": …, "html": …}}')
    if len(value) > MAX_DOCUMENT_BYTES:
        raise Rejected("too_large", f"{name}: larger than {MAX_DOCUMENT_BYTES >> 20} MiB, which no article is")
    row = parse_row(value, name)
    if has_page(row):
        check_url(row_text(row, "url"), name)
        return page_of_row(row, value, _origin(message, source, row, seen_at), row_time(row, name) or seen_at)
    return Discovery(message.unit, _entry(message, source, row), seen_at)


def _origin(message: Message, source: FeedSource, row: dict[str, Any], seen_at: str) -> Origin:
    return Origin(
        unit=message.unit,
        seen_at=seen_at,
        rank=f"{seen_at}|{row_order(row, message.digest)}|{message.unit}",
        raw_ref=message.name,
        discovered_via="queue",
        feed_url=source.url,
        publisher=source.publisher or row_text(row, "publisher"),
        language_hint=source.language_hint or row_text(row, "language"),
        topic_hints=source.topic_hints,
    )


def _entry(message: Message, source: FeedSource, row: dict[str, Any]) -> Entry:
    url = row_text(row, "url").strip()
    if not url:
        raise Rejected("unknown_form", f'{message.name}: a message needs a "url", or "html" or "text", as a string')
    try:
        fit = urlsplit(url).scheme.lower() in ("http", "https") and bool(urlsplit(url).hostname)
    except ValueError:
        fit = False
    if not fit or len(url) > _LONGEST_URL:
        raise Rejected("bad_url", f"{message.name}: {url[:200]!r} is no address of a page; write https://host/path")
    published = machine_date(row_text(row, "published_at"))
    return Entry(
        feed_url=source.url,
        url=url,
        identity=url,
        title=row_text(row, "title"),
        published_at=published.iso if published else None,
        published_precision=published.precision if published else None,
        language=row_text(row, "language"),
        content_hash=message.digest,
        publisher=row_text(row, "publisher"),
    )
