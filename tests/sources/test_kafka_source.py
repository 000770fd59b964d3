"""`kafka://` as a source, against a real broker."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from newsbeam.transforms.ledger.units import Ledger
from newsbeam.transforms.model.errors import SourceError
from newsbeam.transforms.model.records import DeadLetter, Outcome
from newsbeam.transforms.sources.kafka.check import check_topic
from newsbeam.transforms.sources.kafka.kafka import OPEN_MESSAGES, KafkaShard
from newsbeam.transforms.sources.kafka.memory import LedgerQueueMemory
from newsbeam.transforms.sources.kafka.messages import Message
from tests.support.sinks_servers import Kafka, until

names = (f"pushed-{n}" for n in range(100))
NOW = "2024-03-25T12:00:00Z"
LATER = "2024-03-25T13:00:00Z"


@pytest.fixture
def uri(kafka: Kafka) -> str:
    """A topic of its own for each test."""
    return made(kafka, next(names), partitions=2)


def made(kafka: Kafka, topic: str, partitions: int) -> str:
    admin = AdminClient({"bootstrap.servers": kafka.address})
    for done in admin.create_topics([NewTopic(topic, partitions)]).values():
        done.result()
    return f"kafka://{kafka.address}/{topic}?group.id={topic}"


def push(uri: str, *values: bytes | None, partition: int = 0) -> None:
    brokers, _, topic = uri.removeprefix("kafka://").partition("?")[0].partition("/")
    producer = Producer({"bootstrap.servers": brokers})
    for value in values:
        producer.produce(topic, value=value, partition=partition)
        producer.poll(0)
    assert producer.flush(30) == 0


def row(number: int) -> bytes:
    return json.dumps({"url": f"https://example.org/{number}", "text": f"Text {number}."}).encode()


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    file = str(tmp_path / "ledger.db")
    Ledger(file).create()
    return file


def taken(shard: KafkaShard, count: int, seen_at: str = NOW) -> list[tuple[Message | DeadLetter, str]]:
    """What comes until `count` have come: librdkafka fetches in threads of its own."""
    found: list[tuple[Message | DeadLetter, str]] = []

    def enough() -> bool:
        found.extend(shard.take(seen_at).taken)
        return len(found) >= count

    until(enough)
    return found


def values(found: list[tuple[Message | DeadLetter, str]]) -> list[bytes]:
    return sorted(one.value or b"" for one, _ in found if isinstance(one, Message))


def settle(ledger: str, found: list[tuple[Message | DeadLetter, str]]) -> None:
    Ledger(ledger).settle("run", [Outcome(one.unit, "story") for one, _ in found])


@pytest.fixture
def opened() -> Iterator[list[KafkaShard]]:
    shards: list[KafkaShard] = []
    yield shards
    for shard in shards:
        shard.close()


def test_what_has_its_outcome_is_not_read_again_and_what_has_none_is(
    uri: str, ledger: str, opened: list[KafkaShard]
) -> None:
    push(uri, *map(row, range(10)))
    push(uri, *map(row, range(10, 20)), partition=1)
    first = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "one"), {})
    found = taken(first, 20)
    assert values(found) == sorted(map(row, range(20)))
    done = [one for one in found if isinstance(one[0], Message) and one[0].offset not in (3, 7)]
    settle(ledger, done)
    # killed: not closed, nothing committed
    second = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "two"), {})
    opened += [first, second]
    again = taken(second, 4, LATER)
    assert sorted((one.offset, seen_at) for one, seen_at in again if isinstance(one, Message)) == [
        *((3, NOW), (3, NOW)),
        *((7, NOW), (7, NOW)),
    ], "the same messages, first seen when they were"
    assert Ledger(ledger).account().pending == 4
    settle(ledger, again)
    second.settle(wait=True)
    third = KafkaShard(uri, 0, 1, None, {})  # knows only what was committed
    opened.append(third)
    push(uri, row(99))
    assert values(taken(third, 1)) == [row(99)]


def test_offsets_are_committed_only_up_to_the_first_message_without_an_outcome(
    uri: str, ledger: str, opened: list[KafkaShard]
) -> None:
    push(uri, *map(row, range(10)))
    shard = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "one"), {})
    found = taken(shard, 10)
    settle(ledger, [one for one in found if isinstance(one[0], Message) and one[0].offset != 4])
    shard.settle(wait=True)
    shard.close()
    other = KafkaShard(uri, 0, 1, None, {})
    opened.append(other)
    assert [one.offset for one, _ in taken(other, 6) if isinstance(one, Message)] == [4, 5, 6, 7, 8, 9]


def test_no_more_is_read_while_too_many_have_no_outcome(uri: str, ledger: str, opened: list[KafkaShard]) -> None:
    push(uri, *map(row, range(OPEN_MESSAGES + 200)))
    shard = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "one"), {})
    opened.append(shard)
    found = taken(shard, OPEN_MESSAGES)
    assert len(found) == OPEN_MESSAGES
    assert shard.take(NOW).taken == ()
    settle(ledger, found)
    shard.settle()
    assert len(taken(shard, 200)) == 200


def test_what_the_broker_deleted_before_it_was_read_is_told(
    kafka: Kafka,
    uri: str,
    ledger: str,
    opened: list[KafkaShard],
) -> None:
    push(uri, *map(row, range(3)))
    shard = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "one"), {})
    settle(ledger, taken(shard, 3))
    shard.settle(wait=True)
    shard.close()
    push(uri, *map(row, range(3, 10)))
    topic = uri.partition("?")[0].rpartition("/")[2]
    admin = AdminClient({"bootstrap.servers": kafka.address})
    for done in admin.delete_records([TopicPartition(topic, 0, 8)]).values():
        done.result()
    again = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "two"), {})
    opened.append(again)
    letters = [one for one, _ in taken(again, 3) if isinstance(one, DeadLetter)]
    assert [(letter.reason, letter.payload_ref) for letter in letters] == [("expired", f"{topic}/0#3-7")]


def test_what_is_deleted_while_it_waits_to_be_read_is_told_too(
    kafka: Kafka,
    uri: str,
    ledger: str,
    opened: list[KafkaShard],
) -> None:
    """The reader is behind, and retention overtakes it."""
    topic = uri.partition("?")[0].rpartition("/")[2]
    slow = f"{uri}&queued.min.messages=1&queued.max.messages.kbytes=1&fetch.message.max.bytes=1000"
    now = [0.0]
    shard = KafkaShard(slow, 0, 1, LedgerQueueMemory(ledger, "one"), {}, clock=lambda: now[0])
    opened.append(shard)
    push(uri, row(0))
    taken(shard, 1)
    push(uri, *(row(n) + b" " * 100_000 for n in range(1, 40)))
    admin = AdminClient({"bootstrap.servers": kafka.address})
    for done in admin.delete_records([TopicPartition(topic, 0, 39)]).values():
        done.result()
    found = taken(shard, 2)
    while not any(isinstance(one, Message) and one.offset == 39 for one, _ in found):
        found += taken(shard, 1)
    offsets = [one.offset for one, _ in found if isinstance(one, Message)]
    gaps = [one.payload_ref for one, _ in found if isinstance(one, DeadLetter)]
    told = [n for gap in gaps for n in range(int(gap.split("#")[1].split("-")[0]), int(gap.split("-")[-1]) + 1)]
    assert sorted([*offsets, *told]) == list(range(1, 40)), "each message was read, or its loss told"


@pytest.mark.parametrize("pushed", [2, 9], ids=["shorter", "longer"])
def test_a_topic_made_anew_is_read_from_its_start(
    kafka: Kafka,
    ledger: str,
    opened: list[KafkaShard],
    pushed: int,
) -> None:
    """Kafka forgets a group's offsets with the topic; the ledger knows messages by their place and what they hold."""
    topic = next(names)
    uri = made(kafka, topic, partitions=1)
    push(uri, *map(row, range(5)))
    shard = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "one"), {})
    settle(ledger, taken(shard, 5))
    shard.settle(wait=True)
    shard.close()
    admin = AdminClient({"bootstrap.servers": kafka.address})
    for done in admin.delete_topics([topic]).values():
        done.result()
    until(lambda: topic not in admin.list_topics(timeout=5).topics)
    made(kafka, topic, partitions=1)
    push(uri, row(0), *map(row, range(101, 100 + pushed)))
    again = KafkaShard(f"{uri}", 0, 1, LedgerQueueMemory(ledger, "two"), {})
    opened.append(again)
    found = taken(again, pushed - 1)
    assert values(found) == list(map(row, range(101, 100 + pushed))), "row 0 is the same and has its outcome"


