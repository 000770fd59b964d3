"""Another content under an id is a new revision in every sink, whichever run met it; equal content is nothing new."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from newsbeam.pipeline.cli.main import main
from tests.support.sinks_servers import Postgresql

URL = "https://a.example/live"
MONDAY = "The council opened the bridge on Monday after three years of work, the mayor said in a statement. " * 8
TUESDAY = "Police closed the harbour on Tuesday when a crane fell on the quay, and nobody was hurt, they said. " * 8

Texts = list[tuple[int, str, str]]


def replay(folder: Path, *pages: tuple[str, str], to: str, ledger: str) -> None:
    rows = [{"url": URL, "title": "Live", "text": text, "fetched_at": seen} for text, seen in pages]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["replay", str(folder / "rows.jsonl"), "--to", to, "--ledger", str(folder / ledger)]) == 0


def in_jsonl(path: Path) -> Texts:
    records = map(json.loads, path.read_text().splitlines())
    return [(record["revision"], record["duplicate_kind"], record["text"][:11]) for record in records]


def in_parquet(path: Path) -> Texts:
    records = [row for file in sorted(path.rglob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    texts = {row["revision"]: (row["revision"], row["duplicate_kind"], row["text"][:11]) for row in records}
    return sorted(texts.values())


def in_sqlite(path: Path) -> Texts:
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT record FROM revisions").fetchall()
        newest = database.execute("SELECT revision, duplicate_kind, substr(text, 1, 11) FROM articles").fetchall()
    old = [(r["revision"], r["duplicate_kind"], r["text"][:11]) for r in (json.loads(row[0]) for row in rows)]
    return sorted([*old, *newest])


@pytest.fixture(params=["jsonl", "sqlite", "parquet"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Callable[[], Texts]]:
    path, read = {
        "jsonl": (tmp_path / "a.jsonl", in_jsonl),
        "sqlite": (tmp_path / "a.db", in_sqlite),
        "parquet": (tmp_path / "a", in_parquet),
    }[request.param]
    return f"{request.param}:{path}", lambda: read(path)


BOTH = [(1, "unique", "The council"), (2, "revision", "Police clos")]


def test_tuesdays_page_in_another_run_does_not_take_mondays_place(
    sink: tuple[str, Callable[[], Texts]], tmp_path: Path
) -> None:
    to, texts = sink
    replay(tmp_path, (MONDAY, "2024-03-25T08:00:00Z"), to=to, ledger="ledger.db")
    replay(tmp_path, (TUESDAY, "2024-03-26T08:00:00Z"), to=to, ledger="ledger.db")
    assert texts() == BOTH
    replay(tmp_path, (TUESDAY, "2024-03-26T08:00:00Z"), to=to, ledger="ledger.db")
    assert texts() == BOTH, "the same content is nothing new"


@pytest.mark.parametrize("sink", ["jsonl", "sqlite"], indirect=True)
def test_without_the_ledger_of_monday_the_sink_itself_knows(
    sink: tuple[str, Callable[[], Texts]], tmp_path: Path
) -> None:
    to, texts = sink
    replay(tmp_path, (MONDAY, "2024-03-25T08:00:00Z"), to=to, ledger="monday.db")
    replay(tmp_path, (TUESDAY, "2024-03-26T08:00:00Z"), to=to, ledger="tuesday.db")
    assert texts() == BOTH


def test_one_run_that_forgets_numbers_on(sink: tuple[str, Callable[[], Texts]], tmp_path: Path) -> None:
    to, texts = sink
    replay(
        tmp_path, (MONDAY, "2024-01-01T08:00:00Z"), (TUESDAY, "2024-02-15T08:00:00Z"), to=to, ledger="ledger.db"
    )  # 45 days apart; memory is 30 days long
    assert texts() == BOTH


@pytest.fixture
def uri(postgresql: Postgresql) -> Iterator[str]:
    with psycopg.connect(postgresql.uri, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA across")
    yield f"{postgresql.uri}&options=-csearch_path%3Dacross"
    with psycopg.connect(postgresql.uri, autocommit=True) as connection:
        connection.execute("DROP SCHEMA across CASCADE")


@pytest.mark.parametrize("ledger", ["monday.db", "tuesday.db"])
def test_postgresql_keeps_the_older_text(uri: str, tmp_path: Path, ledger: str) -> None:
    replay(tmp_path, (MONDAY, "2024-03-25T08:00:00Z"), to=uri, ledger="monday.db")
    replay(tmp_path, (TUESDAY, "2024-03-26T08:00:00Z"), to=uri, ledger=ledger)
    with psycopg.connect(uri) as connection:
        newest = connection.execute("SELECT revision, duplicate_kind, left(text, 11) FROM articles").fetchall()
        older = connection.execute("SELECT record->>'revision', left(record->>'text', 11) FROM article_revisions")
        assert newest == [BOTH[1]]
        assert older.fetchall() == [("1", "The council")]
