"""`postgresql://` against a real server."""

import dataclasses
import itertools
import threading
from collections.abc import Iterator

import psycopg
import pytest

from newsbeam.transforms.model.errors import Rejected, SinkAway, SinkError
from newsbeam.transforms.model.records import Article, DeadLetter, RemovedBlock, Topic
from newsbeam.transforms.model.serialization import article_from_dict
from newsbeam.transforms.sinks.postgresql import PostgresqlSink
from newsbeam.transforms.sinks.sink import Record, WriteCounts
from newsbeam.transforms.sinks.uri import check_sink, open_sink
from newsbeam.transforms.sinks.write import Waiting
from tests.support.sinks_servers import Postgresql


def article(name: str, revision: int = 1, title: str = "T", **fields: object) -> Article:
    made = Article(id=name, url=f"https://example.org/{name}", revision=revision, title=title, text="Body.")
    made = dataclasses.replace(made, content_hash=f"content {revision}")
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]


@pytest.fixture
def uri(postgresql: Postgresql) -> Iterator[str]:
    """A schema of its own for each test."""
    with psycopg.connect(postgresql.uri, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA news")
    yield f"{postgresql.uri}&options=-csearch_path%3Dnews"
    with psycopg.connect(postgresql.uri, autocommit=True) as connection:
        connection.execute("DROP SCHEMA news CASCADE")


def written(uri: str, *batches: list[Record]) -> WriteCounts:
    counts = WriteCounts()
    sink = open_sink(uri)
    sink.open()
    for batch in batches:
        counts += sink.write(batch)
    sink.close()
    return counts


def rows(uri: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(uri) as connection:
        return connection.execute(query.encode()).fetchall()


FULL = article(
    "a",
    authors=("Ann", 'Bo \\ "q" \t\n'),
    topics=(Topic("medtop:1", "p", 0.1, "model"),),
    removed_blocks=(RemovedBlock("credit", "Photo", 3),),
    is_accessible_for_free=False,
    language_confidence=0.1234567890123,
    text="Tab\there, \\N, \\., Ω, \U0001f600, x\x00y\ud800",
)


def test_a_record_is_stored_field_by_field_as_it_is(uri: str) -> None:
    written(uri, [FULL])
    with psycopg.connect(uri, row_factory=psycopg.rows.dict_row) as connection:
        (row,) = connection.execute("SELECT * FROM articles").fetchall()
    expected = dataclasses.replace(FULL, text="Tab\there, \\N, \\., Ω, \U0001f600, x�y�")
    assert article_from_dict(row) == expected


def test_writing_the_same_again_is_unchanged(uri: str) -> None:
    assert written(uri, [FULL, article("b")]) == WriteCounts(inserted=2)
    assert written(uri, [article("b"), FULL, FULL]) == WriteCounts(unchanged=2)
    assert written(uri, [article("b", title="Other")]) == WriteCounts(updated=1)


def test_the_newest_revision_is_the_article_in_any_order_and_any_batches(uri: str) -> None:
    revisions = [article("a", n, f"Title {n}") for n in (1, 2, 3)]
    check_sink(uri)
    for order in itertools.permutations(revisions):
        for cut in range(3):
            rows_before = psycopg.connect(uri, autocommit=True)
            rows_before.execute("TRUNCATE articles, article_revisions")
            rows_before.close()
            written(uri, list(order[:cut]), list(order[cut:]))
            assert rows(uri, "SELECT revision, title FROM articles") == [(3, "Title 3")]
            kept = rows(uri, "SELECT revision, record->>'title' FROM article_revisions ORDER BY 1")
            assert kept == [(1, "Title 1"), (2, "Title 2")]
            assert written(uri, list(order)).unchanged == 3


def test_several_writers_of_the_same_articles_lose_no_revision(uri: str) -> None:
    check_sink(uri)
    errors: list[Exception] = []

    def write(revision: int) -> None:
        try:
            sink = Waiting(open_sink(uri), "test")
            for start in range(0, 60, 10):
                sink.write([article(f"n{i:03}", revision) for i in range(start, start + 10)])
            sink.close()
        except Exception as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(revision,)) for revision in (1, 2, 3, 4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors == []
    assert rows(uri, "SELECT revision, count(*) FROM articles GROUP BY 1") == [(4, 60)]
    kept = rows(uri, "SELECT revision, count(*) FROM article_revisions GROUP BY 1 ORDER BY 1")
    assert kept == [(1, 60), (2, 60), (3, 60)]


def test_a_server_that_is_killed_is_waited_for_and_nothing_is_lost_or_doubled(
    uri: str,
    postgresql: Postgresql,
) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            postgresql.start()

    sink = Waiting(PostgresqlSink(uri), "test", None, sleep=sleep)
    sink.write([article(f"n{i}") for i in range(50)])
    postgresql.stop("immediate")
    refused, counts = sink.write([article(f"n{i}") for i in range(25, 75)])
    sink.close()
    assert refused == []
    assert (counts["inserted"], counts["unchanged"]) == (25, 25)
    assert waits[:3] == [0.5, 1.0, 2.0]
    assert rows(uri, "SELECT count(*), count(DISTINCT id) FROM articles") == [(75, 75)]


def test_a_dead_letter_is_kept_once_for_what_failed_where(uri: str) -> None:
    letter = DeadLetter("fetch", "timeout", "slow", unit="u1", url="https://example.org/x")
    again = dataclasses.replace(letter, attempts=2)
    written(uri, [letter], [again, article("a")], [letter, again, DeadLetter("fetch", "http_404", "", unit="u1")])
    assert rows(uri, "SELECT reason, attempts FROM dead_letters ORDER BY 1") == [("http_404", 1), ("timeout", 2)]


def test_stories_latest_and_search_are_there_to_be_queried(uri: str) -> None:
    written(
        uri,
        [
            article("b", title="Later", story_id="a", publisher="Post", first_seen_at="2024-03-25T12:00:00Z"),
            article("a", title="Bridge", story_id="a", publisher="Times", first_seen_at="2024-03-25T10:00:00Z"),
        ],
    )
    assert rows(uri, "SELECT story_id, articles, copies, outlets, titles FROM stories") == [
        ("a", 2, 0, 2, "Bridge\nLater")
    ]
    assert [row[0] for row in rows(uri, "SELECT title FROM latest")] == ["Later", "Bridge"]
    search = "to_tsvector('simple', left(coalesce(title, '') || ' ' || coalesce(text, ''), 100000))"
    found = rows(uri, f"SELECT id FROM articles WHERE {search} @@ plainto_tsquery('simple', 'bridge')")  # noqa: S608
    assert found == [("a",)]


def test_an_enormous_text_is_stored(uri: str) -> None:
    text = " ".join(f"word{i}" for i in range(400_000))
    written(uri, [article("a", text=text)])
    assert rows(uri, "SELECT length(text) FROM articles") == [(len(text),)]


def test_what_the_server_will_never_take_is_refused_alone(uri: str) -> None:
    noise = "".join(chr(0x4E00 + (i * i * 7919) % 20000) for i in range(20_000))
    huge = article(noise)  # longer than an index entry may be, also when compressed
    batch = [article("a"), huge, article("b")]
    refused, counts = Waiting(open_sink(uri), "test").write(batch)
    assert [(record, error.reason) for record, error in refused] == [(huge, "not_storable")]
    assert counts["inserted"] == 2
    assert isinstance(refused[0][1], Rejected)


def test_tables_of_an_older_newsbeam_gain_the_new_columns(uri: str) -> None:
    written(uri, [article("a")])
    with psycopg.connect(uri) as connection:
        connection.execute("ALTER TABLE articles DROP COLUMN robots")
    assert written(uri, [article("b", robots=("noai",))]) == WriteCounts(inserted=1)
    assert rows(uri, "SELECT id, robots FROM articles ORDER BY id") == [("a", None), ("b", ["noai"])]


def test_tables_of_a_newer_newsbeam_or_of_others_are_refused(uri: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE articles (mine int)")
        with pytest.raises(SinkError, match="did not make"):
            check_sink(uri)
        connection.execute("DROP TABLE articles")
        check_sink(uri)
        connection.execute("INSERT INTO newsbeam_schema VALUES (99)")
        with pytest.raises(SinkError, match="newer newsbeam"):
            check_sink(uri)


def test_a_server_that_is_not_there_is_an_error_before_work_starts_and_away_during_it() -> None:
    nowhere = "postgresql://news:secret@127.0.0.1:1/news?connect_timeout=2"
    with pytest.raises(SinkError, match=r"PostgreSQL at 127\.0\.0\.1:1/news cannot be used") as refused:
        check_sink(nowhere)
    assert "secret" not in str(refused.value)
    with pytest.raises(SinkAway):
        open_sink(nowhere).open()