def test_a_reader_whose_own_position_is_beyond_the_topic_says_so_and_begins_anew(
    uri: str, opened: list[KafkaShard]
) -> None:
    push(uri, row(1), row(2))
    shard = KafkaShard(uri, 0, 2, None, {0: 40})
    opened.append(shard)
    found = taken(shard, 3)
    assert [one.reason for one, _ in found if isinstance(one, DeadLetter)] == ["rewound"]
    assert values(found) == [row(1), row(2)]


def test_a_reader_with_its_own_positions_begins_there(uri: str, opened: list[KafkaShard]) -> None:
    push(uri, *map(row, range(5)))
    shard = KafkaShard(uri, 0, 2, None, {0: 3})
    opened.append(shard)
    assert [one.offset for one, _ in taken(shard, 2) if isinstance(one, Message)] == [3, 4]
    assert shard.positions() == {0: 5}, "partition 1 is another shard's"


def test_a_broker_that_is_killed_is_waited_for(
    kafka: Kafka,
    uri: str,
    ledger: str,
    opened: list[KafkaShard],
) -> None:
    push(uri, row(1))
    shard = KafkaShard(f"{uri}&reconnect.backoff.max.ms=200", 0, 1, LedgerQueueMemory(ledger, "one"), {})
    opened.append(shard)
    found = taken(shard, 1)
    kafka.kill()
    for _ in range(3):
        assert shard.take(NOW).taken == ()
    settle(ledger, found)
    shard.settle()
    kafka.start()
    push(uri, row(2))
    assert values(taken(shard, 1)) == [row(2)]


def test_a_ledger_that_cannot_be_written_holds_messages_back_and_loses_none(
    uri: str, ledger: str, opened: list[KafkaShard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsbeam.transforms.sources.kafka.memory._WAIT_S", 0.0)
    push(uri, row(1))
    shard = KafkaShard(uri, 0, 1, LedgerQueueMemory(ledger, "one"), {})
    opened.append(shard)
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        until(lambda: shard.take(NOW).taken == () and bool(shard.positions().get(0)))
        other.execute("ROLLBACK")
    assert values(taken(shard, 1)) == [row(1)]


def test_a_topic_that_is_not_there_is_an_error_before_work_starts(kafka: Kafka) -> None:
    with pytest.raises(SourceError, match="no such topic"):
        check_topic(f"kafka://{kafka.address}/nowhere")
    with pytest.raises(SourceError, match="cannot be used"):
        check_topic("kafka://127.0.0.1:1/nowhere?socket.timeout.ms=1000")
