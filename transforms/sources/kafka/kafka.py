"""A Kafka topic as a source: the partitions of one shard, read without losing or doubling a message.

Partitions are assigned by number and not by the group protocol: a shard has its own, whatever else runs. The group's
offsets serve to take up where outcomes end (`commit`), and whoever watches the group's lag sees it as it is.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Optional, Union

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import SourceError
from newsbeam.transforms.model.kafka_address import KafkaAddress, parse_kafka
from newsbeam.transforms.model.records import DeadLetter
from newsbeam.transforms.sources.kafka.memory import QueueMemory
from newsbeam.transforms.sources.kafka.messages import STAGE, Message, Taken

GROUP = "newsbeam"
OPEN_MESSAGES = 1_000
"""Messages of one shard that have no outcome yet: beyond so many no more are read."""
TAKEN_MESSAGES = 500
TAKEN_BYTES = 16_000_000
"""What one tick takes, about; the rest comes with the next, a second later at most."""

_AT_ONCE = 50
_METADATA_S = 5.0
_SOON_S = 2.0
_LOOK_AGAIN_S = 60.0
"""Between looks at the topic's partitions, and between warnings about brokers that are away."""
_OURS = frozenset({"dead_letters", "enable.auto.commit", "enable.auto.offset.store"})
_LOST_PLACE = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})

_log = logging.getLogger(__name__)


@dataclass
class _Partition:
    """Where the reading of a partition is.

    Attributes:
        following: the offset to be read next.
        open: offsets that were handed on and have no outcome, in their order, with the units they stand for.
        committed: what the broker was last told.
    """

    following: int
    open: dict[int, str] = field(default_factory=dict)
    committed: int = -1

    @property
    def done(self) -> int:
        """Every message before this offset has its outcome."""
        return min(self.open, default=self.following)


@dataclass(frozen=True)
class Batch:
    """What one look at the topic brought.

    Attributes:
        taken: messages with when each was first seen, and dead letters of what the broker no longer has.
        more: there is more to be had at once.
    """

    taken: Sequence[tuple[Taken, str]] = ()
    more: bool = False


