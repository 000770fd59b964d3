"""`sqlite:`: one file with tables, full-text search and views that a person can query.

    SELECT * FROM stories ORDER BY first_seen DESC LIMIT 20;
    SELECT title, url FROM articles WHERE doc IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'bridge');

`articles` holds the newest revision of each article, `revisions` the others: no content ever takes the place of another
(`model.revisions`), and the rows are the same whatever the order in which a run writes them.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Optional

from newsbeam.transforms.model.errors import Rejected, SinkAway, SinkError
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.model.revisions import (
    VERSION_FIELDS,
    Standing,
    Version,
    in_order_of_revision,
    newest,
    place,
    renumbered,
    version_of,
    version_of_row,
)
from newsbeam.transforms.model.serialization import (
    ARTICLE_FIELDS,
    DEAD_LETTER_FIELDS,
    Json,
    article_to_dict,
    dead_letter_to_dict,
    json_text,
    safe_text,
)
from newsbeam.transforms.runtime.database import in_words, may_pass, open_database, write_transaction
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts
from newsbeam.transforms.sinks.sqlite_schema import flag_columns, list_columns, migrate

_ID = ARTICLE_FIELDS.index("id")
_REVISION = ARTICLE_FIELDS.index("revision")
_LISTS = list_columns()
_FLAGS = flag_columns()
_INSERT = f"INSERT INTO articles ({', '.join(ARTICLE_FIELDS)}) VALUES ({', '.join('?' * len(ARTICLE_FIELDS))})"  # noqa: S608
_UPDATE = f"UPDATE articles SET {', '.join(f'{name} = ?' for name in ARTICLE_FIELDS)} WHERE id = ?"  # noqa: S608
_SELECT = f"SELECT {', '.join(ARTICLE_FIELDS)} FROM articles WHERE id = ?"  # noqa: S608
_KEEP = "INSERT OR REPLACE INTO revisions (id, revision, title, content_hash, record) VALUES (?, ?, ?, ?, ?)"
_FROM_JSON = ", ".join(f"json_extract(record, '$.{name}')" for name in VERSION_FIELDS[1:])
_OLDER = f"SELECT revision, {_FROM_JSON} FROM revisions WHERE id = ?"  # noqa: S608  # names of our own fields
_DEAD = (
    f"INSERT OR REPLACE INTO dead_letters ({', '.join(DEAD_LETTER_FIELDS)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(DEAD_LETTER_FIELDS))})"
)
Row = tuple[Json, ...]
WAIT_S = 30.0
"""For another writer; then the sink counts as away, and is waited for."""


class SqliteSink:
    """Upserts into one database file, a transaction a batch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: Optional[sqlite3.Connection] = None

    def open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = open_database(self._path, wait_s=WAIT_S, synchronous="FULL")
            migrate(self._connection)
        except (sqlite3.OperationalError, OSError) as error:
            raise SinkAway(f"{self._path}: {error}") from error

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if self._connection is None:
            raise RuntimeError("open() comes before write()")
        counts = WriteCounts()
        try:
            with write_transaction(self._connection):
                for article in in_order_of_revision(batch):
                    counts += _write_article(self._connection, article)
                for record in batch:
                    if isinstance(record, DeadLetter):
                        _write_dead_letter(self._connection, record)
        except OverflowError as error:
            raise Rejected("number_too_large", f"a number does not fit the 64 bits of SQLite: {error}") from error
        except sqlite3.OperationalError as error:  # locked, disk full, file gone read-only
            raise SinkAway(f"{self._path}: {error}") from error
        return counts

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _row(article: Article) -> Row:
    values = article_to_dict(article)
    return tuple(_stored(name, values[name]) for name in ARTICLE_FIELDS)


def _stored(name: str, value: Json) -> Json:
    if name in _LISTS:
        return json_text(value)
    return int(value) if isinstance(value, bool) else value


def published(name: str, stored: Json) -> Json:
    """What a record holds for what a column holds. A column that a migration added holds NULL in older rows."""
    if name in _LISTS and isinstance(stored, str):
        value: Json = json.loads(stored)
        return value
    return bool(stored) if name in _FLAGS and stored is not None else stored


def _write_article(connection: sqlite3.Connection, article: Article) -> WriteCounts:
    """Puts the article where its content belongs: the newest is in `articles`, the others are in `revisions`."""
    current: Optional[Row] = connection.execute(_SELECT, (safe_text(article.id),)).fetchone()
    if current is None:
        connection.execute(_INSERT, _row(article))
        return WriteCounts(inserted=1)
    known = [_version(current), *_older(connection, article.id)]
    new = version_of(article)
    placed = place(known, new)
    if placed.standing is Standing.KNOWN:
        return WriteCounts(unchanged=1)
    row = _row(renumbered(article, placed.revision))
    if placed.revision == current[_REVISION]:
        if row == current:
            return WriteCounts(unchanged=1)
    elif placed.standing is Standing.AGAIN or newest([*known, new._replace(revision=placed.revision)]) in known:
        return _keep(connection, row)
    else:
        _keep(connection, current)
    connection.execute(_UPDATE, (*row, row[_ID]))
    return WriteCounts(updated=1)


def _version(row: Row) -> Version:
    return version_of_row(dict(zip(ARTICLE_FIELDS, row, strict=True)))


def _older(connection: sqlite3.Connection, article_id: str) -> list[Version]:
    return [
        version_of_row(dict(zip(VERSION_FIELDS, row, strict=True))) for row in connection.execute(_OLDER, (article_id,))
    ]


def _keep(connection: sqlite3.Connection, row: Row) -> WriteCounts:
    values = dict(zip(ARTICLE_FIELDS, row, strict=True))
    record = json_text({name: published(name, value) for name, value in values.items()})
    kept = connection.execute(
        "SELECT record FROM revisions WHERE id = ? AND revision = ?", (values["id"], values["revision"])
    ).fetchone()
    if kept is not None and kept[0] == record:
        return WriteCounts(unchanged=1)
    connection.execute(_KEEP, (values["id"], values["revision"], values["title"], values["content_hash"], record))
    return WriteCounts(inserted=1) if kept is None else WriteCounts(updated=1)


def _write_dead_letter(connection: sqlite3.Connection, letter: DeadLetter) -> None:
    values = dead_letter_to_dict(letter)
    connection.execute(_DEAD, tuple(values.values()))


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return SqliteSink(Path(target))


def check(target: str) -> None:
    """Makes the folder, opens or makes the database and brings it up to date.

    Raises:
        SinkError: it cannot be written, is no database, or is not newsbeam's.
    """
    path, shown = Path(target), f"'sqlite:{target}'"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(open_database(path, synchronous="FULL")) as connection:
            migrate(connection)
    except SinkError as error:
        raise SinkError(f"{shown}: {error}", address=shown) from error
    except OSError as error:
        raise SinkError(f"{shown} cannot be written: {error.strerror or error}", address=shown) from error
    except sqlite3.Error as error:
        raise SinkError(f"{shown} cannot be {_verb(error)}: {_words(error)}", address=shown) from error


def _verb(error: sqlite3.Error) -> str:
    return "written" if may_pass(error) else "used"


def _words(error: sqlite3.Error) -> str:
    return "this Python's SQLite has no full-text search (FTS5)" if "fts5" in str(error) else in_words(error)


def finalize(target: str) -> WriteCounts:
    """Nothing is left to do: every batch was complete when it was written."""
    return WriteCounts()
