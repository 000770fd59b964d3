"""A real server that is away for ten minutes, by a clock of the tests: the other sinks go on, memory stays where it is,
and nothing is lost once it is back."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.kafka_address import parse_kafka
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.sinks.sink import Sink
from newsbeam.transforms.sinks.spool import SpoolingSink, drain_spool, waiting
from newsbeam.transforms.sinks.uri import check_sink, open_sink
from tests.sinks.test_webhook import Receiver, serving
from tests.support.sinks_servers import Kafka, Postgresql, free_port

EVERY_S = 5
AWAY_S = 600
BATCH = 20
TEXT = "A sentence of some length, as articles have them. " * 60


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def batch(number: int) -> list[Article | DeadLetter]:
    news = [Article(id=f"n{number}-{i}", url="https://example.org/", text=TEXT) for i in range(BATCH - 1)]
    return [*news, DeadLetter("fetch", "http_404", "", unit=f"u{number}")]


def ids(batches: range) -> list[str]:
    return sorted(f"n{number}-{i}" for number in batches for i in range(BATCH - 1))


def goes_away(uri: str, folder: Path, stop: Callable[[], None], start: Callable[[], None]) -> None:
    """Batches to the server and to a file, every five seconds; the server is away for ten minutes of them."""
    spool, clock = folder / "spool.db", Clock()
    far = SpoolingSink(open_sink(uri), str(Address(uri)), spool, clock=clock)
    near = open_sink(f"sqlite:{folder}/news.db")
    far.open()
    near.open()
    sinks: list[Sink] = [far, near]

    def write(number: int) -> None:
        clock.now += EVERY_S
        for sink in sinks:
            counts = sink.write(batch(number))
        assert counts.inserted == BATCH - 1, "the other sink has it at once"

    write(0)
    assert waiting(spool) == {}
    stop()
    last = AWAY_S // EVERY_S
    tracemalloc.start()
    for number in range(1, last + 1):
        write(number)
        if number == last // 4:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert waiting(spool) == {str(Address(uri)): last * BATCH}
    assert after - before < 500_000, "what waits is on disk: 5 MB in this while"
    assert peak - before < 3_000_000
    start()
    clock.now += 60
    write(last + 1)
    assert waiting(spool) == {}
    stop()
    write(last + 2)
    far.close()
    near.close()
    start()
    drain_spool(uri, spool)  # as a run does at its end
    assert waiting(spool) == {}


ALL = range(AWAY_S // EVERY_S + 3)


@pytest.fixture(autouse=True)
def _quiet_log(caplog: pytest.LogCaptureFixture) -> None:
    """pytest keeps what is logged, and that counts as memory."""
    caplog.set_level("CRITICAL")


def test_postgresql_has_each_record_once_after_ten_minutes_away(
    postgresql: Postgresql,
    tmp_path: Path,
) -> None:
    check_sink(postgresql.uri)
    goes_away(postgresql.uri, tmp_path, lambda: postgresql.stop("immediate"), postgresql.start)
    with psycopg.connect(postgresql.uri) as connection:
        stored = [row[0] for row in connection.execute("SELECT id FROM articles")]
        letters = [row[0] for row in connection.execute("SELECT unit FROM dead_letters")]
    assert sorted(stored) == ids(ALL)
    assert sorted(letters) == sorted(f"u{number}" for number in ALL)


def test_kafka_has_each_record_after_ten_minutes_away(
    kafka: Kafka,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("newsbeam.transforms.sinks.kafka.PROBE_S", 0.3)
    uri = f"kafka://{kafka.address}/away?delivery.timeout.ms=1500&request.timeout.ms=1000&log_level=0"
    check_sink(uri)

    def start() -> None:
        kafka.start()
        check_sink(uri)  # until it answers
        monkeypatch.setattr("newsbeam.transforms.sinks.kafka.PROBE_S", 10)

    def stop() -> None:
        monkeypatch.setattr("newsbeam.transforms.sinks.kafka.PROBE_S", 0.3)
        kafka.kill()

    goes_away(uri, tmp_path, stop, start)
    assert sorted(set(keys(uri, "away"))) == ids(ALL)
    assert sorted(set(keys(uri, "away.dead"))) == sorted(f"u{number}" for number in ALL)


def keys(uri: str, topic: str) -> list[str]:
    """The keys of all messages of a topic."""
    consumer = Consumer({"bootstrap.servers": parse_kafka(uri).brokers, "group.id": "test"})
    found = []
    for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        place = TopicPartition(topic, partition, 0)
        _, end = consumer.get_watermark_offsets(place, timeout=10)
        consumer.assign([place])
        while len(found) < 100_000 and consumer.position([TopicPartition(topic, partition)])[0].offset < end and end:
            message = consumer.poll(10)
            assert message is not None
            assert message.error() is None
            found.append((message.key() or b"").decode())
    consumer.close()
    return found


def test_a_webhook_gets_each_record_after_ten_minutes_away(tmp_path: Path) -> None:
    port = free_port()
    received: list[Receiver] = []
    running = []

    def start() -> None:
        running.append(serving(port))
        received.append(running[-1].__enter__())

    def stop() -> None:
        running.pop().__exit__(None, None, None)

    start()
    goes_away(f"webhook+http://127.0.0.1:{port}/hook", tmp_path, stop, start)
    bodies = [json.loads(body) for receiver in received for _, body in receiver.got]
    assert sorted(article["id"] for body in bodies for article in body["articles"]) == ids(ALL)
    assert sorted(letter["unit"] for body in bodies for letter in body["dead_letters"]) == sorted(
        f"u{number}" for number in ALL
    )
