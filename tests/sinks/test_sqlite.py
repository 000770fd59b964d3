"""`sqlite:`: tables, search and views a person would query."""

import dataclasses
import itertools
import json
import sqlite3
from pathlib import Path

import pytest

from newsbeam.transforms.model.errors import SinkAway, SinkError
from newsbeam.transforms.model.records import Article, DeadLetter, Topic
from newsbeam.transforms.model.revisions import renumbered
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.sinks.sink import WriteCounts
from newsbeam.transforms.sinks.sqlite import SqliteSink, check
from newsbeam.transforms.sinks.sqlite_schema import VERSION


def article(name: str, revision: int = 1, title: str = "T", **fields: object) -> Article:
    made = Article(id=name, url=f"https://example.org/{name}", revision=revision, title=title, text="Body.")
    made = renumbered(dataclasses.replace(made, content_hash=f"content {revision}"), revision)
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]


def written(path: Path, *batches: list[Article | DeadLetter]) -> WriteCounts:
    counts = WriteCounts()
    sink = SqliteSink(path)
    sink.open()
    for batch in batches:
        counts += sink.write(batch)
    sink.close()
    return counts


def rows(path: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as db:
        return db.execute(query, values).fetchall()


def test_each_field_is_a_column_and_lists_are_json(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    topics = (Topic("medtop:1", "p", 0.5, "model"),)
    written(path, [article("a", authors=("Ann", "Bo"), topics=topics, is_accessible_for_free=False)])
    query = "SELECT title, json_extract(authors, '$[1]'), json_extract(topics, '$[0].uri'), is_accessible_for_free"
    assert rows(path, f"{query} FROM articles") == [("T", "Bo", "medtop:1", 0)]


def test_writing_the_same_again_is_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    assert written(path, [article("a"), article("b")]) == WriteCounts(inserted=2)
    assert written(path, [article("b"), article("a")]) == WriteCounts(unchanged=2)
    assert written(path, [article("a", title="Other")]) == WriteCounts(updated=1)


def test_the_newest_revision_is_the_article_and_the_older_ones_are_kept_in_any_order(tmp_path: Path) -> None:
    revisions = [article("a", n, f"Title {n}", is_accessible_for_free=bool(n % 2), authors=("Ann",)) for n in (1, 2, 3)]
    for number, order in enumerate(itertools.permutations(revisions)):
        path = tmp_path / f"{number}.db"
        written(path, list(order))
        assert rows(path, "SELECT revision, title FROM articles") == [(3, "Title 3")]
        kept = rows(path, "SELECT revision, record FROM revisions ORDER BY revision")
        assert kept == [(1, to_json(revisions[0])), (2, to_json(revisions[1]))]
        assert written(path, list(order)).unchanged == 3


def test_full_text_search_finds_titles_and_text_and_forgets_what_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    written(path, [article("a", title="Brücke gesperrt", text="The bridge is closed."), article("b")])
    query = "SELECT a.id FROM articles_fts f JOIN articles a ON a.doc = f.rowid WHERE articles_fts MATCH ?"
    assert rows(path, query, "brucke") == rows(path, query, "text : bridge") == [("a",)]
    written(path, [article("a", 2, title="Brücke offen", text="It is open.")])
    assert rows(path, query, "bridge") == []
    assert rows(path, query, "offen") == [("a",)]
    rows(path, "INSERT INTO articles_fts(articles_fts) VALUES ('integrity-check')")


def test_a_story_is_one_row_with_its_outlets_and_titles(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    written(
        path,
        [
            article("b", title="Later", story_id="a", publisher="Post", first_seen_at="2024-03-25T12:00:00Z"),
            article("a", title="First", story_id="a", publisher="Times", first_seen_at="2024-03-25T10:00:00Z"),
            article("c", title="Copy", story_id="a", domain="x.org", duplicate_kind="near", first_seen_at="2024-03-26"),
            article("d", title="Alone"),
        ],
    )
    query = "SELECT story_id, first_seen, articles, copies, outlets, titles FROM stories ORDER BY story_id"
    assert rows(path, query) == [
        ("a", "2024-03-25T10:00:00Z", 3, 1, 3, "First\nLater\nCopy"),
        ("d", None, 1, 0, 0, "Alone"),
    ]
    assert [row[0] for row in rows(path, "SELECT title FROM latest")] == ["Later", "First", "Alone"]


def test_a_dead_letter_is_kept_once_for_what_failed_where(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    letter = DeadLetter("fetch", "timeout", "slow", unit="u1", url="https://example.org/x")
    written(path, [letter], [dataclasses.replace(letter, attempts=2)], [DeadLetter("fetch", "http_404", "", unit="u1")])
    assert rows(path, "SELECT reason, attempts FROM dead_letters ORDER BY reason") == [("http_404", 1), ("timeout", 2)]


def test_a_file_of_an_older_newsbeam_gains_the_new_columns(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    written(path, [article("a")])
    with sqlite3.connect(path) as db:
        db.execute("DROP VIEW stories")
        db.execute("DROP VIEW latest")
        db.execute("ALTER TABLE articles DROP COLUMN robots")
    assert written(path, [article("b", robots=("noai",))]) == WriteCounts(inserted=1)
    assert rows(path, "SELECT id, robots FROM articles ORDER BY id") == [("a", None), ("b", '["noai"]')]
    assert written(path, [article("a", 2)]) == WriteCounts(updated=1)
    assert json.loads(str(rows(path, "SELECT record FROM revisions")[0][0]))["robots"] is None
    rows(path, "SELECT * FROM stories")


def test_a_file_of_a_newer_newsbeam_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    written(path, [])
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(SinkError, match="newer newsbeam"):
        check(str(path))


def test_a_batch_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    with pytest.raises(Exception, match="64 bits"):
        written(path, [article("a"), article("b", word_count=2**64)])
    assert rows(path, "SELECT count(*) FROM articles") == [(0,)]


def test_a_full_disk_is_a_sink_that_is_away_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    sink = SqliteSink(path)
    sink.open()
    sink.write([article("a")])
    assert sink._connection is not None
    pages = sink._connection.execute("PRAGMA page_count").fetchone()[0]
    sink._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = [article(f"n{i}", text="word " * 5000) for i in range(20)]
    with pytest.raises(SinkAway, match="full"):
        sink.write(big)
    sink.close()
    assert written(path, big) == WriteCounts(inserted=20)
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_hostile_text_is_stored_clean(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    written(path, [article("a", title="x\x00y\ud800", text="'); DROP TABLE articles; --")])
    assert rows(path, "SELECT title, text FROM articles") == [("x�y�", "'); DROP TABLE articles; --")]
