"""`postgresql://`: tables like those of `sqlite:`, for many writers and readers at once.

A batch is copied into a staging table and upserted from there by id and revision, in one transaction. The address is
libpq's own (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING): `?sslmode=require`, or
`?options=-csearch_path%3Dnews` for a schema of its own; a password is better left to `PGPASSWORD` or a password file,
for a URI shows in process lists and job graphs.
"""

from collections.abc import Sequence
from typing import Optional

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import Rejected, SinkAway, SinkError
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.model.serialization import (
    ARTICLE_FIELDS,
    DEAD_LETTER_FIELDS,
    Json,
    article_to_dict,
    dead_letter_to_dict,
    json_text,
)
from newsbeam.transforms.sinks.postgresql_schema import columns, migrate
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts

_JSON = frozenset(name for name, kind in columns().items() if kind == "jsonb")
_NAMES = ", ".join(ARTICLE_FIELDS)
_STAGING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staging"
    f" ({', '.join(f'{name} {kind}' for name, kind in columns().items())}) ON COMMIT DELETE ROWS"
)
_DEAD_STAGING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS dead_staging"
    f" ({', '.join(name + (' bigint' if name == 'attempts' else ' text') for name in DEAD_LETTER_FIELDS)})"
    " ON COMMIT DELETE ROWS"
)
_UPSERT = f"""
INSERT INTO articles ({_NAMES})
SELECT DISTINCT ON (id) {_NAMES} FROM staging ORDER BY id, revision DESC
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in ARTICLE_FIELDS)}
WHERE excluded.revision > articles.revision
   OR (excluded.revision = articles.revision
       AND ({", ".join(f"excluded.{name}" for name in ARTICLE_FIELDS)})
           IS DISTINCT FROM ({", ".join(f"articles.{name}" for name in ARTICLE_FIELDS)}))
RETURNING xmax = 0
"""  # noqa: S608  # names of our own fields; in the order of ids, so that two writers never wait for each other
_KEEP_OLDER = """
INSERT INTO article_revisions (id, revision, record)
SELECT staging.id, staging.revision, to_jsonb(staging) FROM staging JOIN articles USING (id)
WHERE staging.revision < articles.revision ORDER BY 1, 2
ON CONFLICT (id, revision) DO UPDATE SET record = excluded.record
WHERE article_revisions.record IS DISTINCT FROM excluded.record
RETURNING xmax = 0
"""
_UPSERT_DEAD = f"""
INSERT INTO dead_letters ({", ".join(DEAD_LETTER_FIELDS)})
SELECT DISTINCT ON (unit, stage, reason, url, feed_url) {", ".join(DEAD_LETTER_FIELDS)} FROM dead_staging
ORDER BY unit, stage, reason, url, feed_url, attempts DESC
ON CONFLICT (unit, stage, reason, url, feed_url) DO UPDATE
SET message = excluded.message, attempts = excluded.attempts, payload_ref = excluded.payload_ref
"""  # noqa: S608


class PostgresqlSink:
    """Upserts into one database, a transaction a batch."""

    def __init__(self, address: str) -> None:
        self._address = Address(address)
        self._connection: Optional[psycopg.Connection] = None

    def open(self) -> None:
        try:
            self._connection = _connect(self._address.whole)
            migrate(self._connection)
            with self._connection.transaction():
                self._connection.execute(_STAGING.encode())
                self._connection.execute(_DEAD_STAGING.encode())
        except psycopg.Error as error:
            raise SinkAway(self._address.hide(_said(error))) from error

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if self._connection is None:
            raise RuntimeError("open() comes before write()")
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                counts = _write_articles(cursor, [r for r in batch if isinstance(r, Article)])
                _write_dead_letters(cursor, [r for r in batch if isinstance(r, DeadLetter)])
        except (errors.DataError, errors.ProgramLimitExceeded) as error:
            raise Rejected("not_storable", f"PostgreSQL will not take it: {_said(error)}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction) as error:
            raise SinkAway(self._address.hide(_said(error))) from error
        return counts

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(address: str) -> psycopg.Connection:
    # without keepalives a server that vanished is noticed after two hours
    defaults = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    defaults = {name: value for name, value in defaults.items() if name not in conninfo_to_dict(address)}
    return psycopg.connect(make_conninfo(address, **defaults), autocommit=True)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())


def _row(article: Article) -> list[Json]:
    values = article_to_dict(article)
    return [json_text(values[name]) if name in _JSON else values[name] for name in ARTICLE_FIELDS]


def _write_articles(cursor: psycopg.Cursor, articles: Sequence[Article]) -> WriteCounts:
    if not articles:
        return WriteCounts()
    rows = {(article.id, article.revision): _row(article) for article in articles}
    with cursor.copy(f"COPY staging ({_NAMES}) FROM STDIN".encode()) as copy:
        for row in rows.values():
            copy.write_row(row)
    written = cursor.execute(_UPSERT.encode()).fetchall() + cursor.execute(_KEEP_OLDER).fetchall()
    inserted = sum(is_new for (is_new,) in written)
    return WriteCounts(inserted, len(written) - inserted, len(rows) - len(written))


def _write_dead_letters(cursor: psycopg.Cursor, letters: Sequence[DeadLetter]) -> None:
    if not letters:
        return
    with cursor.copy(f"COPY dead_staging ({', '.join(DEAD_LETTER_FIELDS)}) FROM STDIN".encode()) as copy:
        for letter in letters:
            copy.write_row(list(dead_letter_to_dict(letter).values()))
    cursor.execute(_UPSERT_DEAD.encode())


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return PostgresqlSink(target)


def check(target: str) -> None:
    """Connects, makes the tables or brings them up to date. Raises `SinkError` where that is not possible."""
    address = Address(target)
    shown = str(address).partition("://")[2]
    try:
        with _connect(target) as connection:
            migrate(connection)
    except SinkError as error:
        raise SinkError(f"PostgreSQL at {shown}: {error}", address=str(address)) from error
    except psycopg.Error as error:
        raise SinkError(
            f"PostgreSQL at {shown} cannot be used: {address.hide(_said(error))}", address=str(address)
        ) from error


def finalize(target: str) -> WriteCounts:
    """Nothing is left to do: every batch was complete when it was written."""
    return WriteCounts()
