"""Records read back from the sinks of this machine, for the commands that look at what was written."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from newsbeam.transforms.model.errors import UsageError
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import article_from_dict, article_from_json
from newsbeam.transforms.runtime.database import in_words, open_read_only
from newsbeam.transforms.sinks.sqlite import published
from newsbeam.transforms.sinks.sqlite_schema import columns
from newsbeam.transforms.sinks.uri import parse_sink


def records_in(sink: str) -> Iterator[Article]:
    """All records of a `sqlite:` or `jsonl:` sink, in the order of their ids.

    Raises:
        UsageError: there is no such file, or it is a sink that is not read from here.
    """
    spec = parse_sink(sink)
    if spec.scheme == "sqlite":
        with database(sink) as connection:
            names = ", ".join(columns())
            for row in connection.execute(f"SELECT {names} FROM articles ORDER BY id"):  # noqa: S608 - our own columns
                yield _article(row)
    elif spec.scheme == "jsonl":
        for file in _files(Path(spec.target)):
            with file.open(encoding="utf-8") as lines:
                yield from map(article_from_json, lines)
    else:
        raise UsageError(f"{spec.address}: records are read back from sqlite: and jsonl: only")


def record(sink: str, key: str) -> Article | None:
    """The record whose id, or the beginning of whose id, or whose URL is `key`."""
    with database(sink) as connection:
        row = connection.execute(
            f"SELECT {', '.join(columns())} FROM articles"  # noqa: S608 - our own columns
            " WHERE id = :key OR url = :key OR url_canonical = :key OR (length(:key) > 5 AND id GLOB :key || '*')"
            " ORDER BY id = :key DESC, id LIMIT 1",
            {"key": key},
        ).fetchone()
        return _article(row) if row else None


def history(sink: str, article_id: str) -> list[Article]:
    """All revisions of a record, oldest first."""
    with database(sink) as connection:
        rows = connection.execute("SELECT record FROM revisions WHERE id = ? ORDER BY revision", (article_id,))
        older = [article_from_json(row["record"]) for row in rows]
    newest = record(sink, article_id)
    return [*older, newest] if newest else older


@contextmanager
def database(sink: str) -> Iterator[sqlite3.Connection]:
    """A `sqlite:` sink opened for reading; its rows know their columns."""
    spec = parse_sink(sink)
    if spec.scheme != "sqlite":
        raise UsageError(f"{spec.address}: this command reads an SQLite database; name one as sqlite:out/news.db")
    if not Path(spec.target).exists():
        raise UsageError(f"{spec.address}: there is no such file yet; `newsbeam replay` or `newsbeam live` writes it")
    try:
        connection = open_read_only(spec.target)
    except sqlite3.Error as error:
        raise UsageError(f"{spec.address} cannot be read: {in_words(error)}", address=str(spec.address)) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        yield connection


def _article(row: sqlite3.Row) -> Article:
    values = {name: published(name, row[name]) for name in columns()}
    return article_from_dict(values)


def _files(target: Path) -> list[Path]:
    if not target.exists():
        raise UsageError(f"jsonl:{target}: there is no such file or folder")
    if target.is_dir():
        return sorted(file for file in target.glob("*.jsonl") if not file.name.endswith(".dead.jsonl"))
    return [target]
