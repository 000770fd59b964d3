"""`parquet:` on a local disk, through Beam's filesystems."""

import random
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from newsbeam.transforms.model.errors import SinkError
from newsbeam.transforms.model.records import Article, DeadLetter, RemovedBlock, Topic
from newsbeam.transforms.model.serialization import article_from_dict, article_to_dict
from newsbeam.transforms.sinks import parquet
from newsbeam.transforms.sinks.parquet import ParquetSink, finalize
from newsbeam.transforms.sinks.sink import WriteCounts
from newsbeam.transforms.sinks.uri import check_sink, finalize_sink, open_sink


def article(name: str, revision: int = 1, title: str = "", seen: str | None = None) -> Article:
    content = f"content {revision}"
    url = f"https://example.org/{name}"
    return Article(id=name, url=url, revision=revision, title=title, first_seen_at=seen, content_hash=content)


FULL = Article(
    id="a",
    url="https://example.org/a",
    authors=("Ann",),
    topics=(Topic("medtop:1", "p", 0.25, "model"),),
    removed_blocks=(RemovedBlock("credit", "Photo", 3), RemovedBlock("teaser", "More")),
    is_accessible_for_free=False,
    first_seen_at="2024-03-25T10:00:00Z",
)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_record_comes_back_as_it_went_and_the_folder_reads_as_one_table(tmp_path: Path) -> None:
    check_sink(f"parquet:{tmp_path}/out")
    sink = open_sink(f"parquet:{tmp_path}/out")
    sink.write([FULL, article("b"), DeadLetter("read", "empty", "nothing", unit="u")])
    assert finalize_sink(f"parquet:{tmp_path}/out") == WriteCounts(inserted=2)
    assert files(tmp_path / "out") == [
        "articles/day=2024-03-25/stories.parquet",
        "articles/day=undated/stories.parquet",
        "dead_letters/day=undated/stories.parquet",
    ]
    table = ds.dataset(tmp_path / "out/articles", partitioning="hive").to_table()
    found = {row["id"]: row for row in table.to_pylist()}
    assert found["a"].pop("day") == "2024-03-25"
    assert found["a"] == article_to_dict(FULL)
    assert article_to_dict(article_from_dict(found["a"])) == article_to_dict(FULL)


def test_the_same_batch_again_is_the_same_file(tmp_path: Path) -> None:
    sink = ParquetSink(str(tmp_path))
    sink.write([FULL, article("b")])
    before = files(tmp_path)
    sink.write([article("b"), FULL, FULL])
    assert files(tmp_path) == before


def test_any_order_and_any_batches_give_the_same_bytes(tmp_path: Path) -> None:
    news = [article(f"n{i:02}", revision) for i in range(40) for revision in (1, 2)]
    for name, seed in (("one", 1), ("other", 2)):
        chance = random.Random(seed)
        shuffled = chance.sample(news, len(news))
        sink = ParquetSink(str(tmp_path / name))
        while shuffled:
            size = chance.randint(1, 30)
            sink.write(shuffled[:size])
            shuffled = shuffled[size:]
        finalize(str(tmp_path / name))
    written = [(tmp_path / name / "articles/day=undated/stories.parquet").read_bytes() for name in ("one", "other")]
    assert written[0] == written[1]
    rows = pq.read_table(tmp_path / "one/articles/day=undated/stories.parquet", partitioning=None).to_pylist()
    assert [(row["id"], row["revision"]) for row in rows] == [(a.id, a.revision) for a in news]


def test_a_later_run_adds_and_replaces(tmp_path: Path) -> None:
    ParquetSink(str(tmp_path)).write([article("a"), article("b"), article("c")])
    assert finalize(str(tmp_path)) == WriteCounts(inserted=3)
    ParquetSink(str(tmp_path)).write([article("b", title="new"), article("c"), article("d")])
    assert finalize(str(tmp_path)) == WriteCounts(inserted=1, updated=1, unchanged=1)
    assert finalize(str(tmp_path)) == WriteCounts()
    table = pq.read_table(tmp_path / "articles/day=undated/stories.parquet", partitioning=None)
    assert table.column("title").to_pylist() == ["", "new", "", ""]


def test_many_parts_of_a_day_are_put_together_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MANY_PARTS", 5)
    sink = ParquetSink(str(tmp_path))
    for i in range(23):
        sink.write([article(f"n{i:02}")])
    assert len(files(tmp_path)) < 10
    finalize(str(tmp_path))
    table = pq.read_table(tmp_path / "articles/day=undated/stories.parquet", partitioning=None)
    assert table.column("id").to_pylist() == [f"n{i:02}" for i in range(23)]


def test_what_a_killed_run_left_half_written_is_no_part(tmp_path: Path) -> None:
    ParquetSink(str(tmp_path)).write([article("a")])
    (tmp_path / "articles/day=undated/_part-00.parquet.unfinished").write_bytes(b"PAR1")
    finalize(str(tmp_path))
    table = ds.dataset(tmp_path / "articles", partitioning="hive").to_table()
    assert table.column("id").to_pylist() == ["a"]


def test_a_folder_that_cannot_be_written_is_an_error_before_work_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SinkError, match="cannot be written"):
        check_sink(f"parquet:{tmp_path}/file/news")
