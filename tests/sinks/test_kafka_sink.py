"""`kafka://` against a real broker."""

import json

import pytest
from confluent_kafka import Consumer, TopicPartition

from newsbeam.transforms.model.errors import SinkError, UsageError
from newsbeam.transforms.model.kafka_address import KafkaAddress, parse_kafka
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.sinks.kafka import KafkaSink
from newsbeam.transforms.sinks.uri import check_sink, open_sink
from newsbeam.transforms.sinks.write import Waiting
from tests.support.sinks_servers import Kafka

names = (f"news-{n}" for n in range(100))


def article(name: str, revision: int = 1, text: str = "") -> Article:
    return Article(id=name, url=f"https://example.org/{name}", revision=revision, text=text)


@pytest.fixture
def uri(kafka: Kafka) -> str:
    """Topics of its own for each test."""
    made = f"kafka://{kafka.address}/{next(names)}?delivery.timeout.ms=2000&request.timeout.ms=1000&reconnect.backoff.max.ms=500"
    check_sink(made)
    return made


def messages(uri: str, topic: str) -> list[tuple[str, str, list[tuple[str, bytes]]]]:
    """Key, value and headers of all there is, partition by partition."""
    consumer = Consumer({"bootstrap.servers": parse_kafka(uri).brokers, "group.id": "test"})
    found = []
    for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        consumer.assign([TopicPartition(topic, partition, 0)])
        while consumer.position([TopicPartition(topic, partition)])[0].offset < end and end:
            message = consumer.poll(10)
            assert message is not None
            assert message.error() is None
            found.append((message.key().decode(), message.value().decode(), message.headers() or []))
    consumer.close()
    return found


def test_an_address_has_brokers_topics_and_properties() -> None:
    assert parse_kafka("kafka://a:1,b:2/news?sasl.username=u&dead_letters=dead") == KafkaAddress(
        "a:1,b:2", "news", "dead", (("sasl.username", "u"),)
    )
    assert parse_kafka("kafka://a/news").dead_letters == "news.dead"
    for wrong in ("kafka://a", "kafka:///news", "kafka://a/b/c"):
        with pytest.raises(UsageError, match="kafka://broker:9092/topic"):
            parse_kafka(wrong)


def test_each_record_is_a_message_under_its_id_and_dead_letters_have_a_topic_of_their_own(uri: str) -> None:
    letter = DeadLetter("read", "empty", "nothing", unit="bad.txt")
    Waiting(open_sink(uri), "test").write([article("a"), article("b", 2), letter])
    topic = parse_kafka(uri).topic
    found = sorted(messages(uri, topic))
    assert [(key, json.loads(value)["id"], headers) for key, value, headers in found] == [
        ("a", "a", [("revision", b"1")]),
        ("b", "b", [("revision", b"2")]),
    ]
    assert found[0][1] == to_json(article("a"))
    assert [(key, json.loads(value)["reason"]) for key, value, _ in messages(uri, f"{topic}.dead")] == [
        ("bad.txt", "empty")
    ]


def test_revisions_of_an_article_stay_in_order(uri: str) -> None:
    sink = Waiting(open_sink(uri), "test")
    for revision in range(1, 6):
        sink.write([article(f"n{i}", revision) for i in range(20)])
    sink.close()
    seen: dict[str, list[int]] = {}
    for key, value, _ in messages(uri, parse_kafka(uri).topic):
        seen.setdefault(key, []).append(json.loads(value)["revision"])
    assert seen == {f"n{i}": [1, 2, 3, 4, 5] for i in range(20)}


def test_a_broker_that_is_killed_is_waited_for_and_nothing_is_lost(uri: str, kafka: Kafka) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            kafka.start()

    sink = Waiting(KafkaSink(uri), "test", None, sleep=sleep)
    sink.write([article(f"n{i:02}") for i in range(20)])
    kafka.kill()
    refused, _ = sink.write([article(f"n{i:02}") for i in range(20, 40)])
    sink.close()
    assert refused == []
    assert len(waits) >= 2
    assert {key for key, _, _ in messages(uri, parse_kafka(uri).topic)} == {f"n{i:02}" for i in range(40)}


def test_a_message_too_large_for_the_broker_is_refused_alone(uri: str) -> None:
    huge = article("huge", text="".join(chr(33 + (i * i * 31) % 90) for i in range(3_000_000)))
    refused, _ = Waiting(open_sink(f"{uri}&compression.type=none"), "test").write([article("a"), huge, article("b")])
    assert [(record, error.reason) for record, error in refused] == [(huge, "not_storable")]
    assert {key for key, _, _ in messages(uri, parse_kafka(uri).topic)} == {"a", "b"}


def test_brokers_that_are_not_there_are_an_error_before_work_starts() -> None:
    with pytest.raises(SinkError, match=r"127\.0\.0\.1:1 cannot be used"):
        check_sink("kafka://127.0.0.1:1/news?socket.timeout.ms=1000")