class KafkaShard:
    """The partitions whose number is `number` modulo `shards`.

    Args:
        uri: of the topic.
        memory: of earlier runs; None where the runner's state is durable.
        positions: where to begin, by partition; what is not there begins where the group's offsets end, or where
            `auto.offset.reset` says (`earliest`, if it says nothing).
        clock: seconds; a test's own.
    """

    def __init__(
        self,
        uri: Union[str, Address],
        number: int,
        shards: int,
        memory: Optional[QueueMemory],
        positions: Mapping[int, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = parse_kafka(uri)
        self._number = number
        self._shards = shards
        self._memory = memory
        self._begin_at = dict(positions)
        self._clock = clock
        self._consumer: Optional[Consumer] = None
        self._partitions: dict[int, _Partition] = {}
        self._held: list[Taken] = []
        self._misplaced: set[int] = set()
        self._look_at = 0.0
        self._warn_at = 0.0

    def positions(self) -> dict[int, int]:
        """The offset to be read next, by partition."""
        return {number: partition.following for number, partition in sorted(self._partitions.items())}

    def take(self, seen_at: str) -> Batch:
        """What has come and has no outcome yet; noted, so that it may be handed on.

        Args:
            seen_at: now (UTC, `...Z`): the time that messages bear which are new.
        """
        try:
            self._look()
            if self._consumer is not None and not self._held:
                self._read(self._consumer)
        except KafkaException as error:
            self._warn(str(error.args[0]))
        if not self._held:
            return Batch()
        try:
            known = self._note([one.unit for one in self._held], seen_at)
        except sqlite3.OperationalError as error:
            self._warn(f"the ledger cannot be written ({error}); messages wait")
            return Batch()
        held, self._held = self._held, []
        taken = []
        for one in held:
            if one.unit in known:
                taken.append((one, known[one.unit]))
                if isinstance(one, Message) and self._memory is not None:
                    self._partitions[one.partition].open[one.offset] = one.unit
        return Batch(taken, len(held) >= TAKEN_MESSAGES)

    def settle(self, wait: bool = False) -> None:
        """Forgets what has its outcome by now, and tells the broker how far that reaches."""
        if self._memory is None:
            return
        units = [unit for partition in self._partitions.values() for unit in partition.open.values()]
        if units:
            with suppress(sqlite3.OperationalError):  # the next tick will do
                settled = self._memory.settled(units)
                for partition in self._partitions.values():
                    partition.open = {at: unit for at, unit in partition.open.items() if unit not in settled}
        self.commit({number: partition.done for number, partition in self._partitions.items()}, wait)

    def commit(self, offsets: Mapping[int, int], wait: bool = False) -> None:
        """Tells the broker that all before these offsets is done; what it misses is only read and passed over again."""
        told = []
        for number, offset in sorted(offsets.items()):
            partition = self._partitions.get(number)
            if partition is not None and offset > partition.committed:
                told.append(TopicPartition(self._address.topic, number, offset))
                partition.committed = offset
        if told and self._consumer is not None:
            try:
                self._consumer.commit(offsets=told, asynchronous=not wait)  # type: ignore[call-overload]
            except KafkaException as error:
                self._warn(str(error.args[0]))

    def close(self) -> None:
        """Lets go of the consumer; what it read and nobody was told of is read again."""
        if self._consumer is not None:
            self.settle(wait=True)
            self._consumer.close()
            self._consumer = None

    def _note(self, units: Sequence[str], seen_at: str) -> Mapping[str, str]:
        return dict.fromkeys(units, seen_at) if self._memory is None else self._memory.note(units, seen_at)

    def _look(self) -> None:
        """Begins with the partitions that are new, and again with those whose place was lost."""
        if self._clock() < self._look_at:
            return
        self._look_at = self._clock() + (_LOOK_AGAIN_S if self._partitions else _SOON_S)
        consumer = self._consumer or _consumer(self._address)
        try:
            there = consumer.list_topics(self._address.topic, timeout=_METADATA_S).topics[self._address.topic]
            if there.error is not None:
                raise KafkaException(there.error)
            mine = [number for number in sorted(there.partitions) if number % self._shards == self._number]
            new = [number for number in mine if number not in self._partitions]
            if new:
                self._begin(consumer, new)
            if self._misplaced:
                self._place_again(consumer)
        finally:
            if self._partitions:
                self._consumer = consumer
            else:
                consumer.close()
        self._look_at = self._clock() + _LOOK_AGAIN_S

    def _begin(self, consumer: Consumer, numbers: Sequence[int]) -> None:
        topic = self._address.topic
        asked = [TopicPartition(topic, number) for number in numbers]
        committed = {one.partition: one.offset for one in consumer.committed(asked, timeout=_METADATA_S)}
        begun = {}
        for number in numbers:
            reached = self._begin_at.get(number, committed[number])
            following = self._find_offset(consumer, number, reached)
            begun[number] = _Partition(following, committed=-1 if following < reached else committed[number])
        self._partitions |= begun
        self._assign(consumer)

    def _place_again(self, consumer: Consumer) -> None:
        for number in sorted(self._misplaced):
            partition = self._partitions[number]
            reached = self._find_offset(consumer, number, partition.following)
            if reached < partition.done:  # a topic made anew: what was open is not in it
                partition.open, partition.committed = {}, -1
            partition.following = reached
        self._misplaced.clear()
        self._assign(consumer)

    def _assign(self, consumer: Consumer) -> None:
        topic = self._address.topic
        consumer.assign([TopicPartition(topic, n, one.following) for n, one in sorted(self._partitions.items())])

    def _find_offset(self, consumer: Consumer, number: int, reached: int) -> int:
        """Where to read on, if reading has come to `reached`; what is no longer there becomes a dead letter."""
        low, high = consumer.get_watermark_offsets(
            TopicPartition(self._address.topic, number), timeout=_METADATA_S, cached=False
        )
        if reached < 0:  # nothing was ever committed
            return high if dict(self._address.properties).get("auto.offset.reset") in ("latest", "largest") else low
        name = f"{self._address.topic}/{number}"
        if reached < low:
            gone = f"{name}#{reached}-{low - 1}"
            message = f"{gone}: the broker deleted these before they were read; keep them longer (retention.ms)"
            self._held.append(_letter("expired", f"kafka:{gone}", message, gone))
            return low
        if reached > high:
            message = f"{name} ends at {high} and was read up to {reached}: it was made anew; reading begins at {low}"
            self._held.append(_letter("rewound", f"kafka:{name}#{reached}>{high}", message, name))
            return low
        return reached

    def _read(self, consumer: Consumer) -> None:
        size = 0
        most = min(TAKEN_MESSAGES, OPEN_MESSAGES - sum(len(partition.open) for partition in self._partitions.values()))
        while len(self._held) < most and size < TAKEN_BYTES:
            came = consumer.consume(min(_AT_ONCE, most - len(self._held)), timeout=0)
            for message in came:
                error, number = message.error(), message.partition()
                if error is None:
                    size += self._keep(_message(message))
                elif error.code() in _LOST_PLACE and number in self._partitions:
                    self._misplaced.add(number)
                    self._look_at = 0.0
                else:
                    self._warn(error.str())
            if not came:
                break

    def _keep(self, message: Message) -> int:
        partition = self._partitions[message.partition]
        if message.offset < partition.following:  # from before the place was found anew
            return 0
        partition.following = message.offset + 1
        self._held.append(message)
        return len(message.value or b"")

    def _warn(self, message: str) -> None:
        if self._clock() >= self._warn_at:
            self._warn_at = self._clock() + _LOOK_AGAIN_S
            _log.warning("%s: %s", self._address.shown, message)


def _letter(reason: str, unit: str, message: str, name: str) -> DeadLetter:
    return DeadLetter(stage=STAGE, reason=reason, message=message, unit=unit, payload_ref=name)


def _message(message: KafkaMessage) -> Message:
    topic, partition, offset, value = message.topic(), message.partition(), message.offset(), message.value()
    if topic is None or partition is None or offset is None:
        raise RuntimeError("a message without a place in its topic")
    return Message(topic, partition, offset, value.encode() if isinstance(value, str) else value)


def _consumer(address: KafkaAddress) -> Consumer:
    properties = {name: value for name, value in address.properties if name not in _OURS}
    return Consumer(
        {
            "group.id": GROUP,
            "client.id": "newsbeam",
            "queued.max.messages.kbytes": 16_384,  # of each partition, in memory
            "fetch.max.bytes": 16_777_216,
            "max.poll.interval.ms": 86_400_000,  # a tick may take long; nobody else waits for these partitions
            **properties,
            "bootstrap.servers": address.brokers,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",  # what is gone is told, not jumped over
        }
    )


def find_topic(address: KafkaAddress) -> None:
    """Asks the brokers for the topic. Raises `SourceError` if they do not answer or do not have it."""
    try:
        consumer = _consumer(address)
    except (KafkaException, TypeError) as exception:
        raise SourceError(f"{address.shown}: {exception}", address=address.shown) from exception
    try:
        topics = consumer.list_topics(timeout=_METADATA_S).topics
        if address.topic not in topics:
            raise SourceError(f"{address.shown}: there is no such topic; there are {', '.join(sorted(topics)[:20])}")
    except KafkaException as exception:
        raise SourceError(f"Kafka at {address.brokers} cannot be used: {exception.args[0].str()}") from exception
    finally:
        consumer.close()
