"""ReadQueue: on each tick, what others have pushed onto a topic since the last one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.metrics import Metrics
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.kafka_address import parse_kafka
from newsbeam.transforms.model.records import DeadLetter, Page
from newsbeam.transforms.runtime.dead_letters import DEAD, DeadLetters, dead_letter
from newsbeam.transforms.runtime.measures import count_input
from newsbeam.transforms.runtime.process_cache import ProcessCache
from newsbeam.transforms.sources.event_loop import Mailbox
from newsbeam.transforms.sources.feed_source import FeedSource
from newsbeam.transforms.sources.kafka.memory import QueueMemory
from newsbeam.transforms.sources.kafka.messages import STAGE, Taken, read_message
from newsbeam.transforms.sources.polling.feed_shard import Discovery, utc
from newsbeam.transforms.sources.ticks import Tick

if TYPE_CHECKING:
    from newsbeam.transforms.sources.kafka.kafka import KafkaShard  # needs an extra

_PAGES = "pages"


@dataclass(frozen=True)
class QueueOptions:
    """A topic to read.

    Attributes:
        uri: `kafka://…` with its parameters.
        source: what the configuration says of it; its `url` is the address without parameters.
        shards: partitions are spread over so many; fixed for a job.
        memory: of earlier runs; None where the runner's own state is durable.
    """

    uri: Address
    source: FeedSource
    shards: int = 1
    memory: QueueMemory | None = None


class _Built(NamedTuple):
    shard: "KafkaShard"
    more: Mailbox[None]

    def close(self) -> None:
        """Commits what has its outcome, and leaves the group."""
        self.shard.close()


_shards: ProcessCache[_Built] = ProcessCache(close=_Built.close)
"""The shards of this process, each beside the positions up to which it has read."""


class _ReadShard(beam.DoFn):
    """On each tick of a shard: commit what is done, take what has come, hand it on."""

    POSITIONS = ReadModifyWriteStateSpec("positions", BytesCoder())

    def __init__(self, options: QueueOptions, place: str) -> None:
        self._options = options
        self._place = place
        self._messages = Metrics.counter(STAGE, "messages")

    def process(self, element: tuple[int, Tick], positions: Any = beam.DoFn.StateParam(POSITIONS)) -> Iterator[Any]:
        number, tick = element
        durable = positions.read() or b""
        built = self._take(number, durable)
        built.more.take()
        built.shard.settle()
        if self._options.memory is None and durable:  # the runner has what was read up to there
            built.shard.commit(_offsets(durable))
        if tick.draining:
            return
        batch = built.shard.take(utc(tick.at))
        following = json.dumps(built.shard.positions()).encode()
        if following != durable:  # before anything is handed on: if this bundle fails, the two differ
            positions.write(following)
            _shards.put(self._place, number, built, following)
        if batch.more:
            built.more.put(None)
        for one, seen_at in batch.taken:
            yield self._read(one, seen_at)

    def _read(self, one: Taken, seen_at: str) -> Any:
        self._messages.inc()
        count_input()
        if isinstance(one, DeadLetter):
            return TaggedOutput(DEAD, one)
        queue = self._options.source
        try:
            read = read_message(one, queue, seen_at)
        except Exception as error:
            letter = dead_letter(STAGE, one, error)
            return TaggedOutput(DEAD, replace(letter, feed_url=queue.url, payload_ref=one.name))
        return read if isinstance(read, Discovery) else TaggedOutput(_PAGES, read)

    def _take(self, number: int, durable: bytes) -> _Built:
        """The shard of this process, if it stands where the runner's state does: else a bundle failed, or this is a
        new process, and it is built anew."""
        cached = _shards.get(self._place, number, durable)
        if cached is not None:
            return cached
        options = self._options
        begin_at = _offsets(durable) if options.memory is None and durable else {}
        from newsbeam.transforms.sources.kafka.kafka import KafkaShard

        shard = KafkaShard(options.uri, number, options.shards, options.memory, begin_at)
        built = _Built(shard, Mailbox())
        _shards.put(self._place, number, built, durable)
        return built


def _offsets(durable: bytes) -> dict[int, int]:
    return {int(number): offset for number, offset in json.loads(durable).items()}


class Queued(NamedTuple):
    """What a queue holds."""

    pages: PCollection[Page]
    """Pushed as they are."""
    entries: PCollection[Discovery]
    """To be fetched."""


class ReadQueue(beam.PTransform[PCollection[Tick], Queued]):
    """Takes what has come on each tick; what cannot be read goes to the dead letters.

    Args:
        options: the topic.
        dead_letters: the pipeline's.
    """

    def __init__(self, options: QueueOptions, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._options = options
        self._dead_letters = dead_letters

    def expand(self, ticks: PCollection[Tick]) -> Queued:
        options = self._options
        place = f"{parse_kafka(options.uri).shown} {options.memory!r}"
        found = (
            ticks
            | "To shards" >> beam.FlatMap(_to_shards, options.shards).with_output_types(tuple[int, Tick])
            | "Read" >> beam.ParDo(_ReadShard(options, place)).with_outputs(DEAD, _PAGES, main="entries")
        )
        found.entries.element_type = Discovery
        found[_PAGES].element_type = Page
        found[DEAD].element_type = DeadLetter
        self._dead_letters.add(STAGE, found[DEAD])
        return Queued(found[_PAGES], found.entries)


def _to_shards(tick: Tick, shards: int) -> Iterator[tuple[int, Tick]]:
    for shard in range(shards):
        yield shard, tick
