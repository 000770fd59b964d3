"""Discover: feeds are polled when they are due, and what is new or edited in them goes on.

On a tick, a shard settles the polls that have come back, makes what they came to durable, hands the new entries on, and
starts the polls that are due. Nothing waits for the network.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.metrics import Metrics
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from newsbeam.transforms.http.policy import SchedulePolicy
from newsbeam.transforms.model.records import DeadLetter
from newsbeam.transforms.runtime.dead_letters import DEAD, DeadLetters
from newsbeam.transforms.runtime.measures import count_input
from newsbeam.transforms.runtime.process_cache import ProcessCache
from newsbeam.transforms.sources.event_loop import HttpOptions, Mailbox, Worker, shared_loop
from newsbeam.transforms.sources.feed_source import FeedSource, Sources, shard_of_url
from newsbeam.transforms.sources.polling.feed_memory import FeedMemory, Found, MemoryFactory, ShardMemory
from newsbeam.transforms.sources.polling.feed_shard import STAGE, Discovery, FeedShard, Settled, utc
from newsbeam.transforms.sources.polling.poll import Ask, Polled, poll_feed
from newsbeam.transforms.sources.polling.schedule import unpack
from newsbeam.transforms.sources.ticks import Tick

_ROOM = 200
"""Polls of one shard that are under way at a time."""


@dataclass(frozen=True)
class DiscoverOptions:
    """What is polled, and how.

    Attributes:
        sources: the list of feeds.
        schedule: when feeds are polled.
        http: how requests are made.
        shards: fixed for a job: 1-8 on a laptop, 64-1024 on a cluster.
        memory: of earlier runs; None where the runner's own state is durable.
    """

    sources: Sources
    schedule: SchedulePolicy
    http: HttpOptions
    shards: int = 4
    memory: MemoryFactory | None = None


class Back(NamedTuple):
    """A poll that came back."""

    feed_url: str
    polled: Polled


async def _poll(worker: Worker, ask: Ask, fetched_at: str) -> Back:
    return Back(ask.feed_url, await poll_feed(worker.client, ask, worker.parse, fetched_at))


def _brings_news(back: Back) -> bool:
    return back.polled.document is not None


class _Shard:
    """A shard of feeds, its memory, and what is on its way to it."""

    def __init__(
        self, options: DiscoverOptions, number: int, sources: Mapping[str, FeedSource], snapshot: bytes
    ) -> None:
        self.memory: FeedMemory = options.memory.open() if options.memory else ShardMemory(snapshot)
        self.mailbox: Mailbox[Back] = Mailbox(_brings_news)
        self.under_way = 0
        self.pending = [
            found for found in self.memory.pending() if shard_of_url(_feed_of(found), options.shards) == number
        ]
        rate = max(options.schedule.catch_up_per_s / options.shards, 0.1)
        self._feeds = FeedShard(
            replace(options.schedule, catch_up_per_s=rate), options.http.policy.per_host, self.memory.known, sources
        )
        self._sources = sources
        self._number = number
        self._shards = options.shards

    def begin(self, now: float) -> None:
        """Takes up the schedule where it was left."""
        states = self.memory.states()
        adopted = [
            url for url, state in states.items() if url not in self._sources and unpack(state).parent in self._sources
        ]
        self._feeds.load([*self._sources, *adopted], states, now)

    def settle(self, now: float) -> tuple[int, list[Found]]:
        """How many polls have come back since the last tick, and what is new in them; all of it is durable."""
        settled: list[Settled] = []
        taken = self.mailbox.take()
        for back in taken:
            self.under_way -= 1
            one = self._feeds.settle(back.feed_url, back.polled, now)
            settled.append(one)
            if one.further:
                settled += self._feeds.adopt(back.feed_url, one.further, now)
        return len(taken), list(self.memory.save(settled)) if settled else []

    def due(self, now: float) -> list[Ask]:
        """The polls to start."""
        asks = self._feeds.due(now, max(0, _ROOM - self.under_way))
        self.under_way += len(asks)
        return asks


_shards: ProcessCache[_Shard] = ProcessCache()
"""The shards of this process, each beside the generation of the snapshot that it stands for."""


class _PollFeeds(beam.DoFn):
    """On each tick of a shard: settle, save, hand on, start."""

    GENERATION = ReadModifyWriteStateSpec("generation", BytesCoder())
    SNAPSHOT = ReadModifyWriteStateSpec("snapshot", BytesCoder())

    def __init__(self, options: DiscoverOptions, place: str) -> None:
        self._options = options
        self._place = place
        self._sources: dict[int, dict[str, FeedSource]] | None = None
        self._polls = Metrics.counter(STAGE, "polls")
        self._entries = Metrics.counter(STAGE, "entries")

    def process(
        self,
        element: tuple[int, Tick],
        generation: Any = beam.DoFn.StateParam(GENERATION),
        snapshot: Any = beam.DoFn.StateParam(SNAPSHOT),
    ) -> Iterator[Any]:
        number, tick = element
        shard, pending = self._take(number, tick, generation, snapshot)
        polls, fresh = shard.settle(tick.at)
        if polls and isinstance(shard.memory, ShardMemory):
            following = ((int.from_bytes(generation.read() or b"\0", "big") + 1) % (1 << 63)).to_bytes(8, "big")
            snapshot.write(shard.memory.snapshot())
            generation.write(following)
            _shards.put(self._place, number, shard, following)
        self._polls.inc(polls)
        for found in (*pending, *fresh):
            count_input()
            if isinstance(found, Discovery):
                self._entries.inc()
                yield found
            else:
                yield TaggedOutput(DEAD, found)
        if not tick.draining:
            loop = shared_loop(self._options.http)
            for ask in shard.due(tick.at):
                loop.start(partial(_poll, ask=ask, fetched_at=utc(tick.at)), shard.mailbox)

    def _take(self, number: int, tick: Tick, generation: Any, snapshot: Any) -> tuple[_Shard, Iterable[Found]]:
        now_at = b"" if self._options.memory else generation.read() or b""
        cached = _shards.get(self._place, number, now_at)
        if cached is not None:
            return cached, ()
        saved = b"" if self._options.memory else snapshot.read() or b""
        shard = _Shard(self._options, number, self._listed(number), saved)
        shard.begin(tick.at)
        _shards.put(self._place, number, shard, now_at)
        return shard, shard.pending

    def _listed(self, number: int) -> dict[str, FeedSource]:
        if self._sources is None:
            self._sources = {}
            for source in self._options.sources.feeds():
                at = shard_of_url(source.url, self._options.shards)
                self._sources.setdefault(at, {})[source.url] = source
        return self._sources.get(number, {})


def _feed_of(found: Found) -> str:
    return found.entry.feed_url if isinstance(found, Discovery) else found.feed_url


class Discover(beam.PTransform[PCollection[Tick], PCollection[Discovery]]):
    """Polls feeds when they are due; new and edited entries go on, failures to the dead letters.

    Args:
        options: what is polled, and how.
        dead_letters: the pipeline's.
    """

    def __init__(self, options: DiscoverOptions, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._options = options
        self._dead_letters = dead_letters

    def expand(self, ticks: PCollection[Tick]) -> PCollection[Discovery]:
        options = self._options
        poll = _PollFeeds(options, repr((options.memory, options.http)))
        found = (
            ticks
            | "To shards" >> beam.FlatMap(_to_shards, options.shards).with_output_types(tuple[int, Tick])
            | "Poll" >> beam.ParDo(poll).with_outputs(DEAD, main="found")
        )
        found.found.element_type = Discovery
        found[DEAD].element_type = DeadLetter
        self._dead_letters.add(STAGE, found[DEAD])
        return found.found


def _to_shards(tick: Tick, shards: int) -> Iterator[tuple[int, Tick]]:
    for shard in range(shards):
        yield shard, tick
