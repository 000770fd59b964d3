"""FetchPages: the page behind each entry, politely; entries that carry their own text need none.

Requests go on across bundles. A shard begins what its room allows and looks on each tick what has come back; what it
has no room for waits in state.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder, registry
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec

from newsbeam.transforms.feeds.entries import has_full_text
from newsbeam.transforms.http.policy import SchedulePolicy
from newsbeam.transforms.model.records import DeadLetter, Page
from newsbeam.transforms.runtime.dead_letters import DEAD, DeadLetters
from newsbeam.transforms.runtime.process_cache import ProcessCache
from newsbeam.transforms.sources.event_loop import HttpOptions, Mailbox, Worker, shared_loop
from newsbeam.transforms.sources.feed_source import FeedSource, Sources, shard_of_url
from newsbeam.transforms.sources.fetching.fetch_shard import (
    STAGE,
    Ended,
    Fetched,
    FetchShard,
    fetch_page,
    page_from_feed,
    page_of,
    without_address,
)
from newsbeam.transforms.sources.polling.feed_shard import Discovery
from newsbeam.transforms.sources.ticks import Tick

_TO_FETCH = "to_fetch"


@dataclass(frozen=True)
class FetchOptions:
    """How pages are fetched.

    Attributes:
        sources: what the configuration says of the feeds that entries come from.
        schedule: for `Retry-After`.
        http: how requests are made.
        shards: fixed for a job.
        room: requests of one shard under way at a time.
        queue: entries of one shard in memory; more wait in state.
    """

    sources: Sources
    schedule: SchedulePolicy
    http: HttpOptions
    shards: int = 4
    room: int = 100
    queue: int = 1_000


async def _fetch(worker: Worker, discovery: Discovery, options: FetchOptions, now: float) -> Fetched:
    return await fetch_page(worker.client, discovery, options.http.agent, now, options.schedule)


_START_AT_ONCE = 50
"""A shard with fewer entries starts a new one when it arrives, not on the next tick."""


@dataclass
class _Built:
    shard: FetchShard
    mailbox: Mailbox[Fetched] = field(default_factory=Mailbox)
    ended: Ended = field(default_factory=Ended)
    tick: Tick | None = None


_shards: ProcessCache[_Built] = ProcessCache()


class _Named:
    """Feeds of the configuration by URL, read when first needed."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._named: dict[str, FeedSource] | None = None

    def __call__(self, feed_url: str) -> FeedSource | None:
        if self._named is None:
            self._named = {source.url: source for source in self._sources.feeds()}
        return self._named.get(feed_url)

    def __reduce__(self) -> Any:
        return _Named, (self._sources,)


class _Sort(beam.DoFn):
    """Entries with their own text become pages at once; the others go to the shard of their host."""

    def __init__(self, options: FetchOptions) -> None:
        self._shards = options.shards
        self._named = _Named(options.sources)

    def process(self, discovery: Discovery) -> Iterator[Any]:
        entry = discovery.entry
        has_own = entry.content or entry.summary  # an entry without a link is its own article, however short
        if entry.own_text or (has_own and not entry.url) or (entry.content and has_full_text(entry)):
            yield page_from_feed(discovery, self._named(entry.feed_url))
        elif not entry.url:
            yield TaggedOutput(DEAD, without_address(discovery))
        else:
            yield TaggedOutput(_TO_FETCH, (shard_of_url(entry.url, self._shards), discovery))


