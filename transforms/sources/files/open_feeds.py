"""Recorded feeds become a page for each entry that carries its full text; what is no feed is left for later."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.parse import MEMORY_MB, MOST_SECONDS, WARM_UP, cpu_seconds, parse_feed
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import DeadLetter, Entry, Page
from newsbeam.transforms.model.units import Unit
from newsbeam.transforms.runtime.dead_letters import DEAD, DeadLetters, dead_letter
from newsbeam.transforms.runtime.sandbox.sandbox import SandboxError
from newsbeam.transforms.runtime.sandbox.sandboxed_map import SandboxOptions, SharedSandbox
from newsbeam.transforms.sources.files.payload import FEED_TYPES, read_page

STAGE = "feed"


def feed_document(page: Page) -> FeedDocument:
    """The document of a page that is a feed."""
    return FeedDocument(
        url=page.url,
        body=page.body,
        content_type=page.content_type,
        charset=page.charset,
        fetched_at=page.fetched_at or "",
    )


def pages_of_feed(page: Page, feed: ParsedFeed) -> Iterator[Page | DeadLetter]:
    """What a recorded feed holds, in its order: a page for each entry with full text, else a dead letter that says so.

    Every entry is a unit of its own, named after the feed's.
    """
    for number, entry in enumerate(feed.entries, 1):
        yield _page(page, feed, entry, number)
    for number, rejected in enumerate(feed.rejected, len(feed.entries) + 1):
        yield _letter(page, number, rejected.reason, rejected.message, rejected.url)
    if not feed.entries and not feed.rejected:
        what = f"a {feed.format} document that lists other documents" if feed.further else "a feed without entries"
        yield DeadLetter(
            stage=STAGE,
            reason="no_entries",
            message=f"{page.origin.raw_ref}: {what}; there is nothing in it to replay",
            unit=page.origin.unit,
            url=page.url,
            payload_ref=page.origin.raw_ref,
        )


def _page(page: Page, feed: ParsedFeed, entry: Entry, number: int) -> Page | DeadLetter:
    if not entry.content.strip():
        message = f"{page.origin.raw_ref}#{number}: the entry has no full text, only a link; live runs fetch it"
        return _letter(page, number, "no_full_text", message, entry.url)
    origin = page.origin
    return Page(
        url=entry.url,
        body=entry.content.encode("utf-8", "replace"),
        charset="utf-8",
        fetched_at=page.fetched_at,
        entry=entry,
        origin=replace(
            origin,
            unit=f"{origin.unit}#{number}",
            rank=f"{origin.rank}#{number:05}",
            raw_ref=f"{origin.raw_ref}#{number}",
            discovered_via="feed",
            feed_url=page.url,
            publisher=entry.publisher or feed.title,
            language_hint=entry.language or feed.language,
            topic_hints=tuple(entry.categories),
            part=entry.part,
            from_feed=True,
        ),
    )


def _letter(page: Page, number: int, reason: str, message: str, url: str) -> DeadLetter:
    return DeadLetter(
        stage=STAGE,
        reason=reason,
        message=message,
        unit=f"{page.origin.unit}#{number}",
        url=url,
        feed_url=page.url,
        payload_ref=f"{page.origin.raw_ref}#{number}",
    )


class _OpenFeeds(beam.DoFn):
    """Reads what may be a feed; feeds are parsed in a process that can be killed."""

    def __init__(self) -> None:
        options = SandboxOptions(seconds=MOST_SECONDS, memory_mb=MEMORY_MB, warm_up=WARM_UP)
        self._sandbox = SharedSandbox(parse_feed, options)

    def process(self, unit: Unit) -> Iterator[Any]:
        if not unit.may_be_feed:
            yield unit
            return
        try:
            page = read_page(unit)
        except Rejected as rejected:
            yield TaggedOutput(DEAD, dead_letter("read", unit, rejected))
            return
        if page.content_type not in FEED_TYPES:
            yield page
            return
        try:
            document = feed_document(page)
            feed: ParsedFeed = self._sandbox.open().submit(document, cpu_seconds(document)).result()
            found: list[Page | DeadLetter] = list(pages_of_feed(page, feed))
        except SandboxError:
            raise  # no feed's fault: the bundle is tried again
        except Exception as error:
            found = [dead_letter(STAGE, page, error)]
        for one in found:
            yield TaggedOutput(DEAD, one) if isinstance(one, DeadLetter) else one


class OpenFeeds(beam.PTransform[PCollection[Unit], PCollection[Any]]):
    """Replaces each unit that is a feed by the pages of its entries. What is none passes: as the unit it is, still to
    be read, or as the page that it turned out to be."""

    def __init__(self, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._dead_letters = dead_letters

    def expand(self, units: PCollection[Unit]) -> PCollection[Any]:
        outputs = units | "Open" >> beam.ParDo(_OpenFeeds()).with_outputs(DEAD, main="pages")
        outputs.pages.element_type = Any
        outputs[DEAD].element_type = DeadLetter
        self._dead_letters.add(STAGE, outputs[DEAD])
        return outputs.pages
