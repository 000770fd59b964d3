"""While a sink is away its records wait on disk, and the others go on."""

from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from newsbeam.transforms.model.errors import Rejected, SinkAway
from newsbeam.transforms.model.records import Article, DeadLetter, Origin
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.sinks.sink import Record, WriteCounts
from newsbeam.transforms.sinks.spool import SpoolingSink, waiting
from newsbeam.transforms.sinks.write import WriteArticles


def article(name: str, revision: int = 1) -> Article:
    return Article(id=name, url=f"https://example.org/{name}", revision=revision, origin=Origin(unit=name))


class Far:
    """A sink that is there or not."""

    def __init__(self) -> None:
        self.here = True
        self.tries = 0
        self.got: list[str] = []

    def open(self) -> None:
        self.tries += 1
        if not self.here:
            raise SinkAway("no route")

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if not self.here:
            raise SinkAway("gone")
        if any(isinstance(r, Article) and r.id == "poison" for r in batch):
            raise Rejected("poison", "never")
        self.got += [r.id if isinstance(r, Article) else r.unit for r in batch]
        return WriteCounts(inserted=len(batch))

    def close(self) -> None:
        pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def spooling(tmp_path: Path, sink: Far, clock: Clock, limit: int = 10**9) -> SpoolingSink:
    made = SpoolingSink(sink, "far", tmp_path / "spool.db", limit, clock)
    made.open()
    return made


def test_what_waits_goes_first_and_in_its_order_when_the_sink_is_back(tmp_path: Path) -> None:
    far, clock = Far(), Clock()
    sink = spooling(tmp_path, far, clock)
    sink.write([article("a")])
    far.here = False
    for name in "bcd":
        sink.write([article(name), DeadLetter("read", "empty", "", unit=f"bad-{name}")])
    assert waiting(tmp_path / "spool.db") == {"far": 6}
    far.here = True
    clock.now = 1000
    assert sink.write([article("e")]) == WriteCounts(inserted=7)
    assert far.got == ["a", "b", "bad-b", "c", "bad-c", "d", "bad-d", "e"]
    assert waiting(tmp_path / "spool.db") == {}


def test_a_sink_away_for_ten_minutes_is_not_asked_at_every_batch(tmp_path: Path) -> None:
    far, clock = Far(), Clock()
    far.here = False
    sink = spooling(tmp_path, far, clock)
    for second in range(0, 600, 5):
        clock.now = second
        sink.write([article(f"n{second}")])
    assert far.tries < 20
    far.here = True
    clock.now = 700
    sink.write([article("last")])
    assert far.got == [f"n{second}" for second in range(0, 600, 5)] + ["last"]


def test_what_waits_outlives_the_process(tmp_path: Path) -> None:
    far, clock = Far(), Clock()
    far.here = False
    spooling(tmp_path, far, clock).write([article("a"), article("b", 2)])
    far.here = True
    spooling(tmp_path, far, Clock()).write([article("c")])
    assert far.got == ["a", "b", "c"]


def test_a_full_spool_makes_the_pipeline_wait_after_all(tmp_path: Path) -> None:
    far, clock = Far(), Clock()
    far.here = False
    sink = spooling(tmp_path, far, clock, limit=3000)
    sink.write([article("a")])
    with pytest.raises(SinkAway, match="full"):
        sink.write([article(f"n{i}") for i in range(9)])
    assert waiting(tmp_path / "spool.db") == {"far": 1}


def test_a_record_that_is_refused_when_its_turn_comes_is_kept_aside(tmp_path: Path) -> None:
    far, clock = Far(), Clock()
    far.here = False
    sink = spooling(tmp_path, far, clock)
    sink.write([article("a"), article("poison"), article("b")])
    far.here = True
    clock.now = 10
    sink.write([article("c")])
    assert far.got == ["a", "b", "c"]
    assert waiting(tmp_path / "spool.db") == {}


def test_one_sink_away_does_not_hold_up_another_and_every_outcome_is_told(tmp_path: Path) -> None:
    news = [article(f"n{i}") for i in range(30)]
    away = "webhook+http://127.0.0.1:1/hook?token=secret"
    with TestPipeline(runner="FnApiRunner") as pipeline:
        outcomes = (
            pipeline
            | beam.Create(news)
            | WriteArticles([away, f"jsonl:{tmp_path}/out/"], DeadLetters(), live=True, spool=f"{tmp_path}/spool.db")
        )
        assert_that(outcomes | beam.Map(lambda o: (o.unit, o.outcome)), equal_to([(a.id, "story") for a in news]))
    assert (tmp_path / "out/stories-undated.jsonl").read_text().count("\n") == 30
    assert waiting(tmp_path / "spool.db") == {"webhook+http://127.0.0.1:1/hook": 30}