class _Fetch(beam.DoFn):
    """Keeps the queue of a shard; `waiting` has what is in memory too, `overflow` what is not."""

    WAITING = BagStateSpec("waiting", registry.get_coder(Discovery))
    OVERFLOW = BagStateSpec("overflow", registry.get_coder(Discovery))
    OVERFLOWING = ReadModifyWriteStateSpec("overflowing", BytesCoder())

    def __init__(self, options: FetchOptions, place: str) -> None:
        self._options = options
        self._place = place
        self._named = _Named(options.sources)

    def process(
        self,
        element: tuple[int, Tick | Discovery],
        waiting: Any = beam.DoFn.StateParam(WAITING),
        overflow: Any = beam.DoFn.StateParam(OVERFLOW),
        overflowing: Any = beam.DoFn.StateParam(OVERFLOWING),
    ) -> Iterator[Any]:
        number, message = element
        built = self._take(number, waiting)
        if isinstance(message, Discovery):
            if len(built.shard) < self._options.queue:
                built.shard.add(message)
                waiting.add(message)
                if built.tick is not None and len(built.shard) < _START_AT_ONCE:
                    self._start(built, built.tick)
            else:
                overflow.add(message)
                overflowing.write(b"1")
            return
        yield from self._tick(built, message, waiting, overflow, overflowing)

    def _take(self, number: int, waiting: Any) -> _Built:
        built = _shards.get(self._place, number)
        if built is None:
            shard = FetchShard(self._options.http.policy)
            for discovery in sorted(waiting.read(), key=lambda one: (one.seen_at, one.unit)):  # a bag has no order
                shard.add(discovery)
            built = _Built(shard)
            _shards.put(self._place, number, built)
        return built

    def _tick(self, built: _Built, tick: Tick, waiting: Any, overflow: Any, overflowing: Any) -> Iterator[Any]:
        options, built.tick = self._options, tick
        for fetched in built.mailbox.take():
            built.shard.end(fetched, tick.at, built.ended)
        self._start(built, tick)
        ended, built.ended = built.ended, Ended()
        if ended.pages or ended.letters:
            if len(built.shard) <= options.queue // 2 and overflowing.read():
                self._refill(built.shard, overflow, overflowing)
            waiting.clear()
            for discovery in built.shard.unfinished():
                waiting.add(discovery)
        for discovery, response, fetched_at in ended.pages:
            yield page_of(discovery, response, fetched_at, self._named(discovery.entry.feed_url))
        for letter in ended.letters:
            yield TaggedOutput(DEAD, letter)

    def _start(self, built: _Built, tick: Tick) -> None:
        if tick.draining:
            return
        loop = shared_loop(self._options.http)
        for discovery in built.shard.start(tick.at, self._options.room, built.ended):
            loop.start(partial(_fetch, discovery=discovery, options=self._options, now=tick.at), built.mailbox)

    def _refill(self, shard: FetchShard, overflow: Any, overflowing: Any) -> None:
        stored = sorted(overflow.read(), key=lambda one: (one.seen_at, one.unit))
        overflow.clear()
        for place, discovery in enumerate(stored):
            if len(shard) < self._options.queue:
                shard.add(discovery)
            else:
                for left in stored[place:]:
                    overflow.add(left)
                return
        overflowing.clear()


class FetchPages(beam.PTransform[PCollection[Discovery], PCollection[Page]]):
    """The page of each entry; what cannot be had is a dead letter.

    Args:
        ticks: on each, what came back goes on and what is due begins.
        options: how pages are fetched.
        dead_letters: the pipeline's.
    """

    def __init__(self, ticks: PCollection[Tick], options: FetchOptions, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._ticks = ticks
        self._options = options
        self._dead_letters = dead_letters

    def expand(self, discoveries: PCollection[Discovery]) -> PCollection[Page]:
        options = self._options
        sorted_ = discoveries | "Sort" >> beam.ParDo(_Sort(options)).with_outputs(_TO_FETCH, DEAD, main="pages")
        ticks = self._ticks | "To shards" >> beam.FlatMap(_to_shards, options.shards)
        fetched = (
            (sorted_[_TO_FETCH], ticks)
            | "Entries and ticks" >> beam.Flatten()
            | "Keyed" >> beam.Map(lambda element: element).with_output_types(tuple[int, Any])
            | "Fetch" >> beam.ParDo(_Fetch(options, repr(options.http))).with_outputs(DEAD, main="pages")
        )
        for name, outputs in (("unfetchable", sorted_), (STAGE, fetched)):
            outputs.pages.element_type = Page
            outputs[DEAD].element_type = DeadLetter
            self._dead_letters.add(name, outputs[DEAD])
        return (sorted_.pages, fetched.pages) | "Pages" >> beam.Flatten()


def _to_shards(tick: Tick, shards: int) -> Iterator[tuple[int, Tick]]:
    for shard in range(shards):
        yield shard, tick
