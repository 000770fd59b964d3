"""Sinks by URI, and outcomes that are told only once every sink has the record."""

import dataclasses
import json
import logging
import random
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from newsbeam.transforms.model.errors import Rejected, SinkAway, SinkError, UsageError
from newsbeam.transforms.model.records import Article, DeadLetter, Origin, Outcome, RemovedBlock
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.sinks.sink import Record, WriteCounts
from newsbeam.transforms.sinks.uri import absolute_sink, check_sink, finalize_sink, parse_sink
from newsbeam.transforms.sinks.write import METRICS, Waiting, WriteArticles, WriteDeadLetters, is_written, outcome_of


def article(name: str, kind: str = "unique", of: str = "", **fields: object) -> Article:
    made = Article(
        id=name,
        url=f"https://example.org/{name}",
        title=f"Title of {name}",
        text="One line.\nAnother line.",
        duplicate_kind=kind,
        duplicate_of=of or None,
        removed_blocks=(RemovedBlock("credit", "Photo"),),
        origin=Origin(unit=f"{name}.txt"),
    )
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uri", "scheme", "target"),
    [
        ("sqlite:out/news.db", "sqlite", "out/news.db"),
        ("SQLite:out/news.db", "sqlite", "out/news.db"),
        ("sqlite:///srv/news.db", "sqlite", "/srv/news.db"),
        ("jsonl:out/", "jsonl", "out/"),
        ("jsonl:a:b.jsonl", "jsonl", "a:b.jsonl"),
        ("stdout:", "stdout", ""),
    ],
)
def test_a_sink_is_named_by_scheme_and_target(uri: str, scheme: str, target: str) -> None:
    spec = parse_sink(uri)
    assert (spec.scheme, spec.target) == (scheme, target)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("out.jsonl", "Did you mean jsonl:out.jsonl"),
        ("", "names no sink"),
        ("oracle://db", "sqlite:out/news.db"),
        ("sqlite:", "where to"),
        ("sqlite:out/", "needs a file"),
        ("sqlite://news.db", "write 'sqlite:news.db'"),
        ("stdout:file", "takes no path"),
    ],
)
def test_a_wrong_uri_is_explained(uri: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_sink(uri)
    assert said in str(refused.value)


def test_a_path_is_made_absolute_for_workers_that_stand_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_sink("sqlite:out/news.db").whole == f"sqlite:{tmp_path}/out/news.db"
    assert absolute_sink("jsonl:out/").whole == f"jsonl:{tmp_path}/out/"
    for uri in ("parquet:gs://bucket/news", "stdout:", "kafka://broker/news"):
        assert absolute_sink(uri).whole == uri


def test_parents_are_made_before_work_starts(tmp_path: Path) -> None:
    check_sink(f"sqlite:{tmp_path}/a/b/news.db")
    check_sink(f"jsonl:{tmp_path}/c/stories.jsonl")
    check_sink(f"jsonl:{tmp_path}/d/")
    assert (tmp_path / "a/b/news.db").exists()
    assert list((tmp_path / "c").iterdir()) == list((tmp_path / "d").iterdir()) == []


@pytest.mark.parametrize("form", ["sqlite:{}/news.db", "jsonl:{}/stories.jsonl", "jsonl:{}/deep/"])
def test_a_path_that_cannot_be_written_is_an_error_before_work_starts(tmp_path: Path, form: str) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(SinkError, match="cannot be written"):
        check_sink(form.format(blocker))


def test_a_file_that_newsbeam_did_not_write_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("my notes")
    database = tmp_path / "other.db"
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE articles (mine)")
    for uri in (f"jsonl:{notes}", f"sqlite:{database}", f"sqlite:{notes}"):
        with pytest.raises(SinkError):
            check_sink(uri)
    assert notes.read_text() == "my notes"


@pytest.mark.parametrize(
    ("kind", "ending", "dropped", "labelled"),
    [
        ("unique", "story", True, True),
        ("exact", "duplicate", False, True),
        ("near", "duplicate", False, True),
        ("syndicated", "duplicate", False, True),
        ("excerpt", "duplicate", False, True),
        ("revision", "revision", True, True),
        ("unchanged", "unchanged", False, False),
    ],
)
def test_each_kind_has_its_outcome_and_is_written_by_policy(
    kind: str, ending: str, dropped: bool, labelled: bool
) -> None:
    one = article("a", kind, of="b")
    assert outcome_of(one) == Outcome("a.txt", ending, one.url, "a", of="b", lines_removed=1)
    assert is_written(one, "drop") is dropped
    assert is_written(one, "label") is labelled


def run(
    articles: Sequence[Article], letters: Sequence[DeadLetter], sinks: Sequence[str], *options: str
) -> beam.runners.runner.PipelineResult:
    pipeline = TestPipeline(runner="FnApiRunner", options=PipelineOptions(list(options)))
    dead_letters = DeadLetters()
    dead_letters.add("given", pipeline | "Letters" >> beam.Create(list(letters), reshuffle=False))
    written = pipeline | "Articles" >> beam.Create(list(articles)) | "Write" >> WriteArticles(sinks, dead_letters)
    dead = dead_letters.gather() | "Write dead letters" >> WriteDeadLetters(sinks)
    assert_that(
        (written, dead) | beam.Flatten() | beam.Map(lambda outcome: outcome.unit),
        equal_to([a.origin.unit for a in articles] + [letter.unit for letter in letters]),
    )
    result = pipeline.run()
    result.wait_until_finish()
    for uri in sinks:
        finalize_sink(uri)
    return result


def counted(result: beam.runners.runner.PipelineResult) -> dict[str, int]:
    found = result.metrics().query(beam.metrics.MetricsFilter().with_namespace(METRICS))["counters"]
    return {counter.key.metric.name: counter.committed for counter in found}


NEWS = [article(f"n{i:03}", "near" if i % 7 == 3 else "unique", of="n000" if i % 7 == 3 else "") for i in range(60)]
LETTERS = [DeadLetter("read", "empty", "nothing in it", unit=f"bad{i}.txt") for i in range(5)]


def test_every_input_has_its_outcome_and_every_sink_its_record(tmp_path: Path) -> None:
    run(NEWS, LETTERS, [f"sqlite:{tmp_path}/news.db", f"jsonl:{tmp_path}/out.jsonl"])
    ids = [a.id for a in NEWS if a.duplicate_kind == "unique"]
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    with sqlite3.connect(tmp_path / "news.db") as db:
        assert [row[0] for row in db.execute("SELECT id FROM articles ORDER BY id")] == ids
        assert db.execute("SELECT count(*) FROM dead_letters").fetchone() == (5,)
    dead = (tmp_path / "out.dead.jsonl").read_text().splitlines()
    assert [json.loads(line)["unit"] for line in dead] == [letter.unit for letter in LETTERS]


def test_jsonl_is_the_same_bytes_whatever_the_order_and_the_number_of_workers(tmp_path: Path) -> None:
    run(NEWS, LETTERS, [f"jsonl:{tmp_path}/a.jsonl"])
    shuffled = random.Random(5).sample(NEWS, len(NEWS))
    run(
        shuffled,
        LETTERS[::-1],
        [f"jsonl:{tmp_path}/b.jsonl"],
        "--direct_num_workers=2",
        "--direct_running_mode=multi_threading",
    )
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert (tmp_path / "a.dead.jsonl").read_bytes() == (tmp_path / "b.dead.jsonl").read_bytes()


def test_a_second_replay_changes_nothing_and_says_so(tmp_path: Path) -> None:
    sinks = [f"sqlite:{tmp_path}/news.db", f"jsonl:{tmp_path}/out.jsonl"]
    first = counted(run(NEWS, [], sinks))
    before = (tmp_path / "out.jsonl").stat().st_ino, (tmp_path / "out.jsonl").read_bytes()
    with sqlite3.connect(tmp_path / "news.db") as db:
        dump = list(db.iterdump())
    second = counted(run(NEWS[::-1], [], sinks))
    stories = sum(a.duplicate_kind == "unique" for a in NEWS)
    accepted = {"jsonl_accepted": stories, "sqlite_accepted": stories}
    assert first == {**accepted, "sqlite_inserted": stories}
    assert second == {**accepted, "sqlite_unchanged": stories}
    assert ((tmp_path / "out.jsonl").stat().st_ino, (tmp_path / "out.jsonl").read_bytes()) == before
    with sqlite3.connect(tmp_path / "news.db") as db:
        assert list(db.iterdump()) == dump


def test_an_article_a_sink_will_never_take_is_a_dead_letter_and_the_others_are_written(tmp_path: Path) -> None:
    with TestPipeline(runner="FnApiRunner") as pipeline:
        dead_letters = DeadLetters()
        written = (
            pipeline
            | "Names" >> beam.Create(["n000", "n001", "huge", "n002"])
            # made behind Create, in the stage that writes: Beam's own coder would not carry the number either
            | "Articles" >> beam.Map(lambda name: article(name, word_count=2**70 if name == "huge" else 4))
            | "Write" >> WriteArticles([f"sqlite:{tmp_path}/news.db"], dead_letters)
        )
        assert_that(written | beam.Map(lambda o: o.unit), equal_to(["n000.txt", "n001.txt", "n002.txt"]))
        assert_that(
            dead_letters.gather() | beam.Map(lambda d: (d.stage, d.reason, d.unit)),
            equal_to([("write", "number_too_large", "huge.txt")]),
            label="dead",
        )


class Flaky:
    """A sink that is away for its first calls."""

    def __init__(self, away: int) -> None:
        self.away = away
        self.opened = 0
        self.records: list[Record] = []

    def open(self) -> None:
        self.opened += 1

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if self.away:
            self.away -= 1
            raise SinkAway("connection refused")
        if any(isinstance(r, Article) and r.id == "poison" for r in batch):
            raise Rejected("poison", "never")
        self.records += batch
        return WriteCounts(inserted=len(batch))

    def close(self) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_sink_that_is_away_is_waited_for_twice_as_long_each_time(caplog: pytest.LogCaptureFixture) -> None:
    clock, sink = Clock(), Flaky(away=10)
    with caplog.at_level(logging.WARNING):
        refused, counts = Waiting(sink, "test", None, lambda: clock.now, clock.sleep).write([article("a")])
    assert refused == []
    assert counts["inserted"] == 1
    assert clock.slept == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert counts["waited_ms"] == round(sum(clock.slept) * 1000)
    assert "connection refused" in caplog.text


def test_patience_has_an_end_where_one_is_set() -> None:
    clock, sink = Clock(), Flaky(away=1000)
    with pytest.raises(SinkAway):
        Waiting(sink, "test", 100.0, lambda: clock.now, clock.sleep).write([article("a")])
    assert 30 < clock.now <= 100


def test_one_record_a_sink_refuses_does_not_hold_up_its_batch() -> None:
    sink = Flaky(away=0)
    batch = [article(f"n{i}") for i in range(20)]
    batch.insert(13, article("poison"))
    refused, counts = Waiting(sink, "test").write(batch)
    assert [record.url for record, _ in refused] == ["https://example.org/poison"]
    assert counts["inserted"] == 20
    assert [r for r in batch if r not in sink.records] == [batch[13]]


def test_standard_output_gets_lines_of_json() -> None:
    code = (
        "from newsbeam.transforms.sinks.uri import open_sink\n"
        "from newsbeam.transforms.model.records import Article, DeadLetter\n"
        "open_sink('stdout:').write([Article(id='ä', url='u'), DeadLetter('read', 'empty', '')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout.decode())["id"] == "ä"
