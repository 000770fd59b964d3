"""`kafka://broker:9092,broker2:9092/topic`: each record a message, its key the article's id.

The producer is idempotent and waits for all in-sync replicas (`acks=all`). What is sent again after a failure is the
same key, revision and value: a compacted topic or a reader that keeps the highest revision of an id has each article
once. Dead letters go to the topic `TOPIC.dead` (`?dead_letters=OTHER`). Any other parameter is one of librdkafka's own
(https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md):
`?security.protocol=SASL_SSL&sasl.username=…`.
"""

from collections.abc import Callable, Sequence
from typing import Optional, Union

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from newsbeam.transforms.model.errors import Rejected, SinkAway, SinkError
from newsbeam.transforms.model.kafka_address import parse_kafka
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts

DELIVERY_S = 30.0
"""How long a batch may take before the brokers count as away."""
PROBE_S = 5.0
"""How long the brokers may take to say that they are there, each time the sink is opened: while they are away, the
other sinks are held up for so long at a try, and not for a delivery's time."""

_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})


class KafkaSink:
    """Sends a batch and waits until the brokers have it."""

    def __init__(self, uri: str) -> None:
        self._address = parse_kafka(uri)
        self._producer: Optional[Producer] = None

    def open(self) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": self._address.brokers,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 20,
                "delivery.timeout.ms": int(DELIVERY_S * 1000),
                "message.max.bytes": 10_000_000,
                "client.id": "newsbeam",
                **dict(self._address.properties),
            }
        )
        try:
            self._producer.list_topics(self._address.topic, timeout=PROBE_S)
        except KafkaException as exception:
            raise SinkAway(f"{self._address.brokers}: {exception.args[0].str()}") from exception

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if self._producer is None:
            raise RuntimeError("open() comes before write()")
        failed: list[KafkaError] = []
        delivered: list[int] = []

        def report(error: Optional[KafkaError], _: object) -> None:
            if error is None:
                delivered.append(1)
            else:
                failed.append(error)

        try:
            for record in batch:
                self._send(self._producer, record, report)
            self._producer.flush(DELIVERY_S + 5)
        except KafkaException as exception:
            failed.append(exception.args[0])
        lasting = [error for error in failed if error.code() in _TOO_LARGE]
        if lasting and len(lasting) == len(failed):
            raise Rejected("not_storable", f"Kafka will not take it: {lasting[0].str()}")
        if failed or len(delivered) < len(batch):
            why = failed[0].str() if failed else "no answer"
            raise SinkAway(f"{self._address.brokers}: {why} ({len(batch) - len(delivered)} of {len(batch)} not taken)")
        return WriteCounts()

    def close(self) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(1)
            self._producer = None

    def _send(self, producer: Producer, record: Record, report: Callable[[Optional[KafkaError], object], None]) -> None:
        topic, key = self._address.dead_letters, ""
        headers: list[tuple[str, Union[str, bytes, None]]] = []
        if isinstance(record, Article):
            topic, key, headers = self._address.topic, record.id, [("revision", str(record.revision))]
        else:
            key = record.unit or record.url
        while True:
            try:
                producer.produce(
                    topic,
                    value=to_json(record).encode(),
                    key=key.encode(errors="replace"),
                    headers=headers,
                    on_delivery=report,
                )
            except BufferError:  # librdkafka's own queue is full: let it drain
                producer.poll(0.1)
            else:
                producer.poll(0)
                return


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return KafkaSink(target)


def check(target: str) -> None:
    """Finds the brokers and makes the topics that are missing. Raises `SinkError`."""
    address = parse_kafka(target)
    try:
        admin = AdminClient(
            {"bootstrap.servers": address.brokers, "socket.timeout.ms": 10_000, **dict(address.properties)}
        )
        there = set(admin.list_topics(timeout=5).topics)
        wanted = [NewTopic(topic) for topic in (address.topic, address.dead_letters) if topic not in there]
        for made in admin.create_topics(wanted).values() if wanted else ():
            made.result()
    except KafkaException as exception:
        error = exception.args[0]
        if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise SinkError(f"Kafka at {address.brokers} cannot be used: {error.str()}") from exception


def finalize(target: str) -> WriteCounts:
    """Nothing is left to do: every batch was complete when it was written."""
    return WriteCounts()
