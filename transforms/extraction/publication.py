"""When an article was published and updated: what the page tells machines, checked against what it shows its readers.

JSON-LD and `meta` come first: they have the time of day and its zone. But a page that was published anew under another
date often keeps its first one there; then the only date beside the headline is the article's.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Optional

from lxml.html import HtmlElement

from newsbeam.transforms.boilerplate.patterns import patterns
from newsbeam.transforms.extraction.dated_lines import dated
from newsbeam.transforms.extraction.head import Head
from newsbeam.transforms.extraction.html.blocks import CONTEXT_TAGS, ITEM_DATE, Block
from newsbeam.transforms.extraction.html.class_words import CLASS_BIT
from newsbeam.transforms.extraction.json_ld import Described
from newsbeam.transforms.text.dates import url_date
from newsbeam.transforms.text.line_features import fold
from newsbeam.transforms.text.machine_dates import machine_date
from newsbeam.transforms.text.moment import Moment, as_written, sensible

_PUBLISHED = (
    "article:published_time", "article:published", "og:article:published_time", "og:published_time", "published_time",
    "datepublished", "date.published", "article.published", "parsely-pub-date", "sailthru.date", "dc.date.issued",
    "cxenseparse:recs:publishtime", "publish-date", "publishdate", "publish_date", "pubdate", "article_date_original",
    "originalpublicationdate",
    "dcterms.created", "dcterms.issued", "dcterms.date", "dc.date", "dc.date.created", "date",
    "article.created", "cre", "publication_date", "citation_publication_date", "displaydate", "ptime", "og:pubdate",
    "bt:pubdate", "weibo:article:create_at", "rnews:datepublished", "mediator_published_time", "created",
    "vr:published_time", "creation_date",
)  # fmt: skip
_UPDATED = (
    "article:modified_time", "og:updated_time", "article:modified", "datemodified", "lastmod", "last-modified",
    "dcterms.modified", "dc.date.modified", "updated_time", "article.updated", "utime", "modified",
)  # fmt: skip
_BEHIND, _BEFORE = 16, 4
"""Blocks around the headline among which its date stands; behind it none after the text has begun."""
_PUNCTUATION = 12
_SHORT_TITLE = 9
"""Characters of what may as well be the name of the site."""
_FIGURE = (1 << CONTEXT_TAGS.index("figure")) | (1 << CONTEXT_TAGS.index("figcaption"))
"""The date of a picture is not the article's."""
_DATELINE = 120
"""Characters of a line that holds a date and little else."""
_TEXT = 300
"""Characters of a paragraph: behind it dates are the story's, not the article's."""
_OTHER_WORDS = 6
_A_DAY = timedelta(days=1)
"""Between the day in one zone and in another."""
_ZONES, _ZONE_STEP = timedelta(hours=14), timedelta(minutes=15)
"""What two clocks may be apart that show the same moment."""
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class StatedDates:
    """All that a page, its address and its feed say of dates.

    `feed_date` is the feed's, `url` the page's address after redirects; no date may be over a day after `fetched_at`.
    """

    described: Described
    head: Head
    tree: HtmlElement
    blocks: list[Block]
    title: str
    feed_date: Optional[str]
    url: str
    fetched_at: Optional[str]

    def published(self) -> tuple[Optional[Moment], Optional[str]]:
        """The time of publication, and which source has it.

        `jsonld`, `meta`, `html`, `feed`, `text`, `url`; or `updated`, the day of the last change where the page tells
        no other: it was published by then, as an entry of Atom must have `updated` but not `published` (RFC 4287).
        """
        meta = self.head.meta
        moment, source = self._usable(self.described.published), "jsonld"
        if moment is None:
            source = "meta"
            moment = next(filter(None, (self._usable(meta[name]) for name in _PUBLISHED if name in meta)), None)
        if moment is not None:
            return self._dated_anew(moment) or (moment, source)
        ways = (
            (self._elements, "html"),
            (self._fed, "feed"),
            (self._text, "text"),
            (self._addressed, "url"),
            (self._changed, "updated"),
        )
        found = ((moment, source) for way, source in ways for moment in way())
        return next(found, (None, None))

    def day(self, published: Moment) -> Optional[str]:
        """The day of publication where the publisher is: the one that the page shows, else as the time was written."""
        written = as_written(published)
        if written is None:
            return None
        told = date.fromisoformat(written)
        dated = [moment for moment, is_update in self._shown if not is_update]
        if any(moment.local_day == written for moment in dated):
            return written
        same = next((moment.local_day for moment in dated or self._first_elsewhere() if agree(moment, published)), "")
        if same or any(moment.local_day == written for moment, _ in self._shown):
            return same or written
        shown = (moment.local_day for moment in dated)
        near = (day for day in shown if day and abs(date.fromisoformat(day) - told) <= _A_DAY)
        return next(near, written)

    def _first_elsewhere(self) -> list[Moment]:
        """The first date that an element's class or `itemprop` names as one, if none stands beside the headline."""
        blocks = () if self._shown else self.blocks
        for block in blocks:
            if len(block.text) < _DATELINE and (block.item & ITEM_DATE or block.own & CLASS_BIT["date"]):
                found = [moment for moment, _ in self._in_text(block.text)]
                if found:
                    return found[:1]
        return []

    def updated(self, published: Optional[Moment]) -> Optional[Moment]:
        """The time of the last change, unless it lies before the publication."""
        meta = self.head.meta
        for text in (self.described.modified, *(meta[name] for name in _UPDATED if name in meta)):
            moment = self._usable(text)
            if moment is not None:
                return moment if published is None or moment.iso[:10] >= published.iso[:10] else None
        return None

    def _usable(self, text: str) -> Optional[Moment]:
        moment = machine_date(text) if text else None
        if moment is None or moment.precision == "year":  # of a copyright, mostly
            return None
        return moment if sensible(moment, self.fetched_at) else None

    def _dated_anew(self, first: Moment) -> Optional[tuple[Moment, str]]:
        """A later date than the first, if it alone stands beside the headline, and not as that of an update."""
        updated = self.updated(first)
        if updated is not None and days(updated) & days(first):
            return None
        shown = self._shown
        written = {moment.local_day for moment, _ in shown}
        if len(written) != 1 or any(is_update for _, is_update in shown):
            return None
        day = min(written)
        if as_written(first) is None:
            # A month, or a year: the page may show which day of it.
            return (shown[0][0], "html") if day.startswith(first.iso) else None
        if updated is not None and day in days(updated) and day > max(days(first)):
            return updated, "html"
        # A day later may be the same moment in another zone.
        later = date.fromisoformat(day) - date.fromisoformat(max(days(first)))
        return (shown[0][0], "html") if later > _A_DAY else None

    @cached_property
    def _shown(self) -> Sequence[tuple[Moment, bool]]:
        """The dates in lines of their own around the headline, and whether each is said to be one of an update."""
        start = self._headline()
        if start is None:
            return ()
        found: list[tuple[Moment, bool]] = []
        words = patterns().labels["dateword"]
        behind = self.blocks[start + 1 : start + 1 + _BEHIND]
        text_at = next((position for position, block in enumerate(behind) if len(block.text) > _TEXT), len(behind))
        for block in (*behind[:text_at], *self.blocks[max(0, start - _BEFORE) : start]):
            text = block.text
            if len(text) > _DATELINE or block.context & _FIGURE or not any(map(str.isdigit, text)):
                continue
            if sum(word not in words for word in _LETTERS.findall(text.casefold())) > _OTHER_WORDS:
                continue
            found.extend(self._in_text(text))
        return found

    def _headline(self) -> Optional[int]:
        """Where the headline stands: in the first `h1` of its words, else in any block of them, else in any `h1`.

        On a page without `h1` the title may be the headline and the names of section and site behind it.
        """
        title = fold(self.title)
        headings = [position for position, block in enumerate(self.blocks) if block.tag == "h1"]
        same = (position for position in headings if fold(self.blocks[position].text) == title)
        size = len(self.title)
        alike = (
            position
            for position, block in enumerate(self.blocks)
            if title and abs(len(block.text) - size) < _PUNCTUATION and fold(block.text) == title
        )
        opening = (
            position
            for position, block in enumerate(self.blocks)
            if _SHORT_TITLE < len(block.text) < size and title.startswith(fold(block.text) or "\n")
        )
        return next(chain(same, alike, headings, opening), None)

    def _in_text(self, text: str) -> Iterator[tuple[Moment, bool]]:
        return (one for one in dated(text) if sensible(one[0], self.fetched_at))

    def _elements(self) -> Iterator[Moment]:
        """From the page's elements: beside the headline, in `time`, in what its class or `itemprop` names a date.

        Beside the headline of an article that shows a date of update alone, all others are of other stories.
        """
        shown = [moment for moment, is_update in self._shown if not is_update]
        if shown:
            # The same moment in an attribute has its zone, too, and that of the same day the time.
            first = shown[0]
            times = (one for one in self._times() if first.local_day in days(one))
            yield next((one for one in times if first.precision == "day" or agree(first, one)), first)
        elif not self._shown:
            yield from self._times()
            yield from (moment for moment, is_update in self._named() if not is_update)

    def _named(self) -> Iterator[tuple[Moment, bool]]:
        """Dates in what its class or `itemprop` names one, the nearest to the headline first.

        One at the top of the page is often today's, those further down are of other stories.
        """
        headline = self._headline() or 0
        positions = (
            position
            for position, block in enumerate(self.blocks)
            if len(block.text) < 200 and (block.item & ITEM_DATE or block.own & CLASS_BIT["date"])
        )
        for position in sorted(positions, key=lambda position: abs(position - headline)):
            yield from self._in_text(self.blocks[position].text)

    def _times(self) -> Iterator[Moment]:
        for element in self.tree.iter("time"):
            value = element.get("datetime") or element.get("content") or ""
            moment = self._usable(value or "".join(element.itertext()))
            if moment and moment.precision not in ("year", "month"):
                yield moment

    def _fed(self) -> Iterator[Moment]:
        moment = self._usable(self.feed_date or "")
        if moment:
            yield moment

    def _text(self) -> Iterator[Moment]:
        lines = () if self._shown else self._lines()
        return (moment for moment, is_update in lines if not is_update)

    def _lines(self) -> Iterator[tuple[Moment, bool]]:
        """Dates in any short line behind the first heading, before the text."""
        started = False
        for block in self.blocks:
            started = started or block.tag in ("h1", "h2")
            if len(block.text) < _DATELINE and started:
                yield from self._in_text(block.text)
            if len(block.text) > _TEXT:
                break

    def _addressed(self) -> Iterator[Moment]:
        moment = url_date(self.url)
        if moment and sensible(moment, self.fetched_at):
            yield moment

    def _changed(self) -> Iterator[Moment]:
        """The last change, as the page tells machines or else its readers."""
        told = self.updated(None)
        if told:
            yield told
        yield from (moment for moment, is_update in chain(self._shown, self._named(), self._lines()) if is_update)


def days(moment: Moment) -> set[str]:
    """The day of a time, as written and in UTC."""
    return {moment.local_day, moment.iso[:10]} - {""}


def agree(shown: Moment, told: Moment) -> bool:
    """Whether a time for readers, most often without its zone, may be the same moment as one with a zone."""
    if not told.iso.endswith("Z") or {shown.precision, told.precision} - {"minute", "second"}:
        return False
    local, utc = (datetime.fromisoformat(one.iso.removesuffix("Z")).replace(second=0) for one in (shown, told))
    apart = abs(local - utc)
    return not apart if shown.iso.endswith("Z") else apart <= _ZONES and not apart % _ZONE_STEP
